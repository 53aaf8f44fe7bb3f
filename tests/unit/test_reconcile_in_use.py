"""``limits.in_use_days``: what was downloaded lately is held, and so is what is not known."""

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from pkgsync.model import Limits, OrphanAction, Outcome, Policy
from pkgsync.reasons import Reason
from pkgsync.reconcile import recheck, reconcile, unasked
from pkgsync.reconcile.decisions import DistributionDecisions
from tests.support.values.builders import (
    DELETE,
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
    verdict,
)

OLD, NEW = rpm(version="1.0"), rpm(version="2.0")
KEY = f"{LEAP}/{OLD.filename}"
ROWS = (row(OLD), row(NEW))
WANTED = policy(limits=Limits(in_use_days=30))


def decided(
    counts: Mapping[str, int | None], wanted: Policy = WANTED, **repository_fields: object
) -> DistributionDecisions:
    here = desired(repository(NEW, **repository_fields))  # type: ignore[arg-type]
    there = replace(actual(*ROWS, archive=()), downloads=counts)
    return reconcile(here, there, wanted, (LEAP,), NOW).distributions[0]


def told(counts: Mapping[str, int | None], days: int = 30) -> str:
    return decided(counts, policy(limits=Limits(in_use_days=days))).orphans[0].message


def test_what_was_not_downloaded_is_deleted() -> None:
    result = decided({KEY: 0})
    assert [d.key for d in result.deletions] == [KEY]
    assert result.held == ()


@pytest.mark.parametrize("counts", [{KEY: 1}, {KEY: 10**9}, {KEY: None}, {}, {f"ubuntu/jammy/{OLD.filename}": 0}])
def test_what_was_downloaded_or_is_not_known_is_held(counts: Mapping[str, int | None]) -> None:
    result = decided(counts)
    assert verdict(result, OLD) == ("held", Reason.IN_USE)
    assert result.deletions == ()
    assert [(h.key, h.reason) for h in result.held] == [(KEY, Reason.IN_USE)]


def test_the_words() -> None:
    assert told({KEY: 1}) == "downloaded once in the last 30 days"
    assert told({KEY: 12}, days=1) == "downloaded 12 times in the last day"
    assert told({KEY: None}) == "Packagecloud does not tell its downloads of the last 30 days"
    assert told({}) == "its downloads of the last 30 days were not asked for"


def test_without_the_limit_no_count_matters() -> None:
    assert verdict(decided({KEY: 7}, policy()), OLD) == ("delete", Reason.SUPERSEDED)


def test_archiving_is_held_too() -> None:
    archive = replace(DELETE, action=OrphanAction.ARCHIVE, archive_to="me/old")
    wanted = policy(archive, limits=Limits(in_use_days=30))
    assert decided({KEY: 3}, wanted).archivings == ()
    assert [a.key for a in decided({KEY: 0}, wanted).archivings] == [KEY]


def test_only_what_passes_every_other_check_is_asked_for() -> None:
    world = desired(repository(NEW, rpm("other", "2.0")))
    rows = (
        *ROWS,
        row(rpm("other")),
        row(rpm("other", "2.0")),
        row(rpm("other", "0.9"), sha256=None),
        row(rpm("alien")),
    )
    wanted = replace(WANTED, orphans=replace(DELETE, protect=("other-1.0*",)))
    assert [r.key for r in unasked(reconcile(world, actual(*rows), wanted, (LEAP,), NOW))] == [KEY]


def test_nothing_is_asked_for_what_is_held_or_kept_anyway() -> None:
    dirty = desired(repository(NEW, problems=(problem(),)))
    assert list(unasked(reconcile(dirty, actual(*ROWS), WANTED, (LEAP,), NOW))) == []
    keep = replace(WANTED, orphans=replace(DELETE, action=OrphanAction.KEEP))
    assert list(unasked(reconcile(desired(repository(NEW)), actual(*ROWS), keep, (LEAP,), NOW))) == []


@given(st.dictionaries(st.sampled_from([KEY, f"{LEAP}/{NEW.filename}"]), st.none() | st.integers(0, 3)))
def test_a_count_never_adds_a_deletion(counts: dict[str, int | None]) -> None:
    allowed = {d.key for d in decided({}, policy()).deletions}
    found = {d.key for d in decided(counts).deletions}
    assert found == {key for key in allowed if counts.get(key) == 0}


@pytest.mark.parametrize(
    ("counts", "expected"),
    [
        ({KEY: 0}, (Outcome.DUE, None, "")),
        ({KEY: 2}, (Outcome.LEFT, Reason.IN_USE, "downloaded 2 times in the last 30 days")),
        (
            {KEY: None},
            (Outcome.LEFT, Reason.IN_USE, "Packagecloud does not tell its downloads of the last 30 days"),
        ),
        ({}, (Outcome.LEFT, Reason.IN_USE, "its downloads of the last 30 days were not asked for")),
    ],
)
def test_apply_looks_again(counts: Mapping[str, int | None], expected: tuple[Outcome, Reason | None, str]) -> None:
    made = plan([repository(NEW)], ROWS)
    there = replace(actual(*ROWS, archive=()), downloads=counts)
    check = recheck(made, desired(repository(NEW)), there, WANTED, (LEAP,), NOW)[0]
    assert (check.outcome, check.reason, check.message) == expected


def test_an_unsettled_repository_speaks_first() -> None:
    result = decided({KEY: 5}, architectures=[architecture("x86_64", package("src", NEW), problems=(problem(),))])
    assert verdict(result, OLD) == ("held", Reason.DIRTY)
