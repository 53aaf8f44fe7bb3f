"""The commands that only look: show, audit, validate, cache, schema; and the demo."""

import csv
import json
import subprocess
import sys
from collections.abc import Iterator
from importlib.resources import files
from io import StringIO
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from pkgsync.sandbox import PROJECT, Kind, make_deb, make_rpm
from tests.support.worlds.cli_world import DEB, DELETE, JAMMY, LEAP, Cli, open_cli

OLD, FOREIGN = make_rpm("hello", "0.9"), make_deb("foreign", "1", "1")


@pytest.fixture
def cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cli]:
    with open_cli(tmp_path, monkeypatch) as cli:
        yield cli


@pytest.fixture
def orphaned(cli: Cli) -> Cli:
    """An orphan that may go and one that is nobody's."""
    cli.in_step()
    cli.put(OLD, FOREIGN)
    cli.configure(**DELETE)
    return cli


# show


def test_show_renders_a_plan_as_plan_did(cli: Cli) -> None:
    planned = cli.run("plan", "-o", "plan.json")
    assert cli.run("show", "plan.json").out == planned.out
    assert cli.run("show", "plan.json", "--json").out == (cli.folder / "plan.json").read_text()
    assert cli.run("show", "--format", "markdown", "plan.json").out.startswith("## pkgsync: `demo/testing`")
    assert "<h1>pkgsync plan: demo/testing</h1>" in cli.run("show", "--format", "html", "plan.json").out


def test_a_plan_in_the_numbers_of_gitlab(orphaned: Cli) -> None:
    assert orphaned.run("plan", "--format", "gitlab", "-o", "plan.json").out == (
        '{"create": 0, "update": 0, "delete": 1}\n'
    )
    assert json.loads(orphaned.run("show", "--format", "gitlab", "plan.json").out)["delete"] == 1


def test_markdown_comes_in_parts(orphaned: Cli) -> None:
    whole = orphaned.run("plan", "--format", "markdown", "--max-length", "8192", "-o", "plan.json").out
    assert "\n- opensuse/15.6/hello-0.9-1.x86_64.rpm\n" in whole
    assert orphaned.run("show", "--format", "markdown", "plan.json").out == whole
    beyond = orphaned.run("show", "--format", "markdown", "--part", "2", "plan.json")
    assert (beyond.code, beyond.out, beyond.err) == (0, "", "")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--part", "2"], "--max-length and --part are for --format markdown"),
        (["--json", "--max-length", "9000"], "--max-length and --part are for --format markdown"),
        (["--format", "markdown", "--max-length", "100"], "Invalid value for '--max-length'"),
        (["--format", "markdown", "--part", "0"], "Invalid value for '--part'"),
    ],
)
def test_parts_that_do_not_exist_are_a_wrong_command_line(cli: Cli, arguments: list[str], said: str) -> None:
    for command in (["plan"], ["show", "plan.json"]):
        done = cli.run(*command, *arguments)
        assert (done.code, done.out) == (64, "")
        assert done.errors[0].startswith(f"error: {said}")


def test_a_receipt_has_no_numbers_for_gitlab_and_one_part(cli: Cli) -> None:
    cli.run("plan", "-o", "plan.json")
    cli.run("apply", "plan.json")
    done = cli.run("show", "--format", "gitlab", "plan.receipt.json")
    assert (done.code, done.errors) == (64, ["error: a receipt has no form for GitLab"])
    assert cli.run("show", "--format", "markdown", "--part", "2", "plan.receipt.json").out == ""


def test_show_renders_a_receipt(cli: Cli) -> None:
    cli.run("plan", "-o", "plan.json")
    cli.run("apply", "plan.json")
    assert "Apply complete: 2 uploaded" in cli.run("show", "plan.receipt.json").out
    assert (
        cli.run("show", "plan.receipt.json", "--format", "json").out == (cli.folder / "plan.receipt.json").read_text()
    )
    assert "Apply complete" in cli.run("show", "plan.receipt.json", "--format", "markdown").out
    assert "<h1>pkgsync receipt: demo/testing</h1>" in cli.run("show", "plan.receipt.json", "--format", "html").out


def test_show_needs_no_config_no_service_and_no_young_plan(cli: Cli) -> None:
    cli.run("plan", "-o", "plan.json", "--now", "1999-12-31")
    cli.run("apply", "plan.json")
    (cli.folder / "pkgsync.yaml").unlink()
    cli.sandbox.log.clear()
    done = cli.run("show", "plan.json")
    assert (done.code, done.err, cli.sandbox.log.entries) == (0, "", [])
    assert "Plan: 2 to upload" in done.out


