"""The logins that osc and the Packagecloud command keep in the home folder, each with the URL it belongs to.

Formats: osc/conf.py and osc/credentials.py of openSUSE/osc, and the README of the package_cloud gem.
"""

import base64
import bz2
import configparser
import json
from collections.abc import Mapping
from pathlib import Path

from pkgsync.credentials import ring
from pkgsync.errors import AuthenticationError
from pkgsync.model import Basic, Origin

# of bz2, a few bytes can unpack to gigabytes
_MAX_PASSWORD_BYTES = 4096
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
    except (ValueError, TypeError, AttributeError):
        raise AuthenticationError(f"{path} is not JSON with url and token", tip="repair or remove it") from None
    return Basic(token, "") if isinstance(token, str) and token else None


def oscrc(origin: Origin, env: Mapping[str, str], home: Path) -> Basic | None:
    """The login of oscrc in the section of this server. Raises AuthenticationError where it cannot be used."""
    path = _oscrc_path(env, home)
    text = _read(path)
    if text is None:
        return None
    # no interpolation: a password may hold a %
    parser = configparser.ConfigParser(interpolation=None, strict=False)
    try:
        parser.read_string(text)
    except configparser.Error:
        raise AuthenticationError(f"{path} is not an oscrc", tip=f"repair it, or {_TIP}") from None
    for url in parser.sections():
        if _is_origin(url, origin):
            return _oscrc_login(path, url, parser[url])
    return None


def _oscrc_path(env: Mapping[str, str], home: Path) -> Path:
    if env.get("OSC_CONFIG"):
        return Path(env["OSC_CONFIG"])
    modern = Path(env.get("XDG_CONFIG_HOME") or home / ".config") / "osc" / "oscrc"
    return modern if modern.exists() else home / ".oscrc"


def _oscrc_login(path: Path, url: str, section: Mapping[str, str]) -> Basic | None:
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
    return Basic(user, password) if password else None


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
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError):
        raise AuthenticationError(f"cannot read {path}", tip="repair or remove it") from None
