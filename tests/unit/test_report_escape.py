"""Foreign text can neither steer a terminal, nor become markup, nor a formula."""

import html
import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from pkgsync.report.escape import cell, code, prose, visible
from tests.support.values.strategies import messages

GITHUB = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
anything = messages | st.text()


@given(anything)
def test_what_is_visible_steers_no_terminal(text: str) -> None:
    shown = visible(text)
    assert not [c for c in shown if unicodedata.category(c) in ("Cc", "Cf", "Cs", "Co", "Zl", "Zp")]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("hello-tool_1.2~rc1+git^2-1.x86_64.rpm", "hello-tool_1.2~rc1+git^2-1.x86_64.rpm"),
        ("é 日本", "é 日本"),
        ("\x1b[2Jx", r"\x1b[2Jx"),
        ("a\r\n\tb", r"a\r\n\tb"),
        ("gpj.\u202erpm", r"gpj.\u202erpm"),
        ("a\u200bb\u3164\ufe0f", r"a\u200bb\u3164\ufe0f"),
        ("\ud800", r"\ud800"),
        ("\x9b31m", r"\x9b31m"),
        ("\U000e0041", r"\U000e0041"),
        ("::error::x", r"\x3a:error::x"),
        ("a\n::error file=x::y", r"a\n\x3a:error file=x::y"),
        ("  ::add-mask::x ::y", r"  \x3a:add-mask::x \x3a:y"),
        ("libfoo::bar 1::2", "libfoo::bar 1::2"),
        ("##[error]x", r"\x23#[error]x"),
        ("a ##[group]b ##vso[task.complete]c", r"a \x23#[group]b \x23#vso[task.complete]c"),
        ("###[error]x ## [x]", r"#\x23#[error]x ## [x]"),
        ("##teamcity[x]", r"\x23#teamcity[x]"),
    ],
)
def test_visible(text: str, shown: str) -> None:
    assert visible(text) == shown


@given(anything)
def test_code_is_shown_as_it_is_in_a_table(text: str) -> None:
    rendered = GITHUB.render(f"|a|b|\n|---|---|\n|{code(text)}|last|\n")
    start, end = rendered.index("<td>"), rendered.index("</td>")
    inner = rendered[start + 4 : end]
    assert inner.startswith("<code>") and inner.endswith("</code>")
    assert "<" not in inner[6:-7]
    assert html.unescape(inner[6:-7]) == visible(text)
    assert "<td>last</td>" in rendered


@given(anything)
def test_prose_is_shown_and_copied_as_it_is_without_markup(text: str) -> None:
    rendered = GITHUB.render(f"|a|b|\n|---|---|\n|x {prose(text)} x|last|\n")
    inner = rendered[rendered.index("<td>") + 4 : rendered.index("</td>")]
    shown = inner.replace("<code>", "").replace("</code>", "")
    assert "<" not in shown
    assert html.unescape(shown) == f"x {visible(text)} x"
    assert "<td>last</td>" in rendered


LINKED = re.compile(r"@\w|#\w|://|www\.|GH-\d|:[a-z+_-]+:|[!$%&~^]\w")


@given(anything)
def test_nothing_is_linked_in_prose(text: str) -> None:
    """GitHub and GitLab look for references in the rendered text, but for code: entities would not help."""
    rendered = GITHUB.render(f"x {prose(text)} x")
    outside = [html.unescape(part) for part in re.split(r"<code>.*?</code>", rendered)]
    assert not [part for part in outside if LINKED.search(part)]


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("@octocat", "`@octocat`"),
        ("by @team/devs, #12; a/b#12.", "by `@team/devs`, `#12`; `a/b#12`."),
        ("see GH-12 (https://evil.example)", "see `GH-12` (`https://evil.example`)"),
        ("www.evil.example: down", "`www.evil.example`: down"),
        ("'home:dog:stable/x_y', mail@host.example", "'`home:dog:stable/x_y`', `mail@host.example`"),
        ("libdemo1_0.9_amd64.deb", "libdemo1\\_0.9\\_amd64.deb"),
        ("GitLab's !12 and $7", "GitLab's `!12` and `$7`"),
        ("1.0~rc1", "`1.0~rc1`"),
        ("@a|b", "<code>&#64;a&#124;b</code>"),
    ],
)
def test_what_a_server_would_link_is_code(text: str, written: str) -> None:
    assert prose(text) == written


def test_a_time_is_no_emoji() -> None:
    assert prose("2026-01-02T03:04:05Z") == "2026-01-02T03:04:05Z"


@given(anything)
def test_no_cell_is_a_formula(text: str) -> None:
    for part in cell(text).split(";"):
        assert not part.lstrip(' "').startswith(tuple("=+-@＝＋－＠"))
    assert cell(text).replace("'", "") == visible(text).replace("'", "")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("=1+1", "'=1+1"),
        (" -2", "' -2"),
        ("@x", "'@x"),
        ("hello-1", "hello-1"),
        ("", ""),
        ("＝1+1", "'＝1+1"),
        ("＋1", "'＋1"),
        ("－1", "'－1"),
        ("＠x", "'＠x"),
        ("a;=1+1", "a;'=1+1"),
        ('a; "＝1', "a;' \"＝1"),
        ("a;b", "a;b"),
        ("a=1", "a=1"),
    ],
)
def test_cell(text: str, shown: str) -> None:
    assert cell(text) == shown


@pytest.mark.parametrize("text", ["--", "- x", "+ x", "1. x", "12) x", "==", " - x"])
def test_words_after_a_bullet_begin_no_block_of_their_own(text: str) -> None:
    assert GITHUB.render(f"- {prose(text)}\n") == f"<ul>\n<li>{text.strip()}</li>\n</ul>\n"
