"""Makes small but valid rpm and deb files in pure Python, for fuzzing and scale.

rpm: lead, signature header, header, cpio payload (rpm's docs/manual/format_v4). deb: ar with debian-binary,
control.tar.gz, data.tar (deb(5)). A payload of `size` zero bytes becomes a hole when the package is written to a file:
hundreds of MiB cost no disk.
"""

import gzip
import hashlib
import struct
import tarfile
from collections.abc import Sequence
from pathlib import Path
from xml.sax.saxutils import escape, quoteattr

from .blobs import Artifact, Blob
from .headers import RPM_HEADER_MAGIC, PackageHeader

ZEROS = bytes(1024 * 1024)
INT32, STRING, BINARY, STRING_ARRAY, I18N = 4, 6, 7, 8, 9
Tag = tuple[int, int, int | str | bytes]
CPIO_TRAILER = b"070701" + b"0" * 40 + b"00000001" + b"0" * 40 + b"0000000b" + b"0" * 8 + b"TRAILER!!!\0\0\0\0"


def make_rpm(
    name: str,
    version: str = "1.0",
    release: str = "1",
    arch: str = "x86_64",
    *,
    epoch: int = 0,
    size: int = 0,
    salt: str = "",
    path: Path | None = None,
) -> Artifact:
    """Make an rpm with a payload of about `size` bytes, in memory or in the file `path`.

    Equal arguments give equal bytes; another `salt` gives other bytes under the same name.
    """
    header = PackageHeader(kind="rpm", name=name, epoch=epoch, version=version, release=release, architecture=arch)
    payload = [CPIO_TRAILER]
    main = _rpm_header(63, _rpm_tags(header, salt, _digest("sha256", payload, size)))
    md5 = _digest("md5", [main, *payload], size)
    length = len(main) + len(CPIO_TRAILER) + size
    signature = _rpm_header(
        62,
        [
            (269, STRING, hashlib.sha1(main, usedforsecurity=False).hexdigest()),
            (273, STRING, hashlib.sha256(main).hexdigest()),
            (1000, INT32, length),
            (1004, BINARY, bytes.fromhex(md5)),
            (1007, INT32, len(CPIO_TRAILER) + size),
        ],
    )
    lead = struct.pack(">4sBBHH66sHH16s", b"\xed\xab\xee\xdb", 3, 0, 0, 1, f"{name}-{version}"[:65].encode(), 1, 5, b"")
    blob = _store([lead, signature, bytes(-len(signature) % 8), main, *payload], size, b"", path)
    return Artifact(filename=header.filename, blob=blob, entry=rpm_entry(header, blob))


def make_deb(
    name: str,
    version: str = "1.0",
    release: str | None = None,
    arch: str = "amd64",
    *,
    epoch: int = 0,
    size: int = 0,
    salt: str = "",
    path: Path | None = None,
    fields: Sequence[str] = (),
) -> Artifact:
    """Make a deb; arguments as for make_rpm, `release` is the Debian revision; `fields` are more of its control."""
    header = PackageHeader(kind="deb", name=name, epoch=epoch, version=version, release=release, architecture=arch)
    control = "".join(f"{line}\n" for line in _control_lines(header, salt, fields)).encode()
    control_tar = gzip.compress(_tar_header("./control", len(control)) + _tar_padded(control) + bytes(1024), mtime=0)
    data_head = _tar_header("./usr/", 0, tarfile.DIRTYPE) + _tar_header(f"./usr/{name}", size)
    data_tail = bytes(-size % 512) + bytes(1024)
    pieces = [
        b"!<arch>\n",
        _ar_member("debian-binary", 4) + b"2.0\n",
        _ar_member("control.tar.gz", len(control_tar)) + control_tar + bytes(b"\n" * (len(control_tar) % 2)),
        _ar_member("data.tar", len(data_head) + size + len(data_tail)) + data_head,
    ]
    blob = _store(pieces, size, data_tail, path)
    return Artifact(filename=header.filename, blob=blob, entry=deb_entry(header, salt, blob, fields))


def rpm_entry(header: PackageHeader, blob: Blob) -> str:
    """The `<package>` element that createrepo_c would write into primary.xml, without dependencies."""
    source = "" if header.architecture == "src" else f"{header.name}-{header.version}-{header.release}.src.rpm"
    return f"""<package type="rpm">
  <name>{escape(header.name)}</name>
  <arch>{header.architecture}</arch>
  <version epoch="{header.epoch}" ver={quoteattr(header.version)} rel={quoteattr(str(header.release))}/>
  <checksum type="sha256" pkgid="YES">{blob.digest("sha256")}</checksum>
  <summary>Synthetic package</summary>
  <description>Synthetic package</description>
  <packager></packager>
  <url></url>
  <time file="0" build="0"/>
  <size package="{blob.size}" installed="0" archive="0"/>
  <location href={quoteattr(header.filename)}/>
  <format>
    <rpm:license>MIT</rpm:license>
    <rpm:sourcerpm>{escape(source)}</rpm:sourcerpm>
  </format>
</package>
"""


