"""A receipt for a terminal and for a comment: how each action ended, what is left to do, the counts last."""

import shlex
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence

from msgspec import Struct
from msgspec.structs import replace

from pkgsync.errors import ExitCode
from pkgsync.model import Outcome, Plan, Receipt, ReceiptLine
from pkgsync.reasons import Reason
from pkgsync.report import units
from pkgsync.report.escape import code, prose, visible
from pkgsync.report.markdown import GITHUB_LIMIT
from pkgsync.report.sections import Section, laid_out, length
from pkgsync.report.style import SYMBOLS, Colour, Line, Style, aligned, labelled, wrapped

_PAST: Mapping[str, str] = {
    "upload": "uploaded", "replacement": "replaced", "deletion": "deleted", "archiving": "archived",
}  # fmt: skip
_UNDONE: Mapping[Outcome, str] = {
    Outcome.FAILED: "failed",
    Outcome.STALE: "stale",
    Outcome.SKIPPED: "skipped",
    Outcome.LEFT: "left for the next run",
    Outcome.DUE: "due",
}
_MANY = 5
_EXAMPLES = 3


def receipt_text(
    receipt: Receipt, style: Style, path: str | None = None, verbose: bool = False, *, dry_run: bool = False
) -> str:
    """The receipt as text, without a newline at the end: what is missing, and what else is not done, by its reason.

    With ``verbose`` every action is named. ``path`` is where the receipt file stands, for the last line.
    """
    missing = [line for line in receipt.lines if line.missing]
    blocks = [_missing(missing, style, path)] if missing else []
    if verbose:
        blocks += [_head(receipt, style), *_by_distribution(receipt, style)]
    # last, after all that went well: a terminal shows the end of a long text
    blocks.append([row for group in _groups(receipt.lines) for row in _grouped(group, style, verbose)])
    blocks += [labelled("Warning:", "yellow", visible(line), style, hanging=2) for line in receipt.warnings]
    blocks.append(_not_served(receipt, style, path))
    where = f" Receipt: {visible(path)}" if path else ""
    blocks.append(_bold(f"{headline(receipt, dry_run=dry_run)}.{where}", style))
    return "\n\n".join("\n".join(block) for block in blocks if block)


def receipt_markdown(receipt: Receipt, limit: int = GITHUB_LIMIT) -> str:
    """The receipt in at most ``limit`` characters of GitHub Markdown; what is not done comes first and is cut last."""
    missing = [line for line in receipt.lines if line.missing]
    before = f"## pkgsync: {code(receipt.target.repository)}\n\n**{prose(headline(receipt))}.**"
    before += f"\n\n{prose(missing_words(missing))}" if missing else ""
    after = f"Plan {code(receipt.plan_digest)}, from {prose(receipt.started_at)} to {prose(receipt.finished_at)}."
    after += "".join(f" Signed by {prose(words)}." for words in signers(receipt))
    done = [line for line in receipt.lines if line.outcome.is_goal]
    head = "|Distribution|File|Outcome|"
    sections = [
        Section(title=f"{len(missing)} MISSING", rows=[_row(line) for line in missing], head=head),
        *(_group_section(group) for group in _groups(receipt.lines)),
        Section(
            title=units.plural(len(receipt.warnings), "warning"),
            rows=[prose(text) for text in receipt.warnings],
            rank=2,
        ),
        Section(title=f"{len(done)} done", rows=[_row(line) for line in done], head=head, folded=True, rank=3),
    ]
    text = laid_out(before, [section for section in sections if section.rows], after, limit)
    return text if length(text) <= limit else f"{before}\n"[:limit]


def signers(receipt: Receipt) -> list[str]:
    """Whose signatures that run relied on: ``alice@example.com with SHA256:...``."""
    return [f"{', '.join(one.signers)} with {one.key}" for one in receipt.approvals]


def next_step(
    receipt: Receipt,
    plan: Plan,
    file: str,
    options: str = "",
    *,
    given: str = "",
    part: str = "",
    dry_run: bool = False,
) -> str:
    """What to type after an apply of the plan in ``file`` that did not do all of it, the likely one last; or nothing.

    ``options`` are those that every command of this user needs, ``given`` those of this apply, and ``part`` the one
    that limited it: ``--shard 2/4``, ``--only uploads``. Each ends with a space.
    """
    undone = [line for line in receipt.lines if not line.outcome.is_goal]
    outcomes = {line.outcome for line in undone}
    if all(line.reason == Reason.NOT_SELECTED.value for line in undone):
        # the rest of a shared plan is for other machines
        if part.startswith("--shard"):
            return ""
        part = ""
    apply, name = f"pkgsync {options}apply {given}{part}".rstrip(), shlex.quote(file)
    if Outcome.STALE in outcomes:
        skip = f"To go on without what is stale: {apply} --skip-stale {name}\n" if outcomes != {Outcome.STALE} else ""
        return f"{skip}Next: {_planning(plan, name, options)}"
    if outcomes == {Outcome.SKIPPED}:
        return f"Next: {_planning(plan, name, options)}"
    first = {ExitCode.AUTHENTICATION: ", with other credentials", ExitCode.QUOTA: ", once there is room again"}
    why = first.get(ExitCode(receipt.exit_code), "") if not dry_run else ""
    return f"Next{why}: {apply} {name}" if outcomes else ""


