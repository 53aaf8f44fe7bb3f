"""Large answers of OBS, written piece by piece as its backend, createrepo_c and dpkg-scanpackages write them."""

import hashlib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

_FILES = 3  # of each package in a `_result`


def result(count: int) -> Iterator[str]:
    """A ``_result`` of so many files in two repositories, of two architectures each."""
    yield '<resultlist state="5f6cead2ac2683d64460f2d538cc12fe">\n'
    for repository in ("openSUSE_Leap_15.6", "openSUSE_Tumbleweed"):
        for architecture in ("x86_64", "aarch64"):
            yield (
                f'  <result project="bench" repository="{repository}" arch="{architecture}" code="published"'
                ' state="published">\n'
            )
            yield from _packages(count // 4 // _FILES, architecture)
            yield '    <stats lastchecked="1795350000" lastpublished="1795350000" />\n  </result>\n'
    yield "</resultlist>\n"


def _packages(count: int, architecture: str) -> Iterator[str]:
    for number in range(count):
        yield f'    <status package="package{number:06}" code="succeeded" />\n'
    for number in range(count):
        yield f'    <binarylist package="package{number:06}">\n'
        for suffix in ("", "-debuginfo", "-devel"):
            name = f"package{number:06}{suffix}-1.{number}-lp156.3.{number % 9}.{architecture}.rpm"
            yield f'      <binary filename="{name}" size="{10240 + number}" mtime="{1795000000 + number}" />\n'
        yield "    </binarylist>\n"


def primary(count: int) -> Iterator[str]:
    """A primary of so many packages, with requirements, provisions and files as most have them."""
    yield (
        '<?xml version="1.0" encoding="UTF-8"?>\n<metadata xmlns="http://linux.duke.edu/metadata/common"'
        f' xmlns:rpm="http://linux.duke.edu/metadata/rpm" packages="{count}">\n'
    )
    entries = "".join(
        f'      <rpm:entry name="lib{n}.so.{n}()(64bit)" flags="EQ" epoch="0" ver="1"/>\n' for n in range(12)
    )
    for number in range(count):
        name = f"package{number:06}"
        yield (
            f'<package type="rpm">\n  <name>{name}</name>\n  <arch>x86_64</arch>\n'
            f'  <version epoch="0" ver="1.{number}" rel="lp156.3.1"/>\n'
            f'  <checksum type="sha256" pkgid="YES">{_sha(name)}</checksum>\n'
            f"  <summary>What {name} does</summary>\n  <description>{'Some words about it. ' * 10}</description>\n"
            "  <packager>https://bugs.example.org</packager>\n  <url>https://example.org</url>\n"
            f'  <time file="{1795000000 + number}" build="{1794000000 + number}"/>\n'
            f'  <size package="{10240 + number}" installed="{90000 + number}" archive="{90100 + number}"/>\n'
            f'  <location href="x86_64/{name}-1.{number}-lp156.3.1.x86_64.rpm"/>\n  <format>\n'
            "    <rpm:license>MIT</rpm:license>\n    <rpm:vendor>obs</rpm:vendor>\n    <rpm:group>System</rpm:group>\n"
            f"    <rpm:sourcerpm>{name}-1.{number}-lp156.3.1.src.rpm</rpm:sourcerpm>\n"
            f"    <rpm:provides>\n{entries}    </rpm:provides>\n    <rpm:requires>\n{entries}    </rpm:requires>\n"
            f"    <file>/usr/bin/{name}</file>\n  </format>\n</package>\n"
        )
    yield "</metadata>\n"


def packages(count: int) -> Iterator[str]:
    """A Packages file of so many stanzas."""
    for number in range(count):
        name = f"package{number:06}"
        yield (
            f"Package: {name}\nVersion: 1.{number}-1+{number % 9}.1\nArchitecture: amd64\n"
            f"Maintainer: Somebody <somebody@example.org>\nInstalled-Size: {number + 100}\n"
            "Depends: libc6 (>= 2.34), libgcc-s1 (>= 3.0), libstdc++6 (>= 11), zlib1g (>= 1:1.2.2)\n"
            f"Filename: ./amd64/{name}_1.{number}-1+{number % 9}.1_amd64.deb\nSize: {10240 + number}\n"
            f"MD5sum: {_sha(name)[:32]}\nSHA1: {_sha(name)[:40]}\nSHA256: {_sha(name)}\n"
            f"Section: utils\nPriority: optional\nHomepage: https://example.org/\nDescription: What {name} does\n"
            f" {'Some words about it. ' * 12}\n .\n And some more.\n\n"
        )


DOCUMENTS: Mapping[str, Callable[[int], Iterator[str]]] = {"result": result, "primary": primary, "packages": packages}


def write(kind: str, count: int, folder: Path) -> Path:
    """The document in a file."""
    path = folder / ("Packages" if kind == "packages" else f"{kind}.xml")
    with path.open("w") as stream:
        stream.writelines(DOCUMENTS[kind](count))
    return path


def _sha(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
