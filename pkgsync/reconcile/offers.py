"""What OBS offers for each distribution: who wins a place, who is shadowed, and what is not certain."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from functools import cache, cached_property
from operator import attrgetter

from msgspec import Struct, field
from msgspec.structs import replace

from pkgsync.model import (
    Architecture,
    BuiltPackage,
    DesiredState,
    IndexedFile,
    PackageType,
    Policy,
    Problem,
    Repository,
    Row,
    Shadowed,
    Source,
)
from pkgsync.model.filename import FileClass, file_class, is_imported, parse, type_of
from pkgsync.reasons import Group, Reason
from pkgsync.reconcile.architectures import ANY, INDEPENDENT, schedulers_of, wanted_architecture
from pkgsync.reconcile.built import Builders, Built, builders_of, shown
from pkgsync.reconcile.filters import FileFilter, FilterKey
from pkgsync.reconcile.identity import Identity, architecture_of, identity_of, place_of


class Offer(Struct, frozen=True, kw_only=True):
    """One file of an index for one distribution, with the packages that OBS says build it.

    ``filename`` is the name that it has on Packagecloud: its own, but where the server has named its row otherwise.
    """

    file: IndexedFile
    repository: Repository
    filename: str
    packages: tuple[tuple[str, BuiltPackage], ...] = ()
    also: tuple[Source, ...] = ()
    held: Problem | None = None

    @property
    def source(self) -> Source:
        """Where its bytes come from; made when it is asked for, as most offers stand there already."""
        repository, architectures = self.repository, [name for name, _ in self.packages]
        if repository.content == "build":  # the path begins with the one whose copy it is
            architectures = [self.file.path.partition("/")[0]]
        return Source(
            kind="obs",
            project=repository.project,
            repository=repository.name,
            architecture=min(architectures, default=""),
            packages=tuple(sorted({package.name for _, package in self.packages})),
            path=self.file.path,
            content=repository.content,
        )

    def stands_in(self, rows: Mapping[str, Row]) -> bool:
        """Whether the row of its name, if there is one, has its content."""
        row = rows.get(self.filename)
        return row is not None and row.sha256 == self.file.sha256

    @property
    def own_names(self) -> set[str]:
        """What OBS calls it; a file can have several names."""
        return {path.rpartition("/")[2] for path in (self.file.path, *(source.path for source in self.also))}


class Offered(Struct, kw_only=True, dict=True):
    """Everything that OBS says about one Packagecloud distribution; built once, then only read.

    ``offers`` are after the filters, one per package and version, by their names on Packagecloud; ``places`` are where
    they and what the filters leave out belong there. ``left_out`` is what the filters leave out of an index, by file
    name, as filters never prove absence; ``listed`` and ``built`` are before the filters too. ``sources`` are all
    repositories, those mapped to null too. ``filtered`` ones offer nothing, but what they may hold is not gone.

    What only orphans and replacements are judged by is found out when it is asked for: mostly a few files change.
    """

    distribution: str
    sources: list[tuple[Repository, Builders]] = field(default_factory=list)
    repositories: list[Repository] = field(default_factory=list)
    filtered: list[Repository] = field(default_factory=list)
    offers: dict[str, Offer] = field(default_factory=dict)
    left_out: dict[str, Offer] = field(default_factory=dict)
    left_out_places: dict[str, Offer] = field(default_factory=dict)
    listed: list[Offer] = field(default_factory=list)
    places: dict[str, Offer] = field(default_factory=dict)
    shadowed: list[Shadowed] = field(default_factory=list)

    @property
    def all_repositories(self) -> tuple[Repository, ...]:
        return (*self.repositories, *self.filtered)

    @cached_property
    def contents(self) -> frozenset[str]:
        """Of all that an index lists: a renamed file that the filters leave out is no orphan either."""
        return frozenset(offer.file.sha256 for offer in self.listed)

    @cached_property
    def not_built(self) -> frozenset[str]:
        """The indexed files that some repository shows for no package."""
        return frozenset(offer.file.filename for offer in self.listed if not offer.packages)

    @cached_property
    def built(self) -> Built:
        built = Built()
        for repository, builders in self.sources:
            built.add(repository, builders, self._indexed[repository.id])
        return built

    @cached_property
    def _indexed(self) -> dict[str, dict[str, IndexedFile]]:
        """By repository, the files of its index by their names."""
        return {
            repository.id: {file.filename: file for file in repository.index.files} if repository.index else {}
            for repository, _ in self.sources
        }

    @cached_property
    def _shown(self) -> dict[str, Mapping[str, Collection[str]]]:
        """The architectures of what each scheduler of a repository has built."""
        return {repository.id: shown(repository, self._indexed[repository.id]) for repository in self.all_repositories}

    @cached_property
    def _identities(self) -> frozenset[Identity]:
        return frozenset(identity_of(offer.file) for offer in self.places.values())

    @cached_property
    def _own_names(self) -> dict[str, Offer]:
        """By each name that OBS has for it, the first of that name."""
        return {name: offer for offer in reversed(self.offers.values()) for name in offer.own_names}

    def builders(self, filename: str) -> list[tuple[str, BuiltPackage]]:
        """Every scheduler architecture and package that shows a file of this name."""
        return [found for r, builders in self.sources if not r.skipped for found in builders.get(filename, ())]

    def find(self, filename: str) -> Offer | None:
        """The offer of this name on Packagecloud or in OBS; where the filters leave it out, what they leave out."""
        return self.offers.get(filename) or self._own_names.get(filename) or self.left_out.get(filename)

    def leaves_out(self, row: Row) -> "Offer | FilterKey":
        """What OBS publishes of the row's very file and the filters leave out; else the filter of its architecture."""
        if self.left_out and (left_out := self.left_out.get(row.filename) or self.left_out_places.get(place_of(row))):
            return left_out
        filters = [r.filter_architectures for r in self.repositories]
        if not filters or None in filters or identity_of(row) in self._identities:
            return ""
        architecture = architecture_of(row)
        return "" if any(wanted_architecture(architecture, wanted, ()) for wanted in filters) else "architectures"

    def has_binaries(self, repository: Repository, package: BuiltPackage) -> bool:
        """Whether it shows a binary package of its own: sources, logs and imported copies prove nothing."""
        indexed = self._indexed[repository.id]
        classes = (f.file_class if (f := indexed.get(b.filename)) else file_class(b.filename) for b in package.files)
        return any(found is FileClass.PACKAGE for found in classes)

    @cached_property
    def problem(self) -> Callable[[str], Problem | None]:
        """Why nothing may be deleted or replaced for files of an architecture now, or None when all is settled."""
        return cache(self._problem)

    def _problem(self, architecture: str) -> Problem | None:
        if not self.repositories:
            return Problem(Reason.UNREAD, "no OBS repository of the distribution was read")
        return next((p for r in self.all_repositories for p in self._problems(r, architecture)), None)

    def unread(self) -> Problem | None:
        """Why it is not known what all sources of the distribution publish, or None when every index was read."""
        missing = next((r for r in self.repositories if r.index is None), None)
        if missing is None and self.repositories:
            return None
        return self.problem(ANY)

    def _problems(self, repository: Repository, architecture: str) -> Iterable[Problem]:
        """The problems that unsettle files of ``architecture`` in the repository."""
        yield from repository.problems
        if repository.unread or (repository.index is None and not repository.filtered):
            yield Problem(Reason.UNREAD, f"{repository.id}: it was not read completely")
        relevant = self.relevant(repository, architecture)
        if not relevant:
            yield Problem(Reason.ARCHITECTURE_ABSENT, f"{repository.id}: OBS gives no result for it")
        for found in relevant:
            yield from found.problems
            # obs/README.md, "_result": a scheduler that never ran looks like one that has built nothing
            if not found.packages and (repository.index is None or repository.index.files):
                yield Problem(Reason.ARCHITECTURE_ABSENT, f"{repository.id}/{found.name}: OBS lists no package")

    def relevant(self, repository: Repository, architecture: str) -> tuple[Architecture, ...]:
        """The scheduler architectures that a file of ``architecture`` could come from.

        ``ignore_architectures`` excuses one for noarch and all; its own files stay bound to it.
        """
        names = set(schedulers_of(architecture, self._shown[repository.id]))
        if architecture in INDEPENDENT:
            # if all are ignored they count after all: somebody must have built the file
            names = names - set(repository.ignore_architectures) or names
        return tuple(sorted((a for a in repository.architectures if a.name in names), key=lambda a: a.name))


