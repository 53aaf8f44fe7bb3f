"""Gathers the actual state: 1 request for the distributions, 1 per page, 1 per unknown checksum."""

from collections.abc import Callable, Collection, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import datetime
from operator import attrgetter

from msgspec.structs import replace

from pkgsync.errors import AuthenticationError, ConfigError, NotFoundError, QuotaError, ReadError
from pkgsync.model import SYNCED_TYPES, ActualState, Row
from pkgsync.packagecloud import distributions as catalogue
from pkgsync.packagecloud import listing, refusals, routes
from pkgsync.packagecloud.client import PackagecloudClient
from pkgsync.packagecloud.per_row import ask
from pkgsync.progress import SILENT, Progress

_ORDER = attrgetter("distribution", "filename", "type", "destroy_url")


def gather(
    client: PackagecloudClient,
    distributions: Collection[str],
    *,
    now: Callable[[], datetime],
    progress: Progress = SILENT,
) -> ActualState:
    """Read the whole repository. ``distributions`` are the managed ones.

    The detail route is asked for their unknown checksums; what stays unknown is a warning, and None in the row.
    Raises ConfigError for a managed distribution that Packagecloud does not have, ReadError if the listing cannot be
    proven complete.
    """
    before = client.session.requests
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="packagecloud") as pool:
        early = pool.submit(client.page, 1, listing.PER_PAGE)
        known = client.catalogue()
        # before the other pages, which may be many: a mistyped name is told at once
        catalogue.check(distributions, known)
        listed = _listing(client, progress, early)
    managed = frozenset(distributions)
    found, warnings = _resolve(client, listed, lambda row: row.distribution in managed, progress)
    return ActualState(
        repository=client.repository,
        # README.md, "Listing": its order means nothing, and equal worlds give equal plans
        rows=tuple(sorted(found, key=_ORDER)),
        total=len(found),
        distribution_ids=catalogue.ids(known),
        read_at=now(),
        requests=client.session.requests - before,
        warnings=warnings,
    )


def with_archive(
    client: PackagecloudClient,
    actual: ActualState,
    *,
    wanted: Collection[str] = (),
    progress: Progress = SILENT,
) -> ActualState:
    """The actual state with the rows of the archive, which ``client`` reads.

    Unknown checksums are asked for where a row here has the same package key, and of the keys ``wanted``.
    A listing that cannot be proven complete is a warning, and no archive. Raises ConfigError for a repository that
    does not exist, AuthenticationError, QuotaError.
    """
    before, here = client.session.requests, {*wanted, *(row.key for row in actual.rows)}
    archive, warnings = _archive(client, here, progress)
    return replace(
        actual,
        archive=archive,
        requests=actual.requests + client.session.requests - before,
        warnings=(*actual.warnings, *warnings),
    )


def _archive(
    client: PackagecloudClient, here: Collection[str], progress: Progress
) -> tuple[dict[str, Row] | None, tuple[str, ...]]:
    try:
        found = _listing(client, progress)
    except NotFoundError as error:
        words = f"The archive {client.repository} does not exist on Packagecloud, or this token may not see it."
        raise ConfigError(words, tip=refusals.ARCHIVE_TIP) from error
    except (AuthenticationError, QuotaError) as error:
        raise refusals.of_archive(error, client.repository) from error
    except ReadError as error:
        # only archiving needs it; all else can still be planned
        said = f"the archive {client.repository} could not be read, so nothing is archived: {error.message} {error.tip}"
        return None, (said.rstrip(),)
    synced = [row for row in found if row.type in SYNCED_TYPES]
    # The repository itself under another spelling would hold all that is to be archived "already".
    origin, repository = client.session.origin, client.repository
    foreign = next((row for row in synced if not routes.names(row, origin=origin, repository=repository)), None)
    if foreign is not None:
        words = f"the archive {repository} lists {foreign.key} as another repository's, so nothing is archived"
        return None, (f"{words}: write `orphans.archive_to` as Packagecloud does",)
    rows, warnings = _resolve(client, synced, lambda row: row.key in here, progress)
    return {row.key: row for row in rows}, warnings


def _listing(
    client: PackagecloudClient, progress: Progress, early: Future[listing.Page] | None = None
) -> tuple[Row, ...]:
    """The whole listing; ``early`` is its first page, if somebody has asked for it already."""
    asked = [early] if early is not None else []
    with progress.task(f"Listing {client.repository}", None, "requests") as task:

        def fetch(number: int, per_page: int) -> listing.Page:
            page = asked.pop().result() if asked else client.page(number, per_page)
            task.advance(1)
            return page

        return listing.read(fetch, jobs=client.connections, what=f"The listing of {client.repository}")


def _resolve(
    client: PackagecloudClient, found: Sequence[Row], matters: Callable[[Row], bool], progress: Progress
) -> tuple[tuple[Row, ...], tuple[str, ...]]:
    """Fill in the unknown checksums of rows that matter; also gives the warnings about failed reads."""
    # README.md, "Details": a request each, so only where the answer can change what is planned
    unknown = [row for row in found if row.sha256 is None and row.type in SYNCED_TYPES and matters(row)]
    if not unknown:
        return tuple(found), ()
    sums = ask(client, unknown, lambda row: client.details(row).sha256, "Asking for unknown checksums", progress)
    resolved = {row.key: replace(row, sha256=sums.values[row.key]) for row in unknown}
    return tuple(resolved.get(row.key, row) if row.type in SYNCED_TYPES else row for row in found), sums.warnings
