"""What holds for every command: its options before and after it, where the words go, and how errors end."""

import json
import os
import re
import subprocess
import sys
import termios
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest

from pkgsync.cli.commands import SUMMARIES, Commands
from pkgsync.cli.main import cli as program
from pkgsync.sandbox import Kind, make_rpm
from pkgsync.version import __version__
from tests.support.worlds.cli_world import DELETE, Cli, open_cli

COLOUR = "\x1b["


@pytest.fixture
def cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cli]:
    with open_cli(tmp_path, monkeypatch) as cli:
        yield cli


# the command line itself


def test_version(cli: Cli) -> None:
    done = cli.run("--version")
    assert (done.code, done.out, done.err) == (0, f"pkgsync {__version__}\n", "")


@pytest.mark.parametrize("arguments", [["-h"], ["--help"], *([name, "-h"] for name in SUMMARIES)])
def test_help_is_data(cli: Cli, arguments: list[str]) -> None:
    done = cli.run(*arguments)
    assert (done.code, done.err) == (0, "")
    assert "Usage: pkgsync" in done.out


def test_the_list_of_commands_is_true() -> None:
    context = click.Context(program)
    assert isinstance(program, Commands)
    for name, summary in SUMMARIES.items():
        command = program.get_command(context, name)
        assert command is not None
        assert command.name == name
        assert summary.endswith(".")
    assert program.get_command(context, "main") is None


@pytest.mark.parametrize("arguments", [[], ["cache"]])
def test_no_command_shows_the_help_as_an_error(cli: Cli, arguments: list[str]) -> None:
    done = cli.run(*arguments)
    assert (done.code, done.out) == (64, "")
    assert "Usage: pkgsync" in done.err


@pytest.mark.parametrize(
    "arguments",
    [
        ["nosuch"],
        ["--nosuch"],
        ["plan", "--nosuch"],
        ["plan", "extra"],
        ["plan", "--format", "yaml"],
        ["plan", "--max-deletions", "-1"],
        ["plan", "--max-deletions", "many"],
        ["plan", "-o"],
        ["plan", "--orphans", "burn"],
        ["apply", "--only", "deletions"],
        ["show"],
        ["schema"],
        ["schema", "nosuch"],
        ["audit", "--format", "html5"],
        ["cache", "nosuch"],
        ["cache", "prune", "--older-than", "soon"],
        ["cache", "prune", "--max-size", "-1"],
        ["cache", "prune", "--max-size", "10"],
        ["-c", ".", "plan"],
        ["--log-format", "xml", "plan"],
        ["-c", "missing.yaml", "plan", "--now"],
    ],
)
def test_a_wrong_command_line_is_64_with_one_error(cli: Cli, arguments: list[str]) -> None:
    done = cli.run(*arguments)
    assert (done.code, done.out, len(done.errors)) == (64, "", 1)
    assert "Traceback" not in done.err
    assert cli.sandbox.log.entries == []


def test_a_wrong_option_is_answered_with_where_to_look(cli: Cli) -> None:
    assert cli.run("plan", "--nosuch").err.endswith("tip: Try `pkgsync plan --help`.\n")


def test_two_is_never_clicks_own(cli: Cli) -> None:
    assert cli.call("plan", "--nosuch").code == 64
    assert 2 not in {cli.run(name, "--nosuch").code for name in SUMMARIES}


def test_python_m_is_the_command(cli: Cli) -> None:
    assert cli.call("--version").out == f"pkgsync {__version__}\n"


# the config


def test_without_a_config_it_says_how_to_name_one(cli: Cli) -> None:
    (cli.folder / "pkgsync.yaml").unlink()
    done = cli.run("plan")
    assert done.code == 64
    assert "there is no pkgsync.yaml in this folder" in done.err
    assert "PKGSYNC_CONFIG" in done.err


@pytest.mark.parametrize("command", ["plan", "audit", "validate"])
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("version: 1\nobs: [", "pkgsync.yaml:2:"),
        ("version: 1\nobs: {}\nobs: {}\n", "pkgsync.yaml:3:1"),
        ("version: 1\nexclud: []\n", "exclude"),
        ("", "pkgsync.yaml"),
    ],
)
def test_a_wrong_config_is_1_with_its_place(cli: Cli, command: str, text: str, expected: str) -> None:
    (cli.folder / "pkgsync.yaml").write_text(text)
    done = cli.run(command)
    assert (done.code, done.out, len(done.errors)) == (1, "", 1)
    assert expected in done.err
    assert cli.sandbox.log.entries == []


