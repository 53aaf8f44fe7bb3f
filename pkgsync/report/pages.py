"""What the HTML page of a plan, of an audit and of a receipt says: alerts first, then what takes files away."""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from pkgsync.model import (
    Audit,
    Counts,
    Held,
    Keyed,
    LeftOut,
    Orphan,
    Plan,
    Receipt,
    ReceiptLine,
    Removal,
    Replacement,
    Shadowed,
    Transfer,
)
from pkgsync.report import orphans, units, words
from pkgsync.report.changes import Change, changes
from pkgsync.report.columns import Column
from pkgsync.report.holds import holds
from pkgsync.report.html import Alert, Page, Table, html
from pkgsync.report.receipt import headline, missing_title, missing_words, signers, told

T = TypeVar("T")
_FEW = 20


def plan_html(plan: Plan) -> str:
    """The plan as a page, with a newline at the end."""
    apply = f"pkgsync apply --expect-digest {plan.digest} plan.json"
    return html(
        Page(
            title=f"pkgsync plan: {plan.target.repository}",
            lead=words.headline(plan).removesuffix(":"),
            alerts=_plan_alerts(plan),
            facts=_plan_facts(plan),
            tables=_plan_tables(plan),
            purpose="To apply exactly this plan:",
            lines=[apply] if plan.applyable and plan.actions and plan.digest else [],
            foot=f"Made {plan.created_at} by pkgsync {plan.pkgsync_version}.",
        )
    )


def _plan_alerts(plan: Plan) -> list[Alert]:
    found = []
    if not plan.applyable:
        lines = [words.allowing(limit) for limit in words.exceeded(plan)]
        found.append(Alert(kind="danger", title="Unsafe: this plan cannot be applied.", lines=lines))
    if not plan.complete:
        title = "Incomplete: a read failed, and what depends on it is not planned."
        found.append(Alert(kind="danger", title=title))
    if partial := words.partial(plan):
        found.append(Alert(kind="warning", title=partial))
    unsettled = [words.repository(read) for read in plan.source.repositories if not read.settled]
    found += _listed("Not settled in OBS (what needs proof of absence is held):", unsettled)
    if plan.undoes is not None:
        found.append(Alert(kind="note", title=f"Takes back the apply of the plan {plan.undoes}."))
    return [*found, *_warnings(plan.warnings)]


def _warnings(lines: Sequence[str]) -> list[Alert]:
    return _listed(f"{units.plural(len(lines), 'warning')}:", lines)


def _listed(title: str, lines: Sequence[str]) -> list[Alert]:
    return [Alert(kind="warning", title=title, lines=lines)] if lines else []


def _plan_facts(plan: Plan) -> list[tuple[str, str]]:
    source, target, observed = plan.source, plan.target, plan.observed
    counts = plan.summary.total
    alone = [f"{counts.unchanged} equal", units.plural(counts.orphans_kept, "orphan kept", "orphans kept")]
    alone += [f"{counts.filtered} filtered", f"{plan.summary.unmanaged} unmanaged"]
    return [
        ("Digest", plan.digest),
        ("From", "" if plan.undoes else f"{', '.join(source.projects)} on {source.api}{words.http(source.allow_http)}"),
        ("Signed", words.signed(plan)),
        ("To", f"{target.repository} on {target.api}{words.http(target.allow_http)}"),
        ("Made with", words.overrides(plan.overrides)),
        ("Read", f"{observed.packagecloud_at}, with {words.requests(plan)}"),
        ("Left alone", ", ".join(part for part in alone if not part.startswith("0 "))),
    ]


