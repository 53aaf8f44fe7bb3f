"""Reads the JSON that Packagecloud answers, and tells an odd answer from a usable one.

Everything here is pure; every text in it is untrusted.
"""

import json
import re
from decimal import Decimal, InvalidOperation
from typing import Any, NoReturn

import msgspec

from pkgsync.errors import ReadError
from pkgsync.model.filename import is_plain

MAX_VALUES = 1_000_000
"""Values of one answer: a byte of JSON can take eighty of memory."""
# bytes; int() of "1e999999" would fill the memory
_MAX_SIZE = 1 << 50
_SHA256 = re.compile("[0-9a-f]{64}")


def parse(body: bytes, what: str, max_values: int = MAX_VALUES) -> Any:
    """Decode one JSON document; ``what`` names it in the error.

    Raises ReadError, also for giant numbers or nesting, and before decoding where it may hold over ``max_values``.
    """
    # a value takes two bytes at least: mostly nothing has to be counted
    if len(body) > 2 * max_values and sum(body.count(mark) for mark in (b",", b"[", b"{")) > max_values:
        raise ReadError(f"Packagecloud's answer for {what} holds more than was asked for.")
    try:
        return _decoded(body)
    except (ValueError, RecursionError) as error:
        raise ReadError(
            f"Packagecloud's answer for {what} is not usable JSON.",
            tip="Run the command again; if it stays so, something between here and Packagecloud changes its answers.",
        ) from error


def _decoded(body: bytes) -> Any:
    """Raises ValueError, RecursionError."""
    try:
        # in half the time; what it refuses and json takes, such as half a surrogate pair, is rare
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return json.loads(body, parse_constant=_refuse_constant)


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(name)


def is_plain_name(name: str) -> bool:
    """Whether a text from the wire may stand as one file name, or as one part of a distribution."""
    return is_plain(name) and "\\" not in name


def text(value: Any) -> str | None:
    """The value if it is a text that says something, else None; half a surrogate pair becomes ``?``."""
    if not isinstance(value, str) or not value:
        return None
    return value if value.isascii() else value.encode(errors="replace").decode()


def checksum(value: Any) -> str | None:
    """A sha256 in lower-case hex; anything else is unknown, and so never equal to another."""
    if not isinstance(value, str):
        return None
    lowered = value.strip().lower()
    return lowered if _SHA256.fullmatch(lowered) else None


def small_int(value: Any) -> int | None:
    """A number that fits a package's epoch (32 bits without sign), as number or as digits; else None."""
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= 10:
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool):
        return None
    return value if 0 <= value < 1 << 32 else None


def byte_count(value: Any) -> int | None:
    """The size of a detail answer in bytes: ``"3712"`` or ``"3732.0"`` (README.md, "Details")."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    try:
        number = Decimal(str(value))
    except (InvalidOperation, ValueError):
        return None
    if not number.is_finite() or not 0 <= number <= _MAX_SIZE:
        return None
    return int(number) if number == int(number) else None
