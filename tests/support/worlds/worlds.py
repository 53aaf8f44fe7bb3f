"""Random worlds for the promises of the pure core, the faults that can befall them, and an oracle of its own.

The oracle shares no code with pkgsync.reconcile: versions are ordered by their place in ``VERSIONS``, architectures and
names come from the generated files.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from random import Random
from typing import Any

from attrs import evolve, frozen
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from pkgsync.model import (
    Architecture,
    BuiltFile,
    BuiltPackage,
    Deletion,
    GoneRule,
    IndexedFile,
    OrphanAction,
    OrphanPolicy,
    Plan,
    Policy,
    Problem,
    Replacement,
    Repository,
    Row,
)
from pkgsync.reasons import Reason
from tests.support.scope import examples
from tests.support.values import builders
from tests.support.values.builders import LEAP, NOW

RHEL, FOREIGN = "el/9", "fedora/40"
MANAGED = (LEAP, RHEL)
NAMES = ("app", "app-libs", "tool")
VERSIONS = ((0, "1.0~rc1"), (0, "1.0"), (0, "1.0^fix"), (0, "1.2"), (0, "1.10"), (1, "0.1"))
ARCHITECTURES = ("x86_64", "aarch64")
FILE_ARCHITECTURES = ("x86_64", "x86_64", "aarch64", "noarch")
SETTINGS = settings(max_examples=examples(200), deadline=None, suppress_health_check=list(HealthCheck))
GLOBS = ("app-*", "*1.10*", "*.aarch64.rpm", "tool-*", "*-1.0-*")


@frozen
class World:
    repositories: tuple[Repository, ...]
    rows: tuple[Row, ...]
    policy: Policy

    def plan(self, now: datetime = NOW) -> Plan:
        return builders.plan(self.repositories, self.rows, self.policy, managed=MANAGED, now=now)


class Dice:
    """Choices for one world; the odd ones come more often in some worlds than in others, so that many are almost sane."""

    def __init__(self, seed: int) -> None:
        self._random = Random(seed)
        self._oddity = self._random.choice([0.0, 0.02, 0.05, 0.15])

    def mostly(self, usual: Any, *odd: Any) -> Any:
        return self._random.choice(odd) if self._random.random() < self._oddity else usual

    def one_of(self, values: Sequence[Any]) -> Any:
        return self._random.choice(values)

    def flip(self) -> bool:
        return self._random.random() < 0.5


def a_file(dice: Dice) -> IndexedFile:
    epoch, version = dice.one_of(VERSIONS)
    made = builders.rpm(dice.one_of(NAMES), version, epoch=epoch, arch=dice.one_of(FILE_ARCHITECTURES))
    name = dice.mostly(made.filename, f"{made.name}.rpm", f"{made.name}_{version}_Linux-64bit.rpm", "setup.rpm")
    content = builders.sha(dice.mostly(made.filename, made.filename + "rebuilt", "twin"))
    return replace(made, filename=name, path=f"{made.architecture}/{name}", sha256=content)


def some_files(dice: Dice, most: int) -> dict[str, IndexedFile]:
    return {f.filename: f for f in (a_file(dice) for _ in range(dice.one_of(range(most + 1))))}


def a_repository(dice: Dice, number: int) -> Repository:
    published = some_files(dice, 4)
    extra = some_files(dice, 2)
    built = dice.mostly(published, extra, {**published, **extra})
    out = dice.mostly(False, True)
    return Repository(
        project=f"project{number // 2}",
        name=f"repository{number}",
        distributions=dice.one_of([(LEAP,), (LEAP,), (RHEL,), (LEAP, RHEL)]),
        architectures=tuple(an_architecture(dice, name, built) for name in ARCHITECTURES),
        index=None if out else dice.mostly(builders.index(*published.values()), None),
        problems=some_problems(dice),
        unread=dice.mostly(False, True),
        filtered=out,
        filter_architectures=dice.mostly(None, ("x86_64",), ("aarch64",)),
        ignore_architectures=dice.mostly((), ("aarch64",)),
    )


def some_problems(dice: Dice) -> tuple[Problem, ...]:
    found: tuple[Problem, ...] = dice.mostly((), (builders.problem(Reason.DIRTY),))
    return found


def an_architecture(dice: Dice, name: str, built: Mapping[str, IndexedFile]) -> Architecture:
    """Each file is built by the package of its name, noarch ones on every architecture."""
    packages = [BuiltPackage("other", "succeeded", (BuiltFile(f"unrelated-1-1.{name}.rpm", 1, 1),))]
    for package in NAMES:
        mine = sorted(f.filename for f in built.values() if f.name == package and f.architecture in (name, "noarch"))
        if mine or dice.mostly(False, True):
            code = dice.mostly("succeeded", "failed", "excluded", "disabled")
            packages.append(BuiltPackage(f"{package}-src", code, tuple(BuiltFile(f, 1, 1) for f in mine)))
    return Architecture(name=name, code="published", packages=tuple(packages), problems=some_problems(dice))


def a_row(dice: Dice) -> Row:
    made = builders.row(a_file(dice), dice.one_of([LEAP, LEAP, LEAP, RHEL, FOREIGN]))
    return replace(
        made,
        sha256=dice.mostly(made.sha256, None, builders.sha("foreign")),
        epoch=dice.mostly(made.epoch, None),
        type=dice.mostly("rpm", "dsc"),
        architecture=dice.mostly(made.architecture, None),
        uploader=dice.one_of(["robot", "robot", "somebody", None]),
        created_at=(NOW - timedelta(days=dice.one_of([1, 10, 100]))).isoformat(),
    )


def a_row_of(dice: Dice, file: IndexedFile, distribution: str) -> Row:
    """What an earlier sync of the file left: perhaps under the server's own name, perhaps before a rebuild."""
    made = builders.row(file, distribution)
    named = replace(made, filename=dice.one_of([file.filename, canonical(file)]))
    return replace(named, sha256=dice.mostly(made.sha256, builders.sha("before a rebuild")))


