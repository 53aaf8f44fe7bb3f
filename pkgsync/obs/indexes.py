"""Published indexes, read so that what they say holds together: top file, list of packages, top file again."""

import hashlib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping

from attrs import astuple, field, frozen

from pkgsync.errors import IntegrityError, NotFoundError, ReadError
from pkgsync.formats import debian, rpmmd
from pkgsync.formats.index_entries import IndexEntry, Pointer, unique
from pkgsync.formats.sums import opened
from pkgsync.model import BuiltPackage, Index, IndexedFile, PackageType, Problem
from pkgsync.model.filename import type_of
from pkgsync.obs import settled
from pkgsync.obs.client import ObsClient, Place, from_places
from pkgsync.obs.hashing import Hasher, with_sha256
from pkgsync.obs.mapping import Wanted
from pkgsync.obs.parsed import ParsedIndexes
from pkgsync.obs.results import ArchitectureResults
from pkgsync.reasons import Reason

_EMPTY_DIRECTORY = re.compile(rb"\s*(<\?xml[^>]*\?>\s*)?<directory\s*(/>|>\s*</directory>)\s*")
PAUSES = (2.0, 5.0)
"""Seconds before the second and the third look at something that changes while it is read."""
NOTHING_SHA256 = hashlib.sha256(b"").hexdigest()
"""The ``top_sha256`` of a repository that may be empty and publishes no index at all."""


@frozen(kw_only=True)
class IndexFormat:
    """One kind of index: the path of its top file, and how its two files are read."""

    top: str
    parse_top: Callable[[bytes, str], Pointer]
    parse_packages: Callable[[Iterable[bytes], str], Iterator[IndexEntry]]


RPM = IndexFormat(top=rpmmd.TOP, parse_top=rpmmd.parse_top, parse_packages=rpmmd.parse_packages)
DEBIAN = IndexFormat(top=debian.TOP, parse_top=debian.parse_top, parse_packages=debian.parse_packages)


@frozen(kw_only=True)
class IndexRead:
    """What came of reading an index. ``doubts`` are about single files, by name; ``unread``: a read failed for good.

    Without an index and a problem there is none.
    """

    index: Index | None
    problems: tuple[Problem, ...] = ()
    doubts: Mapping[str, Problem] = field(factory=dict)
    unread: bool = False


_NEW_INDEX = "Waiting does not help: OBS must publish another index, or map the repository to null."
_PERHAPS_LATER = "Plan again later; if it stays so, OBS must publish another index, or map the repository to null."


class _ChangedError(IntegrityError):
    """The top file is another one after its packages were read."""


class _UnusableError(IntegrityError):
    """The list of packages is whole, as its sum says, and cannot be used: so it stays until OBS publishes another."""


class _NoIndexError(IntegrityError):
    """The answer says that there is no index though something was built; asked again it may be another one."""


class _ForeignError(IntegrityError):
    """The index says that it is of another repository."""


def read_index(
    client: ObsClient,
    wanted: Wanted,
    results: ArchitectureResults,
    *,
    hasher: Hasher | None,
    parsed: ParsedIndexes | None,
    pause: Callable[[float], object],
) -> IndexRead:
    """The index of a repository, or why there is none. ``results`` tells which kind of packages it holds.

    Raises AuthenticationError; every other failure is an outcome.
    """
    reader = _IndexReader(client, wanted, [p for result in results.values() for p in result.packages], hasher, parsed)
    try:
        index = _patiently(reader, pause)
        if index is None and wanted.name in wanted.project.may_be_empty:
            index = reader.confirmed_absence()
    except (ReadError, IntegrityError) as error:
        return _failed(wanted, error, settled.is_at_rest(results))
    return IndexRead(index=index)


def _failed(wanted: Wanted, error: ReadError | IntegrityError, at_rest: bool) -> IndexRead:
    if isinstance(error, _NoIndexError):
        return IndexRead(index=None, problems=(Problem(Reason.INDEX_EMPTY, error.message, lasting=True),))
    if isinstance(error, _ForeignError):
        foreign = Problem(Reason.INDEX_CHANGED, error.message, lasting=True, cure=error.tip)
        return IndexRead(index=None, problems=(foreign,))
    # what does not fit together is a publish at work, unless the repository is at rest: then it is broken
    in_motion = isinstance(error, IntegrityError | NotFoundError) and not at_rest
    if isinstance(error, _ChangedError) or in_motion:
        message = f"{wanted.id}: the published index changes while it is read"
        return IndexRead(index=None, problems=(Problem(Reason.INDEX_CHANGED, message),))
    cure = error.tip or (_PERHAPS_LATER if isinstance(error, IntegrityError) else "")
    lasting = isinstance(error, _UnusableError)
    unread = Problem(Reason.UNREAD, f"{wanted.id}: {error.message}", lasting=lasting, cure=cure)
    return IndexRead(index=None, problems=(unread,), unread=True)


