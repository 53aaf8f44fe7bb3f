"""A stated change, made: of the config, or of the worlds. Shares no code with what states it."""

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Any

from attrs import evolve, frozen
from msgspec.structs import replace

from pkgsync.model import (
    Answer,
    Architecture,
    ConfigChange,
    Explanation,
    Flip,
    IndexedFile,
    OrphanAction,
    Overrides,
    Repository,
    Row,
    Version,
    WorldChange,
)
from pkgsync.model.policy import GoneRule
from pkgsync.reconcile import explain, reconcile
from tests.support.values import builders
from tests.support.values.builders import NOW
from tests.support.worlds import worlds
from tests.support.worlds.worlds import MANAGED, World


@frozen
class Case:
    """A world, what the config maps, and the time."""

    world: World
    managed: tuple[str, ...] = MANAGED
    now: datetime = NOW

    def ask(self, query: str) -> Answer:
        desired, actual = builders.desired(*self.world.repositories), builders.actual(*self.world.rows)
        decided = reconcile(desired, actual, self.world.policy, self.managed, self.now)
        return explain(decided, desired, actual, self.world.policy, Overrides(max_deletions=1000), query)

    def of(self, key: str) -> Explanation:
        (found,) = self.ask(key).explanations
        return found

    def after(self, flip: Flip, key: str) -> "Case":
        case = self
        for change in flip.config:
            case = _configured(case, change)
        return case if flip.world is None else _WORLD[flip.world.kind](case, flip.world, key)

    def over(self, change: Callable[[Repository], Repository]) -> "Case":
        """The same change in every repository."""
        return evolve(self, world=evolve(self.world, repositories=tuple(map(change, self.world.repositories))))

    def with_rows(self, rows: Iterable[Row]) -> "Case":
        unique = {row.key: row for row in rows}
        return evolve(self, world=evolve(self.world, rows=tuple(unique.values())))


# the config

_VALUES: dict[str, Callable[[Any], Any]] = {
    "action": OrphanAction,
    "gone": GoneRule,
    "min_age": lambda value: timedelta(seconds=value),
    "grace": lambda value: timedelta(seconds=value),
}


def _configured(case: Case, change: ConfigChange) -> Case:
    if change.path[0] == "distributions":
        return _mapped(case, change)
    if change.project:
        return case.over(lambda r: _of_project(r, change) if r.project == change.project else r)
    policy = case.world.policy
    section, name = (change.path[0], change.path[1]) if len(change.path) == 2 else ("", change.path[0])
    holder = getattr(policy, section) if section else policy
    changed = replace(holder, **{name: _changed(getattr(holder, name), change, name)})
    changes: dict[str, Any] = {section: changed}
    return evolve(case, world=evolve(case.world, policy=replace(policy, **changes) if section else changed))


def _changed(old: Any, change: ConfigChange, name: str) -> Any:
    if change.how == "set":
        return _VALUES.get(name, lambda value: value)(change.value)
    if change.value is None:
        return None
    assert isinstance(change.value, tuple) and change.value
    if change.how == "add":
        return (*old, *change.value)
    assert set(change.value) <= set(old)
    return tuple(item for item in old if item not in change.value)


def _of_project(repository: Repository, change: ConfigChange) -> Repository:
    (name,) = change.path
    if name == "repositories":
        return replace(repository, filtered=False)
    assert name == "architectures" and isinstance(change.value, tuple)
    wanted = repository.filter_architectures
    return repository if wanted is None else replace(repository, filter_architectures=(*wanted, *change.value))


def _mapped(case: Case, change: ConfigChange) -> Case:
    name, target = change.path[1], change.value
    if target is None:  # of "*"
        return case
    assert isinstance(target, str)
    named = case.over(lambda r: replace(r, catch_all=False) if r.name == name else r)
    return evolve(named, managed=(*case.managed, target))


# the worlds


def _distribution(key: str) -> str:
    return key.rpartition("/")[0]


def _settled(case: Case, change: WorldChange, key: str) -> Case:
    """Every repository of the distribution was read and is in order; an index that was not seen lists little."""
    little = builders.rpm("little")
    if not any(change.subject in r.distributions and not r.filtered for r in case.world.repositories):
        built = [builders.architecture(name, builders.package("src", little)) for name in worlds.ARCHITECTURES]
        new = builders.repository(little, name="new", distributions=[change.subject], architectures=built)
        return evolve(case, world=evolve(case.world, repositories=(*case.world.repositories, new)))

    def in_order(architecture: Architecture) -> Architecture:
        more = builders.package("more", f"more-1-1.{architecture.name}.rpm")
        return replace(architecture, problems=(), packages=architecture.packages or (more,))

    def read(repository: Repository) -> Repository:
        if change.subject not in repository.distributions:
            return repository
        seen = repository.architectures or tuple(map(builders.architecture, worlds.ARCHITECTURES))
        unseen = None if repository.filtered else builders.index(little)
        found = tuple(map(in_order, seen))
        return replace(repository, problems=(), unread=False, index=repository.index or unseen, architectures=found)

    return case.over(read)


