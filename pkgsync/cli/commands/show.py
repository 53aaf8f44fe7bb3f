"""``pkgsync show``."""

from pathlib import Path

import click

from pkgsync import planfile, report
from pkgsync.cli.commands.plan import FORMATS, markdown_size, render
from pkgsync.cli.options import FILE, Context, common, in_parts
from pkgsync.cli.terminal import Terminal
from pkgsync.errors import UsageError
from pkgsync.model import Plan, Receipt


@click.command()
@click.argument("file", type=FILE)
@click.option("--format", "form", type=click.Choice(FORMATS), default="text", help="Form of the output [text].")
@click.option("--json", "as_json", is_flag=True, help="The same as --format json.")
@in_parts
@common()
def show(context: Context, file: Path, form: str, as_json: bool, max_length: int | None, part: int | None) -> None:
    """Show a plan or a receipt, however old it is."""
    form = "json" if as_json else form
    length, part = markdown_size(form, max_length, part)
    found = planfile.read_either(file)
    if isinstance(found, Plan):
        text = render(found, form, context.terminal, length, part)
    else:
        # a receipt is cut instead
        text = render_receipt(found, form, context.terminal, verbose=True, length=length) if part == 1 else ""
    context.terminal.data(text)


def render_receipt(
    receipt: Receipt,
    form: str,
    terminal: Terminal,
    path: Path | None = None,
    verbose: bool = False,
    length: int = report.GITHUB_LIMIT,
) -> str:
    match form:
        case "json":
            return planfile.dump_receipt(receipt).decode()
        case "markdown":
            return report.receipt_markdown(receipt, length)
        case "gitlab":
            raise UsageError("a receipt has no form for GitLab", tip="Show the plan that was applied.")
        case _:
            return report.receipt_text(receipt, terminal.style, str(path) if path else None, verbose)
