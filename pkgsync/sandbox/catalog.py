"""The real packages in data/: built by rpmbuild and dpkg-deb (tests/tools/build_sandbox_data.sh)."""

from functools import cache
from pathlib import Path

from .blobs import Artifact, Blob

DATA = Path(__file__).parent / "data"


@cache
def artifact(world: str, repository: str, arch: str, package: str, filename: str) -> Artifact:
    """One file of the catalog; `world` is past, day1 or day2. Raises FileNotFoundError."""
    return _load(DATA / world / repository / arch / package.replace(":", "@") / filename)


@cache
def packages(world: str, repository: str, arch: str) -> dict[str, tuple[Artifact, ...]]:
    """The files of each package of an architecture, by package name (with its flavor)."""
    folder = DATA / world / repository / arch
    return {
        path.name.replace("@", ":"): tuple(
            _load(file) for file in sorted(path.iterdir()) if file.suffix in {".rpm", ".deb"}
        )
        for path in sorted(folder.iterdir())
    }


def _load(path: Path) -> Artifact:
    suffix = ".xml" if path.suffix == ".rpm" else ".stanza"
    return Artifact(
        filename=path.name, blob=Blob(path.read_bytes()), entry=path.with_name(path.name + suffix).read_text()
    )
