"""``pkgsync undo``: from a receipt to a plan, and from that plan back to the world before."""

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import pkgsync
from pkgsync.api import Surroundings
from pkgsync.config import load
from pkgsync.planfile import read_receipt, strictjson
from pkgsync.sandbox import ARCHIVE, REPOSITORY, Fault, Kind, make_deb, make_rpm
from tests.support.worlds.cli_world import DEB, DELETE, JAMMY, LEAP, RPM, Cli, open_cli

OLD, STALE_DEB = make_rpm("hello", "0.9"), make_deb("hello", "1.0", "1", salt="before")
BEFORE = {(LEAP, OLD.filename, OLD.blob.digest("sha256")), (JAMMY, DEB.filename, STALE_DEB.blob.digest("sha256"))}
OLD_KEY, RPM_KEY, DEB_KEY = f"{LEAP}/{OLD.filename}", f"{LEAP}/{RPM.filename}", f"{JAMMY}/{DEB.filename}"


@pytest.fixture
def cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cli]:
    with open_cli(tmp_path, monkeypatch) as cli:
        cli.configure(**DELETE)
        yield cli


def content(cli: Cli, repository: str = REPOSITORY) -> set[tuple[str, str, str]]:
    return cli.sandbox.packagecloud.content(repository)


@pytest.fixture
def applied(cli: Cli) -> Cli:
    """An apply that uploaded one file, replaced one and deleted one."""
    cli.put(OLD, STALE_DEB)
    applying(cli)
    cli.sandbox.log.clear()
    return cli


def applying(cli: Cli) -> None:
    assert cli.run("plan", "-o", "plan.json").code == 0
    assert cli.run("apply", "plan.json").code == 0


def edited(cli: Cli, change: Callable[[dict[str, Any]], object], name: str = "plan.receipt.json") -> None:
    value = cli.saved(name)
    change(value)
    (cli.folder / name).write_text(json.dumps(value))


def counts(cli: Cli, name: str = "undo.json") -> dict[str, int]:
    total = cli.saved(name)["summary"]["total"]
    return {what: total[what] for what in ("uploads", "replacements", "deletions", "archivings", "held")}


ALL = {"uploads": 1, "replacements": 1, "deletions": 1, "archivings": 0, "held": 0}


def test_an_apply_is_undone_and_that_is_undone_too(cli: Cli) -> None:
    cli.put(OLD, STALE_DEB)
    before = content(cli)
    applying(cli)
    after = content(cli)
    assert before != after
    undone = cli.run("undo", "plan.receipt.json", "-o", "undo.json")
    assert (undone.code, counts(cli)) == (0, ALL)
    assert content(cli) == after
    assert cli.run("apply", "undo.json").code == 0
    assert content(cli) == before
    assert cli.run("undo", "undo.receipt.json", "-o", "redo.json").code == 0
    assert cli.run("apply", "redo.json").code == 0
    assert content(cli) == after


def test_it_is_a_plan_to_review(applied: Cli) -> None:
    done = applied.run("undo", "plan.receipt.json", "-o", "undo.json")
    made = applied.saved("undo.json")
    digest = applied.saved()["digest"]
    assert made["undoes"] == digest
    assert done.err == f"Saved undo.json ({made['digest']}). Apply: pkgsync apply undo.json\n"
    text = done.out
    assert f"\nundo of {digest}\n" in text
    for line in (f"  + {LEAP}/{OLD.filename}", f"    - {LEAP}/{RPM.filename}", f"  ~ {JAMMY}/{DEB.filename}"):
        assert f"\n{line}" in text
    assert "Plan: 1 to upload, 1 to replace, 1 to delete" in text
    assert applied.run("show", "undo.json").out == text


def test_it_asks_packagecloud_and_changes_nothing(applied: Cli) -> None:
    assert applied.run("undo", "plan.receipt.json").code == 0
    asked = {(entry.service, entry.method) for entry in applied.sandbox.log.entries}
    assert asked == {("packagecloud", "GET")}


def test_without_a_receipt_it_says_where_they_are(applied: Cli) -> None:
    done = applied.run("undo")
    assert done.code == 64
    assert done.err == ("error: undo needs a receipt\ntip: `pkgsync receipts` lists all receipts, the newest first.\n")


