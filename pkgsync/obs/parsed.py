"""Published indexes as they were read before: of bytes that were parsed once, nothing new can be learned.

What stands in the cache is used for the very bytes that it was made of, and by the version that made it. Those bytes
are fetched and verified all the same: whether a repository still is as it was, no note can tell.
"""

import hashlib
import json
from collections.abc import Callable, Sequence
from typing import Any

from attrs import frozen

from pkgsync.cache import Cache
from pkgsync.formats.index_entries import IndexEntry
from pkgsync.formats.sums import Checksum
from pkgsync.model import PackageType, Version
from pkgsync.model.filename import FileClass
from pkgsync.version import __version__

_FORMAT = 1
"""Another one with every change of what the readers of indexes give for the same bytes."""
# to call an enum takes as long as all the rest of a row
_TYPES = {member.value: member for member in PackageType}
_CLASSES = {member.value: member for member in FileClass}


@frozen
class ParsedIndexes:
    """Notes in ``cache``, one for each repository of the OBS ``api``: a newer index takes the place of the older."""

    cache: Cache
    api: str

    def entries(
        self, repository: str, made_of: Sequence[Any], parse: Callable[[], tuple[IndexEntry, ...]]
    ) -> tuple[IndexEntry, ...]:
        """What ``parse`` gives, without it where it is known. ``made_of`` is all that it depends on, as JSON has it.

        Raises what ``parse`` raises.
        """
        name = hashlib.sha256(f"{self.api}\n{repository}".encode()).hexdigest()
        about = json.dumps([_FORMAT, __version__, *made_of]).encode()
        known = _entries(self.cache.read_note(name), about)
        if known is None:
            known = parse()
            rows = json.dumps([_row(entry) for entry in known], separators=(",", ":"))
            self.cache.write_note(name, b"%b\n%b" % (about, rows.encode()))
        return known


def _row(entry: IndexEntry) -> list[Any]:
    checksum, version = entry.checksum, entry.version
    return [
        *(entry.path, entry.size, checksum.algorithm, checksum.value, entry.type, entry.name),
        *(version.epoch, version.version, version.release, entry.architecture, entry.file_class, entry.mtime),
    ]


def _entries(note: bytes | None, about: bytes) -> tuple[IndexEntry, ...] | None:
    """None where it is about something else, or in no form that is known here."""
    made_of, _, rows = (note or b"").partition(b"\n")
    if made_of != about:
        return None
    try:
        return tuple(map(_entry, json.loads(rows)))
    except (ValueError, LookupError, TypeError, RecursionError):
        return None


def _entry(row: Sequence[Any]) -> IndexEntry:
    path, size, algorithm, value, kind, name, epoch, version, release, architecture, file_class, mtime = row
    return IndexEntry(
        path,
        size,
        Checksum(algorithm, value),
        _TYPES[kind],
        name,
        Version(epoch, version, release),
        architecture,
        _CLASSES[file_class],
        mtime,
    )
