"""Which scheduler of OBS builds files of which architecture."""

from collections.abc import Collection

from pkgsync.model.filename import parse

INDEPENDENT = frozenset({"noarch", "all"})

# Scheduler architecture -> architectures in its rpm and deb file names (obs/README.md, "Architectures").
# i586 schedulers also export x86_64 files (-32bit).
_FILE_ARCHITECTURES: dict[str, frozenset[str]] = {
    "x86_64": frozenset({"x86_64", "amd64"}),
    "i586": frozenset({"i386", "i486", "i586", "i686", "x86_64"}),
    "i686": frozenset({"i386", "i486", "i586", "i686", "x86_64"}),
    "aarch64": frozenset({"aarch64", "arm64"}),
    "armv7l": frozenset({"armv7l", "armv7hl", "armhf"}),
    "armv6l": frozenset({"armv6l", "armv6hl", "armel"}),
    "ppc64le": frozenset({"ppc64le", "ppc64el"}),
    "loongarch64": frozenset({"loongarch64", "loong64"}),
}


def _file_architectures(scheduler: str) -> frozenset[str]:
    return _FILE_ARCHITECTURES.get(scheduler, frozenset({scheduler}))


def wanted_architecture(filename: str, wanted: Collection[str] | None) -> bool:
    """Whether the ``architectures`` filter of a project lets the file through; noarch and all always pass."""
    if wanted is None:
        return True
    parsed = parse(filename)
    if parsed is None or parsed.architecture in INDEPENDENT:
        return True
    return any(parsed.architecture in _file_architectures(name) or parsed.architecture == name for name in wanted)


def schedulers_of(architecture: str, schedulers: Collection[str]) -> tuple[str, ...]:
    """The scheduler architectures that can build a file of ``architecture``; all of them when that is not certain."""
    if architecture in INDEPENDENT:
        return tuple(schedulers)
    own = tuple(name for name in schedulers if architecture in _file_architectures(name))
    return own or tuple(schedulers)
