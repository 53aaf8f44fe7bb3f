"""``pkgsync schema``."""

import click

from pkgsync.cli.options import Context, common


@click.command()
@click.argument("name", type=click.Choice(["config", "plan", "receipt", "snapshot"]))
@common()
def schema(context: Context, name: str) -> None:
    """Print the JSON Schema of configs, plans, receipts or snapshots."""
    from pkgsync import schemas

    context.terminal.data(schemas.text(name))
