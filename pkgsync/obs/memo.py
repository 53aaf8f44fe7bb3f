"""Remembers which content a built file had, so that the next run need not download it again.

OBS states no checksum of what is built: a file counts as the same while its place, size and time are the same.
What is remembered is only the sha256; the bytes must be in the cache, which verifies them.
"""

import hashlib
import json
import re
from collections.abc import Collection
from pathlib import Path
from typing import Any

from attrs import frozen

from pkgsync.errors import StorageError
from pkgsync.files import write_atomically

_SHA256 = re.compile(r"[0-9a-f]{64}")
_FORMAT = 1
_MAX_BYTES = 256 * 2**20


@frozen(kw_only=True)
class Place:
    """A file of a ``_result``; size in bytes, mtime in seconds since 1970."""

    repository: str
    architecture: str
    package: str
    filename: str
    size: int
    mtime: int


class Memo:
    """What is known of one project's files, in a file of its own in ``folder``. Not safe for threads but to look up."""

    def __init__(self, folder: Path, api: str, project: str) -> None:
        """Reads the file; one that is missing, damaged or of another project knows nothing."""
        self._about = {"format": _FORMAT, "api": api, "project": project}
        name = hashlib.sha256(f"{api}\n{project}".encode()).hexdigest()[:32]
        self._path = folder / f"{name}.json"
        self._known = self._read()

    def sha256(self, place: Place) -> str | None:
        return self._known.get(place)

    def remember(self, confirmed: dict[Place, str], listed: Collection[Place]) -> None:
        """Add what was ``confirmed``, forget what is no longer ``listed``, and write. Raises StorageError."""
        known = {place: sha256 for place, sha256 in (self._known | confirmed).items() if place in listed}
        if known == self._known:
            return
        files = sorted(
            [p.repository, p.architecture, p.package, p.filename, p.size, p.mtime, s] for p, s in known.items()
        )
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            write_atomically(self._path, json.dumps({**self._about, "files": files}).encode(), mode=0o600)
        except OSError as error:
            raise StorageError.of(self._path.parent, error) from error
        self._known = known

    def _read(self) -> dict[Place, str]:
        try:
            if self._path.stat().st_size > _MAX_BYTES:
                return {}
            document = json.loads(self._path.read_bytes())
            if {key: document.get(key) for key in self._about} != self._about:
                return {}
            return dict(_entry(line) for line in document["files"])
        except (OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError):
            return {}


def _entry(line: list[Any]) -> tuple[Place, str]:
    """Raises ValueError, TypeError for what was never written so."""
    repository, architecture, package, filename, size, mtime, sha256 = line
    words = (repository, architecture, package, filename)
    if not all(isinstance(word, str) for word in words) or not all(type(n) is int for n in (size, mtime)):
        raise ValueError(line)
    if not _SHA256.fullmatch(sha256):
        raise ValueError(line)
    return Place(
        repository=repository, architecture=architecture, package=package, filename=filename, size=size, mtime=mtime
    ), sha256
