"""What becomes of each planned action in the world of now."""

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from pkgsync.model import (
    Evidence,
    Limits,
    OldContent,
    OrphanAction,
    OrphanPolicy,
    Outcome,
    Plan,
    Policy,
    Replacement,
    Repository,
    Row,
    Source,
    Upload,
)
from pkgsync.reasons import Reason
from pkgsync.reconcile import Sent, recheck
from tests.support.values.builders import (
    DELETE,
    JAMMY,
    LEAP,
    NOW,
    SETTING,
    actual,
    architecture,
    desired,
    index,
    package,
    plan,
    policy,
    problem,
    repository,
    row,
    rpm,
    sha,
)

OLD, NEW, FRESH, REBUILT = rpm(version="1.0"), rpm(version="2.0"), rpm("fresh"), rpm("again", content="new")
FILES = (FRESH, NEW, REBUILT)
ROWS = (row(OLD), row(NEW), row(REBUILT, sha256=sha("old")))
PLAN = plan([repository(*FILES)], ROWS)
SETTLED = repository(*FILES)
UNSETTLED = repository(*FILES, problems=(problem(),))
ABSENT = repository(index=None, problems=(problem(Reason.REPOSITORY_ABSENT),), architectures=[])


def checked(
    repositories: Iterable[Repository] = (SETTLED,),
    rows: Iterable[Row] = ROWS,
    wanted: Policy | None = None,
    made: Plan = PLAN,
    managed: tuple[str, ...] = (LEAP,),
    sent: Mapping[str, Sent] | None = None,
) -> dict[str, tuple[Outcome, Reason | None]]:
    """Kind of action -> what is said about the only one of that kind."""
    checks = recheck(made, desired(*repositories), actual(*rows), wanted or policy(), managed, NOW, sent)
    assert [c.action for c in checks] == list(made.actions)
    return {type(c.action).__name__: (c.outcome, c.reason) for c in checks}


DUE, DONE = (Outcome.DUE, None), (Outcome.ALREADY_DONE, None)


def stale(reason: Reason) -> tuple[Outcome, Reason]:
    return Outcome.STALE, reason


LEFT = (Outcome.LEFT, Reason.UNSETTLED)


def changed(file: Any, **changes: Any) -> tuple[Row, ...]:
    return tuple(replace(r, **changes) if r.filename == file.filename else r for r in ROWS)


def without(file: Any) -> tuple[Row, ...]:
    return tuple(r for r in ROWS if r.filename != file.filename)


def test_in_the_same_world_everything_is_due() -> None:
    assert checked() == {"Upload": DUE, "Replacement": DUE, "Deletion": DUE}


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ((*ROWS, row(FRESH)), DONE),
        ((*ROWS, row(FRESH, sha256=sha("other"))), stale(Reason.TARGET_CHANGED)),
        ((*ROWS, row(FRESH, sha256=None)), stale(Reason.TARGET_CHANGED)),
    ],
)
def test_an_upload_and_its_row(rows: tuple[Row, ...], expected: Any) -> None:
    assert checked(rows=rows)["Upload"] == expected


@pytest.mark.parametrize(
    ("world", "expected"),
    [
        (repository(NEW, REBUILT), stale(Reason.SOURCE_CHANGED)),
        (repository(rpm("fresh", content="other"), NEW, REBUILT), stale(Reason.SOURCE_CHANGED)),
        (repository(replace(FRESH, size=1), NEW, REBUILT), stale(Reason.SOURCE_CHANGED)),
        (repository(*FILES, name="elsewhere"), stale(Reason.POLICY_CHANGED)),
        (UNSETTLED, DUE),
        (ABSENT, LEFT),
    ],
)
def test_an_upload_and_its_source(world: Repository, expected: Any) -> None:
    assert checked([world])["Upload"] == expected


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        (changed(REBUILT, sha256=sha("new"), created_at="2026-03-01T00:00:00Z"), DONE),
        (changed(REBUILT, sha256=sha("third")), stale(Reason.TARGET_CHANGED)),
        (changed(REBUILT, sha256=None), stale(Reason.TARGET_CHANGED)),
        (changed(REBUILT, created_at="2026-03-01T00:00:00Z"), stale(Reason.TARGET_CHANGED)),
        (without(REBUILT), DUE),
    ],
)
def test_a_replacement_and_its_row(rows: tuple[Row, ...], expected: Any) -> None:
    assert checked(rows=rows)["Replacement"] == expected


