"""The few bytes of OpenPGP that are read here: whatever they are, a sentence comes of it and no other error."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pkgsync.errors import IntegrityError, SignatureError
from pkgsync.obs.keys import parse_keyinfo
from pkgsync.signatures import gpgv, openpgp, public_keys
from tests.support.watchdog import watchdog

BLOCK = b"-----BEGIN PGP PUBLIC KEY BLOCK-----\nVersion: 1\n\nmAAA\n=abcd\n-----END PGP PUBLIC KEY BLOCK-----\n"
pieces = st.lists(
    st.sampled_from(
        [b"-----BEGIN PGP ", b"SIGNATURE-----", b"\n\n", b"mAAA", b"-----END PGP SIGNATURE-----", b"\xc2\xff", b"="]
    )
    | st.binary(max_size=8),
    max_size=12,
).map(b"".join)


@given(pieces)
def test_any_bytes_as_a_key(data: bytes) -> None:
    with pytest.raises(IntegrityError, match=r"^k: "):
        public_keys(data, "k")


@given(pieces)
def test_any_bytes_as_a_signed_text(data: bytes) -> None:
    assert not openpgp.is_one_clearsigned(b"x" + data)


@given(st.lists(st.text("[]GNUPG: NEWSIGVALDORB0123456789-", max_size=40)))
def test_any_status_of_gpgv_that_calls_nothing_good(lines: list[str]) -> None:
    with pytest.raises(SignatureError):
        gpgv.judged(lines, ["A" * 40], "x")


def test_lengths_of_packets_in_both_formats() -> None:
    old, new = b"\x99\x00\x03abc", b"\xc6\x03abc"
    assert list(openpgp.packets(old + new + b"\xc6\xc0\x08" + b"y" * 200 + b"\xc6\xff\x00\x00\x00\x01z", "k")) == [
        (6, b"abc"),
        (6, b"abc"),
        (6, b"y" * 200),
        (6, b"z"),
    ]
    for broken in (b"\x99\x00\x04abc", b"\xc6\xe1abc", b"\x9babc", b"\x19", b"\xc6"):
        with pytest.raises(IntegrityError, match="cut off"):
            list(openpgp.packets(broken, "k"))


def test_several_blocks_and_what_stands_around_them() -> None:
    assert openpgp.dearmored(b"my key:\n" + BLOCK + b"and\r\n" + BLOCK.replace(b"\n", b"\r\n"), "k") == b"\x98\0\0" * 2


def test_a_key_that_is_too_large_for_its_version() -> None:
    """Its length goes into the fingerprint, as two bytes."""
    large = openpgp.whole(openpgp.PUBLIC_KEY, b"\4" * 2**16)
    with pytest.raises(IntegrityError, match="too large"):
        public_keys(large, "k")


@pytest.mark.parametrize(
    "data",
    [
        BLOCK.replace(b"Version: 1", b"Version:" + b" " * 2**21 + b"1"),
        BLOCK.replace(b"mAAA", b"mAAA" + b" \t" * 2**20 + b"."),
        BLOCK * 200_000,
    ],
    ids=["spaces in the header", "spaces in the data", "many blocks"],
)
def test_armor_is_read_in_one_pass(data: bytes) -> None:
    with watchdog(), suppress(IntegrityError):
        openpgp.dearmored(data, "k")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("VALIDSIG F 2026-01-01 5 0 4 0 1 2 00 F", "rests on MD5, SHA-1"),
        ("VALIDSIG F 2026-01-01 5 0 4 0 1 8 00 E", "signed by the key E, which is not pinned"),
        ("VALIDSIG F", "in a form that is not known"),
        ("VALIDSIG F 2026-01-01 " + "9" * 5000 + " 0 4 0 1 8 00 F", "in a form that is not known"),
        ("REVKEYSIG", "in a form that is not known"),
        ("ERRSIG 1234 1 8 00 5 4 -", "cannot verify this kind"),
        ("EXPSIG 1234 x", "the signature has expired"),
    ],
)
def test_a_status_of_gpgv_that_does_not_count(words: str, message: str) -> None:
    with pytest.raises(IntegrityError, match=message):
        gpgv.judged(["NEWSIG", "GOODSIG F x", words], ["F"], "x")


@pytest.mark.parametrize("data", [b"", b"<keyinfo>", b"<other/>", b"<keyinfo><pubkey>x</pubkey></keyinfo>"])
def test_what_is_no_keyinfo(data: bytes) -> None:
    with pytest.raises(IntegrityError):
        parse_keyinfo(data, "_keyinfo")


def test_a_keyinfo_without_a_key() -> None:
    assert parse_keyinfo(b'<keyinfo project="p"><sslcert>x</sslcert></keyinfo>', "_keyinfo") == ()
