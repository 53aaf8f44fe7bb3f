"""The files of projects whose publishing is disabled: read from ``_result``, downloaded once and hashed.

OBS states no sha256 of all that is built (README.md, "Rebuilds"), so a listing alone proves no content. Only the files
that pass the filters are downloaded; what the others are called protects from deletion all the same.
"""

import hashlib
import json
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from contextlib import contextmanager
from typing import BinaryIO, cast

from msgspec import Struct, field

from pkgsync.cache import Cache
from pkgsync.errors import IntegrityError, ReadError, StorageError
from pkgsync.formats.fields import check_filename
from pkgsync.formats.headers import read_package
from pkgsync.model import Index, IndexedFile, Problem
from pkgsync.model.filename import class_of, is_imported, type_of
from pkgsync.obs.client import ObsClient
from pkgsync.obs.hashing import copy, digest_of
from pkgsync.obs.indexes import IndexRead
from pkgsync.obs.mapping import Wanted
from pkgsync.obs.memo import Memo
from pkgsync.obs.results import ArchitectureResults, BuiltCopy, ProjectResult
from pkgsync.obs.settled import together
from pkgsync.progress import Progress
from pkgsync.reasons import Reason

Wants = Callable[[str, Sequence[str] | None], bool]
"""(file name, the project's ``architectures``) -> whether the file is synced."""
_MEMO_FOLDER = "built"


Found = IndexedFile | ReadError | IntegrityError | None
"""What came of reading a copy; None: not tried, as another one of the repository could not be read."""
Reading = Mapping[BuiltCopy, Found]


def chosen(w: Wanted, results: ArchitectureResults, wants: Wants) -> tuple[BuiltCopy, ...]:
    """The copy of each wanted file: of a noarch or all file that of the first architecture in config order.

    A package without a known state is passed over: what is being deleted still shows files.
    """
    found: dict[str, BuiltCopy] = {}
    for name in _order(w, results):
        for package in results[name].packages:
            for file in package.files if package.code != "unknown" else ():
                if wants(file.filename, w.project.architectures):
                    made = BuiltCopy(repository=w.name, architecture=name, package=package.name, file=file)
                    # README.md, "Published tree": every architecture has a copy of its own of a noarch file
                    found.setdefault(file.filename, made)
    return tuple(found[filename] for filename in sorted(found))


def _order(w: Wanted, results: ArchitectureResults) -> Iterator[str]:
    """As the config orders the architectures, then as ``_meta`` does; ignored ones last."""
    names = dict.fromkeys((*(w.project.architectures or ()), *(w.expected or ()), *sorted(results)))
    yield from sorted((n for n in names if n in results), key=lambda n: n in w.project.ignore_architectures)


def index_of(w: Wanted, reading: Reading, results: ArchitectureResults, wants: Wants) -> IndexRead:
    """The index of what was read, as far as it stands unchanged in the second look, or why there is none."""
    stands = set(chosen(w, results, wants))
    failed = {made: found for made, found in reading.items() if isinstance(found, ReadError | IntegrityError)}
    for made, error in failed.items():
        if made in stands and isinstance(error, ReadError):
            problem = Problem(Reason.UNREAD, f"{w.id}: {error.message}", cure=error.tip)
            return IndexRead(index=None, problems=(problem,), unread=True)
    # files that the second look lacks: they went away under the reader, and the next run may find them
    if failed.keys() - stands:
        return IndexRead(
            index=None, problems=(Problem(Reason.INDEX_CHANGED, f"{w.id}: what is built changes while it is read"),)
        )
    # the failed one is among those that another config, whose reading this is, wants beside these
    if any(found is None for found in reading.values()):
        problem = Problem(Reason.UNREAD, f"{w.id}: not all that is built was read", cure="Take a new snapshot.")
        return IndexRead(index=None, problems=(problem,), unread=True)
    files = tuple(f for made, f in reading.items() if made in stands and isinstance(f, IndexedFile))
    index = Index(top_sha256=listing_sha256(results), revision=None, files=files)
    doubts = {made.file.filename: _broken(w, error) for made, error in failed.items()}
    problems = together(doubts)
    if w.name not in w.project.may_be_empty and not any(map(_is_package, _filenames(results))):
        empty = Problem(Reason.INDEX_EMPTY, f"{w.id}: OBS has built no package for it", lasting=True)
        problems = (*problems, empty)
    return IndexRead(index=index, problems=problems, doubts=doubts, unread=bool(doubts))


def _broken(w: Wanted, error: ReadError | IntegrityError) -> Problem:
    """A file that came as it is listed and is no package: it alone is not offered, whatever else was built."""
    return Problem(Reason.UNREAD, f"{w.id}: {error.message}", lasting=True, cure="Build it anew in OBS.")


def listing_sha256(results: ArchitectureResults) -> str:
    """Over the sorted [architecture, package, file name, size, mtime] of everything that is built."""
    # README.md, "Rebuilds": OBS states no contents here, so size and time stand in for them
    listed = sorted(
        [result.name, package.name, file.filename, file.size, file.mtime]
        for result in results.values()
        for package in result.packages
        for file in package.files
    )
    return hashlib.sha256(json.dumps(listed, separators=(",", ":")).encode()).hexdigest()


