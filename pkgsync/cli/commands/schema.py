"""``pkgsync schema``."""

import click

from pkgsync.cli.options import Context, common


@click.command()
@click.argument("name", type=click.Choice(["config", "plan", "receipt"]))
@common()
def schema(context: Context, name: str) -> None:
    """Print the JSON Schema of the config, of plan files or of receipts."""
    from pkgsync import schemas

    context.terminal.data(schemas.text(name))
