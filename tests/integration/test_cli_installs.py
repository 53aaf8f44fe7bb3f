"""What a package that stays needs, from the indexes of both services: the plan warns, or holds the deletion."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from pkgsync.sandbox import Kind, make_deb, make_rpm
from tests.support.worlds.cli_world import DELETE, JAMMY, LEAP, Cli, open_cli

OLD = make_deb("lib", "1.0", "1", fields=["Provides: lib-api (= 1)"])
NEW = make_deb("lib", "2.0", "1", fields=["Provides: lib-api (= 2)"])
BOTH = make_deb("lib", "2.0", "1", fields=["Provides: lib-api (= 2), lib-api (= 1)"])
TOOL = make_deb("tool", "1.0", "1", fields=["Depends: lib-api (= 1), libc6"])
WORDS = (
    "tool_1.0-1_amd64.deb stays and needs lib-api = 1; nothing else that stays provides it, though the base system may"
)
KEY = f"{JAMMY}/{OLD.filename}"
HOLDING = {"limits": {"installable": True}}


@pytest.fixture
def cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cli]:
    with open_cli(tmp_path, monkeypatch) as cli:
        cli.in_step()
        cli.put(OLD, TOOL)
        cli.publish(NEW, TOOL, package="lib")
        cli.configure(**DELETE)
        yield cli


def deletions(plan: dict[str, object]) -> list[str]:
    return [f"{a['distribution']}/{a['filename']}" for a in plan["deletions"]]  # type: ignore[attr-defined]


def test_the_plan_warns(cli: Cli) -> None:
    cli.sandbox.log.clear()
    plan = cli.plan()
    assert deletions(plan) == [KEY]
    assert plan["warnings"] == [f"{KEY} goes, but {WORDS}"]
    # the upload is not in Packagecloud's index yet, so that OBS's is read once more
    assert [entry.target for entry in cli.sandbox.log.find(target="/dists/")] == [
        "/demo/testing/ubuntu/dists/jammy/InRelease",
        "/demo/testing/ubuntu/dists/jammy/main/binary-amd64/Packages.gz",
    ]
    assert f"Warning: {KEY} goes, but {WORDS}\n" in cli.run("plan").out


def test_what_the_upload_provides_is_no_loss(cli: Cli) -> None:
    cli.publish(BOTH, TOOL, package="lib")
    plan = cli.plan()
    assert (deletions(plan), plan["warnings"]) == ([KEY], [])


def test_the_limit_holds_it(cli: Cli) -> None:
    cli.configure(**DELETE, **HOLDING)
    plan = cli.plan()
    assert (deletions(plan), plan["warnings"]) == ([], [])
    assert [(held["reason"], held["message"]) for held in plan["held"]] == [("needed-by", WORDS)]
    told = cli.run("explain", OLD.filename).out
    assert "  held (needed-by): tool_1.0-1_amd64.deb stays and needs" in told
    assert told.splitlines()[-1] == "  To let it go all the same, take out `limits.installable`."
    audited = cli.run("audit", "--json").out
    assert '"needed-by"' in audited


def test_an_index_that_cannot_be_read(cli: Cli) -> None:
    cli.packagecloud_fault(Kind.STATUS, "/demo/testing/ubuntu/dists", status=500, times=None)
    plan = cli.plan()
    assert deletions(plan) == [KEY]
    (warning,) = plan["warnings"]
    assert warning.startswith(f"{JAMMY}: whether all that stays would still install is not known: ")
    cli.configure(**DELETE, **HOLDING)
    assert [held["reason"] for held in cli.plan()["held"]] == ["needed-by"]


def test_an_index_of_obs_that_changes_meanwhile(cli: Cli) -> None:
    cli.obs_fault(Kind.CORRUPT, "xUbuntu_22.04/Release", nth=3, times=None)
    plan = cli.plan()
    assert plan["warnings"] == [
        f"{JAMMY}: whether all that stays would still install is not known: "
        "demo:release/xUbuntu_22.04/Release: changed since it was read"
    ]


def test_an_rpm_that_nothing_needs(cli: Cli) -> None:
    cli.put(make_rpm("hello", "0.9"))
    cli.configure(**DELETE, **HOLDING)
    plan = cli.plan()
    assert (deletions(plan), plan["warnings"]) == ([f"{LEAP}/hello-0.9-1.x86_64.rpm"], [])
    assert [held["reason"] for held in plan["held"]] == ["needed-by"]


def test_apply_looks_again(cli: Cli) -> None:
    cli.publish(BOTH, TOOL, package="lib")
    cli.configure(**DELETE, **HOLDING)
    assert cli.run("plan", "-o", "plan.json").code == 0
    assert deletions(cli.saved()) == [KEY]
    # somebody else brings a package that needs it
    cli.put(make_deb("late", "1.0", "1", fields=["Depends: lib (<< 2)"]))
    done = cli.run("apply", "plan.json")
    assert done.code == 5, done
    assert KEY in cli.names
    assert "late_1.0-1_amd64.deb stays and needs lib < 2" in done.out.replace("\n", " ") + done.err.replace("\n", " ")


def test_apply_deletes_what_nothing_needs(cli: Cli) -> None:
    cli.publish(BOTH, TOOL, package="lib")
    cli.configure(**DELETE, **HOLDING)
    assert cli.run("plan", "-o", "plan.json").code == 0
    done = cli.run("apply", "plan.json")
    assert done.code == 0, done
    assert KEY not in cli.names
    assert cli.plan()["held"] == []


@pytest.mark.parametrize("limits", [{}, HOLDING])
def test_a_snapshot_gives_the_same_plan(cli: Cli, limits: dict[str, object]) -> None:
    cli.configure(**DELETE, **limits)
    assert cli.run("snapshot", "-o", "world.json").code == 0
    told = [cli.plan("--from-snapshot", "world.json"), cli.plan()]
    assert told[0]["held"] == told[1]["held"]
    assert told[0]["warnings"] == told[1]["warnings"]
    assert deletions(told[0]) == deletions(told[1])


def test_nothing_is_read_where_nothing_goes(cli: Cli) -> None:
    cli.configure()
    cli.sandbox.log.clear()
    assert cli.plan()["deletions"] == []
    assert cli.sandbox.log.count(target="/dists/") == 0
