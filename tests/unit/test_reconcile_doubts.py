"""Odd worlds that look like a reason to delete, and are none."""

from typing import Any

import pytest
from msgspec.structs import replace

from pkgsync.model import OrphanAction, OrphanPolicy, Problem
from pkgsync.reasons import Reason
from pkgsync.reconcile import reconcile
from tests.support.values.builders import (
    LEAP,
    NOW,
    actual,
    architecture,
    decide,
    desired,
    package,
    plan,
    policy,
    problem,
    repository,
    row,
    rpm,
    sha,
    verdict,
)

OLD, NEW, OTHER = rpm(version="1.0"), rpm(version="2.0"), rpm("other")
MAY_VANISH = policy(OrphanPolicy(action=OrphanAction.DELETE, keep_versions=0, names=("hello",)))


def filtered(**other: Any) -> Any:
    return repository(name="left-out", filtered=True, index=None, **other)


def test_the_worlds_of_this_file_would_delete_without_the_doubt() -> None:
    assert verdict(decide([repository(NEW)], [row(OLD), row(NEW)]), OLD) == ("delete", Reason.SUPERSEDED)
    assert verdict(decide([repository(OTHER)], [row(OLD)], MAY_VANISH), OLD) == ("delete", Reason.GONE)


def test_a_name_whose_offer_is_excluded_is_not_gone() -> None:
    broken = repository(NEW, architectures=[architecture("x86_64", package("src", NEW, code="failed"))])
    assert verdict(decide([broken], [row(OLD)], MAY_VANISH), OLD) == ("held", Reason.NOT_SUCCEEDED)
    excluding = policy(MAY_VANISH.orphans, exclude=("*-2.0-*",))
    assert verdict(decide([broken], [row(OLD)], excluding), OLD) == ("held", Reason.NOT_SUCCEEDED)
    assert verdict(decide([repository(NEW)], [row(OLD)], excluding), OLD) == ("held", Reason.NEWEST_NOT_HERE)


def test_a_name_whose_offer_is_of_a_filtered_architecture_is_not_gone() -> None:
    arm = rpm(version="2.0", arch="aarch64")
    one = repository(
        arm, filter_architectures=("x86_64",), architectures=[architecture("aarch64", package("src", arm))]
    )
    world = [one, repository(OTHER, name="second")]
    assert verdict(decide(world, [row(rpm(arch="aarch64"))], MAY_VANISH), rpm(arch="aarch64")) == (
        "held",
        Reason.NEWEST_NOT_HERE,
    )


def test_the_source_package_of_a_name_is_not_its_newer_version() -> None:
    source = rpm(version="2.0", arch="src")
    assert verdict(decide([repository(source, OTHER)], [row(OLD)], MAY_VANISH), OLD) == ("delete", Reason.GONE)
    assert verdict(decide([repository(source, OTHER)], [row(OLD)]), OLD) == ("keep", Reason.NOT_OWNED)


def test_packages_without_files_in_a_left_out_repository_could_be_the_owner() -> None:
    world = [repository(OTHER), filtered(architectures=[architecture("x86_64", package("x", code="failed"))])]
    assert verdict(decide(world, [row(OLD)], MAY_VANISH), OLD) == ("held", Reason.OWNER_UNKNOWN)


def test_a_name_that_a_left_out_repository_builds_is_not_gone() -> None:
    built = architecture("x86_64", package("x", rpm(version="1.1")))
    world = [repository(OTHER), filtered(architectures=[built])]
    assert verdict(decide(world, [row(OLD)], MAY_VANISH), OLD) == ("held", Reason.BUILT_NOT_PUBLISHED)


def test_a_file_that_a_left_out_repository_builds_is_not_superseded() -> None:
    world = [repository(NEW), filtered(architectures=[architecture("x86_64", package("x", OLD))])]
    assert verdict(decide(world, [row(OLD), row(NEW)]), OLD) == ("held", Reason.BUILT_NOT_PUBLISHED)


