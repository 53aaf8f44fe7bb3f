"""Signatures verified by gpgv. Only its status lines count (doc/DETAILS of gnupg), never its exit code or its words."""

import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from pkgsync.errors import IntegrityError, ReadError, SignatureError
from pkgsync.model import Signed
from pkgsync.signatures.signed import STRONG_HASHES, day, shown

_SECONDS = 60
_STATUS = "[GNUPG:] "
_NO_KEY = "9"  # the last but one word of ERRSIG
_Status = dict[str, list[str]]


def verify(program: str, data: bytes, signature: bytes, keys: bytes, fingerprints: Sequence[str], what: str) -> Signed:
    """Who vouches for ``data`` by a binary, detached signature. Raises SignatureError, ReadError."""
    with tempfile.TemporaryDirectory(prefix="pkgsync-") as folder:
        home = Path(folder)
        (home / "signature").write_bytes(signature)
        (home / "data").write_bytes(data)
        return judged(_run(program, home, keys, what, "signature", "data"), fingerprints, what)


def opened(
    program: str, clearsigned: bytes, keys: bytes, fingerprints: Sequence[str], what: str
) -> tuple[bytes, Signed]:
    """The text that gpgv has verified, and who vouches for it. Raises SignatureError, ReadError."""
    with tempfile.TemporaryDirectory(prefix="pkgsync-") as folder:
        home = Path(folder)
        (home / "data").write_bytes(clearsigned)
        signed = judged(_run(program, home, keys, what, "--output", "text", "data"), fingerprints, what)
        return (home / "text").read_bytes(), signed


def _run(program: str, home: Path, keys: bytes, what: str, *arguments: str) -> list[str]:
    """The status lines. The folder is all that gpgv knows: no keyring, no option of the user's own is read."""
    import subprocess  # here, as most configs pin no key, and it takes as long to load as the rest of this room

    (home / "keys").write_bytes(keys)
    # a name without a slash would be looked for in the home directory
    command = [program, "--homedir", ".", "--keyring", "./keys", "--status-fd", "1", *arguments]
    try:
        ended = subprocess.run(  # noqa: S603
            command,
            cwd=home,
            env={"LC_ALL": "C", "GNUPGHOME": "."},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_SECONDS,
            # Ctrl-C is ours to handle
            start_new_session=True,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        why = f"did not end within {_SECONDS} s" if isinstance(error, subprocess.TimeoutExpired) else "does not run"
        raise _not_verified(program, why, what) from None
    # what it had not come to is no word about the signature
    if ended.returncode < 0:
        raise _not_verified(program, f"was ended by signal {-ended.returncode}", what)
    # at nothing else: names and notations are anybody's, and Unicode has line ends of its own
    lines = ended.stdout.decode("utf-8", "replace").split("\n")
    return [line.removeprefix(_STATUS) for line in lines if line.startswith(_STATUS)]


def _not_verified(program: str, why: str, what: str) -> ReadError:
    return ReadError(f"{what}: the signature was not verified: {program} {why}")


def judged(lines: Sequence[str], fingerprints: Sequence[str], what: str) -> Signed:
    """The first good one of the signatures that gpgv tells of."""
    failures = []
    for status in _each(lines):
        try:
            return _one(status, fingerprints, what)
        except SignatureError as error:
            failures.append(error)
        except (ValueError, LookupError, OverflowError):
            raise IntegrityError(f"{what}: gpgv answers in a form that is not known") from None
    # the word on one of the pinned keys tells more than that others have signed too
    raise next((error for error in failures if not error.other_key), None) or next(
        iter(failures), SignatureError(f"{what}: it holds no signature that gpgv can read")
    )


def _each(lines: Sequence[str]) -> Iterator[_Status]:
    """The statuses of each signature: the words behind each keyword."""
    found: list[_Status] = []
    for line in lines:
        keyword, *words = line.split(" ")
        if keyword == "NEWSIG":
            found.append({})
        elif found:
            found[-1][keyword] = words
    return iter(found)


def _one(status: _Status, fingerprints: Sequence[str], what: str) -> Signed:
    if "BADSIG" in status:
        raise SignatureError(f"{what}: the signature is not of these bytes", other_bytes=True)
    if "ERRSIG" in status:
        raise _unverified(status["ERRSIG"], fingerprints, what)
    if "REVKEYSIG" in status:
        raise SignatureError(f"{what}: signed by the key {shown(status['REVKEYSIG'][0])}, which is revoked")
    if "EXPSIG" in status:
        raise SignatureError(f"{what}: the signature has expired")
    if "VALIDSIG" not in status or not status.keys() & {"GOODSIG", "EXPKEYSIG"}:
        raise SignatureError(f"{what}: gpgv does not call the signature good")
    return _valid(status, fingerprints, what)


def _unverified(words: Sequence[str], fingerprints: Sequence[str], what: str) -> SignatureError:
    """``ERRSIG KEYID PUBKEY-ALGORITHM HASH-ALGORITHM CLASS TIME CODE [FINGERPRINT]``."""
    if len(words) > 5 and words[5] == _NO_KEY:
        pinned = " or ".join(map(shown, fingerprints))
        key = next((word for word in words[6:7] if word != "-"), words[0])
        return SignatureError(f"{what}: signed by the key {shown(key)}, not by {pinned}", other_key=True)
    return SignatureError(f"{what}: gpgv cannot verify this kind of signature")


def _valid(status: _Status, fingerprints: Sequence[str], what: str) -> Signed:
    """``VALIDSIG FINGERPRINT DATE TIME EXPIRES VERSION - PUBKEY-ALGORITHM HASH-ALGORITHM CLASS PRIMARY``."""
    words = status["VALIDSIG"]
    signed_at, algorithm, primary = int(words[2]), int(words[7]), words[9]
    expired = int(status["KEYEXPIRED"][0]) if "EXPKEYSIG" in status else None
    if algorithm not in STRONG_HASHES:
        raise SignatureError(f"{what}: the signature rests on MD5, SHA-1 or the like, which can be forged")
    if primary not in fingerprints:
        raise SignatureError(f"{what}: signed by the key {shown(primary)}, which is not pinned", other_key=True)
    if expired is not None and signed_at >= expired:
        raise SignatureError(f"{what}: signed on {day(signed_at)}, after the key had expired on {day(expired)}")
    warnings = () if expired is None else (f"the key has expired on {day(expired)}, after it had signed",)
    return Signed(fingerprint=primary, signed_at=signed_at, hash_algorithm=STRONG_HASHES[algorithm], warnings=warnings)
