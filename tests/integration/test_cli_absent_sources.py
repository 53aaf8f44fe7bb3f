"""A source that the config names and OBS does not show: nothing of what it may feed is deleted or replaced."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pkgsync.sandbox import PROJECT, Artifact, Kind, make_rpm
from pkgsync.sandbox.faults import change_body
from tests.support.worlds.cli_world import JAMMY, JAMMY_REPOSITORY, LEAP, LEAP_REPOSITORY, Cli, open_cli

EVERYTHING_MAY_GO = {
    "orphans": {"action": "delete", "keep_versions": 0, "names": ["*"]},
    "limits": {"deletions": 1000, "deletions_percent": 100},
}
EXTRA, SECOND = "home:extra", "second"
TOOL, OTHER, OLD_RPM = make_rpm("tool"), make_rpm("other"), make_rpm("hello", "0.9")


@pytest.fixture
def cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cli]:
    """opensuse/15.6 comes from three places, and all is in step but for one superseded rpm."""
    with open_cli(tmp_path, monkeypatch) as cli:
        build(cli, PROJECT, SECOND, TOOL)
        build(cli, EXTRA, LEAP_REPOSITORY, OTHER)
        cli.in_step()
        cli.put(TOOL, OTHER, OLD_RPM)
        yield cli


def build(cli: Cli, project: str, repository: str, artifact: Artifact) -> None:
    cli.sandbox.obs.add_repository(project, repository, "rpm", ["x86_64"])
    cli.sandbox.obs.finish(project, repository, "x86_64", artifact.filename, [artifact])
    cli.sandbox.obs.publish(project, repository)


def configure(cli: Cli, *projects: dict[str, Any]) -> None:
    obs = {"api": cli.sandbox.obs_url, "projects": list(projects)}
    cli.configure(**EVERYTHING_MAY_GO, obs=obs, distributions={"*": None})


def hide(cli: Cli, project: str, repository: str) -> None:
    """`_meta` lacks the repository."""

    def drop(body: bytes) -> bytes:
        start = body.index(f'<repository name="{repository}">'.encode())
        return body[:start] + body[body.index(b"</repository>", start) + len(b"</repository>") :]

    cli.obs_fault(Kind.REWRITE, f"/{project}/_meta", times=None, change=change_body(drop))


def told(cli: Cli, artifact: Artifact) -> tuple[list[str], str | None]:
    """What goes from opensuse/15.6, and why the file stays."""
    plan = cli.plan()
    going = [a["filename"] for kind in ("deletions", "replacements") for a in plan[kind] if a["distribution"] == LEAP]
    return going, next((h["reason"] for h in plan["held"] if h["filename"] == artifact.filename), None)


EXTRA_BY_STAR = {"name": EXTRA, "distributions": {"*": LEAP}, "optional": True}
MAPPED = {LEAP_REPOSITORY: LEAP, SECOND: LEAP, JAMMY_REPOSITORY: JAMMY}
OWN = {"name": PROJECT, "distributions": MAPPED}


def test_what_is_all_there_loses_only_the_superseded(cli: Cli) -> None:
    configure(cli, OWN, EXTRA_BY_STAR)
    assert told(cli, OTHER) == ([OLD_RPM.filename], None)


def test_an_optional_project_behind_the_catch_all_is_away(cli: Cli) -> None:
    configure(cli, OWN, EXTRA_BY_STAR)
    del cli.sandbox.obs.projects[EXTRA]
    assert told(cli, OTHER) == ([], "catch-all")
    assert told(cli, OLD_RPM) == ([], "project-absent")
    out = cli.run("plan").out
    assert "home:extra/* (opensuse/15.6): project-absent: home:extra: OBS has no such project" in out


def test_the_meta_behind_the_catch_all_has_no_repository(cli: Cli) -> None:
    configure(cli, OWN, EXTRA_BY_STAR)
    hide(cli, EXTRA, LEAP_REPOSITORY)
    assert told(cli, OTHER) == ([], "catch-all")
    assert told(cli, OLD_RPM) == ([], "repository-absent")


def test_one_of_two_behind_the_catch_all_is_missing(cli: Cli) -> None:
    """Nobody sees that; so no name is ever gone there, but what is superseded goes as ever."""
    build(cli, EXTRA, "another", make_rpm("more"))
    configure(cli, OWN, EXTRA_BY_STAR)
    hide(cli, EXTRA, LEAP_REPOSITORY)
    assert told(cli, OTHER) == ([OLD_RPM.filename], "catch-all")


def test_a_meta_without_any_repository(cli: Cli) -> None:
    configure(cli, OWN, EXTRA_BY_STAR)
    for repository in (LEAP_REPOSITORY, SECOND, JAMMY_REPOSITORY, "openSUSE_Tumbleweed"):
        hide(cli, PROJECT, repository)
    assert told(cli, OLD_RPM)[0] == []


@pytest.mark.parametrize(
    "change",
    [{"repositories": [LEAP_REPOSITORY, JAMMY_REPOSITORY]}, {"distributions": {**MAPPED, SECOND: None}}, {}],
    ids=["filtered", "null", "mapped"],
)
def test_a_repository_that_the_config_names_is_missing_for_a_moment(cli: Cli, change: dict[str, Any]) -> None:
    configure(cli, {**OWN, **change})
    hide(cli, PROJECT, SECOND)
    assert told(cli, TOOL) == ([], "repository-absent")
    assert told(cli, OLD_RPM) == ([], "repository-absent")


def test_a_project_can_say_that_it_never_has_a_repository(cli: Cli) -> None:
    extra = {"name": EXTRA, "distributions": {SECOND: None, JAMMY_REPOSITORY: None}}
    obs = {"api": cli.sandbox.obs_url, "projects": [{"name": PROJECT}, extra]}
    cli.configure(**EVERYTHING_MAY_GO, obs=obs, distributions={**MAPPED, "*": None})
    assert told(cli, OTHER) == ([OLD_RPM.filename], None)
    extra["distributions"] = {JAMMY_REPOSITORY: None}
    cli.configure(**EVERYTHING_MAY_GO, obs=obs, distributions={**MAPPED, "*": None})
    assert told(cli, OLD_RPM) == ([], "repository-absent")


def test_a_typo_beside_a_catch_all_is_a_config_error(cli: Cli) -> None:
    configure(cli, {"name": PROJECT, "distributions": {"openSUSE_Leap_15.60": LEAP, JAMMY_REPOSITORY: JAMMY}})
    done = cli.run("plan")
    lines = (cli.folder / "pkgsync.yaml").read_text().splitlines()
    number = next(n for n, line in enumerate(lines, 1) if "15.60" in line)
    place = f"pkgsync.yaml:{number}:7"
    assert (done.code, done.errors) == (1, [f"error: {place}: no project has an OBS repository openSUSE_Leap_15.60"])
    assert "Did you mean openSUSE_Leap_15.6?" in done.err


def test_nothing_is_said_to_be_all_there_while_a_mapped_repository_is_not_seen(cli: Cli) -> None:
    obs = {"api": cli.sandbox.obs_url, "projects": [{"name": PROJECT}]}
    distributions = {"Debian_12": JAMMY, LEAP_REPOSITORY: LEAP, SECOND: LEAP, "*": None}
    cli.configure(obs=obs, distributions=distributions)
    done = cli.run("plan")
    assert "No changes planned, but what OBS publishes in demo:release/Debian_12 is not known." in done.out
    assert "holds all" not in done.out and "matches OBS" not in done.out