@pytest.mark.parametrize("where", ["repository", "architecture", "no architecture"])
def test_a_left_out_repository_that_is_not_settled_holds(where: str) -> None:
    if where == "repository":
        out = filtered(problems=(problem(Reason.NOT_PUBLISHED),), architectures=[architecture("x86_64")])
    else:
        found = [architecture("x86_64", problems=(problem(Reason.DIRTY),))] if where == "architecture" else []
        out = filtered(architectures=found)
    result = decide([repository(NEW), out], [row(OLD), row(NEW)])
    assert verdict(result, OLD)[0] == "held"


def test_a_repository_that_was_not_read_to_its_end_holds() -> None:
    assert verdict(decide([repository(NEW, unread=True)], [row(OLD), row(NEW)]), OLD) == ("held", Reason.UNREAD)
    result = decide([repository(NEW, unread=True)], [row(OLD), row(NEW, sha256=sha("before"))])
    assert result.replacements == ()
    assert [(h.filename, h.action, h.reason) for h in result.held] == [
        (OLD.filename, "deletion", Reason.NEWEST_NOT_HERE),
        (NEW.filename, "replacement", Reason.UNREAD),
    ]


def test_a_repository_without_any_architecture_proves_nothing() -> None:
    assert verdict(decide([repository(OTHER, architectures=[])], [row(OLD)], MAY_VANISH), OLD)[0] == "held"


def test_an_architecture_without_any_package_proves_nothing() -> None:
    world = [repository(OTHER, architectures=[architecture("x86_64")])]
    assert verdict(decide(world, [row(OLD)], MAY_VANISH), OLD) == ("held", Reason.OWNER_UNKNOWN)


@pytest.mark.parametrize(
    "other",
    [
        repository(OTHER, name="b", architectures=[architecture("x86_64", package("o", OTHER)), architecture("i586")]),
        filtered(architectures=[architecture("i586")]),
    ],
)
def test_an_architecture_without_any_package_holds_what_is_of_every_architecture(other: Any) -> None:
    """A scheduler that never ran looks like one that has built nothing."""
    old, new = rpm(version="1.0", arch="noarch"), rpm(version="2.0", arch="noarch")
    rows = [row(old), row(new)]
    assert verdict(decide([repository(new)], rows), old) == ("delete", Reason.SUPERSEDED)
    assert verdict(decide([repository(new), other], rows), old) == ("held", Reason.ARCHITECTURE_ABSENT)
    empty = repository(name="may-be-empty", architectures=[architecture("i586")])
    assert verdict(decide([repository(new), empty], rows), old) == ("delete", Reason.SUPERSEDED)


def test_where_every_architecture_is_ignored_somebody_must_have_built_what_is_of_each() -> None:
    old, new = rpm(version="1.0", arch="noarch"), rpm(version="2.0", arch="noarch")
    places = [architecture("x86_64", package("src", new), problems=(problem(Reason.DIRTY),))]
    ignoring = repository(new, architectures=places, ignore_architectures=("x86_64",))
    assert verdict(decide([ignoring], [row(old), row(new)]), old) == ("held", Reason.DIRTY)


def test_a_name_is_not_foreign_while_an_index_of_its_distribution_is_unread() -> None:
    unread = repository(name="unread", index=None, problems=(problem(Reason.UNREAD),))
    assert verdict(decide([repository(NEW)], [row(OTHER)]), OTHER) == ("keep", Reason.NOT_OWNED)
    assert verdict(decide([repository(NEW), unread], [row(OTHER)]), OTHER) == ("held", Reason.UNREAD)


def test_a_left_out_repository_offers_nothing_and_its_files_are_left_alone() -> None:
    world = [repository(OTHER), repository(NEW, name="left-out", filtered=True)]
    assert [u.filename for u in decide(world).uploads] == [OTHER.filename]
    assert decide(world, [row(NEW, sha256=sha("before"))]).orphans == ()


