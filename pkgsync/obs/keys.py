"""The keys that the config pins, and those that OBS offers to pin (README.md, "Signatures")."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from msgspec import Struct

from pkgsync.config import ObsProject
from pkgsync.formats.xml import children, in_pieces
from pkgsync.signatures import PublicKeys, day, key_file, public_keys

_GET_IT = "`pkgsync keys PROJECT -o FILE` writes the key that OBS offers."


def pinned(config: Path, projects: Sequence[ObsProject]) -> Mapping[str, PublicKeys]:
    """By project the keys of its ``signing_key``, a path relative to that of the ``config``. Raises ConfigError."""
    found: dict[str, PublicKeys] = {}
    read: dict[str, PublicKeys] = {}
    for project in projects:
        if (name := project.signing_key) is not None:
            if name not in read:
                what = f"{config}: the signing_key of {project.name}"
                read[name] = key_file(config.parent / name, what, _GET_IT)
            found[project.name] = read[name]
    return found


class OfferedKey(Struct, frozen=True, kw_only=True):
    """A key as OBS shows it: the server's own words, but for the fingerprint, which is that of the key itself.

    ``project`` is whose key it is, empty where OBS does not tell. ``expires`` is a day (UTC).
    """

    project: str
    armored: bytes
    fingerprint: str
    kind: str
    expires: str
    user: str


def parse_keyinfo(data: bytes, what: str) -> tuple[OfferedKey, ...]:
    """The public keys of a ``_keyinfo``; none: nothing is signed. Raises IntegrityError."""
    root, *parts = children(in_pieces(data), "keyinfo", what)
    found = []
    for part in parts:
        if part.tag == "pubkey":
            armored = (part.text or "").strip().encode() + b"\n"
            found.append(
                OfferedKey(
                    project=root.get("project", ""),
                    armored=armored,
                    fingerprint=public_keys(armored, what).fingerprints[0],
                    kind=f"{part.get('algo', '')} {part.get('keysize', '')}".strip(),
                    expires=_day(part.get("expires", "")),
                    user=part.get("userid", ""),
                )
            )
    return tuple(found)


def _day(seconds: str) -> str:
    plain = seconds.isascii() and seconds.isdigit() and len(seconds) <= 11
    return day(int(seconds)) if plain else ""
