"""The first config: what init writes for a project, and that it is right at once."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from attrs import evolve

from pkgsync.sandbox import PROJECT, REPOSITORY, Kind, make_deb, make_rpm
from tests.support.worlds.cli_world import JAMMY, LEAP, LEAP_REPOSITORY, RPM, Cli, open_cli

HOME = "home:me:tools"


@pytest.fixture
def cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cli]:
    """A project of somebody's, built for what its names do not say; and no config yet."""
    with open_cli(tmp_path, monkeypatch) as cli:
        (tmp_path / "pkgsync.yaml").unlink()
        add = cli.sandbox.obs.add_repository
        add("openSUSE:Leap:15.6", "standard", "rpm")
        add("openSUSE:Factory", "snapshot", "rpm")
        add("home:other", "leap", "rpm", paths=[("openSUSE:Leap:15.6", "standard")])
        add(HOME, "stable", "rpm", ["x86_64"], paths=[("home:tools", "nowhere"), ("home:other", "leap")])
        add(HOME, "openSUSE_Leap_15.5", "rpm", ["x86_64"], paths=[("openSUSE:Factory", "snapshot")])
        add(HOME, "xUbuntu_22.04", "deb", ["x86_64"], paths=[(HOME, "xUbuntu_22.04")])
        add(HOME, "Debian_12", "deb", ["x86_64"])
        cli.sandbox.obs.finish(HOME, "stable", "x86_64", "tool", [make_rpm("tool")])
        cli.sandbox.obs.finish(HOME, "xUbuntu_22.04", "x86_64", "tool", [make_deb("tool")])
        cli.sandbox.obs.finish(HOME, "Debian_12", "x86_64", "tool", [make_rpm("tool")])
        cli.sandbox.obs.publish_all(HOME)
        yield cli


def written(cli: Cli, name: str = "pkgsync.yaml") -> list[str]:
    """The lines of the map, single-spaced."""
    lines = (cli.folder / name).read_text().split("\ndistributions:")[1].splitlines()[1:]
    return [" ".join(line.split()) for line in lines if line.startswith("  ")]


def test_the_base_project_decides_and_not_the_name(cli: Cli) -> None:
    done = cli.run("init", HOME, REPOSITORY)
    assert (done.code, written(cli)) == (
        0,
        [
            "stable: opensuse/15.6 # built for openSUSE:Leap:15.6",
            "# openSUSE_Leap_15.5: opensuse/15.5 # one way",
            "openSUSE_Leap_15.5: null # to decide: built for openSUSE:Factory, but its name says something else; "
            "skipped until you choose a line above instead",
            "xUbuntu_22.04: ubuntu/jammy # by its name, as no base project is known",
            "# Debian_12: rpm_any/rpm_any # one way",
            "Debian_12: null # to decide: by its name, as no base project is known, but it holds rpm files; "
            "skipped until you choose a line above instead",
        ],
    )
    assert "Wrote pkgsync.yaml: 2 of 4 repositories mapped. 2 to decide: openSUSE_Leap_15.5, Debian_12." in done.out
    assert "The first plan would upload 2 files" in done.out
    assert "pkgsync plan -o plan.json" in done.err


def test_what_it_writes_is_valid_at_once_and_what_it_says_comes_true(cli: Cli) -> None:
    cli.put(make_rpm("hello", "0.9"))
    cli.sandbox.packagecloud.add(REPOSITORY, "el/9", make_rpm("old").blob)
    done = cli.run("init", PROJECT, REPOSITORY)
    assert done.code == 0
    assert done.out.splitlines()[-4:] == [
        "The first plan would upload 2 files (3.4 KiB).",
        "  opensuse/15.6  1 upload (1020 B)",
        "  ubuntu/jammy   1 upload (2.4 KiB)",
        "  1 package that OBS does not publish would stay",
    ]
    text = (cli.folder / "pkgsync.yaml").read_text()
    assert text.startswith("# yaml-language-server: $schema=")
    assert "#   el/9: 1 package\n" in text and "opensuse/15.6: 1" not in text
    for name in ("PACKAGECLOUD_TOKEN", "OSC_PASSWORD", "OSC_USERNAME"):
        ours = text.replace(PROJECT, "").replace(REPOSITORY, "").replace("keys/demo_release.asc", "")
        assert cli.sandbox.environment[name] not in ours
    checked = cli.run("validate", "--online")
    assert (checked.code, checked.err) == (0, "")
    plan = cli.plan()
    assert [action["distribution"] for action in plan["uploads"]] == [LEAP, JAMMY]
    assert (plan["deletions"], plan["replacements"], plan["summary"]["total"]["orphans_kept"]) == ([], [], 1)


def test_only_what_would_be_uploaded_is_counted(cli: Cli) -> None:
    cli.put(RPM)
    assert cli.run("init", PROJECT, REPOSITORY).out.splitlines()[-2:] == [
        "The first plan would upload 1 file (2.4 KiB).",
        "  ubuntu/jammy  1 upload (2.4 KiB)",
    ]


def test_a_demo_project_by_its_base_projects_even_without_a_login(cli: Cli) -> None:
    template = f"{cli.sandbox.download_url}/{{project_path}}/{{repository}}"
    done = cli.run("init", HOME, REPOSITORY, "--anonymous", "--published-url", template, "-o", "other.yaml")
    assert done.code == 0, done.err
    assert written(cli, "other.yaml")[0] == "stable: opensuse/15.6 # built for openSUSE:Leap:15.6"
    assert {entry.headers.get("Authorization") for entry in cli.sandbox.log.find("obs")} == {None}
    assert cli.run("plan", "-c", "other.yaml").code == 0
    assert "pkgsync plan -c other.yaml -o plan.json" in done.err


