"""What counts as a ``_result`` or ``_meta``, and what only looks like one. Documents as a real backend answered them."""

import pytest

from pkgsync.errors import IntegrityError
from pkgsync.model import BuiltFile, BuiltPackage
from pkgsync.obs.results import ArchitectureResult, ProjectMeta, parse_meta, parse_result

STATE = "bfeed7d382f48ee23bac4e69300fd44a"
RESULT = f"""<resultlist state="{STATE}">
  <result project="demo:release" repository="openSUSE_Leap_15.6" arch="x86_64" code="published" state="published">
    <status package="hello-tool" code="succeeded" />
    <status package="demo-unresolvable" code="unresolvable">
      <details>nothing provides no-such-package</details>
    </status>
    <status package="demo-multi:small" code="excluded" />
    <binarylist package="hello-tool">
      <binary filename="hello-tool-1.2-lp156.1.1.x86_64.rpm" size="6573" mtime="1795351979" />
      <binary filename="_buildenv" size="846" mtime="1795351980" />
    </binarylist>
    <binarylist package="demo-multi:small" />
    <binarylist package="demo-unresolvable" />
    <stats lastchecked="1795351981" lastfinished="1795351981" lastpublished="1795351986" />
  </result>
  <result project="demo:release" repository="openSUSE_Leap_15.6" arch="aarch64" code="building" state="building" dirty="true">
  </result>
</resultlist>"""
ONE = '<result project="demo:release" repository="r" arch="a" code="published"{}>{}</result>'
FILES = '<status package="p" code="succeeded"/><binarylist package="p">{}</binarylist>'


def result(inner: str, state: str = STATE) -> bytes:
    return f'<resultlist state="{state}">{inner}</resultlist>'.encode()


def test_a_result_as_a_backend_gives_it() -> None:
    parsed = parse_result(RESULT.encode(), "demo:release")
    assert parsed.state == STATE
    assert parsed.architectures("no-such") == {}
    assert parsed.architectures("openSUSE_Leap_15.6") == {
        "x86_64": ArchitectureResult(
            name="x86_64",
            code="published",
            dirty=False,
            details="",
            last_published=1795351986,
            packages=(
                BuiltPackage("demo-multi:small", "excluded"),
                BuiltPackage("demo-unresolvable", "unresolvable"),
                BuiltPackage(
                    "hello-tool",
                    "succeeded",
                    (
                        BuiltFile("_buildenv", 846, 1795351980),
                        BuiltFile("hello-tool-1.2-lp156.1.1.x86_64.rpm", 6573, 1795351979),
                    ),
                ),
            ),
        ),
        "aarch64": ArchitectureResult(
            name="aarch64", code="building", dirty=True, details="", last_published=None, packages=()
        ),
    }


@pytest.mark.parametrize(
    ("attributes", "inner", "expected"),
    [
        (' details="delta errors"', "", "delta errors"),
        ("", "<details>lock timeout</details>", "lock timeout"),
        ("", "<details/>", ""),
        (' later="1"', "<future/>", ""),
    ],
)
def test_details_stand_in_either_place_and_the_unknown_is_passed_over(
    attributes: str, inner: str, expected: str
) -> None:
    parsed = parse_result(result(ONE.format(attributes, inner)), "demo:release")
    assert parsed.architectures("r")["a"].details == expected


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"<resultlist/>",
        b'<resultlist state=""/>',
        b'<resultlist state="00000000000000000000000000000000"/>',
        b"<directory>\n</directory>",
        b'<status code="ok"/>',
        b"<html><body/></html>",
        RESULT.encode()[:-3],
        RESULT.encode()[:500],
        RESULT.encode() + b"<more/>",
        b"\xff" + RESULT.encode(),
        b'<?xml version="1.0" encoding="no-such"?>' + RESULT.encode(),
    ],
)
def test_what_is_no_result_is_refused(data: bytes) -> None:
    with pytest.raises(IntegrityError, match="_result of demo:release"):
        parse_result(data, "demo:release")


