"""Shows a plan as a note of its merge request on GitLab, updated in place.

`gitlab_note.py PLAN`, or without an argument only marks the note of an earlier commit as outdated. Reads
PKGSYNC_CONFIG, PKGSYNC_GITLAB_TOKEN (a project access token with the scope `api`; CI_JOB_TOKEN may not write notes),
and what GitLab sets. Routes and fields are those of docs.gitlab.com/api/notes and /api/users.
"""

import os
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import notes
import plans
from notes import Note
from runner import variable
from web import Api, StepError


@dataclass(frozen=True)
class MergeRequest:
    """The notes of a merge request; ``path`` is its own below the API, ``user`` our id."""

    api: Api
    path: str
    user: int

    @classmethod
    def of_job(cls) -> "MergeRequest":
        """Raises StepError where this is no job of a merge request's pipeline."""
        headers = {"PRIVATE-TOKEN": variable("PKGSYNC_GITLAB_TOKEN"), "User-Agent": "pkgsync"}
        tip = "See that PKGSYNC_GITLAB_TOKEN has the scope `api` and the role Reporter or higher in this project."
        api = Api(variable("CI_API_V4_URL").rstrip("/"), headers, tip)
        project, number = int(variable("CI_MERGE_REQUEST_PROJECT_ID")), int(variable("CI_MERGE_REQUEST_IID"))
        return cls(api, f"/projects/{project}/merge_requests/{number}", api.get("/user")["id"])

    def head(self) -> str:
        sha: str = self.api.get(self.path)["sha"]
        return sha

    def own(self) -> Sequence[Note]:
        pages = self.api.pages(f"{self.path}/notes", sort="asc", order_by="created_at")
        ours = [note for page in pages for note in page if note["author"]["id"] == self.user and not note["system"]]
        return sorted((Note(note["id"], note["body"]) for note in ours), key=lambda note: note.id)

    def add(self, body: str) -> None:
        self.api.send("POST", f"{self.path}/notes", {"body": _inert(body)}, repeatable=False)

    def edit(self, note: Note, body: str) -> None:
        self.api.send("PUT", f"{self.path}/notes/{note.id}", {"body": _inert(body)})


def main(arguments: Sequence[str]) -> None:
    config, commit = variable("PKGSYNC_CONFIG"), _commit()
    request = MergeRequest.of_job()
    if request.head() != commit:
        sys.stdout.write(f"{commit[:7]} is no longer the head of the merge request: nothing was written\n")
    elif not arguments:
        notes.mark_outdated(request, config, commit)
    elif (plan := Path(arguments[0])).exists():
        notes.put(request, config, commit, notes.of_plan(plans.read(plan), config, commit, variable("CI_PIPELINE_URL")))
    else:
        notes.put(request, config, commit, notes.without_plan(config, commit, variable("CI_PIPELINE_URL")))


def _commit() -> str:
    """The head of the source branch; in a pipeline of merged results the job runs on another commit."""
    return os.environ.get("CI_MERGE_REQUEST_SOURCE_BRANCH_SHA") or variable("CI_COMMIT_SHA")


def _inert(body: str) -> str:
    """GitLab obeys a line that begins with a slash."""
    return re.sub(r"(?m)^(\s*)/", r"\1\\/", body)


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except StepError as error:
        sys.exit(f"error: {error}")
