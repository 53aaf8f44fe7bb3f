"""Debian indexes: Release and the Packages that it lists, flat as OBS has them or in a suite.

obs/README.md, "Flat Debian"; packagecloud/README.md, "What package managers get".
"""

import calendar
import re
from collections.abc import Iterable, Iterator, Mapping
from email.utils import parsedate_tz

from msgspec import Struct

from pkgsync.errors import IntegrityError
from pkgsync.formats.fields import check_number, check_path, check_word
from pkgsync.formats.index_entries import MAX_ENTRIES, IndexEntry, Pointer
from pkgsync.formats.relations import deb_relations
from pkgsync.formats.sums import Checksum, Stated
from pkgsync.model import PackageType, Relation, Relations, Version
from pkgsync.model.filename import FileClass, class_of

TOP = "Release"
# sha256 first: any other costs a download of every file
_SUMS = {"sha256": "sha256", "sha512": "sha512", "sha1": "sha1", "md5sum": "md5"}
_LISTS = ("Packages.gz", "Packages.xz", "Packages.zst", "Packages")
_ZONE = re.compile(r"(?: [A-Za-z]+|[-+][0-9]{4})\s*$")
_FIELDS = frozenset({"package", "version", "architecture", "filename", "size", "package-type", "section", *_SUMS})
_RELATED = frozenset({"depends", "pre-depends", "provides"})
_MAX_FIELDS = 1000  # of one paragraph
_SIGNED = re.compile(
    rb"-----BEGIN PGP SIGNED MESSAGE-----\r?\n(?:[^\r\n]+\r?\n)*\r?\n"
    rb"(.*?\n)-----BEGIN PGP SIGNATURE-----\r?\n",
    re.DOTALL,
)


class Release(Struct, frozen=True, kw_only=True):
    """What a Release file says: which files belong to it, when it was made (seconds since 1970), and whose it is."""

    files: Mapping[str, Stated]
    revision: int | None
    origin: str | None

    def packages(self, folder: str = "") -> Pointer | None:
        """The list of packages of a folder such as ``main/binary-amd64/``; None where there is none."""
        chosen = next((name for name in _LISTS if folder + name in self.files), None)
        if chosen is None:
            return None
        return Pointer(
            path=folder + chosen,
            packed=self.files[folder + chosen],
            unpacked=self.files.get(f"{folder}Packages", Stated()),
            revision=self.revision,
            origin=self.origin,
        )


def parse_top(data: bytes, what: str) -> Pointer:
    """Raises IntegrityError for anything but a whole Release that lists Packages with its checksum."""
    found = parse_release(data, what).packages()
    if found is None:
        raise IntegrityError(f"{what}: it lists no Packages file")
    return found


def parse_release(data: bytes, what: str) -> Release:
    """Raises IntegrityError for anything but a whole Release with checksums."""
    # a line that is cut may still be one: Packages.gz becomes Packages
    if not data.endswith(b"\n"):
        raise IntegrityError(f"{what}: it is cut off")
    stanzas = list(_stanzas((data,), None, what))
    if len(stanzas) != 1:
        raise IntegrityError(f"{what}: it is no Release file")
    fields = stanzas[0]
    section = next((name for name in _SUMS if name in fields), None)
    if section is None:
        raise IntegrityError(f"{what}: it lists no checksums")
    return Release(
        files=_listed(fields[section], _SUMS[section], what),
        revision=_date(fields.get("date")),
        origin=fields.get("origin"),
    )


def signed_text(data: bytes, what: str) -> bytes:
    """The text that an InRelease has between its lines of a signature, which is not checked. Raises IntegrityError."""
    found = _SIGNED.match(data)
    if found is None:
        raise IntegrityError(f"{what}: it is no signed Release file")
    # RFC 4880, section 7.1: lines that begin with a dash are escaped
    return re.sub(rb"^- ", b"", found[1], flags=re.MULTILINE)


def _listed(section: str, algorithm: str, what: str) -> dict[str, Stated]:
    """The lines ``checksum size name`` of one section."""
    files: dict[str, Stated] = {}
    for line in filter(None, (line.strip() for line in section.split("\n"))):
        words = line.split()
        if len(words) != 3:
            raise IntegrityError(f"{what}: a line of its checksums is none")
        stated = Stated(check_number(words[1], "size", what), Checksum.stated(algorithm, words[0], what))
        if files.setdefault(words[2].removeprefix("./"), stated) != stated:
            raise IntegrityError(f"{what}: it lists a file twice, with different checksums")
    return files


def _date(text: str | None) -> int | None:
    """Seconds since 1970. Older servers write their local time without its zone: then it is not known.

    obs/README.md, "Flat Debian".
    """
    parsed = parsedate_tz(text) if text and _ZONE.search(text) else None
    if parsed is None:
        return None
    try:
        return calendar.timegm(parsed[:9]) - (parsed[9] or 0)
    except (ValueError, OverflowError):
        return None


