"""A first config from the `_meta` of a real backend, whose repositories are named as nobody names them."""

from collections.abc import Callable, Iterator

import pytest

from pkgsync.sandbox import REPOSITORY

from . import sources
from .conftest import MakeProject
from .driver import ARCHS, DEB, RPM, Backend, Project
from .runner import Pkgsync, keys

BASES = {RPM: ("openSUSE:Leap:15.5", "standard"), DEB: ("Ubuntu:24.04", "universe")}


@pytest.fixture
def project(backend: Backend, make_project: MakeProject) -> Iterator[Project]:
    bases = [Project(backend, name, {repository: ARCHS}) for name, repository in BASES.values()]
    project = make_project({RPM: ARCHS, DEB: ARCHS})
    project.set_meta({RPM: ARCHS, DEB: ARCHS}, paths=BASES)
    project.commit("tool", sources.rpm("tool", "1.0"))
    project.commit("debtool", sources.deb("debtool", "1.0"))
    project.settle()
    yield project
    project.set_meta({})
    for base in bases:
        base.remove()


def test_names_that_contradict_what_they_are_built_for_are_left_to_people(
    project: Project, pkgsync_for: Callable[..., Pkgsync]
) -> None:
    """The driver's names are those of openSUSE Leap 15.6 and Ubuntu 22.04."""
    pkgsync = pkgsync_for(project)
    api, packagecloud = project.backend.url, pkgsync.target.packagecloud_url
    done = pkgsync.run(
        "init", project.name, REPOSITORY, "-A", api, "--packagecloud-url", packagecloud, "-o", "first.yaml"
    )
    assert done.returncode == 1
    text = (pkgsync.folder / "first.yaml").read_text()
    for line in (
        "# openSUSE_Leap_15.6: opensuse/15.5 ",
        "# openSUSE_Leap_15.6: opensuse/15.6 ",
        "xUbuntu_22.04: null ",
    ):
        assert f"\n  {line}" in text
    chosen = text.replace("  openSUSE_Leap_15.6: null", "  openSUSE_Leap_15.6: opensuse/15.5")
    (pkgsync.folder / "pkgsync.yaml").write_text(chosen)
    assert pkgsync.run("validate", "--online").returncode == 0
    assert {key.partition("/tool")[0] for key in keys(pkgsync.plan()["uploads"])} == {"opensuse/15.5"}
