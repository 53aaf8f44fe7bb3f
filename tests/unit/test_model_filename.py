"""What a file name tells; the names are those that real OBS projects have."""

import pytest

from pkgsync import schemas
from pkgsync.model.filename import FileClass, PackageType, class_of, file_class, is_imported, is_plain, parse, type_of


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
        ("nameless.rpm", FileClass.PACKAGE),
        ("tool_0.48.0_Linux-64bit.rpm", FileClass.PACKAGE),
        ("foo-2.0-1_amd64.deb", FileClass.PACKAGE),
        ("Mein Gerät-1.0.AppImage", FileClass.OTHER),
    ],
)
def test_the_class_of_a_file(filename: str, expected: FileClass) -> None:
    assert file_class(filename) is expected


def test_a_snapshot_may_hold_every_class() -> None:
    columns = str(schemas.load("snapshot"))
    assert str([kind.value for kind in FileClass]) in columns, "write the class into schema/snapshot.schema.json"


@pytest.mark.parametrize(
    ("filename", "expected"),
    [
        ("hello-tool-1.2-lp156.1.1.x86_64.rpm", ("rpm", "hello-tool", "1.2-lp156.1.1", "x86_64")),
        ("libfoo-32bit-1.2-1.x86_64.rpm", ("rpm", "libfoo-32bit", "1.2-1", "x86_64")),
        ("libdemo1_0.9.1-2~bpo1_amd64.deb", ("deb", "libdemo1", "0.9.1-2~bpo1", "amd64")),
        ("foo_1%3a2.0-1_amd64.deb", ("deb", "foo", "2.0-1", "amd64")),
        ("foo_12:2.0_all.deb", ("deb", "foo", "2.0", "all")),
    ],
)
def test_the_parts_of_a_name(filename: str, expected: tuple[str, str, str, str]) -> None:
    parsed = parse(filename)
    assert parsed is not None
    assert (parsed.type, parsed.name, parsed.version, parsed.architecture) == expected


@pytest.mark.parametrize(
    ("kind", "name", "architecture", "expected"),
    [
        ("rpm", "hello", "x86_64", FileClass.PACKAGE),
        ("rpm", "hello", "src", FileClass.SOURCE),
        ("rpm", "hello", "nosrc", FileClass.SOURCE),
        ("rpm", "hello-debuginfo", "x86_64", FileClass.DEBUG),
        ("rpm", "kernel-debuginfo-common", "x86_64", FileClass.DEBUG),
        ("rpm", "debuginfo", "x86_64", FileClass.PACKAGE),
        ("rpm", "hello-debuginfod", "x86_64", FileClass.PACKAGE),
        ("rpm", "hello-dbg", "x86_64", FileClass.PACKAGE),
        ("deb", "hello", "amd64", FileClass.PACKAGE),
        ("deb", "hello-dbgsym", "amd64", FileClass.DEBUG),
        ("deb", "hello-dbg", "amd64", FileClass.DEBUG),
        ("deb", "hello-debuginfo", "amd64", FileClass.PACKAGE),
    ],
)
def test_the_class_by_the_metadata(kind: str, name: str, architecture: str, expected: FileClass) -> None:
    assert class_of(PackageType(kind), name, architecture) is expected


@pytest.mark.parametrize("filename", ["hello.rpm", "hello_1.0.deb", "hello-1.0-1.x86_64.rpm.asc", ""])
def test_other_names_have_no_parts(filename: str) -> None:
    assert parse(filename) is None


@pytest.mark.parametrize(
    ("filename", "expected"),
    [
        ("hello-tool-1.2-lp156.1.1.x86_64.rpm", "rpm"),
        ("hello-1.2-1.src.rpm", "rpm"),
        ("nameless.rpm", "rpm"),
        ("::import::i586::hello-1.2-1.i586.rpm", "rpm"),
        ("libdemo1-dbgsym_0.9.1_amd64.deb", "deb"),
        ("libdemo1-dbgsym_0.9.1_amd64.ddeb", None),
        ("hello.RPM", None),
        ("rpm", None),
        ("_statistics", None),
        ("", None),
    ],
)
def test_the_type_by_the_suffix(filename: str, expected: str | None) -> None:
    assert type_of(filename) == expected


def test_a_copy_from_another_architecture() -> None:
    assert is_imported("::import::i586::hello-1.2-1.i586.rpm")
    assert not is_imported("hello-1.2-1.i586.rpm")


@pytest.mark.parametrize(
    "name", ["a", "...", "-rf", "a b", "ä b.AppImage", "a\\b", "libx++-1.0~rc1^git-1.noarch.rpm", "ä" * 127 + "b"]
)
def test_a_plain_name(name: str) -> None:
    assert is_plain(name)


@pytest.mark.parametrize(
    "name",
    ["", ".", "..", "a/b", "a\nb", "a\0b", "\x7f", "a\u00a0b", "\u2028", "\u202e", "\ud800", "a" * 256, "ä" * 128],
)
def test_what_is_no_plain_name(name: str) -> None:
    assert not is_plain(name)
