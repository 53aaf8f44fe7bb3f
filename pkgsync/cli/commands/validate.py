"""``pkgsync validate``."""

from pathlib import Path

import click

from pkgsync.cli.options import FILE, Command, Context, common


@click.command(cls=Command)
@click.argument("file", type=FILE, required=False)
@click.option("--online", is_flag=True, help="Check the map of repositories with both services, too.")
@common()
def validate(context: Context, file: Path | None, online: bool) -> None:
    """Check the config (FILE, else that of -c) alone; no request is made without --online."""
    from pkgsync.config import managed_distributions

    if file is not None:
        context.values["config"] = file
    config = context.config()
    if any(project.signing_key for project in config.obs.projects):
        from pkgsync.obs import pinned  # here, as it costs more than all else that is done for most configs

        pinned(config.path, config.obs.projects)
    if online:
        from pkgsync.services import Services

        services = Services.of(config, context.surroundings(), None)
        for warning in services.map_reader(config).check():
            context.terminal.warning(warning)
    projects, managed = len(config.obs.projects), managed_distributions(config)
    seen = "\nBoth services have all that it names." if online else ""
    context.terminal.data(
        f"{config.path}: valid. {projects} project{'s' if projects != 1 else ''} to "
        f"{config.packagecloud.repository}: {', '.join(managed) or 'no distribution'}{seen}"
    )
