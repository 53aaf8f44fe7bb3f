"""Collects how the actions of a run end: in the journal at once, in the receipt at the end."""

import threading
from collections.abc import Callable, Collection, Iterable
from datetime import datetime

from attrs import define, field
from msgspec.structs import replace

from pkgsync.apply.journal import Journal, Ledger, stamp
from pkgsync.apply.outcome import Result, Task, blank, exit_code_of, line_of
from pkgsync.apply.signals import Halt
from pkgsync.errors import ExitCode
from pkgsync.model import Action, Approval, Outcome, Plan, Receipt, ReceiptLine
from pkgsync.version import __version__


@define(kw_only=True)
class Record:
    """One line per action that has ended, and the exit codes that they ask for. Thread-safe.

    ``listed`` are the package keys that are known to stand there, ``approvals`` the signatures that the run relies on,
    ``unsigned`` tells of the indexes that no pinned key vouches for.
    """

    now: Callable[[], datetime]
    report: Callable[[str, ReceiptLine | None], None]
    skip_stale: bool = False
    approvals: tuple[Approval, ...] = ()
    lines: dict[str, ReceiptLine] = field(factory=dict)
    codes: set[ExitCode] = field(factory=set)
    listed: Collection[str] = ()
    unsigned: dict[str, None] = field(factory=dict)
    _lock: threading.Lock = field(factory=threading.Lock)

    def worked(self, journal: Journal, task: Task, result: Result) -> ReceiptLine:
        """An action that was worked on: written to the journal before anything builds on it. Raises StorageError."""
        result = self._tolerated(self._seen(task.action, result))
        line = line_of(task, journal.ledger.past(task.key), result, stamp(self.now()))
        try:
            journal.end(line)
        finally:  # a full disk does not undo what was done: the receipt tells it
            self._take(line, result)
            self.report(_words(line), line)
        return line

    def judged(self, ledger: Ledger, action: Action, result: Result) -> ReceiptLine:
        """An action that was not worked on in this run. What an earlier run noted about its end is kept."""
        result, past = self._tolerated(self._seen(action, result)), ledger.past(action.key)
        line = past.line
        if line is None or not line.outcome.is_goal or not result.present:
            finished_at = line.finished_at if line is not None else None
            line = line_of(Task(action=action), past, result, finished_at)
        self._take(line, result)
        return line

    @property
    def has_stale(self) -> bool:
        return any(line.outcome is Outcome.STALE for line in self.lines.values())

    def reached(self, key: str) -> bool:
        """Whether the action's goal is reached, in this run or before."""
        line = self.lines.get(key)
        return line is not None and line.outcome.is_goal

    def receipt(self, plan: Plan, halt: Halt, *, started_at: str, runs: int, warnings: Iterable[str]) -> Receipt:
        """What the run did, action by action, in the plan's order. ``started_at`` is of the plan's first run."""
        lines = tuple(self.lines.get(action.key) or blank(action) for action in plan.actions)
        complete = all(line.outcome.is_goal for line in lines)
        refused = {ExitCode.INTEGRITY} if self.unsigned and not complete else set[ExitCode]()
        return Receipt(
            pkgsync_version=__version__,
            plan_digest=plan.digest,
            target=plan.target,
            started_at=started_at,
            finished_at=stamp(self.now()),
            exit_code=exit_code_of(self.codes | halt.codes | refused),
            complete=complete,
            interrupted=halt.signalled is not None,
            lines=lines,
            runs=max(1, runs),
            warnings=(*self.unsigned, *warnings, *_renamed(lines)),
            approvals=self.approvals,
        )

    def _seen(self, action: Action, result: Result) -> Result:
        known = result.missing is None and action.key in self.listed
        return replace(result, missing="no") if known else result

    def _tolerated(self, result: Result) -> Result:
        """A stale action ends the run, unless such actions are skipped on request."""
        skipped = self.skip_stale and result.outcome is Outcome.STALE
        return replace(result, outcome=Outcome.SKIPPED) if skipped else result

    def _take(self, line: ReceiptLine, result: Result) -> None:
        with self._lock:
            self.lines[line.key] = line
            self.codes |= result.codes
            if line.missing:  # also where this run was not asked to look for it
                self.codes.add(ExitCode.PARTLY)


def _renamed(lines: Iterable[ReceiptLine]) -> Iterable[str]:
    return (f"{line.key}: Packagecloud stored it as {line.stored_as}" for line in lines if line.stored_as)


def _words(line: ReceiptLine) -> str:
    words = f"{line.action} {line.key}: {line.outcome}"
    return f"{words} ({line.message})" if line.message else words
