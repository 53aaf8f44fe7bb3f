"""The routes of one Packagecloud repository: typed values in and out, no decisions.

Source: https://packagecloud.io/docs/api; README.md has what that leaves out. Changes are sent exactly once; whoever
asked for one looks at the row before asking again. No change can be made conditional there (README.md, "Delete").
"""

import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from typing import BinaryIO, TypeVar
from urllib.parse import urlencode, urljoin

from msgspec import Struct
from msgspec.structs import replace
from urllib3.filepost import encode_multipart_formdata

from pkgsync.config import Connections
from pkgsync.errors import (
    AmbiguousError,
    AuthenticationError,
    IntegrityError,
    NotFoundError,
    PkgsyncError,
    QuotaError,
    ReadError,
    RefusedError,
)
from pkgsync.model import Distribution, Origin, Row
from pkgsync.packagecloud import distributions, listing, refusals, routes, rows
from pkgsync.packagecloud.listing import OddListingError, Page
from pkgsync.packagecloud.rows import Details
from pkgsync.session import Reply, Session, TransientError, clean_url

Parsed = TypeVar("Parsed")
_JSON = "application/json"
_FORM = "application/x-www-form-urlencoded"
# bytes; few and large pieces: each one costs beside its checksum
_PIECE = 256 * 1024


class Uploaded(Struct, frozen=True, kw_only=True):
    """What the server says it stored; its ``filename`` may differ from ours. Size in bytes, None where not told."""

    filename: str
    sha256: str | None
    size: int | None


def _ignore(count: int) -> None:
    """The progress callback of those who want none."""


class _Form:
    """The body of an upload, streamed: several at a time, of any size, must not stand in memory."""

    def __init__(
        self, distribution_id: int, filename: str, stream: BinaryIO, size: int, on_bytes: Callable[[int], None]
    ) -> None:
        form, self.content_type = encode_multipart_formdata(
            [
                ("package[distro_version_id]", str(distribution_id)),
                ("package[package_file]", (filename, b"", "application/octet-stream")),
            ]
        )
        # the file comes last, and is left out above: its bytes belong before the closing boundary
        at = form.rindex(b"\r\n--")
        self._head, self._tail = form[:at], form[at:]
        self._stream, self._size, self._on_bytes = stream, size, on_bytes

    def __len__(self) -> int:
        return len(self._head) + self._size + len(self._tail)

    def __iter__(self) -> Iterator[bytes]:
        yield self._head
        while piece := self._stream.read(_PIECE):
            yield piece
            self._on_bytes(len(piece))
        yield self._tail


