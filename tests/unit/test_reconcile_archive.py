"""Archive instead of delete: orphans against what the archive holds, at plan and again at apply."""

from collections.abc import Callable, Iterable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from pkgsync.model import Archiving, Deletion, Limits, OrphanAction, OrphanPolicy, Outcome, Overrides, Plan, Policy, Row
from pkgsync.reasons import Reason
from pkgsync.reconcile import recheck
from tests.support.values.builders import (
    DELETE,
    LEAP,
    NOW,
    SETTING,
    actual,
    decide,
    desired,
    plan,
    policy,
    problem,
    repository,
    row,
    rpm,
    sha,
    verdict,
)
from tests.support.worlds.worlds import MANAGED, SETTINGS, a_world

OLD, NEW = rpm(version="1.0"), rpm(version="2.0")
ROWS = (row(OLD), row(NEW))
ARCHIVE = policy(replace(DELETE, action=OrphanAction.ARCHIVE, archive_to="me/archive"))
EQUAL, OTHER, UNKNOWN = row(OLD), row(OLD, sha256=sha("other")), row(OLD, sha256=None)
MOVING = plan([repository(NEW)], ROWS, ARCHIVE, archive=[])
DELETING = plan([repository(NEW)], ROWS, ARCHIVE, archive=[EQUAL])


# at plan


def test_what_the_archive_lacks_is_moved() -> None:
    (archiving,) = MOVING.archivings
    assert isinstance(archiving, Archiving)
    assert (archiving.archive_to, archiving.reason, archiving.sha256) == ("me/archive", Reason.SUPERSEDED, OLD.sha256)
    assert archiving.evidence.superseded_by is not None
    assert (MOVING.deletions, MOVING.held, MOVING.complete) == ((), (), True)


def test_what_the_archive_holds_is_deleted_with_that_row_as_its_backup() -> None:
    (deletion,) = DELETING.deletions
    assert isinstance(deletion, Deletion)
    assert (deletion.archived_in, deletion.reason, DELETING.archivings) == ("me/archive", Reason.SUPERSEDED, ())
    orphan = decide([repository(NEW)], ROWS, ARCHIVE, archive=[EQUAL]).orphans[0]
    assert orphan.message.endswith("; me/archive holds the same file")


@pytest.mark.parametrize(
    ("archive", "reason"),
    [([OTHER], Reason.ARCHIVE_CLASH), ([UNKNOWN], Reason.CONTENT_UNKNOWN), (None, Reason.UNREAD)],
)
def test_a_doubt_about_the_archive_holds_it(archive: list[Row] | None, reason: Reason) -> None:
    result = decide([repository(NEW)], ROWS, ARCHIVE, archive=archive)
    assert verdict(result, OLD) == ("held", reason)
    assert [(held.action, held.reason) for held in result.held] == [("archiving", reason)]
    assert "me/archive" in result.held[0].message
    assert (result.deletions, result.archivings) == ((), ())


@pytest.mark.parametrize("elsewhere", ["el/9", "ubuntu/jammy"])
def test_another_distribution_of_the_archive_does_not_matter(elsewhere: str) -> None:
    result = decide([repository(NEW)], ROWS, ARCHIVE, archive=[replace(OTHER, distribution=elsewhere)])
    assert verdict(result, OLD) == ("archive", Reason.SUPERSEDED)


def test_what_is_kept_anyway_is_not_compared() -> None:
    kept = replace(ARCHIVE, orphans=replace(ARCHIVE.orphans, protect=("hello-1*",)))
    assert verdict(decide([repository(NEW)], ROWS, kept, archive=[OTHER]), OLD) == ("keep", Reason.PROTECTED)


def test_content_unknown_here_is_never_equal_to_content_unknown_there() -> None:
    rows = [row(OLD, sha256=None), row(NEW)]
    assert verdict(decide([repository(NEW)], rows, ARCHIVE, archive=[UNKNOWN]), OLD) == ("held", Reason.CONTENT_UNKNOWN)


def test_an_unread_archive_makes_the_plan_incomplete_only_where_it_is_needed() -> None:
    assert not plan([repository(NEW)], ROWS, ARCHIVE).complete
    assert plan([repository(NEW)], ROWS).complete


def test_unsettled_repositories_hold_what_the_archive_would_take() -> None:
    result = decide([repository(NEW, problems=(problem(),))], ROWS, ARCHIVE, archive=[])
    assert verdict(result, OLD) == ("held", Reason.DIRTY)


@pytest.mark.parametrize("archived", [[], [0], [0, 1, 2]])
def test_limits_count_whatever_way_they_go(archived: list[int]) -> None:
    olds = [rpm(version=f"1.{number}") for number in range(3)]
    rows = [*map(row, olds), row(NEW)]
    there = [row(olds[number]) for number in archived]
    made = plan(
        [repository(NEW)], rows, replace(ARCHIVE, limits=Limits(deletions=2, deletions_percent=100)), archive=there
    )
    assert (len(made.deletions), len(made.archivings)) == (len(archived), 3 - len(archived))
    assert [limit.found for limit in made.exceeded] == [3]
    assert not made.applyable


# at apply


def checked(
    made: Plan,
    archive: Iterable[Row] | None,
    rows: Iterable[Row] = ROWS,
    wanted: Policy = ARCHIVE,
    **repository_changes: Any,
) -> tuple[Outcome, Reason | None]:
    world = desired(repository(NEW, **repository_changes))
    (check,) = recheck(made, world, actual(*rows, archive=archive), wanted, (LEAP,), NOW)
    return check.outcome, check.reason


DUE, DONE = (Outcome.DUE, None), (Outcome.ALREADY_DONE, None)


