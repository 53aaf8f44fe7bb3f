"""Plans from a snapshot: the bytes of the live plan, without a request and a credential; and whose change each is."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from pkgsync.sandbox import ARCHIVE, PROJECT, Kind, make_deb, make_rpm
from tests.support.worlds.cli_world import DEB, DELETE, JAMMY, LEAP, LEAP_REPOSITORY, RPM, Cli, Done, open_cli

NOW = "2026-03-01T12:00:00Z"
TUMBLEWEED = "openSUSE_Tumbleweed"
OLD, OLD_DEB = make_rpm("hello", "0.9"), make_deb("hello", "0.9", "1")
SECOND = make_rpm("second", "1.0")
EVERYWHERE = {LEAP_REPOSITORY: LEAP, "xUbuntu_22.04": JAMMY, TUMBLEWEED: "opensuse/15.5"}


@pytest.fixture
def cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cli]:
    with open_cli(tmp_path, monkeypatch) as cli:
        yield cli


def offline(cli: Cli, *arguments: object) -> Done:
    before = len(cli.sandbox.log.entries)
    done = cli.run("plan", "--from-snapshot", "world.json", *arguments)
    assert len(cli.sandbox.log.entries) == before
    return done


def same_plans(cli: Cli, *options: str) -> dict[str, Any]:
    """The plan, made twice of one moment: the bytes must be equal."""
    live = cli.run("plan", "--now", NOW, "-o", "live.json", *options)
    again = offline(cli, "--now", NOW, "-o", "offline.json", *options)
    assert (live.code, live.out) == (again.code, again.out)
    assert (cli.folder / "live.json").read_bytes() == (cli.folder / "offline.json").read_bytes()
    return cli.saved("live.json")


def snapshot(cli: Cli, *options: str, code: int = 0) -> Done:
    done = cli.run("snapshot", "-o", "world.json", *options)
    assert (done.code, done.out) == (code, ""), done.err
    return done


def without_requests(plan: dict[str, Any]) -> dict[str, Any]:
    """The plan without what tells how often servers were asked."""
    return {key: value for key, value in plan.items() if key not in ("observed", "digest")}


def test_a_plan_from_a_snapshot_is_the_live_plan_byte_by_byte(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    cli.put(OLD, OLD_DEB)
    cli.configure(**DELETE, limits={"in_use_days": 30, "deletions_percent": 100})
    done = snapshot(cli, "--now", NOW)
    assert "2 packages of demo/testing, 1 OBS project.\n" in done.err
    plan = same_plans(cli)
    assert [len(plan[kind]) for kind in ("uploads", "deletions")] == [2, 2]
    assert plan["created_at"] == plan["observed"]["obs_at"] == plan["observed"]["packagecloud_at"] == NOW
    assert same_plans(cli, "--target", "*.rpm")["summary"]["total"]["uploads"] == 1
    kept = json.loads(offline(cli, "--json", "--now", NOW, "--orphans", "keep").out)
    assert without_requests(kept) == without_requests(cli.plan("--now", NOW, "--orphans", "keep"))
    for name in cli.sandbox.environment:
        monkeypatch.delenv(name)
    later = offline(cli)
    assert (later.code, len(later.errors)) == (0, 0)
    assert f"Planned from world.json, read {NOW}." in later.err
    assert "No service was asked now; apply asks both again." in later.err


def test_a_snapshot_of_the_same_time_has_the_times_of_the_live_plan(cli: Cli) -> None:
    cli.run("snapshot", "-o", "world.json", "--now", NOW)
    cli.run("plan", "--now", NOW, "-o", "live.json")
    offline(cli, "-o", "offline.json")
    assert (cli.folder / "live.json").read_bytes() == (cli.folder / "offline.json").read_bytes()


def test_a_snapshot_holds_no_secret_and_no_route(cli: Cli) -> None:
    cli.put(OLD)
    cli.sandbox.packagecloud.token_in = "query"
    snapshot(cli)
    text = (cli.folder / "world.json").read_text()
    secrets = (cli.sandbox.token, cli.sandbox.obs.password, cli.sandbox.packagecloud.read_token, cli.sandbox.cdn_url)
    assert not [secret for secret in secrets if secret in text]
    assert "/api/v1/" not in text


def test_what_is_only_built_is_read_with_its_content(cli: Cli) -> None:
    for repository in cli.sandbox.obs.projects[PROJECT].repositories.values():
        repository.tree.clear()
        cli.sandbox.obs.set_arch(PROJECT, repository.name, "x86_64", "unpublished")
    obs = dict(cli.sandbox.config()["obs"]) | {"projects": [{"name": PROJECT, "content": "build"}]}  # type: ignore[call-overload]
    cli.configure(obs=obs, exclude=["*.rpm"])
    # what was downloaded once is not requested again
    cli.run("plan")
    snapshot(cli)
    assert [u["filename"] for u in same_plans(cli)["uploads"]] == [DEB.filename]
    cli.configure(obs=obs)
    done = offline(cli, "-o", "offline.json")
    assert done.code == 1
    assert f"the snapshot did not read x86_64/hello/{RPM.filename}" in " ".join(done.out.split())
    plan = cli.saved("offline.json")
    assert ([u["filename"] for u in plan["uploads"]], plan["complete"]) == ([DEB.filename], False)


def test_a_config_that_maps_more_is_planned_as_if_it_had_been_live(cli: Cli) -> None:
    cli.sandbox.obs.finish(PROJECT, TUMBLEWEED, "x86_64", "hello", [SECOND])
    cli.sandbox.obs.publish(PROJECT, TUMBLEWEED)
    cli.put(OLD)
    snapshot(cli)
    cli.configure(**DELETE, distributions=EVERYWHERE, limits={"deletions_percent": 100})
    live = cli.plan("--now", NOW)
    there = json.loads(offline(cli, "--json", "--now", NOW).out)
    assert without_requests(there) == without_requests(live)
    assert {u["distribution"] for u in there["uploads"]} == {LEAP, JAMMY, "opensuse/15.5"}
    assert [d["filename"] for d in there["deletions"]] == [OLD.filename]


def test_what_another_config_asks_for_is_refused_or_held_in_words(cli: Cli) -> None:
    cli.put(OLD)
    snapshot(cli)
    config = cli.sandbox.config()
    cli.configure(packagecloud={**config["packagecloud"], "repository": "demo/other"})  # type: ignore[dict-item]
    other = offline(cli)
    assert (other.code, other.errors) == (
        64,
        [
            "error: The snapshot is of the Packagecloud repository demo/testing, the config pkgsync.yaml names demo/other."
        ],
    )
    cli.configure(obs={**config["obs"], "projects": [{"name": "home:other"}]})  # type: ignore[dict-item]
    project = offline(cli)
    assert (project.code, project.errors) == (1, ["error: home:other: the snapshot did not read this project"])
    cli.configure(obs={**config["obs"], "published_url": "http://127.0.0.1/{project}/{repository}"})  # type: ignore[dict-item]
    assert offline(cli).code == 64
    cli.configure(distributions={**EVERYWHERE, TUMBLEWEED: "opensuse/99"})
    unknown = offline(cli)
    place = next(n for n, s in enumerate((cli.folder / "pkgsync.yaml").read_text().splitlines(), 1) if "suse/99" in s)
    words = f"error: pkgsync.yaml:{place}:3: Packagecloud has no distribution 'opensuse/99'."
    assert (unknown.code, unknown.errors) == (1, [words])
    cli.configure(orphans={"action": "archive", "archive_to": ARCHIVE, "keep_versions": 1})
    archive = offline(cli, "-o", "offline.json")
    assert (archive.code, [h["reason"] for h in cli.saved("offline.json")["held"]]) == (1, ["unread"])
    warning = "the snapshot did not read the archive demo/archive, so nothing is archived"
    assert cli.saved("offline.json")["warnings"] == [warning]
    assert "tip: Take a new snapshot with this config.\n" in archive.err
    cli.configure(**DELETE, limits={"in_use_days": 30})
    downloads = json.loads(offline(cli, "--json").out)
    assert [(h["reason"], downloads["deletions"]) for h in downloads["held"]] == [("in-use", [])]


def test_an_incomplete_snapshot_says_so_and_gives_no_deletion(cli: Cli) -> None:
    cli.put(OLD, OLD_DEB)
    cli.configure(**DELETE, limits={"deletions_percent": 100})
    cli.obs_fault(Kind.STATUS, f"{LEAP_REPOSITORY}/repodata", times=None, status=500)
    done = snapshot(cli, code=1)
    assert done.errors == [f"error: the snapshot is incomplete: {PROJECT}/{LEAP_REPOSITORY} could not be read"]
    plan = same_plans(cli)
    assert ([d["distribution"] for d in plan["deletions"]], plan["complete"]) == ([JAMMY], False)


def test_only_a_snapshot_is_overwritten(cli: Cli) -> None:
    cli.run("plan", "-o", "plan.json")
    refused = cli.run("snapshot", "-o", "plan.json")
    assert refused.code == 64
    assert "is no snapshot and is not overwritten" in refused.err
    snapshot(cli)
    snapshot(cli)
    wrong = cli.run("plan", "--from-snapshot", "plan.json")
    assert (wrong.code, wrong.errors) == (6, ["error: plan.json: not a snapshot of pkgsync"])


# Whose change is it?


def old_config(cli: Cli, **changes: Any) -> str:
    (cli.folder / "old.yaml").write_text(yaml.safe_dump({**cli.sandbox.config(), **changes}))
    return "old.yaml"


def base_of(cli: Cli, *options: str) -> dict[str, Any]:
    """The comparison with the old config: equal of live worlds and of a snapshot."""
    snapshot(cli)
    live = cli.plan("--base", "old.yaml", "--now", NOW, *options)
    there = json.loads(offline(cli, "--json", "--base", "old.yaml", "--now", NOW, *options).out)
    assert without_requests(live) == without_requests(there)
    base: dict[str, Any] = live["base"]
    return base


def test_the_config_obs_and_hands_on_packagecloud_are_told_apart(cli: Cli) -> None:
    cli.publish(RPM, SECOND)
    published = cli.sandbox.obs.repository(PROJECT, LEAP_REPOSITORY)
    assert published is not None
    # a sync after the last publish brought one of the two: somebody took the other away
    cli.put(OLD, created_at="2026-01-01T00:00:00.000Z")
    cli.put(SECOND, created_at="2099-01-01T00:00:00.000Z")
    old_config(cli)
    cli.configure(**DELETE, limits={"deletions_percent": 100})
    base = base_of(cli)
    assert base["causes"] == {
        f"{LEAP}/{RPM.filename}": "packagecloud",
        f"{LEAP}/{OLD.filename}": "config",
        f"{JAMMY}/{DEB.filename}": "obs",
    }
    assert base["no_longer"] == []


def test_what_only_the_old_config_would_do_is_told(cli: Cli) -> None:
    cli.put(OLD, OLD_DEB)
    old_config(cli, **DELETE, limits={"deletions_percent": 100})
    cli.configure(
        distributions={LEAP_REPOSITORY: LEAP, "xUbuntu_22.04": None, TUMBLEWEED: None},
        orphans={"action": "delete", "keep_versions": 1, "min_age": "9999d"},
    )
    base = base_of(cli)
    assert base["causes"] == {f"{LEAP}/{RPM.filename}": "obs"}
    assert base["no_longer"] == [
        {"action": "deletion", "distribution": LEAP, "filename": OLD.filename, "held": True},
        {"action": "deletion", "distribution": JAMMY, "filename": OLD_DEB.filename},
        {"action": "upload", "distribution": JAMMY, "filename": DEB.filename},
    ]


def test_an_old_config_may_give_no_plan_at_all(cli: Cli) -> None:
    warning = "the old config gives no plan to compare this one with: plan with it alone to see why"
    old_config(cli, distributions={LEAP_REPOSITORY: LEAP})
    unmapped = cli.plan("--base", "old.yaml")
    assert (set(unmapped["base"]["causes"].values()), unmapped["warnings"]) == ({"config"}, [warning])
    obs = cli.sandbox.config()["obs"]
    old_config(cli, obs={**obs, "projects": [{"name": PROJECT}, {"name": "home:gone"}]})  # type: ignore[dict-item]
    gone = cli.plan("--base", "old.yaml")
    assert (set(gone["base"]["causes"].values()), gone["warnings"]) == ({"unknown"}, [warning])


def test_projects_that_only_the_old_config_names_are_read_too(cli: Cli) -> None:
    cli.sandbox.obs.add_repository("demo:old", LEAP_REPOSITORY, "rpm", ["x86_64"])
    cli.sandbox.obs.finish("demo:old", LEAP_REPOSITORY, "x86_64", "second", [SECOND])
    cli.sandbox.obs.publish("demo:old", LEAP_REPOSITORY)
    obs = cli.sandbox.config()["obs"]
    old_config(cli, obs={**obs, "projects": [{"name": PROJECT}, {"name": "demo:old"}]})  # type: ignore[dict-item]
    base = cli.plan("--base", "old.yaml")["base"]
    assert set(base["causes"].values()) == {"obs"}
    assert base["no_longer"] == [{"action": "upload", "distribution": LEAP, "filename": SECOND.filename}]


@pytest.mark.parametrize(("path", "nth", "status"), [("/build/.*_result", 3, 500), (f"{TUMBLEWEED}/", 1, 403)])
def test_what_only_another_config_may_map_does_not_end_the_plan(cli: Cli, path: str, nth: int, status: int) -> None:
    cli.obs_fault(Kind.STATUS, path, nth=nth, times=None, status=status)
    old_config(cli)
    plan = cli.plan("--base", "old.yaml")
    assert (len(plan["uploads"]), plan["complete"]) == (2, True)


def test_an_old_config_of_another_repository_is_refused_before_any_request(cli: Cli) -> None:
    packagecloud = cli.sandbox.config()["packagecloud"]
    old_config(cli, packagecloud={**packagecloud, "repository": "demo/other"})  # type: ignore[dict-item]
    before = len(cli.sandbox.log.entries)
    done = cli.run("plan", "--base", "old.yaml")
    words = "error: old.yaml names another OBS, Packagecloud or repository than pkgsync.yaml"
    assert (done.code, done.errors, len(cli.sandbox.log.entries)) == (64, [words], before)


def test_a_plan_that_tells_causes_is_applied_like_any_other(cli: Cli) -> None:
    old_config(cli)
    assert cli.run("plan", "--base", "old.yaml", "-o", "plan.json").code == 0
    assert cli.run("apply", "plan.json").code == 0
    assert cli.names == {f"{LEAP}/{RPM.filename}", f"{JAMMY}/{DEB.filename}"}
