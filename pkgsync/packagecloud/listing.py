"""Reads a paginated listing to its proven end (https://packagecloud.io/docs/api, pagination; README.md, "Listing").

Pages are counted from ``Total``, never followed by ``Link``; the links are only checked. The order of rows is
undocumented, and a change on the server shifts rows between pages: a listing counts only if every page has the number
of rows that it must have, all name the same ``Total``, and no row comes twice.
"""

from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from itertools import chain
from urllib.parse import parse_qs, urljoin, urlsplit

from msgspec import Struct
from requests.utils import parse_header_links

from pkgsync.errors import ReadError
from pkgsync.model import SYNCED_TYPES, Row
from pkgsync.model.origin import Origin
from pkgsync.packagecloud.rows import MOST_ON_A_PAGE

# README.md, "Listing": more than this is cut without a word
PER_PAGE = MOST_ON_A_PAGE
# what the server gives unasked
DEFAULT_PER_PAGE = 30
# no repository is that large: a Total beyond it would have us read on and on
MAX_ROWS = 2_000_000
# of the whole listing: somebody may be uploading just now
ATTEMPTS = 3


_CHANGING = (
    "Run the command again while nobody changes the repository; if it stays so, the server's own listing is at fault."
)
_HEADERS = (
    "Check that packagecloud.url in the config is a Packagecloud server, and that no proxy before it changes the "
    "headers of its answers: running the command again will not help."
)
_OTHER_ADDRESS = (
    "Write in packagecloud.url of the config the address under which the server knows itself (another scheme, host or "
    "port than now): running the command again will not help."
)


class OddListingError(ReadError):
    """The pages do not fit together; reading them again may help, unless the tip says what else does."""


class Page(Struct, frozen=True, kw_only=True):
    """One page as it was answered. ``total`` is of the whole listing; ``next_page`` the number that ``Link`` gives.

    ``per_page`` is what the headers grant, at most what was asked for; None if they say nothing.
    """

    number: int
    rows: tuple[Row, ...]
    total: int | None
    per_page: int | None = None
    next_page: int | None = None


def page_of(number: int, rows: tuple[Row, ...], headers: Mapping[str, str], base_url: str) -> Page:
    """Join rows and pagination headers. Raises OddListingError for headers that cannot be, or foreign links."""
    granted = (_number(headers, "Per-Page"), _number(headers, "Max-Per-Page"))
    return Page(
        number=number,
        rows=rows,
        total=_number(headers, "Total"),
        # README.md, "Listing": Per-Page counts the rows of this page, which is what is granted while pages are full
        per_page=min((PER_PAGE, *filter(None, granted))) if any(granted) else None,
        next_page=_next_page(headers.get("Link", ""), base_url),
    )


def _number(headers: Mapping[str, str], name: str) -> int | None:
    value = headers.get(name, "").strip()
    if not value:
        return None
    if not (value.isascii() and value.isdigit()) or len(value) > 9:
        raise OddListingError(f"it has a {name} header that is no usable number.", tip=_HEADERS)
    return int(value)


def _next_page(header: str, base_url: str) -> int | None:
    found = None
    for link in parse_header_links(header) if header else ():
        try:
            target = urljoin(base_url, link["url"])
            foreign = Origin.of(target) != Origin.of(base_url)
        except ValueError:
            raise OddListingError("it has a Link header without a usable address.", tip=_HEADERS) from None
        # links are not followed, but who puts them there is not the server that was asked
        if foreign:
            raise OddListingError("it links to another server, which was not asked.", tip=_OTHER_ADDRESS)
        if "next" in link.get("rel", "").split():
            number = (parse_qs(urlsplit(target).query).get("page") or [""])[0]
            found = int(number) if number.isascii() and number.isdigit() and len(number) < 10 else 0
    return found


def read(fetch: Callable[[int, int], Page], *, jobs: int, what: str) -> tuple[Row, ...]:
    """All rows of a listing, proven complete. ``fetch(number, per_page)`` reads one page, the first alone.

    Raises ReadError if the pages still do not fit together when they are read for the third time.
    """
    for attempt in range(1, ATTEMPTS + 1):
        try:
            return _read_once(fetch, jobs)
        except OddListingError as error:
            if attempt == ATTEMPTS:
                words = f"{what} could not be read completely: {error.message}"
                raise ReadError(words, tip=error.tip or _CHANGING) from error
    raise AssertionError("unreachable")


def _read_once(fetch: Callable[[int, int], Page], jobs: int) -> tuple[Row, ...]:
    first = fetch(1, PER_PAGE)
    if first.total is None:
        raise OddListingError("the answer does not say how many packages there are (no Total header).", tip=_HEADERS)
    granted = _granted(first)
    count = max(1, -(-first.total // granted))
    rest = _rest(lambda number: _page_rows(fetch(number, granted), first, granted, count), range(2, count + 1), jobs)
    rows = (*_page_rows(first, first, granted, count), *chain.from_iterable(rest))
    require_unique(rows)
    return rows


def _rest(rows_of: Callable[[int], tuple[Row, ...]], numbers: Iterable[int], jobs: int) -> list[tuple[Row, ...]]:
    """The rows of these pages in order, read in parallel; the first error cancels what has not begun."""
    pool = ThreadPoolExecutor(max_workers=jobs, thread_name_prefix="packagecloud")
    try:
        return list(pool.map(rows_of, numbers))
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _granted(first: Page) -> int:
    """How many rows the server puts on a page: what it says, else what the first page shows."""
    total = first.total or 0
    if total > MAX_ROWS:
        raise OddListingError(f"it claims {total} packages, more than can be.", tip=_HEADERS)
    if total <= len(first.rows):
        return max(1, len(first.rows))
    granted = first.per_page or len(first.rows)
    if granted != len(first.rows):
        raise OddListingError(f"page 1 holds {len(first.rows)} packages instead of {granted}.")
    return granted


def _page_rows(page: Page, first: Page, granted: int, count: int) -> tuple[Row, ...]:
    total = first.total or 0
    expected = min(granted, total - (page.number - 1) * granted)
    if page.total is not None and page.total != total:
        raise OddListingError(f"the number of packages changed from {total} to {page.total}.")
    # first and last page must agree: a row that came or went in between has shifted the others
    if page.number == count and page.total is None:
        words = "the last page does not say how many packages there are (no Total header)."
        raise OddListingError(words, tip=_HEADERS)
    if len(page.rows) != expected:
        raise OddListingError(f"page {page.number} of {count} holds {len(page.rows)} packages instead of {expected}.")
    allowed = {page.number + 1, None} if page.number < count else {None}
    if page.next_page not in allowed:
        raise OddListingError(f"page {page.number} of {count} names a next page that cannot be.")
    return page.rows


def require_unique(rows: Iterable[Row]) -> None:
    """Raise OddListingError if a row comes twice, or two rpm or deb rows claim one key."""
    seen: set[tuple[str, ...]] = set()
    for row in rows:
        identity: tuple[str, ...] = (row.distribution, row.filename)
        # rows of other types may share a file name; the routes tell them apart
        if row.type not in SYNCED_TYPES:
            route = row.destroy_url or row.package_url or f"{row.name} {row.version} {row.architecture}"
            identity = (row.type, *identity, route)
        if identity in seen:
            raise OddListingError(f"the package {row.key} is listed twice.")
        seen.add(identity)