def test_without_out_it_says_how_to_save(applied: Cli) -> None:
    done = applied.run("undo", "plan.receipt.json")
    assert done.err == "Nothing was saved. To review and apply it: the same command with -o undo.json\n"


@pytest.mark.parametrize("option", [["--json"], ["--format", "json"]])
def test_json_is_the_plan_file(applied: Cli, option: list[str]) -> None:
    done = applied.run("undo", "plan.receipt.json", "-o", "undo.json", *option)
    assert done.out.strip() == (applied.folder / "undo.json").read_text().strip()


def test_markdown_is_the_comment(applied: Cli) -> None:
    text = applied.run("undo", "plan.receipt.json", "--format", "markdown").out
    assert f"Takes back the apply of the plan `{applied.saved()['digest']}`." in text


def test_changes_are_2_on_request(applied: Cli) -> None:
    assert applied.run("undo", "plan.receipt.json", "--detailed-exitcode").code == 2
    applied.run("undo", "plan.receipt.json", "-o", "undo.json")
    assert applied.run("apply", "undo.json").code == 0
    again = applied.run("undo", "plan.receipt.json", "--detailed-exitcode")
    assert (again.code, again.out.splitlines()[-1]) == (0, "Nothing to undo.")


ELSEWHERE = ("--state-dir", "fresh", "--backup-dir", "kept", "--cache-dir", "cold")


@pytest.fixture
def elsewhere(applied: Cli) -> Cli:
    """Another machine, with the receipt and the backups of the apply, and an undo made there."""
    shutil.copytree(Surroundings.of_user().backups, applied.folder / "kept")
    assert applied.run("undo", "plan.receipt.json", "-o", "undo.json", *ELSEWHERE).code == 0
    return applied


def test_on_a_machine_with_the_journal_too(elsewhere: Cli) -> None:
    shutil.copytree(Surroundings.of_user().state_dir, elsewhere.folder / "fresh", dirs_exist_ok=True)
    assert elsewhere.run("apply", "undo.json", *ELSEWHERE).code == 0
    assert content(elsewhere) == BEFORE


def test_on_a_machine_without_the_journal_what_obs_offers_is_not_taken_away(elsewhere: Cli) -> None:
    before = content(elsewhere)
    done = elsewhere.run("apply", "undo.json", *ELSEWHERE)
    assert (done.code, content(elsewhere)) == (4, before)
    said = {
        line["filename"]: (line["outcome"], line.get("reason"))
        for line in elsewhere.saved("undo.receipt.json")["lines"]
    }
    assert said[RPM.filename] == ("stale", "wanted-again")
    assert "the journal of the apply that it takes back is not here" in done.out


def test_without_the_journal_what_was_deleted_still_comes_back_and_nothing_else_changes(elsewhere: Cli) -> None:
    brought_back = {(LEAP, OLD.filename, OLD.blob.digest("sha256"))}
    before = content(elsewhere)
    assert elsewhere.run("apply", "undo.json", "--skip-stale", *ELSEWHERE).code == 5
    assert content(elsewhere) == before | brought_back


def test_without_the_backups_it_takes_away_and_lists_the_rest(applied: Cli) -> None:
    done = applied.run("undo", "plan.receipt.json", "-o", "undo.json", "--backup-dir", "empty")
    assert (done.code, counts(applied)) == (0, {**ALL, "uploads": 0, "replacements": 0, "held": 2})
    assert {(held["filename"], held["reason"]) for held in applied.saved("undo.json")["held"]} == {
        (OLD.filename, "no-backup"),
        (DEB.filename, "no-backup"),
    }


def test_a_spoiled_backup_is_noticed_when_it_is_used(applied: Cli) -> None:
    assert applied.run("undo", "plan.receipt.json", "-o", "undo.json").code == 0
    (kept,) = Surroundings.of_user().backups.rglob(OLD.blob.digest("sha256"))
    kept.write_bytes(kept.read_bytes()[:-1] + b"x")
    done = applied.run("apply", "undo.json")
    assert done.code == 5
    assert OLD_KEY not in applied.names
    assert RPM_KEY in applied.names  # its deletion waits for the upload


