"""An audit's orphans: as a table for a terminal, as JSON, as CSV, and for a comment."""

import csv
import io
import json
from collections import Counter
from collections.abc import Sequence
from typing import Any

from pkgsync.model import Audit, Orphan
from pkgsync.planfile.convert import plain
from pkgsync.report import units
from pkgsync.report.escape import cell, code, prose, visible
from pkgsync.report.holds import Hold, holds
from pkgsync.report.markdown import GITHUB_LIMIT
from pkgsync.report.orphans import FATES, Column, Volume, columns, headline, totals
from pkgsync.report.sections import Section, laid_out, length
from pkgsync.report.style import Style, labelled, wrapped

_FIELDS = (
    "distribution", "filename", "name", "epoch", "version", "release", "architecture", "sha256", "created_at",
    "uploader", "fate", "reason", "message",
)  # fmt: skip
_LEAST_WORDS = 40


def audit_text(audit: Audit, style: Style) -> str:
    """All orphans as tables by distribution, without a newline at the end."""
    blocks = [_table(audit, name, style) for name in sorted({orphan.row.distribution for orphan in audit.orphans})]
    if held := holds(audit.repositories):
        lines = [row for hold in held for row in wrapped(visible(hold.told), style, indent=2, hanging=2)]
        blocks.append("\n".join([style.paint("yellow", "Not settled in OBS:"), *lines]))
    blocks += ["\n".join(labelled("Warning:", "yellow", visible(line), style, hanging=2)) for line in audit.warnings]
    last = [style.paint("bold", visible(headline(audit))), *totals(audit)]
    return "\n\n".join([*blocks, "\n".join(last)])


def _table(audit: Audit, distribution: str, style: Style) -> str:
    mine = [orphan for orphan in audit.orphans if orphan.row.distribution == distribution]
    told = columns(audit)
    rows = [[visible(column.text(orphan)) for column in told] for orphan in mine]
    taken = sum(max(map(len, texts)) + 2 for texts in list(zip(*rows, [c.head for c in told], strict=True))[:-1])
    if style.width is None or style.width - taken >= _LEAST_WORDS:
        room = None if style.width is None else style.width - taken
        lines = _tabulated(told, [[*row[:-1], "\n".join(wrapped(row[-1], Style(width=room)))] for row in rows], style)
    else:
        lines = _words_below(told, rows, style)
    title = f"{style.paint('bold', visible(distribution))}: {units.plural(len(mine), 'orphan')}"
    return "\n".join([title, *lines])


def _words_below(told: Sequence[Column], rows: Sequence[Sequence[str]], style: Style) -> list[str]:
    """On a narrow terminal the words of each row stand under it."""
    head, *lines = _tabulated(told[:-1], [row[:-1] for row in rows], style)
    pairs = zip(lines, rows, strict=True)
    return [head, *(text for line, row in pairs for text in (line, *wrapped(row[-1], style, indent=4)))]


def _tabulated(told: Sequence[Column], rows: Sequence[Sequence[str]], style: Style) -> list[str]:
    from tabulate import tabulate

    table = tabulate(
        [[style.paint("bold", column.head) for column in told], *rows],
        tablefmt="plain",
        # else version 1.10 would be shown as 1.1
        disable_numparse=True,
        colalign=["right" if column.number else "left" for column in told],
    )
    return table.splitlines()


def audit_json(audit: Audit) -> str:
    """The audit as JSON, with a newline at the end. All but ASCII is escaped."""
    fates: Counter[str] = Counter(orphan.fate for orphan in audit.orphans)
    document = {
        "repository": audit.repository,
        "created_at": audit.created_at,
        "complete": audit.complete,
        "action": audit.action.value,
        "counts": {"orphans": len(audit.orphans), **{fate: fates[fate] for fate in FATES}},
        **_asked(audit),
        "orphans": [{**_record(orphan, audit), "evidence": plain(orphan.evidence)} for orphan in audit.orphans],
        "holds": [_hold(hold) for hold in holds(audit.repositories)],
        "repositories": [plain(repository) for repository in audit.repositories],
        "warnings": list(audit.warnings),
    }
    return json.dumps(document, indent=2) + "\n"


def _asked(audit: Audit) -> dict[str, Any]:
    """What only stands in an audit that was asked for it."""
    found: dict[str, Any] = {"filtered_out": audit.left_out} if audit.left_out else {}
    if audit.query.downloads_days is not None:
        found["downloads_days"] = audit.query.downloads_days
    if audit.query.sizes:
        volume = Volume.of(audit)
        found["bytes"] = {"orphans": volume.total, "freed": volume.freed, "unknown_sizes": volume.unknown}
    return found


def _hold(hold: Hold) -> dict[str, Any]:
    return {
        "distribution": hold.distribution,
        "repository": hold.repository,
        "problems": [plain(problem) for problem in hold.problems],
        "lastpublished": hold.last_published,
    }


def audit_csv(audit: Audit) -> str:
    """The audit as CSV with a head line. A cell that a spreadsheet would take for a formula gets a ``'`` before it."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    names = _fields(audit)
    writer.writerow(names)
    for orphan in audit.orphans:
        record = _record(orphan, audit)
        writer.writerow([cell("" if record[name] is None else str(record[name])) for name in names])
    return stream.getvalue()


def _fields(audit: Audit) -> Sequence[str]:
    size = ("size",) if audit.query.sizes else ()
    downloads = ("downloads",) if audit.query.downloads_days is not None else ()
    return (*_FIELDS, *size, *downloads)


def _record(orphan: Orphan, audit: Audit) -> dict[str, Any]:
    """One orphan without the server's routes, of which one holds a read token."""
    verdict = {
        "fate": orphan.fate,
        "reason": orphan.reason.value,
        "message": orphan.message,
        "size": orphan.size,
        "downloads": orphan.downloads,
    }
    return {name: verdict[name] if name in verdict else getattr(orphan.row, name) for name in _fields(audit)}


def audit_markdown(audit: Audit, limit: int = GITHUB_LIMIT) -> str:
    """The audit in at most ``limit`` characters of GitHub Markdown: what would be deleted first and cut last."""
    said = " ".join([f"**{prose(headline(audit))}**", *map(prose, totals(audit))])
    before = f"## pkgsync audit: {code(audit.repository)}\n\n{said}"
    shown = [column for column in columns(audit) if column.head != "Fate"]
    head = f"|Distribution|{'|'.join(column.head for column in shown)}|"
    held = [prose(hold.told) for hold in holds(audit.repositories)]
    sections = [
        Section(
            title=f"{units.plural(len(rows), 'orphan')} {said}", rows=rows, head=head, folded=fate == "keep", rank=rank
        )
        for rank, (fate, said) in enumerate(FATES.items())
        if (rows := [_markdown_row(orphan, shown) for orphan in audit.orphans if orphan.fate == fate])
    ]
    if held:
        sections.append(Section(title="Not settled in OBS", rows=held, rank=len(FATES)))
    if audit.warnings:
        sections.append(Section(title="Warnings", rows=[prose(line) for line in audit.warnings], rank=len(FATES) + 1))
    text = laid_out(before, sections, f"Made {prose(audit.created_at)}.", limit)
    return text if length(text) <= limit else f"{before}\n"[:limit]


_CODED = ("Name", "Version", "Arch")


def _markdown_row(orphan: Orphan, shown: Sequence[Column]) -> str:
    cells = [(code if column.head in _CODED else prose)(column.text(orphan)) for column in shown]
    return f"|{'|'.join([code(orphan.row.distribution), *cells])}|"
