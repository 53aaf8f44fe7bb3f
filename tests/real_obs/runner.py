"""Runs pkgsync as its users do, as a command, against the real backend and a Packagecloud of the sandbox."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pkgsync.sandbox import REPOSITORY, Sandbox

from .driver import DEB, RPM, Project

TARGETS = {RPM: "opensuse/15.6", DEB: "ubuntu/jammy"}
ORPHANS = {"action": "delete", "keep_versions": 1}
TIMEOUT_SECONDS = 120
# what is said, beside a plan that is complete, while a mapped repository is dropped
NOWHERE = "no project has an OBS repository"

Plan = dict[str, Any]


class Pkgsync:
    """One config, in a folder of its own, with one (at first empty) Packagecloud repository."""

    def __init__(self, folder: Path, project: Project, target: Sandbox, config: Mapping[str, object]) -> None:
        folder.mkdir()
        self.folder, self.project, self.target = folder, project, target
        self.configure(**config)

    def configure(self, **config: object) -> None:
        """Writes the config anew; `config` goes over the defaults."""
        settings = {
            "version": 1,
            "obs": {"api": self.project.backend.url, "projects": [{"name": self.project.name}]},
            "packagecloud": {"url": self.target.packagecloud_url, "repository": REPOSITORY},
            "distributions": {name: TARGETS[name] for name in self.project.repositories},
            **config,
        }
        (self.folder / "pkgsync.yaml").write_text(json.dumps(settings))  # JSON is YAML, too

    def contents(self) -> dict[str, str]:
        """The sha256 of each file that Packagecloud holds, by key."""
        content = self.target.packagecloud.content(REPOSITORY)
        return {f"{distribution}/{name}": sha256 for distribution, name, sha256 in content}

    def run(self, *args: str) -> subprocess.CompletedProcess[str]:
        env = {name: value for name, value in os.environ.items() if name in {"PATH", "LANG", "LC_ALL"}}
        env["HOME"] = str(self.folder)
        env["PACKAGECLOUD_URL"] = self.target.packagecloud_url
        env["PACKAGECLOUD_TOKEN"] = self.target.token
        return subprocess.run(
            [sys.executable, "-m", "pkgsync", "--debug", *args],
            cwd=self.folder,
            env=env,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=TIMEOUT_SECONDS,
            check=False,
        )

    def plan(self, *args: str, code: int = 0) -> Plan:
        """The plan as JSON; `code` is the exit code that the command must have."""
        done = self.run("plan", "-o", "plan.json", *args)
        assert done.returncode == code, f"{done.stdout}\n{done.stderr}"
        plan: Plan = json.loads((self.folder / "plan.json").read_text())
        return plan

    def plan_in_motion(self, *args: str) -> Plan | None:
        """A plan while OBS changes: it may be incomplete (exit code 1), or not be made at all."""
        (self.folder / "plan.json").unlink(missing_ok=True)
        done = self.run("plan", "-o", "plan.json", *args)
        assert done.returncode in (0, 1), f"{done.stdout}\n{done.stderr}"
        assert "Traceback" not in done.stderr
        if not (self.folder / "plan.json").exists():
            assert done.returncode == 1
            return None
        plan: Plan = json.loads((self.folder / "plan.json").read_text())
        assert plan["complete"] is (done.returncode == 0) or NOWHERE in done.stderr
        return plan

    def apply(self, *args: str, code: int = 0) -> None:
        """Executes the last plan."""
        done = self.run("apply", "plan.json", *args)
        assert done.returncode == code, f"{done.stdout}\n{done.stderr}"

    def sync(self) -> None:
        """Brings all that OBS publishes now to the target; deletes nothing."""
        done = self.run("plan", "-o", "plan.json", "--orphans", "keep")
        assert done.returncode == 0 or NOWHERE in done.stderr, f"{done.stdout}\n{done.stderr}"
        assert_deletes_nothing(json.loads((self.folder / "plan.json").read_text()), replacements=True)
        self.apply()


def keys(actions: list[dict[str, Any]]) -> set[str]:
    return {f"{action['distribution']}/{action['filename']}" for action in actions}


def held(plan: Plan, action: str) -> dict[str, str]:
    """The reason of each held action of one kind, by key."""
    return {
        f"{entry['distribution']}/{entry['filename']}": entry["reason"]
        for entry in plan["held"]
        if entry["action"] == action
    }


def assert_deletes_nothing(plan: Plan, *, replacements: bool = False) -> None:
    assert plan["deletions"] == plan["archivings"] == []
    assert replacements or plan["replacements"] == []
