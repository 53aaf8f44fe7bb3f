"""What a change in OBS does to a plan: while it is under way, and when it is done."""

from collections.abc import Callable

import pytest

from . import sources
from .conftest import MakeProject
from .driver import ARCHS, DEB, RPM, Project
from .runner import ORPHANS, Pkgsync, assert_deletes_nothing, held, keys

OLD, NEW = "opensuse/15.6/tool-1.0-lp156.1.1.x86_64.rpm", "opensuse/15.6/tool-1.1-lp156.1.1.x86_64.rpm"
OTHER = "opensuse/15.6/other-1.0-lp156.1.1.x86_64.rpm"
DEBTOOL = "ubuntu/jammy/debtool_1.0_amd64.deb"

CLAIMED = {**ORPHANS, "names": ["tool"]}
PkgsyncFor = Callable[..., Pkgsync]


@pytest.fixture
def project(make_project: MakeProject) -> Project:
    """Two packages, one architecture: "tool", which the tests change, and "other", which stays."""
    project = make_project({RPM: ("x86_64",)})
    project.commit("tool", sources.rpm("tool", "1.0"))
    project.commit("other", sources.rpm("other", "1.0"))
    project.settle()
    assert set(project.published(RPM)) >= {name.rpartition("/")[2] for name in (OLD, OTHER)}
    return project


@pytest.fixture
def pkgsync(project: Project, pkgsync_for: PkgsyncFor) -> Pkgsync:
    """The target holds what the project published."""
    pkgsync = pkgsync_for(project, orphans=ORPHANS)
    pkgsync.sync()
    assert set(pkgsync.contents()) == {OLD, OTHER}
    return pkgsync


def change(project: Project, version: str, *, fails: bool = False) -> None:
    project.commit("tool", sources.rpm("tool", version, fails=fails))


def test_a_new_version_is_an_upload_and_supersedes_the_old_one(project: Project, pkgsync: Pkgsync) -> None:
    change(project, "1.1")
    project.settle()
    plan = pkgsync.plan()
    assert keys(plan["uploads"]) == {NEW}
    assert [(d["filename"], d["reason"]) for d in plan["deletions"]] == [(OLD.rpartition("/")[2], "superseded")]
    pkgsync.apply()
    assert set(pkgsync.contents()) == {NEW, OTHER}
    assert pkgsync.plan("--detailed-exitcode")["deletions"] == []


def test_a_rebuild_under_way_holds_what_was_due(make_project: MakeProject, pkgsync_for: PkgsyncFor) -> None:
    """A superseded rpm and a rebuilt deb are due; then other packages of their repositories build."""
    project = make_project({RPM: ARCHS, DEB: ARCHS})
    for name in ("tool", "other"):
        project.commit(name, sources.rpm(name, "1.0"))
        project.commit(f"deb{name}", sources.deb(f"deb{name}", "1.0"))
    project.settle()
    pkgsync = pkgsync_for(project, orphans=ORPHANS)
    pkgsync.sync()
    change(project, "1.1")
    project.commit("debtool", sources.deb("debtool", "1.0", text="rebuilt"))
    project.settle()
    deletions = {OLD, OLD.replace("x86_64", "aarch64")}
    replacements = {DEBTOOL, DEBTOOL.replace("amd64", "arm64"), "ubuntu/jammy/debtool-doc_1.0_all.deb"}

    with project.backend.held("build"):
        project.commit("other", sources.rpm("other", "1.1"))
        project.commit("debother", sources.deb("debother", "1.1"))
        project.wait(lambda: {row.code for row in project.results()} == {"building"})
        plan = pkgsync.plan()
        assert_deletes_nothing(plan)
        assert set(held(plan, "deletion")) == deletions
        assert set(held(plan, "replacement")) == replacements
        assert {NEW, NEW.replace("x86_64", "aarch64")} == keys(plan["uploads"])

    project.settle()
    plan = pkgsync.plan()
    assert keys(plan["deletions"]) >= deletions
    assert keys(plan["replacements"]) == replacements
    pkgsync.apply()
    assert_matches(project, pkgsync)


