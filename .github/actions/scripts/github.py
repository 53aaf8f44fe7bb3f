"""GitHub as a job sees it: its own run, pull requests, comments, statuses and artifacts.

Routes and fields are those of docs.github.com/rest, version 2022-11-28.
"""

import hashlib
import io
import json
import os
import re
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import plans
from notes import Note
from runner import variable
from web import Api, StepError, download

MAX_ZIP = 64 * 2**20
MAX_FILE = 256 * 2**20
"""Bytes; pkgsync itself reads no larger file."""
OWN_EVENTS = ("push", "schedule", "workflow_dispatch")
"""What starts a workflow only from this repository's own branches."""
_SHA = re.compile(r"[0-9a-f]{40}")


@dataclass(frozen=True)
class Repository:
    """One repository, by its full name, with the token of the job."""

    api: Api
    name: str

    @classmethod
    def of_job(cls) -> "Repository":
        """Raises StepError where this is no job of GitHub Actions."""
        headers = {
            "Authorization": f"Bearer {variable('GITHUB_TOKEN')}",
            "Accept": "application/vnd.github+json",
            "X-GitHub-Api-Version": "2022-11-28",
            "User-Agent": "pkgsync",
        }
        tip = "See that the job has the `permissions` that the example workflow gives it."
        base = os.environ.get("GITHUB_API_URL") or "https://api.github.com"
        return cls(Api(base.rstrip("/"), headers, tip), variable("GITHUB_REPOSITORY"))

    def get(self, path: str) -> Any:
        return self.api.get(f"/repos/{self.name}{path}")

    def listed(self, path: str, inside: str = "", **parameters: str) -> Iterator[dict[str, Any]]:
        """The items of all pages; ``inside`` names the list where a page is an object."""
        for page in self.api.pages(f"/repos/{self.name}{path}", **parameters):
            yield from page[inside] if inside else page

    def is_ours(self, other: dict[str, Any] | None) -> bool:
        """Whether a repository that GitHub names is this one, and no fork or a deleted one."""
        return other is not None and other["full_name"].casefold() == self.name.casefold()

    def set_status(self, commit: str, state: str, context: str, description: str, run: str) -> None:
        body = {"state": state, "context": context, "description": description[:140], "target_url": run}
        self.api.send("POST", f"/repos/{self.name}/statuses/{commit}", body)


@dataclass(frozen=True)
class Comments:
    """The comments of a pull request. ``login`` is our own: a marker alone could be anybody's."""

    repository: Repository
    number: int
    login: str

    def own(self) -> Sequence[Note]:
        found = self.repository.listed(f"/issues/{self.number}/comments")
        ours = [Note(c["id"], c["body"] or "") for c in found if is_login(c["user"], self.login)]
        return sorted(ours, key=lambda note: note.id)

    def add(self, body: str) -> None:
        path = f"/repos/{self.repository.name}/issues/{self.number}/comments"
        self.repository.api.send("POST", path, {"body": body}, repeatable=False)

    def edit(self, note: Note, body: str) -> None:
        path = f"/repos/{self.repository.name}/issues/comments/{note.id}"
        self.repository.api.send("PATCH", path, {"body": body})


def is_login(user: dict[str, Any] | None, login: str) -> bool:
    # null: the account is gone
    return user is not None and user["login"].casefold() == login.casefold()


def pull_request() -> dict[str, Any]:
    """The pull request of this run's event. Raises StepError."""
    event = json.loads(Path(variable("GITHUB_EVENT_PATH")).read_text(encoding="utf-8"))
    if "pull_request" not in event:
        raise StepError("this step belongs into a workflow on `pull_request`")
    found: dict[str, Any] = event["pull_request"]
    return found


def sha(text: object) -> str:
    """A commit's sum, as part of a path. Raises StepError."""
    if not isinstance(text, str) or not _SHA.fullmatch(text):
        raise StepError(f"{text!r} is not the sha of a commit")
    return text


def run_url(run: int | str, repository: str) -> str:
    return f"{os.environ.get('GITHUB_SERVER_URL') or 'https://github.com'}/{repository}/actions/runs/{run}"


def status_context(config: str) -> str:
    return f"pkgsync: {config}"


