"""What a file name tells; the names are those that real OBS projects have."""

import pytest

from pkgsync.model import Policy, Selection
from pkgsync.reconcile.filters import FileFilter, Selector
from pkgsync.reconcile.names import FileClass, file_class, parse, schedulers_of, wanted_architecture


@pytest.mark.parametrize(
    ("filename", "expected"),
    [
        ("hello-tool-1.2-lp156.1.1.x86_64.rpm", FileClass.PACKAGE),
        ("libdemo1_0.9.1_amd64.deb", FileClass.PACKAGE),
        ("hello-data-1.2-lp156.1.1.noarch.rpm", FileClass.PACKAGE),
        ("hello_1.0~rc1+dfsg-1_all.deb", FileClass.PACKAGE),
        ("debuginfo-1.0-1.x86_64.rpm", FileClass.PACKAGE),
        ("hello-1.2-lp156.1.1.src.rpm", FileClass.SOURCE),
        ("hello-1.2-lp156.1.1.nosrc.rpm", FileClass.SOURCE),
        ("hello-debuginfo-1.2-1.x86_64.rpm", FileClass.DEBUG),
        ("hello-debugsource-1.2-1.x86_64.rpm", FileClass.DEBUG),
        ("hello-debuginfo-common-1.2-1.x86_64.rpm", FileClass.DEBUG),
        ("libdemo1-dbgsym_0.9.1_amd64.deb", FileClass.DEBUG),
        ("libdemo1-dbgsym_0.9.1_amd64.ddeb", FileClass.DEBUG),
        ("libdemo1_0.9.1_amd64.ddeb", FileClass.DEBUG),
        ("libdemo1-dbg_0.9.1_amd64.deb", FileClass.DEBUG),
        ("libdemo1_0.9.1_amd64.udeb", FileClass.INSTALLER),
        ("hello-1.1_1.2-1_1.x86_64.drpm", FileClass.DELTA),
        ("hello-1.2-1.x86_64.delta.rpm", FileClass.DELTA),
        ("::import::i586::hello-1.2-1.i586.rpm", FileClass.OTHER),
        ("_buildenv", FileClass.OTHER),
        ("_statistics", FileClass.OTHER),
        ("rpmlint.log", FileClass.OTHER),
        ("hello_1.0.dsc", FileClass.OTHER),
        ("hello_1.0_amd64.changes", FileClass.OTHER),
        ("hello_1.0.orig.tar.gz", FileClass.OTHER),
        ("image.x86_64-1.0.qcow2", FileClass.OTHER),
        ("hello-1.0-1-x86_64.pkg.tar.zst", FileClass.OTHER),
        ("hello-1.0-1.x86_64.rpm.sha256", FileClass.OTHER),
        ("nameless.rpm", FileClass.OTHER),
    ],
)
def test_the_class_of_a_file(filename: str, expected: FileClass) -> None:
    assert file_class(filename) is expected


@pytest.mark.parametrize(
    ("filename", "expected"),
    [
        ("hello-tool-1.2-lp156.1.1.x86_64.rpm", ("rpm", "hello-tool", "x86_64")),
        ("libfoo-32bit-1.2-1.x86_64.rpm", ("rpm", "libfoo-32bit", "x86_64")),
        ("libdemo1_0.9.1-2~bpo1_amd64.deb", ("deb", "libdemo1", "amd64")),
    ],
)
def test_the_parts_of_a_name(filename: str, expected: tuple[str, str, str]) -> None:
    parsed = parse(filename)
    assert parsed is not None
    assert (parsed.type, parsed.name, parsed.architecture) == expected


@pytest.mark.parametrize("filename", ["hello.rpm", "hello_1.0.deb", "hello-1.0-1.x86_64.rpm.asc", ""])
def test_other_names_have_no_parts(filename: str) -> None:
    assert parse(filename) is None


@pytest.mark.parametrize(
    ("scheduler", "rpm", "deb"),
    [
        ("x86_64", "x86_64", "amd64"),
        ("i586", "i586", "i386"),
        ("i586", "i686", "i386"),
        ("aarch64", "aarch64", "arm64"),
        ("armv7l", "armv7hl", "armhf"),
        ("armv6l", "armv6hl", "armel"),
        ("ppc64le", "ppc64le", "ppc64el"),
        ("s390x", "s390x", "s390x"),
        ("riscv64", "riscv64", "riscv64"),
        ("ppc64", "ppc64", "ppc64"),
        ("loongarch64", "loongarch64", "loong64"),
    ],
)
def test_the_architecture_of_a_scheduler_in_file_names(scheduler: str, rpm: str, deb: str) -> None:
    for filename in (f"hello-1-1.{rpm}.rpm", f"hello_1_{deb}.deb", "hello-1-1.noarch.rpm", "hello_1_all.deb"):
        assert wanted_architecture(filename, (scheduler,))
        assert wanted_architecture(filename, None)
    assert not wanted_architecture("hello-1-1.sparc64.rpm", (scheduler,))


@pytest.mark.parametrize(
    ("architecture", "expected"),
    [
        ("noarch", ("x86_64", "i586", "aarch64")),
        ("all", ("x86_64", "i586", "aarch64")),
        ("x86_64", ("x86_64", "i586")),
        ("amd64", ("x86_64",)),
        ("i686", ("i586",)),
        ("arm64", ("aarch64",)),
        ("s390x", ("x86_64", "i586", "aarch64")),
        ("", ("x86_64", "i586", "aarch64")),
    ],
)
def test_who_can_have_built_a_file(architecture: str, expected: tuple[str, ...]) -> None:
    assert schedulers_of(architecture, ("x86_64", "i586", "aarch64")) == expected


@pytest.mark.parametrize(
    ("policy", "filename", "expected"),
    [
        (Policy(), "hello-1-1.x86_64.rpm", True),
        (Policy(), "hello-1-1.src.rpm", False),
        (Policy(include_classes=("source",)), "hello-1-1.src.rpm", True),
        (Policy(include_classes=("debug",)), "hello-debuginfo-1-1.x86_64.rpm", True),
        (Policy(include=("kata-*",)), "hello-1-1.x86_64.rpm", False),
        (Policy(include=()), "hello-1-1.x86_64.rpm", False),
        (Policy(exclude=("*-devel*",)), "hello-devel-1-1.x86_64.rpm", False),
        (Policy(exclude=("*-DEVEL*",)), "hello-devel-1-1.x86_64.rpm", True),
        (Policy(exclude=("hello",)), "hello-1-1.x86_64.rpm", True),
        (Policy(exclude=("hello-[12]-*",)), "hello-1-1.x86_64.rpm", False),
        (Policy(include=("a*", "*.rpm"), exclude=("b", "hello*")), "hello-1-1.x86_64.rpm", False),
    ],
)
def test_filters(policy: Policy, filename: str, expected: bool) -> None:
    assert bool(FileFilter(policy).admits(filename)) is expected


@pytest.mark.parametrize(
    ("targets", "excludes", "expected"),
    [
        ((), (), True),
        (("el/9/*",), (), True),
        (("el/8/*",), (), False),
        ((), ("*/hello-*",), False),
        (("el/*",), ("*/hello-*",), False),
    ],
)
def test_selecting_by_package_key(targets: tuple[str, ...], excludes: tuple[str, ...], expected: bool) -> None:
    assert Selector(Selection(targets, excludes)).takes("el/9/hello-1-1.x86_64.rpm") is expected
