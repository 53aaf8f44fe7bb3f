"""rpm-md: repomd.xml and the primary that it names, as createrepo_c writes them (obs/README.md, "rpm-md")."""

from collections.abc import Iterable, Iterator
from xml.etree.ElementTree import Element

from msgspec.structs import replace

from pkgsync.errors import IntegrityError
from pkgsync.formats.fields import check_number, check_path, check_word
from pkgsync.formats.index_entries import MAX_ENTRIES, IndexEntry, Pointer
from pkgsync.formats.relations import rich_relations, version_of
from pkgsync.formats.sums import Checksum, Stated
from pkgsync.formats.xml import children, in_pieces
from pkgsync.model import PackageType, Relation, Relations, Version
from pkgsync.model.filename import class_of
from pkgsync.model.relations import Operator

TOP = "repodata/repomd.xml"
_REPO = "http://linux.duke.edu/metadata/repo}"
_COMMON = "http://linux.duke.edu/metadata/common}"
_RPM = "http://linux.duke.edu/metadata/rpm}"
# of no use here; the format, which takes most of the time, only for relations
_UNUSED = frozenset(f"{_COMMON}{name}" for name in ("summary", "description", "packager", "url"))
_FORMAT = f"{_COMMON}format"
_OPERATORS: dict[str, Operator] = {"LT": "<", "LE": "<=", "EQ": "=", "GE": ">=", "GT": ">"}
_ORIGIN = "obsrepository:"
_BASE = "http://www.w3.org/XML/1998/namespace}base"


def parse_top(data: bytes, what: str) -> Pointer:
    """Raises IntegrityError for anything but a whole repomd.xml that names one primary with its checksum."""
    elements = children(in_pieces(data), f"{_REPO}repomd", what)
    next(elements)
    revision: int | None = None
    origin: str | None = None
    primaries: list[Pointer] = []
    for element in elements:
        if element.tag == f"{_REPO}revision":
            revision = _revision(element.text)
        elif element.tag == f"{_REPO}tags":
            origin = origin or _origin(element)
        elif element.tag == f"{_REPO}data" and element.get("type") == "primary":
            primaries.append(_primary(element, what))
    if len(primaries) != 1:
        raise IntegrityError(f"{what}: it names {len(primaries)} primary files instead of one")
    return replace(primaries[0], revision=revision, origin=origin)


def _origin(tags: Element) -> str | None:
    """OBS writes where it published it; a ``<repo>`` may hold the number of a publish too, or a word of the project."""
    texts = (tag.text or "" for tag in tags if tag.tag == f"{_REPO}repo")
    return next((text.strip() for text in texts if text.strip().startswith(_ORIGIN)), None)


def _revision(text: str | None) -> int | None:
    """createrepo writes the time; the format allows any text."""
    plain = (text or "").strip()
    return int(plain) if plain.isascii() and plain.isdigit() and len(plain) <= 12 else None


def _named(element: Element, namespace: str) -> dict[str, Element]:
    """The children in ``namespace`` by their names; of several with one name the first."""
    start = len(namespace)
    return {child.tag[start:]: child for child in reversed(element) if child.tag.startswith(namespace)}


def _primary(element: Element, what: str) -> Pointer:
    parts = _named(element, _REPO)
    location = _location(parts.get("location"), what)
    packed = Stated(_size(parts.get("size"), what), _checksum(parts.get("checksum"), what))
    # it is fetched from mirrors, too, and nothing else would vouch for it
    if packed.checksum is None:
        raise IntegrityError(f"{what}: it states no checksum of {location}")
    unpacked = Stated(_size(parts.get("open-size"), what), _checksum(parts.get("open-checksum"), what))
    return Pointer(path=location, packed=packed, unpacked=unpacked, revision=None)


def _location(location: Element | None, what: str) -> str:
    # xml:base would lead to another server
    if location is None or location.get(_BASE):
        raise IntegrityError(f"{what}: an entry has no place within the repository")
    return check_path(location.get("href", ""), what)


def _size(size: Element | None, what: str) -> int | None:
    return None if size is None else check_number((size.text or "").strip(), "size", what)


