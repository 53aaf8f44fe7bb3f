"""What the header of a package file says of it: name, version, architecture, and whether it is signed.

An rpm is lead, signature, header and payload (rpm's docs/manual/format_v4), a deb an ar archive with a control.tar
(deb(5)). The bytes come from the network without a checksum: sizes are bounded, and what a file holds to check itself
with is checked.
"""

import hashlib
import io
import struct
from collections.abc import Iterator, Set
from typing import BinaryIO

from msgspec import Struct

from pkgsync.errors import IntegrityError
from pkgsync.formats import debian, tar
from pkgsync.formats.fields import check_word
from pkgsync.formats.sums import Stated, opened
from pkgsync.model import PackageType, Version
from pkgsync.model.filename import type_of

# bytes; the file itself says how large its parts are
_MAX_HEADER = 64 * 2**20
_MAX_CONTROL = 2**20
_MAX_TAGS = 0xFFFF  # as rpm itself has it
_MAX_MEMBERS = 64
_CHUNK = 2**20
_LEAD = struct.Struct(">4s92x")
_INTRO = struct.Struct(">4s4xII")
_ENTRY = struct.Struct(">IIII")
_NAME, _VERSION, _RELEASE, _EPOCH, _ARCHITECTURE, _SOURCE_RPM = 1000, 1001, 1002, 1003, 1022, 1044
_SIGNATURE_MD5 = 1004
# by what rpm may verify who made it: OpenPGP of rpm 6, DSA and RSA over the header, PGP and GPG over header and payload
_SIGNED = {278, 267, 268, 1002, 1005}
_INT32, _STRING, _BINARY = 4, 6, 7
_WANTED = {_NAME, _VERSION, _RELEASE, _EPOCH, _ARCHITECTURE, _SOURCE_RPM}
# all that reading wrong bytes as a package can raise
_BROKEN = (struct.error, ValueError, EOFError, OSError, ArithmeticError, LookupError)


class PackageHeader(Struct, frozen=True, kw_only=True):
    """``signed``: whether an rpm carries a signature, good or not; None for a deb."""

    type: PackageType
    name: str
    version: Version
    architecture: str
    signed: bool | None = None


def read_package(stream: BinaryIO, filename: str, *, verify: bool) -> PackageHeader:
    """The header of the rpm or deb that ``stream`` holds from its start, of the type that ``filename`` tells.

    Raises IntegrityError for what is cut, damaged or of another type, as far as the file itself can tell: a deb by the
    sizes of its parts, with ``verify`` an rpm by the MD5 of all its bytes, if its signature has one.
    """
    stream.seek(0)
    try:
        return _rpm(stream, filename, verify) if type_of(filename) is PackageType.RPM else _deb(stream, filename)
    except _BROKEN:
        raise _damaged(filename) from None


def _damaged(filename: str) -> IntegrityError:
    return IntegrityError(f"{filename}: its content is cut, damaged, or no package of its kind")


def _rpm(stream: BinaryIO, filename: str, verify: bool) -> PackageHeader:
    if _LEAD.unpack(stream.read(_LEAD.size))[0] != b"\xed\xab\xee\xdb":
        raise _damaged(filename)
    signature, length = _tags(stream, filename, _SIGNED | {_SIGNATURE_MD5})
    # only the signature is padded
    stream.seek(-length % 8, io.SEEK_CUR)
    start = stream.tell()
    tags, _ = _tags(stream, filename, _WANTED)
    if verify and _SIGNATURE_MD5 in signature and _md5(stream, start) != signature[_SIGNATURE_MD5]:
        raise _damaged(filename)
    epoch = tags.get(_EPOCH, 0)
    return PackageHeader(
        type=PackageType.RPM,
        name=check_word(_text(tags, _NAME), "package name", filename),
        version=Version(
            epoch if isinstance(epoch, int) else 0,
            check_word(_text(tags, _VERSION), "version", filename),
            check_word(_text(tags, _RELEASE), "release", filename),
        ),
        # only a binary package names its source; createrepo calls the others so
        architecture=check_word(_text(tags, _ARCHITECTURE), "architecture", filename) if _SOURCE_RPM in tags else "src",
        signed=not _SIGNED.isdisjoint(signature),
    )


Tags = dict[int, int | bytes]


def _tags(stream: BinaryIO, filename: str, wanted: Set[int]) -> tuple[Tags, int]:
    """What is wanted of the rpm header at the stream's position, and the size of its data in bytes.

    Each stands there once: which of two counts, others may take otherwise. Of a kind that nothing here has, only that
    it is there.
    """
    magic, count, size = _INTRO.unpack(stream.read(_INTRO.size))
    if magic != b"\x8e\xad\xe8\x01" or count > _MAX_TAGS or count * _ENTRY.size + size > _MAX_HEADER:
        raise _damaged(filename)
    index, data = stream.read(count * _ENTRY.size), stream.read(size)
    if len(data) != size:
        raise _damaged(filename)
    tags: Tags = {}
    for tag, kind, offset, length in _ENTRY.iter_unpack(index):
        if tag not in wanted:
            continue
        if tag in tags:
            raise _damaged(filename)
        if kind == _INT32:
            (tags[tag],) = struct.unpack_from(">I", data, offset)
        elif kind == _STRING:
            tags[tag] = data[offset : data.index(b"\0", offset)]
        elif kind == _BINARY:
            tags[tag] = data[offset : offset + length]
        else:
            tags[tag] = b""
    return tags, size


def _text(tags: Tags, tag: int) -> str | None:
    value = tags.get(tag)
    return value.decode() if isinstance(value, bytes) else None


def _md5(stream: BinaryIO, start: int) -> bytes:
    digest = hashlib.md5(usedforsecurity=False)
    stream.seek(start)
    while chunk := stream.read(_CHUNK):
        digest.update(chunk)
    return digest.digest()


def _deb(stream: BinaryIO, filename: str) -> PackageHeader:
    if stream.read(8) != b"!<arch>\n":
        raise _damaged(filename)
    parts = list(_members(stream, filename))
    names = [name for name, _, _ in parts]
    if names[0] != "debian-binary" or not any(name.startswith("data.tar") for name in names):
        raise _damaged(filename)
    ((name, offset, size),) = [part for part in parts if part[0].startswith("control.tar")]
    stream.seek(offset)
    packed = stream.read(min(size, _MAX_HEADER))
    control = b"".join(opened(packed, name, Stated(), _MAX_HEADER))
    text = tar.member(control, "control", _MAX_CONTROL)
    package, version, architecture = debian.parse_control(text, filename)
    return PackageHeader(type=PackageType.DEB, name=package, version=version, architecture=architecture)


def _members(stream: BinaryIO, filename: str) -> Iterator[tuple[str, int, int]]:
    """Name, offset and size of each part of the ar archive, which must end where the file ends."""
    end = stream.seek(0, io.SEEK_END)
    position = 8
    for _ in range(_MAX_MEMBERS):
        if position >= end:
            return
        stream.seek(position)
        # a negative size would lead back, round and round
        head = stream.read(60)
        size = int(head[48:58])
        if head[58:] != b"`\n" or size < 0 or position + len(head) + size > end:
            raise _damaged(filename)
        yield head[:16].decode("ascii").rstrip(" /"), position + len(head), size
        position += len(head) + size + size % 2
    raise _damaged(filename)
