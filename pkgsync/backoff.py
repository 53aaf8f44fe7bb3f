"""How long to wait before another attempt, and what is said about it."""

import logging
from collections.abc import Callable
from typing import TypeVar

_log = logging.getLogger(__name__)
T = TypeVar("T")
PAUSES = (2.0, 5.0)
"""Seconds before the second and the third look at something that changes while it is read."""
NOTICE = 25
"""A level that Python shows nobody who did not ask for it, but a terminal shows without ``-v``."""


def seconds_before(attempt: int, first: float, longest: float) -> float:
    """Seconds before attempt number ``attempt`` (the first repetition is 1): twice as long each time.

    Up to half of it is left to chance, so that what failed together does not come back together.
    """
    import random  # here, as it costs more than the rest of a short command

    return min(longest, first * 2.0 ** (attempt - 1)) * random.uniform(0.5, 1)  # noqa: S311  (guards nothing)


def say_retry(why: str, attempt: int, attempts: int, seconds: float) -> None:
    """Log that repetition number ``attempt`` comes after so many seconds; ``why`` is in our own words."""
    wait = f" in {seconds:.0f} s" if seconds >= 1 else ""
    _log.log(NOTICE, "%s; retrying%s, %d of %d", why.rstrip("."), wait, attempt + 1, attempts)


def patiently(read: Callable[[], T], pause: Callable[[float], object], again: tuple[type[Exception], ...]) -> T:
    """What ``read`` gives; after an error of ``again`` it is read anew, after a ``pause`` (seconds), a few times."""
    for seconds in PAUSES:
        try:
            return read()
        except again:
            pause(seconds)
    return read()
