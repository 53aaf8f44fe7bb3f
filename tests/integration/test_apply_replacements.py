"""Replacements: both contents in hand before the DELETE, and the old one back if the new one cannot be stored."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pkgsync.sandbox import Artifact, Fault, Kind
from tests.support.worlds.apply_world import FILES, JAMMY, World, deb, open_world, outcomes, sha

BEFORE, AFTER = deb(salt="before"), deb(salt="after")
KEY = f"{JAMMY}/{BEFORE.filename}"


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with open_world(tmp_path) as world:
        world.publish(AFTER)
        world.put(BEFORE, JAMMY)
        yield world


def fault(world: World, kind: Kind, **more: Any) -> Fault:
    return world.sandbox.packagecloud.faults.add(Fault(kind=kind, **more))


def holds(world: World, artifact: Artifact) -> bool:
    return world.content == {KEY: sha(artifact)}


def test_a_name_that_stays_reserved_is_waited_for(world: World) -> None:
    world.sandbox.packagecloud.reserve_after_delete = 3
    receipt = world.apply(world.plan())
    assert outcomes(receipt) == {AFTER.filename: "done"}
    assert holds(world, AFTER)
    assert (world.count("POST"), world.count("DELETE"), len(world.pauses)) == (5, 1, 3)


@pytest.mark.parametrize("kind", [Kind.REPLY_LOST, Kind.RESET, Kind.STATUS, Kind.EMPTY])
def test_a_lost_delete_reply_is_settled_by_a_look(world: World, kind: Kind) -> None:
    fault(world, kind, method="DELETE", status=502)
    receipt = world.apply(world.plan())
    assert outcomes(receipt) == {AFTER.filename: "done"}
    assert holds(world, AFTER)


@pytest.mark.parametrize("kind", [Kind.REPLY_LOST, Kind.RESET_AFTER_BODY, Kind.STATUS])
def test_a_lost_upload_reply_is_settled_by_a_look(world: World, kind: Kind) -> None:
    fault(world, kind, method="POST", status=502, nth=2)
    receipt = world.apply(world.plan())
    assert outcomes(receipt) == {AFTER.filename: "done"}
    assert holds(world, AFTER)
    assert world.count("DELETE") == 1


@pytest.mark.parametrize(
    ("status", "body"),
    [(422, b'{"package_file":["is not a valid package"]}'), (402, b'{"error":["payment required"]}'), (403, b"{}")],
)
def test_the_old_file_goes_back_if_the_new_one_is_refused(world: World, status: int, body: bytes) -> None:
    plan = world.plan()
    fault(world, Kind.STATUS, method="POST", status=status, body=body, content_type="application/json", nth=2)
    receipt = world.apply(plan)
    assert outcomes(receipt) == {AFTER.filename: "failed"}
    assert "the old file was put back" in receipt.lines[0].message
    assert holds(world, BEFORE)
    assert receipt.exit_code == {422: 5, 402: 9, 403: 7}[status]


def test_after_a_restore_the_same_command_finishes_the_job(world: World) -> None:
    plan = world.plan()
    fault(world, Kind.STATUS, method="POST", status=422, body=b'{"x":["y"]}', content_type="application/json", nth=2)
    world.sandbox.clock.advance(60)  # so that the row that is put back is a new one
    assert world.apply(plan).exit_code == 5
    assert holds(world, BEFORE)

    receipt = world.apply(plan)

    assert outcomes(receipt) == {AFTER.filename: "done"}
    assert holds(world, AFTER)
    assert (receipt.exit_code, receipt.runs) == (0, 2)


def test_if_nothing_can_be_stored_the_old_bytes_are_kept_and_the_next_run_finishes(world: World) -> None:
    plan = world.plan()
    broken = fault(world, Kind.STATUS, method="POST", status=500, times=None, nth=2)
    receipt = world.apply(plan)
    assert outcomes(receipt) == {AFTER.filename: "failed"}
    assert "the old file could not be put back" in receipt.lines[0].message
    assert world.content == {}
    kept = world.backups
    assert kept is not None
    assert kept.path(sha(BEFORE)) is not None

    world.sandbox.packagecloud.faults.faults.remove(broken)
    receipt = world.apply(plan)
    assert (outcomes(receipt), receipt.exit_code) == ({AFTER.filename: "done"}, 0)
    assert holds(world, AFTER)


def test_without_the_old_bytes_nothing_is_deleted(world: World) -> None:
    plan = world.plan()
    world.sandbox.packagecloud.cdn_faults.add(Fault(kind=Kind.CORRUPT, times=None))
    receipt = world.apply(plan)
    assert outcomes(receipt) == {AFTER.filename: "failed"}
    assert (receipt.exit_code, world.count("DELETE")) == (6, 0)
    assert holds(world, BEFORE)


def test_without_the_new_bytes_nothing_is_deleted(world: World) -> None:
    plan = world.plan()
    world.sandbox.obs.faults.add(Fault(kind=Kind.CORRUPT, path=FILES, times=None))
    receipt = world.apply(plan)
    assert (receipt.exit_code, world.count("DELETE")) == (6, 0)
    assert holds(world, BEFORE)


def test_a_row_that_changed_just_before_the_delete_is_left_alone(world: World) -> None:
    plan, other = world.plan(), deb(salt="other")

    def swap() -> None:
        world.remove(BEFORE, JAMMY)
        world.put(other, JAMMY)

    world.sandbox.packagecloud.cdn_faults.add(Fault(kind=Kind.NOTHING, hook=swap))
    receipt = world.apply(plan)
    assert outcomes(receipt) == {AFTER.filename: "stale"}
    assert (receipt.exit_code, world.count("DELETE"), world.count("POST")) == (4, 0, 1)
    assert holds(world, other)


def test_an_unsettled_source_leaves_the_replacement_for_later(world: World) -> None:
    plan = world.plan()
    world.unsettle("xUbuntu_22.04")
    receipt = world.apply(plan)
    assert (outcomes(receipt), receipt.exit_code) == ({AFTER.filename: "left"}, 5)
    assert holds(world, BEFORE)


def test_a_replacement_cut_off_after_the_delete_gets_its_old_file_back_if_obs_has_changed(world: World) -> None:
    plan = world.plan()
    broken = fault(world, Kind.STATUS, method="POST", status=500, times=None, nth=2)
    world.apply(plan)
    assert world.content == {}
    world.sandbox.packagecloud.faults.faults.remove(broken)
    world.publish(deb(salt="even newer"))

    receipt = world.apply(plan)

    assert outcomes(receipt) == {AFTER.filename: "stale"}
    assert (receipt.exit_code, receipt.lines[0].reason) == (4, "source-changed")
    assert "the old file was put back" in receipt.lines[0].message
    assert holds(world, BEFORE)


def test_a_quota_ends_the_run_before_a_second_name_is_absent(world: World) -> None:
    befores = [deb(f"tool{number}", salt="before") for number in range(4)]
    world.publish(*(deb(f"tool{number}", salt="after") for number in range(4)))
    for before in befores:
        world.put(before, JAMMY)
    plan = world.plan()
    full = fault(
        world,
        Kind.STATUS,
        method="POST",
        status=402,
        body=b'{"error":["x"]}',
        content_type="application/json",
        times=None,
        nth=2,
    )
    receipt = world.apply(plan, jobs=4)
    assert (receipt.exit_code, world.count("DELETE")) == (9, 1)
    assert sorted(outcomes(receipt).values()) == ["failed", "left", "left", "left"]

    world.sandbox.packagecloud.faults.faults.remove(full)
    assert world.apply(plan).exit_code == 0
    assert set(world.content.values()) >= {action.sha256 for action in plan.replacements}
