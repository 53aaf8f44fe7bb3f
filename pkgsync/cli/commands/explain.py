"""``pkgsync explain``."""

from datetime import datetime
from pathlib import Path

import click

from pkgsync.cli.options import FILE, Context, Moment, common
from pkgsync.errors import ExitCode


@click.command()
@click.argument("name", metavar="DISTRIBUTION/FILE")
@click.option(
    "--format", "form", type=click.Choice(["text", "json"]), default="text", help="Form of the output [text]."
)
@click.option("--json", "as_json", is_flag=True, help="The same as --format json.")
@click.option("--orphans", type=click.Choice(["keep", "delete", "archive"]), help="Judge as if the config said so.")
@click.option("--now", type=Moment(), help="Take this as the present time.")
@click.option("--from-snapshot", type=FILE, metavar="FILE", help="Read no service, but this file of `snapshot`.")
@common()
def explain(
    context: Context,
    name: str,
    form: str,
    as_json: bool,
    orphans: str | None,
    now: datetime | None,
    from_snapshot: Path | None,
) -> ExitCode:
    """Say what becomes of a file, check by check, and what would change that. Changes nothing.

    Instead of DISTRIBUTION/FILE a file name or a package name may be given: each file of that name is explained.
    """
    from pkgsync import api, report, snapshot
    from pkgsync.cli.commands.plan import at
    from pkgsync.model import OrphanAction, Overrides

    terminal = context.terminal
    overrides = Overrides(OrphanAction(orphans) if orphans else None)
    answer = api.explain(
        context.config(),
        context.surroundings(),
        name,
        overrides=overrides,
        now=at(now) if now else None,
        snapshot=snapshot.read(from_snapshot) if from_snapshot else None,
    )
    as_text = form == "text" and not as_json
    terminal.data(report.explain_text(answer, terminal.style) if as_text else report.explain_json(answer))
    return ExitCode.OK if answer.explanations else ExitCode.ERROR