def assert_matches(project: Project, pkgsync: Pkgsync) -> None:
    """The target holds the published files, byte for byte, and nothing else."""
    rpms = {f"opensuse/15.6/{name}": f.sha256 for name, f in project.published(RPM).items() if ".src." not in name}
    debs = {f"ubuntu/jammy/{name}": f.sha256 for name, f in project.published(DEB).items() if "dbgsym" not in name}
    assert pkgsync.contents() == rpms | debs
    plan = pkgsync.plan("--detailed-exitcode")
    assert plan["held"] == []


def test_a_deb_rebuilt_under_its_name_is_a_replacement(make_project: MakeProject, pkgsync_for: PkgsyncFor) -> None:
    project = make_project({DEB: ("x86_64",)})
    project.commit("debtool", sources.deb("debtool", "1.0"))
    project.settle()
    pkgsync = pkgsync_for(project)
    pkgsync.sync()
    before = pkgsync.contents()[DEBTOOL]

    project.commit("debtool", sources.deb("debtool", "1.0", text="rebuilt"))
    project.settle()
    after = project.published(DEB)["debtool_1.0_amd64.deb"].sha256
    assert after != before
    plan = pkgsync.plan()
    assert plan["uploads"] == plan["deletions"] == []
    replaced = {(r["filename"], r["old"]["sha256"], r["sha256"], r["reason"]) for r in plan["replacements"]}
    assert ("debtool_1.0_amd64.deb", before, after, "rebuilt") in replaced
    pkgsync.apply()
    assert_matches(project, pkgsync)


def test_while_the_index_is_made_nothing_is_deleted(project: Project, pkgsync: Pkgsync) -> None:
    """The old file has left the published tree already, and the old index still lists it."""
    with project.backend.held("publish"):
        change(project, "1.1")
        project.wait(project.backend.publisher_waits)
        assert OLD.rpartition("/")[2] not in project.published(RPM)
        assert_deletes_nothing(pkgsync.plan())
    project.settle()
    assert keys(pkgsync.plan()["deletions"]) == {OLD}


def test_a_failing_build_changes_nothing(project: Project, pkgsync: Pkgsync) -> None:
    change(project, "1.1", fails=True)
    project.settle()
    assert project.results()[0].packages["tool"] == "failed"
    plan = pkgsync.plan("--detailed-exitcode")
    assert_deletes_nothing(plan)
    assert plan["uploads"] == []


def test_a_failed_newer_build_does_not_delete_older_leftovers(project: Project, pkgsync: Pkgsync) -> None:
    """The published version is higher than the leftover, but its package is no longer succeeded."""
    change(project, "1.1")
    project.settle()
    change(project, "1.2", fails=True)
    project.settle()
    plan = pkgsync.plan()
    assert_deletes_nothing(plan)
    assert held(plan, "deletion") == {OLD: "not-succeeded"}


def test_wiped_files_are_not_gone(project: Project, pkgsync: Pkgsync) -> None:
    with project.backend.held("build"):
        project.wipe("tool")
        project.wait(lambda: OLD.rpartition("/")[2] not in {path.name for path in project.built_files(RPM)})
        project.wait_for_code(RPM, "building")
        assert_deletes_nothing(pkgsync.plan())
    project.settle()
    assert keys(pkgsync.plan()["deletions"]) == {OLD}, "built again, under the next release number"


@pytest.fixture
def two_versions(project: Project, pkgsync: Pkgsync) -> Pkgsync:
    """The target holds tool 1.0 and 1.1, OBS publishes 1.1, and the config claims the name."""
    change(project, "1.1")
    project.settle()
    pkgsync.sync()
    assert set(pkgsync.contents()) == {OLD, NEW, OTHER}
    pkgsync.configure(orphans=CLAIMED)
    return pkgsync


