"""Gets bytes into hand, verified: the planned ones from OBS, the old ones back from Packagecloud.

Files are streamed, whatever their size, and a stream to Packagecloud is checked once more while it is read.
"""

import hashlib
import io
import os
import tempfile
from functools import partial
from pathlib import Path
from typing import BinaryIO, Literal

from attrs import define, frozen

from pkgsync.apply.job import Job
from pkgsync.apply.task import Task
from pkgsync.cache import Cache
from pkgsync.errors import IntegrityError, ReadError
from pkgsync.model import Row, Transfer


@frozen(kw_only=True)
class Content:
    """A file in hand: ``size`` bytes with this sha256 at ``path``, to stand as ``filename`` in the distribution."""

    distribution: str
    filename: str
    sha256: str
    size: int
    path: Path

    @property
    def key(self) -> str:
        return f"{self.distribution}/{self.filename}"

    @property
    def type(self) -> str:
        """Packagecloud's package type: the file name's extension."""
        return self.filename.rpartition(".")[2]


class VerifiedFile(io.FileIO):
    """Reads a file whose last bytes come only if all of it has the given size and sha256.

    So that an upload of bytes that changed under our hands breaks off before the server has all of them.
    """

    def __init__(self, path: Path, *, size: int, sha256: str) -> None:
        """Raises OSError, and IntegrityError where the size differs."""
        super().__init__(path, "rb")
        self._size = self._left = size
        self._expected = sha256
        self._hash = hashlib.sha256()
        if os.fstat(self.fileno()).st_size != size:
            self.close()
            raise IntegrityError(f"The file for {sha256} changed its size on this machine.")

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        """Going back to the start begins the check anew; any other seek spoils it, and the last bytes never come."""
        position = super().seek(offset, whence)
        self._hash = hashlib.sha256()
        self._left = self._size - position
        return position

    def read(self, size: int | None = -1, /) -> bytes:
        data = super().read(self._left if size is None or size < 0 else size) or b""
        self._hash.update(data)
        self._left -= len(data)
        ended = self._left <= 0 or (not data and size != 0)
        if ended and (self._left != 0 or self._hash.hexdigest() != self._expected):
            raise IntegrityError(f"The file for {self._expected} changed on this machine while it was uploaded.")
        return data


def undo_of(job: Job, sha256: str, archived: str | None = None) -> Literal["backup", "archive", "none"]:
    """From where a file that is no longer there could be brought back; ``archived`` names an archive that holds it."""
    if job.backup is not None and job.backup.path(sha256) is not None:
        return "backup"
    return "archive" if archived is not None else "none"


@define
class Transporter:
    """Fetches content into the cache or the backup store."""

    job: Job

    def new(self, task: Task, action: Transfer) -> Path:
        """The planned bytes in the cache, verified, resumed where a partial file is at hand.

        Raises NotFoundError where OBS has not got the file any more, IntegrityError where its bytes are others again
        and again, ReadError, OSError.
        """
        if action.source.kind == "backup":
            return self._kept(action)
        attempt = 1
        while True:
            try:
                return self.job.cache.add(action.sha256, action.size, partial(self._fetch, task, action))
            except IntegrityError:
                if attempt >= self.job.limits.fetches:
                    raise
                self.job.pause(self.job.limits.wait_seconds(attempt))
                attempt += 1

    def _fetch(self, task: Task, action: Transfer, sink: BinaryIO, offset: int) -> int:
        return self.job.fetch(action, sink, offset, task.count_down)

    def _kept(self, action: Transfer) -> Path:
        path = self.job.backup.path(action.sha256, action.size) if self.job.backup is not None else None
        if path is None:
            raise ReadError(f"The backup store does not hold the bytes of {action.key}.", tip="Check `--backup-dir`.")
        return path

    @property
    def store(self) -> Cache:
        """Where old bytes are kept: the backup store, or for the time of a replacement the cache."""
        return self.job.backup if self.job.backup is not None else self.job.cache

    def old(self, task: Task, row: Row, sha256: str) -> Path:
        """The bytes of a row, downloaded back and verified. Raises IntegrityError, ReadError, StorageError."""
        kept = self.store.path(sha256)
        if kept is not None:
            return kept
        size = self._size(row)

        def fetch(sink: BinaryIO, offset: int) -> int:
            return self.job.packagecloud.download(row, sink, size, offset, task.count_down)

        return self.store.add(sha256, size, fetch)

    def _size(self, row: Row) -> int | None:
        """The bytes that Packagecloud says the file has; None where it does not: the checksum proves them anyway."""
        try:
            return self.job.packagecloud.details(row).size
        except ReadError:
            return None

    def hash_of(self, row: Row, size: int) -> str:
        """The sha256 of what Packagecloud serves for the row, which should have ``size`` bytes. Raises ReadError."""
        with tempfile.TemporaryFile(dir=self.job.state_dir) as sink:
            self.job.packagecloud.download(row, sink, size)
            sink.seek(0)
            return hashlib.file_digest(sink, "sha256").hexdigest()
