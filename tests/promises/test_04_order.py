"""Promise 4: uploads, then replacements, then deletions; a distribution's deletions wait for all of its arrivals."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from pkgsync.sandbox import Artifact, Fault, Kind
from tests.support.worlds.apply_world import JAMMY, LEAP, World, deb, open_world, outcomes, rpm

REFUSED = {"status": 422, "body": b'{"package_file":["is bad"]}', "content_type": "application/json"}
NEW_RPMS = [rpm(f"tool{number}", "2.0") for number in range(4)]
OLD_RPMS = [rpm(f"tool{number}", "1.0") for number in range(4)]
NEW_DEBS = [deb("other", "2.0"), deb("same", salt="after")]
OLD_DEBS = [deb("other", "1.0"), deb("same", salt="before")]


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with open_world(tmp_path) as world:
        world.publish(*NEW_RPMS, rpm("twin", salt="after"))
        world.publish(*NEW_DEBS)
        for old in [*OLD_RPMS, rpm("twin", salt="before")]:
            world.put(old)
        for old in OLD_DEBS:
            world.put(old, JAMMY)
        yield world


def refuse(world: World, number: int) -> None:
    world.sandbox.packagecloud.faults.add(Fault(kind=Kind.STATUS, method="POST", nth=number, **REFUSED))  # type: ignore[arg-type]


def changes(world: World) -> list[str]:
    """The changes that Packagecloud was asked for, in order: POST, or DELETE with the file name."""
    found = []
    for entry in world.sandbox.log.find("packagecloud"):
        if entry.method == "POST":
            found.append("POST")
        elif entry.method == "DELETE":
            found.append(f"DELETE {entry.target.rpartition('/')[2]}")
    return found


@pytest.mark.parametrize("jobs", [1, 4])
def test_all_uploads_then_all_replacements_then_all_deletions(world: World, jobs: int) -> None:
    receipt = world.apply(world.plan(), jobs=jobs)
    assert (receipt.exit_code, receipt.complete) == (0, True)
    seen = changes(world)
    assert seen[:6] == ["POST"] * 6, "the last one shows that the server still takes uploads"
    replacing, deleting = seen[6:10], seen[10:]
    assert sorted(replacing) == ["DELETE same_1.0-1_amd64.deb", "DELETE twin-1.0-1.x86_64.rpm", "POST", "POST"]
    assert len(deleting) == 5
    assert all(re.match(r"DELETE (tool\d-1\.0|other_1\.0)", change) for change in deleting)


@pytest.mark.parametrize("number", [1, 2, 3, 4])
def test_no_deletion_while_an_upload_of_the_distribution_is_missing(world: World, number: int) -> None:
    refuse(world, number)
    receipt = world.apply(world.plan(), jobs=1)
    found = outcomes(receipt)
    assert [found[new.filename] for new in NEW_RPMS].count("failed") == 1
    assert {found[old.filename] for old in OLD_RPMS} == {"left"}
    assert found["other_1.0-1_amd64.deb"] == "done", "the other distribution does not wait"
    assert all(f"{LEAP}/{old.filename}" in world.content for old in OLD_RPMS)


def test_no_deletion_while_a_replacement_of_the_distribution_is_missing(world: World) -> None:
    refuse(world, 6)
    receipt = world.apply(world.plan(), jobs=1)
    found = outcomes(receipt)
    failed = [line for line in receipt.lines if str(line.outcome) == "failed"]
    assert [line.action for line in failed] == ["replacement"]
    held = OLD_RPMS if failed[0].distribution == LEAP else OLD_DEBS[:1]
    assert {found[old.filename] for old in held} == {"left"}


def test_no_deletion_while_an_upload_has_an_unknown_outcome(world: World) -> None:
    """The look after a lost reply fails as well."""
    plan = world.plan()

    def deaf() -> None:
        world.sandbox.packagecloud.faults.add(
            Fault(kind=Kind.STATUS, path=r"/search\.json.*tool0", status=500, times=None)
        )

    world.sandbox.packagecloud.faults.add(Fault(kind=Kind.REPLY_LOST, method="POST", hook=deaf))
    receipt = world.apply(plan, jobs=1)
    found = outcomes(receipt)
    assert found[NEW_RPMS[0].filename] == "failed"
    assert "No look could tell the outcome" in receipt.lines[0].message
    assert {found[old.filename] for old in OLD_RPMS} == {"left"}

    world.sandbox.packagecloud.faults.clear()
    again = world.apply(plan)
    assert (again.exit_code, again.complete) == (0, True)
    assert str(again.lines[0].outcome) == "done"
    assert len([e for e in world.sandbox.log.find("packagecloud", "POST") if e.status != 422]) == 7


def test_the_next_run_catches_up_with_the_deletions(world: World) -> None:
    plan = world.plan()
    refuse(world, 1)
    assert world.apply(plan).exit_code == 5
    receipt = world.apply(plan)
    assert (receipt.exit_code, receipt.complete) == (0, True)
    wanted: list[Artifact] = [*NEW_RPMS, rpm("twin", salt="after")]
    assert {key for key in world.content if key.startswith(LEAP)} == {f"{LEAP}/{file.filename}" for file in wanted}