@pytest.mark.parametrize(
    "inner",
    [
        ONE.format("", "") + ONE.format(' dirty="true"', ""),
        ONE.format("", "").replace("demo:release", "demo:other"),
        ONE.format("", "").replace(' arch="a"', ""),
        ONE.format("", "").replace(' code="published"', ""),
        ONE.format("", FILES.format('<binary filename="f.rpm" size="-1" mtime="1"/>')),
        ONE.format("", FILES.format('<binary filename="f.rpm" size="1" mtime=""/>')),
        ONE.format("", FILES.format('<binary filename="f.rpm" size="1"/>')),
        ONE.format("", FILES.format('<binary filename="f.rpm" size="\u0661" mtime="1"/>')),
        ONE.format("", FILES.format('<binary filename="f.rpm" size="1" mtime="1"/>' * 2)),
        ONE.format("", FILES.format("") + '<binarylist package="p"/>'),
        ONE.format("", FILES.format("") + '<status package="p" code="failed"/>'),
        ONE.format("", '<status package="p" code="succeeded"/>'),
        ONE.format("", '<binarylist package="p"/>'),
        ONE.format("", '<stats lastpublished="yesterday"/>'),
    ],
)
def test_an_odd_result_is_refused(inner: str) -> None:
    with pytest.raises(IntegrityError):
        parse_result(result(inner), "demo:release")


GOOD = '<binary filename="f.rpm" size="1" mtime="2"/>'


@pytest.mark.parametrize(
    "name",
    [
        "Mein Gerät-1.0.AppImage",
        "a\\b",
        "a\u00a0b",
        "\u202etxt",
        "...",
        "x" * 255,
        "dir&amp;name",
        "a&#x85;b",
        "a&#127;b",
    ],
)
def test_any_name_that_obs_allows_is_one(name: str) -> None:
    inner = FILES.format(f'{GOOD}<binary filename="{name}" size="1" mtime="2"/>')
    found = parse_result(result(ONE.format("", inner)), "demo:release").architectures("r")["a"]
    assert (len(found.packages[0].files), found.odd_entries) == (2, 0)


@pytest.mark.parametrize(
    "name", ["../f.rpm", "/f.rpm", "", ".", "..", "a&#10;b", "a&#1;b", "a\1b", "a\ufffdb", "x" * 256]
)
def test_an_entry_without_a_usable_name_is_counted_and_left_out(name: str) -> None:
    inner = FILES.format(f'{GOOD}<binary filename="{name}" size="1" mtime="2"/>')
    found = parse_result(result(ONE.format("", inner)), "demo:release").architectures("r")["a"]
    assert ([f.filename for f in found.packages[0].files], found.odd_entries) == (["f.rpm"], 1)


def test_a_package_without_a_usable_name_is_counted_and_left_out() -> None:
    odd = '<status package="a b" code="succeeded"/><binarylist package="a b"/>'
    found = parse_result(result(ONE.format("", FILES.format(GOOD) + odd)), "demo:release").architectures("r")["a"]
    assert ([p.name for p in found.packages], found.odd_entries) == (["p"], 2)


@pytest.mark.parametrize("details", [b"K\xf6nig", b"\x1b[31m", b"a\0b", b"&#2;", b"&#xFFFF;", b"\xef\xbf\xbf"])
def test_bytes_that_are_no_text_hurt_nobody_but_themselves(details: bytes) -> None:
    """OBS hands on what a build has printed."""
    inner = ONE.format("", FILES.format(GOOD)).replace(
        "<binarylist", "<status package='q' code='failed'><details>?</details></status><binarylist"
    )
    data = result(inner).replace(b"?", details)
    found = parse_result(data, "demo:release").architectures("r")["a"]
    assert ([p.name for p in found.packages], found.details, found.odd_entries) == (["p", "q"], "", 0)
    title = META.encode().replace(b"Demo release project", details)
    assert list(parse_meta(title, "demo:release").repositories) == ["openSUSE_Leap_15.6", "xUbuntu_22.04"]


