"""Parses rows and details. Pure: bytes and values in, values out.

Source: PackageFragment and PackageDetails of https://packagecloud.io/docs/api; README.md, "Rows" and "Details".
Rows of types other than rpm and deb are only ever counted, so little is asked of them.
"""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any
from urllib.parse import unquote

from msgspec import Struct

from pkgsync.errors import ReadError
from pkgsync.model import SYNCED_TYPES, Row
from pkgsync.model.actual import Untold
from pkgsync.model.filename import parse, type_of
from pkgsync.packagecloud import documents
from pkgsync.packagecloud.documents import text

_PACKAGE_SEGMENTS = 5
_ODD_ROW = "Look for it on the repository's web page and report it to Packagecloud: reading it again will not help."
MOST_ON_A_PAGE = 250
_MAX_ROW_VALUES = 1000  # documented are thirty
_TEXTS = (
    *("distro_version", "filename", "type", "name", "version", "release", "architecture", "created_at"),
    *("uploader_name", "destroy_url", "promote_url", "package_url", "downloads_count_url", "download_url"),
)


class Details(Struct, frozen=True, kw_only=True):
    """What the detail route adds to a row: lower-case hex sha256 and the size in bytes, None where unknown."""

    filename: str
    distribution: str
    sha256: str | None
    size: int | None


def parse_rows(body: bytes, what: str, most: int = MOST_ON_A_PAGE) -> tuple[Row, ...]:
    """A listing's rows, in its order. Raises ReadError if it is no list, holds over ``most``, or a row is odd."""
    document = documents.parse(body, what, (most + 1) * _MAX_ROW_VALUES)
    if not isinstance(document, list):
        raise ReadError(f"Packagecloud's answer for {what} is not a list of packages.")
    if len(document) > most:
        raise ReadError(f"Packagecloud's answer for {what} holds {len(document)} packages, {most} were asked for.")
    return tuple(parse_row(item, what) for item in document)


def parse_row(item: Any, what: str) -> Row:
    """One PackageFragment; fields may be null or absent. Raises ReadError for one that could not be told apart."""
    if not isinstance(item, dict):
        raise ReadError(f"Packagecloud's answer for {what} holds something that is not a package.")
    # by position, and without a call for what is plain: there are many thousands of rows
    texts = [value if type(value) is str and value.isascii() else text(value) for value in map(item.get, _TEXTS)]
    distribution, filename, kind, name, version, release, architecture, created_at, uploader = texts[:9]
    destroy_url, promote_url, package_url, count_url, download_url = texts[9:]
    row = Row(
        distribution or "",
        filename or "",
        # README.md, "Rows": some fields are missing in older answers; the routes beside them hold them, too
        kind or _type(package_url or "", filename or ""),
        name or "",
        version or None,
        release or None,
        documents.small_int(item.get("epoch")),
        architecture or _architecture(package_url or "", filename or ""),
        documents.checksum(item.get("sha256sum")),
        created_at or "",
        uploader or None,
        item.get("indexed") is not False,
        destroy_url or "",
        promote_url or "",
        package_url or "",
        count_url or "",
        Untold(download_url or ""),
    )
    if row.type in SYNCED_TYPES:
        _check(row, what)
    return row


def _check(row: Row, what: str) -> None:
    if not documents.is_plain_name(row.filename) or not row.name:
        raise ReadError(f"Packagecloud's answer for {what} holds a package without a usable name.", tip=_ODD_ROW)
    if not _is_distribution(row.distribution):
        words = f"Packagecloud's answer for {what} holds a package without a usable distribution."
        raise ReadError(words, tip=_ODD_ROW)


@lru_cache(maxsize=256)
def _is_distribution(name: str) -> bool:
    parts = name.split("/")
    return len(parts) == 2 and all(map(documents.is_plain_name, parts))


def _package_segments(package_url: str) -> list[str]:
    """TYPE, DISTRO, VERSION, NAME, ARCHITECTURE of ``.../package/TYPE/DISTRO/VERSION/NAME/ARCHITECTURE/...``."""
    _, _, rest = package_url.partition("/package/")
    found = [unquote(segment) for segment in rest.split("/")][:_PACKAGE_SEGMENTS]
    return found if len(found) == _PACKAGE_SEGMENTS else []


def _type(package_url: str, filename: str) -> str:
    found = _package_segments(package_url)
    if found:
        return found[0]
    return type_of(filename) or ""


def _architecture(package_url: str, filename: str) -> str | None:
    found = _package_segments(package_url)
    if found:
        return found[4] or None
    parsed = parse(filename)
    return parsed.architecture if parsed else None


def parse_details(body: bytes, what: str) -> Details:
    """A PackageDetails answer, also in the form ``{"package": {...}}``. Raises ReadError if it names no file."""
    document = documents.parse(body, what)
    if isinstance(document, Mapping) and isinstance(document.get("package"), Mapping):
        document = document["package"]
    filename = text(document.get("filename")) if isinstance(document, Mapping) else None
    if filename is None or not documents.is_plain_name(filename):
        raise ReadError(f"Packagecloud's answer for {what} does not describe a package.")
    return Details(
        filename=filename,
        distribution=text(document.get("distro_version")) or "",
        sha256=documents.checksum(document.get("sha256sum")),
        size=documents.byte_count(document.get("size")),
    )


def parse_count(body: bytes, what: str) -> int:
    """A download count, ``{"value": 7}``. Raises ReadError for anything else: no count is never a count of 0."""
    document = documents.parse(body, what)
    count = documents.small_int(document.get("value")) if isinstance(document, Mapping) else None
    if count is None:
        raise ReadError(f"Packagecloud's answer for {what} is not a count.")
    return count
