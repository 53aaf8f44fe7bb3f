"""What a deletion would break, as apt and dnf see it: installable before and not after, and nothing else."""

import shutil
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pkgsync.formats import debian, rpmmd
from pkgsync.formats.sums import Stated, opened
from pkgsync.model import Relations
from pkgsync.reconcile.needs import needed, needs_of
from tests.support import scope
from tests.support.worlds.oracles import Made, apt_installs, dnf_installs, dnf_says, packages_of, primary_of

needs_apt = pytest.mark.skipif(not shutil.which("apt-get"), reason="apt is not installed")
needs_dnf = pytest.mark.skipif(not shutil.which("dnf"), reason="dnf is not installed")
Installs = Callable[[Sequence[Sequence[Made]], Path], list[set[str]]]


def deb_relations(world: Sequence[Made]) -> dict[str, Relations]:
    pairs = debian.parse_relations([packages_of(world)], "Packages")
    return {entry.checksum.value: relations for entry, relations in pairs}


def rpm_relations(world: Sequence[Made]) -> dict[str, Relations]:
    pairs = rpmmd.parse_relations([primary_of(world)], "primary")
    return {entry.checksum.value: relations for entry, relations in pairs}


def lost(relations: dict[str, Relations], stays: Sequence[Made], goes: Sequence[Made]) -> set[str]:
    found = needed(needs_of(relations).files, [m.sha256 for m in stays], [m.sha256 for m in goes])
    names = {made.sha256: made.key for made in stays}
    return {names[use.of] for uses in found.values() for use in uses}


def told(installs: Installs, stays: Sequence[Made], goes: Sequence[Made], folder: Path) -> tuple[set[str], set[str]]:
    """What could be installed before, and what of that cannot any more."""
    before, after = installs([[*stays, *goes], stays], folder)
    here = before & {made.key for made in stays}
    return here, here - after


LIB1 = Made(name="lib1", version="1-1", provides=["lib.so.1()(64bit)"])
RPM_CASES: dict[str, tuple[list[Made], list[Made], set[str]]] = {
    "a library that only the old package has": (
        [Made(name="tool", version="1-1", requires=["lib.so.1()(64bit)"]), Made(name="other", version="1-1")],
        [LIB1],
        {"tool 1-1"},
    ),
    "a library that the new package has too": (
        [
            Made(name="tool", version="1-1", requires=["lib.so.1()(64bit)"]),
            Made(name="lib1", version="2-1", provides=["lib.so.1()(64bit)"]),
        ],
        [LIB1],
        set(),
    ),
    "an exact version, without a release": (
        [Made(name="plugin", version="1-1", requires=["base = 1.0"]), Made(name="base", version="2.0-1")],
        [Made(name="base", version="1.0-7")],
        {"plugin 1-1"},
    ),
    "a least version that the new one has": (
        [Made(name="plugin", version="1-1", requires=["base >= 1.0"]), Made(name="base", version="2.0-1")],
        [Made(name="base", version="1.0-7")],
        set(),
    ),
    "a most version that the new one exceeds": (
        [Made(name="plugin", version="1-1", requires=["base < 2"]), Made(name="base", version="2.0-1")],
        [Made(name="base", version="1.0-7")],
        {"plugin 1-1"},
    ),
    "an epoch": (
        [Made(name="plugin", version="1-1", requires=["base >= 1:1.0"]), Made(name="base", version="2.0-1")],
        [Made(name="base", version="1:1.0-1")],
        {"plugin 1-1"},
    ),
    "a versioned virtual name": (
        [
            Made(name="plugin", version="1-1", requires=["api = 3"]),
            Made(name="base", version="2-1", provides=["api = 4"]),
        ],
        [Made(name="base", version="1-1", provides=["api = 3"])],
        {"plugin 1-1"},
    ),
    "a virtual name without a version meets any": (
        [Made(name="plugin", version="1-1", requires=["api = 3"]), Made(name="base", version="2-1", provides=["api"])],
        [Made(name="base", version="1-1", provides=["api = 3"])],
        set(),
    ),
    "a range that is provided": (
        [
            Made(name="plugin", version="1-1", requires=["api < 3"]),
            Made(name="base", version="2-1", provides=["api >= 4"]),
        ],
        [Made(name="base", version="1-1", provides=["api >= 2"])],
        {"plugin 1-1"},
    ),
    "a file": (
        [Made(name="script", version="1-1", requires=["/usr/bin/tool"])],
        [Made(name="tool", version="1-1", files=["/usr/bin/tool"])],
        {"script 1-1"},
    ),
    "what it provides itself": (
        [Made(name="self", version="1-1", provides=["own"], requires=["own"])],
        [Made(name="other", version="1-1", provides=["own"])],
        set(),
    ),
    "a chain": (
        [
            Made(name="top", version="1-1", requires=["middle"]),
            Made(name="middle", version="1-1", requires=["lib.so.1()(64bit)"]),
        ],
        [LIB1],
        {"top 1-1", "middle 1-1"},
    ),
    "a ring": (
        [Made(name="one", version="1-1", requires=["two"]), Made(name="two", version="1-1", requires=["one"])],
        [LIB1],
        set(),
    ),
    "a ring that hangs on what goes": (
        [
            Made(name="one", version="1-1", requires=["two"]),
            Made(name="two", version="1-1", requires=["one", "lib1"]),
        ],
        [LIB1],
        {"one 1-1", "two 1-1"},
    ),
    "what nothing met before": (
        [Made(name="broken", version="1-1", requires=["nothing"])],
        [LIB1],
        set(),
    ),
    "two that go and provide the same": (
        [Made(name="tool", version="1-1", requires=["lib.so.1()(64bit)"])],
        [LIB1, Made(name="lib1", version="2-1", provides=["lib.so.1()(64bit)"])],
        {"tool 1-1"},
    ),
    "one of two alternatives": (
        [Made(name="tool", version="1-1", requires=["(lib1 or lib2 >= 1)"]), Made(name="lib2", version="1-1")],
        [LIB1],
        set(),
    ),
    "both alternatives": (
        [Made(name="tool", version="1-1", requires=["(lib1 or lib2 >= 1)"]), Made(name="lib2", version="0-1")],
        [LIB1, Made(name="lib2", version="1-1")],
        {"tool 1-1"},
    ),
    "both of two": (
        [Made(name="tool", version="1-1", requires=["(lib1 and lib2)"]), Made(name="lib2", version="0-1")],
        [LIB1],
        {"tool 1-1"},
    ),
    "a package for every architecture": (
        [Made(name="script", version="1-1", architecture="noarch", requires=["lib1"])],
        [LIB1],
        {"script 1-1"},
    ),
}

