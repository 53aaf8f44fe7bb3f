"""Who vouches for bytes: samples made by gpg, verified by gpgv and, where it can, by pysequoia."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from pkgsync.errors import ConfigError, IntegrityError, ReadError, SignatureError
from pkgsync.signatures import Signed, opened, public_keys, verify
from tests.support.values.openpgp import Gpg, keyring, needs_gpg

pytestmark = [needs_gpg, pytest.mark.xdist_group("gpg")]

DATA = b"<repomd>1</repomd>\n"
RELEASE = b"Origin: obs://x/y\nDate: Thu, 26 Nov 2026 00:00:00 UTC\n-not escaped\n"
SIGNED_AT = 1767225600  # 2026-01-01
AT = "20260101T000000"


@pytest.fixture(scope="module")
def gpg() -> Iterator[Gpg]:
    with tempfile.TemporaryDirectory() as folder, keyring(Path(folder)) as made:
        early = "20250101T000000"
        made.make("rsa2048", "rsa2048", at=early)
        made.make("rsa4096", "rsa4096", at=early)
        made.make("ed25519", "ed25519", at=early)
        made.make("sha1-bound", "rsa2048", at=early, options=("--cert-digest-algo", "SHA1"))
        made.make("expired", "ed25519", at=early, expires="20260201T000000")
        made.make("revoked", "ed25519", at=early)
        (made.home / "revoked.asc").write_bytes(made.sign(DATA, "revoked"))
        made.revoke(made.fingerprint("revoked"))
        made.make_dsa("dsa2048", 2048)
        made.make_dsa("dsa1024", 1024)
        yield made


@pytest.fixture(params=["gpgv", "pysequoia"])
def verifier(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    name: str = request.param
    if name == "gpgv" and shutil.which("gpgv") is None:
        pytest.skip("gpgv is not installed")
    if name == "pysequoia":
        without_gpgv(monkeypatch)
    return name


def without_gpgv(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.which", lambda _program: None)


def check(gpg: Gpg, name: str, signature: bytes, data: bytes = DATA) -> Signed:
    return verify(data, signature, public_keys(gpg.public(name), "key.asc"), "repomd.xml")


@pytest.mark.parametrize("name", ["rsa2048", "rsa4096", "ed25519"])
@pytest.mark.parametrize("digest", ["SHA256", "SHA512"])
def test_a_good_signature_tells_the_key_and_the_time(gpg: Gpg, verifier: str, name: str, digest: str) -> None:
    found = check(gpg, name, gpg.sign(DATA, name, digest=digest, at=AT))

    assert found == Signed(fingerprint=gpg.fingerprint(name), signed_at=SIGNED_AT, hash_algorithm=digest)


def test_a_dsa_key_of_2048_bits_signs(gpg: Gpg, verifier: str) -> None:
    assert check(gpg, "dsa2048", gpg.sign(DATA, "dsa2048")).fingerprint == gpg.fingerprint("dsa2048")


@pytest.mark.parametrize("name", ["dsa1024", "sha1-bound"])
def test_keys_as_many_obs_projects_have_them_count_for_gpgv_and_pysequoia_says_what_refuses_them(
    gpg: Gpg, verifier: str, name: str
) -> None:
    signature = gpg.sign(DATA, name, digest="SHA256")
    if verifier == "gpgv":
        assert check(gpg, name, signature).fingerprint == gpg.fingerprint(name)
        return
    with pytest.raises(SignatureError) as error:
        check(gpg, name, signature)
    assert error.value.message == "repomd.xml: pysequoia finds no good signature by a pinned key"
    assert "keys bound with SHA-1" in error.value.tip and "install gpgv" in error.value.tip


def test_version_3_as_obs_signs_by_default(gpg: Gpg, verifier: str) -> None:
    signature = gpg.sign_v3(DATA, "rsa2048", SIGNED_AT)
    if verifier == "gpgv":
        assert check(gpg, "rsa2048", signature).signed_at == SIGNED_AT
        with pytest.raises(SignatureError, match="not of these bytes"):
            check(gpg, "rsa2048", signature, DATA + b" ")
        return
    with pytest.raises(SignatureError) as error:
        check(gpg, "rsa2048", signature)
    assert "version 3" in error.value.tip and "install gpgv" in error.value.tip


def test_sha1_over_the_data_can_be_forged(gpg: Gpg, verifier: str) -> None:
    with pytest.raises(SignatureError) as error:
        check(gpg, "rsa2048", gpg.sign(DATA, "rsa2048", digest="SHA1"))
    if verifier == "gpgv":
        assert error.value.message == "repomd.xml: the signature rests on MD5, SHA-1 or the like, which can be forged"


def test_a_changed_byte(gpg: Gpg, verifier: str) -> None:
    with pytest.raises(SignatureError) as error:
        check(gpg, "ed25519", gpg.sign(DATA, "ed25519"), DATA.replace(b"1", b"2"))
    if verifier == "gpgv":
        assert error.value.message == "repomd.xml: the signature is not of these bytes"
        assert error.value.other_bytes


def test_another_key(gpg: Gpg, verifier: str) -> None:
    with pytest.raises(SignatureError) as error:
        check(gpg, "ed25519", gpg.sign(DATA, "rsa2048"))
    if verifier == "gpgv":
        ours, theirs = (gpg.fingerprint(name) for name in ("ed25519", "rsa2048"))
        spaced = [" ".join(text[i : i + 4] for i in range(0, 40, 4)) for text in (theirs, ours)]
        assert error.value.message == f"repomd.xml: signed by the key {spaced[0]}, not by {spaced[1]}"
        assert error.value.other_key


def test_a_key_that_expired_since_is_a_warning(gpg: Gpg, verifier: str) -> None:
    made = check(gpg, "expired", gpg.sign(DATA, "expired", at=AT))

    assert made.signed_at == SIGNED_AT
    assert made.warnings == ("the key has expired on 2026-02-01, after it had signed",)


def test_a_key_that_had_expired_vouches_for_nothing(gpg: Gpg, verifier: str) -> None:
    name = f"late-{verifier}"
    key = gpg.make(name, "ed25519", at="20250101T000000")
    late = gpg.sign(DATA, name, at="20260301T000000")
    # gpg itself signs with no expired key, so it expires afterwards
    gpg.run("--quick-set-expire", key, "20260201T000000", at="20250102T000000")

    with pytest.raises(SignatureError) as error:
        check(gpg, name, late)

    if verifier == "gpgv":
        assert error.value.message == "repomd.xml: signed on 2026-03-01, after the key had expired on 2026-02-01"


def test_a_revoked_key(gpg: Gpg, verifier: str) -> None:
    with pytest.raises(SignatureError) as error:
        check(gpg, "revoked", (gpg.home / "revoked.asc").read_bytes())
    if verifier == "gpgv":
        assert error.value.message.endswith(", which is revoked")


def test_of_several_signatures_and_several_keys_one_good_one_is_enough(gpg: Gpg, verifier: str) -> None:
    both = gpg.sign(DATA, "rsa2048", "ed25519")
    assert check(gpg, "ed25519", both).fingerprint == gpg.fingerprint("ed25519")
    assert check(gpg, "rsa2048", both).fingerprint == gpg.fingerprint("rsa2048")
    keys = public_keys(gpg.public("rsa4096") + gpg.public("ed25519"), "keys.asc")
    assert keys.fingerprints == (gpg.fingerprint("rsa4096"), gpg.fingerprint("ed25519"))
    assert verify(DATA, gpg.sign(DATA, "ed25519"), keys, "x").fingerprint == gpg.fingerprint("ed25519")


@pytest.mark.parametrize("what", ["nothing", "text", "damaged", "cut", "a whole message", "a key"])
def test_what_is_no_signature_is_none(gpg: Gpg, verifier: str, what: str) -> None:
    signature = gpg.sign(DATA, "ed25519")
    signature = {
        "nothing": b"",
        "text": b"<html>404</html>",
        "damaged": signature.replace(b"\n\n", b"\n\n!"),
        "cut": signature[:-30],
        # a verifier could take the text that it holds for what is asked
        "a whole message": gpg.sign(b"other", "ed25519", how="--sign"),
        "a key": gpg.public("ed25519"),
    }[what]
    with pytest.raises(SignatureError, match=r"^repomd\.xml: "):
        check(gpg, "ed25519", signature)


def test_the_text_that_is_signed_is_what_is_read(gpg: Gpg, verifier: str) -> None:
    keys = public_keys(gpg.public("ed25519", armored=False), "key.gpg")
    clear = gpg.sign(RELEASE, "ed25519", how="--clearsign", at=AT)

    text, signed = opened(clear, keys, "InRelease")

    assert text == RELEASE
    assert (signed.fingerprint, signed.signed_at) == (gpg.fingerprint("ed25519"), SIGNED_AT)
    for other in (b"x\n" + clear, clear + b"x\n", clear + clear, b"\n" + clear, RELEASE, clear[:-40]):
        with pytest.raises(SignatureError, match="it is not one text with a signature around it"):
            opened(other, keys, "InRelease")
    with pytest.raises(SignatureError):
        opened(clear.replace(b"Origin", b"0rigin"), keys, "InRelease")
    with pytest.raises(SignatureError):
        opened(clear, public_keys(gpg.public("rsa2048"), "key.asc"), "InRelease")


def test_what_is_no_public_key(gpg: Gpg) -> None:
    for data, words in (
        (b"", "k: it holds no OpenPGP public key"),
        (b"hello\n", "k: it is cut off, or no OpenPGP"),
        (gpg.public("ed25519")[:60], "k: an armored block has no end"),
        (gpg.public("ed25519", armored=False)[:-3], "k: it is cut off, or no OpenPGP"),
        (gpg.sign(DATA, "ed25519"), "k: it holds no OpenPGP public key"),
        (gpg.run("--armor", "--export-secret-keys", "ed25519@example.com"), "k: it holds a secret key"),
    ):
        with pytest.raises(IntegrityError) as error:
            public_keys(data, "k")
        assert error.value.message == words


def test_where_nothing_can_verify_it_says_what_to_install(gpg: Gpg, monkeypatch: pytest.MonkeyPatch) -> None:
    without_gpgv(monkeypatch)
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)
    with pytest.raises(ConfigError) as error:
        check(gpg, "ed25519", gpg.sign(DATA, "ed25519"))
    assert "gpgv" in error.value.tip and "obs-pkgsync[signatures]" in error.value.tip


def test_nothing_of_the_users_own_keyring_counts(gpg: Gpg, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if shutil.which("gpgv") is None:
        pytest.skip("gpgv is not installed")
    home = tmp_path / ".gnupg"
    home.mkdir(mode=0o700)
    (home / "trustedkeys.gpg").write_bytes(gpg.public("rsa2048", armored=False))
    monkeypatch.setenv("GNUPGHOME", str(home))
    with pytest.raises(SignatureError, match="not by"):
        check(gpg, "ed25519", gpg.sign(DATA, "rsa2048"))


def test_the_name_of_a_key_ends_no_line_of_gpgv(gpg: Gpg) -> None:
    """Unicode has line ends of its own, which gpgv prints as they are."""
    if shutil.which("gpgv") is None:
        pytest.skip("gpgv is not installed")
    words = ("NEWSIG", "GOODSIG 1 x", f"VALIDSIG 1 2026-01-01 1 0 4 0 1 8 00 {gpg.fingerprint('ed25519')}", "NEWSIG")
    gpg.run("--quick-generate-key", "odd" + "".join(f"\u2028[GNUPG:] {w} " for w in words), "ed25519", "sign", "never")
    signature = gpg.run("--armor", "--local-user", "odd", "--detach-sign", data=b"other")
    keys = public_keys(gpg.public("ed25519") + gpg.run("--export", "--armor", "odd"), "keys.asc")
    with pytest.raises(SignatureError, match="not of these bytes"):
        verify(DATA, signature, keys, "repomd.xml")


def test_a_verifier_that_is_killed_says_nothing_of_the_signature(
    gpg: Gpg, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the out-of-memory killer, say: it is unread, not refused."""
    killed = tmp_path / "gpgv"
    killed.write_text("#!/bin/sh\nkill -9 $$\n")
    killed.chmod(0o755)
    monkeypatch.setattr("shutil.which", lambda _program: str(killed))
    with pytest.raises(ReadError, match=r"the signature was not verified: .*gpgv was ended by signal 9"):
        check(gpg, "ed25519", gpg.sign(DATA, "ed25519"))
