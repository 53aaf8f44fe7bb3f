"""The comment of a plan: one per config, ours alone, in place, and never twice; against a stand-in of GitHub."""

import io
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from pkgsync.model import Counts, Summary
from tests.support.values.samples import PLAN
from tests.support.worlds.forges import Fault, Reply, open_github, zipped
from tests.support.worlds.pull_requests import HEAD, NEXT, PLAN_NAME, Actions, with_deletions

NO_CHANGES = replace(
    PLAN,
    uploads=(),
    replacements=(),
    deletions=(),
    archivings=(),
    held=(),
    warnings=(),
    summary=Summary(
        total=Counts(unchanged=5, rows=5), unmanaged=0, distributions={"opensuse/15.6": Counts(unchanged=5, rows=5)}
    ),
)
RUN = "https://github.com/acme/packages/actions/runs/901"


@pytest.fixture
def actions(tmp_path: Path) -> Iterator[Actions]:
    with open_github() as hub:
        yield Actions(hub, tmp_path, tmp_path)


def test_the_comment_begins_with_a_marker_and_ends_with_the_commit(actions: Actions) -> None:
    actions.planned(PLAN)
    done = actions.step("comment")
    assert (done.code, done.out) == (0, "")
    (body,) = actions.hub.bodies()
    assert body.startswith(f"<!-- pkgsync 4ae331e5f1b79f8a {HEAD} -->\n")
    assert body.endswith(f"\n\n<sub>Plan of aaaaaaa for `pkgsync.yaml`, by [this run]({RUN}).</sub>")


def test_it_is_updated_in_place_wherever_it_stands(actions: Actions) -> None:
    actions.planned(PLAN)
    for _ in range(130):
        actions.hub.comment("LGTM", "someone")
    actions.step("comment")
    actions.planned(PLAN, NEXT, 902)
    actions.step("comment")
    (body,) = actions.hub.bodies()
    assert "ddddddd" in body
    assert "aaaaaaa" not in body
    assert [(status["sha"], status["state"]) for status in actions.hub.statuses] == [
        (HEAD, "success"),
        (NEXT, "success"),
    ]


def test_the_same_plan_again_writes_no_comment(actions: Actions) -> None:
    actions.planned(PLAN)
    actions.step("comment")
    actions.step("comment")
    assert actions.hub.api.asked("PATCH") == []
    assert len(actions.hub.bodies()) == 1


def test_another_ones_comment_with_our_marker_is_left_alone(actions: Actions) -> None:
    actions.planned(PLAN)
    forged = actions.hub.comment(f"<!-- pkgsync 4ae331e5f1b79f8a {HEAD} -->\nNothing to see here.", "mallory")
    quoted = actions.hub.comment("> <!-- pkgsync 4ae331e5f1b79f8a -->\nquoted by another workflow")
    actions.step("comment")
    assert forged["body"].endswith("\nNothing to see here.")
    assert quoted["body"].endswith("\nquoted by another workflow")
    assert len(actions.hub.comments) == 3


def test_two_configs_have_two_comments(actions: Actions) -> None:
    actions.planned(PLAN)
    actions.step("comment")
    actions.planned(PLAN, config="pkgsync-plan-other-021979df6f599489")
    actions.step("comment", config="other.yaml")
    assert len(actions.hub.bodies()) == 2
    assert [status["context"] for status in actions.hub.statuses] == ["pkgsync: pkgsync.yaml", "pkgsync: other.yaml"]


def test_a_new_push_marks_it_as_outdated_at_once_and_only_once(actions: Actions) -> None:
    actions.planned(PLAN)
    actions.step("comment")
    (before,) = actions.hub.bodies()
    actions.opened(NEXT, 902)
    for _ in range(2):
        assert actions.step("comment", outdated="true").code == 0
    (body,) = actions.hub.bodies()
    assert body.splitlines()[:4] == [
        "<!-- pkgsync 4ae331e5f1b79f8a outdated -->",
        "> [!IMPORTANT]",
        "> **Outdated**: this is the plan of aaaaaaa; ddddddd was pushed since.",
        "",
    ]
    assert body.endswith(before.partition("\n")[2])
    assert len(actions.hub.api.asked("PATCH")) == 1
    actions.planned(PLAN, NEXT, 902)
    actions.step("comment")
    assert "Outdated" not in actions.hub.bodies()[0]


