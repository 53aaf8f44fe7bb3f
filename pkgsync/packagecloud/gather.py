"""Gathers the actual state: 1 request for the distributions, 1 per page, 1 per unknown checksum (DESIGN section 6)."""

from collections.abc import Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from threading import Lock

from attrs import evolve

from pkgsync.errors import NotFoundError, ReadError
from pkgsync.model import ActualState, PackageType, Row
from pkgsync.packagecloud import distributions as catalogue
from pkgsync.packagecloud import listing
from pkgsync.packagecloud.client import PackagecloudClient
from pkgsync.progress import SILENT, Progress

MAX_FAILED_DETAILS = 3

_SYNCED = frozenset(PackageType)


def gather(
    client: PackagecloudClient,
    distributions: Collection[str],
    *,
    now: Callable[[], datetime],
    jobs: int = 4,
    progress: Progress = SILENT,
    resolve: bool = True,
) -> ActualState:
    """Read the whole repository. ``distributions`` are the managed ones.

    ``resolve`` asks the detail route for their unknown checksums; what stays unknown is a warning, and None in the row.
    Raises ConfigError for a managed distribution that Packagecloud does not have, ReadError if the listing cannot be
    proven complete.
    """
    before = client.session.requests
    known = client.catalogue()
    catalogue.check(distributions, known)
    found = _listing(client, jobs, progress)
    warnings: tuple[str, ...] = ()
    if resolve:
        found, warnings = _resolve(client, found, frozenset(distributions), jobs, progress)
    return ActualState(
        repository=client.repository,
        rows=tuple(sorted(found, key=lambda row: (row.distribution, row.filename, row.type, row.destroy_url))),
        total=len(found),
        distribution_ids=catalogue.ids(known),
        read_at=now(),
        requests=client.session.requests - before,
        warnings=warnings,
    )


def _listing(client: PackagecloudClient, jobs: int, progress: Progress) -> tuple[Row, ...]:
    with progress.task(f"Listing {client.repository}", None, "requests") as task:

        def fetch(number: int, per_page: int) -> listing.Page:
            page = client.page(number, per_page)
            task.advance(1)
            return page

        return listing.read(fetch, jobs=jobs, what=f"The listing of {client.repository}")


class _Resolver:
    """Asks for unknown checksums; after a few reads that failed for good it leaves the rest unknown."""

    def __init__(self, client: PackagecloudClient) -> None:
        self._client = client
        self._lock = Lock()
        self._failed: list[str] = []

    def __call__(self, row: Row) -> Row:
        if len(self._failed) >= MAX_FAILED_DETAILS:
            return row
        try:
            return evolve(row, sha256=self._client.details(row).sha256)
        except NotFoundError:
            return row
        except ReadError as error:
            with self._lock:
                self._failed.append(error.message)
            return row

    @property
    def warnings(self) -> tuple[str, ...]:
        return tuple(sorted(set(self._failed)))


def _resolve(
    client: PackagecloudClient, found: tuple[Row, ...], managed: frozenset[str], jobs: int, progress: Progress
) -> tuple[tuple[Row, ...], tuple[str, ...]]:
    """Fill in the unknown checksums of managed rows; also gives the warnings about failed reads."""
    unknown = [row for row in found if row.sha256 is None and row.type in _SYNCED and row.distribution in managed]
    if not unknown:
        return found, ()
    resolver = _Resolver(client)
    pool = ThreadPoolExecutor(max_workers=jobs, thread_name_prefix="packagecloud")
    resolved = {}
    try:
        with progress.task("Asking for unknown checksums", len(unknown), "requests") as task:
            for row in pool.map(resolver, unknown):
                resolved[row.key] = row
                task.advance(1)
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
    return tuple(resolved.get(row.key, row) if row.type in _SYNCED else row for row in found), resolver.warnings
