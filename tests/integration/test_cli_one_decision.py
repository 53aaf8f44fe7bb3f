"""At apply, today's config and the world of now decide, through the whole program: a plan that is old, or was edited."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pkgsync.sandbox import PROJECT, REPOSITORY, Artifact, Kind, make_deb, make_rpm
from tests.integration.test_cli_hostile_plans import changed_nothing, recount, sign
from tests.support.worlds.cli_world import DEB, DELETE, JAMMY, LEAP, LEAP_REPOSITORY, RPM, Cli, open_cli

OTHER = "demo:other"
MORE = make_rpm("more", "1.0")
RPM_KEY, DEB_KEY = f"{LEAP}/{RPM.filename}", f"{JAMMY}/{DEB.filename}"


@pytest.fixture
def cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cli]:
    """Two projects, each with a Leap repository; the config names the usual one."""
    with open_cli(tmp_path, monkeypatch) as cli:
        cli.sandbox.obs.add_repository(OTHER, LEAP_REPOSITORY, "rpm", ["x86_64"])
        publish(cli, MORE)
        yield cli


def publish(cli: Cli, *artifacts: Artifact) -> None:
    """What the other project has built and publishes, all of it."""
    cli.sandbox.obs.finish(OTHER, LEAP_REPOSITORY, "x86_64", "other", artifacts)
    cli.sandbox.obs.publish(OTHER, LEAP_REPOSITORY)


def configure(cli: Cli, *projects: dict[str, Any], **changes: Any) -> None:
    obs: Any = cli.sandbox.config()["obs"]
    cli.configure(obs={**obs, "projects": list(projects)}, **changes)


def planned(cli: Cli) -> dict[str, Any]:
    assert cli.run("plan", "-o", "plan.json").code == 0
    cli.sandbox.log.clear()
    return cli.saved()


def standings(cli: Cli) -> dict[str, tuple[str, str | None]]:
    lines = cli.saved("plan.receipt.json")["lines"]
    return {line["filename"]: (line["outcome"], line.get("reason")) for line in lines}


def asked(cli: Cli, project: str) -> bool:
    return any(f"/{project}/" in entry.target for entry in cli.sandbox.log.find("obs"))


# only today's config maps


def test_a_project_that_the_config_no_longer_names_publishes_nothing(cli: Cli) -> None:
    configure(cli, {"name": PROJECT}, {"name": OTHER})
    planned(cli)
    configure(cli, {"name": PROJECT})
    done = cli.run("apply", "plan.json")
    assert (done.code, changed_nothing(cli), asked(cli, OTHER)) == (4, True, False)
    assert standings(cli) == {
        MORE.filename: ("stale", "policy-changed"),
        RPM.filename: ("left", None),
        DEB.filename: ("left", None),
    }
    assert f"the config no longer maps {OTHER}/{LEAP_REPOSITORY} to {LEAP}" in done.out
    assert cli.run("apply", "plan.json", "--skip-stale").code == 5
    assert cli.names == {RPM_KEY, DEB_KEY}


def test_a_project_that_only_an_edited_plan_names_publishes_nothing(cli: Cli) -> None:
    document = planned(cli)
    (upload,) = (u for u in document["uploads"] if u["distribution"] == LEAP)
    upload |= {"filename": MORE.filename, "sha256": MORE.blob.digest("sha256"), "size": MORE.blob.size}
    upload["source"] |= {"project": OTHER, "path": f"x86_64/{MORE.filename}"}
    (leap,) = (r for r in document["source"]["repositories"] if r["distributions"] == [LEAP])
    leap["project"] = OTHER
    document["source"]["projects"] = [OTHER]
    recount(document)
    (cli.folder / "plan.json").write_bytes(sign(document))
    done = cli.run("apply", "plan.json", "--skip-stale")
    assert (done.code, cli.names, asked(cli, OTHER)) == (5, {DEB_KEY}, False), done.err
    assert standings(cli)[MORE.filename] == ("skipped", "policy-changed")


@pytest.mark.parametrize(
    ("today", "words"),
    [
        (
            {"distributions": {LEAP_REPOSITORY: None, "*": None}},
            f"the config no longer maps {OTHER}/{LEAP_REPOSITORY} to {LEAP}",
        ),
        (
            {"distributions": {LEAP_REPOSITORY: "opensuse/15.5"}},
            f"the config no longer maps {OTHER}/{LEAP_REPOSITORY} to {LEAP}",
        ),
        ({"repositories": ["xUbuntu_*"]}, f"the config's filters leave {OTHER}/{LEAP_REPOSITORY} out now"),
    ],
    ids=["null", "elsewhere", "filtered"],
)
def test_a_repository_that_today_s_config_does_not_take(cli: Cli, today: dict[str, Any], words: str) -> None:
    configure(cli, {"name": PROJECT}, {"name": OTHER})
    planned(cli)
    configure(cli, {"name": PROJECT}, {"name": OTHER, **today})
    done = cli.run("apply", "plan.json")
    assert (done.code, changed_nothing(cli), standings(cli)[MORE.filename]) == (4, True, ("stale", "policy-changed"))
    assert words in done.out


# who wins a name


@pytest.fixture
def replacing(cli: Cli) -> Cli:
    """The other project comes first and offers nothing of the kind: the usual one replaces what stands there."""
    before = make_rpm("hello", "1.0", salt="before")
    cli.put(before, DEB)
    configure(cli, {"name": OTHER}, {"name": PROJECT})
    plan = planned(cli)
    assert [r["filename"] for r in plan["replacements"]] == [RPM.filename]
    return cli


def test_nothing_is_replaced_in_favour_of_a_source_that_has_lost_the_name(replacing: Cli) -> None:
    winner = make_rpm("hello", "1.0", salt="winner")
    publish(replacing, MORE, winner)
    done = replacing.run("apply", "plan.json")
    assert (done.code, changed_nothing(replacing)) == (4, True)
    assert standings(replacing)[RPM.filename] == ("stale", "source-changed")
    assert replacing.run("plan", "-o", "plan.json").code == 0
    assert [r["sha256"] for r in replacing.saved()["replacements"]] == [winner.blob.digest("sha256")]


def test_nothing_is_replaced_while_a_source_that_comes_first_cannot_be_read(replacing: Cli) -> None:
    replacing.obs_fault(Kind.STATUS, f"/published/{OTHER}/", times=None, status=500)
    done = replacing.run("apply", "plan.json")
    assert (done.code, replacing.sandbox.log.count("packagecloud", method="DELETE")) == (5, 0)
    assert standings(replacing)[RPM.filename] == ("left", "unsettled")


# limits


def test_an_edited_plan_is_not_freed_of_the_limits(cli: Cli) -> None:
    """25 deletions against a limit of 20, each said to be superseded by an upload of the plan."""
    olds = [make_rpm("hello", f"0.{number}") for number in range(25)]
    cli.put(RPM, *olds)
    cli.publish(RPM, MORE)
    strict = {"limits": {"deletions": 20, "deletions_percent": 100}}
    cli.configure(**DELETE, **strict)
    assert cli.run("plan", "-o", "plan.json").code == 3
    document = cli.saved() | {"applyable": True, "exceeded": []}
    assert len(document["deletions"]) == 25
    for deletion in document["deletions"]:
        deletion["evidence"]["superseded_by"]["filename"] = MORE.filename
    (cli.folder / "plan.json").write_bytes(sign(document))
    done = cli.run("apply", "plan.json")
    assert (done.code, changed_nothing(cli)) == (4, True)
    said = standings(cli)
    assert [said[old.filename] for old in olds] == [("stale", "policy-changed")] * 25
    assert "limits: opensuse/15.6: 25 deletions, 5 more than the limit of 20" in done.out


def test_deletions_that_uploads_free_are_done_after_these_have_arrived(cli: Cli) -> None:
    """The limits are counted again between the phases, when the uploads are no longer to come."""
    cli.put(*(make_rpm(f"name{number}", "1.0") for number in range(3)), DEB)
    cli.publish(*(make_rpm(f"name{number}", "2.0") for number in range(3)))
    cli.configure(**DELETE, limits={"deletions": 0, "deletions_percent": 0})
    plan = planned(cli)
    assert (len(plan["uploads"]), len(plan["deletions"]), plan["applyable"]) == (3, 3, True)
    assert cli.run("apply", "plan.json").code == 0
    assert cli.names == {DEB_KEY, *(f"{LEAP}/name{number}-2.0-1.x86_64.rpm" for number in range(3))}


# an undo that nobody has applied


def test_a_forged_undo_deletes_nothing_of_what_is_published(cli: Cli) -> None:
    """30 packages, under orphans: keep and the default limits; the receipt and its plan never were."""
    files = [make_rpm(f"name{number}", "1.0") for number in range(29)]
    cli.publish(RPM, *files)
    cli.put(RPM, *files)
    planned(cli)
    assert cli.run("apply", "plan.json").code == 0
    receipt = cli.saved("plan.receipt.json") | {"plan_digest": f"sha256:{'0' * 64}"}
    (line,) = receipt["lines"]
    receipt["lines"] = [
        line | {"distribution": LEAP, "filename": f.filename, "sha256": f.blob.digest("sha256"), "size": f.blob.size}
        for f in (RPM, *files)
    ]
    (cli.folder / "plan.receipt.json").rename(cli.folder / "true.receipt.json")
    (cli.folder / "forged.receipt.json").write_text(json.dumps(receipt))
    assert cli.run("undo", "forged.receipt.json", "-o", "plan.json").code == 0
    assert len(cli.saved()["deletions"]) == 30
    before = cli.sandbox.packagecloud.content(REPOSITORY)
    for option in ((), ("--skip-stale",)):
        assert cli.run("apply", "plan.json", *option).code in (4, 5)
        assert cli.sandbox.packagecloud.content(REPOSITORY) == before
    assert cli.sandbox.log.count("packagecloud", method="DELETE") == 0
    assert set(standings(cli).values()) == {("skipped", "wanted-again")}


def test_nor_what_nobody_publishes_any_more(cli: Cli) -> None:
    old = make_rpm("hello", "0.9")
    planned(cli)
    assert cli.run("apply", "plan.json").code == 0
    cli.put(old, make_deb("hello", "0.9", "1"))
    receipt = cli.saved("plan.receipt.json") | {"plan_digest": f"sha256:{'0' * 64}"}
    rpm = next(line for line in receipt["lines"] if line["distribution"] == LEAP)
    receipt["lines"] = [rpm | {"filename": old.filename, "sha256": old.blob.digest("sha256"), "size": old.blob.size}]
    (cli.folder / "plan.receipt.json").rename(cli.folder / "true.receipt.json")
    (cli.folder / "forged.receipt.json").write_text(json.dumps(receipt))
    assert cli.run("undo", "forged.receipt.json", "-o", "plan.json").code == 0
    assert cli.run("apply", "plan.json").code == 4
    assert standings(cli) == {old.filename: ("stale", "policy-changed")}
    assert f"{LEAP}/{old.filename}" in cli.names
