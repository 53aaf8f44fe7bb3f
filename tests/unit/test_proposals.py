"""Where a repository belongs: the usual names (tests/data/mapping.tsv, each with its source), and what contradicts."""

from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from pkgsync.config import load
from pkgsync.model import Distribution, PackageType
from pkgsync.proposals import ConfigHead, Live, Proposal, Seen, config_text, is_base, propose, together

FACTS = [
    line.split("\t")
    for line in (Path(__file__).parents[1] / "data" / "mapping.tsv").read_text().splitlines()
    if not line.startswith("#")
]
RPM, DEB = PackageType.RPM, PackageType.DEB
UBUNTU = """14.04 trusty 16.04 xenial 18.04 bionic 20.04 focal 20.10 groovy 21.04 hirsute 21.10 impish 22.04 jammy
    23.10 mantic 24.04 noble 24.10 oracular 25.04 plucky 25.10 questing 26.04 resolute"""
DEBIAN = "7.0 wheezy 8.0 jessie 9.0 stretch 10.0 buster 11.0 bullseye 12.0 bookworm 13.0 trixie"
NUMBERS = {
    "el": "5 6 7 8 9 10",
    "fedora": " ".join(map(str, range(14, 45))),
    "opensuse": "13.1 13.2 42.1 42.2 42.3 15.0 15.1 15.2 15.3 15.4 15.5 15.6 16.0",
    "sles": "11.4 12.0 12.1 12.2 12.3 12.4 12.5 15.0 15.1 15.2 15.3 15.4 15.5 15.6 15.7 16.0",
    "scientific": "6 7",
    "ol": "5 6 7 8 9 10",
    "amazon": "1 2 2023",
    "rpm_any": "rpm_any",
}
DEBS = ["debian/forky", "any/any", "linuxmint/wilma", "linuxmint/virginia"]


def code_names(distro: str, text: str) -> list[Distribution]:
    words = text.split()
    return [
        Distribution(
            type="deb", name=f"{distro}/{name}", id=1, aliases=(f"{distro}/{n}", f"{distro}/{n.removesuffix('.0')}")
        )
        for n, name in zip(words[::2], words[1::2], strict=True)
    ]


LIVE = Live.of(
    [
        *code_names("ubuntu", UBUNTU),
        *code_names("debian", DEBIAN),
        *code_names("raspbian", DEBIAN),
        *(Distribution(type="deb", name=name, id=1) for name in DEBS),
        *(Distribution(type="rpm", name=f"{d}/{n}", id=1) for d, text in NUMBERS.items() for n in text.split()),
    ]
)


def told(proposal: Proposal) -> str:
    """As in the file of facts."""
    if proposal.open:
        return f"?{','.join(sorted(proposal.candidates))}"
    return ",".join(proposal.targets) or "-"


@pytest.mark.parametrize(
    ("repository", "base", "expected"),
    [pytest.param(*row[1:4], id=f"{row[0]}-{row[1]}-{row[2]}") for row in FACTS],
)
def test_the_usual_names(repository: str, base: str, expected: str) -> None:
    assert told(propose(Seen(repository=repository, base=base or None), LIVE)) == expected


def test_all_of_the_facts_are_there() -> None:
    assert {int(row[0]) for row in FACTS} == set(range(1, 99))


@pytest.mark.parametrize(
    ("seen", "expected", "reason"),
    [
        # names are free text
        (Seen(repository="Fedora_44", base="Fedora:Rawhide"), "?fedora/44", "built for Fedora:Rawhide, but its name"),
        (Seen(repository="15.6", base="Ubuntu:22.04"), "?opensuse/15.6,sles/15.6,ubuntu/jammy", "its name says"),
        (Seen(repository="openSUSE_Tumbleweed", base="openSUSE:Leap:15.6"), "?opensuse/15.6", "its name says"),
        (Seen(repository="SLFO-main", base="SUSE:SLFO:Main"), "?opensuse/16.0,sles/16.0", "its name says"),
        (Seen(repository="stable", base="Debian:12"), "debian/bookworm", "built for Debian:12"),
        (Seen(repository="SLE_15_SP6", base="openSUSE:Backports:SLE-15-SP6"), "sles/15.6", "built for openSUSE:Back"),
        # end of life is said, and proposed all the same
        (
            Seen(repository="openSUSE_Leap_15.2", base="DISCONTINUED:openSUSE:Leap:15.2"),
            "opensuse/15.2",
            "built for DISCONTINUED:openSUSE:Leap:15.2, which is at its end of life",
        ),
        # another OBS has openSUSE's projects under a name of its own
        (Seen(repository="x", base="openSUSE.org:openSUSE:Leap:15.6"), "opensuse/15.6", "built for openSUSE.org:"),
        # what Packagecloud does not have: the nearest is named, and never taken
        (Seen(repository="Fedora_45"), "-", "Packagecloud has no fedora/45 (nearest: fedora/44"),
        (
            Seen(repository="15.7", base="openSUSE:Backports:SLE-15-SP7"),
            "sles/15.7",
            "Packagecloud has no opensuse/15.7",
        ),
        (Seen(repository="Debian_Testing"), "-", "perhaps debian/forky"),
        (Seen(repository="xUbuntu_24.04"), "ubuntu/noble", "also for linuxmint/wilma"),
        # the files decide whether it can be
        (Seen(repository="rpm", kinds=frozenset({RPM})), "?rpm_any/rpm_any", "neither its base project nor its name"),
        (Seen(repository="xUbuntu_22.04", kinds=frozenset({RPM})), "?rpm_any/rpm_any", "but it holds rpm files"),
        (Seen(repository="xUbuntu_22.04", kinds=frozenset({RPM, DEB})), "ubuntu/jammy", "by its name"),
        (Seen(repository="RHEL_9", other_files=True), "-", "holds neither rpm nor deb files"),
    ],
)
def test_what_decides(seen: Seen, expected: str, reason: str) -> None:
    found = propose(seen, LIVE)
    assert told(found) == expected
    assert reason in found.reason


