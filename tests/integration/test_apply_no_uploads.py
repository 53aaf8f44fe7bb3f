"""A server that stores nothing for hours: at most one name is absent for it, however many were to be replaced."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pkgsync.sandbox import Fault, Kind
from tests.support.worlds.apply_world import JAMMY, World, deb, open_world, outcomes, sha

NAMES = ("one", "three", "two")
BEFORE = {name: deb(name, salt="before") for name in NAMES}
AFTER = {name: deb(name, salt="after") for name in NAMES}
ALL_AFTER = {f"{JAMMY}/{AFTER[name].filename}": sha(AFTER[name]) for name in NAMES}


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with open_world(tmp_path) as world:
        world.publish(*AFTER.values())
        for artifact in BEFORE.values():
            world.put(artifact, JAMMY)
        yield world


def broken(world: World, **more: Any) -> Fault:
    fault = Fault(kind=Kind.STATUS, method="POST", status=500, times=None, **more)
    return world.sandbox.packagecloud.faults.add(fault)


def test_no_second_name_is_taken_away_while_one_is_absent(world: World) -> None:
    plan = world.plan()
    fault = broken(world)
    fault.nth = 2
    receipt = world.apply(plan, jobs=1)
    assert list(outcomes(receipt).values()) == ["failed", "left", "left"]
    assert (world.count("DELETE"), len(world.content), receipt.exit_code) == (1, 2, 5)

    assert world.apply(plan).exit_code == 5
    assert world.count("DELETE") == 1

    world.sandbox.packagecloud.faults.faults.remove(fault)
    assert world.apply(plan).exit_code == 0
    assert world.content == ALL_AFTER


def test_the_name_that_is_absent_comes_first_in_the_next_run(world: World) -> None:
    plan = world.plan()
    faults = world.sandbox.packagecloud.faults
    refused = Fault(kind=Kind.STATUS, method="POST", status=422, body=b'{"x":["y"]}', content_type="application/json")
    faults.add(refused)
    refused.nth = 2
    broken(world).nth = 4
    world.apply(plan, jobs=1)
    absent = AFTER["three"].filename
    assert set(ALL_AFTER) - set(world.content) == {f"{JAMMY}/{absent}"}

    faults.clear()
    world.reported.clear()
    assert world.apply(plan).exit_code == 0
    assert world.content == ALL_AFTER
    assert absent in next(line for line in world.reported if line.startswith("replacement"))


def test_nothing_is_taken_away_after_uploads_that_all_failed(world: World) -> None:
    world.publish(*AFTER.values(), deb("new"))
    plan = world.plan()
    fault = broken(world)
    receipt = world.apply(plan)
    assert outcomes(receipt)[deb("new").filename] == "failed"
    assert (world.count("DELETE"), len(world.content), receipt.exit_code) == (0, 3, 5)

    world.sandbox.packagecloud.faults.faults.remove(fault)
    assert world.apply(plan).exit_code == 0


def test_a_file_that_only_this_server_cannot_take_does_not_keep_the_others(world: World) -> None:
    world.publish(*AFTER.values(), deb("fine"), deb("odd"))
    plan = world.plan()
    broken(world).nth = 2
    world.sandbox.packagecloud.faults.faults[0].times = 4
    receipt = world.apply(plan, jobs=1)
    assert sorted(outcomes(receipt).values()) == ["done", "done", "done", "done", "failed"]
