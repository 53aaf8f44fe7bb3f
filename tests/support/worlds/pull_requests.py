"""A job of GitHub Actions, or of GitLab, that runs one script of the actions as the runner would."""

import json
import os
import re
import runpy
import signal
import subprocess
import sys
from collections.abc import Mapping
from contextlib import redirect_stderr, redirect_stdout
from io import StringIO
from pathlib import Path
from threading import Event
from typing import Any

import pytest
import yaml
from attrs import define, field, frozen
from msgspec.structs import replace

from pkgsync import planfile
from pkgsync.model import Plan
from tests.support.worlds.forges import GITLAB_TOKEN, TOKEN, GitHub, GitLab, zipped

ROOT = Path(__file__).parents[3]
ACTIONS = ROOT / ".github/actions"
SCRIPTS = ACTIONS / "scripts"
HEAD, NEXT, MERGE = "a" * 40, "d" * 40, "c" * 40
PLAN_NAME = "pkgsync-plan-pkgsync-4ae331e5f1b79f8a"
"""Of the artifact for pkgsync.yaml: the start of that name's sha256."""


@frozen
class Done:
    """What one script said."""

    code: int
    out: str
    err: str

    @property
    def annotations(self) -> list[str]:
        return [line for line in self.out.splitlines() if line.startswith("::")]


@frozen
class Step(Done):
    outputs: dict[str, str]
    summary: str


def here(script: str, arguments: list[str], env: Mapping[str, str]) -> Done:
    """A script that starts no other program, in this process and without its pauses."""
    out, err = StringIO(), StringIO()
    code: Any = 0
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(out), redirect_stderr(err):
        patch.syspath_prepend(SCRIPTS)
        patch.setattr("time.sleep", lambda seconds: None)
        patch.setattr(sys, "argv", [script, *arguments])
        for name, value in env.items():
            patch.setenv(name, value)
        try:
            runpy.run_path(str(SCRIPTS / script), run_name="__main__")
        except SystemExit as end:
            code = end.code
    return Done(code, out.getvalue(), err.getvalue()) if isinstance(code, int) else Done(1, out.getvalue(), str(code))