def test_a_row_without_a_version_is_held_beside_builds_with_odd_names() -> None:
    built = architecture("x86_64", package("src", NEW, "hello-1.9-Linux.x86_64.rpm"))
    rows = [row(OLD, version=None), row(NEW)]
    assert verdict(decide([repository(NEW, architectures=[built])], rows), OLD) == ("held", Reason.VERSION_UNKNOWN)


def test_a_distribution_without_any_repository_proves_nothing() -> None:
    assert verdict(decide([], [row(OLD)], MAY_VANISH), OLD) == ("held", Reason.UNREAD)
    assert verdict(decide([], [row(OLD)]), OLD) == ("held", Reason.UNREAD)


def test_two_epochs_behind_one_file_name_count_as_the_one_that_is_there() -> None:
    rows = [row(rpm(version="2.0", content="before")), row(OLD)]
    offered = repository(rpm(version="2.0", epoch=1, content="after"))
    two = OrphanPolicy(action=OrphanAction.DELETE, keep_versions=2)
    assert verdict(decide([offered], rows, policy(two)), OLD) == ("keep", Reason.KEEP_VERSIONS)
    held = decide([offered], rows, policy(two, rebuilds="hold"))
    assert verdict(held, OLD) == ("held", Reason.NEWEST_NOT_HERE)


def test_one_content_with_two_versions_has_no_order() -> None:
    rows = [row(NEW, epoch=1), row(OLD)]
    assert verdict(decide([repository(NEW)], rows), OLD) == ("held", Reason.VERSION_UNKNOWN)


def test_rows_whose_content_is_offered_under_another_name_are_no_orphans() -> None:
    twins = [row(rpm(version=v, content=OLD.filename)) for v in ("0.8", "0.9")]
    for rows in (twins, twins[::-1], [*twins, row(OLD)], [*twins, row(OLD, sha256=sha("before"))]):
        assert decide([repository(OLD)], rows).orphans == ()
        assert decide([repository(OLD)], rows, policy(MAY_VANISH.orphans, exclude=(OLD.filename,))).orphans == ()
    result = decide([repository(OLD)], twins)
    assert (result.uploads, result.unchanged) == ((), 1)


def test_a_repository_that_maps_to_a_distribution_that_is_not_managed_is_not_looked_at() -> None:
    result = reconcile(
        desired(repository(NEW, distributions=("el/9",))), actual(row(OLD, "el/9")), policy(), (LEAP,), NOW
    )
    assert ([d.name for d in result.distributions], result.unmanaged) == ([LEAP], 1)


def test_nothing_is_deleted_while_it_is_not_said_how_many_versions_stay() -> None:
    orphans = OrphanPolicy(action=OrphanAction.DELETE)
    result = decide([repository(NEW)], [row(OLD), row(NEW)], policy(orphans))
    assert verdict(result, OLD) == ("keep", Reason.KEEP_VERSIONS)


@pytest.mark.parametrize("version", ["1.0\n2", "1.0\x00", "ü"])
def test_versions_that_no_tool_orders_hold_their_group(version: str) -> None:
    rows = [row(OLD), row(NEW), row(rpm(version="0.9"), version=version)]
    assert verdict(decide([repository(NEW)], rows), OLD) == ("held", Reason.VERSION_UNKNOWN)
    odd = repository(NEW, rpm(version=version))
    assert verdict(decide([odd], [row(OLD), row(NEW)]), OLD) == ("held", Reason.VERSION_UNKNOWN)


@pytest.mark.parametrize("claimed", ["hello", "other"])
def test_a_version_that_no_tool_orders_holds_its_group_where_it_stands_and_where_a_filter_leaves_it_out(
    claimed: str,
) -> None:
    odd = rpm(version="1.0\n2")
    rows = [row(OLD), row(NEW), row(odd, name=claimed)]
    assert verdict(decide([repository(NEW, odd)], rows), OLD) == ("held", Reason.VERSION_UNKNOWN)
    left_out = policy(exclude=("*\n*",))
    assert verdict(decide([repository(NEW, odd)], [row(OLD), row(NEW)], left_out), OLD) == (
        "held",
        Reason.VERSION_UNKNOWN,
    )