def test_wiped_and_then_failed_is_not_gone(project: Project, two_versions: Pkgsync) -> None:
    """Nothing of the package is published any more, and all is settled; yet its owner merely failed."""
    with project.backend.held("build"):
        change(project, "1.2", fails=True)
        project.wipe("tool")
    project.settle()
    assert NEW.rpartition("/")[2] not in project.names_on_disk(RPM)
    plan = two_versions.plan()
    assert_deletes_nothing(plan)
    assert held(plan, "deletion") == {OLD: "owner-unknown", NEW: "owner-unknown"}


def test_a_deleted_package_is_gone_only_once_settled(project: Project, two_versions: Pkgsync) -> None:
    with project.backend.held("publish"):
        project.delete_package("tool")
        project.wait(project.backend.publisher_waits)
        assert_deletes_nothing(two_versions.plan())
    project.settle()
    plan = two_versions.plan()
    assert [(d["filename"], d["reason"]) for d in plan["deletions"]] == [(OLD.rpartition("/")[2], "gone")]
    two_versions.apply()
    assert set(two_versions.contents()) == {NEW, OTHER}, "keep_versions: 1 keeps the newest"


def test_a_package_without_files_could_be_the_owner(project: Project, two_versions: Pkgsync) -> None:
    project.commit("broken", sources.rpm("broken", "1.0", fails=True))
    project.settle()
    project.delete_package("tool")
    project.settle()
    plan = two_versions.plan()
    assert_deletes_nothing(plan)
    assert held(plan, "deletion") == {OLD: "owner-unknown", NEW: "owner-unknown"}
    assert "broken" in plan["held"][0]["message"]
    two_versions.configure(orphans={**CLAIMED, "without_files": ["broken"]})
    assert keys(two_versions.plan()["deletions"]) == {OLD}


def test_a_repository_dropped_from_meta_deletes_nothing(project: Project, two_versions: Pkgsync) -> None:
    project.set_meta({"other_repository": ("x86_64",)})
    project.wait(lambda: not project.published(RPM))
    project.settle()
    two_versions.configure(distributions={RPM: "opensuse/15.6", "*": None}, orphans=CLAIMED)
    plan = two_versions.plan(code=1)
    assert_deletes_nothing(plan)
    problems = {r["repository"]: [p["reason"] for p in r["problems"]] for r in plan["source"]["repositories"]}
    assert problems[RPM] == ["repository-absent"]
    assert plan["uploads"] == []


def test_publishing_switched_off_deletes_nothing(project: Project, pkgsync: Pkgsync) -> None:
    change(project, "1.1")
    project.settle()
    project.set_meta({RPM: ("x86_64",)}, publish=False)
    project.wait_for_code(RPM, "unpublished")
    project.settle()
    plan = pkgsync.plan()
    assert_deletes_nothing(plan)
    assert held(plan, "deletion") == {OLD: "not-published"}


def test_an_architecture_that_never_settles_holds_its_own_files_and_noarch(
    make_project: MakeProject, pkgsync_for: PkgsyncFor
) -> None:
    """No scheduler runs for s390x: its state stays "unknown"."""
    project = make_project({RPM: ("x86_64", "s390x")})
    project.commit("tool", sources.rpm("tool", "1.0", subpackages={"doc": "noarch"}))
    project.settle()
    assert {row.arch: row.code for row in project.results()} == {"x86_64": "published", "s390x": "unknown"}
    doc = OLD.replace("tool-", "tool-doc-").replace("x86_64", "noarch")
    pkgsync = pkgsync_for(project, orphans=ORPHANS)
    pkgsync.sync()
    assert set(pkgsync.contents()) == {OLD, doc}
    project.commit("tool", sources.rpm("tool", "1.1", subpackages={"doc": "noarch"}))
    project.settle()
    plan = pkgsync.plan()
    assert keys(plan["deletions"]) == {OLD}
    assert held(plan, "deletion") == {doc: "not-published"}
