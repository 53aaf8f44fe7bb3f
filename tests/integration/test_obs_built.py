"""``content: build`` over real sockets: what is downloaded and when not, what unsettles it, and what is no answer."""

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from attrs import define, evolve, field
from msgspec.structs import replace

from pkgsync.cache import Cache
from pkgsync.config import ObsProject
from pkgsync.errors import AuthenticationError, StorageError
from pkgsync.model import DesiredState, Policy, Repository
from pkgsync.model.secret import Basic
from pkgsync.obs import BuiltFiles, ObsClient, gather
from pkgsync.reasons import Reason
from pkgsync.reconcile import FileFilter
from pkgsync.sandbox import PROJECT, Artifact, Fault, Kind, Sandbox, make_deb, make_rpm
from pkgsync.session import HttpLimits, Session

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
LEAP, JAMMY = "openSUSE_Leap_15.6", "xUbuntu_22.04"
BUILD = ObsProject(name=PROJECT, distributions={LEAP: ("opensuse/15.6",), JAMMY: ("ubuntu/jammy",)}, content="build")
LIMITS = HttpLimits(read_seconds=0.5, window_seconds=0.3, result_read_seconds=0.5, attempts=3)
RESULT = f"/build/{PROJECT}/_result?view=binarylist&view=status&view=stats"
READS = [RESULT, RESULT, f"/source/{PROJECT}/_meta"]
RPM, OTHER = make_rpm("hello", "1.0"), make_rpm("other", "1.0")
FILE = r"hello-1\.0-1"


@define
class World:
    """An OBS that publishes nothing, and a machine that reads it."""

    sandbox: Sandbox
    cache: Cache
    policy: Policy = field(factory=Policy)

    def build(self, *artifacts: Artifact, package: str = "hello", arch: str = "x86_64", repository: str = LEAP) -> None:
        """The build of a package is done, and nothing is left to do."""
        if repository not in self.sandbox.obs.add_project(PROJECT).repositories:
            kind = "deb" if repository == JAMMY else "rpm"
            self.sandbox.obs.add_repository(PROJECT, repository, kind, ["x86_64", "aarch64"])
        self.sandbox.obs.finish(PROJECT, repository, arch, package, artifacts)
        self.rest()

    def rest(self, code: str = "unpublished") -> None:
        for repository in self.sandbox.obs.projects[PROJECT].repositories.values():
            for arch in repository.archs:
                self.sandbox.obs.set_arch(PROJECT, repository.name, arch, code)

    def read(self, project: ObsProject = BUILD, url: str | None = None, **options: Any) -> DesiredState:
        auth = Basic(self.sandbox.obs.user, options.pop("password", self.sandbox.obs.password))
        session = Session(
            url or self.sandbox.obs_url,
            auth=auth,
            limits=LIMITS,
            accept="application/xml",
            pause=options.pop("pause", lambda seconds: None),
        )
        client = ObsClient(session, connections=options.pop("connections", 4))
        built = BuiltFiles(client=client, cache=self.cache, wants=FileFilter(self.policy).takes)
        return gather(client, [project], now=lambda: NOW, built=built, **options)

    def leap(self, **options: Any) -> Repository:
        return next(r for r in self.read(**options).repositories if r.name == LEAP)

    def requested(self, read: Callable[[], object]) -> list[str]:
        """What is asked of OBS meanwhile, sorted."""
        before = len(self.sandbox.log.find("obs"))
        read()
        return sorted(entry.target for entry in self.sandbox.log.find("obs")[before:])

    def fault(self, kind: Kind, path: str = FILE, times: int | None = None, **more: Any) -> Fault:
        return self.sandbox.obs.faults.add(Fault(kind=kind, path=path, times=times, **more))


@pytest.fixture
def empty(tmp_path: Path) -> Iterator[World]:
    with Sandbox() as sandbox:
        yield World(sandbox, Cache(tmp_path / "cache"))


@pytest.fixture
def world(empty: World) -> World:
    """Two packages; both architectures have one."""
    empty.build(RPM)
    empty.build(OTHER, package="other")
    empty.build(make_rpm("hello", "1.0", arch="aarch64"), arch="aarch64")
    return empty


def names(repository: Repository) -> list[str]:
    assert repository.index is not None
    return [file.filename for file in repository.index.files]


def reasons(repository: Repository) -> list[Reason]:
    return [problem.reason for problem in repository.all_problems]


