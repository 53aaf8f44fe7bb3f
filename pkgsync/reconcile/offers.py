"""What OBS offers for each distribution: who wins a key, who is shadowed, and what is not certain."""

from collections.abc import Iterable

from attrs import define, field, frozen

from pkgsync.model import (
    Architecture,
    BuiltPackage,
    DesiredState,
    IndexedFile,
    PackageType,
    Policy,
    Problem,
    Repository,
    Shadowed,
    Source,
)
from pkgsync.reasons import Reason
from pkgsync.reconcile.filters import FileFilter
from pkgsync.reconcile.names import INDEPENDENT, schedulers_of, wanted_architecture


@frozen
class Offer:
    """One file of an index for one distribution, with the packages that OBS says build it."""

    file: IndexedFile
    repository: Repository
    source: Source
    packages: tuple[tuple[str, BuiltPackage], ...] = ()
    also: tuple[Source, ...] = ()
    held: Problem | None = None


@define
class Distribution:
    """Everything that OBS says about one Packagecloud distribution; built once, then only read.

    ``offers`` are after the filters; ``indexed`` and ``built`` are names before them, as filters never prove absence.
    """

    name: str
    repositories: list[Repository] = field(factory=list)
    offers: dict[str, Offer] = field(factory=dict)
    shadowed: list[Shadowed] = field(factory=list)
    indexed: set[str] = field(factory=set)
    built: dict[str, str] = field(factory=dict)
    by_name: dict[tuple[PackageType, str], list[Offer]] = field(factory=dict)

    def wants_architecture(self, filename: str) -> bool:
        """Whether any repository that feeds the distribution lets the file's architecture through."""
        return not self.repositories or any(
            wanted_architecture(filename, r.filter_architectures) for r in self.repositories
        )

    def problem(self, architecture: str) -> Problem | None:
        """Why nothing may be deleted or replaced for files of ``architecture`` now, or None when all is settled."""
        if not self.repositories:
            return Problem(Reason.UNREAD, "no OBS repository of the distribution was read")
        return next((p for r in self.repositories for p in problems_for(r, architecture)), None)


def problems_for(repository: Repository, architecture: str) -> Iterable[Problem]:
    """The problems that unsettle files of ``architecture`` in the repository (DESIGN section 5, Settled)."""
    if repository.index is None and not repository.problems:
        yield Problem(Reason.UNREAD, f"{repository.id}: its index was not read")
    yield from repository.problems
    for relevant in relevant_architectures(repository, architecture):
        yield from relevant.problems


def relevant_architectures(repository: Repository, architecture: str) -> tuple[Architecture, ...]:
    """The scheduler architectures that a file of ``architecture`` could come from.

    ``ignore_architectures`` excuses one for noarch and all; its own files stay bound to it.
    """
    names = set(schedulers_of(architecture, [a.name for a in repository.architectures]))
    if architecture in INDEPENDENT:
        names = names - set(repository.ignore_architectures) or names
    return tuple(a for a in repository.architectures if a.name in names)


def gather_offers(desired: DesiredState, policy: Policy, managed: Iterable[str]) -> dict[str, Distribution]:
    """Sort the desired state by distribution; earlier sources win (config order, then path)."""
    filters = FileFilter(policy)
    world = {name: Distribution(name) for name in sorted(managed)}
    for repository in desired.repositories:
        builders = _builders(repository)
        for name in repository.distributions:
            _add(world.setdefault(name, Distribution(name)), repository, builders, filters)
    return world


def _builders(repository: Repository) -> dict[str, list[tuple[str, BuiltPackage]]]:
    builders: dict[str, list[tuple[str, BuiltPackage]]] = {}
    for architecture in repository.architectures:
        for package in architecture.packages:
            for built in package.files:
                builders.setdefault(built.filename, []).append((architecture.name, package))
    return builders


def _add(
    distribution: Distribution,
    repository: Repository,
    builders: dict[str, list[tuple[str, BuiltPackage]]],
    filters: FileFilter,
) -> None:
    earlier = list(distribution.repositories)
    for filename, packages in builders.items():
        distribution.built.setdefault(filename, f"{repository.id} ({packages[0][1].name})")
    if repository.filtered:
        return
    distribution.repositories.append(repository)
    for file in sorted(repository.index.files, key=lambda f: f.path) if repository.index else ():
        distribution.indexed.add(file.filename)
        if filters.admits(file.filename) and wanted_architecture(file.filename, repository.filter_architectures):
            _offer(distribution, _make_offer(file, repository, builders.get(file.filename, []), earlier))


def _make_offer(
    file: IndexedFile,
    repository: Repository,
    packages: list[tuple[str, BuiltPackage]],
    earlier: list[Repository],
) -> Offer:
    architectures = sorted({name for name, _ in packages})
    source = Source(
        kind="obs",
        project=repository.project,
        repository=repository.name,
        architecture=architectures[0] if architectures else "",
        packages=tuple(sorted({package.name for _, package in packages})),
        path=file.path,
    )
    unread = next((r for r in earlier if _could_offer(r, file.filename)), None)
    message = f"{unread.id} comes first in the config and could not be read" if unread else ""
    held = Problem(Reason.EARLIER_SOURCE_UNREAD, message) if unread else None
    return Offer(file, repository, source, tuple(packages), held=held)


def _could_offer(repository: Repository, filename: str) -> bool:
    """Whether an earlier repository without a usable index might publish ``filename``."""
    if repository.index is not None:
        return False
    reasons = {p.reason for p in repository.problems}
    if reasons & {Reason.REPOSITORY_ABSENT, Reason.PROJECT_ABSENT}:
        return False
    names = {f.filename for a in repository.architectures for p in a.packages for f in p.files}
    return not names or filename in names


def _offer(distribution: Distribution, offer: Offer) -> None:
    file = offer.file
    first = distribution.offers.get(file.filename)
    if first is None:
        distribution.offers[file.filename] = offer
        distribution.by_name.setdefault((file.type, file.name), []).append(offer)
    elif first.file.sha256 == file.sha256:
        _name_both(distribution, first, offer)
    else:
        distribution.shadowed.append(
            Shadowed(distribution.name, file.filename, file.sha256, offer.source, first.source)
        )


def _name_both(distribution: Distribution, first: Offer, second: Offer) -> None:
    both = Offer(
        first.file,
        first.repository,
        first.source,
        (*first.packages, *second.packages),
        (*first.also, second.source),
        first.held,
    )
    distribution.offers[first.file.filename] = both
    siblings = distribution.by_name[(first.file.type, first.file.name)]
    siblings[siblings.index(first)] = both
