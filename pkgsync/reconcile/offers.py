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
from pkgsync.model.filename import FileClass, file_class, parse
from pkgsync.reasons import Group, Reason
from pkgsync.reconcile.architectures import INDEPENDENT, schedulers_of, wanted_architecture
from pkgsync.reconcile.filters import FileFilter

NameKey = tuple[PackageType, FileClass, str]


@frozen(kw_only=True)
class Offer:
    """One file of an index for one distribution, with the packages that OBS says build it."""

    file: IndexedFile
    repository: Repository
    source: Source
    packages: tuple[tuple[str, BuiltPackage], ...] = ()
    also: tuple[Source, ...] = ()
    held: Problem | None = None


@define(kw_only=True)
class Offered:
    """Everything that OBS says about one Packagecloud distribution; built once, then only read.

    ``offers`` are after the filters; what they leave out of an index stands in ``left_out``, as filters never prove
    absence. ``contents``, ``built``, ``built_names`` and ``builders`` are before them too; ``not_built`` are indexed
    files that some repository shows for no package. ``filtered`` repositories offer nothing, but what they may hold is
    not gone.
    """

    distribution: str
    repositories: list[Repository] = field(factory=list)
    filtered: list[Repository] = field(factory=list)
    offers: dict[str, Offer] = field(factory=dict)
    left_out: dict[str, Offer] = field(factory=dict)
    shadowed: list[Shadowed] = field(factory=list)
    contents: set[str] = field(factory=set)
    built: dict[str, str] = field(factory=dict)
    built_names: dict[NameKey, str] = field(factory=dict)
    builders: dict[str, list[tuple[str, BuiltPackage]]] = field(factory=dict)
    not_built: set[str] = field(factory=set)
    by_name: dict[NameKey, list[Offer]] = field(factory=dict)

    @property
    def all_repositories(self) -> tuple[Repository, ...]:
        return (*self.repositories, *self.filtered)

    def wants_architecture(self, filename: str) -> bool:
        """Whether any repository that feeds the distribution lets the file's architecture through."""
        return not self.repositories or any(
            wanted_architecture(filename, r.filter_architectures) for r in self.repositories
        )

    def problem(self, architecture: str) -> Problem | None:
        """Why nothing may be deleted or replaced for files of ``architecture`` now, or None when all is settled."""
        if not self.repositories:
            return Problem(Reason.UNREAD, "no OBS repository of the distribution was read")
        return next((p for r in self.all_repositories for p in problems_for(r, architecture)), None)

    def unread(self) -> Problem | None:
        """Why it is not known what all sources of the distribution publish, or None when every index was read."""
        missing = next((r for r in self.repositories if r.index is None), None)
        if missing is None and self.repositories:
            return None
        return self.problem("")


def problems_for(repository: Repository, architecture: str) -> Iterable[Problem]:
    """The problems that unsettle files of ``architecture`` in the repository."""
    yield from repository.problems
    if repository.unread or (repository.index is None and not repository.filtered):
        yield Problem(Reason.UNREAD, f"{repository.id}: it was not read completely")
    relevant = relevant_architectures(repository, architecture)
    if not relevant:
        yield Problem(Reason.ARCHITECTURE_ABSENT, f"{repository.id}: OBS gives no result for it")
    for found in relevant:
        yield from found.problems
        if not found.packages and (repository.index is None or repository.index.files):
            yield Problem(Reason.ARCHITECTURE_ABSENT, f"{repository.id}/{found.name}: OBS lists no package")


def relevant_architectures(repository: Repository, architecture: str) -> tuple[Architecture, ...]:
    """The scheduler architectures that a file of ``architecture`` could come from.

    ``ignore_architectures`` excuses one for noarch and all; its own files stay bound to it.
    """
    names = set(schedulers_of(architecture, [a.name for a in repository.architectures]))
    if architecture in INDEPENDENT:
        names = names - set(repository.ignore_architectures) or names
    return tuple(sorted((a for a in repository.architectures if a.name in names), key=lambda a: a.name))


def gather_offers(desired: DesiredState, policy: Policy, managed: Iterable[str]) -> dict[str, Offered]:
    """Sort the desired state by distribution; earlier sources win (config order, then path)."""
    filters = FileFilter(policy)
    world = {name: Offered(distribution=name) for name in sorted(managed)}
    for repository in desired.repositories:
        builders = _builders(repository)
        for name in repository.distributions:
            if name in world:
                _add(world[name], repository, builders, filters)
    for offered in world.values():
        _sort_by_name(offered)
    return world


