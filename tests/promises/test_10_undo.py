"""Promise 10, undo: after apply, ``undo`` gives a plan back to the world before, as far as the bytes were kept.

First over worlds of dicts, then over real sockets with the program's own files.
"""

import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from pkgsync.model import Outcome, Plan, Receipt
from pkgsync.reasons import Reason
from pkgsync.reconcile import Sent
from pkgsync.sandbox import ARCHIVE, Artifact
from tests.support.values.builders import JAMMY, LEAP
from tests.support.values.builders import sha as digest
from tests.support.worlds import undoing
from tests.support.worlds.apply_world import ARCHIVING, POLICY, World, open_world, rpm
from tests.support.worlds.undoing import Model, actions
from tests.support.worlds.undoing_world import undo

KEYS = [f"{LEAP}/{name}-1-1.noarch.rpm" for name in ("one", "two", "three")] + [
    f"{JAMMY}/{name}_1_all.deb" for name in ("one", "two")
]
worlds = st.dictionaries(st.sampled_from(KEYS), st.sampled_from([digest(content) for content in "abcd"]))
some_keys = st.sets(st.sampled_from(KEYS))


def sent(receipt: Receipt) -> dict[str, Sent]:
    """What the journal of that apply tells."""
    return {
        line.key: Sent(line.action, line.sha256)
        for line in receipt.lines
        if line.outcome is Outcome.DONE and line.action in ("upload", "replacement")
    }


def taken_back(world: Model, receipt: Receipt, number: int) -> tuple[Plan, Receipt]:
    """Undo the receipt, as apply would after its own checks."""
    plan = world.undo(receipt)
    checks = world.checks(plan, sent(receipt))
    assert [check.outcome for check in checks] == [Outcome.DUE] * len(plan.actions)
    return plan, world.apply(plan.actions, f"sha256:{number:064}")


@given(before=worlds, after=worlds, moved=some_keys, left=some_keys)
def test_apply_then_undo_is_the_identity_and_so_is_the_undo_of_the_undo(
    before: dict[str, str], after: dict[str, str], moved: set[str], left: set[str]
) -> None:
    world = Model(dict(before))
    receipt = world.apply(actions(before, after, moved.__contains__), undoing.DIGEST, lambda key: key not in left)
    applied, archived = dict(world.here), dict(world.there)
    plan, back = taken_back(world, receipt, 2)
    assert (world.here, world.there, plan.held) == (before, {}, ())
    plan, again = taken_back(world, back, 3)
    assert (world.here, world.there, plan.held) == (applied, archived, ())
    taken_back(world, again, 4)
    assert (world.here, world.there) == (before, {})


@given(before=worlds, after=worlds, moved=some_keys)
def test_without_the_journal_nothing_is_taken_away_that_no_plan_of_now_would_take(
    before: dict[str, str], after: dict[str, str], moved: set[str]
) -> None:
    """Here OBS could not be read at all; what was deleted comes back all the same, and nothing is rolled back."""
    world = Model(dict(before))
    plan = world.undo(world.apply(actions(before, after, moved.__contains__), undoing.DIGEST))
    standings = {s.action: s.outcome for s in world.checks(plan, None)}
    assert {standings[action] for action in plan.uploads} <= {Outcome.DUE}
    assert {standings[action] for action in plan.replacements} <= {Outcome.STALE}
    assert {standings[action] for action in plan.removals} <= {Outcome.STALE, Outcome.LEFT}


@given(before=worlds, after=worlds, moved=some_keys)
def test_without_backups_all_that_cannot_be_undone_is_listed(
    before: dict[str, str], after: dict[str, str], moved: set[str]
) -> None:
    world = Model(dict(before), keeps=False)
    receipt = world.apply(actions(before, after, moved.__contains__), undoing.DIGEST)
    plan = world.undo(receipt)
    lost = {line.key for line in receipt.lines if line.undo == "none"}
    assert {item.key: item.reason for item in plan.held} == dict.fromkeys(lost, Reason.NO_BACKUP)
    world.apply(plan.actions, plan.digest)
    assert world.here == {key: (after if key in lost else before)[key] for key in kept_keys(before, after, lost)}


