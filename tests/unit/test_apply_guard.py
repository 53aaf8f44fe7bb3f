"""The guard: what counts as somebody else's change."""

from typing import Any

import pytest
from msgspec.structs import replace

from pkgsync.apply.guard import Guard, distribution_of
from pkgsync.apply.outcome import blank
from pkgsync.model import Deletion, Evidence, OldContent, Outcome, ReceiptLine, Replacement, Row, Source, Upload
from pkgsync.reasons import Reason
from tests.support.values import builders
from tests.support.values.builders import JAMMY, LEAP, actual, row, rpm, sha

HERE = rpm("here")
NEW = rpm("new")
SOURCE = Source(kind="obs", project="home:me", repository="leap", path="x")
UPLOAD = Upload(
    distribution=LEAP, filename=NEW.filename, size=NEW.size, sha256=NEW.sha256, reason=Reason.MISSING, source=SOURCE
)
DELETION = Deletion(
    distribution=LEAP,
    filename=HERE.filename,
    sha256=HERE.sha256,
    created_at=builders.LONG_AGO,
    uploader=None,
    reason=Reason.GONE,
    evidence=Evidence(kind="gone"),
)
OLD = OldContent(HERE.sha256, builders.LONG_AGO)
REPLACEMENT = Replacement(
    distribution=LEAP,
    filename=HERE.filename,
    size=1,
    sha256=sha("other"),
    reason=Reason.REBUILT,
    source=SOURCE,
    old=OLD,
)


def guard(*rows: Row) -> Guard:
    return Guard.of(actual(*rows), {LEAP})


def ended(action: Upload | Deletion | Replacement, outcome: Outcome, **more: Any) -> ReceiptLine:
    return replace(blank(action), outcome=outcome, **more)


def test_an_unchanged_world() -> None:
    assert guard(row(HERE)).foreign(actual(row(HERE))) == ()


@pytest.mark.parametrize(
    "now",
    [
        (),
        (row(HERE), row(NEW)),
        (row(HERE, sha256=sha("other")),),
        (row(HERE, created_at="2026-02-02T00:00:00.000Z"),),
    ],
)
def test_a_row_added_removed_or_changed_by_others(now: tuple[Row, ...]) -> None:
    assert len(guard(row(HERE)).foreign(actual(*now))) == 1


@pytest.mark.parametrize("other", [row(NEW, JAMMY), row(NEW, type="dsc")])
def test_what_is_not_managed_does_not_matter(other: Row) -> None:
    assert guard(row(HERE)).foreign(actual(row(HERE), other)) == ()


def test_a_checksum_that_became_known_is_no_change_nor_one_that_is_told_no_more() -> None:
    assert guard(row(HERE, sha256=None)).foreign(actual(row(HERE))) == ()
    assert guard(row(HERE)).foreign(actual(row(HERE, sha256=None))) == ()


def test_all_that_others_changed_is_told_in_order() -> None:
    rows = [row(rpm(name)) for name in "dacb"]
    assert [key[len(LEAP) + 1] for key in guard(*rows[:2]).foreign(actual(*rows[2:]))] == ["a", "b", "c", "d"]


@pytest.mark.parametrize("outcome", [Outcome.DONE, Outcome.ALREADY_DONE])
def test_own_changes(outcome: Outcome) -> None:
    watch = guard(row(HERE))
    watch.note(UPLOAD, ended(UPLOAD, outcome))
    watch.note(DELETION, ended(DELETION, outcome))
    assert watch.foreign(actual(row(NEW))) == ()
    assert watch.foreign(actual(row(NEW, sha256=None))) == ()
    assert watch.foreign(actual(row(HERE), row(NEW))) == (DELETION.key,)
    assert watch.foreign(actual(row(NEW, sha256=sha("other")))) == (UPLOAD.key,)


@pytest.mark.parametrize("there", [(), (row(HERE),), (row(HERE, sha256=sha("other")),)])
def test_after_a_failed_replacement_all_its_stages_are_our_own(there: tuple[Row, ...]) -> None:
    watch = guard(row(HERE))
    watch.note(REPLACEMENT, ended(REPLACEMENT, Outcome.FAILED))
    assert watch.foreign(actual(*there)) == ()
    assert watch.foreign(actual(row(HERE, sha256=sha("third")))) == (REPLACEMENT.key,)


def test_a_run_that_starts_in_the_gap_of_a_replacement_may_put_the_old_file_back() -> None:
    watch = guard()
    watch.note(REPLACEMENT, ended(REPLACEMENT, Outcome.FAILED))
    assert watch.foreign(actual(row(HERE))) == ()


@pytest.mark.parametrize("there", [(), (row(HERE),)])
def test_after_a_failed_deletion_it_may_stand_or_be_gone(there: tuple[Row, ...]) -> None:
    watch = guard(row(HERE))
    watch.note(DELETION, ended(DELETION, Outcome.FAILED))
    assert watch.foreign(actual(*there)) == ()
    assert watch.foreign(actual(row(HERE, sha256=sha("third")))) == (DELETION.key,)


def test_after_a_failed_upload_it_may_have_arrived() -> None:
    watch = guard()
    watch.note(UPLOAD, ended(UPLOAD, Outcome.FAILED))
    assert watch.foreign(actual()) == watch.foreign(actual(row(NEW))) == ()
    assert watch.foreign(actual(row(NEW, sha256=sha("third")))) == (UPLOAD.key,)


def test_a_file_that_the_server_named_otherwise() -> None:
    watch = guard(row(HERE))
    watch.note(UPLOAD, ended(UPLOAD, Outcome.DONE, stored_as="renamed.rpm"))
    assert watch.foreign(actual(row(HERE), row(NEW, filename="renamed.rpm"))) == ()
    assert watch.foreign(actual(row(HERE), row(NEW))) == (f"{LEAP}/{NEW.filename}", f"{LEAP}/renamed.rpm")


def test_the_distribution_of_a_key() -> None:
    assert distribution_of("ubuntu/jammy/a_1_all.deb") == "ubuntu/jammy"
