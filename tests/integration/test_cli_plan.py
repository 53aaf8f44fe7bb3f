"""``pkgsync plan``: what it prints, what it writes, and with which code it ends."""

import json
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from pkgsync.sandbox import PROJECT, REPOSITORY, Kind, Reply, make_deb, make_rpm
from tests.support.worlds.cli_world import DEB, DELETE, JAMMY, LEAP, LEAP_REPOSITORY, RPM, Cli, open_cli

NEW_RPM, NEW_DEB = make_rpm("hello", "2.0"), make_deb("hello", "2.0", "1")
OLD = [make_rpm("hello", f"0.{number}") for number in range(3)]


@pytest.fixture
def cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cli]:
    with open_cli(tmp_path, monkeypatch) as cli:
        yield cli


def unsafe(cli: Cli) -> None:
    """Two deletions where one is allowed."""
    cli.in_step()
    cli.put(*OLD[:2])
    cli.configure(**DELETE, limits={"deletions": 1})


def unreadable(cli: Cli, repository: str = "xUbuntu_22.04") -> None:
    """The index of one repository fails for good."""
    cli.obs_fault(Kind.STATUS, f"/published/{PROJECT}/{repository}/", times=None, status=500)


def test_without_out_nothing_is_written_and_the_way_to_save_is_said(cli: Cli) -> None:
    done = cli.run("plan")
    assert done.code == 0
    assert f"+ {LEAP}/{RPM.filename}" in done.out
    assert "Plan: 2 to upload, 0 to replace, 0 to delete (" in done.out
    assert done.err == "Nothing was saved. To review and apply it: the same command with -o plan.json\n"
    assert sorted(path.name for path in cli.folder.iterdir()) == ["pkgsync.yaml"]


def test_the_next_step_finds_the_same_config_and_folders(cli: Cli) -> None:
    (cli.folder / "pkgsync.yaml").replace(cli.folder / "my config.yaml")
    done = cli.run("plan", "-c", "my config.yaml", "--state-dir", "state", "-o", "plan.json")
    step = "pkgsync -c 'my config.yaml' --state-dir state apply plan.json"
    assert done.err.splitlines()[-1].partition(" Apply: ")[2] == step
    assert cli.run(*shlex.split(step)[1:]).code == 0


def test_a_saved_plan_says_its_digest_and_how_to_apply_it(cli: Cli) -> None:
    done = cli.run("plan", "-o", "plan.json")
    digest = cli.saved()["digest"]
    assert done.code == 0
    assert done.err == f"Saved plan.json ({digest}). Apply: pkgsync apply plan.json\n"
    assert "Plan: 2 to upload" in done.out
    assert sorted(path.name for path in cli.folder.iterdir()) == ["pkgsync.yaml", "plan.json"]


def test_the_command_that_is_offered_is_one_that_a_shell_takes(cli: Cli) -> None:
    done = cli.run("plan", "-o", "my plan.json")
    offered = done.err.split("Apply: pkgsync ")[1]
    assert cli.run(*shlex.split(offered)).code == 0
    assert cli.names == {f"{LEAP}/{RPM.filename}", f"{JAMMY}/{DEB.filename}"}


def test_no_changes_is_one_line(cli: Cli) -> None:
    cli.in_step()
    done = cli.run("plan", "-o", "plan.json")
    assert (done.code, done.out.splitlines()[-1]) == (0, "No changes. demo/testing matches OBS.")
    assert "Apply:" not in done.err


@pytest.mark.parametrize("arguments", [["--json"], ["--format", "json"]])
def test_json_is_the_plan_file_byte_for_byte(cli: Cli, arguments: list[str]) -> None:
    done = cli.run("plan", "-o", "plan.json", *arguments)
    assert done.out == (cli.folder / "plan.json").read_text()
    assert [upload["filename"] for upload in json.loads(done.out)["uploads"]] == [RPM.filename, DEB.filename]


def test_markdown(cli: Cli) -> None:
    assert cli.run("plan", "--format", "markdown").out.startswith("## pkgsync: `demo/testing`\n")
    assert cli.run("plan", "--format", "html").out.startswith("<!DOCTYPE html>\n")


def test_an_existing_file_is_replaced_by_rename(cli: Cli) -> None:
    cli.run("plan", "-o", "plan.json")
    old = cli.saved()
    (cli.folder / "link.json").hardlink_to(cli.folder / "plan.json")
    cli.run("plan", "-o", "plan.json", "--orphans", "keep")
    assert cli.saved()["digest"] != old["digest"]
    assert cli.saved("link.json") == old


