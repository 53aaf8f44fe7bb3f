"""The settled rules, one by one, and which repositories are wanted at all."""

from typing import Any

import pytest
from msgspec.structs import replace

from pkgsync.config import ObsProject
from pkgsync.errors import MappingError
from pkgsync.model import Architecture, BuiltFile, BuiltPackage, Index, IndexedFile, PackageType, Version
from pkgsync.model.filename import FileClass
from pkgsync.obs.mapping import absent, all_wanted, ended, typos, wanted
from pkgsync.obs.results import ArchitectureResult, ProjectMeta
from pkgsync.obs.settled import (
    changed_only,
    contradictions,
    doubts,
    index_problems,
    is_at_rest,
    judge_architectures,
    publishing_problems,
    shared_problems,
)
from pkgsync.reasons import Reason

FILE = BuiltFile("f.rpm", 10, 1000)
PACKAGE = BuiltPackage("p", "succeeded", (FILE,))
X86 = ArchitectureResult(
    name="x86_64", code="published", dirty=False, details="", last_published=5000, packages=(PACKAGE,)
)
ARM = replace(X86, name="aarch64")
LISTED = IndexedFile(
    "f.rpm", "x86_64/f.rpm", 10, "0" * 64, PackageType.RPM, "f", Version(0, "1", "1"), "x86_64", FileClass.PACKAGE, 1000
)
INDEX = Index(top_sha256="0" * 64, revision=5000, files=(LISTED,))
Reasons = dict[str, list[Reason]]


def judge(
    *second: ArchitectureResult, first: tuple[ArchitectureResult, ...] | None = None, ignored: tuple[str, ...] = ()
) -> Reasons:
    after = {result.name: result for result in second}
    before = after if first is None else {result.name: result for result in first}
    judged = judge_architectures("prj/repo", ("x86_64", "aarch64"), before, after, ignored)
    return {a.name: [p.reason for p in a.problems] for a in judged}


def test_what_is_published_and_equal_twice_is_settled() -> None:
    assert judge(X86, ARM) == {"x86_64": [], "aarch64": []}


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"dirty": True}, Reason.DIRTY),
        ({"details": "lock timeout"}, Reason.DETAILS),
        ({"odd_entries": 1}, Reason.UNREAD),
        ({"code": "unknown"}, Reason.NOT_PUBLISHED),
        ({"code": "broken"}, Reason.NOT_PUBLISHED),
        ({"code": "scheduling"}, Reason.NOT_PUBLISHED),
        ({"code": "blocked"}, Reason.NOT_PUBLISHED),
        ({"code": "building"}, Reason.NOT_PUBLISHED),
        ({"code": "finished"}, Reason.NOT_PUBLISHED),
        ({"code": "disabled"}, Reason.NOT_PUBLISHED),
        ({"code": "excluded"}, Reason.NOT_PUBLISHED),
        ({"code": "something-new"}, Reason.NOT_PUBLISHED),
    ],
)
def test_an_architecture_at_work_unsettles_only_itself(change: dict[str, Any], reason: Reason) -> None:
    assert judge(X86, replace(ARM, **change)) == {"x86_64": [], "aarch64": [reason]}


def test_unpublished_is_fine_beside_a_published_one_only() -> None:
    off = replace(ARM, code="unpublished")
    assert judge(X86, off) == {"x86_64": [], "aarch64": []}
    assert judge(replace(X86, code="unpublished"), off) == {
        "x86_64": [Reason.NOT_PUBLISHED],
        "aarch64": [Reason.NOT_PUBLISHED],
    }
    assert judge(X86, off, ignored=("x86_64",))["aarch64"] == [Reason.NOT_PUBLISHED]


def test_an_architecture_without_result_is_absent() -> None:
    assert judge(X86) == {"x86_64": [], "aarch64": [Reason.ARCHITECTURE_ABSENT]}


def test_an_architecture_that_meta_does_not_know_is_kept() -> None:
    assert judge(X86, ARM, replace(X86, name="i586")) == {"x86_64": [], "aarch64": [], "i586": []}


@pytest.mark.parametrize(
    "change",
    [
        {"code": "building"},
        {"dirty": True},
        {"details": "x"},
        {"last_published": 4999},
        {"packages": ()},
        {"packages": (replace(PACKAGE, code="building"),)},
        {"packages": (replace(PACKAGE, files=()),)},
        {"packages": (replace(PACKAGE, files=(replace(FILE, size=11),)),)},
        {"packages": (replace(PACKAGE, files=(replace(FILE, mtime=1001),)),)},
    ],
)
def test_two_looks_must_agree(change: dict[str, Any]) -> None:
    assert judge(X86, ARM, first=(replace(X86, **change), ARM)) == {"x86_64": [Reason.INDEX_CHANGED], "aarch64": []}


