"""XML from the network, element by element: no DTD, hence no entities, and nothing left in memory.

expat is used as it is: defusedxml runs Python code for every element, which takes a minute for a large index.
Before 2.6 it reads a token from its start again with every piece; and a byte of XML can take a hundred of memory.
"""

import re
import time
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar
from xml.etree.ElementTree import Element, SubElement
from xml.parsers import expat

from pkgsync.errors import IntegrityError

T = TypeVar("T")
_PIECE = 64 * 1024
_MAX_TOKEN = 2**20
"""Bytes of one tag or comment, and characters of one text."""
MAX_DEPTH = 64
_MAX_NAMES = 20_000
"""Different names of elements and attributes: the parser forgets none."""
MAX_PARTS = 2_000_000
"""Elements and attributes within one child of the root: what is in memory at once."""
MAX_ALL_PARTS = 10_000_000
"""The same in a whole document."""
PARSE_SECONDS = 600
"""One document, unpacked and read."""


class MalformedError(IntegrityError):
    """The bytes are no XML."""


def new_parser(what: str) -> expat.XMLParserType:
    """For a document without a DTD. Names are given as ``namespace}name``; ``intern`` holds each of them once."""

    def refuse(*_: object) -> None:
        raise IntegrityError(f"{what}: XML with a DTD is refused")

    parser = expat.ParserCreate(namespace_separator="}", intern={})
    parser.buffer_text = True
    parser.StartDoctypeDeclHandler = refuse
    return parser


def feed(parser: expat.XMLParserType, pieces: Iterable[bytes], what: str) -> Iterator[None]:
    """Give the parser a whole document; stops after each piece, and once more at the end.

    Raises MalformedError for anything but one well-formed document, IntegrityError for one beyond the limits above.
    """
    fed = 0
    try:
        for piece in pieces:
            parser.Parse(piece, False)
            yield
            fed += len(piece)
            if fed - parser.CurrentByteIndex > _MAX_TOKEN:
                raise IntegrityError(f"{what}: a tag or comment of it has no end")
            if len(parser.intern) > _MAX_NAMES:
                raise IntegrityError(f"{what}: it holds more names than can be")
        parser.Parse(b"", True)
        yield
    # an encoding that the document names itself can be a LookupError or a ValueError
    except (expat.ExpatError, UnicodeError, LookupError, ValueError) as error:
        raise MalformedError(f"{what}: not complete, valid XML ({type(error).__name__})") from None


def check_parts(now: int, before: int, what: str) -> None:
    """``now`` and ``before``: the elements and attributes within this child of the root, and the ones before it.

    Raises IntegrityError if they are too many. Once for each piece will do: none can hold many.
    """
    if now > MAX_PARTS or now + before > MAX_ALL_PARTS:
        raise too_many_parts(what)


def too_many_parts(what: str) -> IntegrityError:
    return IntegrityError(f"{what}: it holds more elements than can be")


def children(pieces: Iterable[bytes], root: str, what: str, skip: frozenset[str] = frozenset()) -> Iterator[Element]:
    """The root element (with its attributes only) and then each of its children, complete, in their order.

    Names are written ``namespace}name``; text after a child is dropped, and so are the elements ``skip``.
    Raises IntegrityError for anything but one well-formed document with the root ``root`` and without a DTD, and for
    one beyond the limits above.
    """
    builder = _Builder(root, what, skip)
    for _ in feed(builder.parser, pieces, what):
        yield from builder.take()


def of_any_bytes(data: bytes, parse: Callable[[Iterable[bytes]], T]) -> T:
    """What ``parse`` makes of ``data``, and where they are no XML, of what is left of them without what it forbids.

    OBS hands on any byte that a package has printed. Raises IntegrityError.
    """
    try:
        return parse(in_pieces(data))
    except MalformedError:
        # to look for such bytes first would cost more than to parse
        mended = readable(data)
        if mended == data:
            raise
        return parse(in_pieces(mended))


