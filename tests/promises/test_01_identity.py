"""Promise 1, whatever the files are called: a name is a locator, and no name makes a package gone.

Every file of a random world gets another name, in its index and in what is built.
"""

from collections.abc import Callable
from random import Random

from attrs import evolve
from hypothesis import assume, given
from hypothesis import strategies as st
from msgspec.structs import replace

from pkgsync.model import Architecture, BuiltPackage, IndexedFile, Repository
from pkgsync.reasons import Reason
from tests.support.values.strategies import filenames
from tests.support.worlds import worlds
from tests.support.worlds.worlds import SETTINGS, World

Naming = Callable[[str], str]
seeds = st.integers(0, 2**40)
STYLES = ("{name}.rpm", "{name}_{number}_Linux-64bit.rpm", "pkg{number}.rpm", "{name}-{number}-1-x86_64.rpm", "{old}")


def renaming(world: World, seed: int) -> Naming:
    """Another name for each that OBS has, never that of two files. Some keep theirs."""
    random = Random(seed)
    listed = {f for r in world.repositories if r.index for f in r.index.files}
    names = {f.filename: f.name for f in sorted(listed, key=lambda f: (f.filename, f.sha256))}
    new: dict[str, str] = {}
    for number, (old, name) in enumerate(sorted(names.items())):
        wanted = random.choice(STYLES).format(name=name, number=number, old=old)
        new[old] = f"again{number}.rpm" if wanted in new.values() else wanted
    return lambda name: new.get(name, name)


def renamed(world: World, naming: Naming) -> World:
    return evolve(world, repositories=tuple(_repository(r, naming) for r in world.repositories))


def _repository(repository: Repository, naming: Naming) -> Repository:
    index = repository.index and replace(
        repository.index, files=tuple(_file(f, naming(f.filename)) for f in repository.index.files)
    )
    return replace(
        repository, index=index, architectures=tuple(_architecture(a, naming) for a in repository.architectures)
    )


def _architecture(architecture: Architecture, naming: Naming) -> Architecture:
    return replace(architecture, packages=tuple(_package(p, naming) for p in architecture.packages))


def _package(package: BuiltPackage, naming: Naming) -> BuiltPackage:
    return replace(package, files=tuple(replace(f, filename=naming(f.filename)) for f in package.files))


def _file(file: IndexedFile, name: str) -> IndexedFile:
    return replace(file, filename=name, path=f"{file.architecture}/{name}")


def unfiltered(world: World) -> World:
    """Globs of the config are about file names, so that they do see another world."""
    return evolve(world, policy=replace(world.policy, exclude=()))


@SETTINGS
@given(worlds.worlds(), seeds)
def test_other_names_never_add_a_deletion(world: World, seed: int) -> None:
    """Compared with usual names, as odd ones can be in each other's way."""
    world = unfiltered(world)
    assume(
        all(f.filename == worlds.canonical(f) for r in world.repositories for f in (r.index.files if r.index else ()))
    )
    assume(all(row.filename == worlds.place(row) for row in world.rows))
    before = {d.key for d in world.plan().deletions}
    assert {d.key for d in renamed(world, renaming(world, seed)).plan().deletions} <= before


@SETTINGS
@given(worlds.worlds(), seeds)
def test_every_deletion_and_replacement_is_right_under_other_names(world: World, seed: int) -> None:
    world = renamed(world, renaming(world, seed))
    plan = world.plan()
    for deletion in plan.deletions:
        worlds.assert_right_deletion(world, plan, deletion)
    for replacement in plan.replacements:
        worlds.assert_right_replacement(world, replacement)


@SETTINGS
@given(worlds.worlds(), seeds, st.booleans())
def test_other_names_converge(world: World, seed: int, named_by_header: bool) -> None:
    world = renamed(world, renaming(world, seed))
    rows = worlds.after(world, world.plan(), named_by_header=named_by_header)
    assert evolve(world, rows=rows).plan().actions == ()


@SETTINGS
@given(worlds.worlds(), st.lists(filenames, min_size=40, max_size=40, unique=True))
def test_what_an_index_offers_is_never_gone(world: World, names: list[str]) -> None:
    """Not even where the row is of another version, or has a name without any sense, and the config claims it all."""
    orphans = replace(world.policy.orphans, keep_versions=0, names=("*",), protect=(), without_files=("*",))
    world = evolve(world, policy=replace(world.policy, orphans=orphans))
    spare = iter(names)
    given_names: dict[str, str] = {}
    world = renamed(world, lambda name: given_names.setdefault(name, next(spare, name)))
    rows = tuple(replace(row, filename=next(spare, row.filename)) for row in world.rows)
    world = evolve(world, rows=tuple({row.key: row for row in rows}.values()))
    offered = {
        (distribution, f.type.value, f.name, f.architecture)
        for r in world.repositories
        for distribution in r.distributions
        for f in (r.index.files if r.index else ())
    }
    gone = {d.key for d in world.plan().deletions if d.reason is Reason.GONE}
    of = {row.key: (row.distribution, row.type, row.name, worlds.row_architecture(row)) for row in world.rows}
    assert not {of[key] for key in gone} & offered


def test_other_names_do_leave_deletions_and_replacements() -> None:
    plans = [renamed(w, renaming(w, n)).plan() for n in range(200) for w in [worlds.a_world(n)]]
    assert {d.reason for plan in plans for d in plan.deletions} == {Reason.SUPERSEDED, Reason.GONE}
    assert any(r.filename != r.source.path.rpartition("/")[2] for plan in plans for r in plan.replacements)
