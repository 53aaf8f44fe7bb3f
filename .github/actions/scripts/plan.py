"""Makes the plan of one config, and says in the job what it holds.

Reads PKGSYNC_CONFIG, BASE_CONFIG (may be empty or name no file), FROM_SNAPSHOT (`true`: for forks, whose jobs have no
secrets; then GITHUB_TOKEN needs `actions: read`), and what GitHub sets. Exits as `pkgsync plan`.
"""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import github
import plans
import runner

from pkgsync import report
from pkgsync.model import Plan

SUMMARY_BYTES = 900 * 1024
"""GitHub shows a summary of up to 1 MiB."""
SUMMARY_LENGTH = 200_000
"""UTF-16 units of a part: three bytes each at most."""


def main() -> int:
    config = runner.variable("PKGSYNC_CONFIG")
    folder = github.work_folder(config)
    path = folder / "plan.json"
    # of an earlier step of this job
    path.unlink(missing_ok=True)
    preview = os.environ.get("FROM_SNAPSHOT") == "true"
    arguments = ["plan", "-c", config, "-o", str(path)]
    if preview:
        arguments += ["--from-snapshot", str(_snapshot(config, folder))]
    base = _base()
    code, told = plans.run(*arguments, *base)
    # the old config may be wrong, or about another repository: no reason to have no plan of the new one
    if base and not path.exists() and code in (1, 64):
        runner.annotate("notice", f"{config}: planned without comparing it with the config before, see the log")
        code, told = plans.run(*arguments)
    if not path.exists():
        runner.annotate("error", f"{config}: pkgsync made no plan, exit code {code}: {told or 'the log says why'}")
        return code or 1
    plan = plans.read(path)
    _outputs(plan, plans.artifact("preview" if preview else "plan", config))
    runner.output("plan", path)
    _summary(plan)
    runner.annotate_all(_annotations(plan, config))
    return code


def _base() -> list[str]:
    """The config before the pull request, if there was one."""
    base = os.environ.get("BASE_CONFIG", "")
    return ["--base", base] if base and Path(base).is_file() else []


def _snapshot(config: str, folder: Path) -> Path:
    """What the default branch saw last, for those who may not look themselves."""
    repository = github.Repository.of_job()
    branch = github.pull_request()["base"]["repo"]["default_branch"]
    artifact = github.newest_snapshot(repository, plans.artifact("snapshot", config), branch)
    path = folder / "snapshot.json"
    path.write_bytes(github.fetched(repository, artifact, path.name))
    return path


def _outputs(plan: Plan, artifact: str) -> None:
    counts = plan.summary.total
    found = plans.numbers(counts)
    for name, number in {"changes": sum(found.values()), **found, "held": counts.held}.items():
        runner.output(name, number)
    runner.output("bytes", counts.upload_bytes)
    runner.output("digest", plan.digest)
    runner.output("applyable", plan.applyable)
    runner.output("complete", plan.complete)
    runner.output("artifact", artifact)


def _summary(plan: Plan) -> None:
    """As many parts as there is room for."""
    room = SUMMARY_BYTES - 1_000
    for number, text in enumerate(plans.parts(plan, SUMMARY_LENGTH), 1):
        room -= len(text.encode("utf-8")) + 2
        if room < 0:
            runner.summary(
                f"**Part {number} and the rest do not fit here: read plan.json, an artifact of this run.**\n"
            )
            return
        runner.summary(f"{text}\n\n")


def _annotations(plan: Plan, config: str) -> Iterator[tuple[Literal["error", "warning", "notice"], str]]:
    for limit in plan.exceeded:
        yield "error", f"{config}: {limit.message}. If that is right, plan with {limit.override}."
    if not plan.complete:
        yield "error", f"{config}: the plan is incomplete, a read failed."
    counts = plan.summary.total
    if going := counts.deletions + counts.archivings:
        yield "warning", f"{config}: {report.plural(going, 'file')} would be deleted or archived."
    for warning in plan.warnings:
        yield "warning", f"{config}: {warning}"


if __name__ == "__main__":
    runner.main(main)
