"""Values from the wire: odd ones become unknown or an error, never a crash and never something else."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pkgsync.errors import PkgsyncError, ReadError
from pkgsync.packagecloud import documents, rows

ABC = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"<html>", b"\xff", b"NaN", b"[Infinity]", b"9" * 5000, b"[" * 100_000, b'{"a":' * 100_000, b"[] []"],
)
def test_what_is_no_json_is_a_failed_read(body: bytes) -> None:
    with pytest.raises(ReadError, match="packages"):
        documents.parse(body, "packages.json")


_LEAVES = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()


@given(st.recursive(_LEAVES, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)), st.booleans())
def test_a_document_is_what_json_says(value: Any, escaped: bool) -> None:
    assert documents.parse(json.dumps(value, ensure_ascii=escaped).encode(), "x") == value


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (rb'["\ud800"]', ["\ud800"]),
        ('["ä"]'.encode("utf-16"), ["ä"]),
        (b'{"a": 1, "a": 2}', {"a": 2}),
        (b"[1e400]", [float("inf")]),
        (b"[123456789012345678901234567890]", [123456789012345678901234567890]),
    ],
)
def test_what_is_odd_but_json_is_read(body: bytes, expected: Any) -> None:
    assert documents.parse(body, "x") == expected


@pytest.mark.parametrize("name", ["a.rpm", "libdemo++1-0.9~rc1^git1-1.x86_64.rpm", "a b", "ä.deb", "...", "-rf"])
def test_plain_names(name: str) -> None:
    assert documents.is_plain_name(name)


@pytest.mark.parametrize(
    "name",
    [
        "",
        ".",
        "..",
        "a/b",
        "/a",
        "a\\b",
        "a\nb",
        "a\0",
        "a\x1b[31m",
        "a\x7f",
        "a\x85",
        "a\u202eb",
        "a\u2028b",
        "\ud800",
        "a" * 256,
    ],
)
def test_names_that_are_not_plain(name: str) -> None:
    assert not documents.is_plain_name(name)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (ABC, ABC),
        (ABC.upper(), ABC),
        (None, None),
        ("", None),
        (ABC[:-1], None),
        (ABC + "0", None),
        ("g" * 64, None),
        (0, None),
        ([ABC], None),
        ("٠" * 64, None),
    ],
)
def test_a_checksum_is_64_hex_digits_or_unknown(value: object, expected: str | None) -> None:
    assert documents.checksum(value) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("3712", 3712),
        ("3732.0", 3732),
        (3712, 3712),
        (3712.0, 3712),
        ("0", 0),
        (None, None),
        ("", None),
        ("N/A", None),
        ("3.5", None),
        ("-1", None),
        ("NaN", None),
        ("1e999999", None),
        ("Infinity", None),
        (True, None),
        ([1], None),
        (10**400, None),
    ],
)
def test_sizes(value: object, expected: int | None) -> None:
    assert documents.byte_count(value) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (0, 0),
        (2, 2),
        ("2", 2),
        (None, None),
        (-1, None),
        (2**32, None),
        ("x", None),
        (True, None),
        (1.0, None),
        ("²", None),
    ],
)
def test_epochs(value: object, expected: int | None) -> None:
    assert documents.small_int(value) == expected


def fragment(**changes: Any) -> dict[str, object]:
    """A PackageFragment as https://packagecloud.io/docs/api describes it."""
    return {
        "name": "jake",
        "distro_version": "ubuntu/precise",
        "created_at": "2017-03-13T02:49:29.000Z",
        "version": "1.0",
        "release": "7",
        "epoch": 0,
        "architecture": "amd64",
        "scope": None,
        "private": False,
        "type": "deb",
        "filename": "jake_1.0-7_amd64.deb",
        "uploader_name": "test_user",
        "indexed": True,
        "sha256sum": ABC,
        "package_url": "/api/v1/repos/u/r/package/deb/ubuntu/precise/jake/amd64/1.0-7.json",
        "promote_url": "/api/v1/repos/u/r/ubuntu/precise/jake_1.0-7_amd64.deb/promote.json",
        "destroy_url": "/api/v1/repos/u/r/ubuntu/precise/jake_1.0-7_amd64.deb",
        "download_url": "https://packagecloud.io/u/r/packages/ubuntu/precise/jake_1.0-7_amd64.deb/download",
    } | changes


def without(*names: str) -> dict[str, object]:
    return {name: value for name, value in fragment().items() if name not in names}


def test_a_row_is_read() -> None:
    row = rows.parse_row(fragment(), "packages.json")
    assert row.key == "ubuntu/precise/jake_1.0-7_amd64.deb"
    assert (row.type, row.name, row.version, row.release, row.epoch) == ("deb", "jake", "1.0", "7", 0)
    assert (row.architecture, row.sha256, row.uploader, row.indexed) == ("amd64", ABC, "test_user", True)
    assert row.created_at == "2017-03-13T02:49:29.000Z"


