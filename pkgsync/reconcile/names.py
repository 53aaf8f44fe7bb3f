"""What a file name alone tells: type, name, version, architecture and class.

Source: the suffix lists of src/backend/BSOBS.pm and bs_publish in openSUSE/open-build-service.
"""

import re
from collections.abc import Collection
from enum import StrEnum
from functools import lru_cache

from attrs import frozen

from pkgsync.model import PackageType

_RPM = re.compile(r"^(?P<name>.+)-(?P<version>[^-]+)-(?P<release>[^-]+)\.(?P<architecture>[A-Za-z][^/.\-]*)\.rpm$")
_DEB = re.compile(r"^(?P<name>[^_]+)_(?P<version>[^_]+)_(?P<architecture>[^_.]+)\.deb$")

INDEPENDENT = frozenset({"noarch", "all"})


class FileClass(StrEnum):
    """What a file is for. Only ``package`` is synced, unless ``include_classes`` names another."""

    PACKAGE = "package"
    SOURCE = "source"
    DEBUG = "debug"
    DELTA = "delta"
    INSTALLER = "installer"
    OTHER = "other"


_CLASSES = (
    (FileClass.OTHER, re.compile(r"^::import::")),
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
    type: PackageType
    name: str
    architecture: str


@lru_cache(maxsize=200_000)
def file_class(filename: str) -> FileClass:
    return next((kind for kind, pattern in _CLASSES if pattern.search(filename)), FileClass.OTHER)


def parse(filename: str) -> ParsedName | None:
    """The parts of an rpm or deb file name, or None for any other name."""
    for kind, pattern in ((PackageType.RPM, _RPM), (PackageType.DEB, _DEB)):
        if match := pattern.match(filename):
            return ParsedName(type=kind, name=match["name"], architecture=match["architecture"])
    return None


# Scheduler architecture -> architectures in its rpm and deb file names (Build/Deb.pm of openSUSE/obs-build).
# i586 schedulers also export x86_64 files (-32bit).
_FILE_ARCHITECTURES: dict[str, frozenset[str]] = {
    "x86_64": frozenset({"x86_64", "amd64"}),
    "i586": frozenset({"i386", "i486", "i586", "i686", "x86_64"}),
    "i686": frozenset({"i386", "i486", "i586", "i686", "x86_64"}),
    "aarch64": frozenset({"aarch64", "arm64"}),
    "armv7l": frozenset({"armv7l", "armv7hl", "armhf"}),
    "armv6l": frozenset({"armv6l", "armv6hl", "armel"}),
    "ppc64le": frozenset({"ppc64le", "ppc64el"}),
    "loongarch64": frozenset({"loongarch64", "loong64"}),
}


def _file_architectures(scheduler: str) -> frozenset[str]:
    return _FILE_ARCHITECTURES.get(scheduler, frozenset({scheduler}))


def wanted_architecture(filename: str, wanted: Collection[str] | None) -> bool:
    """Whether the ``architectures`` filter of a project lets the file through; noarch and all always pass."""
    if wanted is None:
        return True
    parsed = parse(filename)
    if parsed is None or parsed.architecture in INDEPENDENT:
        return True
    return any(parsed.architecture in _file_architectures(name) or parsed.architecture == name for name in wanted)


def schedulers_of(architecture: str, schedulers: Collection[str]) -> tuple[str, ...]:
    """The scheduler architectures that can build a file of ``architecture``; all of them when that is not certain."""
    if architecture in INDEPENDENT:
        return tuple(schedulers)
    own = tuple(name for name in schedulers if architecture in _file_architectures(name))
    return own or tuple(schedulers)
