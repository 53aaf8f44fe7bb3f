"""What a file that stays needs of one that goes; tests/integration/test_would_install.py asks apt and dnf."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pkgsync.errors import ReadError
from pkgsync.model import Need, Needs, PackageType, Relation, Relations, Version
from pkgsync.reconcile.needs import Use, held, needed, needs_of

RPM, DEB = PackageType.RPM, PackageType.DEB


def package(*requires: str, provides: str = "", arch: str = "x86_64", kind: PackageType = PackageType.RPM) -> Relations:
    own = tuple(map(Relation, provides.split()))
    return Relations(kind, arch, own, tuple((Relation(name),) for name in requires))


def test_each_architecture_is_a_world_of_its_own() -> None:
    packages = {
        "script": package("lib", arch="noarch"),
        "here": package(provides="lib"),
        "there": package(provides="lib", arch="aarch64"),
        "old": package("lib", arch="i586"),
        "lib32": package(provides="lib", arch="i686"),
        "source": package("lib", arch="src"),
    }
    needs = needs_of(packages)
    assert needs.own == {"aarch64": ("there",), "i386": ("old", "lib32"), "x86_64": ("here",)}
    assert needs.files == {
        "script": (
            Need("lib", ("there",), "aarch64"),
            Need("lib", ("lib32",), "i386"),
            Need("lib", ("here",), "x86_64"),
        ),
        "here": (),
        "there": (),
        "old": (Need("lib", ("lib32",)),),
        "lib32": (),
        "source": (),
    }
    gone = needed(needs.files, ["script", "here"], ["there"])
    assert gone == {"there": (Use("script", "lib"),)}


def kept(packages: dict[str, Relations], *stays: str) -> dict[str, str]:
    """What stays of the others, and for which file, after one plan; a second one says the same."""
    goes = packages.keys() - set(stays)
    first, _ = held(needs_of(packages), stays, goes)
    left = {name: packages[name] for name in packages if name in stays or name in first}
    assert held(needs_of(left), stays, first)[0] == first
    return {name: use.of for name, use in first.items()}


def test_an_architecture_that_leaves_altogether_needs_nothing() -> None:
    packages = {
        "script": package("lib", arch="noarch"),
        "lib": package(provides="lib"),
        "old": package(provides="lib", arch="noarch"),
        "there": package(arch="aarch64"),
    }
    assert kept(packages, "script", "lib") == {}
    assert kept(packages, "script", "lib", "there") == {"old": "script"}


def test_what_is_held_keeps_its_architecture() -> None:
    packages = {
        "script": package("lib", arch="noarch"),
        "lib": package(provides="lib"),
        "there": package("data", provides="lib", arch="aarch64"),
        "data": package(provides="data", arch="noarch"),
        "other": package("more", arch="i586"),
        "more": package(provides="more", arch="noarch"),
    }
    assert kept(packages, "script", "lib") == {"there": "script", "data": "there"}


def test_where_only_packages_for_every_architecture_stay_their_needs_count() -> None:
    packages = {
        "script": package("lib", arch="noarch"),
        "lib": package(provides="lib", arch="noarch"),
        "last": package(),
    }
    assert kept(packages, "script") == {"lib": "script"}


def test_what_a_held_package_provides_itself_holds_nothing_else() -> None:
    packages = {
        "tool": package("old"),
        "old": package("config", provides="old config"),
        "older": package(provides="config"),
    }
    assert kept(packages, "tool") == {"old": "tool"}


def test_a_distribution_of_packages_for_every_architecture() -> None:
    packages = {"script": package("lib", arch="all"), "lib": package(provides="lib", arch="all")}
    assert needs_of(packages).files["script"] == (Need("lib", ("lib",), "all"),)


def test_what_is_in_a_version_that_nobody_knows_is_needed_of_each_that_may_be_meant() -> None:
    unknown = Relation("lib", "=")
    provides = tuple(Relation("lib", "=", Version(0, number)) for number in "12")
    packages = {
        "tool": Relations(PackageType.RPM, "x86_64", (), ((unknown,),)),
        "one": Relations(PackageType.RPM, "x86_64", provides[:1], ()),
        "two": Relations(PackageType.RPM, "x86_64", provides[1:], ()),
    }
    needs = needs_of(packages).files
    assert needs["tool"] == (Need("lib = ?", ("one",)), Need("lib = ?", ("two",)))
    assert needed(needs, ["tool", "two"], ["one"]) == {"one": (Use("tool", "lib = ?"),)}


def test_what_would_take_hours_to_compare_is_refused() -> None:
    versions = [Version(0, str(number), "1") for number in range(5000)]
    states = tuple(Relation("lib", "=", version) for version in versions)
    with pytest.raises(ReadError, match="too many versions to compare"):
        needs_of({"one": Relations(PackageType.RPM, "x86_64", states, tuple((state,) for state in states))})


def stated(operator: Any, version: str) -> Relation:
    upstream, _, release = version.partition("-")
    return Relation("lib", operator, Version(0, upstream, release)) if operator else Relation("lib")


# rpm-dependencies(7), "Versioned dependencies"; Debian Policy 7.1 and 7.5
RANGES = [
    ("= 2-1", "", True),
    ("= 2-1", "= 2-1", True),
    ("= 2-1", "= 2-2", False),
    ("= 2-1", "= 2", True),  # a release that is not stated is any
    ("= 2", "= 2-9", True),
    ("= 2", "> 2-1", True),
    ("= 2", "< 2-1", True),
    ("> 2-1", "<= 2", True),
    ("> 2-1", "< 2", False),
    ("> 2", "= 2-1", False),
    ("= 2-1", ">= 2-1", True),
    ("= 2-1", "<= 2-1", True),
    ("= 2-1", "> 2-1", False),
    ("= 2-1", "< 2-1", False),
    ("= 2-1", ">= 1-9", True),
    ("= 2-1", "> 1-9", True),
    ("= 2-1", "<= 1-9", False),
    ("= 2-1", "< 1-9", False),
    ("= 2-1", "= 1-9", False),
    ("= 2-1", ">= 3-1", False),
    ("= 2-1", "<= 3-1", True),
    ("= 2-1", "< 3-1", True),
    ("= 2-1", "< 10-1", True),
    ("= 2-1", "< 2", False),
    (">= 2-1", "= 3-1", True),
    (">= 2-1", "= 1-1", False),
    ("<= 2-1", "= 1-1", True),
    ("<= 2-1", "= 3-1", False),
    ("> 2-1", "< 2-1", False),
    ("> 2-1", ">= 2-1", True),
]


@pytest.mark.parametrize(("provides", "requires", "meets"), RANGES)
def test_ranges_of_versions_that_overlap(provides: str, requires: str, meets: bool) -> None:
    one, other = (stated(*text.rpartition(" ")[::2]) for text in (provides, requires))
    packages = {"tool": Relations(RPM, "x86_64", (), ((other,),)), "lib": Relations(RPM, "x86_64", (one,), ())}
    assert bool(needs_of(packages).files["tool"]) is meets


@pytest.mark.parametrize(
    ("kind", "provides", "requires", "meets"),
    [
        (RPM, "", "= 2", True),
        (DEB, "", "= 2", False),
        (DEB, "", "", True),
        (DEB, "= 2-1", "= 2", False),  # no revision is the revision 0
        (DEB, "= 2-1", ">= 2", True),
        (DEB, "= 2~rc1", ">= 2", False),
    ],
)
def test_dpkg_asks_for_versions_as_they_are_stated(
    kind: PackageType, provides: str, requires: str, meets: bool
) -> None:
    one, other = (stated(*text.rpartition(" ")[::2]) for text in (provides, requires))
    packages = {"tool": Relations(kind, "all", (), ((other,),)), "lib": Relations(kind, "all", (one,), ())}
    assert bool(needs_of(packages).files["tool"]) is meets


@pytest.mark.parametrize("odd", [Version(0, "1\n"), None])
def test_versions_that_no_tool_orders_may_be_meant_on_either_side(odd: Version | None) -> None:
    for provides, requires in ((odd, Version(0, "1")), (Version(0, "1"), odd)):
        packages = {
            "tool": Relations(RPM, "x86_64", (), ((Relation("lib", "=", requires), Relation("more")),)),
            "sure": package(provides="more"),
            "odd": Relations(RPM, "x86_64", (Relation("lib", "=", provides),), ()),
        }
        # another that surely meets it is enough
        (need,) = needs_of(packages).files["tool"]
        assert need.of == ("sure",)
        assert needs_of({name: packages[name] for name in ("tool", "odd")}).files["tool"][0].of == ("odd",)


def test_many_alternatives_are_not_all_told() -> None:
    def what(*names: str) -> str:
        tool = Relations(DEB, "all", (), (tuple(map(Relation, names)),))
        (need,) = needs_of({"tool": tool, "a": package(provides="a", arch="all", kind=DEB)}).files["tool"]
        return need.what

    assert what("a", "b", "c") == "a or b or c"
    assert what("a", "b", "c", "d") == "a or b or others"


def test_a_name_that_is_no_word_is_not_told() -> None:
    packages = {"tool": package("\x1b[2Jlib"), "lib": package(provides="x")}
    assert needs_of({**packages, "lib": Relations(PackageType.RPM, "x86_64", (Relation("\x1b[2Jlib"),), ())}).files == {
        "tool": (Need("something", ("lib",)),),
        "lib": (),
    }


def test_all_that_a_loss_carries_away_is_put_down_to_the_file_that_goes() -> None:
    needs = {"a": (Need("b", ("b",)),), "b": (Need("lib", ("lib", "lib2")),), "c": (Need("other", ("other",)),)}
    assert needed(needs, ["a", "b", "c", "other"], ["lib", "lib2"]) == {
        "lib": (Use("b", "lib"), Use("a", "b")),
        "lib2": (Use("b", "lib"),),
    }


names = st.sampled_from("abcdefgh")
graphs = st.dictionaries(
    names, st.lists(st.builds(Need, st.just("x"), st.lists(names, min_size=1, max_size=3).map(tuple)), max_size=3)
)


@given(graphs, st.sets(names), st.sets(names))
def test_what_is_kept_for_what_needs_it_loses_nothing(
    graph: dict[str, list[Need]], stays: set[str], goes: set[str]
) -> None:
    needs = {user: tuple(found) for user, found in graph.items()}
    goes -= stays
    kept = held(Needs(needs), stays, goes)[0].keys()
    assert kept >= needed(needs, stays, goes).keys()
    stays, goes = stays | kept, goes - kept
    assert needed(needs, stays, goes) == {}
    for user in stays:
        for need in needs.get(user, ()):
            assert not stays.isdisjoint(need.of) or goes.isdisjoint(need.of)
