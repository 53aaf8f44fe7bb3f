"""Bytes that cost more than they are: each reader takes one pass, and stops at a stated limit."""

import gzip
import lzma
from collections.abc import Callable, Iterator

import pytest
import zstandard

from pkgsync.errors import IntegrityError, PlanFileError, SignatureError
from pkgsync.formats import debian, rpmmd, xml
from pkgsync.formats.sums import Stated, opened
from pkgsync.planfile import strictjson
from pkgsync.signatures import PublicKeys, public_keys, verify
from tests.support.watchdog import watchdog

PACKERS: dict[str, Callable[[bytes], bytes]] = {"gz": gzip.compress, "xz": lzma.compress, "zst": zstandard.compress}


class Fed:
    """Pieces of an endless document; ``count`` is how many were taken."""

    def __init__(self, start: bytes, more: bytes) -> None:
        self.count = 0
        self._start = start
        self._more = more

    def __iter__(self) -> Iterator[bytes]:
        yield self._start
        for self.count in range(1, 100_000):
            yield self._more


# compressed files


@pytest.mark.parametrize("kind", PACKERS)
def test_countless_empty_members_are_refused(kind: str) -> None:
    pack = PACKERS[kind]
    data = pack(b"a") + pack(b"") * 200_000
    with watchdog(), pytest.raises(IntegrityError, match="cannot be unpacked"):
        list(opened(data, f"Packages.{kind}", Stated(), 100))


@pytest.mark.parametrize("kind", PACKERS)
def test_many_members_are_one_file(kind: str) -> None:
    pack = PACKERS[kind]
    data = pack(b"a") * 9_999 + pack(b"b" * 300_000)
    with watchdog():
        assert b"".join(opened(data, f"Packages.{kind}", Stated(), 400_000)) == b"a" * 9_999 + b"b" * 300_000


@pytest.mark.parametrize("kind", PACKERS)
def test_a_member_that_is_cut_behind_others_is_damaged(kind: str) -> None:
    data = PACKERS[kind](b"a" * 70_000) + PACKERS[kind](b"b" * 70_000)[:-3]
    with pytest.raises(IntegrityError, match="damaged or cut"):
        list(opened(data, f"Packages.{kind}", Stated(), 400_000))


def test_what_swells_is_handed_on_in_small_pieces() -> None:
    data = zstandard.compress(b"<x/>" * 2**22, level=19)
    assert len(data) < 4096
    assert max(map(len, opened(data, "primary.xml.zst", Stated(), 2**25))) == 65_536


# XML


@pytest.mark.parametrize(
    ("start", "more"),
    [
        (b"<r><c a='", b"x" * 65536),
        (b"<r><!-- ", b"x" * 65536),
        (b"<r><c ", b"a" * 65536),
        (b"<r><s><c a='", b"x" * 65536),
        (b"<!-- ", b"x" * 65536),
        (b"<r><c>", b"x" * 65536),
        (b"<r><c>", b"<![CDATA[x]]><?p?>" * 3000),
        (b"<r>", b"x" * 65536),
    ],
)
def test_one_long_token_or_text_ends_the_reading(start: bytes, more: bytes) -> None:
    """Each piece of a token makes expat read it from its start again."""
    pieces = Fed(start, more)
    with watchdog(), pytest.raises(IntegrityError):
        list(xml.children(pieces, "r", "doc", frozenset({"s"})))
    assert pieces.count < 500


def test_a_long_text_that_is_skipped_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    text = b"<r><c>a<s>" + b"x" * 3 * 2**20 + b"</s>b</c></r>"
    root, child = xml.children(xml.in_pieces(text), "r", "doc", frozenset({"s"}))
    assert (root.tag, child.text) == ("r", "ab")


@pytest.mark.parametrize(
    "more", [b"<x/>" * 1000, b"<x a='1' b='2' c='3'/>" * 1000, b"<x>" * 10, b"<x><y><z/></y></x>" * 1000]
)
def test_what_is_in_memory_at_once_has_a_limit(monkeypatch: pytest.MonkeyPatch, more: bytes) -> None:
    """A single element with all the others inside took 9 GiB."""
    monkeypatch.setattr(xml, "MAX_PARTS", 50_000)
    pieces = Fed(b"<r><c>", more)
    with pytest.raises(IntegrityError, match="more elements than can be"):
        list(xml.children(pieces, "r", "doc"))
    assert pieces.count < 60


def test_names_have_a_limit() -> None:
    tags = (
        b"".join(b"<n%d a%d=''/>" % (number, number) for number in range(start, start + 1000))
        for start in range(0, 10**6, 1000)
    )
    taken = 0

    def pieces() -> Iterator[bytes]:
        nonlocal taken
        yield b"<r>"
        for taken, piece in enumerate(tags):  # noqa: B007
            yield piece

    with pytest.raises(IntegrityError, match="more names than can be"):
        for _ in xml.children(pieces(), "r", "doc"):
            pass
    assert taken < 12


