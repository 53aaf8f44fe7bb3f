"""plan, apply and plan again over one project that has something of everything."""

import re
import subprocess
import threading
from collections.abc import Callable
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from . import sources
from .conftest import MakeProject
from .driver import ARCHS, DEB, RPM, Project
from .runner import TARGETS, Pkgsync, keys

NOT_WANTED = re.compile(r"\.src\.rpm$|-debuginfo-|-dbgsym_")


@pytest.fixture(scope="module")
def project(make_project: MakeProject) -> Project:
    project = make_project({RPM: ARCHS, DEB: ARCHS})
    project.commit("tool", sources.rpm("tool", "1.0~rc1", subpackages={"doc": "noarch", "debuginfo": ""}))
    project.commit("libtool++", sources.rpm("libtool++", "2+git.1", subpackages={"devel": ""}))
    project.commit("multi", sources.multibuild("multi", "3.0", "small"))
    project.commit("x86only", sources.rpm("x86only", "1.0"), disabled="aarch64")
    project.commit("failing", sources.rpm("failing", "1.0", fails=True))
    project.commit("unresolvable", sources.rpm("unresolvable", "1.0", needs="no-such-package"))
    project.commit("debtool", sources.deb("debtool", "1.0~rc1+dfsg"))
    project.settle()
    return project


@pytest.fixture
def pkgsync(project: Project, pkgsync_for: Callable[..., Pkgsync]) -> Pkgsync:
    return pkgsync_for(project)


def expected(project: Project) -> dict[str, str]:
    """The sha256 of all that must be on Packagecloud, by key, from the published tree on disk."""
    return {
        f"{distribution}/{name}": file.sha256
        for repository, distribution in TARGETS.items()
        for name, file in project.published(repository).items()
        if not NOT_WANTED.search(name)
    }


def test_the_project_is_what_these_tests_are_about(project: Project) -> None:
    names = {re.sub(r"-lp156\.\d+\.\d+", "", name) for name in project.published(RPM) if "src" not in name}
    assert names == {
        "libtool++-2+git.1.aarch64.rpm",
        "libtool++-2+git.1.x86_64.rpm",
        "libtool++-devel-2+git.1.aarch64.rpm",
        "libtool++-devel-2+git.1.x86_64.rpm",
        "multi-3.0.noarch.rpm",
        "multi-small-3.0.noarch.rpm",
        "tool-1.0~rc1.aarch64.rpm",
        "tool-1.0~rc1.x86_64.rpm",
        "tool-debuginfo-1.0~rc1.aarch64.rpm",
        "tool-debuginfo-1.0~rc1.x86_64.rpm",
        "tool-doc-1.0~rc1.noarch.rpm",
        "x86only-1.0.x86_64.rpm",
    }
    codes = {
        (row.arch, name): code
        for row in project.results()
        for name, code in row.packages.items()
        if row.repository == RPM
    }
    assert codes["x86_64", "failing"] == "failed"
    assert codes["x86_64", "unresolvable"] == "unresolvable"
    assert codes["x86_64", "debtool"] == "excluded"
    assert codes["aarch64", "x86only"] == "disabled"
    assert codes["aarch64", "multi:small"] == "succeeded"


def test_published_files_arrive_byte_identical_and_a_second_plan_is_empty(project: Project, pkgsync: Pkgsync) -> None:
    plan = pkgsync.plan("--detailed-exitcode", code=2)
    wanted = expected(project)
    assert {f"{u['distribution']}/{u['filename']}": u["sha256"] for u in plan["uploads"]} == wanted
    assert plan["held"] == []
    assert plan["complete"] is True
    assert plan["applyable"] is True

    pkgsync.apply()
    assert pkgsync.contents() == wanted

    second = pkgsync.plan("--detailed-exitcode", code=0)
    assert second["uploads"] == []
    assert second["held"] == []
    assert second["summary"]["total"]["unchanged"] == len(wanted)


