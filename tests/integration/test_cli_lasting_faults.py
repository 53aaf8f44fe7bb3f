"""Faults that waiting does not cure say what does; and one bad entry holds no more than it must."""

import gzip
import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pkgsync.sandbox import PROJECT, Kind, make_deb, make_rpm
from pkgsync.sandbox.faults import change_body
from tests.support.worlds.cli_world import DELETE, JAMMY, JAMMY_REPOSITORY, LEAP_REPOSITORY, Cli, open_cli

OLD_RPM, OLD_DEB, TOOL = make_rpm("hello", "0.9"), make_deb("hello", "0.9", "1"), make_rpm("tool")
NEW_INDEX = "Waiting does not help: OBS must publish another index, or map the repository to null."


@pytest.fixture
def cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cli]:
    """In step, but for a superseded package in either distribution and an upload."""
    with open_cli(tmp_path, monkeypatch) as cli:
        cli.in_step()
        cli.put(OLD_RPM, OLD_DEB)
        cli.publish(TOOL, package="tool")
        cli.configure(**DELETE)
        yield cli


def actions(plan: dict[str, Any]) -> list[str]:
    return [a["filename"] for kind in ("uploads", "replacements", "deletions") for a in plan[kind]]


def problems(plan: dict[str, Any], repository: str) -> list[dict[str, Any]]:
    found = next(r["problems"] for r in plan["source"]["repositories"] if r["repository"] == repository)
    return [{key: value for key, value in problem.items() if key != "message"} for problem in found]


def with_packages(cli: Cli, old: str, new: str) -> None:
    """Another Packages file, with the sums that fit it."""
    tree = cli.sandbox.obs.repository(PROJECT, JAMMY_REPOSITORY).tree
    data = tree["Packages"].read().decode().replace(old, new).encode()
    packed = gzip.compress(data, mtime=0)
    lines = [f" {hashlib.sha256(d).hexdigest()} {len(d)} {n}" for n, d in (("Packages", data), ("Packages.gz", packed))]
    for path, content in (("Packages", data), ("Packages.gz", packed)):
        cli.sandbox.obs.replace_published(PROJECT, JAMMY_REPOSITORY, path, content)
    release = "\n".join(["SHA256:", *lines, ""]).encode()
    cli.sandbox.obs.replace_published(PROJECT, JAMMY_REPOSITORY, "Release", release)


@pytest.mark.parametrize(("old", "new"), [("SHA256: ", "SHA256: x"), ("Version: ", "Version: x y"), ("amd64/", "../")])
def test_an_index_that_cannot_be_used_says_that_waiting_does_not_help(cli: Cli, old: str, new: str) -> None:
    with_packages(cli, old, new)
    plan = cli.plan()
    assert set(actions(plan)) == {OLD_RPM.filename, TOOL.filename}
    assert problems(plan, JAMMY_REPOSITORY) == [{"reason": "unread", "lasting": True, "cure": NEW_INDEX}]
    assert plan["complete"] is False
    done = cli.run("plan")
    assert f"tip: {NEW_INDEX}" in done.err
    assert "later" not in done.err
    assert NEW_INDEX in " ".join(done.out.split())
    assert f"tip: {NEW_INDEX}" in cli.run("audit").err


def test_a_read_that_may_come_back_says_so(cli: Cli) -> None:
    cli.obs_fault(Kind.STATUS, "Packages", times=None, status=500)
    assert "tip: Plan again later." in cli.run("plan").err
    cli.sandbox.obs.faults.clear()
    cli.obs_fault(Kind.CORRUPT, "Packages", times=None)
    assert "tip: Plan again later." in cli.run("plan").err


@pytest.mark.parametrize("details", [b"K\xf6nig", b"\x1b[31mred"])
def test_bytes_of_a_build_log_in_the_details_hold_nothing(cli: Cli, details: bytes) -> None:
    def add(body: bytes) -> bytes:
        return body.replace(
            b"</result>",
            b'<status package="q" code="excluded"><details>' + details + b"</details></status></result>",
            1,
        )

    cli.obs_fault(Kind.REWRITE, "_result", times=None, change=change_body(add))
    plan = cli.plan()
    assert set(actions(plan)) == {OLD_RPM.filename, TOOL.filename, OLD_DEB.filename}


@pytest.mark.parametrize("filename", ["Mein Gerät-1.0.AppImage", "a\\b.txt"])
def test_a_file_that_nobody_syncs_may_have_any_name(cli: Cli, filename: str) -> None:
    change_files(cli, filename)
    assert set(actions(cli.plan())) == {OLD_RPM.filename, TOOL.filename, OLD_DEB.filename}


def test_an_entry_without_a_usable_name_holds_its_repository_only(cli: Cli) -> None:
    change_files(cli, "../etc/passwd")
    plan = cli.plan()
    assert set(actions(plan)) == {TOOL.filename, OLD_DEB.filename}
    assert problems(plan, LEAP_REPOSITORY) == [
        {"reason": "unread", "lasting": True, "cure": "Remove or rename them in OBS."}
    ]
    assert "etc" not in str(plan)


def change_files(cli: Cli, filename: str) -> None:
    """The rpm repository lists one more file."""

    def add(body: bytes) -> bytes:
        entry = f'<binary filename="{filename}" size="1" mtime="1"/></binarylist>'.encode()
        start = body.index(b'repository="openSUSE_Leap_15.6"')
        end = body.index(b"</binarylist>", start)
        return body[:end] + entry + body[end + len(b"</binarylist>") :]

    cli.obs_fault(Kind.REWRITE, "_result", times=None, change=change_body(add))


def test_the_words_of_obs_do_not_stand_in_a_plan(cli: Cli) -> None:
    cli.sandbox.obs.set_arch(PROJECT, JAMMY_REPOSITORY, "x86_64", "published", details="see http://intranet/secret")
    plan = cli.plan()
    assert [p["reason"] for p in problems(plan, JAMMY_REPOSITORY)] == ["details"]
    assert "intranet" not in str(plan)
    assert JAMMY not in {a["distribution"] for a in plan["deletions"]}
