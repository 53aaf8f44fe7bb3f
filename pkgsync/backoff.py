"""How long to wait before another attempt."""

import random


def seconds_before(attempt: int, first: float, longest: float) -> float:
    """Seconds before attempt number ``attempt`` (the first repetition is 1): twice as long each time.

    Up to half of it is left to chance, so that what failed together does not come back together.
    """
    return min(longest, first * 2.0 ** (attempt - 1)) * random.uniform(0.5, 1)  # noqa: S311  (guards nothing)
