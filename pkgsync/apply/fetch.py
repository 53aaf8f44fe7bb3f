"""Gets the bytes of a transfer into hand, verified: from OBS into the cache, or out of the backup store."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import BinaryIO

from msgspec import Struct

from pkgsync.apply.options import Patience
from pkgsync.apply.outcome import Task
from pkgsync.apply.stored import StoredFile
from pkgsync.cache import Cache
from pkgsync.errors import IntegrityError, ReadError
from pkgsync.formats.headers import PackageHeader, read_package
from pkgsync.model import IndexedFile, Transfer
from pkgsync.model.filename import SOURCES
from pkgsync.obs import Place, from_places

Claimed = tuple[str, str, str]
"""Project, repository and path of a file of OBS."""


def claimed(action: Transfer) -> Claimed:
    return action.source.project, action.source.repository, action.source.path


class Fetcher(Struct, frozen=True, kw_only=True):
    """``claims`` is what the indexes of OBS say that the files are."""

    claims: Mapping[Claimed, IndexedFile]
    places: Callable[[Transfer], Sequence[Place]]
    cache: Cache
    backups: Cache
    patience: Patience

    def fetch(self, task: Task, action: Transfer) -> StoredFile:
        """The planned bytes, resumed where a partial file is at hand.

        Raises NotFoundError where no place has the file, IntegrityError where the API's bytes are others again and
        again or no package such as the index says, ReadError, OSError.
        """
        if action.source.kind == "backup":
            path = self._kept(action)
        else:
            path = from_places(self.places(action), lambda place: self._cached(task, action, place))
        task.signed = self._header(action, path).signed
        return StoredFile(path=path, size=action.size, sha256=action.sha256)

    def _header(self, action: Transfer, path: Path) -> PackageHeader:
        """What the file itself says that it is, which is what the index says; of a backup nothing says it."""
        with path.open("rb") as stream:
            header = read_package(stream, action.filename, verify=False)
        if action.source.kind == "obs":  # due only where an index offers it: without its word nothing is uploaded
            _refuse_other(header, self.claims[claimed(action)])
        return header

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


def _refuse_other(header: PackageHeader, claim: IndexedFile) -> None:
    """Raises IntegrityError where the file says that it is another package than the index does."""
    own, indexed = _parts(header), _parts(claim)
    if other := [part for part in own if own[part] != indexed[part]]:
        said, claimed = (", ".join(f"{part} {of[part]}" for part in other) for of in (own, indexed))
        raise IntegrityError(f"Its own header says {said}; the index says {claimed}.", tip="Build it anew in OBS.")


def _parts(package: PackageHeader | IndexedFile) -> Mapping[str, object]:
    """What makes it that package. Indexes call a source package without sources src, too."""
    return {
        "type": package.type,
        "name": package.name,
        "version": package.version,
        "architecture": "src" if package.architecture in SOURCES else package.architecture,
    }


def _download(task: Task, action: Transfer, place: Place, sink: BinaryIO, offset: int) -> int:
    return place.session.download(place.route, sink, size=action.size, offset=offset, on_bytes=task.count_down)
