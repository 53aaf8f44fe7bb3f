"""The order of versions, proven against rpm and dpkg themselves.

tests/data/versions_rpm.tsv and versions_deb.tsv hold what the tools said; where a tool is installed it is asked again,
and about versions that nobody wrote down. `.ci/suites.py` lets no test of this file be skipped.
"""

import random
import shutil
import subprocess
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pkgsync.model import PackageType, Version
from pkgsync.reconcile.versions import UnknownVersion, of_row, orderable, sort_key
from tests.support.scope import EVERYTHING, sample
from tests.support.values.builders import deb, row, rpm

needs_rpm = pytest.mark.skipif(shutil.which("rpm") is None, reason="rpm is not installed")
needs_dpkg = pytest.mark.skipif(shutil.which("dpkg") is None, reason="dpkg is not installed")
DATA = Path(__file__).parent.parent / "data"
Pair = tuple[str, str, int]


def corpus(kind: PackageType) -> list[Pair]:
    lines = (DATA / f"versions_{kind}.tsv").read_text(encoding="ascii").splitlines()
    return [(left, right, int(result)) for left, right, result in (line.split("\t") for line in lines)]


def parsed(text: str) -> Version:
    epoch, colon, rest = text.partition(":")
    if not colon or not epoch.isdigit():
        epoch, rest = "0", text
    version, hyphen, release = rest.rpartition("-")
    return Version(int(epoch), version if hyphen else rest, release if hyphen else "")


def compare(left: Version, right: Version, kind: PackageType) -> int:
    one, other = map(sort_key(kind), (left, right))
    return (one > other) - (one < other)


def sign(number: int) -> int:
    return (number > 0) - (number < 0)


@pytest.mark.parametrize("kind", PackageType)
def test_a_corpus_holds_at_least_500_different_pairs_of_every_outcome(kind: PackageType) -> None:
    pairs = corpus(kind)
    assert len({frozenset(p[:2]) for p in pairs}) >= 500
    assert {p[2] for p in pairs} == {-1, 0, 1}


@pytest.mark.parametrize("kind", PackageType)
def test_the_order_is_that_of_the_tool(kind: PackageType) -> None:
    wrong = [
        (left, right, result)
        for left, right, result in corpus(kind)
        if sign(compare(parsed(left), parsed(right), kind)) != result
        or sign(compare(parsed(right), parsed(left), kind)) != -result
    ]
    assert wrong == []


def test_a_debian_revision_counts_the_same_stated_apart_or_within_the_version() -> None:
    for left, right, result in corpus(PackageType.DEB):
        whole = parsed(left)
        joined = Version(whole.epoch, str(Version(0, whole.version, whole.release)))
        assert sign(compare(joined, parsed(right), PackageType.DEB)) == result, (left, right)


def rpm_says(pairs: list[tuple[str, str]], folder: Path) -> list[int]:
    """What one rpm process says of all pairs; from a file, as a command line is too short for them."""
    (folder / "pairs").write_text("".join(f"{left}\t{right}\n" for left, right in pairs), encoding="ascii")
    script = """%{lua:
        for line in io.lines("FOLDER/pairs") do
            local left, right = line:match("^(.-)\t(.*)$")
            print(rpm.vercmp(left, right) .. "\\n")
        end}""".replace("FOLDER", str(folder))
    done = subprocess.run(["rpm", "--eval", script], check=True, capture_output=True, text=True)
    return [int(word) for word in done.stdout.split()]


def dpkg_denies(pairs: Sequence[Pair]) -> list[str]:
    """Those of the pairs whose result dpkg doesn't confirm."""
    loop = 'while read -r l o r; do dpkg --compare-versions "$l" "$o" "$r" || echo "$l $o $r"; done'
    lines = "".join(f"{left} {('eq', 'gt', 'lt')[result]} {right}\n" for left, right, result in pairs)
    done = subprocess.run(["sh", "-c", loop], input=lines, check=True, capture_output=True, text=True)
    assert "error" not in done.stderr
    return done.stdout.splitlines()


@needs_rpm
def test_rpm_still_says_what_the_corpus_says(tmp_path: Path) -> None:
    pairs = corpus(PackageType.RPM)
    assert rpm_says([pair[:2] for pair in pairs], tmp_path) == [pair[2] for pair in pairs]


@needs_dpkg
def test_dpkg_still_says_what_the_corpus_says() -> None:
    assert dpkg_denies(sample(corpus(PackageType.DEB), 5)) == []


PIECES = (
    "0",
    "00",
    "1",
    "9",
    "10",
    "09",
    "010",
    "a",
    "b",
    "Z",
    "ab",
    "rc1",
    "1a",
    "a1",
    "~",
    "~~",
    "+",
    "++",
    ".",
    "..",
    "",
)
RPM_PIECES = (*PIECES, "^", "^^", "~^", "^~", "_", "-", " ", ":", "%", "!", "\\", '"', "^git1", "lp156.2")
DEB_PIECES = (*PIECES, "-", "--", "ubuntu1", "~bpo12+1", "+dfsg", ".+", "+~")


def random_versions(kind: PackageType, count: int) -> list[Version]:
    """Versions out of the pieces above; half of them are another one, changed in one place."""
    source, pieces = random.Random(f"{kind} 7"), RPM_PIECES if kind is PackageType.RPM else DEB_PIECES

    def text(longest: int) -> str:
        return "".join(source.choice(pieces) for _ in range(source.randint(1, longest)))

    versions: list[Version] = []
    while len(versions) < count:
        version = Version(
            source.choice((0, 0, 0, 0, 1, 10)), text(6), source.choice((text(3), "1", "0", "")).replace("-", "")
        )
        if versions and source.random() < 0.5:
            other = source.choice(versions)
            place = source.randint(0, len(other.version))
            piece = source.choice((*pieces, "0" * 400, "1234567890" * 50))
            changed = other.version[:place] + piece + other.version[place + source.randint(0, 2) :]
            version = Version(other.epoch, changed, source.choice((other.release, version.release)))
        if version.version and (version.release or kind is PackageType.DEB) and orderable(version, kind):
            versions.append(version)
    return versions


