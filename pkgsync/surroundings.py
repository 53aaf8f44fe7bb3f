"""Where a run finds credentials and keeps its files, how patient it is, and what time it is."""

import os
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path

import platformdirs
from msgspec import Struct

from pkgsync.errors import UsageError
from pkgsync.progress import SILENT, Progress
from pkgsync.session import DEFAULT_LIMITS, HttpLimits


def utc_now() -> datetime:
    return datetime.now(UTC)


class Surroundings(Struct, frozen=True, kw_only=True):
    """What a run has from the machine and the user who starts it; nothing of it decides what is changed.

    ``backup_dir`` None: below ``state_dir``. ``pause`` waits between attempts (seconds); None: in real time.
    """

    env: Mapping[str, str]
    home: Path
    cache_dir: Path
    state_dir: Path
    backup_dir: Path | None = None
    progress: Progress = SILENT
    limits: HttpLimits = DEFAULT_LIMITS
    pause: Callable[[float], None] | None = None

    @classmethod
    def of_user(cls) -> "Surroundings":
        """The environment and the folders of the user who runs this process."""
        return cls(
            env=os.environ,
            home=Path.home(),
            cache_dir=platformdirs.user_cache_path("pkgsync"),
            state_dir=platformdirs.user_state_path("pkgsync"),
        )

    @property
    def backups(self) -> Path:
        return self.backup_dir or self.state_dir / "backups"

    @property
    def on_ci(self) -> bool:
        return self.env.get("CI", "").lower() not in ("", "0", "false")

    def refuse_shared_stores(self) -> None:
        """Raises UsageError where cache and backups are one folder, or one is inside the other.

        Whatever makes room in the cache would take the only copies of what was deleted.
        """
        cache, backups = self.cache_dir.resolve(), self.backups.resolve()
        if cache.is_relative_to(backups) or backups.is_relative_to(cache):
            raise UsageError(
                f"The backups in {self.backups} would not be safe: the cache is in {self.cache_dir}.",
                tip="Give `--backup-dir` or `--cache-dir` a folder of its own.",
            )

    @property
    def sleep(self) -> Callable[[float], None]:
        """Waits for so many seconds, for those who have no request that a signal must be able to cut."""
        return self.pause or time.sleep
