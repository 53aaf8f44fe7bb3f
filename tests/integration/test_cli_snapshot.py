"""Plans from a snapshot: the bytes of the live plan, without a request and a credential."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pkgsync.sandbox import PROJECT, REPOSITORY, Kind, make_deb, make_rpm
from tests.cli_world import DELETE, JAMMY, JAMMY_REPOSITORY, LEAP, LEAP_REPOSITORY, RPM, Cli, open_cli

NOW = "2026-03-01T12:00:00Z"
OLD, OLD_DEB = make_rpm("hello", "0.9"), make_deb("hello", "0.9", "1")
TUMBLEWEED = "openSUSE_Tumbleweed"


@pytest.fixture
def cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cli]:
    with open_cli(tmp_path, monkeypatch) as cli:
        yield cli


def requests(cli: Cli) -> int:
    return len(cli.sandbox.obs.recorder.requests) + len(cli.sandbox.packagecloud.recorder.requests)


def same_plans(cli: Cli, *options: str) -> dict[str, Any]:
    """The plan, made twice of one moment: the bytes must be equal."""
    live = cli.run("plan", "--now", NOW, "-o", "live.json", *options)
    before = requests(cli)
    offline = cli.run("plan", "--now", NOW, "--from-snapshot", "world.json", "-o", "offline.json", *options)
    assert (live.code, live.out) == (offline.code, offline.out)
    assert (cli.folder / "live.json").read_bytes() == (cli.folder / "offline.json").read_bytes()
    assert requests(cli) == before
    return cli.saved("offline.json")


def test_a_plan_from_a_snapshot_is_the_live_plan_byte_by_byte(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    cli.put(OLD, OLD_DEB)
    cli.configure(**DELETE, limits={"in_use_days": 30, "deletions_percent": 100})
    done = cli.run("snapshot", "-o", "world.json")
    assert (done.code, done.out) == (0, "")
    assert "2 packages of " in done.err and "1 OBS project." in done.err
    plan = same_plans(cli)
    assert [len(plan[kind]) for kind in ("uploads", "deletions")] == [2, 2]
    assert same_plans(cli, "--target", "*.rpm")["summary"]["total"]["uploads"] == 1
    cli.sandbox.obs.faults.add
    for name in ("OSC_USERNAME", "OSC_PASSWORD", "PACKAGECLOUD_TOKEN", *cli.sandbox.environment):
        monkeypatch.delenv(name, raising=False)
    assert cli.run("plan", "--from-snapshot", "world.json").code == 0
