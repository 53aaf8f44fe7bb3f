"""The logins that osc and the Packagecloud command keep in the home folder, each with the URL it belongs to.

Formats: osc/conf.py and osc/credentials.py of openSUSE/osc, and the README of the package_cloud gem.
"""

import base64
import bz2
import json
import os
import stat
from collections.abc import Mapping
from pathlib import Path

from pkgsync.credentials import ring
from pkgsync.errors import AuthenticationError
from pkgsync.model import Basic, Login, Origin, SshKey

# of bz2, a few bytes can unpack to gigabytes
_MAX_PASSWORD_BYTES = 4096
_MAX_BYTES = 2**20
_TIP = "set OSC_USERNAME and OSC_PASSWORD"


def packagecloud(origin: Origin, home: Path) -> Basic | None:
    """The token of ``~/.packagecloud`` if the URL beside it is this server's. Raises AuthenticationError."""
    path = home / ".packagecloud"
    text = _read(path)
    if text is None:
        return None
    try:
        data = json.loads(text)
        token = data.get("token") if Origin.of(data.get("url") or "https://packagecloud.io") == origin else None
    except (ValueError, TypeError, AttributeError, RecursionError):
        raise AuthenticationError(f"{path} is not JSON with url and token", tip="repair or remove it") from None
    return Basic(token, "", source=str(path)) if isinstance(token, str) and token else None


def oscrc(origin: Origin, env: Mapping[str, str], home: Path) -> Login | None:
    """The login of oscrc in the section of this server. Raises AuthenticationError where it cannot be used."""
    path = _oscrc_path(env, home)
    text = _read(path)
    if text is None:
        return None
    import configparser  # here, as many a run finds its login before

    # no interpolation: a password may hold a %
    parser = configparser.ConfigParser(interpolation=None, strict=False)
    try:
        parser.read_string(text)
    except configparser.Error:
        raise AuthenticationError(f"{path} is not an oscrc", tip=f"repair it, or {_TIP}") from None
    for url in parser.sections():
        if _is_origin(url, origin):
            return _oscrc_login(path, url, parser[url], env, home)
    return None


def ssh_key(username: str, written: str, env: Mapping[str, str], home: Path, source: str) -> SshKey:
    """The key as osc writes it: a path, a name in ``~/.ssh``, or the ``SHA256:`` fingerprint of a key in the agent.

    Raises AuthenticationError for a user name that no signature can carry.
    """
    if not username.isascii() or not username.isprintable() or not {'"', "\\"}.isdisjoint(username):
        raise AuthenticationError(
            "the user name that goes with an SSH key holds more than plain characters",
            tip="correct OSC_USERNAME, or user in oscrc",
        )
    key = written
    if not written.startswith("SHA256:"):
        key = str(home / ".ssh" / written if "/" not in written else home / written.removeprefix("~/"))
    return SshKey(username=username, key=key, agent=env.get("SSH_AUTH_SOCK", ""), source=source)


def _oscrc_path(env: Mapping[str, str], home: Path) -> Path:
    if env.get("OSC_CONFIG"):
        return Path(env["OSC_CONFIG"])
    modern = Path(env.get("XDG_CONFIG_HOME") or home / ".config") / "osc" / "oscrc"
    return modern if modern.exists() else home / ".oscrc"


def _oscrc_login(path: Path, url: str, section: Mapping[str, str], env: Mapping[str, str], home: Path) -> Login | None:
    """As for osc, a password comes before a key; where it cannot be had, the key does."""
    user, key = section.get("user"), section.get("sshkey")
    try:
        if found := _oscrc_password(path, url, section):
            return found
    except AuthenticationError:
        if not key:
            raise
    return ssh_key(user, key, env, home, str(path)) if user and key else None


def _oscrc_password(path: Path, url: str, section: Mapping[str, str]) -> Basic | None:
    user, stored, obfuscated = section.get("user"), section.get("pass"), section.get("passx")
    if not user:
        return None
    manager = section.get("credentials_mgr_class", "").partition(":")[0].rpartition(".")[2]
    match manager:
        case "KeyringCredentialsManager":
            return ring.oscrc(path, url, user)
        case "TransientCredentialsManager":
            raise AuthenticationError(f"{path} keeps no password for {url}: osc asks each time", tip=_TIP)
        case "ObfuscatedConfigFileCredentialsManager":
            # older osc keeps it under passx
            obfuscated, stored = stored or obfuscated, None
        case "" | "PlaintextConfigFileCredentialsManager":
            pass
        case _:
            raise AuthenticationError(f"{path}: the credentials manager of {url} is not supported", tip=_TIP)
    password = stored or (_reveal(path, url, obfuscated) if obfuscated else None)
    return Basic(user, password, source=str(path)) if password else None


def _reveal(path: Path, url: str, obfuscated: str) -> str:
    """osc hides a password as base64 of bz2."""
    try:
        unpacker = bz2.BZ2Decompressor()
        password = unpacker.decompress(base64.b64decode(obfuscated, validate=True), _MAX_PASSWORD_BYTES)
        if not unpacker.eof:
            raise ValueError("cut off")
        return password.decode()
    except (ValueError, OSError):
        raise AuthenticationError(f"{path}: the password of {url} cannot be read", tip=_TIP) from None


def _is_origin(url: str, origin: Origin) -> bool:
    try:
        return Origin.of(url) == origin
    except ValueError:
        return False


def _read(path: Path) -> str | None:
    """The text of a plain file, None where there is none. Raises AuthenticationError."""
    try:
        # opening a pipe that nobody writes to would wait, too
        with os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK), "rb") as stream:
            if not stat.S_ISREG(os.fstat(stream.fileno()).st_mode):
                raise AuthenticationError(f"{path} is not a file", tip="repair or remove it")
            data = stream.read(_MAX_BYTES + 1)
        if len(data) > _MAX_BYTES:
            raise AuthenticationError(f"{path} is too large to hold a login", tip="repair or remove it")
        return data.decode()
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError):
        raise AuthenticationError(f"cannot read {path}", tip="repair or remove it") from None
