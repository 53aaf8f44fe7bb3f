"""Published indexes, read so that what they say holds together: top file, list of packages, top file again.

Both looks are apart: the caller takes the second one when all that must stand still meanwhile has been read.
"""

import hashlib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping

from msgspec import Struct, field, to_builtins

from pkgsync.backoff import patiently
from pkgsync.errors import IntegrityError, NotFoundError, ReadError, SignatureError
from pkgsync.formats import debian, rpmmd
from pkgsync.formats.index_entries import IndexEntry, Pointer, unique
from pkgsync.formats.sums import Checksum, opened
from pkgsync.model import Index, IndexedFile, PackageType, Problem, Relations, Repository, Signed
from pkgsync.model.filename import type_of
from pkgsync.obs import settled
from pkgsync.obs.client import ObsClient, Place, from_places
from pkgsync.obs.hashing import Hasher, with_sha256
from pkgsync.obs.mapping import Wanted
from pkgsync.obs.parsed import ParsedIndexes
from pkgsync.obs.results import ArchitectureResults
from pkgsync.reasons import Reason
from pkgsync.signatures import PublicKeys, verify

_FORGEABLE = ("md5", "sha1")
_EMPTY_DIRECTORY = re.compile(rb"\s*(<\?xml[^>]*\?>\s*)?<directory\s*(/>|>\s*</directory>)\s*")
NOTHING_SHA256 = hashlib.sha256(b"").hexdigest()
"""The ``top_sha256`` of a repository that may be empty and publishes no index at all."""


class IndexFormat(Struct, frozen=True, kw_only=True):
    """One kind of index: the paths of its top file and the signature over that, and how its two files are read."""

    top: str
    signature: str
    parse_top: Callable[[bytes, str], Pointer]
    parse_packages: Callable[[Iterable[bytes], str], Iterator[IndexEntry]]
    parse_relations: Callable[[Iterable[bytes], str], Iterator[tuple[IndexEntry, Relations]]]


RPM = IndexFormat(
    top=rpmmd.TOP,
    signature=f"{rpmmd.TOP}.asc",
    parse_top=rpmmd.parse_top,
    parse_packages=rpmmd.parse_packages,
    parse_relations=rpmmd.parse_relations,
)
# README.md, "Signatures": every OBS writes it, and newer ones an InRelease too
DEBIAN = IndexFormat(
    top=debian.TOP,
    signature=f"{debian.TOP}.gpg",
    parse_top=debian.parse_top,
    parse_packages=debian.parse_packages,
    parse_relations=debian.parse_relations,
)


