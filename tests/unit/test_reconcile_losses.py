"""``limits.installable``: what a package that stays needs is held, and so is what is not known; else a plan warns."""

from typing import Any

import pytest
from msgspec.structs import replace

from pkgsync.model import ActualState, Limits, Need, Needs, Outcome, Overrides, Plan, Policy, Repository, Row, Selection
from pkgsync.reasons import Reason
from pkgsync.reconcile import build_plan, explain, recheck, reconcile
from pkgsync.reconcile.decisions import DistributionDecisions
from pkgsync.reconcile.filters import Selector
from tests.support.values.builders import (
    LEAP,
    NOW,
    SETTING,
    actual,
    desired,
    policy,
    repository,
    row,
    rpm,
    sha,
    verdict,
)

OLD, NEW, TOOL, TOP = rpm("lib", "1.0"), rpm("lib", "2.0"), rpm("tool"), rpm("top")
KEY = f"{LEAP}/{OLD.filename}"
ROWS = (row(OLD), row(NEW), row(TOOL), row(TOP))
WORLD = desired(repository(NEW, TOOL, TOP))
LIB = Need("lib.so.1", (OLD.sha256,))
NEEDED = Needs({TOOL.sha256: (LIB,)})
HOLDING = policy(limits=Limits(installable=True))
WORDS = (
    "tool-1.0-1.x86_64.rpm stays and needs lib.so.1; nothing else that stays provides it, though the base system may"
)


def there(needs: Needs | None, *rows: Row) -> ActualState:
    return replace(actual(*(rows or ROWS)), needs={} if needs is None else {LEAP: needs})


def decided(needs: Needs | None, wanted: Policy = HOLDING, *rows: Row, **world: Any) -> DistributionDecisions:
    return reconcile(world.get("world", WORLD), there(needs, *rows), wanted, (LEAP,), NOW).distributions[0]


def planned(needs: Needs | None, wanted: Policy, *rows: Row, **world: Any) -> Plan:
    here, actual = world.get("world", WORLD), there(needs, *rows)
    return build_plan(reconcile(here, actual, wanted, (LEAP,), NOW), here, actual, wanted, NOW, SETTING)


def test_what_a_package_that_stays_needs_is_held() -> None:
    result = decided(NEEDED)
    assert verdict(result, OLD) == ("held", Reason.NEEDED_BY)
    assert [(held.key, held.reason, held.message) for held in result.held] == [(KEY, Reason.NEEDED_BY, WORDS)]
    assert (result.deletions, result.losses.words) == ((), {})


def test_what_is_kept_anyway_is_not_called_needed() -> None:
    protecting = replace(HOLDING, orphans=replace(HOLDING.orphans, protect=("lib-1.0*",)))
    assert verdict(decided(NEEDED, protecting), OLD) == ("keep", Reason.PROTECTED)


def test_what_one_run_leaves_out_stays_and_needs_what_it_needs() -> None:
    older = rpm("lib", "0.5")
    here = there(Needs({older.sha256: (LIB,)}), *ROWS, row(older))
    for excludes, gone in (((), [older, OLD]), (("*/lib-0.5-*",), [])):
        takes = Selector(Selection(excludes=excludes)).takes
        (result,) = reconcile(WORLD, here, HOLDING, (LEAP,), NOW, takes).distributions
        assert [d.filename for d in result.deletions] == [file.filename for file in gone]


def test_without_the_limit_the_plan_warns() -> None:
    plan = planned(NEEDED, policy())
    assert [deletion.key for deletion in plan.deletions] == [KEY]
    assert plan.warnings == (f"{KEY} goes, but {WORDS}",)


@pytest.mark.parametrize("needs", [Needs(), Needs({TOOL.sha256: (Need("lib.so.1", (OLD.sha256, NEW.sha256)),)})])
def test_what_nothing_needs_goes(needs: Needs) -> None:
    assert verdict(decided(needs), OLD) == ("delete", Reason.SUPERSEDED)
    assert planned(needs, policy()).warnings == ()


def test_what_is_not_known_is_held_or_told() -> None:
    result = decided(None)
    assert [(held.key, held.message) for held in result.held] == [
        (KEY, "whether a package that stays needs it is not known: the indexes were not read")
    ]
    unread = Needs(unread="no index lists tool-1.0-1.x86_64.rpm")
    assert verdict(decided(unread), OLD) == ("held", Reason.NEEDED_BY)
    assert planned(unread, policy()).warnings == (
        f"{LEAP}: whether all that stays would still install is not known: no index lists tool-1.0-1.x86_64.rpm",
    )
    # nothing asked for it
    assert planned(None, policy()).warnings == ()


def test_nothing_is_said_where_nothing_goes() -> None:
    keeping = policy(replace(policy().orphans, protect=("lib-1.0*",)))
    assert planned(Needs(unread="?"), keeping).warnings == ()


