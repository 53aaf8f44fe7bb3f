"""Orphans as the reports tell them: the columns of a table, and the lines above or below it. Not escaped yet."""

from collections import Counter
from collections.abc import Callable

from attrs import frozen

from pkgsync.model import Audit, Orphan, OrphanAction, Row
from pkgsync.report import units, words

FATES = {"delete": "to delete", "archive": "to archive", "held": "held", "keep": "kept"}
_FREEING = ("delete", "archive")


@frozen(kw_only=True)
class Column:
    """``text`` is for people; ``key`` sorts, numbers by their value."""

    head: str
    text: Callable[[Orphan], str]
    key: Callable[[Orphan], str]
    number: bool = False


def columns(audit: Audit) -> list[Column]:
    """What is told of each orphan; sizes and downloads only where they were asked for."""
    told = [
        _column("Name", lambda orphan: orphan.row.name),
        _column("Version", lambda orphan: version(orphan.row)),
        _column("Arch", lambda orphan: orphan.row.architecture or "?"),
        Column(
            head="Uploaded",
            text=lambda orphan: units.day(orphan.row.created_at),
            key=lambda orphan: orphan.row.created_at,
        ),
        _column("By", lambda orphan: orphan.row.uploader or "?"),
    ]
    if audit.query.sizes:
        told.append(
            Column(
                head="Size",
                text=lambda orphan: _size(orphan.size),
                key=lambda orphan: _number(orphan.size),
                number=True,
            )
        )
    if audit.query.downloads_days is not None:
        told.append(
            Column(head="Downloads", text=_downloaded, key=lambda orphan: _number(orphan.downloads), number=True)
        )
    return [
        *told,
        Column(head="Fate", text=lambda orphan: orphan.fate, key=lambda orphan: str(list(FATES).index(orphan.fate))),
        _column("Why", lambda orphan: words.why(orphan.reason, orphan.message)),
    ]


def _column(head: str, text: Callable[[Orphan], str]) -> Column:
    return Column(head=head, text=text, key=text)


def _size(number: int | None) -> str:
    return "?" if number is None else units.size(number)


def _downloaded(orphan: Orphan) -> str:
    return _number(orphan.downloads) or "?"


def _number(number: int | None) -> str:
    return "" if number is None else str(number)


def version(row: Row) -> str:
    """The row's full version, ``?`` for what Packagecloud does not tell."""
    epoch = f"{row.epoch}:" if row.epoch else ""
    release = f"-{row.release}" if row.release else ""
    return f"{epoch}{row.version or '?'}{release}"


def headline(audit: Audit) -> str:
    """How many orphans there are, and what would happen to them."""
    fates: Counter[str] = Counter(orphan.fate for orphan in audit.orphans)
    parts = [f"{fates[fate]} {said}" for fate, said in FATES.items() if fates[fate]]
    part = "" if audit.complete else " A part of OBS could not be read."
    if audit.left_out:
        part = f" {units.plural(audit.left_out, 'other orphan')} filtered out.{part}"
    if not audit.orphans:
        return f"No orphans in {audit.repository}.{part}"
    orphans = units.plural(len(audit.orphans), "orphan")
    return f"{orphans} in {audit.repository}: {', '.join(parts)} (orphans: {audit.action.value}).{part}"


@frozen(kw_only=True)
class Volume:
    """Bytes of the orphans told of: in all, of those that would leave, and how many sizes are not known."""

    total: int
    freed: int
    unknown: int

    @classmethod
    def of(cls, audit: Audit) -> "Volume":
        known = [(orphan.fate, orphan.size) for orphan in audit.orphans if orphan.size is not None]
        freed = sum(size for fate, size in known if fate in _FREEING)
        return cls(total=sum(size for _, size in known), freed=freed, unknown=len(audit.orphans) - len(known))


def totals(audit: Audit) -> list[str]:
    """What sizes and downloads come to, in sentences; nothing where they were not asked for."""
    days = audit.query.downloads_days
    return [
        *([_sizes(audit)] if audit.query.sizes and audit.orphans else []),
        *([_downloads(audit, days)] if days is not None and audit.orphans else []),
    ]


def _sizes(audit: Audit) -> str:
    volume = Volume.of(audit)
    freed = f", of which {units.size(volume.freed)} would be freed" if audit.action is not OrphanAction.KEEP else ""
    return f"They hold {units.size(volume.total)}{freed}{_unknown(volume.unknown, 'size')}."


def _downloads(audit: Audit, days: int) -> str:
    counts = [orphan.downloads for orphan in audit.orphans if orphan.downloads is not None]
    used = sum(1 for count in counts if count)
    verb = "was" if used == 1 else "were"
    last = "day" if days == 1 else f"{days} days"
    return f"In the last {last} {used} {verb} downloaded{_unknown(len(audit.orphans) - len(counts), 'count')}."


def _unknown(number: int, what: str) -> str:
    return f" ({units.plural(number, what)} not known)" if number else ""
