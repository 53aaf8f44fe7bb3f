"""``content: build`` in plan files and settled rules, and the choice among the copies of a file."""

import json
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from pkgsync import planfile
from pkgsync.config import ObsProject, load
from pkgsync.errors import IntegrityError, NotFoundError, PlanFileError, ReadError
from pkgsync.model import BuiltFile, BuiltPackage, IndexedFile, Outcome, PackageType, Source, Version
from pkgsync.model.filename import FileClass
from pkgsync.obs.built import chosen, index_of, listing_sha256
from pkgsync.obs.mapping import Wanted
from pkgsync.obs.results import ArchitectureResult, BuiltCopy
from pkgsync.obs.settled import judge_architectures
from pkgsync.reasons import Reason
from pkgsync.reconcile import recheck
from tests.support.values.builders import (
    LEAP,
    NOW,
    actual,
    architecture,
    decide,
    desired,
    package,
    plan,
    policy,
    repository,
    rpm,
)
from tests.support.values.samples import PLAN

PROJECT = ObsProject(name="home:me", distributions={"leap": ("opensuse/15.6",)}, content="build")
FILE = BuiltFile("hello-1.0-1.noarch.rpm", 10, 1000)
LISTING_SHA256 = "5819eb28724b80de63e8fab739fa9da941147e9d168d69c76bcceeeb0716cba5"
BUILT = Source(
    kind="obs",
    project="home:kata",
    repository="leap",
    architecture="x86_64",
    packages=("hello",),
    path="x86_64/hello/hello-1.0-1.x86_64.rpm",
    content="build",
)


def result(name: str, *packages: BuiltPackage, code: str = "unpublished") -> ArchitectureResult:
    return ArchitectureResult(name=name, code=code, dirty=False, details="", last_published=None, packages=packages)


def wanted(project: ObsProject = PROJECT) -> Wanted:
    return Wanted(project=project, name="leap", distributions=("opensuse/15.6",), expected=("x86_64", "aarch64"))


def everything(filename: str, architectures: object) -> bool:
    return True


def plan_with(source: Source) -> bytes:
    (upload, *rest) = PLAN.uploads
    return planfile.dumps(replace(PLAN, uploads=(replace(upload, source=source), *rest)))


# Plan files


def test_a_plan_says_what_is_only_built() -> None:
    data = plan_with(BUILT)
    assert json.loads(data)["uploads"][0]["source"]["content"] == "build"
    assert planfile.loads(data, "plan.json").uploads[0].source == BUILT


def test_a_plan_of_published_files_does_not_speak_of_it() -> None:
    assert b'"content"' not in planfile.dumps(PLAN)


@pytest.mark.parametrize("path", ["hello.rpm", "x86_64/hello.rpm", "x86_64/hello/extra/hello.rpm"])
def test_a_built_file_has_an_architecture_and_a_package(path: str) -> None:
    with pytest.raises(PlanFileError, match="ARCHITECTURE/PACKAGE/FILE"):
        plan_with(replace(BUILT, path=path))


def test_any_other_content_is_refused() -> None:
    document = json.loads(plan_with(BUILT))
    document["uploads"][0]["source"]["content"] = "elsewhere"
    with pytest.raises(PlanFileError):
        planfile.loads(json.dumps(document).encode(), "plan.json")


def test_the_source_of_an_upload_names_the_copy_that_is_taken() -> None:
    """Both architectures offer it; the path says whose it is, and an upload's source says the same."""
    file = rpm(arch="noarch", folder="x86_64/src")
    archs = [architecture(name, package("src", file), code="unpublished") for name in ("aarch64", "x86_64")]
    (upload,) = decide([repository(file, architectures=archs, content="build")]).uploads
    source = upload.source
    assert (source.content, source.architecture, source.path) == ("build", "x86_64", f"x86_64/src/{file.filename}")


