"""What OBS has built, whether or not an index lists it: of what stands in no index only the name is known."""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping

from msgspec import Struct, field

from pkgsync.model import BuiltPackage, IndexedFile, Repository, Row
from pkgsync.model.filename import FileClass, file_class, is_imported, parse, type_of
from pkgsync.reconcile.architectures import ANY
from pkgsync.reconcile.identity import NameKey, name_key, place_of

Builders = Mapping[str, tuple[tuple[str, BuiltPackage], ...]]
"""By file name: each scheduler architecture and package whose result shows the file."""

_ANY_NAME = ""
_SEPARATOR = re.compile(r"[-_.]")
_VERSION = re.compile(r"[0-9]\.[0-9]")
_VERSION_IN_NAME = re.compile(r"[-_.][0-9]")


def builders_of(repository: Repository) -> Builders:
    builders: dict[str, tuple[tuple[str, BuiltPackage], ...]] = {}
    # in this order, no file's own packages need to be sorted
    for architecture in sorted(repository.architectures, key=lambda a: a.name):
        for package in sorted(architecture.packages, key=lambda p: p.name):
            # one for all its files: there may be a million of them
            only = ((architecture.name, package),)
            for built in package.files:
                known = builders.get(built.filename)
                builders[built.filename] = (*known, *only) if known else only
    return builders


class Built(Struct, frozen=True):
    """What the repositories of one distribution have built, before any filter.

    ``names`` tell who has built what; ``odd`` are those with a name that no package manager gives, by what their
    packages may be called; ``unpublished`` are the packages that files in no index may be.
    """

    names: dict[str, str] = field(default_factory=dict)
    odd: dict[tuple[str, str], list[tuple[str, str]]] = field(default_factory=dict)
    unpublished: dict[NameKey, str] = field(default_factory=dict)

    def builder_of(self, row: Row, place: str) -> str | None:
        """Who has built the row's file, under its own name, as the ``place`` where it belongs, or under another name.

        An odd name need only hold its version; one without any could be every version of every package.
        """
        usual = self.names.get(row.filename) or self.names.get(place)
        if usual or not self.odd:
            return usual
        named = self.odd.get((row.type, row.name.lower()), ())
        odd = (who for filename, who in named if row.version and _holds(filename, row.version))
        any_version = next((who for _, who in self.odd.get((row.type, _ANY_NAME), ())), None)
        return next(odd, any_version)

    def may_be(self, row: Row) -> str | None:
        """What is built and in no index that may be the row's package, in whatever version."""
        kind, source, name = name_key(row)
        return self.unpublished.get((kind, source, name)) or self.unpublished.get((kind, source, _ANY_NAME))

    def add(self, repository: Repository, builders: Builders, files: Mapping[str, IndexedFile]) -> None:
        """``files`` are those of its index, by file name."""
        for filename, packages in sorted(builders.items()):
            who = f"{repository.id} ({packages[0][1].name})"
            # skipped repositories too: a new null in the config must not make orphans of what they fed
            self.names.setdefault(filename, who)
            if filename in files:
                self.names.setdefault(place_of(files[filename]), who)
            else:
                self._add_unpublished(filename, who, skipped=repository.skipped)

    def _add_unpublished(self, filename: str, who: str, *, skipped: bool) -> None:
        parsed = parse(filename)
        if parsed:
            self.names.setdefault(parsed.canonical, who)
        # a name that reads like a package manager's need not be one: foo_1.9_Linux.deb, foo-1.9-Linux.x86_64.rpm
        for odd in _odd_names(filename):
            if not (parsed and odd[1] == _ANY_NAME):
                self.odd.setdefault(odd, []).append((filename, who))
        if not skipped:
            for key in _possible_names(filename):
                self.unpublished.setdefault(key, f"{who} has built {filename}")


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


def shown(repository: Repository, files: Mapping[str, IndexedFile]) -> Mapping[str, Collection[str]]:
    """The architectures of the binary packages that each scheduler has built, by the index where that lists them."""
    return {
        architecture.name: _architectures((f.filename for p in architecture.packages for f in p.files), files)
        for architecture in repository.architectures
    }


def _architectures(built: Iterable[str], files: Mapping[str, IndexedFile]) -> set[str]:
    found = {_architecture(name) if (file := files.get(name)) is None else file.architecture for name in built}
    return {architecture for architecture in found if architecture is not None}


def _architecture(filename: str) -> str | None:
    """By its name alone; None for what is no binary package."""
    if file_class(filename) is not FileClass.PACKAGE:
        return None
    parsed = parse(filename)
    return parsed.architecture if parsed else ANY
