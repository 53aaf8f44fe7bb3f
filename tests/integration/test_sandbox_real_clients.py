"""The sandbox's OBS as real clients see it: osc, apt and dnf. What they cannot read, pkgsync must not rely on.

Each is skipped where its client is not installed; .ci/run installs all of them, and fails if one was skipped.
Nothing outside of the test's folder is touched: apt and dnf work in a root of their own.
"""

import time
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from pkgsync.sandbox import PROJECT, Clock, Sandbox, demo_world_day1
from tests.support.worlds.package_managers import Client, apt_get, dnf_with, needs

LEAP, JAMMY = "openSUSE_Leap_15.6", "xUbuntu_22.04"
DAY = 86400  # seconds


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    """The demo of yesterday: apt takes no Release from the future."""
    with Sandbox(Clock(int(time.time()) - DAY)) as running:
        demo_world_day1(running)
        yield running


# osc


@pytest.fixture
def osc(sandbox: Sandbox, tmp_path: Path) -> Client:
    config = tmp_path / "oscrc"
    config.write_text(
        f"[general]\napiurl = {sandbox.obs_url}\n\n"
        f"[{sandbox.obs_url}]\nuser = {sandbox.obs.user}\npass = {sandbox.obs.password}\nallow_http = 1\n"
        "credentials_mgr_class = osc.credentials.PlaintextConfigFileCredentialsManager\n"
    )
    return Client(tmp_path, "osc", "--config", config)


@needs("osc")
def test_osc_lists_packages_and_what_they_built(osc: Client) -> None:
    assert [line for line in osc("ls", PROJECT) if line] == [
        "demo-data", "demo-excluded", "demo-fails", "demo-multi", "demo-snapshot", "demo-x86only", "hello-tool", "libdemo",
        "netdemo", "old-tool",
    ]  # fmt: skip
    built = osc("ls", "-b", PROJECT, "hello-tool", JAMMY, "x86_64")
    assert [line.strip() for line in built if line.strip()] == [
        "_buildenv", "_statistics", "hello-tool-dbgsym_1.2_amd64.deb", "hello-tool-doc_1.2_all.deb",
        "hello-tool_1.2_amd64.deb", "hello-tool_1_amd64.buildinfo", "hello-tool_1_amd64.changes",
    ]  # fmt: skip
    pool = osc("ls", "-b", "-r", LEAP, "-a", "aarch64", PROJECT)
    assert "hello-tool.rpm" in [line.strip() for line in pool]


@needs("osc")
def test_osc_tells_the_results_of_every_architecture(osc: Client) -> None:
    root = ET.fromstring("\n".join(osc("results", "--xml", PROJECT, "demo-x86only")))
    assert {
        (one.get("repository"), one.get("arch")): code.get("code") for one in root for code in one.findall("status")
    } == {
        (LEAP, "x86_64"): "succeeded",
        (LEAP, "aarch64"): "disabled",
        (JAMMY, "x86_64"): "succeeded",
        (JAMMY, "aarch64"): "disabled",
        ("openSUSE_Tumbleweed", "x86_64"): "excluded",
    }
    table = [line.split(";") for line in osc("prjresults", "--csv", PROJECT) if ";" in line]
    codes = {row[0]: dict(zip(table[0][1:], row[1:], strict=True)) for row in table[1:]}
    assert codes["demo-multi:small"]["xUbuntu_22.04/x86_64/published"] == "excluded"
    assert codes["demo-fails"][f"{LEAP}/aarch64/published"] == "failed"


@needs("osc")
def test_osc_fetches_what_was_built(osc: Client, sandbox: Sandbox, tmp_path: Path) -> None:
    osc("getbinaries", "--sources", "-d", tmp_path / "there", PROJECT, "libdemo", LEAP, "x86_64")
    fetched = {path.name: path.read_bytes() for path in (tmp_path / "there").iterdir()}
    built = sandbox.obs.repository(PROJECT, LEAP).archs["x86_64"].packages["libdemo"].files
    assert fetched == {name: file.artifact.blob.read() for name, file in built.items()}
    assert "libdemo++1-0.9.1-lp156.1.1.x86_64.rpm" in fetched


@needs("osc")
def test_osc_reads_meta_and_config(osc: Client) -> None:
    meta = "\n".join(osc("meta", "prj", PROJECT))
    assert f'<project name="{PROJECT}">' in meta
    assert f'<repository name="{JAMMY}">' in meta
    assert '<package name="hello-tool"' in "\n".join(osc("meta", "pkg", PROJECT, "hello-tool"))
    assert [line for line in osc("meta", "prjconf", PROJECT) if line] == []
    assert [line.split() for line in osc("repos", PROJECT) if line.strip()][:2] == [[LEAP, "x86_64"], [LEAP, "aarch64"]]


@needs("osc")
def test_osc_is_told_that_there_is_no_log(osc: Client) -> None:
    done = osc.run("remotebuildlog", PROJECT, "hello-tool", LEAP, "x86_64")
    assert done.returncode != 0
    assert "package 'hello-tool' has no logfile" in done.stdout + done.stderr


