"""A plan applied by several machines: each takes a share of the uploads, and the later phases look what is there."""

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from attrs import evolve
from msgspec.structs import replace

from pkgsync.apply.share import Part, Phase, Shard
from pkgsync.model import Limits, Plan, Receipt
from pkgsync.sandbox import Fault, Kind, make_deb, make_rpm
from tests.support.worlds.apply_world import JAMMY, LEAP, World, deb, open_world, outcomes, rpm, sha
from tests.support.worlds.cli_world import DELETE, Cli, Done, open_cli

REPLACEMENTS, DELETIONS = Part(Phase.REPLACEMENTS), Part(Phase.DELETIONS)
COUNT = 24


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with open_world(tmp_path) as world:
        yield world


def elsewhere(world: World, name: str) -> World:
    """Another machine, which knows nothing of the first one."""
    folder = world.folder / name
    folder.mkdir()
    return evolve(world, folder=folder)


def shard(number: int, count: int) -> Part:
    return Part(shard=Shard(number, count))


def why(receipt: Receipt) -> dict[str, tuple[str, str | None]]:
    return {line.filename: (str(line.outcome), line.reason) for line in receipt.lines}


# the whole program, as CI jobs run it


@pytest.fixture
def cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cli]:
    with open_cli(tmp_path, monkeypatch) as cli:
        yield cli


def machine(name: str, *arguments: str) -> list[str]:
    """An apply on a machine of its own."""
    places = [f"--{place}-dir={name}/{place}" for place in ("cache", "state", "backup")]
    return ["apply", "plan.json", f"--receipt={name}.json", *places, *arguments]


def test_four_machines_one_of_them_killed_then_the_rest_of_the_plan(cli: Cli) -> None:
    new = [make_rpm(f"tool{number}", "2.0") for number in range(COUNT)]
    old = [make_rpm(f"tool{number}", "1.0") for number in range(COUNT)]
    before, after = make_deb("netdemo", "1.0", "1", salt="before"), make_deb("netdemo", "1.0", "1", salt="after")
    cli.publish(*new)
    cli.publish(after)
    cli.put(*old, before)
    cli.configure(**DELETE, limits={"deletions": 20, "deletions_percent": 50})
    assert cli.run("plan", "-o", "plan.json").code == 0
    plan = cli.saved()
    counts = [len(plan[kind]) for kind in ("uploads", "replacements", "deletions")]
    assert (counts, plan["applyable"]) == ([COUNT, 1, COUNT], True)  # all deletions are freed by the uploads
    cli.sandbox.clock.advance(10**9)  # whatever is uploaded now comes after the plan
    approved = f"--expect-digest={plan['digest']}"

    fault = cli.packagecloud_fault(Kind.HANG_AFTER, "packages.json", method="POST", times=1)
    with cli.started(*machine("two", "--shard=2/4", "-j1")) as killed:
        assert fault.hit.wait(30)  # Packagecloud has the file, the machine has no answer
        with (
            cli.started(*machine("one", "--shard=1/4")) as one,
            cli.started(*machine("three", "--shard=3/4")) as three,
            cli.started(*machine("four", "--shard=4/4")) as four,
        ):
            for process in (one, three, four):
                out, err = process.communicate(timeout=60)
                assert (process.returncode, "Warning" in out) == (0, False), err
        killed.send_signal(signal.SIGKILL)
        killed.wait()

    kept = {f"{LEAP}/{file.filename}" for file in old}
    for part in ("replacements", "deletions"):
        early = cli.call(*machine(f"early-{part}", f"--only={part}", approved))
        assert (early.code, "are not verified present" in early.out) == (5, True)
    assert kept < cli.names
    assert deletes(cli) == 0

    again = cli.call(*machine("two-again", "--shard=2/4"))
    assert (again.code, last(again)) == (0, "8 uploaded, 16 done before")  # 15 by the others, 1 before the kill
    assert cli.sandbox.log.count("packagecloud", method="POST") == COUNT  # each file once

    replacing = cli.call(*machine("replacing", "--only=replacements", approved))
    assert last(replacing) == "1 replaced, 24 done before"
    refused = cli.call(*machine("not-approved", "--only=deletions"))
    assert (refused.code, deletes(cli)) == (4, 1)
    assert "limits: opensuse/15.6: 24 deletions, 4 more than the limit of 20" in " ".join(refused.out.split())
    assert "only where `--expect-digest` names the plan" in " ".join(refused.out.split())
    deleting = cli.call(*machine("deleting", "--only=deletions", approved))
    assert (deleting.code, last(deleting)) == (0, "24 deleted, 25 done before")
    assert "Warning" not in deleting.out

    assert cli.names == {f"{LEAP}/{file.filename}" for file in new} | {f"{JAMMY}/{after.filename}"}
    assert cli.run("plan", "--detailed-exitcode").code == 0


