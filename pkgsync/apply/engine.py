"""Runs a reviewed plan: preflight, uploads, replacements, deletions, receipt."""

import os
import socket
from collections.abc import Iterable, Sequence
from typing import TypeVar

from attrs import evolve

from pkgsync.apply import journal as journals
from pkgsync.apply import lock, preflight, receipt, signals
from pkgsync.apply.guard import Guard, distribution_of
from pkgsync.apply.job import Job
from pkgsync.apply.journal import Event, Journal, Ledger, stamp
from pkgsync.apply.phases import Phases, missing_uploads
from pkgsync.apply.preflight import Preflight
from pkgsync.apply.record import Record
from pkgsync.apply.result import Result
from pkgsync.apply.signals import Halt
from pkgsync.apply.task import blank
from pkgsync.errors import InterruptedRunError, PkgsyncError, UsageError
from pkgsync.model import (
    Action,
    Archiving,
    Outcome,
    Plan,
    Receipt,
    ReceiptLine,
    Removal,
    Replacement,
    Upload,
    iso,
)
from pkgsync.reasons import Reason
from pkgsync.reconcile import Standing
from pkgsync.version import __version__

Kind = TypeVar("Kind", Upload, Replacement, Removal)


def run(plan: Plan, job: Job) -> Receipt:
    """Execute the plan, and write its receipt.

    What was done, also where the run ended early, stands in the receipt with the exit code. Raises PkgsyncError
    where nothing could be done at all: UnsafePlanError, UsageError, LockedError, StorageError, and what the reads of
    the preflight raise. With ``dry_run`` nothing is written anywhere.
    """
    preflight.refuse_unfit(plan, job)
    since = iso(job.now())
    if job.dry_run:
        return _dry_run(plan, job, since)
    _require_receipt_folder(job)
    with lock.hold(
        job.state_dir, api=plan.target.api, repository=plan.target.repository, plan_digest=plan.digest, since=since
    ):
        journal = Journal(journals.place(job.state_dir, plan.digest), job.now)
        try:
            return _Run(plan, job, journal).execute()
        finally:
            journal.close()


def _dry_run(plan: Plan, job: Job, since: str) -> Receipt:
    ledger = journals.peek(journals.place(job.state_dir, plan.digest))
    found = preflight.look(plan, job, ledger)
    record = Record(job.now, job.report)
    for check in found.checks:
        record.judged(ledger, check.action, preflight.result_of(check, ledger, job))
    return receipt.derive(
        plan, record, Halt(), version=__version__, started_at=since, now=job.now(), runs=1, warnings=found.warnings
    )


def _require_receipt_folder(job: Job) -> None:
    folder = job.receipt.parent
    if not folder.is_dir() or not os.access(folder, os.W_OK):
        raise UsageError(f"The receipt cannot be written to {folder}.", tip="Choose another place with `--receipt`.")


