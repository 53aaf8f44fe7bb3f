"""A file in hand: verified bytes on this machine, and once more while they are sent."""

import hashlib
import io
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from pkgsync.errors import IntegrityError

_CHUNK = 2**20


class StoredFile(Struct, frozen=True, kw_only=True):
    """``size`` bytes with this sha256 at ``path``, in the cache or the backup store.

    ``descriptor``: it is open under this number, and whoever removes or replaces the path cannot take it from us.
    """

    path: Path
    size: int
    sha256: str
    descriptor: int | None = None


class VerifiedFile(io.FileIO):
    """Reads a stored file whose last bytes come only if all of it has its size and sha256.

    So that an upload of bytes that changed under our hands breaks off before the server has all of them.
    """

    def __init__(self, stored: StoredFile) -> None:
        """Raises OSError, and IntegrityError where the size differs."""
        file = stored.path if stored.descriptor is None else stored.descriptor
        super().__init__(file, "rb", closefd=stored.descriptor is None)
        self._size = self._left = stored.size
        self._expected = stored.sha256
        self._hash = hashlib.sha256()
        if os.fstat(self.fileno()).st_size != stored.size:
            self.close()
            raise IntegrityError(f"The file for {stored.sha256} changed its size on this machine.")

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        """Going back to the start begins the check anew; any other seek spoils it, and the last bytes never come."""
        position = super().seek(offset, whence)
        self._hash = hashlib.sha256()
        self._left = self._size - position
        return position

    def read(self, size: int | None = -1, /) -> bytes:
        data = super().read(self._left if size is None or size < 0 else size) or b""
        self._hash.update(data)
        self._left -= len(data)
        ended = self._left <= 0 or (not data and size != 0)
        if ended and (self._left != 0 or self._hash.hexdigest() != self._expected):
            raise IntegrityError(f"The file for {self._expected} changed on this machine: it is not used.")
        return data


@contextmanager
def held(stored: StoredFile) -> Iterator[StoredFile]:
    """The same file, open and all of it verified. Raises OSError, and IntegrityError where it is not what it was."""
    with VerifiedFile(stored) as stream:
        while stream.read(_CHUNK):
            pass
        yield replace(stored, descriptor=stream.fileno())
