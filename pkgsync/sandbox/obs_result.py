"""`GET /build/PRJ/_result`: every file and state of a project in one answer."""

from collections import Counter
from xml.etree import ElementTree as ET

from werkzeug.datastructures import MultiDict

from .obs_world import ArchState, ObsWorld, PackageState, Project, Repository

# lastbuild, multibuild, locallink and oldstate are accepted, as the real server accepts them, and change nothing here.
RESULT_PARAMETERS = frozenset(
    {"view", "repository", "arch", "package", "code", "lastbuild", "multibuild", "locallink", "oldstate"}
)
VIEWS = frozenset({"status", "summary", "binarylist", "stats", "versrel"})
Selected = list[tuple[Repository, str, ArchState, list[str]]]


class ResultError(Exception):
    """A refused query, with its HTTP status."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status


def result_list(world: ObsWorld, project: Project, query: MultiDict[str, str]) -> ET.Element:
    """The `<resultlist>` for the query; raises ResultError for unknown views, repositories and packages."""
    if world.repserver_down:
        return ET.Element("resultlist")
    views = query.getlist("view") or ["status"]
    for view in views:
        if view not in VIEWS:
            raise ResultError(400, f"unknown view parameter: '{view}'")
    selected = _select(project, query)
    root = ET.Element("resultlist", state=world.state_digest(selected))
    for repository, arch, state, names in world.arrange(list(selected)):
        element = ET.SubElement(root, "result", _result_attributes(repository, arch, state))
        if state.details:
            element.set("details", state.details)
        _fill(element, state, world.arrange(list(names)), views)
    return root


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


def _result_attributes(repository: Repository, arch: str, state: ArchState) -> dict[str, str]:
    attributes = {"project": repository.project, "repository": repository.name, "arch": arch}
    attributes |= {"code": state.code, "state": state.code}
    return attributes | ({"dirty": "true"} if state.dirty else {})


def _fill(element: ET.Element, state: ArchState, names: list[str], views: list[str]) -> None:
    """Add what each view shows, in the server's order."""
    if "status" in views or "versrel" in views:
        for name in names:
            _add_status(element, name, state.package(name), versrel="versrel" in views)
    if "binarylist" in views:
        for name in names:
            listing = ET.SubElement(element, "binarylist", package=name)
            for filename, file in sorted(state.package(name).files.items()):
                size = str(file.artifact.blob.size)
                ET.SubElement(listing, "binary", filename=filename, size=size, mtime=str(file.mtime))
    if "summary" in views:
        summary = ET.SubElement(element, "summary")
        for code, count in Counter(state.package(name).code for name in names).items():
            ET.SubElement(summary, "statuscount", code=code, count=str(count))
    if "stats" in views:
        times = {
            "lastchecked": state.lastfinished,
            "lastfinished": state.lastfinished,
            "lastpublished": state.lastpublished,
        }
        ET.SubElement(element, "stats", {name: str(value) for name, value in times.items() if value})


def _add_status(element: ET.Element, name: str, package: PackageState, *, versrel: bool) -> None:
    status = ET.SubElement(element, "status", package=name, code=package.code)
    if versrel and package.code == "succeeded":
        status.set("versrel", "1-1")
    if package.details:
        ET.SubElement(status, "details").text = package.details
