"""Checksums and compressed documents: nothing is believed before it is verified, nothing may swell beyond its cap."""

import hashlib
import lzma
import re
import zlib
from collections.abc import Callable, Iterable, Iterator

import zstandard
from attrs import frozen

from pkgsync.errors import IntegrityError
from pkgsync.gunzip import gunzip
from pkgsync.obs.xml import in_pieces

_ALGORITHMS = {name: name for name in ("md5", "sha1", "sha224", "sha256", "sha384", "sha512")} | {"sha": "sha1"}
_HEX = re.compile(r"[0-9a-f]+")
_CHUNK = 256 * 1024
# bytes, the most that zstd takes unasked: a few bytes of input could claim far more
_MAX_WINDOW = 128 * 2**20


@frozen
class Checksum:
    """A stated checksum; ``algorithm`` is a name of hashlib, ``value`` lower-case hex."""

    algorithm: str
    value: str

    @classmethod
    def stated(cls, algorithm: str, value: str | None, what: str) -> "Checksum":
        """As a document states it; ``sha`` is sha1. Raises IntegrityError for what is no checksum."""
        name = _ALGORITHMS.get(algorithm.strip().lower(), "")
        hexadecimal = (value or "").strip().lower()
        if not name or not _HEX.fullmatch(hexadecimal) or len(hexadecimal) != 2 * _new(name).digest_size:
            raise IntegrityError(f"{what}: {algorithm[:20]!a} with {hexadecimal[:80]!a} is no known checksum")
        return cls(name, hexadecimal)


@frozen
class Stated:
    """What a document says about the bytes of another: size in bytes and checksum, where it says them."""

    size: int | None = None
    checksum: Checksum | None = None

    def check(self, size: int, value: str, what: str) -> None:
        """Raises IntegrityError if ``size`` and the digest ``value`` are not these."""
        if self.size is not None and size != self.size:
            raise IntegrityError(f"{what}: {size} bytes instead of {self.size}")
        if self.checksum is not None and value != self.checksum.value:
            raise IntegrityError(f"{what}: its {self.checksum.algorithm} is not the stated one")

    def verify(self, data: bytes, what: str) -> None:
        """Raises IntegrityError if ``data`` is not what is stated."""
        self.check(len(data), self.digest((data,)), what)

    def digest(self, pieces: Iterable[bytes]) -> str:
        digest = _new(self.checksum.algorithm if self.checksum else "sha256")
        for piece in pieces:
            digest.update(piece)
        return digest.hexdigest()


def _new(algorithm: str) -> "hashlib._Hash":
    # md5 and sha1 only repeat what an index states; systems that forbid them as protection must go on, too
    return hashlib.new(algorithm, usedforsecurity=False)


def opened(data: bytes, name: str, stated: Stated, max_bytes: int) -> Iterator[bytes]:
    """The decompressed ``data`` of the file ``name``, verified against ``stated`` when it ends.

    Raises IntegrityError: damaged, cut, of an unknown kind, more than ``max_bytes``, or not what is stated.
    """
    limit = max_bytes if stated.size is None else min(stated.size, max_bytes)
    digest = _new(stated.checksum.algorithm if stated.checksum else "sha256")
    size = 0
    try:
        for piece in _opener(data, name)(data):
            size += len(piece)
            if size > limit:
                raise IntegrityError(f"{name}: it unpacks to more than {limit} bytes")
            digest.update(piece)
            yield piece
    # MemoryError: damaged bytes may ask for any amount
    except (zlib.error, lzma.LZMAError, zstandard.ZstdError, EOFError, MemoryError):
        raise IntegrityError(f"{name}: damaged or cut, it cannot be unpacked") from None
    stated.check(size, digest.hexdigest(), f"{name}, unpacked")


def _opener(data: bytes, name: str) -> Callable[[bytes], Iterator[bytes]]:
    """By the content, which must agree with the suffix if that names a compression."""
    for magic, suffix, opener in _OPENERS:
        if name.endswith(suffix) != data.startswith(magic):
            raise IntegrityError(f"{name}: its content does not fit its name")
        if name.endswith(suffix):
            return opener
    return in_pieces


def _gunzip(data: bytes) -> Iterator[bytes]:
    return gunzip(in_pieces(data))


def _unxz(data: bytes) -> Iterator[bytes]:
    rest = data
    while rest:
        unxz = lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=2 * _MAX_WINDOW)
        pending = rest
        while not unxz.eof:
            piece = unxz.decompress(pending, _CHUNK)
            pending = b""
            if not piece and unxz.needs_input and not unxz.eof:
                raise EOFError
            yield piece
        # streams may follow each other, with zeros between them (the .xz file format, "Stream Padding")
        rest = unxz.unused_data.lstrip(b"\0")


def _unzstd(data: bytes) -> Iterator[bytes]:
    rest = data
    while rest:
        unzstd = zstandard.ZstdDecompressor(max_window_size=_MAX_WINDOW).decompressobj()
        position = 0
        while not unzstd.eof:
            if position >= len(rest):
                raise EOFError
            # the library has no bound on what one call gives; small bites keep it near a few hundred megabytes at worst
            yield unzstd.decompress(rest[position : position + 4096])
            position += 4096
        rest = unzstd.unused_data + rest[position:]


_OPENERS = (
    (b"\x1f\x8b", ".gz", _gunzip),
    (b"\xfd7zXZ\0", ".xz", _unxz),
    (b"\x28\xb5\x2f\xfd", ".zst", _unzstd),
)
