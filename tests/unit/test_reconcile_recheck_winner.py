"""Uploads and replacements at apply: a fresh plan's winner of the name, with the planned bytes, or nothing is done."""

from collections.abc import Iterable
from typing import Any

import pytest
from msgspec.structs import replace

from pkgsync.model import Outcome, Plan, Policy, Repository, Row
from pkgsync.reasons import Reason
from pkgsync.reconcile import Standing, recheck
from tests.support.values.builders import (
    LEAP,
    NOW,
    actual,
    architecture,
    desired,
    package,
    plan,
    policy,
    problem,
    repository,
    row,
    rpm,
    sha,
)

FRESH, AGAIN = rpm("fresh", content="planned"), rpm("again", content="planned again")
OTHER_FRESH, OTHER_AGAIN = rpm("fresh", content="other"), rpm("again", content="other again")
HERE = row(AGAIN, sha256=sha("before"))
PLANNED = repository(FRESH, AGAIN)
PLAN = plan([PLANNED], [HERE])
DUE = (Outcome.DUE, None)
LEFT = (Outcome.LEFT, Reason.UNSETTLED)
SOURCE_CHANGED = (Outcome.STALE, Reason.SOURCE_CHANGED)
POLICY_CHANGED = (Outcome.STALE, Reason.POLICY_CHANGED)
UNREAD: dict[str, Any] = {"index": None, "problems": (problem(Reason.UNREAD),)}


def standings(
    repositories: Iterable[Repository], rows: Iterable[Row] = (HERE,), wanted: Policy | None = None, made: Plan = PLAN
) -> dict[str, Standing]:
    """Package name -> where its action stands."""
    found = recheck(made, desired(*repositories), actual(*rows), wanted or policy(), (LEAP,), NOW)
    return {s.action.filename.partition("-")[0]: s for s in found}


def checked(repositories: Iterable[Repository], **more: Any) -> tuple[Any, Any]:
    """What is said about the upload and the replacement."""
    found = standings(repositories, **more)
    fresh, again = ((found[name].outcome, found[name].reason) for name in ("fresh", "again"))
    return fresh, again


def test_the_plan_has_one_upload_and_one_replacement() -> None:
    assert ([u.sha256 for u in PLAN.uploads], [r.sha256 for r in PLAN.replacements]) == (
        [sha("planned")],
        [sha("planned again")],
    )
    assert checked([PLANNED]) == (DUE, DUE)


# other content from a source that comes first


def test_an_earlier_source_that_offers_other_content_by_now_wins() -> None:
    first = repository(OTHER_FRESH, OTHER_AGAIN, name="first")
    assert checked([first, PLANNED]) == (SOURCE_CHANGED, SOURCE_CHANGED)
    said = standings([first, PLANNED])["again"].message
    assert said == "the name goes to home:me/first/x86_64/again-1.0-1.x86_64.rpm now, with other content"


def test_an_earlier_source_that_offers_what_stands_there_wins_too() -> None:
    first = repository(rpm("again", content="before"), name="first")
    assert checked([first, PLANNED]) == (DUE, SOURCE_CHANGED)


def test_an_earlier_source_of_equal_content_changes_nothing() -> None:
    assert checked([repository(FRESH, AGAIN, name="first"), PLANNED]) == (DUE, DUE)


def test_a_later_source_never_wins() -> None:
    assert checked([PLANNED, repository(OTHER_FRESH, OTHER_AGAIN, name="last")]) == (DUE, DUE)


def test_within_a_repository_the_first_path_wins_by_now() -> None:
    before = [replace(file, path=f"a/{file.filename}") for file in (OTHER_FRESH, OTHER_AGAIN)]
    assert checked([repository(FRESH, AGAIN, *before)]) == (SOURCE_CHANGED, SOURCE_CHANGED)


def test_an_earlier_source_whose_own_filter_leaves_the_file_out_does_not_win() -> None:
    first = repository(OTHER_FRESH, OTHER_AGAIN, name="first", filter_architectures=("aarch64",))
    assert checked([first, PLANNED]) == (DUE, DUE)


