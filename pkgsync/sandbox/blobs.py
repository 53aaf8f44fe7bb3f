"""Bytes that the sandbox stores and serves, in memory, in a file, or made when they are first asked for."""

import hashlib
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

from attrs import define, field, frozen

CHUNK = 256 * 1024  # bytes


@define(eq=False)
class Blob:
    """Immutable bytes. What is computed from them, or makes them, is done when first asked for, and kept."""

    source: bytes | Path | Callable[[], bytes]
    _size: int | None = field(default=None, init=False, repr=False)
    _digests: dict[str, str] = field(factory=dict, init=False, repr=False)

    @property
    def size(self) -> int:
        """In bytes."""
        if self._size is None:
            source = self._made()
            self._size = len(source) if isinstance(source, bytes) else source.stat().st_size
        return self._size

    def open(self) -> BinaryIO:
        """A readable stream from the first byte on; the caller closes it."""
        source = self._made()
        return BytesIO(source) if isinstance(source, bytes) else source.open("rb")

    def _made(self) -> bytes | Path:
        if callable(self.source):
            self.source = self.source()
        return self.source

    def chunks(self, start: int = 0, stop: int | None = None) -> Iterator[bytes]:
        """The bytes from `start` up to, but not with, `stop` (default: all), in pieces."""
        left = (self.size if stop is None else stop) - start
        with self.open() as stream:
            stream.seek(start)
            while left > 0 and (piece := stream.read(min(CHUNK, left))):
                left -= len(piece)
                yield piece

    def read(self) -> bytes:
        """All bytes at once; for small files."""
        return b"".join(self.chunks())

    def digest(self, algorithm: str) -> str:
        """The hex digest of all bytes; `algorithm` as hashlib names it."""
        if algorithm not in self._digests:
            digest = hashlib.new(algorithm, usedforsecurity=False)
            for piece in self.chunks():
                digest.update(piece)
            self._digests[algorithm] = digest.hexdigest()
        return self._digests[algorithm]


@frozen(eq=False, kw_only=True)
class Artifact:
    """A built file and the entry that a repository index gives it.

    `entry` is the `<package>` element of createrepo_c for an rpm, the stanza of dpkg-scanpackages for a deb, empty for
    all other files. Location and time in it are those of the folder it was made in: publishing sets them.
    """

    filename: str
    blob: Blob
    entry: str = ""
