"""A package is what its metadata says: whatever its file is called, it is offered, filtered and superseded as that."""

from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from pkgsync.model import IndexedFile, OrphanAction, OrphanPolicy, Repository
from pkgsync.reasons import Reason
from pkgsync.reconcile.identity import contradiction, place_of
from tests.support.values.builders import (
    JAMMY,
    LEAP,
    architecture,
    deb,
    decide,
    package,
    policy,
    problem,
    repository,
    row,
    rpm,
    sha,
    verdict,
)

VANISH = policy(OrphanPolicy(action=OrphanAction.DELETE, keep_versions=0, names=("foo", "tool")))
OTHER = deb("other")


def called(file: IndexedFile, filename: str) -> IndexedFile:
    """The same package under a name that no package manager would give it."""
    return replace(file, filename=filename, path=f"{file.architecture}/{filename}")


def jammy(*files: IndexedFile, **other: Any) -> Repository:
    return repository(*files, distributions=(JAMMY,), **other)


# what OBS offers under an odd name is offered


def test_a_deb_with_a_name_of_cpack_is_offered_and_its_older_versions_are_superseded() -> None:
    new = called(deb("foo", "2.0-1"), "foo-2.0-1_amd64.deb")
    old = [deb("foo", "1.8-1"), deb("foo", "1.9-1")]
    result = decide([jammy(new, OTHER)], [row(f, JAMMY) for f in old], VANISH, JAMMY)
    assert [u.filename for u in result.uploads] == ["foo-2.0-1_amd64.deb", "other_1.0-1_amd64.deb"]
    assert [verdict(result, file) for file in old] == [("delete", Reason.SUPERSEDED)] * 2


def test_an_rpm_with_an_odd_name_is_offered() -> None:
    new = called(rpm("tool", "0.48.0"), "tool_0.48.0_Linux-64bit.rpm")
    result = decide([repository(new, rpm("other"))], [row(rpm("tool", "0.47.0"))], VANISH)
    assert "tool_0.48.0_Linux-64bit.rpm" in [u.filename for u in result.uploads]
    assert verdict(result, rpm("tool", "0.47.0")) == ("delete", Reason.SUPERSEDED)


def test_what_stands_there_as_a_file_that_the_filters_leave_out_is_not_replaced() -> None:
    """Its bytes are published, if under another name: a filter must not make them go."""
    left_out, other = called(rpm("tool", "2.0"), "latest.rpm"), called(rpm("tool", "1.0", content="other"), "tool.rpm")
    there = replace(row(rpm("tool", "2.0")), filename="tool.rpm")
    result = decide([repository(left_out, other)], [there], replace(VANISH, exclude=("latest*",)))
    assert (result.replacements, [(h.filename, h.reason) for h in result.held]) == (
        (),
        [("tool.rpm", Reason.SAME_IDENTITY)],
    )


def test_a_deb_that_is_no_newer_than_its_row_is_not_gone() -> None:
    result = decide([jammy(called(deb("foo", "1.0-1"), "foo.deb"))], [row(deb("foo", "1.9-1"), JAMMY)], VANISH, JAMMY)
    assert verdict(result, deb("foo", "1.9-1")) == ("held", Reason.NOT_NEWER)


def test_the_class_is_that_of_the_metadata() -> None:
    plain = called(rpm("tool"), "tool-debuginfo-1.0-1.x86_64.rpm")
    debug = called(rpm("tool-debuginfo"), "symbols-1.0-1.x86_64.rpm")
    source = called(rpm("tool", arch="src"), "source-1.0-1.x86_64.rpm")
    result = decide([repository(plain, debug, source)])
    assert [u.filename for u in result.uploads] == ["tool-debuginfo-1.0-1.x86_64.rpm"]
    assert [(x.file_class, x.filenames) for x in result.left_out] == [
        ("debug", ("symbols-1.0-1.x86_64.rpm",)),
        ("source", ("source-1.0-1.x86_64.rpm",)),
    ]


# architectures


@pytest.mark.parametrize("version", ["0.8", "0.9"])
def test_a_filter_on_i586_leaves_x86_64_alone(version: str) -> None:
    new = [rpm("tool", "1.0", arch=a) for a in ("i586", "x86_64")]
    places = [architecture(f.architecture, package("src", f)) for f in new]
    only = repository(*new, architectures=places, filter_architectures=("i586",))
    rows = [row(rpm("tool", v, arch=a)) for v in ("0.8", "0.9") for a in ("i586", "x86_64")]
    result = decide([only], rows, VANISH)
    assert [u.filename for u in result.uploads] == ["tool-1.0-1.i586.rpm"]
    assert verdict(result, rpm("tool", version, arch="i586")) == ("delete", Reason.SUPERSEDED)
    assert {o.row.architecture for o in result.orphans} == {"i586"}
    assert result.filtered == 2


