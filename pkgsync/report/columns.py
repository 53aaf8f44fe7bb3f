"""What a table tells of each of its rows."""

from collections.abc import Callable
from typing import Generic, Literal, TypeVar

from msgspec import Struct

T_contra = TypeVar("T_contra", contravariant=True)
Kind = Literal["main", "short", "number", "words"]


class Column(Struct, Generic[T_contra], frozen=True):
    """``text`` is for people; where numbers or times have to be sorted, ``key`` gives what does it.

    ``main`` names the row, and comes first on a phone; ``words`` stand there on a line of their own.
    """

    head: str
    text: Callable[[T_contra], str]
    key: Callable[[T_contra], str] | None = None
    kind: Kind = "short"