def process(command: str, folder: Path, env: Mapping[str, str], cancel: Event | None) -> Done:
    """What bash makes of a step's command; it is told to end once ``cancel`` is set."""
    with subprocess.Popen(
        ["bash", "-e", "-c", command],
        cwd=folder,
        env={**os.environ, **env},
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as started:
        try:
            if cancel is not None:
                assert cancel.wait(60)
                started.send_signal(signal.SIGINT)
            out, err = started.communicate(timeout=120)
        finally:
            started.kill()
    return Done(started.returncode, out, err)


def evaluated(expression: str, inputs: Mapping[str, str]) -> str:
    """An expression of an action as the runner evaluates it, of the two forms that ours have."""
    inner = expression.removeprefix("${{ ").removesuffix(" }}")
    if match := re.fullmatch(r"inputs\.([a-z-]+) == '([a-z]+)' && (inputs\.[a-z-]+) \|\| ''", inner):
        return evaluated(match[3], inputs) if inputs[match[1]] == match[2] else ""
    return inputs[inner.removeprefix("inputs.")].replace("${{ github.token }}", TOKEN)


@define
class Actions:
    """Jobs in one repository on GitHub; ``folder`` is what they have checked out."""

    hub: GitHub
    folder: Path
    temporary: Path
    run_id: int = 901
    event: dict[str, Any] = field(factory=dict)

    def step(
        self,
        action: str,
        *,
        apart: bool = False,
        cancel: Event | None = None,
        env: Mapping[str, str] | None = None,
        **inputs: str,
    ) -> Step:
        """The step of an action that runs its script, with these inputs.

        ``apart``: by the action's own command, in a process whose job is cancelled once ``cancel`` is set.
        """
        about = yaml.safe_load((ACTIONS / action / "action.yml").read_text())
        (step,) = (step for step in about["runs"]["steps"] if f"/{action}.py" in step.get("run", ""))
        values = {name: str(value["default"]) for name, value in about["inputs"].items()}
        values |= {name.replace("_", "-"): value for name, value in inputs.items()}
        outputs, summary, event = (self.temporary / name for name in ("outputs", "summary", "event.json"))
        outputs.write_text("")
        summary.write_text("")
        event.write_text(json.dumps(self.event))
        given = {
            "GITHUB_API_URL": self.hub.api.url,
            "GITHUB_SERVER_URL": "https://github.com",
            "GITHUB_REPOSITORY": self.hub.name,
            "GITHUB_RUN_ID": str(self.run_id),
            "GITHUB_WORKFLOW_REF": f"{self.hub.name}/.github/workflows/pkgsync.yml@refs/heads/main",
            "GITHUB_EVENT_PATH": str(event),
            "GITHUB_OUTPUT": str(outputs),
            "GITHUB_STEP_SUMMARY": str(summary),
            "GITHUB_SHA": MERGE,
            "GITHUB_REF": "refs/heads/main",
            "RUNNER_TEMP": str(self.temporary),
            "GITHUB_ACTION_PATH": str(ACTIONS / action),
            "CI": "true",
            **(env or {}),
            **{name: evaluated(value, values) for name, value in step["env"].items()},
        }
        # what the step before has installed
        if not (venv := self.temporary / "pkgsync-venv").exists():
            venv.symlink_to(sys.prefix)
        done = process(step["run"], self.folder, given, cancel) if apart else here(f"{action}.py", [], given)
        assert "Traceback" not in done.err, done.err
        assert TOKEN not in done.out + done.err
        lines = dict(line.split("=", 1) for line in outputs.read_text().splitlines())
        return Step(done.code, done.out, done.err, lines, summary.read_text())

    def opened(self, head: str = HEAD, run_id: int = 901, fork: str | None = None) -> dict[str, Any]:
        """A pull request was opened, or pushed to, with this head; its run is there too."""
        self.run_id = run_id
        self.hub.pulls.clear()
        pull = self.hub.pull(7, head, fork)
        self.hub.run(run_id, head, head_repository=self.hub.repository(fork))
        self.event = {"action": "synchronize", "number": 7, "pull_request": pull}
        return pull

    def upload(self, name: str, path: str | Path, **more: Any) -> dict[str, Any]:
        """What actions/upload-artifact makes of one file."""
        path = Path(path)
        return self.hub.artifact(name, self.run_id, zipped({path.name: path.read_bytes()}), **more)

    def planned(self, plan: Plan, head: str = HEAD, run_id: int = 901, config: str = PLAN_NAME) -> Plan:
        """A push whose job `plan` made this plan."""
        self.opened(head, run_id)
        made = planfile.with_digest(plan)
        self.hub.artifact(config, run_id, zipped({"plan.json": planfile.dumps(made)}))
        return made

    def merged(self) -> None:
        self.hub.pulls[0] |= {"merged_at": "2026-11-26T10:00:00Z", "merge_commit_sha": MERGE}


@define
class Pipeline:
    """Jobs in a pipeline of a merge request on GitLab."""

    lab: GitLab

    def note(self, *arguments: object, commit: str = HEAD, **env: str) -> Done:
        given = {
            "CI_API_V4_URL": f"{self.lab.api.url}/api/v4",
            "CI_MERGE_REQUEST_PROJECT_ID": "11",
            "CI_MERGE_REQUEST_IID": "7",
            "CI_COMMIT_SHA": commit,
            "CI_PIPELINE_URL": "https://gitlab.example/acme/packages/-/pipelines/33",
            "PKGSYNC_GITLAB_TOKEN": GITLAB_TOKEN,
            "PKGSYNC_CONFIG": "pkgsync.yaml",
            **env,
        }
        done = here("gitlab_note.py", [str(argument) for argument in arguments], given)
        assert GITLAB_TOKEN not in done.out + done.err
        return done


def with_deletions(plan: Plan, number: int) -> Plan:
    """The plan with so many deletions, each of another file, and the counts for them."""
    one = plan.deletions[0]
    deletions = tuple(replace(one, filename=f"{place:05}-{one.filename}") for place in range(number))
    summary, there = plan.summary, plan.summary.distributions[one.distribution]
    here = replace(there, deletions=number)
    return replace(
        plan,
        deletions=deletions,
        summary=replace(
            summary,
            total=replace(summary.total, deletions=number),
            distributions={**summary.distributions, one.distribution: here},
        ),
    )