def test_a_filter_on_i586_takes_the_baselibs_that_it_built() -> None:
    baselib = rpm("tool-32bit", "1.0")
    only = repository(
        baselib,
        architectures=[architecture("i586", package("src", baselib)), architecture("x86_64", package("src"))],
        filter_architectures=("i586",),
    )
    result = decide([only], [row(rpm("tool-32bit", "0.9")), row(rpm("tool", "0.9"))])
    assert [u.filename for u in result.uploads] == ["tool-32bit-1.0-1.x86_64.rpm"]
    assert verdict(result, rpm("tool-32bit", "0.9")) == ("delete", Reason.SUPERSEDED)
    assert result.filtered == 1


@pytest.mark.parametrize("arch", ["x86_64_v2", "x86_64_v3"])
def test_a_filter_on_x86_64_takes_its_levels_along(arch: str) -> None:
    file = called(rpm(arch=arch), "hello.rpm")
    assert len(decide([repository(file, filter_architectures=("x86_64",))]).uploads) == 1


def test_a_row_without_any_architecture_is_filtered_by_architectures() -> None:
    unknown = row(called(rpm("tool", "0.9"), "tool.rpm"), architecture=None)
    result = decide([repository(rpm("other"), filter_architectures=("x86_64",))], [unknown], VANISH)
    assert (result.orphans, result.filtered) == ((), 1)


# built, but not published


@pytest.mark.parametrize("name", ["tool_0.48.0_Linux-64bit.rpm", "tool-2.0-1-special.x86_64.rpm", "setup.rpm"])
def test_a_package_with_an_odd_name_that_is_built_and_not_published_is_not_gone(name: str) -> None:
    built = architecture("x86_64", package("src", rpm("other")), package("tool", name))
    result = decide([repository(rpm("other"), architectures=[built])], [row(rpm("tool", "0.9"))], VANISH)
    assert verdict(result, rpm("tool", "0.9")) == ("held", Reason.BUILT_NOT_PUBLISHED)


def test_what_is_built_under_an_odd_name_and_published_protects_only_its_own_name() -> None:
    file = called(rpm("other"), "setup.rpm")
    result = decide([repository(file)], [row(rpm("tool", "0.9"))], VANISH)
    assert verdict(result, rpm("tool", "0.9")) == ("delete", Reason.GONE)


def test_a_built_version_is_known_by_its_name_without_the_epoch() -> None:
    old, new = deb("foo", "2.0-1"), deb("foo", "3.0-1")
    built = architecture("x86_64", package("src", new), package("old", "foo_1%3a2.0-1_amd64.deb"))
    result = decide([jammy(new, architectures=[built])], [row(f, JAMMY) for f in (old, new)], VANISH, JAMMY)
    assert verdict(result, old) == ("held", Reason.BUILT_NOT_PUBLISHED)


@pytest.mark.parametrize(
    ("built", "held"),
    [
        ("foo-1.9-1_amd64.deb", {"1.9-1"}),
        ("Foo-1.9-Linux.deb", {"1.9-1"}),
        ("foo.deb", {"1.8-1", "1.9-1"}),
        ("setup.deb", {"1.8-1", "1.9-1"}),
        ("foo-1.7-Linux.deb", set()),
        ("bar-1.9-Linux.deb", set()),
        ("foo_1.9_Linux-64bit.rpm", set()),
    ],
)
def test_a_built_version_is_known_by_its_odd_name(built: str, held: set[str]) -> None:
    """As a repository that the config leaves out builds it, of which no index is read."""
    old, new = deb("foo", "1.9-1"), deb("foo", "2.0-1")
    out = repository(
        name="out",
        filtered=True,
        index=None,
        distributions=(JAMMY,),
        architectures=[architecture("x86_64", package("src", built))],
    )
    rows = [row(f, JAMMY) for f in (deb("foo", "1.8-1"), old, new)]
    result = decide([jammy(new), out], rows, VANISH, JAMMY)
    stays, goes = ("held", Reason.BUILT_NOT_PUBLISHED), ("delete", Reason.SUPERSEDED)
    for file in (deb("foo", "1.8-1"), old):
        assert verdict(result, file) == (stays if file.version.without_epoch in held else goes)


# one identity, one row

