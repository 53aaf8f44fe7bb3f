"""The actions' scripts from the pull request to the apply after its merge, against a stand-in of GitHub's API."""

import json
from pathlib import Path

import pytest

from pkgsync.sandbox import make_rpm
from tests.cli_world import DELETE, Cli, open_cli
from tests.forges import BOT, Fault, Reply, open_github, zipped
from tests.pull_requests import HEAD, MERGE, Actions

CONTEXT = "pkgsync: pkgsync.yaml"
RUN = "https://github.com/acme/packages/actions/runs/901"
NEXT = "d" * 40


@pytest.fixture
def cli(tmp_path, monkeypatch):
    folder = tmp_path / "checkout"
    folder.mkdir()
    with open_cli(folder, monkeypatch) as cli:
        yield cli


@pytest.fixture
def actions(cli, tmp_path):
    with open_github() as hub:
        temporary = tmp_path / "runner"
        temporary.mkdir()
        actions = Actions(hub, cli.folder, temporary)
        actions.opened()
        yield actions


def planned(actions: Actions, head: str = HEAD, run_id: int = 901, **env: str):
    """The job `plan` of a push: its step, and the artifact that it keeps."""
    actions.run_id = run_id
    actions.opened(head)
    step = actions.step("plan.py", **env)
    assert step.code == 0, step.out + step.err
    actions.upload(step.outputs["artifact"], Path(step.outputs["plan"]))
    return step


def reviewed(actions: Actions):
    """Planned, commented and merged."""
    step = planned(actions)
    assert actions.step("comment.py").code == 0
    actions.hub.pulls[0] |= {"merged_at": "2026-11-26T10:00:00Z", "merge_commit_sha": MERGE}
    return step


def test_the_step_says_what_the_plan_holds(actions: Actions):
    step = planned(actions)
    plan = json.loads(Path(step.outputs["plan"]).read_text())
    assert step.outputs == {
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
        "plan": step.outputs["plan"],
        "artifact": step.outputs["artifact"],
    }
    assert step.summary.startswith("## pkgsync: `demo/testing`")
    assert step.annotations == []


def test_an_unsafe_plan_is_kept_shown_and_never_a_success(cli: Cli, actions: Actions):
    cli.in_step()
    for number in range(12):
        cli.put(make_rpm("hello", f"0.{number}"))
    cli.configure(**DELETE, limits={"deletions": 1, "deletions_percent": 100})
    cli.publish(make_rpm("hello", "1.0"))
    step = actions.step("plan.py")
    assert step.code == 3
    assert step.outputs["applyable"] == "false"
    assert int(step.outputs["deletions"]) > 1
    assert step.annotations[0].startswith("::error title=pkgsync::pkgsync.yaml: ")
    assert "--max-deletions" in step.annotations[0]
    actions.upload(step.outputs["artifact"], Path(step.outputs["plan"]))
    assert actions.step("comment.py").code == 0
    assert [(status["state"], status["description"]) for status in actions.hub.statuses] == [
        ("failure", "Unsafe: a limit is exceeded. The comment says which.")
    ]


def test_one_comment_and_a_status_that_binds_the_digest(actions: Actions):
    step = planned(actions)
    done = actions.step("comment.py")
    assert (done.code, done.out) == (0, "")
    (body,) = actions.hub.bodies()
    assert body.splitlines()[1] == "## pkgsync: `demo/testing`"
    assert body.endswith(f"<sub>Plan of aaaaaaa for `pkgsync.yaml`, by [this run]({RUN}).</sub>")
    assert actions.hub.statuses == [
        {
            "id": 1,
            "sha": HEAD,
            "creator": {"login": BOT},
            "state": "success",
            "context": CONTEXT,
            "description": f"{step.outputs['digest']} 2 uploads",
            "target_url": RUN,
        }
    ]


def test_the_comment_is_updated_in_place_wherever_it_stands(actions: Actions):
    for _ in range(130):
        actions.hub.comment("LGTM", "someone")
    planned(actions)
    actions.step("comment.py")
    (first,) = actions.hub.bodies()
    planned(actions, NEXT, 902)
    actions.step("comment.py")
    (body,) = actions.hub.bodies()
    assert "ddddddd" in body
    assert "aaaaaaa" not in body
    assert first.splitlines()[1:3] == body.splitlines()[1:3]


