"""`python -m pkgsync.sandbox [FOLDER]`: serve the demo until Ctrl-C, SIGTERM or SIGHUP."""

import signal
import sys
import tempfile
import time
from importlib.util import find_spec
from pathlib import Path
from threading import Event

import click

from .clock import Clock
from .demo import DAY, DEMO_ORPHANS, demo_world_day1, demo_world_day2
from .sandbox import INSTALL, Sandbox


@click.command()
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path), required=False)
@click.option("--day", type=click.IntRange(1, 2), default=1, help="The world to serve.")
def main(folder: Path | None, day: int) -> None:
    """Serve an embedded OBS and Packagecloud on loopback, and write a ready pkgsync.yaml into FOLDER."""
    if find_spec("werkzeug") is None:
        raise click.ClickException(f"the sandbox needs werkzeug, which is not installed\ntip: {INSTALL}")
    stop = Event()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: stop.set())
    with tempfile.TemporaryDirectory() as temporary, Sandbox(Clock(int(time.time()) - DAY)) as sandbox:
        demo_world_day1(sandbox)
        if day == 2:
            demo_world_day2(sandbox)
        target = folder or Path(temporary)
        target.mkdir(parents=True, exist_ok=True)
        config = sandbox.write_config(target, {"orphans": DEMO_ORPHANS})
        click.echo(_welcome(sandbox, config))
        sys.stdout.flush()
        while not stop.wait(0.2):  # a wait without a limit would keep signals from being handled
            pass


def _welcome(sandbox: Sandbox, config: Path) -> str:
    exports = [f"export {name}={value}" for name, value in sandbox.environment.items()]
    lines = [
        f"OBS           {sandbox.obs_url}",
        f"Downloads     {sandbox.download_url}",
        f"Packagecloud  {sandbox.packagecloud_url}",
        *(["Signatures    none: gpg is not installed"] if sandbox.obs.signer is None else []),
        "",
        *exports,
        f"pkgsync plan -c {config}",
        "",
        "Ctrl-C ends the sandbox.",
    ]
    return "\n".join(lines)


main()
