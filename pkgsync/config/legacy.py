"""The config of kata-pkgsync, the predecessor, turned into the present form.

Its project names are BASE:ARCHITECTURE:RELEASE, for every architecture and release; either list may be missing.
"""

from typing import Any

import yaml

from pkgsync.config.document import Document, KeyPath, Mistake, Place

DEFINITION = "kata-pkgsync"
_MARKS = ("obsprojects", "distro-mapping")


def is_legacy(root: yaml.Node) -> bool:
    """Whether the file has the predecessor's top-level keys."""
    return isinstance(root, yaml.MappingNode) and any(key.value in _MARKS for key, _ in root.value)


def convert(old: Document) -> Document:
    """The present form of ``old``, which has passed the schema; mistakes found later point into the old file."""
    logins = {login for project in old.data["obsprojects"].values() if (login := _login(project))}
    mistakes = list(old.mistakes)
    if len(logins) > 1:
        what = "the projects have different logins"
        mistakes.append(Mistake(old.at_key(("obsprojects",)), what, "write one file per login"))
    data = {
        "version": 1,
        "obs": {
            "api": "https://api.opensuse.org",
            **(dict(zip(("username", "password"), logins.pop(), strict=True)) if logins else {}),
            "projects": [_project(name, project or {}) for name, project in old.data["obsprojects"].items()],
        },
        "packagecloud": _packagecloud(old.data["packagecloud"]),
        # kata-pkgsync skips what it maps to an empty text
        "distributions": {name: target or None for name, target in old.data["distro-mapping"].items()},
    }
    return Document(data=data, places=_places(old), mistakes=tuple(mistakes))


def present_form(document: Document) -> str:
    """The converted config as YAML, without its secrets."""
    data = {**document.data, "obs": dict(document.data["obs"]), "packagecloud": dict(document.data["packagecloud"])}
    for key in ("username", "password"):
        data["obs"].pop(key, None)
    data["packagecloud"].pop("token", None)
    text: str = yaml.safe_dump(data, sort_keys=False, default_flow_style=None, width=100)
    return text


def _project(base: str, project: dict[str, Any]) -> dict[str, Any]:
    lists = {"architecture": project.get("architectures") or [], "release": project.get("releases") or []}
    expand = {name: values for name, values in lists.items() if values}
    name = ":".join([base, *(f"{{{name}}}" for name in expand)])
    return {"name": name, "expand": expand} if expand else {"name": name}


def _login(project: dict[str, Any] | None) -> tuple[str, str] | None:
    auth = (project or {}).get("auth") or {}
    user, password = auth.get("user"), auth.get("password")
    return (user, password) if user and password else None


def _packagecloud(old: dict[str, Any]) -> dict[str, Any]:
    auth = old.get("auth") or {}
    repository = f"{auth['user']}/{old['repo']}" if auth.get("user") else old["repo"]
    token = {"token": auth["token"]} if auth.get("token") else {}
    return {"url": "https://packagecloud.io", "repository": repository, **token}


def _places(old: Document) -> dict[KeyPath, Place]:
    """Where the present keys stand in the old file."""
    moved: dict[KeyPath, KeyPath] = {
        (): (),
        ("obs",): ("obsprojects",),
        ("packagecloud",): ("packagecloud",),
        ("packagecloud", "repository"): ("packagecloud", "repo"),
        ("packagecloud", "token"): ("packagecloud", "auth", "token"),
        ("distributions",): ("distro-mapping",),
    }
    for number, base in enumerate(old.data["obsprojects"]):
        moved["obs", "projects", number] = ("obsprojects", base)
    for name in old.data["distro-mapping"]:
        moved["distributions", name] = ("distro-mapping", name)
    return {present: old.place(path) for present, path in moved.items()}
