"""From the pull request to the apply after its merge: the actions' scripts over the sandbox and a stand-in of GitHub."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pkgsync.sandbox import Kind, make_rpm
from tests.support.worlds.cli_world import DELETE, Cli, open_cli
from tests.support.worlds.forges import BOT, open_github
from tests.support.worlds.pull_requests import HEAD, NEXT, PLAN_NAME, Actions

RUN = "https://github.com/acme/packages/actions/runs/901"
SNAPSHOT_NAME = "pkgsync-snapshot-pkgsync-4ae331e5f1b79f8a"


@pytest.fixture
def cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cli]:
    folder = tmp_path / "checkout"
    folder.mkdir()
    with open_cli(folder, monkeypatch) as cli:
        yield cli


@pytest.fixture
def actions(cli: Cli, tmp_path: Path) -> Iterator[Actions]:
    with open_github() as hub:
        temporary = tmp_path / "runner"
        temporary.mkdir()
        actions = Actions(hub, cli.folder, temporary)
        actions.opened()
        yield actions


def test_what_is_reviewed_is_what_the_merge_applies(cli: Cli, actions: Actions) -> None:
    made = actions.step("plan", apart=True)
    plan = json.loads(Path(made.outputs["plan"]).read_text())
    assert made.code == 0
    assert made.outputs == {
        "changes": "2",
        "uploads": "2",
        "replacements": "0",
        "deletions": "0",
        "archivings": "0",
        "held": "0",
        "bytes": str(sum(upload["size"] for upload in plan["uploads"])),
        "digest": plan["digest"],
        "applyable": "true",
        "complete": "true",
        "plan": made.outputs["plan"],
        "artifact": PLAN_NAME,
    }
    assert "demo/testing" in made.summary
    assert made.annotations == []
    actions.upload(PLAN_NAME, made.outputs["plan"])

    assert actions.step("comment").code == 0
    assert actions.hub.statuses == [
        {
            "id": 1,
            "sha": HEAD,
            "creator": {"login": BOT},
            "state": "success",
            "context": "pkgsync: pkgsync.yaml",
            "description": f"{plan['digest']} 2 uploads",
            "target_url": RUN,
        }
    ]

    actions.merged()
    done = actions.step("apply", apart=True)
    assert done.code == 0, done.out + done.err
    assert cli.names == {"opensuse/15.6/hello-1.0-1.x86_64.rpm", "ubuntu/jammy/hello_1.0-1_amd64.deb"}
    assert (done.outputs["applied"], done.outputs["digest"]) == ("true", plan["digest"])
    assert json.loads(Path(done.outputs["receipt"]).read_text())["plan_digest"] == plan["digest"]
    assert "2 uploaded" in done.summary
    # the artifact's own host never saw the token
    assert [request.headers.get("authorization") for request in actions.hub.blobs.requests] == [None, None]


def test_an_unsafe_plan_is_kept_and_shown_and_bound_to_nothing(cli: Cli, actions: Actions) -> None:
    cli.in_step()
    for number in range(4):
        cli.put(make_rpm("hello", f"0.{number}"))
    cli.configure(**DELETE, limits={"deletions": 1, "deletions_percent": 100})
    made = actions.step("plan", apart=True)
    assert made.code == 3
    assert (made.outputs["applyable"], made.outputs["deletions"]) == ("false", "4")
    assert made.annotations[0].startswith("::error title=pkgsync::pkgsync.yaml: opensuse/15.6")
    assert made.annotations[-1] == "::warning title=pkgsync::pkgsync.yaml: 4 files would be deleted or archived."
    actions.upload(PLAN_NAME, made.outputs["plan"])
    assert actions.step("comment").code == 0
    assert "hello-0.3-1.x86_64.rpm" in actions.hub.bodies()[0]
    assert [(status["state"], status["description"]) for status in actions.hub.statuses] == [
        ("failure", "Unsafe: a limit is exceeded. The comment says which.")
    ]


def test_a_run_without_a_plan_says_why_and_gives_no_outputs(actions: Actions) -> None:
    made = actions.step("plan", apart=True, env={"PACKAGECLOUD_TOKEN": ""})
    assert (made.code, made.outputs) == (7, {})
    assert made.annotations == [
        "::error title=pkgsync::pkgsync.yaml: pkgsync made no plan, exit code 7: "
        "packagecloud.token names the environment variable PACKAGECLOUD_TOKEN, which is not set"
    ]


def test_a_folder_of_the_pull_request_is_not_what_runs(cli: Cli, actions: Actions) -> None:
    for name in ("pkgsync", "requests"):
        (cli.folder / name).mkdir()
        (cli.folder / name / "__init__.py").write_text("raise SystemExit('this is not pkgsync')\n")
        (cli.folder / name / "__main__.py").write_text("raise SystemExit('this is not pkgsync')\n")
    assert actions.step("plan", apart=True).code == 0


def test_a_cancelled_job_reaches_pkgsync(cli: Cli, actions: Actions) -> None:
    hanging = cli.packagecloud_fault(Kind.HANG, "packages.json", times=None)
    (cli.folder / "base.yaml").write_text((cli.folder / "pkgsync.yaml").read_text())
    made = actions.step("plan", apart=True, cancel=hanging.hit, base_config="base.yaml")
    assert (made.code, made.outputs) == (130, {})
    assert made.annotations == [
        "::error title=pkgsync::pkgsync.yaml: pkgsync made no plan, exit code 130: ended by SIGINT"
    ]


def test_where_nothing_changes_the_merge_does_nothing(cli: Cli, actions: Actions) -> None:
    cli.in_step()
    made = actions.step("plan", apart=True)
    assert (made.code, made.outputs["changes"]) == (0, "0")
    actions.upload(PLAN_NAME, made.outputs["plan"])
    actions.step("comment")
    actions.merged()
    assert actions.step("apply", apart=True).code == 0


def test_a_base_config_tells_changes_apart_and_one_that_cannot_is_left_out(cli: Cli, actions: Actions) -> None:
    config = cli.folder / "pkgsync.yaml"
    (cli.folder / "base.yaml").write_text(config.read_text())
    made = actions.step("plan", apart=True, base_config="base.yaml")
    assert made.code == 0
    assert len(json.loads(Path(made.outputs["plan"]).read_text())["base"]["causes"]) == 2
    (cli.folder / "base.yaml").write_text(config.read_text().replace("demo/testing", "demo/other"))
    made = actions.step("plan", apart=True, base_config="base.yaml")
    assert (made.code, made.outputs["uploads"]) == (0, "2")
    assert made.annotations == [
        "::notice title=pkgsync::pkgsync.yaml: planned without comparing it with the config before, see the log"
    ]
    assert actions.step("plan", apart=True, base_config="was-not-there.yaml").code == 0


def published(actions: Actions, run_id: int = 800, **run: Any) -> None:
    """The snapshot of the default branch, by a job of its own."""
    made = actions.step("snapshot", apart=True)
    assert made.code == 0, made.err
    about = {"event": "schedule", "head_branch": "main", **run}
    actions.hub.run(run_id, NEXT, **about)
    actions.run_id, before = run_id, actions.run_id
    actions.upload(made.outputs["artifact"], made.outputs["snapshot"])
    actions.run_id = before


def test_a_fork_is_planned_from_the_snapshot_without_a_secret(
    cli: Cli, actions: Actions, monkeypatch: pytest.MonkeyPatch
) -> None:
    published(actions)
    actions.opened(fork="mallory/packages")
    for name in ("PACKAGECLOUD_TOKEN", "OSC_USERNAME", "OSC_PASSWORD"):
        monkeypatch.delenv(name)
    made = actions.step("plan", apart=True, from_snapshot="true")
    assert made.code == 0, made.out + made.err
    assert (made.outputs["uploads"], made.outputs["artifact"]) == ("2", PLAN_NAME.replace("plan", "preview", 1))
    actions.upload(made.outputs["artifact"], made.outputs["plan"])
    assert actions.step("comment").code == 1
    assert actions.hub.api.asked("POST") == []


def test_a_snapshot_that_a_fork_made_is_not_the_one(actions: Actions) -> None:
    fork = actions.hub.repository("mallory/packages")
    published(actions, head_repository=fork)
    published(actions, 801, event="pull_request", head_branch="main")
    published(actions, 802, path=".github/workflows/other.yml")
    published(actions, 803, head_branch="topic")
    actions.opened(fork="mallory/packages")
    made = actions.step("plan", apart=True, from_snapshot="true")
    assert made.annotations == [
        f"::error title=pkgsync::there is no snapshot {SNAPSHOT_NAME} of main yet. "
        "Run the snapshot job there, then this one again."
    ]
