"""A YAML file as plain data, with the place of every key and value.

Values that YAML reads as something surprising (``1.10``, ``yes``, dates) keep the text that was written, so that
an error can show it. Nothing here knows the keys of the config.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

import yaml
from msgspec import Struct

from pkgsync.model.secret import Discreet

# a config may come from anybody: a few lines of aliases can stand for millions of values
MAX_BYTES = 2**20
MAX_NODES = 50_000
MAX_DEPTH = 20

KeyPath = tuple[str | int, ...]
_PLAIN_TAGS = {f"tag:yaml.org,2002:{kind}": kind for kind in ("str", "int", "float", "bool", "null", "timestamp")}
_INTEGER = re.compile(r"-?(0|[1-9][0-9]{0,17})")
# half of a surrogate pair, which YAML can spell, can stand in no file, digest or request either
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_LIKE_A_SECRET = re.compile(r"[A-Za-z0-9+/=]{20,}")


class Position(Struct, frozen=True, order=True):
    """Where something stands, counted from 1."""

    line: int
    column: int


class Mistake(Struct, frozen=True, order=True):
    """One thing that is wrong: where, what, and the likely fix."""

    position: Position
    what: str
    fix: str = ""


class Surprise(Struct, frozen=True):
    """A scalar that YAML does not read as text, nor as a plain whole number: ``kind`` is number or date."""

    text: str
    kind: str


class Place(Discreet, frozen=True):
    """Where a key (None for list items) and its value stand, and the text of a scalar as it is written."""

    value: Position
    key: Position | None = None
    text: str | None = None


class Document(Struct, frozen=True, kw_only=True):
    """The data of a file. ``mistakes`` are those that the data cannot show."""

    data: Any
    places: Mapping[KeyPath, Place]
    mistakes: tuple[Mistake, ...] = ()

    def place(self, path: KeyPath) -> Place:
        """Where ``path`` stands, or its nearest ancestor that is written."""
        while path not in self.places:
            path = path[:-1]
        return self.places[path]

    def at(self, path: KeyPath) -> Position:
        """The position of the value."""
        return self.place(path).value

    def at_key(self, path: KeyPath) -> Position:
        """The position of the key, of the value for a list item."""
        place = self.place(path)
        return place.key or place.value


class BrokenYamlError(Exception):
    """The file cannot be read as YAML at all."""

    def __init__(self, mistake: Mistake) -> None:
        super().__init__(mistake.what)
        self.mistake = mistake


def compose(data: bytes) -> yaml.Node | None:
    """The node tree of a file; None for an empty one. Raises BrokenYamlError."""
    text = _decode(data)
    try:
        # nodes only: nothing is constructed, and every value keeps its place
        return yaml.SafeLoader(text).get_single_node()
    except yaml.reader.ReaderError as error:
        what = f"the character U+{error.character:04X} is not allowed in YAML"
        raise BrokenYamlError(Mistake(_position_of(text, error.position), what, "remove it")) from None
    except yaml.MarkedYAMLError as error:
        raise BrokenYamlError(_syntax_mistake(text, error)) from None
    except RecursionError:
        raise BrokenYamlError(Mistake(Position(1, 1), "the file is nested too deeply")) from None
    # what Python says of a number, PyYAML lets through
    except (ValueError, OverflowError):
        what = "not valid YAML: a \\U escape or the version behind %YAML is out of range"
        raise BrokenYamlError(Mistake(Position(1, 1), what, "correct or remove it")) from None


def read(root: yaml.Node, *, as_text: bool = False) -> Document:
    """The data and places under ``root``; ``as_text`` takes every scalar but null as it is written.

    Raises BrokenYamlError for what YAML allows but a config must not hold.
    """
    reader = _Reader(as_text=as_text)
    data = reader.value(root, (), None)
    return Document(data=data, places=reader.places, mistakes=tuple(reader.mistakes))


class _Reader:
    """Turns nodes into data, counting what aliases multiply."""

    def __init__(self, *, as_text: bool) -> None:
        self.places: dict[KeyPath, Place] = {}
        self.mistakes: list[Mistake] = []
        self._as_text = as_text
        self._characters = 0

    def value(self, node: yaml.Node, path: KeyPath, key: Position | None) -> Any:
        text = node.value if isinstance(node, yaml.ScalarNode) else None
        self._characters += len(text or "")
        if self._characters > MAX_BYTES:
            what = f"the file holds over {MAX_BYTES // 2**20} MiB of text, aliases counted as often as used"
            raise BrokenYamlError(Mistake(position(node), what, "use no aliases for long texts"))
        if len(self.places) >= MAX_NODES or len(path) > MAX_DEPTH:
            what = f"the file holds over {MAX_NODES} values or {MAX_DEPTH} levels, aliases counted as often as used"
            raise BrokenYamlError(Mistake(position(node), what, "write fewer values, or use no aliases"))
        self.places[path] = Place(position(node), key, text)
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, path)
        if isinstance(node, yaml.SequenceNode):
            return [self.value(item, (*path, number), None) for number, item in enumerate(node.value)]
        return self._scalar(node)

    def _mapping(self, node: yaml.MappingNode, path: KeyPath) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key_node, value_node in node.value:
            key = self._key(key_node)
            if key is None:
                continue
            where = position(key_node)
            if key in found:
                first = self.places[(*path, key)].key
                what = f"duplicate key {shown(key)}, first on line {first.line if first else '?'}"
                self.mistakes.append(Mistake(where, what, "keep one of them"))
                continue
            found[key] = self.value(value_node, (*path, key), where)
        return found

    def _key(self, node: yaml.Node) -> str | None:
        if not isinstance(node, yaml.ScalarNode):
            self.mistakes.append(Mistake(position(node), "a key must be a text, not a list or a mapping"))
        elif node.tag == "tag:yaml.org,2002:merge":
            self.mistakes.append(Mistake(position(node), "merge keys (<<) are not supported", "write the keys out"))
        elif self._as_text or _kind(node) == "str":
            return str(node.value)
        else:
            what = f"the key {shown(node.value)} is read as {_READ_AS[_kind(node)]}"
            self.mistakes.append(Mistake(position(node), what, f'quote it: "{printable(node.value)}"'))
        return None

    def _scalar(self, node: yaml.Node) -> Any:
        kind, text = _kind(node), node.value
        if kind == "null":
            return None
        if kind == "str" or self._as_text:
            return text
        if kind == "bool":
            return yaml.SafeLoader.bool_values[text.lower()]
        if kind == "int" and _INTEGER.fullmatch(text):
            return int(text)
        return Surprise(text, kind)


_READ_AS = {
    "int": "a number",
    "float": "a number",
    "bool": "true or false",
    "null": "null",
    "timestamp": "a date",
}


def read_as(text: str) -> str:
    """What YAML takes the unquoted ``text`` for, in words; empty for a text."""
    node = yaml.compose(text, yaml.SafeLoader) if text.isalnum() else None
    return _READ_AS.get(_PLAIN_TAGS.get(node.tag, ""), "") if node else ""


def position(node: yaml.Node) -> Position:
    return Position(node.start_mark.line + 1, node.start_mark.column + 1)


def texts(data: Any, path: KeyPath = ()) -> Iterator[tuple[KeyPath, str]]:
    """Every text in the data, keys (with the path of their value) included."""
    if isinstance(data, str):
        yield path, data
    elif isinstance(data, dict):
        for key, value in data.items():
            yield (*path, key), key
            yield from texts(value, (*path, key))
    elif isinstance(data, list):
        for number, value in enumerate(data):
            yield from texts(value, (*path, number))


def has_control(text: str) -> bool:
    return _CONTROL.search(text) is not None


def printable(text: str, longest: int = 60) -> str:
    """The text with control characters escaped, cut after ``longest`` characters.

    What looks like a token is left out: it may have been pasted into the wrong place.
    """
    text = _LIKE_A_SECRET.sub(lambda match: "***" if any(c.isdigit() for c in match[0]) else match[0], text)
    cut = text if len(text) <= longest else f"{text[: longest - 3]}..."
    return _CONTROL.sub(lambda match: f"\\x{ord(match[0]):02x}", cut)


def shown(text: str) -> str:
    """The text as messages quote it."""
    return f"`{printable(text)}`"


def _kind(node: yaml.Node) -> str:
    """``str``, ``int``, ``float``, ``bool``, ``null`` or ``timestamp``. Raises BrokenYamlError for other tags."""
    if kind := _PLAIN_TAGS.get(node.tag):
        return kind
    fix = "write plain values; quote a value that starts with `!` or is `=`"
    raise BrokenYamlError(Mistake(position(node), "YAML tags are not supported", fix))


def _decode(data: bytes) -> str:
    if len(data) > MAX_BYTES:
        raise BrokenYamlError(Mistake(Position(1, 1), f"the file is larger than {MAX_BYTES // 2**20} MiB"))
    try:
        # some editors write a byte order mark
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = data[: error.start].decode("utf-8", "replace")
        mistake = Mistake(_position_of(before, len(before)), "the file is not UTF-8", "save it in that encoding")
        raise BrokenYamlError(mistake) from None


def _position_of(text: str, offset: int) -> Position:
    before = text[:offset]
    return Position(before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1)


def _syntax_mistake(text: str, error: yaml.MarkedYAMLError) -> Mistake:
    if (begins := _special_start(text, error)) is not None:
        return begins
    mark = error.problem_mark or error.context_mark
    where = Position(mark.line + 1, mark.column + 1) if mark else Position(1, 1)
    line = text.splitlines()[where.line - 1] if where.line <= len(text.splitlines()) else ""
    indent = line[: len(line) - len(line.lstrip())]
    fix = "indent with spaces, not tabs" if "\t" in indent or "'\\t'" in (error.problem or "") else ""
    # an unquoted secret may be taken for one: never repeat its name
    problem = re.sub(r"(alias|anchor|tag handle) '.*", r"\1", error.problem or "")
    if problem.startswith("but "):
        problem = f"{error.context}, {problem}"
    return Mistake(where, f"not valid YAML: {printable(problem, 160)}", fix or "check indentation and quotes")


def _special_start(text: str, error: yaml.MarkedYAMLError) -> Mistake | None:
    """A glob without quotes is read as an alias. Nothing of it is repeated: it may as well be a secret."""
    scanning = (error.context or "").removeprefix("while scanning an ") in ("alias", "anchor")
    mark = error.context_mark if scanning else error.problem_mark
    if mark is None or (character := text[mark.index : mark.index + 1]) not in tuple("*&@`%"):
        return None
    what = f"not valid YAML: a value that starts with `{character}` needs quotes"
    return Mistake(Position(mark.line + 1, mark.column + 1), what, 'quote it, as in "*-devel*"')