EPOCH = called(replace(deb("foo", "2.0-1", content="new"), version=replace(deb("foo", "2.0-1").version, epoch=1)), "foo_1%3a2.0-1_amd64.deb")  # fmt: skip


def stored(file: IndexedFile, content: str, **other: Any) -> Any:
    """The row that Packagecloud makes of a deb: it names it by its header."""
    version = f"{file.version.version}-{file.version.release}"
    name = f"{file.name}_{version}_{file.architecture}.deb"
    return row(file, JAMMY, filename=name, sha256=sha(content), **other)


def test_what_the_server_renamed_is_there() -> None:
    result = decide([jammy(EPOCH)], [stored(EPOCH, "new")], VANISH, JAMMY)
    assert (result.counts.changes, result.unchanged, result.held, result.orphans) == (0, 1, (), ())


def test_a_rebuild_replaces_the_row_that_the_server_renamed() -> None:
    result = decide([jammy(EPOCH)], [stored(EPOCH, "old")], VANISH, JAMMY)
    (replacement,) = result.replacements
    assert (replacement.filename, replacement.source.path) == (
        "foo_2.0-1_amd64.deb",
        "amd64/foo_1%3a2.0-1_amd64.deb",
    )
    assert (replacement.old.sha256, replacement.sha256) == (sha("old"), sha("new"))
    assert (result.uploads, result.orphans) == ((), ())


def test_a_renamed_row_that_the_filters_leave_alone_is_not_replaced() -> None:
    world, rows = [jammy(EPOCH)], [stored(EPOCH, "old")]
    result = decide(world, rows, policy(VANISH.orphans, exclude=("foo_2*",)), JAMMY)
    assert [(h.action, h.reason) for h in result.held] == [("upload", Reason.SAME_IDENTITY)]
    result = decide(world, rows, policy(VANISH.orphans, exclude=("foo_1%3a*",)), JAMMY)
    assert (result.counts.changes, result.held, result.filtered) == (0, (), 1)


def test_a_renamed_row_of_unknown_content_is_held() -> None:
    result = decide([jammy(EPOCH)], [replace(stored(EPOCH, "old"), sha256=None)], VANISH, JAMMY)
    assert [(h.filename, h.action, h.reason) for h in result.held] == [
        ("foo_2.0-1_amd64.deb", "replacement", Reason.CONTENT_UNKNOWN)
    ]


def test_a_file_and_its_symlink_are_one_upload() -> None:
    file = rpm("tool", content="same")
    link = called(file, "tool-1.0.x86_64.rpm")
    (upload,) = decide([repository(link, file)]).uploads
    assert (upload.filename, len(upload.also)) == ("tool-1.0-1.x86_64.rpm", 1)
    for there in (file, link):
        result = decide([repository(link, file)], [row(there)])
        assert (result.counts.changes, result.held, result.orphans) == (0, (), ())
        (replacement,) = decide([repository(link, file)], [row(there, sha256=sha("old"))]).replacements
        assert replacement.filename == there.filename


def test_two_contents_of_one_version_are_held_and_both_named() -> None:
    files = [called(deb("foo", content=c), f"foo-{c}.deb") for c in ("a", "b", "c")]
    result = decide([jammy(*files)], (), VANISH, JAMMY)
    (held,) = result.held
    assert (result.uploads, held.action, held.reason) == ((), "upload", Reason.SAME_IDENTITY)
    assert all(file.filename in held.message for file in files)


def test_of_two_contents_the_one_that_is_there_stays() -> None:
    files = [called(deb("foo", content=c), f"foo-{c}.deb") for c in ("a", "b")]
    result = decide([jammy(*files)], [stored(files[1], "b")], VANISH, JAMMY)
    assert (result.counts.changes, result.held, result.orphans) == (0, (), ())
    assert [s.filename for s in result.shadowed] == ["foo-a.deb"]


def test_of_two_repositories_the_earlier_wins_whatever_the_names_are() -> None:
    one, two = (called(deb("foo", content=c), f"foo-{c}.deb") for c in ("b", "a"))
    result = decide([jammy(one), jammy(two, name="second")], (), VANISH, JAMMY)
    assert [u.filename for u in result.uploads] == ["foo-b.deb"]
    assert [s.filename for s in result.shadowed] == ["foo-a.deb"]


