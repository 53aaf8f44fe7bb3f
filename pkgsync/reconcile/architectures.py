"""Which scheduler of OBS builds packages of which architecture."""

from collections.abc import Collection, Mapping

from pkgsync.model.filename import SOURCES

INDEPENDENT = frozenset({"noarch", "all"})
ANY = ""
"""The architecture of a file that nothing tells it of: it may be each."""
_FROM_EACH = INDEPENDENT | SOURCES | {ANY}

# Scheduler architecture -> architectures of the packages that it is there for (obs/README.md, "Architectures").
_OWN: Mapping[str, frozenset[str]] = {
    "x86_64": frozenset({"x86_64", "amd64", "x86_64_v2", "x86_64_v3", "amd64v3"}),
    "i586": frozenset({"i386", "i486", "i586", "i686"}),
    "i686": frozenset({"i386", "i486", "i586", "i686"}),
    "aarch64": frozenset({"aarch64", "arm64"}),
    "armv7l": frozenset({"armv7l", "armv7hl", "armhf"}),
    "armv6l": frozenset({"armv6l", "armv6hl", "armel"}),
    "ppc64le": frozenset({"ppc64le", "ppc64el"}),
    "loongarch64": frozenset({"loongarch64", "loong64"}),
}
# What they build beside that: i586 exports x86_64 baselibs (-32bit), rpms of i686 come from x86_64 too.
_ALSO: Mapping[str, frozenset[str]] = {
    "x86_64": frozenset({"i686"}),
    "i586": frozenset({"x86_64"}),
    "i686": frozenset({"x86_64"}),
    "armv6l": frozenset({"armhf"}),
}
_NONE: frozenset[str] = frozenset()


def _own(scheduler: str) -> frozenset[str]:
    return _OWN.get(scheduler, _NONE) | {scheduler}


def _may_build(scheduler: str) -> frozenset[str]:
    return _own(scheduler) | _ALSO.get(scheduler, _NONE)


def wanted_architecture(architecture: str, wanted: Collection[str] | None, builders: Collection[str]) -> bool:
    """Whether the ``architectures`` filter of a project lets a package through that these schedulers have built.

    noarch and all always pass, what is of another architecture only if a wanted scheduler built it.
    """
    if wanted is None or architecture in INDEPENDENT:
        return True
    return any(architecture in _own(name) or name in builders for name in wanted)


def maybe_wanted(architecture: str, wanted: Collection[str] | None) -> bool:
    """Whether the filter may let a package through of which it is not known who built it."""
    if wanted is None or architecture in _FROM_EACH:
        return True
    return any(architecture in _may_build(name) for name in wanted)


def schedulers_of(architecture: str, shown: Mapping[str, Collection[str]]) -> tuple[str, ...]:
    """The schedulers that can build a package of ``architecture``; all of them when that is not certain.

    ``shown`` are the architectures of what each scheduler has built.
    """
    if architecture in _FROM_EACH:
        return tuple(shown)
    own = tuple(n for n in shown if architecture in _may_build(n) or architecture in shown[n] or ANY in shown[n])
    return own if any(architecture in _may_build(n) or architecture in shown[n] for n in own) else tuple(shown)
