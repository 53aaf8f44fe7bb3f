"""Promise 1: no false delete. Random worlds against an oracle that knows only the rules."""

from datetime import timedelta
from typing import Any

import pytest
from attrs import evolve
from hypothesis import assume, example, given
from hypothesis import strategies as st
from msgspec.structs import replace

from pkgsync.model import Plan, Policy
from pkgsync.reasons import Reason
from tests.support.worlds import worlds
from tests.support.worlds.worlds import FAULTS, GLOBS, SETTINGS, World


def taken_away(plan: Plan) -> set[str]:
    return {d.key for d in plan.deletions}


def touched(plan: Plan) -> set[str]:
    return taken_away(plan) | {r.key for r in plan.replacements}


@pytest.mark.parametrize("reason", [Reason.SUPERSEDED, Reason.GONE])
def test_the_random_worlds_do_hold_deletions(reason: Reason) -> None:
    plans = (worlds.a_world(seed).plan() for seed in range(300))
    assert any(d.reason is reason for plan in plans for d in plan.deletions)


def test_the_random_worlds_do_hold_replacements() -> None:
    assert any(worlds.a_world(seed).plan().replacements for seed in range(300))


@SETTINGS
@given(worlds.worlds())
def test_every_deletion_and_replacement_is_right(world: World) -> None:
    plan = world.plan()
    for deletion in plan.deletions:
        worlds.assert_right_deletion(world, plan, deletion)
    for replacement in plan.replacements:
        worlds.assert_right_replacement(world, replacement)


@SETTINGS
@given(worlds.worlds(), st.sampled_from(sorted(FAULTS)), st.integers(0, 2))
def test_a_failed_read_never_adds_a_deletion_or_a_replacement(world: World, fault: str, number: int) -> None:
    assert touched(worlds.with_fault(world, number, FAULTS[fault]).plan()) <= touched(world.plan())


@SETTINGS
@given(
    worlds.worlds(),
    st.sampled_from(["no index", "unread", "unread, no index, no result", "absent", "unsettled", "no result"]),
    st.integers(0, 2),
)
def test_a_failed_read_leaves_its_distributions_alone(world: World, fault: str, number: int) -> None:
    broken = worlds.with_fault(world, number, FAULTS[fault])
    assume(not broken.repositories[number % len(broken.repositories)].filtered)
    fed = broken.repositories[number % len(broken.repositories)].distributions
    assert not [key for key in touched(broken.plan()) if key.startswith(tuple(f"{name}/" for name in fed))]


@SETTINGS
@given(worlds.worlds(), st.integers(0, 2))
def test_leaving_out_a_repository_never_adds_a_deletion(world: World, number: int) -> None:
    """Its newer versions no longer restart the grace of a row; that is why there is none here.

    Nor are those missed that its filter kept away.
    """
    world = with_policy(world, orphans=replace(world.policy.orphans, grace=timedelta(0)))
    target = world.repositories[number % len(world.repositories)]
    assume(target.index is not None and not target.unread)
    before = taken_away(world.plan())
    assert taken_away(worlds.with_fault(world, number, worlds.left_out_but_read).plan()) <= before
    if worlds.sound(target) and target.filter_architectures is None:
        assert taken_away(worlds.with_fault(world, number, worlds.left_out).plan()) <= before


@SETTINGS
@given(worlds.worlds(), st.integers(0, 2), st.sampled_from([("x86_64",), ("aarch64",), ()]))
def test_leaving_out_an_architecture_never_adds_a_deletion(world: World, number: int, wanted: tuple[str, ...]) -> None:
    target = world.repositories[number % len(world.repositories)]
    assume(target.filter_architectures is None)
    narrowed = worlds.with_fault(world, number, lambda r: replace(r, filter_architectures=wanted))
    assert taken_away(narrowed.plan()) <= taken_away(world.plan())


@SETTINGS
@given(worlds.worlds(), st.sampled_from(GLOBS))
def test_a_new_exclude_never_adds_a_deletion(world: World, glob: str) -> None:
    assert taken_away(with_policy(world, exclude=(*world.policy.exclude, glob)).plan()) <= taken_away(world.plan())


@SETTINGS
@given(worlds.worlds(), st.sampled_from(GLOBS))
def test_a_narrower_include_never_adds_a_deletion(world: World, glob: str) -> None:
    assert taken_away(with_policy(world, include=(glob,)).plan()) <= taken_away(world.plan())


@SETTINGS
@given(worlds.worlds())
def test_keeping_more_versions_never_adds_a_deletion(world: World) -> None:
    more = replace(world.policy.orphans, keep_versions=(world.policy.orphans.keep_versions or 0) + 1)
    assert taken_away(with_policy(world, orphans=more).plan()) <= taken_away(world.plan())


# a row that has the file name of an offer, and says that it is another package
@example(worlds.a_world(56599))
@SETTINGS
@given(worlds.worlds())
def test_no_name_loses_its_last_version_unless_it_is_listed(world: World) -> None:
    strict = with_policy(world, orphans=replace(world.policy.orphans, names=()))
    plan = strict.plan()
    left = worlds.after(strict, plan)
    for deletion in plan.deletions:
        row = next(r for r in strict.rows if r.key == deletion.key)
        assert worlds.same_group(row, left)


def with_policy(world: World, **changes: Any) -> World:
    policy: Policy = replace(world.policy, **changes)
    return evolve(world, policy=policy)
