"""Snapshots: what was read is read again, equal worlds give equal plans, and what nobody wrote so is refused."""

import hashlib
import json
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from pkgsync import planfile
from pkgsync import snapshot as snapshots
from pkgsync.config import ObsProject
from pkgsync.errors import ConfigError, ExitCode, IntegrityError, PkgsyncError, PlanFileError, ReadError
from pkgsync.model import (
    BuiltFile,
    BuiltPackage,
    DesiredState,
    Limits,
    Need,
    Needs,
    OrphanAction,
    OrphanPolicy,
    Policy,
    Repository,
)
from pkgsync.obs import ObsWorld, judge
from pkgsync.obs.indexes import IndexRead
from pkgsync.obs.results import ArchitectureResult, BuiltCopy, ProjectMeta
from pkgsync.obs.world import ProjectReads, RepositoryReads
from pkgsync.reasons import Reason
from pkgsync.reconcile import build_plan, compare, reconcile
from pkgsync.report import Style, plan_text
from pkgsync.snapshot import Snapshot
from tests.support.values import builders
from tests.support.values.builders import LEAP, NOW, index, row, rpm, sha
from tests.support.worlds.worlds import SETTINGS, World, worlds

NEEDS = Needs({sha("a"): (Need("x", (sha("b"),), "i386"), Need("y", (sha("a"),)))}, {"i386": (sha("b"),)})
FILE = replace(rpm(), mtime=1767225600)
PROJECT = ObsProject(name="home:me", distributions={"leap": (LEAP,)})


def result(*packages: BuiltPackage, details: str = "", **other: Any) -> ArchitectureResult:
    values = {"name": "x86_64", "code": "published", "dirty": False, "last_published": 1767225600, **other}
    return ArchitectureResult(details=details, packages=packages, **values)


BUILT = {"x86_64": result(BuiltPackage("src", "succeeded", (BuiltFile(FILE.filename, 1000, 1767225600),)))}
READS = RepositoryReads(before=BUILT, after=BUILT, index=IndexRead(index=index(FILE)))


def world_of(reads: RepositoryReads, name: str = "leap") -> ObsWorld:
    meta = ProjectMeta("home:me", {name: ("x86_64",)})
    return ObsWorld(projects={"home:me": ProjectReads(meta=meta, repositories={name: reads})}, read_at=NOW, requests=7)


def snapshot_of(world: ObsWorld, *rows: Any, **other: Any) -> Snapshot:
    return Snapshot(
        pkgsync_version="1.0.0",
        created_at=NOW,
        obs_api="https://api.opensuse.org",
        published_sha256=None,
        packagecloud_url="https://packagecloud.io",
        obs=world,
        packagecloud=builders.actual(*rows),
        **other,
    )


SAMPLE = snapshot_of(world_of(READS), row(FILE), row(rpm("old"), "fedora/40", sha256=None))


def bare(snapshot: Snapshot) -> Snapshot:
    """Without the digest, which only a file has."""
    return replace(snapshot, digest="")


def again(snapshot: Snapshot) -> Snapshot:
    return bare(snapshots.loads(snapshots.dumps(snapshot), "world.json"))


def seen(world: ObsWorld, project: ObsProject = PROJECT) -> DesiredState:
    return judge([project], world, lambda name, architectures: True)


def reads_of(repository: Repository) -> RepositoryReads:
    results = {
        a.name: result(*a.packages, name=a.name, code=a.code, dirty=bool(a.problems), last_published=a.last_published)
        for a in repository.architectures
    }
    return RepositoryReads(
        before=results, after=results, index=IndexRead(index=repository.index, unread=repository.unread)
    )


@SETTINGS
@given(worlds())
def test_what_is_written_is_read_again_and_gives_the_same_plan(world: World) -> None:
    projects = {
        r.project: ObsProject(name=r.project, distributions={x.name: x.distributions for x in world.repositories})
        for r in world.repositories
    }
    reads = {
        name: ProjectReads(
            meta=ProjectMeta(name, {r.name: ("x86_64", "aarch64") for r in world.repositories if r.project == name}),
            repositories={r.name: reads_of(r) for r in world.repositories if r.project == name},
        )
        for name in projects
    }
    taken = snapshot_of(ObsWorld(projects=reads, read_at=NOW, requests=7), *world.rows)
    loaded = again(taken)
    assert loaded == taken
    assert snapshots.dumps(loaded) == snapshots.dumps(taken)
    plans = [
        evolve(world, repositories=judge(tuple(projects.values()), s.obs, lambda *_: True).repositories, rows=s.packagecloud.rows).plan()
        for s in (taken, loaded)
    ]  # fmt: skip
    assert plans[0] == plans[1]


