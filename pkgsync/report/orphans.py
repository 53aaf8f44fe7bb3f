"""Orphans as the reports tell them: the columns of a table, and the lines above or below it. Not escaped yet."""

from collections import Counter
from collections.abc import Sequence

from msgspec import Struct
from msgspec.structs import replace

from pkgsync.model import Audit, ConfigChange, Orphan, OrphanAction, Row
from pkgsync.reasons import Reason
from pkgsync.report import flips, units, words
from pkgsync.report.columns import Column

FATES = {"delete": "to delete", "archive": "to archive", "held": "held", "keep": "kept"}
_FREEING = ("delete", "archive")


def columns(audit: Audit) -> list[Column[Orphan]]:
    """What is told of each orphan; sizes and downloads only where they were asked for."""
    told: list[Column[Orphan]] = [
        Column("Name", lambda orphan: orphan.row.name, kind="main"),
        Column("Version", lambda orphan: version(orphan.row)),
        Column("Arch", lambda orphan: orphan.row.architecture or "?"),
        Column("Uploaded", lambda orphan: units.day(orphan.row.created_at), key=lambda orphan: orphan.row.created_at),
        Column("By", lambda orphan: orphan.row.uploader or "?"),
    ]
    if audit.query.sizes:
        told.append(Column("Size", lambda it: _size(it.size), key=lambda it: _number(it.size), kind="number"))
    if audit.query.downloads_days is not None:
        told.append(Column("Downloads", _downloaded, key=lambda it: _number(it.downloads), kind="number"))
    return [*told, Column("Why", why, kind="words")]


def why(orphan: Orphan) -> str:
    """The reason in words, and the line of the config that changes it, but where all orphans have the same one."""
    said = words.why(orphan.reason, orphan.message)
    flip = None if orphan.reason is Reason.KEEP else orphan.flip
    return f"{said}. {flips.told(flip)}" if flip and flip.config else said


DISTRIBUTION: Column[Orphan] = Column("Distribution", lambda orphan: orphan.row.distribution)


def _size(number: int | None) -> str:
    return "?" if number is None else units.size(number)


def _number(number: int | None) -> str:
    return "" if number is None else str(number)


def _downloaded(orphan: Orphan) -> str:
    return _number(orphan.downloads) or "?"


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


class Volume(Struct, frozen=True, kw_only=True):
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


def head(audit: Audit) -> str:
    """What was looked at and when, and what the config wants of orphans."""
    read = "everything was read" if audit.complete else "a part of OBS could not be read"
    return f"Audit of {audit.repository}, {audit.created_at}: {read} (orphans: {audit.action.value})"


def tallies(audit: Audit) -> dict[str, list[tuple[str, int]]]:
    """How many orphans there are by reason and by uploader, the most first; nothing where there is none."""
    if not audit.orphans:
        return {}
    reasons = Counter(_reason(orphan) for orphan in audit.orphans)
    uploaders = Counter(orphan.row.uploader or "unknown" for orphan in audit.orphans)
    return {"reason": _most(reasons), "uploader": _most(uploaders)}


def _reason(orphan: Orphan) -> str:
    return f"{orphan.reason} (else {orphan.otherwise})" if orphan.otherwise else orphan.reason.value


def _most(counts: Counter[str]) -> list[tuple[str, int]]:
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))


def tally_lines(audit: Audit) -> list[str]:
    """``By reason: 3 superseded, 1 not-owned``"""
    return [f"By {what}: {tally(counts)}" for what, counts in tallies(audit).items()]


def tally(counts: Sequence[tuple[str, int]]) -> str:
    """``3 superseded, 1 not-owned``"""
    return ", ".join(f"{count} {name}" for name, count in counts)


class Suggestion(Struct, frozen=True):
    """A change of the config that ``orphans`` of those told would need, and what it is for."""

    words: str
    changes: tuple[ConfigChange, ...]
    orphans: int


_SUGGESTED = {
    ("orphans", "action"): "To let those go that pass every check",
    ("orphans", "gone"): "To let packages of `names` that are gone go with all their versions",
    ("orphans", "names"): "These too, if they are yours; even the last version may then go",
}


def suggestions(audit: Audit) -> list[Suggestion]:
    """Lines to paste into the config. What only somebody may say who knows OBS's packages is not among them."""
    stated = [orphan.flip.config for orphan in audit.orphans if orphan.flip]
    return [
        Suggestion(said, _merged(path, mine), len(mine))
        for path, said in _SUGGESTED.items()
        if (mine := [config for config in stated if any(change.path == path for change in config)])
    ]


def _merged(path: tuple[str, ...], stated: Sequence[tuple[ConfigChange, ...]]) -> tuple[ConfigChange, ...]:
    """Where names are added, all of them; else what the first one sets, which is what all do."""
    if path != ("orphans", "names"):
        return tuple(change for change in stated[0] if change.how == "set")
    added = [change.value for config in stated for change in config if change.path == path]
    names = sorted({name for value in added if isinstance(value, tuple) for name in value})
    return (ConfigChange(path, "add", tuple(names)),)


def config_lines(audit: Audit) -> list[str]:
    """The suggestions as one mapping, each with a comment; all are keys of `orphans`, and each may stand alone."""
    found = suggestions(audit)
    lines = [(f"  # {one.words}:", *(f"  {flips.line([_inner(change)])}" for change in one.changes)) for one in found]
    return ["orphans:", *(line for group in lines for line in group)] if lines else []


def _inner(change: ConfigChange) -> ConfigChange:
    return replace(change, path=change.path[1:])