@pytest.mark.parametrize(
    ("service", "path"), [("obs", "/build/.*_result"), ("obs", "_meta"), ("packagecloud", "packages.json")]
)
def test_when_planning_fails_the_old_plan_stays(cli: Cli, service: str, path: str) -> None:
    cli.run("plan", "-o", "plan.json")
    old = cli.saved()
    fault = cli.obs_fault if service == "obs" else cli.packagecloud_fault
    fault(Kind.STATUS, path, times=None, status=500)
    done = cli.run("plan", "-o", "plan.json")
    assert (done.code, done.out, len(done.errors)) == (1, "", 1)
    assert "500" in done.err
    assert cli.saved() == old
    assert sorted(file.name for file in cli.folder.iterdir()) == ["pkgsync.yaml", "plan.json"]


@pytest.mark.parametrize("kind", [Kind.EMPTY, Kind.CUT, Kind.TRUNCATE, Kind.RESET])
@pytest.mark.parametrize(("service", "path"), [("obs", "_result"), ("packagecloud", "packages.json")])
def test_a_bad_answer_is_an_error_and_no_plan(cli: Cli, service: str, path: str, kind: Kind) -> None:
    fault = cli.obs_fault if service == "obs" else cli.packagecloud_fault
    fault(kind, path, times=None)
    done = cli.run("plan", "-o", "plan.json")
    assert (done.code, done.out, len(done.errors)) == (1, "", 1)
    assert path in done.err
    assert not (cli.folder / "plan.json").exists()


@pytest.mark.parametrize("kind", [Kind.EMPTY, Kind.CUT, Kind.RESET])
def test_an_answer_that_is_bad_only_once_is_asked_for_again(cli: Cli, kind: Kind) -> None:
    for path in ("_meta", "_result", "repomd.xml"):
        cli.obs_fault(kind, path)
    cli.packagecloud_fault(kind, "packages.json")
    assert cli.run("plan", "--detailed-exitcode").code == 2


def test_one_unreadable_repository_makes_the_plan_incomplete(cli: Cli) -> None:
    unreadable(cli)
    done = cli.run("plan", "-o", "plan.json")
    assert done.code == 1
    assert done.errors == ["error: the plan is incomplete: a read failed"]
    plan = cli.saved()
    assert (plan["complete"], plan["deletions"]) == (False, [])
    assert [upload["filename"] for upload in plan["uploads"]] == [RPM.filename]


@pytest.mark.parametrize("path", ["plan.json/x", "plan.json/x/y", ".", "-", "/dev/null", "/"])
def test_what_can_never_be_written_is_refused_before_anything_is_read(cli: Cli, path: str) -> None:
    (cli.folder / "plan.json").write_text("a file")
    done = cli.run("plan", "-o", path)
    assert (done.code, done.out, len(done.errors)) == (64, "", 1)
    assert repr(path) in done.err
    assert cli.sandbox.log.entries == []
    assert not Path("/dev/null").is_file()


def test_a_folder_that_goes_away_meanwhile_is_an_error_with_its_name(cli: Cli) -> None:
    (cli.folder / "plans").mkdir()
    cli.obs_fault(Kind.NOTHING, "_result", nth=2, hook=lambda: (cli.folder / "plans").replace(cli.folder / "moved"))
    cli.obs_fault(Kind.NOTHING, "_result", nth=2, hook=lambda: (cli.folder / "plans").write_text("no folder"))
    done = cli.run("plan", "-o", "plans/plan.json")
    assert (done.code, len(done.errors)) == (1, 1)
    assert "plans" in done.errors[0]
    assert list((cli.folder / "moved").iterdir()) == []


@pytest.mark.parametrize(
    "arguments", [("plan", "-o"), ("undo", "plan.json", "-o"), ("apply", "plan.json", "--receipt")], ids=" ".join
)
def test_no_folder_is_made_for_what_is_written(cli: Cli, arguments: tuple[str, ...]) -> None:
    (cli.folder / "plan.json").write_text("{}")
    done = cli.run(*arguments, "out/today/plan.json")
    assert (done.code, done.out, len(done.errors)) == (64, "", 1)
    assert "'out/today/plan.json' cannot be written: there is no folder 'out/today'" in done.errors[0]
    assert not (cli.folder / "out").exists()


# exit codes: 64, 7, 6, 1, 3, 2, 0 in this order


def test_changes_are_2_only_on_request(cli: Cli) -> None:
    assert cli.run("plan").code == 0
    assert cli.run("plan", "--detailed-exitcode").code == 2
    cli.in_step()
    assert cli.run("plan", "--detailed-exitcode").code == 0


