"""A published tree that fits together and is not this project's, or not today's: `_result` speaks against it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pkgsync.sandbox import PROJECT, make_deb, make_rpm
from tests.support.worlds.cli_world import (
    DEB,
    DELETE,
    JAMMY,
    JAMMY_REPOSITORY,
    LEAP,
    LEAP_REPOSITORY,
    RPM,
    Cli,
    open_cli,
)

FORK = "home:fork"
OLD_RPM, OLD_DEB = make_rpm("hello", "0.9"), make_deb("hello", "0.9", "1")
FORKED_RPM, FORKED_DEB = make_rpm("hello", "1.0", salt="fork, larger"), make_deb("hello", "1.0", "1", salt="fork")
ACTIONS = ("uploads", "replacements", "deletions")


@pytest.fixture
def cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cli]:
    """In step, but for a superseded package in either distribution."""
    with open_cli(tmp_path, monkeypatch) as cli:
        cli.in_step()
        cli.put(OLD_RPM, OLD_DEB)
        cli.configure(**DELETE)
        yield cli


def actions(plan: dict[str, Any]) -> list[str]:
    return [f"{kind} {a['distribution']}/{a['filename']}" for kind in ACTIONS for a in plan[kind]]


def problems(plan: dict[str, Any]) -> dict[str, list[str]]:
    return {r["repository"]: [p["reason"] for p in r["problems"]] for r in plan["source"]["repositories"]}


def held(plan: dict[str, Any]) -> dict[str, str]:
    return {f"{h['action']} {h['distribution']}/{h['filename']}": h["reason"] for h in plan["held"]}


def fork(cli: Cli) -> None:
    """Another project that built the same names, at the same time."""
    obs = cli.sandbox.obs
    for repository, kind, artifact in ((LEAP_REPOSITORY, "rpm", FORKED_RPM), (JAMMY_REPOSITORY, "deb", FORKED_DEB)):
        obs.add_repository(FORK, repository, kind, ["x86_64"])
        obs.finish(FORK, repository, "x86_64", "hello", [artifact])
        obs.publish(FORK, repository)
        assert artifact.blob.size != (RPM if kind == "rpm" else DEB).blob.size


def test_the_tree_of_a_fork_replaces_nothing(cli: Cli) -> None:
    fork(cli)
    for repository in (LEAP_REPOSITORY, JAMMY_REPOSITORY):
        cli.sandbox.obs.repository(PROJECT, repository).tree = cli.sandbox.obs.repository(FORK, repository).tree
    plan = cli.plan()
    assert actions(plan) == []
    assert problems(plan) == {LEAP_REPOSITORY: ["index-changed"], JAMMY_REPOSITORY: ["index-changed"]}


def test_nor_does_it_without_a_word_of_its_origin(cli: Cli) -> None:
    fork(cli)
    for repository in (LEAP_REPOSITORY, JAMMY_REPOSITORY):
        ours, theirs = (cli.sandbox.obs.repository(name, repository) for name in (PROJECT, FORK))
        ours.files = theirs.files
        cli.sandbox.obs.publish_indexes(PROJECT, repository)
    plan = cli.plan()
    assert actions(plan) == []
    assert problems(plan) == {LEAP_REPOSITORY: ["index-changed"], JAMMY_REPOSITORY: ["index-changed"]}
    assert held(plan) == {
        f"replacement {LEAP}/{RPM.filename}": "index-changed",
        f"replacement {JAMMY}/{DEB.filename}": "index-changed",
        f"deletion {LEAP}/{OLD_RPM.filename}": "newest-not-here",
        f"deletion {JAMMY}/{OLD_DEB.filename}": "newest-not-here",
    }


FIRST, AGAIN = make_rpm("tool", "1.0", salt="first"), make_rpm("tool", "1.0", salt="again")


@pytest.fixture
def lagging(cli: Cli) -> Cli:
    """OBS has rebuilt an rpm in the same size and we have synced it; then it answers the index of 300 s before."""
    assert FIRST.blob.size == AGAIN.blob.size
    cli.publish(FIRST, package="tool")
    old = dict(cli.sandbox.obs.repository(PROJECT, LEAP_REPOSITORY).tree)
    cli.sandbox.clock.advance(300)
    cli.publish(AGAIN, package="tool")
    cli.put(AGAIN)
    cli.sandbox.obs.repository(PROJECT, LEAP_REPOSITORY).tree = old
    return cli


def test_an_index_of_before_the_rebuild_rolls_nothing_back(lagging: Cli) -> None:
    plan = lagging.plan()
    assert [action for action in actions(plan) if LEAP in action] == []
    assert problems(plan) == {LEAP_REPOSITORY: ["index-changed"], JAMMY_REPOSITORY: []}
    assert held(plan)[f"replacement {LEAP}/{AGAIN.filename}"] == "index-changed"
    assert "set `compare_times: false` for the project" in lagging.run("plan").out.replace("\n    ", " ")


def test_a_server_that_keeps_no_times_can_be_told_so(lagging: Cli) -> None:
    project = {"name": PROJECT, "compare_times": False}
    lagging.configure(**DELETE, obs={"api": lagging.sandbox.obs_url, "projects": [project]})
    plan = lagging.plan()
    assert problems(plan) == {LEAP_REPOSITORY: [], JAMMY_REPOSITORY: []}
    assert f"replacements {LEAP}/{AGAIN.filename}" in actions(plan)


def test_sizes_count_with_and_without_times(cli: Cli) -> None:
    fork(cli)
    ours, theirs = (cli.sandbox.obs.repository(name, LEAP_REPOSITORY) for name in (PROJECT, FORK))
    ours.files = theirs.files
    cli.sandbox.obs.publish_indexes(PROJECT, LEAP_REPOSITORY)
    cli.configure(**DELETE, obs={"api": cli.sandbox.obs_url, "projects": [{"name": PROJECT, "compare_times": False}]})
    plan = cli.plan()
    assert [action for action in actions(plan) if LEAP in action] == []
    assert problems(plan)[LEAP_REPOSITORY] == ["index-changed"]


def test_what_is_contradicted_is_not_uploaded_either(cli: Cli) -> None:
    """Nobody knows whose bytes they are; what the index lists beside it is uploaded as ever."""
    cli.publish(FIRST, package="tool")
    cli.publish(make_rpm("other"), package="other")
    repository = cli.sandbox.obs.repository(PROJECT, LEAP_REPOSITORY)
    repository.archs["x86_64"].packages["tool"].files[FIRST.filename].mtime += 1
    plan = cli.plan()
    assert [action for action in actions(plan) if LEAP in action] == [f"uploads {LEAP}/other-1.0-1.x86_64.rpm"]
    assert held(plan)[f"upload {LEAP}/{FIRST.filename}"] == "index-changed"
