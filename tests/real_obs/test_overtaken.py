"""OBS changes between plan and apply."""

import json
from collections.abc import Callable

from . import sources
from .conftest import MakeProject
from .driver import DEB, RPM, Project
from .runner import ORPHANS, Pkgsync, keys

STALE, PARTLY = 4, 5
FIRST, SECOND = "ubuntu/jammy/tool_1.0_amd64.deb", "ubuntu/jammy/tool_1.1_amd64.deb"
RPM_FIRST = "opensuse/15.6/tool-1.0-lp156.1.1.x86_64.rpm"

PkgsyncFor = Callable[..., Pkgsync]


def deb_project(make_project: MakeProject, version: str) -> Project:
    project = make_project({DEB: ("x86_64",)})
    commit(project, version)
    return project


def commit(project: Project, version: str, *, text: str = "content") -> None:
    project.commit("tool", sources.deb("tool", version, text=text))
    project.settle()


def results(pkgsync: Pkgsync) -> dict[str, tuple[str, str]]:
    """(outcome, reason) of each action of the plan's receipt, by key."""
    digest = json.loads((pkgsync.folder / "plan.json").read_text())["digest"]
    receipts = [json.loads(path.read_text()) for path in pkgsync.folder.glob("plan.receipt*.json")]
    (receipt,) = [receipt for receipt in receipts if receipt["plan_digest"] == digest]
    return {f"{a['distribution']}/{a['filename']}": (a["outcome"], a.get("reason")) for a in receipt["lines"]}


def test_a_planned_file_that_was_replaced_in_obs_is_stale(make_project: MakeProject, pkgsync_for: PkgsyncFor) -> None:
    project = deb_project(make_project, "1.0")
    pkgsync = pkgsync_for(project)
    assert FIRST in keys(pkgsync.plan()["uploads"])
    commit(project, "1.0", text="rebuilt")
    pkgsync.apply(code=STALE)
    assert pkgsync.contents() == {}
    assert results(pkgsync)[FIRST] == ("stale", "source-changed")


def test_a_planned_file_that_left_obs_is_stale(make_project: MakeProject, pkgsync_for: PkgsyncFor) -> None:
    project = deb_project(make_project, "1.0")
    pkgsync = pkgsync_for(project)
    pkgsync.plan()
    commit(project, "1.1")
    pkgsync.apply(code=STALE)
    assert pkgsync.contents() == {}
    assert results(pkgsync)[FIRST] == ("stale", "source-changed")


def test_what_obs_offers_again_is_not_deleted(make_project: MakeProject, pkgsync_for: PkgsyncFor) -> None:
    project = deb_project(make_project, "1.0")
    pkgsync = pkgsync_for(project, orphans=ORPHANS)
    pkgsync.sync()
    commit(project, "1.1")
    pkgsync.sync()
    assert FIRST in keys(pkgsync.plan()["deletions"])
    before = pkgsync.contents()
    commit(project, "1.0")
    pkgsync.apply(code=STALE)
    assert pkgsync.contents() == before
    assert results(pkgsync)[FIRST] == ("stale", "wanted-again")


def test_a_build_under_way_leaves_the_deletions_for_the_next_run(
    make_project: MakeProject, pkgsync_for: PkgsyncFor
) -> None:
    project = make_project({RPM: ("x86_64",)})
    for name in ("tool", "other"):
        project.commit(name, sources.rpm(name, "1.0"))
    project.settle()
    pkgsync = pkgsync_for(project, orphans=ORPHANS)
    pkgsync.sync()
    project.commit("tool", sources.rpm("tool", "1.1"))
    project.settle()
    plan = pkgsync.plan()
    assert keys(plan["deletions"]) == {RPM_FIRST}
    with project.backend.held("build"):
        project.rebuild("other")
        project.wait_for_code(RPM, "building")
        pkgsync.apply(code=PARTLY)
        assert set(pkgsync.contents()) >= keys(plan["uploads"]) | {RPM_FIRST}