def parse_packages(pieces: Iterable[bytes], what: str) -> Iterator[IndexEntry]:
    """The packages of a Packages file. Raises IntegrityError for one that lacks what a package must have."""
    return (_entry(fields, what) for fields in _paragraphs(pieces, _FIELDS, what))


def parse_relations(pieces: Iterable[bytes], what: str) -> Iterator[tuple[IndexEntry, Relations]]:
    """The same, with what each needs and provides."""
    for fields in _paragraphs(pieces, _FIELDS | _RELATED, what):
        entry = _entry(fields, what)
        yield entry, _relations(entry, fields)


def _paragraphs(pieces: Iterable[bytes], wanted: frozenset[str], what: str) -> Iterator[dict[str, str]]:
    for number, fields in enumerate(_stanzas(pieces, wanted, what)):
        if number == MAX_ENTRIES:
            raise IntegrityError(f"{what}: it lists over {MAX_ENTRIES} packages, more than can be")
        yield fields


def _relations(entry: IndexEntry, fields: dict[str, str]) -> Relations:
    own = Relation(entry.name, "=", entry.version)
    provides, depends, earlier = (_readable(fields.get(name, "")) for name in ("provides", "depends", "pre-depends"))
    provided = (relation for relations in deb_relations(provides) for relation in relations)
    return Relations(entry.type, entry.architecture, (own, *provided), tuple(deb_relations(f"{earlier},{depends}")))


def _readable(text: str) -> str:
    """In another encoding it still names something, and another name another thing."""
    return text if text.isascii() else text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def _entry(fields: dict[str, str], what: str) -> IndexEntry:
    path = check_path(fields.get("filename", ""), what)
    where = f"{what}: {path}"
    section = next(filter(fields.__contains__, _SUMS), None)
    if section is None:
        raise IntegrityError(f"{where}: it has no checksum")
    name = check_word(fields.get("package"), "package name", where)
    architecture = check_word(fields.get("architecture"), "architecture", where)
    return IndexEntry(
        path=path,
        size=check_number(fields.get("size"), "size", where),
        checksum=Checksum.stated(_SUMS[section], fields[section], where),
        type=PackageType.DEB,
        name=name,
        version=_version(check_word(fields.get("version"), "version", where), where),
        architecture=architecture,
        file_class=_class(fields, class_of(PackageType.DEB, name, architecture)),
    )


def _class(fields: dict[str, str], by_name: FileClass) -> FileClass:
    """As deb-control(5) has it; debhelper puts debug symbols into the section ``debug``, perhaps of an area."""
    kind, section = fields.get("package-type", ""), fields.get("section", "").rpartition("/")[2]
    if kind == "udeb" or section == "debian-installer":
        return FileClass.INSTALLER
    return FileClass.DEBUG if kind == "ddeb" or section == "debug" else by_name


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
    more: dict[str, list[str]] = {}
    name = ""
    folded = _RELATED & (wanted or frozenset())
    for line in _lines(pieces, what):
        if not line or line.isspace():
            if fields:
                yield _joined(fields, more)
            fields, more, name = {}, {}, ""
        elif line[0] in " \t":
            if not name:
                raise IntegrityError(f"{what}: a continuation line continues nothing")
            if wanted is None or name in folded:
                more.setdefault(name, []).append(line)
        else:
            name, colon, value = line.partition(":")
            name = name.lower()
            if wanted is not None and name not in wanted and colon:
                continue
            # of a field that is there twice, apt may believe the other one
            if not colon or name in fields or len(fields) == _MAX_FIELDS:
                raise IntegrityError(f"{what}: a line is no field, or a field is there twice")
            fields[name] = value.strip()
    if fields:
        yield _joined(fields, more)


def _joined(fields: dict[str, str], more: dict[str, list[str]]) -> dict[str, str]:
    """The fields with the lines that continue them."""
    return {**fields, **{name: "\n".join((fields[name], *lines)) for name, lines in more.items()}} if more else fields


def _lines(pieces: Iterable[bytes], what: str) -> Iterator[str]:
    rest = b""
    for piece in pieces:
        whole, end, rest = (rest + piece).rpartition(b"\n")
        if end:
            yield from _split(whole)
        # a line without an end must not fill the memory
        if len(rest) > 2**20:
            raise IntegrityError(f"{what}: a line has no end")
    if rest:
        yield from _split(rest)


def _split(data: bytes) -> Iterable[str]:
    # in another encoding may be what nobody reads; the fields that count are checked later
    lines = data.decode("utf-8", "surrogateescape").split("\n")
    return (line.rstrip("\r") for line in lines) if b"\r" in data else lines
