"""A receipt for a terminal and for a comment: how each action ended, what is left to do, the counts last."""

import shlex
from collections import Counter
from collections.abc import Mapping, Sequence

from attrs import evolve

from pkgsync.model import Outcome, Receipt, ReceiptLine
from pkgsync.reasons import Reason
from pkgsync.report import units
from pkgsync.report.escape import code, prose, visible
from pkgsync.report.markdown import GITHUB_LIMIT
from pkgsync.report.sections import Section, laid_out, length
from pkgsync.report.style import SYMBOLS, Line, Style, aligned, labelled, wrapped

_PAST: Mapping[str, str] = {
    "upload": "uploaded", "replacement": "replaced", "deletion": "deleted", "archiving": "archived",
}  # fmt: skip
_UNDONE: Mapping[Outcome, str] = {
    Outcome.DUE: "due",
    Outcome.FAILED: "failed",
    Outcome.STALE: "stale",
    Outcome.SKIPPED: "skipped",
    Outcome.LEFT: "left for the next run",
}


def receipt_text(receipt: Receipt, style: Style, path: str | None = None, verbose: bool = False) -> str:
    """The receipt as text, without a newline at the end: what is missing, what else is not done, and with ``verbose``
    also what is.

    ``path`` is where the receipt file stands, for the last line.
    """
    missing = [line for line in receipt.lines if line.missing]
    lines = [line for line in receipt.lines if not line.missing and (verbose or not line.outcome.is_goal)]
    blocks = [_missing(missing, style, path)] if missing else []
    blocks += [_head(receipt, style)] if verbose else []
    for distribution in sorted({line.distribution for line in lines}):
        mine = [_line(line) for line in lines if line.distribution == distribution]
        blocks.append([f"{style.paint('bold', visible(distribution))}:", *aligned(mine, style)])
    blocks += [labelled("Warning:", "yellow", visible(line), style, hanging=2) for line in receipt.warnings]
    where = f" Receipt: {visible(path)}" if path else ""
    blocks.append([style.paint("bold", f"{headline(receipt)}.") + where])
    return "\n\n".join("\n".join(block) for block in blocks if block)


def receipt_markdown(receipt: Receipt, limit: int = GITHUB_LIMIT) -> str:
    """The receipt in at most ``limit`` characters of GitHub Markdown; what is not done comes first and is cut last."""
    missing = [line for line in receipt.lines if line.missing]
    before = f"## pkgsync: {code(receipt.target.repository)}\n\n**{prose(headline(receipt))}.**"
    before += f"\n\n{prose(missing_words(missing))}" if missing else ""
    after = f"Plan {code(receipt.plan_digest)}, from {prose(receipt.started_at)} to {prose(receipt.finished_at)}."
    done = [line for line in receipt.lines if line.outcome.is_goal]
    undone = [line for line in receipt.lines if not line.outcome.is_goal and not line.missing]
    head = "|Distribution|File|Outcome|"
    sections = [
        Section(title=f"{len(missing)} MISSING", rows=[_row(line) for line in missing], head=head),
        Section(title=f"{len(undone)} not done", rows=[_row(line) for line in undone], head=head, rank=1),
        Section(
            title=units.plural(len(receipt.warnings), "warning"),
            rows=[prose(text) for text in receipt.warnings],
            rank=2,
        ),
        Section(title=f"{len(done)} done", rows=[_row(line) for line in done], head=head, folded=True, rank=3),
    ]
    text = laid_out(before, [section for section in sections if section.rows], after, limit)
    return text if length(text) <= limit else f"{before}\n"[:limit]


def receipts_text(kept: Sequence[tuple[str, Receipt]], style: Style) -> str:
    """Receipts with the paths of their files, a block for each, as text without a newline at the end.

    What was missing at the end of a run is told for the last one of its plan: a later one has looked again.
    """
    blocks: list[list[str]] = []
    seen: set[str] = set()
    for path, receipt in kept:
        first = f"{receipt.finished_at}  {visible(receipt.target.repository)}  {headline(receipt)}."
        blocks.append([style.paint("bold", first), f"  {visible(path)}"])
        missing = [line for line in receipt.lines if line.missing and receipt.plan_digest not in seen]
        blocks[-1] += aligned([evolve(_line(line), name=line.key) for line in missing], style)
        seen.add(receipt.plan_digest)
    return "\n".join("\n".join(block) for block in blocks)


def headline(receipt: Receipt) -> str:
    """``Apply complete: 3 uploaded, 1 replaced, 2 deleted in 41 s``."""
    if receipt.complete and all(line.outcome is Outcome.ALREADY_DONE for line in receipt.lines):
        return f"Nothing to do: {_already(len(receipt.lines))}"
    done, undone = ", ".join(_done_parts(receipt.lines)), ", ".join(_undone_parts(receipt.lines))
    if any(line.outcome is Outcome.DUE for line in receipt.lines):
        return f"Dry run: {', '.join(filter(None, (undone, done)))}"
    rest = f"; {_AS_ASKED if _is_as_asked(receipt) else undone}" if undone else ""
    lost = "".join(f"{part}. " for part in _missing_parts(receipt.lines))
    nothing = "nothing done" if any(line.attempts for line in receipt.lines) else "nothing changed"
    return f"{lost}{_state(receipt)}: {done or nothing}{_time(receipt)}{rest}"


def _taken(lines: Sequence[ReceiptLine]) -> str:
    sentences = {
        "yes": "Our own requests took them away, and nothing could be put in their place.",
        "perhaps": "Our own requests were to take them away, and no look could tell what stands there now.",
    }
    return " ".join(words for missing, words in sentences.items() if any(line.missing == missing for line in lines))


