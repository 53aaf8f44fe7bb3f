"""Plans made over and over while OBS changes under them: none may ever hold a deletion that was wrong then."""

from collections.abc import Callable

import pytest

from . import sources
from .conftest import MakeProject
from .driver import ARCHS, DEB, RPM, Project
from .runner import ORPHANS, TARGETS, Pkgsync, Plan, keys

REPOSITORIES = {RPM: ARCHS, DEB: ARCHS}
Change = Callable[[Project], None]


def both(project: Project, version: str, *, text: str = "content", fails: bool = False) -> None:
    project.commit("tool", sources.rpm("tool", version, text=text, fails=fails, subpackages={"doc": "noarch"}))
    project.commit("debtool", sources.deb("debtool", version, text=text, fails=fails))


def rebuild(project: Project) -> None:
    for package in ("tool", "debtool"):
        project.rebuild(package)


def wipe(project: Project) -> None:
    for package in ("tool", "debtool"):
        project.wipe(package)


def delete(project: Project) -> None:
    for package in ("tool", "debtool"):
        project.delete_package(package)


TIMELINE: tuple[tuple[str, Change], ...] = (
    ("rebuild", rebuild),
    ("new version", lambda project: both(project, "1.1")),
    ("other content under the same version", lambda project: both(project, "1.1", text="other")),
    ("failing build", lambda project: both(project, "1.2", fails=True)),
    ("wipe of what fails", wipe),
    ("repaired", lambda project: both(project, "1.2")),
    ("wipe", wipe),
    ("publishing off", lambda project: project.set_meta(REPOSITORIES, publish=False)),
    ("publishing on", lambda project: project.set_meta(REPOSITORIES)),
    ("repository dropped", lambda project: project.set_meta({RPM: ARCHS})),
    ("repository back", lambda project: project.set_meta(REPOSITORIES)),
    ("delete", delete),
)


class Moment:
    """What is true at one instant, from the disk and from the backend's own words."""

    def __init__(self, project: Project) -> None:
        rows = project.results()
        self.names = {repository: project.names_on_disk(repository) for repository in REPOSITORIES}
        self.settled = {
            repository: bool(own := [row for row in rows if row.repository == repository])
            and all(row.final and row.code == "published" for row in own)
            for repository in REPOSITORIES
        }


def wrong_actions(plan: Plan, before: Moment, after: Moment) -> list[str]:
    """Deletions of what stood on the disk of OBS all the time, and all that was planned for a repository
    that was in work before and after."""
    wrong = []
    for repository, distribution in TARGETS.items():
        there = before.names[repository] & after.names[repository]
        unsettled = not before.settled[repository] and not after.settled[repository]
        for key in sorted(keys(plan["deletions"]) | keys(plan["replacements"])):
            where, name = key.rsplit("/", 1)
            deleted = key in keys(plan["deletions"])
            if where == distribution and (unsettled or (deleted and name in there)):
                wrong.append(f"{key} (there: {name in there}, unsettled: {unsettled})")
    return wrong


@pytest.fixture
def project(make_project: MakeProject) -> Project:
    project = make_project(REPOSITORIES)
    both(project, "1.0")
    project.commit("other", sources.rpm("other", "1.0"))
    project.commit("debother", sources.deb("debother", "1.0"))
    project.settle()
    return project


def test_no_plan_ever_holds_a_deletion_that_is_wrong(project: Project, pkgsync_for: Callable[..., Pkgsync]) -> None:
    orphans = {**ORPHANS, "names": ["tool", "tool-doc", "debtool", "debtool-doc"]}
    pkgsync = pkgsync_for(project, orphans=orphans, limits={"deletions": 1000})
    pkgsync.sync()
    planned: set[str] = set()
    for title, change in TIMELINE:
        change(project)
        calm = 0
        while calm < 2:
            before = Moment(project)
            plan = pkgsync.plan("--max-deletions", "1000")
            after = Moment(project)
            assert wrong_actions(plan, before, after) == [], title
            planned |= keys(plan["deletions"]) | keys(plan["replacements"])
            quiet = all(row.final for row in project.results()) and not project.backend.pending_events()
            calm = calm + 1 if quiet else 0
        pkgsync.sync()  # so that more and more versions stand on the target
    assert {key.rpartition("/")[2] for key in planned} >= {
        "tool-1.0-lp156.1.1.x86_64.rpm",
        "tool-doc-1.0-lp156.1.1.noarch.rpm",
        "debtool_1.0_amd64.deb",
        "debtool-doc_1.0_all.deb",
    }, "without a deletion in the end, the timeline shows nothing"
