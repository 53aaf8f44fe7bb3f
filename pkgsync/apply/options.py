"""How one apply runs: what its caller switches, and how patient it is."""

import time
from collections.abc import Callable
from pathlib import Path

from msgspec import Struct

from pkgsync.apply.share import WHOLE, Part
from pkgsync.backoff import say_retry, seconds_before
from pkgsync.errors import AmbiguousError, BusyError, PkgsyncError


class ApplyOptions(Struct, frozen=True, kw_only=True):
    """The switches of one apply. ``receipt`` is where the receipt goes.

    ``jobs`` is how many changes there may be at a time; None: as many uploads as the config says.

    ``approved``: the caller has named the digest of the plan, so that it is the reviewed one and not an edited one.
    ``verify_index``: wait until package managers get what was changed.
    ``signatures`` is the file of those over the plan; ``require_signature`` asks for one, even if the config does not.
    """

    receipt: Path
    jobs: int | None = None
    skip_stale: bool = False
    part: Part = WHOLE
    approved: bool = False
    signatures: Path | None = None
    require_signature: bool = False
    dry_run: bool = False
    verify_index: bool = False


class Patience(Struct, frozen=True, kw_only=True):
    """Counts of attempts and looks; seconds of waiting between them (exponential, with jitter).

    What a single request may cost stands in ``session.HttpLimits``. ``pause`` waits for so many seconds.
    """

    pause: Callable[[float], None] = time.sleep
    fetches: int = 3
    uploads: int = 4
    # Packagecloud may keep a deleted name reserved for a while (packagecloud/README.md, "Delete").
    reserved_uploads: int = 8
    deletions: int = 4
    looks: int = 5
    backoff_seconds: float = 1.0
    backoff_cap_seconds: float = 30.0
    retry_after_cap_seconds: float = 120.0

    def wait(self, attempt: int) -> None:
        """Wait before look number ``attempt`` (the first repetition is 1)."""
        self.pause(self.seconds(attempt))

    def retry(self, key: str, attempt: int, attempts: int, failure: PkgsyncError) -> None:
        """Say that attempt number ``attempt`` at ``key`` (first retry: 1) comes after ``failure``; wait for it."""
        seconds = self.seconds(attempt, failure)
        say_retry(f"{key}: {failure.message}", attempt, attempts, seconds)
        self.pause(seconds)

    def seconds(self, attempt: int, failure: PkgsyncError | None = None) -> float:
        """How long that is."""
        if isinstance(failure, BusyError | AmbiguousError) and failure.wait is not None:
            return min(failure.wait, self.retry_after_cap_seconds)
        return seconds_before(attempt, self.backoff_seconds, self.backoff_cap_seconds)
