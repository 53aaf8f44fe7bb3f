"""Collects how the actions of a run end: in the journal at once, in the receipt at the end."""

import threading
from collections.abc import Callable
from datetime import datetime

from attrs import define, evolve, field

from pkgsync.apply.journal import Journal, Ledger, stamp
from pkgsync.apply.result import Result
from pkgsync.apply.task import Task, line_of
from pkgsync.errors import ExitCode
from pkgsync.model import Action, Outcome, ReceiptLine


@define
class Record:
    """One line per action that has ended, and the exit codes that they ask for. Thread-safe."""

    now: Callable[[], datetime]
    report: Callable[[str], None]
    skip_stale: bool = False
    lines: dict[str, ReceiptLine] = field(factory=dict)
    codes: set[ExitCode] = field(factory=set)
    _lock: threading.Lock = field(factory=threading.Lock)

    def worked(self, journal: Journal, task: Task, result: Result) -> ReceiptLine:
        """An action that was worked on: written to the journal before anything builds on it."""
        result = self._tolerated(result)
        line = line_of(task, journal.ledger.past(task.key), result, stamp(self.now()))
        journal.end(line)
        self._take(line, result)
        self.report(_words(line))
        return line

    def judged(self, ledger: Ledger, action: Action, result: Result) -> ReceiptLine:
        """An action that was not worked on in this run. What an earlier run noted about its end is kept."""
        result, past = self._tolerated(result), ledger.past(action.key)
        line = past.line
        if line is None or not line.outcome.is_goal or not result.present:
            finished_at = line.finished_at if line is not None else None
            line = line_of(Task(action), past, result, finished_at)
        self._take(line, result)
        return line

    def _tolerated(self, result: Result) -> Result:
        """A stale action ends the run, unless such actions are skipped on request."""
        skipped = self.skip_stale and result.outcome is Outcome.STALE
        return evolve(result, outcome=Outcome.SKIPPED) if skipped else result

    @property
    def has_stale(self) -> bool:
        return any(line.outcome is Outcome.STALE for line in self.lines.values())

    def reached(self, key: str) -> bool:
        """Whether the action's goal is reached, in this run or before."""
        line = self.lines.get(key)
        return line is not None and line.outcome.is_goal

    def _take(self, line: ReceiptLine, result: Result) -> None:
        with self._lock:
            self.lines[line.key] = line
            self.codes |= result.codes


def _words(line: ReceiptLine) -> str:
    words = f"{line.action} {line.key}: {line.outcome}"
    return f"{words} ({line.message})" if line.message else words