def _plan_tables(plan: Plan) -> list[Table[Any]]:
    found = changes(plan)
    counted = sorted(plan.summary.distributions.items())
    taking = [change for change in found if change.removals]
    others = [change for change in found if not change.removals]
    left_out = [(item, name) for item in plan.left_out for name in item.filenames]
    reads = list(dict.fromkeys(line for removal in plan.removals for line in words.reads(removal.evidence)))
    return [
        _table("counts", counted if len(counted) > 1 else (), _COUNTS, "distribution"),
        _table("taking", taking, _CHANGE, "package that loses files", "packages that lose files"),
        _table("deletions", plan.deletions, _DELETION, "deletion", danger=True),
        _table("archivings", plan.archivings, _ARCHIVING, "archiving", danger=True),
        _table("replacements", plan.replacements, _REPLACEMENT, "replacement"),
        _table("others", others, _CHANGE, "other package"),
        _table("uploads", plan.uploads, _UPLOAD, "upload", folded=len(plan.uploads) > _FEW),
        _table("held", plan.held, _HELD, "held", "held", folded=len(plan.held) > _FEW),
        _table("shadowed", plan.shadowed, _SHADOWED, "file shadowed", "files shadowed", folded=True),
        _table("left-out", left_out, _LEFT_OUT, "file left out by class", "files left out by class", folded=True),
        _table("reads", reads, _READ, "read behind the deletions", "reads behind the deletions", folded=True),
    ]


def _table(
    anchor: str, rows: Sequence[T], columns: Sequence[Column[T]], noun: str, nouns: str = "", **how: bool
) -> Table[T]:
    return Table(anchor=anchor, title=units.plural(len(rows), noun, nouns), rows=rows, columns=columns, **how)


def _number(head: str, number: Callable[[Counts], int]) -> Column[tuple[str, Counts]]:
    return Column(head, lambda row: str(number(row[1]) or ""), kind="number")


def _size(of: Callable[[T], int | None]) -> Column[T]:
    def text(row: T) -> str:
        return "" if (number := of(row)) is None else units.size(number)

    def key(row: T) -> str:
        return "" if (number := of(row)) is None else str(number)

    return Column("Size", text, key=key, kind="number")


_COUNTS: list[Column[tuple[str, Counts]]] = [
    Column("Distribution", lambda row: row[0], kind="main"),
    _number("Delete", lambda counts: counts.deletions),
    _number("Archive", lambda counts: counts.archivings),
    _number("Replace", lambda counts: counts.replacements),
    _number("Upload", lambda counts: counts.uploads),
    _size(lambda row: row[1].upload_bytes or None),
    _number("Held", lambda counts: counts.held),
    _number("Equal", lambda counts: counts.unchanged),
    _number("Orphans kept", lambda counts: counts.orphans_kept),
]
_CHANGE: list[Column[Change]] = [
    Column("Package", lambda change: change.package, kind="main"),
    Column("What", lambda change: change.title().removeprefix(change.package).strip()),
    Column("Files", lambda change: change.tally),
    Column("Where", lambda change: change.where, kind="words"),
    Column("Architectures", lambda change: ", ".join(change.architectures)),
    _size(lambda change: change.counts.upload_bytes or None),
]

_FILE: Column[Keyed] = Column("File", lambda it: it.filename, kind="main")
_WHERE: Column[Keyed] = Column("Distribution", lambda it: it.distribution)
_BYTES: Column[Transfer] = _size(lambda it: it.size)
_FROM: Column[Transfer] = Column("From", lambda it: words.source(it.source), kind="words")
_REMOVAL: list[Column[Removal]] = [
    _FILE,
    _WHERE,
    Column("Why", lambda it: words.evidence(it.evidence), kind="words"),
    Column("Uploaded", lambda it: units.day(it.created_at), key=lambda it: it.created_at),
    Column("By", lambda it: it.uploader or ""),
]
_DELETION: list[Column[Removal]] = [*_REMOVAL, Column("Also in", lambda it: it.archive or "")]
_ARCHIVING: list[Column[Removal]] = [*_REMOVAL, Column("To", lambda it: it.archive or "")]
_UPLOAD: list[Column[Transfer]] = [_FILE, _WHERE, _BYTES, _FROM]
_REPLACEMENT: list[Column[Replacement]] = [
    _FILE,
    _WHERE,
    _BYTES,
    Column("Old content", lambda it: units.short(it.old.sha256)),
    Column("New content", lambda it: units.short(it.sha256)),
    Column("Uploaded", lambda it: units.day(it.old.created_at), key=lambda it: it.old.created_at),
    _FROM,
]
_HELD: list[Column[Held]] = [
    _FILE,
    _WHERE,
    Column("Action", lambda it: it.action),
    Column("Why", lambda it: words.why(it.reason, it.message), kind="words"),
]
_SHADOWED: list[Column[Shadowed]] = [
    _FILE,
    _WHERE,
    Column("From", lambda it: words.source(it.source), kind="words"),
    Column("Why", words.shadowed, kind="words"),
]
_LEFT_OUT: list[Column[tuple[LeftOut, str]]] = [
    Column("File", lambda row: row[1], kind="main"),
    Column("Distribution", lambda row: row[0].distribution),
    Column("Class", lambda row: row[0].file_class.value),
]
_READ: list[Column[str]] = [Column("Read", str, kind="words")]


