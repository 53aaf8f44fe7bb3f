"""Reads name, version and architecture from the header of an rpm or deb file, as Packagecloud does on upload.

Packagecloud takes them from the package itself, not from the form: its Java client uploads under a random file name.
"""

import gzip
import hashlib
import lzma
import struct
import tarfile
from collections.abc import Callable, Mapping, Sequence
from io import BytesIO
from typing import BinaryIO, TypeVar

import zstandard
from attrs import frozen

T = TypeVar("T")
Tags = Mapping[int, Sequence[int | str]]
INTEGERS = {1: "B", 2: "B", 3: "H", 4: "I", 5: "Q"}
TEXTS = (6, 8, 9)
RPM_LEAD = 96  # bytes
RPM_HEADER_MAGIC = b"\x8e\xad\xe8\x01"
DEB_MAGIC = b"!<arch>\n"
HEADER_LIMIT = 64 * 1024 * 1024  # bytes
SIGTAG_MD5 = 1004  # in a signature header; a summary in a main header, of another type
TAG_NAME, TAG_VERSION, TAG_RELEASE, TAG_EPOCH, TAG_ARCH, TAG_SOURCERPM = 1000, 1001, 1002, 1003, 1022, 1044


class CorruptPackageError(ValueError):
    """The bytes are no rpm or deb file."""


@frozen(kw_only=True)
class PackageHeader:
    """What a package says of itself. `release` is None for a deb without a Debian revision."""

    kind: str
    name: str
    epoch: int
    version: str
    release: str | None
    architecture: str

    @property
    def filename(self) -> str:
        """The canonical file name; it holds no epoch."""
        if self.kind == "rpm":
            return f"{self.name}-{self.version}-{self.release}.{self.architecture}.rpm"
        full = self.version if self.release is None else f"{self.version}-{self.release}"
        return f"{self.name}_{full}_{self.architecture}.deb"


def read_header(stream: BinaryIO) -> PackageHeader:
    """Read the header of the rpm or deb in `stream`; raises CorruptPackageError."""
    return _read(stream, _read_deb, _read_rpm)


def rpm_tags(stream: BinaryIO) -> Tags:
    """All tags of an rpm's main header; raises CorruptPackageError."""
    stream.seek(RPM_LEAD)
    return _main_tags(stream)


def control_text(stream: BinaryIO) -> str:
    """The control file of a deb; raises CorruptPackageError."""
    with tarfile.open(fileobj=BytesIO(_control_archive(stream))) as tar:
        names = {name.removeprefix("./"): name for name in tar.getnames()}
        member = tar.extractfile(names["control"])
        return member.read().decode() if member else ""


def content_sums(stream: BinaryIO) -> dict[str, str]:
    """OBS's sums of an rpm or deb, hex md5; raises CorruptPackageError.

    hdrmd5: of main header and payload of an rpm (which its signature header states), of the control archive of a deb.
    leadsigmd5: of what precedes in an rpm.
    """
    return _read(stream, _deb_sums, _rpm_sums)


def _read(stream: BinaryIO, deb: Callable[[BinaryIO], T], rpm: Callable[[BinaryIO], T]) -> T:
    start = stream.read(len(DEB_MAGIC))
    stream.seek(0)
    try:
        return deb(stream) if start == DEB_MAGIC else rpm(stream)
    except (struct.error, ValueError, EOFError, OSError, KeyError, tarfile.TarError, lzma.LZMAError) as error:
        raise CorruptPackageError(str(error)) from error


def _deb_sums(stream: BinaryIO) -> dict[str, str]:
    _, data = _control_member(stream)
    return {"hdrmd5": hashlib.md5(data, usedforsecurity=False).hexdigest()}


def _rpm_sums(stream: BinaryIO) -> dict[str, str]:
    stream.seek(RPM_LEAD)
    tags, size = _read_rpm_header(stream)
    length = stream.tell() + -size % 8
    stream.seek(0)
    head = hashlib.md5(stream.read(length), usedforsecurity=False)
    return {"hdrmd5": str(tags[SIGTAG_MD5][0]), "leadsigmd5": head.hexdigest()}


def _read_rpm(stream: BinaryIO) -> PackageHeader:
    if not stream.read(RPM_LEAD).startswith(b"\xed\xab\xee\xdb"):
        raise CorruptPackageError("no rpm lead")
    tags = _main_tags(stream)
    return PackageHeader(
        kind="rpm",
        name=str(tags[TAG_NAME][0]),
        epoch=int(tags.get(TAG_EPOCH, [0])[0]),
        version=str(tags[TAG_VERSION][0]),
        release=str(tags[TAG_RELEASE][0]),
        architecture=str(tags[TAG_ARCH][0]) if TAG_SOURCERPM in tags else "src",
    )


def _main_tags(stream: BinaryIO) -> Tags:
    """The tags of the main header, from the end of the lead on."""
    _, signature_size = _read_rpm_header(stream)
    stream.read(-signature_size % 8)
    return _read_rpm_header(stream)[0]


def _read_rpm_header(stream: BinaryIO) -> tuple[Tags, int]:
    """The tags of the header at the stream's position, and the size of its data (bytes)."""
    magic, _, entries, size = struct.unpack(">4s4sII", stream.read(16))
    if magic != RPM_HEADER_MAGIC or entries * 16 + size > HEADER_LIMIT:
        raise CorruptPackageError("no rpm header")
    index = stream.read(entries * 16)
    data = stream.read(size)
    if len(data) != size:
        raise CorruptPackageError("rpm header is cut")
    return {tag: _values(kind, data[at:], count) for tag, kind, at, count in struct.iter_unpack(">IIiI", index)}, size


def _values(kind: int, data: bytes, count: int) -> Sequence[int | str]:
    """The values of one tag, which begin its data; rpm's docs/manual/format_header names the kinds."""
    if kind in INTEGERS:
        return struct.unpack_from(f">{count}{INTEGERS[kind]}", data)
    if kind in TEXTS:
        return [text.decode(errors="replace") for text in data.split(b"\0", count)[:count]]
    return [data[:count].hex()]


def _read_deb(stream: BinaryIO) -> PackageHeader:
    fields = _control_fields(control_text(stream))
    epoch, _, rest = fields["Version"].rpartition(":")
    version, dash, release = rest.rpartition("-")
    return PackageHeader(
        kind="deb",
        name=fields["Package"],
        epoch=int(epoch or 0),
        version=version if dash else rest,
        release=release if dash else None,
        architecture=fields["Architecture"],
    )


def _control_member(stream: BinaryIO) -> tuple[str, bytes]:
    """Name and bytes of the control.tar of a deb, as packed as it is."""
    stream.read(len(DEB_MAGIC))
    while header := stream.read(60):
        name, size = header[:16].decode().rstrip(" /"), int(header[48:58])
        if not name.startswith("control.tar"):
            stream.seek(size + size % 2, 1)
            continue
        return name, stream.read(min(size, HEADER_LIMIT))
    raise CorruptPackageError("deb without control.tar")


def _control_archive(stream: BinaryIO) -> bytes:
    """The unpacked control.tar of a deb, whatever its compression."""
    name, data = _control_member(stream)
    match name:
        case "control.tar.gz":
            return gzip.decompress(data)
        case "control.tar.xz":
            return lzma.decompress(data)
        case "control.tar.zst":
            return zstandard.ZstdDecompressor().decompressobj().decompress(data)
    return data


def _control_fields(text: str) -> dict[str, str]:
    lines = [line.split(":", 1) for line in text.splitlines() if line[:1].strip() and ":" in line]
    return {name: value.strip() for name, value in lines}