@pytest.mark.parametrize(
    ("world", "expected"),
    [
        ([UNSETTLED], LEFT),
        ([ABSENT], LEFT),
        ([repository(FRESH, NEW, problems=(problem(),))], LEFT),
        ([repository(FRESH, NEW)], stale(Reason.SOURCE_CHANGED)),
        ([repository(FRESH, NEW, rpm("again", content="newer"))], stale(Reason.SOURCE_CHANGED)),
        ([SETTLED, repository(rpm("more"), name="second", problems=(problem(),))], LEFT),
        ([SETTLED, repository(rpm("more"), name="second", unread=True)], LEFT),
    ],
)
def test_a_replacement_and_its_sources(world: list[Repository], expected: Any) -> None:
    assert checked(world)["Replacement"] == expected


@pytest.mark.parametrize("rows", [ROWS, without(REBUILT)], ids=["", "the name to replace is absent"])
def test_nothing_is_done_in_a_distribution_that_is_no_longer_managed(rows: tuple[Row, ...]) -> None:
    gone = stale(Reason.POLICY_CHANGED)
    assert checked(rows=rows, managed=()) == {"Upload": gone, "Replacement": gone, "Deletion": gone}


def forged(**changes: Any) -> Plan:
    return replace(PLAN, uploads=(replace(PLAN.uploads[0], **changes),))


@pytest.mark.parametrize(
    ("made", "reason"),
    [
        (forged(distribution=JAMMY), Reason.POLICY_CHANGED),
        (forged(distribution="el/9"), Reason.POLICY_CHANGED),
        (forged(filename="sudo-1.0-1.x86_64.rpm"), Reason.SOURCE_CHANGED),
        (forged(sha256=sha("other")), Reason.SOURCE_CHANGED),
        (forged(source=replace(PLAN.uploads[0].source, project="home:evil")), Reason.POLICY_CHANGED),
        (forged(source=replace(PLAN.uploads[0].source, path="x86_64/other.rpm")), Reason.SOURCE_CHANGED),
    ],
)
def test_a_forged_upload_brings_nothing_that_the_config_would_not_bring(made: Plan, reason: Reason) -> None:
    assert checked(made=made, managed=(LEAP, JAMMY))["Upload"] == stale(reason)


def test_an_upload_must_be_for_a_distribution_that_the_config_still_maps_there() -> None:
    elsewhere = repository(*FILES, distributions=(JAMMY,))
    assert checked([elsewhere], managed=(LEAP, JAMMY))["Upload"] == stale(Reason.POLICY_CHANGED)


def test_a_filter_of_now_does_not_stop_an_upload_that_was_reviewed() -> None:
    assert checked(wanted=policy(exclude=("fresh*",)))["Upload"] == DUE


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        (without(OLD), DONE),
        (changed(OLD, sha256=sha("other")), stale(Reason.TARGET_CHANGED)),
        (changed(OLD, sha256=None), stale(Reason.TARGET_CHANGED)),
        (changed(OLD, created_at="2026-03-01T00:00:00Z"), stale(Reason.TARGET_CHANGED)),
    ],
)
def test_a_deletion_and_its_row(rows: tuple[Row, ...], expected: Any) -> None:
    assert checked(rows=rows)["Deletion"] == expected


@pytest.mark.parametrize(
    ("world", "expected"),
    [
        (repository(*FILES, OLD), stale(Reason.WANTED_AGAIN)),
        (repository(*FILES, rpm("renamed", content=OLD.filename)), stale(Reason.WANTED_AGAIN)),
        (
            repository(*FILES, architectures=[architecture("x86_64", package("src", *FILES, OLD))]),
            stale(Reason.WANTED_AGAIN),
        ),
        (UNSETTLED, LEFT),
        (ABSENT, LEFT),
        (repository(*FILES, unread=True), LEFT),
        (replace(SETTLED, index=None), LEFT),
        (replace(SETTLED, index=index(), problems=(problem(Reason.INDEX_EMPTY),)), LEFT),
        (repository(*FILES, architectures=[architecture("x86_64", package("src", *FILES, code="failed"))]), LEFT),
        (repository(FRESH, REBUILT), stale(Reason.POLICY_CHANGED)),
    ],
)
def test_a_deletion_and_obs(world: Repository, expected: Any) -> None:
    assert checked([world])["Deletion"] == expected


@pytest.mark.parametrize(
    "wanted",
    [
        policy(OrphanPolicy()),
        policy(replace(DELETE, action=OrphanAction.ARCHIVE, archive_to="me/archive")),
        policy(replace(DELETE, protect=("hello-*",))),
        policy(replace(DELETE, keep_versions=2)),
        policy(replace(DELETE, keep_versions=None)),
        policy(replace(DELETE, min_age=timedelta(days=10_000))),
        policy(replace(DELETE, grace=timedelta(days=10_000))),
        policy(exclude=("hello-*",)),
        policy(limits=Limits(deletions=0, deletions_percent=100)),
    ],
)
def test_a_deletion_must_pass_the_config_of_now(wanted: Policy) -> None:
    assert checked(wanted=wanted)["Deletion"] == stale(Reason.POLICY_CHANGED)