def test_null_and_absent_fields_are_unknown() -> None:
    optional = (
        "release",
        "epoch",
        "sha256sum",
        "uploader_name",
        "created_at",
        "download_url",
        "destroy_url",
        "version",
    )
    for item in (fragment(**dict.fromkeys(optional)), without(*optional)):
        row = rows.parse_row(item, "x")
        assert (row.release, row.epoch, row.sha256, row.uploader, row.version) == (None, None, None, None, None)
        assert (row.created_at, row.download_url.text, row.destroy_url) == ("", "", "")


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"architecture": None}, "amd64"),
        ({"architecture": None, "package_url": None}, "amd64"),
        ({"architecture": None, "package_url": "", "filename": "a-1-1.noarch.rpm", "type": "rpm"}, "noarch"),
        ({"architecture": None, "package_url": "", "filename": "a-1-1.src.rpm", "type": "rpm"}, "src"),
        ({"architecture": None, "package_url": "", "filename": "odd.deb"}, None),
        ({"architecture": None, "package_url": "", "filename": "odd_1.0.deb"}, None),
        ({"architecture": None, "package_url": "", "filename": "odd_name.x86_64.rpm", "type": "rpm"}, None),
        ({"architecture": None, "package_url": "/package/deb/ubuntu/precise/jake//1"}, None),
    ],
)
def test_a_missing_architecture_is_taken_from_the_address_or_the_name(
    changes: dict[str, object], expected: str | None
) -> None:
    assert rows.parse_row(fragment(**changes), "x").architecture == expected


def test_a_missing_type_is_taken_from_the_address_or_the_name() -> None:
    assert rows.parse_row(without("type"), "x").type == "deb"
    assert rows.parse_row(without("type", "package_url"), "x").type == "deb"
    assert rows.parse_row({"filename": "a.gem"}, "x").type == ""


def test_half_a_character_cannot_break_a_plan() -> None:
    (row,) = rows.parse_rows(
        b'[{"type": "deb", "name": "a", "filename": "a.deb", "distro_version": "a/b", "uploader_name": "\\ud800"}]', "x"
    )
    assert row.uploader == "?"


def test_other_types_need_nothing() -> None:
    row = rows.parse_row({"type": "anyfile", "filename": "a/b"}, "x")
    assert (row.type, row.filename, row.distribution) == ("anyfile", "a/b", "")


@pytest.mark.parametrize(
    "changes",
    [
        {"filename": "../a.deb"},
        {"filename": None},
        {"filename": 1},
        {"name": ""},
        {"distro_version": "ubuntu"},
        {"distro_version": "a/b/c"},
        {"distro_version": "ubuntu/.."},
        {"distro_version": None},
        {"filename": "a\tb.deb"},
    ],
)
def test_a_row_that_cannot_be_told_apart_is_a_failed_read(changes: dict[str, object]) -> None:
    with pytest.raises(ReadError) as caught:
        rows.parse_row(fragment(**changes), "packages.json")
    assert caught.value.tip == (
        "Look for it on the repository's web page and report it to Packagecloud: reading it again will not help."
    )


def test_details_in_both_forms() -> None:
    plain = b'{"filename": "a.rpm", "distro_version": "el/9", "size": "3732.0", "sha256sum": null}'
    for body in (plain, b'{"package": ' + plain + b"}"):
        found = rows.parse_details(body, "x")
        assert (found.filename, found.distribution, found.size, found.sha256) == ("a.rpm", "el/9", 3732, None)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda children: st.lists(children, max_size=3) | st.dictionaries(st.text(), children, max_size=3),
    max_leaves=5,
)


@given(st.dictionaries(st.sampled_from(sorted(fragment())), JSON))
def test_any_values_give_a_row_or_a_failed_read(changes: dict[str, object]) -> None:
    try:
        row = rows.parse_row(fragment(**changes), "x")
    except ReadError:
        return
    if row.type in {"rpm", "deb"}:
        assert documents.is_plain_name(row.filename)
        assert row.distribution.count("/") == 1
    assert row.sha256 in {None, ABC}


def test_no_more_rows_than_were_asked_for() -> None:
    row = b'{"type": "gem", "filename": "a.gem"}'
    assert len(rows.parse_rows(b"[" + b",".join([row] * 3) + b"]", "x", 3)) == 3
    with pytest.raises(ReadError, match="holds 4 packages, 3 were asked for"):
        rows.parse_rows(b"[" + b",".join([row] * 4) + b"]", "x", 3)


@pytest.mark.parametrize(
    "body", [b"[" + b"[]," * 10**6 + b"0]", b"[" + b"{}," * 10**6 + b"0]", b"[[" + b"0," * 10**6 + b"0]]"]
)
def test_what_would_fill_the_memory_is_not_even_decoded(body: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    """64 MiB of empty lists took 5 GiB."""
    monkeypatch.setattr("pkgsync.packagecloud.documents.json.loads", None)
    for parse in (rows.parse_rows, rows.parse_details, rows.parse_count):
        with pytest.raises(ReadError, match="more than was asked for"):
            parse(body, "x")


@given(st.binary() | st.text().map(str.encode))
def test_any_bytes_give_a_value_or_a_failed_read(body: bytes) -> None:
    for parse in (rows.parse_rows, rows.parse_details):
        try:
            parse(body, "x")
        except PkgsyncError as error:
            assert isinstance(error, ReadError)