def test_two_rows_of_one_version_are_held_and_both_named() -> None:
    file = rpm("tool", content="new")
    rows = [row(called(file, name), sha256=sha(name)) for name in ("a.rpm", "b.rpm")]
    result = decide([repository(file)], rows, VANISH)
    assert (result.counts.changes, {h.reason for h in result.held}) == (0, {Reason.SAME_IDENTITY})
    upload = next(h for h in result.held if h.action == "upload")
    assert "a.rpm" in upload.message and "b.rpm" in upload.message


def test_a_row_of_another_package_is_not_replaced() -> None:
    mine = called(rpm("tool", content="new"), "setup.rpm")
    theirs = row(called(rpm("other"), "setup.rpm"))
    result = decide([repository(mine)], [theirs], VANISH)
    assert [(h.action, h.reason) for h in result.held] == [("replacement", Reason.SAME_IDENTITY)]
    assert result.replacements == ()


def test_a_file_of_one_name_in_all_versions_is_replaced() -> None:
    new, old = (called(rpm("tool", v), "tool.rpm") for v in ("2.0", "1.0"))
    (replacement,) = decide([repository(new)], [row(old)], VANISH).replacements
    assert replacement.filename == "tool.rpm"


def test_an_earlier_source_that_is_not_read_could_offer_it_under_an_odd_name() -> None:
    def held(built: str, file: IndexedFile, distribution: str) -> list[Reason]:
        places = [architecture("x86_64", package("src", built))]
        feeds: dict[str, Any] = {"distributions": (distribution,)}
        unread = repository(name="first", index=None, problems=(problem(Reason.UNREAD),), architectures=places, **feeds)
        return [h.reason for h in decide([unread, repository(file, **feeds)], distribution=distribution).held]

    assert held("setup.rpm", rpm("tool"), LEAP) == [Reason.EARLIER_SOURCE_UNREAD]
    assert held("foo_1%3a2.0-1_amd64.deb", deb("foo", "2.0-1"), JAMMY) == [Reason.EARLIER_SOURCE_UNREAD]
    assert held("foo_3.0-1_amd64.deb", deb("foo", "2.0-1"), JAMMY) == []


def test_the_grace_begins_when_the_content_of_obs_is_there() -> None:
    """Else a deletion would be in the plan that is due no more as soon as the replacement is done."""
    old, new = rpm("tool", "1.0"), rpm("tool", "2.0")
    waiting = policy(OrphanPolicy(action=OrphanAction.DELETE, keep_versions=1, grace=timedelta(5)))
    assert verdict(decide([repository(new)], [row(old), row(new)], waiting), old) == ("delete", Reason.SUPERSEDED)
    result = decide([repository(new)], [row(old), row(new, sha256=sha("before"))], waiting)
    assert (len(result.replacements), verdict(result, old)) == (1, ("held", Reason.GRACE))


# who could own it


@pytest.mark.parametrize("files", [("_statistics",), ("rpmlint.log", "_buildenv"), ("x-1.0-1.src.rpm",)])
def test_only_binary_packages_are_files(files: tuple[str, ...]) -> None:
    built = architecture("x86_64", package("src", rpm("other")), package("x", *files, code="unresolvable"))
    result = decide([repository(rpm("other"), architectures=[built])], [row(rpm("tool"))], VANISH)
    assert verdict(result, rpm("tool")) == ("held", Reason.OWNER_UNKNOWN)


@pytest.mark.parametrize(
    ("shown", "gone", "other"),
    [
        (deb("other", arch="armhf"), deb("foo", arch="armhf"), "armv6l"),
        (rpm("other", arch="i686"), rpm("tool", arch="i686"), "x86_64"),
        (rpm("other", arch="armv7hl"), rpm("tool", arch="armv7hl"), "aarch64"),  # none that is known to do so
    ],
)
def test_every_scheduler_that_shows_the_architecture_counts(shown: IndexedFile, gone: IndexedFile, other: str) -> None:
    own = {"armhf": "armv7l", "armv7hl": "armv7l", "i686": "i586"}[shown.architecture]
    places = [
        architecture(own, package("src", shown)),
        architecture(other, package("src", shown), package("x", code="failed")),
    ]
    distribution = JAMMY if shown.type == "deb" else LEAP
    world = repository(shown, architectures=places, distributions=(distribution,))
    result = decide([world], [row(gone, distribution)], VANISH, distribution)
    assert verdict(result, gone) == ("held", Reason.OWNER_UNKNOWN)


