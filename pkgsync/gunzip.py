"""Opens gzip piece by piece, so that its reader can stop what swells."""

import zlib
from collections.abc import Iterable, Iterator

_CHUNK = 256 * 1024
_GZIP = 16 + zlib.MAX_WBITS


def gunzip(parts: Iterable[bytes]) -> Iterator[bytes]:
    """The bytes of all members (RFC 1952, section 2.2), without the zeros that may pad them.

    Raises zlib.error for what is no gzip, EOFError where it ends too early.
    """
    unzip = zlib.decompressobj(_GZIP)
    for part in parts:
        rest = part
        while rest := rest.lstrip(b"\0") if unzip.eof else rest:
            if unzip.eof:
                unzip = zlib.decompressobj(_GZIP)
            yield unzip.decompress(rest, _CHUNK)
            rest = unzip.unconsumed_tail or unzip.unused_data
    # what the bound above still held back
    while not unzip.eof and (piece := unzip.decompress(b"", _CHUNK)):
        yield piece
    if not unzip.eof:
        raise EOFError