def deletes(cli: Cli) -> int:
    return cli.sandbox.log.count("packagecloud", method="DELETE")


def last(done: Done) -> str:
    """What the last line says was done."""
    return done.out.splitlines()[-1].partition(": ")[2].partition(" in ")[0]


@pytest.mark.parametrize("wrong", ["0/4", "5/4", "4", "1/0", "-1/4", "1/4/2", "a/b", "1/4 ", "١/٤", ""])
def test_what_is_no_share(cli: Cli, wrong: str) -> None:
    done = cli.run("apply", "plan.json", "--shard", wrong)
    assert (done.code, len(done.errors)) == (64, 1)
    assert "is not a share such as 2/4" in done.errors[0]


@pytest.mark.parametrize("phase", ["replacements", "deletions"])
def test_only_uploads_have_shares(cli: Cli, phase: str) -> None:
    done = cli.run("apply", "plan.json", "--shard", "1/2", "--only", phase)
    assert (done.code, len(done.errors)) == (64, 1)


# what a part of a plan judges


def test_a_share_is_not_stopped_by_what_others_do_and_says_so(world: World) -> None:
    files = [rpm(f"tool{number}") for number in range(8)]
    world.publish(*files)
    plan = world.plan()
    mine = [file for file in files if Shard(1, 2).takes(f"{LEAP}/{file.filename}")]
    others = [file for file in files if file not in mine]
    assert mine
    assert others
    world.put(rpm(others[0].filename.partition("-")[0], salt="by somebody else"))  # stale for the other machine
    receipt = world.apply(plan, part=shard(1, 2))
    assert outcomes(receipt) == {file.filename: "done" if file in mine else "left" for file in files}
    assert {line.reason for line in receipt.lines if str(line.outcome) == "left"} == {"not-selected"}
    assert (receipt.exit_code, receipt.complete) == (0, False)
    assert elsewhere(world, "other").apply(plan, part=shard(2, 2)).exit_code == 4


def test_a_share_with_a_stale_upload_of_its_own_does_nothing(world: World) -> None:
    world.publish(rpm("one"), rpm("two"))
    plan = world.plan()
    world.put(rpm("one", salt="by somebody else"))
    receipt = world.apply(plan, part=shard(1, 1))
    assert (receipt.exit_code, world.count("POST")) == (4, 0)


def test_a_share_leaves_what_an_earlier_run_took_away_and_tells_it(world: World) -> None:
    """A killed replacement: the name is absent, and its bytes are on the machine that took it."""
    world.publish(deb(salt="after"))
    world.put(deb(salt="before"), JAMMY)
    plan = world.plan()
    fault = world.sandbox.packagecloud.faults
    fault.add(Fault(kind=Kind.STATUS, method="POST", status=500, times=None, nth=2))
    assert world.apply(plan).exit_code == 5
    assert world.content == {}
    fault.clear()
    receipt = world.apply(plan, part=shard(1, 1))
    assert (world.content, receipt.lines[0].missing, receipt.exit_code) == ({}, "yes", 5)
    assert world.apply(plan).exit_code == 0


def everything(world: World) -> Plan:
    """An upload and a deletion here; a replacement there."""
    world.publish(rpm(version="2.0"))
    world.put(rpm(version="1.0"))
    world.publish(deb(salt="after"))
    world.put(deb(salt="before"), JAMMY)
    plan = world.plan()
    assert [len(plan.uploads), len(plan.replacements), len(plan.deletions)] == [1, 1, 1]
    return plan


