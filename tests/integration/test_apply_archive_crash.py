"""An archiving killed at each of its steps and run again ends as if nothing had happened."""

import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from pkgsync import planfile
from pkgsync.cache import Cache
from pkgsync.model import Plan
from pkgsync.sandbox import ARCHIVE, REPOSITORY, Fault, Kind
from tests.support.faults.crash import attempt_of, run_until, start
from tests.support.scope import EVERYTHING
from tests.support.worlds.apply_world import ARCHIVING, LEAP, World, open_world, rpm, sha

NEW, OLD, KEPT = rpm(version="2.0"), rpm(version="1.0"), rpm(version="0.5")
KEY = f"{LEAP}/{OLD.filename}"
HERE = {f"{LEAP}/{NEW.filename}": sha(NEW)}
THERE = {KEY: sha(OLD), f"{LEAP}/{KEPT.filename}": sha(KEPT)}
FEWEST_STEPS = 40


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with open_world(tmp_path) as world:
        world.policy = ARCHIVING
        world.publish(NEW)
        yield world


def start_over(world: World) -> Plan:
    """One row to move, one that the archive holds already, and an empty machine."""
    server = world.sandbox.packagecloud
    server.faults.clear()
    for repository in (REPOSITORY, ARCHIVE):
        server.repositories[repository].clear()
    for artifact in (NEW, OLD, KEPT):
        world.put(artifact)
    world.put(KEPT, repository=ARCHIVE)
    for entry in world.folder.iterdir():
        shutil.rmtree(entry) if entry.is_dir() else entry.unlink()
    world.sandbox.log.clear()
    return world.plan()


def assert_not_lost(world: World) -> None:
    both = world.content | world.content_of(ARCHIVE)
    assert both.get(KEY) == sha(OLD) or Cache(world.folder / "backups").path(sha(OLD)) is not None


def kill(world: World, step: int) -> Plan | None:
    """Kill a fresh apply at this step; None if it did not get that far."""
    plan = start_over(world)
    return plan if run_until(attempt_of(world, planfile.dumps(plan), world.folder), step) else None


def test_killed_at_every_step_and_run_again(world: World) -> None:
    step = stride = 1 if EVERYTHING else 15
    while (plan := kill(world, step)) is not None:
        assert_not_lost(world)
        receipt = world.apply(plan)
        assert (world.content, world.content_of(ARCHIVE)) == (HERE, THERE), f"killed at step {step}"
        assert (receipt.exit_code, receipt.complete) == (0, True)
        assert {str(line.outcome) for line in receipt.lines} == {"done"}, f"killed at step {step}"
        moved = [e for e in world.sandbox.log.find("packagecloud", "POST") if e.status == 200]
        deleted = [e for e in world.sandbox.log.find("packagecloud", "DELETE") if e.status == 200]
        assert (len(moved), len(deleted)) == (1, 1)
        step += stride
    print(f"killed up to step {step - stride}")
    assert step > FEWEST_STEPS


def lose_after_the_move(world: World) -> None:
    """The server moves the file once, does not say so, and loses it."""
    server = world.sandbox.packagecloud
    moving = server.faults.add(Fault(kind=Kind.REPLY_LOST, path=r"promote\.json$", method="POST"))
    lost: list[object] = []

    def lose() -> None:
        key = (LEAP, OLD.filename)
        if moving.hits and not lost and key in server.repositories[ARCHIVE]:
            lost.append(server.repositories[ARCHIVE].pop(key))

    server.faults.add(Fault(kind=Kind.NOTHING, path=r"(search|packages)\.json", method="GET", times=None, hook=lose))


def test_a_file_in_neither_place_is_put_back_by_whoever_comes_next(world: World) -> None:
    """The run that notices it puts the file back and ends; the one after moves it."""
    noticed = 0
    stride = 5 if EVERYTHING else 40
    for step in range(1, 400, stride):
        plan = start_over(world)
        lose_after_the_move(world)
        if not killed_at(world, plan, step):
            break
        assert_not_lost(world)
        first = world.apply(plan)
        if first.exit_code:
            noticed += 1
            assert (first.exit_code, world.content[KEY]) == (6, sha(OLD)), f"killed at step {step}"
            assert world.apply(plan).exit_code == 0
        assert (world.content, world.content_of(ARCHIVE)) == (HERE, THERE), f"killed at step {step}"
    assert noticed > FEWEST_STEPS // 4 // stride


def killed_at(world: World, plan: Plan, step: int) -> bool:
    """False: it came to its end before, by which it had noticed the loss."""
    process = start(attempt_of(world, planfile.dumps(plan), world.folder), step)
    process.join()
    assert process.exitcode in (-signal.SIGKILL, 6)
    return process.exitcode == -signal.SIGKILL