def test_all_that_can_stand_in_one_is_read_again() -> None:
    before = {"x86_64": replace(BUILT["x86_64"], code="building", dirty=True, odd_entries=2)}
    taken = snapshot_of(
        world_of(
            replace(READS, before=before, index=IndexRead(index=None, problems=(builders.problem(),), unread=True))
        ),
        archive="me/archive",
        downloads_since="2026-01-30",
    )
    full = replace(
        taken.packagecloud,
        archive={row(FILE).key: row(FILE)},
        downloads={row(FILE).key: 3, "a/b": None},
        warnings=("so",),
        needs={LEAP: NEEDS},
    )
    assert again(replace(taken, packagecloud=full)) == replace(taken, packagecloud=full)
    absent = ObsWorld(projects={"home:me": ProjectReads(meta=None, repositories={})}, read_at=NOW, requests=7)
    assert again(snapshot_of(absent)).obs == absent


def test_needs_that_were_written_without_their_architectures() -> None:
    needs = {LEAP: Needs({sha("a"): (Need("x", (sha("b"),)),)})}
    taken = replace(SAMPLE, packagecloud=replace(SAMPLE.packagecloud, needs=needs))
    written = json.loads(snapshots.dumps(taken))
    for key in ("on", "own"):
        assert written["packagecloud"]["needs"][LEAP].pop(key) == {}
    assert snapshots.loads(resigned(written), "world.json").packagecloud.needs == needs


def test_no_route_and_no_word_of_a_server_stands_in_it() -> None:
    secret = row(FILE, download_url="/me/stable/secret", destroy_url="/secret", package_url="/secret")
    told = {"x86_64": replace(BUILT["x86_64"], details="secret words")}
    data = snapshots.dumps(snapshot_of(world_of(replace(READS, before=told, after=told)), secret))
    assert b"secret" not in data
    loaded = snapshots.loads(data, "world.json")
    assert [p.reason for p in seen(loaded.obs).repositories[0].all_problems] == [Reason.DETAILS]
    changed = replace(READS, before=told, after={"x86_64": replace(told["x86_64"], details="other words")})
    found = seen(again(snapshot_of(world_of(changed))).obs).repositories[0]
    assert {p.reason for p in found.all_problems} == {Reason.DETAILS, Reason.INDEX_CHANGED}


def test_what_the_snapshot_did_not_read_is_unread_and_never_absent() -> None:
    not_read = seen(world_of(replace(READS, index=None))).repositories[0]
    assert (not_read.index, not_read.unread) == (None, True)
    assert "home:me/leap: the snapshot did not read its index" in [p.message for p in not_read.problems]
    nothing = seen(
        replace(
            world_of(READS),
            projects={"home:me": ProjectReads(meta=ProjectMeta("home:me", {"leap": ("x86_64",)}), repositories={})},
        )
    )
    assert nothing.repositories[0].unread
    with pytest.raises(ReadError, match="other: the snapshot did not read this project"):
        seen(world_of(READS), ObsProject(name="other", distributions={"leap": (LEAP,)}))
    with pytest.raises(ConfigError, match="tumbleweed"):
        seen(world_of(READS, "tumbleweed"))


def test_a_repository_mapped_to_null_can_be_mapped_by_another_config() -> None:
    skipped = ObsProject(name="home:me", distributions={"leap": None, "other": (LEAP,)})
    assert seen(world_of(READS), skipped).repositories[0].skipped
    assert seen(world_of(READS)).repositories[0].index == index(FILE)


def test_of_built_files_only_those_count_that_were_read() -> None:
    other = rpm("second")
    copies = {
        BuiltCopy(repository="leap", architecture="x86_64", package="src", file=BuiltFile(f.filename, 1000, 1767225600)): f
        for f in (replace(FILE, path=f"x86_64/src/{FILE.filename}"), replace(other, path=f"x86_64/src/{other.filename}"))
    }  # fmt: skip
    both = {"x86_64": result(BuiltPackage("src", "succeeded", tuple(made.file for made in copies)), code="unpublished")}
    project = replace(PROJECT, content="build")
    taken = again(snapshot_of(world_of(RepositoryReads(before=both, after=both, copies=copies))))

    def files(world: ObsWorld, wants: Callable[[str, Any], bool]) -> list[str] | None:
        found = judge([project], world, wants).repositories[0]
        assert found.unread == (found.index is None)
        return [f.name for f in found.index.files] if found.index else None

    assert files(taken.obs, lambda name, _: True) == ["hello", "second"]
    assert files(taken.obs, lambda name, _: name == FILE.filename) == ["hello"]
    (first, found), _ = copies.items()
    one = again(snapshot_of(world_of(RepositoryReads(before=both, after=both, copies={first: found}))))
    assert files(one.obs, lambda name, _: name == FILE.filename) == ["hello"]
    assert files(one.obs, lambda name, _: True) is None
    assert files(world_of(READS), lambda name, _: True) is None
    broken = {first: IntegrityError("hello: no package", tip="Build it."), copies.popitem()[0]: None}
    loaded = again(snapshot_of(world_of(RepositoryReads(before=both, after=both, copies=broken))))
    found_again: Any = loaded.obs.projects["home:me"].repositories["leap"].copies
    failure, nothing = found_again.values()
    assert (type(failure), failure.message, failure.tip, nothing) == (
        IntegrityError,
        "hello: no package",
        "Build it.",
        None,
    )


