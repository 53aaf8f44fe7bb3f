"""Runs a reviewed plan: preflight, uploads, replacements, removals, receipt."""

import os
import socket
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from pathlib import Path
from typing import TypeVar

from attrs import define, field
from msgspec.structs import replace

from pkgsync import approvals
from pkgsync.apply import journal as journals
from pkgsync.apply import lock, preflight, receipts, signals
from pkgsync.apply.guard import Guard, distribution_of
from pkgsync.apply.journal import Event, Journal, Ledger, stamp
from pkgsync.apply.options import ApplyOptions, Patience
from pkgsync.apply.outcome import Result, blank, missing_of
from pkgsync.apply.phases import Phases
from pkgsync.apply.preflight import Preflight
from pkgsync.apply.record import Record
from pkgsync.apply.signals import Halt
from pkgsync.cache import Backups, Cache
from pkgsync.config import Config, managed_distributions
from pkgsync.errors import IntegrityError, InterruptedRunError, PkgsyncError, UsageError
from pkgsync.model import (
    Action,
    Archiving,
    Outcome,
    Plan,
    Receipt,
    ReceiptLine,
    Removal,
    Replacement,
    Transfer,
    Upload,
    iso,
)
from pkgsync.reasons import Reason
from pkgsync.reconcile import Standing
from pkgsync.services import Services

Kind = TypeVar("Kind", Upload, Replacement, Removal)


def run(
    plan: Plan,
    config: Config,
    services: Services,
    options: ApplyOptions,
    *,
    now: Callable[[], datetime],
    report: Callable[[str, ReceiptLine | None], None],
) -> Receipt:
    """Execute the plan, and write its receipt; ``report`` gets words, and with each finished action its line.

    What was done, also where the run ended early, stands in the receipt with the exit code. Raises PkgsyncError
    where nothing could be done at all: UnsafePlanError, UsageError, OtherConfigError on CI, IntegrityError where
    too few have signed, LockedError, StorageError, and what the reads of the preflight raise. With ``dry_run`` nothing
    is written anywhere, and signatures that lack are a warning, as those who shall sign may want to see it.
    """
    preflight.refuse_unfit(plan, config)
    services.surroundings.refuse_shared_stores()
    if services.surroundings.on_ci and not options.dry_run:
        preflight.refuse_other_config(plan, config)
    since = iso(now())
    record, lacking = Record(now=now, report=report, skip_stale=options.skip_stale and not options.dry_run), []
    try:
        demanded = options.require_signature
        record.approvals = approvals.check(plan, config, options.signatures, now(), demanded=demanded)
    except IntegrityError as error:
        if not options.dry_run:
            raise
        lacking.append(f"{error.message} {error.tip}")
    if options.dry_run:
        return _dry_run(plan, config, services, options, record, since, lacking)
    _require_folder_of(options.receipt)
    state_dir = services.surroundings.state_dir
    target = plan.target
    locked = lock.hold(state_dir, api=target.api, repository=target.repository, plan_digest=plan.digest, since=since)
    with locked, Cache(services.surroundings.cache_dir).in_use():
        journal = Journal(journals.place(state_dir, plan.digest), now)
        try:
            begun = _Run(plan=plan, config=config, services=services, options=options, journal=journal, record=record)
            return begun.execute()
        finally:
            journal.close()


def _dry_run(
    plan: Plan,
    config: Config,
    services: Services,
    options: ApplyOptions,
    record: Record,
    since: str,
    warnings: Sequence[str],
) -> Receipt:
    surroundings = services.surroundings
    ledger = journals.peek(journals.place(surroundings.state_dir, plan.digest))
    ledger.runs += 1  # a run counts itself: what earlier ones changed is no change by others
    found = _looked(plan, config, services, options, record, ledger)
    record.listed = {row.key for row in found.actual.rows}
    for standing in options.part.of(found.standings):
        result = preflight.result_of(standing, ledger, Backups(surroundings.backups))
        record.judged(ledger, standing.action, result)
    return record.receipt(plan, Halt(), started_at=since, runs=1, warnings=[*warnings, *found.warnings])


