"""Gets the bytes of a transfer into hand, verified: from OBS into the cache, or out of the backup store."""

from collections.abc import Callable, Sequence
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
from pkgsync.obs import Place, from_places


@frozen(kw_only=True)
class Fetcher:
    places: Callable[[Transfer], Sequence[Place]]
    cache: Cache
    backups: Cache
    patience: Patience

    def fetch(self, task: Task, action: Transfer) -> StoredFile:
        """The planned bytes, resumed where a partial file is at hand.

        Raises NotFoundError where no place has the file, IntegrityError where the API's bytes are others again and
        again, ReadError, OSError.
        """
        if action.source.kind == "backup":
            path = self._kept(action)
        else:
            path = from_places(self.places(action), lambda place: self._cached(task, action, place))
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

    def _cached(self, task: Task, action: Transfer, place: Place) -> Path:
        attempt = 1
        while True:
            try:
                return self.cache.add(action.sha256, action.size, partial(_download, task, action, place))
            except IntegrityError as error:
                if attempt >= self.patience.fetches or place != self.places(action)[-1]:
                    raise
                self.patience.retry(action.key, attempt, self.patience.fetches, error)
                attempt += 1


def _download(task: Task, action: Transfer, place: Place, sink: BinaryIO, offset: int) -> int:
    return place.session.download(place.route, sink, size=action.size, offset=offset, on_bytes=task.count_down)
