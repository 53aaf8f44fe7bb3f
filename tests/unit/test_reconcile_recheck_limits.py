"""Limits at apply: counted over what this run would take away, and freed by what OBS offers now, never by the plan."""

from collections import Counter
from collections.abc import Iterable
from typing import Any

import pytest
from msgspec.structs import replace

from pkgsync.model import Deletion, Limits, OrphanPolicy, Outcome, Plan, Policy, Repository, Row, SupersededBy
from pkgsync.reasons import Reason
from pkgsync.reconcile import recheck
from tests.support.values.builders import (
    DELETE,
    JAMMY,
    LEAP,
    NOW,
    actual,
    desired,
    plan,
    policy,
    problem,
    repository,
    row,
    rpm,
    sha,
)

NEW, FRESH = rpm(version="9.0"), rpm("fresh")
OLDS = [rpm(version=f"1.{number}") for number in range(25)]
ROWS = [*map(row, OLDS), row(NEW)]
OFFERED = repository(NEW, FRESH)
GENEROUS = policy(limits=Limits(deletions=100, deletions_percent=100))
TWENTY = policy(limits=Limits(deletions=20, deletions_percent=100))
PLAN = plan([OFFERED], ROWS, GENEROUS)


def said(
    made: Plan,
    rows: Iterable[Row] = ROWS,
    repositories: Iterable[Repository] = (OFFERED,),
    wanted: Policy = TWENTY,
    brought: Iterable[str] = (),
) -> Counter[tuple[str, Outcome, Reason | None]]:
    """How many actions of each kind stand how."""
    found = recheck(made, desired(*repositories), actual(*rows), wanted, (LEAP, JAMMY), NOW, None, frozenset(brought))
    return Counter((s.action.kind, s.outcome, s.reason) for s in found)


def upload(outcome: Outcome = Outcome.DUE, reason: Reason | None = None) -> tuple[str, Outcome, Reason | None]:
    return "upload", outcome, reason


def deletion(outcome: Outcome, reason: Reason | None = None) -> tuple[str, Outcome, Reason | None]:
    return "deletion", outcome, reason


OVER = deletion(Outcome.STALE, Reason.POLICY_CHANGED)
DUE = deletion(Outcome.DUE)


def pointing_at(filename: str, deletions: Iterable[Deletion] = PLAN.deletions) -> tuple[Deletion, ...]:
    """Edited to be superseded by this file."""
    return tuple(replace(d, evidence=replace(d.evidence, superseded_by=_named(d, filename))) for d in deletions)


def _named(deletion: Deletion, filename: str) -> SupersededBy:
    assert deletion.evidence.superseded_by is not None
    return replace(deletion.evidence.superseded_by, filename=filename)


def test_what_the_plan_calls_its_evidence_frees_nothing() -> None:
    assert said(PLAN) == {upload(): 1, OVER: 25}
    forged = replace(PLAN, deletions=pointing_at(FRESH.filename))
    assert said(forged) == {upload(): 1, OVER: 25}
    found = recheck(forged, desired(OFFERED), actual(*ROWS), TWENTY, (LEAP,), NOW)
    assert found[-1].message == "limits: opensuse/15.6: 25 deletions, 5 more than the limit of 20"


def test_evidence_that_was_edited_away_takes_nothing_away_either() -> None:
    rows = [*map(row, OLDS)]
    made = plan([OFFERED], rows, GENEROUS)
    assert said(made, rows) == {upload(): 2, DUE: 25}
    edited = replace(made, deletions=pointing_at("nothing.rpm", made.deletions))
    assert said(edited, rows) == {upload(): 2, DUE: 25}


@pytest.fixture
def exchange() -> tuple[Plan, list[Row], Repository]:
    """25 names, each with a new version to upload and an old one to delete, which the upload frees."""
    news = [rpm(f"name{number}", "2.0") for number in range(25)]
    rows = [row(rpm(f"name{number}", "1.0")) for number in range(25)]
    offered = repository(*news)
    made = plan([offered], rows, TWENTY)
    assert (len(made.uploads), len(made.deletions), made.applyable) == (25, 25, True)
    return made, rows, offered