def _filenames(results: ArchitectureResults) -> Iterator[str]:
    return (f.filename for result in results.values() for package in result.packages for f in package.files)


def _is_package(filename: str) -> bool:
    return type_of(filename) is not None and not is_imported(filename)


class BuiltFiles(Struct, frozen=True, eq=False, kw_only=True):
    """Reads built files into ``cache``; what it holds already is not downloaded again."""

    client: ObsClient
    cache: Cache
    wants: Wants
    memos: dict[str, Memo] = field(default_factory=dict)

    def read(
        self, repositories: Sequence[Wanted], first: ProjectResult, executor: Executor, progress: Progress
    ) -> dict[Wanted, Reading]:
        """The chosen copies of a project's repositories. After a failed read no more of that repository are tried.

        Raises AuthenticationError, StorageError; other failures stand in the result.
        """
        project = repositories[0].project.name
        if project not in self.memos:
            self.memos[project] = Memo(self.cache.folder / _MEMO_FOLDER, self.client.api, project)
        work = [(w, made) for w in repositories for made in chosen(w, first.architectures(w.name), self.wants)]
        failed: set[Wanted] = set()

        def one(item: tuple[Wanted, BuiltCopy]) -> Found:
            w, made = item
            try:
                return None if w in failed else self._read(w, made, task.advance)
            except IntegrityError as error:
                return error
            except ReadError as error:
                # from several threads at once: at worst one more file is tried
                failed.add(w)
                return error

        with progress.task("Hashing built files", sum(made.file.size for _, made in work), "bytes") as task:
            found = list(executor.map(one, work))
        readings: dict[Wanted, dict[BuiltCopy, Found]] = {w: {} for w in repositories}
        for (w, made), result in zip(work, found, strict=True):
            readings[w][made] = result
        return dict(readings)

    def _read(self, w: Wanted, made: BuiltCopy, on_bytes: Callable[[int], None]) -> IndexedFile:
        """The file with its sha256 and what its header says. Raises ReadError, IntegrityError, StorageError."""
        file = made.file
        check_filename(file.filename, w.id)
        sha256 = self.memos[w.project.name].sha256(made)
        if sha256 is not None and (kept := self.cache.open(sha256, file.size)) is not None:
            with kept:
                on_bytes(file.size)
                # the cache has just verified every byte: only the header is needed
                return _indexed(made, sha256, kept, verify=False)
        try:
            return self._fetch(w, made, on_bytes)
        except IntegrityError:  # damaged on its way, perhaps: once more
            on_bytes(-file.size)
            return self._fetch(w, made, on_bytes)

    def _fetch(self, w: Wanted, made: BuiltCopy, on_bytes: Callable[[int], None]) -> IndexedFile:
        file = made.file
        with self._scratch() as sink:
            place = self.client.built_place(w.project.name, w.name, made.path)
            place.session.download(place.route, sink, size=file.size, on_bytes=on_bytes)
            # before the cache: with no stated sum, bytes that are no package would be kept as if they were right
            found = _indexed(made, digest_of(sink, "sha256"), sink, verify=True)
            self.cache.add(found.sha256, file.size, lambda target, _: copy(sink, target))
            return found

    def remember(self, project: str, readings: Mapping[Wanted, Reading], second: ProjectResult) -> None:
        """Keep for the next run what the second look shows too. Raises StorageError."""
        if readings:
            read = ((made, found) for copies in readings.values() for made, found in copies.items())
            confirmed = {made: found.sha256 for made, found in read if isinstance(found, IndexedFile)}
            self.memos[project].remember(confirmed, set(_copies(second)))

    @contextmanager
    def _scratch(self) -> Iterator[BinaryIO]:
        """A file without a name beside the cache's own, as only whole files with a known sum may go in there."""
        try:
            self.cache.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            with tempfile.TemporaryFile(dir=self.cache.folder) as stream:
                yield cast(BinaryIO, stream)
        except OSError as error:
            raise StorageError.of(self.cache.folder, error) from error


def _copies(result: ProjectResult) -> Iterator[BuiltCopy]:
    for repository, architectures in result.repositories.items():
        for architecture in architectures.values():
            for package in architecture.packages:
                for file in package.files:
                    yield BuiltCopy(
                        repository=repository, architecture=architecture.name, package=package.name, file=file
                    )


def _indexed(made: BuiltCopy, sha256: str, stream: BinaryIO, *, verify: bool) -> IndexedFile:
    """Raises IntegrityError where the bytes are no package."""
    header = read_package(stream, made.file.filename, verify=verify)
    return IndexedFile(
        filename=made.file.filename,
        path=made.path,
        size=made.file.size,
        sha256=sha256,
        type=header.type,
        name=header.name,
        version=header.version,
        architecture=header.architecture,
        file_class=class_of(header.type, header.name, header.architecture),
    )
