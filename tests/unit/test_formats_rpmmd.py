"""repomd.xml and primary.xml as createrepo_c writes them, and what must not pass for them."""

import pytest

from pkgsync.errors import IntegrityError
from pkgsync.formats.index_entries import IndexEntry, Pointer
from pkgsync.formats.rpmmd import parse_packages, parse_top
from pkgsync.formats.sums import Checksum, Stated
from pkgsync.model import PackageType, Version
from pkgsync.model.filename import FileClass

SUM = "c44052112415d91b1c02f0ecc167c5aa0afbe18cff79e3a2dab43dc2cce7f947"
OPEN = "eeae4aefcb222e4e1356ac8a8029993a87f4fdc4a8cdb7ef975679e10dced0b2"
REPOMD = f"""<?xml version="1.0" encoding="UTF-8"?>
<repomd xmlns="http://linux.duke.edu/metadata/repo" xmlns:rpm="http://linux.duke.edu/metadata/rpm">
  <revision>1795351986</revision>
  <tags><repo>obsrepository://real-obs.test/demo:release/openSUSE_Leap_15.6</repo></tags>
  <data type="primary">
    <checksum type="sha256">{SUM}</checksum>
    <open-checksum type="sha256">{OPEN}</open-checksum>
    <location href="repodata/{SUM}-primary.xml.gz"/>
    <timestamp>1795351986</timestamp>
    <size>2437</size>
    <open-size>18779</open-size>
  </data>
  <data type="filelists"><checksum type="sha256">8543</checksum><location href="repodata/filelists.xml.gz"/></data>
</repomd>"""
PACKAGE = """<package type="rpm">
  <name>hello-tool</name><arch>x86_64</arch>
  <version epoch="1" ver="1.2" rel="lp156.1.1"/>
  <checksum type="sha256" pkgid="YES">9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08</checksum>
  <summary>a &lt;tool&gt;</summary>
  <time file="1795351979" build="1795351978"/>
  <size package="6573" installed="10" archive="20"/>
  <location href="x86_64/hello-tool-1.2-lp156.1.1.x86_64.rpm"/>
  <format><rpm:provides><rpm:entry name="hello-tool"/></rpm:provides></format>
</package>"""


def primary(packages: str, count: object = 1) -> list[bytes]:
    text = (
        '<?xml version="1.0" encoding="UTF-8"?>\n<metadata xmlns="http://linux.duke.edu/metadata/common" '
        f'xmlns:rpm="http://linux.duke.edu/metadata/rpm" packages="{count}">{packages}</metadata>'
    )
    return [text[n : n + 50].encode() for n in range(0, len(text), 50)]


def test_the_top_file_names_the_primary() -> None:
    assert parse_top(REPOMD.encode(), "repomd") == Pointer(
        path=f"repodata/{SUM}-primary.xml.gz",
        packed=Stated(2437, Checksum("sha256", SUM)),
        unpacked=Stated(18779, Checksum("sha256", OPEN)),
        revision=1795351986,
        origin="obsrepository://real-obs.test/demo:release/openSUSE_Leap_15.6",
    )


@pytest.mark.parametrize("revision", ["", "abc", "-5", "1795351986.5"])
def test_a_revision_may_be_any_text(revision: str) -> None:
    assert parse_top(REPOMD.replace(">1795351986</rev", f">{revision}</rev").encode(), "repomd").revision is None


@pytest.mark.parametrize(
    "data",
    [
        REPOMD[:-10],
        REPOMD.replace("primary", "secondary"),
        REPOMD.replace('type="filelists"', 'type="primary"'),
        REPOMD.replace('href="repodata', 'href="../repodata'),
        REPOMD.replace('href="repodata', 'href="/repodata'),
        REPOMD.replace('href="repodata', 'href="https://evil.example.org/repodata'),
        REPOMD.replace("<location href", '<location xml:base="https://evil.example.org" href'),
        REPOMD.replace(f'<checksum type="sha256">{SUM}', '<checksum type="sha256">abc'),
        REPOMD.replace(f'<checksum type="sha256">{SUM}', f'<checksum type="crc32">{SUM}'),
        REPOMD.replace(f'<checksum type="sha256">{SUM}</checksum>', ""),
        REPOMD.replace("<size>2437", "<size>-1"),
        REPOMD.replace("metadata/repo", "metadata/other"),
    ],
)
def test_an_odd_top_file_is_refused(data: str) -> None:
    with pytest.raises(IntegrityError):
        parse_top(data.encode(), "repomd")


