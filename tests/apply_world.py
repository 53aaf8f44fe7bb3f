"""A sandbox with both services, plans made for it, and applies run on it: for the tests of apply over real sockets.

What OBS offers is taken from the sandbox's own state, so that these tests judge apply alone; the bytes still come over
its socket. Nothing waits: pauses are counted, and time moves by itself a second per look at the clock.
"""

import itertools
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, BinaryIO

from attrs import define, evolve, field

from pkgsync import planfile
from pkgsync.apply import engine
from pkgsync.apply.job import Job
from pkgsync.apply.limits import ApplyLimits
from pkgsync.cache import Cache
from pkgsync.model import (
    ActualState,
    Architecture,
    BuiltFile,
    BuiltPackage,
    DesiredState,
    Index,
    IndexedFile,
    OrphanAction,
    OrphanPolicy,
    Overrides,
    PackageType,
    Plan,
    Policy,
    Problem,
    Receipt,
    Repository,
    Version,
)
from pkgsync.model.secret import Basic
from pkgsync.packagecloud.client import PackagecloudClient
from pkgsync.packagecloud.gather import gather
from pkgsync.reasons import Reason
from pkgsync.reconcile import Setting, build_plan, reconcile
from pkgsync.sandbox import PROJECT, REPOSITORY, Artifact, Sandbox, make_deb, make_rpm
from pkgsync.session import HttpLimits, Session, make_route

LEAP, JAMMY = "opensuse/15.6", "ubuntu/jammy"
MANAGED = (LEAP, JAMMY)
REPOSITORIES = {"openSUSE_Leap_15.6": (LEAP, "rpm"), "xUbuntu_22.04": (JAMMY, "deb")}
LONG_AGO = "2025-01-01T00:00:00.000Z"
CONFIG_DIGEST = "sha256:" + "c" * 64
POLICY = Policy(orphans=OrphanPolicy(action=OrphanAction.DELETE, keep_versions=1))
QUICK = HttpLimits(backoff_seconds=0.001, backoff_cap_seconds=0.001, attempts=3)