def paths(artifacts: Sequence[tuple[str, str, Artifact]]) -> list[str]:
    return [f"/build/{PROJECT}/{LEAP}/{arch}/{package}/{artifact.filename}" for arch, package, artifact in artifacts]


# What is read


def test_each_wanted_file_is_downloaded_once_and_never_again(world: World) -> None:
    arm = make_rpm("hello", "1.0", arch="aarch64")
    files = paths([("x86_64", "hello", RPM), ("x86_64", "other", OTHER), ("aarch64", "hello", arm)])
    assert world.requested(world.read) == sorted([*READS, *files])
    assert world.requested(world.read) == READS
    assert world.read().requests == 3


def test_the_files_are_those_of_the_build_and_settled_without_any_publish(world: World) -> None:
    leap = world.leap()
    assert (leap.content, leap.unread, reasons(leap), leap.last_published) == ("build", False, [], None)
    assert leap.index is not None
    assert [(f.path, f.name, str(f.version), f.architecture, f.size, f.sha256) for f in leap.index.files] == [
        (f"{arch}/{package}/{a.filename}", package, "1.0-1", arch, a.blob.size, a.blob.digest("sha256"))
        for arch, package, a in [
            ("aarch64", "hello", make_rpm("hello", "1.0", arch="aarch64")),
            ("x86_64", "hello", RPM),
            ("x86_64", "other", OTHER),
        ]
    ]
    assert leap.index.revision is None


def test_a_second_read_says_the_same(world: World) -> None:
    first = world.read()
    assert replace(world.read(), requests=first.requests) == first


@pytest.mark.parametrize("connections", [1, 8])
def test_the_order_of_threads_does_not_show(world: World, connections: int, tmp_path: Path) -> None:
    expected = world.read()
    world.cache = Cache(tmp_path / "another")
    assert world.read(connections=connections) == expected


def test_names_are_encoded_and_flavors_keep_their_colon(empty: World) -> None:
    empty.build(make_rpm("lib++", "1.0~rc1^git"), package="multi:small")
    place = f"/build/{PROJECT}/{LEAP}/x86_64/multi:small/lib%2B%2B-1.0~rc1%5Egit-1.x86_64.rpm"
    assert place in empty.requested(empty.read)
    assert names(empty.leap()) == ["lib++-1.0~rc1^git-1.x86_64.rpm"]


def test_epochs_and_debian_packages(empty: World) -> None:
    empty.build(make_deb("hello", "1.0~rc1", "2", epoch=3), repository=JAMMY)
    (jammy,) = (r for r in empty.read(replace(BUILD, distributions={JAMMY: ("ubuntu/jammy",)})).repositories)
    assert jammy.index is not None
    assert [(f.name, str(f.version), f.architecture) for f in jammy.index.files] == [("hello", "3:1.0~rc1-2", "amd64")]


def test_what_the_filters_leave_out_is_not_downloaded(world: World) -> None:
    world.policy = Policy(exclude=("other*",))
    source, debug = make_rpm("hello", "1.0", arch="src"), make_rpm("hello-debuginfo", "1.0")
    log, copied = evolve(RPM, filename="rpmlint.log"), evolve(RPM, filename=f"::import::i586::{RPM.filename}")
    world.build(RPM, source, debug, log, copied)
    project = replace(BUILD, architectures=("x86_64",))
    assert world.requested(lambda: world.read(project)) == sorted([*READS, *paths([("x86_64", "hello", RPM)])])


def test_a_repository_that_is_filtered_out_is_not_downloaded(world: World) -> None:
    project = replace(BUILD, repositories=(JAMMY,))
    assert world.requested(lambda: world.read(project)) == READS
    leap = next(r for r in world.read(project).repositories if r.name == LEAP)
    assert (leap.filtered, leap.index) == (True, None)


@pytest.mark.parametrize(
    ("changes", "first"),
    [
        ({}, "x86_64"),
        ({"architectures": ("aarch64", "x86_64")}, "aarch64"),
        ({"architectures": ("aarch64",)}, "aarch64"),
        ({"ignore_architectures": ("x86_64",)}, "aarch64"),
    ],
)
def test_a_noarch_file_is_the_copy_of_the_first_architecture(empty: World, changes: dict[str, Any], first: str) -> None:
    """``_meta`` says x86_64, aarch64; the config's order goes before, what it ignores comes last."""
    copies = {arch: make_rpm("doc", arch="noarch", salt=arch) for arch in ("x86_64", "aarch64")}
    for arch, artifact in copies.items():
        empty.build(artifact, package="doc", arch=arch)
    (file,) = empty.leap(project=replace(BUILD, **changes)).index.files  # type: ignore[union-attr]
    assert (file.path.split("/")[0], file.sha256) == (first, copies[first].blob.digest("sha256"))


