"""`pkgsync explain` over real sockets: what becomes of a file, check by check, and what would change that."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pkgsync.sandbox import PROJECT, Kind, make_rpm
from tests.support.worlds.apply_world import sha
from tests.support.worlds.cli_world import DEB, DELETE, JAMMY, LEAP, LEAP_REPOSITORY, LONG_AGO, RPM, Cli, open_cli

NOW = "2026-12-01T00:00:00Z"
OLD, FOREIGN, DEBUG = make_rpm("hello", "0.9"), make_rpm("foreign", "7"), make_rpm("hello-debuginfo", "1.0")


@pytest.fixture
def cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cli]:
    with open_cli(tmp_path, monkeypatch) as cli:
        cli.put(OLD, FOREIGN, RPM)
        cli.publish(RPM, DEBUG)
        cli.configure(**DELETE)
        yield cli


def explained(cli: Cli, name: str, *arguments: object) -> list[dict[str, Any]]:
    done = cli.run("explain", "--json", name, *arguments)
    assert (done.code, done.err) == (0, "")
    found: list[dict[str, Any]] = json.loads(done.out)["explanations"]
    return found


def test_a_file_that_nothing_shows_to_be_ours(cli: Cli) -> None:
    done = cli.run("explain", f"{LEAP}/{FOREIGN.filename}")
    assert (done.code, done.err) == (0, "")
    first, *lines = done.out.splitlines()
    assert first == f"{LEAP}/{FOREIGN.filename}"
    assert lines[0] == "  kept (not-owned): nothing shows that it is ours: OBS offers no foreign there"
    assert [line.split()[:2] for line in lines[2:-2]] == [
        ["ok", "managed"],
        ["ok", "packagecloud"],
        ["ok", "filters"],
        ["ok", "obs"],
        ["ok", "protected"],
        ["ok", "elsewhere"],
        ["ok", "built"],
        ["stop", "ours"],
    ]
    assert lines[3] == f"  ok    packagecloud  uploaded {LONG_AGO} by demo-bot, sha256 {sha(FOREIGN)[:12]}"
    assert lines[-1] == "  To let pkgsync manage it: `orphans: {names: [foreign]}`"


def test_the_stated_lines_one_after_the_other_let_it_go(cli: Cli) -> None:
    """Each line is pasted as it is told, into the config."""
    orphans: dict[str, Any] = {"action": "delete", "keep_versions": 1}
    reasons = []
    for _ in range(3):
        cli.configure(orphans=orphans)
        (found,) = explained(cli, f"{LEAP}/{FOREIGN.filename}")
        reasons.append((found["fortune"], found["reason"]))
        for change in found["flip"]["config"]:
            orphans[change["path"][1]] = change["value"]
    assert reasons == [("keep", "not-owned"), ("keep", "keep-versions"), ("delete", "gone")]
    assert orphans == {
        "action": "delete",
        "keep_versions": 1,
        "names": ["foreign"],
        "gone": "delete",
        "protect": [FOREIGN.filename],
    }


def test_a_name_explains_each_file_of_it(cli: Cli) -> None:
    found = {(f["distribution"], f["filename"]): (f["fortune"], f["reason"]) for f in explained(cli, "hello")}
    assert found == {
        (LEAP, OLD.filename): ("delete", "superseded"),
        (LEAP, RPM.filename): ("unchanged", None),
        (JAMMY, DEB.filename): ("upload", "missing"),
    }
    assert [f["filename"] for f in explained(cli, OLD.filename)] == [OLD.filename]


def test_what_the_filters_leave_out(cli: Cli) -> None:
    (found,) = explained(cli, f"{LEAP}/{DEBUG.filename}")
    assert (found["fortune"], found["message"], found["flip"]["told"]) == (
        "filtered",
        "it is of class debug, which `include_classes` does not name",
        "To sync it: `include_classes: [debug]`",
    )


def test_a_name_that_nobody_knows(cli: Cli) -> None:
    done = cli.run("explain", f"{LEAP}/hello-0.8-1.x86_64.rpm")
    assert done.code == 1
    assert done.out.splitlines()[:2] == [
        f"Neither OBS nor Packagecloud knows `{LEAP}/hello-0.8-1.x86_64.rpm`.",
        "Near names:",
    ]
    assert f"  {LEAP}/{OLD.filename}" in done.out.splitlines()


def test_a_repository_that_is_not_settled(cli: Cli) -> None:
    cli.sandbox.obs.set_arch(PROJECT, LEAP_REPOSITORY, "x86_64", "published", dirty=True)
    (found,) = explained(cli, f"{LEAP}/{OLD.filename}")
    assert (found["fortune"], found["reason"], found["steps"][-1]["name"]) == ("held", "dirty", "settled")
    assert found["flip"]["world"] == {"kind": "settled", "subject": LEAP}


def test_another_policy_for_once_and_another_time(cli: Cli) -> None:
    (found,) = explained(cli, f"{LEAP}/{OLD.filename}", "--orphans", "keep")
    assert (found["fortune"], found["reason"]) == ("keep", "keep")
    cli.configure(orphans={"action": "delete", "keep_versions": 1, "min_age": "10d"})
    (young,) = explained(cli, f"{LEAP}/{OLD.filename}", "--now", "2026-01-02T00:00:00Z")
    assert (young["fortune"], young["message"]) == ("held", f"since {LONG_AGO}, less than 10d ago")
    assert young["flip"]["told"] == "Wait until 2026-01-11T00:00:00Z."


def test_from_a_snapshot_without_asking_anybody(cli: Cli) -> None:
    assert cli.run("snapshot", "-o", "worlds.json").code == 0
    live = [explained(cli, name, "--now", NOW) for name in ("hello", "foreign")]
    cli.obs_fault(Kind.STATUS, times=None)
    cli.packagecloud_fault(Kind.STATUS, times=None)
    assert [
        explained(cli, name, "--from-snapshot", "worlds.json", "--now", NOW) for name in ("hello", "foreign")
    ] == live


def test_a_read_that_fails_ends_the_command(cli: Cli) -> None:
    cli.packagecloud_fault(Kind.STATUS, "packages.json", status=503, times=None)
    done = cli.run("explain", "hello")
    assert (done.code, done.out) == (1, "")
    assert done.errors


@pytest.mark.parametrize("arguments", [[], ["a", "b"], ["hello", "--format", "html"]])
def test_a_wrong_command_line(cli: Cli, arguments: list[str]) -> None:
    assert cli.run("explain", *arguments).code == 64