def test_another_ones_comment_with_our_marker_is_left_alone(actions: Actions):
    planned(actions)
    actions.step("comment.py")
    marker = actions.hub.comments.pop()["body"].splitlines()[0]
    forged = actions.hub.comment(f"{marker}\nNothing to see here.", "mallory")
    actions.step("comment.py")
    assert forged["body"] == f"{marker}\nNothing to see here."
    assert len(actions.hub.bodies()) == 1


def test_two_configs_have_two_comments(actions: Actions):
    planned(actions)
    actions.step("comment.py")
    (actions.folder / "other.yaml").write_text((actions.folder / "pkgsync.yaml").read_text())
    planned(actions, PKGSYNC_CONFIG="other.yaml")
    actions.step("comment.py", PKGSYNC_CONFIG="other.yaml")
    assert len(actions.hub.bodies()) == 2
    assert [status["context"] for status in actions.hub.statuses] == [CONTEXT, "pkgsync: other.yaml"]


def test_a_new_push_marks_the_comment_as_outdated_at_once_and_only_once(actions: Actions):
    planned(actions)
    actions.step("comment.py")
    actions.opened(NEXT)
    assert actions.step("comment.py", OUTDATED="true").code == 0
    (body,) = actions.hub.bodies()
    assert body.splitlines()[1:3] == [
        "> [!IMPORTANT]",
        "> **Outdated**: this is the plan of aaaaaaa; ddddddd was pushed since.",
    ]
    writes = len(actions.hub.api.asked("PATCH"))
    actions.step("comment.py", OUTDATED="true")
    assert len(actions.hub.api.asked("PATCH")) == writes
    planned(actions, NEXT, 902)
    actions.step("comment.py")
    assert "Outdated" not in actions.hub.bodies()[0]


def test_a_run_that_comes_late_writes_nothing(actions: Actions):
    planned(actions)
    actions.hub.pulls[0] = {**actions.hub.pulls[0], "head": {**actions.hub.pulls[0]["head"], "sha": NEXT}}
    done = actions.step("comment.py")
    assert done.code == 0
    assert done.annotations == [
        "::notice title=pkgsync::aaaaaaa is no longer the head of the pull request: nothing was written"
    ]
    assert (actions.hub.comments, actions.hub.statuses) == ([], [])


def test_one_line_when_nothing_changes(cli: Cli, actions: Actions):
    cli.in_step()
    planned(actions)
    actions.step("comment.py")
    (body,) = actions.hub.bodies()
    assert len(body.splitlines()) == 2
    assert actions.hub.statuses[0]["description"].endswith(" no changes")


def test_no_plan_is_said_and_an_older_one_no_longer_stands_there(cli: Cli, actions: Actions):
    planned(actions)
    actions.step("comment.py")
    actions.run_id = 902
    actions.opened(NEXT)
    step = actions.step("plan.py", PACKAGECLOUD_TOKEN="")
    assert step.code == 1
    assert step.outputs == {}
    assert step.annotations == [
        "::error title=pkgsync::pkgsync.yaml: pkgsync made no plan, exit code 7: a credential is missing or refused"
    ]
    assert actions.step("comment.py").code == 1
    assert [body.splitlines()[1:] for body in actions.hub.bodies()] == [
        [
            "> [!CAUTION]",
            "> **No plan**: pkgsync could not make one of ddddddd for `pkgsync.yaml`. "
            "[The run](https://github.com/acme/packages/actions/runs/902) says why.",
        ]
    ]
    assert actions.hub.statuses[-1]["state"] == "error"


def test_an_edited_plan_is_not_shown(actions: Actions):
    step = planned(actions)
    path = Path(step.outputs["plan"])
    path.write_text(path.read_text().replace("hello", "hullo"))
    actions.upload(step.outputs["artifact"], path)
    assert actions.step("comment.py").code == 1
    assert (actions.hub.comments, actions.hub.statuses) == ([], [])


