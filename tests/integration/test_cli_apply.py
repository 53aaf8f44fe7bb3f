"""``pkgsync apply``: what it takes, what it refuses, and with which code it ends."""

import json
import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest
from filelock import FileLock

from pkgsync.sandbox import Kind, Sandbox, make_deb, make_rpm, quota
from tests.support.worlds.cli_world import DEB, DELETE, JAMMY, LEAP, RPM, Cli, open_cli

OLD = make_rpm("hello", "0.9")
BOTH = {f"{LEAP}/{RPM.filename}", f"{JAMMY}/{DEB.filename}"}


@pytest.fixture
def cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cli]:
    with open_cli(tmp_path, monkeypatch) as cli:
        yield cli


@pytest.fixture
def planned(cli: Cli) -> Cli:
    """A plan with two uploads; over one connection each way they come in its order."""
    cli.configure(connections={"downloads": 1})
    assert cli.run("plan", "-o", "plan.json").code == 0
    cli.sandbox.log.clear()
    return cli


def edit(cli: Cli, **changes: Any) -> None:
    (cli.folder / "plan.json").write_text(json.dumps({**cli.saved(), **changes}))


def changed_nothing(cli: Cli) -> bool:
    return all(entry.method == "GET" for entry in cli.sandbox.log.entries)


def receipt(cli: Cli, name: str = "plan.receipt.json") -> dict[str, Any]:
    found: dict[str, Any] = json.loads((cli.folder / name).read_text())
    return found


def test_apply_executes_the_plan_and_names_the_receipt(planned: Cli) -> None:
    done = planned.run("apply", "plan.json")
    assert done.code == 0
    assert sorted(done.err.splitlines()) == [f"upload {key}: done" for key in sorted(BOTH)]
    assert done.out.startswith("Apply complete: 2 uploaded in ")
    assert done.out.endswith(" Receipt: plan.receipt.json\n")
    assert planned.names == BOTH
    assert receipt(planned)["exit_code"] == 0


def test_without_a_plan_it_says_how_to_make_one(cli: Cli) -> None:
    done = cli.run("apply")
    assert (done.code, done.out) == (64, "")
    assert done.err == "error: apply needs a plan file\ntip: Make one: pkgsync plan -o plan.json\n"


def test_a_plan_that_is_not_there_is_a_wrong_command_line(cli: Cli) -> None:
    done = cli.run("apply", "plan.json")
    assert (done.code, done.errors) == (64, ["error: cannot read plan.json: No such file or directory"])


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b"{}", b"\xff", b'{"a": 1, "a": 2}', b"null"])
def test_what_is_no_plan_is_6(cli: Cli, data: bytes) -> None:
    (cli.folder / "plan.json").write_bytes(data)
    done = cli.run("apply", "plan.json")
    assert (done.code, len(done.errors)) == (6, 1)
    assert "plan.json" in done.errors[0]
    assert cli.sandbox.log.entries == []


@pytest.mark.parametrize(
    "changes",
    [
        {"applyable": False},
        {"uploads": []},
        {"digest": "sha256:" + "0" * 64},
        {"format_version": "2.0"},
        {"unknown_key": 1},
    ],
)
def test_an_edited_plan_is_6(planned: Cli, changes: dict[str, Any]) -> None:
    edit(planned, **changes)
    done = planned.run("apply", "plan.json")
    assert (done.code, len(done.errors), planned.sandbox.log.entries) == (6, 1, [])