def test_held_actions_are_no_changes(cli: Cli) -> None:
    cli.in_step()
    cli.publish(make_deb("hello", "1.0", "1", salt="rebuilt"))
    cli.configure(rebuilds="hold")
    done = cli.run("plan", "--detailed-exitcode")
    assert done.code == 0
    assert "No changes planned, 1 held:" in done.out


def test_an_unsafe_plan_is_written_and_names_its_override(cli: Cli) -> None:
    unsafe(cli)
    done = cli.run("plan", "-o", "plan.json", "--detailed-exitcode")
    assert done.code == 3
    plan = cli.saved()
    assert (plan["applyable"], len(plan["deletions"])) == (False, 2)
    assert done.errors == [f"error: {LEAP}: 2 deletions, 1 more than the limit of 1"]
    assert "--max-deletions 2" in done.err
    assert "Apply:" not in done.err


def test_the_override_that_is_named_makes_it_applyable_and_stands_in_the_plan(cli: Cli) -> None:
    unsafe(cli)
    done = cli.run("plan", "-o", "plan.json", "--max-deletions", "2")
    assert done.code == 0
    assert (cli.saved()["applyable"], cli.saved()["overrides"]["max_deletions"]) == (True, 2)
    assert cli.run("apply", "plan.json").code == 0
    assert cli.names == {f"{LEAP}/{RPM.filename}", f"{JAMMY}/{DEB.filename}"}


def test_no_deletion_at_all_can_be_asked_for(cli: Cli) -> None:
    cli.in_step()
    cli.put(OLD[0])
    cli.configure(**DELETE)
    assert cli.run("plan", "--max-deletions", "0").code == 3


def test_incomplete_comes_before_unsafe(cli: Cli) -> None:
    unsafe(cli)
    unreadable(cli)
    done = cli.run("plan", "-o", "plan.json")
    assert (done.code, len(done.errors)) == (1, 2)
    assert cli.saved()["applyable"] is False


@pytest.mark.parametrize("service", ["obs", "packagecloud"])
def test_a_refused_credential_is_7(cli: Cli, monkeypatch: pytest.MonkeyPatch, service: str) -> None:
    monkeypatch.setenv("OSC_PASSWORD" if service == "obs" else "PACKAGECLOUD_TOKEN", "wrong")
    done = cli.run("plan", "-o", "plan.json")
    assert (done.code, len(done.errors)) == (7, 1)
    assert "wrong" not in done.err
    assert not (cli.folder / "plan.json").exists()


