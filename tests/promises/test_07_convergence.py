"""Promise 7: plan, apply, plan: the second plan is empty, but for what is held. Here for the pure core."""

from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from tests.support.worlds import worlds
from tests.support.worlds.worlds import SETTINGS, World


@SETTINGS
@given(worlds.worlds(), st.booleans())
def test_a_second_plan_is_empty_but_for_what_is_held(world: World, named_by_header: bool) -> None:
    first = world.plan()
    second = evolve(world, rows=worlds.after(world, first, named_by_header=named_by_header)).plan()
    assert second.actions == ()
    assert {h.key for h in second.held} <= {h.key for h in first.held} | {row.key for row in world.rows}
    assert second.summary.total.unchanged == first.summary.total.unchanged + len(first.uploads) + len(
        first.replacements
    )
