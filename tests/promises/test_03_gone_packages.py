"""Promise 3, for whole packages that are gone: they leave only while the config of now says so, and an undo brings them
back.
"""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from pkgsync.model import GoneRule
from pkgsync.reasons import Reason
from pkgsync.sandbox import ARCHIVE, Artifact
from tests.support.values import builders
from tests.support.worlds.apply_world import ARCHIVING, LEAP, POLICY, World, open_world, outcomes, rpm
from tests.support.worlds.undoing_world import undo

NEW, OLD, STAYS = rpm(version="2.0"), rpm(version="1.0"), rpm("keep", "1.0")
GONE = replace(POLICY, orphans=replace(POLICY.orphans, names=("hello",), gone=GoneRule.DELETE))


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with open_world(tmp_path) as world:
        world.policy = GONE
        world.publish(STAYS)
        for artifact in (NEW, OLD, STAYS):
            world.put(artifact)
        yield world


def keys(*artifacts: Artifact) -> list[str]:
    return [f"{LEAP}/{artifact.filename}" for artifact in artifacts]


def test_a_package_that_is_gone_leaves_with_all_its_versions_and_comes_back(world: World) -> None:
    before, plan = world.content, world.plan()
    assert [(d.key, d.reason) for d in plan.deletions] == [(key, Reason.GONE) for key in keys(OLD, NEW)]
    receipt = world.apply(plan)
    assert (receipt.exit_code, [*world.content]) == (0, keys(STAYS))
    assert world.plan().actions == ()
    back = undo(world, receipt)
    assert world.apply(back, receipt=world.folder / "back.json").exit_code == 0
    assert world.content == before


def test_it_is_archived_the_same_way(world: World) -> None:
    world.policy = replace(ARCHIVING, orphans=replace(ARCHIVING.orphans, names=("hello",), gone=GoneRule.DELETE))
    plan = world.plan()
    assert [a.key for a in plan.archivings] == keys(OLD, NEW)
    assert world.apply(plan).exit_code == 0
    assert ([*world.content], sorted(world.content_of(ARCHIVE))) == (keys(STAYS), keys(OLD, NEW))


def keep_what_is_gone(world: World) -> None:
    world.policy = replace(GONE, orphans=replace(GONE.orphans, gone=GoneRule.KEEP))


def claim_it_no_more(world: World) -> None:
    world.policy = replace(GONE, orphans=replace(GONE.orphans, names=()))


def protect_it(world: World) -> None:
    world.policy = replace(GONE, orphans=replace(GONE.orphans, protect=("hello*",)))


@pytest.mark.parametrize(
    ("change", "old"), [(keep_what_is_gone, "left"), (claim_it_no_more, "stale"), (protect_it, "stale")]
)
def test_a_config_that_no_longer_says_so_stops_the_apply(
    world: World, change: Callable[[World], None], old: str
) -> None:
    """Where only the newest version must stay, the other one still may go, but not in this run."""
    plan, before = world.plan(), world.content
    change(world)
    receipt = world.apply(plan)
    assert outcomes(receipt) == {OLD.filename: old, NEW.filename: "stale"}
    assert next(line.reason for line in receipt.lines if line.filename == NEW.filename) == "policy-changed"
    assert (receipt.exit_code, world.count("DELETE"), world.content) == (4, 0, before)


def test_a_name_that_obs_offers_again_is_not_gone(world: World) -> None:
    plan, before = world.plan(), world.content
    world.publish(rpm(version="0.5"), STAYS)
    receipt = world.apply(plan)
    assert outcomes(receipt) == {OLD.filename: "stale", NEW.filename: "stale"}
    assert (receipt.exit_code, world.count("DELETE"), world.content) == (4, 0, before)


def test_a_distribution_that_would_vanish_is_still_refused() -> None:
    hello, other = builders.rpm(), builders.rpm("other")
    plan = builders.plan([builders.repository(other)], [builders.row(hello)], replace(GONE, exclude=("other*",)))
    assert ([d.filename for d in plan.deletions], plan.applyable) == ([hello.filename], False)
    assert [limit.limit for limit in plan.exceeded] == ["vanish"]
