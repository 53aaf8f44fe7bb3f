"""What the checks of orphans look at, for one distribution."""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from functools import cache, cached_property, partial
from itertools import chain

from msgspec import Struct, field

from pkgsync.model import ArchitectureEvidence, Policy, Repository, RepositoryEvidence, Row
from pkgsync.reconcile.filters import Globs
from pkgsync.reconcile.identity import Identity, NameKey, architecture_of, name_key, place_of
from pkgsync.reconcile.offers import Offer, Offered
from pkgsync.reconcile.retention import VersionGroup
from pkgsync.reconcile.versions import Key, UnknownVersion, orderable, sort_key


class Owner(Struct, frozen=True):
    """Something of OBS that shows no binary package: ``told`` names it; ``package`` is empty where it is none."""

    told: str
    package: str = ""


class Facts(Struct, frozen=True, kw_only=True, dict=True):
    """What the checks look at, for one distribution. ``rows`` are by file name, ``total`` counts the whole listing.

    ``versions`` (by file name), ``groups`` and ``by_name`` are of the names that some row to judge has; ``by_name`` is
    of all that an index lists.
    ``coming`` are the names on Packagecloud that get OBS's content by the plan.
    ``downloads`` are the known counts of the last ``limits.in_use_days``, by package key. ``archive`` are the rows of
    ``orphans.archive_to`` by package key; None where they were not read.
    """

    offered: Offered
    rows: Mapping[str, Row]
    versions: Mapping[str, Key | UnknownVersion]
    groups: Mapping[Identity, VersionGroup]
    by_name: Mapping[NameKey, list[Offer]]
    coming: frozenset[str]
    policy: Policy
    now: datetime
    total: int
    downloads: Mapping[str, int | None] = field(default_factory=dict)
    archive: Mapping[str, Row] | None = None

    @cached_property
    def protect(self) -> Globs:
        return Globs(self.policy.orphans.protect)

    @cached_property
    def names(self) -> Globs:
        return Globs(self.policy.orphans.names)

    @cached_property
    def uploaders(self) -> Globs:
        return Globs(self.policy.orphans.uploaders)

    @cached_property
    def without_files(self) -> Globs:
        return Globs(self.policy.orphans.without_files)

    @cached_property
    def highest(self) -> Mapping[tuple[NameKey, str], tuple[Key, Offer]]:
        """By name and architecture, the file in the highest version of any index, before its sort key."""
        found: dict[tuple[NameKey, str], tuple[Key, Offer]] = {}
        for name, offers in self.by_name.items():
            for offer in offers:
                file = offer.file
                if orderable(file.version, file.type):
                    key, place = sort_key(file.type)(file.version), (name, file.architecture)
                    if place not in found or key > found[place][0]:
                        found[place] = key, offer
        return found

    @cached_property
    def evidence(self) -> tuple[RepositoryEvidence, ...]:
        """Of the repositories as they were read; all removals of the distribution share it."""
        return tuple(map(_repository_evidence, self.offered.repositories))

    @cached_property
    def packages_read(self) -> Callable[[str], int]:
        """How many packages were read that files of an architecture could come from."""
        offered = self.offered
        return cache(lambda of: sum(len(a.packages) for r in offered.repositories for a in offered.relevant(r, of)))

    @cached_property
    def possible_owners(self) -> Callable[[str], list[Owner]]:
        return cache(partial(_possible_owners, self.offered, self.without_files))


class Case(Struct, frozen=True, kw_only=True):
    """One row that is judged, and what each check would else find out again.

    ``version`` is its sort key. ``same_name`` are the files that OBS lists of its name, ``newer`` is the one of its
    architecture too in the highest version of any index, if that is higher than its own.
    """

    row: Row
    architecture: str
    place: str
    version: Key | UnknownVersion
    same_name: Sequence[Offer]
    newer: Offer | None

    @property
    def identity(self) -> Identity:
        return self.row.type, self.row.name, self.architecture


def case_of(row: Row, facts: Facts) -> Case:
    version, named, architecture = facts.versions[row.filename], name_key(row), architecture_of(row)
    highest = facts.highest.get((named, architecture))
    superseded = highest is not None and not isinstance(version, UnknownVersion) and highest[0] > version
    return Case(
        row=row,
        architecture=architecture,
        place=place_of(row),
        version=version,
        same_name=facts.by_name.get(named, ()),
        newer=highest[1] if highest is not None and superseded else None,
    )


def by_name(offered: Offered, names: Collection[str]) -> dict[NameKey, list[Offer]]:
    """All that any index lists of packages with these names, what is shadowed or left out too.

    Files that the filters leave out count: OBS offers them, so no filter can turn a row into one that is gone.
    """
    found: dict[NameKey, list[Offer]] = {}
    seen: set[int] = set()
    # of equal versions the offer comes first; it is listed too
    for offer in chain(offered.places.values(), offered.listed):
        if offer.file.name in names and id(offer.file) not in seen:
            seen.add(id(offer.file))
            found.setdefault(name_key(offer.file), []).append(offer)
    return found


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


def _repository_evidence(repository: Repository) -> RepositoryEvidence:
    assert repository.index is not None
    return RepositoryEvidence(
        project=repository.project,
        repository=repository.name,
        architectures=tuple(
            ArchitectureEvidence(a.name, a.code) for a in sorted(repository.architectures, key=lambda a: a.name)
        ),
        last_published=repository.last_published,
        index_sha256=repository.index.top_sha256,
        revision=repository.index.revision,
        content=repository.content,
    )
