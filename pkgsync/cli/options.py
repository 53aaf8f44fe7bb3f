"""Options that every command takes, before or after its name, and the types of their values."""

import os
import shlex
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

import click

from pkgsync.cli.terminal import Shown, Terminal, Verbosity
from pkgsync.errors import PkgsyncError, UsageError

if TYPE_CHECKING:
    from pkgsync.config import Config
    from pkgsync.surroundings import Surroundings

DEFAULT_CONFIG = "pkgsync.yaml"
FOLDERS = ("cache_dir", "state_dir", "backup_dir")
F = TypeVar("F", bound=Callable[..., Any])


class Context:
    """What the common options say; filled by the group, then by the command."""

    def __init__(self, values: dict[str, Any] | None = None, shown: Shown | None = None) -> None:
        self.values = values or {}
        self.shown = shown or Shown()
        self._shows_log = False

    @property
    def terminal(self) -> Terminal:
        return Terminal(
            verbosity=self._verbosity(),
            colour=self.values.get("color"),
            json_log=self.values.get("log_format") == "json",
            shown=self.shown,
        )

    def surroundings(self) -> "Surroundings":
        from msgspec.structs import replace

        from pkgsync.surroundings import Surroundings

        self._show_log()
        named = {name: folder for name in FOLDERS if (folder := self.values.get(name))}
        return replace(Surroundings.of_user(), progress=self.terminal.progress, **named)

    def _show_log(self) -> None:
        """Show what the package logs, until the command ends: of those that never come here, none logs anything."""
        if not self._shows_log:
            from pkgsync.cli.logs import logging_to

            self._shows_log = True
            click.get_current_context().with_resource(logging_to(lambda: self.terminal))

    @property
    def config_path(self) -> Path:
        return self.values.get("config") or Path(DEFAULT_CONFIG)

    def config(self) -> "Config":
        """The config file of this run, its warnings shown."""
        from pkgsync.config import load

        path = self.config_path
        if "config" not in self.values and not path.exists():
            raise UsageError(
                f"there is no {DEFAULT_CONFIG} in this folder",
                tip="Name one with -c FILE or PKGSYNC_CONFIG, or let `pkgsync init PROJECT USER/REPO` propose one.",
            )
        config = load(path, os.environ)
        for warning in config.warnings:
            self.terminal.warning(warning)
        return config

    @property
    def options(self) -> str:
        """What every further command of this user needs, as it is typed: ``-c other.yaml``, with a space behind it."""
        given = {name: str(self.values[name]) for name in ("config", *FOLDERS) if name in self.values}
        return "".join(
            f"{'-c' if name == 'config' else '--' + name.replace('_', '-')} {shlex.quote(path)} "
            for name, path in given.items()
            if path != os.environ.get(f"PKGSYNC_{name.upper()}", DEFAULT_CONFIG if name == "config" else None)
        )

    def _verbosity(self) -> Verbosity:
        if self.values.get("quiet"):
            return Verbosity.QUIET
        if self.values.get("debug"):
            return Verbosity.DEBUG
        return Verbosity.VERBOSE if self.values.get("verbose") else Verbosity.NORMAL


class Moment(click.ParamType[datetime]):
    """An ISO 8601 time; without a zone it is UTC."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        try:
            moment = datetime.fromisoformat(value)
        except ValueError:
            self.fail(f"{value!r} is not a time such as 2026-01-31T12:00:00Z", param, ctx)
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


_LOG_FORMATS = click.Choice(["text", "json"])
FOLDER = click.Path(file_okay=False, path_type=Path)
FILE = click.Path(dir_okay=False, path_type=Path)


class NewFile(click.ParamType[Path]):
    """A file to be written. What could never be written is refused before any work is done for it.

    Of what stands there only what ``is_such``, and can be made again, or nothing at all may go; ``what`` names it.
    """

    name = "file"

    def __init__(self, what: str = "", is_such: Callable[[Path], bool] = lambda path: True) -> None:
        self.what, self.is_such = what, is_such

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Path:
        path, shown = Path(value), repr(str(value))
        folder = path.absolute().parent
        if str(value) == "-" or (path.exists() and not path.is_file()):
            self.fail(f"{shown} is no file that could be replaced", param, ctx)
        if not folder.exists():
            self.fail(f"{shown} cannot be written: there is no folder {str(path.parent)!r}", param, ctx)
        if not folder.is_dir() or not os.access(folder, os.W_OK):
            self.fail(f"{shown} cannot be written: {str(folder)!r} is no folder to write to", param, ctx)
        if path.exists() and path.stat().st_size and not self.is_such(path):
            words = f"{shown} is no {self.what} and is not overwritten: move it away, or name another file"
            self.fail(words, param, ctx)
        return path


def _is_plan(path: Path) -> bool:
    from pkgsync import planfile

    try:
        return planfile.kind(path) == "plan"
    except PkgsyncError:
        return False


NEW_PLAN = NewFile("plan", _is_plan)


# less would not hold one deletion with a long name and its reason
_LEAST_LENGTH = 8192


def in_parts(function: F) -> F:
    """Add the options for Markdown that has to fit somewhere; the command gets ``max_length`` and ``part``."""
    size = click.IntRange(min=_LEAST_LENGTH)
    length = click.option("--max-length", type=size, metavar="N", help="Most characters of Markdown [65536].")
    part = click.option(
        "--part", type=click.IntRange(min=1), metavar="K", help="This part of the Markdown, if it needs several [1]."
    )
    return length(part(function))


class Command(click.Command):
    """A command whose help tells its own options first, and then those that all have."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        options = [param for param in self.get_params(ctx) if isinstance(param, click.Option)]
        for title, own in (("Options", True), ("Everywhere", False)):
            told = (option.get_help_record(ctx) for option in options if option.expose_value is own)
            if records := [record for record in told if record]:
                with formatter.section(title):
                    formatter.write_dl(records)


def common(*, env: bool = False) -> Callable[[F], F]:
    """Add the common options; the command is then called with a :class:`Context` first.

    The environment speaks once, to the group: an option after the command must not lose to it.
    """

    def option(*names: str, variable: str | None = None, **more: Any) -> Callable[[F], F]:
        envvar = f"PKGSYNC_{variable}" if env and variable else None
        return click.option(*names, envvar=envvar, default=None, expose_value=False, callback=_keep, **more)

    options = (
        option("-c", "--config", variable="CONFIG", type=FILE, help=f"Config file [{DEFAULT_CONFIG}]."),
        option("-v", "--verbose", is_flag=True, help="Say more."),
        option("-q", "--quiet", is_flag=True, help="Say only data and errors."),
        option("--debug", is_flag=True, help="Say more still: requests and tracebacks."),
        option("--color/--no-color", help="Colour always, or never [on a terminal]."),
        option("--log-format", variable="LOG_FORMAT", type=_LOG_FORMATS, help="Form of messages [text]."),
        option("--cache-dir", variable="CACHE_DIR", type=FOLDER, help="Folder of what can be fetched again."),
        option("--state-dir", variable="STATE_DIR", type=FOLDER, help="Folder of journals, locks and backups."),
        option("--backup-dir", variable="BACKUP_DIR", type=FOLDER, help="Folder of replaced and deleted files."),
    )

    def decorate(function: F) -> F:
        decorated: Any = click.make_pass_decorator(Context, ensure=True)(function)
        for add in reversed(options):
            decorated = add(decorated)
        return cast(F, decorated)

    return decorate


def _keep(ctx: click.Context, param: click.Parameter, value: Any) -> None:
    if value is not None and param.name is not None:
        ctx.ensure_object(Context).values[param.name] = value