def arrived(made: Plan, **changes: Any) -> list[Row]:
    there = "2026-03-01T00:00:00.000Z"
    return [replace(row(rpm(u.filename.partition("-")[0], "2.0")), created_at=there, **changes) for u in made.uploads]


def test_uploads_free_deletions_before_they_have_arrived_and_after(exchange: Any) -> None:
    made, rows, offered = exchange
    assert said(made, rows, [offered]) == {upload(): 25, DUE: 25}
    done = upload(Outcome.ALREADY_DONE)
    sent = [upload.key for upload in made.uploads]
    assert said(made, [*rows, *arrived(made)], [offered], brought=sent) == {done: 25, DUE: 25}


def test_an_upload_that_is_listed_but_was_always_there_frees_nothing(exchange: Any) -> None:
    """An edited plan: what no run of it has sent is no newer version that it brings."""
    made, rows, offered = exchange
    done = upload(Outcome.ALREADY_DONE)
    assert said(made, [*rows, *arrived(made)], [offered]) == {done: 25, OVER: 25}


def test_uploads_that_arrived_under_another_name_free_too(exchange: Any) -> None:
    made, rows, offered = exchange
    renamed = [replace(r, filename=f"epoch-{r.filename}") for r in arrived(made)]
    sent = [upload.key for upload in made.uploads]
    assert said(made, [*rows, *renamed], [offered], brought=sent)[DUE] == 25


def test_what_stands_there_with_other_content_frees_nothing(exchange: Any) -> None:
    made, rows, offered = exchange
    other = arrived(made, sha256=sha("other"))
    assert said(made, [*rows, *other], [offered])[DUE] == 0


def test_a_deletion_that_names_the_new_version_is_no_upload_of_it() -> None:
    """An edited plan: without an upload, but with the new version's key among the deletions, absent and so done."""
    rows = [row(OLDS[0]), row(rpm("more"))]
    offered = repository(NEW, rpm("more"))
    made = plan([offered], rows)
    assert (len(made.uploads), len(made.deletions)) == (1, 1)
    decoy = replace(made.deletions[0], filename=NEW.filename)
    edited = replace(made, uploads=(), deletions=(*made.deletions, decoy))
    assert said(edited, rows, [offered]) == {
        deletion(Outcome.LEFT, Reason.UNSETTLED): 1,
        deletion(Outcome.ALREADY_DONE): 1,
    }


def test_what_is_left_for_another_run_is_not_counted_in_this_one() -> None:
    unsettled = replace(OFFERED, problems=(problem(),))
    assert said(PLAN, repositories=[unsettled]) == {upload(): 1, deletion(Outcome.LEFT, Reason.UNSETTLED): 25}


def test_an_upload_that_obs_does_not_offer_keeps_no_distribution_from_vanishing() -> None:
    gone = policy(OrphanPolicy(action=DELETE.action, keep_versions=0, names=("*",)), exclude=("other*",))
    offered, rows = repository(rpm("other")), [row(OLDS[0])]
    made = plan([offered], rows, gone)
    assert [limit.limit for limit in made.exceeded] == ["vanish"]
    forged = replace(made, applyable=True, exceeded=(), uploads=(replace(PLAN.uploads[0], filename="bogus.rpm"),))
    assert said(forged, rows, [offered], gone) == {upload(Outcome.STALE, Reason.SOURCE_CHANGED): 1, OVER: 1}
    foreign = row(rpm("foreign"), type="python")
    assert said(forged, [*rows, foreign], [offered], gone)[OVER] == 1


def test_each_distribution_is_counted_for_itself() -> None:
    elsewhere = repository(NEW, name="jammy", distributions=(JAMMY,))
    rows = [*ROWS, row(NEW, JAMMY), *(row(old, JAMMY) for old in OLDS[:20])]
    made = plan([OFFERED, elsewhere], rows, GENEROUS, managed=(LEAP, JAMMY))
    assert said(made, rows, [OFFERED, elsewhere]) == {upload(): 1, OVER: 25, DUE: 20}
