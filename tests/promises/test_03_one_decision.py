"""Promise 3: apply finds nothing due that a plan of now would not hold, whatever became of the worlds or of the plan.

Random worlds: a plan is made in one, perhaps edited, and rechecked in another one.
"""

from collections.abc import Iterable
from random import Random

from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from pkgsync.model import Action, Deletion, Evidence, Outcome, Plan, Removal, Repository, Upload
from pkgsync.reasons import Reason
from pkgsync.reconcile import recheck
from tests.promises.test_01_identity import renamed, renaming
from tests.support.values import builders
from tests.support.values.builders import NOW
from tests.support.worlds.worlds import FAULTS, MANAGED, SETTINGS, World, a_world, after

seeds = st.integers(0, 2**40)


def unfiltered(world: World) -> World:
    """Reviewed uploads need not pass the filters of now: here there are none, so that every upload must be planned.

    No row of another type stands under a name that is to come.
    """
    repositories = tuple(replace(r, filter_architectures=None, filtered=False) for r in world.repositories)
    rows = tuple(row for row in world.rows if row.type == "rpm")
    return World(repositories, rows, replace(world.policy, exclude=()))


def a_plan(world: World) -> Plan:
    return builders.plan(world.repositories, world.rows, world.policy, managed=MANAGED)


def later(world: World, seed: int) -> World:
    """Sources changed places, one was rebuilt or can't be read, some rows were changed, and perhaps the config."""
    random, other = Random(seed), unfiltered(a_world(seed))
    repositories = [*world.repositories]
    random.shuffle(repositories)
    number = random.randrange(len(repositories))
    if random.random() < 0.5:
        repositories[number] = _published(repositories[number], other.repositories[0])
    else:
        repositories[number] = FAULTS[random.choice(sorted(FAULTS))](repositories[number])
    rows = {row.key: row for row in world.rows if random.random() < 0.9}
    rows |= {row.key: row for row in other.rows if random.random() < 0.3}
    policy = other.policy if random.random() < 0.2 else world.policy
    return World(tuple(repositories), tuple(rows.values()), policy)


def _published(place: Repository, content: Repository) -> Repository:
    return replace(place, index=content.index, architectures=content.architectures, problems=content.problems)


def due(plan: Plan, world: World) -> list[Action]:
    desired, actual = builders.desired(*world.repositories), builders.actual(*world.rows)
    standings = recheck(plan, desired, actual, world.policy, MANAGED, NOW)
    return [s.action for s in standings if s.outcome is Outcome.DUE]


def assert_planned_anew(actions: Iterable[Action], world: World) -> None:
    fresh = a_plan(world)
    brought = {(transfer.key, transfer.sha256) for transfer in fresh.transfers}
    removed = {(removal.key, removal.sha256, removal.created_at) for removal in fresh.removals}
    here = {(row.distribution, row.sha256) for row in world.rows}
    # the old row of a replacement may be gone: its new content then comes, under whatever name a plan of now would take
    here |= {(t.distribution, t.sha256) for t in fresh.transfers}
    taken = {row.key: row.sha256 for row in world.rows}
    for action in actions:
        if isinstance(action, Removal):
            assert (action.key, action.sha256, action.created_at) in removed
        else:  # what stands there under another name needs no upload, which preflight tells
            assert (action.key, action.sha256) in brought or (action.distribution, action.sha256) in here
            if taken.get(action.key, action.sha256) != action.sha256:
                assert (action.key, action.sha256) in brought


@SETTINGS
@given(seeds)
def test_in_the_same_world_all_of_a_plan_is_due(seed: int) -> None:
    world = unfiltered(a_world(seed))
    plan = a_plan(world)
    if plan.applyable:
        assert due(plan, world) == list(plan.actions)


@SETTINGS
@given(seeds, seeds)
def test_in_another_world_only_what_is_planned_there_too_is_due(seed: int, other: int) -> None:
    world = unfiltered(a_world(seed))
    now = later(world, other)
    assert_planned_anew(due(a_plan(world), now), now)


@SETTINGS
@given(seeds, seeds)
def test_of_an_edited_plan_only_what_is_planned_is_due(seed: int, other: int) -> None:
    """Every row is to be deleted, and of what is to come some is dropped, and some comes from elsewhere."""
    world, random = unfiltered(a_world(seed)), Random(other)
    plan = a_plan(world)
    taken = {transfer.key for transfer in plan.transfers}
    deletions = tuple(
        Deletion(
            distribution=row.distribution,
            filename=row.filename,
            sha256=row.sha256,
            created_at=row.created_at,
            uploader=row.uploader,
            reason=Reason.SUPERSEDED,
            evidence=Evidence(kind="superseded", total=1),
        )
        for row in world.rows
        if row.sha256 is not None and row.key not in taken
    )
    absent = tuple(
        replace(d, distribution=u.distribution, filename=u.filename)
        for d in deletions[:1]
        for u in plan.uploads
        if random.random() < 0.5
    )
    dropped = {d.key for d in absent}
    uploads = tuple(_elsewhere(u, random) for u in plan.uploads if u.key not in dropped)
    edited = replace(plan, uploads=uploads, deletions=(*deletions, *absent))
    assert_planned_anew(due(edited, world), world)


def _elsewhere(upload: Upload, random: Random) -> Upload:
    place = random.choice(["", "", "project0", "project9"])
    return replace(upload, source=replace(upload.source, project=place or upload.source.project))


@SETTINGS
@given(seeds, seeds, st.booleans())
def test_what_an_apply_has_done_or_begun_is_never_stale(seed: int, names: int, named_by_header: bool) -> None:
    """Whatever the files are called here and there: also between the DELETE and the upload of a replacement."""
    world = unfiltered(a_world(seed))
    world = renamed(world, renaming(world, names))
    plan = a_plan(world)
    begun = [evolve(world, rows=after(world, plan, named_by_header=named_by_header))]
    begun += [evolve(world, rows=tuple(w for w in world.rows if w.key != r.key)) for r in plan.replacements]
    for now in begun if plan.applyable else ():
        desired, actual = builders.desired(*now.repositories), builders.actual(*now.rows)
        standings = recheck(plan, desired, actual, now.policy, MANAGED, NOW)
        assert {s.outcome for s in standings if not isinstance(s.action, Removal)} <= {
            Outcome.DUE,
            Outcome.ALREADY_DONE,
        }


def test_the_worlds_are_no_strangers_to_each_other() -> None:
    pairs = [(a_plan(world), later(world, n)) for n in range(200) for world in [unfiltered(a_world(n))]]
    planned, still = sum(len(plan.actions) for plan, _ in pairs), sum(len(due(plan, now)) for plan, now in pairs)
    assert 200 < still < planned - 50
