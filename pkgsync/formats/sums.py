"""Checksums and compressed documents: nothing is believed before it is verified, nothing may swell beyond its cap."""

import hashlib
import lzma
import re
import zlib
from collections.abc import Callable, Iterable, Iterator

import zstandard
from msgspec import Struct

from pkgsync.errors import IntegrityError
from pkgsync.formats.xml import in_pieces
from pkgsync.gunzip import MAX_MEMBERS, gunzip

_HEX = {
    name: re.compile(f"[0-9a-f]{{{digits}}}")
    for name, digits in {"md5": 32, "sha1": 40, "sha224": 56, "sha256": 64, "sha384": 96, "sha512": 128}.items()
}
_CHUNK = 256 * 1024
_BITE = 4096
# bytes, the most that zstd takes unasked: a few bytes of input could claim far more
_MAX_WINDOW = 128 * 2**20


class Checksum(Struct, frozen=True):
    """A stated checksum; ``algorithm`` is a name of hashlib, ``value`` lower-case hex."""

    algorithm: str
    value: str

    @classmethod
    def stated(cls, algorithm: str, value: str | None, what: str) -> "Checksum":
        """As a document states it; ``sha`` is sha1. Raises IntegrityError for what is no checksum."""
        name = algorithm.strip().lower()
        name = "sha1" if name == "sha" else name
        hexadecimal = (value or "").strip().lower()
        if name not in _HEX or not _HEX[name].fullmatch(hexadecimal):
            raise IntegrityError(f"{what}: it states something that is no known checksum")
        return cls(name, hexadecimal)


class Stated(Struct, frozen=True):
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
            yield from in_pieces(piece)  # a bite of zstd may be a hundred megabytes, too many elements at once
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
    unxz = _xz_stream()
    streams = 1
    for part in in_pieces(data):
        rest = part
        # streams may follow each other, with zeros between them (the .xz file format, "Stream Padding")
        while rest := rest.lstrip(b"\0") if unxz.eof else rest:
            if unxz.eof:
                unxz, streams = _xz_stream(), _one_more(streams)
            yield unxz.decompress(rest, _CHUNK)
            while not unxz.eof and not unxz.needs_input:
                yield unxz.decompress(b"", _CHUNK)
            rest = unxz.unused_data
    if not unxz.eof:
        raise EOFError


def _xz_stream() -> lzma.LZMADecompressor:
    return lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=2 * _MAX_WINDOW)


def _unzstd(data: bytes) -> Iterator[bytes]:
    unzstd = _zstd_frame()
    frames = 1
    # the library has no bound on what one call gives; small bites keep it near a few hundred megabytes at worst
    for bite in in_pieces(data, _BITE):
        rest = bite
        while rest:
            if unzstd.eof:
                unzstd, frames = _zstd_frame(), _one_more(frames)
            yield unzstd.decompress(rest)
            rest = unzstd.unused_data
    if not unzstd.eof:
        raise EOFError


def _zstd_frame() -> "zstandard.ZstdDecompressionObj":
    return zstandard.ZstdDecompressor(max_window_size=_MAX_WINDOW).decompressobj()


def _one_more(count: int) -> int:
    if count == MAX_MEMBERS:
        raise EOFError
    return count + 1


_OPENERS = (
    (b"\x1f\x8b", ".gz", _gunzip),
    (b"\xfd7zXZ\0", ".xz", _unxz),
    (b"\x28\xb5\x2f\xfd", ".zst", _unzstd),
)
