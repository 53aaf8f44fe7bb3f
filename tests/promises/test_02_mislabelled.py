"""A file that is not what its index says: it is never uploaded, and takes nothing else with it but deletions."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from pkgsync.sandbox import Artifact, make_rpm
from pkgsync.sandbox.headers import PackageHeader
from pkgsync.sandbox.synthetic import deb_entry, rpm_entry
from tests.support.worlds.apply_world import JAMMY, LEAP, POLICY, World, deb, open_world, outcomes, rpm, sha
from tests.support.worlds.cli_world import LEAP_REPOSITORY, open_cli

FINE, OLD, ORPHAN = rpm("tool", "2.0"), rpm("tool", "1.0"), deb("app", "1.0")
NEWER = deb("app", "2.0")


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with open_world(tmp_path) as world:
        yield world


def labelled(file: Artifact, *, epoch: int = 0) -> Artifact:
    """The file published as hello 2.0-1 for x86_64, whatever it is."""
    says = PackageHeader(kind="rpm", name="hello", epoch=epoch, version="2.0", release="1", architecture="x86_64")
    return Artifact(filename=says.filename, blob=file.blob, entry=rpm_entry(says, file.blob))


@pytest.mark.parametrize(
    ("file", "epoch", "message"),
    [
        (rpm("hello", "1.0"), 0, "Its own header says version 1.0-1; the index says version 2.0-1."),
        (make_rpm("hello", "2.0", "2"), 0, "Its own header says version 2.0-2; the index says version 2.0-1."),
        (rpm("hello", "2.0", epoch=1), 0, "Its own header says version 1:2.0-1; the index says version 2.0-1."),
        (rpm("hello", "2.0"), 1, "Its own header says version 2.0-1; the index says version 1:2.0-1."),
        (rpm("other", "2.0"), 0, "Its own header says name other; the index says name hello."),
        (
            rpm("hello", "2.0", arch="noarch"),
            0,
            "Its own header says architecture noarch; the index says architecture x86_64.",
        ),
        (
            rpm("hello", "2.0", arch="src"),
            0,
            "Its own header says architecture src; the index says architecture x86_64.",
        ),
        (
            make_rpm("other", "1.0", "1"),
            0,
            "Its own header says name other, version 1.0-1; the index says name hello, version 2.0-1.",
        ),
        (
            deb("hello", "2.0"),
            0,
            "hello-2.0-1.x86_64.rpm: its content is cut, damaged, or no package of its kind",
        ),
    ],
)
def test_just_that_file_is_refused_and_its_distribution_keeps_what_is_there(
    world: World, file: Artifact, epoch: int, message: str
) -> None:
    wrong = labelled(file, epoch=epoch)
    world.publish(wrong, FINE)
    world.publish(NEWER)
    world.put(OLD)
    world.put(ORPHAN, JAMMY)
    receipt = world.apply(world.plan())
    assert outcomes(receipt) == {
        wrong.filename: "failed",
        FINE.filename: "done",
        NEWER.filename: "done",
        OLD.filename: "left",
        ORPHAN.filename: "done",
    }
    assert receipt.exit_code == 6
    lines = {line.filename: line for line in receipt.lines}
    assert (lines[wrong.filename].message, lines[wrong.filename].attempts) == (message, 0)
    assert lines[OLD.filename].reason == "upload-missing"
    assert {key.partition("/")[2].partition("/")[2] for key in world.content} == {
        FINE.filename,
        OLD.filename,
        NEWER.filename,
    }


def test_a_deb_under_another_version(world: World) -> None:
    says = PackageHeader(kind="deb", name="hello", epoch=1, version="2.0", release="1", architecture="amd64")
    file = deb("hello", "2.0")
    world.publish(Artifact(filename=says.filename, blob=file.blob, entry=deb_entry(says, "", file.blob)))
    (line,) = world.apply(world.plan()).lines
    assert line.message.endswith("Its own header says version 2.0-1; the index says version 1:2.0-1.")
    assert (world.content, world.count("POST")) == ({}, 0)


def test_before_a_replacement_nothing_is_taken_away(world: World) -> None:
    before, wrong = rpm("hello", "2.0", salt="before"), labelled(rpm("hello", "1.0"))
    world.publish(wrong)
    world.put(before)
    receipt = world.apply(world.plan())
    assert (outcomes(receipt), receipt.exit_code) == ({wrong.filename: "failed"}, 6)
    assert world.content == {f"{LEAP}/{before.filename}": sha(before)}
    assert (world.count("DELETE"), world.count("POST")) == (0, 0)


def test_one_file_is_refused_in_all_its_distributions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What an index says is known by where the file is, not by where it goes."""
    with open_cli(tmp_path, monkeypatch) as cli:
        cli.configure(distributions={LEAP_REPOSITORY: [LEAP, "opensuse/15.5"], "*": None})
        cli.publish(labelled(rpm("hello", "1.0")))
        assert cli.run("plan", "-o", "plan.json").code == 0
        done = cli.run("apply", "plan.json")
    assert (done.code, cli.names) == (6, set())
    assert done.err.count("Its own header says version 1.0-1; the index says version 2.0-1.") == 2
    assert "Apply incomplete: nothing changed in under 1 s; 2 failed." in done.out


def test_what_is_for_all_architectures_and_sources_are_what_they_say(world: World) -> None:
    world.policy = replace(POLICY, include_classes=("source",))
    source, doc = rpm("hello", "2.0", arch="src"), rpm("doc", "2.0", arch="noarch", epoch=3)
    world.publish(source, doc)
    world.publish(deb("data", "2.0", arch="all", epoch=1))
    receipt = world.apply(world.plan())
    assert ({*outcomes(receipt).values()}, receipt.exit_code) == ({"done"}, 0)


def test_the_receipt_tells_which_rpms_carry_a_signature(world: World) -> None:
    world.publish(FINE)
    world.publish(NEWER)
    world.apply(world.plan())
    assert {line.filename: line.signed for line in world.receipt().lines} == {
        FINE.filename: False,
        NEWER.filename: None,
    }
