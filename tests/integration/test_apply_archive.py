"""Archivings: what is moved must be absent here and present there, whatever the server answers or loses."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pkgsync.cache import Cache
from pkgsync.errors import ConfigError
from pkgsync.model import Receipt
from pkgsync.sandbox import ARCHIVE, REPOSITORY, Fault, Kind, json_error
from tests.support.worlds.apply_world import ARCHIVING, LEAP, POLICY, World, open_world, outcomes, rpm, sha

NEW, OLD, OTHER = rpm(version="2.0"), rpm(version="1.0"), rpm(version="1.0", salt="other")
KEY = f"{LEAP}/{OLD.filename}"
HERE, MOVED = {f"{LEAP}/{NEW.filename}": sha(NEW)}, {KEY: sha(OLD)}
PROMOTE = r"promote\.json$"


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with open_world(tmp_path) as world:
        world.policy = ARCHIVING
        world.publish(NEW)
        world.put(NEW)
        world.put(OLD)
        yield world


def fault(world: World, kind: Kind, **more: Any) -> Fault:
    return world.sandbox.packagecloud.faults.add(Fault(kind=kind, path=PROMOTE, method="POST", **more))


def promotes(world: World) -> int:
    return world.count("POST", PROMOTE)


def assert_moved(world: World, receipt: Receipt, outcome: str = "done") -> None:
    assert (outcomes(receipt), receipt.exit_code, receipt.complete) == ({OLD.filename: outcome}, 0, True)
    assert (world.content, world.content_of(ARCHIVE)) == (HERE, MOVED)


def assert_untouched(world: World) -> None:
    assert (world.content, world.content_of(ARCHIVE)) == (HERE | MOVED, {})


def backups(world: World) -> Cache:
    return Cache(world.folder / "backups")


def unreadable_archive(world: World) -> None:
    broken = Fault(kind=Kind.STATUS, path=rf"{ARCHIVE}/packages\.json", status=500, times=None)
    world.sandbox.packagecloud.faults.add(broken)


def losing_server(world: World) -> None:
    """The server moves the file, does not say so, and loses it."""
    moving = fault(world, Kind.REPLY_LOST)

    def lose() -> None:
        if moving.hits:
            world.sandbox.packagecloud.repositories[ARCHIVE].clear()

    world.sandbox.packagecloud.faults.add(Fault(kind=Kind.NOTHING, path="search.json", times=None, hook=lose))


# the way it should go


def test_the_row_is_moved_after_its_bytes_were_kept(world: World) -> None:
    plan = world.plan()
    receipt = world.apply(plan)
    assert_moved(world, receipt)
    (line,) = receipt.lines
    assert (line.action, line.archive_to, line.undo, line.verified) == ("archiving", ARCHIVE, "archive", "listing")
    assert (line.size, line.attempts) == (OLD.blob.size, 1)
    assert backups(world).path(sha(OLD)) is not None
    order = [(entry.service, entry.method) for entry in world.sandbox.log.entries]
    assert order.index(("cdn", "GET")) < order.index(("packagecloud", "POST"))
    assert (promotes(world), world.count("DELETE")) == (1, 0)


def test_the_next_plan_is_empty_and_the_same_plan_is_a_no_op(world: World) -> None:
    plan = world.plan()
    world.apply(plan)
    assert world.plan().actions == ()
    again = world.apply(plan)
    assert_moved(world, again)
    assert promotes(world) == 1


def test_a_machine_without_a_journal_finds_it_done(world: World) -> None:
    plan = world.plan()
    world.apply(plan)
    world.folder = world.folder / "elsewhere"
    world.folder.mkdir()
    assert_moved(world, world.apply(plan), "already-done")


@pytest.mark.parametrize("delay", [1, 3, 8])
def test_a_checksum_that_the_archive_tells_late_is_waited_for(world: World, delay: int) -> None:
    plan = world.plan()
    row = world.sandbox.packagecloud.find(REPOSITORY, LEAP, OLD.filename)
    assert row is not None

    def forget() -> None:
        world.sandbox.packagecloud.sha_delay = row.shown + delay

    fault(world, Kind.NOTHING, hook=forget)
    assert_moved(world, world.apply(plan))


def test_a_listing_that_lags_there_is_waited_for(world: World) -> None:
    plan = world.plan()
    row = world.sandbox.packagecloud.find(REPOSITORY, LEAP, OLD.filename)
    assert row is not None

    def hide() -> None:
        world.sandbox.packagecloud.hidden[row] = 4

    fault(world, Kind.NOTHING, hook=hide)
    assert_moved(world, world.apply(plan))
    assert promotes(world) == 1


# lost replies


@pytest.mark.parametrize("kind", [Kind.REPLY_LOST, Kind.RESET_MIDWAY])
def test_a_move_that_took_effect_is_not_asked_for_again(world: World, kind: Kind) -> None:
    fault(world, kind, keep=3)
    assert_moved(world, world.apply(world.plan()))
    assert promotes(world) == 1


@pytest.mark.parametrize("kind", [Kind.RESET, Kind.RESET_AFTER_BODY, Kind.STATUS])
def test_a_move_without_effect_is_asked_for_again(world: World, kind: Kind) -> None:
    fault(world, kind, status=503)
    assert_moved(world, world.apply(world.plan()))
    assert promotes(world) == 2


def test_a_server_that_never_moves_it_gives_a_failure_and_nothing_else(world: World) -> None:
    fault(world, Kind.STATUS, status=500, times=None)
    receipt = world.apply(world.plan())
    assert (outcomes(receipt), receipt.exit_code) == ({OLD.filename: "failed"}, 5)
    assert_untouched(world)


def test_an_answer_without_an_effect_is_no_success(world: World) -> None:
    fault(world, Kind.STATUS, status=200, body=b"{}", content_type="application/json", times=None)
    receipt = world.apply(world.plan())
    assert (outcomes(receipt), receipt.exit_code) == ({OLD.filename: "failed"}, 5)
    assert "still lists it here only" in receipt.lines[0].message
    assert_untouched(world)
    assert promotes(world) == 1


# refusals


@pytest.mark.parametrize(
    ("status", "body", "exit_code", "words"),
    [
        (422, {"distro": ["is odd"]}, 5, "to demo/archive: status 422"),
        (402, {"error": ["payment required"]}, 9, "a plan that includes private repositories"),
        (403, {"error": "Forbidden"}, 7, "owner or collaborator rights on both repositories"),
        (404, {"error": "not_found"}, 5, f"Does the archive {ARCHIVE} exist"),
        (422, {"filename": ["has already been taken"]}, 5, "has already been taken"),
    ],
)
def test_a_refusal_is_told_and_leaves_everything_where_it_is(
    world: World, status: int, body: object, exit_code: int, words: str
) -> None:
    plan = world.plan()
    world.sandbox.packagecloud.faults.add(json_error(status, body, path=PROMOTE, times=None))
    receipt = world.apply(plan)
    assert (outcomes(receipt), receipt.exit_code) == ({OLD.filename: "failed"}, exit_code)
    assert words in receipt.lines[0].message
    assert_untouched(world)
    assert promotes(world) == 1


def test_no_rights_or_no_plan_stop_the_other_archivings(world: World) -> None:
    world.put(rpm(version="0.9"))
    world.sandbox.packagecloud.faults.add(json_error(403, {"error": "Forbidden"}, path=PROMOTE, times=None))
    receipt = world.apply(world.plan(), jobs=1)
    assert sorted(outcomes(receipt).values()) == ["failed", "left"]
    assert promotes(world) == 1


# what changed since the plan


def test_a_clash_that_came_up_since_stops_before_the_first_change(world: World) -> None:
    plan = world.plan()
    world.put(OTHER, repository=ARCHIVE)
    receipt = world.apply(plan)
    assert (outcomes(receipt), receipt.exit_code) == ({OLD.filename: "stale"}, 4)
    assert receipt.lines[0].reason == "archive-clash"
    assert (promotes(world), world.content) == (0, HERE | MOVED)


@pytest.mark.parametrize(("there", "reason"), [(OTHER, "archive-clash"), (OLD, "already-archived")])
def test_what_appears_in_the_archive_at_the_last_moment(world: World, there: object, reason: str) -> None:
    plan = world.plan()
    fault(world, Kind.NOTHING, hook=lambda: world.put(there, repository=ARCHIVE))  # type: ignore[arg-type]
    receipt = world.apply(plan)
    assert (outcomes(receipt), receipt.exit_code) == ({OLD.filename: "stale"}, 4)
    assert receipt.lines[0].reason == reason
    assert world.content == HERE | MOVED


def test_a_row_that_was_replaced_since_the_preflight_is_left_alone(world: World) -> None:
    plan = world.plan()

    def swap() -> None:
        world.remove(OLD)
        world.put(OTHER, created_at="2026-01-01T00:00:00.000Z")

    world.sandbox.packagecloud.cdn_faults.add(Fault(kind=Kind.NOTHING, hook=swap))
    receipt = world.apply(plan)
    assert (outcomes(receipt), receipt.exit_code) == ({OLD.filename: "stale"}, 4)
    assert (promotes(world), world.content[KEY]) == (0, sha(OTHER))


def test_what_somebody_else_deleted_at_the_last_moment_is_not_brought_back(world: World) -> None:
    plan = world.plan()
    fault(world, Kind.NOTHING, hook=lambda: world.remove(OLD))
    receipt = world.apply(plan)
    assert (outcomes(receipt), receipt.exit_code) == ({OLD.filename: "stale"}, 4)
    assert receipt.lines[0].reason == "neither-place"
    again = world.apply(plan)
    assert (outcomes(again), again.exit_code) == ({OLD.filename: "stale"}, 4)
    assert (world.content, world.content_of(ARCHIVE)) == (HERE, {})


def test_what_somebody_else_moved_at_the_last_moment_is_already_done(world: World) -> None:
    plan = world.plan()
    server = world.sandbox.packagecloud
    fault(world, Kind.NOTHING, hook=lambda: server.promote(REPOSITORY, LEAP, OLD.filename, ARCHIVE))
    assert_moved(world, world.apply(plan), "already-done")


def test_an_archive_that_cannot_be_read_leaves_them(world: World) -> None:
    plan = world.plan()
    unreadable_archive(world)
    receipt = world.apply(plan)
    assert (outcomes(receipt), receipt.exit_code) == ({OLD.filename: "left"}, 5)
    assert_untouched(world)


# neither place


def test_what_is_in_neither_place_is_put_back_and_the_run_ends(world: World) -> None:
    world.put(rpm(version="0.9"))
    plan = world.plan()
    losing_server(world)
    receipt = world.apply(plan, jobs=1)
    assert receipt.exit_code == 6
    assert sorted(outcomes(receipt).values()) == ["failed", "left"]
    (lost,) = [line for line in receipt.lines if line.outcome == "failed"]
    assert "is neither in demo/testing nor in demo/archive" in lost.message
    assert "the old file was put back" in lost.message
    assert world.content[lost.key] == lost.sha256
    assert world.content_of(ARCHIVE) == {}


def test_what_was_put_back_is_moved_by_the_next_run(world: World) -> None:
    plan = world.plan()
    losing_server(world)
    assert world.apply(plan).exit_code == 6
    assert world.content == HERE | MOVED
    world.sandbox.packagecloud.faults.clear()
    assert_moved(world, world.apply(plan))


def test_bytes_that_vanish_from_the_backups_meanwhile_are_in_hand(world: World) -> None:
    plan = world.plan()
    losing_server(world)
    losing_backups = Fault(kind=Kind.NOTHING, path="promote", hook=lambda: shutil.rmtree(world.backups.folder))
    world.sandbox.packagecloud.faults.add(losing_backups)
    receipt = world.apply(plan)
    assert (receipt.exit_code, receipt.lines[0].missing) == (6, None)
    assert "the old file was put back" in receipt.lines[0].message
    assert world.content == HERE | MOVED


# equal content in the archive: a deletion with that row as its backup


@pytest.fixture
def kept(world: World) -> World:
    world.put(OLD, repository=ARCHIVE)
    return world


def test_what_the_archive_holds_already_is_deleted_here(kept: World) -> None:
    plan = kept.plan()
    assert [(d.archived_in, d.filename) for d in plan.deletions] == [(ARCHIVE, OLD.filename)]
    receipt = kept.apply(plan)
    assert_moved(kept, receipt)
    assert (receipt.lines[0].action, receipt.lines[0].archive_to) == ("deletion", ARCHIVE)
    assert (promotes(kept), kept.count("DELETE")) == (0, 1)


@pytest.mark.parametrize(("there", "reason"), [(None, "target-changed"), (OTHER, "archive-clash")])
def test_without_its_archive_row_it_is_not_deleted(kept: World, there: object, reason: str) -> None:
    plan = kept.plan()
    kept.remove(OLD, repository=ARCHIVE)
    if there is not None:
        kept.put(OTHER, repository=ARCHIVE)
    receipt = kept.apply(plan)
    assert (receipt.exit_code, receipt.lines[0].reason) == (4, reason)
    assert (kept.content, kept.count("DELETE")) == (HERE | MOVED, 0)


@pytest.mark.parametrize(("there", "reason"), [(None, "target-changed"), (OTHER, "archive-clash")])
def test_the_archive_row_is_looked_at_right_before_the_delete(kept: World, there: object, reason: str) -> None:
    plan = kept.plan()

    def change() -> None:
        kept.remove(OLD, repository=ARCHIVE)
        if there is not None:
            kept.put(OTHER, repository=ARCHIVE)

    kept.sandbox.packagecloud.cdn_faults.add(Fault(kind=Kind.NOTHING, hook=change))
    receipt = kept.apply(plan)
    assert (receipt.exit_code, receipt.lines[0].reason) == (4, reason)
    assert (kept.content, kept.count("DELETE")) == (HERE | MOVED, 0)


def test_a_deletion_of_another_policy_needs_no_archive(kept: World) -> None:
    kept.policy = POLICY
    plan = kept.plan()
    assert [d.archived_in for d in plan.deletions] == [None]
    assert outcomes(kept.apply(plan)) == {OLD.filename: "done"}


# the plan


def test_other_content_there_holds_it(world: World) -> None:
    world.put(OTHER, repository=ARCHIVE)
    plan = world.plan()
    assert [(h.action, h.reason.value) for h in plan.held] == [("archiving", "archive-clash")]
    assert plan.actions == ()


def test_unknown_content_there_holds_it(world: World) -> None:
    world.put(OLD, repository=ARCHIVE)
    world.sandbox.packagecloud.sha_delay = None
    nulled = world.actual()
    assert nulled.archive is not None
    assert nulled.archive[KEY].sha256 is None
    assert world.plan().actions == ()


def test_a_checksum_there_that_only_the_details_tell_counts(world: World) -> None:
    world.put(OLD, repository=ARCHIVE)
    row = world.sandbox.packagecloud.find(ARCHIVE, LEAP, OLD.filename)
    here = world.sandbox.packagecloud.find(REPOSITORY, LEAP, OLD.filename)
    assert row is not None and here is not None
    world.sandbox.packagecloud.sha_delay = row.shown + 1
    here.shown = 99
    assert [d.archived_in for d in world.plan().deletions] == [ARCHIVE]


def test_an_archive_that_cannot_be_listed_completely_holds_everything(world: World) -> None:
    world.put(OLD, repository=ARCHIVE)
    unreadable_archive(world)
    plan = world.plan()
    assert [h.reason.value for h in plan.held] == ["unread"]
    assert (plan.actions, plan.complete) == ((), False)
    assert plan.warnings[0].startswith(f"the archive {ARCHIVE} could not be read, so nothing is archived: ")


def test_an_archive_that_does_not_exist_is_an_error_of_the_config(world: World) -> None:
    del world.sandbox.packagecloud.repositories[ARCHIVE]
    with pytest.raises(ConfigError, match=ARCHIVE) as caught:
        world.plan()
    assert "orphans.archive_to" in caught.value.tip
