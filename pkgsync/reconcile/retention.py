"""Which versions of a name must stay: the groups of rows that the retention rules count."""

from bisect import bisect_right
from collections.abc import Collection, Mapping
from itertools import groupby

from msgspec import Struct, field

from pkgsync.model import IndexedFile, Row
from pkgsync.reconcile.identity import Identity, contradiction, identity_of
from pkgsync.reconcile.offers import Offered
from pkgsync.reconcile.versions import Key, UnknownVersion, key_of, orderable, sort_key


class VersionGroup(Struct, kw_only=True):
    """One type, name and architecture of one distribution.

    ``versions`` are the keys of the distinct versions that stand on Packagecloud or arrive with this plan, in order.
    ``unknown`` names a row or offer whose version cannot be ordered, ``not_here`` an offer that does not arrive.
    """

    versions: list[Key] = field(default_factory=list)
    unknown: str | None = None
    not_here: str | None = None

    def rank(self, version: Key) -> int:
        """How many distinct versions are newer."""
        return len(self.versions) - bisect_right(self.versions, version)


def groups(
    offered: Offered,
    rows: Mapping[str, Row],
    versions: Mapping[str, Key | UnknownVersion],
    coming: Collection[str],
    names: Collection[str],
) -> dict[Identity, VersionGroup]:
    """Group the distribution's rows and offers, as far as they have one of these package ``names``.

    ``rows`` and their ``versions`` are by file name, ``coming`` are the file names of uploads and replacements.
    """
    result: dict[Identity, VersionGroup] = {}
    for filename, version in versions.items():
        row = rows[filename]
        group = _group(result, row)
        # what is replaced counts below, with the version that comes
        if filename in coming:
            continue
        doubtful = filename not in offered.offers and contradiction(row) is not None
        # a version that may not be the file's would push another one out of those to keep
        if isinstance(version, UnknownVersion) or not doubtful:
            _add(group, version, filename)
    for filename, offer in sorted((name, offer) for name, offer in offered.offers.items() if offer.file.name in names):
        file = offer.file
        group = _group(result, file)
        if filename in coming:
            _add(group, _of_file(file), filename)
        elif (there := rows.get(filename)) is None:
            group.not_here = filename
        else:
            # the row may say that it is another package, which is not among the names
            version = versions[filename] if filename in versions else key_of(there)
            _compare_with_row(group, there, version, file)
    # not wanted here, but perhaps the newest: then nothing is known to be older
    for file in (offer.file for offer in offered.left_out.values()):
        if file.name in names and isinstance(_of_file(file), UnknownVersion):
            _group(result, file).unknown = file.filename
    for group in result.values():
        group.versions = _distinct(group.versions)
    return result


def _group(groups: dict[Identity, VersionGroup], package: IndexedFile | Row) -> VersionGroup:
    identity = identity_of(package)
    if identity not in groups:
        groups[identity] = VersionGroup()
    return groups[identity]


def _of_file(file: IndexedFile) -> Key | UnknownVersion:
    version = file.version
    return sort_key(file.type)(version) if orderable(version, file.type) else UnknownVersion(str(version))


def _compare_with_row(group: VersionGroup, row: Row, here: Key | UnknownVersion, file: IndexedFile) -> None:
    """What stands there counts only with OBS's content; a file name can stand for two versions, without the epoch."""
    version = file.version
    stated = (row.type, row.epoch, row.version, row.release or "")
    # mostly both state the same, and have the same key
    equal = stated == (file.type, version.epoch, version.version, version.release)
    offered = here if equal else _of_file(file)
    if isinstance(offered, UnknownVersion):
        group.unknown = row.filename
    elif row.sha256 != file.sha256:
        group.not_here = row.filename
    elif here != offered:
        group.unknown = row.filename


def _add(group: VersionGroup, version: Key | UnknownVersion, filename: str) -> None:
    if isinstance(version, UnknownVersion):
        group.unknown = filename
    else:
        group.versions.append(version)


def _distinct(versions: list[Key]) -> list[Key]:
    return [version for version, _ in groupby(sorted(versions))]
