"""What doctor sees of credentials, services and folders, and the exit code that a run would end with."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pytest import MonkeyPatch

from pkgsync.apply import lock
from pkgsync.sandbox import PROJECT, REPOSITORY, Fault, Kind
from tests.support.worlds.cli_world import LEAP, Cli, open_cli

READ = f"{REPOSITORY} can be read: 2 packages; only an apply shows whether the token may write there"


@pytest.fixture
def cli(tmp_path: Path, monkeypatch: MonkeyPatch) -> Iterator[Cli]:
    with open_cli(tmp_path, monkeypatch) as cli:
        cli.in_step()
        cli.configure(
            obs={"api": cli.sandbox.obs_url, "projects": [{"name": PROJECT}]},
            packagecloud={"url": cli.sandbox.packagecloud_url, "repository": REPOSITORY},
        )
        yield cli


def seen(cli: Cli, *options: str) -> tuple[int, dict[str, list[str]]]:
    """The exit code, and what is said by mark; what belongs to a finding stands behind it."""
    done = cli.run("doctor", "--state-dir", "state", "--cache-dir", "cache", *options)
    found: dict[str, list[str]] = {"ok": [], "!": [], "failed": []}
    last: list[str] = []
    for line in done.out.splitlines():
        mark = line[:8].strip()
        last = found[mark] if mark else last
        if mark:
            last.append(line[8:])
        else:
            last[-1] += f" | {line.strip()}"
    return done.code, found


def test_all_is_well(cli: Cli) -> None:
    code, found = seen(cli)
    assert (code, found["failed"], found["!"]) == (0, [], [])
    obs, packagecloud = cli.sandbox.obs_url, cli.sandbox.packagecloud_url
    for line in (
        "config: pkgsync.yaml is valid",
        f"OBS: {obs}: login demo, of OSC_USERNAME and OSC_PASSWORD",
        f"OBS: {PROJECT} can be read: 3 repositories",
        f"Packagecloud: {packagecloud}: the token of PACKAGECLOUD_TOKEN",
        f"Packagecloud: {READ}",
        "map: both services have all that it names: opensuse/15.6, ubuntu/jammy",
        f"lock: nobody else works on {REPOSITORY} from here",
    ):
        assert line in found["ok"]
    assert {entry.method for entry in cli.sandbox.log.entries} == {"GET"}


def test_where_credentials_come_from_and_never_what_they_are(cli: Cli, sealed: Path, monkeypatch: MonkeyPatch) -> None:
    environment = cli.sandbox.environment
    for name in ("OSC_USERNAME", "OSC_PASSWORD", "PACKAGECLOUD_TOKEN"):
        monkeypatch.delenv(name)
    oscrc, token = sealed / ".oscrc", sealed / ".packagecloud"
    oscrc.write_text(f"[{cli.sandbox.obs_url}]\nuser=demo\npass={environment['OSC_PASSWORD']}\n")
    token.write_text(json.dumps({"url": cli.sandbox.packagecloud_url, "token": cli.sandbox.token}))
    monkeypatch.setenv("https_proxy", "http://me:hunter2@proxy.example:3128")
    # most programs take these, too
    monkeypatch.setenv("http_proxy", "me:hunter2@proxy.example:3128")
    monkeypatch.setenv("all_proxy", "http:/me:hunt/er2@proxy.example")
    code, found = seen(cli)
    assert code == 0
    assert f"OBS: {cli.sandbox.obs_url}: login demo, of {oscrc}" in found["ok"]
    assert f"Packagecloud: {cli.sandbox.packagecloud_url}: the token of {token}" in found["ok"]
    assert "proxy: https_proxy=http://proxy.example:3128" in found["ok"]
    assert "proxy: http_proxy=http://proxy.example:3128" in found["ok"]
    assert "proxy: all_proxy=http://proxy.example" in found["ok"]
    done = cli.run("doctor", "--debug")
    for secret in (environment["OSC_PASSWORD"], cli.sandbox.token, "hunter2"):
        assert secret not in done.out + done.err


@pytest.mark.parametrize(
    ("variable", "value", "line"),
    [
        ("OSC_PASSWORD", "wrong", f"/source/{PROJECT}/_meta: 401 | Check OSC_USERNAME and OSC_PASSWORD."),
        ("PACKAGECLOUD_TOKEN", "0" * 48, "/packages.json: 401 | Check PACKAGECLOUD_TOKEN."),
        ("PACKAGECLOUD_TOKEN", "", "Packagecloud: no token for http://127.0.0.1:"),
        ("PACKAGECLOUD_URL", "https://packagecloud.io", "PACKAGECLOUD_TOKEN belongs to https://packagecloud.io"),
        ("PACKAGECLOUD_REPOSITORIES", "other/repo", "may not be used for demo/testing"),
    ],
)
def test_a_wrong_credential_is_one_failure_among_what_is_well(
    cli: Cli, monkeypatch: MonkeyPatch, variable: str, value: str, line: str
) -> None:
    monkeypatch.setenv(variable, value)
    code, found = seen(cli)
    [failure] = found["failed"]
    assert code == 7
    assert line in failure and " | " in failure
    other = f"Packagecloud: {READ}" if variable == "OSC_PASSWORD" else f"OBS: {PROJECT} can be read: 3 repositories"
    assert other in found["ok"]


@pytest.mark.parametrize("source", ["download", "anonymous"])
def test_the_place_of_published_files_answers_too(cli: Cli, source: Any) -> None:
    cli.sandbox.write_config(cli.folder, source=source)
    code, found = seen(cli)
    place = cli.sandbox.download_url.removesuffix("/download")
    assert (code, f"OBS: {place} answers for published files" in found["ok"]) == (0, True)
    cli.sandbox.obs.download_faults.add(Fault(kind=Kind.RESET, times=None))
    code, found = seen(cli)
    assert (code, len(found["failed"]), place in found["failed"][0]) == (1, 1, True)


def test_a_server_that_does_not_answer(cli: Cli) -> None:
    cli.obs_fault(Kind.RESET, times=None)
    code, found = seen(cli)
    assert (code, len(found["failed"])) == (1, 1)
    assert f"Packagecloud: {READ}" in found["ok"]


def test_a_wrong_map_is_told_with_its_lines(cli: Cli) -> None:
    cli.configure(distributions={"openSUSE_Leap_15.6": LEAP, "xUbuntu_22.04": "debian/12", "*": None})
    code, found = seen(cli)
    [failure] = found["failed"]
    assert code == 1
    assert failure.startswith("map: pkgsync.yaml:14:3: Packagecloud has no distribution 'debian/12'.")
    assert failure.endswith("| Write debian/bookworm.")


@pytest.mark.parametrize("broken", ["orphans: delte\n", "nosuch: 1\n", "limits: []\n", "version: 3\n"])
def test_a_config_that_is_partly_broken_still_names_the_services(cli: Cli, broken: str) -> None:
    text = (cli.folder / "pkgsync.yaml").read_text()
    (cli.folder / "pkgsync.yaml").write_text(text.replace("version: 1\n", "") + broken)
    code, found = seen(cli)
    [failure] = found["failed"]
    assert code == 1
    assert failure.startswith("config: pkgsync.yaml:")
    assert f"OBS: {PROJECT} can be read: 3 repositories" in found["ok"]
    assert f"Packagecloud: {READ}" in found["ok"]
    assert not any(line.startswith("map:") for line in found["ok"])


@pytest.mark.parametrize("text", ["a: [", "", "- x", "obs: 1\npackagecloud: []", "obs: {projects: [{name: 1}, 2]}"])
def test_a_config_that_names_nothing(cli: Cli, text: str) -> None:
    (cli.folder / "pkgsync.yaml").write_text(text)
    cli.sandbox.log.clear()
    code, found = seen(cli)
    assert (code, len(found["failed"]), cli.sandbox.log.entries) == (1, 1, [])
    assert any(line.startswith("state: state: ") for line in found["ok"])


def test_without_a_config_it_says_how_to_get_one(cli: Cli) -> None:
    (cli.folder / "pkgsync.yaml").unlink()
    code, found = seen(cli)
    assert code == 64
    assert "`pkgsync init PROJECT USER/REPO`" in found["failed"][0]


def test_another_run_and_folders_that_cannot_be(cli: Cli, monkeypatch: MonkeyPatch) -> None:
    held = {"api": cli.sandbox.packagecloud_url, "repository": REPOSITORY, "plan_digest": "d", "since": "now"}
    with lock.hold(cli.folder / "state", **held):
        code, found = seen(cli)
    assert code == 8
    assert found["failed"][0].startswith(f"lock: Another run works on {REPOSITORY}: process ")
    (cli.folder / "file").write_text("")
    code, found = seen(cli, "--state-dir", "file/state")
    assert code == 1
    assert [line.partition(":")[0] for line in found["failed"]] == ["lock", "state", "backups"]
    assert seen(cli, "--backup-dir", "cache/backups")[0] == 64
    monkeypatch.setenv("CI", "true")
    assert [line.partition(":")[0] for line in seen(cli)[1]["!"]] == ["backups"]
    assert seen(cli, "--backup-dir", "kept")[1]["!"] == []


def test_certificates_that_are_not_there(cli: Cli, monkeypatch: MonkeyPatch) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/no/such.pem")
    code, found = seen(cli)
    assert code == 1
    assert found["failed"][0] == (
        "certificates: REQUESTS_CA_BUNDLE=/no/such.pem cannot be read | Correct or unset REQUESTS_CA_BUNDLE."
    )
