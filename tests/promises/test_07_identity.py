"""Promise 7 for odd names, through the whole program: plan, apply, plan again changes nothing, or says what it holds."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from attrs import evolve

from pkgsync.sandbox import Artifact, make_deb, make_rpm
from tests.support.worlds.cli_world import DELETE, JAMMY, LEAP, Cli, open_cli

CHANGES = ("uploads", "replacements", "deletions", "archivings")
EPOCH = "foo_1%3a2.0-1_amd64.deb"


@pytest.fixture
def cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cli]:
    with open_cli(tmp_path, monkeypatch) as cli:
        cli.in_step()
        cli.configure(**DELETE)
        yield cli


def called(artifact: Artifact, filename: str) -> Artifact:
    return evolve(artifact, filename=filename)


def converged(cli: Cli) -> tuple[dict[str, list[str]], set[str]]:
    """What a plan changed, and the reasons of what the next one holds; that one changes nothing."""
    planned = cli.run("plan", "-o", "plan.json")
    assert planned.code == 0, planned.err
    plan = cli.saved()
    applied = cli.run("apply", "plan.json", "--receipt", f"{plan['digest'][7:20]}.json")
    assert applied.code == 0, applied.err
    again = cli.plan()
    assert [again[what] for what in CHANGES] == [[], [], [], []]
    done = {what: [action["filename"] for action in plan[what]] for what in CHANGES if plan[what]}
    return done, {held["reason"] for held in again["held"]}


def test_a_deb_with_an_odd_name_takes_the_place_of_its_older_versions(cli: Cli) -> None:
    cli.publish(called(make_deb("foo", "2.0", "1"), "foo-2.0-1_amd64.deb"), package="foo")
    cli.put(make_deb("foo", "1.8", "1"), make_deb("foo", "1.9", "1"))
    done, held = converged(cli)
    assert done == {
        "uploads": ["foo-2.0-1_amd64.deb"],
        "deletions": ["foo_1.8-1_amd64.deb", "foo_1.9-1_amd64.deb"],
    }
    assert held == set()
    assert f"{JAMMY}/foo_2.0-1_amd64.deb" in cli.names


def test_an_rpm_with_an_odd_name_is_synced_and_replaced(cli: Cli) -> None:
    for salt in ("", "again"):
        odd = called(make_rpm("tool", "0.48.0", salt=salt), "tool_0.48.0_Linux-64bit.rpm")
        cli.publish(odd, package="tool")
        done, held = converged(cli)
        changed = "replacements" if salt else "uploads"
        assert (list(done), held) == ([changed], set())
    assert f"{LEAP}/tool-0.48.0-1.x86_64.rpm" in cli.names


def test_a_deb_with_an_epoch_is_replaced_under_the_name_that_the_server_gave_it(cli: Cli) -> None:
    cli.publish(called(make_deb("foo", "2.0", "1", epoch=1), EPOCH), package="foo")
    assert converged(cli) == ({"uploads": [EPOCH]}, set())
    cli.publish(called(make_deb("foo", "2.0", "1", epoch=1, salt="rebuilt"), EPOCH), package="foo")
    assert converged(cli) == ({"replacements": ["foo_2.0-1_amd64.deb"]}, set())


def test_a_file_and_its_symlink_are_one(cli: Cli) -> None:
    file = make_rpm("tool", "1.0")
    cli.publish(file, called(file, "tool-1.0.x86_64.rpm"), called(file, "tool.x86_64.rpm"), package="tool")
    assert converged(cli) == ({"uploads": ["tool-1.0-1.x86_64.rpm"]}, set())
    again = make_rpm("tool", "1.0", salt="rebuilt")
    cli.publish(again, called(again, "tool-1.0.x86_64.rpm"), called(again, "tool.x86_64.rpm"), package="tool")
    assert converged(cli) == ({"replacements": ["tool-1.0-1.x86_64.rpm"]}, set())


def test_five_contents_of_one_version_are_held(cli: Cli) -> None:
    files = [called(make_deb("foo", "1.0", "1", salt=str(n)), f"foo-{n}.deb") for n in range(5)]
    cli.publish(*files, package="foo")
    assert converged(cli) == ({}, {"same-identity"})
    assert f"{JAMMY}/foo_1.0-1_amd64.deb" not in cli.names
    cli.put(files[3])
    assert converged(cli) == ({}, set())


def test_two_epochs_of_one_version_have_room_for_one(cli: Cli) -> None:
    old, new = make_deb("foo", "2.0", "1"), called(make_deb("foo", "2.0", "1", epoch=1), EPOCH)
    cli.publish(old, new, package="foo")
    assert converged(cli) == ({}, {"same-identity"})


def test_what_is_left_out_by_class_is_counted_and_named(cli: Cli) -> None:
    debug = called(make_rpm("tool-debuginfo", "1.0"), "symbols.x86_64.rpm")
    cli.publish(make_rpm("tool", "1.0"), debug, make_rpm("tool", "1.0", arch="src"), package="tool")
    assert "Left out by class: 1 debug, 1 source (-v names them)." in cli.run("plan").out
    named = cli.run("plan", "-v", "-o", "plan.json").out
    assert "opensuse/15.6/symbols.x86_64.rpm: debug" in named
    assert "opensuse/15.6/tool-1.0-1.src.rpm: source" in named
    assert "opensuse/15.6/symbols.x86_64.rpm: debug" in cli.run("show", "-v", "plan.json").out
