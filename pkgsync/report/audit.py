"""An audit's orphans: as a table for a terminal, as JSON, as CSV, and for a comment."""

import csv
import io
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any

from pkgsync.model import Audit, Orphan
from pkgsync.planfile import strictjson
from pkgsync.planfile.convert import plain
from pkgsync.report import flips, units
from pkgsync.report.columns import Column
from pkgsync.report.escape import cell, code, prose, visible
from pkgsync.report.explain import flip_record
from pkgsync.report.holds import Hold, holds
from pkgsync.report.markdown import GITHUB_LIMIT
from pkgsync.report.orphans import (
    DISTRIBUTION,
    FATES,
    Suggestion,
    Volume,
    columns,
    config_lines,
    head,
    headline,
    suggestions,
    tallies,
    tally_lines,
    totals,
)
from pkgsync.report.sections import Section, laid_out, length
from pkgsync.report.style import Style, labelled, wrapped

_FIELDS = (
    "distribution", "filename", "name", "epoch", "version", "release", "architecture", "sha256", "created_at",
    "uploader", "fate", "reason", "message",
)  # fmt: skip
_LEAST_WORDS = 40


def audit_text(audit: Audit, style: Style) -> str:
    """What was looked at, the orphans by their fate, deletions first, and lines for the config, without a newline."""
    blocks = [_head(audit, style)] if audit.orphans else []
    blocks += [_table(audit, fate, style) for fate in FATES if _of(audit, fate)]
    if held := holds(audit.repositories):
        lines = [row for hold in held for row in wrapped(visible(hold.told), style, indent=2, hanging=2)]
        blocks.append("\n".join([style.paint("yellow", "Not settled in OBS:"), *lines]))
    blocks += ["\n".join(labelled("Warning:", "yellow", visible(line), style, hanging=2)) for line in audit.warnings]
    last = [style.paint("bold", visible(headline(audit))), *totals(audit)]
    return "\n\n".join([*blocks, "\n".join(last), *_suggested(audit, style)])


def _head(audit: Audit, style: Style) -> str:
    first, *rest = wrapped(visible(head(audit)), style, hanging=2)
    told = (row for line in tally_lines(audit) for row in wrapped(visible(line), style, hanging=2))
    return "\n".join([style.paint("bold", first), *rest, *told])


def _of(audit: Audit, fate: str) -> list[Orphan]:
    return [orphan for orphan in audit.orphans if orphan.fate == fate]


def _suggested(audit: Audit, style: Style) -> Iterator[str]:
    """Never wrapped: it is copied from here."""
    if lines := config_lines(audit):
        yield "\n".join(
            [style.paint("bold", "For the config, into its `orphans`, what you want of it:"), *map(visible, lines)]
        )


def _table(audit: Audit, fate: str, style: Style) -> str:
    mine = _of(audit, fate)
    told = [DISTRIBUTION, *columns(audit)]
    rows = [[visible(column.text(orphan)) for column in told] for orphan in mine]
    taken = sum(max(map(len, texts)) + 2 for texts in list(zip(*rows, [c.head for c in told], strict=True))[:-1])
    if style.width is None or style.width - taken >= _LEAST_WORDS:
        room = None if style.width is None else style.width - taken
        lines = _tabulated(told, [[*row[:-1], "\n".join(wrapped(row[-1], Style(width=room)))] for row in rows], style)
    else:
        lines = _words_below(told, rows, style)
    title = style.paint("bold", f"{units.plural(len(mine), 'orphan')} {FATES[fate]}")
    return "\n".join([f"{title}:", *lines])


def _words_below(told: Sequence[Column[Orphan]], rows: Sequence[Sequence[str]], style: Style) -> list[str]:
    """On a narrow terminal the words stand under their rows, once for those that have the same."""
    head, *lines = _tabulated(told[:-1], [row[:-1] for row in rows], style)
    result = [head]
    for words, group in groupby(zip(lines, rows, strict=True), key=lambda pair: pair[1][-1]):
        mine = [line for line, _ in group]
        label = "" if len(mine) == 1 else "both: " if len(mine) == 2 else f"all {len(mine)}: "
        result += [*mine, *wrapped(f"{label}{words}", style, indent=4)]
    return result


def _tabulated(told: Sequence[Column[Orphan]], rows: Sequence[Sequence[str]], style: Style) -> list[str]:
    from tabulate import tabulate

    table = tabulate(
        [[style.paint("bold", column.head) for column in told], *rows],
        tablefmt="plain",
        # else version 1.10 would be shown as 1.1
        disable_numparse=True,
        colalign=["right" if column.kind == "number" else "left" for column in told],
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
        "totals": {what: dict(counts) for what, counts in tallies(audit).items()},
        "orphans": (_orphan(orphan, audit) for orphan in audit.orphans),
        "suggestions": [_suggestion(one) for one in suggestions(audit)],
        "holds": [_hold(hold) for hold in holds(audit.repositories)],
        "repositories": [plain(repository) for repository in audit.repositories],
        "warnings": list(audit.warnings),
    }
    return strictjson.write_text(document).decode("ascii")


def _orphan(orphan: Orphan, audit: Audit) -> dict[str, Any]:
    return {**_record(orphan, audit), "evidence": plain(orphan.evidence), "flip": flip_record(orphan.flip)}


def _suggestion(one: Suggestion) -> dict[str, Any]:
    return {"words": one.words, "line": flips.line(one.changes), "config": plain(one.changes), "orphans": one.orphans}


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
    counts = "".join(f"\n- {prose(line)}" for line in tally_lines(audit))
    before = f"## pkgsync audit: {code(audit.repository)}\n\n{said}" + (f"\n{counts}" if counts else "")
    shown = columns(audit)
    heads = f"|Distribution|{'|'.join(column.head for column in shown)}|"
    held = [prose(hold.told) for hold in holds(audit.repositories)]
    sections = [
        Section(
            title=f"{units.plural(len(rows), 'orphan')} {said}", rows=rows, head=heads, folded=fate == "keep", rank=rank
        )
        for rank, (fate, said) in enumerate(FATES.items())
        if (rows := [_markdown_row(orphan, shown) for orphan in audit.orphans if orphan.fate == fate])
    ]
    if held:
        sections.append(Section(title="Not settled in OBS", rows=held, rank=len(FATES)))
    if audit.warnings:
        sections.append(Section(title="Warnings", rows=[prose(line) for line in audit.warnings], rank=len(FATES) + 1))
    made = f"Made {prose(audit.created_at)}."
    after = f"{_markdown_suggestions(audit)}{made}" if suggestions(audit) else made
    text = laid_out(before, sections, after if length(after) < limit // 4 else made, limit)
    return text if length(text) <= limit else f"{before}\n"[:limit]


def _markdown_suggestions(audit: Audit) -> str:
    lines = map(visible, config_lines(audit))
    return "\n".join(
        ["### For the config, into its `orphans`, what you want of it", "", "```yaml", *lines, "```", "", ""]
    )


_CODED = ("Name", "Version", "Arch")


def _markdown_row(orphan: Orphan, shown: Sequence[Column[Orphan]]) -> str:
    cells = [(code if column.head in _CODED else prose)(column.text(orphan)) for column in shown]
    return f"|{'|'.join([code(orphan.row.distribution), *cells])}|"
