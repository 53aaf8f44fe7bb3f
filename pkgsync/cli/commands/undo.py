"""``pkgsync undo``."""

from pathlib import Path

import click

from pkgsync.cli.commands.plan import FORMATS, exit_code, render, say_what_next
from pkgsync.cli.options import FILE, Context, NewPlan, common


@click.command()
@click.argument("file", metavar="RECEIPT", type=FILE)
@click.option("-o", "--out", type=NewPlan(), help="Write the plan to this file.")
@click.option("--format", "form", type=click.Choice(FORMATS), default="text", help="Form of the output [text].")
@click.option("--json", "as_json", is_flag=True, help="The same as --format json.")
@click.option("--detailed-exitcode", is_flag=True, help="Exit with 2 when there are changes.")
@common()
def undo(context: Context, file: Path, out: Path | None, form: str, as_json: bool, detailed_exitcode: bool) -> int:
    """Plan back what an apply did, as its receipt tells. Changes nothing."""
    from pkgsync import api, planfile

    receipt = planfile.read_receipt(file)
    made = api.undo(context.config(), receipt, context.surroundings())
    made = planfile.write(made, out) if out is not None else planfile.with_digest(made)
    terminal = context.terminal
    terminal.data(render(made, "json" if as_json else form, terminal))
    say_what_next(made, out, terminal, "undo RECEIPT")
    return exit_code(made, detailed_exitcode)
