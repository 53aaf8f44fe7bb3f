"""The world of the fault matrix, one plan of it, and an oracle that knows the world and nothing of pkgsync's reading.

The policy is as permissive as it can be (every name may vanish, no version must stay), so that nothing but careful
reading stands between a fault and a false deletion.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from typing import Any

from attrs import frozen
from msgspec.structs import replace

from pkgsync import api
from pkgsync.config import Config, load
from pkgsync.errors import PkgsyncError
from pkgsync.model import Plan
from pkgsync.sandbox import PROJECT, REPOSITORY, Artifact, Sandbox, make_deb, make_rpm
from pkgsync.session import HttpLimits
from tests.support.faults.gate import Gate

OTHER = "demo:other"
LEAP, JAMMY, RHEL = "openSUSE_Leap_15.6", "xUbuntu_22.04", "RHEL_9"
LEAP_DIST, JAMMY_DIST, RHEL_DIST = "opensuse/15.6", "ubuntu/jammy", "el/9"
FEEDS = {LEAP_DIST: ((PROJECT, LEAP),), JAMMY_DIST: ((PROJECT, JAMMY),), RHEL_DIST: ((OTHER, RHEL),)}
LONG_AGO = "2026-01-15T09:30:00.000Z"
NOW = datetime(2026, 12, 1, tzinfo=UTC)
ORPHANS = {"action": "delete", "keep_versions": 1, "names": ["*"], "without_files": ["*"]}
PER_PAGE = 8

MIB = 2**20
LIMITS = HttpLimits(
    connect_seconds=5, read_seconds=20, total_seconds=40, result_read_seconds=20, result_total_seconds=40,
    backoff_seconds=0.001, backoff_cap_seconds=0.002, retry_after_cap_seconds=0.002, max_xml_bytes=MIB,
    max_top_bytes=MIB // 4, max_index_bytes=MIB, max_index_open_bytes=4 * MIB, max_json_bytes=MIB,
)  # fmt: skip
IMPATIENT = replace(
    LIMITS, read_seconds=0.6, total_seconds=2.4, result_read_seconds=0.6, result_total_seconds=2.4, window_seconds=0.6
)

# Every deletion and replacement of the healthy plan, by distribution.
HEALTHY = {
    LEAP_DIST: {
        "hello-1.0-1.x86_64.rpm", "hello-1.1-1.x86_64.rpm", "hello-1.0-1.aarch64.rpm", "retired-1.0-1.x86_64.rpm",
        "data-0.9-1.noarch.rpm", "tool-2.0-1.x86_64.rpm",
    },
    JAMMY_DIST: {"hello_1.0-1_amd64.deb", "hello_1.1-1_amd64.deb", "retired_1.0-1_amd64.deb", "tool_2.0-1_amd64.deb"},
    RHEL_DIST: {"app-1.0-1.x86_64.rpm", "app-2.0-1.x86_64.rpm"},
}  # fmt: skip
HEALTHY_KEYS = frozenset(f"{distribution}/{name}" for distribution, names in HEALTHY.items() for name in names)
HEALTHY_UPLOADS = {f"{LEAP_DIST}/lib-3.0-1.x86_64.rpm", f"{JAMMY_DIST}/lib_3.0-1_amd64.deb"}


@cache
def rpm(name: str, version: str, arch: str = "x86_64", salt: str = "") -> Artifact:
    return make_rpm(name, version, arch=arch, salt=salt)


@cache
def deb(name: str, version: str, salt: str = "") -> Artifact:
    return make_deb(name, version, "1", salt=salt)


def build_obs(sandbox: Sandbox) -> None:
    """What OBS offers, published: names with several versions, both architectures, noarch."""
    obs = sandbox.obs
    obs.projects.clear()
    obs.repserver_down = False
    obs.add_repository(PROJECT, LEAP, "rpm", ("x86_64", "aarch64"))
    obs.add_repository(PROJECT, JAMMY, "deb", ("x86_64",))
    obs.add_repository(OTHER, RHEL, "rpm", ("x86_64",))
    data = rpm("data", "1.0", "noarch")
    for name, version in (("hello", "1.2"), ("tool", "2.0"), ("lib", "3.0")):
        obs.finish(PROJECT, LEAP, "x86_64", name, [rpm(name, version)])
        obs.finish(PROJECT, JAMMY, "x86_64", name, [deb(name, version)])
    obs.finish(PROJECT, LEAP, "aarch64", "hello", [rpm("hello", "1.2", "aarch64")])
    for arch in ("x86_64", "aarch64"):
        obs.finish(PROJECT, LEAP, arch, "data", [data])
    obs.finish(OTHER, RHEL, "x86_64", "app", [rpm("app", "2.0")])
    sandbox.clock.advance(3600)
    obs.publish_all(PROJECT)
    obs.publish_all(OTHER)


def build_packagecloud(sandbox: Sandbox) -> None:
    """What Packagecloud holds: equal, old, gone and changed files, and enough foreign rows for several pages."""
    world = sandbox.packagecloud
    world.max_per_page = PER_PAGE
    world.repositories[REPOSITORY].clear()
    held = {
        LEAP_DIST: [
            rpm("hello", "1.2"), rpm("hello", "1.0"), rpm("hello", "1.1"), rpm("retired", "1.0"),
            rpm("hello", "1.0", "aarch64"), rpm("hello", "1.2", "aarch64"), rpm("tool", "2.0", salt="old"),
            rpm("data", "0.9", "noarch"), rpm("data", "1.0", "noarch"),
        ],
        "fedora/40": [rpm("foreign", f"{n}.0") for n in range(10)],
        JAMMY_DIST: [
            deb("hello", "1.2"), deb("hello", "1.0"), deb("hello", "1.1"), deb("retired", "1.0"),
            deb("tool", "2.0", salt="old"),
        ],
        RHEL_DIST: [rpm("app", "1.0"), rpm("app", "2.0", salt="old")],
    }  # fmt: skip
    for distribution, artifacts in held.items():
        for artifact in artifacts:
            world.add(REPOSITORY, distribution, artifact.blob, created_at=LONG_AGO)


Row = tuple[str, str, str, str]


def listed(sandbox: Sandbox) -> set[Row]:
    """Distribution, file name, sha256 and created_at of every row."""
    rows = list(sandbox.packagecloud.repositories[REPOSITORY].values())
    return {(r.distribution, r.filename, r.blob.digest("sha256"), r.created_at) for r in rows}


@frozen
class Outcome:
    """What one run gave, and what stood on Packagecloud (``rows``) or was published by OBS at some time of it."""

    plan: Plan | None
    error: Exception | None
    rows: frozenset[Row]
    published: frozenset[tuple[str, str, str]]

    @property
    def taken(self) -> set[str]:
        """The keys that the plan would delete or replace."""
        if self.plan is None:
            return set()
        return {a.key for a in (*self.plan.deletions, *self.plan.replacements, *self.plan.archivings)}


class Stage:
    """A sandbox with the world of the matrix, behind a gate per service; one cell at a time plays on it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.sandbox = Sandbox()
        self._gates: dict[str, Gate] = {}
        self._configs: dict[str, Config] = {}
        self.limits = LIMITS
        self.feeds: Mapping[str, tuple[tuple[str, str], ...]] = FEEDS
        self.exclude: tuple[str, ...] = ()
        self.pause: Callable[[float], None] = lambda seconds: None

    def __enter__(self) -> "Stage":
        self.sandbox.__enter__()
        return self

    def __exit__(self, *error: Any) -> None:
        self.sandbox.__exit__(None, None, None)

    def reset(self) -> None:
        """The healthy world again."""
        for board in (self.sandbox.obs.faults, self.sandbox.packagecloud.faults, self.sandbox.obs.mirror_faults):
            board.clear()
        for gate in self._gates.values():
            gate.shut()
        self._gates.clear()
        self.sandbox.packagecloud.order = "newest"
        self.sandbox.log.clear()
        self.limits, self.pause = LIMITS, lambda seconds: None
        build_obs(self.sandbox)
        build_packagecloud(self.sandbox)

    def config(self, changes: Mapping[str, Any], urls: Mapping[str, str]) -> Config:
        """The config of the sandbox over this world's projects; ``urls`` replaces addresses."""
        data = {**self.sandbox.config(), **changes}
        text = json.dumps(data)
        for old, new in urls.items():
            text = text.replace(old, new)
        if text not in self._configs:
            path = self.folder / "pkgsync.yaml"
            path.write_text(text)
            self._configs[text] = load(path, self.sandbox.environment)
        return self._configs[text]

    def matrix_config(self) -> Config:
        """The config of the matrix, to be asked for after a cell is set up: it leads through its gates."""
        other = {"name": OTHER, "distributions": {LEAP: None, JAMMY: None, RHEL: RHEL_DIST}}
        obs = {**self.sandbox.config()["obs"], "projects": [{"name": PROJECT}, other]}  # type: ignore[dict-item]
        limits = {"deletions": 1000, "deletions_percent": 100}
        mapping = {LEAP: LEAP_DIST, JAMMY: JAMMY_DIST}
        loaded = self.config({"obs": obs, "distributions": mapping, "orphans": ORPHANS, "limits": limits}, self.urls)
        # a config file cannot ask for less than one version to keep
        return replace(loaded, policy=replace(loaded.policy, orphans=replace(loaded.policy.orphans, keep_versions=0)))

    def run(self, config: Config) -> Outcome:
        """One plan of the world as it is."""
        before, published = listed(self.sandbox), self.published()
        # a gate is another port, and so another server, to which the user lends the credentials
        bound = {"OSC_APIURL": config.obs.api, "PACKAGECLOUD_URL": config.packagecloud.url}
        surroundings = api.Surroundings(
            env={**self.sandbox.environment, **bound},
            home=self.folder / "home",
            cache_dir=self.folder / "cache",
            state_dir=self.folder / "state",
            limits=self.limits,
            pause=self.pause,
        )
        try:
            plan, error = api.plan(config, surroundings, now=lambda: NOW), None
        except Exception as raised:  # judged by the oracle
            plan, error = None, raised
        return Outcome(plan, error, frozenset(before | listed(self.sandbox)), frozenset(published | self.published()))

    def shut_at(self, service: str) -> Gate:
        """Put a gate before a service for the cell that is played next."""
        url = self.sandbox.obs_url if service == "obs" else self.sandbox.packagecloud_url
        return self._gates.setdefault(url, Gate(url))

    @property
    def urls(self) -> Mapping[str, str]:
        return {url: gate.url for url, gate in self._gates.items()}

    def offered(self, distribution: str) -> Iterator[tuple[str, str]]:
        """File name and sha256 of what OBS publishes for a distribution now."""
        for project, repository in self.feeds[distribution]:
            found = self.sandbox.obs.projects.get(project)
            if found and repository in found.repositories:
                for file in found.repositories[repository].files.values():
                    yield file.artifact.filename, file.artifact.blob.digest("sha256")

    def published(self) -> set[tuple[str, str, str]]:
        """Distribution, file name and sha256 of all that OBS publishes now."""
        return {(d, name, sha256) for d in self.feeds for name, sha256 in self.offered(d)}

    def built(self, distribution: str) -> set[str]:
        """The file names that any package of the distribution's repositories holds now."""
        names = set()
        for project, repository in self.feeds[distribution]:
            found = self.sandbox.obs.projects.get(project)
            if found and repository in found.repositories:
                for state in found.repositories[repository].archs.values():
                    names |= {name for package in state.packages.values() for name in package.files}
        return names

    def wrongs(self, outcome: Outcome) -> list[str]:
        """What no plan may hold, whatever was served: false deletions and replacements, uploads of unpublished bytes."""
        if outcome.plan is None:
            error = outcome.error
            known = isinstance(error, PkgsyncError) and error.message and "Traceback" not in error.message
            return [] if known else [f"an unexpected exception: {error!r}"]
        return [*self._false_deletions(outcome), *self._false_transfers(outcome)]

    def _false_deletions(self, outcome: Outcome) -> Iterator[str]:
        assert outcome.plan is not None
        for action in (*outcome.plan.deletions, *outcome.plan.archivings):
            if action.distribution not in self.feeds:
                yield f"{action.key}: not managed"
                continue
            offers = list(self.offered(action.distribution))
            if (action.distribution, action.filename, action.sha256, action.created_at) not in outcome.rows:
                yield f"{action.key}: no such row"
            if action.filename in {name for name, _ in offers} | self.built(action.distribution):
                yield f"{action.key}: OBS offers it"
            if action.sha256 in {sha256 for _, sha256 in offers}:
                yield f"{action.key}: OBS offers its content"
            if any(fnmatchcase(action.filename, glob) for glob in self.exclude):
                yield f"{action.key}: excluded"

    def _false_transfers(self, outcome: Outcome) -> Iterator[str]:
        assert outcome.plan is not None
        replaced = {(a.distribution, a.filename, a.old.sha256, a.old.created_at): a for a in outcome.plan.replacements}
        for row, action in replaced.items():
            if row not in outcome.rows:
                yield f"{action.key}: no such row to replace"
            if (action.filename, action.sha256) not in set(self.offered(action.distribution)):
                yield f"{action.key}: a replacement that OBS does not offer"
        for upload in outcome.plan.uploads:
            if (upload.distribution, upload.filename, upload.sha256) not in outcome.published:
                yield f"{upload.key}: an upload that OBS does not offer"
