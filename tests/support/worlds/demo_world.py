"""The world of `pkgsync demo` on its second day, for a shell: a folder with a config, and `pkgsync` on the path."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from attrs import frozen

from pkgsync.sandbox import DEMO_ORPHANS, Sandbox, demo_world_day1, demo_world_day2

BASH = ("bash", "-e", "-c")


@frozen
class Shell:
    """``folder`` holds a pkgsync.yaml; logins and servers stand in the environment."""

    folder: Path
    env: dict[str, str]

    def run(self, script: str, interpreter: tuple[str, ...] = BASH) -> "subprocess.CompletedProcess[str]":
        """Run the script to its end; everything that it says is in ``stdout``."""
        return subprocess.run(
            [*interpreter, script],
            cwd=self.folder,
            env=self.env,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )


@contextmanager
def second_day(folder: Path) -> Iterator[Shell]:
    """Packagecloud holds what OBS published on the first day. OBS has new versions now, and one package less."""
    program = folder / "bin/pkgsync"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m pkgsync "$@"\n')
    program.chmod(0o755)
    work, home = folder / "work", folder / "home"
    work.mkdir()
    home.mkdir()
    outside = {name: value for name, value in os.environ.items() if name != "CI"}
    with Sandbox() as sandbox:
        ours = {"PATH": f"{program.parent}:{os.environ['PATH']}", "HOME": str(home)}
        shell = Shell(work, outside | sandbox.environment | ours)
        demo_world_day1(sandbox)
        sandbox.write_config(work, {"orphans": DEMO_ORPHANS, "exclude": ["demo-*", "libdemo*"]})
        first = shell.run("pkgsync plan -q -o ../day1.json && pkgsync apply -q ../day1.json")
        assert first.returncode == 0, first.stdout
        demo_world_day2(sandbox)
        yield shell
