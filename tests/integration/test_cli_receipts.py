"""Receipts are never lost: where they go, what they may replace, and `pkgsync receipts`."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from pkgsync.api import Surroundings
from pkgsync.sandbox import Fault, Kind, make_deb, make_rpm
from tests.support.worlds.cli_world import DEB, JAMMY, LEAP, Cli, open_cli

NEXT = make_rpm("hello", "2.0")
OLD_DEB = make_deb("hello", "1.0", "1", salt="old")


@pytest.fixture
def cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cli]:
    with open_cli(tmp_path, monkeypatch) as cli:
        yield cli


@pytest.fixture
def applied(cli: Cli) -> Cli:
    """Yesterday's plan.json, applied."""
    assert cli.run("plan", "-o", "plan.json").code == 0
    assert cli.run("apply", "plan.json").code == 0
    return cli


def tomorrow(cli: Cli) -> str:
    """Another plan under the same name; gives its digest."""
    cli.publish(NEXT)
    assert cli.run("plan", "-o", "plan.json").code == 0
    return str(cli.saved()["digest"]).removeprefix("sha256:")


def kept(cli: Cli) -> list[Path]:
    return sorted((Surroundings.of_user().state_dir / "receipts").rglob("*.json"))


def test_the_receipt_of_tomorrow_s_plan_goes_beside_that_of_today(applied: Cli) -> None:
    before = (applied.folder / "plan.receipt.json").read_bytes()
    digest = tomorrow(applied)
    done = applied.run("apply", "plan.json")
    assert (done.code, (applied.folder / "plan.receipt.json").read_bytes()) == (0, before)
    name = f"plan.receipt-{digest[:12]}.json"
    assert done.out.endswith(f" Receipt: {name}\n")
    assert applied.saved(name)["plan_digest"] == f"sha256:{digest}"

    assert applied.run("apply", "plan.json").out.endswith(f" Receipt: {name}\n")


def test_the_next_run_of_a_plan_replaces_its_receipt_and_both_are_kept(applied: Cli) -> None:
    first = (applied.folder / "plan.receipt.json").read_bytes()
    assert applied.run("apply", "plan.json").code == 0
    second = (applied.folder / "plan.receipt.json").read_bytes()
    assert second != first
    assert {path.read_bytes() for path in kept(applied)} == {first, second}


def test_without_its_journal_nothing_that_was_kept_is_overwritten(applied: Cli) -> None:
    first = (applied.folder / "plan.receipt.json").read_bytes()
    for journal in (Surroundings.of_user().state_dir / "journal").iterdir():
        journal.unlink()
    assert applied.run("apply", "plan.json").code == 0
    assert first in [path.read_bytes() for path in kept(applied)]
    assert len(kept(applied)) == 2


@pytest.mark.parametrize("name", ["pkgsync.yaml", "plan.json", "other.receipt.json", "notes.txt", "odd.json"])
def test_a_receipt_replaces_only_a_receipt_of_its_plan(applied: Cli, name: str) -> None:
    (applied.folder / "plan.receipt.json").rename(applied.folder / "other.receipt.json")
    (applied.folder / "notes.txt").write_text("mine")
    (applied.folder / "odd.json").write_text('{"plan_digest": "x"}')
    tomorrow(applied)
    before, names = (applied.folder / name).read_bytes(), applied.names
    done = applied.run("apply", "plan.json", "--receipt", name)
    assert (done.code, done.errors) == (64, [f"error: {name} is not a receipt of this plan: it is not overwritten."])
    assert "tip: Move it away, or choose another place with `--receipt`." in done.err
    assert ((applied.folder / name).read_bytes(), applied.names) == (before, names)


