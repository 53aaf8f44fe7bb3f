"""Deletes one reviewed row: a fresh look, the bytes kept, another look, the DELETE, two looks that agree."""

from typing import assert_never

from msgspec import Struct

from pkgsync.apply.outcome import Result, Task, undo_of
from pkgsync.apply.site import Site, There, taken_over
from pkgsync.model import Deletion, Row
from pkgsync.reasons import Reason


class Delete(Struct, frozen=True, kw_only=True):
    """``archive`` is where the same file must stand, if the deletion relies on that."""

    task: Task
    action: Deletion
    site: Site
    archive: Site | None

    def run(self) -> Result:
        """Raises PkgsyncError and OSError; the row is then still there, or the message says what is unknown."""
        row = self._deletable()
        if isinstance(row, Row):
            self.site.keep(self.task, row, self.action.sha256)
            row = self._deletable()  # there is no conditional DELETE, and the download may have taken long
        return self._delete(row) if isinstance(row, Row) else row

    def _deletable(self) -> Row | Result:
        action = self.action
        row = self.site.find(action)
        if row is None:
            ours = self.site.journal.ledger.past(action.key).deletions > 0
            return self._done(ours=ours, verified="absent")
        return self.site.changed(row, sha256=action.sha256, created_at=action.created_at) or row

    def _delete(self, row: Row) -> Result:
        unkept = self._unkept()
        if unkept is not None:
            return unkept
        removed = self.site.remove(row)
        if removed is None:
            return taken_over()
        if not removed.listed:
            return self._done(ours=removed.ours, verified="absent")
        lagging = "Packagecloud answered that it is deleted, but still lists it"
        return self._done(ours=removed.ours, verified="reply", message=lagging)

    def _unkept(self) -> Result | None:
        """None if the archive that the deletion relies on, if any, still holds the same file. Raises ReadError."""
        if self.archive is None or self.action.archived_in is None:
            return None
        there = self.archive.there(self.action)
        match there:
            case There.EQUAL:
                return None
            case There.OTHER:
                return self.archive.clash()
            case There.UNKNOWN:
                return self.archive.unknown()
            case There.NOTHING:
                return Result.stale(Reason.TARGET_CHANGED, f"{self.archive.name} no longer holds the same file.")
            case _:
                assert_never(there)

    def _done(self, *, ours: bool, verified: str, message: str = "") -> Result:
        undo = undo_of(self.site.backups, self.action.sha256, self.action.archived_in)
        return Result.reached(ours=ours, verified=verified, message=message, undo=undo)
