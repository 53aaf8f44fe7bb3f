"""Replaces one row: Packagecloud cannot overwrite, so the name is absent for a moment.

Before the DELETE the new and the old bytes are both in hand; if the new upload fails for good the old file goes back.
"""

from datetime import datetime

from attrs import evolve, frozen

from pkgsync.apply.journal import Past
from pkgsync.apply.outcome import Result, Task, undo_of
from pkgsync.apply.signals import Halt
from pkgsync.apply.site import Site, taken_over
from pkgsync.apply.stored import StoredFile
from pkgsync.errors import PkgsyncError
from pkgsync.model import Replacement, Row
from pkgsync.reasons import Reason


@frozen(kw_only=True)
class Replace:
    task: Task
    action: Replacement
    site: Site
    halt: Halt

    def run(self, new: StoredFile) -> Result:
        """Raises PkgsyncError and OSError as long as nothing was deleted; later failures are results."""
        row = self.site.find(self.action)
        if row is not None:  # else an earlier run was killed between DELETE and POST: go on with the upload
            settled = self._changed(row) or self._no_uploads() or self._clear(row)
            if settled is not None:
                return settled
        try:
            result = self.site.put(self.task, new, gone=self.action.old.sha256)
        except PkgsyncError as error:
            self.halt.consider(error)
            result = Result.failed(error)
        return self._done(result) if result.present else self.restore(result)

    def restore(self, failed: Result) -> Result:
        """The failure, with the old file put back where nothing stands in its place."""
        try:
            row = self.site.find(self.action)
            if row is not None and self.site.sha256(row) == self.action.sha256:
                return self._done(Result.reached(ours=True, verified="listing"))
            if row is None:
                self.site.works = False  # until the old file is back
            # A kill may fall here: `absent_since` makes the next run restore before it judges.
            told = "the name is taken" if row is not None else self.site.put_back(self.task, self.action.old.sha256)
        except PkgsyncError as error:
            self.halt.consider(error)
            told = f"the old file could not be put back: {error.message}"
        return evolve(failed, message=f"{failed.message} In detail: {told}.")

    @property
    def _past(self) -> Past:
        return self.site.journal.ledger.past(self.action.key)

    def _changed(self, row: Row) -> Result | None:
        if self.site.sha256(row) == self.action.sha256:
            return Result.reached(ours=self._past.uploads > 0, verified="listing")
        old = self.action.old
        return self.site.changed(row, sha256=old.sha256, created_at=old.created_at)

    def _no_uploads(self) -> Result | None:
        """Nothing is taken away while Packagecloud stores nothing: neither the new nor the old file could come back."""
        if self.site.works is not False:
            return None
        return Result.left("Packagecloud took no upload of this run, so nothing is taken away.", Reason.UPLOAD_MISSING)

    def _clear(self, row: Row) -> Result | None:
        """Keep the old bytes, look once more, and take the row away; None: the name is free."""
        self.site.keep(self.task, row, self.action.old.sha256)
        now = self.site.find(self.action)
        if now is None:
            return None
        changed = self._changed(now)
        if changed is None and self.site.remove(now) is None:
            return taken_over()
        return changed

    def _done(self, result: Result) -> Result:
        undo = undo_of(self.site.backups, self.action.old.sha256)
        return evolve(result, absent_seconds=self._absent_seconds(), undo=undo)

    def _absent_seconds(self) -> float | None:
        since = self._past.absent_since
        if since is None:
            return None
        return max(0.0, (self.site.journal.now() - datetime.fromisoformat(since)).total_seconds())
