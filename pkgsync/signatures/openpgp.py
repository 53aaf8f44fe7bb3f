"""As much of OpenPGP (RFC 9580) as it takes to hand keys and signatures to a verifier, and nothing else with them."""

import base64
import binascii
import hashlib
from collections.abc import Iterator

from pkgsync.errors import IntegrityError

SIGNATURE, SECRET_KEY, PUBLIC_KEY = 2, 5, 6
_BEGIN, _DASHES = b"-----BEGIN PGP ", b"-----"
_MAX_KIND = 80  # bytes of the line that begins a block
_CLEARSIGNED = [b"-----BEGIN PGP SIGNED MESSAGE-----", b"-----BEGIN PGP SIGNATURE-----", b"-----END PGP SIGNATURE-----"]


def dearmored(data: bytes, what: str) -> bytes:
    """The packets of all armored blocks in ``data``, or ``data`` itself where there is none. Raises IntegrityError."""
    at = data.find(_BEGIN)
    if at < 0:
        return data
    packets = []
    # by offsets, and line by line: whoever made the bytes may have meant them to take for ever
    while at >= 0:
        kind, dashes, _ = data[at + len(_BEGIN) : at + _MAX_KIND].partition(_DASHES)
        end = b"-----END PGP %b-----" % kind
        start = at + len(_BEGIN + kind + _DASHES)
        stop = data.find(end, start) if dashes else -1
        if stop < 0:
            raise IntegrityError(f"{what}: an armored block has no end")
        packets.append(_decoded(data[start:stop], what))
        at = data.find(_BEGIN, stop + len(end))
    return b"".join(packets)


def _decoded(body: bytes, what: str) -> bytes:
    lines = [line.strip() for line in body.split(b"\n")]
    # behind the headers a blank line, behind the data perhaps a checksum: =XXXX
    blank = lines.index(b"", 1) if b"" in lines[1:] else len(lines)
    try:
        return base64.b64decode(b"".join(line for line in lines[blank:] if line[:1] != b"="), validate=True)
    except binascii.Error:
        raise IntegrityError(f"{what}: an armored block is damaged") from None


def packets(data: bytes, what: str) -> Iterator[tuple[int, bytes]]:
    """Tag and body of each packet. Raises IntegrityError for what is cut, or no OpenPGP at all."""
    at = 0
    while at < len(data):
        first, size = data[at], None
        if first & 0xC0 == 0xC0:
            tag = first & 0x3F
            size, at = _new_length(data, at + 1)
        elif first & 0x80 and first & 3 != 3:
            tag, width = first >> 2 & 0xF, 1 << (first & 3)
            size, at = int.from_bytes(data[at + 1 : at + 1 + width]), at + 1 + width
        if size is None or at + size > len(data):
            raise IntegrityError(f"{what}: it is cut off, or no OpenPGP")
        yield tag, data[at : at + size]
        at += size


def whole(tag: int, body: bytes) -> bytes:
    """The packet that holds this body."""
    return bytes([0xC0 | tag, 255]) + len(body).to_bytes(4) + body


def _new_length(data: bytes, at: int) -> tuple[int | None, int]:
    """The length that stands there, None for a partial one, which neither keys nor signatures have."""
    first = data[at] if at < len(data) else 255
    if first < 192:
        return first, at + 1
    if first < 224:
        return (first - 192 << 8) + int.from_bytes(data[at + 1 : at + 2]) + 192, at + 2
    return (int.from_bytes(data[at + 1 : at + 5]), at + 5) if first == 255 else (None, at)


def fingerprint(key: bytes, what: str) -> str:
    """In upper-case hex, of the body of a public key's packet. Raises IntegrityError for versions nobody signs with."""
    match key[:1]:
        case b"\4" if len(key) < 2**16:
            return hashlib.sha1(b"\x99" + len(key).to_bytes(2) + key, usedforsecurity=False).hexdigest().upper()
        case b"\6":
            return hashlib.sha256(b"\x9b" + len(key).to_bytes(4) + key).hexdigest().upper()
        case _:
            raise IntegrityError(f"{what}: a key is of a version that is not known, or too large for it")


def is_one_clearsigned(data: bytes) -> bool:
    """Whether all of ``data`` is one text with the signature around it: none before, behind or beside it."""
    lines = [line.rstrip() for line in data.rstrip().split(b"\n")]
    frame = [line for line in lines if line.startswith(_DASHES)]
    return frame == _CLEARSIGNED and lines[0] == _CLEARSIGNED[0] and lines[-1] == _CLEARSIGNED[-1]
