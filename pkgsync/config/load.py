"""Reads a config file, checks all of it, and makes the values."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from pkgsync.config import build, legacy
from pkgsync.config.build import CREDENTIAL_PATHS
from pkgsync.config.check import schema_mistakes, text_mistakes
from pkgsync.config.document import (
    MAX_BYTES,
    BrokenYamlError,
    Document,
    Mistake,
    Position,
    compose,
    read,
)
from pkgsync.config.values import ENVIRONMENT, Config
from pkgsync.errors import ConfigError, UsageError

_SHOWN_MISTAKES = 20


def load(path: Path, env: Mapping[str, str]) -> Config:
    """The config in the file ``path``. Raises UsageError if it cannot be read, and as :func:`parse` does."""
    return parse(path, _read_file(path), env)


def parse(path: Path, data: bytes, env: Mapping[str, str]) -> Config:
    """The config that is, or shall be, in the file ``path``, in the present form or the predecessor's.

    Raises ConfigError with ``file:line:column: what`` per mistake, in the order of the file. Credential keys are not
    resolved here, so that a config can be checked without any secret; a variable that they name and ``env`` lacks is a
    warning.
    """
    try:
        root = compose(data)
        if root is None:
            raise BrokenYamlError(
                Mistake(Position(1, 1), "the file is empty", "`pkgsync init PROJECT USER/REPO` proposes a first config")
            )
        old_form = legacy.is_legacy(root)
        document = read(root, as_text=old_form)
    except BrokenYamlError as error:
        raise _config_error(path, [error.mistake]) from None
    if old_form:
        _refuse(path, document, schema_mistakes(document, legacy.DEFINITION))
        document = legacy.convert(document)
    # each check relies on what the one before has refused
    _refuse(path, document, schema_mistakes(document))
    _refuse(path, document, build.mistakes(document.data, document))
    return build.config(path, document, warnings=_warnings(document, env, old_form=old_form), legacy=old_form)


def services_of(path: Path, env: Mapping[str, str]) -> Config | None:
    """As much of a broken config as names both services, if that is right: to look at them all the same."""
    try:
        root = compose(_read_file(path))
        document = read(root) if root else None
    except (BrokenYamlError, UsageError):
        return None
    if document is None or not isinstance(document.data, dict):
        return None
    part = Document(data=_services(document.data), places=document.places)
    if schema_mistakes(part) or text_mistakes(part) or build.mistakes(part.data, part):
        return None
    return build.config(path, part, warnings=(), legacy=False)


def _services(data: Mapping[str, Any]) -> dict[str, Any]:
    obs, packagecloud = (data[key] if isinstance(data.get(key), dict) else {} for key in ("obs", "packagecloud"))
    projects = [p for p in obs.get("projects") or () if isinstance(p, dict)]
    return {
        **_some(data, "allow_http", "allow_private"),
        "version": 1,
        "obs": {
            **_some(obs, "api", "published_url", "anonymous", "username", "password"),
            "projects": [_some(project, "name", "expand") for project in projects],
        },
        "packagecloud": _some(packagecloud, "url", "repository", "token"),
        "distributions": {"*": "any/any"},
    }


def _some(data: Mapping[str, Any], *keys: str) -> dict[str, Any]:
    return {key: data[key] for key in keys if key in data}


def _read_file(path: Path) -> bytes:
    try:
        with path.open("rb") as stream:
            # bounded, as the path may be a device without an end
            return stream.read(MAX_BYTES + 1)
    except FileNotFoundError:
        raise UsageError(f"no config file {path}", tip="Name another file.") from None
    except OSError as error:
        raise UsageError(f"cannot read the config file {path}: {error.strerror}") from None


def _refuse(path: Path, document: Document, found: Iterable[Mistake]) -> None:
    """The document's own mistakes come with the first others that are found."""
    everything = sorted({*document.mistakes, *text_mistakes(document), *found})
    if everything:
        raise _config_error(path, everything)


def _config_error(path: Path, mistakes: list[Mistake]) -> ConfigError:
    lines = [f"{path}:{m.position.line}:{m.position.column}: {m.what}" for m in mistakes]
    if len(mistakes) == 1:
        return ConfigError(lines[0], tip=mistakes[0].fix)
    lines = [f"{line} ({m.fix})" if m.fix else line for line, m in zip(lines, mistakes, strict=True)]
    more = len(lines) - _SHOWN_MISTAKES
    return ConfigError("\n".join(lines[:_SHOWN_MISTAKES]), tip=f"and {more} more mistakes" if more > 0 else "")


def _warnings(document: Document, env: Mapping[str, str], *, old_form: bool) -> tuple[str, ...]:
    found = list(_credential_warnings(document.data, env))
    if document.data.get("allow_http"):
        found.append("plain http is allowed: packages and credentials can be read and changed on their way")
    if old_form:
        form = legacy.present_form(document)
        found.append(f"the config is in the format of kata-pkgsync; in the present form it is:\n{form}")
    return tuple(found)


def _credential_warnings(data: Mapping[str, Any], env: Mapping[str, str]) -> Iterator[str]:
    for section, key in CREDENTIAL_PATHS:
        value = data[section].get(key)
        if value is None:
            continue
        if not (match := ENVIRONMENT.fullmatch(value)):
            yield f"{section}.{key} is a plain secret in the config: name an environment variable instead, as ${{NAME}}"
        elif not env.get(match[1]):
            yield f"{section}.{key} names the environment variable {match[1]}, which is not set"
