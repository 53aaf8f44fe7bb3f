"""Applies the plan that was reviewed in the pull request which this commit merges.

Reads PKGSYNC_CONFIG, LOGIN (who wrote the status), SIGNATURES (over the plan; may be empty), and what GitHub sets.
Nothing of a comment is read: the digest comes from the status of the pull request's head, the plan from the run that
the status names. Exits as `pkgsync apply`.
"""

import os
import re
from pathlib import Path
from typing import Any

import github
import plans
import runner
from github import Repository
from web import StepError

from pkgsync import approvals, planfile, report


def main() -> int:
    config, repository = runner.variable("PKGSYNC_CONFIG"), Repository.of_job()
    merged = _merged(repository)
    if merged is None:
        runner.annotate("notice", "this commit merges no pull request: nothing was reviewed, so nothing is applied")
        runner.output("applied", False)
        return 0
    if not repository.is_ours(merged["head"]["repo"]):
        runner.annotate("warning", f"#{merged['number']} came from a fork: its plan was a preview and is not applied")
        runner.output("applied", False)
        return 0
    digest, path = _reviewed(repository, config, github.sha(merged["head"]["sha"]))
    return _apply(config, digest, path)


def _merged(repository: Repository) -> dict[str, Any] | None:
    """The pull request whose merge made this commit of this branch. Raises StepError where it could be several."""
    commit, reference = github.sha(runner.variable("GITHUB_SHA")), runner.variable("GITHUB_REF")
    found = [
        pull
        for pull in repository.listed(f"/commits/{commit}/pulls")
        if pull["merged_at"]
        and pull["merge_commit_sha"] == commit
        and reference == f"refs/heads/{pull['base']['ref']}"
        and repository.is_ours(pull["base"]["repo"])
    ]
    if len(found) > 1:
        raise StepError(f"{commit[:7]} merges several pull requests. Make a new plan, and apply that.")
    return found[0] if found else None


def _reviewed(repository: Repository, config: str, head: str) -> tuple[str, Path]:
    """Digest and file of the plan that was shown for the commit ``head``. Raises StepError at the first doubt."""
    digest, number = _bound(repository, config, head)
    run = repository.get(f"/actions/runs/{number}")
    github.check_run(repository, run, ("pull_request",))
    if run["head_sha"] != head:
        raise StepError(f"run {number} is of the commit {run['head_sha'][:7]}, not of {head[:7]}")
    artifact = github.artifact_of_run(repository, number, plans.artifact("plan", config))
    if artifact is None or (artifact.get("workflow_run") or run)["id"] != number:
        raise StepError(f"run {number} has no plan of {config} any more. Make a new one in a pull request.")
    path = github.work_folder(config) / "plan.json"
    path.write_bytes(github.fetched(repository, artifact, path.name))
    found = plans.read(path).digest
    if found != digest:
        raise StepError(f"run {number} holds the plan {found}, but {digest} was reviewed. Make a new one.")
    return digest, path


def _bound(repository: Repository, config: str, head: str) -> tuple[str, int]:
    """Digest and run of the newest status of the config. Raises StepError."""
    context = github.status_context(config)
    found = [status for status in repository.listed(f"/commits/{head}/statuses") if status["context"] == context]
    newest = max(found, key=lambda status: status["id"], default=None)
    if newest is None:
        raise StepError(f"{head[:7]} has no status {context!r}: no plan of {config} was reviewed")
    # whoever may write statuses could name a digest
    if not github.is_login(newest["creator"], runner.variable("LOGIN")):
        raise StepError(f"the status {context!r} of {head[:7]} was not written by the job `comment`")
    if newest["state"] != "success":
        raise StepError(f"the plan of {config} for {head[:7]} cannot be applied: {newest['description']}")
    digest = (newest["description"] or "").partition(" ")[0]
    run = re.fullmatch(re.escape(github.run_url("", repository.name)) + "([0-9]{1,20})", newest["target_url"] or "")
    if not plans.DIGEST.fullmatch(digest) or not run:
        raise StepError(f"the status {context!r} of {head[:7]} names no digest and run")
    return digest, int(run[1])


def _apply(config: str, digest: str, path: Path) -> int:
    receipt = path.with_name("receipt.json")
    receipt.unlink(missing_ok=True)
    approvals.place(path).write_text(f"{os.environ.get('SIGNATURES', '')}\n", encoding="utf-8")
    runner.output("applied", True)
    runner.output("digest", digest)
    arguments = ["apply", "-c", config, "--expect-digest", digest, "--receipt", str(receipt), str(path)]
    code, told = plans.run(*arguments)
    if receipt.exists():
        runner.output("receipt", receipt)
        runner.output("artifact", plans.artifact("receipt", config))
        runner.summary(report.receipt_markdown(planfile.read_receipt(receipt)))
    if code:
        said = told or "the log says what is left"
        runner.annotate("error", f"{config}: pkgsync apply ended with exit code {code}: {said}")
    return code


if __name__ == "__main__":
    runner.main(main)
