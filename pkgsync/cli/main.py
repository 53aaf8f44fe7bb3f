"""The command ``pkgsync``: its group, and the one place that turns errors into words and exit codes."""

import os
import signal
import sys
import traceback
from collections.abc import Sequence
from types import FrameType
from typing import NoReturn

import click

from pkgsync.cli import commands
from pkgsync.cli.options import Context, common
from pkgsync.errors import ExitCode, InterruptedRunError, PkgsyncError
from pkgsync.version import __version__

_SIGNALS = {signal.SIGTERM: ExitCode.TERMINATED, signal.SIGHUP: ExitCode.HANGUP}


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="pkgsync", message="%(prog)s %(version)s")
@common(env=True)
def cli(context: Context) -> None:
    """Keep a Packagecloud repository equal to what the Open Build Service publishes.

    `plan` reads both and writes what to change, people review it, `apply` executes exactly that.
    """


for command in commands.ALL:
    cli.add_command(command)


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command line and exit with a code of the table (DESIGN section 9)."""
    context = Context()
    code = run(context, arguments)
    if code in (ExitCode.INTERRUPTED, ExitCode.TERMINATED, ExitCode.HANGUP):
        # threads that still wait for a server must not hold up the end
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
    sys.exit(code)


def run(context: Context, arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns its exit code. Never raises."""
    previous = {number: signal.signal(number, _interrupt) for number in _SIGNALS}
    try:
        code = cli.main(arguments, prog_name="pkgsync", standalone_mode=False, obj=context)
        return int(code or ExitCode.OK)
    except BaseException as error:
        if context.debug and not isinstance(error, click.exceptions.Exit | SystemExit):
            traceback.print_exc()
        return _explain(error, context)
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise InterruptedRunError(f"ended by {signal.Signals(number).name}", _SIGNALS[signal.Signals(number)])


def _explain(error: BaseException, context: Context) -> int:
    terminal = context.terminal
    match error:
        case PkgsyncError():
            terminal.error(error.message, error.tip, type(error).__name__)
            return error.exit_code
        case click.exceptions.NoArgsIsHelpError():
            terminal.data(error.format_message())
            return ExitCode.USAGE
        case click.UsageError():
            command = error.ctx.command_path if error.ctx else "pkgsync"
            terminal.error(error.format_message(), f"Try `{command} --help`.", "UsageError")
            return ExitCode.USAGE
        case click.exceptions.Exit():
            return error.exit_code
        case KeyboardInterrupt() | click.Abort():
            terminal.error("interrupted", "Nothing is half written; run the same command again.", "Interrupted")
            return ExitCode.INTERRUPTED
        case SystemExit():
            return error.code if isinstance(error.code, int) else ExitCode.ERROR
        case BrokenPipeError():
            _silence_stdout()
            return ExitCode.ERROR
        case _:
            return _unexpected(error, context)


def _unexpected(error: BaseException, context: Context) -> int:
    if isinstance(error, OSError):
        where = f"{error.filename}: " if error.filename else ""
        context.terminal.error(f"{where}{error.strerror or type(error).__name__}", "", "OSError")
    else:
        tip = "Run again with --debug for the traceback, and report it."
        context.terminal.error(f"internal error: {type(error).__name__}", tip, "InternalError")
    return ExitCode.ERROR


def _silence_stdout() -> None:
    """Whoever read stdout has gone; Python would complain about that once more at its end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
