"""Promise 3: nothing is deleted that is not in the plan, whose content changed since, or that OBS offers again by then.

The stale matrix: each single change of either world between plan and apply, and what it makes of the deletion.
"""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from pkgsync.model import OrphanAction, OrphanPolicy, Policy
from pkgsync.sandbox import REPOSITORY
from tests.support.worlds.apply_world import JAMMY, LEAP, POLICY, World, deb, open_world, outcomes, rpm, sha

NEW, OLD, OLDER = rpm(version="3.0"), rpm(version="2.0"), rpm(version="1.0")
KEY = f"{LEAP}/{OLD.filename}"
LATER = "2026-06-01T00:00:00.000Z"


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with open_world(tmp_path) as world:
        world.publish(NEW, rpm("keep", "1.0"))
        world.put(NEW)
        world.put(rpm("keep", "1.0"))
        world.put(OLD)
        yield world


def upload_other_bytes(world: World) -> None:
    world.remove(OLD)
    world.put(rpm(version="2.0", salt="other"))


def upload_equal_bytes_again(world: World) -> None:
    world.remove(OLD)
    world.put(OLD, created_at=LATER)


def offer_again(world: World) -> None:
    world.publish(NEW, OLD, rpm("keep", "1.0"))


def unsettle(world: World) -> None:
    world.unsettle("openSUSE_Leap_15.6")


def protect(world: World) -> None:
    world.policy = replace(POLICY, orphans=replace(POLICY.orphans, protect=("hello*",)))


def keep_orphans(world: World) -> None:
    world.policy = Policy(orphans=OrphanPolicy(action=OrphanAction.KEEP))


def keep_more_versions(world: World) -> None:
    world.policy = replace(POLICY, orphans=replace(POLICY.orphans, keep_versions=2))


def filter_it_out(world: World) -> None:
    world.policy = replace(POLICY, exclude=("hello-2*",))


def lose_the_newest(world: World) -> None:
    world.remove(NEW)


def lose_the_checksum(world: World) -> None:
    world.sandbox.packagecloud.sha_delay = None


CHANGES: list[tuple[Callable[[World], None], str, set[str], int]] = [
    (upload_other_bytes, "stale", {"target-changed"}, 4),
    (upload_equal_bytes_again, "stale", {"target-changed"}, 4),
    (offer_again, "stale", {"wanted-again"}, 4),
    (protect, "stale", {"policy-changed"}, 4),
    (keep_orphans, "stale", {"policy-changed"}, 4),
    (keep_more_versions, "stale", {"policy-changed"}, 4),
    (filter_it_out, "stale", {"policy-changed"}, 4),
    (unsettle, "left", {"unsettled"}, 5),
    (lose_the_checksum, "stale", {"target-changed"}, 4),
]


@pytest.mark.parametrize(("change", "outcome", "reasons", "code"), CHANGES, ids=[c[0].__name__ for c in CHANGES])
def test_a_change_between_plan_and_apply(
    world: World, change: Callable[[World], None], outcome: str, reasons: set[str], code: int
) -> None:
    plan = world.plan()
    assert [action.key for action in plan.deletions] == [KEY]
    change(world)
    before = world.content
    receipt = world.apply(plan)
    assert outcomes(receipt) == {OLD.filename: outcome}
    assert {line.reason for line in receipt.lines} == reasons
    assert (receipt.exit_code, world.count("DELETE"), world.content) == (code, 0, before)


@pytest.mark.parametrize(
    "change", [upload_other_bytes, upload_equal_bytes_again, offer_again, unsettle, lose_the_newest]
)
def test_the_same_change_just_before_the_deletions(world: World, change: Callable[[World], None]) -> None:
    """Both worlds are read again before the deletions begin."""
    plan = world.plan()
    world.observed += [lambda: None, lambda: change(world)]
    receipt = world.apply(plan)
    assert receipt.exit_code in (4, 5)
    assert world.count("DELETE") == 0
    assert KEY in world.content


def test_what_is_not_in_the_plan_stays(world: World) -> None:
    plan = world.plan()
    world.put(OLDER)
    foreign, unmanaged = deb("foreign"), rpm("unmanaged")
    world.put(foreign, JAMMY)
    world.put(unmanaged, "el/9")
    receipt = world.apply(plan)
    assert outcomes(receipt) == {OLD.filename: "done"}
    assert set(world.content) == {
        f"{LEAP}/{NEW.filename}",
        f"{LEAP}/keep-1.0-1.x86_64.rpm",
        f"{LEAP}/{OLDER.filename}",
        f"{JAMMY}/{foreign.filename}",
        f"el/9/{unmanaged.filename}",
    }


def test_stale_actions_stop_the_run_before_the_first_change(world: World) -> None:
    world.publish(NEW, rpm("more"), rpm("keep", "1.0"))
    plan = world.plan()
    upload_other_bytes(world)
    receipt = world.apply(plan)
    assert outcomes(receipt) == {"more-1.0-1.x86_64.rpm": "left", OLD.filename: "stale"}
    assert (receipt.exit_code, world.count("POST"), world.count("DELETE")) == (4, 0, 0)


def test_stale_deletions_can_be_skipped(world: World) -> None:
    world.put(OLDER)
    plan = world.plan()
    upload_other_bytes(world)
    receipt = world.apply(plan, skip_stale=True)
    assert outcomes(receipt) == {OLD.filename: "skipped", OLDER.filename: "done"}
    assert (receipt.exit_code, world.count("DELETE")) == (5, 1)
    assert KEY in world.content


def test_a_skipped_upload_leaves_all_deletions_of_its_distribution(world: World) -> None:
    world.publish(NEW, rpm("more"), rpm("keep", "1.0"))
    plan = world.plan()
    world.put(rpm("more", salt="other"))
    receipt = world.apply(plan, skip_stale=True)
    assert outcomes(receipt) == {"more-1.0-1.x86_64.rpm": "skipped", OLD.filename: "left"}
    assert (receipt.exit_code, world.count("DELETE")) == (5, 0)


def test_a_plan_edited_to_delete_what_obs_offers_deletes_nothing(world: World) -> None:
    plan = world.plan()
    row = world.sandbox.packagecloud.find(REPOSITORY, LEAP, NEW.filename)
    assert row is not None
    forged = replace(plan.deletions[0], filename=NEW.filename, sha256=sha(NEW), created_at=row.created_at)
    receipt = world.apply(replace(plan, deletions=(forged,)))
    assert (outcomes(receipt), receipt.exit_code) == ({NEW.filename: "stale"}, 4)
    assert world.count("DELETE") == 0


def test_the_newest_version_gone_since_the_plan_keeps_the_old_one(world: World) -> None:
    plan = world.plan()
    lose_the_newest(world)
    receipt = world.apply(plan)
    assert receipt.exit_code in (4, 5)
    assert (world.count("DELETE"), KEY in world.content) == (0, True)
