"""The ``_result`` and ``_meta`` of a project, read strictly.

Format: docs/api/api/api.txt and src/backend/BSXML.pm of openSUSE/open-build-service; README.md, "_result".
Several answers of OBS look like "nothing there" and mean "could not tell"; all of them are refused here.
"""

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from xml.etree.ElementTree import Element

from msgspec import Struct, field
from msgspec.structs import replace

from pkgsync.errors import IntegrityError
from pkgsync.formats.fields import check_number, check_word, is_entry, is_word
from pkgsync.formats.xml import MAX_DEPTH, check_parts, children, feed, new_parser, of_any_bytes, too_many_parts
from pkgsync.model import BuiltFile, BuiltPackage
from pkgsync.model.desired import DISCONTINUED

_STATE = re.compile(r"[0-9a-f]{32}")
_NO_STATE = "0" * 32


class ArchitectureResult(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One architecture of one repository, packages and files sorted. ``details`` is what OBS says is wrong.

    ``odd_entries`` are packages and files that OBS lists under what can be no name of theirs.
    """

    name: str
    code: str
    dirty: bool
    details: str
    last_published: int | None
    packages: tuple[BuiltPackage, ...]
    odd_entries: int = 0


ArchitectureResults = Mapping[str, ArchitectureResult]
"""What one repository has, by architecture."""


class ProjectResult(Struct, frozen=True):
    """A project's ``_result``: repository to architecture to what was built there."""

    state: str
    repositories: Mapping[str, ArchitectureResults]

    def architectures(self, repository: str) -> ArchitectureResults:
        return self.repositories.get(repository, {})


class BuiltCopy(Struct, frozen=True, kw_only=True):
    """One architecture's copy of a built file: the same file while all of this is the same."""

    repository: str
    architecture: str
    package: str
    file: BuiltFile

    @property
    def path(self) -> str:
        """Relative to the repository under /build."""
        return f"{self.architecture}/{self.package}/{self.file.filename}"


class ProjectMeta(Struct, frozen=True):
    """The repositories of a project and their scheduler architectures, in the order of ``_meta``.

    ``paths`` are the (project, repository) that each of them is built against, in their order.
    """

    name: str
    repositories: Mapping[str, tuple[str, ...]]
    paths: Mapping[str, tuple[tuple[str, str], ...]] = field(default_factory=dict)

    def with_ended_paths(self) -> "ProjectMeta":
        """Without all paths but those to base projects at their end of life."""
        paths = {name: tuple(p for p in found if p[0].startswith(DISCONTINUED)) for name, found in self.paths.items()}
        return replace(self, paths={name: found for name, found in paths.items() if found})

    def ended(self, repository: str) -> str | None:
        """The base project of the repository that has reached its end of life, if that is so."""
        return next((base for base, _ in self.paths.get(repository, ()) if base.startswith(DISCONTINUED)), None)


def parse_meta(data: bytes, project: str) -> ProjectMeta:
    """Raises IntegrityError for anything but the whole ``_meta`` of ``project``."""
    what = f"_meta of {project}"
    return of_any_bytes(data, lambda pieces: _meta(children(pieces, "project", what), project, what))


def _meta(elements: Iterator[Element], project: str, what: str) -> ProjectMeta:
    name = next(elements).get("name")
    # whatever mixed up two answers must not give a project another one's repositories
    if name != project:
        raise IntegrityError(f"{what}: it is of another project")
    repositories: dict[str, tuple[str, ...]] = {}
    paths: dict[str, tuple[tuple[str, str], ...]] = {}
    for element in elements:
        if element.tag == "repository":
            repository = check_word(element.get("name"), "repository", what)
            # README.md, "_result": old backends keep an architecture that was written twice
            architectures = dict.fromkeys(check_word(a.text, "architecture", what) for a in element.findall("arch"))
            if repository in repositories:
                raise IntegrityError(f"{what}: {repository} is there twice")
            repositories[repository] = tuple(architectures)
            paths[repository] = tuple(_paths(element))
    return ProjectMeta(project, repositories, paths)


def _paths(repository: Element) -> Iterator[tuple[str, str]]:
    """They are for advice only: an odd one is no reason to refuse the project."""
    for path in repository.findall("path"):
        project, name = path.get("project"), path.get("repository")
        if project and name and is_word(project) and is_word(name):
            yield project, name


def parse_result(data: bytes, project: str) -> ProjectResult:
    """A ``_result`` with ``view=binarylist``, ``status`` and ``stats``.

    Raises IntegrityError for anything but a whole one of ``project`` with a state: without it OBS could not reach
    its own backend, and zeros mean that nothing matched (README.md, "_result").
    """
    return of_any_bytes(data, lambda pieces: _ResultReader(project).read(pieces))


class _ResultReader:
    """Takes what counts as the parser comes by: an element for each of a million files would fill the memory."""

    def __init__(self, project: str) -> None:
        self._project = project
        self._what = f"_result of {project}"
        self._parser = new_parser(self._what)
        self._depth = 0
        self._parts = self._parts_before = 0
        self._state = ""
        self._repositories: dict[str, dict[str, ArchitectureResult]] = {}
        self._repository = ""
        self._result: _Architecture | None = None

    def read(self, pieces: Iterable[bytes]) -> ProjectResult:
        self._listen()
        for _ in feed(self._parser, pieces, self._what):
            check_parts(self._parts, self._parts_before, self._what)
        return ProjectResult(self._state, self._repositories)

    def _listen(self) -> None:
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self._parts += 1 + len(attributes)
        self._depth += 1
        # the text of an element ends where its first child begins
        self._parser.CharacterDataHandler = None
        if self._depth == 1:
            self._check_root(name, attributes)
        elif self._depth == 2 and name == "result":
            self._result = self._opened(attributes)
        elif self._depth == 3 and self._result is not None:
            if name == "binarylist":
                self._listen_to_files(self._result, attributes)
            else:
                self._parser.CharacterDataHandler = self._result.add(name, attributes)
        elif self._depth > MAX_DEPTH:
            raise too_many_parts(self._what)

    def _check_root(self, name: str, attributes: dict[str, str]) -> None:
        if name != "resultlist":
            raise IntegrityError(f"{self._what}: it is another document, not a <resultlist>")
        self._state = attributes.get("state", "")
        if not _STATE.fullmatch(self._state) or self._state == _NO_STATE:
            raise IntegrityError(
                f"{self._what}: OBS gives no state with it, so it is no answer", tip="Try again later."
            )

    def _opened(self, attributes: dict[str, str]) -> "_Architecture":
        if attributes.get("project") != self._project:
            raise IntegrityError(f"{self._what}: it holds results of another project")
        self._repository = check_word(attributes.get("repository"), "repository", self._what)
        return _Architecture(attributes, f"{self._what}, {self._repository}")

    def _listen_to_files(self, result: "_Architecture", attributes: dict[str, str]) -> None:
        """Up to the end of a list: nearly all calls are for its files, so they do as little as can be."""
        files: list[dict[str, str]] = []
        depth = 0

        def start(name: str, attributes: dict[str, str]) -> None:
            nonlocal depth
            depth += 1
            self._parts += 1 + len(attributes)
            if depth == 1 and name == "binary":
                files.append(attributes)
            elif depth > MAX_DEPTH:
                raise too_many_parts(self._what)

        def end(_name: str) -> None:
            nonlocal depth
            depth -= 1
            if depth < 0:
                result.add_files(attributes.get("package"), files)
                self._listen()
                self._depth -= 1

        self._parser.StartElementHandler = start
        self._parser.EndElementHandler = end

    def _end(self, _name: str) -> None:
        self._depth -= 1
        self._parser.CharacterDataHandler = None
        if self._depth != 1:
            return
        check_parts(self._parts, self._parts_before, self._what)
        self._parts_before += self._parts
        self._parts = 0
        if self._result is not None:
            found, self._result = self._result.finished(), None
            # an architecture that _meta has twice gives two equal results
            if self._repositories.setdefault(self._repository, {}).setdefault(found.name, found) != found:
                raise IntegrityError(f"{self._what}: {self._repository}/{found.name} is there twice")


class _Architecture:
    """One ``<result>`` as far as it is read. What has no name holds its architecture, not the project."""

    def __init__(self, attributes: dict[str, str], what: str) -> None:
        self._name = check_word(attributes.get("arch"), "architecture", what)
        self._what = f"{what}/{self._name}"
        # "state" is what "code" was called before
        self._code = check_word(attributes.get("code") or attributes.get("state"), "code", what)
        # any word but a clear no is taken for dirty
        self._dirty = attributes.get("dirty", "false") not in ("false", "0")
        # an attribute in some versions of OBS, a child in others
        self._details = [[attributes.get("details", "")]]
        self._published: list[int] = []
        self._codes: dict[str, str] = {}
        self._lists: dict[str, tuple[BuiltFile, ...]] = {}
        self._odd = 0

    def add(self, tag: str, attributes: dict[str, str]) -> Callable[[str], object] | None:
        """A child that is no list of files; returns who takes its text, if anybody does."""
        if tag == "status":
            self._add_status(attributes)
        elif tag == "stats" and (published := attributes.get("lastpublished")):
            self._published.append(check_number(published, "time", self._what))
        elif tag == "details":
            self._details.append([])
            return self._details[-1].append
        return None

    def _add_status(self, attributes: dict[str, str]) -> None:
        package = attributes.get("package")
        if package is None or not is_word(package):
            self._odd += 1
            return
        if package in self._codes:
            raise IntegrityError(f"{self._what}: {package} has two states")
        self._codes[package] = check_word(attributes.get("code"), "code", self._what)

    def add_files(self, package: str | None, binaries: Collection[dict[str, str]]) -> None:
        named = [binary for binary in binaries if is_entry(binary.get("filename", ""))]
        self._odd += len(binaries) - len(named)
        if package is None or not is_word(package):
            self._odd += 1
            return
        if package in self._lists:
            raise IntegrityError(f"{self._what}: {package} has two lists of files")
        self._lists[package] = _files(named, f"{self._what}, {package}")

    def finished(self) -> ArchitectureResult:
        return ArchitectureResult(
            name=self._name,
            code=self._code,
            dirty=self._dirty,
            details=" ".join(filter(None, map("".join, self._details))).strip(),
            last_published=max(self._published, default=None),
            packages=tuple(self._packages()),
            odd_entries=self._odd,
        )

    def _packages(self) -> Iterator[BuiltPackage]:
        # a view that is not there would read as packages without files, or without a state
        if bool(self._codes) != bool(self._lists):
            raise IntegrityError(f"{self._what}: the states or the files of the packages are missing")
        # sorted: the two looks are compared whole, and the order of an answer means nothing
        for package in sorted(self._codes.keys() | self._lists.keys()):
            # README.md, "Package states": files without a state prove nothing
            yield BuiltPackage(package, self._codes.get(package, "unknown"), self._lists.get(package, ()))


def _files(binaries: Iterable[dict[str, str]], what: str) -> tuple[BuiltFile, ...]:
    files: dict[str, BuiltFile] = {}
    for binary in binaries:
        name = binary["filename"]
        if name in files:
            raise IntegrityError(f"{what}: {name} is there twice")
        size = check_number(binary.get("size"), "size", what)
        files[name] = BuiltFile(name, size, check_number(binary.get("mtime"), "time", what))
    return tuple(files[name] for name in sorted(files))
