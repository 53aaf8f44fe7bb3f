"""Remembers which content a built file had, so that the next run need not download it again.

OBS states no sha256 of all that is built (README.md, "Rebuilds"): a file counts as the same while its place, size and
time are the same.
What is remembered is only the sha256; the bytes must be in the cache, which verifies them.
"""

import hashlib
import json
import re
from collections.abc import Collection
from pathlib import Path
from typing import Any

from pkgsync.errors import StorageError
from pkgsync.files import write_atomically
from pkgsync.model import BuiltFile
from pkgsync.obs.results import BuiltCopy

_SHA256 = re.compile(r"[0-9a-f]{64}")
_FORMAT = 1
_MAX_BYTES = 256 * 2**20


class Memo:
    """What is known of one project's files, in a file of its own in ``folder``. Not safe for threads but to look up."""

    def __init__(self, folder: Path, api: str, project: str) -> None:
        """Reads the file; one that is missing, damaged or of another project knows nothing."""
        self._about = {"format": _FORMAT, "api": api, "project": project}
        # a name from the config is no file name
        name = hashlib.sha256(f"{api}\n{project}".encode()).hexdigest()[:32]
        self._path = folder / f"{name}.json"
        self._known = self._read()

    def sha256(self, copy: BuiltCopy) -> str | None:
        return self._known.get(copy)

    def remember(self, confirmed: dict[BuiltCopy, str], listed: Collection[BuiltCopy]) -> None:
        """Add what was ``confirmed``, forget what is no longer ``listed``, and write. Raises StorageError."""
        known = {copy: sha256 for copy, sha256 in (self._known | confirmed).items() if copy in listed}
        if known == self._known:
            return
        files = sorted(
            [c.repository, c.architecture, c.package, c.file.filename, c.file.size, c.file.mtime, sha256]
            for c, sha256 in known.items()
        )
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            write_atomically(self._path, json.dumps({**self._about, "files": files}).encode(), mode=0o600)
        except OSError as error:
            raise StorageError.of(self._path.parent, error) from error
        self._known = known

    def _read(self) -> dict[BuiltCopy, str]:
        try:
            if self._path.stat().st_size > _MAX_BYTES:
                return {}
            document = json.loads(self._path.read_bytes())
            if {key: document.get(key) for key in self._about} != self._about:
                return {}
            return dict(_entry(line) for line in document["files"])
        # whatever is wrong with it: it only saves downloads, and is written anew
        except (OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError):
            return {}


def _entry(line: list[Any]) -> tuple[BuiltCopy, str]:
    """Raises ValueError, TypeError for what was never written so."""
    repository, architecture, package, filename, size, mtime, sha256 = line
    words = (repository, architecture, package, filename)
    if not all(isinstance(word, str) for word in words) or not all(type(n) is int for n in (size, mtime)):
        raise ValueError(line)
    if not _SHA256.fullmatch(sha256):
        raise ValueError(line)
    file = BuiltFile(filename, size, mtime)
    return BuiltCopy(repository=repository, architecture=architecture, package=package, file=file), sha256
