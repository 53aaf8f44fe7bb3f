"""Bodies, read in pieces and never beyond what was promised or allowed."""

import http.client
import math
import zlib
from collections.abc import Iterator

import requests
import urllib3

from pkgsync.errors import ReadError
from pkgsync.gunzip import gunzip
from pkgsync.session.reply import TransientError
from pkgsync.session.watch import Watch

_CHUNK = 64 * 1024
_MOST_DIGITS = 18
# a socket that is cut while it is read shows in urllib3 as a ValueError or AttributeError, too
_BREAKS = (urllib3.exceptions.HTTPError, http.client.HTTPException, OSError, ValueError, AttributeError)


def pieces(response: requests.Response, watch: Watch, what: str, size: int = _CHUNK) -> Iterator[bytes]:
    """The body as it came over the wire, in pieces of up to ``size`` bytes.

    It is complete by its own Content-Length or chunks. Raises TransientError when it is cut short, stalls, or breaks a
    limit of ``watch``.
    """
    watch.await_body()
    received = 0
    try:
        # not decoded, as Content-Length counts what comes over the wire
        while piece := response.raw.read1(size, decode_content=False):
            received += len(piece)
            watch.moved(len(piece))
            yield piece
    except _BREAKS as error:
        raise _cut(what, watch, isinstance(error, urllib3.exceptions.ReadTimeoutError)) from None
    if watch.broken or ("Transfer-Encoding" not in response.headers and received < _promised(response)):
        raise _cut(what, watch, False)


def _promised(response: requests.Response) -> float:
    """The bytes that Content-Length states: 0 where it states none, and of more digits than can be, too many."""
    text = response.headers.get("Content-Length", "")
    if not (text.isascii() and text.isdigit()):
        return 0
    return int(text) if len(text) <= _MOST_DIGITS else math.inf


def _cut(what: str, watch: Watch, silent: bool) -> TransientError:
    why = watch.broken or ("no more bytes came" if silent else "the connection was cut")
    error = ReadError(f"{what}: the answer is not complete: {why}", tip="Try again later.")
    return TransientError(error, timed_out=silent or watch.broken is not None)


def read_body(response: requests.Response, watch: Watch, what: str, max_bytes: int, *, decode: bool = True) -> bytes:
    """The whole body, with ``decode`` freed of a gzip Content-Encoding.

    Raises ReadError over ``max_bytes`` (as sent and as decoded) or for another encoding, TransientError when cut.
    """
    encoding = response.headers.get("Content-Encoding", "identity").strip().lower()
    if not decode or encoding in ("identity", ""):
        return _gather(pieces(response, watch, what), what, max_bytes)
    # else packed bytes would be parsed as the document
    if encoding not in ("gzip", "x-gzip"):
        raise ReadError(f"{what}: the answer has an encoding that was not asked for")
    return _gather(_gunzip(pieces(response, watch, what), what), what, max_bytes)


def read_start(response: requests.Response, watch: Watch, what: str, max_bytes: int) -> bytes:
    """At most ``max_bytes`` of a body, as sent: enough for the words of a refusal. Raises TransientError when cut."""
    body = bytearray()
    for piece in pieces(response, watch, what):
        body += piece
        if len(body) >= max_bytes:
            break
    return bytes(body[:max_bytes])


def _gather(parts: Iterator[bytes], what: str, max_bytes: int) -> bytes:
    body = bytearray()
    for part in parts:
        body += part
        if len(body) > max_bytes:
            raise ReadError(f"{what}: the answer is longer than {max_bytes} bytes")
    return bytes(body)


def _gunzip(parts: Iterator[bytes], what: str) -> Iterator[bytes]:
    try:
        yield from gunzip(parts)
    except zlib.error:
        raise TransientError(ReadError(f"{what}: the answer is no valid gzip")) from None
    except EOFError:
        raise TransientError(ReadError(f"{what}: the answer is no complete gzip")) from None
