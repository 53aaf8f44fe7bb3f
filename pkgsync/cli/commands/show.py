"""``pkgsync show``."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from pkgsync.cli.commands.plan import FORMATS, check_parts, render
from pkgsync.cli.options import FILE, Command, Context, common, in_parts
from pkgsync.cli.terminal import Terminal
from pkgsync.errors import UsageError

if TYPE_CHECKING:
    from pkgsync.model import Receipt


@click.command(cls=Command)
@click.argument("file", type=FILE)
@click.option("--format", "form", type=click.Choice(FORMATS), default="text", help="Form of the output [text].")
@click.option("--json", "as_json", is_flag=True, help="The same as --format json.")
@in_parts
@common()
def show(context: Context, file: Path, form: str, as_json: bool, max_length: int | None, part: int | None) -> None:
    """Show a plan or a receipt, however old it is."""
    from pkgsync import planfile
    from pkgsync.model import Plan

    form = "json" if as_json else form
    check_parts(form, max_length, part)
    found = planfile.read_either(file)
    if isinstance(found, Plan):
        text = render(found, form, context.terminal, max_length, part)
    else:
        # a receipt is cut instead
        text = _receipt(found, form, context.terminal, max_length) if part in (None, 1) else ""
    context.terminal.data(text)


def _receipt(receipt: "Receipt", form: str, terminal: Terminal, length: int | None) -> str:
    from pkgsync import planfile, report

    match form:
        case "json":
            return planfile.dump_receipt(receipt).decode()
        case "markdown":
            return report.receipt_markdown(receipt, length or report.GITHUB_LIMIT)
        case "html":
            return report.receipt_html(receipt)
        case "gitlab":
            raise UsageError("a receipt has no form for GitLab", tip="Show the plan that was applied.")
        case _:
            return report.receipt_text(receipt, terminal.style, verbose=True)
