"""Options that every command takes, before or after its name, and the types of their values."""

import os
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import wraps
from pathlib import Path
from typing import Any, TypeVar, cast

import click
from attrs import define, field

from pkgsync.api import Surroundings
from pkgsync.cli.terminal import Terminal, Verbosity
from pkgsync.config import Config, load
from pkgsync.errors import UsageError

DEFAULT_CONFIG = "pkgsync.yaml"
F = TypeVar("F", bound=Callable[..., Any])


@define
class Context:
    """What the common options say; filled by the group, then by the command."""

    values: dict[str, Any] = field(factory=dict)

    def merge(self, values: Mapping[str, Any]) -> None:
        self.values |= {name: value for name, value in values.items() if value not in (None, False, 0)}

    @property
    def terminal(self) -> Terminal:
        return Terminal(
            verbosity=self._verbosity(),
            colour=self._colour(),
            json_log=self.values.get("log_format") == "json",
        )

    @property
    def debug(self) -> bool:
        return bool(self.values.get("debug"))

    def surroundings(self) -> Surroundings:
        user = Surroundings.of_user()
        return Surroundings(
            env=user.env,
            home=user.home,
            cache_dir=self.values.get("cache_dir") or user.cache_dir,
            state_dir=self.values.get("state_dir") or user.state_dir,
            backup_dir=self.values.get("backup_dir"),
            progress=self.terminal.progress,
        )

    def config(self) -> Config:
        """The config file of this run, its warnings shown."""
        path = self.values.get("config") or Path(DEFAULT_CONFIG)
        if "config" not in self.values and not path.exists():
            raise UsageError(
                f"there is no {DEFAULT_CONFIG} in this folder",
                tip="Name a config with -c FILE or PKGSYNC_CONFIG; `pkgsync demo` shows one at work.",
            )
        config = load(path, os.environ)
        for warning in config.warnings:
            self.terminal.warning(warning)
        return config

    def _verbosity(self) -> Verbosity:
        if self.values.get("quiet"):
            return Verbosity.QUIET
        if self.debug:
            return Verbosity.DEBUG
        return Verbosity.VERBOSE if self.values.get("verbose") else Verbosity.NORMAL

    def _colour(self) -> bool | None:
        if self.values.get("no_color"):
            return False
        return True if self.values.get("color") else None


class Moment(click.ParamType[datetime]):
    """An ISO 8601 time; without a zone it is UTC."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        try:
            moment = datetime.fromisoformat(value)
        except ValueError:
            self.fail(f"{value!r} is not a time such as 2026-01-31T12:00:00Z", param, ctx)
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


FOLDER = click.Path(file_okay=False, path_type=Path)
FILE = click.Path(dir_okay=False, path_type=Path)


def _common_options(*, env: bool) -> tuple[Callable[[F], F], ...]:
    """The environment speaks once, to the group: an option after the command must not lose to it."""

    def variable(name: str) -> str | None:
        return f"PKGSYNC_{name}" if env else None

    formats = click.Choice(["text", "json"])
    return (
        click.option("-c", "--config", type=FILE, envvar=variable("CONFIG"), help=f"Config file [{DEFAULT_CONFIG}]."),
        click.option("-v", "--verbose", is_flag=True, help="Say more."),
        click.option("-q", "--quiet", is_flag=True, help="Say only data and errors."),
        click.option("--debug", is_flag=True, help="Show tracebacks."),
        click.option("--color", is_flag=True, help="Colour even off a terminal."),
        click.option("--no-color", is_flag=True, help="No colour."),
        click.option("--log-format", type=formats, envvar=variable("LOG_FORMAT"), help="Form of messages [text]."),
        click.option("--cache-dir", type=FOLDER, envvar=variable("CACHE_DIR"), help="Folder of downloaded files."),
        click.option("--state-dir", type=FOLDER, envvar=variable("STATE_DIR"), help="Folder of journals and locks."),
        click.option("--backup-dir", type=FOLDER, envvar=variable("BACKUP_DIR"), help="Folder of deleted files."),
    )


COMMON_NAMES = (
    "config",
    "verbose",
    "quiet",
    "debug",
    "color",
    "no_color",
    "log_format",
    "cache_dir",
    "state_dir",
    "backup_dir",
)


def common(*, env: bool = False) -> Callable[[F], F]:
    """Add the common options; the command is then called with a :class:`Context` first."""

    def decorate(function: F) -> F:
        @click.pass_context
        @wraps(function)
        def called(ctx: click.Context, /, **values: Any) -> Any:
            own = ctx.ensure_object(Context)
            own.merge({name: values.pop(name) for name in COMMON_NAMES})
            return function(own, **values)

        decorated = called
        for option in reversed(_common_options(env=env)):
            decorated = option(decorated)
        return cast(F, decorated)

    return decorate
