"""Faults of this machine: full disks, folders that cannot be written, a preflight that fails. Nothing is lost."""

import errno
import itertools
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pkgsync import cache
from pkgsync.apply import journal
from pkgsync.apply.share import Part, Phase
from pkgsync.errors import ReadError, StorageError, UsageError
from pkgsync.sandbox import Fault, Kind
from tests.support.scope import EVERYTHING
from tests.support.worlds.apply_world import JAMMY, LEAP, World, deb, open_world, outcomes, rpm, sha

NEW, MORE, OLD = rpm(version="2.0"), rpm("more"), rpm(version="1.0")
WANTED = {f"{LEAP}/{NEW.filename}": sha(NEW), f"{LEAP}/{MORE.filename}": sha(MORE)}


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with open_world(tmp_path) as world:
        world.publish(NEW, MORE)
        world.put(OLD)
        yield world


def full_disk(*_: Any) -> None:
    raise OSError(28, "No space left on device")


@pytest.mark.parametrize("record", range(2, 8))
def test_a_disk_that_fills_up_at_any_journal_record(world: World, monkeypatch: pytest.MonkeyPatch, record: int) -> None:
    plan, write, count = world.plan(), journal._write_all, iter(range(1, 1000))

    def fills_up(stream: Any, data: bytes) -> None:
        if next(count) >= record:
            write(stream, data[: len(data) // 2])
            full_disk()
        write(stream, data)

    monkeypatch.setattr(journal, "_write_all", fills_up)
    receipt = world.apply(plan, jobs=1)
    # what the last record was to tell is done all the same, and the receipt says so
    assert (receipt.exit_code, receipt.complete) == ((1, True) if record == 7 else (5, False))
    assert any("No space left on device" in warning for warning in receipt.warnings)

    monkeypatch.setattr(journal, "_write_all", write)
    receipt = world.apply(plan)
    assert (receipt.exit_code, receipt.complete, world.content) == (0, True, WANTED)
    assert set(outcomes(receipt).values()) == {"done"}
    assert world.count("POST") == 2


def test_a_cache_that_cannot_be_written_stops_the_run(world: World) -> None:
    (world.folder / "cache").write_text("a file")
    receipt = world.apply(world.plan(), jobs=1)
    assert sorted(outcomes(receipt).values()) == ["failed", "left", "left"]
    assert (receipt.exit_code, world.count("POST"), world.count("DELETE")) == (5, 0, 0)


def test_a_backup_store_that_cannot_be_written_deletes_nothing(world: World) -> None:
    (world.folder / "backups").write_text("a file")
    receipt = world.apply(world.plan())
    assert outcomes(receipt)[OLD.filename] == "failed"
    assert (receipt.exit_code, world.count("DELETE")) == (5, 0)


def test_a_state_folder_that_cannot_be_written_changes_nothing(world: World) -> None:
    (world.folder / "state").write_text("a file")
    with pytest.raises(StorageError):
        world.apply(world.plan())
    assert world.count("POST") == 0


def test_a_receipt_that_cannot_be_written_is_found_before_the_first_change(world: World) -> None:
    with pytest.raises(UsageError, match="receipt"):
        world.apply(world.plan(), receipt=world.folder / "missing" / "plan.receipt.json")
    assert world.count("POST") == 0


def test_a_receipt_that_cannot_be_written_in_the_end_is_written_by_the_next_run(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = world.plan()
    with monkeypatch.context() as patch:
        replace = Path.replace

        def fail(self: Path, target: Path) -> Path:
            if "receipt" in target.name:
                full_disk()
            return replace(self, target)

        patch.setattr(Path, "replace", fail)
        with pytest.raises(StorageError, match="receipt"):
            world.apply(plan)
    assert not [path for path in world.folder.iterdir() if "receipt" in path.name]
    receipt = world.apply(plan)
    assert (receipt.exit_code, set(outcomes(receipt).values())) == (0, {"done"})
    assert receipt == world.receipt()


def test_a_preflight_that_fails_says_so_and_keeps_what_was_known(world: World) -> None:
    plan = world.plan()
    world.apply(plan, part=Part(Phase.UPLOADS))
    world.sandbox.packagecloud.faults.add(Fault(kind=Kind.STATUS, path="/packages.json", status=500, times=None))
    with pytest.raises(ReadError):
        world.apply(plan)
    receipt = world.receipt()
    assert outcomes(receipt) == {NEW.filename: "done", MORE.filename: "done", OLD.filename: "left"}
    assert (receipt.exit_code, receipt.complete) == (1, False)


def test_a_read_that_fails_before_the_deletions_leaves_them(world: World) -> None:
    plan = world.plan()

    def go_down() -> None:
        world.sandbox.packagecloud.faults.add(
            Fault(kind=Kind.STATUS, path="/packages.json", method="GET", status=500, times=None)
        )

    world.observed += [lambda: None, go_down]
    receipt = world.apply(plan)
    assert outcomes(receipt) == {NEW.filename: "done", MORE.filename: "done", OLD.filename: "left"}
    assert (receipt.exit_code, world.count("DELETE")) == (5, 0)


@pytest.mark.parametrize("fault", [None, Kind.REPLY_LOST, Kind.STATUS, Kind.CUT])
def test_no_secret_is_written(world: World, fault: Kind | None) -> None:
    plan = world.plan()
    if fault is not None:
        world.sandbox.packagecloud.faults.add(
            Fault(kind=fault, method="POST", status=500, body=world.sandbox.token.encode())
        )
    world.apply(plan)
    secrets = [world.sandbox.token, world.sandbox.packagecloud.read_token, world.sandbox.obs.password]
    written = [path for path in world.folder.rglob("*") if path.is_file()]
    assert len(written) >= 4
    for text in [path.read_bytes() for path in written] + ["\n".join(world.reported).encode()]:
        assert not [secret for secret in secrets if secret.encode() in text]


REBUILT, BUILT = deb(salt="after"), deb(salt="before")
BREAKS: list[tuple[Any, str, int]] = [
    (os, "fsync", errno.EIO),
    (os, "fsync", errno.ENOSPC),
    (Path, "replace", errno.EROFS),
    (Path, "replace", errno.ENOSPC),
    (cache, "_open_partial", errno.EROFS),
    (cache, "_open_partial", errno.ENOSPC),
    (cache, "_is", errno.EIO),
]


@pytest.mark.parametrize(
    ("owner", "name", "number"), BREAKS, ids=[f"{name}-{errno.errorcode[number]}" for _, name, number in BREAKS]
)
@pytest.mark.parametrize("nth", range(1, 25) if EVERYTHING else (1, 4, 9))
def test_any_file_operation_that_fails_from_some_moment_on(
    world: World, monkeypatch: pytest.MonkeyPatch, owner: Any, name: str, number: int, nth: int
) -> None:
    """The disk breaks, or is mounted read-only: nothing is lost, the next run finishes, and only what is done says 0."""
    world.publish(REBUILT)
    world.put(BUILT, JAMMY)
    plan, whole, count = world.plan(), getattr(owner, name), itertools.count(1)
    met = []

    def breaks(*arguments: Any, **options: Any) -> Any:
        if next(count) < nth:
            return whole(*arguments, **options)
        met.append(1)
        raise OSError(number, os.strerror(number))

    with monkeypatch.context() as patch:
        patch.setattr(owner, name, breaks)
        try:
            receipt = world.apply(plan, jobs=1)
            code = receipt.exit_code
        except StorageError as error:
            code = error.exit_code
    done = world.content == WANTED | {f"{JAMMY}/{REBUILT.filename}": sha(REBUILT)}
    assert code in (1, 5) or (code == 0 and done and receipt.complete)
    assert met or code == 0
    kept = cache.Cache(world.folder / "backups")
    assert world.content.get(f"{LEAP}/{OLD.filename}") == sha(OLD) or kept.path(sha(OLD)) is not None
    replaced = world.content.get(f"{JAMMY}/{BUILT.filename}")
    assert replaced in (sha(BUILT), sha(REBUILT)) or kept.path(sha(BUILT)) is not None

    receipt = world.apply(plan)
    assert (receipt.exit_code, receipt.complete) == (0, True)
    assert world.content == WANTED | {f"{JAMMY}/{REBUILT.filename}": sha(REBUILT)}
    stored = [entry for entry in world.sandbox.log.find("packagecloud", "POST") if entry.status == 201]
    restored = len(stored) - 3
    assert (restored, world.count("DELETE")) in ((0, 2), (1, 3)), "nothing was sent twice but what was put back"
