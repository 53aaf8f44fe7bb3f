"""The receipt: derived from the lines of this run and the journal, in the plan's order."""

from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

from pkgsync import planfile
from pkgsync.apply.journal import stamp
from pkgsync.apply.record import Record
from pkgsync.apply.result import exit_code_of
from pkgsync.apply.signals import Halt
from pkgsync.apply.task import blank
from pkgsync.errors import APPLY_PRECEDENCE, ExitCode, StorageError
from pkgsync.model import Plan, Receipt, ReceiptLine


def derive(
    plan: Plan,
    record: Record,
    halt: Halt,
    *,
    version: str,
    started_at: str,
    now: datetime,
    runs: int,
    warnings: Iterable[str],
) -> Receipt:
    """What the run did, action by action. ``started_at`` is of the plan's first run, ISO 8601."""
    lines = tuple(record.lines.get(action.key) or blank(action) for action in plan.actions)
    complete = all(line.outcome.is_goal for line in lines)
    return Receipt(
        pkgsync_version=version,
        plan_digest=plan.digest,
        target=plan.target,
        started_at=started_at,
        finished_at=stamp(now),
        exit_code=exit_code_of(_codes(record, halt), APPLY_PRECEDENCE),
        complete=complete,
        interrupted=halt.signalled is not None,
        lines=lines,
        runs=max(1, runs),
        warnings=(*warnings, *_renamed(lines)),
    )


def _codes(record: Record, halt: Halt) -> frozenset[ExitCode]:
    codes = set(record.codes)
    if halt.signalled is not None:
        codes.add(halt.signalled)
    if halt.error is not None:
        codes.add(halt.error.exit_code)
    return frozenset(codes)


def _renamed(lines: Iterable[ReceiptLine]) -> Iterable[str]:
    return (f"{line.key}: Packagecloud stored it as {line.stored_as}" for line in lines if line.stored_as)


def write(receipt: Receipt, path: Path) -> None:
    """Write the receipt file. Raises StorageError."""
    try:
        planfile.write_receipt(receipt, path)
    except OSError as error:
        raise StorageError(
            f"The receipt {path} cannot be written: {error.strerror or error}.",
            tip="What was done stands in the journal: run the same command with another `--receipt`.",
        ) from error