def test_an_archive_that_is_not_asked_for_is_no_other_way() -> None:
    assert checked(wanted=policy(replace(DELETE, archive_to="me/archive")))["Deletion"] == DUE


@pytest.mark.parametrize("wanted", [policy(OrphanPolicy()), policy(replace(DELETE, protect=("hello-*",)))])
def test_what_the_config_alone_keeps_does_not_wait_for_obs(wanted: Policy) -> None:
    assert checked([UNSETTLED], wanted=wanted)["Deletion"] == stale(Reason.POLICY_CHANGED)


def test_what_obs_offers_again_is_wanted_even_if_the_filters_leave_it_out_now() -> None:
    rebuilt = rpm(version="1.0", content="rebuilt")
    wanted = policy(exclude=("hello-1*",))
    assert checked([repository(*FILES, rebuilt)], wanted=wanted)["Deletion"] == stale(Reason.WANTED_AGAIN)


def test_what_the_reviewed_command_line_set_still_holds() -> None:
    setting = replace(SETTING, overrides=replace(SETTING.overrides, orphans=OrphanAction.DELETE, max_deletions=1))
    made = plan([SETTLED], ROWS, setting=setting)
    today = policy(OrphanPolicy(keep_versions=1), limits=Limits(deletions=0, deletions_percent=0))
    assert checked(wanted=today, made=made)["Deletion"] == DUE


def test_a_version_whose_upload_is_not_in_the_plan_does_not_replace_what_is_deleted() -> None:
    rows = [row(OLD), row(rpm("foreign"))]
    made = replace(plan([repository(NEW)], rows), uploads=())
    assert checked([repository(NEW)], rows, made=made)["Deletion"] == LEFT


def test_deletions_that_are_done_do_not_count_against_the_limits() -> None:
    rows = [row(rpm(version=f"1.{n}")) for n in range(3)]
    made = plan([repository(NEW)], [*rows, row(NEW)], policy(limits=Limits(deletions=3, deletions_percent=100)))
    checks = recheck(
        made,
        desired(repository(NEW)),
        actual(*rows[:2], row(NEW)),
        policy(limits=Limits(deletions=2, deletions_percent=100)),
        (LEAP,),
        NOW,
    )
    assert [c.outcome for c in checks] == [Outcome.DUE, Outcome.DUE, Outcome.ALREADY_DONE]


def test_what_an_undo_takes_back_by_our_journal_needs_no_source_and_no_policy() -> None:
    backup = Source(kind="backup")
    deletion = replace(PLAN.deletions[0], reason=Reason.UNDO, evidence=Evidence(kind="undo", receipt="sha256:0"))
    made = replace(
        PLAN,
        undoes="sha256:0",
        uploads=(
            Upload(
                distribution=LEAP,
                filename=FRESH.filename,
                size=1000,
                sha256=sha("was"),
                reason=Reason.UNDO,
                source=backup,
            ),
        ),
        replacements=(
            Replacement(
                distribution=LEAP,
                filename=REBUILT.filename,
                size=1000,
                sha256=sha("was"),
                reason=Reason.UNDO,
                source=backup,
                old=OldContent(sha("old"), ROWS[2].created_at),
            ),
        ),
        deletions=(deletion,),
    )
    sent = {
        deletion.key: Sent("upload", deletion.sha256),
        made.replacements[0].key: Sent("replacement", sha("old")),
    }
    assert checked([UNSETTLED], wanted=policy(OrphanPolicy()), made=made, sent=sent) == {
        "Upload": DUE,
        "Replacement": DUE,
        "Deletion": DUE,
    }


def test_what_stands_there_already_is_no_newer_version_to_come() -> None:
    """The planned upload has arrived, and OBS has rebuilt it under the same name with a higher epoch."""
    old = rpm(version="1.0", epoch=1)
    arrived, rebuilt = rpm(version="2.0", epoch=2, content="a"), rpm(version="2.0", epoch=3, content="b")
    made = plan([repository(arrived)], [row(old)])
    assert (len(made.uploads), len(made.deletions)) == (1, 1)
    found = recheck(made, desired(repository(rebuilt)), actual(row(old), row(arrived)), policy(), (LEAP,), NOW)
    assert [standing.outcome for standing in found] == [Outcome.ALREADY_DONE, Outcome.LEFT]


def test_a_deletion_that_today_s_plan_would_contradict_is_stale() -> None:
    """OBS went back to a lower version, or the plan was edited to take the highest one."""
    downgraded = repository(FRESH, REBUILT, rpm(version="0.9"))
    assert checked([downgraded])["Deletion"] == stale(Reason.POLICY_CHANGED)
    other_architecture = repository(FRESH, REBUILT, rpm(version="3.0", arch="aarch64"))
    assert checked([other_architecture])["Deletion"] == stale(Reason.POLICY_CHANGED)
