"""XML from the network, element by element: no DTD, no entities, nothing left in memory."""

from collections.abc import Iterable, Iterator
from xml.etree.ElementTree import Element, ParseError

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import iterparse

from pkgsync.errors import IntegrityError


class _Reader:
    """What iterparse reads from, over pieces of any size."""

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self._pieces = iter(pieces)

    def read(self, _size: int = -1) -> bytes:
        return next((piece for piece in self._pieces if piece), b"")


def children(pieces: Iterable[bytes], root: str, what: str) -> Iterator[Element]:
    """The root element (with its attributes only) and then each of its children, complete, in their order.

    Raises IntegrityError for anything but one well-formed document with the root ``root``.
    """
    try:
        depth = 0
        for event, element in iterparse(_Reader(pieces), events=("start", "end"), forbid_dtd=True):
            if event == "start":
                depth += 1
                if depth == 1:
                    top = element
                    _check_root(element, root, what)
                    yield element
                continue
            depth -= 1
            if depth == 1:
                yield element
                top.clear()
    except (ParseError, DefusedXmlException, UnicodeError, LookupError, ValueError) as error:
        raise IntegrityError(f"{what}: not complete, valid XML ({type(error).__name__})") from None


def _check_root(element: Element, root: str, what: str) -> None:
    if element.tag != root:
        raise IntegrityError(f"{what}: a <{str(element.tag)[:60]}> instead of a <{root}>")