def receipt_html(receipt: Receipt) -> str:
    """The receipt as a page, with a newline at the end: what is missing, what else is not done, what is."""
    missing = [line for line in receipt.lines if line.missing]
    undone = [line for line in receipt.lines if not line.missing and not line.outcome.is_goal]
    done = [line for line in receipt.lines if not line.missing and line.outcome.is_goal]
    lost = [Alert(kind="danger", title=missing_title(missing), lines=[missing_words(missing)])] if missing else []
    return html(
        Page(
            title=f"pkgsync receipt: {receipt.target.repository}",
            lead=f"{headline(receipt)}.",
            alerts=[*lost, *_warnings(receipt.warnings)],
            facts=[
                ("Plan", receipt.plan_digest),
                ("To", f"{receipt.target.repository} on {receipt.target.api}{words.http(receipt.target.allow_http)}"),
                ("Run", f"from {receipt.started_at} to {receipt.finished_at}"),
                *(("Signed", f"by {words}") for words in signers(receipt)),
            ],
            tables=[
                Table(anchor="missing", title=missing_title(missing), rows=missing, columns=_ENDED, danger=True),
                _table("undone", undone, _ENDED, "not done", "not done"),
                _table("done", done, _ENDED, "done", "done"),
            ],
            foot=f"Made by pkgsync {receipt.pkgsync_version}.",
        )
    )


_ENDED: list[Column[ReceiptLine]] = [
    Column("File", lambda line: line.filename, kind="main"),
    Column("Distribution", lambda line: line.distribution),
    Column("How it ended", told, kind="words"),
    _size(lambda line: line.size),
    Column("Finished", lambda line: line.finished_at or ""),
]


def audit_html(audit: Audit) -> str:
    """The audit as a page, with a newline at the end: what would leave comes first."""
    held = [hold.told for hold in holds(audit.repositories)]
    unread = [Alert(kind="danger", title="Incomplete: a part of OBS could not be read.")] if not audit.complete else []
    return html(
        Page(
            title=f"pkgsync audit: {audit.repository}",
            lead=" ".join([orphans.headline(audit), *orphans.totals(audit)]),
            alerts=[*unread, *_listed("Not settled in OBS:", held), *_warnings(audit.warnings)],
            facts=[(f"By {what}", orphans.tally(counts)) for what, counts in orphans.tallies(audit).items()],
            tables=[_fate(audit, fate) for fate in orphans.FATES],
            purpose="For the config, into its `orphans`, what you want of it:",
            lines=orphans.config_lines(audit),
            foot=f"Made {audit.created_at}.",
        )
    )


def _fate(audit: Audit, fate: str) -> Table[Orphan]:
    said, found = orphans.FATES[fate], [orphan for orphan in audit.orphans if orphan.fate == fate]
    name, *others = orphans.columns(audit)
    shown = [name, orphans.DISTRIBUTION, *others]
    return _table(fate, found, shown, f"orphan {said}", f"orphans {said}", danger=fate in ("delete", "archive"))
