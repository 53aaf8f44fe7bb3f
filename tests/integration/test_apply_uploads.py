"""One upload against all that a server can answer: never a duplicate, never a wrong word about it."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve

from pkgsync.sandbox import Artifact, Fault, Kind, Reply
from pkgsync.sandbox.faults import quota
from tests.support.worlds.apply_world import FILES, LEAP, World, open_world, outcomes, rpm, sha

POST = {"method": "POST", "path": "/packages.json"}


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with open_world(tmp_path) as world:
        yield world


@pytest.fixture
def file(world: World) -> Artifact:
    file = rpm()
    world.publish(file)
    return file


def fail(world: World, kind: Kind, **more: Any) -> Fault:
    return world.sandbox.packagecloud.faults.add(Fault(kind=kind, **{**POST, **more}))


def is_there(world: World, file: Artifact) -> bool:
    return world.content == {f"{LEAP}/{file.filename}": sha(file)}


@pytest.mark.parametrize(
    ("kind", "posts"),
    [
        (Kind.REPLY_LOST, 1),
        (Kind.RESET, 2),
        (Kind.RESET_AFTER_BODY, 2),
        (Kind.STATUS, 2),
        (Kind.EMPTY, 1),
        (Kind.CUT, 1),
        (Kind.TYPE, 1),
    ],
)
def test_an_unclear_answer_is_settled_by_a_look(world: World, file: Artifact, kind: Kind, posts: int) -> None:
    fail(world, kind, times=1, status=502)
    receipt = world.apply(world.plan())
    assert outcomes(receipt) == {file.filename: "done"}
    assert is_there(world, file)
    assert world.count("POST") == posts
    assert (receipt.exit_code, receipt.lines[0].attempts) == (0, posts)


def test_stored_but_answered_502_is_done_with_one_request(world: World, file: Artifact) -> None:
    def bad_gateway(reply: Reply) -> Reply:  # the upload has taken effect by now
        return Reply(status=502, headers=(("Content-Type", "text/html"),), body=b"<html>Bad Gateway</html>")

    fail(world, Kind.REWRITE, change=bad_gateway)
    receipt = world.apply(world.plan())
    assert outcomes(receipt) == {file.filename: "done"}
    assert receipt.lines[0].verified == "listing"
    assert world.count("POST") == 1


def test_a_server_that_never_takes_it_is_given_up(world: World, file: Artifact) -> None:
    fail(world, Kind.STATUS, status=500, times=None)
    receipt = world.apply(world.plan())
    assert outcomes(receipt) == {file.filename: "failed"}
    assert (receipt.exit_code, world.count("POST"), world.content) == (5, 4, {})
    assert "(tried 4 times)" in receipt.lines[0].message


def test_one_bad_package_does_not_stop_the_others(world: World) -> None:
    bad, good = rpm("bad"), rpm("good")
    world.publish(bad, good)
    fail(
        world,
        Kind.STATUS,
        status=422,
        body=b'{"package_file":["is not a valid package"]}',
        content_type="application/json",
        nth=1,
    )
    receipt = world.apply(world.plan(), jobs=1)
    assert outcomes(receipt) == {bad.filename: "failed", good.filename: "done"}
    assert receipt.lines[0].message == f"Packagecloud refused the upload of {bad.filename}: status 422"
    assert (receipt.exit_code, world.count("POST")) == (5, 2)


@pytest.mark.parametrize("wording", ["filename", "repository"])
def test_a_duplicate_with_equal_content_is_already_done(world: World, file: Artifact, wording: str) -> None:
    world.sandbox.packagecloud.duplicate = wording  # type: ignore[assignment]
    plan = world.plan()
    fail(world, Kind.NOTHING, hook=lambda: world.put(file))
    receipt = world.apply(plan)
    assert outcomes(receipt) == {file.filename: "already-done"}
    assert (receipt.exit_code, world.count("POST")) == (0, 1)


def test_a_duplicate_with_other_content_is_stale(world: World, file: Artifact) -> None:
    other = rpm(salt="other")
    plan = world.plan()
    fail(world, Kind.NOTHING, hook=lambda: world.put(other))
    receipt = world.apply(plan)
    assert outcomes(receipt) == {file.filename: "stale"}
    assert (receipt.exit_code, world.count("POST")) == (4, 1)
    assert world.content == {f"{LEAP}/{file.filename}": sha(other)}


def test_a_duplicate_of_unknown_checksum_is_downloaded_back(world: World, file: Artifact) -> None:
    plan = world.plan()
    world.sandbox.packagecloud.sha_delay = None
    fail(world, Kind.NOTHING, hook=lambda: world.put(file))
    receipt = world.apply(plan)
    assert outcomes(receipt) == {file.filename: "already-done"}
    assert receipt.lines[0].verified == "download"


def test_a_missing_checksum_in_the_answer_is_asked_for(world: World, file: Artifact) -> None:
    world.sandbox.packagecloud.sha_delay = 3
    receipt = world.apply(world.plan())
    assert outcomes(receipt) == {file.filename: "done"}
    assert receipt.lines[0].verified == "listing"


def test_a_checksum_that_never_comes_is_made_from_a_download(world: World, file: Artifact) -> None:
    world.sandbox.packagecloud.sha_delay = None
    receipt = world.apply(world.plan())
    assert outcomes(receipt) == {file.filename: "done"}
    assert receipt.lines[0].verified == "download"
    assert len(world.sandbox.log.find("cdn")) == 1


def test_a_server_that_stored_other_bytes_is_found_out(world: World, file: Artifact) -> None:
    world.sandbox.packagecloud.sha_delay = None
    world.sandbox.packagecloud.cdn_faults.add(Fault(kind=Kind.CORRUPT, times=None))
    receipt = world.apply(world.plan())
    assert outcomes(receipt) == {file.filename: "failed"}
    assert receipt.exit_code == 6


@pytest.mark.parametrize("status", [402, 429])
def test_an_exhausted_quota_stops_the_run(world: World, status: int) -> None:
    world.publish(*(rpm(f"tool{number}") for number in range(6)))
    world.put(rpm("tool0", "0.1"))
    plan = world.plan()
    world.sandbox.packagecloud.faults.add(quota(path="/packages.json$", status=status))
    world.sandbox.packagecloud.faults.faults[0].method = "POST"
    receipt = world.apply(plan, jobs=1)
    assert receipt.exit_code == 9
    assert [str(line.outcome) for line in receipt.lines] == ["failed", *["left"] * 6]
    assert (world.count("POST"), world.count("DELETE")) == (1, 0)


def test_a_full_plan_is_a_quota_too(world: World, file: Artifact) -> None:
    world.sandbox.packagecloud.plan_full = True
    receipt = world.apply(world.plan())
    assert (receipt.exit_code, world.count("POST")) == (9, 1)


def test_refused_credentials_stop_the_run(world: World) -> None:
    world.publish(rpm("one"), rpm("two"))
    plan = world.plan()
    fail(world, Kind.STATUS, status=403, times=None)
    receipt = world.apply(plan, jobs=1)
    assert receipt.exit_code == 7
    assert (outcomes(receipt)["two-1.0-1.x86_64.rpm"], world.count("POST")) == ("left", 1)


@pytest.mark.parametrize("status", [429, 503])
def test_being_asked_to_wait_is_obeyed_and_capped(world: World, file: Artifact, status: int) -> None:
    fail(world, Kind.STATUS, status=status, headers={"Retry-After": "7"})
    fail(world, Kind.STATUS, status=status, headers={"Retry-After": "86400"}, nth=2)
    receipt = world.apply(world.plan())
    assert outcomes(receipt) == {file.filename: "done"}
    assert world.pauses == [7, 120]
    assert world.count("POST") == 3


def test_wrong_bytes_of_the_right_size_never_leave_this_machine(world: World, file: Artifact) -> None:
    world.sandbox.obs.faults.add(Fault(kind=Kind.CORRUPT, path=FILES, times=None))
    receipt = world.apply(world.plan())
    assert outcomes(receipt) == {file.filename: "failed"}
    assert (receipt.exit_code, world.count("POST"), world.content) == (6, 0, {})
    assert [path for path in (world.folder / "cache").rglob("*") if path.is_file()] == []


def test_wrong_bytes_once_are_fetched_again(world: World, file: Artifact) -> None:
    world.sandbox.obs.faults.add(Fault(kind=Kind.CORRUPT, path=FILES, times=1))
    assert outcomes(world.apply(world.plan())) == {file.filename: "done"}
    assert is_there(world, file)


@pytest.mark.parametrize("kind", [Kind.CUT, Kind.RESET_MIDWAY, Kind.TRUNCATE])
def test_a_cut_download_is_finished(world: World, kind: Kind) -> None:
    file = rpm(size=200_000)
    world.publish(file)
    world.sandbox.obs.faults.add(Fault(kind=kind, path=FILES, keep=100_000, times=1))
    assert outcomes(world.apply(world.plan())) == {file.filename: "done"}
    assert is_there(world, file)


def test_a_file_that_is_listed_but_not_there_is_left(world: World, file: Artifact) -> None:
    world.sandbox.obs.faults.add(Fault(kind=Kind.STATUS, path=FILES, status=404, times=None))
    receipt = world.apply(world.plan())
    assert outcomes(receipt) == {file.filename: "left"}
    assert (receipt.lines[0].reason, receipt.exit_code, world.count("POST")) == ("not-there", 5, 0)
    place = f"{world.sandbox.obs_url}/published/demo:release/openSUSE_Leap_15.6/x86_64/{file.filename}"
    assert receipt.lines[0].message == f"OBS lists the file, but it is not there: {place}"


def test_downloads_and_uploads_overlap_and_are_bounded(world: World) -> None:
    world.publish(*(rpm(f"tool{number}", size=50_000) for number in range(12)))
    receipt = world.apply(world.plan(), jobs=2)
    assert receipt.exit_code == 0
    assert world.sandbox.log.peak("obs", target=FILES) <= 2
    assert world.sandbox.log.peak("packagecloud", "POST") <= 2
    kinds = [
        entry.method for entry in world.sandbox.log.entries if entry.method == "POST" or re.search(FILES, entry.target)
    ]
    assert "POST" in kinds[:10], "uploads wait for no more than the first downloads"
    assert [line.filename for line in receipt.lines] == sorted(line.filename for line in receipt.lines)


def test_a_cached_file_with_a_flipped_bit_is_fetched_again(world: World, file: Artifact) -> None:
    plan = world.plan()
    world.apply(plan)
    world.remove(file)
    (cached,) = [path for path in (world.folder / "cache").rglob("*") if path.is_file()]
    data = bytearray(cached.read_bytes())
    data[10] ^= 1
    cached.write_bytes(data)
    world.apply(plan)
    assert is_there(world, file)


@pytest.mark.parametrize("field", ["sha256sum", "size"])
def test_an_answer_that_tells_of_other_bytes_is_a_failure(world: World, file: Artifact, field: str) -> None:
    def lie(reply: Reply) -> Reply:
        told = json.loads(reply.body) | {field: {"sha256sum": "f" * 64, "size": "12"}[field]}
        return evolve(reply, body=json.dumps(told).encode())

    fail(world, Kind.REWRITE, change=lie)
    receipt = world.apply(world.plan())
    assert outcomes(receipt) == {file.filename: "failed"}
    assert (receipt.exit_code, world.count("POST")) == (6, 1)
    assert "other bytes" in receipt.lines[0].message
