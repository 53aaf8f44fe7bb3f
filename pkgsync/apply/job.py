"""What an apply works with, handed in by the caller."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

from attrs import frozen

from pkgsync.apply.limits import DEFAULT_LIMITS, ApplyLimits
from pkgsync.cache import Cache
from pkgsync.model import ActualState, DesiredState, Policy, Transfer
from pkgsync.packagecloud.client import PackagecloudClient
from pkgsync.progress import SILENT, Progress

Observe = Callable[[], tuple[DesiredState, ActualState]]
Fetch = Callable[[Transfer, BinaryIO, int, Callable[[int], None]], int]


def _silent(_line: str) -> None:
    return None


@frozen(kw_only=True)
class Job:
    """The collaborators and switches of one run.

    ``observe`` reads both worlds anew. ``fetch(action, sink, offset, on_bytes)`` downloads the published file into
    ``sink`` from ``offset`` bytes on and returns its size in bytes. ``backup`` keeps what is deleted or replaced; None:
    nothing is kept. ``report`` gets one line per finished action. ``pause`` waits for so many seconds.
    ``archive`` is the client of the plan's archive, if it has one.
    ``source_api``, ``target_api`` and ``config_digest`` are the config's, to be compared with the plan's.
    """

    source_api: str
    target_api: str
    config_digest: str
    observe: Observe
    fetch: Fetch
    packagecloud: PackagecloudClient
    archive: PackagecloudClient | None = None
    policy: Policy
    managed: frozenset[str]
    cache: Cache
    backup: Cache | None
    state_dir: Path
    receipt: Path
    now: Callable[[], datetime]
    pause: Callable[[float], None]
    jobs: int = 4
    skip_stale: bool = False
    only_uploads: bool = False
    dry_run: bool = False
    progress: Progress = SILENT
    report: Callable[[str], None] = _silent
    limits: ApplyLimits = DEFAULT_LIMITS
