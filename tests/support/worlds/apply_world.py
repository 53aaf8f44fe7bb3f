"""A sandbox with both services, plans made for it, and applies run on it: for the tests of apply over real sockets.

Nothing waits: pauses are counted, and time moves by itself a second per look at the clock.
"""

import itertools
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from attrs import define, field, frozen
from msgspec.structs import replace

from pkgsync import planfile
from pkgsync.apply import engine
from pkgsync.apply.options import ApplyOptions
from pkgsync.cache import Cache
from pkgsync.config import Config, Connections, ObsConfig, ObsProject, PackagecloudConfig
from pkgsync.model import ActualState, DesiredState, OrphanAction, OrphanPolicy, Overrides, Plan, Policy, Receipt
from pkgsync.model.secret import Basic
from pkgsync.obs import ObsClient
from pkgsync.obs import gather as gather_obs
from pkgsync.packagecloud.client import PackagecloudClient
from pkgsync.packagecloud.gather import gather, with_archive
from pkgsync.reconcile import Setting, build_plan, reconcile
from pkgsync.sandbox import ARCHIVE, PROJECT, REPOSITORY, Artifact, Sandbox, make_deb, make_rpm
from pkgsync.services import Services
from pkgsync.session import HttpLimits, Session
from pkgsync.surroundings import Surroundings

LEAP, JAMMY = "opensuse/15.6", "ubuntu/jammy"
MANAGED = (LEAP, JAMMY)
REPOSITORIES = {"openSUSE_Leap_15.6": (LEAP, "rpm"), "xUbuntu_22.04": (JAMMY, "deb")}
FILES = r"/published/.*\.(rpm|deb)$"  # the packages in the request log, not the indexes
LONG_AGO = "2025-01-01T00:00:00.000Z"
POLICY = Policy(orphans=OrphanPolicy(action=OrphanAction.DELETE, keep_versions=1))
ARCHIVING = Policy(orphans=OrphanPolicy(action=OrphanAction.ARCHIVE, archive_to=ARCHIVE, keep_versions=1))
# idle for as long as a busy machine takes: which connection is used must not depend on that
QUICK = HttpLimits(backoff_seconds=0.001, backoff_cap_seconds=0.001, attempts=3, idle_seconds=60)


