"""``pkgsync apply``."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from pkgsync.cli.options import FILE, Context, NewFile, common
from pkgsync.cli.terminal import Verbosity
from pkgsync.errors import PlanFileError, UsageError

if TYPE_CHECKING:
    from pkgsync.model import Plan, ReceiptLine
    from pkgsync.surroundings import Surroundings


@click.command()
@click.argument("file", metavar="PLAN", type=FILE, required=False)
@click.option("--expect-digest", metavar="SHA256", help="Refuse any other plan than the approved one.")
@click.option("--skip-stale", is_flag=True, help="Go on without the actions that no longer fit.")
@click.option("--only", type=click.Choice(["uploads"]), help="Leave replacements and deletions for another run.")
@click.option("-n", "--dry-run", is_flag=True, help="Check every action against both services, change nothing.")
@click.option("--receipt", type=NewFile(), help="Where the receipt goes [PLAN.receipt.json].")
@click.option(
    "-j",
    "--jobs",
    type=click.IntRange(1, 16),
    default=4,
    metavar="N",
    envvar="PKGSYNC_JOBS",
    help="Transfers at a time, each way, up to 16 [4].",
)
@click.option("--json", "as_json", is_flag=True, help="Print the receipt as JSON.")
@common()
def apply(
    context: Context,
    file: Path | None,
    expect_digest: str | None,
    skip_stale: bool,
    only: str | None,
    dry_run: bool,
    receipt: Path | None,
    jobs: int,
    as_json: bool,
) -> int:
    """Execute a reviewed plan. Never asks: the plan is the approval."""
    from pkgsync import api, planfile, report
    from pkgsync.apply import receipts

    if file is None:
        raise UsageError("apply needs a plan file", tip="Make one: pkgsync plan -o plan.json")
    terminal = context.terminal
    # read once: the bytes that are checked are those that are executed
    reviewed = planfile.read(file)
    _expect(reviewed.digest, expect_digest, file)
    target = receipt or receipts.beside(file, reviewed.digest)
    if not dry_run:
        receipts.refuse_other(target, reviewed.digest)
    surroundings = context.surroundings()
    if not (dry_run or only) and (lost := _backups_at_risk(reviewed, surroundings)):
        terminal.warning(lost)
    result = api.apply(
        context.config(),
        reviewed,
        surroundings,
        api.ApplyOptions(
            receipt=target,
            jobs=jobs,
            skip_stale=skip_stale,
            only_uploads=only == "uploads",
            dry_run=dry_run,
        ),
        report=lambda words, line: terminal.info(words, _facts(line, reviewed)),
    )
    if as_json:
        terminal.data((planfile.dump_dry_run(result) if dry_run else planfile.dump_receipt(result)).decode())
    else:
        shown = None if dry_run else str(target)
        verbose = terminal.verbosity >= Verbosity.VERBOSE
        terminal.data(report.receipt_text(result, terminal.style, shown, verbose, dry_run=dry_run))
        if step := report.next_step(result, reviewed, str(file), context.options, dry_run=dry_run):
            terminal.info(step)
    return result.exit_code


def _facts(line: "ReceiptLine | None", reviewed: "Plan") -> dict[str, object]:
    """An action that ended, as a log in JSON tells it; the bytes are those of all runs of the plan, both ways."""
    if line is None:
        return {"digest": reviewed.digest}
    facts = {
        "action": line.action,
        "key": line.key,
        "outcome": line.outcome.value,
        "reason": line.reason,
        "missing": line.missing,
        "bytes": line.bytes_down + line.bytes_up,
        "attempts": line.attempts,
        "sha256": line.sha256,
        "digest": reviewed.digest,
    }
    return {name: value for name, value in facts.items() if value is not None}


def _backups_at_risk(reviewed: "Plan", surroundings: "Surroundings") -> str:
    """A CI runner's own folders mostly end with it, and the backups, which an undo needs, with them."""
    on_ci = surroundings.env.get("CI", "").lower() not in ("", "0", "false")
    if not on_ci or surroundings.backup_dir is not None or not (reviewed.replacements or reviewed.removals):
        return ""
    return (
        f"the backups of what this plan replaces and deletes go to {surroundings.backups}, which a CI runner may not "
        "keep: give --backup-dir (or PKGSYNC_BACKUP_DIR) a folder that outlives it"
    )


def _expect(digest: str, expected: str | None, file: Path) -> None:
    if expected is None or digest.removeprefix("sha256:") == expected.removeprefix("sha256:").lower():
        return
    raise PlanFileError(f"{file}: its digest is {digest}, not {expected}", tip="Apply the plan that was approved.")
