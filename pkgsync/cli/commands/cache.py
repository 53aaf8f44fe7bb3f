"""``pkgsync cache info`` and ``pkgsync cache prune``."""

from datetime import timedelta
from typing import Any, Literal

import click

from pkgsync.cli.options import Command, Context, common


class ConfigValue(click.ParamType[Any]):
    """A value that the config writes the same way."""

    def __init__(self, name: Literal["duration", "size"]) -> None:
        self.name = name

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        from pkgsync.config import units

        try:
            return {"duration": units.duration, "size": units.size}[self.name](value)
        except ValueError as error:
            self.fail(str(error), param, ctx)


@click.group()
@common()
def cache(context: Context) -> None:
    """Look at the cache, or make it smaller."""


@cache.command(cls=Command)
@common()
def info(context: Context) -> None:
    """Say where the cache is and how much it holds."""
    from pkgsync.cache import Cache
    from pkgsync.report import plural, size

    found = Cache(context.surroundings().cache_dir).info()
    text = f"{found.folder}: {plural(found.objects, 'file')}, {size(found.bytes)}"
    if found.partials:
        text += f"; {plural(found.partials, 'unfinished download')}, {size(found.partial_bytes)}"
    context.terminal.data(text)


@cache.command(cls=Command)
@click.option("--older-than", type=ConfigValue("duration"), help="Only files unused for so long, as in 14d.")
@click.option("--max-size", type=ConfigValue("size"), help="Only until no more than this is left, as in 2GiB.")
@common()
def prune(context: Context, older_than: timedelta | None, max_size: int | None) -> None:
    """Remove files of the cache: all, or those that the options name. Backups are never touched."""
    from pkgsync.cache import Cache
    from pkgsync.report import plural, size

    surroundings = context.surroundings()
    surroundings.refuse_shared_stores()
    removed = Cache(surroundings.cache_dir).prune(older_than=older_than, max_bytes=max_size)
    context.terminal.data(f"Removed {plural(removed.files, 'file')}, {size(removed.bytes)}.")
