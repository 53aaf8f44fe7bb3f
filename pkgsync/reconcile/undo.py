"""A receipt -> the plan that takes back what its apply did (DESIGN section 3, promise 10)."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import datetime

from attrs import frozen

from pkgsync.model import (
    Action,
    ActionKind,
    ActualState,
    Counts,
    Deletion,
    Evidence,
    Held,
    Observed,
    OldContent,
    Outcome,
    Plan,
    PlanSource,
    PlanTarget,
    Receipt,
    ReceiptLine,
    Replacement,
    Row,
    Source,
    Summary,
    Upload,
    iso,
)
from pkgsync.reasons import Reason
from pkgsync.reconcile.core import SYNCED_TYPES
from pkgsync.reconcile.planning import Setting, snapshot


@frozen
class _World:
    """Packagecloud as it is, and the sizes in bytes of the contents that the backup store holds, by sha256."""

    rows: Mapping[str, Row]
    backups: Mapping[str, int]
    total: int
    receipt: str


def undo_plan(
    receipt: Receipt, actual: ActualState, backups: Mapping[str, int], now: datetime, setting: Setting
) -> Plan:
    """The plan back to the world before the receipt's apply.

    Uploaded files are deleted, deleted ones uploaded from the backup store or promoted back from the archive, replaced
    ones replaced back. What somebody changed since, or what was not kept, is held with its reason.
    """
    world = _World({row.key: row for row in actual.rows}, backups, actual.total, receipt.plan_digest)
    found = [item for line in receipt.lines if line.outcome is Outcome.DONE for item in _back(line, world)]
    found.sort(key=lambda item: item.key)
    managed = tuple(sorted({*receipt.target.distributions, *(item.distribution for item in found)}))
    rows = [row for row in actual.rows if row.distribution in managed and row.type in SYNCED_TYPES]
    return Plan(
        pkgsync_version=setting.pkgsync_version,
        created_at=iso(now),
        observed=Observed(iso(actual.read_at), iso(actual.read_at), 0, actual.requests),
        config_digest=setting.config_digest,
        applyable=True,
        complete=True,
        targeted=False,
        source=PlanSource(setting.obs_api, setting.projects, (), setting.allow_http),
        target=PlanTarget(
            setting.packagecloud_url, actual.repository, actual.total, snapshot(rows), managed, setting.allow_http
        ),
        summary=_summary(found, rows, managed, len(actual.rows) - len(rows)),
        overrides=setting.overrides,
        uploads=tuple(i for i in found if isinstance(i, Upload)),
        replacements=tuple(i for i in found if isinstance(i, Replacement)),
        deletions=tuple(i for i in found if isinstance(i, Deletion)),
        held=tuple(i for i in found if isinstance(i, Held)),
        warnings=actual.warnings,
    )


def _back(line: ReceiptLine, world: _World) -> Iterator[Action | Held]:
    match line.action:
        case "upload":
            yield from _take_away(line, world)
        case "replacement":
            yield from _put_back(line, line.old_sha256 or "", world)
        case "deletion" | "archiving":
            yield from _put_back(line, line.sha256, world)


def _take_away(line: ReceiptLine, world: _World) -> Iterator[Action | Held]:
    filename = line.stored_as or line.filename
    row = world.rows.get(f"{line.distribution}/{filename}")
    if row is None:
        return
    if row.sha256 != line.sha256:
        yield _changed_since(line, "deletion")
        return
    evidence = Evidence("undo", total=world.total, receipt=world.receipt)
    yield Deletion(line.distribution, filename, line.sha256, row.created_at, row.uploader, Reason.UNDO, evidence)


def _put_back(line: ReceiptLine, sha256: str, world: _World) -> Iterator[Action | Held]:
    row = world.rows.get(line.key)
    if row is not None and row.sha256 == sha256:
        return
    if row is not None and (line.action != "replacement" or row.sha256 != line.sha256):
        yield _changed_since(line, "replacement" if line.action == "replacement" else "upload")
        return
    source, size = _kept(line, sha256, world)
    if source is None:
        kind: ActionKind = "replacement" if row is not None else "upload"
        yield Held(line.distribution, line.filename, kind, Reason.NO_BACKUP, f"content {sha256[:12]} was not kept")
    elif row is None:
        yield Upload(line.distribution, line.filename, size, sha256, Reason.UNDO, source)
    else:
        old = OldContent(line.sha256, row.created_at)
        yield Replacement(line.distribution, line.filename, size, sha256, Reason.UNDO, source, old)


def _kept(line: ReceiptLine, sha256: str, world: _World) -> tuple[Source | None, int]:
    """Where the bytes are now: in the backup store, or in the archive that the row was promoted to."""
    if sha256 in world.backups:
        return Source(kind="backup"), world.backups[sha256]
    if line.undo == "archive" and line.archive_to and line.size is not None:
        return Source(kind="archive", repository=line.archive_to), line.size
    return None, 0


def _changed_since(line: ReceiptLine, kind: ActionKind) -> Held:
    return Held(
        line.distribution,
        line.filename,
        kind,
        Reason.TARGET_CHANGED,
        "somebody changed the file since",
    )


def _summary(
    found: Collection[Action | Held], rows: Iterable[Row], managed: Collection[str], unmanaged: int
) -> Summary:
    present = [row.distribution for row in rows]
    counts = {name: _counts([i for i in found if i.distribution == name], present.count(name)) for name in managed}
    return Summary(_counts(list(found), len(present)), unmanaged, counts)


def _counts(found: list[Action | Held], rows: int) -> Counts:
    return Counts(
        uploads=sum(isinstance(i, Upload) for i in found),
        replacements=sum(isinstance(i, Replacement) for i in found),
        deletions=sum(isinstance(i, Deletion) for i in found),
        held=sum(isinstance(i, Held) for i in found),
        upload_bytes=sum(i.size for i in found if isinstance(i, Upload | Replacement)),
        rows=rows,
    )
