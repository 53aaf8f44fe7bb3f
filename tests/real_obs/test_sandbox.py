"""The sandbox's OBS beside the real backend: the same questions about projects of the same shape, answer by answer."""

import contextlib
import http.client
from collections.abc import Iterator
from typing import NamedTuple
from urllib.parse import urlsplit
from xml.etree import ElementTree as ET

import pytest

from pkgsync.sandbox import Sandbox, make_deb, make_rpm
from pkgsync.sandbox.signing import has_gpg

from . import sources
from .conftest import MakeProject
from .driver import ARCHS, DEB, RPM, Project

QUESTIONS = (
    "/build/{p}",
    "/build/{p}/{rpm}",
    "/build/{p}/{rpm}/x86_64",
    "/build/{p}/{deb}/aarch64",
    "/build/{p}/{rpm}/x86_64?view=nosuch",
    "/build/{p}/{rpm}/x86_64?nosuch=1",
    "/build/{p}/nosuch",
    "/build/{p}/{rpm}/ppc64",
    "/build/{p}//{rpm}",
    "/build/{p}/{rpm}/",
    "/build/{p}/{rpm}/./x86_64",
    "/build/{p}/{rpm}/x86_64/tool/a/b",
    "/build/{p}/{rpm}/x86_64/_repository/nosuch.rpm",
    "/build/{p}/{rpm}/x86_64/nosuch",
    "/build/{p}/{rpm}/x86_64/debtool",
    "/build/{p}/{rpm}/x86_64/tool/nosuch.rpm",
    "/build/{p}/{rpm}/x86_64/tool?withmd5=2",
    "/build/{p}/{rpm}/x86_64/tool?nosuch=1",
    "/build/{p}/{rpm}/x86_64/debtool/_log",
    "/build/{p}/_result?view=nosuch",
    "/build/{p}/_result?nosuch=1",
    "/build/{p}/_result?repository=nosuch",
    "/build/{p}/_result?package=nosuch",
    "/build/{p}/_result?arch=ppc64",
    "/build/no:such",
    "/build/no:such/_result",
    "/source/{p}",
    "/source/{p}?deleted=1",
    "/source/{p}?nosuch=1",
    "/source/{p}?deleted=2",
    "/source/{p}/_meta?nosuch=1",
    "/source/{p}/_config?nosuch=1",
    "/source/{p}/nosuch/_meta",
    "/source/no:such/_meta",
    "/published/{p}",
    "/published/{p}/nosuch",
    "/published/{p}/nosuch/Release",
    "/published/{p}/nosuch/repodata/repomd.xml",
    "/published/no:such",
    "/published/no:such/nosuch/Release",
    "/published/{p}/{rpm}/Release",
    "/published/{p}/{rpm}/./x86_64",
    "/published/{p}/{rpm}/x86_64/../Release",
    "/published/{p}/{rpm}/nosuch/",
    "/published/{p}/{rpm}/repodata/nosuch.xml",
    "/published/{p}/{rpm}/repodata/repomd.xml/nosuch",
    "/published/{p}/{rpm}/a/b/c",
    "/published/{p}/{rpm}/a/b/c/d",
    "/published/{p}/{rpm}//x86_64",
    "/published/{p}/{rpm}/.hidden",
    "/published/{p}/{deb}/repodata/repomd.xml",
    "/published/{p}/{deb}/nosuch",
    "/published/{p}/{deb}/nosuch?nosuch=1",
    "/nosuch",
)
FILES = (
    "/published/{p}/{rpm}/repodata/repomd.xml",
    "/published/{p}/{rpm}/repodata/repomd.xml.asc",
    "/published/{p}/{rpm}/repodata/repomd.xml.key",
    "/published/{p}/{rpm}/{p}.repo",
    "/published/{p}/{deb}/Release",
    "/published/{p}/{deb}/Release.gpg",
    "/published/{p}/{deb}/Release.key",
    "/published/{p}/{deb}/Packages",
    "/published/{p}/{deb}/Packages.gz",
    "/source/{p}/_config",
)


@pytest.fixture(scope="module")
def project(make_project: MakeProject) -> Project:
    project = make_project({RPM: ARCHS, DEB: ARCHS})
    project.commit("tool", sources.rpm("tool", "1.0"))
    project.commit("multi", sources.multibuild("multi", "3.0", "small"))
    project.commit("x86only", sources.rpm("x86only", "1.0"), disabled="aarch64")
    project.commit("failing", sources.rpm("failing", "1.0", fails=True))
    project.commit("debtool", sources.deb("debtool", "1.0"))
    project.settle()
    return project


