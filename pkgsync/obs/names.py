"""Names from the network, before they are used for anything."""

import unicodedata

from pkgsync.errors import IntegrityError

_MAX_BYTES = 255


def check_filename(name: str, where: str) -> str:
    """``name`` if it is a plain file name. Raises IntegrityError for anything that could be a path or a trick."""
    if name in ("", ".", "..") or "/" in name or "\\" in name or not _printable(name):
        raise IntegrityError(f"{where}: {name[:80]!a} is no file name")
    return name


def check_path(path: str, where: str) -> str:
    """The relative ``path`` without a leading ``./``. Raises IntegrityError for one that could lead elsewhere."""
    normal = path.removeprefix("./")
    for part in normal.split("/"):
        check_filename(part, where)
    if ":" in normal.split("/")[0] and "//" in normal:
        raise IntegrityError(f"{where}: {path[:80]!a} is no relative path")
    return normal


def check_word(text: str | None, what: str, where: str) -> str:
    """``text`` if it is one printable word: a package name, a version, an architecture. Raises IntegrityError."""
    if not text or " " in text or not _printable(text):
        raise IntegrityError(f"{where}: {(text or '')[:80]!a} is no {what}")
    return text


def check_number(text: str | None, what: str, where: str) -> int:
    """A count, size in bytes or time in seconds. Raises IntegrityError."""
    if text is None or not (text.isascii() and text.isdigit()) or len(text) > 18:
        raise IntegrityError(f"{where}: {(text or '')[:80]!a} is no {what}")
    return int(text)


def _printable(name: str) -> bool:
    if name.isascii():
        return name.isprintable() and len(name) <= _MAX_BYTES
    if any(unicodedata.category(character)[0] in "CZ" for character in name):
        return False
    return len(name.encode("utf-8")) <= _MAX_BYTES
