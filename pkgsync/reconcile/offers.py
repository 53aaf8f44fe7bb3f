"""What OBS offers for each distribution: who wins a place, who is shadowed, and what is not certain."""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping

from attrs import Factory, define, evolve, field, frozen

from pkgsync.model import (
    Architecture,
    BuiltPackage,
    DesiredState,
    IndexedFile,
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
from pkgsync.reconcile.filters import FileFilter, FilterKey
from pkgsync.reconcile.identity import Identity, NameKey, architecture_of, identity_of, name_key, place_of

_ANY_NAME = ""
_SEPARATOR = re.compile(r"[-_.]")
_VERSION = re.compile(r"[0-9]\.[0-9]")
_VERSION_IN_NAME = re.compile(r"[-_.][0-9]")


@frozen(kw_only=True)
class Offer:
    """One file of an index for one distribution, with the packages that OBS says build it.

    ``filename`` is the name that it has on Packagecloud: its own, but where the server has named its row otherwise.
    """

    file: IndexedFile
    repository: Repository
    source: Source
    packages: tuple[tuple[str, BuiltPackage], ...] = ()
    also: tuple[Source, ...] = ()
    held: Problem | None = None
    filename: str = Factory(lambda self: self.file.filename, takes_self=True)

    @property
    def own_names(self) -> set[str]:
        """What OBS calls it; a file can have several names."""
        return {source.path.rpartition("/")[2] for source in (self.source, *self.also)}


@define(kw_only=True)
class Offered:
    """Everything that OBS says about one Packagecloud distribution; built once, then only read.

    ``offers`` are after the filters, one per package and version, by their names on Packagecloud; ``places`` are where
    they and what the filters leave out belong there. ``left_out`` is what the filters leave out of an index, by file
    name, as filters never prove absence. ``contents``, ``built``, ``unpublished`` and ``builders`` are before the
    filters too: of what is built and stands in no index only the name is known, and ``oddly_built`` are those with a
    name that no package manager gives, by what their packages may be called. ``shown`` are the architectures of what
    each scheduler of a repository has built. ``not_built`` are indexed files that some repository shows for no package.
    ``filtered`` repositories offer nothing, but what they may hold is not gone.
    """

    distribution: str
    repositories: list[Repository] = field(factory=list)
    filtered: list[Repository] = field(factory=list)
    offers: dict[str, Offer] = field(factory=dict)
    left_out: dict[str, Offer] = field(factory=dict)
    listed: list[Offer] = field(factory=list)
    left_out_places: dict[str, Offer] = field(factory=dict)
    places: dict[str, Offer] = field(factory=dict)
    identities: set[Identity] = field(factory=set)
    shadowed: list[Shadowed] = field(factory=list)
    contents: set[str] = field(factory=set)
    built: dict[str, str] = field(factory=dict)
    oddly_built: dict[tuple[str, str], list[tuple[str, str]]] = field(factory=dict)
    unpublished: dict[NameKey, str] = field(factory=dict)
    builders: dict[str, list[tuple[str, BuiltPackage]]] = field(factory=dict)
    not_built: set[str] = field(factory=set)
    classes: dict[tuple[str, str], FileClass] = field(factory=dict)
    shown: dict[str, Mapping[str, Collection[str]]] = field(factory=dict)
    by_name: dict[NameKey, list[Offer]] = field(factory=dict)

    @property
    def all_repositories(self) -> tuple[Repository, ...]:
        return (*self.repositories, *self.filtered)

    def find(self, filename: str) -> Offer | None:
        """The offer of this name on Packagecloud or in OBS; where the filters leave it out, what they leave out."""
        own = (offer for offer in self.offers.values() if filename in offer.own_names)
        return self.offers.get(filename) or next(own, None) or self.left_out.get(filename)

    def leaves_out(self, row: Row) -> "Offer | FilterKey":
        """What OBS publishes of the row's very file and the filters leave out; else the filter of its architecture."""
        if left_out := self.left_out.get(row.filename) or self.left_out_places.get(place_of(row)):
            return left_out
        if not self.repositories or identity_of(row) in self.identities:
            return ""
        architecture = architecture_of(row)
        wanted = any(wanted_architecture(architecture, r.filter_architectures, ()) for r in self.repositories)
        return "" if wanted else "architectures"

    def builder_of(self, row: Row) -> str | None:
        """Who has built the row's file, under its own name or another one: an odd one need only hold its version.

        An odd one without any version could be every version of every package.
        """
        usual = self.built.get(row.filename) or self.built.get(place_of(row))
        named = self.oddly_built.get((row.type, row.name.lower()), ())
        odd = (who for filename, who in named if row.version and _holds(filename, row.version))
        any_version = next((who for _, who in self.oddly_built.get((row.type, _ANY_NAME), ())), None)
        return usual or next(odd, any_version)

    def may_be_built(self, row: Row) -> str | None:
        """What is built and in no index that may be the row's package, in whatever version."""
        kind, source, name = name_key(row)
        return self.unpublished.get((kind, source, name)) or self.unpublished.get((kind, source, _ANY_NAME))

    def has_binaries(self, repository: Repository, package: BuiltPackage) -> bool:
        """Whether it shows a binary package of its own: sources, logs and imported copies prove nothing."""
        names = (file.filename for file in package.files)
        return any(self.classes.get((repository.id, name), file_class(name)) is FileClass.PACKAGE for name in names)

    def problem(self, architecture: str) -> Problem | None:
        """Why nothing may be deleted or replaced for files of ``architecture`` now, or None when all is settled."""
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
        names = set(schedulers_of(architecture, self.shown[repository.id]))
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
        builders = _builders(repository)
        for name in repository.distributions:
            if name in world:
                _add(world[name], repository, builders, filters)
    return world


Builders = Mapping[str, list[tuple[str, BuiltPackage]]]


def _builders(repository: Repository) -> Builders:
    builders: dict[str, list[tuple[str, BuiltPackage]]] = {}
    for architecture in repository.architectures:
        for package in architecture.packages:
            for built in package.files:
                builders.setdefault(built.filename, []).append((architecture.name, package))
    for packages in builders.values():
        packages.sort(key=lambda found: (found[0], found[1].name))
    return builders


def _add(offered: Offered, repository: Repository, builders: Builders, filters: FileFilter) -> None:
    earlier = list(offered.repositories)
    files = {file.filename: file for file in repository.index.files} if repository.index else {}
    _add_built(offered, repository, builders, files)
    if repository.skipped:
        return
    (offered.filtered if repository.filtered else offered.repositories).append(repository)
    offered.shown[repository.id] = _shown(repository, files)
    for file in sorted(repository.index.files, key=lambda f: f.path) if repository.index else ():
        # before the filters: a renamed file that they leave out is no orphan either
        offered.contents.add(file.sha256)
        offered.classes[repository.id, file.filename] = file.file_class
        offer = _make_offer(file, repository, builders.get(file.filename, []), earlier)
        offered.listed.append(offer)
        if not offer.packages:
            offered.not_built.add(file.filename)
        if not left_out_by(offer, filters):
            _offer(offered, offer)
        else:
            offered.left_out.setdefault(file.filename, offer)
            offered.left_out_places.setdefault(place_of(file), offer)


def _add_built(offered: Offered, repository: Repository, builders: Builders, files: Mapping[str, IndexedFile]) -> None:
    for filename, packages in sorted(builders.items()):
        who = f"{repository.id} ({packages[0][1].name})"
        parsed = parse(filename)
        # skipped repositories too: a new null in the config must not make orphans of what they fed
        offered.built.setdefault(filename, who)
        if filename in files:
            offered.built.setdefault(place_of(files[filename]), who)
        else:
            if parsed:
                offered.built.setdefault(parsed.canonical, who)
            # a name that reads like a package manager's need not be one: foo_1.9_Linux.deb, foo-1.9-Linux.x86_64.rpm
            for odd in _odd_names(filename):
                if parsed and odd[1] == _ANY_NAME:
                    continue
                offered.oddly_built.setdefault(odd, []).append((filename, who))
        if repository.skipped:
            continue
        offered.builders.setdefault(filename, []).extend(packages)
        if filename not in files:
            for key in _possible_names(filename):
                offered.unpublished.setdefault(key, f"{who} has built {filename}")


def _holds(filename: str, version: str) -> bool:
    """Whether the version stands in the name, between what can separate it from the rest."""
    return re.search(rf"(?<![0-9.]){re.escape(version)}(?![0-9]|\.[0-9])", filename) is not None


def _odd_names(filename: str) -> Iterator[tuple[str, str]]:
    """Type and beginning, in lower case as CPack's names are not, of a name that no package manager gives."""
    kind = type_of(filename)
    if kind is None or is_imported(filename):
        return
    if _VERSION.search(filename) is None:
        yield kind.value, _ANY_NAME
    for end in _SEPARATOR.finditer(filename):
        yield kind.value, filename[: end.start()].lower()


def _possible_names(filename: str) -> Iterator[NameKey]:
    """The packages that a file may be of which only the name is known; a name that is no usual one may be any."""
    kind, category = type_of(filename), file_class(filename)
    if kind is None or category in (FileClass.OTHER, FileClass.DELTA):
        return
    parsed, source = parse(filename), category is FileClass.SOURCE
    if parsed is None:
        yield kind.value, source, _ANY_NAME
        return
    yield kind.value, source, parsed.name
    if version := _VERSION_IN_NAME.search(parsed.name):
        yield kind.value, source, parsed.name[: version.start()]


def _shown(repository: Repository, files: Mapping[str, IndexedFile]) -> Mapping[str, Collection[str]]:
    """The architectures of the binary packages that each scheduler has built, by the index where that lists them."""
    return {
        architecture.name: {
            found
            for package in architecture.packages
            for file in package.files
            if (found := _architecture(file.filename, files)) is not None
        }
        - INDEPENDENT
        for architecture in repository.architectures
    }


def _architecture(filename: str, files: Mapping[str, IndexedFile]) -> str | None:
    if filename in files:
        return files[filename].architecture
    if file_class(filename) is not FileClass.PACKAGE:
        return None
    parsed = parse(filename)
    return parsed.architecture if parsed else ANY


def left_out_by(offer: Offer, filters: FileFilter) -> FilterKey:
    """The key of the config that leaves the file out; empty where none does."""
    file, repository = offer.file, offer.repository
    if repository.filtered:
        return "repositories"
    if key := filters.left_out_by(file.filename, file.file_class):
        return key
    builders = {offer.source.architecture} if repository.content == "build" else {name for name, _ in offer.packages}
    wanted = wanted_architecture(file.architecture, repository.filter_architectures, builders)
    return "" if wanted else "architectures"


def _make_offer(
    file: IndexedFile,
    repository: Repository,
    packages: Collection[tuple[str, BuiltPackage]],
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
    unread = next((r for r in earlier if _could_offer(r, file)), None)
    if unread is None:
        return None
    return Problem(Reason.EARLIER_SOURCE_UNREAD, f"{unread.id} comes first in the config and could not be read")


def _could_offer(repository: Repository, file: IndexedFile) -> bool:
    """Whether an earlier repository without a usable index might publish the same package."""
    if any(p.reason.group is Group.ABSENT for p in repository.problems):
        return False
    names = {f.filename for a in repository.architectures for p in a.packages for f in p.files}
    if repository.index is not None:  # what it lists is known, but for the files that could not be read
        names = repository.doubts.keys() - {listed.filename for listed in repository.index.files}
        if file.filename in repository.doubts or not names:
            return file.filename in repository.doubts
    # nothing is listed: it could be anything
    parsed = {name: parse(name) for name in names if type_of(name) is file.type and not is_imported(name)}
    places = {found.canonical for found in parsed.values() if found is not None}
    return not names or None in parsed.values() or file.filename in names or place_of(file) in places


def _offer(offered: Offered, offer: Offer) -> None:
    name = offer.file.filename
    first = offered.offers.get(name)
    if first is None:
        offered.offers[name] = offer
    elif first.file.sha256 == offer.file.sha256:
        offered.offers[name] = name_both(first, offer)
    else:
        shadow(offered, offer, first)


def name_both(first: Offer, second: Offer) -> Offer:
    packages, also = (*first.packages, *second.packages), (*first.also, second.source, *second.also)
    return evolve(first, packages=packages, also=also)


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
