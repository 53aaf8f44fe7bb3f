"""An explanation is the decision: its outcome is the plan's, and the change that it states takes its stop away.

Random worlds: whatever is known of either world is explained, and each stated change is made.
"""

from collections import Counter

from hypothesis import given, settings

from pkgsync.model import Explanation, Plan
from tests import worlds
from tests.flips import Case
from tests.worlds import World

SETTINGS = settings(worlds.SETTINGS, max_examples=60)


def keys(world: World) -> set[str]:
    found = {row.key for row in world.rows}
    for repository in world.repositories:
        files = repository.index.files if repository.index else ()
        names = {f.filename for f in files} | {
            f.filename for a in repository.architectures for p in a.packages for f in p.files
        }
        found |= {f"{d}/{name}" for d in repository.distributions for name in names}
    return found


def planned(plan: Plan) -> dict[str, str]:
    kinds = (("upload", plan.uploads), ("replace", plan.replacements), ("delete", plan.deletions))
    return {action.key: kind for kind, actions in kinds for action in actions}


@SETTINGS
@given(worlds.worlds())
def test_every_key_is_explained_as_it_is_planned(world: World) -> None:
    plan, case = world.plan(), Case(world)
    due, held = planned(plan), {h.key: h.reason for h in plan.held}
    told = Counter[str]()
    for found in {found.key: found for found in map(case.of, keys(world))}.values():
        assert due.get(found.key) == (found.fortune if found.fortune in ("upload", "replace", "delete") else None)
        assert held.get(found.key) == (found.reason if found.fortune == "held" else None)
        passed = [step.passed for step in found.steps]
        stopped = found.fortune in ("held", "keep", "filtered", "shadowed", "unmanaged", "absent")
        assert passed == [True] * (len(passed) - stopped) + [False] * stopped or found.reason == "keep"
        told[found.fortune] += found.key in {
            row.key for row in world.rows if row.distribution in worlds.MANAGED and row.type == "rpm"
        }
    counts = plan.summary.total
    assert (told["keep"], told["filtered"]) == (counts.orphans_kept, counts.filtered)


def stop(found: Explanation) -> tuple[object, ...]:
    return found.fortune, found.reason, found.message, found.steps


@SETTINGS
@given(worlds.worlds())
def test_what_is_said_to_take_a_stop_away_takes_it_away(world: World) -> None:
    case = Case(world)
    for key in sorted(keys(world)):
        found = case.of(key)
        assert found.flip is None or found.flip.words
        if found.flip is None or not (found.flip.config or found.flip.world):
            continue
        after = case.after(found.flip, found.key).ask(found.key).explanations
        assert [stop(one) for one in after] != [stop(found)], found


@SETTINGS
@given(worlds.worlds())
def test_change_upon_change_an_orphan_may_go_in_the_end(world: World) -> None:
    """Each stop that the config alone is the cause of is taken away once: there is no going round in a circle."""
    case = Case(world)
    for row in world.rows:
        now, seen = case, set[object]()
        found = now.of(row.key)
        while found.flip and found.fortune in ("keep", "held") and found.flip.config:
            assert stop(found)[:3] not in seen, found
            seen.add(stop(found)[:3])
            now = now.after(found.flip, row.key)
            found = now.of(row.key)