DEB_CASES: dict[str, tuple[list[Made], list[Made], set[str]]] = {
    "a plain name": ([Made(name="tool", requires=["lib1"])], [Made(name="lib1")], {"tool 1"}),
    "an exact version": (
        [Made(name="plugin", requires=["base (= 1.0-1)"]), Made(name="base", version="0.9-1")],
        [Made(name="base", version="1.0-1")],
        {"plugin 1"},
    ),
    "a strictly earlier version": (
        [Made(name="plugin", requires=["base (<< 2)"]), Made(name="spare", provides=["base (= 2)"])],
        [Made(name="base", version="2~rc1")],
        {"plugin 1"},
    ),
    "the old spelling of an earlier version or the same": (
        [Made(name="plugin", requires=["base (< 2)"]), Made(name="base", version="2")],
        [Made(name="spare", provides=["base (= 1)"])],
        set(),
    ),
    "one of two alternatives": (
        [Made(name="tool", requires=["lib1 | lib2 (>= 1)"]), Made(name="lib2")],
        [Made(name="lib1")],
        set(),
    ),
    "both alternatives": (
        [Made(name="tool", requires=["lib1 | lib2 (>= 2)"]), Made(name="lib2")],
        [Made(name="lib1")],
        {"tool 1"},
    ),
    "a virtual package": (
        [Made(name="tool", requires=["mail-agent"])],
        [Made(name="agent", provides=["mail-agent"])],
        {"tool 1"},
    ),
    "a virtual package that another one is too": (
        [Made(name="tool", requires=["mail-agent"]), Made(name="other", provides=["mail-agent"])],
        [Made(name="agent", provides=["mail-agent"])],
        set(),
    ),
    "a virtual package without a version meets none": (
        [Made(name="tool", requires=["api (= 3)"]), Made(name="other", provides=["api"])],
        [Made(name="agent", provides=["api (= 3)"])],
        {"tool 1"},
    ),
    "what it provides itself": (
        [Made(name="self", provides=["own"], requires=["own"])],
        [Made(name="other", provides=["own"])],
        set(),
    ),
    "a chain": (
        [Made(name="top", requires=["middle"]), Made(name="middle", requires=["lib1 (>= 0.5)"])],
        [Made(name="lib1")],
        {"top 1", "middle 1"},
    ),
    "a package for every architecture": (
        [Made(name="script", architecture="all", requires=["lib1"])],
        [Made(name="lib1")],
        {"script 1"},
    ),
}


