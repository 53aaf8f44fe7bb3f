"""Durations and sizes as people write them."""

import re
from datetime import timedelta

_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
_BYTES = {"B": 1, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30, "TiB": 2**40}
_DURATION = re.compile(r"([0-9]{1,5})([smhdw])")
_SIZE = re.compile(r"([0-9]{1,12})(B|KiB|MiB|GiB|TiB)")


def duration(text: str) -> timedelta:
    """The duration that ``14d``, ``12h``, ``30m``, ``45s``, ``2w`` or ``0`` means. Raises ValueError."""
    if text == "0":
        return timedelta(0)
    if not (match := _DURATION.fullmatch(text)):
        raise ValueError("a duration is a number with s, m, h, d or w, such as 14d")
    return timedelta(seconds=int(match[1]) * _SECONDS[match[2]])


def size(text: str) -> int:
    """The bytes that ``20MiB`` (or B, KiB, GiB, TiB) or ``0`` means. Raises ValueError.

    A bare number may be meant as MiB or GiB, and what is removed by a wrong guess is gone.
    """
    if text == "0":
        return 0
    if not (match := _SIZE.fullmatch(text)):
        raise ValueError("a size is a number with B, KiB, MiB, GiB or TiB, such as 20MiB")
    return int(match[1]) * _BYTES[match[2]]
