"""Deletes one reviewed row (DESIGN section 9.6): a fresh look, the bytes kept, the DELETE, two looks that agree."""

from typing import Literal

from attrs import define

from pkgsync.apply.journal import Journal
from pkgsync.apply.looks import Looks
from pkgsync.apply.remove import Remover
from pkgsync.apply.result import Result
from pkgsync.apply.task import Task
from pkgsync.apply.transfer import Transporter
from pkgsync.errors import ReadError
from pkgsync.model import Deletion, OldContent, Outcome, Row
from pkgsync.reasons import Reason


@define
class Deleter:
    journal: Journal
    transporter: Transporter
    looks: Looks
    remover: Remover

    def delete(self, task: Task, deletion: Deletion) -> Result:
        """Raises PkgsyncError and OSError; the row is then still there, or the message says what is unknown."""
        planned = OldContent(deletion.sha256, deletion.created_at)
        undo: Literal["backup", "none"] = "none"
        row = self._find(deletion)
        changed = self.remover.unchanged(row, planned) if row is not None else None
        if row is not None and changed is None and self.transporter.job.backup is not None:
            self._keep(task, row, deletion)
            undo = "backup"
            row = self._find(deletion)
            changed = self.remover.unchanged(row, planned) if row is not None else None
        if changed is not None:
            return changed
        if row is None:
            return self._absent(deletion)
        removal = self.remover.remove(row)
        if removal is None:
            return Result.stale(Reason.TARGET_CHANGED, "Packagecloud holds another file under this name by now.")
        outcome = Outcome.DONE if removal.ours else Outcome.ALREADY_DONE
        if removal.listed:
            message = "Packagecloud answered that it is deleted, but still lists it"
            return Result(outcome=outcome, message=message, verified="reply", undo=undo)
        return Result(outcome=outcome, verified="absent", undo=undo)

    def _find(self, deletion: Deletion) -> Row | None:
        return self.looks.find(deletion.distribution, deletion.filename)

    def _absent(self, deletion: Deletion) -> Result:
        ours = self.journal.ledger.past(deletion.key).deletions > 0
        return Result(outcome=Outcome.DONE if ours else Outcome.ALREADY_DONE, verified="absent")

    def _keep(self, task: Task, row: Row, deletion: Deletion) -> None:
        size = self.looks.size(row)
        if size is None:
            raise ReadError(f"{deletion.key} cannot be backed up: Packagecloud does not tell its size.")
        self.transporter.old(task, row, deletion.sha256, size)