def test_apply_does_not_take_a_published_file_for_a_built_one() -> None:
    """The path is the same, the place is not."""
    file = rpm(folder="x86_64/src")
    made = plan([repository(file, content="build")])
    again = recheck(made, desired(repository(file, content="build")), actual(), policy(), (LEAP,), NOW)
    other = recheck(made, desired(repository(file)), actual(), policy(), (LEAP,), NOW)
    assert [check.outcome for check in again] == [Outcome.DUE]
    assert [(check.outcome, check.reason) for check in other] == [(Outcome.STALE, Reason.SOURCE_CHANGED)]


# Which copy


BOTH = {name: result(name, BuiltPackage("hello", "succeeded", (FILE,))) for name in ("aarch64", "x86_64", "riscv64")}


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, "x86_64"),
        ({"architectures": ("aarch64",)}, "aarch64"),
        ({"architectures": ("riscv64", "x86_64")}, "riscv64"),
        ({"ignore_architectures": ("x86_64",)}, "aarch64"),
        ({"ignore_architectures": ("x86_64", "aarch64")}, "riscv64"),
        ({"ignore_architectures": ("x86_64", "aarch64", "riscv64")}, "x86_64"),
    ],
)
def test_the_first_architecture_that_offers_it(changes: dict[str, Any], expected: str) -> None:
    (copy,) = chosen(wanted(replace(PROJECT, **changes)), BOTH, everything)
    assert copy == BuiltCopy(repository="leap", architecture=expected, package="hello", file=FILE)
    assert copy.path == f"{expected}/hello/{FILE.filename}"


def test_an_architecture_without_it_is_passed_over() -> None:
    results = {**BOTH, "x86_64": result("x86_64", BuiltPackage("hello", "failed"))}
    assert [copy.architecture for copy in chosen(wanted(), results, everything)] == ["aarch64"]


def test_a_package_without_a_known_state_offers_nothing() -> None:
    results = {"x86_64": result("x86_64", BuiltPackage("hello", "unknown", (FILE,)))}
    assert chosen(wanted(), results, everything) == ()


def test_only_what_both_looks_show_is_offered() -> None:
    """Whatever differs in the second look, a copy that was read stands only if it would be chosen again."""
    first = {"x86_64": BOTH["x86_64"]}
    (copy,) = chosen(wanted(), first, everything)
    file = rpm(arch="noarch")
    for second in (
        {"x86_64": result("x86_64", BuiltPackage("hello", "succeeded", (replace(FILE, mtime=1001),)))},
        {"x86_64": result("x86_64", BuiltPackage("hello", "succeeded", (replace(FILE, size=11),)))},
        {"x86_64": result("x86_64", BuiltPackage("hello", "unknown", (FILE,)))},
        {"x86_64": result("x86_64", BuiltPackage("other", "succeeded", (FILE,)))},
        {"aarch64": BOTH["aarch64"]},
        {},
    ):
        index = index_of(wanted(), {copy: file}, second, everything).index
        assert index is not None
        assert index.files == ()
    index = index_of(wanted(), {copy: file}, first, everything).index
    assert index is not None
    assert index.files == (file,)


def test_a_failure_counts_as_one_only_where_nothing_changed() -> None:
    first = {"x86_64": BOTH["x86_64"]}
    (copy,) = chosen(wanted(), first, everything)
    for error in (ReadError("cut"), NotFoundError("gone")):
        failed = index_of(wanted(), {copy: error}, first, everything)
        assert (failed.index, failed.unread, [p.reason for p in failed.problems]) == (None, True, [Reason.UNREAD])
        changed = index_of(wanted(), {copy: error}, {}, everything)
        assert (changed.index, changed.unread) == (None, False)
        assert [p.reason for p in changed.problems] == [Reason.INDEX_CHANGED]


