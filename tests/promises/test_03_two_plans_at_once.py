"""Promise 3: two plans applied at once from two machines delete and lose nothing that neither of them names.

There is no remote lock. The requests of both machines are interleaved by a seed: it draws whose request goes next.
"""

import random
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from attrs import define, field
from msgspec.structs import replace

from pkgsync.cache import Cache
from pkgsync.model import ActualState, Plan, Receipt
from pkgsync.packagecloud.client import PackagecloudClient
from pkgsync.packagecloud.gather import gather
from pkgsync.sandbox import PROJECT, REPOSITORY, Sandbox
from pkgsync.session import Session
from tests.support.scope import EVERYTHING
from tests.support.worlds.apply_world import JAMMY, LEAP, MANAGED, POLICY, World, deb, rpm, sha

SEEDS = 60 if EVERYTHING else 2
NEW, MORE, FAR = rpm(version="3.0"), rpm("more"), rpm("far")
OLD, OLDER = rpm(version="2.0"), rpm(version="1.0")
BEFORE, AFTER = deb(salt="before"), deb(salt="after")
BYSTANDERS = {
    f"{LEAP}/stranger-1.0-1.x86_64.rpm": rpm("stranger"),
    f"{JAMMY}/stranger_1.0-1_amd64.deb": deb("stranger"),
    "el/9/hello-1.0-1.x86_64.rpm": rpm(),
}


@define(eq=False)
class Turns:
    """Lets one request pass at a time: of the machine that the seed draws, as long as both are at work."""

    choose: random.Random
    alive: set[int] = field(factory=lambda: {0, 1})
    turn: int = 0
    passed: list[int] = field(factory=list)
    _moved: threading.Condition = field(factory=threading.Condition)

    def take(self, machine: int) -> None:
        with self._moved:
            assert self._moved.wait_for(lambda: self.turn == machine or machine not in self.alive, 60)
            self.passed.append(machine)

    def give(self) -> None:
        with self._moved:
            self.turn = self.choose.choice(sorted(self.alive or {0}))
            self._moved.notify_all()

    def leave(self, machine: int) -> None:
        with self._moved:
            self.alive.discard(machine)
        self.give()


class Interleaved(Session):
    """A session whose requests wait for their turn."""

    turns: Turns
    machine: int

    def _send(self, *arguments: Any, **options: Any) -> Any:
        self.turns.take(self.machine)
        try:
            return super()._send(*arguments, **options)
        finally:
            self.turns.give()


@define
class Machine(World):
    """One of two machines; its requests to Packagecloud wait for their turns while there are ``turns``."""

    number: int = 0
    turns: Turns | None = None

    def client(self) -> PackagecloudClient:
        client = World.client(self)
        if self.turns is not None:
            session: Any = client.session
            session.__class__ = Interleaved
            session.turns, session.machine = self.turns, self.number
        return client

    def actual(self) -> ActualState:
        return gather(self.client(), MANAGED, now=self.now)

    def work(self, plan: Plan) -> Receipt:
        return self.apply(plan, jobs=1, skip_stale=True, client=self.client())


