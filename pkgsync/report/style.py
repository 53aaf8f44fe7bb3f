"""How text output may look on this terminal; what it says never depends on it."""

import re
import textwrap
from collections.abc import Mapping, Sequence
from typing import Literal

from msgspec import Struct

from pkgsync.model import ActionKind
from pkgsync.report.escape import visible

Colour = Literal["green", "yellow", "red", "blue", "cyan", "bold", "dim"]

_CODES: dict[Colour, str] = {
    "green": "32", "yellow": "33", "red": "31", "blue": "34", "cyan": "36", "bold": "1", "dim": "2",
}  # fmt: skip
_WIDEST_NAME = 72
_COMMAND = re.compile(r"`[^`]*`|(?<![^:n$ ] )\bpkgsync .*?(?=[.,;]?$|[.,;] )")
"""In backticks, or behind a colon, "then", a prompt or an indentation."""

SYMBOLS: Mapping[ActionKind, tuple[str, Colour]] = {
    "upload": ("+", "green"),
    "replacement": ("~", "yellow"),
    "deletion": ("-", "red"),
    "archiving": (">", "blue"),
}


class Style(Struct, frozen=True, kw_only=True):
    """``width`` is the terminal's, in columns; None never wraps. ``ascii``: it shows no other signs of ours."""

    colour: bool = False
    width: int | None = None
    ascii: bool = False

    @property
    def arrow(self) -> str:
        return "->" if self.ascii else "→"

    @property
    def dot(self) -> str:
        """What stands between the parts of a line."""
        return " | " if self.ascii else " · "

    def paint(self, colour: Colour, text: str) -> str:
        return f"\x1b[{_CODES[colour]}m{text}\x1b[0m" if self.colour else text


class Line(Struct, frozen=True, kw_only=True):
    """One line about one file: a symbol, its name, a short number, and words."""

    symbol: str
    colour: Colour
    name: str
    number: str = ""
    words: str = ""


def aligned(lines: Sequence[Line], style: Style) -> list[str]:
    """The lines with their columns aligned; words that don't fit the width go under the name."""
    names = [visible(line.name) for line in lines]
    number_width = max((len(line.number) for line in lines), default=0)
    # one long name must not push all the numbers beyond the edge
    room = min(_WIDEST_NAME, (style.width or 200) - len("  +   ") - number_width)
    name_width = max((len(name) for name in names if len(name) <= room), default=0)
    return [
        row
        for line, name in zip(lines, names, strict=True)
        for row in _rows(line, name.ljust(name_width), line.number.rjust(number_width), style)
    ]


def _rows(line: Line, name: str, number: str, style: Style) -> list[str]:
    left = f"  {line.symbol} {name}" + (f"  {number}" if number else "")
    words = visible(line.words)
    painted = f"  {style.paint(line.colour, f'{line.symbol} {name}')}{left[4 + len(name) :]}"
    if not words:
        return [painted.rstrip()]
    if style.width is None or len(left) + 2 + len(words) <= style.width:
        return [f"{painted}  {words}"]
    return [painted.rstrip(), *wrapped(words, style, indent=6)]


def wrapped(words: str, style: Style, *, indent: int = 0, hanging: int = 0) -> list[str]:
    """The words in lines of the terminal's width, or on one line where it is not known. No command is broken."""
    first, rest = " " * indent, " " * (indent + hanging)
    if style.width is None:
        return [first + words]
    rows = textwrap.wrap(
        # no space for textwrap, and never in what ``visible`` gives
        _COMMAND.sub(lambda match: match[0].replace(" ", "\xa0"), words),
        max(style.width, indent + hanging + 20),
        initial_indent=first,
        subsequent_indent=rest,
        # package names are copied from here
        break_long_words=False,
        break_on_hyphens=False,
    )
    return [row.replace("\xa0", " ") for row in rows]


def labelled(label: str, colour: Colour, words: str, style: Style, *, indent: int = 0, hanging: int = 0) -> list[str]:
    """The words after a label in colour, wrapped as ``wrapped`` does."""
    first, *rest = wrapped(f"{label} {words}", style, indent=indent, hanging=hanging)
    start, end = indent, indent + len(label)
    return [first[:start] + style.paint(colour, first[start:end]) + first[end:], *rest]