def name_key(kind: PackageType, filename: str, name: str) -> NameKey:
    """What makes two files one package in several versions; a source package is another one than its binaries."""
    return kind, file_class(filename), name


def _builders(repository: Repository) -> dict[str, list[tuple[str, BuiltPackage]]]:
    builders: dict[str, list[tuple[str, BuiltPackage]]] = {}
    for architecture in repository.architectures:
        for package in architecture.packages:
            for built in package.files:
                builders.setdefault(built.filename, []).append((architecture.name, package))
    for packages in builders.values():
        packages.sort(key=lambda found: (found[0], found[1].name))
    return builders


def _add(
    offered: Offered,
    repository: Repository,
    builders: dict[str, list[tuple[str, BuiltPackage]]],
    filters: FileFilter,
) -> None:
    earlier = list(offered.repositories)
    for filename, packages in sorted(builders.items()):
        who = f"{repository.id} ({packages[0][1].name})"
        offered.built.setdefault(filename, who)
        if repository.skipped:
            continue
        if parsed := parse(filename):
            key = name_key(parsed.type, filename, parsed.name)
            offered.built_names.setdefault(key, f"{who} has built {filename}")
        offered.builders.setdefault(filename, []).extend(packages)
    if repository.skipped:
        return
    (offered.filtered if repository.filtered else offered.repositories).append(repository)
    for file in sorted(repository.index.files, key=lambda f: f.path) if repository.index else ():
        offered.contents.add(file.sha256)
        offer = _make_offer(file, repository, builders.get(file.filename, []), earlier)
        if not offer.packages:
            offered.not_built.add(file.filename)
        if _wanted(file, repository, filters):
            _offer(offered, offer)
        else:
            offered.left_out.setdefault(file.filename, offer)


def _wanted(file: IndexedFile, repository: Repository, filters: FileFilter) -> bool:
    return not repository.filtered and filters.takes(file.filename, repository.filter_architectures)


def _make_offer(
    file: IndexedFile,
    repository: Repository,
    packages: list[tuple[str, BuiltPackage]],
    earlier: list[Repository],
) -> Offer:
    architectures = sorted({name for name, _ in packages})
    if repository.content == "build":  # the path begins with the one whose copy it is
        architectures = [file.path.partition("/")[0]]
    source = Source(
        kind="obs",
        project=repository.project,
        repository=repository.name,
        architecture=architectures[0] if architectures else "",
        packages=tuple(sorted({package.name for _, package in packages})),
        path=file.path,
        content=repository.content,
    )
    held = _earlier_unread(file, earlier) or repository.doubts.get(file.filename)
    return Offer(file=file, repository=repository, source=source, packages=tuple(packages), held=held)


def _earlier_unread(file: IndexedFile, earlier: list[Repository]) -> Problem | None:
    unread = next((r for r in earlier if _could_offer(r, file.filename)), None)
    if unread is None:
        return None
    return Problem(Reason.EARLIER_SOURCE_UNREAD, f"{unread.id} comes first in the config and could not be read")


def _could_offer(repository: Repository, filename: str) -> bool:
    """Whether an earlier repository without a usable index might publish ``filename``."""
    if repository.index is not None:
        return filename in repository.doubts
    if any(p.reason.group is Group.ABSENT for p in repository.problems):
        return False
    names = {f.filename for a in repository.architectures for p in a.packages for f in p.files}
    return not names or filename in names


def _offer(offered: Offered, offer: Offer) -> None:
    file = offer.file
    first = offered.offers.get(file.filename)
    if first is None:
        offered.offers[file.filename] = offer
    elif first.file.sha256 == file.sha256:
        offered.offers[file.filename] = _name_both(first, offer)
    else:
        offered.shadowed.append(
            Shadowed(
                distribution=offered.distribution,
                filename=file.filename,
                sha256=file.sha256,
                source=offer.source,
                by=first.source,
            )
        )


def _name_both(first: Offer, second: Offer) -> Offer:
    return Offer(
        file=first.file,
        repository=first.repository,
        source=first.source,
        packages=(*first.packages, *second.packages),
        also=(*first.also, second.source),
        held=first.held,
    )


def _sort_by_name(offered: Offered) -> None:
    """By name over everything that an index lists; where two list one file name, the offer counts."""
    for offer in {**offered.left_out, **offered.offers}.values():
        key = name_key(offer.file.type, offer.file.filename, offer.file.name)
        offered.by_name.setdefault(key, []).append(offer)