def _patiently(reader: "_IndexReader", pause: Callable[[float], object]) -> Index | None:
    """An index replaced under the reader gives a 404 or a wrong checksum, and mostly is whole a moment later.

    README.md, "Published tree".
    """
    for seconds in PAUSES:
        try:
            return reader.read()
        except (NotFoundError, IntegrityError):
            pause(seconds)
    return reader.read()


class _IndexReader:
    """Reads the index of one repository; what was built there tells which kind of index is the likelier one."""

    def __init__(
        self,
        client: ObsClient,
        wanted: Wanted,
        packages: Iterable[BuiltPackage],
        hasher: Hasher | None,
        parsed: ParsedIndexes | None,
    ) -> None:
        built = {type_of(file.filename) for package in packages for file in package.files}
        self._client = client
        self._wanted = wanted
        self._hasher = hasher
        self._parsed = parsed
        self._kinds = (DEBIAN, RPM) if PackageType.DEB in built and PackageType.RPM not in built else (RPM, DEBIAN)
        self._nothing_built = built <= {None}

    def read(self) -> Index | None:
        """The index, None if there is none of either kind. Raises ReadError, IntegrityError."""
        project, repository = self._wanted.project.name, self._wanted.name
        kind, top = self._top()
        if kind is None:
            return None
        pointer = kind.parse_top(top, f"{self._wanted.id}/{kind.top}")
        self._check_origin(pointer.origin)
        what = f"{self._wanted.id}/{pointer.path}"
        packed = self._packages(pointer, what)
        try:
            files = self._files(kind, packed, pointer, what)
        except IntegrityError as error:
            raise _UnusableError(error.message, tip=error.tip or _NEW_INDEX) from None
        # README.md, "Published tree": nothing is switched at once, so only a top file that stayed vouches for the rest
        if self._client.top(project, repository, kind.top) != top:
            raise _ChangedError(f"{self._wanted.id}/{kind.top}: changed while it was read")
        return Index(top_sha256=hashlib.sha256(top).hexdigest(), revision=pointer.revision, files=files)

    def _files(self, kind: IndexFormat, packed: bytes, pointer: Pointer, what: str) -> tuple[IndexedFile, ...]:
        project, repository = self._wanted.project.name, self._wanted.name
        limit = self._client.limits.max_index_open_bytes

        def parse() -> tuple[IndexEntry, ...]:
            return tuple(unique(kind.parse_packages(opened(packed, what, pointer.unpacked, limit), what), what))

        def complete(entry: IndexEntry) -> IndexedFile:
            return with_sha256(entry, project, repository, self._hasher)

        if not packed:
            return ()
        if self._parsed is None:
            return tuple(map(complete, parse()))
        stated, suffix = astuple(pointer.unpacked), pointer.path.rpartition(".")[2]
        made_of = (kind.top, suffix, stated, limit, hashlib.sha256(packed).hexdigest())
        return self._parsed.files(self._wanted.id, made_of, parse, complete)

    def _packages(self, pointer: Pointer, what: str) -> bytes:
        """The verified list of packages, as it is; one of no bytes is not asked for: an empty answer is no answer."""

        def one(place: Place) -> bytes:
            # not cut at its stated size: one that outgrew it was replaced under the reader, and is whole the next time
            limit = self._client.limits.max_index_bytes
            packed = place.session.get(place.route, max_bytes=limit, decode=False, elsewhere=True).body
            pointer.packed.verify(packed, what)
            return packed

        if pointer.packed.size == 0:
            pointer.packed.verify(b"", what)
            return b""
        return from_places(
            self._client.published_places(self._wanted.project.name, self._wanted.name, pointer.path), one
        )

    def _check_origin(self, origin: str | None) -> None:
        """The name of the server is not compared: it may change, and the API may call itself otherwise."""
        ours = [self._wanted.project.name, self._wanted.name]
        if origin is not None and origin.rstrip("/").split("/")[-2:] != ours:
            raise _ForeignError(
                f"{self._wanted.id}: the published index says that it is of another repository",
                tip="Look where `published_url` leads, or tell who runs the server.",
            )

    def confirmed_absence(self) -> Index | None:
        """An index of nothing where OBS took it away with the last package; absence counts only if seen twice."""
        if not self._nothing_built or self._top()[0] is not None:
            return None
        return Index(top_sha256=NOTHING_SHA256, revision=None, files=())

    def _top(self) -> tuple[IndexFormat | None, bytes]:
        """The top file of the first kind that is there.

        Directly under a repository the backend answers a 200 with an empty directory for what is not there
        (README.md, "Published tree"); so do some of its answers that mean "could not tell".
        """
        false_empty = False
        for kind in self._kinds:
            try:
                top = self._client.top(self._wanted.project.name, self._wanted.name, kind.top)
            except NotFoundError:
                continue
            if not _EMPTY_DIRECTORY.fullmatch(top):
                return kind, top
            false_empty = True
        if false_empty and not self._nothing_built:
            raise _NoIndexError(f"{self._wanted.id}: OBS publishes no index for it")
        return None, b""
