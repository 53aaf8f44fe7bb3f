"""The faults of the predecessor (kata-pkgsync) in transferring and deleting; each test names the fault."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import requests
from attrs import evolve
from msgspec.structs import replace

from pkgsync.apply.share import Part, Phase
from pkgsync.sandbox import PROJECT, REPOSITORY, Fault, Kind, Reply
from tests.support.worlds import apply_world
from tests.support.worlds.apply_world import FILES, LEAP, QUICK, World, open_world, outcomes, rpm, sha

NEW = [rpm(f"tool{number}", "2.0", size=50_000) for number in range(3)]
OLD = [rpm(f"tool{number}", "1.0") for number in range(3)]
WANTED = {f"{LEAP}/{file.filename}": sha(file) for file in NEW}


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with open_world(tmp_path) as world:
        world.publish(*NEW)
        for old in OLD:
            world.put(old)
        yield world


def assert_no_old_file_is_lost(world: World) -> None:
    assert {f"{LEAP}/{old.filename}" for old in OLD} <= world.content.keys()


def of(file: str) -> str:
    return rf"/published/.*{file}-2.0.*\.rpm$"


def test_1_a_download_that_is_always_cut_keeps_the_orphans_and_fails(world: World) -> None:
    world.sandbox.obs.faults.add(Fault(kind=Kind.CUT, path=of("tool1"), keep=20_000, times=None))
    receipt = world.apply(world.plan())
    assert (outcomes(receipt)[NEW[1].filename], receipt.exit_code) == ("failed", 5)
    assert_no_old_file_is_lost(world)
    assert world.count("DELETE") == 0


def test_2_a_shorter_body_with_a_consistent_length_is_not_uploaded_and_is_repaired(world: World) -> None:
    plan = world.plan()
    fault = world.sandbox.obs.faults.add(Fault(kind=Kind.TRUNCATE, path=of("tool1"), keep=20_000, times=None))
    assert world.apply(plan).exit_code in (5, 6)
    assert f"{LEAP}/{NEW[1].filename}" not in world.content
    world.sandbox.obs.faults.faults.remove(fault)
    assert world.apply(plan).exit_code == 0
    assert world.content == WANTED


def test_3_wrong_bytes_of_the_right_size_are_not_uploaded(world: World) -> None:
    world.sandbox.obs.faults.add(Fault(kind=Kind.CORRUPT, path=of("tool1"), times=None))
    receipt = world.apply(world.plan())
    assert (outcomes(receipt)[NEW[1].filename], receipt.exit_code) == ("failed", 6)
    assert f"{LEAP}/{NEW[1].filename}" not in world.content


def test_4_a_bad_file_in_the_cache_is_not_uploaded_by_the_next_run(world: World) -> None:
    plan = world.plan()
    world.sandbox.packagecloud.faults.add(Fault(kind=Kind.STATUS, method="POST", status=500, times=None))
    world.apply(plan)
    world.sandbox.packagecloud.faults.clear()
    cached = [path for path in (world.folder / "cache").rglob("*") if path.is_file()]
    assert len(cached) == 3
    for path in cached:
        path.write_bytes(b"x" * path.stat().st_size)
    before = world.sandbox.log.count("obs", target=FILES)
    assert world.apply(plan).exit_code == 0
    assert world.content == WANTED
    assert world.sandbox.log.count("obs", target=FILES) == before + 3, "OBS is asked again"


def test_9_one_refused_upload_neither_stops_the_others_nor_lets_orphans_go(world: World) -> None:
    world.sandbox.packagecloud.faults.add(Fault(kind=Kind.STATUS, method="POST", status=500, times=4))
    receipt = world.apply(world.plan(), jobs=1)
    found = outcomes(receipt)
    assert [found[new.filename] for new in NEW] == ["failed", "done", "done"]
    assert {found[old.filename] for old in OLD} == {"left"}
    assert receipt.exit_code == 5
    assert_no_old_file_is_lost(world)


def test_10_if_no_upload_arrives_nothing_is_deleted(world: World) -> None:
    world.sandbox.packagecloud.faults.add(Fault(kind=Kind.STATUS, method="POST", status=500, times=None))
    receipt = world.apply(world.plan())
    assert (receipt.exit_code, world.count("DELETE")) == (5, 0)
    assert_no_old_file_is_lost(world)


def test_11_stored_but_answered_502_is_done(world: World) -> None:
    def bad_gateway(reply: Reply) -> Reply:
        return evolve(reply, status=502, body=b"<html>Bad Gateway</html>")

    world.sandbox.packagecloud.faults.add(Fault(kind=Kind.REWRITE, method="POST", change=bad_gateway, times=None))
    receipt = world.apply(world.plan())
    assert (receipt.exit_code, world.content, world.count("POST")) == (0, WANTED, 3)


def test_17_a_deletion_that_answers_500_is_a_failure(world: World) -> None:
    world.sandbox.packagecloud.faults.add(
        Fault(kind=Kind.STATUS, method="DELETE", path="tool1", status=500, times=None)
    )
    receipt = world.apply(world.plan())
    found = outcomes(receipt)
    assert [found[old.filename] for old in OLD] == ["done", "failed", "done"]
    assert receipt.exit_code == 5


def test_18_noarch_built_for_two_architectures_is_uploaded_once(world: World) -> None:
    noarch, *others = [rpm("data", arch="noarch", size=1000), rpm("after-data")]
    for arch in ("x86_64", "aarch64"):
        world.sandbox.obs.finish(PROJECT, "openSUSE_Leap_15.6", arch, "data", [noarch])
    world.publish(*others, package="more")
    receipt = world.apply(world.plan())
    assert receipt.exit_code == 0
    assert [line.filename for line in receipt.lines].count(noarch.filename) == 1
    posts = world.sandbox.log.find("packagecloud", "POST")
    assert sorted(entry.status for entry in posts) == [201] * 5


@pytest.mark.parametrize(
    ("service", "method", "path"), [("obs", "GET", FILES), ("packagecloud", "POST", ""), ("packagecloud", "DELETE", "")]
)
def test_23_a_request_that_hangs_is_given_up(
    world: World, monkeypatch: pytest.MonkeyPatch, service: str, method: str, path: str
) -> None:
    short = replace(QUICK, read_seconds=0.2, upload_read_seconds=0.2)
    monkeypatch.setattr(apply_world, "QUICK", short)
    switchboard = world.sandbox.obs.faults if service == "obs" else world.sandbox.packagecloud.faults
    switchboard.add(Fault(kind=Kind.HANG, method=method, path=path, times=1))
    receipt = world.apply(world.plan())
    assert (receipt.exit_code, world.content) == (0, WANTED)


def test_24_run_twice_while_the_listing_lags_uploads_nothing_again(world: World) -> None:
    for old in OLD:
        world.remove(old)
    plan = world.plan()
    world.sandbox.packagecloud.listing_lag = 8
    assert world.apply(plan).exit_code == 0
    assert f"{LEAP}/{NEW[0].filename}" not in {row.key for row in world.actual().rows}
    receipt = world.apply(plan)
    stored = [entry for entry in world.sandbox.log.find("packagecloud", "POST") if entry.status == 201]
    assert len(stored) == 3
    assert (receipt.exit_code, world.content) == (0, WANTED)
    assert set(outcomes(receipt).values()) == {"done"}


def test_25_run_twice_while_deletions_lag_counts_only_its_own_404s(world: World) -> None:
    plan = world.plan()
    assert world.apply(plan, part=Part(Phase.UPLOADS)).exit_code == 0
    lag = lagging_listing(world)
    world.apply(plan)
    receipt = world.apply(plan)
    found = [line for line in receipt.lines if line.action == "deletion"]
    assert {(str(line.outcome), line.verified) for line in found} == {("done", "reply")}
    lag()
    deleted = [entry for entry in world.sandbox.log.find("packagecloud", "DELETE") if entry.status == 200]
    assert (len(deleted), world.content) == (3, WANTED)
    assert world.apply(plan).exit_code == 0


def _always(reply: Reply) -> Callable[[Reply], Reply]:
    return lambda _: reply


def lagging_listing(world: World) -> Callable[[], None]:
    """Listing and search go on showing what they show now; gives what ends that."""
    base = f"{world.sandbox.packagecloud_url}/api/v1/repos/{REPOSITORY}"
    faults = []
    places = [(r"/packages\.json\?", "packages.json?per_page=250&page=1")]
    places += [
        (rf"/search\.json.*q={old.filename}", f"search.json?q={old.filename}&dist={LEAP}&per_page=250&page=1")
        for old in OLD
    ]
    for path, route in places:
        shown = requests.get(f"{base}/{route}", auth=(world.sandbox.token, ""), timeout=60)
        headers = tuple((name, value) for name, value in shown.headers.items() if name not in ("Server", "Date"))
        fixed = Reply(status=200, headers=headers, body=shown.content)
        fault = Fault(kind=Kind.REWRITE, method="GET", path=path, times=None, change=_always(fixed))
        faults.append(world.sandbox.packagecloud.faults.add(fault))

    def end() -> None:
        for fault in faults:
            world.sandbox.packagecloud.faults.faults.remove(fault)

    return end