_NO_XML = re.compile("[\0-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]|&#(?:[0-9]{1,10}|x[0-9A-Fa-f]{1,8});")
_DECLARED = re.compile(rb"<\?xml[^>]{0,200}encoding", re.IGNORECASE)


def readable(data: bytes) -> bytes:
    """``data`` with U+FFFD for what XML forbids.

    A document that names its encoding is left alone, unless that is UTF-8.
    """
    start = data[:300]
    if _DECLARED.match(start) and b"utf-8" not in start.lower():
        return data
    return _NO_XML.sub(_allowed, data.decode("utf-8", "replace")).encode()


def _allowed(match: re.Match[str]) -> str:
    text = match[0]
    if not text.startswith("&#"):
        return "\ufffd"
    digits = text[2:-1]
    code = int(digits[1:], 16) if digits.startswith("x") else int(digits)
    fine = code in (9, 10, 13) or 0x20 <= code < 0xD800 or 0xE000 <= code < 0xFFFE or 0x10000 <= code < 0x110000
    return text if fine else "\ufffd"


def in_pieces(data: bytes, size: int = _PIECE) -> Iterator[bytes]:
    """``data`` bit by bit, so that a large document is never all elements, or unpacked, at once.

    Raises IntegrityError when its reader has taken PARSE_SECONDS.
    """
    end = time.monotonic() + PARSE_SECONDS
    for start in range(0, len(data), size):
        if time.monotonic() > end:
            raise IntegrityError(f"reading a document took longer than {PARSE_SECONDS} s")
        yield data[start : start + size]


# of what is skipped: a child of what is directly under the root
_SKIP_DEPTH = 2


class _Builder:
    """Makes elements out of what expat reports; those directly under the root are handed out."""

    def __init__(self, root: str, what: str, skip: frozenset[str]) -> None:
        self.parser = new_parser(what)
        self._root = root
        self._what = what
        self._skip = skip
        self._open: list[Element] = []
        self._complete: list[Element] = []
        self._skipped = 0
        self._parts = self._parts_before = 0
        self._texts: list[str] = []
        self._listen()

    def take(self) -> list[Element]:
        check_parts(self._parts, self._parts_before, self._what)
        # once for each piece, which is short, as the parser calls the list itself for every bit of text
        self._texts[:] = ["".join(self._texts)]
        if len(self._texts[0]) > _MAX_TOKEN:
            raise IntegrityError(f"{self._what}: a text of it is longer than can be")
        taken, self._complete = self._complete, []
        return taken

    def _listen(self) -> None:
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._texts.append

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self._parts += 1 + len(attributes)
        opened = self._open
        if len(opened) > MAX_DEPTH:
            raise too_many_parts(self._what)
        # what is skipped costs no call per text
        if name in self._skip and len(opened) == _SKIP_DEPTH:
            self.parser.StartElementHandler = self._skip_start
            self.parser.EndElementHandler = self._skip_end
            self.parser.CharacterDataHandler = None
            self._skipped = 1
            return
        if self._texts:
            self._put_text()
        element = SubElement(opened[-1], name, attributes) if len(opened) > 1 else Element(name, attributes)
        if not opened:
            if name != self._root:
                raise IntegrityError(f"{self._what}: it is another document, not a <{self._root}>")
            self._complete.append(element)
        opened.append(element)

    def _end(self, _name: str) -> None:
        if self._texts:
            self._put_text()
        element = self._open.pop()
        if len(self._open) == 1:
            self._complete.append(element)
            check_parts(self._parts, self._parts_before, self._what)
            self._parts_before += self._parts
            self._parts = 0

    def _put_text(self) -> None:
        if len(self._open) > 1 and not len(self._open[-1]):
            self._open[-1].text = "".join(self._texts) or None
        self._texts.clear()

    def _skip_start(self, _name: str, _attributes: dict[str, str]) -> None:
        self._skipped += 1

    def _skip_end(self, _name: str) -> None:
        self._skipped -= 1
        if not self._skipped:
            self._listen()
