"""The two days of the demo: real packages on OBS, and what Packagecloud holds before pkgsync comes.

The project is built for three base projects. Day 1 has several names and versions, both architectures, noarch and all
with other bytes per architecture, names with `+ ~ ^`, an epoch, subpackages named other than their source, a multibuild
flavor, debug and source packages, a failed package without files, a disabled and an excluded one. Day 2 has a new
version of hello-tool, the deb of netdemo rebuilt under its old name, and no old-tool.
"""

from collections.abc import Iterator

from . import catalog
from .blobs import Artifact, Blob
from .sandbox import PROJECT, REPOSITORY, Sandbox

LEAP, JAMMY, TUMBLEWEED = "openSUSE_Leap_15.6", "xUbuntu_22.04", "openSUSE_Tumbleweed"
ARCHS = ("x86_64", "aarch64")
BASES = {
    LEAP: ("openSUSE:Leap:15.6", "standard"),
    JAMMY: ("Ubuntu:22.04", "universe"),
    TUMBLEWEED: ("openSUSE:Factory", "snapshot"),
}
DEMO_ORPHANS = {"action": "delete", "keep_versions": 1, "without_files": ["demo-fails", "demo-x86only"]}
DAY = 86400  # seconds


def demo_world_day1(sandbox: Sandbox) -> None:
    """Build and publish the first day on OBS, and put a few old rows on Packagecloud."""
    obs = sandbox.obs
    for name, (base, repository) in BASES.items():
        kind = "deb" if name == JAMMY else "rpm"
        archs = ["x86_64"] if name == TUMBLEWEED else ARCHS
        obs.add_repository(base, repository, kind, ARCHS)
        obs.add_repository(PROJECT, name, kind, archs, paths=[(base, repository)])
    for repository, arch in _places():
        _build(sandbox, "day1", repository, arch)
        obs.set_code(PROJECT, repository, arch, "demo-fails", "failed" if repository == LEAP else "excluded")
        obs.set_code(PROJECT, repository, arch, "demo-excluded", "excluded")
    for repository in (LEAP, JAMMY):
        obs.set_code(PROJECT, repository, "aarch64", "demo-x86only", "disabled")
    files = catalog.packages("day1", LEAP, "x86_64")["demo-data"]
    obs.finish(PROJECT, TUMBLEWEED, "x86_64", "demo-data", files)
    obs.publish_all(PROJECT)
    _seed_packagecloud(sandbox)


def demo_world_day2(sandbox: Sandbox) -> None:
    """A day later: rebuild, remove and publish, on top of day 1."""
    sandbox.clock.advance(DAY)
    for repository, arch in _places():
        _build(sandbox, "day2", repository, arch)
    sandbox.obs.remove_package(PROJECT, "old-tool")
    sandbox.obs.publish_all(PROJECT)


def _places() -> Iterator[tuple[str, str]]:
    for repository in (LEAP, JAMMY):
        for arch in ARCHS:
            yield repository, arch


def _build(sandbox: Sandbox, world: str, repository: str, arch: str) -> None:
    for package, files in catalog.packages(world, repository, arch).items():
        sandbox.obs.finish(PROJECT, repository, arch, package, [*files, *leftovers(package, repository, arch)])


def leftovers(package: str, repository: str, arch: str) -> list[Artifact]:
    """What a build leaves beside its packages; none of it is for users."""
    names = ["_buildenv", "_statistics", "rpmlint.log"]
    if repository == JAMMY:
        debarch = "amd64" if arch == "x86_64" else "arm64"
        names = ["_buildenv", "_statistics", f"{package}_1_{debarch}.changes", f"{package}_1_{debarch}.buildinfo"]
    return [Artifact(filename=name, blob=Blob(f"{name} of {package} on {arch}\n".encode())) for name in names]


def _seed_packagecloud(sandbox: Sandbox) -> None:
    """An old superseded version, an orphan of a foreign name, and a package in a distribution that no config maps."""
    old = catalog.artifact("past", LEAP, "x86_64", "hello-tool", "hello-tool-1.1-lp156.1.1.x86_64.rpm")
    foreign = catalog.artifact("past", LEAP, "x86_64", "foreign-tool", "foreign-tool-7.0-1.x86_64.rpm")
    elsewhere = catalog.artifact("past", JAMMY, "x86_64", "hello-tool", "hello-tool_1.1_amd64.deb")
    add, long_ago = sandbox.packagecloud.add, "2026-01-15T09:30:00.000Z"
    add(REPOSITORY, "opensuse/15.6", old.blob, created_at=long_ago, uploader="demo-bot")
    add(REPOSITORY, "opensuse/15.6", foreign.blob, created_at=long_ago, uploader="someone-else")
    add(REPOSITORY, "debian/bookworm", elsewhere.blob, created_at=long_ago, uploader="demo-bot")
