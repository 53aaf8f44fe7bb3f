"""Whose change each action of a plan is, where it was made beside an old config."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

from pkgsync.model import Action, ActionKind, Cause, NoLonger, Plan
from pkgsync.report.escape import code, prose, visible
from pkgsync.report.sections import Section
from pkgsync.report.style import SYMBOLS, Style, labelled

TOLD: Mapping[Cause, str] = {
    Cause.CONFIG: "by this config",
    Cause.OBS: "by OBS",
    Cause.PACKAGECLOUD: "on Packagecloud",
    Cause.UNKNOWN: "cause not known",
}
_DUE: Mapping[ActionKind, str] = {
    "upload": "to upload",
    "replacement": "to replace",
    "deletion": "to delete",
    "archiving": "to archive",
}
_FEW = 12


def mark(plan: Plan, actions: Iterable[Action]) -> tuple[str, ...]:
    """Whose change all of these actions are, ``by this config, by OBS``; nothing where no old config was named."""
    if plan.base is None:
        return ()
    found = {plan.base.causes[action.key] for action in actions}
    return (", ".join(TOLD[cause] for cause in Cause if cause in found),)


def text(plan: Plan) -> list[str]:
    """A line for each cause."""
    if plan.base is None or not plan.actions:
        return []
    lines = [f"  {TOLD[cause]}: {told}" for cause, told in _counted(plan)]
    return ["Whose change it is:", *lines]


def no_longer(plan: Plan, style: Style, verbose: bool) -> list[str]:
    """What only the old config would do; of much of it the first lines."""
    if plan.base is None or not plan.base.no_longer:
        return []
    items = plan.base.no_longer
    named = items if verbose else items[:_FEW]
    lines = [f"No longer, as only the old config would: {_due(items)}"]
    for item in named:
        symbol, colour = SYMBOLS[item.action]
        lines += labelled(symbol, colour, visible(f"{item.key}{_held(item)}"), style, indent=2, hanging=4)
    if left := len(items) - len(named):
        lines.append(f"  and {left} more (-v names them)")
    return lines


def markdown(plan: Plan) -> str:
    """A list of the causes; empty where no old config was named."""
    if plan.base is None:
        return ""
    lines = [f"- {TOLD[cause]}: {told}" for cause, told in _counted(plan)]
    if plan.base.no_longer:
        lines.append(f"- no longer, as only the old config would: {_due(plan.base.no_longer)}")
    return "\n".join(["Whose change it is, beside the old config:", "", *lines]) if lines else ""


def sections(plan: Plan) -> Iterator[Section]:
    """What only the old config would do, as a list."""
    if plan.base is not None and plan.base.no_longer:
        rows = [f"{code(item.key)} {prose(_DUE[item.action] + _held(item))}" for item in plan.base.no_longer]
        yield Section(title=f"No longer: {_due(plan.base.no_longer)}", rows=rows, folded=True, rank=7)


def _counted(plan: Plan) -> Iterator[tuple[Cause, str]]:
    assert plan.base is not None
    kinds: dict[Cause, Counter[ActionKind]] = {cause: Counter() for cause in Cause}
    for action in plan.actions:
        kinds[plan.base.causes[action.key]][action.kind] += 1
    return ((cause, _numbers(found)) for cause, found in kinds.items() if found)


def _due(items: Iterable[NoLonger]) -> str:
    return _numbers(Counter(item.action for item in items))


def _numbers(found: Mapping[ActionKind, int]) -> str:
    return ", ".join(f"{found[kind]} {words}" for kind, words in _DUE.items() if found.get(kind))


def _held(item: NoLonger) -> str:
    return ", now held" if item.held else ""
