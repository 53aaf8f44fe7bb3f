"""A content-addressed store of files, verified whenever it is written to and whenever it is read from.

Layout: ``objects/ab/SHA256``, with ``SHA256.part`` for what is still incomplete. A partial file is locked by whoever
fills it, so that processes and threads wait for each other instead of fetching twice; the lock ends with its holder,
and what a killed one leaves is resumed. The download cache and the backup store are both such folders.
Beside them ``notes/ab/NAME``: what takes long to make of bytes that come again, with a sum of its own.
"""

import errno
import fcntl
import hashlib
import os
import re
import stat
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from datetime import timedelta
from pathlib import Path
from typing import BinaryIO, cast

from msgspec import Struct

from pkgsync.errors import IntegrityError, LockedError, StorageError
from pkgsync.files import sync_folder, write_atomically

SinkWriter = Callable[[BinaryIO, int], int]
"""Writes one file into the sink, which holds ``offset`` bytes and stands at its end; returns the size in bytes."""

_SHA256 = re.compile(r"[0-9a-f]{64}")
_ENTRY = re.compile(r"[0-9a-f]{64}(\.part)?")
_SUM_BYTES = 32
# a link in a file's place could show another file, a pipe would block for ever
_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_FILL = os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


class CacheInfo(Struct, frozen=True, kw_only=True):
    """What a cache holds. ``partials`` are downloads under way or cut off; sizes in bytes."""

    folder: Path
    objects: int
    bytes: int
    partials: int
    partial_bytes: int


class Pruned(Struct, frozen=True):
    """How many files a prune removed, and their bytes."""

    files: int
    bytes: int


class _CacheFile(Struct, frozen=True, kw_only=True):
    path: Path
    size: int
    used_at: float

    @property
    def partial(self) -> bool:
        return self.path.suffix == ".part"