class PackagecloudClient:
    """One repository (``user/name``) behind one session. Thread-safe, as the session is.

    ``connections`` is how many reads at once whoever reads much may have.

    Every method raises AuthenticationError (401, 403), QuotaError (402, 429 without Retry-After: README.md, "Quota"),
    and ReadError or, for changes, AmbiguousError, as the session does.
    """

    def __init__(self, session: Session, repository: str, connections: int = Connections().listing) -> None:
        self.session = session
        self.repository = repository
        self.connections = connections
        self._route = routes.of_repository(repository)

    def catalogue(self) -> tuple[Distribution, ...]:
        """The live rpm and deb distributions. Raises ReadError for an unusable answer."""
        return self._read("/api/v1/distributions.json", lambda reply: distributions.parse(reply.body))

    def distributions(self) -> Mapping[tuple[str, str], int]:
        """(type, ``distro/version``) to numeric id, as they are now."""
        return distributions.ids(self.catalogue())

    def page(self, number: int, per_page: int) -> Page:
        """One page of the whole listing, counted from 1. Raises ReadError, OddListingError."""
        return self._page("packages.json", number, per_page, ())

    def look(self, distribution: str, filename: str) -> tuple[Row, ...]:
        """The rows of exactly this distribution and file name, by one complete search (README.md, "Search")."""

        def fetch(number: int, per_page: int) -> Page:
            page = self._page("search.json", number, per_page, (("q", filename), ("dist", distribution)))
            # without those headers an answer is whole only if it is shorter than a page that nobody asked to be larger
            whole = page.total is None and page.next_page is None and len(page.rows) < listing.DEFAULT_PER_PAGE
            return replace(page, total=len(page.rows)) if whole else page

        found = listing.read(fetch, jobs=1, what=f"The search for {distribution}/{filename}")
        return tuple(row for row in found if row.distribution == distribution and row.filename == filename)

    def look_twice(self, distribution: str, filename: str) -> Row | None:
        """The row, or None if two looks agree that there is none. Raises ReadError if there are several."""
        # README.md, "Consistency": one empty answer is no proof of absence
        found = self.look(distribution, filename) or self.look(distribution, filename)
        # README.md, "Rows": that cannot be, and nobody knows which of them a DELETE would take
        if len(found) > 1:
            raise ReadError(f"Packagecloud lists {distribution}/{filename} more than once.")
        return found[0] if found else None

    def details(self, row: Row) -> Details:
        """Checksum and size of one row (README.md, "Details").

        Raises ReadError also if the answer is about another file, NotFoundError.
        """
        origin = self.session.origin
        route = routes.of_details(row.package_url, origin=origin, repository=self.repository, row=row)
        if route is None:
            raise ReadError(f"Packagecloud lists no usable detail route for {row.key}.")
        found = self._read(route, lambda reply: rows.parse_details(reply.body, row.key))
        # the route is the server's own; what it answers must be about this row all the same
        if (found.filename, found.distribution or row.distribution) != (row.filename, row.distribution):
            raise ReadError(f"Packagecloud's details for {row.key} describe another file.")
        return found

    def downloads(self, row: Row, since: date) -> int:
        """How often the row was downloaded since that day (UTC) began (README.md, "Details").

        Raises ReadError, NotFoundError.
        """
        origin = self.session.origin
        route = routes.of_downloads(row.downloads_count_url, origin=origin, repository=self.repository, row=row)
        if route is None:
            raise ReadError(f"Packagecloud lists no usable route for the downloads of {row.key}.")
        what = f"the downloads of {row.key}"
        # the form that the API gives for dates
        start = (("start_date", f"{since:%Y%m%dZ}"),)
        return self._read(route, lambda reply: rows.parse_count(reply.body, what), start)

    def upload(
        self,
        distribution_id: int,
        filename: str,
        stream: BinaryIO,
        size: int,
        on_bytes: Callable[[int], None] = _ignore,
    ) -> Uploaded:
        """Send ``size`` bytes of ``stream`` as one streamed multipart body; ``on_bytes`` gets increments in bytes.

        Raises DuplicateError (README.md, "Upload"), RefusedError, NotFoundError (no such repository), AmbiguousError
        (look before anything else), and IntegrityError before sending if the stream has another size.
        """
        if stream.seek(0, io.SEEK_END) != size:
            raise IntegrityError(f"{filename} is not {size} bytes long; nothing was sent.")
        stream.seek(0)
        body = _Form(distribution_id, filename, stream, size, on_bytes)
        reply = self._change(
            "POST",
            f"{self._route}/packages.json",
            f"upload of {filename}",
            data=body,
            headers={"Content-Type": body.content_type},
        )
        return _uploaded(reply, filename)

    def delete(self, row: Row) -> bool:
        """Delete one row for good (README.md, "Delete"): True if this did it, False for a 404.

        Raises RefusedError, AmbiguousError.
        """
        route = routes.checked(row.destroy_url, origin=self.session.origin, repository=self.repository, row=row)
        reply = self.session.change("DELETE", route)
        # README.md, "Delete": somebody else's doing, or that of a DELETE whose reply was lost; the caller knows which
        if reply.status == 404:
            return False
        if not _is_done(reply):
            raise refusals.error(reply.status, reply.body, f"deletion of {row.key}")
        return True

    def promote(self, row: Row, destination: str) -> None:
        """Move one row to the repository ``destination`` (``user/name``; README.md, "Promote"). Raises as ``upload``.

        A NotFoundError may mean the row or the destination.
        """
        route = routes.checked(
            row.promote_url, origin=self.session.origin, repository=self.repository, row=row, suffix="promote"
        )
        what = f"promotion of {row.key} to {destination}"
        form = urlencode({"destination": destination}).encode()
        try:
            self._change("POST", route, what, data=form, headers={"Content-Type": _FORM})
        except (AuthenticationError, QuotaError, NotFoundError) as error:
            raise refusals.of_archive(error, destination) from error

    def download(
        self, row: Row, sink: BinaryIO, size: int | None, offset: int = 0, on_bytes: Callable[[int], None] = _ignore
    ) -> int:
        """Stream the row's bytes into ``sink``; returns their number. Credentials never follow to the CDN
        (README.md, "Download").

        The listed address is a secret: errors name the row instead, and one of another server is a RefusedError.
        """
        address = routes.of_download(row.download_url.text, repository=self.repository, row=row)
        if not _leads_to(self.session.origin, address):
            raise RefusedError(f"Packagecloud lists a download address of another server for {row.key}: not used.")
        try:
            return self.session.download(address, sink, size=size, offset=offset, on_bytes=on_bytes)
        except PkgsyncError as error:
            error.message = error.message.replace(clean_url(address), row.key)
            # a traceback shows these, not the message
            error.args = (error.message,)
            raise

    def _page(self, route: str, number: int, per_page: int, query: Sequence[tuple[str, str]]) -> Page:
        params = (*query, ("per_page", str(per_page)), ("page", str(number)))
        base = self.session.base_url

        def parse(reply: Reply) -> Page:
            return listing.page_of(number, rows.parse_rows(reply.body, route, per_page), reply.headers, base)

        return self._read(f"{self._route}/{route}", parse, params)

    def _read(self, route: str, parse: Callable[[Reply], Parsed], params: Sequence[tuple[str, str]] = ()) -> Parsed:
        """What ``parse`` makes of the answer. One that cannot be parsed may have been cut on its way: asked again."""
        cap = self.session.limits.max_json_bytes

        def once() -> Parsed:
            reply = self.session.get(route, params=params, max_bytes=cap, accept=_JSON, content_types=(_JSON,))
            try:
                return parse(reply)
            # pages that do not fit together are read anew from the first one, not each for itself
            except OddListingError:
                raise
            except ReadError as error:
                raise TransientError(error) from None

        try:
            return self.session.persist(once)
        except NotFoundError as error:
            raise NotFoundError(
                f"{error.message} (repository {self.repository})", tip=refusals.REPOSITORY_TIP
            ) from error

    def _change(
        self,
        method: str,
        route: str,
        what: str,
        *,
        data: bytes | _Form,
        headers: Mapping[str, str],
    ) -> Reply:
        reply = self.session.change(method, route, data=data, headers=headers)
        if not _is_done(reply):
            raise refusals.error(reply.status, reply.body, what)
        return reply


def _leads_to(origin: str, address: str) -> bool:
    """Whether the address, which may hold a read token, is of this server."""
    try:
        return str(Origin.of(urljoin(origin, address))) == origin
    except ValueError:
        return False


def _is_done(reply: Reply) -> bool:
    return 200 <= reply.status < 300


def _uploaded(reply: Reply, filename: str) -> Uploaded:
    try:
        found = rows.parse_details(reply.body, f"the upload of {filename}")
    # a 2xx that nobody can read: the file may well be stored
    except ReadError as error:
        raise AmbiguousError(f"The outcome of the upload of {filename} is unknown: {error.message}") from error
    return Uploaded(filename=found.filename, sha256=found.sha256, size=found.size)
