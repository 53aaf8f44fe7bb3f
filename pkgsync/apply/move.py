"""Moves one file from a site to another by a promote (https://packagecloud.io/docs/api), which takes it away here.

Archiving is a move to the archive, its recall one back. What a request did is told only by looks at both places: the
file must be absent here and present there. What is in neither place goes back here, from bytes that were open before.
"""

from typing import assert_never

from attrs import define
from msgspec import Struct
from msgspec.structs import replace

from pkgsync.apply.journal import Past, Request
from pkgsync.apply.outcome import Result, Task, failure_of
from pkgsync.apply.putback import put_back
from pkgsync.apply.signals import Halt
from pkgsync.apply.site import Site, There
from pkgsync.apply.stored import StoredFile, held
from pkgsync.errors import AmbiguousError, DuplicateError, IntegrityError, NotFoundError, PkgsyncError, ReadError
from pkgsync.model import Action, Row
from pkgsync.reasons import Reason


class _Places(Struct, frozen=True, kw_only=True):
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
        """Raises PkgsyncError and OSError as long as nothing was sent; later failures are results."""
        row = self._movable()
        if not isinstance(row, Row):
            return row
        with held(self.here.keep(self.task, row, self._action.sha256)) as old:
            row = self._movable()  # there is no conditional promote, and the download may have taken long
            if not isinstance(row, Row):
                return row
            try:
                return self._promote(row, old)
            except Exception as error:  # it may have been moved, or lost, all the same
                return self._whereabouts(failure_of(error), old)

    def settle(self) -> Result:
        """What came of an earlier run's promote; what is in neither place is put back here.

        Raises AmbiguousError, StorageError, OSError.
        """
        here_again = "Packagecloud lists it here again, and not in the archive."
        with self.here.kept(self._action.sha256) as old:
            return self._outcome(old, answered=False) or replace(Result.left(here_again), missing="no")

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
        refusal = self._refusal(there)
        return row if refusal is None else replace(refusal, missing="no")

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

    def _whereabouts(self, failure: PkgsyncError, old: StoredFile) -> Result:
        """What became of the file when its promote failed. Never raises."""
        self.halt.consider(failure)
        failed = Result.failed(failure)
        try:
            return self._outcome(old, answered=False) or replace(failed, missing="no")
        except Exception:
            return replace(failed, missing="perhaps", kept_at=str(old.path.absolute()), undo="backup")

    def _promote(self, row: Row, old: StoredFile) -> Result:
        failure: PkgsyncError = ReadError(f"{self.task.key} was not moved.")
        patience = self.here.patience
        for attempt in range(patience.deletions):
            if attempt:
                patience.retry(self.task.key, attempt, patience.deletions, failure)
            self.here.journal.sending(Request.PROMOTE, self.task.key, archive_to=self.there.name)
            # A kill may fall from here on: `moving` then makes the next run look at both places before it judges.
            self.here.listed.discard(self.task.key)
            answered = True
            try:
                self.here.client.promote(row, self.there.name)
            except AmbiguousError as error:
                failure, answered = error, False
            except (DuplicateError, NotFoundError) as error:
                return self._refused(error, old)
            except ReadError as error:  # it was not sent, or turned away unread (429)
                failure = error
                continue
            settled = self._outcome(old, answered=answered)
            if settled is not None:
                return settled
        raise failure

    def _refused(self, error: PkgsyncError, old: StoredFile) -> Result:
        """This request did nothing, but an earlier one whose reply was lost may have."""
        if self._past.promotions > 1:
            settled = self._outcome(old, answered=False)
        else:
            places = self._look()
            settled = self._refusal(places.there) if places.here else self._absent(places)
        if settled is None:
            raise error
        return replace(settled, missing=settled.missing or "no")

    def _outcome(self, old: StoredFile | None, *, answered: bool) -> Result | None:
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
        return self._unmoved(places, answered=answered) if places.here else self._lost(old)

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
            words = f"Packagecloud answered that {self.task.key} was moved, but still lists it here only."
            return replace(Result.failed(AmbiguousError(words)), missing="no")
        refusal = self._refusal(places.there)
        return None if refusal is None else replace(refusal, missing="no")

    def _lost(self, old: StoredFile | None) -> Result:
        """In neither place: end the run before more is lost, and put it back here."""
        words = f"{self.task.key} is neither in {self.here.name} nor in {self.there.name} after its move."
        lost = IntegrityError(words)
        self.halt.fail(lost)
        back = put_back(self.here, self.task, old)
        failed = Result.failed(lost, f"{lost.message} In detail: {back.told.rstrip('.')}.")
        return replace(failed, missing=back.missing, kept_at=back.kept_at, undo=back.undo)


def _done(places: _Places, *, ours: bool) -> Result:
    return replace(Result.reached(ours=ours, verified="listing", undo="archive"), size=places.size)
