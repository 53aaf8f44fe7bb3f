"""Untrusted text made safe to show: in a terminal, in Markdown and in a spreadsheet.

Package names, uploaders and server messages come from the network.
"""

import re

# Printable by their Unicode category, but shown as nothing: fillers, a blank braille cell, variation selectors.
_INVISIBLE = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0") | {chr(c) for c in range(0xFE00, 0xFE10)}
_CODE_SAFE = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 ._+-~^:@%=,/()[]{}#*!?;'\"$")
_MARKDOWN = str.maketrans(
    {
        **{character: f"\\{character}" for character in "\\*_[]~$!"},
        **{character: f"&#{ord(character)};" for character in "<>&|`"},
    }
)
# What GitHub and GitLab make a link, a mention, a reference or an emoji of, after rendering: only in code they don't.
_LINKED = re.compile(r"[@#!$%&~^]\w|://|www\.|gh-\d|:(?!\d\d:)[\w+-]+:", re.IGNORECASE)
_PUNCTUATED = re.compile(r"([(\[{\"'<]*)(.*?)([)\]}\"'>,;.:!?]*)", re.DOTALL)
# What would make the words after a bullet a list, a rule or a heading of their own.
_BLOCK_START = re.compile(r"^(\s*)(?=[-+=]([\s-]|$|=))|^(\s*\d+)(?=[.)](\s|$))")
# A spreadsheet may split cells at a semicolon too, and take the full-width characters for the others.
_FORMULA = re.compile(r"(^|;)(?=[\s\"']*[=+\-@\uff1d\uff0b\uff0d\uff20])")
# Commands of GitHub, Azure and TeamCity, which read the log: ``::`` where a line may begin, the others anywhere.
_COMMAND = re.compile(r"(?:(?<=\s)|^):(?=:)|#(?=#\w*\[)")


def visible(text: str) -> str:
    """The text on one line, with everything escaped that a terminal or CI would obey, or turn round, or not show."""
    inert = _COMMAND.sub(lambda match: f"\\x{ord(match[0]):02x}", text)
    if inert.isprintable() and _INVISIBLE.isdisjoint(inert):
        return inert
    return "".join(_shown(character) for character in inert)


def _shown(character: str) -> str:
    if character.isprintable() and character not in _INVISIBLE:
        return character
    return character.encode("unicode_escape").decode("ascii")


def prose(text: str) -> str:
    """The text as plain words inside a Markdown line or cell: no markup, link, mention, issue number or emoji.

    A word that a server would take for one of these becomes code: nothing is put between its characters, so that what
    is copied from there is exact.
    """
    escaped = " ".join(_word(word) for word in visible(text).split(" "))
    return _BLOCK_START.sub(r"\g<0>\\", escaped)


def _word(word: str) -> str:
    if not _LINKED.search(word):
        return word.translate(_MARKDOWN)
    parts = _PUNCTUATED.fullmatch(word)
    before, core, after = parts.groups() if parts else ("", word, "")
    return f"{before.translate(_MARKDOWN)}{code(core)}{after.translate(_MARKDOWN)}"


def code(text: str) -> str:
    """The text as an inline code span, for any place in Markdown, table cells included."""
    shown = visible(text)
    if shown.strip() == shown != "" and _CODE_SAFE.issuperset(shown):
        return f"`{shown}`"
    return "<code>" + "".join(c if c.isalnum() else f"&#{ord(c)};" for c in shown) + "</code>"


def cell(text: str) -> str:
    """The text as a CSV cell that no spreadsheet takes for a formula."""
    return _FORMULA.sub(r"\1'", visible(text))
