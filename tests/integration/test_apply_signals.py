"""Signals: the first one ends the run in good order, the second at once; the same command then goes on."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from pkgsync import planfile
from pkgsync.sandbox import Fault, Kind
from tests.support.faults.crash import attempt_of, new_event, start
from tests.support.worlds.apply_world import LEAP, World, open_world, outcomes, rpm, sha

FILES = [rpm("one"), rpm("three"), rpm("two")]
WANTED = {f"{LEAP}/{file.filename}": sha(file) for file in FILES}
LONGEST = 60  # seconds; a test that waits so long has failed


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with open_world(tmp_path) as world:
        world.publish(*FILES)
        yield world


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_the_first_signal_lets_what_is_in_flight_end(world: World, number: signal.Signals, code: int) -> None:
    plan, noticed = world.plan(), new_event()
    hanging = world.sandbox.packagecloud.faults.add(Fault(kind=Kind.HANG_AFTER, method="POST"))
    child = start(attempt_of(world, planfile.dumps(plan), world.folder), noticed=noticed)
    assert hanging.hit.wait(LONGEST)
    assert child.pid is not None
    os.kill(child.pid, number)
    assert noticed.wait(LONGEST)
    hanging.released.set()
    child.join(LONGEST)

    receipt = world.receipt()
    assert (child.exitcode, receipt.exit_code, receipt.interrupted, receipt.complete) == (code, code, True, False)
    assert sorted(outcomes(receipt).values()) == ["done", "left", "left"]
    assert len(world.content) == 1

    again = world.apply(plan)
    assert (again.exit_code, again.complete, again.interrupted, again.runs) == (0, True, False, 2)
    assert world.content == WANTED
    assert world.count("POST") == 3


def test_the_second_signal_ends_the_run_at_once(world: World) -> None:
    plan, noticed = world.plan(), new_event()
    hanging = world.sandbox.packagecloud.faults.add(Fault(kind=Kind.HANG_AFTER, method="POST"))
    child = start(attempt_of(world, planfile.dumps(plan), world.folder), noticed=noticed)
    assert hanging.hit.wait(LONGEST)
    assert child.pid is not None
    os.kill(child.pid, signal.SIGINT)
    assert noticed.wait(LONGEST)
    os.kill(child.pid, signal.SIGINT)
    child.join(LONGEST)

    assert (child.exitcode, world.receipt().exit_code, world.receipt().interrupted) == (130, 130, True)
    assert "done" not in outcomes(world.receipt()).values()
    hanging.released.set()

    again = world.apply(plan)
    assert (again.exit_code, again.complete) == (0, True)
    assert world.content == WANTED
    assert world.count("POST") == 3, "the upload that was cut off had arrived, and is not sent again"