def test_a_refused_credential_comes_before_a_failed_read_of_the_other_service(
    cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PACKAGECLOUD_TOKEN", "wrong")
    cli.obs_fault(Kind.STATUS, "", times=None, status=500)
    assert cli.run("plan").code == 7


def test_a_missing_credential_is_7_and_named(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PACKAGECLOUD_TOKEN")
    done = cli.run("plan")
    assert done.code == 7
    assert "PACKAGECLOUD_TOKEN" in done.err


def test_an_index_that_lies_about_its_parts_proves_nothing(cli: Cli) -> None:
    tree = cli.sandbox.obs.repository(PROJECT, LEAP_REPOSITORY).tree
    primary = next(path for path in tree if "primary" in path)
    cli.sandbox.obs.replace_published(PROJECT, LEAP_REPOSITORY, primary, b"\x1f\x8b" + bytes(tree[primary].size - 2))
    cli.in_step()
    cli.put(*OLD)
    cli.configure(**DELETE)
    done = cli.run("plan", "-o", "plan.json")
    assert done.code == 1
    assert (cli.saved()["complete"], cli.saved()["deletions"]) == (False, [])


def test_a_number_where_packagecloud_goes_by_code_names_is_told_the_name(cli: Cli) -> None:
    cli.configure(distributions={LEAP_REPOSITORY: LEAP, "xUbuntu_22.04": "debian/12", "openSUSE_Tumbleweed": None})
    done = cli.run("plan")
    assert done.code == 1
    lines = (cli.folder / "pkgsync.yaml").read_text().splitlines()
    number = next(n for n, line in enumerate(lines, 1) if "debian/12" in line)
    assert f"error: pkgsync.yaml:{number}:3: Packagecloud has no distribution 'debian/12'." in done.err
    assert "Write debian/bookworm." in done.err


def test_a_packagecloud_that_goes_by_another_address_is_not_asked_to_wait_for(cli: Cli) -> None:
    def link(reply: Reply) -> Reply:
        return reply.with_header("Link", '<https://packages.example.org/x?page=2>; rel="next"')

    cli.packagecloud_fault(Kind.REWRITE, r"packages\.json", change=link, times=None)
    done = cli.run("plan")
    assert done.code == 1
    assert "it links to another server, which was not asked" in done.err
    assert "Write in packagecloud.url of the config the address under which the server knows itself" in done.err
    assert "later" not in done.err


# what may be chosen


def test_target_and_exclude_choose_by_package_key(cli: Cli) -> None:
    assert [u["filename"] for u in cli.plan("--target", "ubuntu/*")["uploads"]] == [DEB.filename]
    assert [u["filename"] for u in cli.plan("--exclude", f"*/{DEB.filename}")["uploads"]] == [RPM.filename]
    both = cli.plan("--target", "ubuntu/*", "--target", "opensuse/*", "--exclude", "*.rpm")
    assert ([u["filename"] for u in both["uploads"]], both["targeted"]) == ([DEB.filename], True)


def test_a_partial_plan_says_first_that_it_is_one(cli: Cli) -> None:
    done = cli.run("plan", "--target", "ubuntu/*", "-o", "plan.json")
    said = "Partial: this plan was made with --target 'ubuntu/*'; whatever that leaves out is not in it."
    assert done.out.splitlines()[0] == said
    assert cli.saved()["selection"] == {"targets": ["ubuntu/*"]}
    assert cli.saved()["format_version"] == "1.3"
    assert cli.run("show", "plan.json").out.splitlines()[0] == said
    assert f"> {said}".replace("*", r"\*") in cli.run("show", "plan.json", "--format", "markdown").out.splitlines()[:4]


def test_what_is_held_elsewhere_is_not_in_a_partial_plan(cli: Cli) -> None:
    cli.put(make_rpm("hello", "1.0", salt="other"), make_deb("hello", "1.0", "1", salt="other"), OLD[0])
    cli.configure(rebuilds="hold")
    assert [h["filename"] for h in cli.plan()["held"]] == [RPM.filename, DEB.filename]
    partial = cli.plan("--target", "ubuntu/*")
    assert [h["filename"] for h in partial["held"]] == [DEB.filename]
    assert [partial["summary"]["total"][what] for what in ("held", "orphans_kept")] == [1, 0]


def test_a_glob_that_matches_nothing_is_told_what_a_key_looks_like(cli: Cli) -> None:
    cli.in_step()
    made = cli.plan("--target", "hello*", "--exclude", "*.rpm", "--exclude", "nosuch")
    assert made["warnings"] == [
        f"{option} matches no package; globs are matched against DISTRIBUTION/FILE, such as {LEAP}/{RPM.filename}"
        for option in ("--target hello*", "--exclude nosuch")
    ]


def test_orphans_over_the_config(cli: Cli) -> None:
    cli.in_step()
    cli.put(OLD[0])
    cli.configure(orphans={"action": "keep", "keep_versions": 1})
    assert cli.plan()["deletions"] == []
    deleting = cli.plan("--orphans", "delete")
    assert [d["filename"] for d in deleting["deletions"]] == [OLD[0].filename]
    assert deleting["overrides"]["orphans"] == "delete"
    cli.configure(**DELETE)
    assert cli.plan("--orphans", "keep")["deletions"] == []


def test_orphans_without_keep_versions_is_refused(cli: Cli) -> None:
    done = cli.run("plan", "--orphans", "delete")
    assert done.code == 64
    assert "keep_versions" in done.err


@pytest.mark.parametrize("written", ["2026-01-31T12:00:00Z", "2026-01-31T12:00:00", "2026-01-31T13:00:00+01:00"])
def test_now(cli: Cli, written: str) -> None:
    assert cli.plan("--now", written)["created_at"] == "2026-01-31T12:00:00Z"


@pytest.mark.parametrize("now", ["tomorrow", "2026-13-01", ""])
def test_a_now_that_is_no_time(cli: Cli, now: str) -> None:
    done = cli.run("plan", "--now", now)
    assert done.code == 64
    assert "2026-01-31T12:00:00Z" in done.err


def test_equal_worlds_give_equal_plans(cli: Cli) -> None:
    cli.put(*OLD)
    cli.configure(**DELETE)
    first, second = cli.plan("--now", "2026-11-22"), cli.plan("--now", "2026-11-22")
    for plan in (first, second):
        del plan["observed"], plan["digest"]
    assert first == second


def test_nothing_but_reads_was_sent(cli: Cli) -> None:
    cli.run("plan")
    assert {entry.method for entry in cli.sandbox.log.entries} == {"GET"}
    assert cli.sandbox.packagecloud.content(REPOSITORY) == set()
