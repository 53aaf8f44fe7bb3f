"""Replaces one row: Packagecloud cannot overwrite, so the name is absent for a moment.

Before the DELETE the new and the old bytes are both in hand; if the new upload fails for good the old file goes back.
"""

from datetime import datetime

from attrs import define, evolve

from pkgsync.apply.job import Job
from pkgsync.apply.journal import Journal
from pkgsync.apply.looks import Looks
from pkgsync.apply.remove import Remover
from pkgsync.apply.restore import Restorer
from pkgsync.apply.result import Result
from pkgsync.apply.signals import Halt
from pkgsync.apply.task import Task
from pkgsync.apply.transfer import Content, Transporter, undo_of
from pkgsync.apply.upload import Uploader
from pkgsync.errors import PkgsyncError
from pkgsync.model import Outcome, Replacement, Row
from pkgsync.reasons import Reason


@define
class Replacer:
    job: Job
    journal: Journal
    transporter: Transporter
    looks: Looks
    remover: Remover
    uploader: Uploader
    restorer: Restorer
    halt: Halt

    def replace(self, task: Task, action: Replacement, content: Content) -> Result:
        """Raises PkgsyncError and OSError as long as nothing was deleted; later failures are results."""
        row = self._find(action)
        if row is not None:
            settled = self._changed(action, row) or self._no_uploads() or self._clear(task, action, row)
            if settled is not None:
                return settled
        return self._put(task, action, content)

    def _find(self, action: Replacement) -> Row | None:
        return self.looks.find(action.distribution, action.filename)

    def _changed(self, action: Replacement, row: Row) -> Result | None:
        if self.looks.sha256(row) == action.sha256:
            ours = self.journal.ledger.past(action.key).uploads > 0
            return Result(outcome=Outcome.DONE if ours else Outcome.ALREADY_DONE, verified="listing")
        return self.remover.unchanged(row, action.old)

    def _no_uploads(self) -> Result | None:
        """Nothing is taken away while Packagecloud stores nothing: neither the new nor the old file could come back."""
        if self.uploader.works is not False:
            return None
        return Result.left("Packagecloud took no upload of this run, so nothing is taken away.", Reason.UPLOAD_MISSING)

    def _clear(self, task: Task, action: Replacement, row: Row) -> Result | None:
        """Keep the old bytes, look once more, and take the row away; None: the name is free."""
        self.transporter.old(task, row, action.old.sha256)
        now = self._find(action)
        if now is None:
            return None
        changed = self._changed(action, now)
        if changed is None and self.remover.remove(now) is None:
            return Result.stale(Reason.TARGET_CHANGED, "Packagecloud holds another file under this name by now.")
        return changed

    def _put(self, task: Task, action: Replacement, content: Content) -> Result:
        try:
            result = self.uploader.put(task, content, gone=action.old.sha256)
        except PkgsyncError as error:
            self.halt.consider(error)
            result = Result.failed(error)
        return self._done(action, result) if result.present else self.restored(task, action, result)

    def _done(self, action: Replacement, result: Result) -> Result:
        undo = undo_of(self.job, action.old.sha256)
        return evolve(result, absent_seconds=self._absent_seconds(action), undo=undo)

    def restored(self, task: Task, action: Replacement, failed: Result) -> Result:
        """The failure, with the old file put back where nothing stands in its place."""
        try:
            row = self._find(action)
            if row is not None and self.looks.sha256(row) == action.sha256:
                return self._done(action, Result(outcome=Outcome.DONE, verified="listing"))
            if row is None:
                self.uploader.works = False  # until the old file is back
            told = "the name is taken" if row is not None else self._put_back(task, action)
        except PkgsyncError as error:
            self.halt.consider(error)
            told = f"the old file could not be put back: {error.message}"
        return evolve(failed, message=f"{failed.message} In detail: {told}.")

    def _put_back(self, task: Task, action: Replacement) -> str:
        return self.restorer.put_back(task, action.distribution, action.filename, action.old.sha256)

    def _absent_seconds(self, action: Replacement) -> float | None:
        since = self.journal.ledger.past(action.key).absent_since
        if since is None:
            return None
        return max(0.0, (self.job.now() - datetime.fromisoformat(since)).total_seconds())
