"""A plan by package, as a reviewer thinks: what comes, what goes, and where.

Packages and versions are for the eye here, read from file names where the plan has nothing better; by none of them
anything is decided. What the functions return is not escaped yet.
"""

import re
from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import assert_never

from msgspec import Struct

from pkgsync.model import Action, Counts, Plan, Removal, Transfer
from pkgsync.model.filename import parse
from pkgsync.reasons import Reason
from pkgsync.report import units

_NAMED = 3


class ChangeKind(StrEnum):
    """What happens to a package. What is archived instead of deleted, the counts tell."""

    GONE = "gone"
    SUPERSEDED = "superseded"
    UPDATED = "updated"
    REBUILT = "rebuilt"
    NEW = "new"
    UNDONE = "undone"


class Change(Struct, frozen=True, kw_only=True):
    """All actions of a plan on one package and one version that comes or stands in place of the old ones.

    ``package`` is the OBS package without its flavor where it is known, else the package's own name, else the file's.
    ``old`` are the versions that leave, ``new`` those that come or, of superseded ones, are there already: without
    epoch and release, lowest first. Tuples are sorted, and ``actions`` in the plan's order.
    """

    package: str
    kind: ChangeKind
    old: tuple[str, ...]
    new: tuple[str, ...]
    distributions: tuple[str, ...]
    architectures: tuple[str, ...]
    counts: Counts
    actions: tuple[Action, ...]

    @property
    def removals(self) -> tuple[Removal, ...]:
        return tuple(action for action in self.actions if isinstance(action, Removal))

    @property
    def is_loss(self) -> bool:
        """Whether nothing comes or stands in place of what leaves."""
        return self.kind is ChangeKind.GONE or (self.kind is ChangeKind.UNDONE and not self.new)

    @property
    def rank(self) -> int:
        """What has to be looked at first: 0 takes away without a successor, 4 takes nothing away."""
        counts = self.counts
        if counts.deletions + counts.archivings:
            return 0 if self.is_loss else 1 if self.kind is ChangeKind.SUPERSEDED else 2
        return 3 if counts.replacements else 4

    def title(self, arrow: str = "→") -> str:
        """``hello-tool 1.2 → 1.3``, ``old-tool 0.5 gone``."""
        return f"{self.package} {self.happening(arrow)}"

    def happening(self, arrow: str = "→") -> str:
        """``1.2 → 1.3``, ``0.5 gone``."""
        old, new = versions(self.old), versions(self.new)
        match self.kind:
            case ChangeKind.GONE:
                return f"{old} gone".lstrip()
            case ChangeKind.SUPERSEDED:
                return f"{old} superseded by {new or 'a newer version'}".lstrip()
            case ChangeKind.UPDATED:
                return f"{old} {arrow} {new}".strip()
            case ChangeKind.REBUILT | ChangeKind.NEW:
                return f"{new} {self.kind.value}".lstrip()
            case ChangeKind.UNDONE if self.counts.deletions + self.counts.archivings == 0:
                return f"{new} put back".lstrip()
            case ChangeKind.UNDONE:
                return (f"{old} {arrow} {new}" if self.new else f"{old} taken away").lstrip()
            case _:
                assert_never(self.kind)

    @property
    def where(self) -> str:
        """``opensuse/15.6, ubuntu/jammy``."""
        return few(self.distributions)

    @property
    def tally(self) -> str:
        """``6 up, 6 away``."""
        counts = self.counts
        numbers = {
            "up": counts.uploads,
            "replaced": counts.replacements,
            "away": counts.deletions,
            "archived": counts.archivings,
        }
        return ", ".join(f"{number} {what}" for what, number in numbers.items() if number)


def changes(plan: Plan) -> tuple[Change, ...]:
    """The plan's actions by package, those first that take something away without a successor."""
    groups: dict[tuple[str, ...], list[Action]] = {}
    for action in plan.actions:
        groups.setdefault(_group(action), []).append(action)
    found = [_change(group[0], actions) for group, actions in groups.items()]
    return tuple(sorted(found, key=lambda it: (it.rank, _order(it.package), [*map(_order, it.new)], it.kind)))


