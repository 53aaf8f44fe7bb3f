"""The order of the orphan checks, each with its reason code; retention."""

from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from pkgsync.model import (
    ArchitectureEvidence,
    Deletion,
    Evidence,
    GoneRule,
    OrphanAction,
    OrphanPolicy,
    Repository,
    RepositoryEvidence,
    SupersededBy,
)
from pkgsync.reasons import Reason
from tests.support.values.builders import (
    DELETE,
    JAMMY,
    LEAP,
    LONG_AGO,
    architecture,
    deb,
    decide,
    index,
    package,
    policy,
    problem,
    repository,
    row,
    rpm,
    sha,
    verdict,
)

OLD, NEW, OTHER = rpm(version="1.0"), rpm(version="2.0"), rpm("other")
ROWS = [row(OLD), row(NEW)]


def orphans(**changes: Any) -> OrphanPolicy:
    return replace(DELETE, **changes)


VANISH = orphans(keep_versions=0, names=("hello",))


def test_a_superseded_row_is_deleted_with_its_proof() -> None:
    repositories = (
        RepositoryEvidence(
            project="home:me",
            repository="leap",
            architectures=(ArchitectureEvidence("x86_64", "published"),),
            last_published=1767225600,
            index_sha256=index(NEW).top_sha256,
            revision=1767225600,
        ),
    )
    by = SupersededBy(filename="hello-2.0-1.x86_64.rpm", version="2.0-1", package="src (x86_64)", code="succeeded")
    proof = Evidence(kind="superseded", repositories=repositories, total=2, superseded_by=by)
    assert decide([repository(NEW)], ROWS).deletions == (
        Deletion(
            distribution=LEAP,
            filename="hello-1.0-1.x86_64.rpm",
            sha256=sha(OLD.filename),
            created_at=LONG_AGO,
            uploader="robot",
            reason=Reason.SUPERSEDED,
            evidence=proof,
        ),
    )


def test_a_gone_row_is_deleted_with_its_proof() -> None:
    (deletion,) = decide([repository(OTHER)], [row(OLD)], policy(VANISH)).deletions
    assert (deletion.reason, deletion.evidence.kind) == (Reason.GONE, "gone")
    assert (deletion.evidence.packages_read, deletion.evidence.total) == (1, 1)


def test_a_superseded_deb() -> None:
    old, new = deb(version="1.0-9"), deb(version="1.0-10")
    built = architecture("x86_64", package("src", new))
    result = decide(
        [repository(new, distributions=(JAMMY,), architectures=[built])],
        [row(old, JAMMY), row(new, JAMMY)],
        None,
        JAMMY,
    )
    assert verdict(result, old) == ("delete", Reason.SUPERSEDED)


def test_orphans_are_kept_by_default_and_say_what_would_happen() -> None:
    result = decide([repository(NEW)], ROWS, policy(OrphanPolicy()))
    (orphan,) = result.orphans
    assert (orphan.fate, orphan.reason, result.held, result.counts.orphans_kept) == ("keep", Reason.KEEP, (), 1)
    assert orphan.evidence is not None
    assert "superseded by hello-2.0-1.x86_64.rpm" in orphan.message


def broken(*packages: Any, **other: Any) -> Repository:
    return repository(OTHER, architectures=[architecture("x86_64", package("src", OTHER), *packages)], **other)


