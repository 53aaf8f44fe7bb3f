"""From checked data to the config's values, and the mistakes that a schema cannot express."""

import re
from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from itertools import islice, product
from math import prod
from pathlib import Path
from typing import Any

from pkgsync.config.check import MOST_MISTAKES, nearest
from pkgsync.config.document import Document, Mistake, shown
from pkgsync.config.units import duration
from pkgsync.config.values import (
    CATCH_ALL,
    ENVIRONMENT,
    Config,
    ConfigSecrets,
    Connections,
    ObsConfig,
    ObsProject,
    PackagecloudConfig,
    Targets,
)
from pkgsync.model import ApprovalRule, DistributionLimits, GoneRule, Limits, Origin, OrphanAction, OrphanPolicy, Policy

# a few short lists of a pull request can make millions of projects
MAX_EXPANDED = 1000
DEFAULT_API = "https://api.opensuse.org"
DEFAULT_PACKAGECLOUD = "https://packagecloud.io"
CREDENTIAL_PATHS = (("obs", "username"), ("obs", "password"), ("packagecloud", "token"))
_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
_OBS_NAME = re.compile(r"[A-Za-z0-9](?!.*::)[-+A-Za-z0-9_.:]{0,198}[-+A-Za-z0-9_.]|[A-Za-z0-9]")
# a glob of wildcards and sets of characters alone; [*], [?] and [[] are how those stand for themselves
_NAMES_NOTHING = re.compile(r"([*?]|\[(?![*?[]\])!?\]?[^]]*\])*")
_URL_PLACEHOLDERS = {"project", "project_path", "repository"}


def config(path: Path, document: Document, *, warnings: tuple[str, ...], legacy: bool) -> Config:
    """The values of a document without mistakes."""
    data = document.data
    obs, packagecloud = data["obs"], data["packagecloud"]
    return Config(
        path=path,
        obs=ObsConfig(
            api=obs.get("api", DEFAULT_API).rstrip("/"),
            published_url=obs["published_url"].rstrip("/") if "published_url" in obs else None,
            anonymous=obs.get("anonymous", False),
            projects=tuple(_projects(path, document)),
        ),
        packagecloud=PackagecloudConfig(
            url=packagecloud.get("url", DEFAULT_PACKAGECLOUD).rstrip("/"),
            repository=packagecloud["repository"],
            signing_key=path.parent / packagecloud["signing_key"] if "signing_key" in packagecloud else None,
        ),
        policy=_policy(data),
        connections=Connections(**data.get("connections", {})),
        allow_http=data.get("allow_http", False),
        allow_private=data.get("allow_private", False),
        warnings=warnings,
        legacy=legacy,
        secrets=ConfigSecrets(
            obs_username=obs.get("username"),
            obs_password=obs.get("password"),
            packagecloud_token=packagecloud.get("token"),
        ),
    )


def expanded(project: Mapping[str, Any]) -> list[str]:
    """The names that a project's template and ``expand`` make; the first placeholder changes slowest."""
    expand: Mapping[str, list[str]] = project.get("expand", {})
    choices = [dict(zip(expand, values, strict=True)) for values in product(*expand.values())]
    return [project["name"].format_map(choice) for choice in choices]


def mistakes(data: Mapping[str, Any], document: Document) -> list[Mistake]:
    """What is wrong though the schema is satisfied, in the order of the file."""
    template_mistakes = list(islice(_template_mistakes(data, document), MOST_MISTAKES))
    found = [*template_mistakes, *_url_mistakes(data, document), *_orphan_mistakes(data, document)]
    # only then: format_map would follow a placeholder such as {release.__class__}
    if not template_mistakes:
        found += islice(_project_mistakes(data, document), MOST_MISTAKES)
        found += islice(_mapping_mistakes(data, document), MOST_MISTAKES)
    return sorted([*found, *_credential_mistakes(data, document)])


