"""The ``_result`` and ``_meta`` of a project, read strictly.

Format: docs/api/api/api.txt and src/backend/BSXML.pm of openSUSE/open-build-service; README.md, "_result".
Several answers of OBS look like "nothing there" and mean "could not tell"; all of them are refused here.
"""

import re
from collections.abc import Iterator, Mapping
from xml.etree.ElementTree import Element

from attrs import evolve, field, frozen

from pkgsync.errors import IntegrityError
from pkgsync.model import BuiltFile, BuiltPackage
from pkgsync.model.desired import DISCONTINUED
from pkgsync.obs.fields import check_number, check_word, is_entry, is_word
from pkgsync.obs.xml import children, in_pieces, readable

_STATE = re.compile(r"[0-9a-f]{32}")
_NO_STATE = "0" * 32


@frozen(kw_only=True)
class ArchitectureResult:
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


@frozen
class ProjectResult:
    """A project's ``_result``: repository to architecture to what was built there."""

    state: str
    repositories: Mapping[str, ArchitectureResults]

    def architectures(self, repository: str) -> ArchitectureResults:
        return self.repositories.get(repository, {})


@frozen(kw_only=True)
class BuiltCopy:
    """One architecture's copy of a built file: the same file while all of this is the same."""

    repository: str
    architecture: str
    package: str
    file: BuiltFile

    @property
    def path(self) -> str:
        """Relative to the repository under /build."""
        return f"{self.architecture}/{self.package}/{self.file.filename}"


@frozen
class ProjectMeta:
    """The repositories of a project and their scheduler architectures, in the order of ``_meta``.

    ``paths`` are the (project, repository) that each of them is built against, in their order.
    """

    name: str
    repositories: Mapping[str, tuple[str, ...]]
    paths: Mapping[str, tuple[tuple[str, str], ...]] = field(factory=dict)

    def with_ended_paths(self) -> "ProjectMeta":
        """Without all paths but those to base projects at their end of life."""
        paths = {name: tuple(p for p in found if p[0].startswith(DISCONTINUED)) for name, found in self.paths.items()}
        return evolve(self, paths={name: found for name, found in paths.items() if found})

    def ended(self, repository: str) -> str | None:
        """The base project of the repository that has reached its end of life, if that is so."""
        return next((base for base, _ in self.paths.get(repository, ()) if base.startswith(DISCONTINUED)), None)


def parse_meta(data: bytes, project: str) -> ProjectMeta:
    """Raises IntegrityError for anything but the whole ``_meta`` of ``project``."""
    what = f"_meta of {project}"
    elements = children(in_pieces(readable(data)), "project", what)
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
    what = f"_result of {project}"
    elements = children(in_pieces(readable(data)), "resultlist", what)
    state = next(elements).get("state", "")
    if not _STATE.fullmatch(state) or state == _NO_STATE:
        raise IntegrityError(f"{what}: OBS gives no state with it, so it is no answer", tip="Try again later.")
    repositories: dict[str, dict[str, ArchitectureResult]] = {}
    for element in elements:
        if element.tag != "result":
            continue
        if element.get("project") != project:
            raise IntegrityError(f"{what}: it holds results of another project")
        repository = check_word(element.get("repository"), "repository", what)
        found = _architecture(element, f"{what}, {repository}")
        # an architecture that _meta has twice gives two equal results
        if repositories.setdefault(repository, {}).setdefault(found.name, found) != found:
            raise IntegrityError(f"{what}: {repository}/{found.name} is there twice")
    return ProjectResult(state, repositories)


def _architecture(element: Element, what: str) -> ArchitectureResult:
    name = check_word(element.get("arch"), "architecture", what)
    # "state" is what "code" was called before
    code = check_word(element.get("code") or element.get("state"), "code", what)
    dirty = element.get("dirty", "false")
    published = [stats.get("lastpublished") for stats in element.findall("stats")]
    odd = list(_take_odd_entries(element))
    return ArchitectureResult(
        name=name,
        code=code,
        # any word but a clear no is taken for dirty
        dirty=dirty not in ("false", "0"),
        details=_details(element),
        last_published=max((check_number(p, "time", what) for p in published if p), default=None),
        packages=tuple(_packages(element, f"{what}/{name}")),
        odd_entries=len(odd),
    )


def _take_odd_entries(result: Element) -> Iterator[Element]:
    """Take out what has no name: it holds its architecture, not the project."""
    for tag in ("status", "binarylist"):
        for entry in result.findall(tag):
            if not is_word(entry.get("package")):
                result.remove(entry)
                yield entry
            for binary in entry.findall("binary"):
                if not is_entry(binary.get("filename", "")):
                    entry.remove(binary)
                    yield binary


def _details(element: Element) -> str:
    """``details`` is an attribute in some versions of OBS, a child in others."""
    return " ".join(filter(None, (element.get("details"), *(d.text for d in element.findall("details"))))).strip()


def _packages(element: Element, what: str) -> Iterator[BuiltPackage]:
    codes: dict[str, str] = {}
    for status in element.findall("status"):
        package = check_word(status.get("package"), "package", what)
        if package in codes:
            raise IntegrityError(f"{what}: {package} has two states")
        codes[package] = check_word(status.get("code"), "code", what)
    lists: dict[str, tuple[BuiltFile, ...]] = {}
    for binaries in element.findall("binarylist"):
        package = check_word(binaries.get("package"), "package", what)
        if package in lists:
            raise IntegrityError(f"{what}: {package} has two lists of files")
        lists[package] = _files(binaries, f"{what}, {package}")
    # a view that is not there would read as packages without files, or without a state
    if bool(codes) != bool(lists):
        raise IntegrityError(f"{what}: the states or the files of the packages are missing")
    # sorted: the two looks are compared whole, and the order of an answer means nothing
    for package in sorted(codes.keys() | lists.keys()):
        # README.md, "Package states": files without a state prove nothing
        yield BuiltPackage(package, codes.get(package, "unknown"), lists.get(package, ()))


def _files(binaries: Element, what: str) -> tuple[BuiltFile, ...]:
    files: dict[str, BuiltFile] = {}
    for binary in binaries.findall("binary"):
        name = binary.get("filename", "")
        if name in files:
            raise IntegrityError(f"{what}: {name} is there twice")
        size = check_number(binary.get("size"), "size", what)
        files[name] = BuiltFile(name, size, check_number(binary.get("mtime"), "time", what))
    return tuple(files[name] for name in sorted(files))