@pytest.mark.parametrize(
    ("world", "rows", "wanted", "expected"),
    [
        (repository(NEW), ROWS, orphans(protect=("hello-1.0-*",)), ("keep", Reason.PROTECTED)),
        (repository(NEW), ROWS, orphans(protect=("opensuse/15.6/*",)), ("keep", Reason.PROTECTED)),
        (
            repository(NEW, architectures=[architecture("x86_64", package("src", NEW, OLD))]),
            ROWS,
            DELETE,
            ("held", Reason.BUILT_NOT_PUBLISHED),
        ),
        (repository(OTHER), [row(OLD)], orphans(keep_versions=0), ("keep", Reason.NOT_OWNED)),
        (repository(OTHER), [row(OLD)], orphans(keep_versions=0, names=("hell",)), ("keep", Reason.NOT_OWNED)),
        (repository(OTHER), [row(OLD)], orphans(keep_versions=0, uploaders=("robot",)), ("keep", Reason.LAST_VERSION)),
        (repository(OTHER), [row(OLD)], orphans(names=("hello",)), ("keep", Reason.KEEP_VERSIONS)),
        (
            repository(NEW, architectures=[architecture("x86_64", package("src", NEW, code="failed"))]),
            ROWS,
            DELETE,
            ("held", Reason.NOT_SUCCEEDED),
        ),
        (repository(NEW, architectures=[architecture("x86_64")]), ROWS, DELETE, ("held", Reason.NOT_SUCCEEDED)),
        (repository(rpm(version="0.5")), [row(OLD)], DELETE, ("held", Reason.NOT_NEWER)),
        (repository(rpm(arch="i586")), [row(OLD)], DELETE, ("held", Reason.OTHER_ARCHITECTURE)),
        (repository(NEW), [row(OLD, epoch=None)], DELETE, ("held", Reason.VERSION_UNKNOWN)),
        (broken(package("x", code="failed")), [row(OLD)], VANISH, ("held", Reason.OWNER_UNKNOWN)),
        (broken(package("x", code="succeeded")), [row(OLD)], VANISH, ("held", Reason.OWNER_UNKNOWN)),
        (broken(package("x", code="disabled")), [row(OLD)], VANISH, ("held", Reason.OWNER_UNKNOWN)),
        (
            broken(package("x", "::import::i586::hello-1.0-1.i586.rpm", code="failed")),
            [row(OLD)],
            VANISH,
            ("held", Reason.OWNER_UNKNOWN),
        ),
        (broken(package("x", code="excluded")), [row(OLD)], VANISH, ("delete", Reason.GONE)),
        (
            broken(package("x", code="failed")),
            [row(OLD)],
            replace(VANISH, without_files=("x",)),
            ("delete", Reason.GONE),
        ),
        (repository(NEW), ROWS, orphans(keep_versions=2), ("keep", Reason.KEEP_VERSIONS)),
        (repository(NEW), [*ROWS, row(rpm(version="1.5"), epoch=None)], DELETE, ("held", Reason.VERSION_UNKNOWN)),
        (repository(NEW), [row(OLD, created_at="2026-02-28T12:00:00Z"), row(NEW)], orphans(min_age=timedelta(2)), ("held", Reason.MIN_AGE)),
        (repository(NEW), [row(OLD, created_at="2026-02-27T12:00:00Z"), row(NEW)], orphans(min_age=timedelta(2)), ("delete", Reason.SUPERSEDED)),
        (repository(NEW), [row(OLD, created_at="yesterday"), row(NEW)], orphans(min_age=timedelta(2)), ("held", Reason.MIN_AGE)),
        (repository(NEW), [row(OLD, created_at="2026-01-01T00:00:00"), row(NEW)], orphans(min_age=timedelta(2)), ("held", Reason.MIN_AGE)),
        (repository(NEW), [row(OLD, created_at="2027-01-01T00:00:00Z"), row(NEW)], orphans(min_age=timedelta(2)), ("held", Reason.MIN_AGE)),
        (repository(NEW), [row(OLD)], orphans(grace=timedelta(7)), ("held", Reason.GRACE)),
        (repository(NEW), [row(OLD), row(NEW, created_at="2026-02-28T12:00:00Z")], orphans(grace=timedelta(2)), ("held", Reason.GRACE)),
        (repository(NEW), [row(OLD), row(NEW, created_at="2026-02-27T12:00:00Z")], orphans(grace=timedelta(2)), ("delete", Reason.SUPERSEDED)),
        (repository(OTHER), [row(OLD)], replace(VANISH, grace=timedelta(7)), ("held", Reason.GRACE)),
        (repository(NEW), [row(OLD, sha256=None), row(NEW)], DELETE, ("held", Reason.CONTENT_UNKNOWN)),
        (repository(NEW, problems=(problem(Reason.INDEX_OLD),)), ROWS, DELETE, ("held", Reason.INDEX_OLD)),
    ],
)  # fmt: skip
def test_each_stop_has_its_reason(
    world: Repository, rows: list[Any], wanted: OrphanPolicy, expected: tuple[str, Reason]
) -> None:
    assert verdict(decide([world], rows, policy(wanted)), OLD) == expected