def test_a_package_of_a_primary() -> None:
    assert list(parse_packages(primary(PACKAGE), "primary")) == [
        IndexEntry(
            path="x86_64/hello-tool-1.2-lp156.1.1.x86_64.rpm",
            size=6573,
            checksum=Checksum("sha256", "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"),
            type=PackageType.RPM,
            name="hello-tool",
            version=Version(1, "1.2", "lp156.1.1"),
            architecture="x86_64",
            file_class=FileClass.PACKAGE,
            mtime=1795351979,
        )
    ]


def test_what_an_entry_requires_is_passed_over() -> None:
    nested = PACKAGE.replace("</format>", "<format><location href='evil'/></format></format>")
    assert [entry.path for entry in parse_packages(primary(nested + PACKAGE, 2), "primary")] == [
        "x86_64/hello-tool-1.2-lp156.1.1.x86_64.rpm"
    ] * 2


@pytest.mark.parametrize("time", ["", '<time build="1"/>', '<time file="-1"/>', '<time file="soon"/>'])
def test_a_file_may_be_without_a_time(time: str) -> None:
    (entry,) = parse_packages(primary(PACKAGE.replace('<time file="1795351979" build="1795351978"/>', time)), "primary")
    assert entry.mtime is None


@pytest.mark.parametrize(
    ("tags", "origin"),
    [
        ("<tags><repo>obsbuildid:12</repo><repo> obsrepository://x/a:b/c </repo></tags>", "obsrepository://x/a:b/c"),
        ("<tags><repo>a word of the project</repo></tags>", None),
        ("<tags><repo/></tags>", None),
        ("", None),
    ],
)
def test_the_top_file_may_state_its_origin(tags: str, origin: str | None) -> None:
    ours = "<tags><repo>obsrepository://real-obs.test/demo:release/openSUSE_Leap_15.6</repo></tags>"
    assert parse_top(REPOMD.replace(ours, tags).encode(), "repomd").origin == origin


def test_an_empty_primary_lists_nothing() -> None:
    assert list(parse_packages(primary("", 0), "primary")) == []


@pytest.mark.parametrize(("packages", "count"), [(PACKAGE, 2), (PACKAGE, 0), ("", 1), (PACKAGE, ""), (PACKAGE, "x")])
def test_the_number_of_packages_must_be_the_stated_one(packages: str, count: object) -> None:
    with pytest.raises(IntegrityError):
        list(parse_packages(primary(packages, count), "primary"))


def test_a_cut_primary_is_refused() -> None:
    with pytest.raises(IntegrityError):
        list(parse_packages(primary(PACKAGE)[:-1], "primary"))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('href="x86_64/', 'href="../x86_64/'),
        ('href="x86_64/', 'href="x86_64//'),
        ('href="x86_64/', 'href="x86_64/..\\'),
        ('href="x86_64/', 'href="x86_64/&#27;[31m'),
        ("<location href", '<location xml:base="https://evil.example.org" href'),
        ('<size package="6573"', "<size"),
        ('<size package="6573"', f'<size package="{2**53}"'),
        (' rel="lp156.1.1"', ""),
        ("<name>hello-tool</name>", ""),
        ("<arch>x86_64</arch>", "<arch/>"),
        ('epoch="1"', 'epoch="one"'),
        ('type="sha256"', 'type="sha1"'),
        ("9f86d0", "XYZXYZ"),
    ],
)
def test_an_odd_package_is_refused(old: str, new: str) -> None:
    with pytest.raises(IntegrityError):
        list(parse_packages(primary(PACKAGE.replace(old, new)), "primary"))


def test_the_old_name_of_sha1_is_known() -> None:
    sha1 = "da39a3ee5e6b4b0d3255bfef95601890afd80709"
    package = PACKAGE.replace('"sha256"', '"sha"').replace(
        "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08", sha1
    )
    (entry,) = parse_packages(primary(package), "primary")
    assert entry.checksum == Checksum("sha1", sha1)
