"""OpenPGP signatures: bytes, a signature and pinned keys in, who vouches for the bytes out.

The verifier is gpgv, which apt trusts too; it takes what OBS really makes: version 3 packets, keys bound with SHA-1
(obs/README.md, "Signatures"). Where there is none, pysequoia serves, whose policy refuses both.
"""

import importlib.util
import shutil
from pathlib import Path

from pkgsync.errors import ConfigError, IntegrityError, SignatureError
from pkgsync.model import Signed
from pkgsync.model.secret import Discreet
from pkgsync.signatures import gpgv, openpgp, sequoia
from pkgsync.signatures.signed import day, shown

__all__ = ["PublicKeys", "Signed", "day", "key_file", "opened", "public_keys", "shown", "verifier", "verify"]

_MAX_BYTES = 2**20
_MOST_SIGNATURES = 100  # of one text: each costs the verifier time
_GET_ONE = "Install gpgv (Debian: gpgv, Fedora and openSUSE: gnupg2), or `pip install 'obs-pkgsync[signatures]'`."


class PublicKeys(Discreet, frozen=True, kw_only=True):
    """One or more public keys. ``packets`` are binary; ``fingerprints`` of the primary keys, in upper-case hex."""

    packets: bytes
    fingerprints: tuple[str, ...]


def public_keys(data: bytes, what: str) -> PublicKeys:
    """The keys of a file, armored or binary; ``what`` names it. Raises IntegrityError for what is no public key."""
    packets = openpgp.dearmored(data, what)
    found = list(openpgp.packets(packets, what))
    if any(tag == openpgp.SECRET_KEY for tag, _ in found):
        raise IntegrityError(
            f"{what}: it holds a secret key", tip="Take the public key alone; keep the other to yourself."
        )
    primary = [openpgp.fingerprint(body, what) for tag, body in found if tag == openpgp.PUBLIC_KEY]
    if not primary or found[0][0] != openpgp.PUBLIC_KEY:
        raise IntegrityError(f"{what}: it holds no OpenPGP public key")
    return PublicKeys(packets=packets, fingerprints=tuple(dict.fromkeys(primary)))


def key_file(path: Path, what: str, tip: str) -> PublicKeys:
    """The keys of a file that the config names, as ``what`` says; ``tip``: where to get it. Raises ConfigError."""
    try:
        with path.open("rb") as stream:
            # bounded, as the path may be a device without an end
            return public_keys(stream.read(_MAX_BYTES), str(path))
    except OSError as error:
        raise ConfigError(f"{what} cannot be read: {path}: {error.strerror}", tip=tip) from None
    except IntegrityError as error:
        raise ConfigError(f"{what} cannot be used: {error.message}", tip=error.tip or tip) from None


def verify(data: bytes, signature: bytes, keys: PublicKeys, what: str) -> Signed:
    """Who vouches for exactly these bytes; of several signatures one good one is enough.

    ``signature`` is a detached one, armored or binary; ``what`` names the bytes. Raises SignatureError where none of
    ``keys`` has made a good signature, ConfigError where nothing can verify here.
    """
    packets, each = _signatures(signature, what)
    if (program := _program()) is not None:
        return gpgv.verify(program, data, packets, keys.packets, keys.fingerprints, what)
    return sequoia.verify(data, each, keys.packets, what)


def opened(clearsigned: bytes, keys: PublicKeys, what: str) -> tuple[bytes, Signed]:
    """The text of an InRelease that its signature vouches for, and who that is. Raises as :func:`verify` does.

    Text before, behind or between is refused: somebody might read it.
    """
    if not openpgp.is_one_clearsigned(clearsigned):
        raise SignatureError(f"{what}: it is not one text with a signature around it")
    _, each = _signatures(clearsigned[clearsigned.index(b"\n-----BEGIN PGP SIGNATURE-----") :], what)
    if (program := _program()) is not None:
        return gpgv.opened(program, clearsigned, keys.packets, keys.fingerprints, what)
    return sequoia.opened(clearsigned, each, keys.packets, what)


def _signatures(data: bytes, what: str) -> tuple[bytes, list[bytes]]:
    """All packets together, and each. A message with a text of its own is none: the verifier could take that for it."""
    try:
        packets = openpgp.dearmored(data, what)
        each = list(openpgp.packets(packets, what))
    except IntegrityError as error:
        raise SignatureError(f"{error.message} (its signature)") from None
    if not 0 < len(each) <= _MOST_SIGNATURES or any(tag != openpgp.SIGNATURE for tag, _ in each):
        raise SignatureError(f"{what}: what should be its signature is none")
    return packets, [openpgp.whole(tag, body) for tag, body in each]


def verifier() -> str:
    """The path of gpgv, or where that is not installed pysequoia. Raises ConfigError where neither is."""
    program = _program()
    return "pysequoia" if program is None else program


def _program() -> str | None:
    """Where gpgv is; None where pysequoia must serve. Raises ConfigError where neither is here."""
    program = shutil.which("gpgv")
    if program is None and importlib.util.find_spec("pysequoia") is None:
        raise ConfigError(
            "Nothing here can verify signatures, which `signing_key` in the config asks for.", tip=_GET_ONE
        )
    return program
