"""A report as one HTML page that needs nothing else: readable on a phone, in the dark and on paper.

Its policy allows just its own style and script, by their sums: whatever got into the page would still not run.
"""

import base64
import hashlib
import re
from collections.abc import Iterator, Sequence
from html import escape
from string import Template
from typing import Any, Generic, Literal

from msgspec import Struct

from pkgsync import page
from pkgsync.report.columns import Column, T_contra
from pkgsync.report.escape import visible

# the widths of columns, in characters, as page.css knows them
_STEP, _WIDEST = 4, 60
_LONG_WORD = re.compile(r"\S{24,}")
_JOINT = re.compile(r"(?<=\w[-_/:+~@])(?=\w)|(?<=\w\.)(?=[a-z])")


class Table(Struct, Generic[T_contra], frozen=True, kw_only=True):
    """Rows under a title such as ``2 deletions``; ``folded`` hides them behind a click, ``danger`` paints the title."""

    anchor: str
    title: str
    rows: Sequence[T_contra]
    columns: Sequence[Column[T_contra]]
    folded: bool = False
    danger: bool = False


class Alert(Struct, frozen=True, kw_only=True):
    kind: Literal["danger", "warning", "note"]
    title: str
    lines: Sequence[str] = ()


class Page(Struct, frozen=True, kw_only=True):
    """What a page says, not escaped. Empty facts, tables and columns are left out.

    ``lines`` are those to copy, which ``purpose`` tells what for.
    """

    title: str
    lead: str
    alerts: Sequence[Alert]
    facts: Sequence[tuple[str, str]]
    tables: Sequence[Table[Any]]
    purpose: str = ""
    lines: Sequence[str] = ()
    foot: str = ""


def html(told: Page) -> str:
    """The page, with a newline at the end."""
    style, script = page.text("page.css"), page.text("page.js")
    tables = [table for table in told.tables if table.rows]
    return Template(page.text("page.html")).substitute(
        policy=f"default-src 'none'; style-src {_sum(style)}; script-src {_sum(script)}; "
        "base-uri 'none'; form-action 'none'",
        style=style,
        script=script,
        title=_text(told.title),
        head="\n".join(_head(told)),
        body="\n".join([*_overview(tables), *(line for table in tables for line in _table(table))]),
        foot="\n".join(_foot(told)),
    )


def _sum(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _text(text: str) -> str:
    """Foreign text for any place of the page, attributes in double quotes included."""
    return escape(visible(text), quote=True)


def _breakable(text: str) -> str:
    """The same between tags: long names may go on in the next line after a joint, and are still copied as they are."""
    return _LONG_WORD.sub(lambda word: _JOINT.sub("<wbr>", word[0]), _text(text))


def _head(told: Page) -> Iterator[str]:
    yield f'<p class="lead">{_breakable(told.lead)}</p>'
    yield from (line for alert in told.alerts for line in _alert(alert))
    facts = [f"<dt>{_text(name)}</dt><dd>{_breakable(said)}</dd>" for name, said in told.facts if said]
    if facts:
        yield f"<dl>{''.join(facts)}</dl>"


def _alert(alert: Alert) -> Iterator[str]:
    yield f'<section class="alert {alert.kind}"><h2>{_breakable(alert.title)}</h2>'
    if len(alert.lines) == 1:
        yield f"<p>{_breakable(alert.lines[0])}</p>"
    elif alert.lines:
        yield f"<ul>{''.join(f'<li>{_breakable(line)}</li>' for line in alert.lines)}</ul>"
    yield "</section>"


def _overview(tables: Sequence[Table[Any]]) -> Iterator[str]:
    """What there is, and a way to it."""
    if tables:
        yield "<nav>"
        yield from (f'<a href="#{table.anchor}"{_danger(table)}>{_text(table.title)}</a>' for table in tables)
        yield "</nav>"
        yield '<div class="filter" role="search" hidden><label for="filter">Filter</label>'
        yield '<input id="filter" type="search" placeholder="words that a row holds"><output></output></div>'


def _danger(table: Table[Any]) -> str:
    return ' class="danger"' if table.danger else ""


def _table(table: Table[T_contra]) -> Iterator[str]:
    columns = [_Shown.of(column, table.rows) for column in table.columns]
    shown = [column for column in columns if any(column.texts)]
    title = f'<h2{_danger(table)}>{_text(table.title)} <span class="count"></span></h2>'
    yield f'<details class="table"><summary>{title}</summary>' if table.folded else f'<section class="table">{title}'
    yield f'<table id="{table.anchor}"><thead><tr>'
    yield from (f'<th scope="col" class="{column.style}">{column.head}</th>' for column in shown)
    yield "</tr></thead><tbody>"
    yield from (f"<tr>{''.join(cells)}</tr>" for cells in zip(*(column.cells() for column in shown), strict=True))
    yield f"</tbody></table></{'details' if table.folded else 'section'}>"


class _Shown(Struct, frozen=True, kw_only=True):
    """A column of a table as it is written, all of its cells equally wide.

    Rows that do not ask each other for their width need no layout before they come into view.
    """

    head: str
    style: str
    texts: Sequence[str]
    keys: Sequence[str] | None

    @classmethod
    def of(cls, column: Column[T_contra], rows: Sequence[T_contra]) -> "_Shown":
        texts = [column.text(row) for row in rows]
        keys = None if column.key is None else [column.key(row) for row in rows]
        needed = max(len(column.head) + 3, *map(len, texts))
        width = min(-(-needed // _STEP) * _STEP, _WIDEST)
        return cls(head=_text(column.head), style=f"{column.kind} w{width}", texts=texts, keys=keys)

    def cells(self) -> Iterator[str]:
        start = f'<td class="{self.style}" data-head="{self.head}"'
        if self.keys is None:
            return (f"{start}>{_breakable(text)}</td>" for text in self.texts)
        keyed = zip(self.texts, self.keys, strict=True)
        return (f'{start} data-key="{_text(key)}">{_breakable(text)}</td>' for text, key in keyed)


def _foot(told: Page) -> Iterator[str]:
    if told.lines:
        lines = "\n".join(_text(line) for line in told.lines)
        yield f"<p>{_text(told.purpose)}</p><pre><code>{lines}</code></pre>"
    if told.foot:
        yield f"<p>{_breakable(told.foot)}</p>"
