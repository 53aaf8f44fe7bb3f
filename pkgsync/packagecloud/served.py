"""The indexes that package managers get of a Packagecloud repository (README.md, "What package managers get").

For apt 1 request per distribution and 1 per architecture, for yum 2 per architecture, however many packages there are;
with a pinned key 1 more for each repomd.xml.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from msgspec import Struct

from pkgsync import signatures
from pkgsync.backoff import patiently
from pkgsync.errors import IntegrityError, NotFoundError, ReadError, SignatureError
from pkgsync.formats import debian, rpmmd
from pkgsync.formats.index_entries import IndexEntry, Pointer
from pkgsync.formats.sums import opened
from pkgsync.model import PackageType, Relations
from pkgsync.model.secret import Discreet
from pkgsync.model.served import ServedFile, ServedIndex, Wanted
from pkgsync.packagecloud import routes
from pkgsync.packagecloud.client import PackagecloudClient
from pkgsync.progress import Progress
from pkgsync.signatures import PublicKeys, Signed

T = TypeVar("T")
_INDEPENDENT = ("noarch", "all")
# what yum and dnf call the architecture of the machine; README.md has it
_BASES = {"i386": "i386", "i486": "i386", "i586": "i386", "i686": "i386", "src": "SRPMS", "nosrc": "SRPMS"}
_USUAL = {PackageType.RPM: "x86_64", PackageType.DEB: "amd64"}


class Tree(Discreet, frozen=True, kw_only=True):
    """The packages of one architecture as package managers get them: bytes that fit the top file, not parsed yet.

    ``architecture`` is what the tree is called there; it holds the packages for every architecture too.
    """

    type: PackageType
    architecture: str
    pointer: Pointer
    packed: bytes
    what: str
    max_open_bytes: int
    signed: Signed | None = None

    def entries(self) -> Iterator[IndexEntry]:
        """Its packages. Raises IntegrityError while they are read."""
        parse = rpmmd.parse_packages if self.type is PackageType.RPM else debian.parse_packages
        return self._parsed(parse)

    def relations(self) -> Iterator[tuple[IndexEntry, Relations]]:
        """The same, with what each needs and provides."""
        parse = rpmmd.parse_relations if self.type is PackageType.RPM else debian.parse_relations
        return self._parsed(parse)

    def _parsed(self, parse: Callable[[Iterable[bytes], str], Iterator[T]]) -> Iterator[T]:
        if not self.packed:
            return iter(())
        return parse(opened(self.packed, self.what, self.pointer.unpacked, self.max_open_bytes), self.what)


def trees(
    client: PackagecloudClient,
    distribution: str,
    kind: PackageType,
    architectures: Collection[str],
    keys: PublicKeys | None = None,
) -> tuple[Tree, ...]:
    """The indexes of ``distribution`` where packages of these architectures are looked for.

    An architecture that is not served has no tree. An index that changes while it is read is read anew.
    With ``keys`` one of them must have signed it.
    Raises ReadError, IntegrityError, AuthenticationError, QuotaError, and ConfigError where nothing can verify.
    """
    names = sorted({_BASES.get(name, name) for name in architectures if name not in _INDEPENDENT}) or [_USUAL[kind]]
    reader = _TreeReader(client, distribution, kind, keys)
    # a list that is not there any more, or no longer fits the top file that was just read
    return patiently(lambda: tuple(reader.read(names)), client.session.pause, (NotFoundError, IntegrityError))


def indexes(
    client: PackagecloudClient,
    wanted: Sequence[Wanted],
    keys: PublicKeys | None,
    progress: Progress,
) -> tuple[ServedIndex, ...]:
    """What package managers get of each distribution; one that cannot be read says why.

    Raises AuthenticationError, QuotaError, and ConfigError where nothing can verify a signature.
    """

    def one(about: Wanted) -> ServedIndex:
        try:
            return _index(about, trees(client, about.distribution, about.type, about.architectures, keys))
        except (ReadError, IntegrityError) as error:
            broken = isinstance(error, IntegrityError)
            return ServedIndex(distribution=about.distribution, problem=error.message, broken=broken)

    pool = ThreadPoolExecutor(max_workers=client.connections, thread_name_prefix="packagecloud")
    found = []
    try:
        with progress.task(f"Reading the indexes of {client.repository}", len(wanted), "requests") as task:
            for index in pool.map(one, wanted):
                found.append(index)
                task.advance(1)
    except BaseException:
        client.session.close()  # what is in flight must not hold up Ctrl-C
        raise
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
    return tuple(found)


def _index(about: Wanted, found: Sequence[Tree]) -> ServedIndex:
    files = {
        ServedFile(entry.filename, entry.size, entry.checksum.value if entry.checksum.algorithm == "sha256" else None)
        for tree in found
        for entry in tree.entries()
    }
    signed = [tree.signed for tree in found if tree.signed is not None]
    return ServedIndex(
        distribution=about.distribution,
        architectures=tuple(tree.architecture for tree in found),
        files=tuple(sorted(files, key=lambda file: (file.filename, file.sha256 or ""))),
        revision=min((tree.pointer.revision for tree in found if tree.pointer.revision is not None), default=None),
        signed_by=signed[0].fingerprint if signed else None,
        warnings=tuple(dict.fromkeys(f"{about.distribution}: {w}" for one in signed for w in one.warnings)),
    )


class _TreeReader(Struct, frozen=True):
    client: PackagecloudClient
    distribution: str
    type: PackageType
    keys: PublicKeys | None

    def read(self, architectures: Collection[str]) -> Iterator[Tree]:
        return self._rpm(architectures) if self.type is PackageType.RPM else self._deb(architectures)

    def _rpm(self, architectures: Collection[str]) -> Iterator[Tree]:
        for name in architectures:
            path = f"{name}/{rpmmd.TOP}"
            try:
                top = self._top(path)
            except NotFoundError:
                continue
            signed = self._verified(top, f"{path}.asc", self._what(path))
            pointer = rpmmd.parse_top(top, self._what(path))
            yield self._tree(name, pointer, f"{name}/{pointer.path}", signed)

    def _deb(self, architectures: Collection[str]) -> Iterator[Tree]:
        try:
            release, signed = self._release()
        except NotFoundError:
            return
        for name in architectures:
            if pointer := release.packages(f"main/binary-{name}/"):
                yield self._tree(name, pointer, pointer.path, signed)

    def _release(self) -> tuple[debian.Release, Signed | None]:
        """From the files that apt asks for, in its order."""
        what, signed = self._what("InRelease"), None
        try:
            text = self._top("InRelease")
        except NotFoundError:
            text, what = self._top("Release"), self._what("Release")
            signed = self._verified(text, "Release.gpg", what)
        else:
            if self.keys is None:
                text = debian.signed_text(text, what)
            else:
                text, signed = signatures.opened(text, self.keys, what)
        return debian.parse_release(text, what), signed

    def _verified(self, top: bytes, path: str, what: str) -> Signed | None:
        """Who vouches for a top file, by the signature beside it; not asked where no key is pinned."""
        if self.keys is None:
            return None
        try:
            signature = self._top(path)
        except NotFoundError:
            raise SignatureError(f"{what}: it has no signature", other_bytes=True) from None
        return signatures.verify(top, signature, self.keys, what)

    def _tree(self, architecture: str, pointer: Pointer, path: str, signed: Signed | None) -> Tree:
        limits = self.client.session.limits
        # an empty answer is no answer: what is stated to be empty is not asked for
        packed = b"" if pointer.packed.size == 0 else self._get(path, limits.max_index_bytes, decode=False)
        pointer.packed.verify(packed, self._what(path))
        return Tree(
            type=self.type,
            architecture=architecture,
            pointer=pointer,
            packed=packed,
            what=self._what(path),
            max_open_bytes=limits.max_index_open_bytes,
            signed=signed,
        )

    def _top(self, path: str) -> bytes:
        return self._get(path, self.client.session.limits.max_top_bytes)

    def _get(self, path: str, max_bytes: int, *, decode: bool = True) -> bytes:
        route = routes.join(*self._what(path).split("/"))
        return self.client.session.get(route, max_bytes=max_bytes, decode=decode, elsewhere=True).body

    def _what(self, path: str) -> str:
        distro, _, version = self.distribution.partition("/")
        folder = f"{distro}/{version}" if self.type is PackageType.RPM else f"{distro}/dists/{version}"
        return f"{self.client.repository}/{folder}/{path}"
