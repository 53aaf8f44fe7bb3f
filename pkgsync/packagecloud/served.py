"""The indexes that package managers get of a Packagecloud repository (README.md, "What package managers get").

For apt 1 request per distribution and 1 per architecture, for yum 2 per architecture, however many packages there are.
"""

from collections.abc import Callable, Collection, Iterator
from typing import TypeVar

from attrs import field, frozen

from pkgsync.errors import IntegrityError, NotFoundError
from pkgsync.formats import debian, rpmmd
from pkgsync.formats.index_entries import IndexEntry, Pointer
from pkgsync.formats.sums import opened
from pkgsync.model import PackageType, Relations
from pkgsync.packagecloud import routes
from pkgsync.packagecloud.client import PackagecloudClient

T = TypeVar("T")
PAUSES = (2.0, 5.0)
"""Seconds before the second and the third look at an index that changes while it is read."""
_INDEPENDENT = ("noarch", "all")
# what yum and dnf call the architecture of the machine; README.md has it
_BASES = {"i386": "i386", "i486": "i386", "i586": "i386", "i686": "i386", "src": "SRPMS", "nosrc": "SRPMS"}
_USUAL = {PackageType.RPM: "x86_64", PackageType.DEB: "amd64"}


@frozen(kw_only=True)
class Tree:
    """The packages of one architecture as package managers get them: bytes that fit the top file, not parsed yet.

    ``architecture`` is what the tree is called there; it holds the packages for every architecture too.
    """

    type: PackageType
    architecture: str
    pointer: Pointer
    packed: bytes = field(repr=False)
    what: str
    max_open_bytes: int

    def pieces(self) -> Iterator[bytes]:
        """The list itself. Raises IntegrityError while it is read."""
        return opened(self.packed, self.what, self.pointer.unpacked, self.max_open_bytes) if self.packed else iter(())

    def entries(self) -> Iterator[IndexEntry]:
        """Its packages. Raises IntegrityError while they are read."""
        parse = rpmmd.parse_packages if self.type is PackageType.RPM else debian.parse_packages
        return parse(self.pieces(), self.what) if self.packed else iter(())

    def relations(self) -> Iterator[tuple[IndexEntry, Relations]]:
        """The same, with what each needs and provides."""
        parse = rpmmd.parse_relations if self.type is PackageType.RPM else debian.parse_relations
        return parse(self.pieces(), self.what) if self.packed else iter(())


def trees(
    client: PackagecloudClient,
    distribution: str,
    kind: PackageType,
    architectures: Collection[str],
    pause: Callable[[float], object],
) -> tuple[Tree, ...]:
    """The indexes of ``distribution`` where packages of these architectures are looked for.

    An architecture that is not served has no tree. An index that changes while it is read is read anew, after a
    ``pause`` (seconds). Raises ReadError, IntegrityError, AuthenticationError, QuotaError.
    """
    names = sorted({_BASES.get(name, name) for name in architectures if name not in _INDEPENDENT}) or [_USUAL[kind]]
    reader = _TreeReader(client, distribution, kind)
    return _patiently(lambda: tuple(reader.read(names)), pause)


def _patiently(read: Callable[[], T], pause: Callable[[float], object]) -> T:
    for seconds in PAUSES:
        try:
            return read()
        # a list that is not there any more, or no longer fits the top file that was just read
        except (NotFoundError, IntegrityError):
            pause(seconds)
    return read()


@frozen
class _TreeReader:
    client: PackagecloudClient
    distribution: str
    type: PackageType

    def read(self, architectures: Collection[str]) -> Iterator[Tree]:
        return self._rpm(architectures) if self.type is PackageType.RPM else self._deb(architectures)

    def _rpm(self, architectures: Collection[str]) -> Iterator[Tree]:
        for name in architectures:
            path = f"{name}/{rpmmd.TOP}"
            try:
                top = self._top(path)
            except NotFoundError:
                continue
            pointer = rpmmd.parse_top(top, self._what(path))
            yield self._tree(name, pointer, f"{name}/{pointer.path}")

    def _deb(self, architectures: Collection[str]) -> Iterator[Tree]:
        try:
            release = self._release()
        except NotFoundError:
            return
        for name in architectures:
            if pointer := release.packages(f"main/binary-{name}/"):
                yield self._tree(name, pointer, pointer.path)

    def _release(self) -> debian.Release:
        """From the files that apt asks for, in its order."""
        try:
            text = debian.signed_text(self._top("InRelease"), self._what("InRelease"))
        except NotFoundError:
            text = self._top("Release")
        return debian.parse_release(text, self._what("Release"))

    def _tree(self, architecture: str, pointer: Pointer, path: str) -> Tree:
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
        )

    def _top(self, path: str) -> bytes:
        return self._get(path, self.client.session.limits.max_top_bytes)

    def _get(self, path: str, max_bytes: int, *, decode: bool = True) -> bytes:
        distro, _, version = self.distribution.partition("/")
        folder = (distro, version) if self.type is PackageType.RPM else (distro, "dists", version)
        route = routes.join(*self.client.repository.split("/"), *folder, *path.split("/"))
        return self.client.session.get(route, max_bytes=max_bytes, decode=decode, elsewhere=True).body

    def _what(self, path: str) -> str:
        return f"{self.client.repository}, {self.distribution}: {path}"