@pytest.fixture(scope="module")
def sandbox(project: Project) -> Iterator[Sandbox]:
    """The same project: what each architecture built, and why it built nothing else."""
    with Sandbox() as sandbox:
        obs = sandbox.obs
        obs.frontend = "backend"
        for repository, kind in ((RPM, "rpm"), (DEB, "deb")):
            obs.add_repository(project.name, repository, kind, ARCHS)
        for arch, deb in zip(ARCHS, ("amd64", "arm64"), strict=True):
            for package, name in (("tool", "tool"), ("multi", "multi"), ("multi:small", "multi-small")):
                obs.finish(project.name, RPM, arch, package, [make_rpm(name, arch=arch)])
            obs.finish(project.name, DEB, arch, "debtool", [make_deb("debtool", arch=deb)])
            obs.set_code(project.name, RPM, arch, "failing", "failed")
        obs.finish(project.name, RPM, "x86_64", "x86only", [make_rpm("x86only")])
        for repository in (RPM, DEB):
            obs.set_code(project.name, repository, "aarch64", "x86only", "disabled")
        obs.publish_all(project.name)
        yield sandbox


class Answer(NamedTuple):
    status: int
    type: str | None
    content: bytes


def ask(origin: str, project: Project, question: str) -> Answer:
    """The path goes out as it stands: most clients would take out its dots."""
    connection = http.client.HTTPConnection(urlsplit(origin).netloc, timeout=60)
    with contextlib.closing(connection):
        connection.request("GET", question.format(p=project.name, rpm=RPM, deb=DEB))
        reply = connection.getresponse()
        return Answer(reply.status, reply.getheader("Content-Type"), reply.read())


def told(answer: Answer) -> tuple[object, ...]:
    """What a client may go by: status, type, element, error text, and the names of a directory."""
    root = ET.fromstring(answer.content)
    names = sorted(entry.attrib["name"] for entry in root.iter("entry"))
    state = root.get("state") == "0" * 32
    return (
        answer.status,
        answer.type,
        root.tag,
        root.get("code"),
        root.findtext("summary"),
        names,
        state,
    )


@pytest.mark.parametrize("question", QUESTIONS)
def test_an_answer_is_that_of_the_real_one(project: Project, sandbox: Sandbox, question: str) -> None:
    assert told(ask(sandbox.obs_url, project, question)) == told(ask(project.backend.url, project, question))


@pytest.mark.parametrize("question", FILES)
def test_a_file_is_there_as_with_the_real_one(project: Project, sandbox: Sandbox, question: str) -> None:
    if not has_gpg():
        pytest.skip("gpg signs the sandbox's repositories; it is not installed")
    ours, theirs = (ask(origin, project, question) for origin in (sandbox.obs_url, project.backend.url))
    assert (ours.status, ours.type) == (theirs.status, theirs.type)


def test_every_architecture_tells_the_same_of_every_package(project: Project, sandbox: Sandbox) -> None:
    def codes(origin: str) -> dict[tuple[str, str], dict[str, str]]:
        root = ET.fromstring(ask(origin, project, "/build/{p}/_result?view=status&view=binarylist").content)
        for one in root:
            assert [s.attrib["package"] for s in one.iter("status")] == [
                b.attrib["package"] for b in one.iter("binarylist")
            ]
        return {
            (one.attrib["repository"], one.attrib["arch"]): {
                status.attrib["package"]: status.attrib["code"] for status in one.iter("status")
            }
            for one in root
        }

    assert codes(sandbox.obs_url) == codes(project.backend.url)


def test_the_elements_of_versions_and_keys_have_the_same_attributes(project: Project, sandbox: Sandbox) -> None:
    def attributes(origin: str, question: str) -> dict[str, set[str]]:
        root = ET.fromstring(ask(origin, project, question).content)
        return {one.tag: set(one.attrib) for one in root.iter()}

    for question in (
        "/build/{p}/{rpm}/x86_64/tool?view=binaryversions",
        "/build/{p}/{deb}/x86_64/debtool?view=binaryversions",
        "/build/{p}/{rpm}/x86_64?view=binaryversions",
        "/build/{p}/{rpm}/x86_64/_repository",
        "/build/{p}/{deb}/x86_64/debtool?withmd5=1",
        "/build/{p}/_result?view=stats&view=summary&view=status",
        "/source/{p}/_keyinfo",
    ):
        assert attributes(sandbox.obs_url, question) == attributes(project.backend.url, question), question