def _projects(file: Path, document: Document) -> Iterator[ObsProject]:
    data = document.data
    optional = data["obs"].get("optional_projects", [])
    for number, project in enumerate(data["obs"]["projects"]):
        own = {name: ("obs", "projects", number, "distributions", name) for name in project.get("distributions", {})}
        paths = {name: ("distributions", name) for name in data.get("distributions", {})} | own
        at = {repository: document.at_key(path) for repository, path in paths.items()}
        here = ("distributions",) if "distributions" in data else ("obs", "projects", number, "distributions")
        of_map = document.at_key(here)
        disowned = {name for name, value in project.get("distributions", {}).items() if value is None}
        for name in expanded(project):
            yield ObsProject(
                name=name,
                distributions=_mapping(data, project),
                optional=project.get("optional", False) or any(fnmatchcase(name, glob) for glob in optional),
                repositories=_filter(project, "repositories"),
                architectures=_filter(project, "architectures"),
                ignore_architectures=tuple(project.get("ignore_architectures", ())),
                may_be_empty=tuple(project.get("may_be_empty", ())),
                content="build" if project.get("content") == "build" else "published",
                compare_times=project.get("compare_times", True),
                signing_key=project.get("signing_key"),
                places={repository: f"{file}:{p.line}:{p.column}" for repository, p in at.items()},
                map_place=f"{file}:{of_map.line}:{of_map.column}",
                disowned=frozenset(name for name in disowned if data.get("distributions", {}).get(name)),
            )


def _mapping(data: Mapping[str, Any], project: Mapping[str, Any]) -> dict[str, Targets]:
    """Entries of the project take the place of the global ones; its own further ones follow."""
    merged = {**data.get("distributions", {}), **project.get("distributions", {})}
    return {name: _targets(value) for name, value in merged.items()}


def _targets(value: str | list[str] | None) -> Targets:
    if value is None:
        return None
    return (value,) if isinstance(value, str) else tuple(value)


def _filter(project: Mapping[str, Any], key: str) -> tuple[str, ...] | None:
    return tuple(project[key]) if key in project else None


def _policy(data: Mapping[str, Any]) -> Policy:
    return Policy(
        include=tuple(data.get("include", Policy().include)),
        exclude=tuple(data.get("exclude", ())),
        include_classes=tuple(sorted(data.get("include_classes", ()))),
        rebuilds=data.get("rebuilds", Policy().rebuilds),
        orphans=_orphans(_orphan_data(data)),
        limits=_limits(data.get("limits", {})),
    )


def _limits(data: Mapping[str, Any]) -> Limits:
    own = {name: DistributionLimits(**limits) for name, limits in data.get("distributions", {}).items()}
    approvals = ApprovalRule(**data["approvals"]) if "approvals" in data else None
    return Limits(**{**data, "distributions": own, "approvals": approvals})


def _orphan_data(data: Mapping[str, Any]) -> dict[str, Any]:
    orphans = data.get("orphans", {})
    return {"action": orphans} if isinstance(orphans, str) else orphans


def _orphans(data: Mapping[str, Any]) -> OrphanPolicy:
    return OrphanPolicy(
        action=OrphanAction(data.get("action", OrphanAction.KEEP)),
        archive_to=data.get("archive_to"),
        keep_versions=data.get("keep_versions"),
        min_age=duration(str(data.get("min_age", 0))),
        grace=duration(str(data.get("grace", 0))),
        gone=GoneRule(data.get("gone", GoneRule.KEEP)),
        protect=tuple(data.get("protect", ())),
        names=tuple(data.get("names", ())),
        uploaders=tuple(data.get("uploaders", ())),
        without_files=tuple(data.get("without_files", ())),
    )


