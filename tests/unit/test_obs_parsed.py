"""What is remembered of an index is used for the very bytes that it was made of, or not at all."""

from pathlib import Path

import pytest
from msgspec.structs import replace

from pkgsync.cache import Cache
from pkgsync.errors import IntegrityError
from pkgsync.formats.index_entries import IndexEntry
from pkgsync.formats.sums import Checksum
from pkgsync.model import IndexedFile, PackageType, Version
from pkgsync.model.filename import FileClass
from pkgsync.obs import ParsedIndexes, parsed
from pkgsync.obs.hashing import with_sha256

SHA256 = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
ENTRIES = (
    IndexEntry(
        "x86_64/h\u00e9llo-1.2-1.x86_64.rpm",
        6573,
        Checksum("sha256", SHA256),
        PackageType.RPM,
        "h\u00e9llo",
        Version(1, "1.2", "1"),
        "x86_64",
        FileClass.PACKAGE,
        mtime=1795351979,
    ),
    IndexEntry(
        "amd64/x_1_amd64.deb",
        1,
        Checksum("sha256", SHA256[::-1]),
        PackageType.DEB,
        "x",
        Version(0, "1"),
        "amd64",
        FileClass.DEBUG,
    ),
)
FILES = (
    IndexedFile(
        filename="h\u00e9llo-1.2-1.x86_64.rpm",
        path="x86_64/h\u00e9llo-1.2-1.x86_64.rpm",
        size=6573,
        sha256=SHA256,
        type=PackageType.RPM,
        name="h\u00e9llo",
        version=Version(1, "1.2", "1"),
        architecture="x86_64",
        file_class=FileClass.PACKAGE,
        mtime=1795351979,
    ),
    IndexedFile(
        filename="x_1_amd64.deb",
        path="amd64/x_1_amd64.deb",
        size=1,
        sha256=SHA256[::-1],
        type=PackageType.DEB,
        name="x",
        version=Version(0, "1"),
        architecture="amd64",
        file_class=FileClass.DEBUG,
        mtime=None,
    ),
)
API, ABOUT = "https://api.example.org", ("Release", "gz", (12, None), 4096, SHA256)


@pytest.fixture
def known(tmp_path: Path) -> ParsedIndexes:
    found = ParsedIndexes(Cache(tmp_path), API)
    assert found.files("p/r", ABOUT, lambda: ENTRIES, complete) == FILES
    return found


def complete(entry: IndexEntry) -> IndexedFile:
    return with_sha256(entry, "p", "r", lambda *_: SHA256)


def never() -> tuple[IndexEntry, ...]:
    raise AssertionError("must not be parsed")


def test_the_same_bytes_are_not_parsed_again(known: ParsedIndexes, tmp_path: Path) -> None:
    assert ParsedIndexes(Cache(tmp_path), API).files("p/r", ABOUT, never, complete) == FILES


@pytest.mark.parametrize("place", range(5))
def test_whatever_else_they_are_parsed_from_gives_them_anew(known: ParsedIndexes, place: int) -> None:
    about = (*ABOUT[:place], "other", *ABOUT[place + 1 :])
    assert known.files("p/r", about, lambda: ENTRIES[:1], complete) == FILES[:1]
    assert known.files("p/r", about, never, complete) == FILES[:1]
    assert known.files("p/r", ABOUT, lambda: (), complete) == ()


def test_another_repository_or_server_or_version_knows_nothing_of_it(
    known: ParsedIndexes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert known.files("p/other", ABOUT, lambda: (), complete) == ()
    assert ParsedIndexes(Cache(tmp_path), "https://other.example.org").files("p/r", ABOUT, lambda: (), complete) == ()
    monkeypatch.setattr(parsed, "__version__", "0.0.1")
    assert known.files("p/r", ABOUT, lambda: (), complete) == ()


@pytest.mark.parametrize(
    "rows",
    [
        b"",
        b"{",
        b"[" * 100_000,
        b"[[]]",
        b'[["a"]]',
        b"[1]",
        b"null",
        b'[["p"],[1],["x"],["iso"],["n"],[0],["1"],[""],["a"],["package"],[null]]',
        b'[["p","q"],[1],["x"],["rpm"],["n"],[0],["1"],[""],["a"],["package"],[null]]',
        b'[["p"],[1],["x"],["rpm"],["n"],[0],["1"],[""],["a"],["package"],[null],[]]',
        b'[["p"],["1"],["x"],["rpm"],["n"],[0],["1"],[""],["a"],["package"],[null]]',
        b'[["p"],[1.5],["x"],["rpm"],["n"],[0],["1"],[""],["a"],["package"],[null]]',
        b'[["p"],[1],[[]],["rpm"],["n"],[0],["1"],[""],["a"],["package"],[null]]',
        b'[["p"],[1],["x"],["rpm"],["n"],[null],["1"],[""],["a"],["package"],[null]]',
        b'[["p"],[1],["x"],["rpm"],["n"],[0],[1],[""],["a"],["package"],[null]]',
        b'[["p"],[1],["x"],["rpm"],["n"],[0],["1"],[""],["a"],["package"],[true]]',
        b'[[1],[1],["x"],["rpm"],["n"],[0],["1"],[""],["a"],["package"],[null]]',
    ],
)
def test_rows_in_another_form_are_not_used(known: ParsedIndexes, tmp_path: Path, rows: bytes) -> None:
    (note,) = (path for path in (tmp_path / "notes").rglob("*") if path.is_file())
    about = known.cache.read_note(note.name)
    assert about is not None
    known.cache.write_note(note.name, about.split(b"\n")[0] + b"\n" + rows)
    assert known.files("p/r", ABOUT, lambda: ENTRIES, complete) == FILES
    assert known.files("p/r", ABOUT, never, complete) == FILES


def test_what_cannot_be_parsed_is_not_remembered(known: ParsedIndexes) -> None:
    def refuse() -> tuple[IndexEntry, ...]:
        raise IntegrityError("damaged")

    for _ in range(2):
        with pytest.raises(IntegrityError, match="damaged"):
            known.files("p/r", ABOUT[:4], refuse, complete)
    assert known.files("p/r", ABOUT, never, complete) == FILES


def test_of_a_file_without_sha256_nothing_is_remembered(known: ParsedIndexes) -> None:
    """Its bytes are read in each run: they may have changed under the same index."""
    weak = replace(ENTRIES[0], checksum=Checksum("md5", SHA256[:32]))
    parsed_again = iter([(weak,), (weak, weak)])
    assert len(known.files("p/r", ("other",), lambda: next(parsed_again), complete)) == 1
    assert len(known.files("p/r", ("other",), lambda: next(parsed_again), complete)) == 2
