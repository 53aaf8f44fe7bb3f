"""What the name of a package file alone tells, and which text may be such a name.

A name is a locator: a package is what its metadata says. It is judged by its name only where no metadata is known.

Source: the suffix lists of src/backend/BSOBS.pm and bs_publish in openSUSE/open-build-service.
"""

import re
from enum import StrEnum

from msgspec import Struct


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
    (FileClass.PACKAGE, re.compile(r"\.(rpm|deb)$")),
)
SOURCES = frozenset({"src", "nosrc"})
_DEBUG_RPM = re.compile(r"-debug(info|source)(-.*)?$")
_DEBUG_DEB = re.compile(r"-(dbg|dbgsym)$")
_EPOCH = re.compile(r"^[0-9]+(:|%3a)", re.IGNORECASE)


class ParsedName(Struct, frozen=True, kw_only=True):
    """The parts of a file name that package managers would have given; ``version`` with the release, without epoch."""

    type: PackageType
    name: str
    version: str
    architecture: str

    @property
    def canonical(self) -> str:
        return canonical(self.type, self.name, self.version, self.architecture)


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


def file_class(filename: str) -> FileClass:
    """The class that the name lets expect; what is neither rpm nor deb is ``other``."""
    return next((kind for kind, pattern in _CLASSES if pattern.search(filename)), FileClass.OTHER)


def class_of(kind: str, name: str, architecture: str) -> FileClass:
    """The class by a package's own name and architecture. A deb's control file may know better."""
    if architecture in SOURCES:
        return FileClass.SOURCE
    debug = _DEBUG_RPM if kind == PackageType.RPM else _DEBUG_DEB
    return FileClass.DEBUG if debug.search(name) else FileClass.PACKAGE


def canonical(kind: str, name: str, version: str, architecture: str) -> str:
    """The file name that package managers and Packagecloud give: ``version`` with the release, without epoch."""
    return f"{name}-{version}.{architecture}.rpm" if kind == PackageType.RPM else f"{name}_{version}_{architecture}.deb"


def parse(filename: str) -> ParsedName | None:
    """The parts of an rpm or deb file name, or None for any other name."""
    if match := _RPM.match(filename):
        version = f"{match['version']}-{match['release']}"
        return ParsedName(type=PackageType.RPM, name=match["name"], version=version, architecture=match["architecture"])
    if match := _DEB.match(filename):
        version = _EPOCH.sub("", match["version"])
        return ParsedName(type=PackageType.DEB, name=match["name"], version=version, architecture=match["architecture"])
    return None