def test_a_document_in_another_declared_encoding_is_read_in_it() -> None:
    data = b'<?xml version="1.0" encoding="ISO-8859-1"?>' + result(
        ONE.format("", FILES.format('<binary filename="?.rpm" size="1" mtime="2"/>'))
    ).replace(b"?.rpm", b"\xe4.rpm")
    (package,) = parse_result(data, "demo:release").architectures("r")["a"].packages
    assert [f.filename for f in package.files] == ["ä.rpm"]


def test_an_import_from_another_architecture_is_a_file_name() -> None:
    inner = ONE.format("", FILES.format('<binary filename="::import::i586::f.rpm" size="1" mtime="2"/>'))
    packages = parse_result(result(inner), "demo:release").architectures("r")["a"].packages
    assert packages == (BuiltPackage("p", "succeeded", (BuiltFile("::import::i586::f.rpm", 1, 2),)),)


def test_a_bomb_of_entities_is_refused() -> None:
    bomb = b'<!DOCTYPE r [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]>' + result(ONE.format("", "<details>&b;</details>"))
    with pytest.raises(IntegrityError):
        parse_result(bomb, "demo:release")


def test_an_external_entity_is_refused() -> None:
    data = b'<!DOCTYPE r [<!ENTITY a SYSTEM "file:///etc/passwd">]>' + result(ONE.format("", "<details>&a;</details>"))
    with pytest.raises(IntegrityError):
        parse_result(data, "demo:release")


META = """<project name="demo:release">
  <title>Demo release project</title>
  <publish><disable repository="x"/></publish>
  <repository name="openSUSE_Leap_15.6"><path project="p" repository="r"/><arch>x86_64</arch><arch>aarch64</arch></repository>
  <repository name="xUbuntu_22.04"/>
</project>"""


def test_a_meta_gives_repositories_and_architectures_in_order() -> None:
    expected = ProjectMeta(
        "demo:release",
        {"openSUSE_Leap_15.6": ("x86_64", "aarch64"), "xUbuntu_22.04": ()},
        {"openSUSE_Leap_15.6": (("p", "r"),), "xUbuntu_22.04": ()},
    )
    parsed = parse_meta(META.encode(), "demo:release")
    assert parsed == expected
    assert list(parsed.repositories) == ["openSUSE_Leap_15.6", "xUbuntu_22.04"]


def test_an_odd_path_is_no_reason_to_refuse_a_project() -> None:
    odd = '<path project="p"/><path project="a b" repository="r"/><path project="q" repository="s"/><arch>x86_64</arch>'
    parsed = parse_meta(f'<project name="p"><repository name="r">{odd}</repository></project>'.encode(), "p")
    assert (parsed.repositories, parsed.paths) == ({"r": ("x86_64",)}, {"r": (("q", "s"),)})


def test_what_an_old_backend_keeps_twice_is_one() -> None:
    """OBS 2.9.4 stores an architecture that was written twice, and gives two equal results for it."""
    parsed = parse_meta(META.replace("aarch64", "x86_64").encode(), "demo:release")
    assert parsed.repositories["openSUSE_Leap_15.6"] == ("x86_64",)
    twice = ONE.format("", FILES.format('<binary filename="f.rpm" size="1" mtime="2"/>')) * 2
    assert list(parse_result(result(twice), "demo:release").architectures("r")) == ["a"]


@pytest.mark.parametrize(
    "data",
    [
        META.replace("demo:release", "other"),
        META.replace("xUbuntu_22.04", "openSUSE_Leap_15.6"),
        META.replace("aarch64", ""),
        META.replace(' name="xUbuntu_22.04"', ""),
        META[:-5],
        "<directory/>",
        "<project/>",
    ],
)
def test_an_odd_meta_is_refused(data: str) -> None:
    with pytest.raises(IntegrityError):
        parse_meta(data.encode(), "demo:release")
