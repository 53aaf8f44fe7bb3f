"""Opens gzip piece by piece, so that its reader can stop what swells."""

import zlib
from collections.abc import Iterable, Iterator

_CHUNK = 256 * 1024
_GZIP = 16 + zlib.MAX_WBITS
MAX_MEMBERS = 10_000
"""Members of one file. Tools that write many make each large; empty ones cost time and bring nothing."""


def gunzip(parts: Iterable[bytes]) -> Iterator[bytes]:
    """The bytes of all members (RFC 1952, section 2.2), without the zeros that may pad them.

    Each member costs a copy of what is left of its part: parts must be small.
    Raises zlib.error for what is no gzip, or has over MAX_MEMBERS; EOFError where it ends too early.
    """
    unzip = zlib.decompressobj(_GZIP)
    members = 1
    for part in parts:
        rest = part
        while rest := rest.lstrip(b"\0") if unzip.eof else rest:
            if unzip.eof:
                unzip = zlib.decompressobj(_GZIP)
                members += 1
                if members > MAX_MEMBERS:
                    raise zlib.error("too many members")
            yield unzip.decompress(rest, _CHUNK)
            rest = unzip.unconsumed_tail or unzip.unused_data
    # what the bound above still held back
    while not unzip.eof and (piece := unzip.decompress(b"", _CHUNK)):
        yield piece
    if not unzip.eof:
        raise EOFError