@pytest.mark.parametrize("names", [(), ("_statistics", "rpmlint.log"), ("other-1.0-1.src.rpm",)])
def test_a_scheduler_that_shows_no_package_of_the_architecture_does_not_count(names: tuple[str, ...]) -> None:
    """Nor one that shows nothing but sources, though its packages lack files."""
    shown, gone = rpm("other", arch="i686"), rpm("tool", arch="i686")
    places = [architecture("i586", package("src", shown)), architecture("s390x", package("x", *names, code="failed"))]
    assert verdict(decide([repository(shown, architectures=places)], [row(gone)], VANISH), gone) == (
        "delete",
        Reason.GONE,
    )


# the successor


@pytest.mark.parametrize("content", [None, "other"])
@pytest.mark.parametrize("exclude", [(), ("*-2.0-*",)])
def test_a_successor_counts_only_with_the_content_of_obs(content: str | None, exclude: tuple[str, ...]) -> None:
    old, new = rpm("tool", "1.0"), rpm("tool", "2.0")
    there = row(new, sha256=content and sha(content))
    result = decide([repository(new)], [row(old), there], policy(VANISH.orphans, rebuilds="hold", exclude=exclude))
    assert verdict(result, old) == ("held", Reason.NEWEST_NOT_HERE)


def test_a_successor_that_this_plan_replaces_counts() -> None:
    old, new = rpm("tool", "1.0"), rpm("tool", "2.0")
    result = decide([repository(new)], [row(old), row(new, sha256=sha("before"))], VANISH)
    assert verdict(result, old) == ("delete", Reason.SUPERSEDED)


@pytest.mark.parametrize("fields", [{"name": "foo"}, {"version": "0.9"}, {"release": "2"}, {"architecture": "aarch64"}])
def test_a_row_whose_fields_contradict_its_name_is_held(fields: dict[str, str]) -> None:
    old, new = rpm("tool", "1.0"), rpm("tool", "2.0")
    newer = [new, rpm("foo", "2.0"), rpm("tool", "2.0", arch="aarch64")]
    world = repository(*newer, architectures=[architecture(a, package("src", *newer)) for a in ("x86_64", "aarch64")])
    result = decide([world], [row(old, **fields), *map(row, newer)], VANISH)
    assert verdict(result, old) == ("held", Reason.NAME_MISMATCH)


def test_a_row_whose_fields_contradict_its_name_is_not_replaced() -> None:
    file = rpm("tool", "2.0")
    odd = row(file, version="1.0", sha256=sha("before"))
    result = decide([repository(file)], [odd], VANISH)
    assert [(h.action, h.reason) for h in result.held] == [("replacement", Reason.NAME_MISMATCH)]
    lookalike = called(file, "tool-2.0-linux.x86_64.rpm")  # reads like a release, but OBS says what the row says
    result = decide([repository(lookalike)], [row(lookalike, sha256=sha("before"))], VANISH)
    assert [r.filename for r in result.replacements] == ["tool-2.0-linux.x86_64.rpm"]


def test_a_version_that_its_name_contradicts_is_none_of_those_to_keep() -> None:
    old, new = rpm("tool", "1.0"), rpm("tool", "2.0")
    two = policy(OrphanPolicy(action=OrphanAction.DELETE, keep_versions=2))
    odd = row(rpm("tool", "0.5"), version="9.0")
    result = decide([repository(new)], [row(old), row(new), odd], two)
    assert verdict(result, old) == ("keep", Reason.KEEP_VERSIONS)


def test_the_epoch_in_a_name_contradicts_nothing() -> None:
    old = called(deb("foo", "1.0-1"), "foo_1%3A1.0-1_amd64.deb")
    result = decide([jammy(deb("foo", "2.0-1"))], [row(old, JAMMY)], VANISH, JAMMY)
    assert verdict(result, old) == ("delete", Reason.SUPERSEDED)


@pytest.mark.parametrize("unknown", ["version", "release", "architecture"])
def test_what_a_row_does_not_say_contradicts_nothing(unknown: str) -> None:
    nothing: dict[str, Any] = {unknown: None}
    silent = row(rpm("tool", "1.0"), **nothing)
    assert contradiction(silent) is None
    assert contradiction(replace(silent, name="foo")) == "its name says tool where Packagecloud says foo"


def test_a_place_is_known_by_version_release_and_architecture_alone() -> None:
    file = rpm("tool", "1.0")
    assert place_of(row(file, filename="odd.rpm")) == "tool-1.0-1.x86_64.rpm"
    for unknown in ("version", "release", "architecture"):
        nothing: dict[str, Any] = {unknown: None}
        assert place_of(row(file, filename="odd.rpm", **nothing)) == ""
    assert place_of(row(deb("tool", "1.0"), filename="odd.deb")) == "tool_1.0_amd64.deb"