@needs_dnf
def test_what_dnf_can_no_longer_install(tmp_path: Path) -> None:
    worlds = [world for stays, goes, _ in RPM_CASES.values() for world in ([*stays, *goes], stays)]
    answers = iter(dnf_installs(worlds, tmp_path))
    for name, (stays, goes, expected) in RPM_CASES.items():
        before, after = next(answers), next(answers)
        assert (before & {m.key for m in stays}) - after == expected, name
        assert lost(rpm_relations([*stays, *goes]), stays, goes) == expected, name


@needs_apt
@pytest.mark.parametrize("name", DEB_CASES)
def test_what_apt_can_no_longer_install(name: str, tmp_path: Path) -> None:
    stays, goes, expected = DEB_CASES[name]
    assert told(apt_installs, stays, goes, tmp_path)[1] == expected
    assert lost(deb_relations([*stays, *goes]), stays, goes) == expected


SPEC = """\
Name: tool
Version: 1.0
Release: 1
Summary: A tool
License: MIT
BuildArch: noarch
Requires: lib-api = 3, /usr/bin/helper, (lib or spare)

%description
A tool.

%package -n lib
Summary: Its library
Provides: lib-api = 3
%description -n lib
Its library.

%package -n helper
Summary: Its helper
%description -n helper
Its helper.

%install
mkdir -p %{buildroot}/usr/bin
touch %{buildroot}/usr/bin/helper

%files
%files -n lib
%files -n helper
/usr/bin/helper
"""


@needs_dnf
@pytest.mark.skipif(
    not shutil.which("rpmbuild") or not shutil.which("createrepo_c"), reason="no rpmbuild, createrepo_c"
)
def test_rpms_that_rpmbuild_and_createrepo_made(tmp_path: Path) -> None:
    (tmp_path / "tool.spec").write_text(SPEC, encoding="ascii")
    build = ["rpmbuild", "-bb", "--quiet", "-D", f"_topdir {tmp_path}", "-D", f"_rpmdir {tmp_path}/all"]
    subprocess.run([*build, str(tmp_path / "tool.spec")], check=True, capture_output=True)
    folders = []
    for gone in ("", "lib", "helper"):
        folder = tmp_path / f"without-{gone}"
        shutil.copytree(tmp_path / "all", folder)
        for file in folder.glob(f"*/{gone or '-'}-1.0-1.noarch.rpm"):
            file.unlink()
        subprocess.run(["createrepo_c", "-q", str(folder)], check=True)
        folders.append(folder)
    assert dnf_says([str(folder) for folder in folders], tmp_path) == [
        ["helper 1.0-1", "lib 1.0-1", "tool 1.0-1"],
        ["helper 1.0-1"],
        ["lib 1.0-1"],
    ]

    (primary,) = folders[0].glob("repodata/*-primary.xml.*")
    pieces = opened(primary.read_bytes(), primary.name, Stated(), 10**6)
    relations = {entry.name: relations for entry, relations in rpmmd.parse_relations(pieces, "primary")}
    users = needed(needs_of(relations).files, ["tool"], ["lib", "helper"])
    assert {gone: [use.what for use in uses] for gone, uses in users.items()} == {
        "lib": ["lib or spare", "lib-api = 3"],
        "helper": ["/usr/bin/helper"],
    }


@needs_apt
@pytest.mark.skipif(not shutil.which("dpkg-scanpackages"), reason="dpkg-scanpackages is not installed")
def test_debs_that_dpkg_made(tmp_path: Path) -> None:
    fields = {
        "lib": "Provides: lib-api (= 3)",
        "tool": "Pre-Depends: lib-api (= 3)\nDepends: helper | spare,\n lib (>= 1~)",
    }
    for name in ("lib", "helper", "tool"):
        (tmp_path / name / "DEBIAN").mkdir(parents=True)
        control = f"Package: {name}\nVersion: 1\nArchitecture: all\nMaintainer: Nobody <n@example.invalid>\n"
        more = fields.get(name, "Section: misc")
        (tmp_path / name / "DEBIAN/control").write_text(f"{control}{more}\nDescription: none\n", encoding="ascii")
        subprocess.run(["dpkg-deb", "--build", tmp_path / name, tmp_path], check=True, capture_output=True)
    scan = subprocess.run(["dpkg-scanpackages", "-m", "."], cwd=tmp_path, check=True, capture_output=True)
    relations = {entry.name: relations for entry, relations in debian.parse_relations([scan.stdout], "Packages")}
    users = needed(needs_of(relations).files, ["tool"], ["lib", "helper"])
    assert {gone: [use.what for use in uses] for gone, uses in users.items()} == {
        "lib": ["lib-api = 3", "lib >= 1~"],
        "helper": ["helper or spare"],
    }


