"""``pkgsync apply``."""

from pathlib import Path

import click

from pkgsync import api, planfile
from pkgsync.cli.commands.show import render_receipt
from pkgsync.cli.options import FILE, Context, NewFile, common
from pkgsync.errors import PlanFileError, UsageError


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
    envvar="PKGSYNC_JOBS",
    help="Transfers at a time, each way [4].",
)
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
) -> int:
    """Execute a reviewed plan. Never asks: the plan is the approval."""
    if file is None:
        raise UsageError("apply needs a plan file", tip="Make one: pkgsync plan -o plan.json")
    terminal = context.terminal
    reviewed = planfile.read(file)
    _expect(reviewed.digest, expect_digest, file)
    target = receipt or file.with_name(f"{file.name.removesuffix('.json')}.receipt.json")
    if target.resolve() == file.resolve():
        raise UsageError("the receipt would replace the plan", tip="Choose another place with `--receipt`.")
    result = api.apply(
        context.config(),
        reviewed,
        context.surroundings(),
        api.ApplyOptions(
            receipt=target,
            jobs=jobs,
            skip_stale=skip_stale,
            only_uploads=only == "uploads",
            dry_run=dry_run,
        ),
        report=terminal.info,
    )
    terminal.data(render_receipt(result, "text", terminal, None if dry_run else target))
    return result.exit_code


def _expect(digest: str, expected: str | None, file: Path) -> None:
    if expected is None or digest.removeprefix("sha256:") == expected.removeprefix("sha256:").lower():
        return
    raise PlanFileError(f"{file}: its digest is {digest}, not {expected}", tip="Apply the plan that was approved.")
