"""The gap of a replacement: nothing is taken away from a server that takes no uploads, and nothing local widens it."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from pkgsync.apply import journal
from pkgsync.cache import Cache
from pkgsync.errors import LockedError
from pkgsync.sandbox import REPOSITORY, Fault, Kind, Reply, json_error, replace_body
from tests.support.worlds.apply_world import JAMMY, LEAP, World, deb, open_world, outcomes, rpm, sha

NAMES = ("one", "three", "two")
BEFORE = {name: deb(name, salt="before") for name in NAMES}
AFTER = {name: deb(name, salt="after") for name in NAMES}
ALL_BEFORE = {f"{JAMMY}/{BEFORE[name].filename}": sha(BEFORE[name]) for name in NAMES}
ALL_AFTER = {f"{JAMMY}/{AFTER[name].filename}": sha(AFTER[name]) for name in NAMES}
ONE = f"{JAMMY}/one_1.0-1_amd64.deb"
TAKEN = {"filename": ["has already been taken"]}
REFUSALS: list[tuple[int, object]] = [
    (401, {"error": "Unauthenticated"}),
    (402, {"error": ["payment required"]}),
    (403, {"error": "Forbidden"}),
    (422, {"plan": ["is full"]}),
    (422, TAKEN | {"plan": ["is full"]}),
    (422, {"package_file": ["is not a valid package"]}),
    (429, {"error": "Bandwidth or Storage Limit Exceeded"}),
    (500, {"error": "oops"}),
]


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with open_world(tmp_path) as world:
        world.publish(*AFTER.values())
        for artifact in BEFORE.values():
            world.put(artifact, JAMMY)
        yield world


def refuse_uploads(world: World, status: int, body: object, nth: int = 1, times: int | None = None) -> None:
    fault = json_error(status, body, path="packages.json", method="POST", times=times)
    fault.nth = nth
    world.sandbox.packagecloud.faults.add(fault)


# before the first DELETE


@pytest.mark.parametrize(("status", "body"), REFUSALS)
def test_nothing_is_taken_away_where_uploads_are_refused(world: World, status: int, body: object) -> None:
    plan = world.plan()
    refuse_uploads(world, status, body)
    receipt = world.apply(plan, jobs=1)
    assert (world.content, world.count("DELETE"), receipt.complete) == (ALL_BEFORE, 0, False)
    assert "done" not in outcomes(receipt).values()
    assert not [line for line in receipt.lines if line.missing]

    world.sandbox.packagecloud.faults.clear()
    assert world.apply(plan).exit_code == 0
    assert world.content == ALL_AFTER


def test_the_proof_is_asked_for_once_in_a_run(world: World) -> None:
    receipt = world.apply(world.plan())
    assert (receipt.exit_code, world.content) == (0, ALL_AFTER)
    assert (world.count("POST"), world.count("DELETE")) == (4, 3)
    first = next(e for e in world.sandbox.log.entries if e.service == "packagecloud" and e.method != "GET")
    assert first.method == "POST"


def test_uploads_of_the_same_run_are_no_proof_as_they_may_have_used_up_the_quota(world: World) -> None:
    world.publish(*AFTER.values(), deb("new"))
    plan = world.plan()
    refuse_uploads(world, 402, {"error": ["payment required"]}, nth=2)
    receipt = world.apply(plan, jobs=1)
    assert (receipt.exit_code, world.count("DELETE")) == (9, 0)
    assert outcomes(receipt)[deb("new").filename] == "done"


@pytest.mark.parametrize("kind", [Kind.RESET, Kind.RESET_AFTER_BODY, Kind.REPLY_LOST, Kind.CUT])
def test_an_unclear_answer_is_no_proof_and_is_asked_for_again(world: World, kind: Kind) -> None:
    plan = world.plan()
    world.sandbox.packagecloud.faults.add(Fault(kind=kind, method="POST", keep=5))
    assert (world.apply(plan, jobs=1).exit_code, world.content) == (0, ALL_AFTER)


def test_a_server_that_says_it_took_the_new_file_beside_the_old_gets_no_delete(world: World) -> None:
    plan = world.plan()
    says = json_error(201, {"filename": AFTER["one"].filename, "sha256sum": sha(AFTER["one"])}, method="POST")
    world.sandbox.packagecloud.faults.add(says)
    receipt = world.apply(plan, jobs=1)
    assert outcomes(receipt)[AFTER["one"].filename] == "failed"
    assert world.content[ONE] == sha(BEFORE["one"])


def test_a_server_that_overwrites_needs_no_delete(world: World) -> None:
    plan = world.plan()

    def overwrite() -> None:
        world.remove(BEFORE["one"], JAMMY)

    world.sandbox.packagecloud.faults.add(Fault(kind=Kind.NOTHING, method="POST", hook=overwrite))
    receipt = world.apply(plan, jobs=1)
    assert (receipt.exit_code, world.content, world.count("DELETE")) == (0, ALL_AFTER, 2)


# both contents are in hand


def at_delete(world: World, hook: Callable[[], object]) -> None:
    world.sandbox.packagecloud.faults.add(Fault(kind=Kind.NOTHING, method="DELETE", hook=hook))


def test_files_that_vanish_with_the_delete_are_in_hand(world: World) -> None:
    plan = world.plan()

    def vanish() -> None:
        for artifact in (AFTER["one"], BEFORE["one"]):
            for store in ("cache", "backups"):
                digest = sha(artifact)
                (world.folder / store / "objects" / digest[:2] / digest).unlink(missing_ok=True)

    at_delete(world, vanish)
    assert (world.apply(plan, jobs=1).exit_code, world.content) == (0, ALL_AFTER)


def test_an_old_file_whose_backup_vanishes_with_the_delete_still_goes_back(world: World) -> None:
    plan = world.plan()
    digest = sha(BEFORE["one"])
    at_delete(world, (world.folder / "backups" / "objects" / digest[:2] / digest).unlink)
    refuse_uploads(world, 422, {"x": ["y"]}, nth=2, times=1)
    receipt = world.apply(plan, jobs=1)
    assert "the old file was put back" in receipt.lines[0].message
    assert world.content == ALL_AFTER | {ONE: sha(BEFORE["one"])}


def test_a_file_that_was_damaged_before_the_delete_stops_it(world: World) -> None:
    plan = world.plan()
    digest = sha(AFTER["one"])
    place = world.folder / "cache" / "objects" / digest[:2] / digest

    def damage() -> None:
        place.write_bytes(bytes(place.stat().st_size))

    world.sandbox.packagecloud.faults.add(Fault(kind=Kind.NOTHING, path=r"search.*one_1", hook=damage))
    receipt = world.apply(plan, jobs=1)
    assert outcomes(receipt)[AFTER["one"].filename] == "failed"
    assert world.content == ALL_AFTER | {ONE: sha(BEFORE["one"])}


# after our own DELETE


@pytest.mark.parametrize(("status", "body"), REFUSALS)
def test_a_refused_upload_after_the_delete_brings_the_old_file_back(world: World, status: int, body: object) -> None:
    plan = world.plan()
    refuse_uploads(world, status, body, nth=2, times=8 if status == 500 else 1)
    receipt = world.apply(plan, jobs=1)
    assert world.content[ONE] == sha(BEFORE["one"])
    assert "the old file was put back" in receipt.lines[0].message
    assert (receipt.lines[0].outcome, receipt.lines[0].missing) == ("failed", None)

    assert world.apply(plan).exit_code == 0
    assert world.content == ALL_AFTER


def full_from(monkeypatch: pytest.MonkeyPatch, event: bytes) -> None:
    """The journal's disk is full from the record on that comes after the first one that holds ``event``."""
    write, full = journal._write_all, False

    def fills_up(stream: Any, data: bytes) -> None:
        nonlocal full
        if full:
            raise OSError(28, "No space left on device")
        write(stream, data)
        full = event in data

    monkeypatch.setattr(journal, "_write_all", fills_up)