@pytest.mark.parametrize(
    "reply",
    [
        Reply(403, {"message": "You have exceeded a secondary rate limit"}, {"Retry-After": "3"}),
        Reply(429, {"message": "slow down"}, {"Retry-After": "1"}),
        Reply(502, {"message": "Server Error"}),
    ],
)
def test_what_time_cures_is_tried_again(actions: Actions, reply: Reply):
    planned(actions)
    for method, path in [
        ("GET", ".*/comments"),
        ("POST", ".*/comments"),
        ("POST", ".*/statuses/.*"),
        ("GET", ".*/zip"),
        ("GET", ".*/artifacts"),
    ]:
        actions.hub.api.faults.append(Fault(method, path, reply))
    assert actions.step("comment.py").code == 0
    assert (len(actions.hub.comments), len(actions.hub.statuses)) == (1, 1)


@pytest.mark.parametrize("reply", [None, Reply(502, {"message": "Server Error"})])
def test_a_comment_whose_reply_was_lost_is_not_made_twice(actions: Actions, reply: Reply | None):
    planned(actions)
    actions.hub.api.faults.append(Fault("POST", ".*/comments", reply, done=True))
    assert actions.step("comment.py").code == 0
    assert (len(actions.hub.comments), len(actions.hub.statuses)) == (1, 1)


def test_a_refusal_is_told_and_not_repeated(actions: Actions):
    planned(actions)
    refusal = Reply(403, {"message": "Resource not accessible by integration"})
    actions.hub.api.faults.append(Fault("POST", ".*/comments", refusal))
    done = actions.step("comment.py")
    assert done.code == 1
    assert done.annotations == [
        "::error title=pkgsync::POST /repos/acme/packages/issues/7/comments: 403 "
        '"Resource not accessible by integration". See that the job has the `permissions` that the example workflow '
        "gives it."
    ]
    assert actions.hub.statuses == []


def test_a_next_page_elsewhere_gets_no_token(actions: Actions):
    planned(actions)
    elsewhere = Reply(200, [], {"Link": f'<{actions.hub.blobs.url}/steal>; rel="next"'})
    actions.hub.api.faults.append(Fault("GET", ".*/comments", elsewhere))
    assert actions.step("comment.py").code == 1
    assert "/steal" not in actions.hub.blobs.asked("GET")
    assert actions.hub.comments == []


def test_the_merge_applies_the_reviewed_plan(cli: Cli, actions: Actions):
    step = reviewed(actions)
    done = actions.step("apply.py")
    assert done.code == 0, done.out + done.err
    assert cli.names == {"opensuse/15.6/hello-1.0-1.x86_64.rpm", "ubuntu/jammy/hello_1.0-1_amd64.deb"}
    assert done.outputs["applied"] == "true"
    assert done.outputs["digest"] == step.outputs["digest"]
    assert json.loads(Path(done.outputs["receipt"]).read_text())["plan_digest"] == step.outputs["digest"]
    assert done.summary
    assert all("authorization" not in request.headers for request in actions.hub.blobs.requests)


def other_status(hub, **more):
    hub.status(HEAD, **{**{key: hub.statuses[0][key] for key in ("state", "context", "description", "target_url")}, **more})


