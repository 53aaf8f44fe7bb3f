"""Plans made over and over while OBS changes under them: none may ever hold a deletion that was wrong then."""

import threading
from collections.abc import Callable

import pytest

from . import sources
from .conftest import MakeProject
from .driver import ARCHS, DEB, RPM, BackendError, Project
from .runner import ORPHANS, TARGETS, Pkgsync, keys

REPOSITORIES = {RPM: ARCHS, DEB: ("x86_64",)}
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


class Watcher:
    """Asks the backend all the time, in a thread of its own, which repositories are settled.

    A plan takes a while: what was in work when it began may have been settled while it looked. Its look is
    two answers of `_result` with the indexes in between, so that a settled time that is long enough for it
    is long enough to be seen here.
    """

    def __init__(self, project: Project) -> None:
        self.project = project
        self.seen_settled: set[tuple[str, str]] = set()
        self.failure: BackendError | None = None
        self.stopped = threading.Event()
        self.thread = threading.Thread(target=self.watch)

    def __enter__(self) -> "Watcher":
        self.seen_settled = settled(self.project)
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stopped.set()
        self.thread.join()
        self.seen_settled |= settled(self.project)

    def watch(self) -> None:
        while not self.stopped.wait(0.02):
            try:
                self.seen_settled |= settled(self.project)
            except BackendError as error:
                self.failure = error
                return


FILE_ARCHS = {"x86_64": ("x86_64", "amd64"), "aarch64": ("aarch64", "arm64")}


def settled(project: Project) -> set[tuple[str, str]]:
    """The repositories with the file architectures that are final: noarch and all only where every other is.

    An architecture that is still at work holds its own files only.
    """
    rows = project.results()
    found: set[tuple[str, str]] = set()
    for repository in REPOSITORIES:
        own = [row for row in rows if row.repository == repository]
        done = [row.arch for row in own if row.final and row.code == "published"]
        found |= {(repository, name) for arch in done for name in FILE_ARCHS[arch]}
        if own and len(done) == len(own):
            found |= {(repository, "noarch"), (repository, "all")}
    return found


def arch_of(key: str) -> str:
    """`NAME.ARCH.rpm` or `NAME_ARCH.deb`."""
    stem, _, kind = key.rpartition(".")
    return stem.rpartition("." if kind == "rpm" else "_")[2]


def names_on_disk(project: Project) -> dict[str, set[str]]:
    return {repository: project.names_on_disk(repository) for repository in REPOSITORIES}


def planned_and_wrong(project: Project, pkgsync: Pkgsync) -> tuple[set[str], list[str]]:
    """The deletions and replacements of a plan made now, and those of them that are wrong: deletions of what
    stood on the disk of OBS before and after, and anything for a repository that was in work all the time."""
    before = names_on_disk(project)
    with Watcher(project) as watcher:
        plan = pkgsync.plan_in_motion("--max-deletions", "1000")
    after = names_on_disk(project)
    assert watcher.failure is None
    if plan is None:
        return set(), []
    deletions, changes = keys(plan["deletions"]), keys(plan["deletions"]) | keys(plan["replacements"])
    wrong = []
    for repository, distribution in TARGETS.items():
        there = {f"{distribution}/{name}" for name in before[repository] & after[repository]}
        wrong += [f"{key} is in OBS" for key in sorted(deletions & there)]
        wrong += [
            f"{repository} was in work: {key}"
            for key in sorted(changes)
            if key.startswith(distribution) and (repository, arch_of(key)) not in watcher.seen_settled
        ]
    return changes, wrong


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
        quiet = False
        while not quiet:
            quiet = all(row.final for row in project.results()) and not project.backend.pending_events()
            changes, wrong = planned_and_wrong(project, pkgsync)
            assert wrong == [], title
            planned |= changes
        project.settle()
        pkgsync.sync()  # so that more and more versions stand on the target
    assert {key.rpartition("/")[2] for key in planned} >= {
        "tool-1.0-lp156.1.1.x86_64.rpm",
        "tool-doc-1.0-lp156.1.1.noarch.rpm",
        "debtool_1.0_amd64.deb",
        "debtool-doc_1.0_all.deb",
    }, "without a deletion in the end, the timeline shows nothing"
