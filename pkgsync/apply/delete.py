"""Deletes one reviewed row: a fresh look, the bytes kept, the DELETE, two looks that agree."""

from attrs import define

from pkgsync.apply.archive import Archive
from pkgsync.apply.job import Job
from pkgsync.apply.journal import Journal
from pkgsync.apply.looks import Looks
from pkgsync.apply.remove import Remover
from pkgsync.apply.result import Result
from pkgsync.apply.task import Task
from pkgsync.apply.transfer import Transporter, undo_of
from pkgsync.model import Deletion, OldContent, Outcome, Row
from pkgsync.reasons import Reason


@define
class Deleter:
    job: Job
    journal: Journal
    transporter: Transporter
    looks: Looks
    remover: Remover
    archive: Archive | None

    def delete(self, task: Task, deletion: Deletion) -> Result:
        """Raises PkgsyncError and OSError; the row is then still there, or the message says what is unknown."""
        row = self._find(deletion)
        changed = self._changed(deletion, row)
        if row is not None and changed is None and self.job.backup is not None:
            self.transporter.old(task, row, deletion.sha256)
            row = self._find(deletion)
            changed = self._changed(deletion, row)
        if changed is not None:
            return changed
        return self._absent(deletion) if row is None else self._remove(deletion, row)

    def _find(self, deletion: Deletion) -> Row | None:
        return self.looks.find(deletion.distribution, deletion.filename)

    def _changed(self, deletion: Deletion, row: Row | None) -> Result | None:
        planned = OldContent(deletion.sha256, deletion.created_at)
        return self.remover.unchanged(row, planned) if row is not None else None

    def _absent(self, deletion: Deletion) -> Result:
        ours = self.journal.ledger.past(deletion.key).deletions > 0
        return self._done(deletion, ours=ours, verified="absent")

    def _remove(self, deletion: Deletion, row: Row) -> Result:
        if self.archive is not None and deletion.archived_in is not None:
            unkept = self.archive.unkept(deletion)
            if unkept is not None:
                return unkept
        removal = self.remover.remove(row)
        if removal is None:
            return Result.stale(Reason.TARGET_CHANGED, "Packagecloud holds another file under this name by now.")
        if not removal.listed:
            return self._done(deletion, ours=removal.ours, verified="absent")
        lagging = "Packagecloud answered that it is deleted, but still lists it"
        return self._done(deletion, ours=removal.ours, verified="reply", message=lagging)

    def _done(self, deletion: Deletion, *, ours: bool, verified: str, message: str = "") -> Result:
        outcome = Outcome.DONE if ours else Outcome.ALREADY_DONE
        undo = undo_of(self.job, deletion.sha256, deletion.archived_in)
        return Result(outcome=outcome, verified=verified, message=message, undo=undo)
