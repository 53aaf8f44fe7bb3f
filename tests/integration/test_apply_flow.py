"""Apply over real sockets: what a whole run does, and what its receipt says."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from pkgsync.apply.share import Part, Phase
from pkgsync.errors import LockedError, UnsafePlanError, UsageError
from pkgsync.model import Outcome
from pkgsync.sandbox import Fault, Kind
from tests.support.worlds.apply_world import JAMMY, LEAP, World, deb, open_world, outcomes, rpm, sha
from tests.support.worlds.undoing_world import undo


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with open_world(tmp_path) as world:
        yield world


def test_uploads_replaces_and_deletes_and_says_so(world: World) -> None:
    new, old = rpm(version="2.0"), rpm(version="1.0")
    before, after = deb(salt="before"), deb(salt="after")
    world.publish(new)
    world.publish(after)
    world.put(old)
    world.put(before, JAMMY)

    receipt = world.apply(world.plan())

    assert world.content == {f"{LEAP}/{new.filename}": sha(new), f"{JAMMY}/{after.filename}": sha(after)}
    assert (receipt.exit_code, receipt.complete, receipt.interrupted, receipt.runs) == (0, True, False, 1)
    assert [(line.action, line.filename, str(line.outcome), line.verified) for line in receipt.lines] == [
        ("upload", "hello-2.0-1.x86_64.rpm", "done", "reply"),
        ("replacement", "hello_1.0-1_amd64.deb", "done", "reply"),
        ("deletion", "hello-1.0-1.x86_64.rpm", "done", "absent"),
    ]
    assert receipt == world.receipt()
    assert (world.count("POST"), world.count("DELETE")) == (3, 2), "one POST shows that the server takes uploads"


def test_the_receipt_measures(world: World) -> None:
    before, after = deb(salt="before"), deb(salt="after", size=5000)
    world.publish(after)
    world.put(before, JAMMY)
    (line,) = world.apply(world.plan()).lines
    assert (line.sha256, line.old_sha256, line.size) == (sha(after), sha(before), after.blob.size)
    assert (line.bytes_up, line.bytes_down) == (2 * after.blob.size, after.blob.size + before.blob.size)
    assert (line.attempts, line.undo) == (3, "backup")
    assert line.absent_seconds is not None
    assert line.absent_seconds > 0
    assert line.started_at is not None
    assert line.finished_at is not None
    assert line.started_at < line.finished_at


def test_a_second_run_of_a_finished_plan_changes_nothing_and_says_so(world: World) -> None:
    world.publish(rpm(version="2.0"))
    world.put(rpm(version="1.0"))
    plan = world.plan()
    first = world.apply(plan)
    world.reported.clear()
    posts, deletes = world.count("POST"), world.count("DELETE")

    again = world.apply(plan)

    assert (again.exit_code, again.complete, again.runs) == (0, True, 2)
    assert again.lines == first.lines
    assert (world.count("POST"), world.count("DELETE")) == (posts, deletes)
    assert world.reported == ["Nothing to do. The plan was applied before."]


def test_what_others_have_done_meanwhile_is_already_done(world: World) -> None:
    new, old = rpm(version="2.0"), rpm(version="1.0")
    world.publish(new)
    world.put(old)
    plan = world.plan()
    world.put(new)
    world.remove(old)

    receipt = world.apply(plan)

    assert outcomes(receipt) == {new.filename: "already-done", old.filename: "already-done"}
    assert receipt.exit_code == 0
    assert (world.count("POST"), world.count("DELETE")) == (0, 0)


def test_a_dry_run_changes_nothing_and_writes_nothing(world: World) -> None:
    new, old, other = rpm(version="2.0"), rpm(version="1.0"), rpm("other")
    world.publish(new, other)
    world.put(old)
    plan = world.plan()
    world.put(other)

    receipt = world.apply(plan, dry_run=True)

    assert outcomes(receipt) == {new.filename: "due", other.filename: "already-done", old.filename: "due"}
    assert receipt.exit_code == 0
    assert (world.count("POST"), world.count("DELETE")) == (0, 0)
    assert list(world.folder.iterdir()) == []


def test_only_uploads_leaves_the_rest_and_is_no_failure(world: World) -> None:
    new, old = rpm(version="2.0"), rpm(version="1.0")
    world.publish(new)
    world.put(old)
    receipt = world.apply(world.plan(), part=Part(Phase.UPLOADS))
    assert outcomes(receipt) == {new.filename: "done", old.filename: "left"}
    assert receipt.lines[1].reason == "not-selected"
    assert (receipt.exit_code, receipt.complete) == (0, False)
    assert f"{LEAP}/{old.filename}" in world.content


def test_a_plan_that_exceeds_a_limit_is_refused(world: World) -> None:
    world.publish(rpm(version="2.0"))
    with pytest.raises(UnsafePlanError):
        world.apply(replace(world.plan(), applyable=False))
    assert world.count("POST") == 0
    assert not (world.folder / "plan.receipt.json").exists()


@pytest.mark.parametrize(("service", "what"), [("obs", "OBS"), ("packagecloud", "Packagecloud")])
def test_a_plan_for_another_server_is_refused(world: World, service: str, what: str) -> None:
    world.publish(rpm())
    config = world.config()
    changed = {"obs": {"api": "https://a.test"}, "packagecloud": {"url": "https://a.test"}}[service]
    other = replace(config, **{service: replace(getattr(config, service), **changed)})
    words = f"The plan was made for {what} http://.*, the config names https://a.test."
    with pytest.raises(UsageError, match=words):
        world.apply(world.plan(), config=other)
    assert world.count("POST") == 0


def test_the_second_run_of_two_is_told_who_holds_the_lock(world: World) -> None:
    world.publish(rpm())
    plan, messages = world.plan(), []

    def meanwhile() -> None:
        with pytest.raises(LockedError) as caught:
            world.apply(plan)
        messages.append(caught.value.message)

    world.observed.append(meanwhile)
    receipt = world.apply(plan)
    assert receipt.exit_code == 0
    assert f"process {os.getpid()} on " in messages[0]
    assert plan.digest in messages[0]


def test_another_config_is_a_warning(world: World) -> None:
    world.publish(rpm())
    receipt = world.apply(replace(world.plan(), config_digest="sha256:" + "d" * 64))
    assert receipt.exit_code == 0
    assert any("config is not the one of the plan" in warning for warning in receipt.warnings)


def test_a_name_that_the_server_changes_is_recorded_and_warned_of(world: World) -> None:
    file = rpm()
    world.publish(file)
    world.sandbox.packagecloud.rename = lambda name: name.replace(".rpm", "-1.rpm")
    receipt = world.apply(world.plan())
    assert receipt.lines[0].stored_as == "hello-1.0-1.x86_64-1.rpm"
    assert receipt.lines[0].outcome is Outcome.DONE
    assert receipt.warnings == (f"{LEAP}/{file.filename}: Packagecloud stored it as hello-1.0-1.x86_64-1.rpm",)


@pytest.mark.parametrize("kind", [Kind.REPLY_LOST, Kind.STATUS])
def test_a_name_that_the_server_changes_is_known_after_a_lost_reply_too(world: World, kind: Kind) -> None:
    """The name that was sent is free, and yet taken: the file stands there under the server's own."""
    file = rpm()
    world.publish(file)
    world.sandbox.packagecloud.rename = lambda name: name.replace(".rpm", "-1.rpm")
    bad_gateway = {"kind": Kind.REWRITE, "change": lambda reply: replace(reply, status=502, body=b"bad")}
    lost = {"kind": kind} if kind is Kind.REPLY_LOST else bad_gateway
    world.sandbox.packagecloud.faults.add(Fault(method="POST", path=r"packages\.json", **lost))
    receipt = world.apply(world.plan())
    (line,) = receipt.lines
    assert (str(line.outcome), line.stored_as, receipt.exit_code) == ("done", "hello-1.0-1.x86_64-1.rpm", 0)
    assert (world.count("POST"), len(world.content)) == (2, 1)
    assert [deletion.filename for deletion in undo(world, receipt).deletions] == ["hello-1.0-1.x86_64-1.rpm"]


def test_a_name_that_the_server_changed_is_done_for_the_next_run_too(world: World) -> None:
    world.publish(rpm())
    world.sandbox.packagecloud.rename = lambda name: name.replace(".rpm", "-1.rpm")
    plan = world.plan()
    first = world.apply(plan)
    again = world.apply(plan)
    assert (again.exit_code, again.lines, world.count("POST")) == (0, first.lines, 1)
    other = World(world.sandbox, world.folder / "other")
    other.folder.mkdir()
    assert (outcomes(other.apply(plan)), world.count("POST")) == ({"hello-1.0-1.x86_64.rpm": "already-done"}, 1)
