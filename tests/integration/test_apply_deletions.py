"""Deletions: only what was reviewed, only once, only after everything of the distribution has arrived."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pkgsync.sandbox import Fault, Kind
from tests.support.worlds.apply_world import JAMMY, LEAP, World, deb, open_world, outcomes, rpm, sha

NEW, OLD = rpm(version="2.0"), rpm(version="1.0")
KEY = f"{LEAP}/{OLD.filename}"


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with open_world(tmp_path) as world:
        world.publish(NEW)
        world.put(NEW)
        world.put(OLD)
        yield world


def fault(world: World, kind: Kind, **more: Any) -> Fault:
    return world.sandbox.packagecloud.faults.add(Fault(kind=kind, **more))


def test_the_bytes_are_kept_before_the_delete(world: World) -> None:
    receipt = world.apply(world.plan())
    assert outcomes(receipt) == {OLD.filename: "done"}
    kept = world.backups
    assert kept is not None
    assert kept.path(sha(OLD)) is not None
    assert receipt.lines[0].undo == "backup"
    order = [(entry.service, entry.method) for entry in world.sandbox.log.entries]
    assert order.index(("cdn", "GET")) < order.index(("packagecloud", "DELETE"))


def test_bytes_that_cannot_be_kept_are_not_deleted(world: World) -> None:
    plan = world.plan()
    world.sandbox.packagecloud.cdn_faults.add(Fault(kind=Kind.CORRUPT, times=None))
    receipt = world.apply(plan)
    assert (outcomes(receipt), receipt.exit_code) == ({OLD.filename: "failed"}, 6)
    assert world.count("DELETE") == 0


@pytest.mark.parametrize(("kind", "deletes"), [(Kind.REPLY_LOST, 1), (Kind.RESET, 2), (Kind.STATUS, 2)])
def test_a_lost_reply_is_settled_by_a_look(world: World, kind: Kind, deletes: int) -> None:
    fault(world, kind, method="DELETE", status=503)
    receipt = world.apply(world.plan())
    assert outcomes(receipt) == {OLD.filename: "done"}
    assert (world.count("DELETE"), KEY in world.content) == (deletes, False)


def test_a_server_that_never_deletes_gives_a_failure_and_nothing_else(world: World) -> None:
    fault(world, Kind.STATUS, method="DELETE", status=500, times=None)
    receipt = world.apply(world.plan())
    assert (outcomes(receipt), receipt.exit_code) == ({OLD.filename: "failed"}, 5)
    assert KEY in world.content


def test_what_somebody_else_deleted_just_before_is_already_done(world: World) -> None:
    plan = world.plan()
    fault(world, Kind.NOTHING, method="DELETE", hook=lambda: world.remove(OLD))
    receipt = world.apply(plan)
    assert (outcomes(receipt), receipt.exit_code) == ({OLD.filename: "already-done"}, 0)
    assert world.count("DELETE") == 1


def test_a_404_for_a_row_that_is_still_listed_is_no_success(world: World) -> None:
    fault(world, Kind.STATUS, method="DELETE", status=404, body=b"{}", content_type="application/json", times=None)
    receipt = world.apply(world.plan())
    assert (outcomes(receipt), receipt.exit_code) == ({OLD.filename: "failed"}, 5)
    assert world.count("DELETE") == 1


def test_a_row_that_was_replaced_since_the_preflight_is_left_alone(world: World) -> None:
    plan, other = world.plan(), rpm(version="1.0", salt="other")

    def swap() -> None:
        world.remove(OLD)
        world.put(other, created_at="2026-01-01T00:00:00.000Z")

    world.sandbox.packagecloud.cdn_faults.add(Fault(kind=Kind.NOTHING, hook=swap))
    receipt = world.apply(plan)
    assert (outcomes(receipt), receipt.exit_code) == ({OLD.filename: "stale"}, 4)
    assert world.count("DELETE") == 0
    assert world.content[KEY] == sha(other)


def test_a_failed_upload_keeps_the_deletions_of_its_distribution_only(world: World) -> None:
    world.publish(NEW, rpm("bad"))
    world.publish(deb(version="2.0"))
    world.put(deb(version="1.0"), JAMMY)
    world.put(deb(version="2.0"), JAMMY)
    plan = world.plan()
    fault(world, Kind.STATUS, method="POST", status=422, body=b'{"x":["y"]}', content_type="application/json")
    receipt = world.apply(plan)
    assert outcomes(receipt) == {
        "bad-1.0-1.x86_64.rpm": "failed",
        "hello-1.0-1.x86_64.rpm": "left",
        "hello_1.0-1_amd64.deb": "done",
    }
    assert receipt.lines[1].reason == "upload-missing"
    assert "bad-1.0-1.x86_64.rpm" in receipt.lines[1].message
    assert receipt.exit_code == 5


def test_a_foreign_change_before_the_deletions_stops_them(world: World) -> None:
    plan = world.plan()
    world.observed += [lambda: None, lambda: world.put(rpm("foreign"))]
    receipt = world.apply(plan)
    assert (outcomes(receipt), receipt.exit_code) == ({OLD.filename: "stale"}, 4)
    assert "foreign-1.0-1.x86_64.rpm" in receipt.lines[0].message
    assert world.count("DELETE") == 0


def test_a_foreign_change_elsewhere_does_not_stop_them(world: World) -> None:
    plan = world.plan()
    world.observed += [lambda: None, lambda: world.put(deb("foreign"), JAMMY)]
    assert outcomes(world.apply(plan)) == {OLD.filename: "done"}


def test_own_uploads_are_no_foreign_change_even_if_the_listing_lags(world: World) -> None:
    world.publish(NEW, rpm("more"))
    world.sandbox.packagecloud.listing_lag = 2
    receipt = world.apply(world.plan())
    assert outcomes(receipt) == {"more-1.0-1.x86_64.rpm": "done", OLD.filename: "done"}
    assert receipt.exit_code == 0


def test_obs_unsettled_before_the_deletions_leaves_them(world: World) -> None:
    plan = world.plan()
    world.observed += [lambda: None, lambda: world.unsettle("openSUSE_Leap_15.6")]
    receipt = world.apply(plan)
    assert (outcomes(receipt), receipt.exit_code) == ({OLD.filename: "left"}, 5)


def test_many_deletions_each_get_a_look_a_delete_and_a_proof(world: World) -> None:
    olds = [rpm(version=f"0.{number}") for number in range(5)]
    for old in olds:
        world.put(old)
    receipt = world.apply(world.plan(), jobs=3)
    assert {line.verified for line in receipt.lines} == {"absent"}
    assert (world.count("DELETE"), world.content) == (6, {f"{LEAP}/{NEW.filename}": sha(NEW)})


def test_a_delete_that_is_asked_to_wait_waits_and_is_sent_again(world: World) -> None:
    plan = world.plan()
    fault(world, Kind.STATUS, method="DELETE", status=429, headers={"Retry-After": "7"})
    fault(world, Kind.STATUS, method="DELETE", status=429, headers={"Retry-After": "86400"}, nth=2)
    receipt = world.apply(plan)
    assert (outcomes(receipt), receipt.exit_code) == ({OLD.filename: "done"}, 0)
    assert (world.pauses, world.count("DELETE")) == ([7, 120], 3)


@pytest.mark.parametrize(("status", "code"), [(402, 9), (429, 9), (401, 7), (403, 7)])
def test_a_refusal_that_all_would_meet_stops_the_other_deletions(world: World, status: int, code: int) -> None:
    world.put(rpm(version="0.5"))
    plan = world.plan()
    fault(world, Kind.STATUS, method="DELETE", status=status, times=None)
    receipt = world.apply(plan, jobs=1)
    assert sorted(outcomes(receipt).values()) == ["failed", "left"]
    assert (receipt.exit_code, world.count("DELETE"), len(world.content)) == (code, 1, 3)


def test_one_bad_row_does_not_stop_the_other_deletions(world: World) -> None:
    other = rpm(version="0.5")
    world.put(other)
    plan = world.plan()
    words = b'{"error":["is locked"]}'
    fault(world, Kind.STATUS, path="0[.]5", method="DELETE", status=422, body=words, content_type="application/json")
    receipt = world.apply(plan, jobs=1)
    assert outcomes(receipt) == {other.filename: "failed", OLD.filename: "done"}
    assert receipt.lines[0].message == f"Packagecloud refused the deletion of {LEAP}/{other.filename}: status 422"
    assert (receipt.exit_code, world.count("DELETE")) == (5, 2)
