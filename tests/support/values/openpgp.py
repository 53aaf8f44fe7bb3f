"""Keys and signatures as gpg makes them, and the version 3 packets of OBS that it makes no more."""

import hashlib
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

# where everything must be there, nothing is skipped
_EXCUSED = os.environ.get("PKGSYNC_REQUIRE_REAL_OBS") != "1" and shutil.which("gpg") is None
needs_gpg = pytest.mark.skipif(_EXCUSED, reason="gpg is not installed: it makes the signatures")


class Gpg:
    """One keyring. Times are those that gpg takes: ``20200101T000000``; empty: now."""

    def __init__(self, home: Path) -> None:
        home.mkdir(mode=0o700)
        self.home = home

    def make(self, name: str, kind: str, *, expires: str = "never", at: str = "", options: tuple[str, ...] = ()) -> str:
        """A new key that signs; its fingerprint. ``kind`` as in ``rsa2048``, ``ed25519``."""
        self.run(*options, "--quick-generate-key", f"{name} <{name}@example.com>", kind, "sign", expires, at=at)
        return self.fingerprint(name)

    def make_dsa(self, name: str, bits: int) -> str:
        text = f"%no-protection\nKey-Type: DSA\nKey-Length: {bits}\nName-Real: {name}\nName-Email: {name}@example.com\nExpire-Date: 0\n"
        self.run("--generate-key", data=text.encode())
        return self.fingerprint(name)

    def fingerprint(self, name: str) -> str:
        listed = self.run("--with-colons", "--list-keys", f"{name}@example.com").decode().splitlines()
        return next(line.split(":")[9] for line in listed if line.startswith("fpr:"))

    def public(self, *names: str, armored: bool = True) -> bytes:
        mails = [f"{name}@example.com" for name in names]
        return self.run(*(["--armor"] if armored else []), "--export", *mails)

    def revoke(self, fingerprint: str) -> None:
        text = (self.home / "openpgp-revocs.d" / f"{fingerprint}.rev").read_text()
        self.run("--import", data=text.replace("\n:-----BEGIN", "\n-----BEGIN").encode())

    def sign(self, data: bytes, *names: str, how: str = "--detach-sign", digest: str = "SHA256", at: str = "") -> bytes:
        users = [word for name in names for word in ("--local-user", f"{name}@example.com")]
        return self.run("--armor", "--digest-algo", digest, *users, how, data=data, at=at)

    def sign_v3(self, data: bytes, name: str, moment: int) -> bytes:
        """As OBS's sign does it by default: a version 3 packet, RSA with SHA-256. Binary."""
        secret = self.run("--export-secret-keys", f"{name}@example.com")
        n, d = _rsa(secret)
        hashed = b"\0" + moment.to_bytes(4)
        digest = hashlib.sha256(data + hashed).digest()
        # EMSA-PKCS1-v1_5 with the prefix of SHA-256 (RFC 8017, section 9.2)
        info = bytes.fromhex("3031300d060960864801650304020105000420") + digest
        padded = b"\0\1" + b"\xff" * (n.bit_length() // 8 - 3 - len(info)) + b"\0" + info
        made = pow(int.from_bytes(padded), d, n)
        mpi = made.bit_length().to_bytes(2) + made.to_bytes((made.bit_length() + 7) // 8)
        key_id = bytes.fromhex(self.fingerprint(name)[-16:])
        body = b"\3\5" + hashed + key_id + b"\1\x08" + digest[:2] + mpi
        return b"\xc2\xff" + len(body).to_bytes(4) + body

    def run(self, *arguments: str, data: bytes = b"", at: str = "") -> bytes:
        fixed = ["--batch", "--no-tty", "--pinentry-mode", "loopback", "--passphrase", ""]
        faked = ["--faked-system-time", f"{at}!"] if at else []
        old = ["--allow-weak-digest-algos", "--ignore-time-conflict"]
        command = ["gpg", "--homedir", str(self.home), *fixed, *old, *faked, *arguments]
        ended = subprocess.run(command, input=data, capture_output=True, check=False)
        assert ended.returncode == 0, ended.stderr.decode()
        return ended.stdout


def _rsa(secret: bytes) -> tuple[int, int]:
    """Modulus and private exponent of a secret key packet without passphrase, in the old format with two bytes of length."""
    assert secret[0] == 0x95 and secret[3] == 4 and secret[8] == 1
    at, numbers = 9, []
    for index in range(3):
        if index == 2:
            assert secret[at] == 0
            at += 1
        size = (int.from_bytes(secret[at : at + 2]) + 7) // 8
        numbers.append(int.from_bytes(secret[at + 2 : at + 2 + size]))
        at += 2 + size
    return numbers[0], numbers[2]


@contextmanager
def keyring(folder: Path) -> Iterator[Gpg]:
    """A keyring in a folder with a short path, as gpg's agent makes a socket there."""
    gpg = Gpg(folder / "g")
    try:
        yield gpg
    finally:
        subprocess.run(["gpgconf", "--homedir", gpg.home, "--kill", "all"], check=False, capture_output=True)
