"""``pkgsync verify``."""

from pathlib import Path

import click

from pkgsync.cli.options import FILE, Command, Context, common
from pkgsync.cli.terminal import Verbosity
from pkgsync.errors import ExitCode


@click.command(cls=Command)
@click.argument("file", metavar="[RECEIPT]", type=FILE, required=False)
@click.option(
    "--format", "form", type=click.Choice(["text", "json"]), default="text", help="Form of the output [text]."
)
@click.option("--json", "as_json", is_flag=True, help="The same as --format json.")
@common()
def verify(context: Context, file: Path | None, form: str, as_json: bool) -> ExitCode:
    """Look at the repository as apt, dnf and zypper do. Changes nothing.

    With a receipt: is what the apply did in their indexes? Without one: is all there that OBS publishes?
    """
    from pkgsync import api, planfile, report

    receipt = planfile.read_receipt(file) if file is not None else None
    terminal = context.terminal
    found = api.verify(context.config(), context.surroundings(), receipt)
    as_text = form == "text" and not as_json
    verbose = terminal.verbosity >= Verbosity.VERBOSE
    terminal.data(
        report.verification_text(found, terminal.style, verbose=verbose) if as_text else report.verification_json(found)
    )
    if found.is_wrong:
        terminal.error(
            "what package managers get is not what it should be",
            "If it stays so for some minutes, compare the keys, and look who else changes the repository.",
            "WronglyServedError",
        )
        return ExitCode.INTEGRITY
    if not found.complete:
        terminal.error(
            "OBS could not be read completely, so it is not known what should be there",
            "Verify again later; `pkgsync plan` tells what failed.",
            "IncompleteVerificationError",
        )
    elif step := report.verification_next(found, context.options):
        terminal.info(step)
    return ExitCode.OK if found.is_done else ExitCode.ERROR
