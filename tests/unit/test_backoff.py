"""The waits between attempts."""

import pytest

from pkgsync.backoff import seconds_before


@pytest.mark.parametrize(("attempt", "least", "most"), [(1, 0.25, 0.5), (2, 0.5, 1), (3, 1, 2), (9, 15, 30)])
def test_each_wait_is_twice_as_long_up_to_the_longest(attempt: int, least: float, most: float) -> None:
    waits = [seconds_before(attempt, 0.5, 30) for _ in range(100)]
    assert least <= min(waits) < max(waits) <= most