def a_policy(dice: Dice) -> Policy:
    orphans = OrphanPolicy(
        action=dice.mostly(OrphanAction.DELETE, OrphanAction.KEEP),
        keep_versions=dice.one_of([0, 0, 1, 1, 2]),
        min_age=timedelta(days=dice.mostly(0, 20)),
        grace=timedelta(days=dice.one_of([0, 0, 5])),
        protect=dice.mostly((), ("tool-1*",)),
        names=dice.one_of([(), (), ("tool",), ("*",)]),
        uploaders=dice.mostly((), ("robot",)),
        without_files=dice.mostly((), ("*",)),
        gone=dice.one_of([GoneRule.KEEP, GoneRule.DELETE]),
    )
    exclude = dice.mostly((), ("*-libs-*",))
    return Policy(exclude=exclude, rebuilds=dice.mostly("replace", "hold"), orphans=orphans)


def a_world(seed: int) -> World:
    """Up to three repositories; the listing holds some of their files, and others."""
    dice = Dice(seed)
    found = tuple(a_repository(dice, n) for n in range(dice.one_of([1, 2, 2, 3])))
    offered = [a_row_of(dice, f, d) for r in found if r.index for f in r.index.files for d in r.distributions]
    listed = [a_row(dice) for _ in range(dice.one_of(range(12)))] + [r for r in offered if dice.flip()]
    unique = {row.key: row for row in listed}
    return World(found, tuple(unique.values()), a_policy(dice))


def worlds() -> st.SearchStrategy[World]:
    return st.integers(0, 2**40).map(a_world)


# What may go wrong with a read, each for one repository of the world.

Fault = Callable[[Repository], Repository]


def _unsettled_architecture(repository: Repository) -> Repository:
    first, *rest = repository.architectures
    return replace(repository, architectures=(replace(first, problems=(builders.problem(),)), *rest))


FAULTS: Mapping[str, Fault] = {
    "no index": lambda r: replace(r, index=None),
    "unread": lambda r: replace(r, unread=True),
    "unread, no index, no result": lambda r: replace(
        r, index=None, unread=True, architectures=(), problems=(builders.problem(Reason.UNREAD),)
    ),
    "absent": lambda r: replace(
        r, index=None, architectures=(), problems=(builders.problem(Reason.REPOSITORY_ABSENT),)
    ),
    "unsettled": lambda r: replace(r, problems=(*r.problems, builders.problem(Reason.PUBLISHING))),
    "unsettled architecture": _unsettled_architecture,
    "no result": lambda r: replace(r, architectures=()),
    "no packages": lambda r: replace(r, architectures=tuple(replace(a, packages=()) for a in r.architectures)),
    "failed packages": lambda r: replace(r, architectures=tuple(_all_failed(a) for a in r.architectures)),
}


