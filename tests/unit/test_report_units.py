"""Numbers as people read them."""

import pytest

from pkgsync.report import units


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0, "0 B"),
        (1023, "1023 B"),
        (1024, "1.0 KiB"),
        (10188, "9.9 KiB"),
        (10230, "10 KiB"),
        (1048064, "1.0 MiB"),
        (50331648, "48 MiB"),
        (1258291, "1.2 MiB"),
        (3 * 2**30, "3.0 GiB"),
        (5 * 2**40, "5.0 TiB"),
        (5000 * 2**40, "5000 TiB"),
    ],
)
def test_size(number: int, text: str) -> None:
    assert units.size(number) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.2, "0 s"),
        (41, "41 s"),
        (59.6, "1 min"),
        (192, "3 min 12 s"),
        (600, "10 min"),
        (3600, "1 h"),
        (3720, "1 h 2 min"),
        (-3, "0 s"),
    ],
)
def test_duration(seconds: float, text: str) -> None:
    assert units.duration(seconds) == text


def test_seconds_between() -> None:
    assert units.seconds_between("2026-01-02T03:05:00Z", "2026-01-02T03:05:41Z") == 41
    assert units.seconds_between("2026-01-02T03:05:00", "2026-01-02T03:05:41Z") is None
    assert units.seconds_between("soon", "later") is None
