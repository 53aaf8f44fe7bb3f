"""What the name of a package file alone tells, and which text may be such a name.

Source: the suffix lists of src/backend/BSOBS.pm and bs_publish in openSUSE/open-build-service.
"""

import re
from enum import StrEnum
from functools import lru_cache

from attrs import frozen


class PackageType(StrEnum):
    """What pkgsync syncs; every other type of Packagecloud is never touched."""

    RPM = "rpm"
    DEB = "deb"


SYNCED_TYPES = frozenset(kind.value for kind in PackageType)


class FileClass(StrEnum):
    """What a file is for. Only ``package`` is synced, unless ``include_classes`` names another."""

    PACKAGE = "package"
    SOURCE = "source"
    DEBUG = "debug"
    DELTA = "delta"
    INSTALLER = "installer"
    OTHER = "other"


_MAX_BYTES = 255
_IMPORTED = "::import::"
_RPM = re.compile(r"^(?P<name>.+)-(?P<version>[^-]+)-(?P<release>[^-]+)\.(?P<architecture>[A-Za-z][^/.\-]*)\.rpm$")
_DEB = re.compile(r"^(?P<name>[^_]+)_(?P<version>[^_]+)_(?P<architecture>[^_.]+)\.deb$")
_CLASSES = (
    (FileClass.OTHER, re.compile(f"^{_IMPORTED}")),
    (FileClass.DELTA, re.compile(r"(\.drpm|\.delta\.rpm)$")),
    (FileClass.SOURCE, re.compile(r"\.(no)?src\.rpm$")),
    (FileClass.DEBUG, re.compile(r"-debug(info|source)(-.*)?-[^-]+-[^-]+\.[^.]+\.rpm$")),
    (FileClass.DEBUG, re.compile(r"(-dbgsym_[^/]*\.d?deb|\.ddeb|-dbg_.*\.deb)$")),
    (FileClass.INSTALLER, re.compile(r"\.udeb$")),
    (FileClass.PACKAGE, _RPM),
    (FileClass.PACKAGE, _DEB),
)


@frozen(kw_only=True)
class ParsedName:
    """The parts of a file name that package managers would have given."""

    type: PackageType
    name: str
    architecture: str


def is_plain(name: str) -> bool:
    """Whether a text may stand as one file name: no path, nothing invisible, at most 255 bytes."""
    return name not in ("", ".", "..") and "/" not in name and name.isprintable() and len(name.encode()) <= _MAX_BYTES


def type_of(filename: str) -> PackageType | None:
    """The type that the suffix names, whatever the file is for; None for any other suffix."""
    _, dot, suffix = filename.rpartition(".")
    return PackageType(suffix) if dot and suffix in SYNCED_TYPES else None


def is_imported(filename: str) -> bool:
    """Whether it is a copy that a scheduler takes over from another one: built elsewhere, published by neither."""
    return filename.startswith(_IMPORTED)


@lru_cache(maxsize=200_000)
def file_class(filename: str) -> FileClass:
    """The class that a config can include; a name that no package manager would give is ``other``."""
    return next((kind for kind, pattern in _CLASSES if pattern.search(filename)), FileClass.OTHER)


def parse(filename: str) -> ParsedName | None:
    """The parts of an rpm or deb file name, or None for any other name."""
    for kind, pattern in ((PackageType.RPM, _RPM), (PackageType.DEB, _DEB)):
        if match := pattern.match(filename):
            return ParsedName(type=kind, name=match["name"], architecture=match["architecture"])
    return None
