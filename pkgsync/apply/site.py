"""One repository of Packagecloud as apply works on it: find a row, prove it, keep it, take it away, put a file there.

Absence counts only twice, an unknown checksum is never equal, and no change is ever sent again blindly: whatever is
not a clear answer is settled by a look.
"""

import hashlib
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from enum import Enum, auto
from pathlib import Path
from typing import BinaryIO

from attrs import define
from msgspec import Struct
from msgspec.structs import replace

from pkgsync.apply.journal import Journal, Request
from pkgsync.apply.options import Patience
from pkgsync.apply.outcome import Result, Task
from pkgsync.apply.stored import StoredFile, VerifiedFile, held
from pkgsync.cache import Cache
from pkgsync.errors import (
    AmbiguousError,
    DuplicateError,
    IntegrityError,
    NotFoundError,
    PkgsyncError,
    ReadError,
    StorageError,
)
from pkgsync.model import Action, Row
from pkgsync.model.filename import type_of
from pkgsync.packagecloud import listing
from pkgsync.packagecloud.client import PackagecloudClient, Uploaded
from pkgsync.reasons import Reason


class There(Enum):
    """What stands under an action's key against the action's content."""

    NOTHING = auto()
    EQUAL = auto()
    OTHER = auto()
    UNKNOWN = auto()


class Removed(Struct, frozen=True):
    """``ours``: one of our own requests took the row away. ``listed``: the server said so, but still lists it."""

    ours: bool
    listed: bool = False


