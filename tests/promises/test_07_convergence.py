"""Promise 7: plan, apply, plan: the second plan is empty, but for what is held. Here for the pure core."""

from collections.abc import Mapping, Sequence

from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from pkgsync.model import GoneRule, Limits, OrphanAction, OrphanPolicy, PackageType, Plan, Policy, Relation, Relations
from pkgsync.reconcile import build_plan, reconcile
from pkgsync.reconcile.needs import needs_of
from tests.support.scope import examples
from tests.support.values.builders import (
    LEAP,
    NOW,
    SETTING,
    actual,
    architecture,
    desired,
    package,
    repository,
    row,
    rpm,
    sha,
)
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


# What packages need of one another: of few names, so that most relations hang on one or two packages.

HOLDING = Policy(
    orphans=OrphanPolicy(action=OrphanAction.DELETE, keep_versions=0, names=("*",), gone=GoneRule.DELETE),
    limits=Limits(installable=True),
)
FATES = ("stays", "stays", "goes", "goes", "goes", "replaced", "comes")
# a version that nobody knows may be any
STATED = st.builds(Relation, st.sampled_from("abcd"), st.sampled_from(("", "", "", "=")))
RELATED = st.builds(
    Relations,
    st.just(PackageType.RPM),
    st.sampled_from(("x86_64", "aarch64", "noarch", "noarch")),
    st.lists(STATED, max_size=2).map(tuple),
    st.lists(st.lists(STATED, min_size=1, max_size=2).map(tuple), max_size=2).map(tuple),
)


def world_of(packages: Sequence[tuple[Relations, str]]) -> tuple[World, dict[str, Relations]]:
    """The world where the packages, each a name of its own, have their fates; and what each content states."""
    anyway = rpm("anyway", arch="noarch")
    rows, published = [row(anyway)], [anyway]
    states = {anyway.sha256: Relations(PackageType.RPM, "noarch", (), ())}
    for number, (stated, fate) in enumerate(packages):
        file = rpm(f"p{number}", arch=stated.architecture)
        there = sha(f"{number} before a rebuild") if fate == "replaced" else file.sha256
        states |= {file.sha256: Relations(PackageType.RPM, stated.architecture, (), ()), there: stated}
        if fate != "comes":
            rows.append(row(file, sha256=there))
        if fate != "goes":
            published.append(file)
    built = [architecture(name, package("src", *published)) for name in worlds.ARCHITECTURES]
    return World((repository(*published, architectures=built),), tuple(rows), HOLDING), states


def planned(world: World, states: Mapping[str, Relations]) -> Plan:
    """With the needs of what stands there and of what comes."""
    contents = {row.sha256 for row in world.rows} | {f.sha256 for _, f in worlds.published(world, LEAP)}
    needs = needs_of({of: stated for of, stated in states.items() if of in contents})
    here, there = desired(*world.repositories), replace(actual(*world.rows), needs={LEAP: needs})
    return build_plan(reconcile(here, there, world.policy, (LEAP,), NOW), here, there, world.policy, NOW, SETTING)


@settings(max_examples=examples(2000), deadline=None)
@given(st.lists(st.tuples(RELATED, st.sampled_from(FATES)), min_size=2, max_size=8))
def test_what_is_needed_is_needed_still_when_the_rest_has_gone(packages: list[tuple[Relations, str]]) -> None:
    world, states = world_of(packages)
    first = planned(world, states)
    going = [
        f"{LEAP}/p{n}-1.0-1.{stated.architecture}.rpm" for n, (stated, fate) in enumerate(packages) if fate == "goes"
    ]
    assert sorted([d.key for d in first.deletions] + [h.key for h in first.held]) == sorted(going)
    assert not [told for told in first.warnings if " goes, but " in told]
    second = planned(evolve(world, rows=worlds.after(world, first)), states)
    assert (second.actions, [h.key for h in second.held]) == ((), [h.key for h in first.held])
