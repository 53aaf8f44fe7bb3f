"""A plan for a terminal: what makes it doubtful, the counts, the packages, what leaves and why, then all else."""

from collections import Counter
from collections.abc import Iterator, Mapping

from pkgsync.model import Plan, Replacement, Transfer
from pkgsync.report import causes, units, words
from pkgsync.report.changes import Change, changes, few, place
from pkgsync.report.escape import visible
from pkgsync.report.removals import Leaving, leaving
from pkgsync.report.style import SYMBOLS, Colour, Line, Style, aligned, labelled, wrapped

_FEW = 5
_FEW_PACKAGES = 12
_FEW_FILES = 20
_ADDS = 4
_SIGNS: Mapping[int, tuple[str, Colour]] = {
    0: ("-", "red"),
    1: ("-", "red"),
    2: ("~", "yellow"),
    3: ("~", "yellow"),
    _ADDS: ("+", "green"),
}


def plan_text(plan: Plan, style: Style, verbose: bool = False) -> str:
    """The plan as text, without a newline at the end. ``verbose`` names every file, and the reads."""
    counts = plan.summary.total
    nothing = not counts.changes
    blocks = [_partial(plan, style), _exceeded(plan, style, verbose), _incomplete(plan, style), _head(plan, style)]
    if nothing and counts.held:
        blocks.append(_headline(plan, style))
    blocks += [_counts(plan, style), causes.text(plan), _changes(plan, style, verbose)]
    blocks += [_leaving(plan, style, verbose), _reads(plan, style) if verbose else []]
    blocks += [_replacements(plan, style, verbose), _uploads(plan, style, verbose)]
    blocks += [
        causes.no_longer(plan, style, verbose),
        _held(plan, style, verbose),
        _unsettled(plan, style),
        _shadowed(plan, style, verbose),
    ]
    blocks += [_left_out(plan, style, verbose), _warnings(plan, style)]
    if verbose:
        blocks.append([_untouched(plan)])
    if not nothing or not counts.held:
        blocks.append(_headline(plan, style))
    return "\n\n".join("\n".join(block) for block in blocks if block)


def headline_text(plan: Plan, style: Style) -> str:
    """What the plan does in all, what makes it doubtful, and its digest: what a signature is for."""
    blocks = [_partial(plan, style), _exceeded(plan, style, False), _incomplete(plan, style)]
    return "\n".join(row for block in (*blocks, _head(plan, style), _headline(plan, style)) for row in block)


def _headline(plan: Plan, style: Style) -> list[str]:
    """The counts, and a reminder of what stands at the top: a terminal shows the end of a long text."""
    doubts = {"unsafe": not plan.applyable, "incomplete": not plan.complete, "partial": plan.targeted}
    found = ", ".join(doubt for doubt, holds in doubts.items() if holds)
    said = (
        f"{words.headline(plan)} {found.capitalize()}: see the top." if found and plan.actions else words.headline(plan)
    )
    return [style.paint("bold", row) for row in wrapped(visible(said), style)]


def _partial(plan: Plan, style: Style) -> list[str]:
    said = words.partial(plan)
    return [style.paint("yellow", row) for row in wrapped(visible(said), style)] if said else []


def _exceeded(plan: Plan, style: Style, verbose: bool) -> list[str]:
    if plan.applyable:
        return []
    title = style.paint("red", "Unsafe: this plan cannot be applied.")
    exceeded = words.exceeded(plan)
    named = exceeded if verbose else exceeded[:_FEW]
    lines = [words.allowing(limit) for limit in named]
    if left_out := len(exceeded) - len(named):
        lines.append(f"and {units.plural(left_out, 'more limit')} (-v names them)")
    return [title, *(row for line in lines for row in wrapped(visible(line), style, indent=2, hanging=2))]


def _incomplete(plan: Plan, style: Style) -> list[str]:
    if plan.complete:
        return []
    return [style.paint("red", "Incomplete: a read failed, and what depends on it is not planned.")]