def _all_failed(architecture: Architecture) -> Architecture:
    return replace(architecture, packages=tuple(replace(p, code="failed") for p in architecture.packages))


def with_fault(world: World, number: int, fault: Fault) -> World:
    changed = list(world.repositories)
    changed[number % len(changed)] = fault(changed[number % len(changed)])
    return evolve(world, repositories=tuple(changed))


def left_out(repository: Repository) -> Repository:
    """The repository once the project's ``repositories`` filter no longer names it; its index is not read."""
    return replace(repository, filtered=True, index=None)


def left_out_but_read(repository: Repository) -> Repository:
    return replace(repository, filtered=True)


def sound(repository: Repository) -> bool:
    """Whether ``_result`` shows every file that the index lists, for packages that succeeded."""
    packages = [p for a in repository.architectures for p in a.packages]
    shown = {f.filename for p in packages for f in p.files}
    listed = {f.filename for f in repository.index.files} if repository.index else set()
    return bool(listed) and listed <= shown and all(p.code == "succeeded" for p in packages)


# The oracle.


def feeding(world: World, distribution: str) -> list[Repository]:
    return [r for r in world.repositories if distribution in r.distributions]


def published(world: World, distribution: str) -> list[tuple[Repository, IndexedFile]]:
    return [(r, f) for r in feeding(world, distribution) if r.index and not r.filtered for f in r.index.files]


def built(world: World, distribution: str) -> set[str]:
    return {
        f.filename for r in feeding(world, distribution) for a in r.architectures for p in a.packages for f in p.files
    }


def canonical(file: IndexedFile) -> str:
    return f"{file.name}-{file.version.version}-{file.version.release}.{file.architecture}.rpm"


def row_architecture(row: Row) -> str:
    """The rows whose architecture is not told have usual names, or none at all."""
    return row.architecture or row.filename.removesuffix(".rpm").rpartition(".")[2]


def place(row: Row) -> str:
    return f"{row.name}-{row.version}-{row.release}.{row_architecture(row)}.rpm"


def concerned(repository: Repository, architecture: str) -> list[Architecture]:
    if architecture in ARCHITECTURES:
        return [a for a in repository.architectures if a.name == architecture]
    return [a for a in repository.architectures if a.name not in repository.ignore_architectures]


def assert_settled(world: World, row: Row) -> None:
    for repository in feeding(world, row.distribution):
        found = concerned(repository, row_architecture(row))
        assert not repository.unread
        assert repository.filtered or repository.index is not None
        assert not repository.problems
        assert found
        assert not any(a.problems for a in found)


def rank(row: Row) -> int:
    return VERSIONS.index((row.epoch, row.version))


def same_group(row: Row, others: Iterable[Row]) -> list[Row]:
    key = (row.distribution, row.name, row_architecture(row), row.type)
    return [o for o in others if (o.distribution, o.name, row_architecture(o), o.type) == key]


def after(world: World, plan: Plan, *, named_by_header: bool = False) -> tuple[Row, ...]:
    """The listing after the plan was executed, by a server that keeps the names of uploads, or gives its own."""
    gone = {a.key for a in (*plan.replacements, *plan.deletions)}
    sources = {(r.project, r.name, f.path): f for r in world.repositories if r.index for f in r.index.files}
    left = {row.key: row for row in world.rows if row.key not in gone or row.type != "rpm"}
    for action in (*plan.uploads, *plan.replacements):
        file = sources[(action.source.project, action.source.repository, action.source.path)]
        name = canonical(file) if named_by_header else action.filename
        arrived = replace(builders.row(file, action.distribution), filename=name, created_at=NOW.isoformat())
        assert arrived.key not in left or left[arrived.key].type != "rpm", "the server refuses a name that is taken"
        left[arrived.key] = arrived
    return tuple(left.values())


