"""The indexes that package managers get, over real sockets: what stands in them, what is asked, and to whom."""

from collections.abc import Callable, Iterator

import pytest

from pkgsync.errors import AuthenticationError, IntegrityError
from pkgsync.model import PackageType
from pkgsync.model.secret import Basic
from pkgsync.packagecloud.client import PackagecloudClient
from pkgsync.packagecloud.served import trees
from pkgsync.sandbox import REPOSITORY, Artifact, Fault, Kind, Sandbox, make_deb, make_rpm
from pkgsync.session import Session

LEAP, JAMMY = "opensuse/15.6", "ubuntu/jammy"
PAUSED: list[float] = []


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    PAUSED.clear()
    with Sandbox() as sandbox:
        yield sandbox


def read(
    sandbox: Sandbox, distribution: str, *architectures: str, token: str | None = None
) -> dict[str, list[tuple[object, ...]]]:
    """Name, version, architecture, file name, size and sha256 of all packages, by tree."""
    auth = Basic(token or sandbox.token, "")
    session = Session(sandbox.packagecloud_url, auth=auth, quota=True, pause=PAUSED.append)
    kind = PackageType.DEB if distribution == JAMMY else PackageType.RPM
    found = trees(PackagecloudClient(session, REPOSITORY), distribution, kind, architectures)
    return {
        tree.architecture: [
            (e.name, str(e.version), e.architecture, e.filename, e.size, e.checksum.value) for e in tree.entries()
        ]
        for tree in found
    }


def asked(sandbox: Sandbox) -> list[str]:
    return [entry.target for entry in sandbox.log.find("packagecloud")]


def test_apt_has_one_release_and_a_list_for_each_architecture(sandbox: Sandbox) -> None:
    tool, data = make_deb("tool", "1.0~rc1", "2", epoch=3), make_deb("data", arch="all")
    arm = make_deb("tool", arch="arm64")
    for artifact in (tool, data, arm):
        sandbox.packagecloud.add(REPOSITORY, JAMMY, artifact.blob)

    found = read(sandbox, JAMMY, "amd64", "arm64", "all", "riscv64")

    of_data = ("data", "1.0", "all", "data_1.0_all.deb", data.blob.size, data.blob.digest("sha256"))
    of_tool = ("tool", "3:1.0~rc1-2", "amd64", "tool_1.0~rc1-2_amd64.deb", tool.blob.size, tool.blob.digest("sha256"))
    of_arm = ("tool", "1.0", "arm64", "tool_1.0_arm64.deb", arm.blob.size, arm.blob.digest("sha256"))
    assert found == {"amd64": [of_data, of_tool], "arm64": [of_data, of_arm]}
    assert asked(sandbox) == [
        "/demo/testing/ubuntu/dists/jammy/InRelease",
        "/demo/testing/ubuntu/dists/jammy/main/binary-amd64/Packages.gz",
        "/demo/testing/ubuntu/dists/jammy/main/binary-arm64/Packages.gz",
    ]


def test_yum_has_a_tree_for_each_architecture_of_machines(sandbox: Sandbox) -> None:
    tool, data, old = make_rpm("tool", epoch=2), make_rpm("data", arch="noarch"), make_rpm("tool", arch="i586")
    for artifact in (tool, data, old):
        sandbox.packagecloud.add(REPOSITORY, LEAP, artifact.blob)

    found = read(sandbox, LEAP, "x86_64", "noarch", "i586", "s390x")

    of_data = ("data", "1.0-1", "noarch", "data-1.0-1.noarch.rpm", data.blob.size, data.blob.digest("sha256"))
    of_tool = ("tool", "2:1.0-1", "x86_64", "tool-1.0-1.x86_64.rpm", tool.blob.size, tool.blob.digest("sha256"))
    of_old = ("tool", "1.0-1", "i586", "tool-1.0-1.i586.rpm", old.blob.size, old.blob.digest("sha256"))
    assert found == {"i386": [of_data, of_old], "x86_64": [of_data, of_tool]}
    tops = [target for target in asked(sandbox) if target.endswith("repomd.xml")]
    assert tops == [f"/demo/testing/opensuse/15.6/{name}/repodata/repomd.xml" for name in ("i386", "s390x", "x86_64")]
    assert len(asked(sandbox)) == 3 + 2  # s390x is not served


