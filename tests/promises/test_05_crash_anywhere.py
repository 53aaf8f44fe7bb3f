"""Promise 5: killed at any instant and run again, apply ends in the state of an uninterrupted run and says so.

One reference apply (uploads, a replacement, an archiving, a deletion, backups) is killed at each of its steps in turn.
So is it where every reply to a change is lost, where the name of the replacement stays reserved, and where the next run
has no journal, or nothing at all of this machine.
"""

import random
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from attrs import define

from pkgsync import planfile
from pkgsync.cache import Cache
from pkgsync.model import Plan, Receipt
from pkgsync.sandbox import ARCHIVE, REPOSITORY, Fault, Kind
from tests.support.faults.crash import attempt_of, count_steps, run_until, start
from tests.support.scope import EVERYTHING
from tests.support.worlds.apply_world import ARCHIVING, JAMMY, LEAP, World, deb, open_world, rpm, sha

NEW, MORE = rpm(version="2.0"), rpm("more", size=3000)
OLD, KEPT = rpm(version="1.0"), rpm(version="0.5")
BEFORE, AFTER = deb(salt="before"), deb(salt="after")
HERE = {
    f"{LEAP}/{NEW.filename}": sha(NEW),
    f"{LEAP}/{MORE.filename}": sha(MORE),
    f"{JAMMY}/{AFTER.filename}": sha(AFTER),
}
REPLACED, MOVED, DELETED = f"{JAMMY}/{BEFORE.filename}", f"{LEAP}/{OLD.filename}", f"{LEAP}/{KEPT.filename}"
THERE = {MOVED: sha(OLD), DELETED: sha(KEPT)}
FEWEST_STEPS = 200
EVERYDAY = 4  # kills of each kind


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with open_world(tmp_path) as world:
        world.policy = ARCHIVING
        world.publish(NEW, MORE)
        world.publish(AFTER)
        yield world


def start_over(world: World) -> Plan:
    """The world before, whatever the last attempt made of it, and an empty machine."""
    server = world.sandbox.packagecloud
    server.faults.clear()
    server.reserve_after_delete = 0
    server._reserved.clear()
    for repository in (REPOSITORY, ARCHIVE):
        server.repositories[repository].clear()
    world.put(OLD)
    world.put(KEPT)
    world.put(KEPT, repository=ARCHIVE)
    world.put(BEFORE, JAMMY)
    lose_machine(world)
    world.sandbox.log.clear()
    return world.plan()


def lose_nothing(_world: World) -> None:
    """The same machine goes on."""


def lose_journal(world: World) -> None:
    shutil.rmtree(world.folder / "state", ignore_errors=True)


def lose_machine(world: World) -> None:
    """A new CI runner has no journal, no cache and no backups."""
    for entry in world.folder.iterdir():
        shutil.rmtree(entry) if entry.is_dir() else entry.unlink()


@define(eq=False, kw_only=True)
class ChangeReplyLost(Fault):
    """No reply to a change comes; the refusal comes that shows before a replacement that the server takes uploads."""

    world: World

    def take(self, method: str, target: str) -> bool:
        here = self.world.content
        proof = here.get(REPLACED) == sha(BEFORE) and HERE.keys() <= here.keys()
        return not (proof and target.endswith("/packages.json")) and super().take(method, target)


def lose_replies(world: World) -> None:
    """Every change takes effect, and no reply to one ever comes."""
    for method in ("POST", "DELETE"):
        fault = ChangeReplyLost(kind=Kind.REPLY_LOST, method=method, times=None, world=world)
        world.sandbox.packagecloud.faults.add(fault)


def reserve_names(world: World) -> None:
    world.sandbox.packagecloud.reserve_after_delete = 2


@define
class Way:
    """What goes on while the apply is killed, and what is lost before it is run again."""

    before: Callable[[World], None]
    after: Callable[[World], None]
    outcomes: set[str]


OURS, ANYBODYS = {"done"}, {"done", "already-done"}
WAYS = {
    "and resumed": Way(lose_nothing, lose_nothing, OURS),
    "while all replies to changes were lost, and resumed": Way(lose_replies, lose_nothing, OURS),
    "while the replaced name stayed reserved, and resumed": Way(reserve_names, lose_nothing, OURS),
    "and run again without the journal": Way(lose_nothing, lose_journal, ANYBODYS),
    "and run again on another machine": Way(lose_nothing, lose_machine, ANYBODYS),
    "while all replies were lost, and run again on another machine": Way(lose_replies, lose_machine, ANYBODYS),
}