def test_a_cut_plan_is_6(planned: Cli) -> None:
    whole = (planned.folder / "plan.json").read_bytes()
    (planned.folder / "plan.json").write_bytes(whole[: len(whole) // 2])
    assert planned.run("apply", "plan.json").code == 6


def test_a_receipt_is_no_plan(planned: Cli) -> None:
    planned.run("apply", "plan.json")
    done = planned.run("apply", "plan.receipt.json")
    assert (done.code, done.errors) == (6, ["error: plan.receipt.json: a receipt, not a plan"])


def test_a_plan_that_is_a_folder(cli: Cli) -> None:
    assert cli.run("apply", ".").code == 64


def test_the_approved_digest(planned: Cli) -> None:
    digest = planned.saved()["digest"]
    for wrong in ("sha256:" + "0" * 64, "", "sha256:"):
        done = planned.run("apply", "plan.json", "--expect-digest", wrong)
        assert (done.code, len(done.errors), planned.sandbox.log.entries) == (6, 1, [])
    assert digest in done.err
    for right in (digest, digest.removeprefix("sha256:").upper()):
        assert planned.run("apply", "plan.json", "--expect-digest", right).code == 0


def test_an_unsafe_plan_is_3(cli: Cli) -> None:
    cli.in_step()
    cli.put(OLD)
    cli.configure(**DELETE, limits={"deletions": 0})
    assert cli.run("plan", "-o", "plan.json").code == 3
    cli.sandbox.log.clear()
    done = cli.run("apply", "plan.json")
    assert (done.code, changed_nothing(cli)) == (3, True)
    assert "--max-deletions 1" in done.err


def test_a_dry_run_names_what_is_due_and_writes_nothing(planned: Cli) -> None:
    before = sorted(str(path) for path in planned.folder.rglob("*"))
    done = planned.run("apply", "plan.json", "-n")
    assert (done.code, changed_nothing(planned)) == (0, True)
    assert "Dry run: 2 due.\n" in done.out
    assert RPM.filename in done.out
    assert sorted(str(path) for path in planned.folder.rglob("*")) == before


def test_a_second_apply_is_a_no_op_that_says_so(planned: Cli) -> None:
    planned.run("apply", "plan.json")
    planned.sandbox.log.clear()
    done = planned.run("apply", "plan.json")
    assert (done.code, changed_nothing(planned)) == (0, True)
    assert done.err == "Nothing to do. The plan was applied before.\n"


def test_a_stale_plan_is_4_and_changes_nothing(planned: Cli) -> None:
    planned.publish(make_rpm("hello", "1.0", salt="rebuilt"))
    done = planned.run("apply", "plan.json")
    assert (done.code, changed_nothing(planned)) == (4, True)
    assert "source-changed" in done.out
    assert RPM.filename in done.out


def test_skip_stale_goes_on_and_ends_with_5(planned: Cli) -> None:
    planned.publish(make_rpm("hello", "1.0", salt="rebuilt"))
    done = planned.run("apply", "plan.json", "--skip-stale")
    assert done.code in (4, 5)
    assert planned.names == {f"{JAMMY}/{DEB.filename}"}


def test_only_uploads_leaves_the_deletions(cli: Cli) -> None:
    cli.put(OLD)
    cli.configure(**DELETE, limits={"deletions": 1, "deletions_percent": 100})
    cli.run("plan", "-o", "plan.json")
    assert len(cli.saved()["deletions"]) == 1
    done = cli.run("apply", "plan.json", "--only", "uploads")
    assert done.code == 0
    last = done.out.splitlines()[-1]
    assert last.startswith("Apply complete as asked: 2 uploaded in ")
    assert last.endswith("; all else is left for another run of the plan. Receipt: plan.receipt.json")
    assert cli.names == {*BOTH, f"{LEAP}/{OLD.filename}"}
    assert cli.run("apply", "plan.json").code == 0
    assert cli.names == BOTH


def test_a_dry_run_after_a_part_says_what_was_done_before(planned: Cli) -> None:
    use_up_the_quota(planned)
    planned.sandbox.packagecloud.faults.faults[0].nth = 2
    assert planned.run("apply", "plan.json", "-j", "1").code == 9
    done = planned.run("apply", "plan.json", "-n")
    assert (done.code, done.err) == (0, "Next: pkgsync apply plan.json\n")
    assert done.out.splitlines() == [
        f"  + ubuntu/jammy/{DEB.filename}  2.4 KiB  upload due",
        "",
        "Dry run: 1 due; done before: 1 uploaded.",
    ]


def test_the_last_words_are_the_next_step(planned: Cli) -> None:
    use_up_the_quota(planned)
    failed = planned.run("apply", "plan.json")
    assert failed.err.splitlines()[-1] == "Next, once there is room again: pkgsync apply plan.json"
    assert planned.run("apply", "plan.json", "-q").err == ""
    rebuild(planned)
    (planned.folder / "pkgsync.yaml").replace(planned.folder / "my config.yaml")
    stale = planned.run("apply", "plan.json", "-c", "my config.yaml")
    assert stale.err.splitlines()[-1] == "Next: pkgsync -c 'my config.yaml' plan -o plan.json"


def test_the_receipt_as_json_is_the_file(planned: Cli) -> None:
    done = planned.run("apply", "plan.json", "--json")
    assert (done.code, done.out) == (0, (planned.folder / "plan.receipt.json").read_text())


def test_a_dry_run_as_json_is_no_receipt(planned: Cli) -> None:
    done = planned.run("apply", "plan.json", "-n", "--json")
    found = json.loads(done.out)
    assert (done.code, found["dry_run"], {line["outcome"] for line in found["lines"]}) == (0, True, {"due"})
    (planned.folder / "found.json").write_text(done.out)
    assert planned.run("show", "found.json").code == 6


def test_a_log_in_json_tells_each_action(planned: Cli) -> None:
    refuse_one(planned)
    done = planned.run("apply", "plan.json", "-j", "1", "--log-format", "json")
    first, *entries = [json.loads(line) for line in done.err.splitlines()]
    assert first == {"format": "pkgsync-log", "version": "1.0"}
    ended = {entry["key"]: entry for entry in entries if "key" in entry}
    assert set(ended) == {f"{LEAP}/{RPM.filename}", f"{JAMMY}/{DEB.filename}"}
    deb = ended[f"{JAMMY}/{DEB.filename}"]
    assert {name: deb[name] for name in ("action", "outcome", "attempts", "sha256", "digest")} == {
        "action": "upload",
        "outcome": "done",
        "attempts": 1,
        "sha256": DEB.blob.digest("sha256"),
        "digest": planned.saved()["digest"],
    }
    assert deb["bytes"] >= 2 * DEB.blob.size
    assert ended[f"{LEAP}/{RPM.filename}"]["outcome"] == "failed"


def test_a_retry_is_said_with_its_reason(planned: Cli) -> None:
    planned.packagecloud_fault(Kind.STATUS, "packages.json$", method="POST", status=503)
    done = planned.run("apply", "plan.json", "-j", "1")
    assert done.code == 0
    told = [line for line in done.err.splitlines() if "retrying" in line]
    assert len(told) == 1
    assert re.fullmatch(rf"{LEAP}/{re.escape(RPM.filename)}: POST \S+: 503; retrying, 2 of 4", told[0])


def test_a_dry_run_of_what_is_done_says_so(planned: Cli) -> None:
    planned.run("apply", "plan.json")
    done = planned.run("apply", "plan.json", "-n")
    assert (done.code, done.out) == (
        0,
        "Dry run: nothing is due, every action of the plan was done before (2).\n",
    )


@pytest.fixture
def deleting(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> Cli:
    """On CI, a plan with a deletion."""
    monkeypatch.setenv("CI", "true")
    cli.put(OLD)
    cli.configure(**DELETE, limits={"deletions": 1, "deletions_percent": 100})
    assert cli.run("plan", "-o", "plan.json").code == 0
    return cli


def test_on_ci_backups_without_a_place_of_their_own_are_warned_of(deleting: Cli) -> None:
    done = deleting.run("apply", "plan.json", "--state-dir", "s")
    assert [line for line in done.err.splitlines() if line.startswith("warning: ")] == [
        "warning: the backups of what this plan replaces and deletes go to s/backups, which a CI runner may not keep: "
        "give --backup-dir (or PKGSYNC_BACKUP_DIR) a folder that outlives it"
    ]
    assert done.code == 0


@pytest.mark.parametrize("options", [("--backup-dir", "b"), ("-n",), ("--only", "uploads")])
def test_backups_that_are_safe_or_not_made_are_no_warning(deleting: Cli, options: tuple[str, ...]) -> None:
    assert "warning: " not in deleting.run("apply", "plan.json", *options).err


def test_on_ci_the_config_must_be_the_one_of_the_plan(planned: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", "true")
    planned.configure(exclude=["*-devel*"])
    planned.sandbox.log.clear()
    done = planned.run("apply", "plan.json")
    assert (done.code, done.out, planned.sandbox.log.entries) == (4, "", [])
    assert " ".join(done.err.split()) == (
        "error: The plan was made with another config than pkgsync.yaml is now. tip: Make a new plan with it."
    )
    warned = planned.run("apply", "--dry-run", "plan.json")
    assert (warned.code, "The config is not the one of the plan" in warned.out) == (0, True)
    monkeypatch.setenv("CI", "false")
    assert planned.run("apply", "plan.json").code == 0


@pytest.mark.parametrize("value", ["", "false", "0"])
def test_elsewhere_than_on_ci_backups_are_no_warning(
    deleting: Cli, monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    monkeypatch.setenv("CI", value)
    assert "warning: " not in deleting.run("apply", "plan.json").err


def test_uploads_alone_need_no_backup(planned: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", "true")
    assert "warning: " not in planned.run("apply", "plan.json").err


def test_a_refused_upload_is_5(planned: Cli) -> None:
    planned.packagecloud_fault(
        Kind.STATUS, method="POST", status=422, body=b'{"x":["no"]}', content_type="application/json"
    )
    done = planned.run("apply", "plan.json")
    assert (done.code, len(planned.names)) == (5, 1)
    assert done.out.splitlines()[-1].startswith("Apply incomplete: 1 uploaded")


def test_wrong_bytes_are_6(planned: Cli) -> None:
    planned.obs_fault(Kind.CORRUPT, f"/{RPM.filename}", times=None)
    assert planned.run("apply", "plan.json").code == 6
    assert f"{LEAP}/{RPM.filename}" not in planned.names


@pytest.mark.parametrize("variable", ["OSC_PASSWORD", "PACKAGECLOUD_TOKEN"])
def test_a_refused_credential_is_7(planned: Cli, monkeypatch: pytest.MonkeyPatch, variable: str) -> None:
    monkeypatch.setenv(variable, "wrong")
    done = planned.run("apply", "plan.json")
    assert (done.code, len(done.errors), changed_nothing(planned)) == (7, 1, True)


def test_another_run_is_8(planned: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    state = planned.folder / "state"
    assert planned.run("apply", "plan.json", "--state-dir", state).code == 0
    (lock,) = state.rglob("*.lock")
    with FileLock(lock):
        done = planned.run("apply", "plan.json", "--state-dir", state)
    assert (done.code, len(done.errors)) == (8, 1)


def test_a_used_up_quota_is_9(planned: Cli) -> None:
    planned.sandbox.packagecloud.faults.add(quota(path="packages.json$", times=None))
    done = planned.run("apply", "plan.json")
    assert done.code == 9


def test_a_failed_read_is_1(planned: Cli) -> None:
    planned.obs_fault(Kind.STATUS, "_result", times=None, status=500)
    done = planned.run("apply", "plan.json")
    assert (done.code, len(done.errors), changed_nothing(planned)) == (1, 1, True)


def test_another_server_or_repository_than_the_plans_is_refused(planned: Cli) -> None:
    with Sandbox() as other:
        other.write_config(planned.folder)
        done = planned.run("apply", "plan.json")
    assert done.code not in (0, 2)
    assert len(done.errors) == 1
    assert planned.names == set()


def test_where_the_receipt_goes(planned: Cli) -> None:
    planned.run("apply", "plan.json", "--receipt", "done.json")
    assert receipt(planned, "done.json")["exit_code"] == 0
    assert not (planned.folder / "plan.receipt.json").exists()


@pytest.mark.parametrize(
    ("plan", "expected"),
    [("plan", "plan.receipt.json"), ("v1.2", "v1.2.receipt.json"), ("v1.2.json", "v1.2.receipt.json")],
)
def test_two_plans_never_share_a_receipt(planned: Cli, plan: str, expected: str) -> None:
    (planned.folder / "plan.json").replace(planned.folder / plan)
    planned.run("apply", plan)
    assert receipt(planned, expected)["exit_code"] == 0


@pytest.mark.parametrize("place", ["plan.json", "./plan.json", ".", "plan.json/x", "missing/x.json"])
def test_a_receipt_that_cannot_be_written_stops_before_anything_is_done(planned: Cli, place: str) -> None:
    before = (planned.folder / "plan.json").read_bytes()
    done = planned.run("apply", "plan.json", "--receipt", place)
    assert (done.code, len(done.errors), changed_nothing(planned)) == (64, 1, True)
    assert (planned.folder / "plan.json").read_bytes() == before


@pytest.mark.parametrize("jobs", ["0", "65", "many", ""])
def test_jobs_that_make_no_sense(planned: Cli, jobs: str) -> None:
    assert planned.run("apply", "plan.json", "-j", jobs).code == 64


def test_jobs_bound_the_uploads(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    cli.publish(*[make_deb("hello", f"1.{number}", "1") for number in range(8)])
    cli.run("plan", "-o", "plan.json")
    cli.packagecloud_fault(Kind.NOTHING, method="POST", times=None, delay=0.05)
    monkeypatch.setenv("PKGSYNC_JOBS", "8")
    assert cli.run("apply", "plan.json", "-j", "1").code == 0
    assert cli.sandbox.log.peak("packagecloud", "POST") == 1


def test_each_way_of_an_apply_has_connections_of_its_own(cli: Cli) -> None:
    """Three downloads are under way at once, and no more; ``--jobs`` speaks of the uploads alone."""
    cli.configure(connections={"uploads": 4, "downloads": 3})
    cli.publish(*[make_deb("hello", f"1.{number}", "1") for number in range(12)])
    cli.run("plan", "-o", "plan.json")
    cli.sandbox.log.clear()
    down, up = Barrier(3), Barrier(2)
    cli.obs_fault(Kind.NOTHING, r"\.(deb|rpm)$", times=12, hook=lambda: down.wait(30))
    cli.packagecloud_fault(Kind.NOTHING, method="POST", times=12, hook=lambda: up.wait(30))
    assert cli.run("apply", "plan.json", "-j", "2").code == 0
    # of OBS nothing else is read at that time
    assert max(entry.active for entry in cli.sandbox.log.find("obs", target=r"\.(deb|rpm)$")) == 3
    assert cli.sandbox.log.peak("packagecloud", "POST") == 2


def test_jobs_from_the_environment(planned: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PKGSYNC_JOBS", "none")
    assert planned.run("apply", "plan.json").code == 64
    assert planned.run("apply", "plan.json", "--jobs", "2").code == 0


@pytest.mark.parametrize("switch", ["SKIP_STALE", "MAX_DELETIONS", "ORPHANS", "ONLY", "DRY_RUN", "EXPECT_DIGEST"])
def test_no_guard_is_lowered_by_the_environment(planned: Cli, monkeypatch: pytest.MonkeyPatch, switch: str) -> None:
    monkeypatch.setenv(f"PKGSYNC_{switch}", "1")
    monkeypatch.setenv(f"PKGSYNC_APPLY_{switch}", "1")
    assert planned.run("apply", "plan.json").code == 0
    assert planned.names == BOTH


def test_nothing_is_asked_for(planned: Cli) -> None:
    with Path(os.devnull).open() as nothing:
        assert planned.call("apply", "plan.json", stdin=nothing).code == 0


def refuse_one(cli: Cli) -> None:
    cli.packagecloud_fault(
        Kind.STATUS, method="POST", status=422, body=b'{"x":["no"]}', content_type="application/json"
    )


def use_up_the_quota(cli: Cli) -> None:
    fault = cli.sandbox.packagecloud.faults.add(quota(path="packages.json$", times=None))
    fault.method = "POST"


def rebuild(cli: Cli) -> None:
    cli.publish(make_rpm("hello", "1.0", salt="rebuilt"))


def change_nothing(_cli: Cli) -> None:
    """All goes well."""


@pytest.mark.parametrize("meanwhile", [change_nothing, refuse_one, use_up_the_quota, rebuild])
@pytest.mark.parametrize("options", [(), ("--only", "uploads"), ("-v",)])
def test_what_apply_says_in_the_end_is_what_the_receipt_says(
    planned: Cli, meanwhile: Callable[[Cli], None], options: tuple[str, ...]
) -> None:
    """Shown from the file alone, with neither service: the words cannot differ from the facts."""
    meanwhile(planned)
    applied = planned.run("apply", "plan.json", *options, "-j", "1")
    planned.sandbox.log.clear()
    shown = planned.run("show", "plan.receipt.json", *(option for option in options if option == "-v"))
    assert planned.sandbox.log.entries == []
    told = applied.out.replace(" Receipt: plan.receipt.json", "").splitlines()
    assert told[-1] == shown.out.splitlines()[-1]
    assert shown.out.splitlines()[-len(told) :] == told
    done = [line for line in receipt(planned)["lines"] if line["outcome"] == "done"]
    arrived = {f"{line['distribution']}/{line['filename']}" for line in done}
    assert arrived == planned.names
    assert receipt(planned)["exit_code"] == applied.code