def test_an_architecture_that_appears_between_the_looks_has_changed() -> None:
    assert judge(X86, ARM, first=(X86,)) == {"x86_64": [], "aarch64": [Reason.INDEX_CHANGED]}


def test_the_second_look_is_the_one_that_is_kept() -> None:
    (judged,) = judge_architectures(
        "r", ("x86_64",), {"x86_64": replace(X86, code="building", packages=())}, {"x86_64": X86}, ()
    )
    assert (judged.code, judged.dirty, judged.last_published, judged.packages) == ("published", False, 5000, (PACKAGE,))
    assert changed_only((judged,))


def test_only_what_merely_changed_is_worth_another_look() -> None:
    busy = judge_architectures("r", ("x86_64",), {"x86_64": X86}, {"x86_64": replace(X86, code="building")}, ())
    assert not changed_only(busy)
    assert not changed_only((Architecture(name="x86_64", code="published"),))


@pytest.mark.parametrize(
    ("change", "shared"),
    [
        ({"dirty": True}, [Reason.DIRTY]),
        ({"details": "lock timeout"}, [Reason.DETAILS]),
        ({"code": "building"}, []),
        ({"code": "building", "dirty": True}, [Reason.DIRTY]),
    ],
)
def test_only_a_state_that_is_not_published_is_an_architecture_s_own_matter(
    change: dict[str, Any], shared: list[Reason]
) -> None:
    results = {"x86_64": X86, "aarch64": replace(ARM, **change)}
    judged = judge_architectures("prj/repo", ("x86_64", "aarch64"), results, results, ())
    assert [p.reason for p in shared_problems(judged, ())] == shared
    assert shared_problems(judged, ("aarch64",)) == ()


def test_an_absent_architecture_unsettles_the_whole_repository() -> None:
    judged = judge_architectures("prj/repo", ("x86_64", "aarch64"), {"x86_64": X86}, {"x86_64": X86}, ())
    assert [p.reason for p in shared_problems(judged, ())] == [Reason.ARCHITECTURE_ABSENT]


def test_publishing_concerns_the_whole_repository() -> None:
    moving = replace(ARM, code="publishing")
    assert judge(X86, moving) == {"x86_64": [], "aarch64": []}
    (problem,) = publishing_problems("prj/repo", {"x86_64": X86, "aarch64": moving}, ())
    assert problem.reason is Reason.PUBLISHING
    assert "aarch64" in problem.message


def test_publishing_of_an_ignored_architecture_is_its_own_matter() -> None:
    moving = replace(ARM, code="publishing")
    assert publishing_problems("prj/repo", {"x86_64": X86, "aarch64": moving}, ("aarch64",)) == ()
    assert judge(X86, moving, ignored=("aarch64",)) == {"x86_64": [], "aarch64": [Reason.PUBLISHING]}


def reasons_of_index(
    index: Index | None, *results: ArchitectureResult, may_be_empty: bool = False, ignored: tuple[str, ...] = ()
) -> list[Reason]:
    by_name = {result.name: result for result in results or (X86, ARM)}
    return [p.reason for p in index_problems("prj/repo", index, by_name, ignored, may_be_empty)]


def test_a_fresh_index_is_fine() -> None:
    assert reasons_of_index(INDEX) == []


def test_an_empty_index_proves_nothing_unless_it_may_be_empty() -> None:
    empty = replace(INDEX, files=())
    assert reasons_of_index(empty) == [Reason.INDEX_EMPTY]
    assert reasons_of_index(empty, may_be_empty=True) == []
    assert reasons_of_index(None) == reasons_of_index(None, may_be_empty=True) == [Reason.INDEX_EMPTY]


@pytest.mark.parametrize(
    ("revision", "reasons"),
    [(4400, []), (4399, [Reason.INDEX_OLD]), (9999, []), (None, [])],
)
def test_an_index_older_than_the_publish_is_no_proof(revision: int | None, reasons: list[Reason]) -> None:
    assert reasons_of_index(replace(INDEX, revision=revision)) == reasons


def test_the_latest_publish_counts_but_not_that_of_an_ignored_architecture() -> None:
    later = replace(ARM, last_published=9000)
    never = replace(X86, last_published=None)
    assert reasons_of_index(INDEX, X86, later) == [Reason.INDEX_OLD]
    assert reasons_of_index(INDEX, X86, later, ignored=("aarch64",)) == []
    assert reasons_of_index(INDEX, never) == []