def own_workflow(repository: str) -> str:
    """The path of the workflow file that this job belongs to. Raises StepError."""
    reference = variable("GITHUB_WORKFLOW_REF")
    path, _, _ = reference.removeprefix(f"{repository}/").partition("@")
    if not path.startswith(".github/workflows/"):
        raise StepError(f"{reference!r} is no workflow of {repository}")
    return path


def check_run(repository: Repository, run: dict[str, Any], events: Sequence[str]) -> None:
    """Raises StepError unless the run is one of this repository's own code, by this workflow file, for these events."""
    workflow = own_workflow(repository.name)
    # a path may end with the reference that it was read at
    path = run["path"].partition("@")[0]
    about = f"run {run['id']}"
    if path != workflow:
        raise StepError(f"{about} is of the workflow {path}, not of {workflow}")
    if run["event"] not in events:
        raise StepError(f"{about} was started by {run['event']}, not by {' or '.join(events)}")
    if not (repository.is_ours(run["repository"]) and repository.is_ours(run["head_repository"])):
        raise StepError(f"{about} is of a fork or another repository: what it made is never applied")


def artifact_of_run(repository: Repository, run: int, name: str) -> dict[str, Any] | None:
    """The newest artifact of that name of the run. Raises StepError."""
    found = [
        artifact
        for artifact in repository.listed(f"/actions/runs/{run}/artifacts", "artifacts", name=name)
        if artifact["name"] == name
    ]
    return max(found, key=lambda artifact: artifact["id"], default=None)


def newest_snapshot(repository: Repository, name: str, branch: str) -> dict[str, Any]:
    """The newest artifact of that name that this workflow made on ``branch``. Raises StepError.

    Forks can make artifacts of any name here, on a branch of any name.
    """
    found = repository.listed("/actions/artifacts", "artifacts", name=name)
    for artifact in sorted(found, key=lambda artifact: artifact["id"], reverse=True):
        run = artifact["workflow_run"] or {}
        ours = run.get("repository_id") == run.get("head_repository_id") is not None
        if artifact["name"] != name or artifact["expired"] or not ours or run.get("head_branch") != branch:
            continue
        try:
            check_run(repository, repository.get(f"/actions/runs/{run['id']}"), OWN_EVENTS)
        except StepError:
            continue
        return artifact
    raise StepError(f"there is no snapshot {name} of {branch} yet. Run the snapshot job there, then this one again.")


def fetched(repository: Repository, artifact: dict[str, Any], filename: str) -> bytes:
    """The only file of an artifact. Raises StepError.

    The zip stands on another host: its address is signed, and the token stays here.
    """
    about = f"the artifact {artifact['name']}"
    if artifact["expired"]:
        raise StepError(f"{about} has expired. Make a new plan.")
    reply = repository.api.send("GET", f"/repos/{repository.name}/actions/artifacts/{artifact['id']}/zip")
    address = reply.headers.get("Location", "")
    if reply.status_code != 302 or urlsplit(address).scheme not in ("https", urlsplit(repository.api.base).scheme):
        raise StepError(f"{about}: GitHub gives no address to download it from")
    data = download(address, MAX_ZIP)
    stated = artifact.get("digest")
    if stated and stated != f"sha256:{hashlib.sha256(data).hexdigest()}":
        raise StepError(f"{about}: what was downloaded is not what the run uploaded. Run the job again.")
    return unpacked(data, filename, about)


def unpacked(data: bytes, filename: str, about: str) -> bytes:
    """The only file of a zip, by its name, in memory: nothing is written where a zip says. Raises StepError."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            if archive.namelist() != [filename]:
                raise StepError(f"{about} does not hold just {filename}")
            with archive.open(filename) as stream:
                content = stream.read(MAX_FILE + 1)
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError, OSError, ValueError) as error:
        raise StepError(f"{about} is no sound zip: {type(error).__name__}") from None
    if len(content) > MAX_FILE:
        raise StepError(f"{about}: {filename} is larger than {MAX_FILE // 2**20} MiB")
    return content


def work_folder(config: str) -> Path:
    """A folder for the files of one config, gone with the job."""
    folder = Path(variable("RUNNER_TEMP")) / "pkgsync" / plans.key(config)
    folder.mkdir(parents=True, exist_ok=True)
    return folder
