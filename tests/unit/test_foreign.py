"""Answers recorded elsewhere (another OBS, another Packagecloud, indexes that other tools made) read as what they are.

A folder `tests/data/foreign/NAME` holds bodies under the names that servers give them, and `expected.txt`: on its first
line whose answers they are, from when and how they were got, then what each says, `FILE: ...` as READERS put it. It is
written from the bodies, by eye or with another tool, never by what pkgsync reads.
"""

import io
import re
from collections.abc import Callable, Iterator
from fnmatch import fnmatchcase
from pathlib import Path

import pytest

from pkgsync.formats import debian, rpmmd
from pkgsync.formats.headers import read_package
from pkgsync.formats.index_entries import IndexEntry
from pkgsync.formats.sums import Stated, opened
from pkgsync.obs.results import parse_meta, parse_result
from pkgsync.packagecloud import distributions, rows

FOREIGN = Path(__file__).parents[1] / "data/foreign"
FOLDERS = sorted(path for path in FOREIGN.iterdir() if path.is_dir())
EXPECTED = "expected.txt"
MOST = 2**26


def meta(data: bytes, name: str) -> Iterator[str]:
    project = re.findall(rb'<project name="([^"]+)"', data)[0].decode()
    for repository, architectures in parse_meta(data, project).repositories.items():
        yield f"{repository} for {' '.join(architectures)}"


def result(data: bytes, name: str) -> Iterator[str]:
    project = re.findall(rb'<result project="([^"]+)"', data)[0].decode()
    for repository, architectures in parse_result(data, project).repositories.items():
        for found in architectures.values():
            files = sum(len(package.files) for package in found.packages)
            yield f"{repository}/{found.name} {found.code}, {len(found.packages)} packages, {files} files"


def repomd(data: bytes, name: str) -> Iterator[str]:
    found = rpmmd.parse_top(data, name)
    yield f"{found.path}, {found.packed.size} bytes, revision {found.revision}, of {found.origin}"


def release(data: bytes, name: str) -> Iterator[str]:
    found = debian.parse_release(data, name)
    lists = [path for path in found.files if path.endswith("Packages")]
    yield f"{' '.join(lists)}, dated {found.revision}, of {found.origin}"


def primary(data: bytes, name: str) -> Iterator[str]:
    return map(entry, rpmmd.parse_packages(opened(data, name, Stated(), MOST), name))


def packages(data: bytes, name: str) -> Iterator[str]:
    return map(entry, debian.parse_packages(opened(data, name, Stated(), MOST), name))


def entry(found: IndexEntry) -> str:
    return f"{found.name} {found.version} {found.architecture}, {found.path}, {found.size} bytes"


def listing(data: bytes, name: str) -> Iterator[str]:
    for row in rows.parse_rows(data, name):
        yield f"{row.distribution}/{row.filename}, sha256 {row.sha256}"


def known(data: bytes, name: str) -> Iterator[str]:
    return (f"{one.type} {one.name} is {one.id}" for one in distributions.parse(data))


def header(data: bytes, name: str) -> Iterator[str]:
    found = read_package(io.BytesIO(data), name, verify=True)
    yield f"{found.name} {found.version} {found.architecture}"


READERS: dict[str, Callable[[bytes, str], Iterator[str]]] = {
    "_meta": meta,
    "_result": result,
    "repomd.xml": repomd,
    "*primary.xml*": primary,
    "*Release": release,
    "Packages*": packages,
    "packages*.json": listing,
    "distributions.json": known,
    "*.rpm": header,
    "*.deb": header,
}


def read(path: Path) -> Iterator[str]:
    readers = [reader for pattern, reader in READERS.items() if fnmatchcase(path.name, pattern)]
    assert readers, f"no reader for {path.name}: name the file as the server does, or add a reader to READERS"
    return (f"{path.name}: {said}" for said in readers[0](path.read_bytes(), path.name))


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_what_was_recorded_elsewhere_is_read_as_it_says(folder: Path) -> None:
    assert (folder / EXPECTED).exists(), f"{folder.name}/{EXPECTED} is missing: see the top of this module"
    _, *expected = (folder / EXPECTED).read_text().splitlines()
    files = sorted(path for path in folder.iterdir() if path.name != EXPECTED)
    assert "\n".join(said for path in files for said in read(path)) == "\n".join(expected)
