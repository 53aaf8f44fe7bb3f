"""The whole program against the sandbox's real sockets: two repositories with one package each, and a folder to work in.

Nothing waits: pauses between attempts are cut short.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from io import StringIO
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from attrs import define, frozen

from pkgsync import backoff, surroundings
from pkgsync.cli.main import run
from pkgsync.cli.options import Context
from pkgsync.sandbox import PROJECT, REPOSITORY, Artifact, Fault, Kind, Sandbox, make_deb, make_rpm

LEAP, JAMMY = "opensuse/15.6", "ubuntu/jammy"
LEAP_REPOSITORY, JAMMY_REPOSITORY = "openSUSE_Leap_15.6", "xUbuntu_22.04"
LONG_AGO = "2026-01-01T00:00:00.000Z"
RPM, DEB = make_rpm("hello", "1.0"), make_deb("hello", "1.0", "1")
DELETE = {"orphans": {"action": "delete", "keep_versions": 1}}


@frozen
class Done:
    """One finished run of the program."""

    code: int
    out: str
    err: str

    @property
    def errors(self) -> list[str]:
        return [line for line in self.err.splitlines() if line.startswith("error: ")]


@define
class Cli:
    """Both services, and a folder with a config for them."""

    sandbox: Sandbox
    folder: Path

    def publish(self, *artifacts: Artifact, package: str = "hello") -> None:
        """Build and publish these files as all files of one package."""
        repository = JAMMY_REPOSITORY if artifacts[0].filename.endswith(".deb") else LEAP_REPOSITORY
        self.sandbox.obs.finish(PROJECT, repository, "x86_64", package, artifacts)
        self.sandbox.obs.publish(PROJECT, repository)

    def put(self, *artifacts: Artifact, created_at: str = LONG_AGO) -> None:
        """Let Packagecloud hold these files."""
        for artifact in artifacts:
            distribution = JAMMY if artifact.filename.endswith(".deb") else LEAP
            self.sandbox.packagecloud.add(REPOSITORY, distribution, artifact.blob, created_at=created_at)

    def in_step(self) -> None:
        """Let Packagecloud hold just what OBS publishes."""
        self.put(RPM, DEB)

    def configure(self, **changes: Any) -> None:
        self.sandbox.write_config(self.folder, changes)

    @property
    def names(self) -> set[str]:
        """The keys that Packagecloud holds."""
        return {f"{distribution}/{name}" for distribution, name, _ in self.sandbox.packagecloud.content(REPOSITORY)}

    def obs_fault(self, kind: Kind, path: str = "", **more: Any) -> Fault:
        return self.sandbox.obs.faults.add(Fault(kind=kind, path=path, **more))

    def packagecloud_fault(self, kind: Kind, path: str = "", **more: Any) -> Fault:
        return self.sandbox.packagecloud.faults.add(Fault(kind=kind, path=path, **more))

    def run(self, *arguments: object) -> Done:
        """The program in this process."""
        out, err = StringIO(), StringIO()
        with redirect_stdout(out), redirect_stderr(err):
            code = run(Context(), [str(argument) for argument in arguments])
        return Done(code, out.getvalue(), err.getvalue())

    def plan(self, *arguments: object) -> dict[str, Any]:
        """The plan that is printed as JSON."""
        done = self.run("plan", "--json", *arguments)
        assert done.out, done.err
        plan: dict[str, Any] = json.loads(done.out)
        return plan

    def saved(self, name: str = "plan.json") -> dict[str, Any]:
        plan: dict[str, Any] = json.loads((self.folder / name).read_text())
        return plan

    @contextmanager
    def started(self, *arguments: object, before: Sequence[str] = (), **more: Any) -> Iterator["subprocess.Popen[str]"]:
        """The program in a process of its own, which does not outlive the test. ``before`` is what starts it."""
        command = [*before, sys.executable, "-m", "pkgsync", *map(str, arguments)]
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **more}
        with subprocess.Popen(command, cwd=self.folder, text=True, env=dict(os.environ), **pipes) as process:
            try:
                yield process
            finally:
                process.kill()

    def call(self, *arguments: object, **more: Any) -> Done:
        """The program in a process of its own, to its end."""
        with self.started(*arguments, **more) as process:
            out, err = process.communicate(timeout=60)
        return Done(process.returncode, out or "", err or "")


@contextmanager
def open_cli(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cli]:
    """A sandbox with something to upload, and the program beside it."""
    monkeypatch.chdir(folder)
    monkeypatch.setattr("pkgsync.session.session.seconds_before", lambda attempt, first, longest: 0.0)
    monkeypatch.setattr(backoff, "PAUSES", tuple(0.0 for _ in backoff.PAUSES))
    monkeypatch.setattr(surroundings, "time", SimpleNamespace(sleep=lambda seconds: None))
    for name in ("NO_COLOR", "COLUMNS", "CI"):
        monkeypatch.delenv(name, raising=False)
    with Sandbox() as sandbox:
        for name, value in sandbox.environment.items():
            monkeypatch.setenv(name, value)
        sandbox.obs.add_repository(PROJECT, LEAP_REPOSITORY, "rpm", ["x86_64"])
        sandbox.obs.add_repository(PROJECT, JAMMY_REPOSITORY, "deb", ["x86_64"])
        sandbox.obs.add_repository(PROJECT, "openSUSE_Tumbleweed", "rpm", ["x86_64"])
        cli = Cli(sandbox, folder)
        cli.publish(RPM)
        cli.publish(DEB)
        cli.configure()
        yield cli
