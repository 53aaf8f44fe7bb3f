"""Replaces one row: Packagecloud cannot overwrite, so the name is absent for a moment.

Before the DELETE the server has shown that it takes uploads, and the new and the old bytes are both open and verified.
After it, whatever fails, something goes in its place: the new file, else the old one.
"""

from datetime import datetime

from msgspec import Struct
from msgspec.structs import replace

from pkgsync.apply.journal import Past
from pkgsync.apply.outcome import Result, Task, failure_of, undo_of
from pkgsync.apply.putback import put_back
from pkgsync.apply.signals import Halt
from pkgsync.apply.site import Site, taken_over
from pkgsync.apply.stored import StoredFile, held
from pkgsync.errors import PkgsyncError
from pkgsync.model import Replacement, Row
from pkgsync.reasons import Reason


class Replace(Struct, frozen=True, kw_only=True):
    task: Task
    action: Replacement
    site: Site
    halt: Halt

    def run(self, file: StoredFile) -> Result:
        """Raises PkgsyncError and OSError as long as nothing was deleted; later failures are results."""
        row = self.site.find(self.action)
        if row is None:  # an earlier run was killed between DELETE and POST
            with held(file) as new, self.site.kept(self.action.old.sha256) as old:
                return self._fill(new, old)
        settled = self._changed(row) or self._no_uploads()
        if settled is not None:
            return settled
        with held(file) as new, held(self.site.keep(self.task, row, self.action.old.sha256)) as old:
            unproven = None if self.site.works else self.site.prove_uploads(self.task, new)
            return unproven or self._swap(new, old)

    def put_back(self, failed: Result) -> Result:
        """The failure, once the old file is back that an earlier run took away. Raises StorageError, OSError."""
        with self.site.kept(self.action.old.sha256) as old:
            return self._restored(failed, old)

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

    def _swap(self, new: StoredFile, old: StoredFile) -> Result:
        """Look once more, take the row away, and put the new file there. Raises PkgsyncError before the DELETE."""
        row = self.site.find(self.action)
        if row is None:
            return self._fill(new, old)
        changed = self._changed(row)
        if changed is not None:
            return changed
        try:
            removed = self.site.remove(row)
        except Exception as error:  # it may be gone all the same
            return self._unless_here(row, self._failed(error), old)
        return replace(taken_over(), missing="no") if removed is None else self._fill(new, old)

    def _fill(self, new: StoredFile, old: StoredFile | None) -> Result:
        """The name is free: from here on nothing but a look and the old bytes in hand counts."""
        try:
            result = self.site.put(self.task, new, gone=self.action.old.sha256)
        except Exception as error:
            result = self._failed(error)
        return self._done(result) if result.present else self._restored(result, old)

    def _failed(self, error: Exception) -> Result:
        failure = failure_of(error)
        if isinstance(error, PkgsyncError):
            self.halt.consider(failure)
        else:  # whatever it is, it hits the other actions too
            self.halt.fail(failure)
        return Result.failed(failure)

    def _unless_here(self, row: Row, failed: Result, old: StoredFile) -> Result:
        """The failure of a DELETE; the old file goes back unless its row still stands."""
        now = self._row()
        if now is not None and now.created_at == row.created_at:
            return replace(failed, missing="no")
        return self._restored(failed, old)

    def _restored(self, failed: Result, old: StoredFile | None) -> Result:
        """The failure, with the old file put back where nothing else stands in its place. Never raises."""
        row = self._row()
        if row is not None and row.sha256 == self.action.sha256:
            return self._done(Result.reached(ours=True, verified="listing"))
        # The row that we deleted may still be listed; nothing is overwritten, so that sending the old bytes is safe.
        if row is not None and row.sha256 not in (None, self.action.old.sha256):
            return replace(failed, message=f"{failed.message} In detail: the name is taken.", missing="no")
        self.site.works = False  # until the old file is back
        # A kill may fall here: `absent_since` makes the next run restore before it judges.
        back = put_back(self.site, self.task, old)
        if back.failure is not None:
            self.halt.fail(back.failure)
        message = f"{failed.message} In detail: {back.told.rstrip('.')}."
        return replace(failed, message=message, missing=back.missing, kept_at=back.kept_at, undo=back.undo)

    def _row(self) -> Row | None:
        """The row under the name, with its checksum where that is told; None also where no look tells."""
        try:
            row = self.site.find(self.action)
            return row and replace(row, sha256=self.site.sha256(row))
        except Exception:  # nothing may keep the old file from going back
            return None

    def _done(self, result: Result) -> Result:
        undo = undo_of(self.site.backups, self.action.old.sha256)
        return replace(result, absent_seconds=self._absent_seconds(), undo=undo)

    def _absent_seconds(self) -> float | None:
        since = self._past.absent_since
        if since is None:
            return None
        return max(0.0, (self.site.journal.now() - datetime.fromisoformat(since)).total_seconds())