GONE = orphans(keep_versions=1, names=("hello",), gone=GoneRule.DELETE)


def test_all_versions_of_a_named_package_that_is_gone_may_go() -> None:
    rows = [row(OLD), row(NEW), row(OTHER)]
    result = decide([repository(OTHER)], rows, policy(GONE))
    assert [(d.filename, d.reason) for d in result.deletions] == [
        ("hello-1.0-1.x86_64.rpm", Reason.GONE),
        ("hello-2.0-1.x86_64.rpm", Reason.GONE),
    ]
    moved = decide(
        [repository(OTHER)],
        rows,
        policy(replace(GONE, action=OrphanAction.ARCHIVE, archive_to="me/archive")),
        archive=[],
    )
    assert [a.filename for a in moved.archivings] == ["hello-1.0-1.x86_64.rpm", "hello-2.0-1.x86_64.rpm"]


@pytest.mark.parametrize(
    ("world", "wanted", "expected"),
    [
        (repository(OTHER), replace(GONE, gone=GoneRule.KEEP), ("keep", Reason.KEEP_VERSIONS)),
        (repository(OTHER), replace(GONE, names=(), uploaders=("robot",)), ("keep", Reason.KEEP_VERSIONS)),
        (repository(OTHER), replace(GONE, names=("other",)), ("keep", Reason.NOT_OWNED)),
        (repository(OTHER), replace(GONE, protect=("hello-*",)), ("keep", Reason.PROTECTED)),
        (repository(OTHER), replace(GONE, grace=timedelta(1)), ("held", Reason.GRACE)),
        (repository(OTHER, catch_all=True), GONE, ("held", Reason.CATCH_ALL)),
        (broken(package("x", code="failed")), GONE, ("held", Reason.OWNER_UNKNOWN)),
        (repository(OTHER, problems=(problem(),)), GONE, ("held", Reason.DIRTY)),
        # the same version stands in OBS: nothing of it is gone
        (repository(rpm(arch="i586")), GONE, ("held", Reason.OTHER_ARCHITECTURE)),
        (repository(rpm(version="0.5")), GONE, ("held", Reason.NOT_NEWER)),
        (repository(NEW), replace(GONE, keep_versions=2), ("keep", Reason.KEEP_VERSIONS)),
    ],
)
def test_a_named_package_that_is_gone_passes_every_other_check(
    world: Repository, wanted: OrphanPolicy, expected: tuple[str, Reason]
) -> None:
    assert verdict(decide([world], [row(OLD)], policy(wanted)), OLD) == expected


def test_an_offer_that_does_not_arrive_holds_its_group() -> None:
    earlier = repository(
        name="first",
        index=None,
        problems=(problem(Reason.UNREAD),),
        architectures=[architecture("x86_64", package("src", NEW))],
    )
    assert verdict(decide([earlier, repository(NEW)], [row(OLD), row(rpm(version="1.5"))]), OLD) == (
        "held",
        Reason.NEWEST_NOT_HERE,
    )


# In the order of the checks: each world has its own stop and all later ones.
ORDER = (
    Reason.PROTECTED,
    Reason.BUILT_NOT_PUBLISHED,
    Reason.NOT_SUCCEEDED,
    Reason.VERSION_UNKNOWN,
    Reason.MIN_AGE,
    Reason.GRACE,
    Reason.CONTENT_UNKNOWN,
    Reason.DIRTY,
)