def test_what_comes_with_the_plan_may_provide_it() -> None:
    both = Needs({TOOL.sha256: (Need("lib.so.1", (OLD.sha256, NEW.sha256)),)})
    without_new = (row(OLD), row(TOOL), row(TOP))
    known = Needs({**both.files, NEW.sha256: ()})
    assert [d.key for d in decided(known, HOLDING, *without_new).deletions] == [KEY]
    # what is read of a snapshot may be of a plan that uploads less
    assert [h.message.split(": ")[1] for h in decided(both, HOLDING, *without_new).held] == [
        "no index that was read lists lib-2.0-1.x86_64.rpm"
    ]


def test_what_is_held_needs_something_itself() -> None:
    older, newer = rpm("base", "1.0"), rpm("base", "2.0")
    needs = Needs({TOOL.sha256: (LIB,), OLD.sha256: (Need("base = 1.0", (older.sha256,)),)})
    world = desired(repository(NEW, TOOL, TOP, newer))
    result = decided(needs, HOLDING, *ROWS, row(older), row(newer), world=world)
    assert [(held.filename, held.message.split(";")[0]) for held in result.held] == [
        (older.filename, "lib-1.0-1.x86_64.rpm stays and needs base = 1.0"),
        (OLD.filename, "tool-1.0-1.x86_64.rpm stays and needs lib.so.1"),
    ]
    warned = planned(needs, policy(), *ROWS, row(older), row(newer), world=world)
    assert warned.warnings == (f"{KEY} goes, but {WORDS}",)


def test_what_is_lost_with_it_is_counted() -> None:
    needs = Needs({TOOL.sha256: (LIB,), TOP.sha256: (Need("tool", (TOOL.sha256,)),)})
    assert planned(needs, policy()).warnings == (f"{KEY} goes, but {WORDS} (1 more package would be lost)",)


def test_new_content_that_lacks_what_the_old_one_provides() -> None:
    before = row(TOOL, sha256=sha("before"))
    needs = Needs({TOP.sha256: (Need("api = 1", (sha("before"),)),), TOOL.sha256: ()})
    rows = (row(NEW), before, row(TOP))
    plan = planned(needs, HOLDING, *rows)
    assert [r.filename for r in plan.replacements] == [TOOL.filename]
    assert plan.warnings == (
        f"{LEAP}/{TOOL.filename} is replaced, but top-1.0-1.x86_64.rpm stays and needs api = 1; "
        "nothing else that stays provides it, though the base system may",
    )


def test_apply_leaves_what_is_needed_by_now() -> None:
    plan = planned(Needs(), HOLDING)

    def standing(needs: Needs | None, wanted: Policy = HOLDING) -> tuple[Outcome, Reason | None, str]:
        (found,) = recheck(plan, WORLD, there(needs), wanted, (LEAP,), NOW)
        return found.outcome, found.reason, found.message

    assert standing(Needs()) == (Outcome.DUE, None, "")
    assert standing(NEEDED) == (Outcome.LEFT, Reason.NEEDED_BY, WORDS)
    assert standing(None)[:2] == (Outcome.LEFT, Reason.NEEDED_BY)
    assert standing(NEEDED, policy()) == (Outcome.DUE, None, "")


def test_apply_counts_what_the_plan_brings_to_the_distribution_itself() -> None:
    other, elsewhere = rpm("libother"), "el/9"
    needs = Needs({TOOL.sha256: (Need("lib.so.1", (OLD.sha256, other.sha256)),), NEW.sha256: (), other.sha256: ()})

    def deletion(*world: Repository) -> tuple[Outcome, Reason | None]:
        rows = replace(actual(row(OLD), row(TOOL), row(TOP)), needs={LEAP: needs, elsewhere: needs})
        made = reconcile(desired(*world), rows, policy(), (LEAP, elsewhere), NOW)
        planned = build_plan(made, desired(*world), rows, policy(), NOW, SETTING)
        assert [u.filename for u in planned.uploads if u.filename == other.filename] == [other.filename]
        found = recheck(planned, desired(*world), rows, HOLDING, (LEAP, elsewhere), NOW)
        return next((s.outcome, s.reason) for s in found if s.action.key == KEY)

    assert deletion(repository(NEW, TOOL, TOP, other)) == (Outcome.DUE, None)
    apart = repository(other, name="el", distributions=(elsewhere,))
    assert deletion(repository(NEW, TOOL, TOP), apart) == (Outcome.LEFT, Reason.NEEDED_BY)


def test_the_explanation() -> None:
    def step(needs: Needs | None, wanted: Policy) -> tuple[bool, str]:
        world = there(needs)
        found = explain(reconcile(WORLD, world, wanted, (LEAP,), NOW), WORLD, world, wanted, Overrides(), KEY)
        (told,) = [step for step in found.explanations[0].steps if step.name == "needs"]
        return told.passed, told.said

    assert step(None, policy()) == (True, "`limits.installable` is not set")
    assert step(Needs(), HOLDING) == (True, "nothing that stays needs it alone")
    assert step(NEEDED, HOLDING) == (False, WORDS)
