"""``pkgsync show``."""

from pathlib import Path

import click

from pkgsync import planfile, report
from pkgsync.cli.commands.plan import FORMATS, render
from pkgsync.cli.options import FILE, Context, common
from pkgsync.cli.terminal import Terminal
from pkgsync.model import Receipt


@click.command()
@click.argument("file", type=FILE)
@click.option("--format", "form", type=click.Choice(FORMATS), default="text", help="Form of the output [text].")
@click.option("--json", "as_json", is_flag=True, help="The same as --format json.")
@common()
def show(context: Context, file: Path, form: str, as_json: bool) -> None:
    """Show a plan or a receipt, however old it is."""
    form = "json" if as_json else form
    data, name = planfile.read_bytes(file), str(file)
    if planfile.kind(data, name) == "plan":
        text = render(planfile.loads(data, name), form, context.terminal)
    else:
        text = render_receipt(planfile.load_receipt(data, name), form, context.terminal, verbose=True)
    context.terminal.data(text)


def render_receipt(
    receipt: Receipt, form: str, terminal: Terminal, path: Path | None = None, verbose: bool = False
) -> str:
    match form:
        case "json":
            return planfile.dump_receipt(receipt).decode()
        case "markdown":
            return report.receipt_markdown(receipt)
        case "html":
            return report.receipt_html(receipt)
        case _:
            return report.receipt_text(receipt, terminal.style, str(path) if path else None, verbose)