@define
class World:
    """Both services and one machine (state, cache and backup folders below ``folder``)."""

    sandbox: Sandbox
    folder: Path
    policy: Policy = POLICY
    pauses: list[float] = field(factory=list)
    reported: list[str] = field(factory=list)
    observed: list[Callable[[], object]] = field(factory=list)
    _seconds: Iterator[int] = field(factory=itertools.count)

    # the two worlds

    def publish(self, *artifacts: Artifact, package: str = "src", repository: str | None = None) -> None:
        """Build and publish these files as all files of one package."""
        kind = "deb" if artifacts and artifacts[0].filename.endswith(".deb") else "rpm"
        name = repository or next(name for name, (_, type_) in REPOSITORIES.items() if type_ == kind)
        self._ensure(name)
        self.sandbox.obs.finish(PROJECT, name, "x86_64", package, artifacts)
        self.sandbox.obs.publish(PROJECT, name)

    def put(
        self,
        artifact: Artifact,
        distribution: str = LEAP,
        created_at: str = LONG_AGO,
        repository: str = REPOSITORY,
        **other: Any,
    ) -> None:
        """Let Packagecloud hold the file."""
        self.sandbox.packagecloud.add(repository, distribution, artifact.blob, created_at=created_at, **other)

    def remove(self, artifact: Artifact, distribution: str = LEAP, repository: str = REPOSITORY) -> None:
        self.sandbox.packagecloud.delete(repository, distribution, artifact.filename)

    @property
    def content(self) -> dict[str, str]:
        """Key -> sha256 of all that Packagecloud holds."""
        return self.content_of(REPOSITORY)

    def content_of(self, repository: str) -> dict[str, str]:
        return {f"{d}/{name}": sha for d, name, sha in self.sandbox.packagecloud.content(repository)}

    def count(self, method: str, target: str = "") -> int:
        """How many such requests Packagecloud got."""
        return self.sandbox.log.count("packagecloud", method=method, target=target)

    def _ensure(self, name: str) -> None:
        if not self._has(name):
            self.sandbox.obs.add_repository(PROJECT, name, REPOSITORIES[name][1])

    def _has(self, name: str) -> bool:
        return name in self.sandbox.obs.add_project(PROJECT).repositories

    def unsettle(self, name: str) -> None:
        """A change waits for the scheduler of this OBS repository."""
        self.sandbox.obs.set_arch(PROJECT, name, "x86_64", "building", dirty=True)

    # what pkgsync sees

    def now(self) -> datetime:
        return datetime(2026, 11, 22, 12, tzinfo=UTC) + timedelta(seconds=next(self._seconds))

    def observe(self) -> tuple[DesiredState, ActualState]:
        for hook in self.observed[:1]:
            self.observed.pop(0)
            hook()
        return self.desired(), self.actual()

    def actual(self) -> ActualState:
        return listed(self.endpoints, self.policy, self.now, self.pauses.append)

    def desired(self) -> DesiredState:
        """What OBS offers in those repositories that the test has made."""
        mapped = {name: (distribution,) for name, (distribution, _) in REPOSITORIES.items() if self._has(name)}
        return desired_of(self.endpoints, mapped, self.now)

    def client(self) -> PackagecloudClient:
        return client_of(self.endpoints, self.pauses.append)

    @property
    def endpoints(self) -> "Endpoints":
        sandbox = self.sandbox
        return Endpoints(
            sandbox.obs_url, sandbox.obs.user, sandbox.obs.password, sandbox.packagecloud_url, sandbox.token
        )

    # plan and apply

    def plan(self, policy: Policy | None = None) -> Plan:
        """A plan for the two worlds as they are, digest and all, as if read from its file."""
        wanted = policy or self.policy
        desired, actual = self.desired(), self.actual()
        decided = reconcile(desired, actual, wanted, MANAGED, self.now())
        setting = Setting(
            obs_api=self.sandbox.obs_url,
            projects=(PROJECT,),
            packagecloud_url=self.sandbox.packagecloud_url,
            config_digest=config_of(self.endpoints, wanted).digest,
            pkgsync_version="1.0.0",
            overrides=Overrides(max_deletions=100),
        )
        made = build_plan(decided, desired, actual, wanted, self.now(), setting)
        return planfile.loads(planfile.dumps(made), "plan.json")

    def config(self, managed: Collection[str] = MANAGED) -> Config:
        return config_of(self.endpoints, self.policy, managed)

    def apply(
        self,
        plan: Plan,
        *,
        config: Config | None = None,
        client: PackagecloudClient | None = None,
        receipt: Path | None = None,
        **switches: Any,
    ) -> Receipt:
        config = config or self.config()
        if jobs := switches.pop("jobs", None):
            config = both_ways(config, jobs)
        services = services_of(self.endpoints, self.folder, self.policy, self.pauses.append, self.observe)
        return engine.run(
            plan,
            config,
            services if client is None else replace(services, packagecloud=client),
            ApplyOptions(receipt=receipt or self.folder / "plan.receipt.json", **switches),
            now=self.now,
            report=lambda words, line: self.reported.append(words),
        )

    @property
    def backups(self) -> Cache:
        return Cache(self.folder / "backups")

    def receipt(self) -> Receipt:
        """The receipt as it stands in its file."""
        return planfile.read_receipt(self.folder / "plan.receipt.json")


@frozen
class Endpoints:
    """Where both services are, and the keys to them."""

    obs_url: str
    obs_user: str
    obs_password: str = field(repr=False)
    packagecloud_url: str
    token: str = field(repr=False)


def client_of(endpoints: Endpoints, pause: Callable[[float], None], repository: str = REPOSITORY) -> PackagecloudClient:
    auth = Basic(endpoints.token, "")
    session = Session(endpoints.packagecloud_url, auth=auth, quota=True, limits=QUICK, pause=pause)
    return PackagecloudClient(session, repository)


