"""The fields of OBS's documents, checked before they are used for anything."""

from pkgsync.errors import IntegrityError
from pkgsync.model.filename import is_plain


def check_filename(name: str, where: str) -> str:
    """``name`` if it is a plain file name. Raises IntegrityError for anything that could be a path or a trick."""
    if not is_plain(name) or "\\" in name:
        raise IntegrityError(f"{where}: an entry has no usable file name")
    return name


def is_entry(name: str) -> bool:
    """Whether OBS lets a built file have this name: all but ``/`` and control characters (BSVerify verify_filename).

    Bytes that are no text have been replaced by U+FFFD: then nobody knows the name.
    """
    # nearly all names: a million of them are looked at
    if name.isascii() and name.isprintable():
        return "/" not in name and len(name) <= 255 and name not in ("", ".", "..")
    odd = any(character < " " or character in "/\ufffd" for character in name)
    return not odd and len(name.encode(errors="replace")) <= 255


def check_path(path: str, where: str) -> str:
    """The relative ``path`` without a leading ``./``. Raises IntegrityError for one that could lead elsewhere."""
    normal = path.removeprefix("./")
    if "\\" in normal or not all(map(is_plain, normal.split("/"))):
        raise IntegrityError(f"{where}: an entry has no usable file name")
    return normal


def check_word(text: str | None, what: str, where: str) -> str:
    """``text`` if it is one printable word: a package name, a version, an architecture. Raises IntegrityError."""
    if text is None or not is_word(text):
        raise IntegrityError(f"{where}: it has no usable {what}")
    return text


def is_word(text: str | None) -> bool:
    """Whether it is one printable word."""
    if not text or " " in text or not text.isprintable():
        return False
    return len(text) <= 255 if text.isascii() else "\ufffd" not in text and len(text.encode()) <= 255


def check_number(text: str | None, what: str, where: str) -> int:
    """A count, size in bytes or time in seconds. Raises IntegrityError."""
    # more digits take quadratic time, and JSON does not hold them exactly; nothing here is larger
    if text is None or not (text.isascii() and text.isdigit()) or len(text) > 15:
        raise IntegrityError(f"{where}: it has no usable {what}")
    return int(text)
