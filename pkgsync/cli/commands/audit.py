"""``pkgsync audit``."""

from datetime import datetime
from typing import TYPE_CHECKING

import click

from pkgsync.cli.commands.plan import at, say_unsigned
from pkgsync.cli.options import Command, Context, Moment, common
from pkgsync.cli.terminal import Terminal
from pkgsync.errors import ExitCode, UsageError

if TYPE_CHECKING:
    from pkgsync.model import Audit, AuditQuery, Fate
    from pkgsync.reasons import Reason

FORMATS = ("text", "json", "csv", "markdown", "html")
FATES = ("delete", "archive", "keep", "held")
SORTS = ("name", "uploaded", "size", "downloads", "fate")
DAYS = 30


class _ReasonCode(click.ParamType["Reason"]):
    name = "code"

    def convert(self, value: "str | Reason", param: click.Parameter | None, ctx: click.Context | None) -> "Reason":
        from pkgsync.reasons import Reason

        found = {reason.value: reason for reason in Reason}.get(value)
        return found or self.fail(f"{value!r} is no reason code; `pkgsync help messages` lists them", param, ctx)


@click.command(cls=Command)
@click.option("--format", "form", type=click.Choice(FORMATS), default="text", help="Form of the output [text].")
@click.option("--json", "as_json", is_flag=True, help="The same as --format json.")
@click.option("--orphans", type=click.Choice(["keep", "delete", "archive"]), help="Judge as if the config said so.")
@click.option("--distribution", multiple=True, metavar="GLOB", help="Only orphans of distributions that match.")
@click.option("--name", multiple=True, metavar="GLOB", help="Only orphans whose package name matches.")
@click.option("--fate", multiple=True, type=click.Choice(FATES), help="Only orphans with this fate.")
@click.option("--reason", multiple=True, type=_ReasonCode(), help="Only orphans with this reason code.")
@click.option(
    "--downloads",
    is_flag=False,
    flag_value=DAYS,
    type=click.IntRange(1, 3650),
    metavar="[DAYS]",
    help=f"Ask how often each was downloaded in the last DAYS [{DAYS}]: a request per orphan.",
)
@click.option("--sizes", is_flag=True, help="Ask for sizes, and what deletion would free: a request per orphan.")
@click.option("--sort", type=click.Choice(SORTS), default="name", help="Order [name].")
@click.option("--detailed-exitcode", is_flag=True, help="Exit with 2 when there are orphans.")
@click.option("--now", type=Moment(), help="Take this as the present time.")
@common()
def audit(
    context: Context,
    form: str,
    as_json: bool,
    orphans: str | None,
    distribution: tuple[str, ...],
    name: tuple[str, ...],
    fate: "tuple[Fate, ...]",
    reason: "tuple[Reason, ...]",
    downloads: int | None,
    sizes: bool,
    sort: str,
    detailed_exitcode: bool,
    now: datetime | None,
) -> int:
    """List every orphan: what it is, and what would happen to it, and why. Changes nothing."""
    from pkgsync import api, report
    from pkgsync.model import AuditQuery, AuditSort, OrphanAction, Overrides

    query = AuditQuery(
        distributions=distribution,
        names=name,
        fates=fate,
        reasons=reason,
        sort=AuditSort(sort),
        downloads_days=downloads,
        sizes=sizes,
    )
    _refuse_blind_sort(query)
    terminal = context.terminal
    overrides = Overrides(OrphanAction(orphans) if orphans else None)
    found = api.audit(context.config(), context.surroundings(), overrides=overrides, query=query, now=at(now))
    terminal.data(_render(found, "json" if as_json else form, terminal))
    if say_unsigned(terminal, found.repositories):
        return ExitCode.INTEGRITY
    if not found.complete:
        tip = report.after_failed_reads(found.repositories, "Audit again later.")
        terminal.error("the audit is incomplete: a read failed", tip, "IncompleteAuditError")
        return ExitCode.ERROR
    return ExitCode.CHANGES if detailed_exitcode and found.orphans else ExitCode.OK


def _refuse_blind_sort(query: "AuditQuery") -> None:
    from pkgsync.model import AuditSort

    needed = {AuditSort.SIZE: ("--sizes", query.sizes), AuditSort.DOWNLOADS: ("--downloads", query.downloads_days)}
    option, given = needed.get(query.sort, ("", True))
    if not given:
        raise UsageError(f"--sort {query.sort} needs {option}", tip=f"Add {option}: it asks for one answer per orphan.")


def _render(found: "Audit", form: str, terminal: Terminal) -> str:
    from pkgsync import report

    match form:
        case "json":
            return report.audit_json(found)
        case "csv":
            return report.audit_csv(found)
        case "markdown":
            return report.audit_markdown(found)
        case "html":
            return report.audit_html(found)
        case _:
            return report.audit_text(found, terminal.style)
