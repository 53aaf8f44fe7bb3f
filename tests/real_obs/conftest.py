"""The real backend, once per session, and a pkgsync that syncs from it to a Packagecloud of the sandbox."""

import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from itertools import count
from pathlib import Path

import pytest

from pkgsync.sandbox import Sandbox

from .driver import Backend, Project, running_backend
from .runner import Pkgsync

REQUIRE = "PKGSYNC_REQUIRE_REAL_OBS"
PROGRAMS = ("rpmbuild", "dpkg-buildpackage", "fakeroot", "createrepo_c", "dpkg-scanpackages", "osc", "gpg", "curl")
NUMBERS = count(1)

MakeProject = Callable[..., Project]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.real_obs)
            item.add_marker(pytest.mark.xdist_group("real_obs"))  # one backend, so one worker


def missing() -> str:
    """Why the backend cannot run here, or an empty string."""
    if os.geteuid() != 0:
        return "the real OBS backend needs root (its processes run as user obsrun)"
    absent = [name for name in PROGRAMS if not shutil.which(name)]
    if not Path("/usr/lib/obs/server/bs_srcserver").exists():
        absent.insert(0, "obs-server")
    return f"missing: {', '.join(absent)}; run tests/real_obs/backend/install.sh" if absent else ""


def asked_for(config: pytest.Config) -> bool:
    return any("real_obs" in argument for argument in (*config.args, config.getoption("-m")))


@pytest.fixture(scope="session")
def backend(request: pytest.FixtureRequest) -> Iterator[Backend]:
    required = os.environ.get(REQUIRE) == "1"
    if not required and not asked_for(request.config):
        pytest.skip("takes minutes: ask for it with `pytest tests/real_obs`")
    if reason := missing():
        if required:
            pytest.fail(f"{REQUIRE}=1, but {reason}")
        pytest.skip(reason)
    with running_backend() as running:
        yield running


@pytest.fixture(scope="module")
def make_project(backend: Backend) -> Iterator[MakeProject]:
    """Makes projects with names of their own, and removes them at the end of the module."""
    made: list[Project] = []

    def make(repositories: Mapping[str, tuple[str, ...]]) -> Project:
        project = Project(backend, f"test:number:{next(NUMBERS)}", repositories)
        made.append(project)
        return project

    yield make
    for project in made:
        project.remove()


@pytest.fixture
def pkgsync_for(tmp_path: Path) -> Iterator[Callable[..., Pkgsync]]:
    """Makes a pkgsync for a project, with an empty Packagecloud repository of its own."""
    numbers = count()
    with ExitStack() as stack:

        def make(project: Project, **config: object) -> Pkgsync:
            return Pkgsync(tmp_path / str(next(numbers)), project, stack.enter_context(Sandbox()), config)

        yield make
