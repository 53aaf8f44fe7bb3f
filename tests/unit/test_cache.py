"""The content-addressed store: verified on write and on read, whatever happened to it in between."""

import errno
import fcntl
import os
import subprocess
import sys
import threading
from datetime import timedelta
from pathlib import Path
from typing import BinaryIO

import pytest

import pkgsync.cache as stores
from pkgsync.cache import Backups, Cache
from pkgsync.errors import IntegrityError, ReadError, StorageError

BYTES = b"hello world"
SHA256 = "b94d27b9934d3e08a52e52d7da7dabfac484efe37a5380ee9088f7ace2efcde9"
PLACE = f"objects/b9/{SHA256}"
OTHER = b"abc"
OTHER_SHA256 = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


class Fetched:
    """A fetch that writes the rest of ``content``, and remembers the offsets it was asked for."""

    def __init__(self, content: bytes = BYTES) -> None:
        self.content = content
        self.offsets: list[int] = []

    def __call__(self, sink: BinaryIO, offset: int) -> int:
        self.offsets.append(offset)
        sink.write(self.content[offset:])
        return len(self.content)


@pytest.fixture
def cache(tmp_path: Path) -> Cache:
    return Cache(tmp_path / "cache")


def never(sink: BinaryIO, offset: int) -> int:
    raise AssertionError("must not be fetched")


def put(cache: Cache, name: str, data: bytes) -> Path:
    path = cache.folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


def test_an_added_file_is_found_by_its_sum_and_not_fetched_again(cache: Cache) -> None:
    path = cache.add(SHA256, 11, Fetched())

    assert path == cache.folder / PLACE
    assert path.read_bytes() == BYTES
    assert cache.path(SHA256, 11) == path
    assert cache.add(SHA256, 11, never) == path
    assert [entry.name for entry in path.parent.iterdir()] == [SHA256]


def test_an_unknown_file_is_none_and_makes_no_folder(cache: Cache) -> None:
    assert cache.path(SHA256, 11) is None
    assert cache.open(SHA256) is None
    assert not cache.folder.exists()


def test_a_size_is_told_without_reading_and_never_believed(cache: Cache) -> None:
    assert cache.size(SHA256) is None
    assert not cache.folder.exists()
    cache.add(SHA256, None, Fetched())
    assert cache.size(SHA256) == 11
    (cache.folder / PLACE).write_bytes(OTHER)
    assert cache.size(SHA256) == 3
    assert cache.path(SHA256, 3) is None


def test_the_size_of_a_link_is_none(cache: Cache, tmp_path: Path) -> None:
    cache.add(SHA256, None, Fetched())
    (tmp_path / "elsewhere").write_bytes(BYTES)
    (cache.folder / PLACE).unlink()
    (cache.folder / PLACE).symlink_to(tmp_path / "elsewhere")
    assert cache.size(SHA256) is None


def test_open_gives_the_verified_bytes_from_the_start(cache: Cache) -> None:
    cache.add(SHA256, 11, Fetched())
    stream = cache.open(SHA256, 11)
    assert stream is not None
    with stream:
        assert stream.read() == BYTES


def test_an_unknown_size_is_fine_for_a_backup(cache: Cache) -> None:
    assert cache.add(SHA256, None, Fetched()).read_bytes() == BYTES
    assert cache.path(SHA256) is not None


@pytest.mark.parametrize("content", [b"hello worle", b"hello worl", b"", b"hello world!"])
def test_wrong_bytes_are_fetched_once_and_never_kept(cache: Cache, content: bytes) -> None:
    fetch = Fetched(content)
    with pytest.raises(IntegrityError, match=SHA256):
        cache.add(SHA256, 11, fetch)
    assert fetch.offsets == [0]
    assert cache.path(SHA256, 11) is None
    assert list((cache.folder / "objects/b9").iterdir()) == []


@pytest.mark.parametrize("kind", [Cache, Backups])
@pytest.mark.parametrize("content", [b"hello worle", b"hello", b""])
def test_an_object_that_went_bad_is_not_believed_and_mended(tmp_path: Path, kind: type[Cache], content: bytes) -> None:
    store = kind(tmp_path)
    store.add(SHA256, 11, Fetched()).write_bytes(content)
    assert store.path(SHA256) is None
    assert (tmp_path / PLACE).read_bytes() == content
    assert store.add(SHA256, 11, Fetched()).read_bytes() == BYTES


