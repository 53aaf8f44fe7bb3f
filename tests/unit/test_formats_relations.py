"""What packages need and provide, as createrepo_c and dpkg-scanpackages write it."""

import pytest

from pkgsync.formats import debian, rpmmd
from pkgsync.formats.relations import deb_relations, rich_relations
from pkgsync.model import PackageType, Relation, Relations, Version
from tests.unit.test_formats_debian import STANZA
from tests.unit.test_formats_rpmmd import PACKAGE, primary

# as createrepo_c 0.20 wrote it of an rpm
FORMAT = """<format>
    <rpm:license>MIT</rpm:license>
    <rpm:header-range start="4504" end="7225"/>
    <rpm:provides>
      <rpm:entry name="api" flags="EQ" epoch="0" ver="3"/>
      <rpm:entry name="hello-tool(x86-64)" flags="EQ" epoch="1" ver="1.2" rel="lp156.1.1"/>
      <rpm:entry name="plain"/>
    </rpm:provides>
    <rpm:requires>
      <rpm:entry name="/bin/sh" pre="1"/>
      <rpm:entry name="libc.so.6(GLIBC_2.34)(64bit)"/>
      <rpm:entry name="base" flags="GE" epoch="2" ver="1.0"/>
      <rpm:entry name="(one or two &gt;= 1:2.0-3)"/>
      <rpm:entry name="((a(x86-64) &gt; 1 if b) and c)"/>
      <rpm:entry name="odd" flags="XX" epoch="0" ver="1"/>
    </rpm:requires>
    <rpm:recommends><rpm:entry name="weak"/></rpm:recommends>
    <file>/usr/bin/hello</file>
    <file type="dir">/etc/hello</file>
  </format>"""


def test_an_rpm() -> None:
    element = PACKAGE.replace('<format><rpm:provides><rpm:entry name="hello-tool"/></rpm:provides></format>', FORMAT)
    [(entry, relations)] = rpmmd.parse_relations(primary(element), "primary")
    assert entry.filename == "hello-tool-1.2-lp156.1.1.x86_64.rpm"
    assert relations == Relations(
        type=PackageType.RPM,
        architecture="x86_64",
        provides=(
            Relation("hello-tool", "=", Version(1, "1.2", "lp156.1.1")),
            Relation("api", "=", Version(0, "3")),
            Relation("hello-tool(x86-64)", "=", Version(1, "1.2", "lp156.1.1")),
            Relation("plain"),
            Relation("/usr/bin/hello"),
            Relation("/etc/hello"),
        ),
        requires=(
            (Relation("/bin/sh"),),
            (Relation("libc.so.6(GLIBC_2.34)(64bit)"),),
            (Relation("base", ">=", Version(2, "1.0")),),
            (Relation("one"), Relation("two", ">=", Version(1, "2.0", "3"))),
            # what is not certain counts as required
            (Relation("a(x86-64)", ">", Version(0, "1")),),
            (Relation("b"),),
            (Relation("c"),),
            (Relation("odd", "=", Version(0, "1")),),
        ),
    )


@pytest.mark.parametrize("name", ["(a or b)", "(or)", "(", "(a and b)"])
def test_what_is_provided_is_a_name_whatever_it_looks_like(name: str) -> None:
    entry = f'<rpm:entry name="{name}"/>'
    [(_, relations)] = rpmmd.parse_relations(primary(PACKAGE.replace('<rpm:entry name="hello-tool"/>', entry)), "it")
    assert relations.provides[1:] == (Relation(name),)


def test_an_rpm_that_states_nothing() -> None:
    element = PACKAGE.replace('<format><rpm:provides><rpm:entry name="hello-tool"/></rpm:provides></format>', "")
    [(_, relations)] = rpmmd.parse_relations(primary(element), "primary")
    assert relations.provides == (Relation("hello-tool", "=", Version(1, "1.2", "lp156.1.1")),)
    assert relations.requires == ()


def test_a_deb() -> None:
    fields = (
        "Pre-Depends: init-system-helpers (>= 1.54~)\n"
        "Depends: libc6 (>= 2.34), mail-agent | postfix (<< 3),\n python3:any (>> 3.9~)\n"
        "Provides: hello-api (= 1:3-1), hello\n"
        "Recommends: weak\n"
    )
    [(entry, relations)] = debian.parse_relations([STANZA.replace("Size:", f"{fields}Size:").encode()], "Packages")
    assert entry.filename == "hello-tool_1.2~rc1-3ubuntu1_amd64.deb"
    assert relations == Relations(
        type=PackageType.DEB,
        architecture="amd64",
        provides=(
            Relation("hello-tool", "=", Version(1, "1.2~rc1", "3ubuntu1")),
            Relation("hello-api", "=", Version(1, "3", "1")),
            Relation("hello"),
        ),
        requires=(
            (Relation("init-system-helpers", ">=", Version(0, "1.54~")),),
            (Relation("libc6", ">=", Version(0, "2.34")),),
            (Relation("mail-agent"), Relation("postfix", "<", Version(0, "3"))),
            (Relation("python3", ">", Version(0, "3.9~")),),
        ),
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a(>=1)", Relation("a", ">=", Version(0, "1"))),
        ("a (< 1)", Relation("a", "<=", Version(0, "1"))),
        ("a (> 1)", Relation("a", ">=", Version(0, "1"))),
        ("a (= 1) [amd64] <!nocheck>", Relation("a", "=", Version(0, "1"))),
        # what cannot be read asks for a version that nobody knows
        ("a (= 1", Relation("a", "=")),
        ("a (~ 1)", Relation("a", "=")),
        ("a (= x:1)", Relation("a", "=")),
        ("a b", Relation("a", "=")),
        ("", None),
        (" , ", None),
    ],
)
def test_a_relation_of_a_deb(text: str, expected: Relation | None) -> None:
    assert list(deb_relations(text)) == ([(expected,)] if expected else [])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("(a or b or c)", [("a", "b", "c")]),
        ("(a with b < 2)", [("a",), ("b < 2",)]),
        ("(a or (b and c))", [("a",), ("b",), ("c",)]),
        ("(font(:lang=de) or b)", [("font(:lang=de)", "b")]),
        ("(", []),
        ("(a >=", [("a >= ?",)]),
    ],
)
def test_a_boolean_dependency(text: str, expected: list[tuple[str, ...]]) -> None:
    assert [tuple(map(str, alternatives)) for alternatives in rich_relations(text)] == expected
