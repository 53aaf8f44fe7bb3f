"""Where output goes: data to stdout, everything else to stderr, colour only where a terminal wants it."""

import json
import logging
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from enum import IntEnum
from typing import TYPE_CHECKING, TextIO

from attrs import define, field

from pkgsync.progress import SILENT, Progress

if TYPE_CHECKING:
    from pkgsync.report import Style


class Verbosity(IntEnum):
    QUIET = 0
    NORMAL = 1
    VERBOSE = 2
    DEBUG = 3


_COLOURS = {"error": "31", "warning": "33", "tip": "36"}


@define(kw_only=True)
class Terminal:
    """The two streams and how they want to be written to."""

    verbosity: Verbosity = Verbosity.NORMAL
    colour: bool | None = None
    json_log: bool = False
    out: TextIO = field(factory=lambda: sys.stdout)
    err: TextIO = field(factory=lambda: sys.stderr)

    @property
    def style(self) -> "Style":
        """How text reports for stdout look."""
        from pkgsync.report import Style

        width = shutil.get_terminal_size().columns if self.out.isatty() else None
        ascii_only = "utf" not in (self.out.encoding or "utf").lower()
        return Style(colour=self._coloured(self.out), width=width, ascii=ascii_only)

    @property
    def progress(self) -> Progress:
        """Bars on a terminal's stderr; silence everywhere else."""
        dumb = os.environ.get("TERM") == "dumb"
        if self.verbosity is Verbosity.QUIET or self.json_log or dumb or not self.err.isatty():
            return SILENT
        from pkgsync.cli.bars import Bars

        return Bars(self.err)

    def data(self, text: str) -> None:
        try:
            self.out.write(text if text.endswith("\n") or not text else text + "\n")
            self.out.flush()
        except BrokenPipeError:
            raise
        except OSError as error:
            raise OSError(error.errno, error.strerror, "standard output") from None

    def plain(self, text: str) -> None:
        """Our own words on stderr, as they are."""
        self.err.write(f"{text}\n")
        self.err.flush()

    def debug(self, text: str) -> None:
        if self.verbosity >= Verbosity.DEBUG:
            self._log("debug", text)

    def detail(self, text: str) -> None:
        if self.verbosity >= Verbosity.VERBOSE:
            self._log("info", text)

    def info(self, text: str) -> None:
        if self.verbosity >= Verbosity.NORMAL:
            self._log("info", text)

    def warning(self, text: str) -> None:
        if self.verbosity > Verbosity.QUIET:
            self._log("warning", text)

    def error(self, text: str, tip: str = "", code: str = "") -> None:
        self._log("error", text, tip, code)

    def _log(self, level: str, text: str, tip: str = "", code: str = "") -> None:
        if self.json_log:
            moment = datetime.now(UTC).isoformat(timespec="milliseconds")
            entry = {"time": moment, "level": level, "message": text.strip("\n")}
            entry |= {"tip": tip} if tip else {}
            entry |= {"id": code} if code else {}
            self._write(json.dumps(entry))
            return
        label = "" if level in ("info", "debug") else self._paint(level, f"{level}: ")
        self._write(f"{label}{_lines(text)}")
        if tip:
            self._write(f"{self._paint('tip', 'tip: ')}{_lines(tip)}")

    def _write(self, line: str) -> None:
        # only if there are any: importing tqdm costs more than a short command
        if bars := sys.modules.get("pkgsync.cli.bars"):
            bars.write_above(line, self.err)
        else:
            self.err.write(f"{line}\n")
        self.err.flush()

    def _paint(self, kind: str, text: str) -> str:
        return f"\x1b[{_COLOURS[kind]}m{text}\x1b[0m" if self._coloured(self.err) else text

    def _coloured(self, stream: TextIO) -> bool:
        if self.colour is not None:
            return self.colour
        if os.environ.get("NO_COLOR"):
            return False
        if os.environ.get("FORCE_COLOR", "0") not in ("", "0"):
            return True
        return stream.isatty() and os.environ.get("TERM") != "dumb"


class _Handler(logging.Handler):
    """What the package logs: servers' words for ``-v``, every request for ``--debug``.

    The options are known when it comes.
    """

    def __init__(self, terminal: Callable[[], Terminal]) -> None:
        super().__init__()
        self._terminal = terminal

    def emit(self, record: logging.LogRecord) -> None:
        show = self._terminal().detail if record.levelno >= logging.INFO else self._terminal().debug
        show(record.getMessage())


@contextmanager
def logging_to(terminal: Callable[[], Terminal]) -> Iterator[None]:
    """Show the package's log records on the terminal that ``terminal`` gives."""
    logger, handler = logging.getLogger("pkgsync"), _Handler(terminal)
    before = logger.level
    logger.setLevel(logging.DEBUG)
    logger.addHandler(handler)
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.setLevel(before)


def _lines(text: str) -> str:
    """Untrusted text made visible, its own line breaks kept."""
    from pkgsync.report.escape import visible

    return "\n".join(visible(line) for line in text.splitlines())