@define
class World:
    """Both services and one machine (state, cache and backup folders below ``folder``)."""

    sandbox: Sandbox
    folder: Path
    policy: Policy = POLICY
    unsettled: set[str] = field(factory=set)
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

    def put(self, artifact: Artifact, distribution: str = LEAP, created_at: str = LONG_AGO, **other: Any) -> None:
        """Let Packagecloud hold the file."""
        self.sandbox.packagecloud.add(REPOSITORY, distribution, artifact.blob, created_at=created_at, **other)

    def remove(self, artifact: Artifact, distribution: str = LEAP) -> None:
        self.sandbox.packagecloud.delete(REPOSITORY, distribution, artifact.filename)

    @property
    def content(self) -> dict[str, str]:
        """Key -> sha256 of all that Packagecloud holds."""
        return {f"{d}/{name}": sha for d, name, sha in self.sandbox.packagecloud.content(REPOSITORY)}

    def count(self, method: str, target: str = "") -> int:
        """How many such requests Packagecloud got."""
        return self.sandbox.log.count("packagecloud", method=method, target=target)

    def _ensure(self, name: str) -> None:
        if name not in self.sandbox.obs.add_project(PROJECT).repositories:
            self.sandbox.obs.add_repository(PROJECT, name, REPOSITORIES[name][1])

    # what pkgsync sees

    def now(self) -> datetime:
        return datetime(2026, 11, 22, 12, tzinfo=UTC) + timedelta(seconds=next(self._seconds))

    def observe(self) -> tuple[DesiredState, ActualState]:
        for hook in self.observed[:1]:
            self.observed.pop(0)
            hook()
        return self.desired(), self.actual()

    def actual(self) -> ActualState:
        return gather(self.client(), MANAGED, now=self.now)

    def desired(self) -> DesiredState:
        found = self.sandbox.obs.projects[PROJECT].repositories if PROJECT in self.sandbox.obs.projects else {}
        return DesiredState(tuple(self._repository(name) for name in REPOSITORIES if name in found), self.now())

    def _repository(self, name: str) -> Repository:
        source = self.sandbox.obs.repository(PROJECT, name)
        distribution, kind = REPOSITORIES[name]
        problems = (Problem(Reason.DIRTY, f"{name} is dirty"),) if name in self.unsettled else ()
        architectures = tuple(
            Architecture(
                arch,
                state.code,
                last_published=state.lastpublished,
                packages=tuple(
                    BuiltPackage(
                        package,
                        built.code,
                        tuple(
                            BuiltFile(f.artifact.filename, f.artifact.blob.size, f.mtime) for f in built.files.values()
                        ),
                    )
                    for package, built in state.packages.items()
                ),
            )
            for arch, state in source.archs.items()
        )
        files = tuple(self._indexed(path, file.artifact, kind) for path, file in sorted(source.files.items()))
        return Repository(PROJECT, name, (distribution,), architectures, Index("0" * 64, 1, files), problems)

    def _indexed(self, path: str, artifact: Artifact, kind: str) -> IndexedFile:
        stem = artifact.filename.removesuffix(f".{kind}")
        if kind == "rpm":
            rest, architecture = stem.rsplit(".", 1)
            name, version, release = rest.rsplit("-", 2)
        else:
            name, full, architecture = stem.split("_")
            version, _, release = full.partition("-")
        blob = artifact.blob
        return IndexedFile(
            filename=artifact.filename,
            path=path,
            size=blob.size,
            sha256=blob.digest("sha256"),
            type=PackageType(kind),
            name=name,
            version=Version(0, version, release),
            architecture=architecture,
        )

    def client(self) -> PackagecloudClient:
        auth = Basic(self.sandbox.token, "")
        session = Session(self.sandbox.packagecloud_url, auth=auth, quota=True, limits=QUICK, pause=self.pauses.append)
        return PackagecloudClient(session, REPOSITORY)

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
            config_digest=CONFIG_DIGEST,
            pkgsync_version="1.0.0",
            overrides=Overrides(max_deletions=100),
        )
        made = build_plan(decided, desired, actual, wanted, self.now(), setting)
        return planfile.loads(planfile.dumps(made), "plan.json")

    def job(self, **changes: Any) -> Job:
        job = Job(
            source_api=self.sandbox.obs_url,
            target_api=self.sandbox.packagecloud_url,
            config_digest=CONFIG_DIGEST,
            observe=self.observe,
            fetch=self.fetch,
            packagecloud=self.client(),
            policy=self.policy,
            managed=frozenset(MANAGED),
            cache=Cache(self.folder / "cache"),
            backup=Cache(self.folder / "backups"),
            state_dir=self.folder / "state",
            receipt=self.folder / "plan.receipt.json",
            now=self.now,
            pause=self.pauses.append,
            report=self.reported.append,
            limits=ApplyLimits(),
        )
        return evolve(job, **changes)

    def apply(self, plan: Plan, **changes: Any) -> Receipt:
        return engine.run(plan, self.job(**changes))

    def receipt(self) -> Receipt:
        """The receipt as it stands in its file."""
        return planfile.read_receipt(self.folder / "plan.receipt.json")

    def fetch(self, action: Any, sink: BinaryIO, offset: int, on_bytes: Callable[[int], None]) -> int:
        auth = Basic(self.sandbox.obs.user, self.sandbox.obs.password)
        session = Session(self.sandbox.obs_url, auth=auth, limits=QUICK, pause=self.pauses.append)
        source = action.source
        route = make_route("published", source.project, source.repository, *source.path.split("/"))
        return session.download(route, sink, size=action.size, offset=offset, on_bytes=on_bytes)


def rpm(name: str = "hello", version: str = "1.0", **other: Any) -> Artifact:
    return make_rpm(name, version, "1", **other)


def deb(name: str = "hello", version: str = "1.0", **other: Any) -> Artifact:
    return make_deb(name, version, "1", **other)


def sha(artifact: Artifact) -> str:
    return artifact.blob.digest("sha256")


def outcomes(receipt: Receipt) -> dict[str, str]:
    """File name -> outcome."""
    return {line.filename: str(line.outcome) for line in receipt.lines}


def filenames(artifacts: Sequence[Artifact]) -> list[str]:
    return [artifact.filename for artifact in artifacts]


@contextmanager
def open_world(folder: Path) -> Iterator[World]:
    """A sandbox, and a machine in ``folder``."""
    with Sandbox() as sandbox:
        yield World(sandbox, folder)