WORDS = st.one_of(st.sampled_from([row[1] for row in FACTS]), st.sampled_from([row[2] for row in FACTS]), st.text())


@given(WORDS, WORDS, st.frozensets(st.sampled_from(PackageType)))
def test_whatever_it_is_called_only_what_packagecloud_has_is_proposed(
    repository: str, base: str, kinds: frozenset[PackageType]
) -> None:
    found = propose(Seen(repository=repository, base=base, kinds=kinds), LIVE)
    names = {one.name for one in LIVE.known}
    assert set(found.targets) | set(found.candidates) <= names
    assert not (found.open and found.targets)
    for target in found.targets:
        assert not kinds or LIVE.takes(target, kinds)


def test_who_wins_is_said_where_several_feed_one_distribution() -> None:
    names = ("CentOS_9_Stream", "openSUSE_Leap_15.6", "AlmaLinux_9", "RHEL_9")
    found = together(propose(Seen(repository=name), LIVE) for name in names)
    assert [one.reason.partition("; ")[2] for one in found] == [
        "",
        "",
        "of two files of one name that of CentOS_9_Stream is taken",
        "of two files of one name that of CentOS_9_Stream is taken",
    ]


@pytest.mark.parametrize(
    "project",
    ["openSUSE:Leap:15.6:Update", "Ubuntu:24.04", "SUSE:SLE-15-SP6:GA", "DISCONTINUED:Fedora:35", "Arch:Extra"],
)
def test_base_projects(project: str) -> None:
    assert is_base(project)


@pytest.mark.parametrize("project", ["openSUSE:Tools", "home:me:Ubuntu:24.04", "Ubuntu", "Archive:x", "Fedora:me"])
def test_what_is_somebody_s_own(project: str) -> None:
    assert not is_base(project)


HEAD = ConfigHead(
    api="https://api.opensuse.org",
    project="home:me",
    packagecloud_url="https://packagecloud.io",
    repository="me/stable",
)
PROPOSALS = [
    Proposal(repository="openSUSE_Leap_15.6", targets=("opensuse/15.6",), reason="built for openSUSE:Leap:15.6"),
    Proposal(repository="15.6", targets=("opensuse/15.6", "sles/15.6"), reason="built for openSUSE:Leap:15.6"),
    Proposal(repository="Fedora_44", candidates=("fedora/44",), reason="built for Fedora:Rawhide", open=True),
    Proposal(repository="rpm", reason="unknown", open=True),
    Proposal(repository="yes", reason="nobody knows"),
]
TEXT = """\
# yaml-language-server: $schema=config.schema.json
#
# Proposed by `pkgsync init`. Read it, and change what is wrong.
# `pkgsync plan` says what it means.
# For help in your editor: pkgsync schema config > config.schema.json
# No login belongs here: pkgsync takes it from the environment, from osc's
# oscrc and from ~/.packagecloud.

version: 1

obs:
  api: https://api.opensuse.org
  projects:
    - name: home:me

packagecloud:
  url: https://packagecloud.io
  repository: me/stable

distributions:  # OBS repository -> distribution, a list of them, or null: skip
  openSUSE_Leap_15.6: opensuse/15.6   # built for openSUSE:Leap:15.6
  "15.6": [opensuse/15.6, sles/15.6]  # built for openSUSE:Leap:15.6
  # Fedora_44: fedora/44              # one way
  Fedora_44: null                     # to decide: built for Fedora:Rawhide; skipped until you choose a line above instead
  rpm: null                           # to decide: unknown; skipped until you know better
  "yes": null                         # nobody knows

# Packagecloud holds these too. Nothing in the project is for them, so pkgsync
# never touches them:
#   debian/bookworm: 1 package
#   el/7: 20 packages

orphans: keep  # what OBS does not publish stays; `pkgsync audit` lists it
"""


def test_the_config_as_it_is_written(tmp_path: Path) -> None:
    path = tmp_path / "pkgsync.yaml"
    path.write_text(config_text(HEAD, PROPOSALS, {"el/7": 20, "debian/bookworm": 1}))
    assert path.read_text() == TEXT
    config = load(path, {})
    assert config.warnings == ()
    assert dict(config.obs.projects[0].distributions) == {
        "openSUSE_Leap_15.6": ("opensuse/15.6",),
        "15.6": ("opensuse/15.6", "sles/15.6"),
        "Fedora_44": None,
        "rpm": None,
        "yes": None,
    }


@pytest.mark.parametrize(
    "name", ["15.6", "on", "null", "1e3", "0x1", "~", "a: b", "- x", "é#", '"', "a" * 200, "2026-01-01"]
)
def test_any_name_is_read_back_as_it_was(name: str) -> None:
    text = config_text(HEAD, [Proposal(repository=name, targets=("el/9",), reason="x")], {})
    assert yaml.safe_load(text)["distributions"] == {name: "el/9"}
