"""Audits, and downloads that hold deletions, over real sockets: what is asked, how often, and what a bad answer means."""

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest

from pkgsync.cli.commands.audit import FATES, SORTS
from pkgsync.model import AuditSort, Fate
from pkgsync.packagecloud import usage
from pkgsync.sandbox import PROJECT, REPOSITORY, Artifact, Kind, make_deb, make_rpm, replace_body
from tests.support.worlds.cli_world import DEB, DELETE, JAMMY, LEAP, LEAP_REPOSITORY, RPM, Cli, open_cli

OLD = [make_rpm("hello", f"0.{number}") for number in range(3)]
OLD_DEB = make_deb("hello", "0.5", "1")
COUNTS, NOW = "stats/downloads/count", "2026-11-22T12:00:00Z"
DETAILS = r"/package/[^?]*(?<!count)\.json$"


@pytest.fixture
def cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cli]:
    """Packagecloud holds what OBS publishes, and four older packages."""
    with open_cli(tmp_path, monkeypatch) as cli:
        cli.in_step()
        cli.put(*OLD, OLD_DEB)
        cli.configure(**DELETE)
        yield cli


def downloaded(cli: Cli, artifact: Artifact, times: int) -> None:
    distribution = JAMMY if artifact.filename.endswith(".deb") else LEAP
    row = cli.sandbox.packagecloud.find(REPOSITORY, distribution, artifact.filename)
    assert row is not None
    row.downloads = times


def asked(cli: Cli, target: str = "") -> int:
    return cli.sandbox.log.count("packagecloud", target=target)


def audited(cli: Cli, *arguments: object) -> dict[str, Any]:
    cli.sandbox.log.clear()
    done = cli.run("audit", "--json", "--now", NOW, *arguments)
    assert done.code == 0, done.err
    document: dict[str, Any] = json.loads(done.out)
    return document


def names(document: dict[str, Any]) -> list[str]:
    return [orphan["filename"] for orphan in document["orphans"]]


def in_use(cli: Cli, **more: Any) -> None:
    cli.configure(**DELETE, limits={"in_use_days": 14, **more})


# what an audit asks for


def test_an_audit_asks_nothing_about_single_packages(cli: Cli) -> None:
    document = audited(cli)
    assert len(document["orphans"]) == 4
    assert asked(cli) == asked(cli, r"distributions\.json") + asked(cli, r"packages\.json") == 2
    assert {"size", "downloads"}.isdisjoint(document["orphans"][0])
    assert {"bytes", "downloads_days", "filtered_out"}.isdisjoint(document)


def test_downloads_are_one_request_per_orphan_since_the_day_that_is_asked_for(cli: Cli) -> None:
    downloaded(cli, OLD[1], 7)
    document = audited(cli, "--downloads")
    assert {o["filename"]: o["downloads"] for o in document["orphans"]} == {
        OLD[0].filename: 0,
        OLD[1].filename: 7,
        OLD[2].filename: 0,
        OLD_DEB.filename: 0,
    }
    assert document["downloads_days"] == 30
    targets = [entry.target for entry in cli.sandbox.log.find("packagecloud", target=COUNTS)]
    assert len(targets) == 4
    assert {target.partition("?")[2] for target in targets} == {"start_date=20261023Z"}
    assert asked(cli) == 6


def test_the_days_can_be_given(cli: Cli) -> None:
    assert audited(cli, "--downloads", 7)["downloads_days"] == 7
    assert asked(cli, "start_date=20261115Z") == 4


def test_sizes_are_one_request_per_orphan_and_add_up(cli: Cli) -> None:
    document = audited(cli, "--sizes")
    sizes = {o["filename"]: o["size"] for o in document["orphans"]}
    assert sizes == {artifact.filename: artifact.blob.size for artifact in (*OLD, OLD_DEB)}
    assert document["bytes"] == {"orphans": sum(sizes.values()), "freed": sum(sizes.values()), "unknown_sizes": 0}
    assert asked(cli, DETAILS) == 4
    assert asked(cli) == 6


def test_only_what_the_filters_let_through_is_asked_for(cli: Cli) -> None:
    document = audited(cli, "--downloads", "--distribution", "ubuntu/*")
    assert names(document) == [OLD_DEB.filename]
    assert document["filtered_out"] == 3
    assert asked(cli, COUNTS) == 1


@pytest.mark.parametrize(
    ("arguments", "count"),
    [
        (["--name", "hell*"], 4),
        (["--name", "other"], 0),
        (["--name", "other", "--name", "hello"], 4),
        (["--fate", "delete"], 4),
        (["--fate", "held", "--fate", "keep"], 0),
        (["--reason", "superseded"], 4),
        (["--reason", "gone"], 0),
        (["--reason", "superseded", "--distribution", LEAP], 3),
    ],
)
def test_filters(cli: Cli, arguments: list[str], count: int) -> None:
    assert len(audited(cli, *arguments)["orphans"]) == count


