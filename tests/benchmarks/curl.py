"""Transfers files with curl, and verifies nothing: one after the other, or many at a time."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

from tests.benchmarks.running import Measure, run
from tests.benchmarks.worlds import Load

_CURL = ("curl", "--no-progress-meter", "--fail-early")


def transfer(told: Mapping[str, Any], load: Load, folder: Path) -> Measure:
    """One process: download, upload, download, upload, each awaited. Raises RuntimeError if curl fails."""
    requests = [request for pair in _requests(told, load, folder) for request in pair]
    return run([*_CURL, "--config", "-"], {}, "\nnext\n".join(requests))


def parallel(told: Mapping[str, Any], load: Load, folder: Path, jobs: int) -> Measure:
    """All downloads, ``jobs`` at a time, then all uploads. Raises RuntimeError if curl fails."""
    downloads, uploads = zip(*_requests(told, load, folder), strict=True)
    command = [*_CURL, "--parallel", "--parallel-immediate", "--parallel-max", str(jobs), "--config", "-"]
    return run(command, {}, "\nnext\n".join(downloads)) + run(command, {}, "\nnext\n".join(uploads))


def _requests(told: Mapping[str, Any], load: Load, folder: Path) -> Iterator[tuple[str, str]]:
    """The download and the upload of each file, in curl's own config format: so no credential stands on a command line."""
    login = told["environment"]
    published = f"{told['obs']}/published/{quote(told['project'])}/repository0/x86_64"
    packages = f"{told['packagecloud']}/api/v1/repos/{told['repository']}/packages.json"
    for number in range(load.files):
        name = f"file{number:04}-1.0-1.x86_64.rpm"
        path = folder / name
        download = _options(
            url=f"{published}/{name}",
            user=f"{login['OSC_USERNAME']}:{login['OSC_PASSWORD']}",
            output=str(path),
        )
        form = [f"package[distro_version_id]={told['distribution_id']}", f"package[package_file]=@{path}"]
        upload = _options(
            url=packages,
            user=f"{login['PACKAGECLOUD_TOKEN']}:",
            output="/dev/null",
            header="Expect:",
        )
        yield download, upload + "".join(f'\nform = "{part}"' for part in form)


def _options(**options: str) -> str:
    return "\n".join(["fail", *(f'{name} = "{value}"' for name, value in options.items())])
