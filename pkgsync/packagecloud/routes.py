"""The routes of the Packagecloud API, and the check of those that the server names itself.

Source: https://packagecloud.io/docs/api, which calls the listed routes guaranteed correct (README.md, "Delete"). They
are used verbatim, but only where they lead to the row that they were listed with.
"""

import re
from urllib.parse import quote, unquote, urlsplit

from pkgsync.errors import RefusedError
from pkgsync.model import Row

# what is not printable ASCII, or ends the path
_ODD = re.compile(r"[^!-~]|[\\?#]")


def join(*segments: str) -> str:
    """A route of percent-encoded segments: ``+`` becomes ``%2B``, ``~`` stays."""
    return "".join(f"/{quote(segment, safe='')}" for segment in segments)


def of_repository(repository: str) -> str:
    """``/api/v1/repos/USER/REPO``."""
    return join("api", "v1", "repos", *repository.split("/"))


def of_row(repository: str, row: Row) -> str:
    """The documented route of one row: what DELETE takes, and what promote and download build on."""
    return of_repository(repository) + join(*row.distribution.split("/"), row.filename)


def segments(listed: str, origin: str) -> tuple[str, ...] | None:
    """The decoded segments of a route that the server listed; None if it is anything but a plain path on ``origin``."""
    path = listed.removeprefix(origin)
    # "//" would begin the name of another server
    if not path.startswith("/") or path.startswith("//") or _ODD.search(path):
        return None
    decoded = tuple(unquote(segment) for segment in path[1:].split("/"))
    # a "%2F" would pass for a part of a name here, and for two segments on the server
    if any(segment in {"", ".", ".."} or "/" in segment or not segment.isprintable() for segment in decoded):
        return None
    return decoded


def names(row: Row, *, origin: str, repository: str) -> bool:
    """Whether the routes that were listed with the row, at least one, all belong to this repository."""
    head = ("api", "v1", "repos", *repository.split("/"))
    listed = [route for route in (row.destroy_url, row.promote_url, row.package_url) if route]
    return bool(listed) and all((segments(route, origin) or ())[: len(head)] == head for route in listed)


def checked(listed: str, *, origin: str, repository: str, row: Row, suffix: str = "") -> str:
    """The route to change ``row`` with: the listed one, or the documented one where the server lists none.

    ``suffix`` is the last segment after the file name (``promote``, with or without ``.json``).
    Raises RefusedError if the listed route leads anywhere else than to this row of this repository.
    """
    if not listed:
        return of_row(repository, row) + (join(f"{suffix}.json") if suffix else "")
    found = segments(listed, origin) or ()
    if suffix and found and found[-1].removesuffix(".json") == suffix:
        found = found[:-1]
    elif suffix:
        found = ()
    head = ("api", "v1", "repos", *repository.split("/"))
    tail = (*row.distribution.split("/"), row.filename)
    if len(found) < len(head) + len(tail) or found[: len(head)] != head or found[-len(tail) :] != tail:
        raise RefusedError(
            f"Packagecloud lists a route for {row.key} that leads elsewhere; nothing was changed.",
            tip="Look at the package on the web site, and report it to Packagecloud's support.",
        )
    return listed.removeprefix(origin)


def of_details(listed: str, *, origin: str, repository: str, row: Row) -> str | None:
    """The listed detail route of ``row`` (``.../package/TYPE/DISTRO/VERSION/...``), or None if it leads elsewhere.

    It is never built: the version part of it follows rules of its own (README.md, "Details").
    """
    head = ("api", "v1", "repos", *repository.split("/"), "package", row.type, *row.distribution.split("/"))
    found = segments(listed, origin) if listed else None
    return listed.removeprefix(origin) if found and found[: len(head)] == head else None


def of_downloads(listed: str, *, origin: str, repository: str, row: Row) -> str | None:
    """The listed route of the row's download count, or None if it is not ``stats/downloads/count`` of its details."""
    details = of_details(row.package_url, origin=origin, repository=repository, row=row)
    expected = segments(f"{(details or '').removesuffix('.json')}/stats/downloads/count", origin)
    found = segments(listed.removesuffix(".json"), origin) if listed else None
    return listed.removeprefix(origin) if details and found and found == expected else None


def of_download(listed: str | None, *, repository: str, row: Row) -> str:
    """The address of the row's bytes: the listed one, or the documented route.

    A read token that stands as user name before the host is left out: the session logs in by itself.
    """
    if not listed:
        return join(*repository.split("/"), "packages", *row.distribution.split("/"), row.filename, "download")
    try:
        parts = urlsplit(listed)
    except ValueError:
        raise RefusedError(f"Packagecloud lists no usable download address for {row.key}.") from None
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()