# random worlds: names that are provided and required at random, so that most relations hang on one or two packages

VERSIONS = ("1-1", "1-2", "2-1", "1:1-1")
NAMES = ("a", "b", "c", "d", "e", "f")
VIRTUAL = ("v", "w")


@st.composite
def rpm_worlds(draw: st.DrawFn) -> tuple[list[Made], list[Made]]:
    relation = st.builds(
        lambda name, sign: f"{name} {sign}".strip(),
        st.sampled_from((*NAMES, *VIRTUAL)),
        st.sampled_from(("", "", "= 1", "< 2", ">= 1-2", "> 1-1", "<= 1:1", "= 2-1")),
    )
    either = st.builds(lambda one, two: f"({one} or {two})", relation, relation)
    provided = st.builds(
        lambda name, sign: f"{name} {sign}".strip(),
        st.sampled_from(VIRTUAL),
        st.sampled_from(("", "= 1", "= 2-1", ">= 2")),
    )
    return _split(draw, relation | either, provided)


@st.composite
def deb_worlds(draw: st.DrawFn) -> tuple[list[Made], list[Made]]:
    relation = st.builds(
        lambda name, sign: f"{name} {sign}".strip(),
        st.sampled_from((*NAMES, *VIRTUAL)),
        st.sampled_from(("", "", "(= 1-1)", "(<< 2)", "(>= 1-2)", "(>> 1-1)", "(<= 1:1)", "(= 2-1)")),
    )
    either = st.builds(lambda one, two: f"{one} | {two}", relation, relation)
    provided = st.builds(
        lambda name, sign: f"{name} {sign}".strip(), st.sampled_from(VIRTUAL), st.sampled_from(("", "(= 1)", "(= 2-1)"))
    )
    return _split(draw, relation | either, provided)


def _split(
    draw: st.DrawFn, required: st.SearchStrategy[str], provided: st.SearchStrategy[str]
) -> tuple[list[Made], list[Made]]:
    """Each name once: of two versions no program installs both, and conflicts are not looked at."""
    names = draw(st.lists(st.sampled_from(NAMES), min_size=3, unique=True))
    world = [
        Made(
            name=name,
            version=draw(st.sampled_from(VERSIONS)),
            provides=draw(st.lists(provided, max_size=2, unique=True)),
            requires=draw(st.lists(required, max_size=2, unique=True)),
        )
        for name in names
    ]
    goes = draw(st.integers(1, len(world) - 1))
    return world[goes:], world[:goes]


def check_as_told(installs: Installs, relations: dict[str, Relations], world: tuple[list[Made], list[Made]]) -> None:
    stays, goes = world
    with TemporaryDirectory() as folder:
        before, cannot = told(installs, stays, goes, Path(folder) / "all")
        # what could never be installed needs something else, and nobody knows whether that comes from elsewhere: here it
        # does not, so that it helps nobody either
        whole = [made for made in stays if made.key in before]
        if whole != stays:
            stays = whole
            before, cannot = told(installs, stays, goes, Path(folder) / "whole")
    assert lost(relations, stays, goes) & before == cannot


@needs_dnf
@settings(max_examples=100 if scope.EVERYTHING else 12, deadline=None)
@given(rpm_worlds())
def test_dnf_agrees_on_random_worlds(world: tuple[list[Made], list[Made]]) -> None:
    check_as_told(dnf_installs, rpm_relations([*world[0], *world[1]]), world)


@needs_apt
@settings(max_examples=100 if scope.EVERYTHING else 12, deadline=None)
@given(deb_worlds())
def test_apt_agrees_on_random_worlds(world: tuple[list[Made], list[Made]]) -> None:
    check_as_told(apt_installs, deb_relations([*world[0], *world[1]]), world)
