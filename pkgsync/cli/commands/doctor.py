"""``pkgsync doctor``."""

from typing import TYPE_CHECKING

import click

from pkgsync.cli.options import Context, common

if TYPE_CHECKING:
    from pkgsync.doctor import Finding
    from pkgsync.report import Style
    from pkgsync.report.style import Colour


@click.command()
@common()
def doctor(context: Context) -> int:
    """Look at config, credentials, both services and folders: what is there, and what to do. Changes nothing."""
    from pkgsync import doctor as looks
    from pkgsync.config import services_of
    from pkgsync.errors import PkgsyncError

    found: list[Finding] = []

    def tell(finding: "Finding") -> None:
        found.append(finding)
        context.terminal.data(_text(finding, context.terminal.style))

    path, config = context.config_path, None
    try:
        config = context.config()
        tell(looks.Finding(what="config", said=f"{path} is valid"))
    except PkgsyncError as error:
        tell(looks.failed("config", error))
        config = services_of(path, context.surroundings().env)
    whole = found[0].mark is looks.Mark.OK
    for finding in looks.examine(config, context.surroundings(), whole=whole):
        tell(finding)
    return looks.worst(found)


def _text(finding: "Finding", style: "Style") -> str:
    from pkgsync.report import labelled, visible, wrapped

    colours: dict[str, Colour] = {"ok": "green", "!": "yellow", "failed": "red"}
    first, *more = [visible(line) for line in (*finding.said.splitlines(), *finding.next_step.splitlines())]
    words = f"{finding.what}: {first}"
    lines = labelled(f"{finding.mark:<7}", colours[finding.mark], words, style, hanging=10)
    return "\n".join([*lines, *(row for line in more for row in wrapped(line, style, indent=10))])