@pytest.mark.parametrize("first", range(len(ORDER)))
def test_the_order_of_the_stops(first: int) -> None:
    stops = ORDER[first:]
    code = "failed" if Reason.NOT_SUCCEEDED in stops else "succeeded"
    built = [NEW, OLD] if Reason.BUILT_NOT_PUBLISHED in stops else [NEW]
    world = repository(
        NEW, architectures=[architecture("x86_64", package("src", *built, code=code), problems=(problem(),))]
    )
    wanted = orphans(
        protect=("hello-1*",) if Reason.PROTECTED in stops else (),
        min_age=timedelta(10_000 if Reason.MIN_AGE in stops else 0),
        grace=timedelta(10_000 if Reason.GRACE in stops else 0),
    )
    sha256 = None if Reason.CONTENT_UNKNOWN in stops else OLD.sha256
    rows = [row(OLD, sha256=sha256), row(NEW)]
    if Reason.VERSION_UNKNOWN in stops:
        rows.append(row(rpm(version="1.5"), epoch=None))
    assert verdict(decide([world], rows, policy(wanted)), OLD)[1] == ORDER[first]


def test_a_foreign_name_is_kept_and_not_held_while_the_repository_is_not_settled() -> None:
    unsettled = repository(NEW, problems=(problem(),))
    assert verdict(decide([unsettled], [row(OTHER)]), OTHER) == ("keep", Reason.NOT_OWNED)


@pytest.mark.parametrize(("keep", "deleted"), [(1, ["1.0", "1.1", "1.10"]), (2, ["1.0", "1.1"]), (3, ["1.0"]), (4, [])])
def test_the_newest_distinct_versions_stay(keep: int, deleted: list[str]) -> None:
    """2.0 arrives with this plan and counts."""
    rows = [row(rpm(version=v)) for v in ("1.0", "1.10", "1.1")]
    result = decide([repository(NEW)], rows, policy(orphans(keep_versions=keep)))
    assert [d.filename.split("-")[1] for d in result.deletions] == deleted


def test_architectures_and_names_are_counted_apart() -> None:
    rows = [row(rpm(version=v, arch=a)) for v in ("1.0", "1.5") for a in ("x86_64", "i586")]
    result = decide([repository(NEW)], [*rows, row(NEW)], policy(orphans(keep_versions=2)))
    assert [d.filename for d in result.deletions] == ["hello-1.0-1.x86_64.rpm"]


def test_protected_and_filtered_versions_count() -> None:
    rows = [row(rpm(version=v)) for v in ("1.0", "1.5", "2.0")]
    wanted = orphans(keep_versions=2, protect=("*-1.5-*",))
    assert [d.filename for d in decide([repository(NEW)], rows, policy(wanted)).deletions] == ["hello-1.0-1.x86_64.rpm"]


@pytest.mark.parametrize(
    ("created_at", "wanted", "said", "changed"),
    [
        (LONG_AGO, orphans(keep_versions=2), "version 2 of the newest 2 to keep", (("orphans", "keep_versions"), 1)),
        ("2026-03-01T11:00:00Z", orphans(min_age=timedelta(minutes=90)), "since 2026-03-01T11:00:00Z, less than 90m ago", None),
        ("yesterday", orphans(min_age=timedelta(1)), "its created_at is not a time", (("orphans", "min_age"), 0)),
        (LONG_AGO, orphans(protect=("hello-1*", "opensuse/*", "x")), "a glob of `orphans.protect` matches", (("orphans", "protect"), ("hello-1*", "opensuse/*"))),
    ],
)  # fmt: skip
def test_a_stop_is_told_with_its_numbers_and_the_key_that_changes_it(
    created_at: str, wanted: OrphanPolicy, said: str, changed: tuple[object, object] | None
) -> None:
    (orphan,) = decide([repository(NEW)], [row(OLD, created_at=created_at), row(NEW)], policy(wanted)).orphans
    assert orphan.message == said
    assert orphan.flip is not None
    assert [(change.path, change.value) for change in orphan.flip.config] == ([changed] if changed else [])