def written(version: Version, kind: PackageType) -> str:
    hyphen = "-" if version.release or kind is PackageType.RPM else ""
    return f"{version.epoch}:{version.version}{hyphen}{version.release}"


def judged(kind: PackageType, pairs: list[tuple[Version, Version]]) -> list[Pair]:
    return [(written(a, kind), written(b, kind), compare(a, b, kind)) for a, b in pairs]


@needs_rpm
def test_rpm_orders_random_versions_as_we_do(tmp_path: Path) -> None:
    versions = random_versions(PackageType.RPM, 3000)
    ordered = sorted(versions, key=sort_key(PackageType.RPM))
    # if it says the same of all neighbours, it says the same of all pairs; the others would show a tool with no order
    pairs = judged(PackageType.RPM, [*pairwise(ordered), *pairwise(versions)])
    assert {pair[2] for pair in pairs} == {-1, 0, 1}
    said = rpm_says([pair[:2] for pair in pairs], tmp_path)
    assert [(pair, by_rpm) for pair, by_rpm in zip(pairs, said, strict=True) if pair[2] != by_rpm] == []


@needs_dpkg
def test_dpkg_orders_random_versions_as_we_do() -> None:
    versions = random_versions(PackageType.DEB, 3000 if EVERYTHING else 300)
    ordered = sorted(versions, key=sort_key(PackageType.DEB))
    pairs = judged(PackageType.DEB, [*pairwise(ordered), *pairwise(versions[:300])])
    assert {pair[2] for pair in pairs} == {-1, 0, 1}
    assert dpkg_denies(pairs) == []


def any_version(kind: PackageType) -> st.SearchStrategy[Version]:
    pieces = st.lists(st.sampled_from(RPM_PIECES if kind is PackageType.RPM else DEB_PIECES), max_size=6).map("".join)
    known = st.builds(Version, st.integers(0, 2), pieces, pieces)
    return known.filter(lambda version: orderable(version, kind))


@pytest.mark.parametrize("kind", PackageType)
@given(data=st.data())
def test_the_order_is_total(kind: PackageType, data: st.DataObject) -> None:
    a, b, c = (data.draw(any_version(kind)) for _ in range(3))
    assert compare(a, a, kind) == 0
    assert compare(a, b, kind) == -compare(b, a, kind)
    if compare(a, b, kind) <= 0 and compare(b, c, kind) <= 0:
        assert compare(a, c, kind) <= 0
    if compare(a, b, kind) == 0:
        assert compare(a, c, kind) == compare(b, c, kind)


@pytest.mark.parametrize("kind", PackageType)
def test_numbers_of_any_length_are_ordered(kind: PackageType) -> None:
    """Python reads no number of more than 4,300 digits, and takes quadratic time for those that it reads."""
    long, longer = (Version(0, f"1.0{digits}", "1") for digits in ("9" * 1_000_000, "1" + "0" * 1_000_000))
    assert compare(long, longer, kind) == -1


@pytest.mark.parametrize(
    ("change", "known"),
    [
        ({}, True),
        ({"epoch": None}, False),
        ({"version": None}, False),
        ({"version": ""}, False),
        ({"release": None}, False),
        ({"version": "1.0\n2"}, False),
        ({"version": "1.0é"}, False),
    ],
)
def test_what_makes_the_version_of_an_rpm_row_known(change: dict[str, Any], known: bool) -> None:
    assert isinstance(of_row(row(rpm(), **change)), Version) is known


@pytest.mark.parametrize(
    ("change", "known"),
    [({}, True), ({"release": None}, True), ({"epoch": None}, False), ({"version": "1:0"}, False)],
)
def test_what_makes_the_version_of_a_deb_row_known(change: dict[str, Any], known: bool) -> None:
    assert isinstance(of_row(row(deb(), **change)), Version) is known


def test_an_unknown_version_keeps_its_text_for_the_message() -> None:
    assert of_row(row(rpm(version="1.0"), epoch=None)) == UnknownVersion("1.0")


def test_dpkg_refuses_characters_that_rpm_orders() -> None:
    assert orderable(Version(0, "1.0^git", "1"), PackageType.RPM)
    assert not orderable(Version(0, "1.0^git", "1"), PackageType.DEB)


@pytest.mark.parametrize(
    ("version", "release", "taken"),
    [
        ("1", "", True),
        ("1-", "1", True),
        ("1-2", "", True),
        ("a", "1", True),
        ("1-", "", False),
        ("1", "2-", False),
        ("-1", "", False),
        ("", "1", False),
        ("1:2", "1", False),
        ("1", "2\n", False),
    ],
)
def test_what_dpkg_refuses_has_no_order(version: str, release: str, taken: bool) -> None:
    assert orderable(Version(0, version, release), PackageType.DEB) is taken


def test_sorting_by_key() -> None:
    versions = [Version(0, v, "1") for v in ("1.10", "1.9", "1.10~rc1", "1.10^git")]
    assert [v.version for v in sorted(versions, key=sort_key(PackageType.RPM))] == [
        "1.9",
        "1.10~rc1",
        "1.10",
        "1.10^git",
    ]
