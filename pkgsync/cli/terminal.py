"""Where output goes: data to stdout, everything else to stderr, colour only where a terminal wants it."""

import os
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from enum import IntEnum
from typing import TYPE_CHECKING, Any, TextIO

import click

from pkgsync.progress import SILENT, Progress

if TYPE_CHECKING:
    from pkgsync.cli.bars import Bars
    from pkgsync.report import Style
    from pkgsync.report.style import Colour

LOG_FORMAT = {"format": "pkgsync-log", "version": "1.0"}
"""The first line of a log in JSON: whoever reads it knows what the others are."""


class Verbosity(IntEnum):
    QUIET = 0
    NORMAL = 1
    VERBOSE = 2
    DEBUG = 3


class Shown:
    """What stands on stderr already: the bars, and the first line of a log."""

    def __init__(self) -> None:
        self.bars: Bars | None = None
        self.headed = False


NO_FACTS: Mapping[str, Any] = {}
_COLOURS: Mapping[str, "Colour"] = {"error": "red", "warning": "yellow", "tip": "cyan"}


class Terminal:
    """The two streams and how they want to be written to."""

    def __init__(self, *, verbosity: Verbosity, colour: bool | None, json_log: bool, shown: Shown) -> None:
        self.verbosity, self.colour, self.json_log, self.shown = verbosity, colour, json_log, shown
        self.out, self.err = sys.stdout, sys.stderr

    @property
    def style(self) -> "Style":
        """How text reports for stdout look."""
        return self._style(self.out)

    def _style(self, stream: TextIO) -> "Style":
        import shutil

        from pkgsync.report import Style

        width = shutil.get_terminal_size((columns(stream), 0)).columns if stream.isatty() else None
        ascii_only = "utf" not in (stream.encoding or "utf").lower()
        return Style(colour=self._coloured(stream), width=width, ascii=ascii_only)

    @property
    def progress(self) -> Progress:
        """Bars on a terminal's stderr; elsewhere a line now and then."""
        if self.verbosity is Verbosity.QUIET:
            return SILENT
        from pkgsync.cli.bars import Bars, Lines

        if self.json_log or os.environ.get("TERM") == "dumb" or not self.err.isatty():
            return Lines(self.info)
        self.shown.bars = Bars(self.err)
        return self.shown.bars

    def data(self, text: str) -> None:
        try:
            self.out.write(text if text.endswith("\n") or not text else text + "\n")
            self.out.flush()
        except BrokenPipeError:
            raise
        except OSError as error:
            raise OSError(error.errno, error.strerror, "standard output") from None

    def bold(self, text: str) -> str:
        """The words as a heading on stdout."""
        return click.style(text, bold=True) if self._coloured(self.out) else text

    def page(self, text: str) -> None:
        """What is longer than the terminal goes through the user's pager."""
        import shutil

        if self.out.isatty() and text.count("\n") >= shutil.get_terminal_size().lines:
            click.echo_via_pager(text)
        else:
            self.data(text)

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

    def info(self, text: str, facts: Mapping[str, Any] = NO_FACTS) -> None:
        """``facts`` are what a log in JSON tells beside the words."""
        if self.verbosity >= Verbosity.NORMAL:
            self._log("info", text, facts=facts)

    def warning(self, text: str) -> None:
        if self.verbosity > Verbosity.QUIET:
            self._log("warning", text)

    def error(self, text: str, tip: str = "", code: str = "") -> None:
        self._log("error", text, facts={name: said for name, said in (("tip", tip), ("id", code)) if said})

    def _log(self, level: str, text: str, facts: Mapping[str, Any] = NO_FACTS) -> None:
        if self.json_log:
            moment = datetime.now(UTC).isoformat(timespec="milliseconds")
            self._write_json({"time": moment, "level": level, "message": text.strip("\n"), **facts})
            return
        self._say(level, text)
        if tip := facts.get("tip"):
            self._say("tip", tip)

    def _say(self, kind: str, text: str) -> None:
        """Untrusted text made visible, its own line breaks kept. What only --debug says is wrapped nowhere."""
        from pkgsync.report import visible, wrapped

        style, label = self._style(self.err), f"{kind}:" if kind in _COLOURS else ""
        lines = f"{label} {text}".splitlines() if label else text.splitlines()
        rows = [visible(line) for line in lines]
        if kind != "debug":
            rows = [
                row
                for line in rows
                for row in wrapped(line.lstrip(), style, indent=len(line) - len(line.lstrip()), hanging=2) or [""]
            ]
        said = "\n".join(rows)
        self._write(f"{style.paint(_COLOURS[kind], label) if label else ''}{said[len(label) :]}")

    def _write_json(self, entry: Mapping[str, Any]) -> None:
        import json

        head = "" if self.shown.headed else f"{json.dumps(LOG_FORMAT)}\n"
        self.shown.headed = True
        # GitHub and Azure obey ##[command] and ##vso[command] anywhere in a line
        line = json.dumps(entry).replace("##", "#\\u0023")
        self._write(f"{head}{line}")

    def _write(self, line: str) -> None:
        if self.shown.bars is not None:
            self.shown.bars.write_above(line)
        else:
            self.err.write(f"{line}\n")
            self.err.flush()

    def _coloured(self, stream: TextIO) -> bool:
        if self.colour is not None:
            return self.colour
        if os.environ.get("NO_COLOR"):
            return False
        if os.environ.get("FORCE_COLOR", "0") not in ("", "0"):
            return True
        return stream.isatty() and os.environ.get("TERM") != "dumb"


def columns(terminal: TextIO) -> int:
    """How wide it is."""
    try:
        return os.get_terminal_size(terminal.fileno()).columns or 80
    except (OSError, ValueError):
        return 80