def test_a_source_that_the_config_filters_by_now_loses_to_one_that_it_does_not() -> None:
    planned = replace(PLANNED, filter_architectures=("aarch64",))
    assert checked([planned, repository(OTHER_FRESH, OTHER_AGAIN, name="last")]) == (SOURCE_CHANGED, SOURCE_CHANGED)
    said = standings([planned, repository(OTHER_FRESH, name="last")])["fresh"].message
    assert said == "the name goes to home:me/last/x86_64/fresh-1.0-1.x86_64.rpm now, with other content"


def test_the_planned_place_must_still_offer_it_whoever_else_does() -> None:
    assert checked([repository(rpm("more")), repository(FRESH, AGAIN, name="last")]) == (SOURCE_CHANGED, SOURCE_CHANGED)


# a source that comes first and could not be read


@pytest.mark.parametrize("listed", [True, False])
def test_while_an_earlier_source_is_unread_nobody_knows_who_wins(listed: bool) -> None:
    built = [architecture("x86_64", package("src", FRESH, AGAIN))] if listed else []
    assert checked([repository(name="first", architectures=built, **UNREAD), PLANNED]) == (LEFT, LEFT)


def test_an_unread_earlier_source_that_does_not_build_the_file_holds_no_upload() -> None:
    first = repository(name="first", architectures=[architecture("x86_64", package("src", rpm("more")))], **UNREAD)
    assert checked([first, PLANNED]) == (DUE, LEFT)


@pytest.mark.parametrize("reason", [Reason.REPOSITORY_ABSENT, Reason.PROJECT_ABSENT])
def test_an_earlier_source_that_is_not_there_offers_nothing(reason: Reason) -> None:
    first = repository(name="first", index=None, problems=(problem(reason),), architectures=[])
    assert checked([first, PLANNED]) == (DUE, LEFT)


def test_a_later_source_that_is_unread_holds_the_replacement_only() -> None:
    assert checked([PLANNED, repository(name="last", architectures=[], **UNREAD)]) == (DUE, LEFT)


def test_what_became_of_the_planned_file_is_said() -> None:
    def said(*today: Repository) -> str:
        return standings(today)["fresh"].message

    path = "x86_64/fresh-1.0-1.x86_64.rpm"
    assert said(repository(OTHER_FRESH, AGAIN)) == f"home:me/leap publishes other content under {path}"
    moved = replace(FRESH, path="noarch/fresh.rpm")
    assert said(repository(moved, AGAIN)) == "the name goes to home:me/leap/noarch/fresh.rpm now"
    gone = "home:me/leap no longer publishes fresh-1.0-1.x86_64.rpm"
    assert said(repository(AGAIN)) == gone


# the filters of today


def test_a_reviewed_upload_need_not_pass_the_filters_of_today() -> None:
    assert checked([PLANNED], wanted=policy(exclude=("*",)))[0] == DUE


@pytest.mark.parametrize("excluded", ["again*", "*"])
def test_a_row_that_the_filters_of_today_leave_alone_is_not_replaced(excluded: str) -> None:
    wanted = policy(exclude=(excluded,))
    assert checked([PLANNED], wanted=wanted)[1] == POLICY_CHANGED
    assert standings([PLANNED], wanted=wanted)["again"].message == "the config's filters leave it alone now"


@pytest.mark.parametrize("world", [PLANNED, replace(PLANNED, problems=(problem(),))])
def test_where_the_config_holds_rebuilds_now_nothing_waits_for_obs(world: Repository) -> None:
    wanted = policy(rebuilds="hold")
    assert checked([world], wanted=wanted) == (DUE, POLICY_CHANGED)
    assert standings([world], wanted=wanted)["again"].message == "the config holds rebuilds now"


def test_a_row_that_is_another_file_of_obs_by_now_is_not_replaced() -> None:
    hidden = rpm("hidden", content="before")
    found = standings([repository(FRESH, AGAIN, hidden)], wanted=policy(exclude=("hidden*",)))["again"]
    assert (found.outcome, found.reason) == (Outcome.STALE, Reason.SAME_IDENTITY)
    assert found.message.startswith("OBS publishes what stands there as hidden-1.0-1.x86_64.rpm")


