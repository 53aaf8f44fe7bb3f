"""A pull request's config that names a repository or project which the credentials could open, and may not."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from pkgsync.sandbox import ARCHIVE, PROJECT, REPOSITORY, make_rpm
from tests.support.worlds.cli_world import LEAP, LEAP_REPOSITORY, LONG_AGO, Cli, open_cli

PRIVATE, SECRET = "acme/private", make_rpm("unannounced", "1.0")
OLD = make_rpm("hello", "0.9")
ARCHIVING = {"orphans": {"action": "archive", "archive_to": ARCHIVE, "keep_versions": 1}}


@pytest.fixture
def cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cli]:
    with open_cli(tmp_path, monkeypatch) as cli:
        monkeypatch.setenv("PACKAGECLOUD_REPOSITORIES", f"{REPOSITORY} {ARCHIVE}")
        monkeypatch.setenv("OSC_PROJECTS", "demo:*")
        cli.sandbox.packagecloud.add_repository(PRIVATE)
        cli.sandbox.packagecloud.add(PRIVATE, LEAP, SECRET.blob, created_at=LONG_AGO)
        cli.put(OLD)
        yield cli


def name_private(cli: Cli, where: str) -> None:
    target = {"url": cli.sandbox.packagecloud_url, "token": "${PACKAGECLOUD_TOKEN}"}
    match where:
        case "repository":
            cli.configure(packagecloud={**target, "repository": PRIVATE})
        case "another case":
            cli.configure(packagecloud={**target, "repository": REPOSITORY.title()})
        case "archive":
            cli.configure(orphans={**ARCHIVING["orphans"], "archive_to": PRIVATE})
        case "project":
            obs = cli.sandbox.config()["obs"]
            assert isinstance(obs, dict)
            cli.configure(obs={**obs, "projects": [{"name": "acme:private"}]})


@pytest.mark.parametrize("where", ["repository", "another case", "archive", "project"])
@pytest.mark.parametrize("command", [("plan",), ("plan", "--debug"), ("audit",)])
def test_nothing_is_asked_with_a_credential_that_is_not_for_it(cli: Cli, where: str, command: tuple[str, ...]) -> None:
    name_private(cli, where)
    done = cli.run(*command)
    assert done.code == 7
    assert "may not be used for" in done.err
    assert "unannounced" not in done.out + done.err
    assert cli.sandbox.log.entries == []


def test_the_words_name_the_variable(cli: Cli) -> None:
    name_private(cli, "repository")
    assert " ".join(cli.run("plan").err.split()) == (
        "error: the Packagecloud token may not be used for acme/private, which is not in PACKAGECLOUD_REPOSITORIES "
        "tip: correct the config; or if it may be used there, add acme/private to PACKAGECLOUD_REPOSITORIES"
    )


def test_an_old_config_to_compare_with_opens_no_other_project(cli: Cli) -> None:
    cli.sandbox.obs.add_repository("acme:private", LEAP_REPOSITORY, "rpm", ["x86_64"])
    cli.sandbox.obs.finish("acme:private", LEAP_REPOSITORY, "x86_64", "unannounced", [SECRET])
    cli.sandbox.obs.publish("acme:private", LEAP_REPOSITORY)
    obs = cli.sandbox.config()["obs"]
    assert isinstance(obs, dict)
    old = {**cli.sandbox.config(), "obs": {**obs, "projects": [{"name": PROJECT}, {"name": "acme:private"}]}}
    Path("old.yaml").write_text(yaml.safe_dump(old))
    done = cli.run("plan", "--json", "--base", "old.yaml")
    assert (done.code, set(json.loads(done.out)["base"]["causes"].values())) == (0, {"unknown"})
    assert "unannounced" not in done.out + done.err
    assert not [entry for entry in cli.sandbox.log.entries if "acme" in str(entry)]


def test_what_it_is_for_works_as_ever(cli: Cli) -> None:
    cli.configure(**ARCHIVING)
    assert cli.run("plan", "-o", "plan.json").code == 0
    assert cli.run("apply", "plan.json").code == 0
    assert f"{LEAP}/{OLD.filename}" not in cli.names


def test_a_plan_cannot_name_another_archive(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PACKAGECLOUD_REPOSITORIES")
    name_private(cli, "archive")
    assert cli.run("plan", "-o", "plan.json").code == 0
    assert json.loads(Path("plan.json").read_text())["archivings"][0]["archive_to"] == PRIVATE
    monkeypatch.setenv("PACKAGECLOUD_REPOSITORIES", f"{REPOSITORY} {ARCHIVE}")
    cli.configure(**ARCHIVING)
    cli.sandbox.log.clear()
    assert cli.run("apply", "plan.json").code == 7
    assert cli.sandbox.log.entries == []