FORGED = "sha256:" + "0" * 64
REFUSED = {
    "another digest": (lambda hub: other_status(hub, description=f"{FORGED} 2 uploads"), "but sha256:0000"),
    "somebody else's status": (lambda hub: other_status(hub, creator={"login": "mallory"}), "was not written by the job"),
    "a deleted account's status": (lambda hub: other_status(hub, creator=None), "was not written by the job"),
    "a failed plan after it": (lambda hub: other_status(hub, state="failure", description="Unsafe"), "cannot be applied: Unsafe"),
    "no status": (lambda hub: hub.statuses.clear(), "has no status"),
    "another repository's run": (
        lambda hub: other_status(hub, target_url=RUN.replace("acme/packages", "mallory/packages")),
        "names no digest and run",
    ),
    "a run by another name": (lambda hub: other_status(hub, target_url=f"{RUN}/../902"), "names no digest and run"),
    "another commit's run": (lambda hub: hub.runs[901].update(head_sha=NEXT), "is of the commit ddddddd"),
    "another workflow's run": (
        lambda hub: hub.runs[901].update(path=".github/workflows/other.yml"),
        "is of the workflow .github/workflows/other.yml",
    ),
    "a fork's run": (lambda hub: hub.runs[901].update(head_repository=hub.repository("mallory/packages")), "is of a fork"),
    "a deleted fork's run": (lambda hub: hub.runs[901].update(head_repository=None), "is of a fork"),
    "a run with a token for forks": (lambda hub: hub.runs[901].update(event="pull_request_target"), "was started by"),
    "an expired plan": (lambda hub: hub.artifacts[0].update(expired=True), "has expired"),
    "another run's plan": (lambda hub: hub.artifacts[0]["workflow_run"].update(id=902), "has no plan of"),
    "a preview": (lambda hub: hub.artifacts[0].update(name="pkgsync-preview-pkgsync"), "has no plan of"),
    "changed bytes": (lambda hub: hub.contents.update({500: zipped({"plan.json": b"{}"})}), "is not what the run uploaded"),
}


@pytest.mark.parametrize("change", REFUSED)
def test_what_is_not_the_reviewed_plan_is_not_applied(cli: Cli, actions: Actions, change: str):
    reviewed(actions)
    alter, said = REFUSED[change]
    alter(actions.hub)
    done = actions.step("apply.py")
    assert done.code == 1
    assert len(done.annotations) == 1
    assert said in done.annotations[0]
    assert "receipt" not in done.outputs
    assert cli.names == set()


def test_a_comment_says_nothing_to_apply(cli: Cli, actions: Actions):
    step = reviewed(actions)
    actions.hub.comments[0]["body"] = actions.hub.comments[0]["body"].replace(step.outputs["digest"], FORGED)
    assert actions.step("apply.py").outputs["digest"] == step.outputs["digest"]
    assert not any("/comments" in path for path in actions.hub.api.asked("GET")[-5:])


@pytest.mark.parametrize(
    ("merge", "kind"),
    [
        ({"merged_at": None}, "notice"),
        ({"merge_commit_sha": NEXT}, "notice"),
        ({"base": {"ref": "release", "sha": NEXT, "repo": {"full_name": "acme/packages"}}}, "notice"),
        ({"base": {"ref": "main", "sha": NEXT, "repo": {"full_name": "mallory/packages"}}}, "notice"),
        ({"head": {"ref": "main", "sha": HEAD, "repo": {"full_name": "mallory/packages"}}}, "warning"),
        ({"head": {"ref": "main", "sha": HEAD, "repo": None}}, "warning"),
    ],
)
def test_what_merged_no_reviewed_plan_applies_nothing(cli: Cli, actions: Actions, merge, kind):
    reviewed(actions)
    actions.hub.pulls[0] |= merge
    done = actions.step("apply.py")
    assert (done.code, done.outputs) == (0, {"applied": "false"})
    assert done.annotations[0].startswith(f"::{kind} ")
    assert cli.names == set()


HOSTILE = {
    "a path": zipped({"../plan.json": b"{}"}),
    "two files": zipped({"plan.json": b"{}", "other": b""}),
    "no zip": b"PK nonsense",
    "nothing": zipped({}),
    "a bomb": zipped({"plan.json": b"0" * (300 * 2**20)}),
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_hostile_artifact_is_refused_in_words(actions: Actions, kind: str):
    actions.hub.artifact(planned(actions).outputs["artifact"], 901, HOSTILE[kind])
    done = actions.step("comment.py")
    assert done.code == 1
    assert done.annotations[0].startswith("::error title=pkgsync::the artifact pkgsync-plan-pkgsync-")
    assert (actions.hub.comments, actions.hub.statuses) == ([], [])


def test_a_fork_gets_neither_comment_nor_status(actions: Actions):
    step = planned(actions)
    actions.opened(fork="mallory/packages")
    actions.upload(step.outputs["artifact"], Path(step.outputs["plan"]))
    done = actions.step("comment.py")
    assert done.code == 1
    assert (actions.hub.comments, actions.hub.statuses) == ([], [])
    assert actions.hub.api.asked("POST") == []