# CI takes every step of these; the other ways differ only in what the next run finds, and stay sampled.
ENTIRE = ("and resumed", "while all replies to changes were lost, and resumed")


def assert_nothing_is_lost(world: World) -> None:
    """Each file that goes is on the server or in the backup store at every instant."""
    backups, here, there = Cache(world.folder / "backups"), world.content, world.content_of(ARCHIVE)
    assert here.get(REPLACED) in (sha(BEFORE), sha(AFTER)) or backups.path(sha(BEFORE)) is not None
    assert sha(OLD) in (here.get(MOVED), there.get(MOVED)) or backups.path(sha(OLD)) is not None
    assert there[DELETED] == sha(KEPT)


def assert_finished(world: World, receipt: Receipt, outcomes: set[str], when: str) -> None:
    assert (world.content, world.content_of(ARCHIVE)) == (HERE, THERE), when
    assert (receipt.exit_code, receipt.complete, receipt.interrupted) == (0, True, False), when
    assert {str(line.outcome) for line in receipt.lines} <= outcomes, when
    posts = [e for e in world.sandbox.log.find("packagecloud", "POST") if 200 <= e.status < 300]
    deletes = [e for e in world.sandbox.log.find("packagecloud", "DELETE") if e.status == 200]
    assert len(posts) <= 4, f"every file was stored or moved once, {when}"
    assert len(deletes) <= 2, f"every row was deleted once, {when}"


def assert_stores_are_valid(world: World) -> None:
    """Whatever the kill left behind, the stores hold nothing under a name that is not its own, and no temporary file."""
    for store in ("cache", "backups"):
        files = [path for path in (world.folder / store / "objects").rglob("*") if path.is_file()]
        for path in files:
            assert Cache(world.folder / store).path(path.name) == path


def kill(
    world: World, step: int, *, jobs: int = 1, before: Callable[[World], None] = lose_nothing
) -> tuple[Plan, bool]:
    """Kill a fresh apply at this step. Gives the plan, and whether it got that far."""
    plan = start_over(world)
    before(world)
    killed = run_until(attempt_of(world, planfile.dumps(plan), world.folder, jobs), step)
    assert_nothing_is_lost(world)
    return plan, killed


@pytest.mark.parametrize("how", WAYS)
def test_killed_at_every_step_and_run_again(world: World, capsys: pytest.CaptureFixture[str], how: str) -> None:
    way = WAYS[how]
    plan = start_over(world)
    way.before(world)
    total = count_steps(attempt_of(world, planfile.dumps(plan), world.folder))
    assert total > FEWEST_STEPS
    first = 1 + list(WAYS).index(how)  # so that the everyday samples differ
    steps = range(1, total + 1) if EVERYTHING and how in ENTIRE else range(first, total + 1, total // EVERYDAY)
    tried = 0
    for step in steps:
        plan, killed = kill(world, step, before=way.before)
        tried += killed
        way.after(world)
        receipt = world.apply(plan)
        assert_finished(world, receipt, way.outcomes, f"killed at step {step} {how}")
        assert_stores_are_valid(world)
        assert receipt == world.receipt()
    with capsys.disabled():
        print(f"\ncrash anywhere: killed at {tried} of {total} steps {how}")
    assert tried >= len(steps) - 3, "where threads race the last steps may not be reached"


def test_the_window_of_absence_spans_the_kill(world: World) -> None:
    """Killed between the DELETE and the upload of the replacement: the name was absent until the next run."""
    plan = start_over(world)
    hanging = world.sandbox.packagecloud.faults.add(Fault(kind=Kind.HANG, method="POST", nth=4))
    child = start(attempt_of(world, planfile.dumps(plan), world.folder))
    assert hanging.hit.wait(60)
    child.kill()
    child.join()
    hanging.released.set()
    assert REPLACED not in world.content
    assert_nothing_is_lost(world)
    receipt = world.apply(plan)
    assert_finished(world, receipt, OURS, "killed while the name was absent")
    (line,) = [line for line in receipt.lines if line.action == "replacement"]
    assert line.absent_seconds is not None


@pytest.mark.parametrize("seed", range(40) if EVERYTHING else range(4))
def test_killed_twice_with_parallel_transfers(world: World, seed: int) -> None:
    choose = random.Random(seed)
    plan, killed = kill(world, choose.randint(20, FEWEST_STEPS), jobs=4)
    assert killed
    run_until(attempt_of(world, planfile.dumps(plan), world.folder, jobs=4), choose.randint(1, 100))
    assert_nothing_is_lost(world)
    receipt = world.apply(plan)
    assert_finished(world, receipt, OURS, "killed twice")
