"""The flat Debian repository of OBS: Release and the Packages that it lists (src/backend/bs_publish)."""

import calendar
import re
from collections.abc import Iterable, Iterator
from email.utils import parsedate_tz

from pkgsync.errors import IntegrityError
from pkgsync.model import PackageType, Version
from pkgsync.obs.fields import check_number, check_path, check_word
from pkgsync.obs.index_entries import IndexEntry, Pointer
from pkgsync.obs.sums import Checksum, Stated

TOP = "Release"
_SUMS = {"sha256": "sha256", "sha512": "sha512", "sha1": "sha1", "md5sum": "md5"}
_LISTS = ("Packages.gz", "Packages.xz", "Packages.zst", "Packages")
_ZONE = re.compile(r"(?: [A-Za-z]+|[-+][0-9]{4})\s*$")
_FIELDS = frozenset({"package", "version", "architecture", "filename", "size", *_SUMS})


def parse_top(data: bytes, what: str) -> Pointer:
    """Raises IntegrityError for anything but a whole Release that lists Packages with its checksum."""
    if not data.endswith(b"\n"):
        raise IntegrityError(f"{what}: it is cut off")
    stanzas = list(_stanzas((data,), None, what))
    if len(stanzas) != 1:
        raise IntegrityError(f"{what}: it is no Release file")
    fields = stanzas[0]
    section = next((name for name in _SUMS if name in fields), None)
    if section is None:
        raise IntegrityError(f"{what}: it lists no checksums")
    files = _listed(fields[section], _SUMS[section], what)
    chosen = next((name for name in _LISTS if name in files), None)
    if chosen is None:
        raise IntegrityError(f"{what}: it lists no Packages file")
    return Pointer(
        path=chosen,
        packed=files[chosen],
        unpacked=files.get("Packages", Stated()),
        revision=_date(fields.get("date")),
        origin=fields.get("origin"),
    )


def _listed(section: str, algorithm: str, what: str) -> dict[str, Stated]:
    """The lines ``checksum size name`` of one section."""
    files: dict[str, Stated] = {}
    for line in filter(None, (line.strip() for line in section.split("\n"))):
        words = line.split()
        if len(words) != 3:
            raise IntegrityError(f"{what}: {line[:80]!a} is no checksum line")
        stated = Stated(check_number(words[1], "size", what), Checksum.stated(algorithm, words[0], what))
        if files.setdefault(words[2].removeprefix("./"), stated) != stated:
            raise IntegrityError(f"{what}: it lists {words[2][:80]!a} twice")
    return files


def _date(text: str | None) -> int | None:
    """Seconds since 1970. Older servers write their local time without its zone: then it is not known."""
    parsed = parsedate_tz(text) if text and _ZONE.search(text) else None
    if parsed is None:
        return None
    try:
        return calendar.timegm(parsed[:9]) - (parsed[9] or 0)
    except (ValueError, OverflowError):
        return None


def parse_packages(pieces: Iterable[bytes], what: str) -> Iterator[IndexEntry]:
    """The packages of a Packages file. Raises IntegrityError for one that lacks what a package must have."""
    for fields in _stanzas(pieces, _FIELDS, what):
        yield _entry(fields, what)


def _entry(fields: dict[str, str], what: str) -> IndexEntry:
    path = check_path(fields.get("filename", ""), what)
    where = f"{what}: {path}"
    section = next((name for name in _SUMS if name in fields), None)
    if section is None:
        raise IntegrityError(f"{where}: it has no checksum")
    return IndexEntry(
        path=path,
        size=check_number(fields.get("size"), "size", where),
        checksum=Checksum.stated(_SUMS[section], fields[section], where),
        type=PackageType.DEB,
        name=check_word(fields.get("package"), "package name", where),
        version=_version(check_word(fields.get("version"), "version", where), where),
        architecture=check_word(fields.get("architecture"), "architecture", where),
    )


def parse_control(data: bytes, what: str) -> tuple[str, Version, str]:
    """Name, version and architecture from a package's own control file. Raises IntegrityError."""
    stanzas = list(_stanzas((data,), _FIELDS, what))
    if len(stanzas) != 1:
        raise IntegrityError(f"{what}: its control file holds {len(stanzas)} packages")
    fields = stanzas[0]
    return (
        check_word(fields.get("package"), "package name", what),
        _version(check_word(fields.get("version"), "version", what), what),
        check_word(fields.get("architecture"), "architecture", what),
    )


def _version(text: str, where: str) -> Version:
    """``[epoch:]version[-release]``, as Debian policy section 5.6.12 splits it."""
    epoch, colon, rest = text.partition(":")
    if not colon:
        epoch, rest = "0", text
    version, dash, release = rest.rpartition("-")
    if not dash:
        version, release = rest, ""
    return Version(check_number(epoch, "epoch", where), check_word(version, "version", where), release)


def _stanzas(pieces: Iterable[bytes], wanted: frozenset[str] | None, what: str) -> Iterator[dict[str, str]]:
    """Paragraphs of ``Field: value``, names in lower case; only ``wanted`` fields, None: all with all their lines."""
    fields: dict[str, str] = {}
    name = ""
    for line in _lines(pieces, what):
        if not line.strip():
            if fields:
                yield fields
            fields, name = {}, ""
        elif line[0] in " \t":
            if not name:
                raise IntegrityError(f"{what}: a continuation line continues nothing")
            if wanted is None:
                fields[name] += f"\n{line}"
        else:
            name, colon, value = line.partition(":")
            name = name.lower()
            if not colon or name in fields:
                raise IntegrityError(f"{what}: {line[:80]!a} is no field, or is there twice")
            if wanted is None or name in wanted:
                fields[name] = value.strip()
    if fields:
        yield fields


def _lines(pieces: Iterable[bytes], what: str) -> Iterator[str]:
    rest = b""
    for piece in pieces:
        *lines, rest = (rest + piece).split(b"\n")
        for line in lines:
            yield line.decode("utf-8", "surrogateescape").rstrip("\r")
        if len(rest) > 2**20:
            raise IntegrityError(f"{what}: a line has no end")
    if rest:
        yield rest.decode("utf-8", "surrogateescape").rstrip("\r")
