"""What the checks of orphans look at, for one distribution."""

from collections.abc import Callable, Mapping
from datetime import datetime
from functools import cache, partial

from attrs import field, frozen

from pkgsync.model import Policy, Row, Version
from pkgsync.reconcile.filters import Globs
from pkgsync.reconcile.identity import Identity, identity_of, name_key
from pkgsync.reconcile.offers import Offer, Offered
from pkgsync.reconcile.retention import VersionGroup
from pkgsync.reconcile.versions import UnknownVersion, compare, of_row, orderable


@frozen
class Owner:
    """Something of OBS that shows no binary package: ``told`` names it; ``package`` is empty where it is none."""

    told: str
    package: str = ""


@frozen(kw_only=True)
class Facts:
    """What the checks look at, for one distribution. ``rows`` are by file name, ``total`` counts the whole listing.

    ``coming`` are the names on Packagecloud that get OBS's content by the plan.
    ``downloads`` are the known counts of the last ``limits.in_use_days``, by package key. ``archive`` are the rows of
    ``orphans.archive_to`` by package key; None where they were not read.
    """

    offered: Offered
    rows: Mapping[str, Row]
    groups: Mapping[Identity, VersionGroup]
    renamed: frozenset[str]
    coming: frozenset[str]
    policy: Policy
    now: datetime
    total: int
    downloads: Mapping[str, int | None] = field(factory=dict)
    archive: Mapping[str, Row] | None = None
    protect: Globs = field(init=False)
    names: Globs = field(init=False)
    uploaders: Globs = field(init=False)
    without_files: Globs = field(init=False)
    possible_owners: Callable[[str], list[Owner]] = field(init=False)

    @protect.default
    def _protect(self) -> Globs:
        return Globs(self.policy.orphans.protect)

    @names.default
    def _names(self) -> Globs:
        return Globs(self.policy.orphans.names)

    @uploaders.default
    def _uploaders(self) -> Globs:
        return Globs(self.policy.orphans.uploaders)

    @without_files.default
    def _without_files(self) -> Globs:
        return Globs(self.policy.orphans.without_files)

    @possible_owners.default
    def _possible_owners(self) -> Callable[[str], list[Owner]]:
        return cache(partial(_possible_owners, self.offered, self.without_files))


def superseding(row: Row, facts: Facts) -> Offer | None:
    """The file of the row's name and architecture in the highest version of any index, if that is higher.

    Files that the filters leave out count: OBS offers them, so no filter can turn a row into one that is gone.
    """
    version = of_row(row)
    if isinstance(version, UnknownVersion):
        return None
    best: Offer | None = None
    best_version: Version = version
    for offer in same_name(row, facts):
        file = offer.file
        if identity_of(file) != identity_of(row) or not orderable(file.version, file.type):
            continue
        if compare(file.version, best_version, file.type) > 0:
            best, best_version = offer, file.version
    return best


def same_name(row: Row, facts: Facts) -> list[Offer]:
    return facts.offered.by_name.get(name_key(row), [])


def _possible_owners(offered: Offered, cleared: Globs, of: str) -> list[Owner]:
    """The packages without files that a file of architecture ``of`` could come from, for all we know."""
    owners: list[Owner] = []
    for repository in offered.all_repositories:
        for architecture in offered.relevant(repository, of):
            if not architecture.packages:
                owners.append(Owner(f"{repository.id}/{architecture.name} (OBS lists no package)"))
            # obs/README.md, "Package states": an empty list means something only where the package is excluded
            owners += (
                Owner(f"{repository.project}/{p.name} ({architecture.name}, {p.code})", p.name)
                for p in sorted(architecture.packages, key=lambda p: p.name)
                if not offered.has_binaries(repository, p) and p.code != "excluded" and not cleared.match(p.name)
            )
    return owners
