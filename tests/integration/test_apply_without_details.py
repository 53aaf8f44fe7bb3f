"""Rows without a usable detail route: what they hold is known by checksum, or by downloading it, without a size."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from pkgsync.sandbox import Fault, Kind, Reply
from tests.support.worlds.apply_world import JAMMY, LEAP, World, deb, open_world, outcomes, rpm, sha

NEW, OLD = rpm(version="2.0"), rpm(version="1.0")
REBUILT, BEFORE = deb(version="1.0", salt="new"), deb(version="1.0")


def without(*names: str, method: str | None = "GET") -> Fault:
    """Every answer with these fields left empty, in rows and in details."""

    def change(reply: Reply) -> Reply:
        document = json.loads(reply.body)
        for item in document if isinstance(document, list) else [document]:
            item.update({name: "" for name in names if name in item})
        return Reply(status=reply.status, headers=reply.headers, body=json.dumps(document).encode())

    return Fault(kind=Kind.REWRITE, path=r"(packages|search)\.json", method=method, times=None, change=change)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with open_world(tmp_path) as world:
        yield world


def test_what_is_replaced_or_deleted_is_kept_without_knowing_its_size(world: World) -> None:
    world.publish(NEW)
    world.publish(REBUILT)
    world.put(NEW)
    world.put(OLD)
    world.put(BEFORE, JAMMY)
    world.sandbox.packagecloud.faults.add(without("package_url"))
    receipt = world.apply(world.plan())
    assert outcomes(receipt) == {OLD.filename: "done", BEFORE.filename: "done"}
    assert world.content == {f"{LEAP}/{NEW.filename}": sha(NEW), f"{JAMMY}/{REBUILT.filename}": sha(REBUILT)}
    kept = world.backups
    assert kept is not None
    assert kept.path(sha(OLD)) is not None
    assert kept.path(sha(BEFORE)) is not None


def test_an_upload_that_no_answer_vouches_for_is_downloaded_back(world: World) -> None:
    world.publish(NEW)
    world.sandbox.packagecloud.faults.add(without("package_url", "sha256sum", method=None))
    receipt = world.apply(world.plan())
    assert (outcomes(receipt), receipt.lines[0].verified) == ({NEW.filename: "done"}, "download")
    assert world.content == {f"{LEAP}/{NEW.filename}": sha(NEW)}
