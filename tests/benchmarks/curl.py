"""Transfers files with one curl: download, upload, download, upload, each awaited, nothing verified."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

from tests.benchmarks.running import Measure, run
from tests.benchmarks.worlds import Load


def transfer(told: Mapping[str, Any], load: Load, folder: Path) -> Measure:
    """Read the files from OBS into ``folder``, post them to Packagecloud. Raises RuntimeError if curl fails."""
    config = "\nnext\n".join(_requests(told, load, folder))
    return run(["curl", "--silent", "--show-error", "--fail-early", "--config", "-"], {}, config)


def _requests(told: Mapping[str, Any], load: Load, folder: Path) -> Iterator[str]:
    """curl's own config format, so that one process does it all and no credential stands on a command line."""
    login = told["environment"]
    published = f"{told['obs']}/published/{quote(told['project'])}/repository0/x86_64"
    packages = f"{told['packagecloud']}/api/v1/repos/{told['repository']}/packages.json"
    for number in range(load.files):
        name = f"file{number:04}-1.0-1.x86_64.rpm"
        path = folder / name
        yield _options(
            url=f"{published}/{name}",
            user=f"{login['OSC_USERNAME']}:{login['OSC_PASSWORD']}",
            output=str(path),
        )
        form = [f"package[distro_version_id]={told['distribution_id']}", f"package[package_file]=@{path}"]
        yield _options(
            url=packages,
            user=f"{login['PACKAGECLOUD_TOKEN']}:",
            output="/dev/null",
            header="Expect:",
        ) + "".join(f'\nform = "{part}"' for part in form)


def _options(**options: str) -> str:
    return "\n".join(["fail", *(f'{name} = "{value}"' for name, value in options.items())])