def test_a_look_takes_nothing_away_that_another_thread_brings_meanwhile(
    cache: Cache, monkeypatch: pytest.MonkeyPatch
) -> None:
    verified = stores._verified

    def overtaken(place: Path, sha256: str) -> BinaryIO | None:
        found = verified(place, sha256)
        monkeypatch.undo()
        Cache(cache.folder).add(SHA256, 11, Fetched())
        return found

    monkeypatch.setattr(stores, "_verified", overtaken)
    assert cache.path(SHA256, 11) is None
    assert (cache.folder / PLACE).read_bytes() == BYTES


def test_the_right_bytes_with_another_promised_size_are_refused_and_kept(cache: Cache) -> None:
    cache.add(SHA256, 11, Fetched())
    assert cache.path(SHA256, 12) is None
    with pytest.raises(IntegrityError):
        cache.add(SHA256, 12, Fetched())
    assert cache.path(SHA256, 11) == cache.folder / PLACE


def test_a_cut_off_file_is_resumed(cache: Cache) -> None:
    def cut(sink: BinaryIO, offset: int) -> int:
        sink.write(b"hello ")
        raise ReadError("the connection was reset")

    with pytest.raises(ReadError, match="reset"):
        cache.add(SHA256, 11, cut)
    assert (cache.folder / f"{PLACE}.part").read_bytes() == b"hello "
    assert cache.path(SHA256, 11) is None

    fetch = Fetched()
    cache.add(SHA256, 11, fetch)
    assert fetch.offsets == [6]


def test_a_failure_before_the_first_byte_leaves_nothing(cache: Cache) -> None:
    def refused(sink: BinaryIO, offset: int) -> int:
        raise ReadError("no")

    with pytest.raises(ReadError):
        cache.add(SHA256, 11, refused)
    assert cache.info().partials == 0


def test_a_resumed_file_that_comes_out_wrong_is_fetched_from_the_start(cache: Cache) -> None:
    put(cache, f"{PLACE}.part", b"HELLO ")
    fetch = Fetched()
    assert cache.add(SHA256, 11, fetch).read_bytes() == BYTES
    assert fetch.offsets == [6, 0]


@pytest.mark.parametrize("left", [b"hello world and more", b"HELLO WORLD"])
def test_a_partial_file_that_is_too_long_starts_over(cache: Cache, left: bytes) -> None:
    put(cache, f"{PLACE}.part", left)
    fetch = Fetched()
    cache.add(SHA256, 11, fetch)
    assert fetch.offsets == [0]


@pytest.mark.parametrize("size", [11, None])
def test_a_kill_between_the_last_byte_and_the_rename_costs_no_second_fetch(cache: Cache, size: int | None) -> None:
    put(cache, f"{PLACE}.part", BYTES)
    assert cache.add(SHA256, size, never).read_bytes() == BYTES
    assert cache.info().partials == 0


def test_a_source_that_starts_over_by_itself_is_fine(cache: Cache) -> None:
    put(cache, f"{PLACE}.part", b"hello ")

    def restart(sink: BinaryIO, offset: int) -> int:
        sink.seek(0)
        sink.truncate()
        return sink.write(BYTES)

    assert cache.add(SHA256, 11, restart).read_bytes() == BYTES


