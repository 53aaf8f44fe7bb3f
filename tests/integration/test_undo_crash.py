"""An undo killed at any of its steps and run again ends in the world before the apply that it takes back."""

import copy
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from attrs import define, evolve

from pkgsync import planfile
from pkgsync.model import Plan
from pkgsync.sandbox import ARCHIVE, Artifact
from tests.support.faults.crash import attempt_of, run_until
from tests.support.scope import sample
from tests.support.worlds.apply_world import ARCHIVING, LEAP, World, open_world, rpm
from tests.support.worlds.undoing_world import undo

NEW, OLD, FIRST, REBUILT = rpm(version="2.0"), rpm(version="1.0"), rpm("swapped"), rpm("swapped", salt="new")
STEPS = sample(range(1, 2000), 20)
FEWEST_STEPS = 60


@define
class Snapshot:
    """The server and the machine right after an apply, to begin again from."""

    world: World
    before: dict[str, str]
    plan: Plan
    rows: dict[str, dict[tuple[str, str], object]]

    @classmethod
    def of(cls, world: World, before: dict[str, str], plan: Plan) -> "Snapshot":
        shutil.copytree(world.folder / "machine", world.folder / "kept")
        return cls(world, before, plan, _copies(world.sandbox.packagecloud.repositories))

    def restore(self) -> None:
        server = self.world.sandbox.packagecloud
        for name, rows in _copies(self.rows).items():
            server.repositories[name] = rows  # type: ignore[assignment]
        shutil.rmtree(self.world.folder / "machine")
        shutil.copytree(self.world.folder / "kept", self.world.folder / "machine")


def _copies(repositories: object) -> dict[str, dict[tuple[str, str], object]]:
    return {name: {key: copy.copy(row) for key, row in rows.items()} for name, rows in repositories.items()}  # type: ignore[attr-defined]


@pytest.fixture
def applied(tmp_path: Path) -> Iterator[Snapshot]:
    """An apply that uploaded, replaced and archived, and its undo."""
    with open_world(tmp_path) as world:
        world.policy = ARCHIVING
        world.publish(NEW, REBUILT)
        for artifact in (OLD, FIRST):
            world.put(artifact)
        before = world.content
        machine = evolve_folder(world)
        receipt = machine.apply(machine.plan())
        assert (receipt.exit_code, len(receipt.lines)) == (0, 3)
        yield Snapshot.of(world, before, undo(machine, receipt))


def evolve_folder(world: World) -> World:
    (world.folder / "machine").mkdir(exist_ok=True)
    return evolve(world, folder=world.folder / "machine")


def key(artifact: Artifact) -> str:
    return f"{LEAP}/{artifact.filename}"


def test_killed_and_run_again(applied: Snapshot) -> None:
    machine, data = evolve_folder(applied.world), planfile.dumps(applied.plan)
    killed = 0
    for step in STEPS:
        applied.restore()
        if not run_until(attempt_of(machine, data, machine.folder), step):
            break
        killed += 1
        receipt = machine.apply(applied.plan)
        assert (machine.content, machine.content_of(ARCHIVE)) == (applied.before, {}), f"killed at step {step}"
        assert {str(line.outcome) for line in receipt.lines} == {"done"}, f"killed at step {step}"
        again = machine.apply(undo(machine, receipt))
        assert (again.exit_code, set(machine.content)) == (0, {key(NEW), key(REBUILT)}), f"killed at step {step}"
        assert set(machine.content_of(ARCHIVE)) == {key(OLD)}
    print(f"killed at {killed} steps")
    assert STEPS[killed] > FEWEST_STEPS