@pytest.mark.parametrize(
    ("archive", "expected"),
    [
        ([], DUE),
        ([EQUAL], (Outcome.STALE, Reason.ALREADY_ARCHIVED)),
        ([OTHER], (Outcome.STALE, Reason.ARCHIVE_CLASH)),
        ([UNKNOWN], (Outcome.LEFT, Reason.CONTENT_UNKNOWN)),
        (None, (Outcome.LEFT, Reason.UNREAD)),
    ],
)
def test_an_archiving_and_the_archive_of_now(archive: list[Row] | None, expected: Any) -> None:
    assert checked(MOVING, archive) == expected


@pytest.mark.parametrize(
    ("archive", "expected"),
    [
        ([EQUAL], DUE),
        ([], (Outcome.STALE, Reason.TARGET_CHANGED)),
        ([OTHER], (Outcome.STALE, Reason.ARCHIVE_CLASH)),
        ([UNKNOWN], (Outcome.LEFT, Reason.CONTENT_UNKNOWN)),
        (None, (Outcome.LEFT, Reason.UNREAD)),
    ],
)
def test_a_deletion_and_the_archive_row_that_is_its_backup(archive: list[Row] | None, expected: Any) -> None:
    assert checked(DELETING, archive) == expected


@pytest.mark.parametrize(
    ("archive", "expected"),
    [
        ([EQUAL], DONE),
        ([], (Outcome.STALE, Reason.NEITHER_PLACE)),
        ([OTHER], (Outcome.STALE, Reason.NEITHER_PLACE)),
        ([UNKNOWN], (Outcome.LEFT, Reason.CONTENT_UNKNOWN)),
        (None, (Outcome.LEFT, Reason.UNREAD)),
    ],
)
def test_absence_here_is_the_goal_only_with_presence_there(archive: list[Row] | None, expected: Any) -> None:
    assert checked(MOVING, archive, rows=[row(NEW)]) == expected


def test_a_deletion_is_done_when_it_is_absent_here() -> None:
    assert checked(DELETING, [EQUAL], rows=[row(NEW)]) == DONE


def archive_of(**changes: Any) -> Policy:
    return replace(ARCHIVE, orphans=replace(ARCHIVE.orphans, **changes))


@pytest.mark.parametrize(
    "wanted",
    [policy(DELETE), policy(OrphanPolicy()), archive_of(archive_to="me/other"), archive_of(protect=("hello-*",))],
)
@pytest.mark.parametrize(("made", "archive"), [(MOVING, []), (DELETING, [EQUAL])])
def test_the_config_of_now_must_still_archive_to_the_same_place(made: Plan, archive: list[Row], wanted: Policy) -> None:
    assert checked(made, archive, wanted=wanted) == (Outcome.STALE, Reason.POLICY_CHANGED)


@pytest.mark.parametrize("archive", [None, [], [EQUAL]])
def test_a_plain_deletion_is_stale_once_the_config_archives(archive: list[Row] | None) -> None:
    made = plan([repository(NEW)], ROWS)
    assert checked(made, archive) == (Outcome.STALE, Reason.POLICY_CHANGED)


def test_what_the_command_line_set_still_holds() -> None:
    setting = replace(SETTING, overrides=Overrides(orphans=OrphanAction.ARCHIVE))
    made = plan([repository(NEW)], ROWS, ARCHIVE, setting=setting, archive=[])
    today = policy(OrphanPolicy(archive_to="me/archive", keep_versions=1))
    assert checked(made, [], wanted=today) == DUE


@pytest.mark.parametrize(("made", "archive"), [(MOVING, []), (DELETING, [EQUAL])])
def test_obs_decides_first(made: Plan, archive: list[Row]) -> None:
    unsettled = checked(made, archive, problems=(problem(),))
    assert unsettled == (Outcome.LEFT, Reason.UNSETTLED)
    (check,) = recheck(made, desired(repository(NEW, OLD)), actual(*ROWS, archive=archive), ARCHIVE, (LEAP,), NOW)
    assert (check.outcome, check.reason) == (Outcome.STALE, Reason.WANTED_AGAIN)


def test_limits_are_counted_again() -> None:
    strict = replace(ARCHIVE, limits=Limits(deletions=0, deletions_percent=100))
    assert checked(MOVING, [], wanted=strict) == (Outcome.STALE, Reason.POLICY_CHANGED)


@SETTINGS
@given(st.integers(0, 2**40), st.sampled_from(["lacks", "equal", "other", "unknown"]))
def test_the_archive_never_lets_more_go_than_a_deletion_would(seed: int, state: str) -> None:
    world = a_world(seed)
    sums: dict[str, Callable[[Row], str | None]] = {
        "equal": lambda r: r.sha256,
        "other": lambda r: sha("elsewhere"),
        "unknown": lambda r: None,
    }
    there = [replace(r, sha256=sums[state](r)) for r in world.rows] if state != "lacks" else []
    orphans = replace(world.policy.orphans, action=OrphanAction.DELETE)
    deleting = plan(world.repositories, world.rows, replace(world.policy, orphans=orphans), managed=MANAGED)
    wanted = replace(world.policy, orphans=replace(orphans, action=OrphanAction.ARCHIVE, archive_to="me/archive"))
    archiving = plan(world.repositories, world.rows, wanted, managed=MANAGED, archive=there)
    blind = plan(world.repositories, world.rows, wanted, managed=MANAGED, archive=None)
    due = {d.key for d in deleting.deletions}
    assert {a.key for a in archiving.archivings} == (due if state == "lacks" else set())
    assert {d.key for d in archiving.deletions} == (due if state == "equal" else set())
    assert {d.archived_in for d in archiving.deletions} <= {"me/archive"}
    assert (blind.deletions, blind.archivings) == ((), ())
