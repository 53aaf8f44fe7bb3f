"""The config as values: what to read, where to write, and what decides."""

import re
from collections.abc import Mapping
from datetime import timedelta
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from msgspec import Struct, field
from msgspec.structs import asdict

from pkgsync.model import ContentFrom, Policy
from pkgsync.model.policy import GoneRule, Limits, OrphanPolicy
from pkgsync.model.secret import Discreet

Targets = tuple[str, ...] | None
CATCH_ALL = "*"
ENVIRONMENT = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")


class ObsProject(Struct, frozen=True, kw_only=True):
    """One OBS project, its name expanded.

    ``distributions`` is what counts for this project, in order: OBS repository (or ``*``) to Packagecloud
    distributions, None for repositories to skip. ``repositories`` (globs) and ``architectures`` are true filters;
    None is no filter. ``content`` says whether the published repositories are synced, or what is built;
    ``compare_times`` whether the times of files in an rpm index must be those of their builds. ``places`` tells as
    ``file:line:column`` where the names of ``distributions`` stand, ``map_place`` where that itself does. ``disowned``
    are the names that all projects map and that this one maps to null: it is not meant to have them. ``signing_key``
    is the file of the public keys that must vouch for the indexes, its path relative to the config's folder.
    """

    name: str
    distributions: Mapping[str, Targets]
    optional: bool = False
    repositories: tuple[str, ...] | None = None
    architectures: tuple[str, ...] | None = None
    ignore_architectures: tuple[str, ...] = ()
    may_be_empty: tuple[str, ...] = ()
    content: ContentFrom = "published"
    compare_times: bool = True
    signing_key: str | None = None
    places: Mapping[str, str] = field(default_factory=dict)
    map_place: str = ""
    disowned: frozenset[str] = frozenset()

    def target(self, repository: str) -> Targets:
        """The distributions of the OBS repository, None to skip it. Raises KeyError where nothing maps it."""
        if repository in self.distributions:
            return self.distributions[repository]
        return self.distributions[CATCH_ALL]

    def place_of(self, repository: str) -> str:
        """Where the config names the OBS repository, or would."""
        return self.places.get(repository) or self.map_place or self.name

    def selects(self, repository: str) -> bool:
        """Whether the filter ``repositories`` lets the OBS repository pass."""
        return self.repositories is None or any(fnmatchcase(repository, glob) for glob in self.repositories)


class ObsConfig(Struct, frozen=True, kw_only=True):
    api: str
    published_url: str | None
    anonymous: bool
    projects: tuple[ObsProject, ...]


class PackagecloudConfig(Struct, frozen=True):
    """``signing_key`` is the file of the key that its indexes must be signed with; it decides nothing of a plan."""

    url: str
    repository: str
    signing_key: Path | None = None


class Connections(Struct, frozen=True, kw_only=True):
    """How many requests may be in flight at once: reads of OBS, reads of Packagecloud, and both ways of an apply.

    A server that has had too much gets fewer (session/throttle.py).
    """

    # no rule on request rates is known of either service
    obs: int = 4
    listing: int = 8
    uploads: int = 4
    downloads: int = 8


class ConfigSecrets(Discreet, frozen=True, kw_only=True):
    """The credential keys as they are written: ``${NAME}`` for an environment variable, or a plain secret."""

    obs_username: str | None = None
    obs_password: str | None = None
    packagecloud_token: str | None = None


class Config(Struct, frozen=True, kw_only=True):
    """One config file. ``legacy`` says that it is in the predecessor's format."""

    path: Path
    obs: ObsConfig
    packagecloud: PackagecloudConfig
    policy: Policy
    connections: Connections = Connections()
    allow_http: bool = False
    allow_private: bool = False
    warnings: tuple[str, ...] = ()
    legacy: bool = False
    secrets: ConfigSecrets = ConfigSecrets()

    @property
    def digest(self) -> str:
        """``sha256:`` over the RFC 8785 JSON of all that decides; independent of comments, format and credentials."""
        # here, as not every command needs it
        from pkgsync import canonical

        effective: dict[str, Any] = {
            "obs": {**_plain(self.obs), "projects": [_project(p) for p in self.obs.projects]},
            "packagecloud": {"url": self.packagecloud.url, "repository": self.packagecloud.repository},
            "policy": _plain(self.policy),
            "allow_http": self.allow_http,
            # only where it is set: the digest of a config that never heard of it stays what it was
            **({"allow_private": True} if self.allow_private else {}),
        }
        return canonical.digest(effective)


def managed_distributions(config: Config) -> tuple[str, ...]:
    """Every distribution that a project maps an OBS repository to, sorted. All others are never touched."""
    mappings = (targets for project in config.obs.projects for targets in project.distributions.values())
    return tuple(sorted({target for targets in mappings for target in targets or ()}))


# keys that came after others were in use, and what they are of themselves: the digest of a config without them stays
_LATER: Mapping[type, Mapping[str, Any]] = {
    ObsProject: {"compare_times": True, "signing_key": None},
    OrphanPolicy: {"gone": GoneRule.KEEP},
    Limits: {"installable": False, "approvals": None},
}
# where things stand in the file, which decides nothing
_PLACES = ("places", "map_place", "disowned")


def _project(project: ObsProject) -> dict[str, Any]:
    """The order of ``distributions`` decides which source wins, and JSON objects have none: hence pairs."""
    pairs = [[name, None if targets is None else list(targets)] for name, targets in project.distributions.items()]
    return {**{name: v for name, v in _plain(project).items() if name not in _PLACES}, "distributions": pairs}


def _plain(value: Any) -> Any:
    if isinstance(value, Struct):
        later = _LATER.get(type(value), {})
        found = asdict(value).items()
        return {name: _plain(item) for name, item in found if name not in later or item != later[name]}
    if isinstance(value, Mapping):
        return {name: _plain(item) for name, item in value.items()}
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    return int(value.total_seconds()) if isinstance(value, timedelta) else value
