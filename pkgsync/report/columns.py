"""What a table tells of each of its rows."""

from collections.abc import Callable
from typing import Generic, Literal, TypeVar

from attrs import field, frozen

T_contra = TypeVar("T_contra", contravariant=True)
Kind = Literal["main", "short", "number", "words"]


@frozen
class Column(Generic[T_contra]):
    """``text`` is for people; where numbers or times have to be sorted, ``key`` gives what does it.

    ``main`` names the row, and comes first on a phone; ``words`` stand there on a line of their own.
    """

    head: str
    text: Callable[[T_contra], str]
    key: Callable[[T_contra], str] | None = field(default=None, kw_only=True)
    kind: Kind = field(default="short", kw_only=True)