def test_end_of_life_is_proposed_and_said(cli: Cli) -> None:
    ended = "DISCONTINUED:openSUSE:Leap:15.5"
    cli.sandbox.obs.add_repository("home:old", "openSUSE_Leap_15.5", "rpm", ["x86_64"], paths=[(ended, "standard")])
    cli.sandbox.obs.finish("home:old", "openSUSE_Leap_15.5", "x86_64", "tool", [make_rpm("tool")])
    cli.sandbox.obs.publish_all("home:old")
    assert cli.run("init", "home:old", REPOSITORY).code == 0
    assert written(cli) == [f"openSUSE_Leap_15.5: opensuse/15.5 # built for {ended}, which is at its end of life"]
    warning = f"home:old/openSUSE_Leap_15.5 is built for {ended}, which is at its end of life"
    assert cli.plan()["warnings"] == [warning]
    place = next(n for n, s in enumerate((cli.folder / "pkgsync.yaml").read_text().splitlines(), 1) if ended in s)
    assert cli.run("validate", "--online").err == f"warning: pkgsync.yaml:{place}:3: {warning}\n"


def test_paths_in_a_circle_and_projects_that_nobody_may_read(cli: Cli) -> None:
    cli.sandbox.obs.add_repository("home:a", "r", "rpm", ["x86_64"], paths=[("home:b", "r")])
    cli.sandbox.obs.add_repository("home:b", "r", "rpm", ["x86_64"], paths=[("home:a", "r"), ("home:hidden", "r")])
    done = cli.run("init", "home:a", REPOSITORY)
    assert (done.code, done.errors) == (1, ["error: pkgsync.yaml maps no repository yet"])
    assert cli.sandbox.log.count("obs", target=r"/source/home:b/_meta$") == 1
    assert [line for line in written(cli) if not line.startswith("#")] == [
        "r: null # to decide: neither its base project nor its name is known; "
        "skipped until you choose a line above instead"
    ]


def test_no_name_on_packagecloud_becomes_a_line_of_the_config(cli: Cli) -> None:
    row = cli.sandbox.packagecloud.add(REPOSITORY, LEAP, make_rpm("tool").blob)
    row.header, row.distribution = evolve(row.header, kind="py"), "python\nlimits: {deletions: 100000}"
    cli.sandbox.packagecloud.private.add(REPOSITORY)
    assert cli.run("init", HOME, REPOSITORY).code == 0
    assert "limits" not in (cli.folder / "pkgsync.yaml").read_text()


def test_nothing_is_overwritten(cli: Cli) -> None:
    path = cli.folder / "pkgsync.yaml"
    path.write_text("packagecloud: mine")
    done = cli.run("init", PROJECT, REPOSITORY)
    assert (done.code, done.errors) == (64, ["error: pkgsync.yaml is there already, and is not overwritten"])
    assert (path.read_text(), cli.sandbox.log.entries) == ("packagecloud: mine", [])
    assert cli.run("init", PROJECT, REPOSITORY, "--force").code == 0
    assert LEAP_REPOSITORY in path.read_text()
    for other in ("dear diary", "a: [", "- packagecloud", "obs: x"):
        path.write_text(other)
        assert cli.run("init", PROJECT, REPOSITORY, "--force").code == 64
        assert path.read_text() == other


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["no such", REPOSITORY], 64, "`no such` is not an OBS project name"),
        (["{x}", REPOSITORY], 64, "`expand` has no values for {x}"),
        ([PROJECT, "me"], 64, "`me` is not a Packagecloud repository"),
        ([PROJECT, REPOSITORY, "-A", "ftp://x"], 64, "obs.api is not a URL"),
        ([PROJECT, REPOSITORY, "-A", "https://api.example.org"], 7, "belongs to"),
        (
            [PROJECT, REPOSITORY, "--packagecloud-url", "https://packages.example.org"],
            7,
            "PACKAGECLOUD_TOKEN belongs to",
        ),
        ([PROJECT, REPOSITORY, "--anonymous"], 64, "--anonymous needs to know where "),
        (["home:nobody", REPOSITORY], 1, "home:nobody: OBS has no such project"),
        (["home:empty", REPOSITORY], 1, "home:empty has no repository"),
        ([PROJECT, "demo/nosuch"], 1, "repository demo/nosuch"),
    ],
)
def test_what_cannot_be_read_is_said_and_nothing_is_written(
    cli: Cli, arguments: list[str], code: int, words: str
) -> None:
    cli.sandbox.obs.add_project("home:empty")
    done = cli.run("init", *arguments)
    assert (done.code, len(done.errors)) == (code, 1), done.err
    assert words in done.errors[0]
    assert list(cli.folder.iterdir()) == []


def test_a_plan_that_fails_leaves_the_config_and_says_so(cli: Cli) -> None:
    cli.obs_fault(Kind.STATUS, r"repomd\.xml|/Release", status=403, times=None)
    done = cli.run("init", PROJECT, REPOSITORY)
    assert done.code != 0
    assert "Wrote pkgsync.yaml" in done.out
    assert (cli.folder / "pkgsync.yaml").exists()
