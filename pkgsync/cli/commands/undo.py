"""``pkgsync undo``."""

from pathlib import Path

import click

from pkgsync.cli.commands.plan import FORMATS, exit_code, render, say_what_next
from pkgsync.cli.options import FILE, NEW_PLAN, Command, Context, common
from pkgsync.errors import UsageError


@click.command(cls=Command)
@click.argument("file", metavar="RECEIPT", type=FILE, required=False)
@click.option("-o", "--out", type=NEW_PLAN, help="Write the plan to this file.")
@click.option("--format", "form", type=click.Choice(FORMATS), default="text", help="Form of the output [text].")
@click.option("--json", "as_json", is_flag=True, help="The same as --format json.")
@click.option("--detailed-exitcode", is_flag=True, help="Exit with 2 when there are changes.")
@common()
def undo(
    context: Context, file: Path | None, out: Path | None, form: str, as_json: bool, detailed_exitcode: bool
) -> int:
    """Plan back what an apply did, as its receipt tells. Changes nothing."""
    from pkgsync import api, planfile

    if file is None:
        raise UsageError("undo needs a receipt", tip="`pkgsync receipts` lists all receipts, the newest first.")
    receipt = planfile.read_receipt(file)
    config = context.config()
    made = api.undo(config, receipt, context.surroundings())
    made = planfile.write(made, out) if out is not None else planfile.with_digest(made)
    terminal = context.terminal
    terminal.data(render(made, "json" if as_json else form, terminal))
    say_what_next(made, out, context, config)
    return exit_code(made, detailed_exitcode)
