"""Numbers as people read them."""

from datetime import datetime


def size(number: int) -> str:
    """Bytes with a binary unit: ``812 B``, ``1.2 MiB``, ``48 MiB``."""
    if number < 1024:
        return f"{number} B"
    value = float(number)
    for unit in ("KiB", "MiB", "GiB"):
        value /= 1024
        if round(value) < 1024:
            return _rounded(value, unit)
    return _rounded(value / 1024, "TiB")


def _rounded(value: float, unit: str) -> str:
    return f"{value:.1f} {unit}" if round(value, 1) < 10 else f"{value:.0f} {unit}"


def duration(seconds: float) -> str:
    """Seconds as ``41 s``, ``3 min 12 s``, ``2 min`` or ``1 h 2 min``."""
    whole = max(0, round(seconds))
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s".removesuffix(" 0 s")
    return f"{whole // 3600} h {whole % 3600 // 60} min".removesuffix(" 0 min")


def seconds_between(start: str, end: str) -> float | None:
    """The seconds between two ISO 8601 times; None where one of them is no such time."""
    try:
        return (datetime.fromisoformat(end) - datetime.fromisoformat(start)).total_seconds()
    except (ValueError, TypeError):
        return None


def plural(number: int, noun: str, nouns: str = "") -> str:
    """``1 orphan``, ``2 orphans``."""
    return f"{number} {noun if number == 1 else nouns or noun + 's'}"


def short(sha256: str) -> str:
    """Enough of a sum to tell two apart."""
    return sha256[:12]


def day(moment: str) -> str:
    """The date of an ISO 8601 time, or the text as it is."""
    return moment[:10] if moment[10:11] == "T" else moment
