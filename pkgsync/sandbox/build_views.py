"""Views of /build that servers and osc read: the versions of built packages, and the pool that builds depend on.

Fields as src/backend/bs_repserver and obs-build's queryhdrmd5 make them.
"""

from collections.abc import Iterable, Mapping
from xml.etree import ElementTree as ET

from .headers import CorruptPackageError, content_sums, read_header
from .obs_world import ArchState, BuiltFile

POOL = "_repository"


def versions(files: Mapping[str, BuiltFile]) -> ET.Element:
    """The `<binaryversionlist>` of one package: its rpms and debs, whose headers tell."""
    root = ET.Element("binaryversionlist")
    for name, file in sorted(files.items()):
        if name.endswith((".rpm", ".deb")):
            size = str((file.artifact.blob.size + 512) >> 10)
            ET.SubElement(root, "binary", {"name": name, "sizek": size} | _sums(file))
    return root


def package_versions(packages: Mapping[str, Mapping[str, BuiltFile]], wanted: Iterable[str]) -> ET.Element:
    """The `<packagebinaryversionlist>` of the packages with files, or of those `wanted`."""
    root = ET.Element("packagebinaryversionlist")
    names = set(wanted) or packages.keys()
    for name in sorted(names & {name for name, files in packages.items() if files}):
        found = versions(packages[name])
        found.set("package", name)
        root.append(found)
    return root


def pool(arch: ArchState) -> dict[str, BuiltFile]:
    """What other builds may use: one NAME.rpm or NAME.deb of each name, no sources and no debug packages."""
    found: dict[str, BuiltFile] = {}
    for package in arch.packages.values():
        for filename, file in package.files.items():
            if filename.endswith((".rpm", ".deb")) and not filename.endswith("src.rpm"):
                with file.artifact.blob.open() as stream:
                    header = read_header(stream)
                if not header.name.endswith(("-debuginfo", "-debugsource", "-dbgsym")):
                    found[f"{header.name}.{header.kind}"] = file
    return found


def _sums(file: BuiltFile) -> dict[str, str]:
    with file.artifact.blob.open() as stream:
        try:
            return content_sums(stream)
        except CorruptPackageError:
            return {}