def test_where_nothing_stands_any_more_a_replacement_is_an_upload() -> None:
    assert checked([PLANNED], rows=[], wanted=policy(exclude=("*",))) == (DUE, DUE)


def test_filters_do_not_hide_an_earlier_source() -> None:
    wanted = policy(exclude=("*",))
    first = repository(OTHER_FRESH, OTHER_AGAIN, name="first")
    assert checked([first, PLANNED], rows=[], wanted=wanted) == (SOURCE_CHANGED, SOURCE_CHANGED)
    unread = repository(name="first", architectures=[], **UNREAD)
    assert checked([unread, PLANNED], rows=[], wanted=wanted) == (LEFT, LEFT)


# what today's config maps


@pytest.mark.parametrize(
    "today",
    [
        [repository(FRESH, AGAIN, name="elsewhere")],
        [repository(FRESH, AGAIN, project="home:other")],
        [repository(FRESH, AGAIN, distributions=("el/9",)), repository(FRESH, AGAIN, name="elsewhere")],
        [replace(PLANNED, index=None, filtered=True, skipped=True), repository(FRESH, AGAIN, name="elsewhere")],
        [replace(PLANNED, index=None, filtered=True), repository(FRESH, AGAIN, name="elsewhere")],
        [replace(PLANNED, filtered=True), repository(FRESH, AGAIN, name="elsewhere")],
    ],
    ids=["no longer mapped", "another project", "mapped elsewhere", "mapped to null", "filtered", "filtered but read"],
)
def test_what_the_config_does_not_map_is_stale_even_if_others_offer_the_same(today: list[Repository]) -> None:
    assert checked(today) == (POLICY_CHANGED, POLICY_CHANGED)


def test_it_says_whether_the_mapping_or_a_filter_is_in_the_way() -> None:
    skipped = replace(PLANNED, index=None, filtered=True, skipped=True)
    assert standings([skipped])["fresh"].message == "the config no longer maps home:me/leap to opensuse/15.6"
    filtered = replace(PLANNED, index=None, filtered=True)
    assert standings([filtered])["fresh"].message == "the config's filters leave home:me/leap out now"


# names of the server's own

MINE = replace(rpm("mine", content="planned"), filename="mine.rpm", path="x86_64/mine.rpm")
STORED = row(rpm("mine"), sha256=sha("before"))
RENAMED = plan([repository(MINE)], [STORED])
ABSENT = plan([repository(MINE)])


def of_mine(made: Plan, *rows: Row) -> tuple[Any, Any]:
    found = standings([repository(MINE)], rows, made=made)["mine" if made is RENAMED else "mine.rpm"]
    return found.outcome, found.reason


def test_a_row_that_the_server_named_is_replaced_under_its_own_name() -> None:
    assert [r.filename for r in RENAMED.replacements] == ["mine-1.0-1.x86_64.rpm"]
    assert of_mine(RENAMED, STORED) == DUE
    assert of_mine(RENAMED, row(rpm("mine"), sha256=sha("planned")))[0] is Outcome.ALREADY_DONE


def test_such_a_replacement_goes_on_after_its_own_deletion() -> None:
    assert of_mine(RENAMED) == DUE
    odd = replace(STORED, filename="stored-as-this.rpm")
    made = plan([repository(MINE)], [odd])
    assert [r.filename for r in made.replacements] == ["stored-as-this.rpm"]
    assert of_mine_odd(made) == DUE


def of_mine_odd(made: Plan) -> tuple[Any, Any]:
    found = standings([repository(MINE)], (), made=made)["stored"]
    return found.outcome, found.reason


def test_an_upload_whose_place_was_taken_since_is_stale() -> None:
    assert of_mine(ABSENT) == DUE
    assert of_mine(ABSENT, STORED) == (Outcome.STALE, Reason.TARGET_CHANGED)
    assert of_mine(ABSENT, row(rpm("mine"), sha256=sha("planned"))) == DUE  # preflight finds it done
