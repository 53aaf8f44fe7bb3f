"""``pkgsync apply``."""

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pkgsync.cli.options import FILE, Command, Context, NewFile, common
from pkgsync.cli.terminal import Verbosity
from pkgsync.errors import PlanFileError, UsageError

if TYPE_CHECKING:
    from pkgsync.apply.share import Part
    from pkgsync.model import Plan, ReceiptLine
    from pkgsync.surroundings import Surroundings


_PHASES = ("uploads", "replacements", "deletions")


class _Share(click.ParamType[tuple[int, int]]):
    """``K/N``, as two numbers."""

    name = "K/N"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[int, int]:
        found = re.fullmatch(r"(\d{1,6})/(\d{1,6})", value, re.ASCII)
        number, count = (int(found[1]), int(found[2])) if found else (0, 0)
        if not 1 <= number <= count:
            self.fail(f"{value!r} is not a share such as 2/4: K from 1 to N", param, ctx)
        return number, count


@click.command(cls=Command)
@click.argument("file", metavar="PLAN", type=FILE, required=False)
@click.option("--expect-digest", metavar="SHA256", help="Refuse any other plan than the approved one.")
@click.option("--require-signature", is_flag=True, help="Refuse a plan that nobody has signed who may.")
@click.option("--skip-stale", is_flag=True, help="Go on without the actions that no longer fit.")
@click.option("--only", type=click.Choice(_PHASES), help="One phase; proves that what comes before it is all there.")
@click.option("--shard", type=_Share(), help="Upload share K of N, beside other machines that take the others.")
@click.option("-n", "--dry-run", is_flag=True, help="Check every action against both services, change nothing.")
@click.option("--verify-index", is_flag=True, help="Wait, up to about 10 minutes, until package managers get it.")
@click.option("--receipt", type=NewFile(), help="Where the receipt goes [PLAN.receipt.json].")
@click.option(
    "-j",
    "--jobs",
    type=click.IntRange(1, 64),
    metavar="N",
    envvar="PKGSYNC_JOBS",
    help="Uploads at a time, up to 64 [connections.uploads].",
)
@click.option("--json", "as_json", is_flag=True, help="Print the receipt as JSON.")
@common()
def apply(
    context: Context,
    file: Path | None,
    expect_digest: str | None,
    require_signature: bool,
    skip_stale: bool,
    only: str | None,
    shard: tuple[int, int] | None,
    dry_run: bool,
    verify_index: bool,
    receipt: Path | None,
    jobs: int | None,
    as_json: bool,
) -> int:
    """Execute a reviewed plan. Never asks: the plan is the approval."""
    from pkgsync import api, approvals, planfile, report
    from pkgsync.apply import receipts

    if file is None:
        raise UsageError("apply needs a plan file", tip="Make one: pkgsync plan -o plan.json")
    part, terminal = _part(only, shard), context.terminal
    # read once: the bytes that are checked are those that are executed
    reviewed = planfile.read(file)
    _expect(reviewed.digest, expect_digest, file)
    target = receipt or receipts.beside(file, reviewed.digest)
    if not dry_run:
        receipts.refuse_other(target, reviewed.digest)
    surroundings = context.surroundings()
    if not dry_run and (lost := _backups_at_risk(reviewed, part, surroundings)):
        terminal.warning(lost)
    result = api.apply(
        context.config(),
        reviewed,
        surroundings,
        api.ApplyOptions(
            receipt=target,
            jobs=jobs,
            skip_stale=skip_stale,
            part=part,
            approved=expect_digest is not None,
            signatures=approvals.place(file),
            require_signature=require_signature,
            dry_run=dry_run,
            verify_index=verify_index,
        ),
        report=lambda words, line: terminal.info(words, _facts(line, reviewed)),
    )
    if as_json:
        terminal.data((planfile.dump_dry_run(result) if dry_run else planfile.dump_receipt(result)).decode())
    else:
        shown = None if dry_run else str(target)
        verbose = terminal.verbosity >= Verbosity.VERBOSE
        terminal.data(report.receipt_text(result, terminal.style, shown, verbose, dry_run=dry_run))
        given = f"--expect-digest {expect_digest} " if expect_digest else ""
        given += "--require-signature " if require_signature else ""
        name, options = str(file), context.options
        step = report.next_step(result, reviewed, name, options, given=given, part=part.options, dry_run=dry_run)
        if step:
            terminal.info(step)
    return result.exit_code


def _part(only: str | None, shard: tuple[int, int] | None) -> "Part":
    """Raises UsageError where both do not go together."""
    from pkgsync.apply.share import Part, Phase, Shard

    if shard and only not in (None, "uploads"):
        raise UsageError(f"--shard is a share of the uploads: it does not go with --only {only}")
    return Part(Phase(only) if only else None, Shard(*shard) if shard else None)


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


def _backups_at_risk(reviewed: "Plan", part: "Part", surroundings: "Surroundings") -> str:
    """A CI runner's own folders mostly end with it, and the backups, which an undo needs, with them."""
    taken = any(part.takes(action) for action in (*reviewed.replacements, *reviewed.removals))
    if not (surroundings.on_ci and taken) or surroundings.backup_dir is not None:
        return ""
    return (
        f"the backups of what this plan replaces and deletes go to {surroundings.backups}, which a CI runner may not "
        "keep: give --backup-dir (or PKGSYNC_BACKUP_DIR) a folder that outlives it"
    )


def _expect(digest: str, expected: str | None, file: Path) -> None:
    if expected is None or digest.removeprefix("sha256:") == expected.removeprefix("sha256:").lower():
        return
    raise PlanFileError(f"{file}: its digest is {digest}, not {expected}", tip="Apply the plan that was approved.")
