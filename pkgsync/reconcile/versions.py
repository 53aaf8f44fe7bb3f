"""The version order of rpm and dpkg, over what Packagecloud and the indexes state.

Written from what the tools document: rpm-version(7), section "Comparing", and deb-version(7), section "Sorting
algorithm" (Debian Policy 5.6.12). A version becomes a key of pieces, which Python compares from left to right as both
tools do; a key takes time in proportion to the version's length.
"""

import re
from collections.abc import Callable

from msgspec import Struct

from pkgsync.model import PackageType, Row, Version

Key = tuple[int | str, ...]
"""The epoch and the pieces of version and release, flat: what begins a piece tells how many parts it has.

No list and no tuple in it, as the garbage collector would visit those of each version again and again.
"""

# A number without its zeros is ordered by length and text like the integer, which would take quadratic time, or an
# error from 4,300 digits on. What is no piece only separates.
_RPM_PIECES = re.compile(r"0*([0-9]+)|([A-Za-z]+|[~^])")
_TILDE, _END, _CARET, _LETTERS, _NUMBER = range(5)  # rpm's order of what can stand in one place
_SIGNS = {"~": (_TILDE,), "^": (_CARET,)}

_DEB_PIECES = re.compile(r"([^0-9]*)0*([0-9]*)")  # the last match is empty and stands for the end
_DEB_END = "\1"
# "all the letters sort earlier than all the non-letters", and a tilde before the end of a part
_DEB_ORDER = str.maketrans({"~": "\0"} | {c: chr(128 + ord(c)) for c in "+-."})
_DEB_TAKEN = re.compile(r"([0-9A-Za-z.+~-]+-)?[0-9A-Za-z.+~]+")


class UnknownVersion(Struct, frozen=True):
    """A version that cannot be ordered: its group is held."""

    text: str


def of_row(row: Row) -> Version | UnknownVersion:
    """The version of a row. A null epoch or version, or a null release of an rpm, makes it unknown."""
    known = row.epoch is not None and row.version and (row.release or row.type != PackageType.RPM)
    if not known:
        return UnknownVersion(row.version or "?")
    assert row.epoch is not None and row.version
    version = Version(row.epoch, row.version, row.release or "")
    return version if orderable(version, row.type) else UnknownVersion(str(version))


def key_of(row: Row) -> Key | UnknownVersion:
    version = of_row(row)
    return version if isinstance(version, UnknownVersion) else sort_key(row.type)(version)


def orderable(version: Version, kind: str) -> bool:
    """Whether the type's order is defined for the version: dpkg refuses most special characters, rpm none in print."""
    if kind == PackageType.DEB:
        return _DEB_TAKEN.fullmatch(_deb_text(version)) is not None
    text = version.version + version.release
    return text.isascii() and text.isprintable()


def sort_key(kind: str) -> Callable[[Version], Key]:
    """A key that orders versions of one type as ``rpm`` or ``dpkg`` does; those that it calls equal have equal keys."""
    return _rpm_key if kind == PackageType.RPM else _deb_key


def _rpm_key(version: Version) -> Key:
    return version.epoch, *_rpm_pieces(version.version), _END, *_rpm_pieces(version.release), _END


def _rpm_pieces(text: str) -> list[int | str]:
    """A tilde is older than the end, a caret newer than that but older than any segment, letters older than numbers."""
    return [
        part
        for digits, word in _RPM_PIECES.findall(text)
        for part in ((_NUMBER, len(digits), digits) if digits else _SIGNS.get(word) or (_LETTERS, word))
    ]


def _deb_key(version: Version) -> Key:
    upstream, *revision = _deb_text(version).rsplit("-", 1)
    return version.epoch, *_deb_pieces(upstream), *_deb_pieces("".join(revision))


def _deb_text(version: Version) -> str:
    """A deb's revision is what follows the last hyphen, whether or not it was stated apart."""
    return f"{version.version}-{version.release}" if version.release else version.version


def _deb_pieces(text: str) -> list[int | str]:
    """Non-digits and digits in turn. An empty number counts as 0, and an absent revision is equivalent to 0."""
    return [
        part
        for words, digits in _DEB_PIECES.findall(text or "0")
        for part in (words.translate(_DEB_ORDER) + _DEB_END, len(digits), digits)
    ]