def test_a_file_that_is_no_package_holds_itself_and_what_needs_proof() -> None:
    """The others are offered; that only a new build helps is said."""
    other = BuiltFile("other-1.0-1.x86_64.rpm", 6, 60)
    first = {"x86_64": result("x86_64", BuiltPackage("hello", "succeeded", (FILE, other)))}
    bad, good = chosen(wanted(), first, everything)
    listed = IndexedFile(
        good.file.filename,
        good.path,
        6,
        "0" * 64,
        PackageType.RPM,
        "other",
        Version(0, "1.0", "1"),
        "x86_64",
        FileClass.PACKAGE,
    )
    found = index_of(wanted(), {bad: IntegrityError("hello: cut"), good: listed}, first, everything)
    assert found.index is not None and found.index.files == (listed,)
    (problem,) = found.problems
    assert (problem.reason, problem.lasting, problem.cure) == (Reason.UNREAD, True, "Build it anew in OBS.")
    assert (found.doubts, found.unread) == ({bad.file.filename: problem}, True)
    assert index_of(wanted(), {bad: IntegrityError("hello: cut")}, {}, everything).index is None


@pytest.mark.parametrize(
    "filename", ["::import::i586::hello-1.0-1.i586.rpm", "rpmlint.log", "_statistics", "hello.iso", ""]
)
def test_what_is_no_package_leaves_a_repository_empty(filename: str) -> None:
    files = (BuiltFile(filename, 1, 1),) if filename else ()
    results = {"x86_64": result("x86_64", BuiltPackage("hello", "succeeded", files))}
    assert [p.reason for p in index_of(wanted(), {}, results, everything).problems] == [Reason.INDEX_EMPTY]
    may = wanted(replace(PROJECT, may_be_empty=("leap",)))
    assert index_of(may, {}, results, everything).problems == ()


def test_the_digest_of_a_listing_is_over_every_part_of_it() -> None:
    """The literal was computed by sha256sum over the JSON."""
    results = {"x86_64": BOTH["x86_64"]}
    assert listing_sha256(results) == LISTING_SHA256
    assert listing_sha256({}) != LISTING_SHA256
    for file in (replace(FILE, size=11), replace(FILE, mtime=1001), replace(FILE, filename="x")):
        other = {"x86_64": result("x86_64", BuiltPackage("hello", "succeeded", (file,)))}
        assert listing_sha256(other) != LISTING_SHA256


# Settled


@pytest.mark.parametrize("code", ["published", "unpublished"])
def test_final_without_a_published_sibling(code: str) -> None:
    results = {name: result(name, code=code) for name in ("x86_64", "aarch64")}
    judged = judge_architectures("prj/leap", ("x86_64", "aarch64"), results, results, (), "build")
    assert [a.problems for a in judged] == [(), ()]


def test_who_reads_what_is_never_published_is_told_of_it() -> None:
    results = {"x86_64": result("x86_64")}
    (judged,) = judge_architectures("prj/leap", ("x86_64",), results, results, ())
    assert [p.message for p in judged.problems] == [
        "prj/leap/x86_64: is unpublished, not published (`content: build` syncs what is built)"
    ]


@pytest.mark.parametrize("code", ["unknown", "broken", "scheduling", "blocked", "building", "finished", "disabled"])
def test_not_final(code: str) -> None:
    results = {"x86_64": result("x86_64", code=code)}
    (judged,) = judge_architectures("prj/leap", ("x86_64",), results, results, (), "build")
    assert [p.reason for p in judged.problems] == [Reason.NOT_PUBLISHED]


# The config


def test_the_config_knows_it(tmp_path: Path) -> None:
    path = tmp_path / "pkgsync.yaml"
    path.write_text(
        "version: 1\nobs:\n  projects:\n    - {name: a, content: build}\n    - {name: b}\n"
        "packagecloud: {repository: a/b}\ndistributions: {leap: opensuse/15.6}\n"
    )
    config = load(path, {})
    assert [project.content for project in config.obs.projects] == ["build", "published"]
    path.write_text(path.read_text().replace(", content: build", ""))
    assert load(path, {}).digest != config.digest
