"""Plan files written by an enemy, with a right digest: nothing is changed, nothing sent elsewhere, one plain line is said."""

import hashlib
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from pkgsync.sandbox import REPOSITORY, Kind, Sandbox, make_rpm
from tests.support.worlds.cli_world import DEB, DELETE, JAMMY, LEAP, RPM, Cli, open_cli

OLD = make_rpm("hello", "0.9")
Document = dict[str, Any]
LIMITS = {"limits": {"deletions": 1, "deletions_percent": 100}}


@pytest.fixture
def cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cli]:
    """A plan with an upload, a replacement and a deletion."""
    with open_cli(tmp_path, monkeypatch) as cli:
        cli.put(OLD)
        cli.configure(**DELETE, **LIMITS)
        assert cli.run("plan", "-o", "plan.json").code == 0
        cli.sandbox.log.clear()
        yield cli


def sign(document: Document) -> bytes:
    """With a right digest. For plain ASCII and small integers RFC 8785 is sorted keys without spaces."""
    rest = {key: value for key, value in document.items() if key != "digest"}
    canonical = json.dumps(rest, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    return json.dumps(document | {"digest": f"sha256:{hashlib.sha256(canonical).hexdigest()}"}).encode()


def changed_nothing(cli: Cli) -> bool:
    return all(entry.method == "GET" for entry in cli.sandbox.log.entries)


def set_at(*steps: str | int, to: object) -> Callable[[Document], None]:
    def change(document: Document) -> None:
        place: Any = document
        for step in steps[:-1]:
            place = place[step]
        place[steps[-1]] = to

    return change


def in_upload(*steps: str | int, to: object) -> Callable[[Document], None]:
    return set_at("uploads", 0, *steps, to=to)


def in_deletion(*steps: str | int, to: object) -> Callable[[Document], None]:
    return set_at("deletions", 0, *steps, to=to)


ODD = ["\x1b[2J\x1b[31mred", "a\nerror: b", "a\r", "a\x00b", "a\u202eb", "a\u2028b", "../a", "a/b", "\\..\\a", ".", ""]
REFUSED = {
    **{
        f"filename {odd!r}": in_upload("filename", to=odd)
        for odd in ODD
        if odd not in ("a\u202eb", "a\u2028b", "\\..\\a")
    },
    **{
        f"path {odd!r}": in_upload("source", "path", to=odd) for odd in ("../../etc/passwd", "/etc/passwd", "a/../../b")
    },
    "path to another host": in_upload("source", "path", to="https://evil.test/a.rpm"),
    "path without a scheme": in_upload("source", "path", to="//evil.test/a.rpm"),
    "distribution that leaves the route": in_deletion("distribution", to="../.."),
    "size below zero": in_upload("size", to=-1),
    "size beyond numbers": in_upload("size", to=2**60),
    "sum that is a path": in_upload("sha256", to="../" * 21 + "x"),
    "login in the server's address": set_at("target", "api", to="https://a:b@evil.test"),
    "applyable as a word": set_at("applyable", to="true"),
    "actions as an object": set_at("deletions", to={}),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_no_plan_may_hold_is_6_before_any_request(cli: Cli, what: str) -> None:
    document = cli.saved()
    REFUSED[what](document)
    (cli.folder / "plan.json").write_bytes(sign(document))
    done = cli.run("apply", "plan.json")
    assert (done.code, len(done.errors), cli.sandbox.log.entries) == (6, 1, [])
    assert_plain(done.out + done.err)


def assert_plain(text: str) -> None:
    assert "Traceback" not in text
    assert all(character.isprintable() or character == "\n" for character in text)
    assert len(text) < 4000


@pytest.mark.parametrize(
    "data",
    [
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b'{"format_version": ' + b"9" * 1_000_000 + b"}",
        b'{"format_version": 1e999}',
        b'{"format_version": "1.0", "format_version": "1.0"}',
        b'{"format_version": "' + b"9" * 100_000 + b'.0"}',
        b'{"\\u001b[2J": 1, "\\u001b[2J": 2}',
        b'{"format_version": "\\ud800"}',
        b"\x00" * 1000,
    ],
    ids=["deep lists", "deep objects", "digits", "infinity", "twice", "version", "escape", "surrogate", "zeros"],
)
def test_bytes_that_are_meant_to_break_a_reader(cli: Cli, data: bytes) -> None:
    (cli.folder / "plan.json").write_bytes(data)
    for command in ("apply", "show"):
        done = cli.run(command, "plan.json")
        assert (done.code, len(done.errors), cli.sandbox.log.entries) == (6, 1, [])
        assert_plain(done.out + done.err)


def protect(cli: Cli) -> None:
    cli.configure(orphans={**DELETE["orphans"], "protect": ["hello*"]}, **LIMITS)


def keep(cli: Cli) -> None:
    cli.configure(orphans="keep")


def unmanage(cli: Cli) -> None:
    cli.configure(**DELETE, **LIMITS, distributions={"*": None, "xUbuntu_22.04": JAMMY})


@pytest.mark.parametrize("forbid", [protect, keep, unmanage])
def test_a_plan_cannot_delete_what_the_config_does_not_let_go(cli: Cli, forbid: Callable[[Cli], None]) -> None:
    forbid(cli)
    for option in ((), ("--skip-stale",)):
        done = cli.run("apply", "plan.json", *option)
        assert done.code in (4, 5)
        assert "policy-changed" in done.out
        assert f"{LEAP}/{OLD.filename}" in cli.names
    assert cli.sandbox.log.count("packagecloud", method="DELETE") == 0


def test_a_plan_over_a_limit_that_is_edited_to_be_applyable_deletes_nothing(cli: Cli) -> None:
    cli.put(RPM)
    cli.configure(**DELETE, limits={"deletions": 0})
    assert cli.run("plan", "-o", "unsafe.json").code == 3
    document = cli.saved("unsafe.json") | {"applyable": True}
    (cli.folder / "edited.json").write_bytes(sign(document))
    assert cli.run("apply", "edited.json").code == 6, "it still lists what it exceeds"
    (cli.folder / "edited.json").write_bytes(sign(document | {"exceeded": []}))
    done = cli.run("apply", "edited.json")
    assert (done.code, changed_nothing(cli)) == (4, True)
    assert "limits: " in done.out


def test_a_plan_cannot_delete_what_obs_offers(cli: Cli) -> None:
    cli.put(RPM)
    row = cli.sandbox.packagecloud.find(REPOSITORY, LEAP, RPM.filename)
    assert row is not None
    document = cli.saved()
    document["deletions"][0] |= {
        "filename": RPM.filename,
        "sha256": RPM.blob.digest("sha256"),
        "created_at": row.created_at,
    }
    document["uploads"] = [u for u in document["uploads"] if u["filename"] != RPM.filename]
    recount(document)
    (cli.folder / "plan.json").write_bytes(sign(document))
    done = cli.run("apply", "plan.json")
    assert (done.code, changed_nothing(cli)) == (4, True), done.err
    assert "wanted-again" in done.out


def recount(document: Document) -> None:
    """The counts of the summary, so that only the actions are wrong."""
    everything: list[tuple[Document, Callable[[Document], bool]]] = [
        (document["summary"]["total"], lambda action: True),
        *(
            (counts, lambda action, name=name: action["distribution"] == name)
            for name, counts in document["summary"]["distributions"].items()
        ),
    ]
    for counts, mine in everything:
        uploads = [a for a in document["uploads"] if mine(a)]
        counts |= {"uploads": len(uploads), "upload_bytes": sum(a["size"] for a in uploads)}
        counts["deletions"] = len([a for a in document["deletions"] if mine(a)])


def test_a_plan_cannot_upload_to_a_distribution_that_the_config_does_not_manage(cli: Cli) -> None:
    document = cli.saved()
    moved = next(u for u in document["uploads"] if u["distribution"] == LEAP)
    moved["distribution"] = "opensuse/15.5"
    for repository in document["source"]["repositories"]:
        repository["distributions"] = [name.replace("15.6", "15.5") for name in repository["distributions"]]
    document["target"]["distributions"] = sorted({*document["target"]["distributions"], "opensuse/15.5"})
    summary = document["summary"]["distributions"]
    summary["opensuse/15.5"] = {**summary[LEAP], "deletions": 0}
    recount(document)
    (cli.folder / "plan.json").write_bytes(sign(document))
    done = cli.run("apply", "plan.json")
    assert (done.code, changed_nothing(cli)) == (4, True), done.err
    assert "policy-changed" in done.out


@pytest.mark.parametrize("place", [("source", "api"), ("target", "api")])
def test_a_plan_cannot_send_credentials_elsewhere(cli: Cli, place: tuple[str, str]) -> None:
    with Sandbox() as other:
        document = cli.saved()
        set_at(*place, to=other.obs_url if place[0] == "source" else other.packagecloud_url)(document)
        (cli.folder / "plan.json").write_bytes(sign(document))
        done = cli.run("apply", "plan.json")
        assert (done.code, len(done.errors), other.log.entries) == (64, 1, [])
    assert changed_nothing(cli)


@pytest.mark.parametrize("project", ["..", "../../source/x", "a/b", "https://evil.test", "home:evil?x=y#z", "a\\..\\b"])
@pytest.mark.parametrize("what", ["project", "repository"])
def test_a_plan_cannot_leave_the_routes_of_obs(cli: Cli, what: str, project: str) -> None:
    """Also where the plan names it among its sources, as a reviewed plan would do."""
    document = cli.saved()
    for upload in document["uploads"]:
        upload["source"][what] = project
    for repository in document["source"]["repositories"]:
        repository[what] = project
    (cli.folder / "plan.json").write_bytes(sign(document))
    done = cli.run("apply", "plan.json", "--only", "uploads")
    assert done.code in (1, 4, 5, 6)
    assert changed_nothing(cli)
    asked = {entry.target for entry in cli.sandbox.log.find("obs")}
    assert not [target for target in asked if {"", ".", ".."} & set(target.partition("?")[0].split("/")[1:-1])]
    assert "Traceback" not in done.err


@pytest.mark.parametrize("name", ["<img src=x onerror=alert(1)>.rpm", "<script>.rpm"])
def test_names_that_are_markup_stay_names(cli: Cli, name: str) -> None:
    document = cli.saved()
    document["deletions"][0]["filename"] = name
    (cli.folder / "plan.json").write_bytes(sign(document))
    shown = cli.run("show", "plan.json", "--format", "markdown")
    assert shown.code in (0, 6)
    # nothing is markup in a fence, and no line of ours can end it
    assert name not in re.sub(r"^```diff\n([-+!@] ?.*\n)*```$", "", shown.out, flags=re.MULTILINE)
    cli.run("apply", "plan.json")
    assert f"{LEAP}/{OLD.filename}" in cli.names


def test_the_file_that_is_executed_is_the_one_that_was_read(cli: Cli) -> None:
    """The plan file is exchanged while apply runs: what was read, and checked, is executed, and the receipt says so."""
    digest, evil = cli.saved()["digest"], cli.saved()

    def exchange() -> None:
        (cli.folder / "plan.json").write_bytes(sign(evil | {"deletions": [], "uploads": []}))

    cli.packagecloud_fault(Kind.NOTHING, method="GET", hook=exchange)
    done = cli.run("apply", "plan.json", "--expect-digest", digest)
    assert done.code == 0, done.err
    assert cli.names == {f"{LEAP}/{RPM.filename}", f"{JAMMY}/{DEB.filename}"}
    assert json.loads((cli.folder / "plan.receipt.json").read_text())["plan_digest"] == digest