class IndexRead(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What came of reading an index. ``doubts`` are about single files, by name; ``unread``: a read failed for good.

    Without an index and a problem there is none. ``newest`` is when the newest index was made that had been seen
    before, None where none is known.
    """

    index: Index | None
    problems: tuple[Problem, ...] = ()
    doubts: Mapping[str, Problem] = field(default_factory=dict)
    unread: bool = False
    newest: int | None = None


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


def _failed(wanted: Wanted, error: ReadError | IntegrityError, at_rest: bool) -> IndexRead:
    if isinstance(error, _NoIndexError):
        return IndexRead(index=None, problems=(Problem(Reason.INDEX_EMPTY, error.message, lasting=True),))
    if isinstance(error, _ForeignError):
        foreign = Problem(Reason.INDEX_CHANGED, error.message, lasting=True, cure=error.tip)
        return IndexRead(index=None, problems=(foreign,))
    # what does not fit together is a publish at work, unless the repository is at rest: then it is broken
    in_motion = isinstance(error, IntegrityError | NotFoundError) and not at_rest
    if isinstance(error, SignatureError) and not (in_motion and error.other_bytes):
        refused = Problem(Reason.SIGNATURE, error.message, lasting=True, cure=error.tip)
        return IndexRead(index=None, problems=(refused,), unread=True)
    if isinstance(error, _ChangedError) or in_motion:
        message = f"{wanted.id}: the published index changes while it is read"
        return IndexRead(index=None, problems=(Problem(Reason.INDEX_CHANGED, message),))
    cure = error.tip or (_PERHAPS_LATER if isinstance(error, IntegrityError) else "")
    lasting = isinstance(error, _UnusableError)
    unread = Problem(Reason.UNREAD, f"{wanted.id}: {error.message}", lasting=lasting, cure=cure)
    return IndexRead(index=None, problems=(unread,), unread=True)


class Listed(Struct, frozen=True):
    """An index as the first look shows it, with all that it lists; ``kind`` and ``index`` are None where there is none.

    It counts only if a look at the top file that begins later finds the same ``top``.
    """

    kind: IndexFormat | None
    top: bytes
    index: Index | None


def _packages(client: ObsClient, project: str, repository: str, pointer: Pointer, what: str) -> bytes:
    """The verified list of packages, as it is; one of no bytes is not asked for: an empty answer is no answer."""

    def one(place: Place) -> bytes:
        # not cut at its stated size: one that outgrew it was replaced under the reader, and is whole the next time
        limit = client.limits.max_index_bytes
        packed = place.session.get(place.route, max_bytes=limit, decode=False, elsewhere=True).body
        pointer.packed.verify(packed, what)
        return packed

    if pointer.packed.size == 0:
        pointer.packed.verify(b"", what)
        return b""
    return from_places(client.published_places(project, repository, pointer.path), one)


def read_relations(client: ObsClient, repository: Repository) -> Iterator[tuple[str, Relations]]:
    """What the files of an index need and provide, by sha256: 2 requests. Nothing where none was read, or it is empty.

    Raises ReadError, and IntegrityError where the index is no longer the one that was read.
    """
    if repository.index is None or not repository.index.files or repository.content == "build":
        return
    sums = {file.path: file.sha256 for file in repository.index.files}
    kind = RPM if repository.index.files[0].type is PackageType.RPM else DEBIAN
    # the very bytes that were read, and so verified where a key is pinned
    top = client.top(repository.project, repository.name, kind.top)
    if hashlib.sha256(top).hexdigest() != repository.index.top_sha256:
        raise _ChangedError(f"{repository.id}/{kind.top}: changed since it was read")
    pointer = kind.parse_top(top, f"{repository.id}/{kind.top}")
    what = f"{repository.id}/{pointer.path}"
    packed = _packages(client, repository.project, repository.name, pointer, what)
    pieces = opened(packed, what, pointer.unpacked, client.limits.max_index_open_bytes)
    yield from (
        (sums[entry.path], relations) for entry, relations in kind.parse_relations(pieces, what) if entry.path in sums
    )


class IndexReader:
    """Reads the index of one repository in two looks; ``results`` tell which kind of index is the likelier one.

    With ``keys`` no index counts that none of them vouches for. Both looks raise AuthenticationError, and ConfigError
    where nothing can verify; every other failure is an outcome.
    """

    def __init__(
        self,
        client: ObsClient,
        wanted: Wanted,
        results: ArchitectureResults,
        *,
        hasher: Hasher | None,
        parsed: ParsedIndexes | None,
        keys: PublicKeys | None,
    ) -> None:
        packages = (package for result in results.values() for package in result.packages)
        built = {type_of(file.filename) for package in packages for file in package.files}
        self._client = client
        self._wanted = wanted
        self._hasher = hasher
        self._parsed = parsed
        self._keys = keys
        self._kinds = (DEBIAN, RPM) if PackageType.DEB in built and PackageType.RPM not in built else (RPM, DEBIAN)
        self._nothing_built = built <= {None}
        self._at_rest = settled.is_at_rest(results)

    def listed(self) -> Listed | IndexRead:
        """The first look, or why it shows none.

        An index replaced under the reader gives a 404 or a wrong checksum, and mostly is whole a moment later
        (README.md, "Published tree").
        """
        try:
            return patiently(self._listed, self._client.pause, (NotFoundError, IntegrityError))
        except (ReadError, IntegrityError) as error:
            return _failed(self._wanted, error, self._at_rest)

    def confirmed(self, listed: Listed | IndexRead) -> tuple[IndexRead, bool]:
        """What came of the index after a second look at its top file; and whether both looks anew may do better."""
        if isinstance(listed, IndexRead):
            return listed, False
        try:
            return IndexRead(
                index=self._absent() if listed.kind is None else self._standing(listed.kind, listed)
            ), False
        except (ReadError, IntegrityError) as error:
            moved = isinstance(error, NotFoundError | IntegrityError)
            return _failed(self._wanted, error, self._at_rest), moved

    def _listed(self) -> Listed:
        """Raises ReadError, IntegrityError."""
        kind, top = self._top()
        if kind is None:
            return Listed(None, top, None)
        # first: nothing reads what nobody vouches for
        signature = self._signed(kind, top)
        pointer = kind.parse_top(top, f"{self._wanted.id}/{kind.top}")
        self._check_origin(pointer.origin)
        what = f"{self._wanted.id}/{pointer.path}"
        self._refuse_weak(pointer.packed.checksum, what)
        packed = _packages(self._client, self._wanted.project.name, self._wanted.name, pointer, what)
        try:
            files = self._files(kind, packed, pointer, what)
        except SignatureError:
            raise
        except IntegrityError as error:
            raise _UnusableError(error.message, tip=error.tip or _NEW_INDEX) from None
        sha256 = hashlib.sha256(top).hexdigest()
        index = Index(top_sha256=sha256, revision=pointer.revision, files=files, signature=signature)
        return Listed(kind, top, index)

    def _standing(self, kind: IndexFormat, listed: Listed) -> Index | None:
        # README.md, "Published tree": nothing is switched at once, so only a top file that stayed vouches for the rest
        if self._client.top(self._wanted.project.name, self._wanted.name, kind.top) != listed.top:
            raise _ChangedError(f"{self._wanted.id}/{kind.top}: changed while it was read")
        return listed.index

    def _absent(self) -> Index | None:
        """An index of nothing where OBS took it away with the last package; absence counts only if seen twice."""
        may_be_empty = self._wanted.name in self._wanted.project.may_be_empty and self._nothing_built
        # where there is no index, no key vouches for that
        if not may_be_empty or self._keys is not None or self._top()[0] is not None:
            return None
        return Index(top_sha256=NOTHING_SHA256, revision=None, files=())

    def _signed(self, kind: IndexFormat, top: bytes) -> Signed | None:
        """Who vouches for the top file. Raises SignatureError, also where there is no signature."""
        if self._keys is None:
            return None
        what = f"{self._wanted.id}/{kind.top}"
        try:
            signature = self._client.top(self._wanted.project.name, self._wanted.name, kind.signature)
        except NotFoundError:
            signature = b""
        if not signature or _EMPTY_DIRECTORY.fullmatch(signature):
            raise SignatureError(f"{what}: OBS has no signature of it ({kind.signature})", other_bytes=True)
        return verify(top, signature, self._keys, what)

    def _files(self, kind: IndexFormat, packed: bytes, pointer: Pointer, what: str) -> tuple[IndexedFile, ...]:
        project, repository = self._wanted.project.name, self._wanted.name
        limit = self._client.limits.max_index_open_bytes

        def parse() -> tuple[IndexEntry, ...]:
            return tuple(unique(kind.parse_packages(opened(packed, what, pointer.unpacked, limit), what), what))

        def complete(entry: IndexEntry) -> IndexedFile:
            self._refuse_weak(entry.checksum, f"{self._wanted.id}/{entry.path}")
            return with_sha256(entry, project, repository, self._hasher)

        if not packed:
            return ()
        if self._parsed is None:
            return tuple(map(complete, parse()))
        stated, suffix = to_builtins(pointer.unpacked), pointer.path.rpartition(".")[2]
        made_of = (kind.top, suffix, stated, limit, hashlib.sha256(packed).hexdigest())
        return self._parsed.files(self._wanted.id, made_of, parse, complete)

    def _refuse_weak(self, checksum: Checksum | None, what: str) -> None:
        """A signature is worth no more than the sums that it stands over."""
        if self._keys is not None and checksum is not None and checksum.algorithm in _FORGEABLE:
            raise SignatureError(
                f"{what}: nothing but MD5 or SHA-1 vouches for it, which can be forged",
                tip="OBS must publish it with SHA-256, or map the repository to null.",
            )

    def _check_origin(self, origin: str | None) -> None:
        """The name of the server is not compared: it may change, and the API may call itself otherwise."""
        ours = [self._wanted.project.name, self._wanted.name]
        if origin is not None and origin.rstrip("/").split("/")[-2:] != ours:
            raise _ForeignError(
                f"{self._wanted.id}: the published index says that it is of another repository",
                tip="Look where `published_url` leads, or tell who runs the server.",
            )

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