@pytest.mark.parametrize("outdated", ["true", "false"])
def test_a_run_that_comes_late_writes_nothing(actions: Actions, outdated: str) -> None:
    actions.planned(PLAN)
    actions.hub.pulls[0] = {**actions.hub.pulls[0], "head": {**actions.hub.pulls[0]["head"], "sha": NEXT}}
    done = actions.step("comment", outdated=outdated)
    assert done.code == 0
    assert done.annotations == [
        "::notice title=pkgsync::aaaaaaa is no longer the head of the pull request: nothing was written"
    ]
    assert (actions.hub.comments, actions.hub.statuses) == ([], [])


def test_one_line_when_nothing_changes(actions: Actions) -> None:
    actions.planned(NO_CHANGES)
    actions.step("comment")
    (body,) = actions.hub.bodies()
    assert len(body.splitlines()) == 2
    assert actions.hub.statuses[0]["description"].endswith(" no changes")


def test_deletions_that_do_not_fit_go_to_further_comments_and_back(actions: Actions) -> None:
    actions.planned(with_deletions(PLAN, 1500))
    assert actions.step("comment").code == 0
    bodies = actions.hub.bodies()
    assert len(bodies) > 1
    assert all(len(body) <= 65_536 for body in bodies)
    assert sum(body.count(f"{place:05}-hello") for body in bodies for place in range(1500)) >= 1500
    actions.planned(PLAN, NEXT, 902)
    actions.step("comment")
    assert [body.splitlines()[1:] for body in actions.hub.bodies()[1:]] == [
        ["The plan fits into the comments above."] for _ in bodies[1:]
    ]
    actions.planned(with_deletions(PLAN, 1500), HEAD, 903)
    actions.step("comment")
    assert len(actions.hub.bodies()) == len(bodies)


def test_a_run_without_a_plan_leaves_no_older_one_there(actions: Actions) -> None:
    actions.planned(PLAN)
    actions.step("comment")
    actions.opened(NEXT, 902)
    assert actions.step("comment").code == 1
    assert [body.splitlines()[1:] for body in actions.hub.bodies()] == [
        [
            "> [!CAUTION]",
            "> **No plan**: pkgsync could not make one of ddddddd for `pkgsync.yaml`. "
            "[The run](https://github.com/acme/packages/actions/runs/902) says why.",
        ]
    ]
    assert (actions.hub.statuses[-1]["sha"], actions.hub.statuses[-1]["state"]) == (NEXT, "error")


def test_an_incomplete_plan_is_bound_to_nothing(actions: Actions) -> None:
    actions.planned(replace(PLAN, complete=False))
    assert actions.step("comment").code == 0
    assert [status["state"] for status in actions.hub.statuses] == ["failure"]


def damaged(method: int) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", method) as archive:
        archive.writestr("plan.json", bytes(range(256)) * 4)
    data = bytearray(stream.getvalue())
    data[60:200] = b"\xff" * 140
    return bytes(data)