def test_a_symbolic_link_in_place_of_an_object_is_not_followed(cache: Cache, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.write_bytes(BYTES)
    (cache.folder / "objects/b9").mkdir(parents=True)
    (cache.folder / PLACE).symlink_to(outside)

    assert cache.path(SHA256, 11) is None
    assert cache.add(SHA256, 11, Fetched()).read_bytes() == BYTES
    assert not (cache.folder / PLACE).is_symlink()
    assert outside.read_bytes() == BYTES


def test_a_symbolic_link_in_place_of_a_partial_file_is_not_written_through(cache: Cache, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.write_bytes(b"mine")
    (cache.folder / "objects/b9").mkdir(parents=True)
    (cache.folder / f"{PLACE}.part").symlink_to(outside)

    assert cache.add(SHA256, 11, Fetched()).read_bytes() == BYTES
    assert outside.read_bytes() == b"mine"


@pytest.mark.parametrize("name", ["objects", "objects/b9"])
def test_a_symbolic_link_in_place_of_a_folder_is_an_error(cache: Cache, tmp_path: Path, name: str) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    link = cache.folder / name
    link.parent.mkdir(parents=True)
    link.symlink_to(outside)

    with pytest.raises(StorageError, match="symbolic link"):
        cache.add(SHA256, 11, Fetched())
    with pytest.raises(StorageError, match="symbolic link"):
        cache.path(SHA256, 11)
    assert list(outside.iterdir()) == []


def test_a_pipe_in_place_of_an_object_does_not_block(cache: Cache) -> None:
    (cache.folder / "objects/b9").mkdir(parents=True)
    os.mkfifo(cache.folder / PLACE)
    os.mkfifo(cache.folder / f"{PLACE}.part")
    assert cache.path(SHA256, 11) is None
    assert cache.add(SHA256, 11, Fetched()).read_bytes() == BYTES


@pytest.mark.parametrize("name", ["", "../../etc/passwd", SHA256.upper(), SHA256[:-1], SHA256 + "\n"])
def test_only_a_sha256_names_a_file(cache: Cache, name: str) -> None:
    with pytest.raises(IntegrityError):
        cache.path(name, 11)
    with pytest.raises(IntegrityError):
        cache.add(name, 11, never)


def test_a_file_where_the_folder_should_be_is_a_clear_error(tmp_path: Path) -> None:
    (tmp_path / "cache").write_bytes(b"")
    with pytest.raises(StorageError, match="cannot be used") as caught:
        Cache(tmp_path / "cache").add(SHA256, 11, Fetched())
    assert "another folder" in caught.value.tip


def test_a_full_disk_is_a_clear_error_and_what_came_is_kept(cache: Cache) -> None:
    def full(sink: BinaryIO, offset: int) -> int:
        sink.write(b"hello")
        raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(StorageError, match="No space left on device") as caught:
        cache.add(SHA256, 11, full)
    assert "space" in caught.value.tip
    assert cache.info().partial_bytes == 5


def test_threads_that_want_one_file_fetch_it_once(cache: Cache) -> None:
    started, go_on = threading.Event(), threading.Event()
    fetches: list[int] = []

    def slow(sink: BinaryIO, offset: int) -> int:
        fetches.append(offset)
        started.set()
        assert go_on.wait(20)
        return sink.write(BYTES)

    found: list[Path] = []
    first = threading.Thread(target=lambda: found.append(cache.add(SHA256, 11, slow)))
    first.start()
    assert started.wait(20)
    others = [
        threading.Thread(target=lambda: found.append(Cache(cache.folder).add(SHA256, 11, slow))) for _ in range(3)
    ]
    for other in others:
        other.start()
    go_on.set()
    for thread in (first, *others):
        thread.join(20)

    assert found == [cache.folder / PLACE] * 4
    assert fetches == [0]


def test_a_killed_process_leaves_its_bytes_and_no_lock(cache: Cache) -> None:
    program = (
        "import os, sys; from pathlib import Path; from pkgsync.cache import Cache\n"
        "def fetch(sink, offset):\n"
        "    sink.write(b'hello '); sink.flush(); os.kill(os.getpid(), 9)\n"
        f"Cache(Path(sys.argv[1])).add('{SHA256}', 11, fetch)\n"
    )
    ended = subprocess.run([sys.executable, "-c", program, str(cache.folder)], check=False)
    assert ended.returncode == -9

    fetch = Fetched()
    assert cache.add(SHA256, 11, fetch).read_bytes() == BYTES
    assert fetch.offsets == [6]


def fill_for_pruning(cache: Cache) -> None:
    """Two objects, used at 1000 and 2000 seconds, and a partial file of 1500."""
    for path, used in (
        (cache.add(SHA256, 11, Fetched()), 1000),
        (cache.add(OTHER_SHA256, 3, Fetched(OTHER)), 2000),
        (put(cache, f"objects/cc/{'c' * 64}.part", b"12345"), 1500),
    ):
        os.utime(path, (used, used))


def left(cache: Cache) -> list[str]:
    return sorted(path.name[:2] for path in cache.folder.glob("objects/*/*"))


def test_info_counts_objects_and_partial_files(cache: Cache) -> None:
    fill_for_pruning(cache)
    put(cache, "objects/b9/README", b"not ours")
    info = cache.info()
    assert (info.objects, info.bytes, info.partials, info.partial_bytes) == (2, 14, 1, 5)
    assert Cache(cache.folder / "none").info().objects == 0


@pytest.mark.parametrize(
    ("max_bytes", "files", "freed", "remaining"),
    [(19, 0, 0, ["b9", "ba", "cc"]), (18, 1, 11, ["ba", "cc"]), (3, 2, 16, ["ba"]), (0, 3, 19, [])],
)
def test_prune_to_a_size_removes_the_longest_unused_first(
    cache: Cache, max_bytes: int, files: int, freed: int, remaining: list[str]
) -> None:
    fill_for_pruning(cache)
    pruned = cache.prune(max_bytes=max_bytes)
    assert (pruned.files, pruned.bytes) == (files, freed)
    assert left(cache) == remaining


def test_prune_by_age(cache: Cache, monkeypatch: pytest.MonkeyPatch) -> None:
    fill_for_pruning(cache)
    monkeypatch.setattr("time.time", lambda: 2100.0)
    cache.prune(older_than=timedelta(seconds=600))
    assert left(cache) == ["ba", "cc"]


def test_reading_counts_as_use(cache: Cache) -> None:
    fill_for_pruning(cache)
    assert cache.path(SHA256, 11) is not None
    cache.prune(max_bytes=11)
    assert left(cache) == ["b9"]


def test_prune_without_a_limit_removes_everything_but_other_peoples_files(cache: Cache) -> None:
    fill_for_pruning(cache)
    put(cache, "objects/b9/README", b"not ours")
    assert cache.prune().files == 3
    assert left(cache) == ["RE"]


def test_prune_leaves_a_partial_file_that_somebody_fills(cache: Cache) -> None:
    partial = put(cache, f"{PLACE}.part", b"hello ")
    with partial.open("r+b") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        assert cache.prune().files == 0
    assert cache.prune().files == 1


# notes


def test_the_last_note_under_a_name_counts(cache: Cache) -> None:
    assert cache.read_note(SHA256) is None
    cache.write_note(SHA256, b"old")
    cache.write_note(SHA256, b"new")
    assert cache.read_note(SHA256) == b"new"
    assert cache.read_note(OTHER_SHA256) is None
    path = cache.folder / f"notes/b9/{SHA256}"
    assert (
        path.read_bytes() == bytes.fromhex("11507a0e2f5e69d5dfa40a62a1bd7b6ee57e6bcd85c67c9b8431b36fff21c437") + b"new"
    )
    assert path.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("cut", [0, 5, 32, 34])
def test_a_note_that_is_cut_is_none(cache: Cache, cut: int) -> None:
    cache.write_note(SHA256, b"new")
    path = cache.folder / f"notes/b9/{SHA256}"
    path.write_bytes(path.read_bytes()[:cut])
    assert cache.read_note(SHA256) is None


def test_a_note_with_a_wrong_byte_or_behind_a_link_is_none(cache: Cache) -> None:
    cache.write_note(SHA256, b"new")
    path = cache.folder / f"notes/b9/{SHA256}"
    right = path.read_bytes()
    path.write_bytes(right[:-1] + b"W")
    assert cache.read_note(SHA256) is None
    path.unlink()
    path.symlink_to(put(cache, "elsewhere", right))
    assert cache.read_note(SHA256) is None


def test_where_nothing_can_be_noted_the_run_goes_on(cache: Cache) -> None:
    put(cache, "notes", b"a file in its place")
    cache.write_note(SHA256, b"new")
    assert cache.read_note(SHA256) is None


def test_notes_are_counted_and_pruned(cache: Cache) -> None:
    cache.write_note(SHA256, b"new")
    assert (cache.info().objects, cache.info().bytes) == (1, 35)
    assert (cache.prune().files, cache.info().objects) == (1, 0)


@pytest.mark.parametrize(("store", "named"), [(Cache, []), (Backups, [False, True])])
def test_only_what_cannot_be_fetched_again_must_outlive_a_power_cut(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, store: type[Cache], named: list[bool]
) -> None:
    """The bytes are on the disk before the name, and then the name; a cache reads what it holds before it uses it."""
    found: list[bool] = []
    monkeypatch.setattr(os, "fsync", lambda _handle: found.append((tmp_path / PLACE).exists()))
    store(tmp_path).add(SHA256, 11, Fetched())
    assert found == named
