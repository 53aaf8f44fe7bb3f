"""Moves one reviewed row to the archive (https://packagecloud.io/docs/api, promote), which takes it away here.

What a request did is told only by looks at both places: the row must be absent here and present there.
"""

from attrs import define, frozen

from pkgsync.apply.archive import Archive, There
from pkgsync.apply.job import Job
from pkgsync.apply.journal import Journal, Request
from pkgsync.apply.looks import Looks
from pkgsync.apply.remove import Remover
from pkgsync.apply.restore import Restorer
from pkgsync.apply.result import Result
from pkgsync.apply.signals import Halt
from pkgsync.apply.task import Task
from pkgsync.apply.transfer import Transporter
from pkgsync.errors import AmbiguousError, DuplicateError, IntegrityError, NotFoundError, PkgsyncError, ReadError
from pkgsync.model import Archiving, OldContent, Outcome, Row
from pkgsync.reasons import Reason


@frozen
class _Places:
    """Whether the planned row stands here, and what stands there, with its size in bytes."""

    here: bool
    there: There
    size: int | None = None

    @property
    def moved(self) -> bool:
        return not self.here and self.there is There.EQUAL

    @property
    def untouched(self) -> bool:
        return self.here and self.there is There.NOTHING


@define
class Archiver:
    job: Job
    journal: Journal
    transporter: Transporter
    looks: Looks
    remover: Remover
    restorer: Restorer
    halt: Halt
    place: Archive

    def archive(self, task: Task, action: Archiving) -> Result:
        """Raises PkgsyncError and OSError; the row is then still here, or the message says what is unknown."""
        row = self._movable(task, action)
        if isinstance(row, Row) and self.job.backup is not None:
            self.transporter.old(task, row, action.sha256)
            row = self._movable(task, action)
        return self._move(task, action, row) if isinstance(row, Row) else row

    def settled(self, task: Task, action: Archiving) -> Result:
        """What came of an earlier run's promote; what is in neither place is put back here. Raises AmbiguousError."""
        again = "Packagecloud lists it here again, and not in the archive."
        return self._outcome(task, action, answered=False) or Result.left(again)

    def _movable(self, task: Task, action: Archiving) -> Row | Result:
        row = self.looks.find(action.distribution, action.filename)
        planned = OldContent(action.sha256, action.created_at)
        if row is not None and (changed := self.remover.unchanged(row, planned)) is not None:
            return changed
        there = self.place.there(action)
        if self.journal.ledger.past(action.key).moving and (row is None or there is There.EQUAL):
            return self.settled(task, action)
        if row is None:
            return self._absent(action, _Places(here=False, there=there))
        return self._refusal(action, there) or row

    def _absent(self, action: Archiving, places: _Places) -> Result:
        """It is not here, and none of our requests can have done that."""
        if places.there is There.EQUAL:
            return _done(places, ours=False)
        if places.there is There.UNKNOWN:
            return self.place.unknown()
        return Result.stale(Reason.NEITHER_PLACE, f"It is neither here nor in {action.archive_to}.")

    def _refusal(self, action: Archiving, there: There) -> Result | None:
        """Why what is here must stay, because of what stands in the archive."""
        match there:
            case There.EQUAL:
                words = f"{action.archive_to} holds the same file by now, and it still stands here."
                return Result.stale(Reason.ALREADY_ARCHIVED, words)
            case There.OTHER:
                return self.place.clash()
            case There.UNKNOWN:
                return self.place.unknown()
            case There.NOTHING:
                return None

    def _move(self, task: Task, action: Archiving, row: Row) -> Result:
        failure: PkgsyncError = ReadError(f"{action.key} was not moved.")
        for attempt in range(self.job.limits.deletions):
            if attempt:
                self.job.pause(self.job.limits.wait_seconds(attempt, failure))
            self.journal.sending(Request.PROMOTE, action.key, archive_to=action.archive_to)
            answered = True
            try:
                self.job.packagecloud.promote(row, action.archive_to)
            except AmbiguousError as error:
                failure, answered = error, False
            except (DuplicateError, NotFoundError) as error:
                return self._refused(task, action, error)
            except ReadError as error:
                failure = error
                continue
            settled = self._outcome(task, action, answered=answered)
            if settled is not None:
                return settled
        raise failure

    def _refused(self, task: Task, action: Archiving, error: PkgsyncError) -> Result:
        """This request did nothing, but an earlier one whose reply was lost may have."""
        if self.journal.ledger.past(action.key).promotions > 1:
            settled = self._outcome(task, action, answered=False)
        else:
            places = self._look(action)
            settled = self._refusal(action, places.there) if places.here else self._absent(action, places)
        if settled is None:
            raise error
        return settled

    def _outcome(self, task: Task, action: Archiving, *, answered: bool) -> Result | None:
        """What looks at both places say, after a while; None: nothing was moved, and it may be asked for again.

        ``answered``: the server said that it did it.
        """
        places = self._look(action)
        for attempt in range(1, self.job.limits.looks):
            if places.moved:
                return _done(places, ours=True)
            if places.untouched and not answered:
                return None
            self.job.pause(self.job.limits.wait_seconds(attempt))
            places = self._look(action)
        if places.moved:
            return _done(places, ours=True)
        return self._unmoved(action, places, answered=answered) if places.here else self._lost(task, action)

    def _look(self, action: Archiving) -> _Places:
        try:
            row = self.looks.find(action.distribution, action.filename)
            there, size = self.place.proven(action)
        except ReadError as failed:
            words = f"The outcome of archiving {action.key} is unknown: {failed.message}"
            raise AmbiguousError(words, tip="Run the same command again.") from failed
        here = row is not None and row.created_at == action.created_at and row.sha256 in (None, action.sha256)
        return _Places(here, there, size)

    def _unmoved(self, action: Archiving, places: _Places, *, answered: bool) -> Result | None:
        if places.untouched and answered:
            raise AmbiguousError(f"Packagecloud answered that {action.key} was moved, but still lists it here only.")
        return self._refusal(action, places.there)

    def _lost(self, task: Task, action: Archiving) -> Result:
        """In neither place: end the run before more is lost, and put it back here."""
        here = self.job.packagecloud.repository
        lost = IntegrityError(f"{action.key} is neither in {here} nor in {action.archive_to} after its move.")
        self.halt.fail(lost)
        try:
            told = self.restorer.put_back(task, action.distribution, action.filename, action.sha256)
        except PkgsyncError as error:
            told = f"the old file could not be put back: {error.message}"
        return Result.failed(lost, f"{lost.message} In detail: {told}.")


def _done(places: _Places, *, ours: bool) -> Result:
    outcome = Outcome.DONE if ours else Outcome.ALREADY_DONE
    return Result(outcome=outcome, verified="listing", undo="archive", size=places.size)
