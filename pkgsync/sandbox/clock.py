"""The time of the sandbox: moved by tests, never by itself."""

from datetime import UTC, datetime
from threading import Lock


class Clock:
    """Unix seconds, shared by both services; `advance` is the only thing that moves it."""

    def __init__(self, start: int = 1_795_350_000) -> None:
        self._now = start
        self._lock = Lock()

    def now(self) -> int:
        """Unix seconds."""
        return self._now

    def advance(self, seconds: int) -> int:
        """Move the time on; gives the new time."""
        with self._lock:
            self._now += seconds
            return self._now

    def iso(self) -> str:
        """ISO 8601 UTC with milliseconds, as Packagecloud writes created_at."""
        return datetime.fromtimestamp(self._now, UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")