def test_any_offer_that_stands_there_with_other_content_holds_its_group() -> None:
    """Not only the newest: a version that is not OBS's counts for none."""
    newest = rpm(version="3.0")
    rows = [row(OLD), row(NEW, sha256=sha("before")), row(newest)]
    result = decide([repository(NEW, newest)], rows, policy(rebuilds="hold"))
    assert verdict(result, OLD) == ("held", Reason.NEWEST_NOT_HERE)


def test_an_offer_whose_row_says_that_it_is_another_package_is_no_version_that_stays() -> None:
    other = row(NEW, name="other")
    assert verdict(decide([repository(NEW)], [row(OLD), other]), OLD) == ("keep", Reason.KEEP_VERSIONS)
    assert verdict(decide([repository(NEW)], [row(OLD), replace(other, epoch=1)]), OLD) == (
        "held",
        Reason.VERSION_UNKNOWN,
    )


@pytest.mark.parametrize("codes", [("failed", "succeeded"), ("succeeded", "failed")])
def test_every_architecture_that_shows_the_newer_file_must_have_built_it(codes: tuple[str, str]) -> None:
    old, new = rpm(version="1.0", arch="noarch"), rpm(version="2.0", arch="noarch")
    built = [
        architecture(name, package("src", new, code=code)) for name, code in zip(("i586", "x86_64"), codes, strict=True)
    ]
    result = decide([repository(new, architectures=built)], [row(old), row(new)])
    assert verdict(result, old) == ("held", Reason.NOT_SUCCEEDED)


def test_all_that_could_own_a_name_are_counted_and_five_are_named() -> None:
    for number, said in (
        (5, "p0 (x86_64, failed), home:me/p1 (x86_64, failed), home:me/p2 (x86_64, failed), home:me/p3 (x86_64, failed), home:me/p4 (x86_64, failed)"),
        (7, "p0 (x86_64, failed), home:me/p1 (x86_64, failed), home:me/p2 (x86_64, failed), home:me/p3 (x86_64, failed), home:me/p4 (x86_64, failed) and 2 more"),
    ):  # fmt: skip
        failed = [package(f"p{n}", code="failed") for n in range(number)]
        world = repository(OTHER, architectures=[architecture("x86_64", package("src", OTHER), *failed)])
        (orphan,) = decide([world], [row(OLD)], MAY_VANISH).orphans
        assert orphan.message == f"packages without files could own it: home:me/{said}"


def test_the_other_architectures_of_a_name_are_told_in_order() -> None:
    world = repository(*(rpm(arch=arch) for arch in ("s390x", "aarch64", "i586")))
    (orphan,) = decide([world], [row(OLD)]).orphans
    assert orphan.message == "OBS offers hello, but for aarch64, i586, s390x only"


def test_without_an_architecture_that_of_the_file_name_counts() -> None:
    """A listing may leave it out; one that says something else holds the row."""
    broken = architecture("aarch64", problems=(problem(Reason.DIRTY),))
    old, new = rpm(version="1.0", arch="aarch64"), rpm(version="2.0", arch="aarch64")
    world = [repository(new, architectures=[architecture("x86_64", package("src", new)), broken])]
    for said, reason in ((None, Reason.DIRTY), ("aarch64", Reason.DIRTY), ("x86_64", Reason.NAME_MISMATCH)):
        result = decide(world, [row(old, architecture=said), row(new)])
        assert verdict(result, old) == ("held", reason)


