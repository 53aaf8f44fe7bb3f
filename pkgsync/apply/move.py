"""Moves one file from a site to another by a promote (https://packagecloud.io/docs/api), which takes it away here.

Archiving is a move to the archive, its recall one back. What a request did is told only by looks at both places: the
file must be absent here and present there.
"""

from typing import assert_never

from attrs import define, evolve, frozen

from pkgsync.apply.journal import Past, Request
from pkgsync.apply.outcome import Result, Task
from pkgsync.apply.signals import Halt
from pkgsync.apply.site import Site, There
from pkgsync.errors import AmbiguousError, DuplicateError, IntegrityError, NotFoundError, PkgsyncError, ReadError
from pkgsync.model import Action, Row
from pkgsync.reasons import Reason


@frozen(kw_only=True)
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


@define(kw_only=True)
class Move:
    """The move of the task's file. ``created_at`` is of the row that may go; None: of the one that stands here."""

    task: Task
    here: Site
    there: Site
    halt: Halt
    created_at: str | None = None

    def run(self) -> Result:
        """Raises PkgsyncError and OSError; the row is then still here, or the message says what is unknown."""
        row = self._movable()
        if isinstance(row, Row):
            self.here.keep(self.task, row, self._action.sha256)
            row = self._movable()  # there is no conditional promote, and the download may have taken long
        return self._promote(row) if isinstance(row, Row) else row

    def settle(self) -> Result:
        """What came of an earlier run's promote; what is in neither place is put back here. Raises AmbiguousError."""
        return self._outcome(answered=False) or Result.left("Packagecloud lists it here again, and not in the archive.")

    @property
    def _action(self) -> Action:
        return self.task.action

    @property
    def _past(self) -> Past:
        return self.here.journal.ledger.past(self.task.key)

    def _movable(self) -> Row | Result:
        row = self.here.find(self._action)
        if row is not None:
            self.created_at = row.created_at if self.created_at is None else self.created_at
            changed = self.here.changed(row, sha256=self._action.sha256, created_at=self.created_at)
            if changed is not None:
                return changed
        there = self.there.there(self._action)
        if self._past.moving and (row is None or there is There.EQUAL):
            return self.settle()
        if row is None:
            return self._absent(_Places(here=False, there=there))
        return self._refusal(there) or row

    def _absent(self, places: _Places) -> Result:
        """It is not here, and none of our requests can have done that."""
        if places.there is There.EQUAL:
            return _done(places, ours=False)
        if places.there is There.UNKNOWN:
            return self.there.unknown()
        return Result.stale(Reason.NEITHER_PLACE, f"It is neither here nor in {self.there.name}.")

    def _refusal(self, there: There) -> Result | None:
        """Why what is here must stay, because of what stands there."""
        match there:
            case There.EQUAL:
                words = f"{self.there.name} holds the same file by now, and it still stands here."
                return Result.stale(Reason.ALREADY_ARCHIVED, words)
            case There.OTHER:
                return self.there.clash()
            case There.UNKNOWN:
                return self.there.unknown()
            case There.NOTHING:
                return None
            case _:
                assert_never(there)

    def _promote(self, row: Row) -> Result:
        failure: PkgsyncError = ReadError(f"{self.task.key} was not moved.")
        patience = self.here.patience
        for attempt in range(patience.deletions):
            if attempt:
                patience.wait(attempt, failure)
            self.here.journal.sending(Request.PROMOTE, self.task.key, archive_to=self.there.name)
            # A kill may fall from here on: `moving` then makes the next run look at both places before it judges.
            answered = True
            try:
                self.here.client.promote(row, self.there.name)
            except AmbiguousError as error:
                failure, answered = error, False
            except (DuplicateError, NotFoundError) as error:
                return self._refused(error)
            except ReadError as error:  # it was not sent
                failure = error
                continue
            settled = self._outcome(answered=answered)
            if settled is not None:
                return settled
        raise failure

    def _refused(self, error: PkgsyncError) -> Result:
        """This request did nothing, but an earlier one whose reply was lost may have."""
        if self._past.promotions > 1:
            settled = self._outcome(answered=False)
        else:
            places = self._look()
            settled = self._refusal(places.there) if places.here else self._absent(places)
        if settled is None:
            raise error
        return settled

    def _outcome(self, *, answered: bool) -> Result | None:
        """What looks at both places say, after a while; None: nothing was moved, and it may be asked for again.

        ``answered``: the server said that it did it.
        """
        patience = self.here.patience
        places = self._look()
        for attempt in range(1, patience.looks):
            if places.moved:
                return _done(places, ours=True)
            if places.untouched and not answered:
                return None
            patience.wait(attempt)
            places = self._look()
        if places.moved:
            return _done(places, ours=True)
        return self._unmoved(places, answered=answered) if places.here else self._lost()

    def _look(self) -> _Places:
        try:
            row = self.here.find(self._action)
            there, size = self.there.proven_there(self._action)
        except ReadError as failed:
            words = f"The outcome of archiving {self.task.key} is unknown: {failed.message}"
            raise AmbiguousError(words, tip="Run the same command again.") from failed
        known = row is not None and row.sha256 in (None, self._action.sha256)
        return _Places(here=known and row is not None and row.created_at == self.created_at, there=there, size=size)

    def _unmoved(self, places: _Places, *, answered: bool) -> Result | None:
        if places.untouched and answered:
            raise AmbiguousError(f"Packagecloud answered that {self.task.key} was moved, but still lists it here only.")
        return self._refusal(places.there)

    def _lost(self) -> Result:
        """In neither place: end the run before more is lost, and put it back here."""
        words = f"{self.task.key} is neither in {self.here.name} nor in {self.there.name} after its move."
        lost = IntegrityError(words)
        self.halt.fail(lost)
        try:
            told = self.here.put_back(self.task, self._action.sha256)
        except PkgsyncError as error:
            told = f"the old file could not be put back: {error.message}"
        return Result.failed(lost, f"{lost.message} In detail: {told}.")


def _done(places: _Places, *, ours: bool) -> Result:
    return evolve(Result.reached(ours=ours, verified="listing", undo="archive"), size=places.size)
