"""Composes repository indexes out of the entries that createrepo_c and dpkg-scanpackages made for single files.

Layout and fields as OBS publishes them (src/backend/bs_publish: createrepo_rpmmd, createrepo_debian).
"""

import gzip
import hashlib
import lzma
import re
import time
from collections.abc import Mapping, Sequence
from typing import Literal
from xml.sax.saxutils import quoteattr

import zstandard
from attrs import frozen

from .blobs import Artifact

SUFFIXES = {"gz": ".gz", "xz": ".xz", "zst": ".zst", "plain": ""}
HASHLIB_NAMES = {"sha": "sha1", "sha256": "sha256", "sha512": "sha512"}
COMMON = 'xmlns="http://linux.duke.edu/metadata/common" xmlns:rpm="http://linux.duke.edu/metadata/rpm"'


@frozen(kw_only=True)
class IndexOptions:
    """What differs between OBS servers and repotypes.

    compression: of the rpm-md files. checksum: of rpm-md; `sha` is sha1 (repotype `legacy`). dot_slash: old servers
    write `Filename: ./amd64/x.deb`. deb_sums: the checksum fields of a Packages stanza.
    """

    compression: Literal["gz", "xz", "zst", "plain"] = "gz"
    checksum: Literal["sha256", "sha", "sha512"] = "sha256"
    dot_slash: bool = True
    deb_sums: tuple[str, ...] = ("MD5sum", "SHA1", "SHA256")


@frozen(kw_only=True)
class Published:
    """A file of the published tree: its path there, the file, and the build's mtime (unix seconds)."""

    path: str
    artifact: Artifact
    mtime: int


def compress(data: bytes, compression: str) -> bytes:
    """Compress reproducibly; `compression` is a key of SUFFIXES."""
    match compression:
        case "gz":
            return gzip.compress(data, mtime=0)
        case "xz":
            return lzma.compress(data)
        case "zst":
            return zstandard.ZstdCompressor().compress(data)
    return data


def rpm_md(files: Sequence[Published], origin: str | None, now: int, options: IndexOptions) -> dict[str, bytes]:
    """The files under repodata/, by path, for the rpms among `files`; `now` (unix seconds) becomes the revision.

    `origin` is what only OBS writes.
    """
    rpms = [file for file in files if file.artifact.entry.startswith("<package")]
    documents = {
        "primary": _document("metadata", COMMON, [_element(file, options) for file in rpms]),
        "filelists": _document("filelists", 'xmlns="http://linux.duke.edu/metadata/filelists"', _stubs(rpms, options)),
        "other": _document("otherdata", 'xmlns="http://linux.duke.edu/metadata/other"', _stubs(rpms, options)),
    }
    tree: dict[str, bytes] = {}
    records = []
    for kind, document in documents.items():
        packed = compress(document, options.compression)
        path = f"repodata/{_sum(packed, options)}-{kind}.xml{SUFFIXES[options.compression]}"
        tree[path] = packed
        records.append(_repomd_record(kind, path, packed, document, now, options))
    tree["repodata/repomd.xml"] = (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<repomd xmlns="http://linux.duke.edu/metadata/repo" {COMMON.split(" ", 1)[1]}>\n'
        f"  <revision>{now}</revision>\n"
        f"{_tags(origin)}"
        f"{''.join(records)}</repomd>\n"
    ).encode()
    return tree


def _tags(origin: str | None) -> str:
    return f"  <tags>\n    <repo>obsrepository://{origin}</repo>\n  </tags>\n" if origin else ""


def repo_file(project: str, name: str, url: str, *, signed: bool) -> bytes:
    """What zypper and dnf add the repository at `url` with."""
    key = [f"gpgkey={url}repodata/repomd.xml.key"] if signed else []
    head = [f"[{project.replace(':', '_')}]", f"name={name}", "type=rpm-md", f"baseurl={url}", "gpgcheck=1"]
    return ("\n".join([*head, *key, "enabled=1"]) + "\n").encode()


