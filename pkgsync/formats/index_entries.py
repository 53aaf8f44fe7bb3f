"""What the two kinds of published index have in common."""

from collections.abc import Iterable, Iterator

from msgspec import Struct

from pkgsync.errors import IntegrityError
from pkgsync.formats.sums import Checksum, Stated
from pkgsync.model import PackageType, Version
from pkgsync.model.filename import FileClass

MAX_ENTRIES = 500_000
"""Packages of one index, ten times the largest: more would only fill the memory."""


class Pointer(Struct, frozen=True, kw_only=True):
    """What the top file of an index says: where the list of packages is, and what its bytes must be.

    ``revision`` is the time of the index in seconds since 1970, ``origin`` which repository it says that it is of.
    """

    path: str
    packed: Stated
    unpacked: Stated
    revision: int | None
    origin: str | None = None


class IndexEntry(Struct, frozen=True):
    """One package of an index, its checksum as the index states it; ``mtime`` too where there is one."""

    path: str
    size: int
    checksum: Checksum
    type: PackageType
    name: str
    version: Version
    architecture: str
    file_class: FileClass
    mtime: int | None = None

    @property
    def filename(self) -> str:
        return self.path.rpartition("/")[2]


def unique(entries: Iterable[IndexEntry], what: str) -> Iterator[IndexEntry]:
    """The entries in the order of their paths, one per file name: the first path, if the others are the same file.

    Raises IntegrityError where one file name has two contents.
    """
    seen: dict[str, IndexEntry] = {}
    for entry in sorted(entries, key=lambda e: e.path):
        first = seen.setdefault(entry.filename, entry)
        # Packagecloud has one place for the name, and nothing says which of the two belongs there
        if (first.size, first.checksum) != (entry.size, entry.checksum):
            raise IntegrityError(f"{what}: {entry.filename} is listed with two contents")
        if first is entry:
            yield entry