def test_the_phases_one_by_one_on_three_machines(world: World) -> None:
    plan, new, old, changed = everything(world), rpm(version="2.0"), rpm(version="1.0"), deb(salt="after")
    missing = ("left", "upload-missing")
    left = ("left", "not-selected")

    assert why(elsewhere(world, "a").apply(plan, part=DELETIONS)) == {
        new.filename: left, changed.filename: left, old.filename: missing,
    }  # fmt: skip
    assert why(elsewhere(world, "b").apply(plan, part=REPLACEMENTS)) == {
        new.filename: left, changed.filename: missing, old.filename: left,
    }  # fmt: skip
    assert (world.count("POST"), world.count("DELETE")) == (0, 0)

    assert elsewhere(world, "c").apply(plan, part=Part(Phase.UPLOADS)).exit_code == 0
    # one distribution's uploads are all there, but the other's replacement is not: no deletion anywhere
    waiting = elsewhere(world, "d").apply(plan, part=DELETIONS)
    assert (waiting.exit_code, world.count("DELETE")) == (5, 0)
    assert waiting.lines[-1].message == f"{JAMMY}/{changed.filename} is not verified present"
    assert elsewhere(world, "e").apply(plan, part=REPLACEMENTS).exit_code == 0
    assert world.content[f"{LEAP}/{old.filename}"] == sha(old)
    done = elsewhere(world, "f").apply(plan, part=DELETIONS)
    assert (done.exit_code, done.complete, done.warnings) == (0, True, ())
    assert world.content == {f"{LEAP}/{new.filename}": sha(new), f"{JAMMY}/{changed.filename}": sha(changed)}


def test_a_journal_that_says_done_is_no_proof_that_it_is_still_there(world: World) -> None:
    plan = everything(world)
    assert world.apply(plan, part=Part(Phase.UPLOADS)).exit_code == 0
    assert world.apply(plan, part=REPLACEMENTS).exit_code == 0
    world.remove(rpm(version="2.0"))
    receipt = world.apply(plan, part=DELETIONS)
    assert (receipt.exit_code, world.count("DELETE")) == (5, 1)  # that of the replacement


def test_other_content_under_the_name_of_an_upload_is_no_upload(world: World) -> None:
    plan = everything(world)
    world.put(rpm(version="2.0", salt="by somebody else"))
    receipt = elsewhere(world, "other").apply(plan, part=DELETIONS, skip_stale=True)
    assert (receipt.exit_code, world.count("DELETE")) == (5, 0)


def test_a_dry_run_of_a_part_says_what_it_would_do(world: World) -> None:
    plan, new, changed, old = everything(world), rpm(version="2.0"), deb(salt="after"), rpm(version="1.0")
    found = {part: outcomes(world.apply(plan, part=part, dry_run=True)) for part in (DELETIONS, shard(1, 1), Part())}
    assert found == {
        DELETIONS: {new.filename: "left", changed.filename: "left", old.filename: "left"},
        shard(1, 1): {new.filename: "due", changed.filename: "left", old.filename: "left"},
        Part(): {new.filename: "due", changed.filename: "due", old.filename: "due"},
    }


def test_what_other_machines_did_for_the_plan_is_no_change_by_others(world: World) -> None:
    plan = everything(world)
    assert elsewhere(world, "a").apply(plan).exit_code == 0
    assert elsewhere(world, "b").apply(plan).warnings == ()
    world.put(rpm("stranger"))
    (warning,) = elsewhere(world, "c").apply(plan).warnings
    assert warning.startswith("Packagecloud changed since the plan was made")


# the limits: what an upload brought frees the deletion of what it supersedes


@pytest.fixture
def exchange(world: World) -> World:
    """Six new versions for six old ones, of which only five may be deleted without a new one."""
    world.policy = replace(world.policy, limits=Limits(deletions=5, deletions_percent=100))
    world.publish(*(rpm(f"tool{number}", "2.0") for number in range(6)))
    for number in range(6):
        world.put(rpm(f"tool{number}", "1.0"))
    return world


def planned(world: World) -> Plan:
    return replace(world.plan(), overrides=replace(world.plan().overrides, max_deletions=None))


def test_an_approved_plan_knows_what_other_machines_brought_since(exchange: World) -> None:
    plan = planned(exchange)
    exchange.sandbox.clock.advance(10**6)
    assert elsewhere(exchange, "a").apply(plan, part=shard(1, 1)).exit_code == 0
    refused = elsewhere(exchange, "b").apply(plan, part=DELETIONS)
    assert (refused.exit_code, exchange.count("DELETE")) == (4, 0)
    assert len(refused.warnings) == 1
    assert elsewhere(exchange, "c").apply(plan, part=DELETIONS, approved=True).exit_code == 0
    assert exchange.count("DELETE") == 6


def test_what_was_there_before_the_plan_came_with_no_plan(exchange: World) -> None:
    """However well it is approved: the server says when the row came."""
    plan = planned(exchange)
    for upload in plan.uploads:
        exchange.put(rpm(upload.filename.partition("-")[0], "2.0"))
    refused = exchange.apply(plan, approved=True)
    assert (refused.exit_code, exchange.count("DELETE")) == (4, 0)