def test_uploads_state_size_and_path_of_the_published_tree(project: Project, pkgsync: Pkgsync) -> None:
    plan = pkgsync.plan()
    for repository, distribution in TARGETS.items():
        stated = {
            upload["filename"]: (upload["source"]["path"].removeprefix("./"), upload["size"])
            for upload in plan["uploads"]
            if upload["distribution"] == distribution
        }
        on_disk = project.published(repository)
        assert stated == {name: (on_disk[name].path, on_disk[name].size) for name in stated}


@pytest.mark.parametrize(("repository", "part"), [(RPM, "tool-doc-"), (DEB, "debtool-doc_")])
def test_of_a_file_that_each_architecture_builds_the_published_copy_arrives(
    project: Project, pkgsync: Pkgsync, repository: str, part: str
) -> None:
    published = next(file for name, file in project.published(repository).items() if name.startswith(part))
    name = Path(published.path).name
    copies = project.built_copies(repository, name)
    assert len(set(copies.values())) == 2, "the copies must differ, or this test shows nothing"
    assert published.sha256 in copies.values()

    pkgsync.sync()
    assert pkgsync.contents()[f"{TARGETS[repository]}/{name}"] == published.sha256


def test_the_number_of_requests_does_not_depend_on_the_number_of_packages(pkgsync: Pkgsync) -> None:
    assert pkgsync.plan()["observed"]["obs_requests"] <= 3 + 2 * 4


def test_osc_lists_what_was_planned(project: Project, pkgsync: Pkgsync, tmp_path: Path) -> None:
    (tmp_path / "oscrc").write_text(
        f"[general]\napiurl = {project.backend.url}\n[{project.backend.url}]\nuser = nobody\npass = nothing\n"
    )
    listed: set[str] = set()
    for package in ("tool", "libtool++", "multi", "multi:small", "x86only", "failing", "debtool"):
        listing = subprocess.run(
            ["osc", "--config", str(tmp_path / "oscrc"), "ls", "-b", project.name, package],
            capture_output=True,
            text=True,
            check=True,
            env={"HOME": str(tmp_path), "PATH": "/usr/bin:/bin"},
        ).stdout
        listed |= set(re.findall(r"\S+\.(?:rpm|deb)\b", listing))
    wanted = {name for name in listed if not NOT_WANTED.search(name)}
    assert {upload["filename"] for upload in pkgsync.plan()["uploads"]} == wanted


def test_an_unknown_project_is_an_error_and_no_empty_plan(
    pkgsync_for: Callable[..., Pkgsync], project: Project
) -> None:
    settings = {"api": project.backend.url, "projects": [{"name": project.name}, {"name": "no:such:project"}]}
    pkgsync = pkgsync_for(project, obs=settings)
    done = pkgsync.run("plan", "-o", "plan.json")
    assert done.returncode == 1
    assert "no:such:project" in done.stderr
    assert not (pkgsync.folder / "plan.json").exists()


def test_a_repository_that_obs_does_not_have_is_no_empty_one(
    pkgsync_for: Callable[..., Pkgsync], project: Project
) -> None:
    """The backend answers 200 with an empty directory for it."""
    pkgsync = pkgsync_for(project, distributions={**TARGETS, "SLE_15_SP6": "sles/15.6"})
    plan = pkgsync.plan(code=1)
    problems = {r["repository"]: [p["reason"] for p in r["problems"]] for r in plan["source"]["repositories"]}
    assert problems == {RPM: [], DEB: [], "SLE_15_SP6": ["repository-absent"]}
    assert keys(plan["uploads"]) == set(expected(project))


def test_a_download_server_can_stand_for_the_api(project: Project, pkgsync_for: Callable[..., Pkgsync]) -> None:
    """The published tree served as it lies on disk, as download servers do it."""
    handler = partial(QuietHandler, directory=project.backend.state / "bs" / "repos")
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        template = f"http://127.0.0.1:{server.server_port}/{{project_path}}/{{repository}}"
        settings = {"api": project.backend.url, "projects": [{"name": project.name}], "published_url": template}
        pkgsync = pkgsync_for(project, obs=settings)
        pkgsync.sync()
        assert pkgsync.contents() == expected(project)
        assert pkgsync.plan("--detailed-exitcode")["held"] == []
        server.shutdown()


class QuietHandler(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        pass
