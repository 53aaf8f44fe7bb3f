"""XML from the network, element by element: no DTD, hence no entities, and nothing left in memory.

expat is used as it is: defusedxml runs Python code for every element, which takes a minute for a large index.
"""

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
    # an encoding that the document names itself can be a LookupError or a ValueError
    except (expat.ExpatError, UnicodeError, LookupError, ValueError) as error:
        raise IntegrityError(f"{what}: not complete, valid XML ({type(error).__name__})") from None


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
        # most of a primary is skipped: without a call per text that takes a fraction of the time
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