def test_show_renders_a_plan_that_cannot_be_applied(orphaned: Cli) -> None:
    orphaned.run("plan", "-o", "plan.json", "--max-deletions", "0")
    done = orphaned.run("show", "plan.json")
    assert done.code == 0
    assert "Unsafe: this plan cannot be applied." in done.out


@pytest.mark.parametrize(("data", "code"), [(None, 64), ("", 6), ("{}", 6), ("[1]", 6)])
def test_show_of_what_is_neither(cli: Cli, data: str | None, code: int) -> None:
    if data is not None:
        (cli.folder / "file.json").write_text(data)
    done = cli.run("show", "file.json")
    assert (done.code, done.out, len(done.errors)) == (code, "", 1)
    assert "file.json" in done.errors[0]


def test_show_of_an_edited_plan(cli: Cli) -> None:
    cli.run("plan", "-o", "plan.json")
    text = (cli.folder / "plan.json").read_text()
    (cli.folder / "plan.json").write_text(text.replace(DEB.filename, "evil_1.0-1_amd64.deb"))
    assert cli.run("show", "plan.json").code == 6


# audit


def test_audit_lists_every_orphan_with_its_fate(orphaned: Cli) -> None:
    done = orphaned.run("audit")
    assert (done.code, done.err) == (0, "")
    assert "2 orphans in demo/testing" in done.out
    assert "not-owned" in done.out


def test_audit_as_json(orphaned: Cli) -> None:
    by_format, by_switch = orphaned.run("audit", "--format", "json"), orphaned.run("audit", "--json")
    found = json.loads(by_format.out)
    assert [(o["distribution"], o["filename"], o["fate"]) for o in found["orphans"]] == [
        (LEAP, OLD.filename, "delete"),
        (JAMMY, FOREIGN.filename, "keep"),
    ]
    assert json.loads(by_switch.out)["orphans"] == found["orphans"]


def test_audit_as_csv(orphaned: Cli) -> None:
    rows = list(csv.DictReader(StringIO(orphaned.run("audit", "--format", "csv").out)))
    assert [(row["filename"], row["uploader"]) for row in rows] == [
        (OLD.filename, "demo-bot"),
        (FOREIGN.filename, "demo-bot"),
    ]


def test_audit_as_markdown(orphaned: Cli) -> None:
    assert "1 to delete, 1 kept (orphans: delete)." in orphaned.run("audit", "--format", "markdown").out


def test_audit_under_another_policy(orphaned: Cli) -> None:
    kept = json.loads(orphaned.run("audit", "--json", "--orphans", "keep").out)
    assert {o["fate"] for o in kept["orphans"]} == {"keep"}
    orphaned.configure()
    assert orphaned.run("audit", "--orphans", "delete").code == 64


def test_audit_exit_codes(orphaned: Cli) -> None:
    assert orphaned.run("audit", "--detailed-exitcode").code == 2
    for artifact, distribution in ((OLD, LEAP), (FOREIGN, JAMMY)):
        orphaned.sandbox.packagecloud.delete("demo/testing", distribution, artifact.filename)
    assert orphaned.run("audit", "--detailed-exitcode").code == 0


def test_an_incomplete_audit_is_1_and_says_so(orphaned: Cli) -> None:
    orphaned.obs_fault(Kind.STATUS, f"/published/{PROJECT}/xUbuntu_22.04/", times=None, status=500)
    done = orphaned.run("audit", "--detailed-exitcode")
    assert (done.code, done.errors) == (1, ["error: the audit is incomplete: a read failed"])


def test_audit_sends_nothing_but_reads(orphaned: Cli) -> None:
    orphaned.run("audit")
    assert {entry.method for entry in orphaned.sandbox.log.entries} == {"GET"}


def test_audit_now(orphaned: Cli) -> None:
    assert json.loads(orphaned.run("audit", "--json", "--now", "2031-01-01").out)["orphans"]
    assert orphaned.run("audit", "--now", "later").code == 64


# validate


def test_validate_makes_no_request(cli: Cli) -> None:
    done = cli.run("validate")
    assert (done.code, done.err, cli.sandbox.log.entries) == (0, "", [])
    assert done.out == f"pkgsync.yaml: valid. 1 project to demo/testing: {LEAP}, {JAMMY}\n"