def test_archived_files_are_moved_back_and_away_again(cli: Cli) -> None:
    cli.configure(orphans={"action": "archive", "archive_to": ARCHIVE, "keep_versions": 1})
    cli.in_step()
    cli.put(OLD)
    before = content(cli)
    applying(cli)
    assert {name for _, name, _ in content(cli, ARCHIVE)} == {OLD.filename}
    empty = ("--backup-dir", "none-here")
    undone = cli.run("undo", "plan.receipt.json", "-o", "undo.json", *empty)
    assert (undone.code, counts(cli)["uploads"], cli.saved("undo.json")["uploads"][0]["source"]) == (
        0,
        1,
        {"kind": "archive", "repository": ARCHIVE},
    )
    assert cli.run("apply", "undo.json", *empty).code == 0
    assert (content(cli), content(cli, ARCHIVE)) == (before, set())
    (line,) = cli.saved("undo.receipt.json")["lines"]
    assert (line["action"], line["undo"], line["archive_to"]) == ("upload", "archive", ARCHIVE)
    assert cli.run("undo", "undo.receipt.json", "-o", "redo.json").code == 0
    assert counts(cli, "redo.json")["archivings"] == 1
    assert cli.run("apply", "redo.json").code == 0
    assert {name for _, name, _ in content(cli, ARCHIVE)} == {OLD.filename}
    assert OLD_KEY not in cli.names


def test_a_reply_lost_while_it_is_moved_back_changes_nothing(cli: Cli) -> None:
    cli.configure(orphans={"action": "archive", "archive_to": ARCHIVE, "keep_versions": 1})
    cli.in_step()
    cli.put(OLD)
    before = content(cli)
    applying(cli)
    cli.run("undo", "plan.receipt.json", "-o", "undo.json")
    cli.packagecloud_fault(Kind.REPLY_LOST, r"promote\.json$", method="POST")
    assert cli.run("apply", "undo.json").code == 0
    assert (content(cli), content(cli, ARCHIVE)) == (before, set())
    assert cli.saved("undo.receipt.json")["lines"][0]["outcome"] == "done"


def test_an_archive_that_cannot_be_read_makes_the_undo_incomplete(cli: Cli) -> None:
    cli.configure(orphans={"action": "archive", "archive_to": ARCHIVE, "keep_versions": 1})
    cli.in_step()
    cli.put(OLD)
    applying(cli)
    cli.packagecloud_fault(Kind.STATUS, rf"{ARCHIVE}/packages\.json", status=500, times=None)
    done = cli.run("undo", "plan.receipt.json", "-o", "undo.json", "--backup-dir", "none-here")
    assert (done.code, counts(cli)["held"]) == (1, 1)
    assert cli.saved("undo.json")["held"][0]["reason"] == "unread"


# what apply does not believe a plan


def forged(cli: Cli, key: str, undoes: str) -> None:
    """An undo by an enemy who wants the file of this key gone: a receipt that says that we uploaded it."""

    def claim(receipt: dict[str, Any]) -> None:
        distribution, _, filename = key.rpartition("/")
        sums = {f"{d}/{name}": sha for d, name, sha in content(cli)}
        receipt["plan_digest"] = undoes
        receipt["lines"] = [
            {
                "action": "upload",
                "distribution": distribution,
                "filename": filename,
                "outcome": "done",
                "sha256": sums[key],
                "size": 5,
            }
        ]

    edited(cli, claim)
    assert cli.run("undo", "plan.receipt.json", "-o", "undo.json").code == 0
    assert counts(cli)["deletions"] == 1


@pytest.mark.parametrize("here", [True, False], ids=["journal", "no journal"])
def test_a_forged_receipt_deletes_no_foreign_package(applied: Cli, here: bool) -> None:
    """With the journal it is not ours; without it, no plan of now would delete it."""
    foreign = make_rpm("foreign", "1.0")
    applied.put(foreign)
    key = f"{LEAP}/{foreign.filename}"
    forged(applied, key, applied.saved()["digest"] if here else f"sha256:{'0' * 64}")
    done = applied.run("apply", "undo.json")
    assert (done.code, key in applied.names) == (4, True)
    (line,) = applied.saved("undo.receipt.json")["lines"]
    assert (line["outcome"], line["reason"]) == ("stale", "not-owned" if here else "policy-changed")


