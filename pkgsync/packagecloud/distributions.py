"""The live distributions of Packagecloud: names, numeric ids, and help for a name that does not exist.

Source: https://packagecloud.io/docs/api, distributions; README.md, "Distributions". Ids are never hard-coded; names are
matched exactly.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from pkgsync.errors import MappingError, MappingProblem, ReadError
from pkgsync.model import SYNCED_TYPES, Distribution
from pkgsync.packagecloud import documents
from pkgsync.packagecloud.documents import text

_WHAT = "distributions.json"
_NOT_LIVE = "Check that packagecloud.url in the config is a Packagecloud server: reading it again will not help."
# what Packagecloud has no place for: no near name would be right
_NEVER = re.compile(r"tumbleweed|factory|slowroll|microos|\barch|mageia|openmandriva", re.IGNORECASE)
# for the advice only; a guess never decides where a package goes
_FAMILIES = {
    "alma": "el",
    "almalinux": "el",
    "centos": "el",
    "redhat": "el",
    "rhel": "el",
    "rocky": "el",
    "rockylinux": "el",
    "amzn": "amazon",
    "leap": "opensuse",
    "oracle": "ol",
    "oraclelinux": "ol",
    "sle": "sles",
    "suse": "sles",
    "xubuntu": "ubuntu",
}


def parse(body: bytes) -> tuple[Distribution, ...]:
    """All rpm and deb distributions. Raises ReadError for an answer that could not be trusted with an upload."""
    document = documents.parse(body, _WHAT)
    if not isinstance(document, Mapping) or not any(document.get(kind) for kind in SYNCED_TYPES):
        raise ReadError("Packagecloud's distributions.json lists neither rpm nor deb distributions.", tip=_NOT_LIVE)
    found = tuple(one for kind in sorted(SYNCED_TYPES) for one in _of_type(kind, document.get(kind) or []))
    names = {(one.type, one.name): one.id for one in found}
    # an upload takes the id alone: the wrong one puts the file into another distribution
    if any(names[one.type, one.name] != one.id for one in found):
        raise ReadError("Packagecloud's distributions.json gives one distribution two ids.", tip=_NOT_LIVE)
    return found


def _of_type(kind: str, entries: Any) -> Iterable[Distribution]:
    for entry in _list_of_maps(entries):
        distro = text(entry.get("index_name"))
        for version in _list_of_maps(entry.get("versions")):
            name, number, identity = text(version.get("index_name")), version.get("version_number"), version.get("id")
            # README.md, "Distributions": both names can be null
            if distro is None or name is None:
                continue
            if not isinstance(identity, int) or isinstance(identity, bool) or identity <= 0:
                words = f"Packagecloud's distributions.json has no usable id for {distro}/{name}."
                raise ReadError(words, tip=_NOT_LIVE)
            aliases = tuple(f"{distro}/{written}" for written in _numbers(text(number)) if written != name)
            yield Distribution(type=kind, name=f"{distro}/{name}", id=identity, aliases=aliases)


def _numbers(number: str | None) -> tuple[str, ...]:
    """How people write a version number: Packagecloud's 12.0 of Debian is 12 to them."""
    if number is None:
        return ()
    return (number, number.removesuffix(".0")) if number.endswith(".0") else (number,)


def _list_of_maps(value: Any) -> list[Mapping[str, Any]]:
    if not isinstance(value, list) or not all(isinstance(item, Mapping) for item in value):
        raise ReadError("Packagecloud's distributions.json is not built as documented.", tip=_NOT_LIVE)
    return value


def ids(known: Iterable[Distribution]) -> dict[tuple[str, str], int]:
    """(package type, distribution) to the numeric id that an upload takes."""
    return {(one.type, one.name): one.id for one in known}


def check(targets: Iterable[str], known: Iterable[Distribution]) -> None:
    """Raise MappingError unless every target exists under exactly this name; it says what to write instead."""
    if wrong := unknown(targets, known):
        raise MappingError(wrong)


def unknown(targets: Iterable[str], known: Iterable[Distribution]) -> tuple[MappingProblem, ...]:
    """The targets that do not exist under exactly this name. Who knows the config knows their place."""
    known = tuple(known)
    names = {one.name for one in known}
    return tuple(
        MappingProblem("", f"Packagecloud has no distribution {target!r}.", _advice(target, known), target)
        for target in sorted(set(targets) - names)
    )


def check_ids(targets: Iterable[str], ids: Mapping[tuple[str, str], int]) -> None:
    """As :func:`check`, where only the ids are known."""
    check(targets, (Distribution(type=kind, name=name, id=number) for (kind, name), number in ids.items()))


def _advice(target: str, known: tuple[Distribution, ...]) -> str:
    if _NEVER.search(target):
        return "It does not exist there: map the OBS repository to null."
    names = {one.name for one in known}
    by_alias = {alias: one.name for one in known for alias in one.aliases}
    distro, _, version = target.casefold().partition("/")
    likely = f"{_FAMILIES.get(distro, distro)}/{version}"
    written = next((by_alias.get(name, name) for name in (target, likely) if name in by_alias or name in names), None)
    if written:
        return f"Write {written}."
    from difflib import get_close_matches  # here, as only a mistake needs it

    near = get_close_matches(likely, sorted(names), n=4, cutoff=0.6)
    if not near:
        return "See the list of supported distributions in Packagecloud's documentation."
    return f"Nearest known: {', '.join(near)}. New releases appear there with a lag; null skips an OBS repository."
