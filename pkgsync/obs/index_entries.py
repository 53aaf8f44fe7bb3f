"""What the two kinds of published index have in common."""

from collections.abc import Callable, Iterable, Iterator

from attrs import frozen

from pkgsync.errors import IntegrityError, ReadError
from pkgsync.model import IndexedFile, PackageType, Version
from pkgsync.model.desired import CLASS_BY_NAME
from pkgsync.model.filename import FileClass
from pkgsync.obs.sums import Checksum, Stated

MAX_ENTRIES = 500_000
"""Packages of one index, ten times the largest: more would only fill the memory."""
Hasher = Callable[[str, str, str, int, str, str], str]
"""(project, repository, path, size, algorithm, hex checksum) -> sha256 of the verified file."""


@frozen(kw_only=True)
class Pointer:
    """What the top file of an index says: where the list of packages is, and what its bytes must be.

    ``revision`` is the time of the index in seconds since 1970, ``origin`` which repository it says that it is of.
    """

    path: str
    packed: Stated
    unpacked: Stated
    revision: int | None
    origin: str | None = None


@frozen
class IndexEntry:
    """One package of an index, its checksum as the index states it; ``mtime`` too where there is one."""

    path: str
    size: int
    checksum: Checksum
    type: PackageType
    name: str
    version: Version
    architecture: str
    file_class: FileClass = CLASS_BY_NAME
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


def with_sha256(entry: IndexEntry, project: str, repository: str, hasher: Hasher | None) -> IndexedFile:
    """The entry as a file with a sha256; an index without it costs a download. Raises ReadError, IntegrityError."""
    sha256 = entry.checksum.value
    if entry.checksum.algorithm != "sha256":
        if hasher is None:
            raise ReadError(f"{project}/{repository}: its index has no sha256 of {entry.filename}")
        sum_ = entry.checksum
        sha256 = hasher(project, repository, entry.path, entry.size, sum_.algorithm, sum_.value)
    return IndexedFile(
        filename=entry.filename,
        path=entry.path,
        size=entry.size,
        sha256=sha256,
        type=entry.type,
        name=entry.name,
        version=entry.version,
        architecture=entry.architecture,
        file_class=entry.file_class,
        mtime=entry.mtime,
    )