def _missing_parts(lines: Sequence[ReceiptLine]) -> list[str]:
    """``1 MISSING``, ``2 perhaps MISSING``."""
    found = Counter(line.missing for line in lines)
    parts = [f"{found['yes']} MISSING"] if found["yes"] else []
    return [*parts, f"{found['perhaps']} perhaps MISSING"] if found["perhaps"] else parts


def missing_title(lines: Sequence[ReceiptLine]) -> str:
    """``1 MISSING and 2 perhaps MISSING``."""
    return " and ".join(_missing_parts(lines))


def missing_words(lines: Sequence[ReceiptLine], path: str | None = None) -> str:
    """What took them away, and the command that brings them back."""
    return f"{_taken(lines)} {_way_back(lines, path)}"


def _missing(lines: Sequence[ReceiptLine], style: Style, path: str | None) -> list[str]:
    """What is absent because of us, where its bytes are, and the command that brings it back."""
    label, words = f"{missing_title(lines)}:", missing_words(lines, path)
    rows = [evolve(_line(line), name=line.key, words=told(line)) for line in lines]
    return [*labelled(label, "red", words, style, hanging=2), *aligned(rows, style)]


def _way_back(lines: Sequence[ReceiptLine], path: str | None) -> str:
    again = "Run the same apply again: it looks, and goes on from there"
    if all(line.undo == "none" for line in lines):
        return f"{again}."
    receipt = shlex.quote(path) if path else "RECEIPT"
    return f"To put them back: pkgsync undo {receipt} -o undo.json, then pkgsync apply undo.json. {again}, too."


_AS_ASKED = "all else is left for a run without --only uploads"


def _is_as_asked(receipt: Receipt) -> bool:
    """What is not done was not to be done in this run."""
    undone = [line for line in receipt.lines if not line.outcome.is_goal]
    asked = (Outcome.LEFT, Reason.NOT_SELECTED.value, None)
    chosen = all((line.outcome, line.reason, line.missing) == asked for line in undone)
    return bool(undone) and chosen and not receipt.interrupted


def _time(receipt: Receipt) -> str:
    """How long it took; between several runs nobody knows how much time was spent on anything else."""
    if receipt.runs > 1:
        return f" in {receipt.runs} runs"
    seconds = units.seconds_between(receipt.started_at, receipt.finished_at)
    if seconds is None:
        return ""
    return f" in {units.duration(seconds)}" if round(seconds) > 0 else " in under 1 s"


def _already(number: int) -> str:
    return f"every action of the plan was done before ({number})" if number else "the plan has no actions"


def _state(receipt: Receipt) -> str:
    if receipt.interrupted:
        return "Apply interrupted"
    if _is_as_asked(receipt):
        return "Apply complete as asked"
    return "Apply complete" if receipt.complete else "Apply incomplete"


def _done_parts(lines: Sequence[ReceiptLine]) -> list[str]:
    done: Counter[str] = Counter(line.action for line in lines if line.outcome is Outcome.DONE)
    before = sum(1 for line in lines if line.outcome is Outcome.ALREADY_DONE)
    parts = [f"{done[action]} {past}" for action, past in _PAST.items() if done[action]]
    return [*parts, f"{before} done before"] if before else parts


def _undone_parts(lines: Sequence[ReceiptLine]) -> list[str]:
    undone = Counter(line.outcome for line in lines)
    return [f"{undone[outcome]} {words}" for outcome, words in _UNDONE.items() if undone[outcome]]


def _head(receipt: Receipt, style: Style) -> list[str]:
    lines = [
        f"{receipt.target.repository} on {receipt.target.api}",
        f"from {receipt.started_at} to {receipt.finished_at}"
        + (f" in {receipt.runs} runs" if receipt.runs > 1 else ""),
        f"plan {receipt.plan_digest}",
    ]
    return [style.paint("dim", row) for line in lines for row in wrapped(visible(line), style, hanging=2)]


def _line(line: ReceiptLine) -> Line:
    symbol, colour = SYMBOLS[line.action]
    if not (line.outcome.is_goal or line.outcome is Outcome.DUE):
        symbol, colour = "!", "red" if line.outcome is Outcome.FAILED else "yellow"
    return Line(
        symbol=symbol,
        colour=colour,
        name=line.filename,
        number="" if line.size is None else units.size(line.size),
        words=told(line),
    )


def told(line: ReceiptLine) -> str:
    """How it ended, in words."""
    if line.outcome.is_goal:
        ended = _PAST[line.action] if line.outcome is Outcome.DONE else f"{_PAST[line.action]} before"
        ended += f" as {line.stored_as}" if line.stored_as else ""
        ended += _kept(line) if line.outcome is Outcome.DONE else ""
    else:
        ended = f"{line.action} {_UNDONE[line.outcome]}"
    if line.missing:
        ended = f"{'MISSING' if line.missing == 'yes' else 'perhaps MISSING'}, {_whereabouts(line)}; {ended}"
    why = ": ".join(part for part in (line.reason if not line.outcome.is_goal else None, line.message) if part)
    return f"{ended}: {why}" if why else ended


def _whereabouts(line: ReceiptLine) -> str:
    if line.kept_at is not None:
        return f"its bytes are in {line.kept_at}"
    return "its bytes were not kept" if line.undo == "none" else "its bytes should be in the backup folder of that run"


def _kept(line: ReceiptLine) -> str:
    """From where an undo would have the bytes that went."""
    if line.undo == "archive" and line.archive_to:
        how = {"upload": " from", "archiving": " to"}.get(line.action, ", also in")
        return f"{how} {line.archive_to}"
    return {"backup": ", backup kept", "none": ", no backup: cannot be undone"}.get(line.undo or "", "")


def _row(line: ReceiptLine) -> str:
    return f"|{code(line.distribution)}|{code(line.filename)}|{prose(told(line))}|"
