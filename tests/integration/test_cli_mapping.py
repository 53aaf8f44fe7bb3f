"""All that is wrong with the map is told at once, each with its line and what to write: by plan, and by validate."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from pkgsync.sandbox import PROJECT, make_rpm
from tests.support.worlds.cli_world import JAMMY, JAMMY_REPOSITORY, LEAP, LEAP_REPOSITORY, Cli, open_cli

WRONG = {
    LEAP_REPOSITORY: "opensuse/15.66",
    "xUbunto_22.04": JAMMY,
    "Debian_12": "debian/12",
    "SLE_15_SP6": "sles/15.6",
}


@pytest.fixture
def cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cli]:
    with open_cli(tmp_path, monkeypatch) as cli:
        add = cli.sandbox.obs.add_repository
        add("openSUSE:Leap:15.5", "standard", "rpm")
        add(PROJECT, "stable", "rpm", ["x86_64"], paths=[("openSUSE:Leap:15.5", "standard")])
        yield cli


def numbered(cli: Cli, *names: str) -> list[str]:
    """The places of these keys in the config."""
    lines = (cli.folder / "pkgsync.yaml").read_text().splitlines()
    found = [(n, line) for n, line in enumerate(lines, 1)]
    return [
        next(f"pkgsync.yaml:{n}:{len(s) - len(s.lstrip()) + 1}" for n, s in found if s.lstrip().startswith(name + ":"))
        for name in names
    ]


@pytest.mark.parametrize("command", [["plan"], ["validate", "--online"]])
def test_all_at_once(cli: Cli, command: list[str]) -> None:
    cli.configure(distributions=WRONG)
    done = cli.run(*command)
    leap, ubuntu, debian, sle, mapping = numbered(
        cli, LEAP_REPOSITORY, "xUbunto_22.04", "Debian_12", "SLE_15_SP6", "distributions"
    )
    assert (done.code, done.out) == (1, "")
    said = done.err.removeprefix("error: ").splitlines()
    assert list(zip(said[::2], said[1::2], strict=True)) == [
        (
            f"{mapping}: `distributions` does not map the repository openSUSE_Tumbleweed of {PROJECT}",
            "    Add `openSUSE_Tumbleweed: null` to skip it (by its name, as no base project is known: "
            "Packagecloud has no such distribution), or a distribution.",
        ),
        (
            f"{mapping}: `distributions` does not map the repository stable of {PROJECT}",
            "    Add `stable: opensuse/15.5` (built for openSUSE:Leap:15.5), or `stable: null` to skip it.",
        ),
        (
            f"{mapping}: `distributions` does not map the repository {JAMMY_REPOSITORY} of {PROJECT}",
            f"    Add `{JAMMY_REPOSITORY}: ubuntu/jammy` (by its name, as no base project is known), "
            f"or `{JAMMY_REPOSITORY}: null` to skip it.",
        ),
        (
            f"{leap}: Packagecloud has no distribution 'opensuse/15.66'.",
            "    Nearest known: opensuse/15.6, opensuse/15.5, opensuse/15.4, opensuse/15.3. "
            "New releases appear there with a lag; null skips an OBS repository.",
        ),
        (
            f"{ubuntu}: no project has an OBS repository xUbunto_22.04",
            "    Did you mean xUbuntu_22.04? If OBS has dropped xUbunto_22.04, remove the entry.",
        ),
        (f"{debian}: Packagecloud has no distribution 'debian/12'.", "    Write debian/bookworm."),
        (
            f"{debian}: no project has an OBS repository Debian_12",
            "    If OBS has dropped Debian_12, remove the entry. "
            "Not named in the config: openSUSE_Tumbleweed, stable, xUbuntu_22.04.",
        ),
        (
            f"{sle}: no project has an OBS repository SLE_15_SP6",
            "    If OBS has dropped SLE_15_SP6, remove the entry. "
            "Not named in the config: openSUSE_Tumbleweed, stable, xUbuntu_22.04.",
        ),
    ]


def test_a_name_that_no_project_has_is_an_error_of_plan_too(cli: Cli) -> None:
    """The others are planned all the same: the repository may be missing for a moment."""
    cli.configure(distributions={LEAP_REPOSITORY: LEAP, "Debian_12": "debian/bookworm", "*": None})
    [place] = numbered(cli, "Debian_12")
    done = cli.run("plan", "-o", "plan.json", "--detailed-exitcode")
    assert (done.code, done.errors) == (1, [f"error: {place}: no project has an OBS repository Debian_12"])
    assert len(cli.saved()["uploads"]) == 1
    assert cli.run("validate", "--online").errors == done.errors


def test_a_name_that_one_of_several_projects_has_is_none(cli: Cli) -> None:
    other = "home:other"
    cli.sandbox.obs.add_repository(other, "Debian_12", "deb", ["x86_64"])
    obs = {"api": cli.sandbox.obs_url, "projects": [{"name": PROJECT}, {"name": other}]}
    cli.configure(obs=obs, distributions={"Debian_12": "debian/bookworm", "*": None})
    assert cli.run("validate", "--online").err == ""
    assert cli.run("plan").errors == []


def test_every_wrong_kind_is_told(cli: Cli) -> None:
    cli.configure(distributions={LEAP_REPOSITORY: JAMMY, JAMMY_REPOSITORY: LEAP, "*": None})
    leap, ubuntu = numbered(cli, LEAP_REPOSITORY, JAMMY_REPOSITORY)
    done = cli.run("plan")
    assert done.code == 1
    assert f"{leap}: {PROJECT}/{LEAP_REPOSITORY} publishes rpm files, but {JAMMY} does not take them" in done.err
    assert f"{ubuntu}: {PROJECT}/{JAMMY_REPOSITORY} publishes deb files, but {LEAP} does not take them" in done.err


def test_a_distribution_that_stands_twice_is_told_twice(cli: Cli) -> None:
    own = {"name": PROJECT, "distributions": {LEAP_REPOSITORY: ["el/99"]}}
    obs = {"api": cli.sandbox.obs_url, "projects": [own]}
    cli.configure(obs=obs, distributions={"*": "el/99"})
    lines = cli.run("validate", "--online").err.splitlines()
    assert [line.split(": ")[-1] for line in lines[::2]] == ["Packagecloud has no distribution 'el/99'."] * 2


def test_a_file_is_named_without_an_option(cli: Cli) -> None:
    (cli.folder / "other.yaml").write_text((cli.folder / "pkgsync.yaml").read_text())
    (cli.folder / "pkgsync.yaml").write_text("version: 2")
    done = cli.run("validate", "other.yaml")
    assert (done.code, done.out, done.err) == (
        0,
        f"other.yaml: valid. 1 project to demo/testing: {LEAP}, {JAMMY}\n",
        "",
    )
    assert cli.run("validate").code == 1
    assert cli.run("validate", "nosuch.yaml").code == 64


def test_the_proposal_of_a_new_repository_can_be_pasted(cli: Cli) -> None:
    cli.configure(distributions={LEAP_REPOSITORY: LEAP, JAMMY_REPOSITORY: JAMMY, "openSUSE_Tumbleweed": None})
    done = cli.run("plan")
    assert done.err.endswith(
        "tip: Add `stable: opensuse/15.5` (built for openSUSE:Leap:15.5), or `stable: null` to skip it.\n"
    )
    data = yaml.safe_load((cli.folder / "pkgsync.yaml").read_text())
    data["distributions"]["stable"] = "opensuse/15.5"
    (cli.folder / "pkgsync.yaml").write_text(yaml.safe_dump(data))
    cli.sandbox.obs.finish(PROJECT, "stable", "x86_64", "tool", [make_rpm("tool")])
    cli.sandbox.obs.publish(PROJECT, "stable")
    assert cli.run("plan").code == 0