def test_of_built_files_none_counts_that_was_not_tried_after_a_failure() -> None:
    """The failed one is what another config leaves out: then the others are still unread."""
    first, second = (BuiltFile(f.filename, 1000, 1767225600) for f in (FILE, rpm("second")))
    broken, untried = (
        BuiltCopy(repository="leap", architecture="x86_64", package="src", file=file) for file in (first, second)
    )
    both = {"x86_64": result(BuiltPackage("src", "succeeded", (first, second)), code="unpublished")}
    reads = RepositoryReads(before=both, after=both, copies={broken: ReadError("hello: cut off"), untried: None})
    found = judge([replace(PROJECT, content="build")], world_of(reads), lambda name, _: name == second.filename)
    assert (found.repositories[0].index, found.repositories[0].unread) == (None, True)


def test_other_downloads_and_another_archive_prove_nothing() -> None:
    actual = replace(builders.actual(row(FILE), archive=[row(FILE)]), downloads={row(FILE).key: 0})
    taken = replace(
        snapshot_of(world_of(READS)), packagecloud=actual, archive="me/archive", downloads_since="2026-01-30"
    )

    def policy(days: int | None, archive: str) -> Policy:
        return Policy(
            orphans=OrphanPolicy(action=OrphanAction.ARCHIVE, archive_to=archive, keep_versions=1),
            limits=Limits(in_use_days=days),
        )

    def kept(days: int | None, archive: str) -> tuple[bool, bool]:
        found = taken.actual_for(policy(days, archive), NOW)
        return bool(found.downloads), found.archive is not None

    assert kept(30, "me/archive") == (True, True)
    assert kept(20, "me/archive") == (True, True)
    assert kept(31, "me/other") == (False, False)
    assert kept(None, "me/archive") == (False, True)


def document() -> dict[str, Any]:
    value: dict[str, Any] = json.loads(snapshots.dumps(SAMPLE))
    return value


def resigned(value: dict[str, Any]) -> bytes:
    """The document with a right digest, as somebody with bad intent would write it."""
    rest = {key: item for key, item in value.items() if key != "digest"}
    digest = hashlib.sha256((json.dumps(rest, separators=(",", ":")) + "\n").encode()).hexdigest()
    return json.dumps(value | {"digest": f"sha256:{digest}"}).encode()


def test_the_digest_is_over_all_but_itself() -> None:
    assert json.loads(resigned(document()))["digest"] == document()["digest"]
    assert bare(snapshots.loads(resigned(document()), "world.json")) == SAMPLE


