"""How much packages are used, and how large they are: one request per package and question, so never asked unbidden.

Source: https://packagecloud.io/docs/api, package statistics; README.md, "Details".
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta

from msgspec.structs import replace

from pkgsync.errors import AuthenticationError, QuotaError, ReadError, UsageError
from pkgsync.model import ActualState, Audit, Orphan, Row
from pkgsync.packagecloud.client import PackagecloudClient
from pkgsync.packagecloud.per_row import Answers, Failures, ask
from pkgsync.progress import Progress

# requests, which take some minutes
MAX_ASKED = 2000

# The listing was readable: what a single route refuses says something about that route only.
_FAILURES: Failures = (ReadError, AuthenticationError, QuotaError)


def with_downloads(
    client: PackagecloudClient, actual: ActualState, rows: Sequence[Row], days: int, now: datetime, progress: Progress
) -> ActualState:
    """The actual state with the downloads that these rows had in the ``days`` before ``now``.

    Rows beyond MAX_ASKED are not asked for; a warning says so.
    """
    before = client.session.requests
    told = _downloads(client, rows[:MAX_ASKED], days, now, progress)
    left = len(rows) - MAX_ASKED
    words = f"{left} possible deletions are held: only {MAX_ASKED} packages were asked for their downloads"
    return replace(
        actual,
        downloads=told.values,
        requests=actual.requests + client.session.requests - before,
        warnings=(*actual.warnings, *told.warnings, *((words,) if left > 0 else ())),
    )


def with_usage(client: PackagecloudClient, found: Audit, now: datetime, progress: Progress) -> Audit:
    """The audit with the downloads and sizes that its query asks for.

    Raises UsageError where that means more than MAX_ASKED requests; what cannot be read stays unknown, with a warning.
    """
    query, rows = found.query, [orphan.row for orphan in found.orphans]
    _refuse_too_many(len(rows), (query.downloads_days is not None) + query.sizes)
    counts: Answers[int] = Answers({})
    sizes: Answers[int] = Answers({})
    if query.downloads_days is not None:
        counts = _downloads(client, rows, query.downloads_days, now, progress)
    if query.sizes:
        sizes = ask(
            client, rows, lambda row: client.details(row).size, "Asking for sizes", progress, failures=_FAILURES
        )
    return replace(
        found,
        orphans=tuple(_told(orphan, counts.values, sizes.values) for orphan in found.orphans),
        warnings=tuple(dict.fromkeys((*found.warnings, *counts.warnings, *sizes.warnings))),
    )


def counted_since(days: int, now: datetime) -> date:
    """The first of the last ``days`` days, which counts whole, in UTC."""
    return (now - timedelta(days=days)).astimezone(UTC).date()


def _downloads(
    client: PackagecloudClient, rows: Sequence[Row], days: int, now: datetime, progress: Progress
) -> Answers[int]:
    since = counted_since(days, now)
    return ask(
        client, rows, lambda row: client.downloads(row, since), "Asking for downloads", progress, failures=_FAILURES
    )


def _refuse_too_many(orphans: int, questions: int) -> None:
    if orphans * questions > MAX_ASKED:
        raise UsageError(
            f"{orphans} orphans mean {orphans * questions} requests to Packagecloud, more than {MAX_ASKED}",
            tip="Choose fewer with --distribution, --name, --fate or --reason, or leave out --downloads or --sizes.",
        )


def _told(orphan: Orphan, counts: Mapping[str, int | None], sizes: Mapping[str, int | None]) -> Orphan:
    return replace(orphan, downloads=counts.get(orphan.row.key), size=sizes.get(orphan.row.key))
