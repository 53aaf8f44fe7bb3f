"""Archive instead of delete, from the command line to the server."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pkgsync.sandbox import ARCHIVE, REPOSITORY, Kind, json_error, make_rpm
from tests.support.worlds.cli_world import LEAP, Cli, open_cli

OLD, OTHER = make_rpm("hello", "0.9"), make_rpm("hello", "0.9", salt="other")
KEY = f"{LEAP}/{OLD.filename}"
ARCHIVING = {"orphans": {"action": "archive", "archive_to": ARCHIVE, "keep_versions": 1}}
LISTING = rf"{ARCHIVE}/packages\.json"
PROMOTE = r"promote\.json$"


@pytest.fixture
def orphaned(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cli]:
    with open_cli(tmp_path, monkeypatch) as cli:
        cli.in_step()
        cli.put(OLD)
        cli.configure(**ARCHIVING)
        yield cli


def there(cli: Cli) -> set[str]:
    return {f"{distribution}/{name}" for distribution, name, _ in cli.sandbox.packagecloud.content(ARCHIVE)}


def test_plan_show_apply_plan(orphaned: Cli) -> None:
    planned = orphaned.run("plan", "-o", "plan.json", "--detailed-exitcode")
    assert planned.code == 2
    assert f"    > {LEAP}/{OLD.filename}" in planned.out
    assert f"archived to {ARCHIVE}; OBS offers 1.0-1 (hello: succeeded)" in planned.out
    assert planned.out.endswith("Plan: 0 to upload, 0 to replace, 0 to delete, 1 to archive.\n")
    shown = orphaned.run("show", "--format", "markdown", "plan.json")
    assert f"archived to {ARCHIVE}; OBS offers" in shown.out
    applied = orphaned.run("apply", "plan.json")
    assert (applied.code, applied.out[:27]) == (0, "Apply complete: 1 archived ")
    assert (KEY in orphaned.names, there(orphaned)) == (False, {KEY})
    again = orphaned.run("plan", "--detailed-exitcode")
    assert again.code == 0
    assert again.out.endswith(f"No changes. {REPOSITORY} matches OBS.\n")


def test_the_receipt_tells_where_it_is(orphaned: Cli) -> None:
    orphaned.run("plan", "-o", "plan.json")
    orphaned.run("apply", "plan.json")
    (line,) = orphaned.saved("plan.receipt.json")["lines"]
    assert (line["action"], line["outcome"], line["archive_to"], line["undo"]) == (
        "archiving",
        "done",
        ARCHIVE,
        "archive",
    )


def test_a_dry_run_moves_nothing(orphaned: Cli) -> None:
    orphaned.run("plan", "-o", "plan.json")
    dry = orphaned.run("apply", "-n", "plan.json")
    assert dry.code == 0
    assert "1 due" in dry.out
    assert (KEY in orphaned.names, there(orphaned)) == (True, set())


@pytest.mark.parametrize("command", ["plan", "audit"])
def test_archive_can_be_asked_for_over_the_config(orphaned: Cli, command: str) -> None:
    orphaned.configure(orphans={"action": "keep", "archive_to": ARCHIVE, "keep_versions": 1})
    done = orphaned.run(command, "--json", "--orphans", "archive")
    found = json.loads(done.out)
    assert done.code == 0
    if command == "plan":
        assert [a["archive_to"] for a in found["archivings"]] == [ARCHIVE]
        assert found["overrides"] == {"orphans": "archive"}
    else:
        assert [o["fate"] for o in found["orphans"]] == ["archive"]


def test_what_was_asked_for_over_the_config_is_applied(orphaned: Cli) -> None:
    orphaned.configure(orphans={"action": "keep", "archive_to": ARCHIVE, "keep_versions": 1})
    orphaned.run("plan", "-o", "plan.json", "--orphans", "archive")
    assert orphaned.run("apply", "plan.json").code == 0
    assert there(orphaned) == {KEY}


def test_archive_without_a_place_is_refused(orphaned: Cli) -> None:
    orphaned.configure(orphans={"action": "keep", "keep_versions": 1})
    done = orphaned.run("plan", "--orphans", "archive")
    assert done.code == 64
    assert "orphans.archive_to" in done.err


def test_an_audit_says_what_the_archive_holds(orphaned: Cli) -> None:
    orphaned.sandbox.packagecloud.add(ARCHIVE, LEAP, OLD.blob)
    (orphan,) = json.loads(orphaned.run("audit", "--json").out)["orphans"]
    assert orphan["fate"] == "delete"
    assert orphan["message"].endswith(f"; {ARCHIVE} holds the same file")


def test_equal_content_there_is_a_deletion_that_says_so(orphaned: Cli) -> None:
    orphaned.sandbox.packagecloud.add(ARCHIVE, LEAP, OLD.blob)
    done = orphaned.run("plan", "-o", "plan.json")
    assert f": {ARCHIVE} holds the same file; OBS offers 1.0-1 (hello: succeeded);" in done.out
    assert [d["archived_in"] for d in orphaned.saved()["deletions"]] == [ARCHIVE]
    assert orphaned.run("apply", "plan.json").code == 0
    assert (KEY in orphaned.names, there(orphaned)) == (False, {KEY})


def test_other_content_there_is_held(orphaned: Cli) -> None:
    orphaned.sandbox.packagecloud.add(ARCHIVE, LEAP, OTHER.blob)
    done = orphaned.run("plan")
    assert done.code == 0
    assert "archive-clash" in done.out


@pytest.mark.parametrize(
    ("status", "body", "code", "words"),
    [
        (403, {"error": "Forbidden"}, 7, "owner or collaborator rights on both repositories"),
        (402, {"error": ["payment required"]}, 9, "a plan that includes private repositories"),
    ],
)
def test_an_archive_that_may_not_be_read_ends_plan_and_apply(
    orphaned: Cli, status: int, body: Any, code: int, words: str
) -> None:
    orphaned.run("plan", "-o", "plan.json")
    orphaned.sandbox.packagecloud.faults.add(json_error(status, body, path=LISTING, times=None))
    for arguments in (["plan"], ["audit"], ["apply", "plan.json"]):
        done = orphaned.run(*arguments)
        assert (done.code, words in done.err, ARCHIVE in done.err) == (code, True, True)
    assert (KEY in orphaned.names, there(orphaned)) == (True, set())


def test_an_archive_that_does_not_exist_ends_plan_and_apply(orphaned: Cli) -> None:
    orphaned.run("plan", "-o", "plan.json")
    del orphaned.sandbox.packagecloud.repositories[ARCHIVE]
    for arguments in (["plan"], ["apply", "plan.json"]):
        done = orphaned.run(*arguments)
        assert done.code == 1
        assert f"The archive {ARCHIVE} does not exist" in done.err
        assert "orphans.archive_to" in done.err
    assert KEY in orphaned.names


def test_an_archive_that_cannot_be_read_makes_the_plan_incomplete(orphaned: Cli) -> None:
    orphaned.packagecloud_fault(Kind.STATUS, LISTING, status=500, times=None)
    done = orphaned.run("plan", "-o", "plan.json")
    assert done.code == 1
    assert (orphaned.saved()["complete"], orphaned.saved()["archivings"], orphaned.saved()["deletions"]) == (
        False,
        [],
        [],
    )
    assert [held["reason"] for held in orphaned.saved()["held"]] == ["unread"]


def test_the_archive_is_not_read_unless_it_is_asked_for(orphaned: Cli) -> None:
    orphaned.configure(orphans={"action": "delete", "archive_to": ARCHIVE, "keep_versions": 1})
    orphaned.run("plan")
    assert orphaned.sandbox.log.count("packagecloud", target=LISTING) == 0


def test_limits_count_archivings(orphaned: Cli) -> None:
    orphaned.configure(**ARCHIVING, limits={"deletions": 0})
    done = orphaned.run("plan", "-o", "plan.json")
    assert (done.code, orphaned.saved()["applyable"]) == (3, False)
    assert orphaned.run("apply", "plan.json").code == 3
    assert KEY in orphaned.names


def test_a_refused_promote_is_told_in_the_receipt(orphaned: Cli) -> None:
    orphaned.run("plan", "-o", "plan.json")
    refused = json_error(422, {"repository": ["is frozen"]}, path=PROMOTE, times=None)
    orphaned.sandbox.packagecloud.faults.add(refused)
    done = orphaned.run("apply", "plan.json")
    assert done.code == 5
    assert "to demo/archive: status 422" in done.out
    assert "is frozen" not in done.out + done.err
    again = orphaned.run("apply", "plan.json", "-v")
    assert '422, the server says: {"repository": ["is frozen"]}' in again.err
    assert KEY in orphaned.names
