"""`GET /build/PRJ/_result`: every file and state of a project in one answer."""

from collections import Counter
from collections.abc import Sequence
from functools import lru_cache
from xml.etree import ElementTree as ET

from werkzeug.datastructures import MultiDict

from .obs_world import ArchState, ObsWorld, Project, Repository

# lastbuild, multibuild, locallink and oldstate are accepted, as the real server accepts them, and change nothing here.
RESULT_PARAMETERS = frozenset(
    {"view", "repository", "arch", "package", "code", "lastbuild", "multibuild", "locallink", "oldstate"}
)
VIEWS = frozenset({"status", "summary", "binarylist", "stats", "versrel"})
KEPT = 2**13  # packages whose XML is kept: those of the largest world of the benchmarks
Selected = list[tuple[Repository, str, ArchState, list[str]]]


class ResultError(Exception):
    """A refused query, with its HTTP status."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status


def result_list(world: ObsWorld, project: Project, query: MultiDict[str, str]) -> str:
    """The XML of the `<resultlist>` for the query; raises ResultError for unknown views, repositories and packages."""
    if world.repserver_down:
        return _written(0, ET.Element("resultlist"))
    views = query.getlist("view") or ["status"]
    for view in views:
        if view not in VIEWS:
            raise ResultError(400, f"unknown view parameter: '{view}'")
    selected = _select(project, query)
    results = [
        _written(1, _result(repository, arch, state), _shown(state, world.arrange(list(names)), views))
        for repository, arch, state, names in world.arrange(list(selected))
    ]
    return _written(0, ET.Element("resultlist", state=world.state_digest(selected)), results)


def _select(project: Project, query: MultiDict[str, str]) -> Selected:
    """The repositories, architectures and package names that the filters leave."""
    repositories, archs = query.getlist("repository"), query.getlist("arch")
    packages, codes = query.getlist("package"), query.getlist("code")
    for name in repositories:
        if name not in project.repositories:
            raise ResultError(404, f"unknown repository '{name}'")
    known = project.packages
    for name in packages:
        if name not in known:
            raise ResultError(404, f"unknown package '{name}'")
    return [
        (repository, arch, state, _names(known, state, packages, codes))
        for repository in project.repositories.values()
        if not repositories or repository.name in repositories
        for arch, state in repository.archs.items()
        if not archs or arch in archs
    ]


def _names(known: list[str], state: ArchState, packages: list[str], codes: list[str]) -> list[str]:
    """The selected packages of an architecture. A scheduler that never ran knows none."""
    if state.code == "unknown":
        return []
    return [
        name
        for name in known
        if (not packages or name in packages) and (not codes or state.package(name).code in codes)
    ]


def _result(repository: Repository, arch: str, state: ArchState) -> ET.Element:
    attributes = {"project": repository.project, "repository": repository.name, "arch": arch}
    attributes |= {"code": state.code, "state": state.code}
    attributes |= {"dirty": "true"} if state.dirty else {}
    attributes |= {"details": state.details} if state.details else {}
    return ET.Element("result", attributes)


def _shown(state: ArchState, names: list[str], views: list[str]) -> list[str]:
    """The elements that each view shows, in the server's order."""
    shown: list[str] = []
    packages = [(name, state.package(name)) for name in names]
    if "status" in views or "versrel" in views:
        versrel = "versrel" in views
        shown += [_status(name, package.code, package.details, versrel=versrel) for name, package in packages]
    if "binarylist" in views:
        for name, package in packages:
            files = [(file, built.artifact.blob.size, built.mtime) for file, built in package.files.items()]
            shown.append(_binarylist(name, *files))
    if "summary" in views:
        summary = ET.Element("summary")
        for code, count in Counter(package.code for _, package in packages).items():
            ET.SubElement(summary, "statuscount", code=code, count=str(count))
        shown.append(_written(2, summary))
    if "stats" in views:
        times = {
            "lastchecked": state.lastfinished,
            "lastfinished": state.lastfinished,
            "lastpublished": state.lastpublished,
        }
        shown.append(_written(2, ET.Element("stats", {name: str(value) for name, value in times.items() if value})))
    return shown


@lru_cache(KEPT)
def _status(name: str, code: str, details: str, *, versrel: bool) -> str:
    status = ET.Element("status", package=name, code=code)
    if versrel and code == "succeeded":
        status.set("versrel", "1-1")
    if details:
        ET.SubElement(status, "details").text = details
    return _written(2, status)


@lru_cache(KEPT)
def _binarylist(package: str, *files: tuple[str, int, int]) -> str:
    listing = ET.Element("binarylist", package=package)
    for filename, size, mtime in sorted(files):
        ET.SubElement(listing, "binary", filename=filename, size=str(size), mtime=str(mtime))
    return _written(2, listing)


def _written(level: int, element: ET.Element, children: Sequence[str] = ()) -> str:
    """The XML of an element at this level of the answer, with those children that are written already."""
    margin = "  " * level
    ET.indent(element, level=level)
    if not children:
        return margin + ET.tostring(element, "unicode")
    element.text = "\n"
    start, end = ET.tostring(element, "unicode").split("\n")
    return "\n".join([margin + start, *children, margin + end])
