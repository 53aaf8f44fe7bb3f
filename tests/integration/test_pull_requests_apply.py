"""What is not provably the plan that was reviewed in the merged pull request is not applied."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.values.samples import PLAN
from tests.support.worlds.forges import GitHub, open_github, zipped
from tests.support.worlds.pull_requests import HEAD, NEXT, Actions

RUN = "https://github.com/acme/packages/actions/runs/901"
FORGED = "sha256:" + "0" * 64


@pytest.fixture
def actions(tmp_path: Path) -> Iterator[Actions]:
    """A plan that was shown, bound and merged. There is no config here: whatever reaches pkgsync fails otherwise."""
    with open_github() as hub:
        actions = Actions(hub, tmp_path, tmp_path)
        actions.planned(PLAN)
        assert actions.step("comment").code == 0
        actions.merged()
        yield actions


def test_the_reviewed_plan_reaches_pkgsync(actions: Actions) -> None:
    done = actions.step("apply", apart=True)
    assert done.annotations == [
        "::error title=pkgsync::pkgsync.yaml: pkgsync apply ended with exit code 64: no config file pkgsync.yaml"
    ]
    assert done.outputs["applied"] == "true"


def status(hub: GitHub, **more: Any) -> None:
    hub.status(
        HEAD, **{**{key: hub.statuses[0][key] for key in ("state", "context", "description", "target_url")}, **more}
    )


REFUSED: dict[str, tuple[Callable[[GitHub], object], str]] = {
    "another digest": (lambda hub: status(hub, description=f"{FORGED} 2 uploads"), f"but {FORGED} was reviewed"),
    "no digest": (lambda hub: status(hub, description="fine"), "names no digest and run"),
    "somebody else's status": (lambda hub: status(hub, creator={"login": "mallory"}), "was not written by the job"),
    "a deleted account's status": (lambda hub: status(hub, creator=None), "was not written by the job"),
    "a failed plan after it": (
        lambda hub: status(hub, state="failure", description="Unsafe"),
        "cannot be applied: Unsafe",
    ),
    "a plan in the making": (lambda hub: status(hub, state="pending"), "cannot be applied"),
    "no status": (lambda hub: hub.statuses.clear(), "has no status"),
    "another config's status": (lambda hub: hub.statuses[0].update(context="pkgsync: other.yaml"), "has no status"),
    "another repository's run": (
        lambda hub: status(hub, target_url=RUN.replace("acme/packages", "mallory/packages")),
        "names no digest and run",
    ),
    "another server's run": (
        lambda hub: status(hub, target_url=RUN.replace("github.com", "github.example")),
        "names no digest and run",
    ),
    "a run by another path": (lambda hub: status(hub, target_url=f"{RUN}/../902"), "names no digest and run"),
    "another commit's run": (lambda hub: hub.runs[901].update(head_sha=NEXT), "is of the commit ddddddd"),
    "another workflow's run": (
        lambda hub: hub.runs[901].update(path=".github/workflows/other.yml"),
        "is of the workflow .github/workflows/other.yml",
    ),
    "another base": (lambda hub: hub.runs[901].update(repository=hub.repository("mallory/packages")), "is of a fork"),
    "a fork's run": (
        lambda hub: hub.runs[901].update(head_repository=hub.repository("mallory/packages")),
        "is of a fork",
    ),
    "a deleted fork's run": (lambda hub: hub.runs[901].update(head_repository=None), "is of a fork"),
    "a run by push": (lambda hub: hub.runs[901].update(event="push"), "was started by push"),
    "a run with a fork's code": (lambda hub: hub.runs[901].update(event="pull_request_target"), "was started by"),
    "an expired plan": (lambda hub: hub.artifacts[0].update(expired=True), "has expired"),
    "a preview": (lambda hub: hub.artifacts[0].update(name="pkgsync-preview-pkgsync"), "has no plan of"),
    "changed bytes": (
        lambda hub: hub.contents.update({500: zipped({"plan.json": b"{}"})}),
        "is not what the run uploaded",
    ),
    "a cut plan": (
        lambda hub: hub.artifact(hub.artifacts[0]["name"], 901, zipped({"plan.json": b"{}"})),
        "no sound plan",
    ),
    "two merges": (lambda hub: hub.pulls.append({**hub.pulls[0], "number": 8}), "merges several pull requests"),
    "an answer unlike GitHub's": (lambda hub: hub.runs[901].pop("path"), "unexpected KeyError: 'path'"),
    "a path that is no text": (lambda hub: hub.runs[901].update(path=None), "unexpected AttributeError: "),
}


@pytest.mark.parametrize("change", REFUSED)
def test_any_doubt_ends_it(actions: Actions, change: str) -> None:
    alter, said = REFUSED[change]
    alter(actions.hub)
    done = actions.step("apply")
    assert (done.code, done.outputs) == (1, {})
    assert len(done.annotations) == 1
    assert said in done.annotations[0]


def test_a_workflow_path_may_name_its_reference(actions: Actions) -> None:
    actions.hub.runs[901]["path"] += "@refs/pull/7/merge"
    assert actions.step("apply", apart=True).outputs["applied"] == "true"


def test_no_comment_is_read(actions: Actions) -> None:
    before = len(actions.hub.api.requests)
    actions.step("apply", apart=True)
    assert [request.path for request in actions.hub.api.requests[before:]] == [
        f"/repos/acme/packages/commits/{'c' * 40}/pulls",
        f"/repos/acme/packages/commits/{HEAD}/statuses",
        "/repos/acme/packages/actions/runs/901",
        "/repos/acme/packages/actions/runs/901/artifacts",
        "/repos/acme/packages/actions/artifacts/500/zip",
    ]


def repository(name: str) -> dict[str, str]:
    return {"full_name": name}


@pytest.mark.parametrize(
    ("merge", "kind"),
    [
        ({"merged_at": None}, "notice"),
        ({"merge_commit_sha": NEXT}, "notice"),
        ({"base": {"ref": "release", "repo": repository("acme/packages")}}, "notice"),
        ({"base": {"ref": "main", "repo": repository("mallory/packages")}}, "notice"),
        ({"head": {"sha": HEAD, "repo": repository("mallory/packages")}}, "warning"),
        ({"head": {"sha": HEAD, "repo": None}}, "warning"),
    ],
)
def test_a_commit_that_merges_no_reviewed_plan_applies_nothing(
    actions: Actions, merge: dict[str, Any], kind: str
) -> None:
    actions.hub.pulls[0] |= merge
    done = actions.step("apply")
    assert (done.code, done.outputs) == (0, {"applied": "false"})
    assert done.annotations[0].startswith(f"::{kind} ")