def test_a_whole_document_has_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(xml, "MAX_ALL_PARTS", 50_000)
    pieces = Fed(b"<r>", b"<c a='1'/>" * 1000)
    with pytest.raises(IntegrityError, match="more elements than can be"):
        for _ in xml.children(pieces, "r", "doc"):
            pass
    assert pieces.count < 30


def test_the_limits_are_beyond_the_largest_projects() -> None:
    assert xml.MAX_PARTS >= 4 * 400_000
    assert xml.MAX_ALL_PARTS >= 25 * 300_000


def test_a_root_that_is_to_be_skipped_is_another_document() -> None:
    data = b"<format xmlns='http://linux.duke.edu/metadata/common'><package/></format>"
    with pytest.raises(IntegrityError, match="another document, not a <"):
        list(rpmmd.parse_packages([data], "primary"))


def test_reading_a_document_has_a_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter(range(0, 10_000, 100))
    monkeypatch.setattr("pkgsync.formats.xml.time.monotonic", lambda: next(clock))
    taken: list[bytes] = []
    with pytest.raises(IntegrityError, match="took longer than 600 s"):
        taken.extend(xml.in_pieces(b"x" * 65536 * 20))
    assert len(taken) == 6


def test_a_primary_is_read_no_further_than_it_says(monkeypatch: pytest.MonkeyPatch) -> None:
    start = b"<metadata xmlns='http://linux.duke.edu/metadata/common' packages='%d'>"
    with pytest.raises(IntegrityError, match="lists 500001 packages, more than can be"):
        list(rpmmd.parse_packages([start % 500_001], "primary"))
    monkeypatch.setattr(rpmmd, "_entry", lambda element, what: element)
    package = b"<package/>" * 2
    with pytest.raises(IntegrityError, match="does not list the 1 packages that it says"):
        list(rpmmd.parse_packages([start % 1, package], "primary"))


# OpenPGP


@pytest.mark.parametrize(
    "data",
    [
        b"-----BEGIN PGP SIGNATURE-----\n" + b" " * 2**24 + b"x\n-----END PGP SIGNATURE-----\n",
        b"-----BEGIN PGP X-----\n\n-----END PGP X-----\n" * 2**19,
        b"-----BEGIN PGP " * 2**20,
        b"-----BEGIN PGP X-----\n" * 2**20,
    ],
    ids=["spaces", "blocks", "beginnings", "blocks without an end"],
)
def test_a_signature_is_read_in_one_pass(data: bytes) -> None:
    with watchdog(), pytest.raises(IntegrityError):
        public_keys(data, "key.asc")


def test_a_text_has_a_limit_of_signatures() -> None:
    keys = PublicKeys(packets=b"", fingerprints=())
    with watchdog(), pytest.raises(SignatureError, match="what should be its signature is none"):
        verify(b"x", b"\xc2\x00" * 2**20, keys, "repomd.xml")


# Debian


def test_continuation_lines_are_read_once() -> None:
    release = b"SHA256:\n" + b" x\n" * 1_000_000
    with watchdog(), pytest.raises(IntegrityError, match="a line of its checksums is none"):
        debian.parse_top(release, "Release")


def test_a_paragraph_has_a_limit_of_fields() -> None:
    with pytest.raises(IntegrityError, match="a line is no field"):
        debian.parse_top(b"".join(b"F%d: x\n" % number for number in range(1001)), "Release")


def test_a_list_of_packages_has_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(debian, "MAX_ENTRIES", 3)
    entry = b"Package: a\nVersion: 1\nArchitecture: all\nFilename: a.deb\nSize: 1\nSHA256: " + b"0" * 64 + b"\n\n"
    assert len(list(debian.parse_packages([entry * 3], "Packages"))) == 3
    with pytest.raises(IntegrityError, match="lists over 3 packages"):
        list(debian.parse_packages([entry * 4], "Packages"))


# JSON


def test_a_plan_that_would_fill_the_memory_is_not_even_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pkgsync.planfile.strictjson.json.loads", None)
    with pytest.raises(PlanFileError, match="holds over 10000000 values"):
        strictjson.parse_object(b'{"a": [' + b"[]," * 5_000_001 + b"[]]}", "plan.json")


def test_a_late_duplicate_among_many_keys_is_found_in_one_pass() -> None:
    keys = ", ".join(f'"k{number}": 0' for number in range(100_000))
    with watchdog(), pytest.raises(PlanFileError, match="the key 'k99999' stands twice"):
        strictjson.parse_object(f'{{{keys}, "k99999": 1}}'.encode(), "plan.json")