def test_a_repository_is_at_rest_when_all_of_it_is() -> None:
    assert is_at_rest({"a": X86, "b": replace(X86, code="unpublished")})
    assert not is_at_rest({"a": X86, "b": replace(X86, code="publishing")})
    assert not is_at_rest({"a": replace(X86, dirty=True)})


DEB_LISTED = replace(LISTED, filename="f.deb", type=PackageType.DEB, mtime=None)


def doubtful(
    listed: IndexedFile, *copies: tuple[str, BuiltFile], compare_times: bool = True, **states: Any
) -> tuple[list[str], list[Reason]]:
    """The doubted names, and what they say of the repository; ``states`` are changes of an architecture's result."""
    results = {
        name: replace(X86, name=name, packages=(BuiltPackage("p", "succeeded", (copy,)),), **states.get(name, {}))
        for name, copy in copies
    }
    found = doubts("prj/repo", replace(INDEX, files=(listed,)), results, compare_times)
    return sorted(found), [p.reason for p in contradictions(found, results, ())]


@pytest.mark.parametrize(
    ("listed", "copy", "sure"),
    [
        (LISTED, FILE, True),
        (LISTED, replace(FILE, size=11), False),
        (LISTED, replace(FILE, mtime=1300), False),
        (LISTED, replace(FILE, filename="g.rpm", size=11), True),
        (replace(LISTED, mtime=None), FILE, False),
        (DEB_LISTED, BuiltFile("f.deb", 10, 1300), True),
        (DEB_LISTED, BuiltFile("f.deb", 11, 1000), False),
    ],
)
def test_the_index_must_state_the_size_and_time_of_a_copy(listed: IndexedFile, copy: BuiltFile, sure: bool) -> None:
    assert doubtful(listed, ("x86_64", copy)) == (([], []) if sure else ([listed.filename], [Reason.INDEX_CHANGED]))


def test_size_and_time_are_those_of_one_copy() -> None:
    """A noarch file is built on every architecture, and one of these is published."""
    assert doubtful(LISTED, ("x86_64", replace(FILE, mtime=9)), ("aarch64", FILE)) == ([], [])
    crossed = (("x86_64", replace(FILE, mtime=9)), ("aarch64", replace(FILE, size=11)))
    assert doubtful(LISTED, *crossed) == (["f.rpm"], [Reason.INDEX_CHANGED])


def test_times_can_be_left_out_but_not_sizes() -> None:
    assert doubtful(LISTED, ("x86_64", replace(FILE, mtime=9)), compare_times=False) == ([], [])
    other = replace(FILE, size=11, mtime=9)
    assert doubtful(LISTED, ("x86_64", other), compare_times=False) == (["f.rpm"], [Reason.INDEX_CHANGED])


def test_what_waits_for_a_publish_is_no_matter_of_the_whole_repository() -> None:
    """An architecture that never gets published holds its own files; only these are of another build in the index."""
    newer = replace(FILE, mtime=9)
    assert doubtful(LISTED, ("x86_64", newer), x86_64={"code": "building"}) == (["f.rpm"], [])
    assert doubtful(LISTED, ("x86_64", newer), x86_64={"code": "unpublished"}) == (["f.rpm"], [Reason.INDEX_CHANGED])


def test_an_architecture_that_is_ignored_explains_no_contradiction() -> None:
    """It may build for ever, and another project's tree would never be one."""
    newer = BuiltPackage("p", "succeeded", (replace(FILE, mtime=9),))
    results = {"x86_64": replace(X86, packages=(newer,)), "armv7l": replace(X86, code="building", packages=(newer,))}
    found = doubts("prj/repo", replace(INDEX, files=(LISTED,)), results, True)
    assert [p.reason for p in contradictions(found, results, ())] == []
    assert [p.reason for p in contradictions(found, results, ("armv7l",))] == [Reason.INDEX_CHANGED]


META = ProjectMeta("prj", {"Leap": ("x86_64",), "Factory": ("x86_64", "aarch64"), "Ubuntu": ()})
Mapping = dict[str, tuple[str, ...] | None]


def names(project: ObsProject, meta: ProjectMeta | None = META) -> list[tuple[str, tuple[str, ...], bool]]:
    return [(w.name, w.distributions, w.filtered) for w in wanted(project, meta)]