@pytest.mark.parametrize("name", ["pkgsync.yaml", "plan.receipt.json", "notes.txt", "odd.json"])
@pytest.mark.parametrize("command", [["plan"], ["undo", "plan.receipt.json"]])
def test_a_plan_replaces_only_a_plan(applied: Cli, command: list[str], name: str) -> None:
    (applied.folder / "notes.txt").write_text("mine")
    (applied.folder / "odd.json").write_text("{}")
    before = (applied.folder / name).read_bytes()
    applied.sandbox.log.clear()
    done = applied.run(*command, "-o", name)
    assert (done.code, (applied.folder / name).read_bytes()) == (64, before)
    assert f"{name!r} is no plan and is not overwritten: move it away, or name another file" in done.err
    assert applied.sandbox.log.count() == 0, "nothing is read for what cannot be written"


def test_an_empty_file_holds_nothing_that_could_be_lost(cli: Cli) -> None:
    for name in ("plan.json", "done.json"):
        (cli.folder / name).touch()
    assert cli.run("plan", "-o", "plan.json").code == 0
    assert cli.run("apply", "plan.json", "--receipt", "done.json").code == 0
    assert cli.saved("done.json")["plan_digest"] == cli.saved()["digest"]


def test_receipts_lists_them_with_the_newest_first(applied: Cli) -> None:
    tomorrow(applied)
    assert applied.run("apply", "plan.json").code == 0
    done = applied.run("receipts")
    assert done.code == 0
    heads = [line for line in done.out.splitlines() if not line.startswith(" ")]
    assert [line.split("  ")[1:] for line in heads] == [
        ["demo/testing", heads[0].split("  ")[2]],
        ["demo/testing", heads[1].split("  ")[2]],
    ]
    assert heads[0].split("  ")[2].startswith("Apply complete: 1 uploaded")
    assert heads[1].split("  ")[2].startswith("Apply complete: 2 uploaded")
    paths = [line.strip() for line in done.out.splitlines() if line.startswith(" ")]
    assert sorted(paths) == [str(path) for path in kept(applied)]
    assert applied.run("undo", paths[0]).code == 0


def test_receipts_tells_what_is_missing_until_a_later_run_has_looked(cli: Cli) -> None:
    cli.put(OLD_DEB)
    cli.run("plan", "-o", "plan.json")
    full = Fault(kind=Kind.STATUS, method="POST", status=402, body=b"{}", content_type="application/json", times=None)
    board = cli.sandbox.packagecloud.faults
    cli.packagecloud_fault(Kind.NOTHING, method="DELETE", hook=lambda: board.add(full))
    assert cli.run("apply", "plan.json").code == 9
    told = cli.run("receipts").out
    assert "  1 MISSING. Apply incomplete: " in told
    assert f"! {JAMMY}/{DEB.filename}" in told
    assert "MISSING, its bytes are in " in told

    board.clear()
    assert cli.run("apply", "plan.json").code == 0
    told = cli.run("receipts").out
    assert "MISSING, its bytes" not in told
    assert f"{LEAP}/" not in told


def test_no_receipt_at_all_and_a_broken_one(cli: Cli) -> None:
    state = Surroundings.of_user().state_dir
    assert cli.run("receipts").out == f"No receipt is kept in {state}.\n"
    broken = state / "receipts" / ("a" * 64) / "0001.json"
    broken.parent.mkdir(parents=True)
    broken.write_text(json.dumps({"plan_digest": 1}))
    done = cli.run("receipts")
    assert (done.code, done.out) == (0, f"No receipt is kept in {state}.\n")
    assert done.err.startswith(f"warning: {broken}: ")


def test_a_receipt_that_cannot_be_written_where_it_should_is_kept(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    assert cli.run("plan", "-o", "plan.json").code == 0
    whole = Path.replace

    def full(self: Path, target: Path) -> Path:
        if target.name == "plan.receipt.json":
            raise OSError(28, "No space left on device")
        return whole(self, target)

    monkeypatch.setattr(Path, "replace", full)
    done = cli.run("apply", "plan.json")
    (copy,) = kept(cli)
    assert (done.code, done.errors) == (
        1,
        ["error: The receipt plan.receipt.json cannot be written: No space left on device."],
    )
    assert f"It is kept in {copy}." in done.err
    assert json.loads(copy.read_text())["complete"] is True