def _planning(plan: Plan, name: str, options: str) -> str:
    """The command that makes the plan anew, limited as it was. What was allowed beyond the limits is asked again."""
    if plan.undoes is not None:
        return f"pkgsync {options}undo RECEIPT -o {name}"
    given = [f"--target {shlex.quote(glob)}" for glob in plan.selection.targets]
    given += [f"--exclude {shlex.quote(glob)}" for glob in plan.selection.excludes]
    given += [f"--orphans {plan.overrides.orphans}"] if plan.overrides.orphans else []
    return " ".join([f"pkgsync {options}plan -o {name}", *given])


def receipts_text(kept: Sequence[tuple[str, Receipt]], style: Style) -> str:
    """Receipts with the paths of their files, a block for each, as text without a newline at the end.

    What was missing at the end of a run is told for the last one of its plan: a later one has looked again.
    """
    blocks: list[list[str]] = []
    seen: set[str] = set()
    for path, receipt in kept:
        first = f"{receipt.finished_at}  {visible(receipt.target.repository)}  {headline(receipt)}."
        blocks.append([*_bold(first, style), f"  {visible(path)}"])
        missing = [line for line in receipt.lines if line.missing and receipt.plan_digest not in seen]
        blocks[-1] += aligned([replace(_line(line), name=line.key) for line in missing], style)
        seen.add(receipt.plan_digest)
    return "\n".join("\n".join(block) for block in blocks)


def _bold(words: str, style: Style) -> list[str]:
    return [style.paint("bold", row) for row in wrapped(words, style, hanging=2)]


def headline(receipt: Receipt, *, dry_run: bool = False) -> str:
    """``Apply complete: 3 uploaded, 1 replaced, 2 deleted in 41 s``."""
    if dry_run and receipt.lines:
        return _dry(receipt)
    if receipt.complete and all(line.outcome is Outcome.ALREADY_DONE for line in receipt.lines):
        return f"Nothing to do: {_already(len(receipt.lines))}"
    done, undone = ", ".join(_done_parts(receipt.lines)), ", ".join(_undone_parts(receipt.lines))
    rest = f"; {_AS_ASKED if _is_as_asked(receipt) else undone}" if undone else ""
    lost = "".join(f"{part}. " for part in _missing_parts(receipt.lines))
    nothing = "nothing done" if any(line.attempts for line in receipt.lines) else "nothing changed"
    return f"{lost}{_state(receipt)}: {done or nothing}{_time(receipt)}{rest}{_indexed(receipt)}"


def _indexed(receipt: Receipt) -> str:
    """``; package managers get all of it 12 s later``, where the apply waited for that."""
    wait = receipt.index
    if wait is None or not wait.served + len(wait.not_served):
        return ""
    what = f"{wait.served} of {wait.served + len(wait.not_served)}" if wait.not_served else "all of it"
    later = f" {units.duration(wait.seconds)} later" if wait.seconds else " already"
    return f"; package managers get {what}{later}"


def _not_served(receipt: Receipt, style: Style, path: str | None) -> list[str]:
    """What package managers do not get yet, by a few names."""
    keys = receipt.index.not_served if receipt.index else ()
    if not keys:
        return []
    more = f" and {len(keys) - _MANY} more" if len(keys) > _MANY else ""
    words = f"{', '.join(keys[:_MANY])}{more}. To look again: pkgsync verify {shlex.quote(path) if path else 'RECEIPT'}"
    return labelled("Not served yet:", "yellow", visible(words), style, hanging=2)


def _dry(receipt: Receipt) -> str:
    """``Dry run: 3 due; done before: 2 uploaded``."""
    undone = ", ".join(_undone_parts(receipt.lines))
    if not undone:
        return f"Dry run: nothing is due, {_already(len(receipt.lines))}"
    done = ", ".join(_done_parts(receipt.lines))
    return f"Dry run: {undone}" + (f"; done before: {done.replace(' done before', ' found done')}" if done else "")


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
    rows = [replace(_line(line), name=line.key, words=told(line)) for line in lines]
    return [*labelled(label, "red", words, style, hanging=2), *aligned(rows, style)]


