"""A job of GitHub Actions, or of GitLab, that runs one script of the actions as the runner would.

The script is a process of its own; only its pauses are cut short.
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from attrs import define, field, frozen

from tests.forges import GITLAB_TOKEN, TOKEN, GitHub, GitLab, zipped

SCRIPTS = Path(__file__).parents[1] / ".github/actions/scripts"
HEAD, MERGE = "a" * 40, "c" * 40
_START = (
    "import runpy, sys, time; time.sleep = lambda seconds: None; "
    "sys.argv = sys.argv[1:]; sys.path[0] = sys.argv[0].rpartition('/')[0]; "
    "runpy.run_path(sys.argv[0], run_name='__main__')"
)


@frozen
class Step:
    """What one step said."""

    code: int
    out: str
    err: str
    outputs: dict[str, str]
    summary: str

    @property
    def annotations(self) -> list[str]:
        return [line for line in self.out.splitlines() if line.startswith("::")]


def run(script: str, *arguments: object, env: dict[str, str], folder: Path) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-c", _START, str(SCRIPTS / script), *map(str, arguments)]
    return subprocess.run(
        command, cwd=folder, env={**os.environ, **env}, capture_output=True, text=True, timeout=120, check=False
    )


@define
class Actions:
    """Jobs in one repository on GitHub; ``folder`` is what they have checked out."""

    hub: GitHub
    folder: Path
    temporary: Path
    run_id: int = 901
    event: dict[str, Any] = field(factory=dict)

    def step(self, script: str, **env: str) -> Step:
        outputs, summary, event = (self.temporary / name for name in ("outputs", "summary", "event.json"))
        outputs.write_text("")
        summary.write_text("")
        event.write_text(json.dumps(self.event))
        github = {
            "GITHUB_API_URL": self.hub.api.url,
            "GITHUB_SERVER_URL": "https://github.com",
            "GITHUB_TOKEN": TOKEN,
            "GITHUB_REPOSITORY": self.hub.name,
            "GITHUB_RUN_ID": str(self.run_id),
            "GITHUB_WORKFLOW_REF": f"{self.hub.name}/.github/workflows/pkgsync.yml@refs/heads/main",
            "GITHUB_EVENT_PATH": str(event),
            "GITHUB_OUTPUT": str(outputs),
            "GITHUB_STEP_SUMMARY": str(summary),
            "GITHUB_SHA": MERGE,
            "GITHUB_REF": "refs/heads/main",
            "RUNNER_TEMP": str(self.temporary),
            "CI": "true",
            "PKGSYNC_CONFIG": "pkgsync.yaml",
            "LOGIN": "github-actions[bot]",
        }
        done = run(script, env={**github, **env}, folder=self.folder)
        assert "Traceback" not in done.stderr, done.stderr
        assert TOKEN not in done.stdout + done.stderr
        lines = dict(line.split("=", 1) for line in outputs.read_text().splitlines())
        return Step(done.returncode, done.stdout, done.stderr, lines, summary.read_text())

    def opened(self, head: str = HEAD, number: int = 7, fork: str | None = None) -> dict[str, Any]:
        """The event of a pull request that was opened, or pushed to, with this head; its run is there too."""
        self.hub.pulls.clear()
        pull = self.hub.pull(number, head, fork)
        self.hub.run(self.run_id, head, head_repository=self.hub.repository(fork))
        self.event = {"action": "synchronize", "number": number, "pull_request": pull}
        return pull

    def upload(self, name: str, path: Path, **more: Any) -> dict[str, Any]:
        """What actions/upload-artifact makes of one file."""
        return self.hub.artifact(name, self.run_id, zipped({path.name: path.read_bytes()}), **more)


@define
class Pipeline:
    """Jobs in a pipeline of a merge request on GitLab."""

    lab: GitLab
    folder: Path

    def note(self, *arguments: object, commit: str = HEAD, **env: str) -> "subprocess.CompletedProcess[str]":
        gitlab = {
            "CI_API_V4_URL": f"{self.lab.api.url}/api/v4",
            "CI_MERGE_REQUEST_PROJECT_ID": "11",
            "CI_MERGE_REQUEST_IID": "7",
            "CI_COMMIT_SHA": commit,
            "CI_PIPELINE_URL": "https://gitlab.example/acme/packages/-/pipelines/33",
            "PKGSYNC_GITLAB_TOKEN": GITLAB_TOKEN,
            "PKGSYNC_CONFIG": "pkgsync.yaml",
        }
        done = run("gitlab_note.py", *arguments, env={**gitlab, **env}, folder=self.folder)
        assert "Traceback" not in done.stderr, done.stderr
        assert GITLAB_TOKEN not in done.stdout + done.stderr
        return done