def test_a_file_that_we_kept_is_not_what_we_uploaded(applied: Cli) -> None:
    """Its name is one of ours, but the journal knows better."""
    other = make_rpm("hello", "0.5")
    applied.put(other)
    forged(applied, f"{LEAP}/{other.filename}", applied.saved()["digest"])
    assert applied.run("apply", "undo.json").code == 4
    assert f"{LEAP}/{other.filename}" in applied.names


def test_without_the_journal_what_a_plan_of_now_would_delete_is_deleted(cli: Cli) -> None:
    """Every check of a deletion is made, also the one for which Packagecloud must be asked."""
    applying(cli)
    cli.publish(make_rpm("hello", "2.0"))
    cli.put(make_rpm("hello", "2.0"), make_deb("hello", "2.0", "1"))
    cli.publish(make_deb("hello", "2.0", "1"))
    limits = {"in_use_days": 30, "deletions": 1, "deletions_percent": 100}
    cli.configure(**DELETE, limits=limits)
    assert cli.run("undo", "plan.receipt.json", "-o", "undo.json").code == 0
    assert (counts(cli)["deletions"], {RPM_KEY, DEB_KEY} <= cli.names) == (2, True)
    assert cli.run("apply", "undo.json", "--state-dir", "fresh").code == 0
    assert cli.names == {f"{LEAP}/hello-2.0-1.x86_64.rpm", f"{JAMMY}/hello_2.0-1_amd64.deb"}


# what it refuses


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"repository": "other/testing"}, "made for the Packagecloud repository other/testing"),
        ({"api": "https://packagecloud.io"}, "made for Packagecloud https://packagecloud.io"),
    ],
)
def test_a_receipt_of_elsewhere_is_refused(applied: Cli, change: dict[str, str], words: str) -> None:
    edited(applied, lambda receipt: receipt["target"].update(change))
    done = applied.run("undo", "plan.receipt.json", "-o", "undo.json")
    assert (done.code, done.out) == (64, "")
    assert words in done.errors[0]
    assert not (applied.folder / "undo.json").exists()
    assert applied.sandbox.log.entries == []


def test_a_plan_is_no_receipt(applied: Cli) -> None:
    done = applied.run("undo", "plan.json")
    assert (done.code, done.errors) == (6, ["error: plan.json: a plan, not a receipt"])


def test_the_receipt_is_not_replaced_by_the_plan(applied: Cli) -> None:
    before = (applied.folder / "plan.receipt.json").read_bytes()
    done = applied.run("undo", "plan.receipt.json", "-o", "plan.receipt.json")
    assert (done.code, done.errors) == (
        64,
        [
            "error: Invalid value for '-o' / '--out': 'plan.receipt.json' is no plan and is not overwritten: move it away, "
            "or name another file"
        ],
    )
    assert (applied.folder / "plan.receipt.json").read_bytes() == before


def test_two_lines_of_one_file_are_no_plan(applied: Cli) -> None:
    edited(applied, lambda receipt: receipt["lines"].append(receipt["lines"][0]))
    done = applied.run("undo", "plan.receipt.json", "-o", "undo.json")
    assert (done.code, done.errors) == (6, [f"error: the new plan: {RPM_KEY}: 2 actions for one file"])


def test_undo_is_a_function_too(applied: Cli) -> None:
    receipt = read_receipt(applied.folder / "plan.receipt.json")
    made = pkgsync.undo(load(applied.folder / "pkgsync.yaml", {}), receipt, Surroundings.of_user())
    assert [len(actions) for actions in (made.uploads, made.replacements, made.deletions)] == [1, 1, 1]


def test_a_file_comes_back_even_if_another_name_has_its_content(cli: Cli) -> None:
    copy = "hello-copy-0.9-1.x86_64.rpm"
    cli.configure(orphans={**DELETE["orphans"], "protect": ["hello-copy*"]})
    cli.in_step()
    cli.put(OLD)
    cli.sandbox.packagecloud.add(REPOSITORY, LEAP, OLD.blob, filename=copy)
    before = content(cli)
    applying(cli)
    assert {f"{LEAP}/{copy}", RPM_KEY, DEB_KEY} == cli.names
    cli.run("undo", "plan.receipt.json", "-o", "undo.json")
    assert cli.run("apply", "undo.json").code == 0
    assert content(cli) == before