def gather_offers(desired: DesiredState, policy: Policy, managed: Iterable[str]) -> dict[str, Offered]:
    """Sort the desired state by distribution; earlier sources win (config order, then path).

    Which row of Packagecloud is whose is not told yet: see names.
    """
    filters = FileFilter(policy)
    world = {name: Offered(distribution=name) for name in sorted(managed)}
    for repository in desired.repositories:
        builders = builders_of(repository)
        for name in repository.distributions:
            if name in world:
                _add(world[name], repository, builders, filters)
    return world


def _add(offered: Offered, repository: Repository, builders: Builders, filters: FileFilter) -> None:
    earlier = [gap for r in offered.repositories if (gap := _gap(r)) is not None]
    offered.sources.append((repository, builders))
    if repository.skipped:
        return
    (offered.filtered if repository.filtered else offered.repositories).append(repository)
    for file in sorted(repository.index.files, key=attrgetter("path")) if repository.index else ():
        offer = Offer(
            file=file,
            repository=repository,
            filename=file.filename,
            packages=builders.get(file.filename, ()),
            held=_earlier_unread(file, earlier) or repository.doubts.get(file.filename),
        )
        offered.listed.append(offer)
        if not left_out_by(offer, filters):
            _offer(offered, offer)
        else:
            offered.left_out.setdefault(file.filename, offer)
            offered.left_out_places.setdefault(place_of(file), offer)


