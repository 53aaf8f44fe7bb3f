"""True version order of rpm and dpkg, by univers, over what Packagecloud and the indexes state."""

from collections.abc import Callable
from functools import cmp_to_key
from typing import Any

from attrs import frozen
from univers.debian import compare_strings
from univers.rpm import vercmp

from pkgsync.model import PackageType, Row, Version


@frozen
class UnknownVersion:
    """A version that cannot be ordered: its group is held."""

    text: str


def of_row(row: Row) -> Version | UnknownVersion:
    """The version of a row. A null epoch or version, or a null release of an rpm, makes it unknown."""
    known = row.epoch is not None and row.version and (row.release or row.type != PackageType.RPM)
    if not known:
        return UnknownVersion(row.version or "?")
    assert row.epoch is not None and row.version
    version = Version(row.epoch, row.version, row.release or "")
    return version if orderable(version, PackageType(row.type)) else UnknownVersion(str(version))


def orderable(version: Version, kind: PackageType) -> bool:
    """Whether the type's order is defined for the version: dpkg refuses most special characters, rpm none in print."""
    text = f"{version.version}-{version.release}"
    if not (text.isascii() and text.isprintable()):
        return False
    if kind is PackageType.RPM:
        return True
    return all(c.isalnum() or c in ".+-~" for c in text) and not version.version.endswith("-")


def compare(left: Version, right: Version, kind: PackageType) -> int:
    """Negative, zero or positive, as ``rpm`` or ``dpkg --compare-versions`` would order the two."""
    if left.epoch != right.epoch:
        return -1 if left.epoch < right.epoch else 1
    order: Callable[[str, str], int] = vercmp if kind is PackageType.RPM else compare_strings
    (left_version, left_release), (right_version, right_release) = _parts(left, kind), _parts(right, kind)
    by_version: int = order(left_version, right_version)
    by_release: int = order(left_release, right_release)
    return by_version or by_release


def _parts(version: Version, kind: PackageType) -> tuple[str, str]:
    """A deb's revision is what follows the last hyphen, whether or not it was stated apart."""
    if kind is PackageType.RPM or version.release:
        return version.version, version.release
    upstream, hyphen, revision = version.version.rpartition("-")
    return (upstream, revision) if hyphen else (version.version, "")


def sort_key(kind: PackageType) -> Any:
    """A key for ``sorted`` over versions of one type."""
    return cmp_to_key(lambda left, right: compare(left, right, kind))
