"""How one action ends: what was found out about it, what that means for the run, and its line in the receipt."""

from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from typing import Literal, Self

from attrs import define
from msgspec import Struct
from msgspec.structs import replace

from pkgsync.apply.journal import Past
from pkgsync.apply.stored import StoredFile
from pkgsync.cache import Cache
from pkgsync.errors import (
    APPLY_PRECEDENCE,
    AuthenticationError,
    ExitCode,
    IntegrityError,
    PkgsyncError,
    QuotaError,
    StorageError,
)
from pkgsync.model import Action, Missing, Outcome, ReceiptLine, Removal, Replacement, Transfer
from pkgsync.progress import SILENT_TASK, ProgressTask
from pkgsync.reasons import Reason

Undo = Literal["backup", "archive", "none"]
"""From where a file that is no longer there could be brought back."""

Looked = Literal["yes", "perhaps", "no"]
"""Whether a file that our own request took away is missing now; "no" also where it was never gone."""

_TELLING = (AuthenticationError, QuotaError, IntegrityError)


@define(kw_only=True)
class Task:
    """An action with what this run measured of it: bytes, and when it was begun (ISO 8601).

    ``file`` is what a transfer brings, once it is in hand; ``signed`` as in the receipt.
    """

    action: Action
    started_at: str | None = None
    file: StoredFile | None = None
    signed: bool | None = None
    bytes_down: int = 0
    bytes_up: int = 0
    down: ProgressTask = SILENT_TASK
    up: ProgressTask = SILENT_TASK

    def count_down(self, count: int) -> None:
        self.bytes_down += count
        self.down.advance(count)

    def count_up(self, count: int) -> None:
        self.bytes_up += count
        self.up.advance(count)

    @contextmanager
    def sending(self) -> Iterator[None]:
        """Around one attempt: what it sent in vain is shown as still to send."""
        before = self.bytes_up
        try:
            yield
        except PkgsyncError:
            self.up.advance(before - self.bytes_up)
            raise

    @property
    def key(self) -> str:
        return self.action.key


class Result(Struct, frozen=True, kw_only=True):
    """What was found out about an action.

    ``verified`` says how: "reply" (checksum in the upload's answer), "listing", "download" (downloaded back and
    hashed) or "absent" (two looks found no row). ``code`` is set by failures that the exit code shall tell, ``size``
    (bytes) where the plan does not tell it. ``missing`` is None where nobody looked; ``kept_at`` is as in the receipt.
    """

    outcome: Outcome
    message: str = ""
    reason: Reason | None = None
    verified: str | None = None
    stored_as: str | None = None
    size: int | None = None
    absent_seconds: float | None = None
    undo: Undo | None = None
    code: ExitCode | None = None
    missing: Looked | None = None
    kept_at: str | None = None

    @property
    def present(self) -> bool:
        """Whether the action's goal is reached."""
        return self.outcome.is_goal

    @property
    def codes(self) -> frozenset[ExitCode]:
        """The exit codes that this result asks for."""
        if self.present or self.outcome is Outcome.DUE or self.reason is Reason.NOT_SELECTED:
            return frozenset()
        if self.outcome is Outcome.STALE:
            return frozenset({ExitCode.STALE})
        return frozenset({ExitCode.PARTLY} | ({self.code} if self.code is not None else set()))

    @classmethod
    def reached(cls, *, ours: bool, verified: str, message: str = "", undo: Undo | None = None) -> Self:
        """The goal is reached; ``ours``: by a request of our own."""
        outcome = Outcome.DONE if ours else Outcome.ALREADY_DONE
        return cls(outcome=outcome, verified=verified, message=message, undo=undo)

    @classmethod
    def failed(cls, error: PkgsyncError, message: str = "") -> Self:
        code = error.exit_code if isinstance(error, _TELLING) else None
        return cls(outcome=Outcome.FAILED, message=message or error.message, code=code)

    @classmethod
    def stale(cls, reason: Reason, message: str) -> Self:
        return cls(outcome=Outcome.STALE, reason=reason, message=message)

    @classmethod
    def left(cls, message: str, reason: Reason | None = None) -> Self:
        return cls(outcome=Outcome.LEFT, reason=reason, message=message)


def exit_code_of(codes: Collection[ExitCode]) -> ExitCode:
    """The one that an apply ends with where several hold."""
    return next((code for code in APPLY_PRECEDENCE if code in codes), ExitCode.OK)


def failure_of(error: Exception) -> PkgsyncError:
    """Any exception as one of ours, to be told in a line."""
    match error:
        case PkgsyncError():
            return error
        case OSError():
            return StorageError(f"A local file cannot be used: {error.strerror or error}.")
        case _:
            return PkgsyncError(f"There was an internal error: {type(error).__name__}.", tip="Report it.")


def undo_of(backups: Cache, sha256: str, archive: str | None = None) -> Undo:
    """From where a file could be brought back; ``archive`` names one that holds it too. Never raises."""
    with suppress(StorageError):  # the change is done, whatever becomes of this machine's disk
        if backups.path(sha256) is not None:
            return "backup"
    return "archive" if archive is not None else "none"


def line_of(task: Task, past: Past, result: Result, finished_at: str | None) -> ReceiptLine:
    """The line that tells the result, added to what earlier runs measured."""
    before = past.line or blank(task.action)
    missing = missing_of(task.action, past, result)
    return replace(
        before,
        outcome=result.outcome,
        reason=str(result.reason) if result.reason is not None else None,
        message=result.message,
        started_at=past.started_at or before.started_at or task.started_at,
        finished_at=finished_at,
        bytes_down=max(0, before.bytes_down + task.bytes_down),
        bytes_up=max(0, before.bytes_up + task.bytes_up),
        attempts=past.attempts,
        verified=result.verified,
        absent_seconds=result.absent_seconds,
        stored_as=result.stored_as,
        size=before.size if result.size is None else result.size,
        undo=result.undo,
        missing=missing,
        kept_at=(result.kept_at or before.kept_at) if missing else None,
        signed=before.signed if task.signed is None else task.signed,
    )


def missing_of(action: Action, past: Past, result: Result) -> Missing | None:
    """What nobody looked at is as missing as it was, and what was in the air when a run was cut off perhaps."""
    if result.present or result.missing == "no":
        return None
    if result.missing is not None:
        return result.missing
    taken = past.moving or (isinstance(action, Replacement) and past.absent_since is not None)
    return ((past.line.missing if past.line is not None else None) or "perhaps") if taken else None


def blank(action: Action) -> ReceiptLine:
    """The line of an action of which nothing is known yet."""
    return ReceiptLine(
        action=action.kind,
        distribution=action.distribution,
        filename=action.filename,
        outcome=Outcome.LEFT,
        sha256=action.sha256,
        old_sha256=action.old.sha256 if isinstance(action, Replacement) else None,
        size=action.size if isinstance(action, Transfer) else None,
        archive_to=_archive_of(action),
    )


def _archive_of(action: Action) -> str | None:
    if isinstance(action, Transfer):
        return action.source.repository if action.source.kind == "archive" else None
    return action.archive if isinstance(action, Removal) else None