def test_elements_in_any_order_give_the_same_words() -> None:
    def world(*, turned: bool) -> list[Any]:
        packages = [package(name, NEW, code="failed") for name in ("a", "b")] + [package("c", code="failed")]
        places = [architecture(name, *(packages[::-1] if turned else packages)) for name in ("x86_64", "i586")]
        return [repository(NEW, architectures=places[::-1] if turned else places)]

    rows = [
        row(OLD),
        row(NEW),
        row(rpm("gone")),
        row(rpm(version="0.1"), version="\n"),
        row(rpm(version="0.2"), epoch=None),
    ]
    claims = policy(OrphanPolicy(action=OrphanAction.DELETE, keep_versions=0, names=("gone",)))
    assert plan(world(turned=False), rows, claims) == plan(world(turned=True), rows[::-1], claims)


def test_a_repository_mapped_to_null_lately_keeps_the_very_files_that_it_built() -> None:
    """lp155 files look superseded by lp156 ones as soon as the config stops mapping their repository."""
    of_155, of_156 = rpm(version="1.2", release="lp155.1"), rpm(version="1.2", release="lp156.1")
    skipped = repository(
        name="Leap_15.5",
        filtered=True,
        skipped=True,
        index=None,
        problems=(problem(),),
        architectures=[architecture("x86_64", package("hello", of_155), package("empty"))],
    )
    rows = [row(of_155), row(of_156)]
    assert verdict(decide([repository(of_156)], rows), of_155) == ("delete", Reason.SUPERSEDED)
    assert verdict(decide([repository(of_156), skipped], rows), of_155) == ("held", Reason.BUILT_NOT_PUBLISHED)


def test_what_else_is_wrong_with_a_repository_mapped_to_null_holds_nothing() -> None:
    skipped = repository(
        name="Tumbleweed",
        filtered=True,
        skipped=True,
        index=None,
        problems=(problem(),),
        architectures=[
            architecture("x86_64", package("empty", code="failed"), package("src", NEW, code="failed"), code="building")
        ],
    )
    assert verdict(decide([repository(NEW), skipped], [row(OLD), row(NEW)]), OLD) == ("delete", Reason.SUPERSEDED)
    assert verdict(decide([repository(OTHER), skipped], [row(OLD)], MAY_VANISH), OLD) == ("delete", Reason.GONE)


def test_under_the_catch_all_no_name_is_gone_but_the_superseded_go() -> None:
    unnamed = repository(OTHER, name="any", catch_all=True)
    assert verdict(decide([unnamed], [row(OLD)], MAY_VANISH), OLD) == ("held", Reason.CATCH_ALL)
    assert verdict(
        decide([repository(OTHER), repository(name="b", index=None, catch_all=True)], [row(OLD)], MAY_VANISH), OLD
    ) == (
        "held",
        Reason.CATCH_ALL,
    )
    assert verdict(decide([repository(NEW, catch_all=True)], [row(OLD), row(NEW)]), OLD) == (
        "delete",
        Reason.SUPERSEDED,
    )


DOUBT = Problem(Reason.INDEX_CHANGED, "its size is that of no build", cure="Look at it.")


def test_a_doubted_file_is_neither_uploaded_nor_a_replacement_and_the_cure_is_told() -> None:
    source = repository(NEW, OTHER, doubts={NEW.filename: DOUBT})
    for there in ([], [row(NEW, sha256=sha("else"))]):
        decided = decide([source], there)
        assert [u.filename for u in decided.uploads] == [OTHER.filename]
        assert decided.replacements == ()
        (held,) = decided.held
        assert (held.filename, held.reason, held.message) == (
            NEW.filename,
            Reason.INDEX_CHANGED,
            "its size is that of no build. Look at it.",
        )
    assert decide([source], [row(NEW)]).held == ()


def test_a_later_source_does_not_get_the_name_of_a_file_that_the_first_one_cannot_show() -> None:
    """With `content: build` a file that is no package is not in the index of its repository."""
    first = repository(OTHER, name="first", content="build", doubts={NEW.filename: DOUBT})
    decided = decide([first, repository(NEW, name="second")], [])
    assert [u.filename for u in decided.uploads] == [OTHER.filename]
    assert [(h.filename, h.reason) for h in decided.held] == [(NEW.filename, Reason.EARLIER_SOURCE_UNREAD)]