def _way_back(lines: Sequence[ReceiptLine], path: str | None) -> str:
    again = "Run the same apply again: it looks, and goes on from there"
    if all(line.undo == "none" for line in lines):
        return f"{again}."
    receipt = shlex.quote(path) if path else "RECEIPT"
    return f"To put them back: pkgsync undo {receipt} -o undo.json, then pkgsync apply undo.json. {again}, too."


_AS_ASKED = "all else is left for another run of the plan"


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
        *(f"signed by {words}" for words in signers(receipt)),
    ]
    return [style.paint("dim", row) for line in lines for row in wrapped(visible(line), style, hanging=2)]


def _line(line: ReceiptLine) -> Line:
    symbol, colour = _symbol(line)
    return Line(
        symbol=symbol,
        colour=colour,
        name=line.filename,
        number="" if line.size is None else units.size(line.size),
        words=told(line),
    )


def _symbol(line: ReceiptLine) -> tuple[str, Colour]:
    if line.outcome.is_goal or line.outcome is Outcome.DUE:
        return SYMBOLS[line.action]
    return "!", "red" if line.outcome is Outcome.FAILED else "yellow"


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


def _by_distribution(receipt: Receipt, style: Style) -> Iterator[list[str]]:
    """Every action that is done."""
    lines = [line for line in receipt.lines if line.outcome.is_goal and not line.missing]
    for distribution in sorted({line.distribution for line in lines}):
        mine = [_line(line) for line in lines if line.distribution == distribution]
        yield [f"{style.paint('bold', visible(distribution))}:", *aligned(mine, style)]


class _Group(Struct, frozen=True, kw_only=True):
    """Actions that are not done for one reason; ``message`` is set where it is the same for all."""

    lines: Sequence[ReceiptLine]
    message: str | None

    @property
    def title(self) -> str:
        """``12 uploads left for the next run: not begun: the run was interrupted``"""
        first = self.lines[0]
        why = ": ".join(part for part in (first.reason, self.message) if part)
        return f"{units.plural(len(self.lines), first.action)} {_UNDONE[first.outcome]}" + (f": {why}" if why else "")


def _groups(lines: Iterable[ReceiptLine]) -> list[_Group]:
    """What is not done, and not missing, by outcome, kind and reason; apart where a few messages tell more."""
    alike: dict[tuple[Outcome, str, str | None], list[ReceiptLine]] = {}
    for line in lines:
        if not (line.missing or line.outcome.is_goal):
            alike.setdefault((line.outcome, line.action, line.reason), []).append(line)
    order = list(_UNDONE)
    return [group for key in sorted(alike, key=lambda key: order.index(key[0])) for group in _told_apart(alike[key])]


def _told_apart(lines: Sequence[ReceiptLine]) -> list[_Group]:
    by_message: dict[str, list[ReceiptLine]] = {}
    for line in lines:
        by_message.setdefault(line.message, []).append(line)
    if len(by_message) > _MANY:
        return [_Group(lines=lines, message=None)]
    return [_Group(lines=same, message=message) for message, same in by_message.items()]


def _grouped(group: _Group, style: Style, verbose: bool) -> list[str]:
    """The group with a few names, ``verbose`` with all; the only one of its kind on a line."""
    first = group.lines[0]
    if len(group.lines) == 1:
        return aligned([replace(_line(first), name=first.key)], style)
    shown = group.lines if verbose or len(group.lines) <= _MANY else group.lines[:_EXAMPLES]
    symbol, colour = _symbol(first)
    rows = labelled(symbol, colour, visible(group.title), style, indent=2, hanging=2)
    for line in shown:
        said = f": {line.message}" if group.message is None and line.message else ""
        rows += wrapped(visible(f"{line.key}{said}"), style, indent=6, hanging=2)
    more = len(group.lines) - len(shown)
    return [*rows, f"      and {more} more (-v names them)"] if more else rows


def _group_section(group: _Group) -> Section:
    told = group.message is None
    rows = [
        f"|{code(line.distribution)}|{code(line.filename)}|" + (f"{prose(line.message)}|" if told else "")
        for line in group.lines
    ]
    head = "|Distribution|File|Why|" if told else "|Distribution|File|"
    return Section(title=prose(group.title), rows=rows, head=head, rank=1)


def _row(line: ReceiptLine) -> str:
    return f"|{code(line.distribution)}|{code(line.filename)}|{prose(told(line))}|"