def _until(case: Case, change: WorldChange, key: str) -> Case:
    return evolve(case, now=datetime.fromisoformat(change.subject))


def _applied(case: Case, change: WorldChange, key: str) -> Case:
    world, later = case.world, NOW + timedelta(seconds=int(change.subject))
    rows = [row for row in worlds.after(world, world.plan()) if row.key != key]
    return evolve(case.with_rows([*rows, *(r for r in world.rows if r.key == key)]), now=later)


def _succeeded(case: Case, change: WorldChange, key: str) -> Case:
    """Every package that shows the file has succeeded; where none shows it, one does now."""

    def repaired(repository: Repository) -> Repository:
        if repository.index is None or change.subject not in {f.filename for f in repository.index.files}:
            return repository
        first, *rest = repository.architectures
        shown = replace(first, packages=(*first.packages, builders.package("late", change.subject)))
        return replace(repository, architectures=(shown, *rest))

    return case.over(repaired).over(lambda r: _packages(r, lambda p: replace(p, code="succeeded")))


def _packages(repository: Repository, change: Callable[[Any], Any]) -> Repository:
    return replace(
        repository,
        architectures=tuple(replace(a, packages=tuple(map(change, a.packages))) for a in repository.architectures),
    )


def _unpublished(case: Case, change: WorldChange, key: str) -> Case:
    def without(repository: Repository) -> Repository:
        files = [f for f in repository.index.files if f.filename != change.subject] if repository.index else []
        index = None if repository.index is None else builders.index(*files)
        return _unbuilt_in(replace(repository, index=index), lambda name: name == change.subject)

    return case.over(without)


def _published(case: Case, change: WorldChange, key: str) -> Case:
    """The index lists what is built under this name; what it is, only its header tells."""
    found = replace(builders.rpm("found"), filename=change.subject, path=change.subject)

    def listing(repository: Repository) -> Repository:
        if repository.index is None or repository.filtered:
            return repository
        return replace(repository, index=replace(repository.index, files=(*repository.index.files, found)))

    return case.over(listing)


def _unbuilt_in(repository: Repository, gone: Callable[[str], bool]) -> Repository:
    return _packages(repository, lambda p: replace(p, files=tuple(f for f in p.files if not gone(f.filename))))


def _unbuilt(case: Case, change: WorldChange, key: str) -> Case:
    """What is built is published; of all else nothing is left, nor of an odd name that an index gives to another."""
    own = key.rpartition("/")[2]

    def tidy(repository: Repository) -> Repository:
        listed = {f.filename for f in repository.index.files} if repository.index else set()
        return _unbuilt_in(repository, lambda name: name not in listed or name == own)

    return case.over(tidy)


def _known(case: Case, change: WorldChange, key: str) -> Case:
    told = builders.sha(f"told of {change.subject}")
    return case.with_rows(replace(r, sha256=told) if r.key == change.subject else r for r in case.world.rows)


def _newer(case: Case, change: WorldChange, key: str) -> Case:
    """A release of its name and architecture that is higher than any."""

    def released(repository: Repository) -> Repository:
        old = (
            next((f for f in repository.index.files if f.filename == change.subject), None)
            if repository.index
            else None
        )
        if old is None:
            return repository
        assert repository.index is not None
        new = _named(old, Version(9, "9.9", "9"))
        first, *rest = repository.architectures
        built = replace(first, packages=(*first.packages, builders.package("newest", new.filename)))
        return replace(
            repository,
            index=replace(repository.index, files=(*repository.index.files, new)),
            architectures=(built, *rest),
        )

    return case.over(released)


def _named(file: IndexedFile, version: Version) -> IndexedFile:
    name = f"{file.name}-{version.version}-{version.release}.{file.architecture}.rpm"
    return replace(file, filename=name, path=f"{file.architecture}/{name}", sha256=builders.sha(name), version=version)


def _removed(case: Case, change: WorldChange, key: str) -> Case:
    return case.with_rows(r for r in case.world.rows if r.key != change.subject)


def _arrived(case: Case, change: WorldChange, key: str) -> Case:
    """The offer of that name stands on Packagecloud with OBS's content, and as OBS names it."""
    distribution = _distribution(key)
    files = [
        f
        for r in case.world.repositories
        if r.index and not r.filtered and distribution in r.distributions
        for f in r.index.files
        if change.subject in (f.filename, worlds.canonical(f))
    ]
    there = [replace(builders.row(f, distribution), filename=change.subject) for f in files[:1]]
    return case.with_rows([*case.world.rows, *there])


_WORLD: dict[str, Callable[[Case, WorldChange, str], Case]] = {
    "settled": _settled,
    "until": _until,
    "applied": _applied,
    "succeeded": _succeeded,
    "published": _published,
    "unpublished": _unpublished,
    "unbuilt": _unbuilt,
    "known": _known,
    "newer": _newer,
    "removed": _removed,
    "arrived": _arrived,
}
