"""XML from the network, element by element: no DTD, hence no entities, and nothing left in memory.

expat is used as it is: defusedxml runs Python code for every element, which takes a minute for a large index.
Before 2.6 it reads a token from its start again with every piece; and a byte of XML can take a hundred of memory.
"""

import re
import time
from collections.abc import Iterable, Iterator
from xml.etree.ElementTree import Element
from xml.parsers import expat

from pkgsync.errors import IntegrityError

_PIECE = 64 * 1024
_MAX_TOKEN = 2**20
"""Bytes of one tag or comment, and characters of one text."""
_MAX_DEPTH = 64
_MAX_NAMES = 20_000
"""Different names of elements and attributes: the parser forgets none."""
MAX_PARTS = 2_000_000
"""Elements and attributes within one child of the root: what is in memory at once."""
MAX_ALL_PARTS = 10_000_000
"""The same in a whole document."""
PARSE_SECONDS = 600
"""One document, unpacked and read."""


def children(pieces: Iterable[bytes], root: str, what: str, skip: frozenset[str] = frozenset()) -> Iterator[Element]:
    """The root element (with its attributes only) and then each of its children, complete, in their order.

    Names are written ``{namespace}name``; text after a child is dropped, and so are the elements ``skip``.
    Raises IntegrityError for anything but one well-formed document with the root ``root`` and without a DTD, and for
    one beyond the limits above.
    """
    builder = _Builder(root, what, skip)
    fed = 0
    try:
        for piece in pieces:
            builder.parser.Parse(piece, False)
            yield from builder.take()
            fed += len(piece)
            if fed - builder.parser.CurrentByteIndex > _MAX_TOKEN:
                raise IntegrityError(f"{what}: a tag or comment of it has no end")
            if len(builder.names) > _MAX_NAMES:
                raise IntegrityError(f"{what}: it holds more names than can be")
        builder.parser.Parse(b"", True)
        yield from builder.take()
    # an encoding that the document names itself can be a LookupError or a ValueError
    except (expat.ExpatError, UnicodeError, LookupError, ValueError) as error:
        raise IntegrityError(f"{what}: not complete, valid XML ({type(error).__name__})") from None


_NO_XML = re.compile("[\0-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]|&#(?:[0-9]{1,10}|x[0-9A-Fa-f]{1,8});")
_DECLARED = re.compile(rb"<\?xml[^>]{0,200}encoding", re.IGNORECASE)


def readable(data: bytes) -> bytes:
    """``data`` with U+FFFD for what XML forbids: OBS hands on any byte that a package has printed.

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


class _Builder:
    """Makes elements out of what expat reports; those directly under the root are handed out."""

    def __init__(self, root: str, what: str, skip: frozenset[str]) -> None:
        self.names: dict[str, str] = {}
        self.parser = expat.ParserCreate(namespace_separator="}", intern=self.names)
        self.parser.buffer_text = True
        self.parser.StartDoctypeDeclHandler = self._refuse
        self._root = root
        self._what = what
        self._skip = skip
        self._open: list[Element] = []
        self._complete: list[Element] = []
        self._skipped = 0
        self._parts = self._all_parts = 0
        self._texts: list[str] = []
        self._length = 0
        self._listen()

    def take(self) -> list[Element]:
        taken, self._complete = self._complete, []
        return taken

    def _listen(self) -> None:
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._text

    def _refuse(self, *_: object) -> None:
        raise IntegrityError(f"{self._what}: XML with a DTD is refused")

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        tag = _full(name)
        self._count(1 + len(attributes))
        # most of a primary is skipped: without a call per text that takes a fraction of the time
        if tag in self._skip and self._open:
            self.parser.StartElementHandler = self._skip_start
            self.parser.EndElementHandler = self._skip_end
            self.parser.CharacterDataHandler = None
            self._skipped = 1
            return
        self._put_text()
        element = Element(tag, {_full(key): value for key, value in attributes.items()})
        if not self._open:
            if tag != self._root:
                raise IntegrityError(f"{self._what}: it is another document, not a <{self._root}>")
            self._complete.append(element)
        self._open.append(element)

    def _count(self, parts: int) -> None:
        self._parts += parts
        self._all_parts += parts
        if self._parts > MAX_PARTS or self._all_parts > MAX_ALL_PARTS or len(self._open) > _MAX_DEPTH:
            raise IntegrityError(f"{self._what}: it holds more elements than can be")

    def _end(self, _name: str) -> None:
        self._put_text()
        element = self._open.pop()
        if len(self._open) == 1:
            self._complete.append(element)
            self._parts = 0
        elif self._open:
            self._open[-1].append(element)

    def _text(self, text: str) -> None:
        self._texts.append(text)
        self._length += len(text)
        if self._length > _MAX_TOKEN:
            raise IntegrityError(f"{self._what}: a text of it is longer than can be")

    def _put_text(self) -> None:
        if len(self._open) > 1 and not len(self._open[-1]):
            self._open[-1].text = "".join(self._texts) or None
        self._texts.clear()
        self._length = 0

    def _skip_start(self, _name: str, _attributes: dict[str, str]) -> None:
        self._skipped += 1

    def _skip_end(self, _name: str) -> None:
        self._skipped -= 1
        if not self._skipped:
            self._listen()


def _full(name: str) -> str:
    return f"{{{name}" if "}" in name else name
