"""Shows a run's plan in its pull request, and binds its digest to the commit by a status. Needs no secret.

Reads PKGSYNC_CONFIG, LOGIN (who GITHUB_TOKEN is), OUTDATED (`true`: only mark what stands there), and what GitHub sets.
What is shown is made anew from the run's artifact, after its schema and digest were checked.
"""

import os
from pathlib import Path

import github
import notes
import plans
import runner
from github import Comments, Repository
from web import StepError

from pkgsync import report
from pkgsync.model import Plan


def main() -> int:
    config = runner.variable("PKGSYNC_CONFIG")
    repository = Repository.of_job()
    about = github.pull_request()
    commit = github.sha(about["head"]["sha"])
    # a fork's plan is a preview: a status would make it one that can be applied
    if not repository.is_ours(about["head"]["repo"]):
        raise StepError("a pull request of a fork gets no comment and no status: its plan stands in the job summary")
    if repository.get(f"/pulls/{int(about['number'])}")["head"]["sha"] != commit:
        runner.annotate("notice", f"{commit[:7]} is no longer the head of the pull request: nothing was written")
        return 0
    comments = Comments(repository, int(about["number"]), runner.variable("LOGIN"))
    if os.environ.get("OUTDATED") == "true":
        notes.mark_outdated(comments, config, commit)
        return 0
    return _show(repository, comments, config, commit)


def _show(repository: Repository, comments: Comments, config: str, commit: str) -> int:
    run = github.run_url(int(runner.variable("GITHUB_RUN_ID")), repository.name)
    context = github.status_context(config)
    path = _plan(repository, config)
    if path is None:
        notes.put(comments, config, commit, notes.without_plan(config, commit, run))
        repository.set_status(commit, "error", context, "No plan: the run says why.", run)
        raise StepError(f"{config}: the job `plan` of this run made no plan")
    plan = plans.read(path)
    notes.put(comments, config, commit, notes.of_plan(plan, config, commit, run))
    # last: what can be applied can be read
    repository.set_status(commit, *_verdict(plan, context), run)
    return 0


def _plan(repository: Repository, config: str) -> Path | None:
    run = int(runner.variable("GITHUB_RUN_ID"))
    artifact = github.artifact_of_run(repository, run, plans.artifact("plan", config))
    if artifact is None:
        return None
    path = github.work_folder(config) / "plan.json"
    path.write_bytes(github.fetched(repository, artifact, path.name))
    return path


def _verdict(plan: Plan, context: str) -> tuple[str, str, str]:
    """State, context and description of the status. Only a success can be applied; its first word is the digest."""
    if not plan.complete:
        return "failure", context, "Incomplete: a read failed. Run the plan again."
    if not plan.applyable:
        return "failure", context, "Unsafe: a limit is exceeded. The comment says which."
    found = plans.numbers(plan.summary.total)
    said = ", ".join(report.plural(number, kind.removesuffix("s")) for kind, number in found.items() if number)
    return "success", context, f"{plan.digest} {said or 'no changes'}"


if __name__ == "__main__":
    runner.main(main)
