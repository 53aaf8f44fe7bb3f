"""``content: build``: a project whose publishing is disabled, synced from what the real backend builds."""

import hashlib
from collections.abc import Callable

import pytest

from . import sources
from .conftest import MakeProject
from .driver import ARCHS, DEB, RPM, Project
from .runner import ORPHANS, TARGETS, Pkgsync, assert_deletes_nothing, held, keys
from .test_flow import NOT_WANTED

PkgsyncFor = Callable[..., Pkgsync]
REPOSITORIES = {RPM: ARCHS, DEB: ARCHS}
READS = 3


@pytest.fixture(scope="module")
def project(make_project: MakeProject) -> Project:
    project = make_project(REPOSITORIES)
    project.set_meta(REPOSITORIES, publish=False)
    project.commit("tool", sources.rpm("tool", "1.0~rc1", subpackages={"doc": "noarch", "debuginfo": ""}))
    project.commit("libtool++", sources.rpm("libtool++", "2+git.1"))
    project.commit("multi", sources.multibuild("multi", "3.0", "small"))
    project.commit("failing", sources.rpm("failing", "1.0", fails=True))
    project.commit("debtool", sources.deb("debtool", "1.0~rc1+dfsg"))
    project.settle()
    return project


def only_built(pkgsync_for: PkgsyncFor, project: Project, **config: object) -> Pkgsync:
    """The first of ARCHS is the first of ``_meta`` too."""
    settings = {"api": project.backend.url, "projects": [{"name": project.name, "content": "build"}]}
    return pkgsync_for(project, obs=settings, **config)


def expected(project: Project) -> dict[str, str]:
    """The sha256 of all that must be on Packagecloud, by key, from the build folders; x86_64 has the first copy."""
    found: dict[str, str] = {}
    for repository, distribution in TARGETS.items():
        for path in sorted(project.built_files(repository), key=lambda path: path.parts[-3] != ARCHS[0]):
            if path.suffix in (".rpm", ".deb") and not NOT_WANTED.search(path.name):
                digest = hashlib.sha256(path.read_bytes()).hexdigest()
                found.setdefault(f"{distribution}/{path.name}", digest)
    return found


def test_nothing_is_published_and_everything_arrives(project: Project, pkgsync_for: PkgsyncFor) -> None:
    assert {row.code for row in project.results()} == {"unpublished"}
    assert project.published(RPM) == project.published(DEB) == {}
    wanted = expected(project)
    assert len([name for name in wanted if name.endswith((".noarch.rpm", "_all.deb"))]) >= 3

    pkgsync = only_built(pkgsync_for, project)
    plan = pkgsync.plan("--detailed-exitcode", code=2)
    assert {f"{u['distribution']}/{u['filename']}": u["sha256"] for u in plan["uploads"]} == wanted
    assert (plan["held"], plan["complete"]) == ([], True)
    assert plan["observed"]["obs_requests"] == READS + len(wanted)
    pkgsync.apply()
    assert pkgsync.contents() == wanted

    second = pkgsync.plan("--detailed-exitcode")
    assert (second["uploads"], second["held"], second["observed"]["obs_requests"]) == ([], [], READS)
    assert second["summary"]["total"]["unchanged"] == len(wanted)


def test_a_noarch_file_is_that_of_the_first_architecture_of_the_config(
    project: Project, pkgsync_for: PkgsyncFor
) -> None:
    entry = {"name": project.name, "content": "build", "architectures": ["aarch64", "x86_64"]}
    pkgsync = pkgsync_for(project, obs={"api": project.backend.url, "projects": [entry]})
    planned = {u["filename"]: u for u in pkgsync.plan()["uploads"]}
    name = next(name for name in planned if name.startswith("tool-doc-"))
    copies = project.built_copies(RPM, name)
    assert copies["aarch64"] != copies["x86_64"], "the copies must differ, or this test shows nothing"
    assert (planned[name]["sha256"], planned[name]["source"]["architecture"]) == (copies["aarch64"], "aarch64")


def test_the_published_index_is_no_source_of_it(project: Project, pkgsync_for: PkgsyncFor) -> None:
    """The same project without ``content: build`` publishes no index: nothing is offered, and nothing is settled."""
    plan = pkgsync_for(project).plan()
    assert_deletes_nothing(plan)
    assert (plan["uploads"], plan["complete"]) == ([], True)
    assert not any(repository["settled"] for repository in plan["source"]["repositories"])


def test_a_new_version_a_rebuild_and_a_wipe(make_project: MakeProject, pkgsync_for: PkgsyncFor) -> None:
    project = make_project({RPM: ("x86_64",)})
    project.set_meta({RPM: ("x86_64",)}, publish=False)
    for name in ("tool", "other"):
        project.commit(name, sources.rpm(name, "1.0"))
    project.settle()
    pkgsync = only_built(pkgsync_for, project, orphans={**ORPHANS, "keep_versions": 0, "names": ["tool", "other"]})
    pkgsync.sync()
    old = "opensuse/15.6/tool-1.0-lp156.1.1.x86_64.rpm"
    assert old in pkgsync.contents()

    with project.backend.held("build"):
        project.commit("tool", sources.rpm("tool", "1.1"))
        project.wait_for_code(RPM, "building")
        plan = pkgsync.plan()
        assert_deletes_nothing(plan)
        assert plan["uploads"] == []
    project.settle()
    plan = pkgsync.plan()
    assert [f"{d['distribution']}/{d['filename']}" for d in plan["deletions"]] == [old]
    assert plan["deletions"][0]["reason"] == "superseded"
    pkgsync.apply()
    new = keys(plan["uploads"])
    assert set(pkgsync.contents()) == {*new, "opensuse/15.6/other-1.0-lp156.1.1.x86_64.rpm"}

    with project.backend.held("build"):
        project.wipe("tool")
        project.wait_until_noticed()
        plan = pkgsync.plan()
        assert_deletes_nothing(plan)
        assert new <= set(held(plan, "deletion"))
    project.settle()
    project.commit("tool", sources.rpm("tool", "1.2", fails=True))
    project.settle()
    assert_deletes_nothing(pkgsync.plan())
    project.delete_package("tool")
    project.settle()
    assert {d["reason"] for d in pkgsync.plan()["deletions"]} == {"gone"}
