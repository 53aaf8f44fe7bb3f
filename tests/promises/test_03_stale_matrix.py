"""Promise 3: each single change of either world between plan and apply touches exactly the actions that it is about.

One plan with every kind of action. A stale action stops the run before its first change; where a change only finishes
an action, or leaves it for later, all others are done.
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve
from msgspec.structs import replace

from pkgsync.errors import ConfigError
from pkgsync.model import Policy
from pkgsync.sandbox import ARCHIVE, PROJECT, Artifact, Fault, Kind, Reply
from tests.support.scope import sample
from tests.support.worlds.apply_world import ARCHIVING, JAMMY, LEAP, World, deb, open_world, rpm

NEW, OLD, KEPT, MORE = rpm(version="3.0"), rpm(version="2.0"), rpm(version="1.0"), rpm("more")
BEFORE, AFTER, OTHER = deb(salt="before"), deb(salt="after"), deb("other")
UPLOAD, MOVE, DELETE = MORE.filename, OLD.filename, KEPT.filename
REPLACE, SECOND = AFTER.filename, OTHER.filename
ALL = {UPLOAD, MOVE, DELETE, REPLACE, SECOND}
LATER = "2026-06-01T00:00:00.000Z"


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with open_world(tmp_path) as world:
        world.policy = ARCHIVING
        world.publish(NEW, MORE)
        world.publish(AFTER, OTHER)
        for artifact in (NEW, OLD, KEPT):
            world.put(artifact)
        world.put(KEPT, repository=ARCHIVE)
        world.put(BEFORE, JAMMY)
        yield world


def put(artifact: Artifact, distribution: str = LEAP, **more: Any) -> Callable[[World], None]:
    return lambda world: world.put(artifact, distribution, **more)


def remove(artifact: Artifact, distribution: str = LEAP, repository: str = "demo/testing") -> Callable[[World], None]:
    return lambda world: world.remove(artifact, distribution, repository)


def swap(old: Artifact, new: Artifact, distribution: str = LEAP) -> Callable[[World], None]:
    def swapped(world: World) -> None:
        world.remove(old, distribution)
        world.put(new, distribution, created_at=LATER)

    return swapped


def publish(*artifacts: Artifact) -> Callable[[World], None]:
    return lambda world: world.publish(*artifacts)


def become(policy: Policy) -> Callable[[World], None]:
    return lambda world: setattr(world, "policy", policy)


def orphans(**changes: Any) -> Callable[[World], None]:
    return become(replace(ARCHIVING, orphans=replace(ARCHIVING.orphans, **changes)))


def move_by_hand(world: World) -> None:
    world.remove(OLD)
    world.put(OLD, repository=ARCHIVE)


def lose_every_checksum(world: World) -> None:
    world.sandbox.packagecloud.sha_delay = None


def drop_repository(world: World) -> None:
    del world.sandbox.obs.add_project(PROJECT).repositories["openSUSE_Leap_15.6"]


def unsettle(name: str) -> Callable[[World], None]:
    return lambda world: world.unsettle(name)


def all_of(outcome: str, reason: str | None, *names: str) -> dict[str, tuple[str, str | None]]:
    return dict.fromkeys(names, (outcome, reason))


def stale(reason: str, *names: str) -> dict[str, tuple[str, str | None]]:
    return all_of("stale", reason, *names)


def already(*names: str) -> dict[str, tuple[str, str | None]]:
    return all_of("already-done", None, *names)


def left(*names: str) -> dict[str, tuple[str, str | None]]:
    return all_of("left", "unsettled", *names)


Touched = dict[str, tuple[str, str | None]]
MATRIX: dict[str, tuple[Callable[[World], None], Touched]] = {
    # a row
    "upload: row added, equal": (put(MORE), already(UPLOAD)),
    "upload: row added, other bytes": (put(rpm("more", salt="x")), stale("target-changed", UPLOAD)),
    "archiving: row removed": (remove(OLD), stale("neither-place", MOVE)),
    "archiving: moved by somebody else": (move_by_hand, already(MOVE)),
    "archiving: row replaced": (swap(OLD, rpm(version="2.0", salt="x")), stale("target-changed", MOVE)),
    "archiving: equal bytes again": (swap(OLD, OLD), stale("target-changed", MOVE)),
    "archiving: archive holds it": (put(OLD, repository=ARCHIVE), stale("already-archived", MOVE)),
    "archiving: archive holds other bytes": (
        put(rpm(version="2.0", salt="x"), repository=ARCHIVE),
        stale("archive-clash", MOVE),
    ),
    "deletion: row removed": (remove(KEPT), already(DELETE)),
    "deletion: row replaced": (swap(KEPT, rpm(version="1.0", salt="x")), stale("target-changed", DELETE)),
    "deletion: equal bytes again": (swap(KEPT, KEPT), stale("target-changed", DELETE)),
    "deletion: archive lost it": (remove(KEPT, repository=ARCHIVE), stale("target-changed", DELETE)),
    "replacement: row removed": (remove(BEFORE, JAMMY), {}),
    "replacement: row has the new bytes": (swap(BEFORE, AFTER, JAMMY), already(REPLACE)),
    "replacement: row has other bytes": (swap(BEFORE, deb(salt="x"), JAMMY), stale("target-changed", REPLACE)),
    "replacement: equal bytes again": (swap(BEFORE, BEFORE, JAMMY), stale("target-changed", REPLACE)),
    "every checksum unknown": (lose_every_checksum, stale("target-changed", MOVE, DELETE, REPLACE)),
    "a foreign row": (put(rpm("foreign")), {}),
    "a foreign row in another distribution": (put(rpm("foreign"), "el/9"), {}),
    # OBS
    "upload: rebuilt": (publish(NEW, rpm("more", salt="x")), stale("source-changed", UPLOAD)),
    "upload: gone from OBS": (publish(NEW), stale("source-changed", UPLOAD)),
    "archiving: offered again": (publish(NEW, MORE, OLD), stale("wanted-again", MOVE)),
    "deletion: offered again": (publish(NEW, MORE, KEPT), stale("wanted-again", DELETE)),
    "replacement: rebuilt once more": (publish(deb(salt="x"), OTHER), stale("source-changed", REPLACE)),
    "replacement: gone from OBS": (publish(OTHER), stale("source-changed", REPLACE)),
    "unsettled rpm": (unsettle("openSUSE_Leap_15.6"), left(MOVE, DELETE)),
    "unsettled deb": (unsettle("xUbuntu_22.04"), left(REPLACE)),
    # the config
    "the repository left the config": (drop_repository, stale("policy-changed", UPLOAD) | left(MOVE, DELETE)),
    "protected": (orphans(protect=("hello-2*",)), stale("policy-changed", MOVE)),
    "more versions kept": (orphans(keep_versions=2), stale("policy-changed", MOVE)),
    "excluded": (become(replace(ARCHIVING, exclude=("hello-1*",))), stale("policy-changed", DELETE)),
    "rebuilds held": (become(replace(ARCHIVING, rebuilds="hold")), stale("policy-changed", REPLACE)),
}


@pytest.mark.parametrize("change", sample(list(MATRIX), 2))
def test_a_change_touches_what_it_is_about_and_nothing_else(world: World, change: str) -> None:
    plan = world.plan()
    assert {action.filename for action in plan.actions} == ALL
    make, touched = MATRIX[change]
    make(world)
    before = world.content, world.content_of(ARCHIVE)
    receipt = world.apply(plan)

    is_stale = any(outcome == "stale" for outcome, _ in touched.values())
    others = all_of("left" if is_stale else "done", None, *(ALL - touched.keys()))
    assert {line.filename: (str(line.outcome), line.reason) for line in receipt.lines} == others | touched
    is_left = any(outcome == "left" for outcome, _ in touched.values())
    assert receipt.exit_code == (4 if is_stale else 5 if is_left else 0)
    if is_stale:
        assert (world.count("POST"), world.count("DELETE")) == (0, 0)
        assert (world.content, world.content_of(ARCHIVE)) == before


@pytest.mark.parametrize("managed", [LEAP, JAMMY])
def test_a_distribution_that_is_no_longer_managed(world: World, managed: str) -> None:
    plan = world.plan()
    receipt = world.apply(plan, config=world.config({managed}))
    gone = {line.filename for line in receipt.lines if line.distribution != managed}
    assert {line.filename: line.reason for line in receipt.lines if str(line.outcome) == "stale"} == dict.fromkeys(
        gone, "policy-changed"
    )
    assert (receipt.exit_code, world.count("POST"), world.count("DELETE")) == (4, 0, 0)


def test_a_distribution_that_packagecloud_no_longer_has(world: World) -> None:
    plan = world.plan()

    def forget(reply: Reply) -> Reply:
        return evolve(reply, body=reply.body.replace(b'"15.6"', b'"15.9"'))

    path = r"/distributions\.json"
    world.sandbox.packagecloud.faults.add(Fault(kind=Kind.REWRITE, path=path, times=None, change=forget))
    with pytest.raises(ConfigError, match=r"opensuse/15\.6"):
        world.apply(plan)
    assert (world.count("POST"), world.count("DELETE")) == (0, 0)