def _checksum(checksum: Element | None, what: str) -> Checksum | None:
    return None if checksum is None else Checksum.stated(checksum.get("type", ""), checksum.text, what)


def parse_packages(pieces: Iterable[bytes], what: str) -> Iterator[IndexEntry]:
    """The packages of a primary, source packages too. Raises IntegrityError unless it holds as many as it says."""
    return (_entry(element, what) for element in _packages(pieces, what, _UNUSED | {_FORMAT}))


def parse_relations(pieces: Iterable[bytes], what: str) -> Iterator[tuple[IndexEntry, Relations]]:
    """The same, with what each needs and provides. Of its files a primary lists only those that others name mostly."""
    for element in _packages(pieces, what, _UNUSED):
        entry = _entry(element, what)
        yield entry, _relations(entry, _named(element, _COMMON).get("format"))


def _packages(pieces: Iterable[bytes], what: str, unused: frozenset[str]) -> Iterator[Element]:
    elements = children(pieces, f"{_COMMON}metadata", what, unused)
    stated = check_number(next(elements).get("packages"), "number of packages", what)
    if stated > MAX_ENTRIES:
        raise IntegrityError(f"{what}: it says that it lists {stated} packages, more than can be")
    count = 0
    for element in elements:
        if element.tag == f"{_COMMON}package":
            count += 1
            if count > stated:
                break
            yield element
    # a primary that is whole but short would make orphans of all that it lacks
    if count != stated:
        raise IntegrityError(f"{what}: it does not list the {stated} packages that it says")


def _entry(element: Element, what: str) -> IndexEntry:
    parts = _named(element, _COMMON)
    path = _location(parts.get("location"), what)
    where = f"{what}: {path}"
    version, size, checksum = (parts.get(tag) for tag in ("version", "size", "checksum"))
    if version is None or size is None or checksum is None:
        raise IntegrityError(f"{where}: the entry lacks its version, size or checksum")
    name = check_word(_text(parts.get("name")), "package name", where)
    architecture = check_word(_text(parts.get("arch")), "architecture", where)
    return IndexEntry(
        path=path,
        size=check_number(size.get("package"), "size", where),
        checksum=Checksum.stated(checksum.get("type", ""), checksum.text, where),
        type=PackageType.RPM,
        name=name,
        version=Version(
            check_number(version.get("epoch") or "0", "epoch", where),
            check_word(version.get("ver"), "version", where),
            check_word(version.get("rel"), "release", where),
        ),
        architecture=architecture,
        file_class=class_of(PackageType.RPM, name, architecture),
        mtime=_mtime(parts.get("time")),
    )


def _text(element: Element | None) -> str | None:
    return None if element is None else element.text


def _mtime(time: Element | None) -> int | None:
    """None where it is no time: then nothing confirms the file, which is judged by itself."""
    text = "" if time is None else time.get("file", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 15 else None


def _relations(entry: IndexEntry, stated: Element | None) -> Relations:
    parts = _named(stated, _RPM) if stated is not None else {}
    files = (file.text for file in (stated if stated is not None else ()) if file.tag == f"{_COMMON}file" and file.text)
    return Relations(
        type=entry.type,
        architecture=entry.architecture,
        provides=(
            Relation(entry.name, "=", entry.version),
            *(_relation(provided) for provided in parts.get("provides", ())),
            *map(Relation, files),
        ),
        requires=tuple(_alternatives(parts.get("requires"))),
    )


def _alternatives(listed: Element | None) -> Iterator[tuple[Relation, ...]]:
    for entry in listed if listed is not None else ():
        name = entry.get("name", "")
        if name.startswith("("):
            yield from rich_relations(name)
        else:
            yield (_relation(entry),)


def _relation(entry: Element) -> Relation:
    name, flags = entry.get("name", ""), entry.get("flags")
    if flags is None:
        return Relation(name)
    text = f"{entry.get('epoch') or '0'}:{entry.get('ver', '')}"
    release = entry.get("rel")
    # what is no operator is one that nobody knows
    return Relation(name, _OPERATORS.get(flags, "="), version_of(f"{text}-{release}" if release else text))
