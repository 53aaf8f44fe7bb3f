"""The command ``pkgsync``: its group, and the one place that turns errors into words and exit codes."""

import gc
import os
import signal
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from types import FrameType
from typing import NamedTuple, NoReturn, TextIO

import click

from pkgsync.cli.commands import Commands
from pkgsync.cli.options import Context, common
from pkgsync.cli.terminal import Terminal
from pkgsync.errors import SIGNALS, ExitCode, PkgsyncError
from pkgsync.version import __version__


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="pkgsync", message="%(prog)s %(version)s")
@common(env=True)
def cli(context: Context) -> None:
    """Keep a Packagecloud repository equal to what the Open Build Service publishes.

    `plan` reads both and writes what to change, people review it, `apply` executes exactly that.
    `pkgsync help` lists what there is to read about it.
    """


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command line and exit with a code of the table."""
    # Nearly all that a plan makes lives as long as the run: looking through it for cycles again and again took a fifth
    # of the whole time. With fewer looks the memory stays the same; none at all would let a long apply grow.
    gc.freeze()
    gc.set_threshold(500_000, 10, 100)
    _open_streams()
    _handle_signals(_leave)
    code = run(Context(), arguments)
    for stream in (sys.stdout, sys.stderr):
        _finish(stream)
    if code in (ExitCode.INTERRUPTED, ExitCode.TERMINATED, ExitCode.HANGUP):
        # threads that still wait for a server must not hold up the end
        os._exit(code)
    sys.exit(code)


def _open_streams() -> None:
    """Any name can be written. A stream that the caller closed is None: what goes there goes nowhere."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name) or open(os.devnull, "w")  # noqa: PTH123, SIM115
        stream.reconfigure(errors="backslashreplace")
        setattr(sys, name, stream)


def run(context: Context, arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns its exit code. Never raises."""
    previous = {number: signal.getsignal(number) for number in SIGNALS}
    try:
        _handle_signals(_interrupt)
        try:
            return _run(context, arguments)
        finally:
            for number, handler in previous.items():
                signal.signal(number, handler)
    except _Signalled as error:  # it came while another end was told
        return SIGNALS[error.number]


def _run(context: Context, arguments: Sequence[str] | None) -> int:
    try:
        # not standalone: click would exit with 2 for a wrong command line, which means changes here
        code = cli.main(arguments, prog_name="pkgsync", standalone_mode=False, obj=context)
        return int(code or ExitCode.OK)
    except BaseException as error:
        ending = _ending(error)
        with suppress(OSError):  # stderr may be what cannot be written
            _tell(ending, error, context.terminal)
        return ending.code


class _Signalled(BaseException):
    """A signal ends the run. No Exception, so that nothing on the way takes it for a failed read."""

    def __init__(self, number: signal.Signals) -> None:
        super().__init__(number.name)
        self.number = number


def _handle_signals(handler: Callable[[int, FrameType | None], None]) -> None:
    for number in SIGNALS:
        if signal.getsignal(number) is not signal.SIG_IGN:  # nohup
            signal.signal(number, handler)


def _interrupt(number: int, frame: FrameType | None) -> None:
    _handle_signals(_leave)  # a second one must not be raised where the first is told
    raise _Signalled(signal.Signals(number))


def _leave(number: int, frame: FrameType | None) -> None:
    os._exit(SIGNALS[signal.Signals(number)])


class _Ending(NamedTuple):
    """What an error means to whoever called: the exit code, the words, a stable id. No words: say nothing."""

    code: int
    message: str = ""
    tip: str = ""
    id: str = ""


def _ending(error: BaseException) -> _Ending:
    match error:
        case PkgsyncError():
            return _Ending(error.exit_code, error.message, error.tip, type(error).__name__)
        case click.UsageError():
            no_command = isinstance(error, click.exceptions.NoArgsIsHelpError)
            # its own list of choices has tabs
            words = "no command" if no_command else error.format_message().replace("\n\t", " ")
            return _Ending(ExitCode.USAGE, words, f"Try `{_path(error)} --help`.", "UsageError")
        case click.exceptions.Exit():
            return _Ending(error.exit_code)
        case _Signalled():
            tip = "Nothing is half written; run the same command again."
            return _Ending(SIGNALS[error.number], f"ended by {error.number.name}", tip, "Interrupted")
        case SystemExit():
            return _Ending(error.code if isinstance(error.code, int) else ExitCode.ERROR)
        case BrokenPipeError():
            return _Ending(ExitCode.ERROR)
        case OSError():
            where = f"{error.filename}: " if error.filename else ""
            return _Ending(ExitCode.ERROR, f"{where}{error.strerror or type(error).__name__}", id="OSError")
        case _:
            tip = "Run again with --debug for the traceback, and report it."
            return _Ending(ExitCode.ERROR, f"internal error: {type(error).__name__}", tip, "InternalError")


def _path(error: click.UsageError) -> str:
    return error.ctx.command_path if error.ctx else "pkgsync"


def _tell(ending: _Ending, error: BaseException, terminal: Terminal) -> None:
    if isinstance(error, click.exceptions.NoArgsIsHelpError) and not terminal.json_log:
        terminal.plain(error.format_message())
    elif ending.message:
        import traceback

        terminal.debug("".join(traceback.format_exception(error)))
        terminal.error(ending.message, ending.tip, ending.id)


def _finish(stream: TextIO) -> None:
    """Flush, or leave it where nobody reads any more: Python would complain about that once more at its end."""
    try:
        stream.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