def _template_mistakes(data: Mapping[str, Any], document: Document) -> Iterator[Mistake]:
    for number, project in enumerate(data["obs"]["projects"]):
        path = ("obs", "projects", number)
        name, expand = project["name"], project.get("expand", {})
        if (count := prod(map(len, expand.values()))) > MAX_EXPANDED:
            what = f"`expand` makes {count} projects, more than {MAX_EXPANDED}"
            yield Mistake(document.at_key((*path, "expand")), what, "write fewer values")
        used = _PLACEHOLDER.findall(name)
        if set(_PLACEHOLDER.sub("", name)) & set("{}"):
            yield Mistake(document.at((*path, "name")), f"unbalanced braces in {shown(name)}", "such as {release}")
        for placeholder in used:
            if placeholder not in expand:
                fix = nearest(placeholder, expand) or f"add `expand: {{{placeholder}: [...]}}`"
                yield Mistake(document.at((*path, "name")), f"`expand` has no values for {{{placeholder}}}", fix)
        for placeholder in expand:
            if placeholder not in used:
                what = f"`expand` gives {shown(placeholder)}, which the name does not use"
                yield Mistake(document.at_key((*path, "expand", placeholder)), what, nearest(placeholder, used))


def _project_mistakes(data: Mapping[str, Any], document: Document) -> Iterator[Mistake]:
    seen: set[str] = set()
    for number, project in enumerate(data["obs"]["projects"]):
        where = document.at(("obs", "projects", number, "name"))
        for name in expanded(project):
            if not _OBS_NAME.fullmatch(name):
                yield Mistake(where, f"{shown(name)} is not an OBS project name", "such as home:user:project")
            if name in seen:
                yield Mistake(where, f"the project {shown(name)} is listed twice", "remove one of them")
            seen.add(name)
        if "signing_key" in project and project.get("content") == "build":
            what = "`content: build` reads no index, so there is no signature for `signing_key` to check"
            yield Mistake(document.at_key(("obs", "projects", number, "signing_key")), what, "remove one of them")
    for number, glob in enumerate(data["obs"].get("optional_projects", [])):
        if not any(fnmatchcase(name, glob) for name in seen):
            what = f"{shown(glob)} matches no project"
            yield Mistake(document.at(("obs", "optional_projects", number)), what, nearest(glob, sorted(seen)))


def _mapping_mistakes(data: Mapping[str, Any], document: Document) -> Iterator[Mistake]:
    anything = False
    for number, project in enumerate(data["obs"]["projects"]):
        mapping = _mapping(data, project)
        anything = anything or any(mapping.values())
        if not mapping:
            what = "no `distributions` say where the project's repositories go"
            yield Mistake(
                document.at(("obs", "projects", number)), what, "add `distributions: {REPOSITORY: distro/version}`"
            )
        for index, name in enumerate(project.get("may_be_empty", ())):
            if name not in mapping and CATCH_ALL not in mapping:
                path = ("obs", "projects", number, "may_be_empty", index)
                yield Mistake(document.at(path), f"{shown(name)} is not in `distributions`", nearest(name, mapping))
    yield from _limit_mistakes(data, document)
    if not anything:
        what = "no OBS repository is mapped to a distribution: there is nothing to sync"
        yield Mistake(
            document.at_key(("distributions",)), what, "add an entry such as openSUSE_Leap_15.6: opensuse/15.6"
        )


def _limit_mistakes(data: Mapping[str, Any], document: Document) -> Iterator[Mistake]:
    mappings = (_mapping(data, project) for project in data["obs"]["projects"])
    managed = {name for mapping in mappings for targets in mapping.values() for name in targets or ()}
    for name in data.get("limits", {}).get("distributions", {}):
        if name not in managed:
            what = f"no OBS repository is mapped to {shown(name)}"
            yield Mistake(document.at_key(("limits", "distributions", name)), what, nearest(name, sorted(managed)))