def assert_right_deletion(world: World, plan: Plan, deletion: Deletion) -> None:
    """Every rule for one deletion, from the generated world alone."""
    row = next(r for r in world.rows if r.key == deletion.key)
    orphans = world.policy.orphans
    offered = published(world, deletion.distribution)
    assert orphans.action is OrphanAction.DELETE
    assert row.distribution in MANAGED and row.type == "rpm"
    assert row.sha256 is not None and (row.sha256, row.created_at) == (deletion.sha256, deletion.created_at)
    assert row.filename not in {f.filename for _, f in offered} | built(world, row.distribution)
    assert row.sha256 not in {f.sha256 for _, f in offered}
    assert not any("-libs-" in row.filename for _ in world.policy.exclude)
    assert not (orphans.protect and row.filename.startswith("tool-1"))
    assert_settled(world, row)
    claimed = "*" in orphans.names or row.name in orphans.names or row.uploader in orphans.uploaders
    assert claimed or any(f.name == row.name for _, f in offered)
    if deletion.reason is Reason.SUPERSEDED:
        assert_superseded(row, offered)
    else:
        assert deletion.reason is Reason.GONE
        assert_gone(world, row, offered)
    assert_retained(world, plan, row, gone=deletion.reason is Reason.GONE)
    age = NOW - datetime.fromisoformat(row.created_at)
    assert age >= orphans.min_age
    if orphans.grace:
        assert_grace(world, deletion)


def assert_superseded(row: Row, offered: list[tuple[Repository, IndexedFile]]) -> None:
    newer = [
        (r, f)
        for r, f in offered
        if (f.name, f.architecture) == (row.name, row_architecture(row))
        and VERSIONS.index((f.version.epoch, f.version.version)) > rank(row)
    ]
    codes = [
        {p.code for a in r.architectures for p in a.packages for b in p.files if b.filename == f.filename}
        for r, f in newer
    ]
    assert {"succeeded"} in codes


def assert_gone(world: World, row: Row, offered: list[tuple[Repository, IndexedFile]]) -> None:
    assert not any(f.name == row.name for _, f in offered)
    for repository in feeding(world, row.distribution):
        for architecture in concerned(repository, row_architecture(row)):
            assert architecture.packages
            without = [p for p in architecture.packages if not p.files and p.code != "excluded"]
            assert not without or world.policy.orphans.without_files == ("*",)


def assert_retained(world: World, plan: Plan, row: Row, *, gone: bool) -> None:
    orphans = world.policy.orphans
    named = row.name in orphans.names or "*" in orphans.names
    keep = 0 if gone and named and orphans.gone is GoneRule.DELETE else orphans.keep_versions or 0
    left = same_group(row, after(world, plan))
    assert all(r.epoch is not None for r in left)
    newer = {rank(r) for r in same_group(row, (*left, *world.rows)) if rank(r) > rank(row)}
    stay = {rank(r) for r in left}
    assert len(newer) >= keep
    assert stay or named
    assert len(stay) >= min(keep, len(stay) + 1)


def assert_grace(world: World, deletion: Deletion) -> None:
    assert deletion.evidence.superseded_by is not None
    key = f"{deletion.distribution}/{deletion.evidence.superseded_by.filename}"
    since = next(r.created_at for r in world.rows if r.key == key)
    assert NOW - datetime.fromisoformat(since) >= world.policy.orphans.grace


def assert_right_replacement(world: World, replacement: Replacement) -> None:
    row = next(r for r in world.rows if r.key == replacement.key)
    elsewhere = {r.sha256 for r in world.rows if r.distribution == row.distribution and r is not row}
    first = next(
        f
        for _, f in published(world, row.distribution)
        if row.filename in (f.filename, canonical(f)) or place(row) == canonical(f)
        if _passes(world, f, row)
        if f.sha256 != row.sha256 or f.sha256 not in elsewhere  # else that row is the file's, and this one a copy
    )
    assert (first.name, first.architecture) == (row.name, row_architecture(row))
    assert row.type == "rpm" and row.distribution in MANAGED
    assert row.sha256 is not None and (row.sha256, row.created_at) == (
        replacement.old.sha256,
        replacement.old.created_at,
    )
    assert replacement.sha256 == first.sha256 != row.sha256
    assert world.policy.rebuilds == "replace"
    assert_settled(world, row)


def _passes(world: World, file: IndexedFile, row: Row) -> bool:
    """Whether the repository that publishes the file wants its architecture."""
    owner = next(r for r, f in published(world, row.distribution) if f is file)
    wanted = owner.filter_architectures
    return wanted is None or file.architecture in (*wanted, "noarch")
