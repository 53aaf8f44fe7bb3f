"""The worlds that are measured: their sizes, and how they are put into a sandbox."""

from pathlib import Path

from attrs import frozen

from pkgsync.sandbox import PROJECT, REPOSITORY, Artifact, Sandbox, make_rpm

DISTRIBUTIONS = ("opensuse/15.6", "opensuse/15.5", "el/9", "fedora/41")
ARCHITECTURES = ("x86_64", "aarch64")
FILES_PER_PACKAGE = ("", "-devel", "-doc")
MIB = 2**20


@frozen
class Size:
    """A world to plan: every package has three files of its own on each repository and architecture."""

    name: str
    repositories: int
    architectures: int
    packages: int

    @property
    def files(self) -> int:
        return self.repositories * self.architectures * self.packages * len(FILES_PER_PACKAGE)


@frozen
class Load:
    """A world to transfer: files of one size (bytes), none of them on Packagecloud yet.

    Of so many of them ``older`` versions are there, which go when the new ones have come.
    """

    name: str
    files: int
    bytes: int
    older: int = 0


SIZES = {size.name: size for size in (Size("S", 2, 1, 50), Size("M", 4, 2, 250), Size("L", 4, 2, 1000))}


def mapping(repositories: int) -> dict[str, str]:
    """OBS repository -> Packagecloud distribution."""
    return {f"repository{number}": DISTRIBUTIONS[number] for number in range(repositories)}


def fill(sandbox: Sandbox, size: Size) -> None:
    """Build and publish everything, and let Packagecloud hold all of it."""
    for number, (repository, distribution) in enumerate(mapping(size.repositories).items()):
        architectures = ARCHITECTURES[: size.architectures]
        sandbox.obs.add_repository(PROJECT, repository, "rpm", architectures)
        for architecture in architectures:
            for package in range(size.packages):
                files = _files(f"package{package:04}", f"lp{number}", architecture)
                sandbox.obs.finish(PROJECT, repository, architecture, f"package{package:04}", files)
                for file in files:
                    sandbox.packagecloud.add(REPOSITORY, distribution, file.blob)
        sandbox.obs.publish(PROJECT, repository)


def _files(package: str, release: str, architecture: str) -> list[Artifact]:
    return [make_rpm(package + suffix, "1.0", release, architecture) for suffix in FILES_PER_PACKAGE]


def offer(sandbox: Sandbox, load: Load, folder: Path) -> None:
    """Build and publish the files; Packagecloud holds none of them. On the disk they are holes: zeros that take no room."""
    repository = next(iter(mapping(1)))
    sandbox.obs.add_repository(PROJECT, repository, "rpm", ARCHITECTURES[:1])
    for number in range(load.files):
        name = f"file{number:04}"
        made = make_rpm(name, size=load.bytes, path=folder / name)
        sandbox.obs.finish(PROJECT, repository, ARCHITECTURES[0], name, [made])
        if number < load.older:
            sandbox.packagecloud.add(REPOSITORY, DISTRIBUTIONS[0], make_rpm(name, "0.9").blob)
    sandbox.obs.publish(PROJECT, repository)
