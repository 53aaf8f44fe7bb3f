"""The system's keyring, where the optional package ``keyring`` is installed.

Entries belong to a host: nothing is asked for servers on this machine, nor for those that plain http leads to.
"""

from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any
from urllib.parse import urlsplit

from pkgsync.errors import AuthenticationError
from pkgsync.model import Basic, Origin

_TOKEN_USER = "token"  # noqa: S105
_SOURCE = "the keyring"


def obs(origin: Origin, username: str) -> Basic | None:
    """The login that osc, or ``keyring set HOST USER``, keeps for the host."""
    found = _asked(origin, lambda keyring: keyring.get_credential(origin.netloc, username or None))
    return Basic(found.username, found.password, source=_SOURCE) if found else None


def packagecloud(origin: Origin) -> Basic | None:
    """The token that ``keyring set HOST token`` keeps for the host."""
    token = _asked(origin, lambda keyring: keyring.get_password(origin.netloc, _TOKEN_USER))
    return Basic(token, "", source=_SOURCE) if token else None


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
    return Basic(user, password, source=f"{_SOURCE}, as {path} says")


def _asked(origin: Origin, question: Callable[[ModuleType], Any]) -> Any:
    # whoever runs a server on this machine, or sits on the way to one over http, would get the password
    keyring = _import() if origin.scheme == "https" and not origin.is_loopback else None
    if keyring is None:
        return None
    try:
        return question(keyring)
    except keyring.errors.KeyringError:
        return None


def _import() -> ModuleType | None:
    try:
        import keyring
        import keyring.errors
    except ImportError:
        return None
    module: ModuleType = keyring
    return module
