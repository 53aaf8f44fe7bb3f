"""Which versions of a name must stay: the groups of rows that the retention rules count."""

from bisect import bisect_left
from collections.abc import Collection, Mapping

from attrs import define, field

from pkgsync.model import IndexedFile, PackageType, Row, Version
from pkgsync.reconcile.identity import Identity, contradiction, identity_of
from pkgsync.reconcile.offers import Offered
from pkgsync.reconcile.versions import UnknownVersion, compare, of_row, orderable, sort_key


@define(kw_only=True)
class VersionGroup:
    """One type, name and architecture of one distribution.

    ``versions`` are the distinct versions that stand on Packagecloud or arrive with this plan, newest first.
    ``unknown`` names a row or offer whose version cannot be ordered, ``not_here`` an offer that does not arrive.
    """

    versions: list[Version] = field(factory=list)
    unknown: str | None = None
    not_here: str | None = None

    def rank(self, version: Version, kind: PackageType) -> int:
        """How many distinct versions are newer."""
        return bisect_left(self.versions, True, key=lambda other: compare(other, version, kind) <= 0)


def groups(offered: Offered, rows: Mapping[str, Row], coming: Collection[str]) -> dict[Identity, VersionGroup]:
    """Group the distribution's rows (by file name) and offers.

    ``coming`` are the names of uploads and replacements.
    """
    result: dict[Identity, VersionGroup] = {}
    for filename, row in sorted(rows.items()):
        group = result.setdefault(identity_of(row), VersionGroup())
        # what is replaced counts below, with the version that comes
        version = of_row(row)
        doubtful = contradiction(row) is not None and filename not in offered.offers
        # a version that may not be the file's would push another one out of those to keep
        if filename not in coming and (isinstance(version, UnknownVersion) or not doubtful):
            _add(group, version, row.type, filename)
    for filename, offer in sorted(offered.offers.items()):
        file = offer.file
        group = result.setdefault(identity_of(file), VersionGroup())
        if filename in coming:
            _add(group, _of_file(file), file.type, filename)
        elif (there := rows.get(filename)) is None:
            group.not_here = filename
        else:
            _compare_with_row(group, there, file)
    # not wanted here, but perhaps the newest: then nothing is known to be older
    for file in (offer.file for offer in offered.left_out.values()):
        if isinstance(_of_file(file), UnknownVersion):
            result.setdefault(identity_of(file), VersionGroup()).unknown = file.filename
    for (kind, _, _), group in result.items():
        group.versions = _distinct(group.versions, PackageType(kind))
    return result


def _of_file(file: IndexedFile) -> Version | UnknownVersion:
    return file.version if orderable(file.version, file.type) else UnknownVersion(str(file.version))


def _compare_with_row(group: VersionGroup, row: Row, file: IndexedFile) -> None:
    """What stands there counts only with OBS's content; a file name can stand for two versions, without the epoch."""
    here, offered = of_row(row), _of_file(file)
    if isinstance(here, UnknownVersion) or isinstance(offered, UnknownVersion):
        group.unknown = row.filename
    elif row.sha256 != file.sha256:
        group.not_here = row.filename
    elif compare(here, offered, file.type) != 0:
        group.unknown = row.filename


def _add(group: VersionGroup, version: Version | UnknownVersion, kind: str, filename: str) -> None:
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
