"""JSON that is read in one way only, and the digest over it.

What two readers could take differently is refused: duplicate keys, NaN, numbers beyond I-JSON (RFC 7493), lone
surrogates, text that is no UTF-8.
"""

import io
import json
import math
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from json.encoder import encode_basestring_ascii as quoted
from pathlib import Path
from typing import Any, NoReturn

from pkgsync import canonical
from pkgsync.errors import PlanFileError, UsageError

MAX_BYTES = 256 * 2**20
MAX_VALUES = 10_000_000
"""Values of one file: a byte of JSON can take thirty of memory."""
MAX_DEPTH = 32
MAX_INTEGER = 2**53 - 1
NOT_I_JSON = "holds text that I-JSON (RFC 7493) does not allow"
# keys, and items of a list, of an object that is looked for among so many others
_MOST_SHARED, _MOST_KNOWN = 8, 4096
# digits; of a longer one nothing is parsed
_LONGEST_NUMBER = 32


def read_bytes(path: Path) -> bytes:
    """The file's bytes, read once. Raises UsageError where it cannot be read, PlanFileError where it is too large."""
    try:
        with path.open("rb") as stream:
            # once: what was checked is what is executed, whatever happens to the file
            data = stream.read(MAX_BYTES + 1)
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror or error}") from error
    if len(data) > MAX_BYTES:
        raise PlanFileError(f"{path}: larger than {MAX_BYTES // 2**20} MiB; no file of pkgsync is that large")
    return data


def read_object(path: Path) -> dict[str, Any]:
    """The JSON object of a file. Raises UsageError where it cannot be read, PlanFileError where it is none."""
    return parse_object(read_bytes(path), str(path))


def parse_object(data: bytes, name: str) -> dict[str, Any]:
    """The JSON object that ``data`` is. ``name`` is used in messages. Raises PlanFileError."""
    if len(data) > MAX_BYTES:
        raise PlanFileError(f"{name}: larger than {MAX_BYTES // 2**20} MiB")
    if sum(data.count(mark) for mark in (b",", b"[", b"{")) > MAX_VALUES:
        raise PlanFileError(f"{name}: holds over {MAX_VALUES} values; no file of pkgsync does")
    try:
        text = data.decode("utf-8")
        # of a large file, one copy is enough beside the document
        del data
        document = json.loads(
            text,
            object_pairs_hook=_Objects().of,
            parse_constant=_refuse_constant,
            parse_int=_integer,
            parse_float=_float,
        )
    except UnicodeDecodeError as error:
        raise PlanFileError(f"{name}: not UTF-8 at byte {error.start}") from None
    except RecursionError:
        raise PlanFileError(f"{name}: nested too deeply") from None
    except ValueError as error:
        raise PlanFileError(
            f"{name}: {_first_line(error)}", tip="Is it a file of pkgsync? If it was cut or edited, make a new one."
        ) from None
    if not isinstance(document, dict):
        raise PlanFileError(f"{name}: not a JSON object")
    _refuse_depth(document, name)
    return document


def digest(document: dict[str, Any], name: str) -> str:
    """Over the canonical form of all but the key ``digest``. Raises PlanFileError for a lone surrogate."""
    try:
        return canonical.digest({key: value for key, value in document.items() if key != "digest"})
    except UnicodeEncodeError:
        raise PlanFileError(f"{name}: {NOT_I_JSON}") from None


def write_text(document: dict[str, Any]) -> bytes:
    """The document as people review it: indented, one value a line, a newline at the end.

    All but ASCII is escaped, so that no name can hide or turn round characters in a diff. An iterator is a list whose
    items need not stand in memory beside each other.
    """
    stream = io.BytesIO()
    for text in _texts(document):
        stream.write(text.encode("ascii"))
    return stream.getvalue()


def _texts(document: dict[str, Any]) -> Iterator[str]:
    """One by one what stands in its lists, as joins would hold all of it several times."""
    before = "{"
    for key, value in document.items():
        yield f"{before}\n  {quoted(key)}: "
        yield from _list_texts(value) if isinstance(value, list | tuple | Iterator) else (_indented(value, "\n  "),)
        before = ","
    yield "\n}\n"


def _list_texts(items: Iterable[Any]) -> Iterator[str]:
    before, newline = "[", "\n    "
    for item in items:
        yield f"{before}{newline}{_indented(item, newline)}"
        before = ","
    yield "[]" if before == "[" else "\n  ]"


def _indented(value: Any, newline: str) -> str:
    """As ``json.dumps`` with ``indent=2``, in half the time and without a list of all tokens."""
    if isinstance(value, str):
        return quoted(value)
    if type(value) is int:
        return str(value)
    inner = f"{newline}  "
    if isinstance(value, dict) and value:
        opened, closed = "{}"
        items = [f"{quoted(key)}: {_indented(item, inner)}" for key, item in value.items()]
    elif isinstance(value, list | tuple) and value:
        opened, closed = "[]"
        items = [_indented(item, inner) for item in value]
    else:
        return json.dumps(value, allow_nan=False)
    return f"{opened}{inner}{f',{inner}'.join(items)}{newline}{closed}"


def write_compact(document: dict[str, Any]) -> bytes:
    """The document for programs alone: one line, all but ASCII escaped."""
    return (json.dumps(document, separators=(",", ":"), ensure_ascii=True, allow_nan=False) + "\n").encode("ascii")


class _Objects:
    """The objects of one document, equal ones mostly as one: each deletion of a plan repeats its evidence."""

    def __init__(self) -> None:
        self._known: dict[tuple[Any, ...], dict[str, Any]] = {}

    def of(self, pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
        """Raises ValueError for a key that stands twice."""
        value = dict(pairs)
        if len(value) != len(pairs):
            twice, _ = next(item for item in Counter(key for key, _ in pairs).items() if item[1] > 1)
            raise ValueError(f"the key {twice[:100]!r} stands twice in one object")
        if len(value) > _MOST_SHARED:
            return value
        key: list[Any] = [*value]
        for part in value.values():
            kind = type(part)
            if kind is dict or (kind is list and len(part) > _MOST_SHARED):
                return value
            # what is held by its identity lives as long as the object that is known; 1, 1.0 and true are equal
            key.append(part if kind is str else (kind, *map(id, part)) if kind is list else (kind, part))
        if len(self._known) > _MOST_KNOWN:
            self._known.clear()
        return self._known.setdefault(tuple(key), value)


def _refuse_constant(word: str) -> NoReturn:
    raise ValueError(f"{word} is not JSON")


def _integer(text: str) -> int:
    if len(text) > _LONGEST_NUMBER or abs(int(text)) > MAX_INTEGER:
        raise ValueError(f"the number {text[:_LONGEST_NUMBER]} is out of range")
    return int(text)


def _float(text: str) -> float:
    value = float(text) if len(text) <= _LONGEST_NUMBER else math.inf
    if not math.isfinite(value):
        raise ValueError(f"the number {text[:_LONGEST_NUMBER]} is out of range")
    return value


def _refuse_depth(document: dict[str, Any], name: str) -> None:
    # level by level, as this check must not recurse itself
    level: list[Any] = [document]
    for _ in range(MAX_DEPTH):
        below = (value.values() if isinstance(value, dict) else value for value in level)
        level = [item for items in below for item in items if isinstance(item, dict | list)]
        if not level:
            return
    raise PlanFileError(f"{name}: nested more than {MAX_DEPTH} levels deep")


def _first_line(error: ValueError) -> str:
    if isinstance(error, json.JSONDecodeError):
        return f"line {error.lineno}, column {error.colno}: {error.msg}"
    return str(error)
