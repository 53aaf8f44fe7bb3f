"""The order of versions, proven against rpm and dpkg themselves.

tests/data/versions_rpm.tsv and versions_deb.tsv hold what the tools said; where a tool is installed it is asked again.
"""

import shutil
import subprocess
from pathlib import Path

import pytest

from pkgsync.model import PackageType, Version
from pkgsync.reconcile.versions import UnknownVersion, compare, of_row, orderable, sort_key
from tests.builders import deb, row, rpm

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


@pytest.mark.skipif(shutil.which("rpm") is None, reason="rpm is not installed")
def test_rpm_still_says_what_the_corpus_says() -> None:
    pairs = corpus(PackageType.RPM)
    calls = " ".join(f'print(rpm.vercmp("{left}", "{right}") .. "\\n")' for left, right, _ in pairs)
    done = subprocess.run(["rpm", "--eval", "%{lua: " + calls + "}"], check=True, capture_output=True, text=True)
    assert [int(word) for word in done.stdout.split()] == [result for _, _, result in pairs]


@pytest.mark.skipif(shutil.which("dpkg") is None, reason="dpkg is not installed")
def test_dpkg_still_says_what_the_corpus_says() -> None:
    operators = {-1: "lt", 0: "eq", 1: "gt"}
    commands = [
        ["dpkg", "--compare-versions", left, operators[result], right]
        for left, right, result in corpus(PackageType.DEB)
    ]
    assert [c for c in commands if subprocess.run(c, check=False, capture_output=True).returncode] == []


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
def test_what_makes_the_version_of_an_rpm_row_known(change: dict[str, str | None], known: bool) -> None:
    assert isinstance(of_row(row(rpm(), **change)), Version) is known


@pytest.mark.parametrize(
    ("change", "known"),
    [({}, True), ({"release": None}, True), ({"epoch": None}, False), ({"version": "1:0"}, False)],
)
def test_what_makes_the_version_of_a_deb_row_known(change: dict[str, str | None], known: bool) -> None:
    assert isinstance(of_row(row(deb(), **change)), Version) is known


def test_an_unknown_version_keeps_its_text_for_the_message() -> None:
    assert of_row(row(rpm(version="1.0"), epoch=None)) == UnknownVersion("1.0")


def test_dpkg_refuses_characters_that_rpm_orders() -> None:
    assert orderable(Version(0, "1.0^git", "1"), PackageType.RPM)
    assert not orderable(Version(0, "1.0^git", "1"), PackageType.DEB)


def test_sorting_by_key() -> None:
    versions = [Version(0, v, "1") for v in ("1.10", "1.9", "1.10~rc1", "1.10^git")]
    assert [v.version for v in sorted(versions, key=sort_key(PackageType.RPM))] == [
        "1.9",
        "1.10~rc1",
        "1.10",
        "1.10^git",
    ]
