"""Dependencies as package managers write them, in text (rpm-dependencies(7), deb-control(5))."""

import re
from collections.abc import Iterator
from typing import cast

from pkgsync.model import Relation, Version
from pkgsync.model.relations import Operator

Alternatives = tuple[Relation, ...]

_DEB_NAME = r"([^\s(\[<:]+)(?::[A-Za-z0-9-]+)?"
_DEB = re.compile(rf"{_DEB_NAME}\s*(?:\(\s*(<<|<=|=|>=|>>|<|>)\s*([^\s)]+)\s*\))?\s*(?:\[[^]]*\])?\s*(?:<[^>]*>\s*)*")
# "<" is the old spelling of "<="
_DEB_OPERATORS: dict[str, Operator] = {"<<": "<", "<": "<=", ">>": ">", ">": ">="}
_JOINS = frozenset({"and", "or", "if", "else", "with", "without", "unless"})
_COMPARED = frozenset({"<", "<=", "=", ">=", ">"})


def version_of(text: str) -> Version | None:
    """``[epoch:]version[-release]``, None if it is none."""
    epoch, colon, rest = text.partition(":") if ":" in text else ("", "", text)
    version, dash, release = rest.rpartition("-")
    if not dash:
        version, release = rest, ""
    # longer numbers take quadratic time
    if (colon and not (epoch.isascii() and epoch.isdigit() and len(epoch) <= 18)) or not version:
        return None
    return Version(int(epoch or "0"), version, release)


def deb_relations(text: str) -> Iterator[Alternatives]:
    """Of a field such as Depends: each is met by any one of its alternatives.

    What cannot be read is a requirement in a version that is not known.
    """
    for part in filter(None, map(str.strip, text.split(","))):
        yield tuple(map(_deb_relation, part.split("|")))


def _deb_relation(text: str) -> Relation:
    # each run of spaces more would be tried in more ways
    text = " ".join(text.split())
    match = _DEB.fullmatch(text)
    if match is None:
        return Relation(re.split(r"[\s(\[<:]", text, maxsplit=1)[0], "=")
    name, operator, version = match.groups()
    if operator is None:
        return Relation(name)
    return Relation(name, _DEB_OPERATORS.get(operator, cast("Operator", operator)), version_of(version))


def rich_relations(text: str) -> Iterator[Alternatives]:
    """Of rpm's boolean dependency ``(a or b)``: its alternatives.

    In any other, such as ``(a if b)``, each name counts as required: whether it is depends on what is installed.
    """
    found: list[Relation] = []
    joins: set[str] = set()
    words = iter(_rich_words(text))
    for word in words:
        if word in _JOINS:
            joins.add(word)
        elif word in _COMPARED and found:
            found[-1] = Relation(found[-1].name, cast("Operator", word), version_of(next(words, "")))
        else:
            found.append(Relation(word))
    if joins == {"or"}:
        yield tuple(found)
    else:
        yield from ((relation,) for relation in found)


def _rich_words(text: str) -> Iterator[str]:
    """Without the parentheses around them; a name may hold some of its own, such as ``libfoo.so.1()(64bit)``."""
    for word in text.split():
        word = word.lstrip("(")
        closing = min(len(word) - len(word.rstrip(")")), word.count(")") - word.count("("))
        if word := word[: len(word) - max(closing, 0)]:
            yield word