def test_a_missing_config_is_an_error_with_its_name(cli: Cli) -> None:
    done = cli.run("plan", "-c", "other.yaml")
    assert done.code in (1, 64)
    assert "other.yaml" in done.errors[0]


def test_the_config_is_taken_from_option_after_option_before_environment_and_folder_in_this_order(
    cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = (cli.folder / "pkgsync.yaml").read_text()
    for name in ("a", "b", "c"):
        (cli.folder / f"{name}.yaml").write_text(text)
    assert cli.run("validate").out.startswith("pkgsync.yaml: valid.")
    monkeypatch.setenv("PKGSYNC_CONFIG", "a.yaml")
    assert cli.run("validate").out.startswith("a.yaml: valid.")
    assert cli.run("-c", "b.yaml", "validate").out.startswith("b.yaml: valid.")
    assert cli.run("validate", "-c", "c.yaml").out.startswith("c.yaml: valid.")
    assert cli.run("-c", "b.yaml", "validate", "--config", "c.yaml").out.startswith("c.yaml: valid.")


def test_the_cache_folder_likewise(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    option = "--cache-dir"
    monkeypatch.setenv("PKGSYNC_CACHE_DIR", "from-environment")
    assert cli.run("cache", "info").out.startswith("from-environment: ")
    assert cli.run(option, "before", "cache", "info").out.startswith("before: ")
    assert cli.run(option, "before", "cache", option, "between", "info").out.startswith("between: ")
    assert cli.run(option, "before", "cache", "info", option, "after").out.startswith("after: ")


def test_state_and_backup_folders(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    cli.in_step()
    cli.run("plan", "-o", "plan.json")
    monkeypatch.setenv("PKGSYNC_STATE_DIR", "state-environment")
    cli.run("apply", "plan.json")
    assert (cli.folder / "state-environment").is_dir()
    cli.run("apply", "plan.json", "--state-dir", "state-option")
    assert (cli.folder / "state-option").is_dir()


def test_the_backup_folder(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    old = make_rpm("hello", "0.9")
    cli.in_step()
    cli.put(old)
    cli.configure(**DELETE)
    cli.run("plan", "-o", "plan.json", "--max-deletions", "1")
    monkeypatch.setenv("PKGSYNC_BACKUP_DIR", "kept")
    assert cli.run("apply", "plan.json").code == 0
    assert old.blob.digest("sha256") in {path.name for path in (cli.folder / "kept").rglob("*")}


def test_without_options_the_users_folders_are_used(cli: Cli, sealed: Path) -> None:
    assert cli.run("cache", "info").out.startswith(f"{sealed}/.cache/pkgsync: 0 files")


# where words go


def test_quiet_leaves_data_and_errors(cli: Cli) -> None:
    assert cli.run("plan", "-q", "-o", "plan.json").err == ""
    assert "Plan: 2 to upload" in cli.run("-q", "plan").out
    cli.obs_fault(Kind.STATUS, "_result", times=None, status=500)
    assert len(cli.run("plan", "-q").errors) == 1


def test_quiet_hides_the_warnings_of_the_config(cli: Cli) -> None:
    text = (cli.folder / "pkgsync.yaml").read_text()
    (cli.folder / "pkgsync.yaml").write_text(text.replace("${PACKAGECLOUD_TOKEN}", cli.sandbox.token))
    assert "warning: " in cli.run("plan").err
    assert cli.run("plan", "-q").err == ""
    assert cli.sandbox.token not in cli.run("plan", "--debug").err


def test_verbose_names_everything_that_is_held(cli: Cli) -> None:
    cli.in_step()
    done = cli.run("-v", "plan")
    assert "rows" in done.out
    assert len(done.out) > len(cli.run("plan").out)


def test_debug_tells_every_request(cli: Cli) -> None:
    done = cli.run("plan", "--debug")
    told = re.findall(r"^GET (\S+): (\d+)$", done.err, re.MULTILINE)
    assert len(told) == len(cli.sandbox.log.entries)
    assert {status for _, status in told} == {"200"}
    assert "GET" not in cli.run("plan", "-v").err


def test_a_traceback_only_with_debug(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*arguments: object, **more: Any) -> None:
        raise RuntimeError("a bug")

    monkeypatch.setattr("pkgsync.api.plan", broken)
    done = cli.run("plan")
    assert (done.code, done.errors) == (1, ["error: internal error: RuntimeError"])
    assert "Traceback" not in done.err
    assert "--debug" in done.err
    debugged = cli.run("--debug", "plan")
    assert "Traceback" in debugged.err
    assert "RuntimeError: a bug" in debugged.err
    assert debugged.errors == done.errors


@pytest.mark.parametrize(
    "arguments",
    [
        ["plan"],
        ["plan", "-o", "plan.json"],
        ["plan", "--debug"],
        ["apply"],
        ["apply", "missing.json"],
        ["nosuch"],
        ["cache"],
        ["show", "pkgsync.yaml"],
    ],
)
def test_json_messages_are_json_line_by_line(cli: Cli, monkeypatch: pytest.MonkeyPatch, arguments: list[str]) -> None:
    monkeypatch.setenv("PKGSYNC_LOG_FORMAT", "json")
    done = cli.run(*arguments)
    first, *lines = done.err.splitlines()
    assert json.loads(first) == {"format": "pkgsync-log", "version": "1.0"}
    assert lines
    for line in lines:
        entry = json.loads(line)
        assert set(entry) <= {"time", "level", "message", "tip", "id"}
        assert entry["level"] in {"debug", "info", "warning", "error"}
        assert entry["message"]
    if done.code:
        assert (entry["level"], bool(entry["id"])) == ("error", True)


def test_no_line_of_json_is_a_command_of_ci(cli: Cli) -> None:
    done = cli.run("--log-format", "json", "##[error]x ###vso[task]")
    assert "##" not in done.err
    assert "'##[error]x ###vso[task]'" in json.loads(done.err.splitlines()[-1])["message"]


def test_json_messages_with_a_traceback(cli: Cli) -> None:
    cli.obs_fault(Kind.STATUS, "_result", times=None, status=500)
    done = cli.run("--log-format", "json", "plan", "--debug")
    entries = [json.loads(line) for line in done.err.splitlines()[1:]]
    assert any("Traceback" in entry["message"] for entry in entries if entry["level"] == "debug")
    assert entries[-1]["id"] == "ReadError"


def test_the_log_format_of_the_option_wins(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PKGSYNC_LOG_FORMAT", "json")
    assert cli.run("plan", "--log-format", "text").err.startswith("Nothing was saved.")


def test_hostile_names_reach_no_terminal(cli: Cli) -> None:
    name = "h\x1b[31m\u202eello"
    cli.obs_fault(Kind.STATUS, "_meta", times=None, status=404, body=name.encode(), content_type="text/plain")
    done = cli.run("plan")
    assert done.code == 1
    assert all(character.isprintable() for line in (done.out + done.err).splitlines() for character in line)


# colour


def test_no_colour_off_a_terminal(cli: Cli) -> None:
    done = cli.run("plan")
    assert COLOUR not in done.out + done.err


@pytest.mark.parametrize("arguments", [["--color", "plan"], ["plan", "--color"], ["--no-color", "plan", "--color"]])
def test_colour_on_request(cli: Cli, monkeypatch: pytest.MonkeyPatch, arguments: list[str]) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    assert COLOUR in cli.run(*arguments).out


@pytest.mark.parametrize("arguments", [["--color", "plan", "--no-color"], ["plan", "--color", "--no-color"]])
def test_the_last_word_on_colour_counts(cli: Cli, arguments: list[str]) -> None:
    assert COLOUR not in cli.run(*arguments).out


def test_json_is_never_coloured(cli: Cli) -> None:
    done = cli.run("plan", "--json", "--color")
    assert COLOUR not in done.out
    json.loads(done.out)


@pytest.mark.parametrize(
    ("variables", "coloured"),
    [({}, True), ({"NO_COLOR": "1"}, False), ({"NO_COLOR": ""}, True), ({"TERM": "dumb"}, False)],
)
def test_colour_on_a_terminal(
    cli: Cli, monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], coloured: bool
) -> None:
    for name, value in {"TERM": "xterm", **variables}.items():
        monkeypatch.setenv(name, value)
    assert (COLOUR in on_a_terminal(cli, "plan", "-q")) is coloured


@pytest.mark.parametrize(
    ("variables", "coloured"),
    [
        ({"FORCE_COLOR": "1"}, True),
        ({"FORCE_COLOR": "1", "TERM": "dumb"}, True),
        ({"FORCE_COLOR": "0"}, False),
        ({"FORCE_COLOR": ""}, False),
        ({"FORCE_COLOR": "1", "NO_COLOR": "1"}, False),
    ],
)
def test_colour_off_a_terminal_where_it_is_forced(
    cli: Cli, monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], coloured: bool
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert (COLOUR in cli.run("plan").out) is coloured
    assert COLOUR not in cli.run("plan", "--no-color").out


def test_a_stream_that_takes_only_ascii_gets_our_signs_in_ascii(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONIOENCODING", "ascii")
    assert "  + hello 1.0 new | opensuse/15.6, ubuntu/jammy | 2 up\n" in cli.call("plan").out


def test_choices_are_named_on_one_line(cli: Cli) -> None:
    assert cli.run("schema").errors[0].endswith("Choose from: config, plan, receipt, snapshot")


def on_a_terminal(cli: Cli, *arguments: str) -> str:
    """What the program writes to a terminal that is both its stdout and its stderr."""
    ours, its = os.openpty()
    termios.tcsetwinsize(its, (24, 80))
    written = b""
    with cli.started(*arguments, stdout=its, stderr=its) as process:
        os.close(its)
        try:
            while piece := os.read(ours, 65536):
                written += piece
        except OSError:  # Linux's way to say that the other side is closed
            pass
        process.wait()
    os.close(ours)
    return written.decode()


def test_progress_is_shown_on_a_terminal_only(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    cli.obs_fault(Kind.NOTHING, "", times=None, delay=0.3)
    assert "Reading OBS" in on_a_terminal(cli, "plan")
    assert "Reading OBS" not in on_a_terminal(cli, "plan", "-q")
    assert "Reading OBS" not in cli.call("plan").err
    monkeypatch.setenv("TERM", "dumb")
    assert "Reading OBS" not in on_a_terminal(cli, "plan")


def test_stderr_is_wrapped_at_words_on_a_terminal_only(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    error = ["error: there is no pkgsync.yaml in this folder"]
    Path("pkgsync.yaml").unlink()
    assert on_a_terminal(cli, "plan").splitlines() == [
        *error,
        "tip: Name one with -c FILE or PKGSYNC_CONFIG, or let",
        "  `pkgsync init PROJECT USER/REPO` propose one.",
    ]
    assert cli.call("plan").err.splitlines() == [
        *error,
        "tip: Name one with -c FILE or PKGSYNC_CONFIG, or let `pkgsync init PROJECT USER/REPO` propose one.",
    ]
    monkeypatch.delenv("NO_COLOR")
    assert "\x1b[36mtip:\x1b[0m Name one" in on_a_terminal(cli, "plan")
    assert all(len(line) > 80 for line in on_a_terminal(cli, "plan", "--log-format", "json").splitlines()[1:])


@pytest.mark.parametrize("token", ["", "wrong"])
def test_nothing_of_the_progress_is_left_behind(cli: Cli, monkeypatch: pytest.MonkeyPatch, token: str) -> None:
    monkeypatch.setenv("TERM", "xterm")
    if token:
        monkeypatch.setenv("PACKAGECLOUD_TOKEN", token)
    cli.obs_fault(Kind.NOTHING, "", times=None, delay=0.4)
    written = on_a_terminal(cli, "plan")
    assert "Reading OBS" in written
    last = written.rpartition("\x1b[J")[2]
    assert "Reading OBS" not in last
    assert last.endswith("\r\n"), "the prompt comes in column 1"


# ends


def test_a_reader_that_goes_away_is_no_error_worth_a_word(cli: Cli) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    done = cli.call("plan", "--json", stdout=writing)
    os.close(writing)
    assert done.err == ""
    assert done.code == 1


def test_a_mistyped_command_gets_the_nearest_one(cli: Cli) -> None:
    done = cli.run("aply", "plan.json")
    assert done.code == 64
    assert done.errors == ["error: No such command 'aply'. (Did you mean 'apply'?)"]
    assert cli.run("frobnicate").errors == ["error: No such command 'frobnicate'."]


def test_a_reader_of_messages_that_goes_away_changes_no_exit_code(cli: Cli) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    done = cli.call("plan", "--nosuch", stderr=writing)
    os.close(writing)
    assert (done.code, done.out) == (64, "")


@pytest.mark.parametrize("closed", [">&-", "2>&-", ">&- 2>&-"])
def test_a_closed_stream_is_no_error(cli: Cli, closed: str) -> None:
    done = cli.call("plan", "-o", "plan.json", before=["sh", "-c", f'exec "$@" {closed}', "sh"])
    assert (done.code, "Traceback" in done.err) == (0, False)
    assert cli.saved()["applyable"]


def test_a_full_disk_behind_stdout(cli: Cli) -> None:
    with Path("/dev/full").open("w") as full:
        done = cli.call("plan", stdout=full)
    assert (done.code, done.errors) == (1, ["error: standard output: No space left on device"])
    assert "Traceback" not in done.err


def test_names_that_the_terminals_encoding_lacks(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    (cli.folder / "plan\u00e9.json").write_text("{}")
    monkeypatch.setenv("PYTHONIOENCODING", "ascii")
    done = cli.call("show", "plan\u00e9.json")
    assert done.code == 6
    assert "plan\\xe9.json" in done.err


SANDBOX = {"werkzeug", "pkgsync.sandbox"}
HTTP = {"requests", "urllib3", "pkgsync.session.session"}
FILES = {"jsonschema", "jsonschema_rs", "referencing", "pkgsync.planfile"}
DECISIONS = {"pkgsync.api", "pkgsync.obs", "pkgsync.packagecloud", "pkgsync.reconcile", "pkgsync.model.plan"}
CHANGES = {"pkgsync.apply.engine", "pkgsync.apply.site"}
RARE = {
    *("difflib", "subprocess", "configparser", "jsonschema", "attrs", "pkgsync.ssh", "pkgsync.needs"),
    *("pkgsync.proposals.proposing", "pkgsync.reconcile.causes", "pkgsync.reconcile.explanations"),
    *("pkgsync.reconcile.rechecks", "pkgsync.reconcile.serving", "pkgsync.reconcile.undo"),
}
REPORTS = {"tabulate", "pkgsync.report.text", "pkgsync.report.audit", "pkgsync.report.pages"}
NOT_LOCAL = {
    *SANDBOX,
    *HTTP,
    *CHANGES,
    "attrs",
    "filelock",
    "pkgsync.api",
    "pkgsync.obs",
    "pkgsync.packagecloud",
    "pkgsync.reconcile",
}
ONLY_CONFIG = {
    *NOT_LOCAL,
    *FILES,
    *DECISIONS,
    *REPORTS,
    "platformdirs",
    "rfc8785",
    "hashlib",
    "tempfile",
    "logging",
    "difflib",
}
NOTHING = {*ONLY_CONFIG, "yaml", "msgspec", "pkgsync.config", "pkgsync.report", "pkgsync.model"}


@pytest.mark.parametrize(
    ("arguments", "unwanted"),
    [
        (["--help"], NOTHING),
        *(([name, "--help"], NOTHING - {"difflib"}) for name in SUMMARIES),
        (["help", "undo"], NOTHING - {"difflib"}),
        (["schema", "plan"], NOTHING),
        (["validate"], ONLY_CONFIG - {"jsonschema_rs", "tempfile"}),
        (
            ["cache", "info"],
            {*NOT_LOCAL, *FILES, *DECISIONS, *REPORTS, "yaml", "pkgsync.config", "pkgsync.model"},
        ),
        (
            ["show", "plan.json"],
            {
                *NOT_LOCAL,
                "jsonschema",
                "referencing",
                "yaml",
                "platformdirs",
                "logging",
                "pkgsync.report.audit",
                "pkgsync.report.pages",
            },
        ),
        (["receipts"], {*NOT_LOCAL, "jsonschema", "yaml", "pkgsync.report.audit", "pkgsync.report.pages"}),
        (["plan"], {*SANDBOX, *CHANGES, *RARE, "pkgsync.report.audit", "pkgsync.report.pages"}),
        (["audit"], {*SANDBOX, *CHANGES, *RARE, "pkgsync.report.pages"}),
        (
            ["explain", "hello"],
            {*SANDBOX, *CHANGES, *RARE - {"difflib", "pkgsync.reconcile.explanations"}, "pkgsync.report.pages"},
        ),
        (
            ["snapshot", "-o", "snapshot.json"],
            {*SANDBOX, *CHANGES, *REPORTS, "attrs", "subprocess", "configparser", "pkgsync.reconcile.rechecks"},
        ),
        (["apply", "plan.json"], {*SANDBOX, "pkgsync.report.audit", "pkgsync.report.pages"}),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_command_imports_only_what_it_needs(cli: Cli, arguments: list[str], unwanted: set[str]) -> None:
    if "plan.json" in arguments:
        cli.run("plan", "-o", "plan.json")
    code = (
        "import sys; from pkgsync.cli.main import run; from pkgsync.cli.options import Context; "
        f"code = run(Context(), {arguments}); print(code, *sys.modules, file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=cli.folder, capture_output=True, text=True, check=True)
    code, *modules = done.stderr.splitlines()[-1].split()
    assert code == "0"
    assert unwanted & set(modules) == set()