def test_repositories_come_in_the_order_of_the_config() -> None:
    mapping: Mapping = {"Ubuntu": ("ubuntu/jammy",), "Factory": None, "Leap": ("opensuse/15.6", "sles/15")}
    assert names(ObsProject(name="prj", distributions=mapping)) == [
        ("Ubuntu", ("ubuntu/jammy",), False),
        ("Factory", ("opensuse/15.6", "sles/15", "ubuntu/jammy"), True),
        ("Leap", ("opensuse/15.6", "sles/15"), False),
    ]


def test_the_catch_all_takes_the_rest_in_the_order_of_the_meta() -> None:
    mapping: Mapping = {"*": ("any/any",), "Factory": ("opensuse/tumbleweed",)}
    assert names(ObsProject(name="prj", distributions=mapping)) == [
        ("Leap", ("any/any",), False),
        ("Ubuntu", ("any/any",), False),
        ("Factory", ("opensuse/tumbleweed",), False),
    ]
    assert names(ObsProject(name="prj", distributions={"*": None})) == []


def test_an_unmapped_repository_is_an_error_with_candidates() -> None:
    project = ObsProject(name="prj", distributions={"Leap": None, "Factry": ("a/b",)}, map_place="f.yaml:7:1")
    with pytest.raises(MappingError) as caught:
        all_wanted([project, replace(project, name="other")], [META, META])
    assert [(problem.line, problem.subject) for problem in caught.value.problems] == [
        ("f.yaml:7:1: `distributions` does not map the repository Factory of prj and of 1 more project", "prj/Factory"),
        ("f.yaml:7:1: `distributions` does not map the repository Ubuntu of prj and of 1 more project", "prj/Ubuntu"),
        ("f.yaml:7:1: no project has an OBS repository Factry", "Factry"),
    ]
    assert "mapped names like it: Factry" in caught.value.problems[0].fix
    assert "Did you mean Factory?" in caught.value.problems[2].fix


def test_a_repository_that_is_filtered_out_needs_no_mapping_but_protects_if_mapped() -> None:
    mapping: Mapping = {"Leap": ("opensuse/15.6",), "Factory": ("opensuse/tumbleweed",)}
    project = ObsProject(name="prj", distributions=mapping, repositories=("Lea*",))
    assert names(project) == [("Leap", ("opensuse/15.6",), False), ("Factory", ("opensuse/tumbleweed",), True)]


def test_a_mapped_name_that_the_meta_lacks_is_wanted_without_architectures() -> None:
    mapping: Mapping = {"Gone": ("a/b",), "*": None}
    found, *skipped = wanted(ObsProject(name="prj", distributions=mapping), META)
    assert (found.name, found.expected) == ("Gone", None)
    assert [w.name for w in skipped] == ["Leap", "Factory", "Ubuntu"]
    assert all(w.skipped for w in skipped)


def test_a_repository_mapped_to_null_protects_what_it_built_for_all_distributions_of_the_project() -> None:
    mapping: Mapping = {"Leap": ("a/b",), "Factory": None, "Ubuntu": ("c/d",)}
    skipped = [w for w in wanted(ObsProject(name="prj", distributions=mapping), META) if w.skipped]
    assert [(w.name, w.distributions, w.filtered) for w in skipped] == [("Factory", ("a/b", "c/d"), True)]


def test_of_an_absent_project_the_mapped_names_are_wanted() -> None:
    mapping: Mapping = {"Leap": ("a/b",), "*": ("c/d",), "Skip": None}
    project = ObsProject(name="prj", distributions=mapping, optional=True)
    assert names(project, None) == [("Leap", ("a/b",), False), ("*", ("c/d",), False)]
    filtered = replace(project, repositories=("Factory",))
    assert names(filtered, None) == [("Leap", ("a/b",), True), ("*", ("c/d",), False)]


@pytest.mark.parametrize(
    ("mapping", "repositories", "unseen"),
    [
        ({"Gone": None, "Leap": ("a/b",), "*": None}, None, [("Gone", ("a/b",), True)]),
        ({"Gone": ("c/d",), "Leap": ("a/b",), "*": None}, ("Leap",), [("Gone", ("c/d",), True)]),
        ({"Leap": None, "Factory": None, "Ubuntu": None, "*": ("a/b",)}, None, [("*", ("a/b",), False)]),
        ({"Leap": None, "Gone": None, "*": None}, None, []),
        ({"Leap": ("a/b",), "*": ("c/d",)}, None, []),
    ],
)
def test_what_the_config_names_and_nobody_sees_is_wanted(
    mapping: Mapping, repositories: tuple[str, ...] | None, unseen: list[tuple[str, tuple[str, ...], bool]]
) -> None:
    found = wanted(ObsProject(name="prj", distributions=mapping, repositories=repositories), META)
    assert [(w.name, w.distributions, w.filtered) for w in found if w.expected is None] == unseen
    assert not any(w.skipped for w in found if w.expected is None)


