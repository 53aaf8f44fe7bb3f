"""One action of the plan while it is worked on, and its line in the receipt."""

from collections.abc import Callable

from attrs import define, evolve

from pkgsync.apply.journal import Past
from pkgsync.apply.result import Result
from pkgsync.model import Action, ActionKind, Archiving, Deletion, Outcome, ReceiptLine, Replacement, Transfer, Upload


def kind_of(action: Action) -> ActionKind:
    if isinstance(action, Upload):
        return "upload"
    if isinstance(action, Replacement):
        return "replacement"
    return "deletion" if isinstance(action, Deletion) else "archiving"


def _unwatched(_count: int) -> None:
    return None


@define
class Task:
    """An action with what this run measured of it: bytes, and when it was begun (ISO 8601)."""

    action: Action
    started_at: str | None = None
    bytes_down: int = 0
    bytes_up: int = 0
    watch_down: Callable[[int], None] = _unwatched
    watch_up: Callable[[int], None] = _unwatched

    def count_down(self, count: int) -> None:
        self.bytes_down += count
        self.watch_down(count)

    def count_up(self, count: int) -> None:
        self.bytes_up += count
        self.watch_up(count)

    @property
    def key(self) -> str:
        return self.action.key


def line_of(task: Task, past: Past, result: Result, finished_at: str | None) -> ReceiptLine:
    """The line that tells the result, added to what earlier runs measured."""
    before = past.line or blank(task.action)
    return evolve(
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
    )


def _archive_of(action: Action) -> str | None:
    if isinstance(action, Archiving):
        return action.archive_to
    if isinstance(action, Upload) and action.source.kind == "archive":
        return action.source.repository
    return action.archived_in if isinstance(action, Deletion) else None


def blank(action: Action) -> ReceiptLine:
    """The line of an action of which nothing is known yet."""
    return ReceiptLine(
        action=kind_of(action),
        distribution=action.distribution,
        filename=action.filename,
        outcome=Outcome.LEFT,
        sha256=action.sha256,
        old_sha256=action.old.sha256 if isinstance(action, Replacement) else None,
        size=action.size if isinstance(action, Transfer) else None,
        archive_to=_archive_of(action),
    )