def debian(files: Sequence[Published], origin: str, now: int, options: IndexOptions) -> dict[str, bytes]:
    """The flat Debian index (Packages, Sources, Release) for the debs among `files`, by path."""
    debs = [file for file in files if file.artifact.entry.startswith("Package:")]
    debs.sort(key=lambda file: (file.artifact.filename, file.path))
    packages = "".join(_stanza(file, options) for file in debs).encode()
    tree = {
        "Packages": packages,
        "Packages.gz": gzip.compress(packages, mtime=0),
        "Sources": b"",
        "Sources.gz": gzip.compress(b"", mtime=0),
    }
    folders = sorted({file.path.split("/")[0] for file in debs} - {"all"})
    _, project, repository = origin.split("/")
    lines = [
        f"Archive: {repository}",
        f"Codename: {repository}",
        f"Origin: obs://{origin}",
        f"Label: {project}",
        f"Architectures: {' '.join(folders)}",
        f"Date: {time.asctime(time.gmtime(now))}",
        f"Description: Demo release project ({repository})",
    ]
    tree["Release"] = ("\n".join([*lines, *release_sums(tree)]) + "\n").encode()
    return tree


def release_sums(tree: Mapping[str, bytes]) -> list[str]:
    """The lines of a Release about the files that belong to it."""
    lines = []
    for title, algorithm in (("MD5Sum", "md5"), ("SHA1", "sha1"), ("SHA256", "sha256")):
        lines.append(f"{title}:")
        for name, data in tree.items():
            lines.append(f" {hashlib.new(algorithm, data, usedforsecurity=False).hexdigest()} {len(data)} {name}")
    return lines


def _document(root: str, namespaces: str, elements: Sequence[str]) -> bytes:
    head = f'<?xml version="1.0" encoding="UTF-8"?>\n<{root} {namespaces} packages="{len(elements)}">\n'
    return f"{head}{''.join(elements)}</{root}>\n".encode()


def _element(file: Published, options: IndexOptions) -> str:
    """The file's own `<package>` element with the published location, the mtime and the repository's checksum type."""
    digest = file.artifact.blob.digest(HASHLIB_NAMES[options.checksum])
    checksum = f'<checksum type="{options.checksum}" pkgid="YES">{digest}</checksum>'
    location = f"<location href={quoteattr(file.path)}/>"
    text = re.sub(r"<checksum type=.*?</checksum>", lambda _: checksum, file.artifact.entry, count=1)
    text = re.sub(r"<location href=.*?/>", lambda _: location, text, count=1)
    return re.sub(r'<time file="\d+"', f'<time file="{file.mtime}"', text, count=1)


def _stubs(rpms: Sequence[Published], options: IndexOptions) -> list[str]:
    """Elements of filelists and other, without files and changes."""
    stubs = []
    for file in rpms:
        entry = file.artifact.entry
        name, arch, version = (
            re.findall(pattern, entry)[0]
            for pattern in (r"<name>(.*?)</name>", r"<arch>(.*?)</arch>", r"<version.*?/>")
        )
        pkgid = file.artifact.blob.digest(HASHLIB_NAMES[options.checksum])
        stubs.append(f'<package pkgid="{pkgid}" name={quoteattr(name)} arch="{arch}">\n  {version}\n</package>\n')
    return stubs


def _sum(data: bytes, options: IndexOptions) -> str:
    return hashlib.new(HASHLIB_NAMES[options.checksum], data, usedforsecurity=False).hexdigest()


def _repomd_record(kind: str, path: str, packed: bytes, document: bytes, now: int, options: IndexOptions) -> str:
    return (
        f'  <data type="{kind}">\n'
        f'    <checksum type="{options.checksum}">{_sum(packed, options)}</checksum>\n'
        f'    <open-checksum type="{options.checksum}">{_sum(document, options)}</open-checksum>\n'
        f'    <location href="{path}"/>\n'
        f"    <timestamp>{now}</timestamp>\n"
        f"    <size>{len(packed)}</size>\n"
        f"    <open-size>{len(document)}</open-size>\n"
        "  </data>\n"
    )


def _stanza(file: Published, options: IndexOptions) -> str:
    prefix = "./" if options.dot_slash else ""
    lines = []
    for line in file.artifact.entry.splitlines():
        name = line.split(":", 1)[0]
        if name in {"MD5sum", "SHA1", "SHA256"} - set(options.deb_sums):
            continue
        lines.append(f"Filename: {prefix}{file.path}" if name == "Filename" else line)
    return "\n".join(lines).rstrip() + "\n\n"
