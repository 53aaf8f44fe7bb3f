"""Where a run finds credentials and keeps its files, how patient it is, and what time it is."""

import os
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path

import platformdirs
from attrs import frozen

from pkgsync.progress import SILENT, Progress
from pkgsync.session import DEFAULT_LIMITS, HttpLimits


def utc_now() -> datetime:
    return datetime.now(UTC)


@frozen(kw_only=True)
class Surroundings:
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
    def sleep(self) -> Callable[[float], None]:
        """Waits for so many seconds, for those who have no request that a signal must be able to cut."""
        return self.pause or time.sleep