def left_out_by(offer: Offer, filters: FileFilter) -> FilterKey:
    """The key of the config that leaves the file out; empty where none does."""
    file, repository = offer.file, offer.repository
    if repository.filtered:
        return "repositories"
    if key := filters.left_out_by(file.filename, file.file_class):
        return key
    if repository.filter_architectures is None:
        return ""
    builders = {offer.source.architecture} if repository.content == "build" else {name for name, _ in offer.packages}
    wanted = wanted_architecture(file.architecture, repository.filter_architectures, builders)
    return "" if wanted else "architectures"


class _Gap(Struct, frozen=True, kw_only=True):
    """What an earlier repository without a usable index might publish, by all that is known of it.

    ``files`` are in doubt or built, ``places`` where the built ones belong, ``odd`` the types of those that could be
    any package; ``anything``: nothing is known.
    """

    problem: Problem
    anything: bool
    files: Collection[str]
    places: Collection[str]
    odd: Collection[PackageType | None]

    def may_hold(self, file: IndexedFile) -> bool:
        return self.anything or file.filename in self.files or file.type in self.odd or place_of(file) in self.places


def _gap(repository: Repository) -> _Gap | None:
    if any(p.reason.group is Group.ABSENT for p in repository.problems):
        return None
    if repository.index is None:
        names = {f.filename for a in repository.architectures for p in a.packages for f in p.files}
    elif repository.doubts:  # what it lists is known, but for the files that could not be read
        names = repository.doubts.keys() - {listed.filename for listed in repository.index.files}
    else:
        return None
    words = f"{repository.id} comes first in the config and could not be read"
    parsed = {name: parse(name) for name in names if type_of(name) is not None and not is_imported(name)}
    return _Gap(
        problem=Problem(Reason.EARLIER_SOURCE_UNREAD, words),
        # nothing is listed: it could be anything
        anything=repository.index is None and not names,
        files=names if repository.index is None else repository.doubts.keys(),
        places={found.canonical for found in parsed.values() if found is not None},
        odd={type_of(name) for name, found in parsed.items() if found is None},
    )


def _earlier_unread(file: IndexedFile, earlier: Sequence[_Gap]) -> Problem | None:
    return next((gap.problem for gap in earlier if gap.may_hold(file)), None) if earlier else None


def _offer(offered: Offered, offer: Offer) -> None:
    name = offer.filename
    first = offered.offers.setdefault(name, offer)
    if first is offer:
        return
    if first.file.sha256 == offer.file.sha256:
        offered.offers[name] = name_both(first, offer)
    else:
        shadow(offered, offer, first)


def name_both(first: Offer, second: Offer) -> Offer:
    return replace(first, also=(*first.also, second.source, *second.also))


def shadow(offered: Offered, loser: Offer, by: Offer) -> None:
    offered.shadowed.append(
        Shadowed(
            distribution=offered.distribution,
            filename=loser.file.filename,
            sha256=loser.file.sha256,
            source=loser.source,
            by=by.source,
        )
    )