def _url_mistakes(data: Mapping[str, Any], document: Document) -> Iterator[Mistake]:
    for path in (("obs", "api"), ("obs", "published_url"), ("packagecloud", "url")):
        if url := data[path[0]].get(path[1]):
            yield from _one_url_mistakes(data, document, path, url)
    template = data["obs"].get("published_url")
    if template is not None:
        yield from _private_mistakes(data, document, template)
        used = set(_PLACEHOLDER.findall(template))
        where = document.at(("obs", "published_url"))
        for unknown in sorted(used - _URL_PLACEHOLDERS):
            fix = nearest(unknown, sorted(_URL_PLACEHOLDERS))
            yield Mistake(where, f"{shown(unknown)} is no placeholder of published_url", fix)
        # else every repository would be read from one place, as if each offered what all of them do
        if "repository" not in used or not used & {"project", "project_path"}:
            fix = "such as https://download.opensuse.org/repositories/{project_path}/{repository}"
            yield Mistake(where, "published_url lacks the project or the repository", fix)
    elif data["obs"].get("anonymous"):
        fix = "add `published_url: https://download.opensuse.org/repositories/{project_path}/{repository}`"
        yield Mistake(document.at_key(("obs", "anonymous")), "`anonymous: true` needs `published_url`", fix)


def _one_url_mistakes(
    data: Mapping[str, Any], document: Document, path: tuple[str, str], url: str
) -> Iterator[Mistake]:
    where = document.at(path)
    try:
        origin = Origin.of(url)
    except ValueError as error:
        yield Mistake(where, f"{'.'.join(path)} is {error}", "such as https://api.opensuse.org")
        return
    if not origin.is_protected and not data.get("allow_http"):
        fix = "write https://; `allow_http: true` allows it for the whole config"
        yield Mistake(where, f"{'.'.join(path)} is plain http to another machine", fix)


def _private_mistakes(data: Mapping[str, Any], document: Document, template: str) -> Iterator[Mistake]:
    """What the address itself tells; where a name leads to is judged when it is resolved."""
    try:
        zone = Origin.of(template).zone
        here = Origin.of(data["obs"].get("api", DEFAULT_API)).zone
    except ValueError:
        return
    if zone not in ("", here) and not data.get("allow_private"):
        what = f"obs.published_url leads to {zone}, where obs.api is not"
        yield Mistake(document.at(("obs", "published_url")), what, "`allow_private: true` allows it")


def _orphan_mistakes(data: Mapping[str, Any], document: Document) -> Iterator[Mistake]:
    orphans = _orphan_data(data)
    action = orphans.get("action", "keep")
    where = document.at_key(("orphans", "action"))
    # without it nothing would say how much must stay
    if action != "keep" and "keep_versions" not in orphans:
        fix = f"write `orphans: {{action: {action}, keep_versions: 3}}`"
        yield Mistake(where, f"`orphans: {action}` needs `keep_versions`", fix)
    if action == "archive" and "archive_to" not in orphans:
        fix = "add `archive_to: USER/REPOSITORY`"
        yield Mistake(where, "`orphans: archive` needs `archive_to`", fix)
    for number, glob in enumerate(orphans.get("names", ())):
        # whatever somebody else has put there would be claimed, and gone
        if orphans.get("gone") == "delete" and _NAMES_NOTHING.fullmatch(glob):
            what = f"with `gone: delete` {shown(glob)} would let all go that OBS does not offer, whoever put it there"
            yield Mistake(document.at(("orphans", "names", number)), what, "name the packages, such as old-tool*")
    # Packagecloud takes a name in any letters
    if str(orphans.get("archive_to")).casefold() == data["packagecloud"]["repository"].casefold():
        what = "`archive_to` is the repository itself"
        yield Mistake(document.at(("orphans", "archive_to")), what, "name another repository")


def _credential_mistakes(data: Mapping[str, Any], document: Document) -> Iterator[Mistake]:
    for path in CREDENTIAL_PATHS:
        value = data[path[0]].get(path[1])
        if value is not None and "${" in value and not ENVIRONMENT.fullmatch(value):
            what = f"{'.'.join(path)} holds more than one environment variable"
            yield Mistake(document.at(path), what, "write ${NAME} as the whole value")
        if value is not None and data["obs"].get("anonymous") and path[0] == "obs":
            yield Mistake(document.at_key(path), f"{path[1]} and `anonymous: true` contradict", "remove one of them")
