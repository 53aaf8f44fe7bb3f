"""Gets the bytes of a transfer into hand, verified: from OBS into the cache, or out of the backup store."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import BinaryIO

from attrs import frozen

from pkgsync.apply.options import Patience
from pkgsync.apply.outcome import Task
from pkgsync.apply.stored import StoredFile
from pkgsync.cache import Cache
from pkgsync.errors import IntegrityError, ReadError
from pkgsync.model import Transfer

Download = Callable[[Transfer, BinaryIO, int, Callable[[int], None]], int]
"""Writes the published file into the sink from an offset (bytes) on, telling each piece; returns the size in bytes."""


@frozen(kw_only=True)
class Fetcher:
    download: Download
    cache: Cache
    backups: Cache
    patience: Patience

    def fetch(self, task: Task, action: Transfer) -> StoredFile:
        """The planned bytes, resumed where a partial file is at hand.

        Raises NotFoundError where OBS has not got the file any more, IntegrityError where its bytes are others again
        and again, ReadError, OSError.
        """
        path = self._kept(action) if action.source.kind == "backup" else self._cached(task, action)
        return StoredFile(path=path, size=action.size, sha256=action.sha256)

    def _kept(self, action: Transfer) -> Path:
        path = self.backups.path(action.sha256)
        if path is None:
            words = f"The backup store does not hold the bytes of {action.key}."
            raise ReadError(words, tip="Check `--backup-dir`.")
        if (size := path.stat().st_size) != action.size:
            words = f"The backup of {action.key} has {size} bytes, the plan says {action.size}."
            raise IntegrityError(words, tip="Make the plan anew from the receipt: `pkgsync undo`.")
        return path

    def _cached(self, task: Task, action: Transfer) -> Path:
        attempt = 1
        while True:
            try:
                return self.cache.add(action.sha256, action.size, partial(self._download, task, action))
            except IntegrityError:  # a mirror may serve the file of before for a while
                if attempt >= self.patience.fetches:
                    raise
                self.patience.wait(attempt)
                attempt += 1

    def _download(self, task: Task, action: Transfer, sink: BinaryIO, offset: int) -> int:
        return self.download(action, sink, offset, task.count_down)
