"""The two tables: what base projects and the usual names of OBS repositories mean on Packagecloud.

Sources: api.opensuse.org `/distributions` (name, base project and repository of each), the names in the sources of
openSUSE/software-o-o and openSUSE/obs-build, and Packagecloud's list of distributions. Packagecloud's `el` stands for
all rebuilds of RHEL; a service pack of SLE is the second part of the version there.
"""

import re
from collections.abc import Iterable

from msgspec import Struct

from pkgsync.model.desired import DISCONTINUED


class Guess(Struct, frozen=True):
    """What a name means: each ``distro/version``, none where Packagecloud has no such place; ``hints`` may fit too."""

    targets: tuple[str, ...]
    hints: tuple[str, ...] = ()


_NONE = Guess(())
# one repository serves openSUSE Leap and SUSE Linux Enterprise, which share their packages from 15 SP3 on
_LEAP_AND_SLE_15 = Guess(("opensuse/15.{0}", "sles/15.{0}"))
_LEAP_AND_SLE = Guess(("opensuse/{0}", "sles/{0}"))
_TESTING = Guess((), ("debian/forky",))
_SLE = r"(?:openSUSE:Backports:|SUSE:)SLE-"

_BASES = (
    (r"Ubuntu:(\d+\.\d+)", Guess(("ubuntu/{0}",))),
    (r"Debian:(\d+)(?:\.0)?", Guess(("debian/{0}",))),
    (r"Raspbian:(\d+)(?:\.0)?", Guess(("raspbian/{0}",))),
    (r"Fedora:(\d+)", Guess(("fedora/{0}",))),
    (r"(?:RedHat:RHEL-|CentOS:CentOS-|AlmaLinux:|RockyLinux:)(\d+)", Guess(("el/{0}",))),
    (r"ScientificLinux:(\d+)", Guess(("scientific/{0}",))),
    (r"openSUSE:Leap:(\d+\.\d+)", Guess(("opensuse/{0}",))),
    (r"openSUSE:(1[1-3]\.\d)", Guess(("opensuse/{0}",))),
    (rf"{_SLE}15-SP([3-9])", _LEAP_AND_SLE_15),
    (rf"{_SLE}(1[1-5])(?:[-:]SP(\d))?", Guess(("sles/{0}.{1}",))),
    (rf"{_SLE}(16\.\d)", _LEAP_AND_SLE),
    (r"SUSE:SLFO", Guess(("opensuse/16.0", "sles/16.0"))),
    (r"Debian:Testing", _TESTING),
    (r"openSUSE:(?:Factory|Tumbleweed|Slowroll|Leap:Micro)|Debian:(?:Next|Unstable)|Fedora:Rawhide", _NONE),
    (r"Mageia|Mandriva|Arch|Univention|openEuler|Alpine|IBM:PowerKVM|OBS:AppImage", _NONE),
)
_NAMES = (
    # Linux Mint reads Ubuntu's packages, and has names of its own
    (r"x?Ubuntu_(24\.04)", Guess(("ubuntu/{0}",), ("linuxmint/wilma",))),
    (r"x?Ubuntu_(22\.04)", Guess(("ubuntu/{0}",), ("linuxmint/virginia",))),
    (r"x?Ubuntu_(\d+\.\d+)", Guess(("ubuntu/{0}",))),
    (r"Debian_(\d+)(?:\.0)?", Guess(("debian/{0}",))),
    (r"Raspbian_(\d+)(?:\.0)?", Guess(("raspbian/{0}",))),
    (r"Fedora_(\d+)", Guess(("fedora/{0}",))),
    (r"(?:RHEL|CentOS|AlmaLinux|RockyLinux|Rocky|EPEL|EL)_(?:CentOS-)?(\d+)(?:_Stream)?", Guess(("el/{0}",))),
    (r"(?:OracleLinux|OEL)_(\d+)", Guess(("ol/{0}",))),
    (r"AmazonLinux_(\d+)", Guess(("amazon/{0}",))),
    (r"ScientificLinux_(\d+)", Guess(("scientific/{0}",))),
    (r"openSUSE_Leap_(\d+\.\d+)(?:_(?:ARM|PowerPC))?", Guess(("opensuse/{0}",))),
    (r"openSUSE_(1[1-3]\.\d)", Guess(("opensuse/{0}",))),
    (r"15\.([3-9])", _LEAP_AND_SLE_15),
    (r"(16\.\d)", _LEAP_AND_SLE),
    (r"SLE_(1[1-5])(?:_SP(\d))?(?:_Backports)?", Guess(("sles/{0}.{1}",))),
    (r"SLFO.*", Guess((), ("sles/16.0",))),
    (r"Debian_Testing", _TESTING),
    (r"openSUSE_(?:Tumbleweed|Slowroll|Factory|Leap_Micro)(?:_.+)?", _NONE),
    (r"Debian_(?:Unstable|Next)|Fedora_Rawhide", _NONE),
    (r"(?:Mageia|Mandriva|Arch|Univention|openEuler|Alpine|PowerKVM)(?:_.+)?", _NONE),
    (r"AppImage|images|containers|containerfile|helm|product", _NONE),
)


def of_base(project: str) -> Guess | None:
    """What is built for this base project, also one of openSUSE's OBS seen from another; None for any other project."""
    known = project.removeprefix(DISCONTINUED).removeprefix("openSUSE.org:")
    return _first(((f"(?:{pattern})(?::.+)?", guess) for pattern, guess in _BASES), known)


def of_name(repository: str) -> Guess | None:
    """What a repository of this name is usually for; None where the name tells nothing."""
    return _first(_NAMES, repository)


def is_base(project: str) -> bool:
    """Whether the project is a distribution to build for, and not somebody's own."""
    return of_base(project) is not None


def _first(rows: Iterable[tuple[str, Guess]], name: str) -> Guess | None:
    for pattern, guess in rows:
        if match := re.fullmatch(pattern, name):
            # no service pack is service pack 0
            parts = [part or "0" for part in match.groups()]
            return Guess(tuple(target.format(*parts) for target in guess.targets), guess.hints)
    return None
