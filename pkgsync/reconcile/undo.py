"""A receipt -> the plan that takes back what its apply did.

What an apply put there is taken away, what it took away is put back, if nobody changed it since. Limits don't count:
the plan names nothing that the receipt does not name.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import datetime

from msgspec import Struct, field
from msgspec.structs import replace

from pkgsync.model import (
    SYNCED_TYPES,
    Action,
    ActionKind,
    ActualState,
    Archiving,
    Counts,
    Deletion,
    Evidence,
    Held,
    Observed,
    OldContent,
    Outcome,
    Plan,
    Policy,
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
from pkgsync.reconcile.filters import Globs
from pkgsync.reconcile.planning import Setting


class Kept(Struct, frozen=True):
    """Sizes in bytes of what could be put back: of the backup store by sha256, of the archive by package key."""

    backups: Mapping[str, int] = field(default_factory=dict)
    archived: Mapping[str, int] = field(default_factory=dict)


class _World(Struct, frozen=True, kw_only=True):
    """Packagecloud as it is, its rpm and deb rows by package key, and what the config says now."""

    rows: Mapping[str, Row]
    archive: Mapping[str, Row] | None
    kept: Kept
    total: int
    receipt: str
    managed: Collection[str]
    archive_to: str | None
    protect: Globs


def undo_plan(
    receipt: Receipt,
    actual: ActualState,
    kept: Kept,
    policy: Policy,
    managed: Collection[str],
    now: datetime,
    setting: Setting,
) -> Plan:
    """The plan back to the world before the receipt's apply.

    What the receipt calls done is taken back, and what it calls missing is put there again. What somebody changed
    since, what was not kept, what the config protects or no longer manages, and what nobody knows the outcome of is
    held with its reason.
    """
    rows = {row.key: row for row in actual.rows if row.type in SYNCED_TYPES}
    world = _World(
        rows=rows,
        archive=actual.archive,
        kept=kept,
        total=actual.total,
        receipt=receipt.plan_digest,
        managed=managed,
        archive_to=policy.orphans.archive_to,
        protect=Globs(policy.orphans.protect),
    )
    found = sorted((item for line in receipt.lines for item in _back(line, world)), key=lambda item: item.key)
    names = tuple(sorted({*receipt.target.distributions, *(item.distribution for item in found)}))
    here = [row for row in rows.values() if row.distribution in names]
    return Plan(
        pkgsync_version=setting.pkgsync_version,
        created_at=iso(now),
        observed=Observed(
            # an undo does not read OBS, but a plan states a time
            obs_at=iso(actual.read_at),
            packagecloud_at=iso(actual.read_at),
            obs_requests=0,
            packagecloud_requests=actual.requests,
        ),
        config_digest=setting.config_digest,
        applyable=True,
        complete=not any(isinstance(item, Held) and item.reason is Reason.UNREAD for item in found),
        targeted=False,
        source=setting.source(()),
        target=setting.target(actual, here, names),
        summary=_summary(found, here, names, len(actual.rows) - len(here)),
        overrides=setting.overrides,
        uploads=tuple(i for i in found if isinstance(i, Upload)),
        replacements=tuple(i for i in found if isinstance(i, Replacement)),
        deletions=tuple(i for i in found if isinstance(i, Deletion)),
        archivings=tuple(i for i in found if isinstance(i, Archiving)),
        held=tuple(i for i in found if isinstance(i, Held)),
        warnings=actual.warnings,
        undoes=receipt.plan_digest,
    )


def _back(line: ReceiptLine, world: _World) -> Iterator[Action | Held]:
    lost = line.missing is not None and line.key not in world.rows
    if line.outcome is not Outcome.DONE and not lost:
        yield from _unknown(line, world)
    elif line.distribution not in world.managed:
        yield _held(line, Reason.POLICY_CHANGED, f"the config does not manage {line.distribution}")
    elif line.action == "upload" and not lost:
        yield from _take_away(line, world)
    else:
        yield from _put_back(line, _old(line), world)


def _old(line: ReceiptLine) -> str:
    """The content that stood there before."""
    return (line.old_sha256 or "") if line.action == "replacement" else line.sha256


def _reverse(line: ReceiptLine) -> ActionKind:
    """What taking the line back would be."""
    if line.action == "upload":
        return "archiving" if line.undo == "archive" else "deletion"
    return "replacement" if line.action == "replacement" else "upload"


def _unknown(line: ReceiptLine, world: _World) -> Iterator[Held]:
    """A change was sent, but the receipt does not say that it worked: held, unless the world is as it was before."""
    if line.outcome.is_goal or not line.attempts:
        return
    row = world.rows.get(line.key)
    before = None if line.action == "upload" else _old(line)
    ours = None if line.action in ("deletion", "archiving") else line.sha256
    now = row.sha256 if row is not None else None
    if row is not None and now is None:
        yield _content_unknown(line)
    elif now != before and (now == ours or now is None):
        yield _held(line, Reason.OUTCOME_UNKNOWN, f"that apply ended with {line.outcome}; it may have changed the file")


def _take_away(line: ReceiptLine, world: _World) -> Iterator[Action | Held]:
    # packagecloud/README.md, "Rows": the server may have named it its own way
    filename = line.stored_as or line.filename
    row = world.rows.get(f"{line.distribution}/{filename}")
    if row is None:
        return
    if row.sha256 is None:
        yield _content_unknown(line)
    elif row.sha256 != line.sha256:
        yield _changed_since(line, row)
    elif world.protect.match(filename) or world.protect.match(row.key):
        yield replace(_held(line, Reason.PROTECTED, "a protect glob matches"), filename=filename)
    else:
        yield _removal(row, row.sha256, line, world)


def _removal(row: Row, sha256: str, line: ReceiptLine, world: _World) -> Action | Held:
    evidence = Evidence(kind="undo", total=world.total, receipt=world.receipt)
    deletion = Deletion(
        distribution=row.distribution,
        filename=row.filename,
        sha256=sha256,
        created_at=row.created_at,
        uploader=row.uploader,
        reason=Reason.UNDO,
        evidence=evidence,
    )
    if line.undo != "archive":
        return deletion
    if line.archive_to is None or line.archive_to != world.archive_to:
        return _other_archive(line)
    return deletion.to(line.archive_to)


def _put_back(line: ReceiptLine, sha256: str, world: _World) -> Iterator[Action | Held]:
    row = world.rows.get(line.key)
    beside = world.rows.get(f"{line.distribution}/{line.stored_as}") if line.stored_as else None
    if row is not None and row.sha256 == sha256:
        return
    if row is not None and row.sha256 is None:
        yield _content_unknown(line)
    elif row is None and beside is not None and beside.sha256 == line.sha256:
        # one package in one version has one place, and the new file has it, if under another name
        words = f"Packagecloud stored the new file as {line.stored_as}: delete that one by hand, then undo again"
        yield _held(line, Reason.SAME_IDENTITY, words)
    elif row is not None and (line.action != "replacement" or row.sha256 != line.sha256):
        yield _changed_since(line, row)
    else:
        yield _returning(line, sha256, row, world)


def _returning(line: ReceiptLine, sha256: str, row: Row | None, world: _World) -> Action | Held:
    found = _place(line, sha256, world)
    if isinstance(found, Held):
        return found
    source, size = found
    upload = Upload(
        distribution=line.distribution,
        filename=line.filename,
        size=size,
        sha256=sha256,
        reason=Reason.UNDO,
        source=source,
    )
    return upload if row is None else upload.over(OldContent(line.sha256, row.created_at), Reason.UNDO)


def _place(line: ReceiptLine, sha256: str, world: _World) -> tuple[Source, int] | Held:
    """Where the bytes are now: in the archive that the row was moved to, or in the backup store."""
    missing: Held | None = None
    if line.action == "archiving" and line.undo == "archive":
        there = _archived(line, sha256, world)
        if not isinstance(there, Held):
            return there
        missing = there
    if sha256 in world.kept.backups:
        return Source(kind="backup"), world.kept.backups[sha256]
    return missing or _held(line, Reason.NO_BACKUP, f"the backup store does not hold {sha256[:12]}")


def _archived(line: ReceiptLine, sha256: str, world: _World) -> tuple[Source, int] | Held:
    if line.archive_to is None or line.archive_to != world.archive_to:
        return _other_archive(line)
    if world.archive is None:
        return _held(line, Reason.UNREAD, f"the archive {line.archive_to} could not be read")
    row, size = world.archive.get(line.key), world.kept.archived.get(line.key)
    if row is None or row.sha256 != sha256 or size is None:
        words = f"neither the archive {line.archive_to} nor the backup store holds {sha256[:12]}"
        return _held(line, Reason.NO_BACKUP, words)
    return Source(kind="archive", repository=line.archive_to), size


def _held(line: ReceiptLine, reason: Reason, message: str) -> Held:
    return Held(
        distribution=line.distribution,
        filename=line.filename,
        action=_reverse(line),
        reason=reason,
        message=message,
    )


def _other_archive(line: ReceiptLine) -> Held:
    return _held(line, Reason.POLICY_CHANGED, f"the config does not archive to {line.archive_to}")


def _content_unknown(line: ReceiptLine) -> Held:
    return _held(line, Reason.CONTENT_UNKNOWN, "Packagecloud does not tell the checksum of its file")


def _changed_since(line: ReceiptLine, row: Row) -> Held:
    words = f"somebody changed the file since that apply: Packagecloud holds {(row.sha256 or '')[:12]}"
    return _held(line, Reason.TARGET_CHANGED, words)


def _summary(found: Collection[Action | Held], rows: Iterable[Row], names: Collection[str], unmanaged: int) -> Summary:
    present = [row.distribution for row in rows]
    counts = {name: Counts.of((i for i in found if i.distribution == name), rows=present.count(name)) for name in names}
    return Summary(total=Counts.of(found, rows=len(present)), unmanaged=unmanaged, distributions=counts)
