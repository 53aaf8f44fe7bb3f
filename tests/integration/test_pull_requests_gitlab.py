"""The note of a plan in a merge request, against a stand-in of GitLab's API."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from pkgsync import planfile
from tests.support.values.samples import PLAN
from tests.support.worlds.forges import Fault, Reply, open_gitlab
from tests.support.worlds.pull_requests import HEAD, NEXT, Pipeline, with_deletions

PIPELINE = "https://gitlab.example/acme/packages/-/pipelines/33"


@pytest.fixture
def pipeline() -> Iterator[Pipeline]:
    with open_gitlab(HEAD) as lab:
        yield Pipeline(lab)


@pytest.fixture
def plan(tmp_path: Path) -> Path:
    path = tmp_path / "plan.json"
    planfile.write(planfile.with_digest(PLAN), path)
    return path


def bodies(pipeline: Pipeline, author: int = 5) -> list[str]:
    return [note["body"] for note in pipeline.lab.notes if note["author"]["id"] == author and not note["system"]]


def test_one_note_is_kept_up_to_date_in_place_wherever_it_stands(pipeline: Pipeline, plan: Path) -> None:
    for number in range(130):
        pipeline.lab.note(f"comment {number}", author=6)
    pipeline.lab.note(f"<!-- pkgsync 4ae331e5f1b79f8a {HEAD} -->\nforged", author=6)
    assert pipeline.note(plan).code == 0
    (body,) = bodies(pipeline)
    assert body.startswith(f"<!-- pkgsync 4ae331e5f1b79f8a {HEAD} -->\n")
    assert body.endswith(f"\n\n<sub>Plan of aaaaaaa for `pkgsync.yaml`, by [this run]({PIPELINE}).</sub>")
    pipeline.lab.head = NEXT
    assert pipeline.note(commit=NEXT).code == 0
    assert "**Outdated**: this is the plan of aaaaaaa; ddddddd was pushed since." in bodies(pipeline)[0]
    assert pipeline.note(plan, commit=NEXT).code == 0
    (body,) = bodies(pipeline)
    assert ("ddddddd" in body, "Outdated" in body) == (True, False)
    assert "forged" in bodies(pipeline, author=6)[-1]


def test_a_job_that_comes_late_writes_nothing(pipeline: Pipeline, plan: Path) -> None:
    done = pipeline.note(plan, commit=NEXT)
    assert done.out == "ddddddd is no longer the head of the merge request: nothing was written\n"
    assert pipeline.lab.notes == []


def test_in_a_pipeline_of_merged_results_the_head_is_the_branchs(pipeline: Pipeline, plan: Path) -> None:
    pipeline.note(plan, commit=NEXT, CI_MERGE_REQUEST_SOURCE_BRANCH_SHA=HEAD)
    assert len(bodies(pipeline)) == 1


def test_a_line_is_never_a_command_of_gitlab(pipeline: Pipeline, tmp_path: Path) -> None:
    hostile = replace(PLAN, warnings=("/merge", "/approve"))
    path = tmp_path / "plan.json"
    planfile.write(planfile.with_digest(hostile), path)
    pipeline.note(path)
    assert [line for line in bodies(pipeline)[0].splitlines() if line.lstrip().startswith("/")] == []


def test_deletions_that_do_not_fit_go_to_further_notes(pipeline: Pipeline, tmp_path: Path) -> None:
    path = tmp_path / "plan.json"
    planfile.write(planfile.with_digest(with_deletions(PLAN, 1500)), path)
    pipeline.note(path)
    assert len(bodies(pipeline)) > 1


def test_no_plan_is_said(pipeline: Pipeline, tmp_path: Path) -> None:
    assert pipeline.note(tmp_path / "plan.json").code == 0
    assert bodies(pipeline)[0].splitlines()[1:] == [
        "> [!CAUTION]",
        f"> **No plan**: pkgsync could not make one of aaaaaaa for `pkgsync.yaml`. [The run]({PIPELINE}) says why.",
    ]


@pytest.mark.parametrize("reply", [None, Reply(502, {"message": "Bad Gateway"})])
def test_a_note_whose_reply_was_lost_is_not_made_twice(pipeline: Pipeline, plan: Path, reply: Reply | None) -> None:
    pipeline.lab.api.faults.append(Fault("POST", ".*/notes", reply, done=True))
    assert pipeline.note(plan).code == 0
    assert len(bodies(pipeline)) == 1


def test_a_limit_is_waited_for(pipeline: Pipeline, plan: Path) -> None:
    for method in ("GET", "POST"):
        pipeline.lab.api.faults.append(Fault(method, ".*/notes", Reply(429, {}, {"Retry-After": "7"})))
    assert pipeline.note(plan).code == 0
    assert len(bodies(pipeline)) == 1


@pytest.mark.parametrize(
    ("env", "said"),
    [
        (
            {"PKGSYNC_GITLAB_TOKEN": "glpat-wrong"},
            'error: GET /user: 401 "401 Unauthorized". See that PKGSYNC_GITLAB_TOKEN has the scope `api` and the role '
            "Reporter or higher in this project.",
        ),
        ({"PKGSYNC_GITLAB_TOKEN": ""}, "error: the environment variable PKGSYNC_GITLAB_TOKEN is not set"),
    ],
)
def test_what_is_wrong_is_one_line(pipeline: Pipeline, plan: Path, env: dict[str, str], said: str) -> None:
    done = pipeline.note(plan, **env)
    assert (done.code, done.err) == (1, said)