@needs("osc", "gpg")
def test_osc_shows_the_key_that_the_repositories_are_signed_with(osc: Client, sandbox: Sandbox) -> None:
    assert sandbox.obs.signer is not None
    assert sandbox.obs.signer.key.armor.decode() in "\n".join(osc("signkey", PROJECT)) + "\n"


# apt


@pytest.fixture
def apt(sandbox: Sandbox, tmp_path: Path) -> Client:
    """apt-get with the sandbox's flat repository as its only source, signed by the key that lies beside it."""
    key = sandbox.obs.repository(PROJECT, JAMMY).tree["Release.key"].read()
    return apt_get(tmp_path / "apt", f"{sandbox.download_url}/{PROJECT.replace(':', ':/')}/{JAMMY}/ ./", key)


@needs("apt-get", "gpg", "gpgv")
def test_apt_updates_and_downloads(apt: Client, sandbox: Sandbox) -> None:
    assert "W:" not in "\n".join(apt("update"))
    apt("download", "libdemo++1", "demo-data")
    fetched = {path.name: path.read_bytes() for path in apt.folder.glob("*.deb")}
    tree = sandbox.obs.repository(PROJECT, JAMMY).tree
    assert fetched == {
        name: tree[f"{name.removesuffix('.deb').rpartition('_')[2]}/{name}"].read()
        for name in ("libdemo++1_0.9.1_amd64.deb", "demo-data_2024.1~rc2+git1_all.deb")
    }


@needs("apt-get", "gpg", "gpgv", root=True)
def test_apt_installs_into_a_root_of_its_own(apt: Client) -> None:
    apt("update")
    apt("-y", "install", "hello-tool")
    assert (apt.folder / "installed/usr/share/doc/hello-tool/README").exists()
    assert "Package: hello-tool\nStatus: install ok installed\n" in (apt.folder / "dpkg/status").read_text()


@needs("apt-get", "gpg", "gpgv")
def test_apt_refuses_an_index_that_was_changed_after_it_was_signed(apt: Client, sandbox: Sandbox) -> None:
    tree = sandbox.obs.repository(PROJECT, JAMMY).tree
    before = tree["InRelease"]
    sandbox.obs.replace_published(PROJECT, JAMMY, "InRelease", before.read().replace(b"Label: demo", b"Label: dema"))
    try:
        done = apt.run("update", "-o", "APT::Update::Error-Mode=any")
    finally:
        tree["InRelease"] = before
    assert done.returncode != 0
    assert "BADSIG" in done.stderr


# dnf


@pytest.fixture
def dnf(sandbox: Sandbox, tmp_path: Path) -> Iterator[Client]:
    """dnf with the sandbox's own .repo file, and the signature of repomd.xml checked too."""
    repo = sandbox.obs.repository(PROJECT, LEAP).tree[f"{PROJECT}.repo"].read().decode()
    with dnf_with(tmp_path / "dnf", f"{repo}repo_gpgcheck=1\n") as client:
        yield client


@needs("dnf", "gpg", root=True)
def test_dnf_refreshes_and_lists(dnf: Client) -> None:
    dnf("makecache", "--refresh")
    listed = [line.split()[:2] for line in dnf("-q", "list", "--available")[1:]]
    assert ["netdemo.x86_64", "2:4.0-lp156.3.1"] in listed
    assert ["libdemo++1.x86_64", "0.9.1-lp156.1.1"] in listed
    assert ["demo-snapshot.x86_64", "1.0^git20260101.abc123-lp156.1.1"] in listed
    assert ["demo-data.noarch", "2024.1~rc2-lp156.1.1"] in listed


@needs("dnf", "gpg", root=True)
def test_dnf_downloads(dnf: Client, sandbox: Sandbox) -> None:
    dnf("--nogpgcheck", "install", "--downloadonly", f"--downloaddir={dnf.folder}/there", "libdemo++1", "demo-data")
    fetched = {path.name: path.read_bytes() for path in (dnf.folder / "there").iterdir()}
    tree = sandbox.obs.repository(PROJECT, LEAP).tree
    assert fetched == {
        name: tree[f"{name.split('.')[-2]}/{name}"].read()
        for name in ("libdemo++1-0.9.1-lp156.1.1.x86_64.rpm", "demo-data-2024.1~rc2-lp156.1.1.noarch.rpm")
    }


@needs("dnf", "gpg", root=True)
def test_dnf_refuses_an_index_that_was_changed_after_it_was_signed(dnf: Client, sandbox: Sandbox) -> None:
    tree = sandbox.obs.repository(PROJECT, LEAP).tree
    before = tree["repodata/repomd.xml"]
    sandbox.obs.replace_published(PROJECT, LEAP, "repodata/repomd.xml", before.read().replace(b"<tags>", b"<tags> "))
    try:
        done = dnf.run("makecache", "--refresh")
    finally:
        tree["repodata/repomd.xml"] = before
    assert done.returncode != 0
    assert "Bad PGP signature" in done.stderr or "Bad GPG signature" in done.stderr