def test_what_is_being_deleted_is_passed_over(world: World) -> None:
    world.sandbox.obs.set_code(PROJECT, LEAP, "x86_64", "other", "unknown")
    world.rest()
    assert names(world.leap()) == ["hello-1.0-1.aarch64.rpm", "hello-1.0-1.x86_64.rpm"]


@pytest.mark.parametrize("code", ["failed", "disabled", "locked", "unresolvable", "broken"])
def test_the_last_good_files_of_a_package_count(world: World, code: str) -> None:
    world.sandbox.obs.set_code(PROJECT, LEAP, "x86_64", "other", code)
    world.rest()
    assert OTHER.filename in names(world.leap())


def test_bytes_are_shown(world: World) -> None:
    shown: dict[str, list[int]] = {}

    class Task:
        def __init__(self, counts: list[int]) -> None:
            self.counts = counts

        def advance(self, count: int, /) -> None:
            self.counts.append(count)

    class Progress:
        def task(self, description: str, total: int | None, unit: str) -> Any:
            return nullcontext(Task(shown.setdefault(f"{description} ({unit}) of {total}", [])))

    total = 2 * RPM.blob.size + OTHER.blob.size
    for _ in range(2):
        world.fault(Kind.CORRUPT, times=1)
        shown.clear()
        world.read(progress=Progress())
        assert sum(shown[f"Hashing built files (bytes) of {total}"]) == total


# What is remembered


def test_the_same_name_and_size_with_another_time_is_hashed_again(world: World) -> None:
    world.read()
    world.sandbox.obs.clock.advance(60)
    again = make_rpm("hello", "1.0", salt="x")
    world.build(evolve(again, filename=RPM.filename))
    assert world.requested(world.read) == sorted([*READS, *paths([("x86_64", "hello", RPM)])])
    assert again.blob.digest("sha256") in {f.sha256 for f in world.leap().index.files}  # type: ignore[union-attr]


def test_what_the_cache_lost_is_downloaded_again(world: World) -> None:
    world.read()
    world.cache.prune()
    assert len(world.requested(world.read)) == 6
    sha256 = OTHER.blob.digest("sha256")
    path = world.cache.path(sha256)
    assert path is not None
    path.write_bytes(bytes(OTHER.blob.size))
    assert world.requested(world.read) == sorted([*READS, *paths([("x86_64", "other", OTHER)])])
    assert world.cache.path(sha256) is not None


@pytest.mark.parametrize(
    "damage",
    [
        lambda text: text[:-20],
        lambda text: "",
        lambda text: "[" * 100_000,
        lambda text: "[]",
        lambda text: text.replace(PROJECT, "other:project"),
        lambda text: text.replace('"format": 1', '"format": 2'),
        lambda text: text.replace(RPM.blob.digest("sha256"), "0" * 63),
        lambda text: text.replace(RPM.blob.digest("sha256"), "../../etc/passwd"),
        lambda text: text.replace(str(RPM.blob.size), f'"{RPM.blob.size}"'),
    ],
)
def test_a_damaged_memo_knows_nothing(world: World, damage: Callable[[str], str]) -> None:
    expected = world.read()
    (memo,) = (world.cache.folder / "built").iterdir()
    memo.write_text(damage(memo.read_text()))
    assert world.read() == expected


