"""``pkgsync validate``."""

import click

from pkgsync.cli.options import Context, common


@click.command()
@common()
def validate(context: Context) -> None:
    """Check the config alone: no request is made."""
    from pkgsync.config import managed_distributions

    config = context.config()
    projects, managed = len(config.obs.projects), managed_distributions(config)
    context.terminal.data(
        f"{config.path}: valid. {projects} project{'s' if projects != 1 else ''} to "
        f"{config.packagecloud.repository}: {', '.join(managed) or 'no distribution'}"
    )
