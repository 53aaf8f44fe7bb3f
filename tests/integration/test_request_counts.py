"""How many requests a plan costs, beside the predecessor's manner in the same world."""

from pathlib import Path

from pkgsync import api, config
from pkgsync.sandbox import PROJECT, REPOSITORY, Sandbox
from tests.benchmarks.loop import Client, built, held
from tests.benchmarks.worlds import SIZES, fill, mapping


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
