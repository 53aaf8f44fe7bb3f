"""A plan for a terminal: by distribution, then what is held, what could not be relied on, and the counts last."""

from collections import Counter
from collections.abc import Iterator, Sequence

from pkgsync.model import Action, Archiving, Plan, Removal, Replacement, Transfer
from pkgsync.report import units, words
from pkgsync.report.escape import visible
from pkgsync.report.style import SYMBOLS, Line, Style, aligned, labelled, wrapped


def plan_text(plan: Plan, style: Style, verbose: bool = False) -> str:
    """The plan as text, without a newline at the end. ``verbose`` names everything that is held, and the reads."""
    counts = plan.summary.total
    nothing = not counts.changes
    blocks = [_partial(plan, style), _head(plan, style)]
    if nothing and counts.held:
        blocks.append([style.paint("bold", visible(words.headline(plan)))])
    blocks += [_distribution(plan, name, style, verbose) for name in sorted(plan.summary.distributions)]
    blocks += [_unsettled(plan, style), _shadowed(plan, style, verbose), _left_out(plan, style, verbose)]
    blocks.append(_warnings(plan, style))
    if verbose:
        blocks.append([_untouched(plan)])
    blocks += [_exceeded(plan, style), _incomplete(plan, style)]
    if not nothing or not counts.held:
        blocks.append([style.paint("bold", visible(words.headline(plan)))])
    return "\n\n".join("\n".join(block) for block in blocks if block)


def _partial(plan: Plan, style: Style) -> list[str]:
    said = words.partial(plan)
    return [style.paint("yellow", row) for row in wrapped(visible(said), style)] if said else []


def _head(plan: Plan, style: Style) -> list[str]:
    source, target = plan.source, plan.target
    origin = f"from {', '.join(source.projects)} on {source.api}{_http(source.allow_http)}"
    lines = [
        f"{target.repository} on {target.api}{_http(target.allow_http)}",
        origin if plan.undoes is None else f"undo of {plan.undoes}",
        f"read {plan.observed.packagecloud_at} with {_requests(plan)}",
    ]
    if given := words.overrides(plan.overrides):
        lines.append(f"with {given}")
    if plan.digest:
        lines.append(f"plan {plan.digest}")
    return [style.paint("dim", row) for line in lines for row in wrapped(visible(line), style, hanging=2)]


def _http(allowed: bool) -> str:
    return " (plain http allowed)" if allowed else ""


def _requests(plan: Plan) -> str:
    return units.plural(plan.observed.obs_requests + plan.observed.packagecloud_requests, "request")


def _distribution(plan: Plan, name: str, style: Style, verbose: bool) -> list[str]:
    counts = plan.summary.distributions[name]
    if not counts.changes and not counts.held:
        return []
    actions = [action for action in plan.actions if action.distribution == name]
    groups = words.held_groups((item for item in plan.held if item.distribution == name), verbose=verbose)
    alone = [
        Line(symbol="!", colour="cyan", name=g.shown[0].filename, number="", words=f"{g.action} {g.told}")
        for g in groups
        if g.total == 1
    ]
    origin = _only_source(actions)
    rows = aligned([*(_line(action, origin) for action in actions), *alone], style)
    if origin:
        rows.insert(0, style.paint("dim", f"  from {visible(origin)}"))
    if verbose:
        rows += _reads(actions, style)
    rows += [row for group in groups if group.total > 1 for row in _held(group, style)]
    return [f"{style.paint('bold', visible(name))}: {words.title(counts)}", *rows]


def _only_source(actions: Sequence[Action]) -> str:
    """The OBS repository that all of several files come from: told once."""
    sources = [action.source for action in actions if isinstance(action, Transfer)]
    told = {words.source(source) for source in sources if source.kind == "obs"}
    return told.pop() if len(sources) > 1 and len(told) == 1 and all(s.kind == "obs" for s in sources) else ""


def _line(action: Action, origin: str) -> Line:
    symbol, colour = SYMBOLS[action.kind]
    number = units.size(action.size) if isinstance(action, Transfer) else ""
    return Line(symbol=symbol, colour=colour, name=action.filename, number=number, words=_why(action, origin))


def _why(action: Action, origin: str) -> str:
    match action:
        case Replacement():
            sums = f"{units.short(action.old.sha256)} -> {units.short(action.sha256)}"
            return ", ".join(filter(None, (sums, _from(action, origin))))
        case Transfer():
            return _from(action, origin)
        case Archiving():
            return f"to {action.archive_to}: {words.because(action)}"
        case Removal():
            return words.because(action)
        case _:
            raise TypeError(action)


def _from(action: Transfer, origin: str) -> str:
    return "" if origin else words.source(action.source)


def _reads(actions: Sequence[Action], style: Style) -> list[str]:
    """What the deletions of one distribution rest on: mostly the same reads, so each is told once."""
    proofs = [action.evidence for action in actions if isinstance(action, Removal)]
    lines = dict.fromkeys(line for proof in proofs for line in words.reads(proof))
    return [row for line in lines for row in wrapped(visible(f"read {line}"), style, indent=4, hanging=2)]


def _held(group: words.HeldGroup, style: Style) -> Iterator[str]:
    yield from labelled("!", "cyan", visible(group.title), style, indent=2, hanging=4)
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
        f"Of {plan.target.total} rows {counts.unchanged} are equal, {counts.filtered} filtered, "
        f"{plan.summary.unmanaged} unmanaged."
    )


def _exceeded(plan: Plan, style: Style) -> list[str]:
    if plan.applyable:
        return []
    title = style.paint("red", "Unsafe: this plan cannot be applied.")
    lines = [words.exceeded(limit) for limit in plan.exceeded]
    return [title, *(row for line in lines for row in wrapped(visible(line), style, indent=2, hanging=2))]


def _incomplete(plan: Plan, style: Style) -> list[str]:
    if plan.complete:
        return []
    return [style.paint("red", "Incomplete: a read failed, and what depends on it is not planned.")]