def kept_keys(before: Mapping[str, str], after: Mapping[str, str], lost: set[str]) -> set[str]:
    return {key for key in before if key not in lost} | {key for key in after if key in lost}


@given(before=worlds, after=worlds, foreign=worlds)
def test_what_somebody_changed_since_is_never_touched(
    before: dict[str, str], after: dict[str, str], foreign: dict[str, str]
) -> None:
    world = Model(dict(before))
    receipt = world.apply(actions(before, after, lambda key: False), undoing.DIGEST)
    world.here |= foreign
    changed = {key for key, content in foreign.items() if content not in (after.get(key), before.get(key))}
    plan = world.undo(receipt)
    assert not changed & {action.key for action in plan.actions}
    world.apply(plan.actions, plan.digest)
    assert {key: world.here.get(key) for key in changed} == {key: foreign[key] for key in changed}
    ours = {line.key for line in receipt.lines}
    assert {item.key for item in plan.held} == changed & ours


# over real sockets

ANCHOR = rpm("anchor")
NAMES = ("first", "second", "third")
ON_OBS = {"none": None, "same": "1.0", "newer": "2.0", "rebuilt": "1.0"}


def published(name: str, state: str) -> Artifact | None:
    version = ON_OBS[state]
    return rpm(name, version, salt="rebuilt" if state == "rebuilt" else "") if version else None


def fill(world: World, states: Mapping[str, tuple[bool, str]]) -> None:
    offers = [artifact for name, (_, state) in states.items() if (artifact := published(name, state))]
    world.publish(ANCHOR, *offers)
    for artifact in (ANCHOR, *(rpm(name) for name, (here, _) in states.items() if here)):
        world.put(artifact)


@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    states=st.fixed_dictionaries({name: st.tuples(st.booleans(), st.sampled_from(sorted(ON_OBS))) for name in NAMES}),
    archives=st.booleans(),
)
def test_over_real_sockets(states: dict[str, tuple[bool, str]], archives: bool) -> None:
    base = ARCHIVING if archives else POLICY
    with tempfile.TemporaryDirectory() as folder, open_world(Path(folder)) as world:
        world.policy = replace(base, orphans=replace(base.orphans, names=("*",), keep_versions=0))
        fill(world, states)
        before = world.content
        receipt = world.apply(world.plan())
        assert (receipt.exit_code, receipt.complete) == (0, True)
        after, archived = world.content, world.content_of(ARCHIVE)
        for expected in ((before, {}), (after, archived), (before, {})):
            plan = undo(world, receipt)
            assert plan.held == ()
            receipt = world.apply(plan)
            assert (receipt.exit_code, receipt.complete) == (0, True)
            assert (world.content, world.content_of(ARCHIVE)) == expected


@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    states=st.fixed_dictionaries({name: st.tuples(st.booleans(), st.sampled_from(sorted(ON_OBS))) for name in NAMES})
)
def test_over_real_sockets_on_a_machine_without_the_journal(states: dict[str, tuple[bool, str]]) -> None:
    """It has the receipt and the backups. What OBS offers is neither taken away nor rolled back, and all else waits."""
    with tempfile.TemporaryDirectory() as folder, open_world(Path(folder)) as world:
        world.policy = replace(POLICY, orphans=replace(POLICY.orphans, names=("*",), keep_versions=0))
        fill(world, states)
        before = world.content
        receipt = world.apply(world.plan())
        after, plan = world.content, undo(world, receipt)
        shutil.rmtree(Path(folder) / "state")
        again = world.apply(plan)
        expected = (4, after) if plan.removals or plan.replacements else (0, before)
        assert (again.exit_code, world.content) == expected


def test_the_worlds_over_real_sockets_hold_every_kind_of_action(tmp_path: Path) -> None:
    with open_world(tmp_path) as world:
        world.policy = replace(POLICY, orphans=replace(POLICY.orphans, names=("*",), keep_versions=0))
        fill(world, {"first": (True, "newer"), "second": (True, "rebuilt"), "third": (True, "none")})
        plan = world.plan()
        assert [len(kind) for kind in (plan.uploads, plan.replacements, plan.deletions)] == [1, 1, 2]
