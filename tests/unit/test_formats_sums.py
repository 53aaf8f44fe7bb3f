"""Compressed lists: whole, verified, and never larger than they may be."""

import gzip
import hashlib
import lzma
import tracemalloc

import pytest
import zstandard

from pkgsync.errors import IntegrityError, ReadError
from pkgsync.formats.fields import check_filename, check_path
from pkgsync.formats.index_entries import IndexEntry, unique
from pkgsync.formats.sums import Checksum, Stated, opened
from pkgsync.model import PackageType, Version
from pkgsync.model.filename import FileClass
from pkgsync.obs.hashing import with_sha256

TEXT = b"line\n" * 100_000
PACKED = {
    "p.gz": gzip.compress(TEXT),
    "p.xz": lzma.compress(TEXT),
    "p.zst": zstandard.compress(TEXT),
    "p": TEXT,
}
SHA256 = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"  # of "test"


def unpack(name: str, data: bytes, stated: Stated = Stated(), cap: int = 10**9) -> bytes:  # noqa: B008
    return b"".join(opened(data, name, stated, cap))


@pytest.mark.parametrize("name", PACKED)
def test_every_kind_is_unpacked(name: str) -> None:
    stated = Stated(500_000, Checksum("sha1", hashlib.sha1(TEXT).hexdigest()))
    assert unpack(name, PACKED[name], stated) == TEXT


@pytest.mark.parametrize("name", ["p.gz", "p.xz", "p.zst"])
def test_several_parts_are_one_document(name: str) -> None:
    assert unpack(name, PACKED[name] * 2) == TEXT * 2


@pytest.mark.parametrize("name", ["p.gz", "p.xz", "p.zst"])
@pytest.mark.parametrize("cut", [1, 5, 12])
def test_a_cut_document_is_refused(name: str, cut: int) -> None:
    with pytest.raises(IntegrityError):
        unpack(name, PACKED[name][:-cut])


@pytest.mark.parametrize("name", ["p.gz", "p.xz", "p.zst"])
def test_a_damaged_document_is_refused(name: str) -> None:
    data = bytearray(PACKED[name])
    data[len(data) // 2] ^= 0xFF
    data[20] ^= 0xFF
    with pytest.raises(IntegrityError):
        unpack(name, bytes(data), Stated(None, Checksum("sha256", hashlib.sha256(TEXT).hexdigest())))


@pytest.mark.parametrize("name", ["p.gz", "p.xz", "p.zst"])
def test_what_follows_a_document_is_refused(name: str) -> None:
    with pytest.raises(IntegrityError):
        unpack(name, PACKED[name] + b"more")


@pytest.mark.parametrize(("name", "data"), [("p.gz", PACKED["p"]), ("p", PACKED["p.gz"]), ("p.xz", PACKED["p.zst"])])
def test_the_content_must_fit_the_name(name: str, data: bytes) -> None:
    with pytest.raises(IntegrityError, match="fit its name"):
        unpack(name, data)


@pytest.mark.parametrize("name", PACKED)
def test_the_stated_size_and_checksum_must_hold(name: str) -> None:
    for stated in (Stated(499_999), Stated(500_001), Stated(None, Checksum("sha256", SHA256))):
        with pytest.raises(IntegrityError):
            unpack(name, PACKED[name], stated)


@pytest.mark.parametrize(
    ("name", "bomb", "most"),
    [
        ("p.gz", gzip.compress(b"\0" * 30_000_000, 9), 15_000_000),
        ("p.xz", lzma.compress(b"\0" * 30_000_000, preset=0), 15_000_000),
        ("p.zst", zstandard.compress(b"\0" * 300_000_000), 150_000_000),
    ],
    ids=["gz", "xz", "zst"],
)
def test_a_bomb_does_not_go_off(name: str, bomb: bytes, most: int) -> None:
    tracemalloc.start()
    try:
        with pytest.raises(IntegrityError, match="more than 1000000 bytes"):
            for _ in opened(bomb, name, Stated(), 1_000_000):
                pass
        assert tracemalloc.get_traced_memory()[1] < most
    finally:
        tracemalloc.stop()


def test_bytes_are_verified() -> None:
    stated = Stated(4, Checksum("sha256", SHA256))
    stated.verify(b"test", "p")
    for data in (b"tesT", b"tes", b"tests", b""):
        with pytest.raises(IntegrityError):
            stated.verify(data, "p")


def entry(path: str, content: str = SHA256, algorithm: str = "sha256") -> IndexEntry:
    return IndexEntry(
        path, 4, Checksum(algorithm, content), PackageType.RPM, "n", Version(0, "1", "1"), "noarch", FileClass.PACKAGE
    )


def test_one_file_under_two_paths_is_one_file() -> None:
    assert list(unique([entry("b/f.rpm"), entry("c.rpm"), entry("a/f.rpm")], "index")) == [
        entry("a/f.rpm"),
        entry("c.rpm"),
    ]


def test_two_files_under_one_name_are_refused() -> None:
    with pytest.raises(IntegrityError, match=r"f\.rpm"):
        list(unique([entry("a/f.rpm"), entry("b/f.rpm", "0" * 64)], "index"))


def test_a_sum_that_is_no_sha256_costs_a_download() -> None:
    calls: list[tuple[object, ...]] = []

    def hasher(*given: object) -> str:
        calls.append(given)
        return SHA256

    sha1 = "a94a8fe5ccb19ba61c4c0873d391e987982fbbd3"
    assert with_sha256(entry("a/f.rpm", sha1, "sha1"), "p", "r", hasher).sha256 == SHA256
    assert calls == [("p", "r", "a/f.rpm", 4, "sha1", sha1)]
    with pytest.raises(ReadError):
        with_sha256(entry("a/f.rpm", sha1, "sha1"), "p", "r", None)


@pytest.mark.parametrize(
    "name", ["", ".", "..", "a/b", "a\\b", "a\nb", "a\0b", "\x7f", "a\u2028b", "\ud800", "\u200f", "a" * 256, "ä" * 128]
)
def test_what_is_no_file_name_is_refused(name: str) -> None:
    with pytest.raises(IntegrityError):
        check_filename(name, "index")


@pytest.mark.parametrize(
    "name", ["a", "libx++-1.0~rc1^git-1.noarch.rpm", "::import::i586::a.rpm", "_buildenv", "ä.deb", "ä b.AppImage"]
)
def test_odd_but_honest_file_names_pass(name: str) -> None:
    assert check_filename(name, "index") == name


@pytest.mark.parametrize("path", ["", "/a", "a//b", "a/", "./", "././a", "a/./b", "a/../b", "https://x/a"])
def test_a_path_that_leads_elsewhere_is_refused(path: str) -> None:
    with pytest.raises(IntegrityError):
        check_path(path, "index")


@pytest.mark.parametrize(("path", "normal"), [("./amd64/a.deb", "amd64/a.deb"), ("noarch/a.rpm", "noarch/a.rpm")])
def test_a_path_is_written_in_one_way(path: str, normal: str) -> None:
    assert check_path(path, "index") == normal
