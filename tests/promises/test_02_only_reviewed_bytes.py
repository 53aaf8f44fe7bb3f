"""Promise 2: nothing is uploaded whose size and sha256 differ from the plan's, whatever happens to the bytes on the way."""

import hashlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

import pytest
from msgspec.structs import replace

from pkgsync.apply.stored import StoredFile, VerifiedFile
from pkgsync.errors import IntegrityError
from pkgsync.model import Plan
from pkgsync.sandbox import Artifact, Fault, Kind
from tests.support.worlds.apply_world import FILES, JAMMY, LEAP, World, deb, open_world, rpm, sha

FILE = rpm(size=100_000)
BEFORE, AFTER = deb(salt="before"), deb(salt="after", size=100_000)
REVIEWED = {f"{LEAP}/{FILE.filename}": sha(FILE), f"{JAMMY}/{AFTER.filename}": sha(AFTER)}


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with open_world(tmp_path) as world:
        world.publish(FILE)
        world.publish(AFTER)
        world.put(BEFORE, JAMMY)
        yield world


def assert_only_reviewed_bytes_arrived(world: World) -> None:
    for key, found in world.content.items():
        assert found in (REVIEWED[key], sha(BEFORE)), f"{key} was not reviewed"


@pytest.mark.parametrize("times", [1, 2, 3, None])
@pytest.mark.parametrize(
    "kind", [Kind.CORRUPT, Kind.TRUNCATE, Kind.CUT, Kind.EMPTY, Kind.RESET_MIDWAY, Kind.TYPE, Kind.ENDLESS]
)
def test_bad_bytes_from_obs(world: World, kind: Kind, times: int | None) -> None:
    plan = world.plan()
    world.sandbox.obs.faults.add(Fault(kind=kind, path=FILES, times=times, keep=50_000))
    first = world.apply(plan)
    assert_only_reviewed_bytes_arrived(world)
    if times is None and kind is not Kind.ENDLESS:
        assert first.exit_code in (5, 6)
        assert world.content == {f"{JAMMY}/{BEFORE.filename}": sha(BEFORE)}
    world.sandbox.obs.faults.clear()
    assert world.apply(plan).exit_code == 0
    assert world.content == REVIEWED


@pytest.mark.parametrize("when", ["before the preflight", "after the preflight"])
def test_a_file_that_obs_changed_since_the_plan(world: World, when: str) -> None:
    plan = world.plan()
    if when == "before the preflight":
        world.publish(rpm(size=100_000, salt="rebuilt"))
    else:
        fault = Fault(kind=Kind.NOTHING, path=FILES, hook=lambda: world.publish(rpm(size=100_000, salt="rebuilt")))
        world.sandbox.obs.faults.add(fault)
    receipt = world.apply(plan, jobs=1)
    assert receipt.exit_code != 0
    assert_only_reviewed_bytes_arrived(world)


def flip_a_bit(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)


def make_it_a_link(path: Path) -> None:
    elsewhere = path.with_name("elsewhere")
    elsewhere.write_bytes(b"other bytes")
    path.unlink()
    path.symlink_to(elsewhere)


def cut_it(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


@pytest.mark.parametrize("spoil", [flip_a_bit, make_it_a_link, cut_it])
def test_a_spoilt_cache(world: World, spoil: Callable[[Path], None]) -> None:
    plan = world.plan()
    refuse = world.sandbox.packagecloud.faults.add(Fault(kind=Kind.STATUS, method="POST", status=500, times=None))
    world.apply(plan)
    world.sandbox.packagecloud.faults.faults.remove(refuse)
    for cached in [path for path in (world.folder / "cache").rglob("*") if path.is_file()]:
        spoil(cached)
    receipt = world.apply(plan)
    assert receipt.exit_code == 0
    assert world.content == REVIEWED


def test_a_partial_file_with_wrong_bytes(world: World) -> None:
    plan = world.plan()
    partial = world.folder / "cache" / "objects" / sha(FILE)[:2] / f"{sha(FILE)}.part"
    partial.parent.mkdir(parents=True)
    partial.write_bytes(b"x" * 5000)
    world.sandbox.obs.ranges = True
    assert world.apply(plan).exit_code == 0
    assert world.content == REVIEWED


def test_a_file_that_changes_on_this_machine_while_it_is_uploaded(world: World) -> None:
    """The last bytes are held back until the checksum is right: the server never has a whole wrong file."""
    plan = world.plan()

    def change() -> None:
        for path in (world.folder / "cache").rglob("*"):
            if path.is_file():
                flip_a_bit(path)

    world.sandbox.packagecloud.faults.add(
        Fault(kind=Kind.NOTHING, path="/packages.json", method="GET", hook=change, nth=2, times=None)
    )
    world.apply(plan)
    assert_only_reviewed_bytes_arrived(world)


@pytest.mark.parametrize("size", [1, 4096, 8192, 1 << 20])
def test_the_last_bytes_of_a_changed_file_are_never_read(tmp_path: Path, size: int) -> None:
    path, right = tmp_path / "file", b"r" * 10_000
    path.write_bytes(right[:-1] + b"w")
    got = b""
    with (
        VerifiedFile(StoredFile(path=path, size=10_000, sha256=hashlib.sha256(right).hexdigest())) as stream,
        pytest.raises(IntegrityError),
    ):
        while piece := stream.read(size):
            got += piece
    assert len(got) < 10_000


def test_each_byte_is_hashed_once_on_its_way_here_and_once_on_its_way_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Often enough that nothing unverified is kept or sent, and not once more."""
    hashed = {"here": 0, "there": 0}
    digest, read = hashlib.file_digest, VerifiedFile.read

    def counted_digest(stream: BinaryIO, name: str) -> Any:
        hashed["here"] += os.fstat(stream.fileno()).st_size
        return digest(stream, name)  # type: ignore[arg-type]

    def counted_read(stream: VerifiedFile, size: int | None = -1, /) -> bytes:
        data = read(stream, size)
        hashed["there"] += len(data)
        return data

    monkeypatch.setattr(hashlib, "file_digest", counted_digest)
    monkeypatch.setattr(VerifiedFile, "read", counted_read)
    with open_world(tmp_path) as world:
        world.publish(FILE)
        assert world.apply(world.plan()).exit_code == 0
    assert hashed == {"here": FILE.blob.size, "there": FILE.blob.size}


def test_a_plan_of_other_bytes_uploads_nothing(world: World) -> None:
    """A plan edited by hand to name other bytes: OBS does not have them, so nothing is sent."""
    plan: Plan = world.plan()
    forged = replace(plan, uploads=tuple(replace(a, sha256="f" * 64) for a in plan.uploads))
    receipt = world.apply(forged)
    assert receipt.exit_code == 4
    assert world.count("POST") == 0


def test_two_uploads_never_mix_their_bytes(world: World) -> None:
    files: list[Artifact] = [rpm(f"tool{number}", size=20_000, salt=str(number)) for number in range(10)]
    world.publish(FILE, *files)
    world.apply(world.plan(), jobs=4)
    for file in files:
        assert world.content[f"{LEAP}/{file.filename}"] == sha(file)
