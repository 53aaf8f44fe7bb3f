"""Runs pkgsync as its users do, as a command, against the real backend and a Packagecloud of the sandbox."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .driver import DEB, RPM, Project

TARGETS = {RPM: "opensuse/15.6", DEB: "ubuntu/jammy"}
ORPHANS = {"action": "delete", "keep_versions": 1}
TIMEOUT_SECONDS = 120

Plan = dict[str, Any]


class Pkgsync:
    """One config, in a folder of its own, with one (at first empty) Packagecloud repository."""

    def __init__(self, folder: Path, project: Project, config: Mapping[str, object]) -> None:
        folder.mkdir()
        self.folder = folder
        self.target = Target()
        settings = {
            "version": 1,
            "obs": {"api": project.backend.url, "projects": [{"name": project.name}]},
            "packagecloud": {"url": self.target.url, "repository": self.target.repository},
            "distributions": TARGETS,
            **config,
        }
        (folder / "pkgsync.yaml").write_text(json.dumps(settings))  # JSON is YAML, too

    def close(self) -> None:
        self.target.close()

    def run(self, *args: str) -> subprocess.CompletedProcess[str]:
        inherited = {name: value for name, value in os.environ.items() if name in {"PATH", "LANG", "LC_ALL"}}
        return subprocess.run(
            [sys.executable, "-m", "pkgsync", *args],
            cwd=self.folder,
            env=inherited
            | {"HOME": str(self.folder), "PACKAGECLOUD_URL": self.target.url}
            | {"PACKAGECLOUD_TOKEN": self.target.token},
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

    def apply(self, *args: str, code: int = 0) -> None:
        """Executes the last plan."""
        done = self.run("apply", "plan.json", *args)
        assert done.returncode == code, f"{done.stdout}\n{done.stderr}"

    def sync(self) -> None:
        """Makes the target equal to what OBS publishes now."""
        self.plan()
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


def assert_deletes_nothing(plan: Plan) -> None:
    assert plan["deletions"] == []
    assert plan["replacements"] == []
    assert plan["archivings"] == []
