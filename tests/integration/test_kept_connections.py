"""Servers that keep connections: how many are opened, and what it costs when one is closed under the next request."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from pkgsync import api, config
from pkgsync.config import Connections
from pkgsync.sandbox import PROJECT, REPOSITORY, Fault, Kind, Sandbox, make_rpm
from tests.support.worlds.apply_world import FILES, LEAP, QUICK, World, open_world, outcomes, rpm

REPOSITORIES = {f"repository{number}": f"opensuse/15.{number}" for number in (3, 4, 5, 6)}


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(keep_alive=True) as sandbox:
        for name, distribution in REPOSITORIES.items():
            sandbox.obs.add_repository(PROJECT, name, "rpm", ["x86_64"])
            files = [make_rpm(f"tool{number}") for number in range(10)]
            sandbox.obs.finish(PROJECT, name, "x86_64", "tool", files)
            sandbox.obs.publish(PROJECT, name)
            for file in files:
                sandbox.packagecloud.add(REPOSITORY, distribution, file.blob)
        sandbox.packagecloud.max_per_page = 5
        yield sandbox


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with open_world(tmp_path, keep_alive=True) as world:
        yield world


def plan(sandbox: Sandbox, folder: Path, *, obs: int = 2, listing: int = 3) -> None:
    """Over so many connections to each service; there is nothing to do."""
    changes = {"distributions": REPOSITORIES, "connections": {"obs": obs, "listing": listing}}
    path = sandbox.write_config(folder, changes)
    around = api.Surroundings(
        env=sandbox.environment, home=folder, cache_dir=folder, state_dir=folder, limits=QUICK, pause=lambda _: None
    )
    planned = api.plan(config.load(path, sandbox.environment), around)
    assert (planned.actions, planned.complete, planned.summary.total.unchanged) == ((), True, 40)


def ports(sandbox: Sandbox, service: str, method: str = "", target: str = "") -> list[int]:
    """The connections that such requests came over, in their order."""
    return [entry.port for entry in sandbox.log.find(service, method, target)]


def test_a_plan_opens_no_more_connections_than_it_may(sandbox: Sandbox, tmp_path: Path) -> None:
    plan(sandbox, tmp_path)
    assert (sandbox.log.count("obs"), sandbox.log.count("packagecloud")) == (3 + 4 * 3, 1 + 8)
    assert len(set(ports(sandbox, "obs"))) <= 2
    assert len(set(ports(sandbox, "packagecloud"))) <= 3


@pytest.mark.parametrize(
    ("service", "path", "nth"),
    [("obs", "/_result", 2), ("obs", "/repomd", 3), ("obs", "-primary", 4), ("packagecloud", "/packages.json", 8)],
)
def test_a_read_over_a_connection_that_is_just_closed_is_repeated(
    sandbox: Sandbox, tmp_path: Path, service: str, path: str, nth: int
) -> None:
    switchboard = sandbox.obs.faults if service == "obs" else sandbox.packagecloud.faults
    switchboard.add(Fault(kind=Kind.RESET, path=path, nth=nth))
    plan(sandbox, tmp_path, obs=1, listing=1)  # with more, the request could be the first one over its connection
    (lost,) = [entry for entry in sandbox.log.entries if not entry.status]
    before = [entry.port for entry in sandbox.log.entries[: sandbox.log.entries.index(lost)]]
    assert lost.port in before
    assert sandbox.log.count() == 24 + 1


def test_forty_small_uploads_open_no_more_connections_than_they_may(world: World) -> None:
    files = [rpm(f"tool{number:02}") for number in range(40)]
    world.publish(*files)
    some = replace(world.config(), connections=Connections(uploads=3, downloads=2))
    reviewed = world.plan()
    world.sandbox.log.clear()

    receipt = world.apply(reviewed, config=some)

    assert outcomes(receipt) == {file.filename: "done" for file in files}
    sent, fetched = ports(world.sandbox, "packagecloud", "POST"), ports(world.sandbox, "obs", target=FILES)
    assert (len(sent), len(fetched)) == (40, 40)
    assert len(set(sent)) <= 3
    assert len(set(fetched)) <= 2


@pytest.mark.parametrize("method", ["POST", "DELETE"])
def test_a_change_over_a_connection_that_is_just_closed_is_looked_up_and_sent_again(world: World, method: str) -> None:
    new, more, old = rpm(version="2.0"), rpm("more"), rpm(version="1.0")
    world.publish(new, more)
    world.put(old)
    lost = world.sandbox.packagecloud.faults.add(
        Fault(kind=Kind.RESET, method=method, nth=2 if method == "POST" else 1)
    )

    receipt = world.apply(world.plan(), jobs=1)

    assert outcomes(receipt) == {file.filename: "done" for file in (new, more, old)}
    assert set(world.content) == {f"{LEAP}/{file.filename}" for file in (new, more)}
    assert lost.hits == 1
    (broken,) = [entry for entry in world.sandbox.log.find("packagecloud") if not entry.status]
    entries = world.sandbox.log.find("packagecloud")
    assert broken.port in [entry.port for entry in entries[: entries.index(broken)]]
    assert (world.count("POST"), world.count("DELETE")) == ((3, 1) if method == "POST" else (2, 2))


def test_a_sandbox_that_ends_answers_nobody_any_more(tmp_path: Path) -> None:
    """A kept connection does not outlive its server."""
    with open_world(tmp_path, keep_alive=True) as world:
        client = world.client()
        client.catalogue()
    with pytest.raises(Exception, match="connection"):
        client.catalogue()
