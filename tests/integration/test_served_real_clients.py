"""What the real apt and dnf install of a private Packagecloud repository before an apply and after it.

Each test is skipped where its client is not installed; .ci/run installs both, and fails if one was skipped.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import pytest

from pkgsync import surroundings
from pkgsync.sandbox import DEMO_ORPHANS, REPOSITORY, Clock, Sandbox, demo_world_day1, demo_world_day2
from tests.support.worlds.cli_world import Cli
from tests.support.worlds.package_managers import Client, apt_get, dnf_with, needs

DAY = 86400  # seconds
ORPHANS = {**DEMO_ORPHANS, "names": ["old-tool"], "gone": "delete"}


@pytest.fixture
def cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cli]:
    """Packagecloud holds what OBS published the day before yesterday: apt takes no Release from the future."""
    with Sandbox(Clock(int(time.time()) - 2 * DAY)) as sandbox:
        for name, value in sandbox.environment.items():
            monkeypatch.setenv(name, value)
        sandbox.packagecloud.private.add(REPOSITORY)
        demo_world_day1(sandbox)
        cli = Cli(sandbox, tmp_path)
        monkeypatch.chdir(tmp_path)
        monkeypatch.setattr(surroundings, "time", SimpleNamespace(sleep=lambda seconds: None))
        cli.configure(orphans=ORPHANS)
        apply(cli)
        yield cli


def apply(cli: Cli) -> None:
    """Plan and apply; the receipt is plan.receipt.json."""
    (cli.folder / "plan.receipt.json").unlink(missing_ok=True)
    assert cli.run("plan", "-o", "plan.json").code == 0
    done = cli.run("apply", "plan.json")
    assert done.code == 0, done.out + done.err


def as_consumers_log_in(cli: Cli) -> str:
    """The address of the repository with a read token, as Packagecloud's install scripts write it."""
    return f"{cli.sandbox.packagecloud_url.replace('://', f'://{cli.sandbox.packagecloud.read_token}:@')}/{REPOSITORY}"


def apt(cli: Cli, name: str) -> Client:
    assert cli.sandbox.packagecloud.signer is not None
    key = cli.sandbox.packagecloud.signer.key.armor
    client = apt_get(cli.folder / name, f"{as_consumers_log_in(cli)}/ubuntu/ jammy main", key)
    client("update", "-o", "APT::Update::Error-Mode=any")
    return client


def debs(client: Client) -> set[str]:
    status = Client(client.folder, "dpkg-query", f"--admindir={client.folder}/dpkg")
    return set(status("-W", "-f", "${Package} ${Version}\n"))


@needs("apt-get", "dpkg-query", "gpg", "gpgv", root=True)
def test_apt_installs_upgrades_and_misses_what_the_plan_says(cli: Cli) -> None:
    machine = apt(cli, "machine")
    machine("-y", "install", "hello-tool", "hello-tool-doc", "old-tool", "netdemo", "demo-data")
    before = {"hello-tool 1.2", "hello-tool-doc 1.2", "old-tool 0.5", "netdemo 2:4.0-1", "demo-data 2024.1~rc2+git1"}
    assert debs(machine) == before

    demo_world_day2(cli.sandbox)
    cli.sandbox.packagecloud.index_lag = 2
    apply(cli)
    assert cli.run("verify", "plan.receipt.json").code == 1  # the first of two requests that get the old index
    machine("update")
    assert "hello-tool" not in "\n".join(machine("-s", "upgrade"))
    assert cli.run("verify", "plan.receipt.json").code == 0
    machine("update")
    machine("-y", "upgrade")
    assert debs(machine) == before - {"hello-tool 1.2", "hello-tool-doc 1.2"} | {"hello-tool 1.3", "hello-tool-doc 1.3"}

    other = apt(cli, "other")
    other("-y", "install", "libdemo1", "netdemo", "demo-x86only")
    assert debs(other) == {"libdemo1 0.9.1", "netdemo 2:4.0-1", "demo-x86only 3"}
    assert "Unable to locate package old-tool" in other.run("install", "old-tool").stderr
    assert "Version '1.2' for 'hello-tool' was not found" in other.run("install", "hello-tool=1.2").stderr


@contextmanager
def dnf(cli: Cli, name: str) -> Iterator[Client]:
    address = as_consumers_log_in(cli)
    lines = (f"baseurl={address}/opensuse/15.6/$basearch", "repo_gpgcheck=1", "gpgcheck=0", f"gpgkey={address}/gpgkey")
    with dnf_with(cli.folder / name, "\n".join(["[demo]", "name=demo", *lines, "metadata_expire=0", ""])) as client:
        yield client


def rpms(client: Client) -> set[str]:
    return set(Client(client.folder, "rpm", "--root", client.folder / "installed")("-qa", "--qf", "%{nvra}\n"))


@needs("dnf", "rpm", "gpg", root=True)
def test_dnf_installs_upgrades_and_misses_what_the_plan_says(cli: Cli) -> None:
    with dnf(cli, "machine") as machine:
        machine("install", "hello-tool", "hello-tool-doc", "old-tool", "netdemo", "demo-data")
        stay = {
            "old-tool-0.5-lp156.1.1.x86_64",
            "netdemo-4.0-lp156.3.1.x86_64",
            "demo-data-2024.1~rc2-lp156.1.1.noarch",
        }
        assert rpms(machine) == stay | {"hello-tool-1.2-lp156.1.1.x86_64", "hello-tool-doc-1.2-lp156.1.1.noarch"}

        demo_world_day2(cli.sandbox)
        apply(cli)
        assert cli.run("verify", "plan.receipt.json").code == 0
        machine("upgrade", "--refresh")
        assert rpms(machine) == stay | {"hello-tool-1.3-lp156.2.1.x86_64", "hello-tool-doc-1.3-lp156.2.1.noarch"}

    with dnf(cli, "other") as other:
        other("install", "libdemo1", "libdemo++1", "netdemo", "demo-snapshot")
        assert rpms(other) == {
            "libdemo1-0.9.1-lp156.1.1.x86_64", "libdemo++1-0.9.1-lp156.1.1.x86_64", "netdemo-4.0-lp156.3.1.x86_64",
            "demo-snapshot-1.0^git20260101.abc123-lp156.1.1.x86_64",
        }  # fmt: skip
        gone = other.run("install", "old-tool")
        assert (gone.returncode, "Unable to find a match: old-tool" in gone.stderr) == (1, True)


@needs("apt-get", "gpg", "gpgv")
def test_verify_and_apt_refuse_an_index_that_another_key_has_signed(cli: Cli) -> None:
    world = cli.sandbox.packagecloud
    assert world.signer is not None
    (cli.folder / "key.asc").write_bytes(world.signer.key.armor)
    packagecloud = {"url": cli.sandbox.packagecloud_url, "repository": REPOSITORY, "signing_key": "key.asc"}
    cli.configure(orphans=ORPHANS, packagecloud=packagecloud)
    machine = apt(cli, "machine")
    assert cli.run("verify").code == 0

    world.signer = cli.sandbox.obs.signer
    demo_world_day2(cli.sandbox)
    apply(cli)

    done = cli.run("verify")
    assert (done.code, done.out.count("signed by the key")) == (6, 2)
    assert "NO_PUBKEY" in machine.run("update", "-o", "APT::Update::Error-Mode=any").stderr