def _head(plan: Plan, style: Style) -> list[str]:
    source, target = plan.source, plan.target
    origin = f"from {', '.join(source.projects)} on {source.api}{words.http(source.allow_http)}"
    lines = [
        f"{target.repository} on {target.api}{words.http(target.allow_http)}",
        origin if plan.undoes is None else f"undo of {plan.undoes}",
        f"read {plan.observed.packagecloud_at} with {words.requests(plan)}",
    ]
    if signed := words.signed(plan):
        lines.insert(2, f"signed {signed}")
    if given := words.overrides(plan.overrides):
        lines.append(f"with {given}")
    if plan.digest:
        lines.append(f"plan {plan.digest}")
    return [style.paint("dim", row) for line in lines for row in wrapped(visible(line), style, hanging=2)]


def _counts(plan: Plan, style: Style) -> list[str]:
    """A row for each distribution with something to do, and their sum; columns without any number are left out."""
    rows = {name: c for name, c in sorted(plan.summary.distributions.items()) if c.changes or c.held}
    if not plan.summary.total.changes:
        return []
    heads = words.columns(rows.values())
    unsettled = {name for read in plan.source.repositories if not read.settled for name in read.distributions}
    table = [
        [visible(name), *words.numbers(c, heads), "not settled" if name in unsettled else ""]
        for name, c in rows.items()
    ]
    if len(rows) > 1:
        table.append(["in all", *words.numbers(plan.summary.total, heads), ""])
    align = ("left", *("right" for _ in heads), "right", "left")
    from tabulate import tabulate

    # as a row of its own: tabulate pads a head
    table.insert(0, ["", *heads, "size", ""])
    made = tabulate(table, tablefmt="plain", colalign=align, disable_numparse=True)
    head, *lines = (line.rstrip() for line in made.splitlines())
    return [style.paint("dim", head), *lines]


def _changes(plan: Plan, style: Style, verbose: bool) -> list[str]:
    """A line for each package. What takes nothing away is only counted where there is much of it."""
    found = changes(plan)
    if not found:
        return []
    adding = [change for change in found if change.rank == _ADDS]
    folded = len(adding) if len(adding) > _FEW_PACKAGES and not verbose else 0
    number = len({action.distribution for action in plan.actions})
    lines = [row for change in found[: len(found) - folded] for row in _change(plan, change, number, style)]
    if folded:
        files = sum(change.counts.uploads for change in adding)
        said = f"{units.plural(folded, 'package')} with nothing but new files{style.dot}{files} up (-v names them)"
        lines += labelled("+", "green", said, style, indent=2, hanging=4)
    return ["By package:", *lines]


def _change(plan: Plan, change: Change, distributions: int, style: Style) -> list[str]:
    symbol, colour = _SIGNS[change.rank]
    if change.rank < 2 and not change.counts.deletions:
        symbol, colour = SYMBOLS["archiving"]
    told = (change.title(style.arrow), place(change, distributions), change.tally, *causes.mark(plan, change.actions))
    said = style.dot.join(told)
    return labelled(symbol, colour, visible(said), style, indent=2, hanging=4)


def _leaving(plan: Plan, style: Style, verbose: bool) -> list[str]:
    """Every row that goes, under its package and the reason."""
    counts = plan.summary.total
    numbers = {"to delete": counts.deletions, "to archive": counts.archivings}
    told = ", ".join(f"{number} {what}" for what, number in numbers.items() if number)
    rows = [row for group in leaving(plan) for row in _group(group, style, verbose)]
    return [f"{told}:", *rows] if told else []


def _group(group: Leaving, style: Style, verbose: bool) -> Iterator[str]:
    yield from wrapped(visible(f"{group.title(style.arrow)}: {group.why}"), style, indent=2, hanging=2)
    for removal in group.removals:
        symbol, colour = SYMBOLS[removal.kind]
        yield f"    {style.paint(colour, f'{symbol} {visible(removal.key)}')}"
        if verbose:
            yield from wrapped(visible(words.because(removal)), style, indent=8)


def _reads(plan: Plan, style: Style) -> list[str]:
    """What the deletions rest on: mostly the same reads, so each is told once."""
    lines = dict.fromkeys(line for removal in plan.removals for line in words.reads(removal.evidence))
    return [row for line in lines for row in wrapped(visible(f"read {line}"), style, hanging=2)]


def _replacements(plan: Plan, style: Style, verbose: bool) -> list[str]:
    rows = [_line(action, _sums(action) if verbose else "") for action in plan.replacements]
    return [f"{len(rows)} to replace by other content under the same name:", *aligned(rows, style)] if rows else []


