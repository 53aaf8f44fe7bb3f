"""What the parsers are measured against: the same fields taken without any check, and the bare libraries."""

import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET
from xml.parsers import expat

_RPM = "{http://linux.duke.edu/metadata/common}"
_STANZA = re.compile(r"^(Package|Version|Architecture|Filename|Size|SHA256): (.*)$", re.MULTILINE)


def bare_expat(path: Path) -> int:
    """Read an XML file with one handler that counts."""
    count = 0

    def started(name: str, attributes: dict[str, str]) -> None:
        nonlocal count
        count += 1

    parser = expat.ParserCreate()
    parser.StartElementHandler = started
    with path.open("rb") as stream:
        parser.ParseFile(stream)
    return count


def result(path: Path) -> list[tuple[Any, ...]]:
    """The files of a ``_result``."""
    found: list[tuple[Any, ...]] = []
    where = package = ""
    for event, element in ET.iterparse(path, ("start", "end")):
        if event == "start":
            if element.tag == "result":
                where = f"{element.get('repository')}/{element.get('arch')}"
            elif element.tag == "binarylist":
                package = element.get("package", "")
        elif element.tag == "binary":
            size, mtime = int(element.get("size", "")), int(element.get("mtime", ""))
            found.append((where, package, element.get("filename"), size, mtime))
        elif element.tag in ("binarylist", "status"):
            element.clear()
    return found


def primary(path: Path) -> list[tuple[Any, ...]]:
    """The packages of a primary."""
    found: list[tuple[Any, ...]] = []
    for _, element in ET.iterparse(path):
        if element.tag == f"{_RPM}package":
            version, size = element.find(f"{_RPM}version"), element.find(f"{_RPM}size")
            location = element.find(f"{_RPM}location")
            assert version is not None and size is not None and location is not None
            texts = [element.findtext(f"{_RPM}{tag}") for tag in ("name", "arch", "checksum")]
            found.append((*texts, *version.attrib.values(), int(size.get("package", "")), location.get("href")))
            element.clear()
    return found


def packages(path: Path) -> list[dict[str, str]]:
    """The stanzas of a Packages file."""
    return [dict(_STANZA.findall(stanza)) for stanza in path.read_text().split("\n\n") if stanza]


def createrepo_c(path: Path) -> int:
    """The packages of a primary, by the C library that writes most of them."""
    import createrepo_c as library  # type: ignore[import-not-found,import-untyped,unused-ignore]

    count = 0

    def took(package: Any) -> None:
        nonlocal count
        count += 1

    library.xml_parse_primary(str(path), pkgcb=took, do_files=0)
    return count
