"""XML from the network, element by element: no DTD, hence no entities, and nothing left in memory.

expat is used as it is: defusedxml runs Python code for every element, which takes a minute for a large index.
"""

import re
from collections.abc import Iterable, Iterator
from xml.etree.ElementTree import Element
from xml.parsers import expat

from pkgsync.errors import IntegrityError

_PIECE = 64 * 1024


def children(pieces: Iterable[bytes], root: str, what: str, skip: frozenset[str] = frozenset()) -> Iterator[Element]:
    """The root element (with its attributes only) and then each of its children, complete, in their order.

    Names are written ``{namespace}name``; text after a child is dropped, and so are the elements ``skip``.
    Raises IntegrityError for anything but one well-formed document with the root ``root`` and without a DTD.
    """
    builder = _Builder(root, what, skip)
    try:
        for piece in pieces:
            builder.parser.Parse(piece, False)
            yield from builder.take()
        builder.parser.Parse(b"", True)
        yield from builder.take()
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


def in_pieces(data: bytes) -> Iterator[bytes]:
    """``data`` bit by bit, so that a large document is never all elements, or unpacked, at once."""
    for start in range(0, len(data), _PIECE):
        yield data[start : start + _PIECE]


class _Builder:
    """Makes elements out of what expat reports; those directly under the root are handed out."""

    def __init__(self, root: str, what: str, skip: frozenset[str]) -> None:
        self.parser = expat.ParserCreate(namespace_separator="}")
        self.parser.buffer_text = True
        self.parser.StartDoctypeDeclHandler = self._refuse
        self._root = root
        self._what = what
        self._skip = skip
        self._open: list[Element] = []
        self._complete: list[Element] = []
        self._skipped = 0
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
        if tag in self._skip:
            self.parser.StartElementHandler = self._skip_start
            self.parser.EndElementHandler = self._skip_end
            self.parser.CharacterDataHandler = None
            self._skipped = 1
            return
        element = Element(tag, {_full(key): value for key, value in attributes.items()})
        if not self._open:
            if tag != self._root:
                raise IntegrityError(f"{self._what}: a <{tag[:60]}> instead of a <{self._root}>")
            self._complete.append(element)
        self._open.append(element)

    def _end(self, _name: str) -> None:
        element = self._open.pop()
        if len(self._open) == 1:
            self._complete.append(element)
        elif self._open:
            self._open[-1].append(element)

    def _text(self, text: str) -> None:
        element = self._open[-1]
        if len(self._open) > 1 and not len(element):
            element.text = text if element.text is None else element.text + text

    def _skip_start(self, _name: str, _attributes: dict[str, str]) -> None:
        self._skipped += 1

    def _skip_end(self, _name: str) -> None:
        self._skipped -= 1
        if not self._skipped:
            self._listen()


def _full(name: str) -> str:
    return f"{{{name}" if "}" in name else name
