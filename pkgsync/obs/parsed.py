"""Published indexes as they were read before: of bytes that were parsed once, nothing new can be learned.

What stands in the cache is used for the very bytes that it was made of, and by the version that made it. Those bytes
are fetched and verified all the same: whether a repository still is as it was, no note can tell.
"""

import hashlib
import json
from collections.abc import Callable, Sequence
from itertools import starmap
from typing import Any

from msgspec import Struct

from pkgsync.cache import Cache
from pkgsync.formats.index_entries import IndexEntry
from pkgsync.model import IndexedFile, PackageType, Version
from pkgsync.model.filename import FileClass
from pkgsync.version import __version__

_FORMAT = 2
"""Another one with every change of what the readers of indexes give for the same bytes."""
# to call an enum takes as long as all the rest of a row
_TYPES = {member.value: member for member in PackageType}
_CLASSES = {member.value: member for member in FileClass}
_COLUMNS: tuple[set[type], ...] = (
    {str}, {int}, {str}, {str}, {str}, {int}, {str}, {str}, {str}, {str}, {int, type(None)},
)  # fmt: skip


class ParsedIndexes(Struct, frozen=True):
    """Notes in ``cache``, one for each repository of the OBS ``api``: a newer index takes the place of the older."""

    cache: Cache
    api: str

    def files(
        self,
        repository: str,
        made_of: Sequence[Any],
        parse: Callable[[], Sequence[IndexEntry]],
        complete: Callable[[IndexEntry], IndexedFile],
    ) -> tuple[IndexedFile, ...]:
        """What ``complete`` makes of the entries that ``parse`` gives, without either where it is known.

        ``made_of`` is all that it depends on, as JSON has it. Raises what ``parse`` and ``complete`` raise.
        """
        name = hashlib.sha256(f"{self.api}\n{repository}".encode()).hexdigest()
        about = json.dumps([_FORMAT, __version__, *made_of]).encode()
        known = _files(self.cache.read_note(name), about)
        if known is None:
            entries = parse()
            known = tuple(map(complete, entries))
            # of a file with another sum, each run reads all bytes anew
            if all(entry.checksum.algorithm == "sha256" for entry in entries):
                columns = json.dumps(_columns(known), separators=(",", ":"))
                self.cache.write_note(name, b"%b\n%b" % (about, columns.encode()))
        return known


def _columns(files: Sequence[IndexedFile]) -> list[list[Any]]:
    """Column by column: so hardly any code runs for a row when they are read again."""
    return [
        [file.path for file in files],
        [file.size for file in files],
        [file.sha256 for file in files],
        [file.type for file in files],
        [file.name for file in files],
        [file.version.epoch for file in files],
        [file.version.version for file in files],
        [file.version.release for file in files],
        [file.architecture for file in files],
        [file.file_class for file in files],
        [file.mtime for file in files],
    ]


def _files(note: bytes | None, about: bytes) -> tuple[IndexedFile, ...] | None:
    """None where it is about something else, or in no form that is known here."""
    made_of, _, columns = (note or b"").partition(b"\n")
    if made_of != about:
        return None
    try:
        found = json.loads(columns)
        if not all({*map(type, column)} <= kinds for column, kinds in zip(found, _COLUMNS, strict=True)):
            return None
        paths, sizes, sums, types, names, epochs, versions, releases, architectures, classes, mtimes = found
        rows = zip(
            [path.rpartition("/")[2] for path in paths],
            paths,
            sizes,
            sums,
            map(_TYPES.__getitem__, types),
            names,
            map(Version, epochs, versions, releases),
            architectures,
            map(_CLASSES.__getitem__, classes),
            mtimes,
            strict=True,
        )
        return tuple(starmap(IndexedFile, rows))
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return None
