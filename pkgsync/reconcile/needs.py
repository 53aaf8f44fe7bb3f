"""Would it still install? What a package that stays needs, and only one that goes provides.

Judged by what the indexes state: rpm's Provides, Requires and listed files; deb's Provides, Depends and Pre-Depends.
Of what no package of the distribution provides, nothing is known: the base system may. Conflicts are not looked at.
"""

import re
from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import cache, partial
from typing import NamedTuple

from pkgsync.errors import ReadError
from pkgsync.formats.fields import is_word
from pkgsync.model import Need, Needs, PackageType, Relation, Relations, Version
from pkgsync.model.filename import SOURCES
from pkgsync.reconcile.architectures import INDEPENDENT
from pkgsync.reconcile.versions import Key, orderable, sort_key

_Provider = tuple[str, Relation]
# of a version with and without its release, which only rpm may leave out; None where it cannot be ordered
_Keys = Callable[[Relation], tuple[Key | None, Key] | None]
_MOST_TOLD = 3
_MOST_PAIRS = 20_000_000
"""Comparisons, each about a microsecond: a hundred names, each in 400 versions that need their own, are 16 million."""


def needs_of(packages: Mapping[str, Relations]) -> Needs:
    """What each package of one distribution needs of others, by sha256 as ``packages`` are.

    A package manager takes packages of its own architecture and of any, so that those of any are judged once for each.
    Raises ReadError where they state more than can be compared.
    """
    found: dict[str, dict[Need, None]] = {sha256: {} for sha256 in packages}
    of = {sha256: _machine(relations.architecture) for sha256, relations in packages.items()}
    machines = {*of.values()} - SOURCES
    keys = {kind: cache(partial(_keys, kind)) for kind in PackageType}
    own = {
        machine: tuple(sha256 for sha256 in of if of[sha256] == machine)
        for machine in sorted(machines - INDEPENDENT or machines)
    }
    for machine in own:
        world = {s: r for s, r in packages.items() if of[s] == machine or of[s] in INDEPENDENT}
        provided = defaultdict(list)
        for sha256, relations in world.items():
            for relation in relations.provides:
                provided[relation.name].append((sha256, relation))
        _refuse_too_many(provided, {a for relations in world.values() for a in relations.requires})
        # many packages state the same
        met = {kind: cache(partial(_met, provided, kind, keys[kind])) for kind in keys}
        for sha256, relations in world.items():
            on = machine if of[sha256] in INDEPENDENT else ""
            for alternatives in relations.requires:
                found[sha256].update(dict.fromkeys(met[relations.type](on, alternatives)))
    return Needs({sha256: tuple(needs) for sha256, needs in found.items()}, own)


def _machine(architecture: str) -> str:
    return "i386" if re.fullmatch("i[3-6]86", architecture) else architecture


def _refuse_too_many(provided: Mapping[str, list[_Provider]], required: Collection[Sequence[Relation]]) -> None:
    if sum(len(provided.get(r.name, ())) for alternatives in required for r in alternatives) > _MOST_PAIRS:
        raise ReadError("the packages state too many versions to compare what they need")


def _met(
    provided: Mapping[str, list[_Provider]], kind: PackageType, keys: _Keys, on: str, alternatives: Sequence[Relation]
) -> tuple[Need, ...]:
    """None where nobody provides it."""
    sure: dict[str, None] = {}
    doubtful: dict[str, None] = {}
    for relation in alternatives:
        for sha256, provides in provided.get(relation.name, ()):
            meets = _meets(provides, relation, kind, keys)
            if meets or meets is None:
                (sure if meets else doubtful)[sha256] = None
    what = _told(alternatives)
    if sure:
        return (Need(what, tuple(sure), on),)
    # each may be the one that is needed
    return tuple(Need(what, (sha256,), on) for sha256 in doubtful)