def _looked(
    plan: Plan, config: Config, services: Services, options: ApplyOptions, record: Record, ledger: Ledger
) -> Preflight:
    """A signature tells that the plan is the reviewed one as well as naming its digest does."""
    signed = bool(record.approvals)
    approved = options.approved or signed
    found = preflight.look(plan, config, services, ledger, record.now, approved=approved, once=signed)
    record.unsigned |= dict.fromkeys(found.unsigned)
    return found


def _require_folder_of(receipt: Path) -> None:
    folder = receipt.parent
    if not folder.is_dir() or not os.access(folder, os.W_OK):
        raise UsageError(f"The receipt cannot be written to {folder}.", tip="Choose another place with `--receipt`.")


@define(kw_only=True)
class _Run:
    """One run of one plan, under the lock."""

    plan: Plan
    config: Config
    services: Services
    options: ApplyOptions
    journal: Journal
    record: Record
    halt: Halt = field(factory=Halt)
    warnings: list[str] = field(factory=list)
    cut_off: bool = False

    @property
    def ledger(self) -> Ledger:
        return self.journal.ledger

    @property
    def backups(self) -> Cache:
        return Backups(self.services.surroundings.backups)

    def execute(self) -> Receipt:
        self.journal.record(Event.RUN, plan=self.plan.digest, pid=os.getpid(), host=socket.gethostname())
        with signals.handling(self.halt, lambda words: self.record.report(words, None)):
            try:
                found = self._look()
                self.halt.begun = True
            except PkgsyncError as error:
                self.halt.begun = True
                self._finish_blind(error)
                raise
            self._work_safely(found)
            return self._finish()

    def _look(self) -> Preflight:
        return _looked(self.plan, self.config, self.services, self.options, self.record, self.ledger)

    def _finish_blind(self, error: PkgsyncError) -> None:
        """Nothing could be looked at: the receipt repeats what earlier runs noted."""
        self.halt.ending = True
        self.warnings.append(error.message)
        for action in self.plan.actions:
            past = self.ledger.past(action.key)
            line, result = past.line or blank(action), Result.left("")
            self.record.lines[action.key] = replace(line, missing=missing_of(action, past, result))
        self._write(replace(self._receipt(), exit_code=error.exit_code))

    def _work_safely(self, found: Preflight) -> None:
        """From here on an error ends the run, but what was done before it stands in the receipt."""
        try:
            self._work(found)
        except InterruptedRunError as error:
            self.cut_off = True
            self.record.report = lambda words, line: None  # how their requests end tells nothing about the outcome
            self.services.packagecloud.session.close()  # the threads that hang in a request must not go on
            self.warnings.append(error.message)
        except PkgsyncError as error:
            self.halt.fail(error)
            self.warnings.append(error.message)

    def _work(self, found: Preflight) -> None:
        self.warnings.extend(found.warnings)
        phases = self._phases(found)
        self.record.listed = phases.site.listed
        due = self._judge(self.options.part.of(found.standings), phases)
        self._say_if_nothing(due)
        if self._stopped():
            return
        phases.upload(_only(due, Upload))
        # The uploads may have taken hours, and there is no remote lock: both worlds are read again before each phase
        # that takes something away.
        replacements = self._still_due(_only(due, Replacement), phases)
        phases.replace(replacements)
        removals = self._unblocked([action for action in due if isinstance(action, Removal)])
        phases.remove(self._still_due(removals, phases))

    def _phases(self, found: Preflight) -> Phases:
        connections, jobs = self.config.connections, self.options.jobs
        return Phases.of(
            self.services,
            found.actual,
            found.claims,
            connections=connections if jobs is None else replace(connections, uploads=jobs),
            journal=self.journal,
            record=self.record,
            halt=self.halt,
            guard=Guard.of(found.actual, managed_distributions(self.config)),
        )

    def _say_if_nothing(self, due: Sequence[Action]) -> None:
        if not due and not self.record.codes:
            whole = all(self.record.reached(action.key) for action in self.plan.actions)
            again = " The plan was applied before." if whole and self.ledger.runs > 1 else ""
            self.record.report(f"Nothing to do.{again}", None)

    def _judge(self, standings: Iterable[Standing], phases: Phases) -> list[Action]:
        """Record what is not due, and give back what is."""
        due = []
        for standing in standings:
            if standing.outcome is Outcome.DUE:
                due.append(standing.action)
            elif standing.reason is Reason.NOT_SELECTED:
                self.record.judged(self.ledger, standing.action, Result.left(standing.message, Reason.NOT_SELECTED))
            else:
                self._settle(standing, phases)
        return due

    def _settle(self, standing: Standing, phases: Phases) -> None:
        result = preflight.result_of(standing, self.ledger, self.backups)
        action = standing.action
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
        if isinstance(action, Archiving):  # the server moved it, and lost it or lists it late
            return past.moving and result.reason is Reason.NEITHER_PLACE
        return not result.present and past.absent_since is not None and action.key not in guard.before

    def _stopped(self) -> bool:
        return self.record.has_stale or self.halt.requested

    def _still_due(self, actions: Sequence[Kind], phases: Phases) -> list[Kind]:
        """Both worlds once more: what is still due, in distributions that nobody else changed."""
        if not actions or self._stopped():
            return []
        found = self._look_again(phases.guard)
        standings = {standing.action.key: standing for standing in found.standings}
        foreign = {distribution_of(key): key for key in reversed(phases.guard.foreign(found.actual))}
        still: list[Kind] = []
        for planned in actions:
            standing = _with_foreign_change(standings[planned.key], foreign.get(planned.distribution))
            if standing.outcome is Outcome.DUE:
                still.append(planned)
            else:
                self._settle(standing, phases)
        return [] if self._stopped() else still

    def _look_again(self, guard: Guard) -> Preflight:
        """Our own changes may take a moment to be listed, so that odd listings are read more than once."""
        patience = Patience(pause=self.services.surroundings.sleep)
        for attempt in range(1, patience.looks):
            found = self._look()
            if not any(key in guard.own for key in guard.foreign(found.actual)):
                return found
            patience.wait(attempt)
        return self._look()

    def _unblocked(self, removals: Sequence[Removal]) -> list[Removal]:
        """The removals from distributions whose uploads and replacements are all verified present."""
        missing = self._missing()
        free = []
        for action in removals:
            if action.distribution in missing:
                words = f"{missing[action.distribution].key} is not verified present"
                self.record.judged(self.ledger, action, Result.left(words, Reason.UPLOAD_MISSING))
            else:
                free.append(action)
        return free

    def _missing(self) -> dict[str, Transfer]:
        """By distribution the first upload or replacement that is not verified present."""
        missing: dict[str, Transfer] = {}
        for action in self.plan.transfers:
            if not self.record.reached(action.key):
                missing.setdefault(action.distribution, action)
        return missing

    def _finish(self) -> Receipt:
        self.halt.ending = True
        for action in self.plan.actions:
            if action.key not in self.record.lines:
                self.record.judged(self.ledger, action, Result.left(self._why_left(action)))
        made = self._receipt()
        self._write(made)
        if made.complete and made.approvals:
            self.journal.record(Event.USED_UP)
        return made

    def _write(self, receipt: Receipt) -> None:
        receipts.write(receipt, self.options.receipt, self.services.surroundings.state_dir)

    def _receipt(self) -> Receipt:
        return self.record.receipt(
            self.plan,
            self.halt,
            started_at=self.ledger.started_at or stamp(self.record.now()),
            runs=self.ledger.runs,
            warnings=self.warnings,
        )

    def _why_left(self, action: Action) -> str:
        past = self.ledger.past(action.key)
        if self.cut_off and past.attempts > (past.line.attempts if past.line is not None else 0):
            return "cut off: the outcome is unknown until the next run looks"
        return self.halt.message if self.halt.requested else "not begun: other actions are stale"


def _with_foreign_change(standing: Standing, changed: str | None) -> Standing:
    """There is no remote lock: what somebody else does in a distribution while we work makes our plan for it stale."""
    if standing.outcome is not Outcome.DUE or changed is None:
        return standing
    words = f"somebody else changed {changed} while the plan was applied"
    return replace(standing, outcome=Outcome.STALE, reason=Reason.TARGET_CHANGED, message=words)


def _only(actions: Iterable[Action], kind: type[Kind]) -> list[Kind]:
    return [action for action in actions if isinstance(action, kind)]
