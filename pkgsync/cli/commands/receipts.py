"""``pkgsync receipts``."""

from typing import TYPE_CHECKING

import click

from pkgsync.cli.options import Context, common
from pkgsync.errors import PkgsyncError

if TYPE_CHECKING:
    from pkgsync.model import Receipt


@click.command()
@common()
def receipts(context: Context) -> None:
    """List the receipts of all applies from this machine, the newest first, with what was missing at their end."""
    from pkgsync import report
    from pkgsync.apply.receipts import kept

    terminal, state_dir = context.terminal, context.surroundings().state_dir
    found: list[tuple[str, Receipt]] = []
    for one in kept(state_dir):
        if isinstance(one.receipt, PkgsyncError):
            terminal.warning(one.receipt.message)
        else:
            found.append((str(one.path), one.receipt))
    terminal.data(report.receipts_text(found, terminal.style) if found else f"No receipt is kept in {state_dir}.")
