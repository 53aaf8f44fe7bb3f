"""How much of the exhaustive suites a run takes.

An everyday run takes an even sample, and fewer random examples, so that it ends within minutes. `PKGSYNC_TESTS=all`, as
in `.ci/run`, takes all.
"""

import os
from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")

EVERYTHING = os.environ.get("PKGSYNC_TESTS") == "all"


def sample(items: Sequence[T], every: int) -> Sequence[T]:
    """All items, or one of every so many in an everyday run."""
    return items if EVERYTHING else items[::every]


def examples(number: int) -> int:
    """So many random examples, or a fifth of them in an everyday run."""
    return number if EVERYTHING else number // 5
