"""``pkgsync audit``."""

from datetime import datetime

import click

from pkgsync import api, report
from pkgsync.cli.commands.plan import at
from pkgsync.cli.options import Context, Moment, common
from pkgsync.cli.terminal import Terminal
from pkgsync.errors import ExitCode
from pkgsync.model import Audit, OrphanAction, Overrides

FORMATS = ("text", "json", "csv", "markdown")


@click.command()
@click.option("--format", "form", type=click.Choice(FORMATS), default="text", help="Form of the output [text].")
@click.option("--json", "as_json", is_flag=True, help="The same as --format json.")
@click.option("--orphans", type=click.Choice(["keep", "delete"]), help="Judge as if the config said so.")
@click.option("--detailed-exitcode", is_flag=True, help="Exit with 2 when there are orphans.")
@click.option("--now", type=Moment(), help="Take this as the present time.")
@common()
def audit(
    context: Context,
    form: str,
    as_json: bool,
    orphans: str | None,
    detailed_exitcode: bool,
    now: datetime | None,
) -> int:
    """List every orphan: what it is, and what would happen to it, and why. Changes nothing."""
    terminal = context.terminal
    overrides = Overrides(OrphanAction(orphans) if orphans else None)
    found = api.audit(context.config(), context.surroundings(), overrides=overrides, now=at(now))
    terminal.data(_render(found, "json" if as_json else form, terminal))
    if not found.complete:
        terminal.error("the audit is incomplete: a read failed", "Audit again later.", "IncompleteAuditError")
        return ExitCode.ERROR
    return ExitCode.CHANGES if detailed_exitcode and found.orphans else ExitCode.OK


def _render(found: Audit, form: str, terminal: Terminal) -> str:
    match form:
        case "json":
            return report.audit_json(found)
        case "csv":
            return report.audit_csv(found)
        case "markdown":
            return report.audit_markdown(found)
        case _:
            return report.audit_text(found, terminal.style)
