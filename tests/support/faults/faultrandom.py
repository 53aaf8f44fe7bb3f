"""Random worlds on a stage: several projects and repositories into one distribution, noarch, filters, null mappings."""

import re
from collections.abc import Callable
from random import Random

from msgspec.structs import replace

from pkgsync.config import Config
from pkgsync.sandbox import REPOSITORY, Artifact, Fault, Kind
from pkgsync.sandbox.packagecloud_world import RefusedError
from tests.support.faults.faultcells import HELD, TROUBLES, Route
from tests.support.faults.faultmatrix import LEAP_DIST, LONG_AGO, ORPHANS, RHEL_DIST, Stage, rpm

NAMES = ("app", "app-devel", "lib", "tool")
VERSIONS = ("1.0", "1.1", "1.2")
ARCHS = ("x86_64", "aarch64")
PROJECTS = ("demo:one", "demo:two")
REPOSITORIES = ("Leap", "Update", "Left_out")


def _artifact(random: Random, arch: str) -> Artifact:
    salt = random.choice(("", "", "", "rebuilt"))
    return rpm(random.choice(NAMES), random.choice(VERSIONS), random.choice((arch, arch, "noarch")), salt)


def _build_obs(stage: Stage, random: Random) -> None:
    obs = stage.sandbox.obs
    obs.projects.clear()
    for project in PROJECTS:
        for name in REPOSITORIES:
            obs.add_repository(project, name, "rpm", ARCHS)
            for arch in ARCHS:
                for source in random.sample(NAMES, random.randint(1, len(NAMES))):
                    obs.finish(project, name, arch, source, [_artifact(random, arch)])
        stage.sandbox.clock.advance(3600)
        obs.publish_all(project)


def _build_packagecloud(stage: Stage, random: Random) -> None:
    world = stage.sandbox.packagecloud
    world.repositories[REPOSITORY].clear()
    offered = [
        file.artifact
        for project in stage.sandbox.obs.projects.values()
        for repository in project.repositories.values()
        for file in repository.files.values()
    ]
    for distribution in (LEAP_DIST, RHEL_DIST, "fedora/40"):
        for _ in range(random.randint(2, 12)):
            artifact = random.choice((random.choice(offered), _artifact(random, random.choice(ARCHS))))
            try:
                world.add(REPOSITORY, distribution, artifact.blob, created_at=LONG_AGO)
            except RefusedError:
                continue


def build(stage: Stage, random: Random) -> Config:
    """Another world on the stage, and a config for it as permissive as can be but for random filters."""
    stage.reset()
    _build_obs(stage, random)
    _build_packagecloud(stage, random)
    mapping = {
        "Leap": LEAP_DIST,
        "Update": random.choice((LEAP_DIST, RHEL_DIST, [LEAP_DIST, RHEL_DIST])),
        "Left_out": None,
    }
    projects: list[dict[str, object]] = [{"name": name} for name in PROJECTS]
    if random.random() < 0.3:
        projects[0]["architectures"] = ["x86_64"]
    if random.random() < 0.3:
        projects[1]["repositories"] = ["Leap"]
    exclude = random.choice(([], [], ["*-devel*"], ["*.aarch64.rpm"]))
    limits = {"deletions": 1000, "deletions_percent": 100}
    data = {"distributions": mapping, "orphans": ORPHANS, "limits": limits, "exclude": exclude}
    obs = {**stage.sandbox.config()["obs"], "projects": projects}  # type: ignore[dict-item]
    stage.exclude = tuple(exclude)
    targets = {name: [value] if isinstance(value, str) else value or [] for name, value in mapping.items()}
    feeding = [(project, name) for project in PROJECTS for name in mapping]
    stage.feeds = {
        distribution: tuple((p, n) for p, n in feeding if distribution in targets[n])
        for distribution in (LEAP_DIST, RHEL_DIST)
        if any(distribution in found for found in targets.values())
    }
    config = stage.config({**data, "obs": obs}, {})
    return replace(config, policy=replace(config.policy, orphans=replace(config.policy.orphans, keep_versions=0)))


def break_something(stage: Stage, random: Random) -> None:
    """One to three faults at reads that the last run made; some of them change the project that is being read."""
    asked = sorted({(entry.service, entry.target) for entry in stage.sandbox.log.entries})
    for _ in range(random.randint(1, 3)):
        service, target = random.choice(asked)
        nth, times = random.randint(1, 3), random.choice((1, 2, None))
        path = re.escape(target) + "$"
        project = next((name for name in PROJECTS if name in target), None)
        if project and random.random() < 0.4:
            fault = Fault(kind=Kind.NOTHING, hook=_event(stage, project, random))
        else:
            trouble = random.choice([trouble for trouble in TROUBLES if not trouble.slow])
            fault = trouble.make(Route("random", service, path, nth, HELD, frozenset(), _root(target)))
        fault.path, fault.nth, fault.times = path, nth, times
        board = stage.sandbox.obs if service == "obs" else stage.sandbox.packagecloud
        board.faults.add(fault)


def _root(target: str) -> str:
    roots = {"_meta": "project", "_result": "resultlist", "repomd": "repomd", "primary": "metadata"}
    return next((root for part, root in roots.items() if part in target), "")


def _event(stage: Stage, project: str, random: Random) -> Callable[[], None]:
    """Something that happens to a repository of the project: built, failed, wiped; published, half so, or not at all."""
    obs, repository, arch = stage.sandbox.obs, random.choice(REPOSITORIES), random.choice(ARCHS)
    package, artifact = random.choice(NAMES), _artifact(random, arch)
    happens, goes_on = random.choice(("built", "failed", "wiped", "rebuild")), random.choice(("all", "half", "not"))

    def event() -> None:
        stage.sandbox.clock.advance(60)
        match happens:
            case "built":
                obs.finish(project, repository, arch, package, [artifact])
            case "failed":
                obs.fail(project, repository, arch, package)
            case "wiped":
                obs.wipe(project, repository, arch, package)
            case "rebuild":
                obs.start_rebuild(project, repository, arch, package)
        if goes_on == "all":
            obs.publish(project, repository)
        elif goes_on == "half":
            for name in ARCHS:
                obs.set_arch(project, repository, name, "publishing")
            obs.publish_files(project, repository)

    return event