def deb_entry(header: PackageHeader, salt: str, blob: Blob, fields: Sequence[str] = ()) -> str:
    """The stanza that dpkg-scanpackages would write."""
    lines = _control_lines(header, salt, fields)
    sums = [
        f"Filename: ./{header.filename}",
        f"Size: {blob.size}",
        f"MD5sum: {blob.digest('md5')}",
        f"SHA1: {blob.digest('sha1')}",
        f"SHA256: {blob.digest('sha256')}",
    ]
    return "\n".join([*lines[:4], *sums, *lines[4:]]) + "\n\n"


def _control_lines(header: PackageHeader, salt: str, fields: Sequence[str]) -> list[str]:
    epoch = f"{header.epoch}:" if header.epoch else ""
    revision = "" if header.release is None else f"-{header.release}"
    return [
        f"Package: {header.name}",
        f"Version: {epoch}{header.version}{revision}",
        f"Architecture: {header.architecture}",
        "Maintainer: Demo Packager <demo@example.invalid>",
        "Section: misc",
        "Priority: optional",
        *fields,
        f"Description: synthetic package {salt}".rstrip(),
    ]


def _rpm_tags(header: PackageHeader, salt: str, payload_digest: str) -> list[Tag]:
    tags: list[Tag] = [
        (100, STRING_ARRAY, "C"),
        (1000, STRING, header.name),
        (1001, STRING, header.version),
        (1002, STRING, str(header.release)),
        (1004, I18N, "Synthetic package"),
        (1005, I18N, f"Synthetic package {salt}".rstrip()),
        (1006, INT32, 0),
        (1007, STRING, "sandbox"),
        (1009, INT32, 0),
        (1014, STRING, "MIT"),
        (1016, I18N, "Unspecified"),
        (1021, STRING, "linux"),
        (1022, STRING, "noarch" if header.architecture == "src" else header.architecture),
        (1064, STRING, "4.18.0"),
        (1124, STRING, "cpio"),
        (5092, STRING_ARRAY, payload_digest),
        (5093, INT32, 8),
    ]
    tags += [(1003, INT32, header.epoch)] if header.epoch else []
    if header.architecture == "src":
        tags += [(1106, INT32, 1)]
    else:
        tags += [(1044, STRING, f"{header.name}-{header.version}-{header.release}.src.rpm")]
    return sorted(tags)


def _rpm_header(region: int, tags: Sequence[Tag]) -> bytes:
    """A header with an immutable region: index entries, data, and the region's trailer at the end of the data."""
    index, data = b"", b""
    for tag, kind, value in tags:
        if kind == INT32:
            data += bytes(-len(data) % 4)
        count = len(value) if isinstance(value, bytes) else 1
        index += struct.pack(">IIiI", tag, kind, len(data), count)
        if isinstance(value, int):
            data += struct.pack(">I", value)
        else:
            data += value if isinstance(value, bytes) else value.encode() + b"\0"
    entries = len(tags) + 1
    index = struct.pack(">IIiI", region, BINARY, len(data), 16) + index
    data += struct.pack(">IIiI", region, BINARY, -entries * 16, 16)
    return RPM_HEADER_MAGIC + bytes(4) + struct.pack(">II", entries, len(data)) + index + data


def _ar_member(name: str, size: int) -> bytes:
    return f"{name:<16}{0:<12}{0:<6}{0:<6}{'100644':<8}{size:<10}`\n".encode()


def _tar_header(name: str, size: int, kind: bytes = tarfile.REGTYPE) -> bytes:
    info = tarfile.TarInfo(name)
    info.size, info.type, info.mode = size, kind, 0o755
    return info.tobuf(tarfile.GNU_FORMAT)


def _tar_padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % 512)


def _digest(algorithm: str, pieces: Sequence[bytes], zeros: int) -> str:
    """The hex digest of the pieces and `zeros` zero bytes after them."""
    digest = hashlib.new(algorithm, b"".join(pieces), usedforsecurity=False)
    for start in range(0, zeros, len(ZEROS)):
        digest.update(ZEROS[: zeros - start])
    return digest.hexdigest()


def _store(pieces: Sequence[bytes], zeros: int, tail: bytes, path: Path | None) -> Blob:
    """The pieces, `zeros` zero bytes and the tail as a blob; in a file the zeros are a hole."""
    head = b"".join(pieces)
    if path is None:
        return Blob(head + bytes(zeros) + tail)
    with path.open("wb") as stream:
        stream.write(head)
        stream.truncate(len(head) + zeros)
        stream.seek(len(head) + zeros)
        stream.write(tail)
    return Blob(path)