def test_the_memo_is_the_users_own_and_says_what_it_is_about(world: World) -> None:
    world.read()
    (memo,) = (world.cache.folder / "built").iterdir()
    assert (memo.stat().st_mode & 0o777, memo.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    document = json.loads(memo.read_text())
    assert (document["api"], document["project"]) == (world.sandbox.obs_url, PROJECT)
    assert len(document["files"]) == 3


def test_it_forgets_what_obs_no_longer_lists(world: World) -> None:
    world.read()
    world.sandbox.obs.remove_package(PROJECT, "other")
    world.rest()
    world.read()
    (memo,) = (world.cache.folder / "built").iterdir()
    assert {line[2] for line in json.loads(memo.read_text())["files"]} == {"hello"}


def test_another_server_with_the_same_project_is_another_project(world: World, tmp_path: Path) -> None:
    world.read()
    with Sandbox() as second:
        twin = World(second, world.cache)
        other = make_rpm("hello", "1.0", salt="x")
        twin.build(evolve(other, filename=RPM.filename))
        (file,) = twin.leap().index.files  # type: ignore[union-attr]
    assert file.sha256 == other.blob.digest("sha256")


def test_a_folder_that_cannot_be_written_is_said(world: World) -> None:
    world.cache.folder.parent.mkdir(parents=True, exist_ok=True)
    world.cache.folder.write_text("")
    with pytest.raises(StorageError, match="cannot be used"):
        world.read()


# What is no answer


HTML = b"<!DOCTYPE html><html><body>Back soon</body></html>"
NO_ANSWERS = [
    Fault(kind=Kind.STATUS, path=FILE, status=502, body=HTML),
    Fault(kind=Kind.STATUS, path=FILE, status=200, body=HTML),
    Fault(kind=Kind.STATUS, path=FILE, status=429, headers={"Retry-After": "1"}),
    Fault(kind=Kind.EMPTY, path=FILE),
    Fault(kind=Kind.CUT, path=FILE, keep=100),
    Fault(kind=Kind.TRUNCATE, path=FILE, keep=100),
    Fault(kind=Kind.CORRUPT, path=FILE),
    Fault(kind=Kind.RESET, path=FILE),
    Fault(kind=Kind.RESET_MIDWAY, path=FILE, keep=100),
    Fault(kind=Kind.HANG, path=FILE),
    Fault(kind=Kind.DRIP, path=FILE, delay=0.05),
    Fault(kind=Kind.ENDLESS, path=FILE, body=b"x" * 1000),
]


def identify(fault: Fault) -> str:
    return f"{fault.kind}-{fault.status}"


@pytest.mark.parametrize("fault", [*NO_ANSWERS, Fault(kind=Kind.STATUS, path=FILE, status=404)], ids=identify)
def test_a_file_that_cannot_be_read_makes_its_repository_unread(world: World, fault: Fault) -> None:
    world.sandbox.obs.faults.add(evolve(fault, times=None))
    leap = world.leap()
    assert (leap.unread, reasons(leap)) == (True, [Reason.UNREAD])
    assert (leap.index is None) is (fault.kind is not Kind.CORRUPT)


def test_one_broken_package_holds_no_other(world: World) -> None:
    world.fault(Kind.CORRUPT, r"/hello/")
    leap = world.leap()
    assert (leap.unread, names(leap), list(leap.doubts)) == (
        True,
        [OTHER.filename],
        ["hello-1.0-1.aarch64.rpm", RPM.filename],
    )


@pytest.mark.parametrize("fault", [f for f in NO_ANSWERS if f.kind is not Kind.ENDLESS], ids=identify)
def test_a_passing_fault_leaves_no_trace(world: World, fault: Fault, tmp_path: Path) -> None:
    expected = world.read()
    world.cache = Cache(tmp_path / "another")
    world.sandbox.obs.faults.add(evolve(fault, times=1))
    assert world.read().repositories == expected.repositories


def test_an_rpm_that_was_damaged_behind_its_header_is_not_believed(world: World) -> None:
    """Its size and its header are right; the MD5 in its signature is not."""
    damaged = RPM.blob.read()[:-1] + b"x"
    world.fault(Kind.STATUS, f"x86_64/hello/{FILE}", status=200, body=damaged, content_type="application/x-rpm")
    assert world.leap().unread
    assert world.cache.path(hashlib.sha256(damaged).hexdigest()) is None


def test_after_a_failure_the_others_of_the_repository_are_not_tried(empty: World) -> None:
    empty.build(*(make_rpm("hello", f"1.{number}") for number in range(20)))
    empty.build(make_deb("hello"), repository=JAMMY)
    empty.fault(Kind.STATUS, r"\.rpm", status=404)
    asked = empty.requested(lambda: empty.read(connections=1))
    assert (len([a for a in asked if a.endswith(".rpm")]), len([a for a in asked if a.endswith(".deb")])) == (1, 1)


def test_a_failed_read_keeps_what_was_read(world: World) -> None:
    world.fault(Kind.STATUS, r"other-1", status=404, times=1)
    assert world.leap(connections=1).unread
    assert world.requested(world.read) == sorted([*READS, *paths([("x86_64", "other", OTHER)])])


def test_a_refused_download_is_a_matter_of_rights(world: World) -> None:
    world.fault(Kind.STATUS, status=403)
    with pytest.raises(AuthenticationError):
        world.read()


# What is not final


@pytest.mark.parametrize(
    ("code", "dirty", "details", "expected"),
    [
        ("published", False, "", []),
        ("unpublished", False, "", []),
        ("building", False, "", [Reason.NOT_PUBLISHED]),
        ("finished", False, "", [Reason.NOT_PUBLISHED]),
        ("blocked", False, "", [Reason.NOT_PUBLISHED]),
        ("unpublished", True, "", [Reason.DIRTY]),
        ("unpublished", False, "lock timeout", [Reason.DETAILS]),
        ("publishing", False, "", [Reason.PUBLISHING]),
    ],
)
def test_settled(world: World, code: str, dirty: bool, details: str, expected: list[Reason]) -> None:
    world.sandbox.obs.set_arch(PROJECT, LEAP, "x86_64", code, dirty=dirty, details=details)
    leap = world.leap()
    assert reasons(leap) == expected
    assert len(names(leap)) == 3


def test_nothing_built_is_taken_for_a_fault_unless_it_may_be_so(empty: World) -> None:
    empty.build(package="none")
    assert reasons(empty.leap()) == [Reason.INDEX_EMPTY]
    assert reasons(empty.leap(project=replace(BUILD, may_be_empty=(LEAP,)))) == []


def test_nothing_but_filtered_files_is_not_nothing(world: World) -> None:
    world.policy = Policy(include=("none*",))
    assert (names(world.leap()), reasons(world.leap())) == ([], [])


def once(world: World, change: Callable[[], object]) -> Fault:
    """``change`` happens while the file is asked for."""
    return world.fault(Kind.NOTHING, hook=change, times=1)


def test_a_file_that_is_replaced_while_it_is_read_is_read_again(world: World) -> None:
    newer = make_rpm("hello", "2.0", size=5000)

    def rebuild() -> None:
        world.sandbox.obs.clock.advance(60)
        world.build(newer)

    once(world, rebuild)
    pauses: list[float] = []
    leap = world.leap(pause=pauses.append)
    assert (reasons(leap), newer.filename in names(leap), RPM.filename in names(leap)) == ([], True, False)
    assert pauses == [2.0]


def test_other_bytes_of_one_name_while_it_is_read_are_not_remembered(world: World) -> None:
    """The old file's size and time are listed, the new bytes arrive, and they are of the same size."""
    newer = make_rpm("hello", "1.0", salt="x")
    older = make_rpm("hello", "1.0", salt="y")
    world.build(older)
    assert newer.blob.size == older.blob.size

    def rebuild() -> None:
        world.sandbox.obs.clock.advance(60)
        world.build(newer)

    once(world, rebuild)
    leap = world.leap()
    assert reasons(leap) == []
    found = {file.filename: file.sha256 for file in leap.index.files}  # type: ignore[union-attr]
    assert found[RPM.filename] == newer.blob.digest("sha256")
    (memo,) = (world.cache.folder / "built").iterdir()
    times = {line[3]: line[5] for line in json.loads(memo.read_text())["files"] if line[1] == "x86_64"}
    built = world.sandbox.obs.repository(PROJECT, LEAP).archs["x86_64"].packages["hello"].files
    assert times[RPM.filename] == built[RPM.filename].mtime


def test_what_never_stops_changing_is_unsettled_but_not_unread(world: World) -> None:
    numbers = iter(range(100))

    def rebuild() -> None:
        world.sandbox.obs.clock.advance(60)
        world.build(make_rpm("hello", "1.0", salt=str(next(numbers))))

    world.fault(Kind.NOTHING, r"/build/.*rpm", hook=rebuild)
    leap = world.leap(connections=1)
    assert not leap.unread
    assert reasons(leap) == [Reason.INDEX_CHANGED]
    assert names(leap) == ["hello-1.0-1.aarch64.rpm", "other-1.0-1.x86_64.rpm"]


def test_a_file_that_is_gone_when_it_is_asked_for_is_a_change(world: World) -> None:
    def delete() -> None:
        world.sandbox.obs.remove_package(PROJECT, "hello")
        world.rest()

    once(world, delete)
    leap = world.leap(connections=1)
    assert (leap.unread, reasons(leap), names(leap)) == (False, [], ["other-1.0-1.x86_64.rpm"])


def test_the_listing_has_its_own_digest(world: World) -> None:
    """It is over everything that is built, whatever the filters."""
    first = world.leap().index
    world.policy = Policy(exclude=("other*",))
    second = world.leap().index
    assert first is not None and second is not None
    assert first.top_sha256 == second.top_sha256
    world.sandbox.obs.clock.advance(60)
    world.build(OTHER, package="other")
    assert world.leap().index.top_sha256 != first.top_sha256  # type: ignore[union-attr]
