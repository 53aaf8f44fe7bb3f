"""What the real publisher signs is verified, and what somebody changed behind it counts for nothing."""

import shutil
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.support.values.openpgp import keyring

from . import sources
from .conftest import MakeProject
from .driver import ARCHS, DEB, RPM, Project
from .runner import ORPHANS, TARGETS, Pkgsync, keys

TOPS = {RPM: "repodata/repomd.xml", DEB: "Release"}
SIGNATURES = {RPM: "repodata/repomd.xml.asc", DEB: "Release.gpg"}


@pytest.fixture(scope="module")
def project(make_project: MakeProject) -> Project:
    project = make_project({RPM: ARCHS, DEB: ARCHS})
    project.commit("tool", sources.rpm("tool", "1.0"))
    project.commit("debtool", sources.deb("debtool", "1.0"))
    project.settle()
    return project


@pytest.fixture
def pkgsync(project: Project, pkgsync_for: Callable[..., Pkgsync]) -> Pkgsync:
    pkgsync = pkgsync_for(project)
    done = pkgsync.run("keys", project.name, "-o", "key.asc")
    assert done.returncode == 0, done.stderr
    pinned = {"name": project.name, "signing_key": "key.asc"}
    pkgsync.configure(obs={"api": project.backend.url, "projects": [pinned]}, orphans=ORPHANS)
    return pkgsync


def copy(tree: Path, to: Path) -> None:
    """With owners and times: the publisher works on with what comes back."""
    subprocess.run(["cp", "-a", tree, to], check=True)


def reasons(plan: dict[str, Any], repository: str) -> set[str]:
    [found] = [r for r in plan["source"]["repositories"] if r["repository"] == repository]
    return {problem["reason"] for problem in found["problems"]}


def test_what_obs_signed_is_verified_when_it_is_planned_and_when_it_is_applied(
    project: Project, pkgsync: Pkgsync
) -> None:
    plan = pkgsync.plan()
    key = (project.backend.state / "pubkey.asc").read_bytes()
    assert (pkgsync.folder / "key.asc").read_bytes().split() == key.split()
    signed = {r["repository"]: r["signature"]["fingerprint"] for r in plan["source"]["repositories"]}
    assert signed.keys() == {RPM, DEB} and len(set(signed.values())) == 1
    pkgsync.apply()
    assert len(pkgsync.contents()) == len(plan["uploads"]) > 0


@pytest.mark.parametrize("repository", [RPM, DEB])
@pytest.mark.parametrize("how", ["a changed byte", "another key", "no signature"])
def test_what_somebody_changed_behind_it_counts_for_nothing(
    project: Project, pkgsync: Pkgsync, tmp_path: Path, repository: str, how: str
) -> None:
    tree = project.published_folder(repository)
    copy(tree, tmp_path / "kept")
    top, signature = tree / TOPS[repository], tree / SIGNATURES[repository]
    pkgsync.plan()
    try:
        match how:
            case "a changed byte":
                top.write_bytes(top.read_bytes().replace(b"x86_64", b"x86-64", 1) + b"\n")
            case "another key":
                with tempfile.TemporaryDirectory() as folder, keyring(Path(folder)) as gpg:
                    gpg.make("other", "rsa2048")
                    signature.write_bytes(gpg.sign(top.read_bytes(), "other"))
            case "no signature":
                signature.unlink()
        applied = pkgsync.run("apply", "plan.json")
        later = pkgsync.plan(code=6)
    finally:
        for path in (TOPS[repository], SIGNATURES[repository]):
            copy(tmp_path / "kept" / path, tree / path)
    assert applied.returncode == 6, applied.stderr
    assert "signature" in reasons(later, repository)
    assert not {key for key in (*keys(later["uploads"]), *pkgsync.contents()) if key.startswith(TARGETS[repository])}


def test_an_old_tree_that_is_put_back_is_known_by_its_time(project: Project, pkgsync: Pkgsync, tmp_path: Path) -> None:
    tree = project.published_folder(RPM)
    copy(tree, tmp_path / "old")
    project.commit("tool", sources.rpm("tool", "1.1"))
    project.settle()
    pkgsync.plan()
    copy(tree, tmp_path / "new")
    try:
        shutil.rmtree(tree)
        copy(tmp_path / "old", tree)
        later = pkgsync.plan()
        applied = pkgsync.run("apply", "plan.json")
    finally:
        shutil.rmtree(tree)
        copy(tmp_path / "new", tree)
    assert "index-old" in reasons(later, RPM)
    assert not {key for key in keys(later["uploads"]) if key.startswith(TARGETS[RPM])}
    assert applied.returncode == 0
    assert not {key for key in pkgsync.contents() if key.startswith(TARGETS[RPM])}