def leap(value: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = value["obs"]["projects"]["home:me"]["repositories"]["leap"]
    return found


def change(place: Callable[[dict[str, Any]], Any], key: Any, new: Any) -> Callable[[dict[str, Any]], None]:
    def changed(value: dict[str, Any]) -> None:
        place(value)[key] = new

    return changed


FILES = lambda value: leap(value)["index"]["index"]["files"][0]  # noqa: E731
ROW = lambda value: value["packagecloud"]["rows"][0]  # noqa: E731
HOSTILE: dict[str, tuple[Callable[[Any], object], str]] = {
    "path": (change(FILES, 0, "../../etc/passwd"), "no usable path"),
    "hidden": (change(FILES, 0, "x86_64/a\u202e.rpm"), "no usable path"),
    "file sum": (change(FILES, 2, "0" * 63), "files[0][2]: \"000"),
    "file type": (change(FILES, 3, "exe"), "exe"),
    "size": (change(FILES, 1, -1), "files[0][1]: -1 is less than the minimum of 0"),
    "size as text": (change(FILES, 1, "1"), "files[0][1]: \"1\" is not of type \"integer\""),
    "size with a point": (change(FILES, 1, 1000.0), "obs: home:me/leap: a number of an entry has a decimal point"),
    "epoch with a point": (change(ROW, 6, 1.0), "packagecloud: a number of an entry has a decimal point"),
    "row sum": (change(ROW, 8, "x"), "rows[0][8]: \"x\" does not match"),
    "row flag": (change(ROW, 11, 1), "rows[0][11]: 1 is not of type \"boolean\""),
    "row length": (lambda value: value["packagecloud"]["rows"][0].pop(), "less than 12 items"),
    "rows cut": (lambda value: value["packagecloud"]["rows"].pop(), "not hold as many rows as it says"),
    "built name": (change(lambda v: leap(v)["after"]["x86_64"]["packages"][0]["files"][0], 0, "a/b"), "no usable name"),
    "requests with a point": (change(lambda v: v["obs"], "requests", 7.0), "obs: Expected `int`, got `float`"),
    "long reason": (change(leap, "index", {"index": None, "problems": [{"reason": "x" * 10**6, "message": ""}]}), f"'{'x' * 261} ..."),
    "reason": (change(leap, "index", {"index": None, "problems": [{"reason": "bogus", "message": ""}]}), "bogus"),
    "doubts": (change(lambda v: leap(v)["index"], "doubts", {"a": {}}), "more than 0 properties"),
    "words": (change(lambda v: leap(v)["after"]["x86_64"], "details", "Click here"), "Click here"),
    "time": (change(lambda v: v["obs"], "read_at", "2026-13-01T00:00:00Z"), "month"),
    "url": (change(lambda v: v, "obs_api", "https://me:secret@api.opensuse.org"), "obs_api"),
    "format": (change(lambda v: v, "format_version", "2.0"), "has format 2.0; this pkgsync reads format 1 only"),
    "no snapshot": (lambda value: value.pop("obs"), "not a snapshot of pkgsync"),
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_what_nobody_wrote_so_is_refused_in_words(name: str) -> None:
    edit, words = HOSTILE[name]
    value = document()
    edit(value)
    with pytest.raises(PlanFileError) as caught:
        snapshots.loads(resigned(value), "world.json")
    assert caught.value.exit_code == ExitCode.INTEGRITY
    assert caught.value.message.startswith("world.json: ")
    assert words in caught.value.message


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "line 1, column 1"),
        (b"[]", "not a JSON object"),
        (b"\xff", "not UTF-8"),
        (b'{"a":1,"a":1}', "stands twice"),
        (b'{"a":' * 100000, "nested too deeply"),
        (snapshots.dumps(SAMPLE).replace(b'"published"', b'"finished"', 1), "the digest does not match"),
        (snapshots.dumps(SAMPLE)[:-20], "line 1"),
    ],
)
def test_what_is_damaged_is_refused_in_words(data: bytes, words: str) -> None:
    with pytest.raises(PlanFileError, match=words):
        snapshots.loads(data, "world.json")


def places(value: Any) -> list[tuple[Any, Any]]:
    """Every place in a document: what holds it, and its key there."""
    keys = list(value) if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    return [(value, key) for key in keys] + [found for key in keys for found in places(value[key])]


ODD: st.SearchStrategy[object] = st.sampled_from(
    [None, True, -1, 2**53 - 1, "", "\ud800", "\x00", "../x", "2026-01-01", "rpm", [], {}, [[]], "é" * 300]
).map(deepcopy)


@SETTINGS
@given(st.data())
def test_whatever_it_says_it_ends_in_a_plan_or_in_words(data: st.DataObject) -> None:
    value = document()
    for _ in range(data.draw(st.integers(1, 3))):
        holder, key = data.draw(st.sampled_from(places(value)))
        holder[key] = data.draw(ODD)
    try:
        taken = snapshots.loads(resigned(value), "world.json")
        actual = taken.actual_for(builders.policy(), taken.created_at)
        there = seen(taken.obs)
        decided = reconcile(there, actual, builders.policy(), (LEAP,), taken.created_at)
        plan = build_plan(decided, there, actual, builders.policy(), taken.created_at, builders.SETTING)
        compare(plan, plan, plan.config_digest, there, actual)
        planfile.loads(planfile.dumps(plan), "plan.json")
        plan_text(plan, Style())
    except PkgsyncError as error:
        assert error.message


def test_a_file_is_written_whole(tmp_path: Path) -> None:
    path = tmp_path / "world.json"
    written = snapshots.write(SAMPLE, path)
    assert path.read_bytes() == snapshots.dumps(SAMPLE)
    assert bare(snapshots.read(path)) == SAMPLE
    assert written.digest == json.loads(path.read_bytes())["digest"]