def test_the_order(cli: Cli) -> None:
    for artifact, times in zip((*OLD, OLD_DEB), (2, 9, 4, 0), strict=True):
        downloaded(cli, artifact, times)
    assert names(audited(cli)) == [OLD[0].filename, OLD[1].filename, OLD[2].filename, OLD_DEB.filename]
    by_downloads = names(audited(cli, "--downloads", "--sort", "downloads"))
    assert by_downloads == [OLD[1].filename, OLD[2].filename, OLD[0].filename, OLD_DEB.filename]
    by_size = audited(cli, "--sizes", "--sort", "size")["orphans"]
    assert [o["size"] for o in by_size] == sorted((a.blob.size for a in (*OLD, OLD_DEB)), reverse=True)


def test_an_order_by_what_is_not_asked_for_is_refused(cli: Cli) -> None:
    done = cli.run("audit", "--sort", "downloads")
    assert (done.code, done.errors) == (64, ["error: --sort downloads needs --downloads"])
    assert cli.run("audit", "--sort", "size").code == 64
    assert cli.run("audit", "--downloads", 0).code == 64
    assert cli.run("audit", "--reason", "nonsense").code == 64


def test_too_many_requests_are_refused_before_the_first(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(usage, "MAX_ASKED", 7)
    done = cli.run("audit", "--downloads", "--sizes")
    assert done.code == 64
    assert done.errors == ["error: 4 orphans mean 8 requests to Packagecloud, more than 7"]
    assert "--distribution" in done.err
    assert asked(cli, "/package/") == 0
    assert len(audited(cli, "--downloads")["orphans"]) == 4


@pytest.mark.parametrize("body", [b"", b"{}", b'{"value": null}', b"[1]"])
def test_an_odd_answer_is_unknown_and_never_0(cli: Cli, body: bytes) -> None:
    cli.packagecloud_fault(Kind.REWRITE, rf"/0\.1/1/{COUNTS}", times=None, change=replace_body(body))
    document = audited(cli, "--downloads")
    counts = {o["filename"]: o["downloads"] for o in document["orphans"]}
    assert counts[OLD[1].filename] is None
    assert counts[OLD[0].filename] == 0
    assert len(document["warnings"]) == 1


@pytest.mark.parametrize("status", [401, 402, 403, 429, 500])
def test_after_a_few_failures_nothing_more_is_asked(cli: Cli, monkeypatch: pytest.MonkeyPatch, status: int) -> None:
    cli.put(*(make_rpm("hello", f"0.{number}") for number in range(10, 40)))
    cli.packagecloud_fault(Kind.STATUS, COUNTS, times=None, status=status)
    document = audited(cli, "--downloads", "--sizes")
    assert {o["downloads"] for o in document["orphans"]} == {None}
    assert None not in {o["size"] for o in document["orphans"]}
    attempts = 5 if status == 500 else 1
    assert asked(cli, COUNTS) <= (3 + 7) * attempts  # 3 failures, and what was under way over 8 connections


def test_every_form_shows_the_new_columns_only_when_asked(cli: Cli) -> None:
    downloaded(cli, OLD[1], 7)
    for form in ("text", "csv", "markdown", "html"):
        plain = cli.run("audit", "--format", form).out.lower()
        asked_for = cli.run("audit", "--format", form, "--downloads", "--sizes").out.lower()
        assert "downloads" not in plain and "size" not in plain.replace("box-sizing", "").replace("font-size", "")
        assert "downloads" in asked_for and "size" in asked_for
    rows = list(csv.DictReader(io.StringIO(cli.run("audit", "--format", "csv", "--downloads").out)))
    assert [row["downloads"] for row in rows] == ["0", "7", "0", "0"]


def test_what_holds_a_distribution_and_since_when(cli: Cli) -> None:
    cli.sandbox.obs.set_arch(PROJECT, LEAP_REPOSITORY, "x86_64", "building", dirty=False)
    document = audited(cli)
    (hold,) = document["holds"]
    assert (hold["distribution"], hold["repository"]) == (LEAP, f"{PROJECT}/{LEAP_REPOSITORY}")
    assert [problem["reason"] for problem in hold["problems"]] == ["not-published"]
    assert hold["lastpublished"] > 0
    text = cli.run("audit").out
    assert f"{LEAP} is held: {PROJECT}/{LEAP_REPOSITORY}/x86_64: is building, not published; published last 20" in text


# what was downloaded lately is held


def test_a_plan_holds_what_was_downloaded_lately(cli: Cli) -> None:
    in_use(cli)
    downloaded(cli, OLD[1], 3)
    cli.sandbox.log.clear()
    plan = cli.plan("--now", NOW)
    assert sorted(d["filename"] for d in plan["deletions"]) == [OLD[0].filename, OLD[2].filename, OLD_DEB.filename]
    assert [(h["filename"], h["reason"], h["message"]) for h in plan["held"]] == [
        (OLD[1].filename, "in-use", "downloaded 3 times in the last 14 days")
    ]
    assert asked(cli, f"{COUNTS}.json.start_date=20261108Z") == asked(cli, COUNTS) == 4
    # the two of every plan, and two for each index of the two distributions that lose something
    assert plan["observed"]["packagecloud_requests"] == asked(cli) == 4 + 2 + 2 * 2


def test_without_the_limit_a_plan_asks_nothing(cli: Cli) -> None:
    cli.sandbox.log.clear()
    assert len(cli.plan()["deletions"]) == 4
    assert asked(cli, COUNTS) == 0


def test_only_possible_deletions_are_asked_for(cli: Cli) -> None:
    cli.configure(orphans={**DELETE["orphans"], "protect": ["hello-0.*"]}, limits={"in_use_days": 14})
    cli.sandbox.log.clear()
    assert [d["filename"] for d in cli.plan()["deletions"]] == [OLD_DEB.filename]
    assert asked(cli, COUNTS) == 1
    cli.configure(limits={"in_use_days": 14})
    cli.sandbox.log.clear()
    assert cli.plan()["deletions"] == []
    assert asked(cli, COUNTS) == 0


def test_a_failed_read_holds(cli: Cli) -> None:
    in_use(cli)
    cli.packagecloud_fault(Kind.STATUS, rf"/0\.2/1/{COUNTS}", times=None, status=500)
    plan = cli.plan()
    assert OLD[2].filename not in [d["filename"] for d in plan["deletions"]]
    assert len(plan["deletions"]) == 3
    assert [(h["reason"], h["message"]) for h in plan["held"]] == [
        ("in-use", "Packagecloud does not tell its downloads of the last 14 days")
    ]
    assert len(plan["warnings"]) == 1


def test_possible_deletions_beyond_the_bound_are_held(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(usage, "MAX_ASKED", 1)
    in_use(cli)
    plan = cli.plan()
    assert len(plan["deletions"]) == 1
    assert {h["message"] for h in plan["held"]} == {"its downloads of the last 14 days were not asked for"}
    assert plan["warnings"] == ["3 possible deletions are held: only 1 packages were asked for their downloads"]


def test_apply_asks_again_and_leaves_what_was_downloaded_since(cli: Cli) -> None:
    in_use(cli)
    assert cli.run("plan", "-o", "plan.json").code == 0
    downloaded(cli, OLD[0], 1)
    cli.sandbox.log.clear()
    done = cli.run("apply", "plan.json")
    assert done.code == 5
    assert asked(cli, COUNTS) == 4 + 4  # before the first change, and before the first deletion
    gone = {f"{LEAP}/{OLD[1].filename}", f"{LEAP}/{OLD[2].filename}", f"{JAMMY}/{OLD_DEB.filename}"}
    assert cli.names == {f"{LEAP}/{RPM.filename}", f"{LEAP}/{OLD[0].filename}", f"{JAMMY}/{DEB.filename}"}
    receipt = cli.saved("plan.receipt.json")
    lines = {f"{line['distribution']}/{line['filename']}": line for line in receipt["lines"]}
    left = lines[f"{LEAP}/{OLD[0].filename}"]
    assert (left["outcome"], left["reason"]) == ("left", "in-use")
    assert left["message"] == "downloaded once in the last 14 days"
    assert {lines[key]["outcome"] for key in gone} == {"done"}


def test_apply_leaves_what_packagecloud_does_not_tell(cli: Cli) -> None:
    in_use(cli)
    assert cli.run("plan", "-o", "plan.json").code == 0
    cli.packagecloud_fault(Kind.REWRITE, COUNTS, times=None, change=replace_body(b'{"value": "soon"}'))
    before = cli.names
    assert cli.run("apply", "plan.json").code == 5
    assert cli.names == before
    assert cli.sandbox.log.count("packagecloud", method="DELETE") == 0


# limits of one distribution


def test_a_distribution_with_a_limit_of_its_own(cli: Cli) -> None:
    cli.configure(**DELETE, limits={"distributions": {LEAP: {"deletions": 1}}})
    done = cli.run("plan", "-o", "plan.json")
    assert done.code == 3
    assert done.errors == [f"error: {LEAP}: 3 deletions, 2 more than its limit of 1"]
    assert "plan again with --max-deletions 3" in done.err
    assert cli.run("apply", "plan.json").code == 3
    assert cli.run("plan", "--max-deletions", 3, "-o", "plan.json").code == 0
    assert cli.run("apply", "plan.json").code == 0


def test_the_choices_of_the_command_line_are_those_of_the_model() -> None:
    assert get_args(Fate) == FATES
    assert tuple(AuditSort) == SORTS
