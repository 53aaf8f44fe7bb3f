"""Promise 9, the other half: what a server wrote stands in no plan, receipt, report or journal, only on stderr with -v."""

import base64
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from pkgsync.sandbox import PROJECT, Fault, Kind, Reply
from tests.support.worlds.cli_world import DELETE, Cli, Done, open_cli

WORDS = "canarywords"
Scenario = Callable[[Cli], object]


@pytest.fixture
def cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cli]:
    with open_cli(tmp_path, monkeypatch) as cli:
        cli.configure(**DELETE)
        yield cli


def error(path: str, status: int, body: str, content_type: str = "application/xml", **more: Any) -> Scenario:
    def scenario(cli: Cli) -> None:
        fault = Fault(
            kind=Kind.STATUS,
            path=path,
            times=None,
            status=status,
            body=body.encode(),
            content_type=content_type,
            **more,
        )
        cli.sandbox.obs.faults.add(fault)
        cli.sandbox.obs.download_faults.add(fault)
        cli.sandbox.packagecloud.faults.add(fault)

    return scenario


def instead(path: str, body: str, **more: Any) -> Scenario:
    """A 200 that is something else."""

    def change(reply: Reply) -> Reply:
        return Reply(status=200, headers=(("Content-Type", "application/xml"),), body=body.encode())

    def scenario(cli: Cli) -> None:
        cli.obs_fault(Kind.REWRITE, path, times=None, change=change)

    return scenario


def replaced(path: str, old: str, new: str) -> Scenario:
    def change(reply: Reply) -> Reply:
        kept = tuple((name, value) for name, value in reply.headers if name.lower() != "content-length")
        return Reply(status=reply.status, headers=kept, body=reply.body.replace(old.encode(), new.encode()))

    def scenario(cli: Cli) -> None:
        cli.obs_fault(Kind.REWRITE, path, times=None, change=change)

    return scenario


def redirected(cli: Cli) -> None:
    """A path that the server makes up, and that answers with an error."""
    cli.obs_fault(Kind.REDIRECT, "repodata/repomd", times=None, location=f"/published/{WORDS}/x/y")


XML = f"<status code='{WORDS}'><summary>{WORDS}</summary></status>"
SCENARIOS: dict[str, Scenario] = {
    "an error instead of an index": error("repomd.xml|Release", 500, XML),
    "a refusal instead of an index": error("repomd.xml|Release", 400, XML),
    "a root tag instead of an index": instead("repomd.xml", f"<{WORDS}/>"),
    "a first line instead of an index": instead("Release", f"{WORDS} is no field\n"),
    "a field instead of checksums": instead("Release", f"SHA256:\n {WORDS} 1 Packages\n"),
    "an error instead of the built files": error("/public/build|/build/.*_result", 400, XML),
    "an error instead of a package": error(r"[.]rpm$|[.]deb$", 400, XML, method="GET"),
    "details": replaced("_result", "<result ", f'<result details="{WORDS}" '),
    "a checksum": replaced("repomd.xml", 'type="sha256"', f'type="{WORDS}"'),
    "a redirect": redirected,
    "a refused upload": error("packages.json", 422, json.dumps({WORDS: [WORDS]}), "application/json", method="POST"),
    "a full plan": error("packages.json", 402, json.dumps({"error": WORDS}), "application/json", method="POST"),
    "an upload that fails": error("packages.json", 500, WORDS, "text/plain", method="POST"),
}


def written(cli: Cli, sealed: Path) -> Iterator[tuple[Path, str]]:
    for folder in (cli.folder, sealed):
        for path in folder.rglob("*"):
            if path.is_file():
                yield path, path.read_bytes().decode("latin-1")


def everything(cli: Cli, *options: str) -> list[Done]:
    runs = [cli.run("plan", "-o", "plan.json", *options), cli.run("audit", *options)]
    runs += [cli.run("explain", "hello", form, *options) for form in ("--format=text", "--json")]
    runs.append(cli.run("snapshot", "-o", "world.json", *options))
    if Path("plan.json").exists():
        runs += [cli.run("show", "plan.json", "--format", form) for form in ("text", "markdown", "json", "html")]
        runs.append(cli.run("apply", "plan.json", *options))
    if Path("plan.receipt.json").exists():
        runs += [
            cli.run("show", "plan.receipt.json", "--format", form) for form in ("text", "markdown", "json", "html")
        ]
    return runs


@pytest.mark.parametrize("name", SCENARIOS)
def test_what_a_server_wrote_stands_nowhere_but_on_stderr_with_v(cli: Cli, sealed: Path, name: str) -> None:
    SCENARIOS[name](cli)
    for options in ((), ("-v",)):
        for done in everything(cli, *options):
            assert WORDS not in done.out
            assert WORDS not in done.err or options
        for path, text in written(cli, sealed):
            assert WORDS not in text, path


@pytest.mark.parametrize("name", ["a refusal instead of an index", "a refused upload", "details"])
def test_with_v_the_words_are_on_stderr(cli: Cli, name: str) -> None:
    """Guards the tests above, and is what helps."""
    SCENARIOS[name](cli)
    assert any(WORDS in done.err for done in everything(cli, "-v"))


def test_words_that_repeat_a_credential_are_withheld(cli: Cli, sealed: Path) -> None:
    password = cli.sandbox.obs.password
    escaped = "".join(f"\\u{ord(character):04x}" for character in password)
    spelled = base64.b64encode(escaped.encode()).decode()
    error("repomd.xml|Release", 400, f"<status><summary>no {spelled} here</summary></status>")(cli)
    told = "".join(done.err for done in everything(cli, "-v"))
    assert "the server says: (words that repeat a credential)" in told
    assert spelled not in told
    assert cli.sandbox.obs.user and PROJECT in told
