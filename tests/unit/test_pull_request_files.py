"""The actions, the example workflows and the hook: what GitHub and GitLab would make of the files alone."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
ACTIONS = ("apply", "comment", "plan", "snapshot")
PINNED = re.compile(r"actions/[a-z-]+@[0-9a-f]{40}")
OURS = re.compile(r"obs-pkgsync/pkgsync/\.github/actions/(apply|comment|plan|snapshot)@v[0-9.]+")
READ = {"contents": "read"}


def loaded(path: str) -> Any:
    return yaml.safe_load((ROOT / path).read_text())


WORKFLOW = loaded("examples/github/pkgsync.yml")
JOBS = WORKFLOW["jobs"]


def steps(action: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = loaded(f".github/actions/{action}/action.yml")["runs"]["steps"]
    return found


def test_every_action_has_its_script_and_reads_no_other() -> None:
    assert {path.parent.name for path in (ROOT / ".github/actions").glob("*/action.yml")} == set(ACTIONS)
    for action in ACTIONS:
        runs = [step["run"] for step in steps(action) if "run" in step]
        assert runs == [
            'bash "$GITHUB_ACTION_PATH/../scripts/install.sh"',
            f'exec "$RUNNER_TEMP/pkgsync-venv/bin/python" "$GITHUB_ACTION_PATH/../scripts/{action}.py"',
        ]
        assert (ROOT / f".github/actions/scripts/{action}.py").exists()


@pytest.mark.parametrize("action", ACTIONS)
def test_a_script_gets_the_variables_that_it_reads(action: str) -> None:
    (step,) = [step for step in steps(action) if step.get("id") == action or step["name"] == "Comment"]
    source = (ROOT / f".github/actions/scripts/{action}.py").read_text()
    asked = set(re.findall(r'(?:variable|environ\.get)\("([A-Z_]+)"', source))
    asked = {name for name in asked if not name.startswith("GITHUB_")}
    assert asked - {"RUNNER_TEMP"} <= set(step["env"])


@pytest.mark.parametrize("action", ACTIONS)
def test_an_output_is_one_that_the_script_writes(action: str) -> None:
    about = loaded(f".github/actions/{action}/action.yml")
    source = (ROOT / f".github/actions/scripts/{action}.py").read_text() + (
        ROOT / ".github/actions/scripts/plans.py"
    ).read_text()
    for name, output in about.get("outputs", {}).items():
        assert output["value"] == f"${{{{ steps.{action}.outputs.{name} }}}}"
        assert f'"{name}"' in source


def test_no_value_is_written_into_a_script() -> None:
    everything = [*JOBS.values(), *({"steps": steps(action)} for action in ACTIONS)]
    for step in (step for job in everything for step in job["steps"]):
        assert "${{" not in step.get("run", "")


def test_every_action_of_others_is_pinned_to_a_commit() -> None:
    everything = [*JOBS.values(), *({"steps": steps(action)} for action in ACTIONS)]
    used = [step["uses"] for job in everything for step in job["steps"] if "uses" in step]
    assert [name for name in used if not (PINNED.fullmatch(name) or OURS.fullmatch(name))] == []


def test_a_job_may_do_just_what_it_needs() -> None:
    assert WORKFLOW["permissions"] == {}
    assert {name: job["permissions"] for name, job in JOBS.items()} == {
        "outdated": {"pull-requests": "write"},
        "plan": READ,
        "comment": {"actions": "read", "pull-requests": "write", "statuses": "write"},
        "preview": {"actions": "read", "contents": "read"},
        "apply": {"actions": "read", "contents": "read", "pull-requests": "read", "statuses": "read"},
        "snapshot": READ,
    }


def test_what_writes_has_no_secret_and_a_fork_has_neither() -> None:
    with_secret = {name for name, job in JOBS.items() if "secrets." in yaml.safe_dump(job)}
    writing = {name for name, job in JOBS.items() if "write" in job["permissions"].values()}
    assert with_secret == {"plan", "apply", "snapshot"}
    assert writing == {"outdated", "comment"}
    # YAML 1.1 reads the key `on` as true
    assert set(WORKFLOW[True]) == {"pull_request", "push", "schedule"}
    own = "github.event.pull_request.head.repo.full_name == github.repository"
    assert own in JOBS["plan"]["if"]
    assert own in JOBS["outdated"]["if"]
    assert own.replace("==", "!=") in JOBS["preview"]["if"]
    assert JOBS["comment"]["needs"] == "plan"
    assert "needs.plan.result != 'skipped'" in JOBS["comment"]["if"]


def test_a_checkout_leaves_no_token_behind() -> None:
    checkouts = [
        step for job in JOBS.values() for step in job["steps"] if step.get("uses", "").startswith("actions/checkout@")
    ]
    assert len(checkouts) == 6
    assert all(step["with"]["persist-credentials"] is False for step in checkouts)


def test_inputs_are_ones_that_the_action_has() -> None:
    for step in (step for job in JOBS.values() for step in job["steps"]):
        if ours := OURS.fullmatch(step["uses"]):
            assert set(step.get("with", {})) <= set(loaded(f".github/actions/{ours[1]}/action.yml")["inputs"])


def test_gitlab_reports_counts_and_keeps_secrets_and_token_apart() -> None:
    head, jobs = yaml.safe_load_all((ROOT / "examples/gitlab/pkgsync.yml").read_text())
    assert set(head["spec"]["inputs"]) == {"config", "image", "backup-dir", "state-dir"}
    named = {name.partition(":")[0]: job for name, job in jobs.items() if not name.startswith(".")}
    assert {name: job["environment"]["name"] for name, job in named.items()} == {
        "pkgsync outdated": "pkgsync-note",
        "pkgsync plan": "pkgsync-plan",
        "pkgsync note": "pkgsync-note",
        "pkgsync apply": "pkgsync-apply",
    }
    assert named["pkgsync plan"]["artifacts"]["reports"] == {"terraform": "plan.gitlab.json"}
    assert named["pkgsync apply"]["rules"][0]["when"] == "manual"
    for job in named.values():
        assert "$[[" not in "".join(job["script"])
    # a file of the merge request itself must not be taken for the plan of a job that made none
    assert jobs[".pkgsync"]["variables"]["PLAN"] == "plan-$CI_COMMIT_SHA.json"
    assert named["pkgsync plan"]["artifacts"]["paths"] == ["$PLAN"]
    assert named["pkgsync note"]["script"] == ['python3 /opt/pkgsync/scripts/gitlab_note.py "$PLAN"']


def test_what_the_container_copies_is_there() -> None:
    lines = (ROOT / "examples/Containerfile").read_text().splitlines()
    sources = [name for line in lines if line.startswith("COPY ") for name in line.split()[1:-1]]
    assert [name for name in sources if not (ROOT / name).exists()] == []
    assert ".github/actions/scripts" in sources
    assert "/opt/pkgsync/scripts/gitlab_note.py" in (ROOT / "examples/gitlab/pkgsync.yml").read_text()


def test_the_hook_checks_the_config() -> None:
    (hook,) = loaded(".pre-commit-hooks.yaml")
    assert (hook["id"], hook["entry"], hook["language"]) == ("pkgsync-validate", "pkgsync validate", "python")
    assert re.search(hook["files"], "pkgsync.yaml")