def archive_of(endpoints: Endpoints, policy: Policy, pause: Callable[[float], None]) -> PackagecloudClient | None:
    archives = policy.orphans.action is OrphanAction.ARCHIVE
    return client_of(endpoints, pause, ARCHIVE) if archives else None


def listed(
    endpoints: Endpoints, policy: Policy, now: Callable[[], datetime], pause: Callable[[float], None]
) -> ActualState:
    found = gather(client_of(endpoints, pause), MANAGED, now=now)
    archive = archive_of(endpoints, policy, pause)
    return found if archive is None else with_archive(archive, found)


def obs_of(endpoints: Endpoints, pause: Callable[[float], None]) -> ObsClient:
    login = Basic(endpoints.obs_user, endpoints.obs_password)
    return ObsClient(Session(endpoints.obs_url, auth=login, limits=QUICK, pause=pause, accept="application/xml"))


def desired_of(
    endpoints: Endpoints, mapped: Mapping[str, tuple[str, ...]], now: Callable[[], datetime]
) -> DesiredState:
    client = obs_of(endpoints, no_pause)
    return gather_obs(client, [ObsProject(name=PROJECT, distributions=mapped)], now=now)


def no_pause(_seconds: float) -> None:
    """Time costs nothing here."""


def both_ways(config: Config, jobs: int) -> Config:
    """So many transfers at a time, each way: with one of them all that is done has an order."""
    return replace(config, connections=Connections(uploads=jobs, downloads=jobs))


def config_of(endpoints: Endpoints, policy: Policy, managed: Collection[str] = MANAGED) -> Config:
    mapped = {name: (distribution,) for name, (distribution, _) in REPOSITORIES.items() if distribution in managed}
    return Config(
        path=Path("pkgsync.yaml"),
        obs=ObsConfig(
            api=endpoints.obs_url,
            published_url=None,
            anonymous=False,
            projects=(ObsProject(name=PROJECT, distributions=mapped),),
        ),
        packagecloud=PackagecloudConfig(endpoints.packagecloud_url, REPOSITORY),
        policy=policy,
    )


class WatchedServices(Services, frozen=True, kw_only=True):
    """Services whose look at both worlds the test has in its hands."""

    look: Callable[[], tuple[DesiredState, ActualState]]

    def observe(self, config: Config, plan: Plan) -> tuple[DesiredState, ActualState]:
        return self.look()


def services_of(
    endpoints: Endpoints,
    folder: Path,
    policy: Policy,
    pause: Callable[[float], None],
    look: Callable[[], tuple[DesiredState, ActualState]],
) -> Services:
    """Both services, seen from a machine whose state, cache and backups are below ``folder``."""
    return WatchedServices(
        obs=obs_of(endpoints, pause),
        packagecloud=client_of(endpoints, pause),
        archive=archive_of(endpoints, policy, pause),
        surroundings=surroundings_of(folder, pause),
        look=look,
    )


def surroundings_of(folder: Path, pause: Callable[[float], None]) -> Surroundings:
    return Surroundings(
        env={},
        home=folder,
        cache_dir=folder / "cache",
        state_dir=folder / "state",
        backup_dir=folder / "backups",
        limits=QUICK,
        pause=pause,
    )


def rpm(name: str = "hello", version: str = "1.0", **other: Any) -> Artifact:
    return make_rpm(name, version, "1", **other)


def deb(name: str = "hello", version: str = "1.0", **other: Any) -> Artifact:
    return make_deb(name, version, "1", **other)


def sha(artifact: Artifact) -> str:
    return artifact.blob.digest("sha256")


def outcomes(receipt: Receipt) -> dict[str, str]:
    """File name -> outcome."""
    return {line.filename: str(line.outcome) for line in receipt.lines}


@contextmanager
def open_world(folder: Path, *, keep_alive: bool = False) -> Iterator[World]:
    """A sandbox, and a machine in ``folder``."""
    with Sandbox(keep_alive=keep_alive) as sandbox:
        yield World(sandbox, folder)