def test_what_an_interrupted_run_had_uploaded_is_ours(applied: Cli) -> None:
    """A kill between the upload and its note: the next run notes it, so that the undo finds it in the journal."""
    (journal,) = Surroundings.of_user().state_dir.rglob("*.jsonl")
    lines = journal.read_text().splitlines(keepends=True)
    journal.write_text("".join(line for line in lines if '"event": "end"' not in line))
    assert applied.run("apply", "plan.json").code == 0
    told = {line["outcome"] for line in applied.saved("plan.receipt.json")["lines"]}
    assert told == {"done"}
    assert applied.run("undo", "plan.receipt.json", "-o", "undo.json").code == 0
    assert applied.run("apply", "undo.json").code == 0
    assert content(applied) == BEFORE


def test_a_failed_upload_that_may_have_arrived_is_held(cli: Cli) -> None:
    """The server took it, answered 502, and listed nothing while it was asked."""
    cli.put(DEB)
    cli.run("plan", "-o", "plan.json")
    cli.run("apply", "plan.json")

    def failed(receipt: dict[str, Any]) -> None:
        receipt["lines"][0] |= {"outcome": "failed", "attempts": 4}

    edited(cli, failed)
    done = cli.run("undo", "plan.receipt.json", "-o", "undo.json")
    assert (done.code, counts(cli)) == (0, {what: int(what == "held") for what in ALL})
    assert cli.saved("undo.json")["held"][0]["reason"] == "outcome-unknown"
    assert "No changes planned, 1 held:" in done.out


def test_what_an_apply_left_missing_is_told_first_and_brought_back_by_the_commands_that_it_names(cli: Cli) -> None:
    cli.put(STALE_DEB)
    assert cli.run("plan", "-o", "plan.json").code == 0
    full = Fault(kind=Kind.STATUS, method="POST", status=402, body=b"{}", content_type="application/json", times=None)
    board = cli.sandbox.packagecloud.faults
    cli.packagecloud_fault(Kind.NOTHING, method="DELETE", hook=lambda: board.add(full))

    done = cli.run("apply", "plan.json")

    assert (done.code, DEB_KEY in cli.names) == (9, False)
    assert done.out.startswith("1 MISSING: ")
    assert "pkgsync undo plan.receipt.json -o undo.json, then pkgsync apply undo.json." in done.out
    (lost,) = [line for line in cli.saved("plan.receipt.json")["lines"] if line.get("missing") == "yes"]
    assert Path(lost["kept_at"]).read_bytes() == STALE_DEB.blob.read()
    assert cli.run("show", "plan.receipt.json").out.startswith("1 MISSING: ")

    board.clear()
    assert cli.run("undo", "plan.receipt.json", "-o", "undo.json").code == 0
    assert counts(cli)["uploads"] >= 1
    assert cli.run("apply", "undo.json").code == 0
    assert (JAMMY, STALE_DEB.filename, STALE_DEB.blob.digest("sha256")) in content(cli)


def test_wrong_sizes_in_an_undo_cost_no_backup(applied: Cli) -> None:
    assert applied.run("undo", "plan.receipt.json", "-o", "undo.json").code == 0

    def off_by_one(plan: dict[str, Any]) -> None:
        for action in (*plan["uploads"], *plan["replacements"]):
            action["size"] += 1
            for counts in (plan["summary"]["total"], plan["summary"]["distributions"][action["distribution"]]):
                counts["upload_bytes"] += 1
        plan["digest"] = strictjson.digest(plan, "undo.json")

    edited(applied, off_by_one, "undo.json")
    before = content(applied)
    done = applied.run("apply", "undo.json")
    assert (done.code, content(applied)) == (6, before)
    assert "the plan says" in done.out
    kept = {path.name for path in Surroundings.of_user().backups.rglob("*") if path.is_file()}
    assert kept == {OLD.blob.digest("sha256"), STALE_DEB.blob.digest("sha256")}


@pytest.mark.parametrize("command", [["apply", "plan.json"], ["cache", "prune"]])
def test_one_folder_for_cache_and_backups_is_refused(cli: Cli, command: list[str]) -> None:
    assert cli.run("plan", "-o", "plan.json").code == 0
    done = cli.run(*command, "--cache-dir", "one", "--backup-dir", "one")
    assert (done.code, done.errors) == (64, ["error: The backups in one would not be safe: the cache is in one."])