def _sums(action: Replacement) -> str:
    return f"{units.short(action.old.sha256)} -> {units.short(action.sha256)}"


def _uploads(plan: Plan, style: Style, verbose: bool) -> list[str]:
    if not plan.uploads:
        return []
    origins = {(action.distribution, words.source(action.source)) for action in plan.uploads}
    several = Counter(distribution for distribution, _ in origins)
    title = f"{len(plan.uploads)} to upload from {few(sorted({origin for _, origin in origins}))}"
    if len(plan.uploads) > _FEW_FILES and not verbose:
        return wrapped(visible(f"{title} (-v names them)."), style, hanging=2)
    rows = [_line(a, words.source(a.source) if several[a.distribution] > 1 else "") for a in plan.uploads]
    return [*wrapped(visible(f"{title}:"), style, hanging=2), *aligned(rows, style)]


def _line(action: Transfer, said: str) -> Line:
    symbol, colour = SYMBOLS[action.kind]
    return Line(symbol=symbol, colour=colour, name=action.key, number=units.size(action.size), words=said)


def _held(plan: Plan, style: Style, verbose: bool) -> list[str]:
    if not plan.held:
        return []
    # else the headline has said it just before
    rows = [f"{len(plan.held)} held:"] if plan.summary.total.changes else []
    for name in sorted({item.distribution for item in plan.held}):
        for group in words.held_groups((item for item in plan.held if item.distribution == name), verbose=verbose):
            rows += _held_group(name, group, style)
    return rows


def _held_group(distribution: str, group: words.HeldGroup, style: Style) -> Iterator[str]:
    if group.total == 1:
        said = f"{group.shown[0].key}: {group.action} {group.told}"
        yield from labelled("!", "cyan", visible(said), style, indent=2, hanging=4)
        return
    yield from labelled("!", "cyan", visible(f"{distribution}: {group.title}"), style, indent=2, hanging=4)
    for item in group.shown:
        said = "" if group.message else f": {item.message}"
        yield from wrapped(visible(f"{item.filename}{said}"), style, indent=6, hanging=4)
    if group.left_out:
        yield f"      and {group.left_out} more (-v names them)"


def _unsettled(plan: Plan, style: Style) -> list[str]:
    unsettled = [repository for repository in plan.source.repositories if not repository.settled]
    if not unsettled:
        return []
    title = "Not settled in OBS (what needs proof of absence is held):"
    rows = [r for u in unsettled for r in wrapped(visible(words.repository(u)), style, indent=2, hanging=2)]
    return [style.paint("yellow", title), *rows]


def _shadowed(plan: Plan, style: Style, verbose: bool) -> list[str]:
    if not plan.shadowed:
        return []
    title = f"{units.plural(len(plan.shadowed), 'file')} shadowed: another one with other content has the place"
    if not verbose:
        return [f"{title} (-v names them)."]
    lines = [words.shadowed(item) for item in plan.shadowed]
    return [f"{title}:", *(row for line in lines for row in wrapped(visible(line), style, indent=2, hanging=2))]


def _left_out(plan: Plan, style: Style, verbose: bool) -> list[str]:
    """What the config's classes leave out: counted, so that nobody misses a file without a word."""
    if not plan.left_out:
        return []
    counts: Counter[str] = Counter()
    for item in plan.left_out:
        counts[item.file_class.value] += len(item.filenames)
    title = f"Left out by class: {', '.join(f'{counts[name]} {name}' for name in sorted(counts))}"
    if not verbose:
        return [f"{title} (-v names them)."]
    lines = [f"{x.distribution}/{name}: {x.file_class.value}" for x in plan.left_out for name in x.filenames]
    return [f"{title}:", *(row for line in lines for row in wrapped(visible(line), style, indent=2, hanging=2))]


def _warnings(plan: Plan, style: Style) -> list[str]:
    return [row for line in plan.warnings for row in labelled("Warning:", "yellow", visible(line), style, hanging=2)]


def _untouched(plan: Plan) -> str:
    counts = plan.summary.total
    return (
        f"Of {units.plural(plan.target.total, 'row')}: {counts.unchanged} equal, {counts.filtered} filtered, "
        f"{plan.summary.unmanaged} unmanaged."
    )