HOSTILE = {
    "damaged": damaged(zipfile.ZIP_DEFLATED),
    "damaged, packed by lzma": damaged(zipfile.ZIP_LZMA),
    "a path": zipped({"../plan.json": b"{}"}),
    "two files": zipped({"plan.json": b"{}", "other": b""}),
    "nothing": zipped({}),
    "no zip": b"PK nonsense",
    "a bomb": zipped({"plan.json": b"0" * (300 * 2**20)}),
    "no plan": zipped({"plan.json": b"{}"}),
    "no JSON": zipped({"plan.json": b"\xff"}),
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_hostile_artifact_is_refused_in_words(actions: Actions, kind: str) -> None:
    actions.opened()
    actions.hub.artifact(PLAN_NAME, 901, HOSTILE[kind])
    done = actions.step("comment")
    assert done.code == 1
    assert done.annotations[0].startswith(
        (
            "::error title=pkgsync::the artifact pkgsync-plan-pkgsync-",
            "::error title=pkgsync::plan.json is no sound plan: ",
        )
    )
    assert (actions.hub.comments, actions.hub.statuses) == ([], [])


def test_an_edited_plan_is_not_shown(actions: Actions) -> None:
    actions.planned(PLAN)
    number = actions.hub.artifacts[0]["id"]
    edited = actions.hub.contents[number]
    plan = zipfile.ZipFile(io.BytesIO(edited)).read("plan.json").replace(b"hello-tool", b"hullo-tool")
    actions.hub.artifacts.clear()
    actions.hub.artifact(PLAN_NAME, 901, zipped({"plan.json": plan}))
    assert actions.step("comment").code == 1
    assert (actions.hub.comments, actions.hub.statuses) == ([], [])


@pytest.mark.parametrize(
    "reply",
    [
        Reply(403, {"message": "You have exceeded a secondary rate limit"}, {"Retry-After": "3"}),
        Reply(403, {"message": "API rate limit exceeded"}, {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "1"}),
        Reply(429, {"message": "slow down"}, {"Retry-After": "1"}),
        Reply(502, b"<html>Bad Gateway</html>"),
        None,
    ],
)
def test_what_time_cures_is_tried_again(actions: Actions, reply: Reply | None) -> None:
    actions.planned(PLAN)
    for method, path in [
        ("GET", ".*/pulls/7"),
        ("GET", ".*/comments"),
        ("POST", ".*/comments"),
        ("POST", ".*/statuses/.*"),
        ("GET", ".*/zip"),
        ("GET", ".*/artifacts"),
    ]:
        actions.hub.api.faults.append(Fault(method, path, reply))
    actions.hub.blobs.faults.append(Fault("GET", "/zip/.*", Reply(503) if reply else None))
    assert actions.step("comment").code == 0
    assert (len(actions.hub.comments), len(actions.hub.statuses)) == (1, 1)


@pytest.mark.parametrize("reply", [None, Reply(502, {"message": "Server Error"})])
def test_a_comment_whose_reply_was_lost_is_not_made_twice(actions: Actions, reply: Reply | None) -> None:
    actions.planned(PLAN)
    actions.hub.api.faults.append(Fault("POST", ".*/comments", reply, done=True))
    assert actions.step("comment").code == 0
    assert (len(actions.hub.comments), len(actions.hub.statuses)) == (1, 1)


def test_a_refusal_is_told_and_not_repeated(actions: Actions) -> None:
    actions.planned(PLAN)
    refusal = Reply(403, {"message": "Resource not accessible by integration"})
    actions.hub.api.faults.append(Fault("POST", ".*/comments", refusal))
    done = actions.step("comment")
    assert done.code == 1
    assert done.annotations == [
        "::error title=pkgsync::POST /repos/acme/packages/issues/7/comments: 403 "
        '"Resource not accessible by integration". See that the job has the `permissions` that the example workflow '
        "gives it."
    ]
    assert actions.hub.statuses == []


def test_a_redirect_is_not_taken_for_done(actions: Actions) -> None:
    actions.planned(PLAN)
    moved = Reply(307, {}, {"Location": f"{actions.hub.blobs.url}/elsewhere"})
    actions.hub.api.faults.append(Fault("POST", ".*/comments", moved))
    assert actions.step("comment").code == 1
    assert actions.hub.statuses == []
    assert "/elsewhere" not in actions.hub.blobs.asked("POST")


def test_a_limit_that_lasts_is_not_waited_for(actions: Actions) -> None:
    actions.planned(PLAN)
    actions.hub.api.faults.append(Fault("GET", ".*/comments", Reply(429, {"message": "slow"}, {"Retry-After": "3600"})))
    done = actions.step("comment")
    assert done.annotations == [
        '::error title=pkgsync::GET /repos/acme/packages/issues/7/comments: 429 "slow", for 3600 s. '
        "Run the job again later."
    ]


def test_a_next_page_elsewhere_gets_no_token(actions: Actions) -> None:
    actions.planned(PLAN)
    elsewhere = Reply(200, [], {"Link": f'<{actions.hub.blobs.url}/steal>; rel="next"'})
    actions.hub.api.faults.append(Fault("GET", ".*/comments", elsewhere))
    assert actions.step("comment").code == 1
    assert "/steal" not in actions.hub.blobs.asked("GET")
    assert actions.hub.comments == []


@pytest.mark.parametrize("fork", ["mallory/packages", "acme/packages2"])
def test_a_fork_gets_neither_comment_nor_status(actions: Actions, fork: str) -> None:
    actions.planned(PLAN)
    actions.opened(fork=fork)
    done = actions.step("comment")
    assert done.code == 1
    assert (actions.hub.comments, actions.hub.statuses) == ([], [])
    assert actions.hub.api.requests == []


def test_outside_of_a_pull_request_it_says_so(actions: Actions) -> None:
    actions.event = {"action": "push"}
    done = actions.step("comment")
    assert done.annotations == ["::error title=pkgsync::this step belongs into a workflow on `pull_request`"]
