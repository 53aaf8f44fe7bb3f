"""What a `_result`, a primary or a Packages says, read the slow and plain way: whole trees, and line by line.

An oracle for the readers of `pkgsync.obs`, which take shortcuts.
"""

from collections.abc import Iterator
from xml.etree import ElementTree as ET

from pkgsync.errors import IntegrityError
from pkgsync.formats.debian import _entry as debian_entry
from pkgsync.formats.fields import check_number, check_path, check_word, is_entry, is_word
from pkgsync.formats.index_entries import IndexEntry
from pkgsync.formats.sums import Checksum
from pkgsync.formats.xml import readable
from pkgsync.model import BuiltFile, BuiltPackage, PackageType, Version
from pkgsync.model.filename import class_of
from pkgsync.obs.results import ArchitectureResult, ProjectResult

_COMMON = "{http://linux.duke.edu/metadata/common}"
_FIELDS = {"package", "version", "architecture", "filename", "size", "package-type", "section"}
_FIELDS |= {"sha256", "sha512", "sha1", "md5sum"}


def _tree(data: bytes, root: str) -> ET.Element:
    try:
        tree = ET.fromstring(data)
    except (ET.ParseError, LookupError, ValueError) as error:
        raise IntegrityError("no XML") from error
    if tree.tag != root:
        raise IntegrityError("another document")
    return tree


# _result


def result(data: bytes, project: str) -> ProjectResult:
    tree = _tree(readable(data), "resultlist")
    state = tree.get("state", "")
    if len(state) != 32 or set(state) - set("0123456789abcdef") or state == "0" * 32:
        raise IntegrityError("no state")
    repositories: dict[str, dict[str, ArchitectureResult]] = {}
    for element in tree.findall("result"):
        if element.get("project") != project:
            raise IntegrityError("another project")
        repository = check_word(element.get("repository"), "repository", "")
        found = _architecture(element)
        if repositories.setdefault(repository, {}).setdefault(found.name, found) != found:
            raise IntegrityError("twice")
    return ProjectResult(state, repositories)


def _architecture(element: ET.Element) -> ArchitectureResult:
    odd = list(_take_odd(element))
    details = (element.get("details"), *(d.text for d in element.findall("details")))
    published = [stats.get("lastpublished") for stats in element.findall("stats")]
    return ArchitectureResult(
        name=check_word(element.get("arch"), "architecture", ""),
        code=check_word(element.get("code") or element.get("state"), "code", ""),
        dirty=element.get("dirty", "false") not in ("false", "0"),
        details=" ".join(filter(None, details)).strip(),
        last_published=max((check_number(p, "time", "") for p in published if p), default=None),
        packages=tuple(_packages(element)),
        odd_entries=len(odd),
    )


def _take_odd(result: ET.Element) -> Iterator[ET.Element]:
    for tag in ("status", "binarylist"):
        for entry in result.findall(tag):
            if not is_word(entry.get("package")):
                result.remove(entry)
                yield entry
            for binary in entry.findall("binary") if tag == "binarylist" else ():
                if not is_entry(binary.get("filename", "")):
                    entry.remove(binary)
                    yield binary


def _packages(element: ET.Element) -> Iterator[BuiltPackage]:
    codes: dict[str, str] = {}
    for status in element.findall("status"):
        package = check_word(status.get("package"), "package", "")
        if package in codes:
            raise IntegrityError("two states")
        codes[package] = check_word(status.get("code"), "code", "")
    lists: dict[str, tuple[BuiltFile, ...]] = {}
    for binaries in element.findall("binarylist"):
        package = check_word(binaries.get("package"), "package", "")
        if package in lists:
            raise IntegrityError("two lists")
        lists[package] = _files(binaries)
    if bool(codes) != bool(lists):
        raise IntegrityError("a view is missing")
    for package in sorted(codes.keys() | lists.keys()):
        yield BuiltPackage(package, codes.get(package, "unknown"), lists.get(package, ()))


def _files(binaries: ET.Element) -> tuple[BuiltFile, ...]:
    files: dict[str, BuiltFile] = {}
    for binary in binaries.findall("binary"):
        name = binary.get("filename", "")
        if name in files:
            raise IntegrityError("twice")
        size, mtime = (check_number(binary.get(key), "number", "") for key in ("size", "mtime"))
        files[name] = BuiltFile(name, size, mtime)
    return tuple(files[name] for name in sorted(files))


# rpm-md


def primary(data: bytes) -> list[IndexEntry]:
    tree = _tree(data, f"{_COMMON}metadata")
    elements = tree.findall(f"{_COMMON}package")
    if check_number(tree.get("packages"), "number", "") != len(elements):
        raise IntegrityError("another number")
    return [_package(element) for element in elements]


def _package(element: ET.Element) -> IndexEntry:
    location, version, size, checksum = (
        element.find(f"{_COMMON}{tag}") for tag in ("location", "version", "size", "checksum")
    )
    if location is None or version is None or size is None or checksum is None:
        raise IntegrityError("something is missing")
    if location.get("{http://www.w3.org/XML/1998/namespace}base"):
        raise IntegrityError("elsewhere")
    time = element.find(f"{_COMMON}time")
    text = "" if time is None else time.get("file", "")
    return IndexEntry(
        path=check_path(location.get("href", ""), ""),
        size=check_number(size.get("package"), "size", ""),
        checksum=Checksum.stated(checksum.get("type", ""), checksum.text, ""),
        type=PackageType.RPM,
        name=check_word(element.findtext(f"{_COMMON}name"), "name", ""),
        version=Version(
            check_number(version.get("epoch") or "0", "epoch", ""),
            check_word(version.get("ver"), "version", ""),
            check_word(version.get("rel"), "release", ""),
        ),
        architecture=check_word(element.findtext(f"{_COMMON}arch"), "architecture", ""),
        file_class=class_of(
            PackageType.RPM, element.findtext(f"{_COMMON}name") or "", element.findtext(f"{_COMMON}arch") or ""
        ),
        mtime=int(text) if text.isascii() and text.isdigit() and len(text) <= 18 else None,
    )


# Debian


def packages(data: bytes) -> list[IndexEntry]:
    return [debian_entry(fields, "") for fields in _stanzas(data)]


def _stanzas(data: bytes) -> Iterator[dict[str, str]]:
    fields: dict[str, str] = {}
    name = ""
    for line in (line.decode("utf-8", "surrogateescape").rstrip("\r") for line in data.split(b"\n")):
        if not line.strip():
            if fields:
                yield fields
            fields, name = {}, ""
        elif line[0] in " \t":
            if not name:
                raise IntegrityError("continues nothing")
        else:
            name, colon, value = line.partition(":")
            name = name.lower()
            if not colon or name in fields:
                raise IntegrityError("no field, or twice")
            if name in _FIELDS:
                fields[name] = value.strip()
    if fields:
        yield fields