class _Run:
    """One run of one plan, under the lock."""

    def __init__(self, plan: Plan, job: Job, journal: Journal) -> None:
        self.plan = plan
        self.job = job
        self.journal = journal
        self.halt = Halt()
        self.record = Record(job.now, job.report, job.skip_stale)
        self.warnings: list[str] = []
        self.cut_off = False

    @property
    def ledger(self) -> Ledger:
        return self.journal.ledger

    def execute(self) -> Receipt:
        self.journal.record(Event.RUN, plan=self.plan.digest, pid=os.getpid(), host=socket.gethostname())
        with signals.handling(self.halt):
            try:
                found = preflight.look(self.plan, self.job, self.ledger)
                self.halt.begun = True
            except PkgsyncError as error:
                self.halt.begun = True
                self._finish_blind(error)
                raise
            self._work_safely(found)
            return self._finish()

    def _finish_blind(self, error: PkgsyncError) -> None:
        """Nothing could be looked at: the receipt repeats what earlier runs noted."""
        self.warnings.append(error.message)
        for action in self.plan.actions:
            noted = self.ledger.past(action.key).line
            self.record.lines[action.key] = noted or blank(action)
        receipt.write(evolve(self._derive(), exit_code=error.exit_code), self.job.receipt)

    def _work_safely(self, found: Preflight) -> None:
        """From here on an error ends the run, but what was done before it stands in the receipt."""
        try:
            self._work(found)
        except InterruptedRunError as error:
            self.cut_off = True
            self.job.packagecloud.session.close()
            self.warnings.append(error.message)
        except PkgsyncError as error:
            self.halt.fail(error)
            self.warnings.append(error.message)

    def _work(self, found: Preflight) -> None:
        self.warnings.extend(found.warnings)
        phases = Phases(
            self.job,
            self.journal,
            self.halt,
            self.record,
            Guard.of(found.actual, self.job.managed),
            found.actual.distribution_ids,
        )
        due = self._judge(found.checks, phases)
        self._say_if_nothing(due)
        if self._stopped():
            return
        phases.upload(_only(due, Upload))
        replacements = self._still_due(_only(due, Replacement), phases)
        phases.replace(replacements)
        removals = self._unblocked([action for action in due if isinstance(action, Removal)])
        phases.remove(self._still_due(removals, phases))

    def _say_if_nothing(self, due: Sequence[Action]) -> None:
        if not due and not self.record.codes:
            again = " The plan was applied before." if self.ledger.runs > 1 else ""
            self.job.report(f"Nothing to do.{again}")

    def _judge(self, checks: Iterable[Standing], phases: Phases) -> list[Action]:
        """Record what is not due, and give back what is."""
        due = []
        for check in checks:
            if check.outcome is not Outcome.DUE:
                self._settle(check, phases)
            elif self.job.only_uploads and not isinstance(check.action, Upload):
                left = Result.left("this run was limited to uploads", Reason.NOT_SELECTED)
                self.record.judged(self.ledger, check.action, left)
            else:
                due.append(check.action)
        return due

    def _settle(self, check: Standing, phases: Phases) -> None:
        result = preflight.result_of(check, self.ledger, self.job)
        action = check.action
        if isinstance(action, Replacement | Archiving) and self._is_half_done(action, result, phases.guard):
            phases.put_back(action, result)
        else:
            self._note(self.record.judged(self.ledger, action, result))

    def _note(self, line: ReceiptLine) -> None:
        """Our own doing that an interrupted run could not note any more: an undo asks the journal whose it is."""
        noted = self.ledger.past(line.key).line
        if line.outcome is Outcome.DONE and (noted is None or noted.outcome is not Outcome.DONE):
            self.journal.end(line)

    def _is_half_done(self, action: Replacement | Archiving, result: Result, guard: Guard) -> bool:
        """An earlier run took the old file away and was killed before it put anything in its place."""
        past = self.ledger.past(action.key)
        if isinstance(action, Archiving):
            return past.moving and result.reason is Reason.NEITHER_PLACE
        return not result.present and past.absent_since is not None and action.key not in guard.before

    def _stopped(self) -> bool:
        return self.record.has_stale or self.halt.requested

    def _still_due(self, actions: Sequence[Kind], phases: Phases) -> list[Kind]:
        """Both worlds once more: what is still due, in distributions that nobody else changed."""
        if not actions or self._stopped():
            return []
        found = self._look_again(phases.guard)
        foreign = {distribution_of(key): key for key in reversed(phases.guard.foreign(found.actual))}
        checks = found.by_key
        still: list[Kind] = []
        for planned in actions:
            check = checks[planned.key]
            changed = foreign.get(planned.distribution)
            if check.outcome is Outcome.DUE and changed is None:
                still.append(planned)
                continue
            if check.outcome is Outcome.DUE:
                words = f"somebody else changed {changed} while the plan was applied"
                check = evolve(check, outcome=Outcome.STALE, reason=Reason.TARGET_CHANGED, message=words)
            self._settle(check, phases)
        return [] if self._stopped() else still

    def _look_again(self, guard: Guard) -> Preflight:
        """Our own changes may take a moment to be listed, so that odd listings are read more than once."""
        limits = self.job.limits
        for attempt in range(1, limits.looks):
            found = preflight.look(self.plan, self.job, self.ledger)
            if not any(key in guard.own for key in guard.foreign(found.actual)):
                return found
            self.job.pause(limits.wait_seconds(attempt))
        return preflight.look(self.plan, self.job, self.ledger)

    def _unblocked(self, removals: Sequence[Removal]) -> list[Removal]:
        """The removals from distributions whose uploads and replacements are all verified present."""
        missing_by_distribution = missing_uploads((*self.plan.uploads, *self.plan.replacements), self.record)
        free = []
        for action in removals:
            missing = missing_by_distribution.get(action.distribution)
            if missing is None:
                free.append(action)
            else:
                words = f"{missing.key} is not verified present"
                self.record.judged(self.ledger, action, Result.left(words, Reason.UPLOAD_MISSING))
        return free

    def _finish(self) -> Receipt:
        for action in self.plan.actions:
            if action.key not in self.record.lines:
                self.record.judged(self.ledger, action, Result.left(self._why_left(action)))
        made = self._derive()
        receipt.write(made, self.job.receipt)
        return made

    def _derive(self) -> Receipt:
        return receipt.derive(
            self.plan,
            self.record,
            self.halt,
            version=__version__,
            started_at=self.ledger.started_at or stamp(self.job.now()),
            now=self.job.now(),
            runs=self.ledger.runs,
            warnings=self.warnings,
        )

    def _why_left(self, action: Action) -> str:
        past = self.ledger.past(action.key)
        if self.cut_off and past.attempts > (past.line.attempts if past.line is not None else 0):
            return "cut off: the outcome is unknown until the next run looks"
        return self.halt.message if self.halt.requested else "not begun: other actions are stale"


def _only(actions: Iterable[Action], kind: type[Kind]) -> list[Kind]:
    return [action for action in actions if isinstance(action, kind)]