def place(change: Change, distributions: int) -> str:
    """Where the change is, in a plan with actions in so many distributions: ``all 4 distributions``."""
    everywhere = len(change.distributions) == distributions > 2
    return f"all {distributions} distributions" if everywhere else change.where


def few(names: Sequence[str]) -> str:
    """The names, of many only the first: ``a, b, c and 4 more``."""
    if len(names) <= _NAMED + 1:
        return ", ".join(names)
    return f"{', '.join(names[:_NAMED])} and {len(names) - _NAMED} more"


def versions(found: Sequence[str]) -> str:
    """The versions, of many only the ends: ``1.0 to 1.9 (10 versions)``."""
    if len(found) <= _NAMED:
        return ", ".join(found)
    return f"{found[0]} to {found[-1]} ({units.plural(len(found), 'version')})"


def _group(action: Action) -> tuple[str, ...]:
    """What an action has in common with the others of its change, the package first.

    A package in two versions, of two projects for instance, is two changes.
    """
    if action.reason is Reason.UNDO:
        return _own_name(action.filename), "undo"
    if isinstance(action, Transfer):
        packages = action.source.packages
        return (_base(packages[0]) if packages else _own_name(action.filename)), "to", _version(action.filename)
    if isinstance(action, Removal) and (newer := action.evidence.superseded_by):
        return _base(newer.package) or _own_name(action.filename), "to", _version(newer.filename)
    return _own_name(action.filename), "gone"


def _change(package: str, actions: Sequence[Action]) -> Change:
    counts = Counts.of(actions)
    leaving = [action.filename for action in actions if isinstance(action, Removal)]
    coming = [action.filename for action in actions if isinstance(action, Transfer)]
    taking = [action.evidence.superseded_by for action in actions if isinstance(action, Removal)]
    old = _versions(leaving)
    new = _versions([*coming, *(newer.filename for newer in taking if newer)])
    return Change(
        package=package,
        kind=_kind(actions[0], counts, old == new),
        old=old,
        new=new,
        distributions=tuple(sorted({action.distribution for action in actions})),
        architectures=tuple(sorted({parsed.architecture for action in actions if (parsed := parse(action.filename))})),
        counts=counts,
        actions=tuple(actions),
    )


def _kind(one: Action, counts: Counts, same_version: bool) -> ChangeKind:
    if one.reason is Reason.UNDO:
        return ChangeKind.UNDONE
    if one.reason is Reason.GONE:
        return ChangeKind.GONE
    removals = counts.deletions + counts.archivings
    if removals and not counts.uploads + counts.replacements:
        return ChangeKind.SUPERSEDED
    if removals and not same_version:
        return ChangeKind.UPDATED
    return ChangeKind.REBUILT if removals or counts.replacements else ChangeKind.NEW


def _base(package: str) -> str:
    """The package without its flavor, and without the architecture that evidence names with it."""
    return package.partition(" (")[0].partition(":")[0]


def _own_name(filename: str) -> str:
    parsed = parse(filename)
    return parsed.name if parsed else filename


def _version(filename: str) -> str:
    """The version without the release, which differs between distributions; empty where the name does not tell."""
    parsed = parse(filename)
    if parsed is None:
        return ""
    upstream, _, revision = parsed.version.rpartition("-")
    return upstream or revision


def _versions(filenames: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted({version for name in filenames if (version := _version(name))}, key=_order))


def _order(text: str) -> list[tuple[int, str]]:
    """Numbers by their value, 1.9 before 1.10, however many digits they have."""
    parts = re.split(r"([0-9]+)", text)
    return [(len(part := parts[n].lstrip("0")), part) if n % 2 else (0, parts[n]) for n in range(len(parts))]
