"""Promise 5: killed at any instant and run again, apply ends in the state of an uninterrupted run and says so.

One reference apply (uploads, a replacement, a deletion, backups) is killed at each of its steps in turn.
"""

import random
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from pkgsync import planfile
from pkgsync.cache import Cache
from pkgsync.model import Plan, Receipt
from pkgsync.sandbox import REPOSITORY
from tests.apply_world import JAMMY, LEAP, World, deb, open_world, rpm, sha
from tests.crash import attempt_of, run_until
from tests.scope import EVERYTHING

NEW, MORE, OLD = rpm(version="2.0"), rpm("more", size=3000), rpm(version="1.0")
BEFORE, AFTER = deb(salt="before"), deb(salt="after")
WANTED = {
    f"{LEAP}/{NEW.filename}": sha(NEW),
    f"{LEAP}/{MORE.filename}": sha(MORE),
    f"{JAMMY}/{AFTER.filename}": sha(AFTER),
}
REPLACED, DELETED = f"{JAMMY}/{BEFORE.filename}", f"{LEAP}/{OLD.filename}"
FEWEST_STEPS = 100
EVERYDAY_STRIDE = 7


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with open_world(tmp_path) as world:
        world.publish(NEW, MORE)
        world.publish(AFTER)
        yield world


def start_over(world: World) -> Plan:
    """The world before, whatever the last attempt made of it, and an empty machine."""
    world.sandbox.packagecloud.repositories[REPOSITORY].clear()
    world.put(OLD)
    world.put(BEFORE, JAMMY)
    for entry in world.folder.iterdir():
        shutil.rmtree(entry) if entry.is_dir() else entry.unlink()
    world.sandbox.log.clear()
    return world.plan()


def assert_nothing_is_lost(world: World) -> None:
    """At every instant the replaced and the deleted file is on the server or in the backup store."""
    backups = Cache(world.folder / "backups")
    content = world.content
    assert REPLACED in content or backups.path(sha(BEFORE)) is not None
    assert content.get(DELETED) == sha(OLD) or backups.path(sha(OLD)) is not None


def assert_finished(world: World, receipt: Receipt) -> None:
    assert world.content == WANTED
    assert (receipt.exit_code, receipt.complete, receipt.interrupted) == (0, True, False)
    assert {str(line.outcome) for line in receipt.lines} <= {"done", "already-done"}
    posts = world.sandbox.log.find("packagecloud", "POST")
    deletes = world.sandbox.log.find("packagecloud", "DELETE")
    assert [entry.status for entry in posts].count(201) <= 3, "every file was stored once"
    assert [entry.status for entry in deletes].count(200) <= 2, "every row was deleted once"


def kill(world: World, step: int, *, jobs: int = 1) -> tuple[Plan, bool]:
    """Kill a fresh apply at this step. Gives the plan, and whether it got that far."""
    plan = start_over(world)
    killed = run_until(attempt_of(world, planfile.dumps(plan), world.folder, jobs), step)
    if killed:
        assert_nothing_is_lost(world)
    return plan, killed


def test_killed_at_every_step_and_run_again(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    step = tried = 0
    stride = 1 if EVERYTHING else EVERYDAY_STRIDE
    while True:
        step += stride
        plan, killed = kill(world, step)
        if not killed:
            break
        tried += 1
        receipt = world.apply(plan)
        assert_finished(world, receipt)
        assert receipt == world.receipt()
        assert {str(line.outcome) for line in receipt.lines} == {"done"}, f"killed at step {step}"
    with capsys.disabled():
        print(f"\ncrash anywhere: killed at {tried} of its {step - stride} steps, and resumed")
    assert step > FEWEST_STEPS


@pytest.mark.parametrize("step", range(3, FEWEST_STEPS, 12))
def test_killed_and_run_again_on_another_machine(world: World, step: int) -> None:
    """A new CI runner has no journal, no cache and no backups; it still finishes, but does not know what was its own."""
    plan, killed = kill(world, step)
    assert killed
    elsewhere = world.folder / "elsewhere"
    elsewhere.mkdir()
    world.folder, before = elsewhere, world.folder
    receipt = world.apply(plan)
    world.folder = before
    assert_finished(world, receipt)


@pytest.mark.parametrize("seed", range(5))
def test_killed_twice_with_parallel_transfers(world: World, seed: int) -> None:
    choose = random.Random(seed)
    plan, killed = kill(world, choose.randint(20, FEWEST_STEPS), jobs=4)
    assert killed
    run_until(attempt_of(world, planfile.dumps(plan), world.folder, jobs=4), choose.randint(1, 60))
    assert_nothing_is_lost(world)
    receipt = world.apply(plan)
    assert_finished(world, receipt)
    assert {str(line.outcome) for line in receipt.lines} == {"done"}