def test_validate_needs_no_credential(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in cli.sandbox.environment:
        monkeypatch.delenv(name)
    assert cli.run("validate").code == 0


# cache


def test_cache_info_and_prune(cli: Cli) -> None:
    assert cli.run("cache", "info", "--cache-dir", "c").out == "c: 0 files, 0 B\n"
    cli.run("plan", "-o", "plan.json")
    cli.run("apply", "plan.json", "--cache-dir", "c")
    # two downloads, and what was read from each of two indexes
    assert cli.run("cache", "info", "--cache-dir", "c").out.startswith("c: 4 files, ")
    assert cli.run("cache", "prune", "--older-than", "1d", "--cache-dir", "c").out == "Removed 0 files, 0 B.\n"
    assert cli.run("cache", "prune", "--max-size", "1GiB", "--cache-dir", "c").out == "Removed 0 files, 0 B.\n"
    assert cli.run("cache", "prune", "--cache-dir", "c").out.startswith("Removed 4 files, ")
    assert cli.run("cache", "info", "--cache-dir", "c").out == "c: 0 files, 0 B\n"


def test_prune_leaves_the_backups(orphaned: Cli) -> None:
    orphaned.run("plan", "-o", "plan.json", "--max-deletions", "1")
    options = ("--state-dir", "s", "--cache-dir", "c")
    assert orphaned.run("apply", "plan.json", *options).code == 0
    orphaned.run("cache", "prune", *options)
    assert OLD.blob.digest("sha256") in {path.name for path in (orphaned.folder / "s").rglob("*")}


# schema


@pytest.mark.parametrize("name", ["config", "plan", "receipt", "snapshot"])
def test_schema_prints_the_schema(cli: Cli, name: str) -> None:
    done = cli.run("schema", name)
    assert (done.code, done.err) == (0, "")
    Draft202012Validator.check_schema(json.loads(done.out))


def test_what_is_written_fits_its_schema(cli: Cli) -> None:
    cli.run("plan", "-o", "plan.json")
    cli.run("apply", "plan.json")
    for schema, name in (("plan", "plan.json"), ("receipt", "plan.receipt.json")):
        Draft202012Validator(json.loads(cli.run("schema", schema).out)).validate(cli.saved(name))


# demo


def test_the_demo_tells_the_whole_story(cli: Cli) -> None:
    done = cli.call("demo")
    assert done.code == 0, done.err
    assert "Plan: 14 to upload, 0 to replace, 1 to delete" in done.out
    assert "Apply complete: 14 uploaded, 1 deleted" in done.out
    assert "No changes. demo/testing matches OBS. 1 orphan kept." in done.out
    assert "Plan: 6 to upload, 2 to replace, 6 to delete" in done.out
    assert "Apply complete: 6 uploaded, 2 replaced, 6 deleted" in done.out
    assert "5 orphans in demo/testing" in done.out
    assert sorted(path.name for path in cli.folder.iterdir()) == ["pkgsync.yaml"]


def test_the_demo_never_touches_the_users_own_servers_or_files(
    cli: Cli, monkeypatch: pytest.MonkeyPatch, sealed: Path
) -> None:
    monkeypatch.setenv("PKGSYNC_CONFIG", str(cli.folder / "pkgsync.yaml"))
    for name in ("CACHE", "STATE", "BACKUP"):
        monkeypatch.setenv(f"PKGSYNC_{name}_DIR", str(cli.folder / name))
    monkeypatch.setenv("PACKAGECLOUD_URL", "https://packages.example.invalid")
    monkeypatch.setenv("OSC_APIURL", "not a url")
    done = cli.call("-c", "pkgsync.yaml", "demo", "-q")
    assert (done.code, done.err) == (0, "")
    assert cli.sandbox.log.entries == []
    assert sorted(path.name for path in cli.folder.iterdir()) == ["pkgsync.yaml"]
    assert list(sealed.iterdir()) == []


def test_a_demo_whose_reader_goes_away_is_quiet(cli: Cli) -> None:
    with cli.started("demo", "-q") as process:
        assert process.stdout is not None
        process.stdout.readline()
        process.stdout.close()
        assert process.stderr is not None
        assert process.stderr.read() == ""
        assert process.wait() == 1


@pytest.mark.parametrize(
    ("module", "words"),
    [
        ("pkgsync demo", "error: the demo needs werkzeug, which is not installed"),
        ("pkgsync.sandbox", "Error: the sandbox needs werkzeug, which is not installed"),
    ],
)
def test_without_the_extra_demo_one_error_names_the_command_that_installs_it(cli: Cli, module: str, words: str) -> None:
    name, *arguments = module.split()
    code = (
        "import runpy, sys; sys.modules['werkzeug'] = None; "
        f"sys.argv[1:] = {arguments}; runpy.run_module({name!r}, run_name='__main__')"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=cli.folder, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f"{words}\ntip: pip install 'obs-pkgsync[demo]'\n"
    assert sorted(path.name for path in cli.folder.iterdir()) == ["pkgsync.yaml"]


def test_the_packages_of_the_demo_are_shipped() -> None:
    assert any(entry.name == "day1" for entry in (files("pkgsync.sandbox") / "data").iterdir())