def both(worlds: list[Machine], plans: list[Plan], seed: int) -> tuple[list[Receipt], Turns]:
    """Apply each plan from its machine, at once."""
    turns = Turns(random.Random(seed))
    receipts: dict[int, Receipt] = {}
    errors: list[BaseException] = []

    def work(machine: int) -> None:
        worlds[machine].turns = turns
        try:
            receipts[machine] = worlds[machine].work(plans[machine])
        except BaseException as error:
            errors.append(error)
        finally:
            worlds[machine].turns = None
            turns.leave(machine)

    threads = [threading.Thread(target=work, args=(machine,)) for machine in (0, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    return [receipts[0], receipts[1]], turns


@pytest.fixture
def worlds(tmp_path: Path) -> Iterator[list[Machine]]:
    with Sandbox() as sandbox:
        one, two = (Machine(sandbox, tmp_path / name, number=number) for number, name in enumerate(("one", "two")))
        one.publish(NEW, MORE)
        one.publish(AFTER)
        one.put(OLD)
        one.put(OLDER)
        one.put(BEFORE, JAMMY)
        for key, artifact in BYSTANDERS.items():
            one.put(artifact, key.rpartition("/")[0])
        yield [one, two]


def one_deletes_less(worlds: list[Machine]) -> list[Plan]:
    """Both upload and replace the same; the second keeps one more version."""
    worlds[1].policy = replace(POLICY, orphans=replace(POLICY.orphans, keep_versions=2))
    return [world.plan() for world in worlds]


def one_only_adds(worlds: list[Machine]) -> list[Plan]:
    whole = worlds[0].plan()
    return [whole, replace(whole, digest="sha256:" + "2" * 64, deletions=(), replacements=())]


def each_replaces_the_same_differently(worlds: list[Machine]) -> list[Plan]:
    """The second plan was made after a rebuild, the first before; both are applied after it."""
    first = worlds[0].plan()
    worlds[0].publish(deb(salt="later"))
    worlds[0].publish(NEW, MORE, FAR)
    return [first, worlds[1].plan()]


def one_wants_what_the_other_deletes(worlds: list[Machine]) -> list[Plan]:
    """An old version is offered again when the second plan is made, and deleted by the first, which has seen it gone."""
    first = worlds[0].plan()
    worlds[0].remove(OLDER)
    worlds[0].publish(NEW, MORE, OLDER)
    return [first, worlds[1].plan()]


PAIRS = [one_deletes_less, one_only_adds, each_replaces_the_same_differently, one_wants_what_the_other_deletes]


def contents(plan: Plan, key: str) -> set[str | None]:
    """What a plan may make of a key."""
    coming: set[str | None] = {a.sha256 for a in (*plan.uploads, *plan.replacements) if a.key == key}
    return coming | {None for a in plan.deletions if a.key == key}


def kept(worlds: list[Machine], sha256: str) -> bool:
    return any(Cache(world.folder / "backups").path(sha256) is not None for world in worlds)


def assert_nothing_else_happened(worlds: list[Machine], plans: list[Plan], before: dict[str, str]) -> None:
    now = worlds[0].content
    for key in before.keys() | now.keys():
        allowed = {before.get(key)}.union(*(contents(plan, key) for plan in plans))
        assert now.get(key) in allowed, f"{key} was named by neither plan"
    for key, sha256 in before.items():
        assert now.get(key) == sha256 or kept(worlds, sha256), f"the bytes of {key} are lost"
    for key, artifact in BYSTANDERS.items():
        assert now[key] == sha(artifact)


@pytest.mark.parametrize("pair", PAIRS, ids=lambda pair: pair.__name__)
def test_nothing_is_deleted_or_lost_that_neither_plan_names(
    worlds: list[Machine], pair: Callable[[list[Machine]], list[Plan]], capsys: pytest.CaptureFixture[str]
) -> None:
    plans = pair(worlds)
    assert plans[0].digest != plans[1].digest
    start, schedules = dict(worlds[0].sandbox.packagecloud.repositories[REPOSITORY]), set()
    before = worlds[0].content
    for seed in range(SEEDS):
        server = worlds[0].sandbox.packagecloud.repositories[REPOSITORY]
        server.clear()
        server.update(start)
        for world in worlds:
            world.folder = world.folder.parent / f"{world.folder.name.partition('-')[0]}-{seed}"
            world.folder.mkdir()
        receipts, turns = both(worlds, plans, seed)
        schedules.add(tuple(turns.passed))
        assert_nothing_else_happened(worlds, plans, before)
        for world, plan, receipt in zip(worlds, plans, receipts, strict=True):
            for line in receipt.lines:
                if str(line.outcome) == "done" and line.action != "deletion":
                    assert line.key in worlds[0].content, f"{line.key} has arrived, and is gone with seed {seed}"
                if str(line.outcome) == "done" and line.action == "deletion":
                    assert line.key in {a.key for a in plan.deletions}
                    assert kept([world], line.sha256)
        for world in worlds:  # a plan of now sets right whatever the two left behind
            assert world.apply(world.plan()).exit_code == 0
        wanted = set(published(worlds[0]))
        assert wanted <= {key.rpartition("/")[2] for key in worlds[0].content}, f"seed {seed}"
    with capsys.disabled():
        print(f"\ntwo plans at once: {len(schedules)} interleavings ({pair.__name__})")
    assert len(schedules) > SEEDS // 2


def published(world: World) -> list[str]:
    """What OBS publishes now."""
    return [
        path.rpartition("/")[2]
        for repository in world.sandbox.obs.add_project(PROJECT).repositories.values()
        for path in repository.files
    ]
