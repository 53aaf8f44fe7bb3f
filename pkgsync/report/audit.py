"""An audit's orphans: as a table for a terminal, as JSON, as CSV, and for a comment."""

import csv
import io
import json
from collections import Counter
from typing import Any

from tabulate import tabulate

from pkgsync.model import Audit, Orphan, Row
from pkgsync.planfile.convert import plain
from pkgsync.report import units, words
from pkgsync.report.escape import cell, code, prose, visible
from pkgsync.report.markdown import GITHUB_LIMIT
from pkgsync.report.sections import Section, laid_out, length
from pkgsync.report.style import Style, labelled, wrapped

_FATES = {"delete": "to delete", "archive": "to archive", "held": "held", "keep": "kept"}
_COLUMNS = (
    "distribution", "filename", "name", "epoch", "version", "release", "architecture", "sha256", "created_at",
    "uploader", "fate", "reason", "message",
)  # fmt: skip
_LEAST_WORDS = 24


def audit_text(audit: Audit, style: Style) -> str:
    """All orphans as tables by distribution, without a newline at the end."""
    blocks = [_table(audit, name, style) for name in sorted({orphan.row.distribution for orphan in audit.orphans})]
    unsettled = [repository for repository in audit.repositories if not repository.settled]
    if unsettled:
        lines = [r for u in unsettled for r in wrapped(visible(words.repository(u)), style, indent=2, hanging=2)]
        blocks.append("\n".join([style.paint("yellow", "Not settled in OBS:"), *lines]))
    blocks += ["\n".join(labelled("Warning:", "yellow", visible(line), style, hanging=2)) for line in audit.warnings]
    return "\n\n".join([*blocks, style.paint("bold", visible(headline(audit)))])


def _table(audit: Audit, distribution: str, style: Style) -> str:
    mine = [orphan for orphan in audit.orphans if orphan.row.distribution == distribution]
    rows = [[visible(text) for text in _cells(orphan)] for orphan in mine]
    heads = ["Name", "Version", "Arch", "Uploaded", "By", "Fate", "Why"]
    taken = sum(max(map(len, column)) + 2 for column in list(zip(heads, *rows, strict=True))[:-1])
    room = None if style.width is None else max(style.width - taken, _LEAST_WORDS)
    for row in rows:
        row[-1] = "\n".join(wrapped(row[-1], Style(width=room)))
    table = tabulate([[style.paint("bold", head) for head in heads], *rows], tablefmt="plain", disable_numparse=True)
    return f"{style.paint('bold', visible(distribution))}: {units.plural(len(mine), 'orphan')}\n{table}"


def _cells(orphan: Orphan) -> list[str]:
    row = orphan.row
    why = words.why(orphan.reason, orphan.message)
    uploaded, by = units.day(row.created_at), row.uploader or "?"
    return [row.name, version(row), row.architecture or "?", uploaded, by, orphan.fate, why]


def version(row: Row) -> str:
    """The row's full version, ``?`` for what Packagecloud does not tell."""
    epoch = f"{row.epoch}:" if row.epoch else ""
    release = f"-{row.release}" if row.release else ""
    return f"{epoch}{row.version or '?'}{release}"


def headline(audit: Audit) -> str:
    """How many orphans there are, and what would happen to them."""
    fates: Counter[str] = Counter(orphan.fate for orphan in audit.orphans)
    parts = [f"{fates[fate]} {said}" for fate, said in _FATES.items() if fates[fate]]
    part = "" if audit.complete else " A part of OBS could not be read."
    if not audit.orphans:
        return f"No orphans in {audit.repository}.{part}"
    orphans = units.plural(len(audit.orphans), "orphan")
    return f"{orphans} in {audit.repository} with orphans: {audit.action.value}: {', '.join(parts)}.{part}"


def audit_json(audit: Audit) -> str:
    """The audit as JSON, with a newline at the end. All but ASCII is escaped."""
    fates: Counter[str] = Counter(orphan.fate for orphan in audit.orphans)
    document = {
        "repository": audit.repository,
        "created_at": audit.created_at,
        "complete": audit.complete,
        "action": audit.action.value,
        "counts": {"orphans": len(audit.orphans), **{fate: fates[fate] for fate in _FATES}},
        "orphans": [{**_record(orphan), "evidence": plain(orphan.evidence)} for orphan in audit.orphans],
        "repositories": [plain(repository) for repository in audit.repositories],
        "warnings": list(audit.warnings),
    }
    return json.dumps(document, indent=2) + "\n"


def audit_csv(audit: Audit) -> str:
    """The audit as CSV with a head line. A cell that a spreadsheet would take for a formula gets a ``'`` before it."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(_COLUMNS)
    for orphan in audit.orphans:
        record = _record(orphan)
        writer.writerow([cell("" if record[name] is None else str(record[name])) for name in _COLUMNS])
    return stream.getvalue()


def _record(orphan: Orphan) -> dict[str, Any]:
    """One orphan without the server's routes, of which one holds a read token."""
    verdict = {"fate": orphan.fate, "reason": orphan.reason.value, "message": orphan.message}
    return {name: verdict[name] if name in verdict else getattr(orphan.row, name) for name in _COLUMNS}


def audit_markdown(audit: Audit, limit: int = GITHUB_LIMIT) -> str:
    """The audit in at most ``limit`` characters of GitHub Markdown: what would be deleted first and cut last."""
    before = f"## pkgsync audit: {code(audit.repository)}\n\n**{prose(headline(audit))}**"
    sections = [
        Section(f"{units.plural(len(rows), 'orphan')} {said}", rows, _MARKDOWN_HEAD, folded=fate == "keep", rank=rank)
        for rank, (fate, said) in enumerate(_FATES.items())
        if (rows := [_markdown_row(orphan) for orphan in audit.orphans if orphan.fate == fate])
    ]
    text = laid_out(before, sections, f"Made {prose(audit.created_at)}.", limit)
    return text if length(text) <= limit else f"{before}\n"[:limit]


_MARKDOWN_HEAD = "|Distribution|Name|Version|Architecture|Uploaded|By|Why|"


def _markdown_row(orphan: Orphan) -> str:
    name, version, architecture, day, uploader, _, why = _cells(orphan)
    coded = [code(orphan.row.distribution), code(name), code(version), code(architecture)]
    return f"|{'|'.join([*coded, prose(day), prose(uploader), prose(why)])}|"
