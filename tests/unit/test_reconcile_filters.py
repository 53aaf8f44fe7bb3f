"""Which files a config lets through, and which scheduler can have built them."""

import pytest

from pkgsync.model import Policy, Selection
from pkgsync.model.filename import FileClass, file_class
from pkgsync.reconcile.architectures import maybe_wanted, schedulers_of, wanted_architecture
from pkgsync.reconcile.filters import FileFilter, Selector


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
def test_the_architectures_that_a_scheduler_is_there_for(scheduler: str, rpm: str, deb: str) -> None:
    for architecture in (rpm, deb, "noarch", "all"):
        assert wanted_architecture(architecture, (scheduler,), ())
        assert wanted_architecture(architecture, None, ())
        assert maybe_wanted(architecture, (scheduler,))
    assert not wanted_architecture("sparc64", (scheduler,), ())
    assert not maybe_wanted("sparc64", (scheduler,))
    assert not wanted_architecture("", (scheduler,), ())
    assert maybe_wanted("", (scheduler,))


@pytest.mark.parametrize(
    ("builders", "expected"), [((), False), (("x86_64",), False), (("i586",), True), (("x86_64", "i586"), True)]
)
def test_what_a_scheduler_exports_is_only_wanted_if_it_built_it(builders: tuple[str, ...], expected: bool) -> None:
    assert wanted_architecture("x86_64", ("i586",), builders) is expected
    assert maybe_wanted("x86_64", ("i586",))


@pytest.mark.parametrize(
    ("architecture", "expected"),
    [
        ("noarch", ("x86_64", "i586", "aarch64")),
        ("all", ("x86_64", "i586", "aarch64")),
        ("x86_64", ("x86_64", "i586")),
        ("amd64", ("x86_64",)),
        ("i686", ("x86_64", "i586")),
        ("armhf", ("aarch64",)),
        ("arm64", ("aarch64",)),
        ("s390x", ("x86_64", "i586", "aarch64")),
        ("", ("x86_64", "i586", "aarch64")),
    ],
)
def test_who_can_have_built_a_file(architecture: str, expected: tuple[str, ...]) -> None:
    shown = {"x86_64": {"x86_64"}, "i586": {"i586"}, "aarch64": {"aarch64", "armhf"}}
    assert schedulers_of(architecture, shown) == expected


def test_a_file_of_unknown_architecture_may_be_each() -> None:
    shown = {"x86_64": {"x86_64"}, "i586": {"i586"}, "aarch64": {""}}
    assert schedulers_of("x86_64", shown) == ("x86_64", "i586", "aarch64")
    assert schedulers_of("arm64", shown) == ("aarch64",)
    assert schedulers_of("s390x", shown) == ("x86_64", "i586", "aarch64")


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
    assert bool(FileFilter(policy).admits(filename, file_class(filename))) is expected
    assert bool(FileFilter(policy).takes(filename, ("x86_64",))) is expected


def test_a_file_with_an_odd_name_must_be_read_to_be_judged() -> None:
    takes = FileFilter(Policy()).takes
    assert takes("tool_0.48.0_Linux-64bit.rpm", ("aarch64",))
    assert not takes("tool-0.48.0-1.x86_64.rpm", ("aarch64",))
    assert not FileFilter(Policy()).admits("tool_0.48.0_Linux-64bit.rpm", FileClass.DEBUG)


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
