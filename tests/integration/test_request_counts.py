"""How many requests a plan costs, beside the predecessor's manner in the same world; and which wait for which."""

from functools import partial
from pathlib import Path
from threading import Barrier, Event
from typing import cast

import pytest

from pkgsync import api, config
from pkgsync.sandbox import PROJECT, REPOSITORY, Artifact, Fault, Kind, Sandbox, make_rpm
from tests.benchmarks.loop import Client, built, held
from tests.benchmarks.worlds import SIZES, fill, mapping

REPOSITORIES = {"repository0": "opensuse/15.6", "repository1": "opensuse/15.5"}
ROUNDS = [
    {
        ("obs", "/_meta", 1),
        ("obs", "/_result", 1),
        ("packagecloud", "/distributions", 1),
        ("packagecloud", "page=1", 1),
    },
    {("obs", "repository0/repodata/repomd", 1), ("obs", "repository1/repodata/repomd", 1)},
    {("obs", "repository0/.*primary", 1), ("obs", "repository1/.*primary", 1)},
    {("obs", "repository0/repodata/repomd", 2), ("obs", "repository1/repodata/repomd", 2), ("obs", "/_result", 2)},
]


def test_a_plan_asks_per_repository_and_page_where_the_predecessor_asked_per_package(tmp_path: Path) -> None:
    with Sandbox() as sandbox:
        fill(sandbox, SIZES["S"])
        path = sandbox.write_config(tmp_path, {"distributions": mapping(2)})
        around = api.Surroundings(env=sandbox.environment, home=tmp_path, cache_dir=tmp_path, state_dir=tmp_path)

        planned = api.plan(config.load(path, sandbox.environment), around)

        assert planned.actions == ()
        assert planned.summary.total.unchanged == 300
        assert sandbox.log.count("obs") == 3 + 2 * 3  # the project, and two repositories
        assert sandbox.log.count("packagecloud") == 1 + 2  # the distributions, and 300 rows in pages of 250

        sandbox.log.clear()
        offered = built(Client(sandbox.obs_url, sandbox.obs.user, sandbox.obs.password), PROJECT)
        there = held(Client(sandbox.packagecloud_url, sandbox.token, ""), REPOSITORY)

        assert offered == there
        assert len(there) == 300
        assert sandbox.log.count() == 115  # as was measured of the predecessor itself


def around(sandbox: Sandbox, folder: Path) -> api.Surroundings:
    return api.Surroundings(env=sandbox.environment, home=folder, cache_dir=folder, state_dir=folder)


def offer(sandbox: Sandbox, *projects: str, file: Artifact) -> None:
    for project in projects:
        for repository in REPOSITORIES:
            sandbox.obs.add_repository(project, repository, "rpm", ["x86_64"])
            sandbox.obs.finish(project, repository, "x86_64", "hello", [file])
            sandbox.obs.publish(project, repository)


def test_a_plan_takes_four_rounds_however_many_repositories_it_reads(tmp_path: Path) -> None:
    """All requests of a round are held until the last one of them has come; the second look finds all lists read."""
    with Sandbox() as sandbox:
        offer(sandbox, PROJECT, file=make_rpm("hello", "1.0"))
        path = sandbox.write_config(tmp_path, {"distributions": REPOSITORIES})
        read: list[bool] = []
        faults = {"obs": sandbox.obs.faults, "packagecloud": sandbox.packagecloud.faults}

        def lists_are_read() -> None:
            read.extend(entry.ended for entry in sandbox.log.find("obs", target="primary"))

        for number, requests in enumerate(ROUNDS):
            together = Barrier(len(requests), action=lists_are_read if number == 3 else None)
            for service, asked, nth in requests:
                hold = Fault(kind=Kind.NOTHING, path=asked, nth=nth, hook=partial(together.wait, 30))
                faults[service].add(hold)

        planned = api.plan(config.load(path, sandbox.environment), around(sandbox, tmp_path))

        assert [action.key for action in planned.uploads] == [
            "opensuse/15.5/hello-1.0-1.x86_64.rpm",
            "opensuse/15.6/hello-1.0-1.x86_64.rpm",
        ]
        assert read == [True, True]
        assert sandbox.log.count() == sum(map(len, ROUNDS)) == 11
        assert [fault.hits for switchboard in faults.values() for fault in switchboard.faults] == [1] * 11


def test_the_second_look_begins_after_the_last_list_of_the_project(tmp_path: Path) -> None:
    """Over one connection the order is exact: nothing is looked at again before all lists are read."""
    with Sandbox() as sandbox:
        offer(sandbox, PROJECT, file=make_rpm("hello", "1.0"))
        changes = {"distributions": REPOSITORIES, "connections": {"obs": 1}}
        path = sandbox.write_config(tmp_path, changes)

        planned = api.plan(config.load(path, sandbox.environment), around(sandbox, tmp_path))

        assert len(planned.uploads) == 2
        words = (
            "_meta",
            "_result",
            "repository0/repodata/repomd",
            "repository0",
            "repository1/repodata/repomd",
            "repository1",
        )
        asked = [next(word for word in words if word in entry.target) for entry in sandbox.log.find("obs")]
        assert asked == [
            "_meta",
            "_result",
            "repository0/repodata/repomd",
            "repository0",
            "repository1/repodata/repomd",
            "repository1",
            "_result",
            "repository0/repodata/repomd",
            "repository1/repodata/repomd",
        ]


@pytest.mark.parametrize("asked", ["slow/.*primary", "slow/_result"])
def test_no_project_waits_for_another_one(tmp_path: Path, asked: str) -> None:
    """What one project's server takes its time for comes only after all of the other project is read."""
    with Sandbox() as sandbox:
        offer(sandbox, "slow", "quick", file=make_rpm("hello", "1.0"))
        obs = cast(dict[str, object], sandbox.config()["obs"])
        changes = {
            "obs": {**obs, "projects": [{"name": "slow"}, {"name": "quick"}]},
            "distributions": REPOSITORIES,
        }
        path = sandbox.write_config(tmp_path, changes)
        looked, in_time = Event(), []
        hold = Fault(kind=Kind.NOTHING, path=asked, hook=lambda: in_time.append(looked.wait(30)))
        sandbox.obs.faults.add(hold)
        sandbox.obs.faults.add(Fault(kind=Kind.NOTHING, path="quick/_result", nth=2, hook=looked.set))

        planned = api.plan(config.load(path, sandbox.environment), around(sandbox, tmp_path))

        assert len(planned.uploads) == 2
        assert in_time == [True]