def test_a_journal_that_is_full_after_the_delete_does_not_stop_the_put_back(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = world.plan()
    with monkeypatch.context() as patch:
        full_from(patch, b'"delete"')
        receipt = world.apply(plan, jobs=1)
    assert (world.content, world.count("DELETE")) == (ALL_BEFORE, 1)
    assert list(outcomes(receipt).values()) == ["failed", "left", "left"]
    assert "the old file was put back" in receipt.lines[0].message
    assert (receipt.exit_code, receipt.lines[0].missing) == (5, None)

    world.sandbox.clock.advance(60)
    assert world.apply(plan).exit_code == 0
    assert world.content == ALL_AFTER


@pytest.mark.parametrize("name", ["look", "details", "page"])
def test_any_exception_of_a_look_leads_to_the_put_back_too(
    world: World, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    plan, client = world.plan(), world.client()
    if name != "look":  # else it is the look after the DELETE that fails
        refuse_uploads(world, 402, {}, nth=2, times=1)
    whole = getattr(client, name)

    def odd(*arguments: Any, **options: Any) -> Any:
        if world.count("DELETE"):
            raise ValueError("a bug")
        return whole(*arguments, **options)

    monkeypatch.setattr(client, name, odd)
    receipt = world.apply(plan, client=client, jobs=1)
    assert (world.content, receipt.lines[0].missing) == (ALL_BEFORE, None)
    assert "the old file was put back" in receipt.lines[0].message


def test_a_backup_folder_that_breaks_after_the_delete_costs_nothing(world: World) -> None:
    plan = world.plan()

    def broken() -> None:
        (world.folder / "backups").rename(world.folder / "away")
        (world.folder / "backups").write_text("a file")

    at_delete(world, broken)
    receipt = world.apply(plan, jobs=1)
    assert world.content == ALL_BEFORE | {ONE: sha(AFTER["one"])}
    assert (receipt.lines[0].outcome, receipt.lines[0].undo) == ("done", "none")


def test_any_exception_after_the_delete_leads_to_the_put_back(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    plan, client = world.plan(), world.client()
    upload, uploads = client.upload, []

    def odd(*arguments: Any, **options: Any) -> Any:
        uploads.append(1)
        if len(uploads) == 2:
            raise RuntimeError("a bug")
        return upload(*arguments, **options)

    monkeypatch.setattr(client, "upload", odd)
    receipt = world.apply(plan, client=client, jobs=1)
    assert world.content == ALL_BEFORE
    assert list(outcomes(receipt).values()) == ["failed", "left", "left"]
    assert "the old file was put back" in receipt.lines[0].message


def test_a_delete_whose_outcome_no_look_tells_leads_to_the_put_back_too(world: World) -> None:
    plan = world.plan()
    search = Fault(kind=Kind.STATUS, path="search.json", status=500, times=None)
    world.sandbox.packagecloud.faults.add(
        Fault(kind=Kind.REPLY_LOST, method="DELETE", hook=lambda: world.sandbox.packagecloud.faults.add(search))
    )
    receipt = world.apply(plan, jobs=1)
    assert (world.content.get(ONE), receipt.lines[0].missing) == (sha(BEFORE["one"]), None)


# absence


def empty_search(world: World) -> None:
    none: Callable[[Reply], Reply] = replace_body(b"[]")

    def change(reply: Reply) -> Reply:
        return none(reply).with_header("Total", "0")

    fault = Fault(kind=Kind.REWRITE, path=r"search\.json", times=None, change=change)
    world.sandbox.packagecloud.faults.add(fault)


def test_an_empty_search_does_not_make_a_replacement_of_a_row_that_is_listed(world: World) -> None:
    plan = world.plan()
    empty_search(world)
    receipt = world.apply(plan, jobs=1)
    assert (world.content, world.count("DELETE"), receipt.exit_code) == (ALL_BEFORE, 0, 5)
    assert not [line for line in receipt.lines if line.missing]


def test_an_empty_search_does_not_make_a_deletion_done_of_a_row_that_is_listed(tmp_path: Path) -> None:
    new, old = rpm(version="2.0"), rpm(version="1.0")
    with open_world(tmp_path) as world:
        world.publish(new)
        world.put(new)
        world.put(old)
        plan = world.plan()
        empty_search(world)
        receipt = world.apply(plan, jobs=1)
        assert (outcomes(receipt), receipt.exit_code) == ({old.filename: "failed"}, 5)
        assert world.content[f"{LEAP}/{old.filename}"] == sha(old)
        assert "lists it" in receipt.lines[0].message

        world.sandbox.packagecloud.faults.clear()
        world.sandbox.packagecloud.delete(REPOSITORY, LEAP, old.filename)
        assert outcomes(world.apply(plan)) == {old.filename: "already-done"}


# the cache


def test_prune_waits_for_nobody_but_does_not_prune_beside_an_apply(world: World) -> None:
    plan, refused = world.plan(), []

    def prune() -> None:
        with pytest.raises(LockedError) as error:
            Cache(world.folder / "cache").prune()
        refused.append(error.value)

    at_delete(world, prune)
    assert world.apply(plan).exit_code == 0
    assert (world.content, len(refused)) == (ALL_AFTER, 1)
    assert Cache(world.folder / "cache").prune().files == 3
