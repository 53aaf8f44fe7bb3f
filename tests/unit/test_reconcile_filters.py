"""Which files a config lets through, and which scheduler can have built them."""

import pytest

from pkgsync.model import Policy, Selection
from pkgsync.reconcile.architectures import schedulers_of, wanted_architecture
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
