"""plan, apply and plan again for a project whose publishing is disabled, and what must never be deleted there."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve
from msgspec.structs import replace

from pkgsync.sandbox import PROJECT, Artifact, Kind, make_rpm
from tests.support.worlds.cli_world import DELETE, JAMMY, LEAP, LEAP_REPOSITORY, RPM, Cli, open_cli

ONLY_BUILT = {"name": PROJECT, "content": "build"}
OLD = make_rpm("hello", "0.9")
SECOND = make_rpm("second", "1.0")
ARCHIVED = {"action": "delete", "keep_versions": 0, "names": ["*"]}
READS = 3


@pytest.fixture
def cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cli]:
    """Both repositories are built and never published; Packagecloud is empty."""
    with open_cli(tmp_path, monkeypatch) as cli:
        for repository in cli.sandbox.obs.projects[PROJECT].repositories.values():
            repository.tree.clear()
        build(cli, SECOND, package="second")
        configure(cli)
        yield cli


def configure(cli: Cli, project: dict[str, Any] = ONLY_BUILT, **changes: Any) -> None:
    obs = dict(cli.sandbox.config()["obs"]) | {"projects": [project]}  # type: ignore[call-overload]
    cli.configure(**changes, obs=obs)


def build(cli: Cli, *artifacts: Artifact, package: str = "hello") -> None:
    cli.sandbox.clock.advance(60)
    cli.sandbox.obs.finish(PROJECT, LEAP_REPOSITORY, "x86_64", package, artifacts)
    rest(cli)


def rest(cli: Cli, code: str = "unpublished") -> None:
    for repository in cli.sandbox.obs.projects[PROJECT].repositories.values():
        cli.sandbox.obs.set_arch(PROJECT, repository.name, "x86_64", code)


def asked(cli: Cli, *arguments: object) -> list[str]:
    """What the command asks of OBS."""
    before = len(cli.sandbox.log.find("obs"))
    done = cli.run(*arguments)
    assert done.code == 0, done.err
    return [entry.target for entry in cli.sandbox.log.find("obs")[before:]]


def deletions(plan: dict[str, Any]) -> dict[str, str]:
    return {entry["filename"]: entry["reason"] for entry in plan["deletions"]}


def held(plan: dict[str, Any]) -> dict[str, str]:
    return {entry["filename"]: entry["reason"] for entry in plan["held"]}


def test_plan_apply_and_an_empty_plan(cli: Cli) -> None:
    first = asked(cli, "plan", "-o", "plan.json")
    assert len(first) == READS + 3
    assert not [target for target in first if target.startswith("/published")]
    upload = next(u for u in cli.saved()["uploads"] if u["filename"] == RPM.filename)
    assert upload == {
        "distribution": LEAP,
        "filename": RPM.filename,
        "size": RPM.blob.size,
        "sha256": RPM.blob.digest("sha256"),
        "reason": "missing",
        "source": {
            "kind": "obs",
            "project": PROJECT,
            "repository": LEAP_REPOSITORY,
            "architecture": "x86_64",
            "packages": ["hello"],
            "path": f"x86_64/hello/{RPM.filename}",
            "content": "build",
        },
    }
    read = [(r["repository"], r["content"], r["settled"]) for r in cli.saved()["source"]["repositories"]]
    assert read == [(LEAP_REPOSITORY, "build", True), ("xUbuntu_22.04", "build", True)]

    applied = asked(cli, "apply", "plan.json")
    assert len(applied) % READS == 0
    assert not [target for target in applied if target.endswith((".rpm", ".deb"))]
    assert cli.sandbox.packagecloud.content("demo/testing") >= {(LEAP, RPM.filename, RPM.blob.digest("sha256"))}
    assert len(cli.names) == 3

    assert len(asked(cli, "plan", "-o", "plan.json", "--detailed-exitcode")) == READS
    assert cli.saved()["uploads"] == cli.saved()["held"] == []


def test_apply_downloads_what_the_cache_lost(cli: Cli) -> None:
    cli.run("plan", "-o", "plan.json")
    assert cli.run("cache", "prune").code == 0
    assert cli.run("apply", "plan.json").code == 0
    assert len(cli.names) == 3


def test_a_file_that_was_built_again_since_is_stale(cli: Cli) -> None:
    cli.run("plan", "-o", "plan.json")
    build(cli, evolve(make_rpm("hello", "1.0", salt="x"), filename=RPM.filename))
    done = cli.run("apply", "plan.json")
    assert (done.code, cli.names) == (4, set())
    assert "source-changed" in done.out + done.err


def test_an_exclude_added_after_the_plan_does_not_make_its_uploads_stale(cli: Cli) -> None:
    cli.run("plan", "-o", "plan.json")
    configure(cli, exclude=["hello*"])
    assert cli.run("apply", "plan.json").code == 0
    assert len(cli.names) == 3


def test_a_config_that_reads_the_published_repository_since_makes_it_stale(cli: Cli) -> None:
    cli.run("plan", "-o", "plan.json")
    for name in (LEAP_REPOSITORY, "xUbuntu_22.04"):
        cli.sandbox.obs.publish(PROJECT, name)
    configure(cli, {"name": PROJECT})
    assert (cli.run("apply", "plan.json").code, cli.names) == (4, set())


def test_what_is_built_by_a_project_that_left_the_config_is_not_brought(cli: Cli) -> None:
    cli.run("plan", "-o", "plan.json")
    cli.sandbox.obs.add_repository("demo:other", LEAP_REPOSITORY, "rpm", ["x86_64"])
    configure(cli, {"name": "demo:other"})
    done = cli.run("apply", "plan.json", "--only", "uploads")
    assert (done.code, cli.names) == (4, set()), done.err
    assert {line["reason"] for line in cli.saved("plan.receipt.json")["lines"]} == {"policy-changed"}


def test_without_a_login(cli: Cli) -> None:
    obs = dict(cli.sandbox.config("anonymous")["obs"]) | {"projects": [ONLY_BUILT]}  # type: ignore[call-overload]
    cli.configure(obs=obs)
    targets = asked(cli, "plan", "-o", "plan.json")
    assert {target.split("/")[1] for target in targets} == {"public"}
    assert len(cli.saved()["uploads"]) == 3


# Deletions


@pytest.fixture
def rebuilt(cli: Cli) -> Cli:
    """Version 1.0 is built, 0.9 stands on Packagecloud beside all that is built."""
    cli.in_step()
    cli.put(SECOND, OLD)
    configure(cli, **DELETE)
    return cli


def test_a_superseded_file_is_deleted_with_its_evidence(rebuilt: Cli) -> None:
    plan = rebuilt.plan()
    (deletion,) = plan["deletions"]
    assert (deletion["filename"], deletion["reason"]) == (OLD.filename, "superseded")
    (read,) = deletion["evidence"]["repositories"]
    states = [{"name": "x86_64", "code": "unpublished"}]
    assert (read["content"], read["architectures"], read["revision"]) == ("build", states, None)
    rebuilt.run("plan", "-o", "plan.json")
    assert "list of built files" in rebuilt.run("show", "plan.json", "-v").out
    assert rebuilt.run("apply", "plan.json").code == 0
    assert f"{LEAP}/{OLD.filename}" not in rebuilt.names


def unknown_state(cli: Cli) -> None:
    cli.obs_fault(Kind.REWRITE, "/_result", times=None, change=lambda reply: replace(reply, body=b"<resultlist/>"))


MOTIONS: dict[str, Callable[[Cli], object]] = {
    "building": lambda cli: rest(cli, "building"),
    "finished": lambda cli: rest(cli, "finished"),
    "publishing": lambda cli: rest(cli, "publishing"),
    "dirty": lambda cli: cli.sandbox.obs.set_arch(PROJECT, LEAP_REPOSITORY, "x86_64", "unpublished", dirty=True),
    "details": lambda cli: cli.sandbox.obs.set_arch(PROJECT, LEAP_REPOSITORY, "x86_64", "unpublished", details="x"),
    "unreadable": lambda cli: cli.obs_fault(Kind.STATUS, r"second-1\.0", times=None, status=500),
    "cut": lambda cli: cli.obs_fault(Kind.CUT, r"second-1\.0", times=None),
    "corrupt": lambda cli: cli.obs_fault(Kind.CORRUPT, r"second-1\.0", times=None),
    "changing": lambda cli: cli.obs_fault(Kind.NOTHING, r"\.rpm", times=None, hook=lambda: build(cli, RPM)),
}


@pytest.mark.parametrize("motion", MOTIONS)
def test_nothing_is_deleted_while_it_is_not_final(rebuilt: Cli, motion: str) -> None:
    MOTIONS[motion](rebuilt)
    plan = rebuilt.plan()
    assert plan["deletions"] == plan["replacements"] == []
    assert plan["summary"]["total"]["held"] > 0
    assert plan["complete"] is (motion not in ("unreadable", "cut", "corrupt"))


@pytest.mark.parametrize("code", ["failed", "unresolvable", "broken", "disabled", "locked", "building"])
def test_the_newer_version_must_have_succeeded(rebuilt: Cli, code: str) -> None:
    rebuilt.sandbox.obs.set_code(PROJECT, LEAP_REPOSITORY, "x86_64", "hello", code)
    rest(rebuilt)
    plan = rebuilt.plan()
    assert (plan["deletions"], held(plan)[OLD.filename]) == ([], "not-succeeded")


def test_without_any_answer_there_is_no_plan(rebuilt: Cli) -> None:
    unknown_state(rebuilt)
    done = rebuilt.run("plan", "--json")
    assert (done.code, done.out) == (1, "")


def empty(cli: Cli, code: str) -> None:
    """The package has no files, and its state is ``code``."""
    cli.sandbox.obs.wipe(PROJECT, LEAP_REPOSITORY, "x86_64", "second")
    cli.sandbox.obs.set_code(PROJECT, LEAP_REPOSITORY, "x86_64", "second", code)
    rest(cli)


@pytest.mark.parametrize("code", ["succeeded", "failed", "unresolvable", "disabled", "scheduled", "unknown"])
def test_a_package_without_files_is_no_wish_to_delete(rebuilt: Cli, code: str) -> None:
    configure(rebuilt, orphans=ARCHIVED)
    empty(rebuilt, code)
    plan = rebuilt.plan()
    assert SECOND.filename not in deletions(plan)
    assert held(plan)[SECOND.filename] == "owner-unknown"


def test_an_excluded_package_without_files_is_gone(rebuilt: Cli) -> None:
    configure(rebuilt, orphans=ARCHIVED)
    empty(rebuilt, "excluded")
    assert deletions(rebuilt.plan())[SECOND.filename] == "gone"


def test_an_architecture_that_lists_nothing_proves_nothing(rebuilt: Cli) -> None:
    configure(rebuilt, orphans=ARCHIVED)
    rebuilt.sandbox.obs.repository(PROJECT, LEAP_REPOSITORY).archs["x86_64"].packages.clear()
    plan = rebuilt.plan()
    assert plan["deletions"] == []
    assert set(held(plan)) == {RPM.filename, OLD.filename, SECOND.filename}


def test_what_is_still_built_but_left_out_protects(rebuilt: Cli) -> None:
    """The newest version is excluded: it is not downloaded, and the older one is not gone."""
    build(rebuilt, make_rpm("hello", "2.0"))
    configure(rebuilt, orphans=ARCHIVED, exclude=["hello-2*"])
    plan = rebuilt.plan()
    assert plan["deletions"] == []
    assert held(plan) == {OLD.filename: "built-not-published", RPM.filename: "built-not-published"}


def test_an_architecture_filter_protects_what_it_leaves_out(rebuilt: Cli) -> None:
    configure(rebuilt, {**ONLY_BUILT, "architectures": ["aarch64"]}, orphans=ARCHIVED)
    plan = rebuilt.plan()
    assert plan["deletions"] == []
    assert plan["summary"]["distributions"][LEAP]["filtered"] == 3


def test_content_published_and_build_side_by_side(rebuilt: Cli) -> None:
    """The second project is published; where it is not settled, nothing of the distribution goes."""
    obs = rebuilt.sandbox.obs
    obs.add_repository("demo:other", LEAP_REPOSITORY, "rpm", ["x86_64"])
    third = make_rpm("third")
    obs.finish("demo:other", LEAP_REPOSITORY, "x86_64", "third", [third])
    obs.publish("demo:other", LEAP_REPOSITORY)
    config = dict(rebuilt.sandbox.config()["obs"]) | {"projects": [ONLY_BUILT, {"name": "demo:other"}]}  # type: ignore[call-overload]
    rebuilt.configure(obs=config, **DELETE)
    plan = rebuilt.plan()
    assert [(u["filename"], u["source"].get("content")) for u in plan["uploads"]] == [(third.filename, None)]
    assert deletions(plan) == {OLD.filename: "superseded"}
    obs.set_arch("demo:other", LEAP_REPOSITORY, "x86_64", "unpublished")
    assert rebuilt.plan()["deletions"] == []


def test_a_rebuild_under_the_same_name_is_a_replacement(rebuilt: Cli) -> None:
    again = make_rpm("hello", "1.0", salt="x")
    build(rebuilt, evolve(again, filename=RPM.filename))
    (replacement,) = rebuilt.plan()["replacements"]
    assert (replacement["sha256"], replacement["old"]["sha256"]) == (
        again.blob.digest("sha256"),
        RPM.blob.digest("sha256"),
    )
    rest(rebuilt, "building")
    plan = rebuilt.plan()
    assert (plan["replacements"], held(plan)[RPM.filename]) == ([], "not-published")


def test_an_audit_reads_what_is_built_too(rebuilt: Cli) -> None:
    done = rebuilt.run("audit", "--format", "json")
    assert done.code == 0
    assert OLD.filename in done.out
    assert JAMMY not in done.out.split('"orphans"')[1].split('"repositories"')[0]
