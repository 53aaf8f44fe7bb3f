"""``pkgsync show``."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from pkgsync.cli.commands.plan import FORMATS, render
from pkgsync.cli.options import FILE, Context, common
from pkgsync.cli.terminal import Terminal

if TYPE_CHECKING:
    from pkgsync.model import Receipt


@click.command()
@click.argument("file", type=FILE)
@click.option("--format", "form", type=click.Choice(FORMATS), default="text", help="Form of the output [text].")
@click.option("--json", "as_json", is_flag=True, help="The same as --format json.")
@common()
def show(context: Context, file: Path, form: str, as_json: bool) -> None:
    """Show a plan or a receipt, however old it is."""
    from pkgsync import planfile

    form = "json" if as_json else form
    data, name = planfile.read_bytes(file), str(file)
    if planfile.kind(data, name) == "plan":
        text = render(planfile.loads(data, name), form, context.terminal)
    else:
        text = _receipt(planfile.load_receipt(data, name), form, context.terminal)
    context.terminal.data(text)


def _receipt(receipt: "Receipt", form: str, terminal: Terminal) -> str:
    from pkgsync import planfile, report

    match form:
        case "json":
            return planfile.dump_receipt(receipt).decode()
        case "markdown":
            return report.receipt_markdown(receipt)
        case _:
            return report.receipt_text(receipt, terminal.style, verbose=True)