@define(kw_only=True)
class Site:
    """``works``: whether it takes uploads; False while all have failed without a refusal, None while nothing shows it.

    ``distribution_ids`` are as in ActualState. ``listed`` are the package keys of this run's listing, less those that
    we asked to take away. Thread-safe as far as its parts are.
    """

    client: PackagecloudClient
    journal: Journal
    backups: Cache
    patience: Patience
    distribution_ids: Mapping[tuple[str, str], int]
    listed: set[str]
    works: bool | None = None

    @property
    def name(self) -> str:
        return self.client.repository

    # looks

    def find(self, action: Action) -> Row | None:
        """The row under the action's key; None if two looks found none, and the run's listing had none.

        Raises ReadError.
        """
        row = self.client.look_twice(action.distribution, action.filename)
        if row is None and action.key in self.listed:  # a search that finds nothing is never proof alone
            raise ReadError(
                f"Packagecloud's search does not find {action.key}, but the listing of this run lists it.",
                tip="Run the same command again.",
            )
        return row

    def sha256(self, row: Row) -> str | None:
        """The checksum that Packagecloud knows of the row, if any. Raises ReadError."""
        return row.sha256 or self.client.details(row).sha256

    def size(self, row: Row) -> int | None:
        """The bytes that Packagecloud says the file has; None where it does not."""
        try:
            return self.client.details(row).size
        except ReadError:
            return None

    def proven_sha256(self, row: Row, size: int) -> tuple[str, str]:
        """The checksum of the row, and how it was found out: from the listing, or else by downloading it back.

        ``size`` is what the file should have, in bytes. Raises ReadError.
        """
        # Packagecloud may fill in checksums later (packagecloud/README.md, "Rows").
        for attempt in range(1, self.patience.looks + 1):
            with suppress(ReadError):  # without a usable detail route the file itself still tells
                sha256 = self.sha256(row)
                if sha256 is not None:
                    return sha256, "listing"
            if attempt < self.patience.looks:
                self.patience.wait(attempt)
        with tempfile.TemporaryFile(dir=self.journal.path.parent) as sink:
            self.client.download(row, sink, size)
            sink.seek(0)
            return hashlib.file_digest(sink, "sha256").hexdigest(), "download"

    def there(self, action: Action) -> There:
        """What stands under the action's key, as far as Packagecloud tells at once. Raises ReadError."""
        row = self.client.look_twice(action.distribution, action.filename)
        return There.NOTHING if row is None else _compared(action, self.sha256(row))

    def proven_there(self, action: Action) -> tuple[There, int | None]:
        """What stands there, if need be by downloading it, and its size in bytes. Raises ReadError."""
        row = self.client.look_twice(action.distribution, action.filename)
        if row is None:
            return There.NOTHING, None
        size = self.size(row)
        if row.sha256 is None and size is None:
            raise ReadError(f"Packagecloud tells neither checksum nor size of {row.key} in {self.name}.")
        return _compared(action, self.proven_sha256(row, size or 0)[0]), size

    def changed(self, row: Row, *, sha256: str, created_at: str) -> Result | None:
        """None if the row is the planned one, else the result for its action. Raises ReadError."""
        now = self.sha256(row)
        if now is None:
            return Result.left("Packagecloud does not tell the checksum of its file.", Reason.CONTENT_UNKNOWN)
        return taken_over() if (now, row.created_at) != (sha256, created_at) else None

    def clash(self) -> Result:
        """The result for a file that may not come here."""
        return Result.stale(Reason.ARCHIVE_CLASH, f"{self.name} holds another file under this name.")

    def unknown(self) -> Result:
        """The result where nobody can tell whether the file is here."""
        words = f"Packagecloud does not tell the checksum of the file in {self.name}."
        return Result.left(words, Reason.CONTENT_UNKNOWN)

    # taking away

    def keep(self, task: Task, row: Row, sha256: str) -> StoredFile:
        """Download the row's bytes back into the backup store. Raises IntegrityError, ReadError, StorageError."""
        path = self.backups.path(sha256)
        if path is None:
            size = self.size(row)  # None: the checksum proves the bytes anyway

            def fetch(sink: BinaryIO, offset: int) -> int:
                return self.client.download(row, sink, size, offset, task.count_down)

            path = self.backups.add(sha256, size, fetch)
        return _stored(path, sha256)

    @contextmanager
    def kept(self, sha256: str) -> Iterator[StoredFile | None]:
        """The bytes in the backup store, held open; None if they are not there. Raises OSError, StorageError."""
        path = self.backups.path(sha256)
        if path is None:
            yield None
        else:
            with held(_stored(path, sha256)) as file:
                yield file

    def remove(self, row: Row) -> Removed | None:
        """Delete the row. None: another one stands in its place by now.

        Raises AmbiguousError where no look could tell the outcome, and ReadError where the request could not be sent
        at all.
        """
        failure: PkgsyncError = ReadError(f"{row.key} was not deleted.")
        for attempt in range(self.patience.deletions):
            if attempt:
                self.patience.retry(row.key, attempt, self.patience.deletions, failure)
            self.journal.sending(Request.DELETE, row.key)
            # A kill may fall from here on: the journal then says that a later 404 can be our own doing.
            self.listed.discard(row.key)
            try:
                deleted = self.client.delete(row)
            except AmbiguousError as error:
                failure = error
            except ReadError as error:  # it was not sent, or turned away unread (429)
                failure = error
                continue
            else:
                return self._answered(row, deleted)
            now = self._look_after(row, failure)
            if now is None:
                return Removed(ours=True)
            if not _same(now, row):
                return None
        raise failure

    def _answered(self, row: Row, deleted: bool) -> Removed:
        """A 404 was our own doing only if we had sent a DELETE before (packagecloud/README.md, "Delete")."""
        ours = deleted or self.journal.ledger.past(row.key).deletions > 1
        gone = self._is_gone(row)
        if not gone and not ours:
            raise AmbiguousError(f"Packagecloud lists {row.key}, but answers that it does not exist.")
        return Removed(ours=ours, listed=not gone)

    def _is_gone(self, row: Row) -> bool:
        """Whether the row has vanished; a listing that lags is asked more than once. Raises ReadError."""
        for attempt in range(1, self.patience.looks + 1):
            now = self.client.look_twice(row.distribution, row.filename)
            if now is None or not _same(now, row):
                return True
            if attempt < self.patience.looks:
                self.patience.wait(attempt)
        return False

    def _look_after(self, row: Row, failure: PkgsyncError) -> Row | None:
        try:
            return self.client.look_twice(row.distribution, row.filename)
        except ReadError as failed:
            raise _untold(failure, failed) from failed

    # putting there

    def put(
        self, task: Task, file: StoredFile, *, gone: str | None = None, request: Request = Request.UPLOAD
    ) -> Result:
        """Upload the file under the key of the task's action until it is verified present, or going on is useless.

        After a deletion of our own the name may stay reserved for a while, and the row, whose sha256 is ``gone``, be
        listed. Raises PkgsyncError for what is wrong for good: RefusedError, QuotaError, AuthenticationError,
        IntegrityError, NotFoundError, and AmbiguousError where no look could tell the outcome.
        """
        in_a_gap = gone is not None or request is Request.RESTORE
        attempts = self.patience.reserved_uploads if in_a_gap else self.patience.uploads
        failure: PkgsyncError = ReadError(f"{task.key} was not uploaded.")
        for attempt in range(attempts):
            if attempt:
                self.patience.retry(task.key, attempt, attempts, failure)
            try:
                return self._send(task, file, request)
            except NotFoundError:
                raise
            # The duplicate wording is the same for equal and for other content (packagecloud/README.md, "Upload").
            except (DuplicateError, AmbiguousError) as error:
                found = self._settled(task.action, file, gone, error, request)
                if found is not None:
                    return found
                failure = error
            except ReadError as error:
                failure = error
        self.works = self.works or False
        return Result.failed(failure, f"{failure.message} (tried {attempts} times)")

    def prove_uploads(self, task: Task, file: StoredFile) -> Result | None:
        """Send a file under the name of a row that stands; None once nothing but the name speaks against it.

        Only that shows, before anything is taken away, that something could be put in its place: a missing right, a
        full plan or an odd file are told in the same answer, or instead. Raises as ``put``.
        """
        failure: PkgsyncError = ReadError(f"{task.key} was not uploaded.")
        for attempt in range(self.patience.uploads):
            if attempt:
                self.patience.retry(task.key, attempt, self.patience.uploads, failure)
            try:
                result = self._send(task, file, Request.PROBE)
            except DuplicateError:
                self.works = True
                return None
            except NotFoundError:
                raise
            except (AmbiguousError, ReadError) as error:
                failure = error
            else:
                return self._beside(task.action, result)
        self.works = False
        return Result.failed(failure, f"{failure.message} (tried {self.patience.uploads} times; nothing was deleted)")

    def _beside(self, action: Action, result: Result) -> Result:
        """What came of an upload that was not refused though another row had the name."""
        self.works = None
        if not result.present:
            return result
        row = self.find(action)
        if row is not None and self.sha256(row) == action.sha256:
            return result
        if result.stored_as is not None:
            words = f"Packagecloud stored the new file beside {action.key}, as {result.stored_as}; nothing was deleted."
            raise AmbiguousError(words, tip="Delete one of both by hand, then make a new plan.")
        words = f"Packagecloud answered that it took the new {action.key}, but does not list it. Nothing was deleted."
        raise AmbiguousError(words)

    def _send(self, task: Task, file: StoredFile, request: Request) -> Result:
        action = task.action
        kind = type_of(action.filename) or "such file"
        identity = self.distribution_ids.get((kind, action.distribution))
        if identity is None:
            return Result.stale(Reason.TARGET_CHANGED, f"Packagecloud takes no {kind} in {action.distribution}.")
        with VerifiedFile(file) as stream:
            self._announce(request, action.key)
            # A kill may fall from here on: the next run finds the row, and the journal says that it is ours.
            with task.sending():
                uploaded = self.client.upload(identity, action.filename, stream, file.size, task.count_up)
        self.works = True
        return self._verified(action, file, uploaded)

    def _announce(self, request: Request, key: str) -> None:
        try:
            self.journal.sending(request, key)
        except StorageError:
            if request is not Request.RESTORE:
                raise
            # What we took away goes back, noted or not: the note that it was taken away is enough for the next run.

    def _verified(self, action: Action, file: StoredFile, uploaded: Uploaded) -> Result:
        done = Result.reached(ours=True, verified="reply")
        # debs are named by their header (packagecloud/README.md, "Rows")
        if uploaded.filename != action.filename:
            done = replace(done, stored_as=uploaded.filename, message=f"Packagecloud stored it as {uploaded.filename}")
        if uploaded.size is not None and uploaded.size != file.size:
            raise _other_bytes(action)
        if uploaded.sha256 is None:
            return self._looked_up(replace(action, filename=uploaded.filename), file, done)
        if uploaded.sha256 != file.sha256:
            raise _other_bytes(action)
        return done

    def _looked_up(self, action: Action, file: StoredFile, done: Result) -> Result:
        row = self.find(action)
        if row is None:
            raise AmbiguousError(f"Packagecloud took {action.key} without telling its checksum, but does not list it.")
        sha256, how = self.proven_sha256(row, file.size)
        if sha256 != file.sha256:
            raise _other_bytes(action)
        return replace(done, verified=how)

    def _settled(
        self, action: Action, file: StoredFile, gone: str | None, error: PkgsyncError, request: Request
    ) -> Result | None:
        """What a look says after an unclear answer; None: the file is not there, and it is safe to try again."""
        try:
            row = self.find(action)
            if row is None:
                return self._renamed(action, file, error, request) if gone is None else None
            sha256, how = self.proven_sha256(row, file.size)
        except ReadError as failed:
            self.works = self.works or False
            raise _untold(error, failed) from failed
        if sha256 == file.sha256:
            self.works = True
            return Result.reached(ours=self._is_ours(action, error, request), verified=how)
        return None if sha256 == gone else taken_over()

    def _renamed(self, action: Action, file: StoredFile, error: PkgsyncError, request: Request) -> Result | None:
        """A name that is taken and yet free: an earlier request has stored the file under a name of the server."""
        if request is not Request.UPLOAD or not isinstance(error, DuplicateError):
            return None
        rows = listing.read(self.client.page, jobs=1, what=f"The listing of {self.name}")
        new = (row for row in rows if row.distribution == action.distribution and row.key not in self.listed)
        there = next((row for row in new if row.sha256 == file.sha256), None)
        if there is None:
            return None
        self.works = True
        ours = self._is_ours(action, error, request)
        done = Result.reached(ours=ours, verified="listing", message=f"Packagecloud stored it as {there.filename}")
        return replace(done, stored_as=there.filename)

    def _is_ours(self, action: Action, error: PkgsyncError, request: Request) -> bool:
        """A duplicate that we never sent before was put there by somebody else."""
        past = self.journal.ledger.past(action.key)
        sent = past.restores if request is Request.RESTORE else past.uploads
        return sent > 1 or not isinstance(error, DuplicateError)


def taken_over() -> Result:
    """The result for an action under whose name there is another file by now."""
    return Result.stale(Reason.TARGET_CHANGED, "Packagecloud holds another file under this name by now.")


def _stored(path: Path, sha256: str) -> StoredFile:
    return StoredFile(path=path, size=path.stat().st_size, sha256=sha256)


def _same(one: Row, other: Row) -> bool:
    """Whether both are one row, not a row that has replaced it under its name."""
    known = one.sha256 is not None and other.sha256 is not None
    return one.created_at == other.created_at and (one.sha256 == other.sha256 or not known)


def _compared(action: Action, sha256: str | None) -> There:
    if sha256 is None:
        return There.UNKNOWN
    return There.EQUAL if sha256 == action.sha256 else There.OTHER


def _untold(error: PkgsyncError, failed: PkgsyncError) -> AmbiguousError:
    return AmbiguousError(f"{error.message} No look could tell the outcome: {failed.message}")


def _other_bytes(action: Action) -> IntegrityError:
    return IntegrityError(
        f"Packagecloud holds other bytes of {action.key} than were sent.",
        tip="Delete that file there, then make a new plan.",
    )