def test_a_null_for_all_projects_is_not_missing_where_another_has_it() -> None:
    mapping: Mapping = {"Gone": None, "Leap": ("a/b",)}
    metas = (ProjectMeta("prj", {"Leap": ()}), ProjectMeta("prj", {"Leap": (), "Gone": ()}))
    for second, missing in (("f.yaml:1:1", []), ("f.yaml:9:1", ["Gone"])):
        projects = [ObsProject(name="prj", distributions=mapping, places={"Gone": p}) for p in ("f.yaml:1:1", second)]
        assert [w.name for w in all_wanted(projects, metas) if w.expected is None] == missing


def test_a_name_of_all_projects_that_this_one_maps_to_null_is_not_missing() -> None:
    mapping: Mapping = {"Gone": None, "Leap": ("a/b",)}
    metas = (ProjectMeta("prj", {"Leap": ()}),)
    for disowned, missing in ((frozenset({"Gone"}), []), (frozenset[str](), ["Gone"])):
        project = ObsProject(name="prj", distributions=mapping, disowned=disowned)
        assert [w.name for w in all_wanted([project], metas) if w.expected is None] == missing


def test_of_a_meta_without_repositories_everything_is_missing() -> None:
    mapping: Mapping = {"Leap": ("a/b",), "Skip": None, "*": ("c/d",)}
    assert names(ObsProject(name="prj", distributions=mapping), ProjectMeta("prj", {})) == [
        ("Leap", ("a/b",), False),
        ("Skip", ("a/b", "c/d"), True),
        ("*", ("c/d",), False),
    ]


def typo(*mappings: Mapping, metas: tuple[ProjectMeta | None, ...] = (META,), **options: Any) -> str:
    projects = [ObsProject(name="prj", distributions=m, places={"Laep": "f.yaml:3:5"}, **options) for m in mappings]
    return "".join(f"{problem.line}; {problem.fix}" for problem in typos(list(zip(projects, metas, strict=True))))


def test_a_name_that_no_project_has_is_a_typo_if_it_is_near_one_that_nothing_else_names() -> None:
    error = "f.yaml:3:5: no project has an OBS repository Laep; Did you mean Leap? If OBS has dropped Laep, remove the entry."
    assert typo({"Laep": ("a/b",), "*": None}) == error
    assert typo({"Laep": ("a/b",), "*": None}, {"Laep": ("a/b",), "*": None}, metas=(META, META)) == error
    assert typo({"Laep": ("a/b",), "Leap": ("a/b",), "*": None}) == ""
    assert typo({"Debian": ("a/b",), "*": None}) == ""
    assert typo({"Laep": None, "*": None}) == ""


def test_a_name_that_is_like_none_may_be_missing_for_a_moment() -> None:
    project = ObsProject(name="prj", distributions={"Debian": ("a/b",), "Leap": None, "*": ("c/d",)}, map_place="f:3:5")
    [problem] = absent([(project, META)])
    assert problem.line == "f:3:5: no project has an OBS repository Debian"
    assert problem.fix == "If OBS has dropped Debian, remove the entry. Not named in the config: Factory, Ubuntu."
    assert absent([(project, META), (replace(project, name="other"), None)]) == ()


def test_what_is_built_for_something_at_its_end_of_life() -> None:
    paths = {"Leap": (("DISCONTINUED:openSUSE:Leap:15.2", "standard"),), "Ubuntu": (("Ubuntu:24.04", "universe"),)}
    meta = ProjectMeta("prj", META.repositories, paths)
    project = ObsProject(name="prj", distributions={"Leap": ("a/b",), "*": ("c/d",)}, places={"Leap": "f.yaml:3:5"})
    words = "f.yaml:3:5: prj/Leap is built for DISCONTINUED:openSUSE:Leap:15.2, which is at its end of life"
    assert [problem.line for problem in ended([project], [meta])] == [words]
    assert ended([replace(project, distributions={"Leap": None, "*": ("c/d",)})], [meta]) == ()


def test_a_name_that_another_project_may_have_is_no_typo() -> None:
    mapping: Mapping = {"Laep": ("a/b",), "*": None}
    other = ProjectMeta("prj", {"Laep": ()})
    assert typo(mapping, mapping, metas=(META, other)) == ""
    assert typo(mapping, mapping, metas=(META, None)) == ""
    assert typo(mapping, repositories=("Factory",)) == ""