@pytest.mark.parametrize(("distribution", "make"), [(LEAP, make_rpm), (JAMMY, make_deb)])
def test_ten_times_the_packages_are_no_request_more(
    sandbox: Sandbox, distribution: str, make: Callable[[str], Artifact]
) -> None:
    for number in range(60):
        sandbox.packagecloud.add(REPOSITORY, distribution, make(f"tool{number}").blob)

    found = read(sandbox, distribution, "amd64" if distribution == JAMMY else "x86_64")

    assert [len(entries) for entries in found.values()] == [60]
    assert len(asked(sandbox)) == 2


def test_of_packages_for_every_architecture_alone_the_usual_one_is_asked(sandbox: Sandbox) -> None:
    sandbox.packagecloud.add(REPOSITORY, LEAP, make_rpm("data", arch="noarch").blob)
    sandbox.packagecloud.add(REPOSITORY, JAMMY, make_deb("data", arch="all").blob)
    assert list(read(sandbox, LEAP, "noarch")) == ["x86_64"]
    assert list(read(sandbox, JAMMY, "all")) == ["amd64"]


def test_what_was_never_indexed_is_not_served(sandbox: Sandbox) -> None:
    sandbox.packagecloud.index_lag = None
    sandbox.packagecloud.add(REPOSITORY, LEAP, make_rpm("tool").blob)
    sandbox.packagecloud.add(REPOSITORY, JAMMY, make_deb("tool").blob)
    assert read(sandbox, LEAP, "x86_64") == read(sandbox, JAMMY, "amd64") == {}
    assert asked(sandbox)[1:] == [
        "/demo/testing/ubuntu/dists/jammy/InRelease",
        "/demo/testing/ubuntu/dists/jammy/Release",
    ]
    assert PAUSED == []


def test_indexing_takes_its_time(sandbox: Sandbox) -> None:
    sandbox.packagecloud.add(REPOSITORY, LEAP, make_rpm("tool").blob)
    assert [entry[0] for entry in read(sandbox, LEAP, "x86_64")["x86_64"]] == ["tool"]
    sandbox.packagecloud.index_lag = 2
    sandbox.packagecloud.add(REPOSITORY, LEAP, make_rpm("other").blob)
    sandbox.packagecloud.delete(REPOSITORY, LEAP, "tool-1.0-1.x86_64.rpm")
    seen = [[entry[0] for entry in read(sandbox, LEAP, "x86_64")["x86_64"]] for _ in range(3)]
    assert seen == [["tool"], ["tool"], ["other"]]


def test_an_index_that_is_replaced_while_it_is_read_is_read_anew(sandbox: Sandbox) -> None:
    sandbox.packagecloud.add(REPOSITORY, LEAP, make_rpm("tool").blob)

    def replace() -> None:
        sandbox.packagecloud.add(REPOSITORY, LEAP, make_rpm("other").blob)
        sandbox.packagecloud.served(REPOSITORY, LEAP, top=True)

    sandbox.packagecloud.faults.add(Fault(kind=Kind.NOTHING, path="primary", hook=replace))
    assert [entry[0] for entry in read(sandbox, LEAP, "x86_64")["x86_64"]] == ["other", "tool"]
    assert PAUSED == [2.0]


@pytest.mark.parametrize(("distribution", "path"), [(LEAP, "primary"), (JAMMY, "Packages")])
def test_bytes_that_never_fit_the_top_file_are_no_index(sandbox: Sandbox, distribution: str, path: str) -> None:
    make = make_deb if distribution == JAMMY else make_rpm
    sandbox.packagecloud.add(REPOSITORY, distribution, make("tool").blob)
    sandbox.packagecloud.faults.add(Fault(kind=Kind.CORRUPT, path=path, times=None))
    with pytest.raises(IntegrityError, match="its sha256 is not the stated one"):
        read(sandbox, distribution, "amd64" if distribution == JAMMY else "x86_64")
    assert PAUSED == [2.0, 5.0]


def test_the_token_opens_a_private_repository_and_goes_to_no_other_server(sandbox: Sandbox) -> None:
    sandbox.packagecloud.private.add(REPOSITORY)
    sandbox.packagecloud.add(REPOSITORY, LEAP, make_rpm("tool").blob)
    assert list(read(sandbox, LEAP, "x86_64")) == ["x86_64"]
    with pytest.raises(AuthenticationError, match=r"repodata/repomd\.xml: 401"):
        read(sandbox, LEAP, "x86_64", token="wrong")
    location = f"{sandbox.cdn_url}/there"
    sandbox.packagecloud.faults.add(Fault(kind=Kind.REDIRECT, path="primary", location=location))
    with pytest.raises(AuthenticationError, match="redirected to http://127"):
        read(sandbox, LEAP, "x86_64")
    assert sandbox.log.count("cdn") == 1
    assert sandbox.log.mentions(sandbox.token, "cdn") == []
