"""Promise 6: a lost reply never leads to a duplicate, a second delete, or a wrong "failed"."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from pkgsync.model import Receipt
from pkgsync.sandbox import Fault, Kind
from tests.support.worlds.apply_world import JAMMY, LEAP, World, deb, open_world, rpm, sha

NEW, MORE, OLD = rpm(version="2.0"), rpm("more"), rpm(version="1.0")
BEFORE, AFTER = deb(salt="before"), deb(salt="after")
WANTED = {
    f"{LEAP}/{NEW.filename}": sha(NEW),
    f"{LEAP}/{MORE.filename}": sha(MORE),
    f"{JAMMY}/{AFTER.filename}": sha(AFTER),
}
TAKES_EFFECT = [Kind.REPLY_LOST, Kind.EMPTY, Kind.CUT, Kind.RESET_MIDWAY]
NO_EFFECT = [Kind.RESET, Kind.RESET_AFTER_BODY, Kind.STATUS]


@pytest.fixture(params=[False, True], ids=["closing", "keeping"])
def world(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[World]:
    """Servers close each connection with its answer, or keep it, and then may close it under the next request."""
    with open_world(tmp_path, keep_alive=request.param) as world:
        world.publish(NEW, MORE)
        world.publish(AFTER)
        world.put(OLD)
        world.put(BEFORE, JAMMY)
        yield world


def lose(world: World, kind: Kind, method: str, number: int, times: int = 1) -> None:
    fault = Fault(kind=kind, method=method, nth=number, times=times, status=503, keep=3)
    world.sandbox.packagecloud.faults.add(fault)


def assert_done(world: World, receipt: Receipt) -> None:
    assert world.content == WANTED
    assert (receipt.exit_code, receipt.complete) == (0, True)
    assert {str(line.outcome) for line in receipt.lines} == {"done"}


@pytest.mark.parametrize("number", [1, 2, 4])
@pytest.mark.parametrize("kind", TAKES_EFFECT)
def test_an_upload_that_took_effect_is_not_sent_again(world: World, kind: Kind, number: int) -> None:
    """The third one only shows, before the replacement, that the server takes uploads."""
    lose(world, kind, "POST", number)
    assert_done(world, world.apply(world.plan(), jobs=1))
    assert world.count("POST") == 4


@pytest.mark.parametrize("number", [1, 2, 3, 4])
@pytest.mark.parametrize("kind", NO_EFFECT)
def test_an_upload_without_effect_is_sent_again(world: World, kind: Kind, number: int) -> None:
    lose(world, kind, "POST", number)
    assert_done(world, world.apply(world.plan(), jobs=1))
    assert world.count("POST") == 5


@pytest.mark.parametrize("number", [1, 2])
@pytest.mark.parametrize("kind", TAKES_EFFECT)
def test_a_deletion_that_took_effect_is_not_sent_again(world: World, kind: Kind, number: int) -> None:
    lose(world, kind, "DELETE", number)
    assert_done(world, world.apply(world.plan(), jobs=1))
    assert world.count("DELETE") == 2


@pytest.mark.parametrize("number", [1, 2])
@pytest.mark.parametrize("kind", NO_EFFECT)
def test_a_deletion_without_effect_is_sent_again(world: World, kind: Kind, number: int) -> None:
    lose(world, kind, "DELETE", number)
    assert_done(world, world.apply(world.plan(), jobs=1))
    assert world.count("DELETE") == 3


@pytest.mark.parametrize("kind", [*TAKES_EFFECT, *NO_EFFECT])
@pytest.mark.parametrize("method", ["POST", "DELETE"])
def test_every_reply_lost_at_least_once(world: World, kind: Kind, method: str) -> None:
    lose(world, kind, method, 1, times=2)
    assert_done(world, world.apply(world.plan(), jobs=2))


def test_an_effect_that_comes_late_is_found_by_the_retry(world: World) -> None:
    """The reply was lost, the look showed nothing yet, and the second upload is refused as a duplicate."""
    world.sandbox.packagecloud.listing_lag = 6
    lose(world, Kind.REPLY_LOST, "POST", 1)
    assert_done(world, world.apply(world.plan(), jobs=1))
    statuses = Counter(entry.status for entry in world.sandbox.log.find("packagecloud", "POST"))
    assert statuses[422] >= 1
    assert len(world.content) == 3


@pytest.mark.parametrize("number", range(1, 4))
@pytest.mark.parametrize("method", ["POST", "DELETE"])
def test_two_machines_apply_one_plan_at_once(world: World, method: str, number: int) -> None:
    """The second machine, with a state of its own, does everything while the first one is in the middle."""
    plan, other = world.plan(), World(world.sandbox, world.folder / "other")
    other.folder.mkdir()
    world.sandbox.packagecloud.faults.add(
        Fault(kind=Kind.NOTHING, method=method, nth=number, times=1, hook=lambda: other.apply(plan))
    )
    world.apply(plan, jobs=1)

    world.apply(plan)  # whoever was disturbed finishes with the same command
    final = world.apply(plan)
    assert world.content == WANTED
    assert (final.exit_code, final.complete) == (0, True)
    stored = [e for e in world.sandbox.log.find("packagecloud", "POST") if e.status == 201]
    deleted = [e for e in world.sandbox.log.find("packagecloud", "DELETE") if e.status == 200]
    # a DELETE on its way cannot know that the other machine has just replaced the row: that file is stored once more
    assert (len(stored), len(deleted)) in ((3, 2), (4, 3))