def _meets(provides: Relation, requires: Relation, kind: PackageType, keys: _Keys) -> bool | None:
    """Whether both ranges of versions overlap; None where a version is not known.

    What is provided in no version meets any for rpm (rpm-dependencies(7)), none for dpkg (Debian Policy 7.5).
    """
    if not requires.operator:
        return True
    if not provides.operator:
        return kind is PackageType.RPM
    one, other = keys(provides), keys(requires)
    if one is None or other is None:
        return None
    first, second = (one[0], other[0]) if one[0] and other[0] else (one[1], other[1])
    if first == second:
        bare = [relation for relation, key in ((provides, one), (requires, other)) if key[0] is None]
        # rpm and libsolv: what states no release may be any, where it can be equal at all
        if len(bare) == 1 and "=" in bare[0].operator:
            return True
        return any(sign in provides.operator and sign in requires.operator for sign in "<=>")
    above, below = (requires, provides) if first > second else (provides, requires)
    return ">" in above.operator or "<" in below.operator


def _keys(kind: PackageType, relation: Relation) -> tuple[Key | None, Key] | None:
    version = relation.version
    if version is None or not orderable(version, kind):
        return None
    key = sort_key(kind)
    if kind is PackageType.DEB:
        return key(version), key(version)
    return key(version) if version.release else None, key(Version(version.epoch, version.version))


def _told(alternatives: Sequence[Relation]) -> str:
    """A name may be any text of a package, and as long."""
    names = [str(relation) if all(map(is_word, str(relation).split(" "))) else "something" for relation in alternatives]
    return " or ".join(names if len(names) <= _MOST_TOLD else [*names[: _MOST_TOLD - 1], "others"])


class Use(NamedTuple):
    """A file that stays, by its sha256, and what it needs."""

    of: str
    what: str


def held(
    needs: Needs, stays: Collection[str], goes: Collection[str]
) -> tuple[dict[str, Use], Mapping[str, tuple[Need, ...]]]:
    """What goes and must stay, by sha256, with its first use; and the needs that count.

    Those count that are on an architecture of which a file itself stays, or is held; all, where there is none. Of such
    architectures it is the most: when all has gone that is not held, the same ones are left, and hold the same.
    """
    files, names = needs.files, {*needs.own}
    while True:
        found = _held(files, stays, goes)
        there = {*stays, *found}
        left = {name for name in names if not there.isdisjoint(needs.own[name])}
        if left == names or not left:
            return found, files
        names = left
        files = {
            sha256: tuple(need for need in found if not need.architecture or need.architecture in names)
            for sha256, found in files.items()
        }


def _held(needs: Mapping[str, tuple[Need, ...]], stays: Collection[str], goes: Collection[str]) -> dict[str, Use]:
    """What is needed by what stays, or is held itself, and provided by nothing that stays.

    Of several that provide it each is held: so more needs never hold less.
    """
    present, leaving = set(stays), set(goes)
    found: dict[str, Use] = {}
    unmet: dict[Need, dict[str, None]] = {}
    users = list(stays)
    for user in users:
        for need in needs.get(user, ()):
            ways = unmet.get(need)
            if ways is None:
                ways = unmet[need] = dict.fromkeys(need.of) if present.isdisjoint(need.of) else {}
            if ways and user not in ways:
                more = [sha256 for sha256 in ways if sha256 in leaving and sha256 not in found]
                found |= dict.fromkeys(more, Use(user, need.what))
                users += more
                ways.clear()
    return found


def needed(
    needs: Mapping[str, tuple[Need, ...]], stays: Collection[str], goes: Collection[str]
) -> dict[str, tuple[Use, ...]]:
    """What goes and is needed by what stays, all by sha256, with its uses: by a file itself, or through another one.

    What is met neither now nor later is no loss.
    """
    present = set(stays)
    users: dict[Need, list[str]] = defaultdict(list)
    for sha256 in stays:
        for need in needs.get(sha256, ()):
            users[need].append(sha256)
    meeting: dict[str, list[Need]] = defaultdict(list)
    for need in users:
        for provider in need.of:
            meeting[provider].append(need)
    left = {need: sum(provider in present for provider in need.of) for need in users}
    found: dict[str, dict[Use, None]] = {}
    # what is lost may be needed itself, which is put down to the file that goes
    lost = [(sha256, sha256) for sha256 in goes if sha256 not in present]
    for missing, cause in lost:
        for need in meeting[missing]:
            left[need] -= missing != cause
            if left[need]:
                continue
            for user in users[need]:
                found.setdefault(cause, {})[Use(user, need.what)] = None
                if user in present:
                    present.remove(user)
                    lost.append((user, cause))
    return {sha256: tuple(uses) for sha256, uses in found.items()}
