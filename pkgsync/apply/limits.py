"""How patient an apply is; what a single request may cost stands in ``session.HttpLimits``."""

import random

from attrs import frozen

from pkgsync.errors import BusyError, PkgsyncError


@frozen(kw_only=True)
class ApplyLimits:
    """Counts of attempts and looks; seconds of waiting between them (exponential, with jitter)."""

    fetches: int = 3
    uploads: int = 4
    reserved_uploads: int = 8
    deletions: int = 4
    looks: int = 5
    backoff_seconds: float = 1.0
    backoff_cap_seconds: float = 30.0
    retry_after_cap_seconds: float = 120.0

    def wait_seconds(self, attempt: int, failure: PkgsyncError | None = None) -> float:
        """How long to wait before attempt number ``attempt`` (the first retry is 1) after ``failure``."""
        if isinstance(failure, BusyError):
            return min(failure.wait, self.retry_after_cap_seconds)
        longest = min(self.backoff_cap_seconds, self.backoff_seconds * 2.0 ** (attempt - 1))
        return longest * (0.5 + random.random() / 2)  # noqa: S311  (spreads retries, guards nothing)


DEFAULT_LIMITS = ApplyLimits()
