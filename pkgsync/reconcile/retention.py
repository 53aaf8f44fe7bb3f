"""Which versions of a name must stay: the groups of rows that the retention rules count."""

from collections.abc import Iterable

from attrs import define, field

from pkgsync.model import PackageType, Row, Version
from pkgsync.reconcile.names import parse
from pkgsync.reconcile.offers import Distribution
from pkgsync.reconcile.versions import UnknownVersion, compare, of_row, orderable, sort_key

GroupKey = tuple[str, str, str]


@define
class Group:
    """One type, name and architecture of one distribution.

    ``versions`` are the distinct versions that stand on Packagecloud or arrive with this plan, newest first.
    ``unknown`` names a row or offer whose version cannot be ordered, ``not_here`` an offer that does not arrive.
    """

    versions: list[Version] = field(factory=list)
    unknown: str | None = None
    not_here: str | None = None

    def rank(self, version: Version, kind: PackageType) -> int:
        """How many distinct versions are newer."""
        return sum(1 for other in self.versions if compare(other, version, kind) > 0)


def architecture_of(row: Row) -> str:
    parsed = parse(row.filename)
    return row.architecture or (parsed.architecture if parsed else "")


def group_key(row: Row) -> GroupKey:
    return row.type, row.name, architecture_of(row)


def groups(distribution: Distribution, rows: Iterable[Row], arriving: set[str]) -> dict[GroupKey, Group]:
    """Group the distribution's rows and offers. ``arriving`` are the offered names that stand here or are uploaded."""
    result: dict[GroupKey, Group] = {}
    for row in rows:
        _add(result.setdefault(group_key(row), Group()), of_row(row), row.type, row.filename)
    for filename, offer in sorted(distribution.offers.items()):
        file = offer.file
        group = result.setdefault((file.type.value, file.name, file.architecture), Group())
        if filename in arriving:
            known = file.version if orderable(file.version, file.type) else UnknownVersion(str(file.version))
            _add(group, known, file.type, filename)
        else:
            group.not_here = filename
    for (kind, _, _), group in result.items():
        group.versions = _distinct(group.versions, PackageType(kind))
    return result


def _add(group: Group, version: Version | UnknownVersion, kind: str, filename: str) -> None:
    if isinstance(version, UnknownVersion):
        group.unknown = filename
    else:
        group.versions.append(version)


def _distinct(versions: list[Version], kind: PackageType) -> list[Version]:
    result: list[Version] = []
    for version in sorted(versions, key=sort_key(kind), reverse=True):
        if not result or compare(result[-1], version, kind) != 0:
            result.append(version)
    return result
