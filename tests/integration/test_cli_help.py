"""``pkgsync help``: topics and commands, read in a terminal or a pipe; and the completion of a shell."""

import os
import termios
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

import pytest

from tests.support.worlds.cli_world import Cli, open_cli

TOPICS = [
    "approvals", "concepts", "configuration", "credentials", "exit-codes", "messages", "moving", "pull-requests",
    "retention", "reviewing", "scripting", "security", "shards", "signatures", "snapshots", "start", "undo", "verify",
]  # fmt: skip


@pytest.fixture
def cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cli]:
    with open_cli(tmp_path, monkeypatch) as cli:
        yield cli


def test_without_a_topic_it_lists_them_all(cli: Cli) -> None:
    done = cli.run("help")
    assert (done.code, done.err) == (0, "")
    assert [line.split()[0] for line in done.out.splitlines() if line.startswith("  ")] == TOPICS
    assert "  exit-codes     How a run ends, as a number\n" in done.out
    assert [line for line in done.out.splitlines() if len(line) > 80] == []


@pytest.mark.parametrize("topic", TOPICS)
def test_a_topic_is_data(cli: Cli, topic: str) -> None:
    done = cli.run("help", topic)
    assert (done.code, done.err) == (0, "")
    title = (files("pkgsync") / f"docs/{topic}.md").read_text().partition("\n")[0]
    assert title.removeprefix("# ") in done.out.splitlines()


def test_a_topic_loses_what_is_only_markup(cli: Cli) -> None:
    out = cli.run("help", "exit-codes").out
    assert out.startswith(
        "How a run ends, as a number\n===========================\n\n- `0`: done, or nothing to do.\n"
    )
    assert "\n    pkgsync plan -o plan.json --detailed-exitcode || [ $? = 2 ]\n" in out
    assert out.endswith("\nWhat stands in [brackets] is a topic too: `pkgsync help TOPIC`.\n")


def test_a_command_shows_its_options(cli: Cli) -> None:
    assert cli.run("help", "apply").out == cli.run("apply", "--help").out
    assert cli.run("help", "cache", "prune").out == cli.run("cache", "prune", "--help").out


def test_what_is_both_shows_both(cli: Cli) -> None:
    out = cli.run("help", "undo").out
    assert out.startswith(cli.run("undo", "--help").out)
    assert "\n\nTaking an apply back, and bringing back what is missing\n====" in out


@pytest.mark.parametrize(
    ("words", "tip"),
    [
        (["retension"], "Did you mean retention?"),
        (["exit"], "Did you mean exit-codes?"),
        (["cache", "purge"], "`pkgsync help` lists the topics, `pkgsync --help` the commands."),
        (["undo", "all"], "`pkgsync help` lists the topics, `pkgsync --help` the commands."),
        (["../docs/undo"], "`pkgsync help` lists the topics, `pkgsync --help` the commands."),
    ],
)
def test_what_nobody_knows(cli: Cli, words: list[str], tip: str) -> None:
    done = cli.run("help", *words)
    assert (done.code, done.out) == (64, "")
    assert done.err == f"error: there is no topic and no command {' '.join(words)!r}\ntip: {tip}\n"


def test_a_long_topic_goes_through_the_pager_of_a_terminal(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("PAGER", "sed s/^/paged:/")
    assert "paged:" in _on_a_terminal(cli, "help", "messages")
    assert "paged:" not in _on_a_terminal(cli, "help")


def _on_a_terminal(cli: Cli, *arguments: str) -> str:
    ours, its = os.openpty()
    termios.tcsetwinsize(its, (40, 80))
    written = b""
    with cli.started(*arguments, stdin=its, stdout=its, stderr=its) as process:
        os.close(its)
        try:
            while piece := os.read(ours, 65536):
                written += piece
        except OSError:  # Linux's way to say that the other side is closed
            pass
        process.wait()
    os.close(ours)
    return written.decode()


def test_a_shell_completes_commands_options_and_topics(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    for words, found in (
        ("pkgsync ap", "plain,apply"),
        ("pkgsync plan --max-d", "plain,--max-deletions"),
        ("pkgsync help mov", "plain,moving"),
        ("pkgsync help rec", "plain,receipts"),
    ):
        monkeypatch.setenv("_PKGSYNC_COMPLETE", "bash_complete")
        monkeypatch.setenv("COMP_WORDS", words)
        monkeypatch.setenv("COMP_CWORD", str(len(words.split()) - 1))
        done = cli.call()
        assert (done.code, done.out, done.err) == (0, f"{found}\n", "")


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_shell_is_told_how_to_complete(cli: Cli, monkeypatch: pytest.MonkeyPatch, shell: str) -> None:
    monkeypatch.setenv("_PKGSYNC_COMPLETE", f"{shell}_source")
    done = cli.call()
    assert (done.code, done.err) == (0, "")
    assert "_PKGSYNC_COMPLETE=" in done.out
