"""Takes one row away, once: a lost reply is settled by a look, never by a blind second DELETE."""

from attrs import define, frozen

from pkgsync.apply.job import Job
from pkgsync.apply.journal import Journal, Request
from pkgsync.apply.looks import Looks, same
from pkgsync.apply.result import Result
from pkgsync.errors import AmbiguousError, NotFoundError, PkgsyncError, ReadError
from pkgsync.model import OldContent, Row
from pkgsync.reasons import Reason


@frozen
class Removal:
    """``ours``: one of our own requests took the row away. ``listed``: the server said so, but still lists it."""

    ours: bool
    listed: bool = False


@define
class Remover:
    job: Job
    journal: Journal
    looks: Looks

    def unchanged(self, row: Row, planned: OldContent) -> Result | None:
        """None if the row is the planned one, else the result for its action. Raises ReadError."""
        sha256 = self.looks.sha256(row)
        if sha256 is None:
            return Result.left("Packagecloud does not tell the checksum of its file.", Reason.CONTENT_UNKNOWN)
        if sha256 != planned.sha256 or row.created_at != planned.created_at:
            return Result.stale(Reason.TARGET_CHANGED, "Packagecloud holds another file under this name by now.")
        return None

    def remove(self, row: Row) -> Removal | None:
        """Delete the row. None: it was never deleted and another one stands in its place.

        Raises AmbiguousError where no look could tell the outcome, and
        ReadError where the request could not be sent at all.
        """
        failure: PkgsyncError = ReadError(f"{row.key} was not deleted.")
        for attempt in range(self.job.limits.deletions):
            if attempt:
                self.job.pause(self.job.limits.wait_seconds(attempt, failure))
            self.journal.sending(Request.DELETE, row.key)
            try:
                deleted = self.job.packagecloud.delete(row)
            except AmbiguousError as error:
                failure = error
            except NotFoundError:
                raise
            except ReadError as error:
                failure = error
                continue
            else:
                return self._answered(row, deleted)
            now = self._look(row, failure)
            if now is None:
                return Removal(ours=True)
            if not same(now, row):
                return None
        raise failure

    def _answered(self, row: Row, deleted: bool) -> Removal:
        """A 404 was our own doing only if we had sent a DELETE before."""
        ours = deleted or self.journal.ledger.past(row.key).deletions > 1
        gone = self.looks.is_gone(row)
        if not gone and not ours:
            raise AmbiguousError(f"Packagecloud lists {row.key}, but answers that it does not exist.")
        return Removal(ours=ours, listed=not gone)

    def _look(self, row: Row, failure: PkgsyncError) -> Row | None:
        try:
            return self.looks.find(row.distribution, row.filename)
        except ReadError as failed:
            raise AmbiguousError(f"{failure.message} No look could tell the outcome: {failed.message}") from failed
