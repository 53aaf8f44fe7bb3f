"""The system's keyring, where the optional package ``keyring`` is installed.

Entries belong to a host: nothing is asked for servers on this machine, nor for those that plain http leads to.
"""

from pathlib import Path
from types import ModuleType
from urllib.parse import urlsplit

from pkgsync.errors import AuthenticationError
from pkgsync.model import Basic, Origin

_TOKEN_USER = "token"  # noqa: S105


def obs(origin: Origin, username: str) -> Basic | None:
    """The login that osc, or ``keyring set HOST USER``, keeps for the host."""
    keyring = _keyring(origin)
    if keyring is None:
        return None
    try:
        found = keyring.get_credential(origin.netloc, username or None)
    except keyring.errors.KeyringError:
        return None
    return Basic(found.username, found.password) if found else None


def packagecloud(origin: Origin) -> Basic | None:
    """The token that ``keyring set HOST token`` keeps for the host."""
    keyring = _keyring(origin)
    if keyring is None:
        return None
    try:
        token = keyring.get_password(origin.netloc, _TOKEN_USER)
    except keyring.errors.KeyringError:
        return None
    return Basic(token, "") if token else None


def oscrc(path: Path, url: str, user: str) -> Basic:
    """The password of a user whom oscrc says to be in the keyring. Raises AuthenticationError."""
    tip = "set OSC_USERNAME and OSC_PASSWORD"
    keyring = _import()
    if keyring is None:
        what = f"{path} keeps the password for {url} in the keyring, which needs the package keyring"
        raise AuthenticationError(what, tip=f"pip install obs-pkgsync[keyring], or {tip}")
    try:
        password = keyring.get_password(urlsplit(url).netloc, user)
    except keyring.errors.KeyringError:
        password = None
    if not password:
        raise AuthenticationError(f"the keyring gives no password for {url}, which {path} says it has", tip=tip)
    return Basic(user, password)


def _keyring(origin: Origin) -> ModuleType | None:
    return _import() if origin.scheme == "https" and not origin.is_loopback else None


def _import() -> ModuleType | None:
    try:
        import keyring
        import keyring.errors
    except ImportError:
        return None
    module: ModuleType = keyring
    return module
