"""One repository's proposal: what it is built for, checked against the distributions that Packagecloud has now.

The base project decides, not the name: names of repositories are free text. Where both are known and contradict each
other, people decide.
"""

import re
from collections.abc import Iterable
from difflib import get_close_matches

from msgspec import Struct
from msgspec.structs import replace

from pkgsync.model import Distribution, PackageType
from pkgsync.model.desired import DISCONTINUED
from pkgsync.proposals import rules
from pkgsync.proposals.rules import Guess

# what the config takes: other names cannot be mapped to
_USABLE = re.compile(r"[A-Za-z0-9][-A-Za-z0-9_.+]*/[A-Za-z0-9][-A-Za-z0-9_.+]*")
_ANY = {PackageType.RPM: "rpm_any/rpm_any", PackageType.DEB: "any/any"}


class Live(Struct, frozen=True):
    """The distributions that Packagecloud has now."""

    known: tuple[Distribution, ...] = ()

    @classmethod
    def of(cls, known: Iterable[Distribution]) -> "Live":
        """Without those that no config can name."""
        return cls(tuple(one for one in known if _USABLE.fullmatch(one.name)))

    def find(self, target: str) -> str | None:
        """The exact name of ``distro/version``, which may be written with a version number."""
        found = (one.name for one in self.known if target == one.name or target in one.aliases)
        return next(found, None)

    def resolve(self, targets: Iterable[str]) -> tuple[str, ...]:
        """Those that there are, under their exact names."""
        return tuple(dict.fromkeys(name for target in targets if (name := self.find(target))))

    def near(self, target: str) -> tuple[str, ...]:
        """The distributions that come closest, of the same distributor if there are any."""
        distributor = target.partition("/")[0]
        names = [one.name for one in self.known]
        same = [name for name in names if name.startswith(f"{distributor}/")]
        return tuple(get_close_matches(target, same or names, n=2, cutoff=0.6))

    def takes(self, target: str, kinds: frozenset[PackageType]) -> bool:
        """Whether the distribution takes files of one of these kinds."""
        return any(one.name == target and one.type in kinds for one in self.known)


class Seen(Struct, frozen=True, kw_only=True):
    """A repository as OBS shows it. ``base`` is the base project, None where none is known.

    ``kinds`` of packages are built there; ``other_files``: something else is, and no package.
    """

    repository: str
    base: str | None = None
    kinds: frozenset[PackageType] = frozenset()
    other_files: bool = False


class Proposal(Struct, frozen=True, kw_only=True):
    """``targets`` are what to map to, null if there are none; ``open``: a person must choose, of the ``candidates``."""

    repository: str
    targets: tuple[str, ...] = ()
    reason: str
    candidates: tuple[str, ...] = ()
    open: bool = False


def propose(seen: Seen, live: Live) -> Proposal:
    """The proposal for one repository."""
    if seen.other_files:
        return Proposal(repository=seen.repository, reason="holds neither rpm nor deb files")
    by_base = rules.of_base(seen.base) if seen.base else None
    by_name = rules.of_name(seen.repository)
    if by_base is not None and by_name is not None and not _agree(by_base, by_name):
        targets = (*by_base.targets, *by_name.targets, *by_base.hints, *by_name.hints)
        reason = f"built for {seen.base}, but its name says something else"
        return _open(seen, reason, live.resolve(targets))
    # where they agree, the name says which of those that the base serves: 15.6 is for Leap and SLE, SLE_15_SP6 is not
    guess = by_name if by_name is not None else by_base
    if guess is None:
        return _open(seen, "neither its base project nor its name is known", _anything(seen, live))
    return _checked(seen, guess, live, _why(seen, by_base))


def together(proposals: Iterable[Proposal]) -> list[Proposal]:
    """The proposals of one project, in its order: where several feed one distribution, the later ones say who wins."""
    first: dict[str, str] = {}
    told = []
    for one in proposals:
        before = dict.fromkeys(first[target] for target in one.targets if target in first)
        first = dict.fromkeys(one.targets, one.repository) | first
        wins = f"; of two files of one name that of {', '.join(before)} is taken" if before else ""
        told.append(replace(one, reason=f"{one.reason}{wins}"))
    return told


def _agree(one: Guess, other: Guess) -> bool:
    return bool(set(one.targets) & set(other.targets)) or not (one.targets or other.targets)


def _why(seen: Seen, by_base: Guess | None) -> str:
    if by_base is None:
        return "by its name, as no base project is known"
    ended = ", which is at its end of life" if seen.base and seen.base.startswith(DISCONTINUED) else ""
    return f"built for {seen.base}{ended}"


def _checked(seen: Seen, guess: Guess, live: Live, why: str) -> Proposal:
    """The guess as far as Packagecloud has it and takes what is built there."""
    found = live.resolve(guess.targets)
    hints = live.resolve(guess.hints)
    also = f"; perhaps {', '.join(hints)}" if hints else ""
    if not guess.targets:
        return Proposal(repository=seen.repository, reason=f"{why}: Packagecloud has no such distribution{also}")
    if not found:
        near = live.near(guess.targets[0])
        words = f"{why}: Packagecloud has no {' or '.join(guess.targets)}"
        return Proposal(
            repository=seen.repository,
            reason=f"{words} (nearest: {', '.join(near)})" if near else words,
            candidates=near,
        )
    if seen.kinds and not any(live.takes(target, seen.kinds) for target in found):
        kinds = " and ".join(sorted(seen.kinds))
        return _open(seen, f"{why}, but it holds {kinds} files", _anything(seen, live))
    lacking = [target for target in guess.targets if live.find(target) is None]
    without = f"; Packagecloud has no {' or '.join(lacking)}" if lacking else ""
    also = f"; also for {', '.join(hints)}" if hints else ""
    return Proposal(repository=seen.repository, targets=found, reason=f"{why}{without}{also}")


def _open(seen: Seen, reason: str, candidates: tuple[str, ...]) -> Proposal:
    return Proposal(repository=seen.repository, reason=reason, candidates=candidates, open=True)


def _anything(seen: Seen, live: Live) -> tuple[str, ...]:
    """What takes packages that are for no distribution alone, of the kind that is built there."""
    named = {kind for kind in PackageType if kind == seen.repository}
    kinds = seen.kinds or named or frozenset(PackageType)
    return live.resolve(name for kind, name in _ANY.items() if kind in kinds)
