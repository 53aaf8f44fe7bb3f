"""What makes two files, two rows, or a row and a file the same package: their metadata, whatever they are called."""

from pkgsync.model import IndexedFile, PackageType, Row
from pkgsync.model.filename import SOURCES, FileClass, canonical, class_of, parse

Identity = tuple[str, str, str]
"""Type, name and architecture: what has versions."""
NameKey = tuple[str, bool, str]
"""Type, whether it is a source package, and name: a source package is another one than its binaries."""

_SOURCE_ENDS = tuple(f"{mark}{source}{end}" for source in SOURCES for mark, end in ((".", ".rpm"), ("_", ".deb")))


def identity_of(package: IndexedFile | Row) -> Identity:
    return package.type, package.name, architecture_of(package)


def name_key(package: IndexedFile | Row) -> NameKey:
    return package.type, is_source(package), package.name


def architecture_of(package: IndexedFile | Row) -> str:
    """Empty where it is not known.

    The header of a source rpm holds the architecture that it was made on, so the name of its row tells better.
    """
    if isinstance(package, IndexedFile):
        return package.architecture
    if package.architecture and not package.filename.endswith(_SOURCE_ENDS):
        return package.architecture
    parsed = parse(package.filename)
    return parsed.architecture if parsed else package.architecture or ""


def is_source(package: IndexedFile | Row) -> bool:
    if isinstance(package, IndexedFile):
        return package.file_class is FileClass.SOURCE
    return architecture_of(package) in SOURCES


def class_in(row: Row) -> FileClass:
    return class_of(row.type, row.name, architecture_of(row))


def place_of(package: IndexedFile | Row) -> str:
    """The one name that package and Packagecloud have for it: there is room for one file. Empty where it is unknown.

    The epoch is not part of it.
    """
    version, architecture = version_of(package), architecture_of(package)
    known = version and architecture
    return canonical(package.type, package.name, version, architecture) if known else ""


def version_of(package: IndexedFile | Row) -> str:
    """Version and release without epoch; empty where they are not known."""
    if isinstance(package, IndexedFile):
        return package.version.without_epoch
    if not package.version or (not package.release and package.type == PackageType.RPM):
        return ""
    return f"{package.version}-{package.release}" if package.release else package.version


def contradiction(row: Row) -> str | None:
    """How the row's fields contradict a name that reads like one of a package manager."""
    parsed = parse(row.filename)
    if parsed is None:
        return None
    said = (row.name, version_of(row), architecture_of(row))
    named = (parsed.name, parsed.version, parsed.architecture)
    if said == named:
        return None
    odd = next(((a, b) for a, b in zip(said, named, strict=True) if a and a != b), None)
    return f"its name says {odd[1]} where Packagecloud says {odd[0]}" if odd else None