class Cache:
    """One store in one folder, which is made when something is added. Safe for threads and for several processes.

    Every method raises StorageError if the folder cannot be read or written, or a symbolic link stands in it.
    """

    # a power cut may spoil what it holds, which the next read then notices: another download, and no fsync for each
    _survives_power_cuts = False

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._objects = folder / "objects"
        self._notes = folder / "notes"

    def path(self, sha256: str, size: int | None = None) -> Path | None:
        """Where the object is, after reading all of it.

        None if it is missing, has another size, or is not what its name says. That stays until ``add`` puts it right:
        whoever took it away here could take what another run has just put in its place.
        """
        stream = self.open(sha256, size)
        if stream is None:
            return None
        stream.close()
        return self._place(sha256)

    def open(self, sha256: str, size: int | None = None) -> BinaryIO | None:
        """The object as a stream whose bytes have just been verified, at its start; None as for ``path``."""
        place = self._place(sha256)
        with self._guard():
            stream = _verified(place, sha256)
            if stream is None:
                return None
            if size not in (None, os.fstat(stream.fileno()).st_size):  # whoever asks is wrong, not the file
                stream.close()
                return None
            with suppress(OSError):  # the time of use only orders a prune; a read-only cache is still of use
                os.utime(stream.fileno())
            return stream

    def size(self, sha256: str) -> int | None:
        """How many bytes the object has, without reading them; whoever uses it verifies. None if it is missing."""
        with self._guard():
            stream = _open_regular(self._place(sha256))
            if stream is None:
                return None
            with stream:
                return os.fstat(stream.fileno()).st_size

    def add(self, sha256: str, size: int | None, fetch: SinkWriter) -> Path:
        """Make sure that the object is there, and return its path. ``fetch`` is called only if it is not.

        Resumes a partial file; if the result is wrong, fetches once more from the start. Raises IntegrityError if that
        is wrong too (nothing is kept), and whatever ``fetch`` raises (the partial file is kept).
        """
        place = self._place(sha256)
        if self.path(sha256, size) is not None:
            return place
        with self._guard():
            if not place.parent.is_dir():  # path() has just refused a link there
                self._make_folders(place.parent)
            with _locked_partial(place) as partial:
                # again, now under the lock: who held it before may have finished the file
                if self.path(sha256, size) is None:
                    _fill(partial, sha256, size, fetch)
                    self._keep(partial, place)
        return place

    def read_note(self, name: str) -> bytes | None:
        """What was last noted under ``name`` (64 hex digits); None where that is nothing, damaged or unreadable."""
        # it only saves time: whoever asks can do without
        with suppress(OSError, StorageError):
            stream = _open_regular(self._notes / name[:2] / name)
            if stream is None:
                return None
            with stream:
                data = stream.read()
                with suppress(OSError):
                    os.utime(stream.fileno())
            if hashlib.sha256(memoryview(data)[_SUM_BYTES:]).digest() == data[:_SUM_BYTES]:
                return data[_SUM_BYTES:]
        return None

    def write_note(self, name: str, data: bytes) -> None:
        """Note ``data`` under ``name`` (64 hex digits) instead of what was there; where that fails, nothing is."""
        place = self._notes / name[:2] / name
        with suppress(OSError, StorageError):
            self._make_folders(place.parent)
            write_atomically(place, hashlib.sha256(data).digest() + data, mode=0o600)

    def _keep(self, partial: BinaryIO, place: Path) -> None:
        """A kill may fall anywhere: the object gets its name only when it is whole."""
        if self._survives_power_cuts:
            os.fsync(partial.fileno())
        Path(partial.name).replace(place)
        if self._survives_power_cuts:
            sync_folder(place.parent)

    def info(self) -> CacheInfo:
        """Count without verifying."""
        with self._guard():
            entries = list(self._entries())
        partials = [entry for entry in entries if entry.partial]
        return CacheInfo(
            folder=self.folder,
            objects=len(entries) - len(partials),
            bytes=sum(entry.size for entry in entries if not entry.partial),
            partials=len(partials),
            partial_bytes=sum(entry.size for entry in partials),
        )

    @contextmanager
    def in_use(self) -> Iterator[None]:
        """Keep others from pruning while the context lasts. A folder that cannot be locked is not."""
        with ExitStack() as stack:
            with suppress(OSError):
                self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
                fcntl.flock(stack.enter_context(_opened_folder(self.folder)), fcntl.LOCK_SH)
            yield

    def prune(self, *, older_than: timedelta | None = None, max_bytes: int | None = None) -> Pruned:
        """Remove what was last used longer ago than ``older_than``, then the longest unused until ``max_bytes`` remain.

        Without either, everything goes. A partial file that somebody fills right now stays. Raises LockedError while
        a run uses the cache.
        """
        if not self.folder.exists():
            return Pruned(0, 0)
        with self._guard(), _opened_folder(self.folder) as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                words = f"A run uses the cache {self.folder}: nothing was removed."
                raise LockedError(words, tip="Prune when that apply has ended.") from None
            entries = sorted(self._entries(), key=lambda entry: entry.used_at)
            removed = [entry for entry in _due(entries, older_than, max_bytes) if _prune(entry)]
        return Pruned(files=len(removed), bytes=sum(entry.size for entry in removed))

    def _place(self, sha256: str) -> Path:
        if not _SHA256.fullmatch(sha256):
            raise IntegrityError("A file cannot be stored without its sha256.")
        return self._objects / sha256[:2] / sha256

    def _make_folders(self, shard: Path) -> None:
        # 0700: what private repositories publish is nobody else's business
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        for folder in (shard.parent, shard):
            # put there by others, it would have us write, and later delete, elsewhere
            _refuse_link(folder)
            folder.mkdir(exist_ok=True, mode=0o700)

    def _entries(self) -> Iterator[_CacheFile]:
        for kind in (self._objects, self._notes):
            _refuse_link(kind)
            yield from self._entries_of(kind)

    def _entries_of(self, kind: Path) -> Iterator[_CacheFile]:
        for shard in sorted(kind.iterdir()) if kind.exists() else ():
            if shard.is_symlink() or not shard.is_dir():
                continue
            for entry in os.scandir(shard):
                if _ENTRY.fullmatch(entry.name) and entry.is_file(follow_symlinks=False):
                    found = entry.stat(follow_symlinks=False)
                    yield _CacheFile(path=Path(entry.path), size=found.st_size, used_at=found.st_mtime)

    @contextmanager
    def _guard(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise StorageError.of(self.folder, error) from error


class Backups(Cache):
    """The store of what apply takes away. Its files may be the last of their kind: nothing ever removes one."""

    _survives_power_cuts = True


@contextmanager
def _opened_folder(folder: Path) -> Iterator[int]:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _refuse_link(folder: Path) -> None:
    if folder.is_symlink():
        raise StorageError(f"{folder} is a symbolic link; pkgsync does not follow it.", tip="Remove the link.")


def _open_regular(place: Path) -> BinaryIO | None:
    """Open a plain file for reading; None for anything else, a link or a pipe too."""
    _refuse_link(place.parent.parent)
    _refuse_link(place.parent)
    try:
        descriptor = os.open(place, _READ)
    except FileNotFoundError:
        return None
    except OSError as error:
        # a link: what O_NOFOLLOW says of it
        if error.errno == errno.ELOOP:
            return None
        raise
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        return None
    return cast(BinaryIO, os.fdopen(descriptor, "rb"))


def _verified(place: Path, sha256: str) -> BinaryIO | None:
    """The file as a stream if its bytes are the promised ones."""
    stream = _open_regular(place)
    right = False
    try:
        right = stream is not None and _is(stream, sha256, None)
    finally:
        if stream is not None and not right:
            stream.close()
    return stream if right else None


def _is(stream: BinaryIO, sha256: str, size: int | None) -> bool:
    """Whether all bytes of the stream are the promised ones; leaves it at its start."""
    if size is not None and os.fstat(stream.fileno()).st_size != size:
        return False
    stream.seek(0)
    right = hashlib.file_digest(stream, "sha256").hexdigest() == sha256  # type: ignore[arg-type]
    stream.seek(0)
    return right


@contextmanager
def _locked_partial(place: Path) -> Iterator[BinaryIO]:
    """The object's partial file, open for reading and writing, while nobody else fills it."""
    partial = place.with_name(f"{place.name}.part")
    while True:
        with _open_partial(partial) as stream:
            fcntl.flock(stream, fcntl.LOCK_EX)
            if _is_still(stream, partial):
                try:
                    yield stream
                finally:
                    # nothing came: no empty file is left to be resumed
                    if stream.seek(0, os.SEEK_END) == 0 and _is_still(stream, partial):
                        partial.unlink()
                return


def _open_partial(partial: Path) -> BinaryIO:
    if os.path.lexists(partial) and not stat.S_ISREG(partial.lstat().st_mode):
        partial.unlink()
    # Path.open takes no opener
    return open(partial, "r+b", opener=lambda path, flags: os.open(path, flags | _FILL, 0o600))


def _is_still(stream: BinaryIO, partial: Path) -> bool:
    """Whether the locked file still has its name: who held the lock before may have renamed or removed it."""
    with suppress(FileNotFoundError):
        return os.path.samestat(os.fstat(stream.fileno()), partial.lstat())
    return False


def _fill(partial: BinaryIO, sha256: str, size: int | None, fetch: SinkWriter) -> None:
    """Fetch what is missing; a resumed file that comes out wrong is fetched again from the start."""
    offset = partial.seek(0, os.SEEK_END)
    if offset and size in {None, offset} and _is(partial, sha256, size):
        return
    # without a size nobody can tell whether anything is still to come
    if size is None or offset >= size:
        offset = 0
    for start in sorted({offset, 0}, reverse=True):
        partial.seek(start)
        partial.truncate()
        fetch(partial, start)
        partial.flush()
        if _is(partial, sha256, size):
            return
    _remove(partial)
    raise IntegrityError(
        f"A fetched file does not have the promised sha256 {sha256}; it was thrown away.",
        tip="Run the command again; if it stays so, make a new plan.",
    )


def _remove(partial: BinaryIO) -> None:
    Path(partial.name).unlink(missing_ok=True)


def _due(entries: list[_CacheFile], older_than: timedelta | None, max_bytes: int | None) -> Iterator[_CacheFile]:
    """Those of ``entries``, the longest unused first, that must go."""
    oldest = time.time() - older_than.total_seconds() if older_than is not None else None
    left = sum(entry.size for entry in entries)
    for entry in entries:
        old = oldest is not None and entry.used_at < oldest
        over = max_bytes is not None and left > max_bytes
        if old or over or (oldest is None and max_bytes is None):
            left -= entry.size
            yield entry


def _prune(entry: _CacheFile) -> bool:
    """Remove one file; False if it is gone already, or a partial one in use."""
    # whoever has it open reads on: only the name goes
    if not entry.partial:
        entry.path.unlink(missing_ok=True)
        return True
    with suppress(BlockingIOError, FileNotFoundError), entry.path.open("r+b") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        entry.path.unlink()
        return True
    return False
