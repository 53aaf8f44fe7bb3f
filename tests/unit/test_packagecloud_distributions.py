"""distributions.json: live ids, exact names, and help for names that do not exist."""

import json
from typing import Any

import pytest

from pkgsync.errors import ConfigError, ReadError
from pkgsync.model import Distribution
from pkgsync.packagecloud import distributions


def version(identity: Any, name: str | None, number: str | None = None) -> dict[str, Any]:
    return {"id": identity, "display_name": "x", "index_name": name, "version_number": number}


def distro(name: str | None, *versions: dict[str, Any]) -> dict[str, Any]:
    return {"display_name": "x", "index_name": name, "versions": list(versions)}


LIVE = {
    "deb": [
        distro("ubuntu", version(237, "jammy", "22.04"), version(284, "noble", "24.04")),
        distro(
            "debian",
            version(215, "bookworm", "12.0"),
            version(149, "stretch", "9.0"),
            {"id": 280, "index_name": "forky"},
        ),
        distro("any", version(35, "any")),
    ],
    "dsc": [distro("ubuntu", version(237, "jammy", "22.04"))],
    "rpm": [
        distro("opensuse", version(272, "15.5", "15.5"), version(282, "15.6", "15.6")),
        distro("el", version(140, "7", "7"), version(240, "9", "9")),
        distro("sles", version(296, "15.6", "15.6")),
        distro("rpm_any", version(227, "rpm_any")),
        distro("odd", version(1, None, "1"), {"id": 3, "display_name": "x"}),
        distro(None, version(2, "x", "1")),
    ],
    "py": [distro("python", {"id": 166, "display_name": "x"})],
    "node": {"unknown": "shape"},
    "helm": None,
}


def parse(document: object) -> tuple[Distribution, ...]:
    return distributions.parse(json.dumps(document).encode())


KNOWN = parse(LIVE)


def test_ids_by_type_and_exact_name() -> None:
    assert distributions.ids(KNOWN) == {
        ("deb", "any/any"): 35,
        ("deb", "debian/bookworm"): 215,
        ("deb", "debian/forky"): 280,
        ("deb", "debian/stretch"): 149,
        ("deb", "ubuntu/jammy"): 237,
        ("deb", "ubuntu/noble"): 284,
        ("rpm", "el/7"): 140,
        ("rpm", "el/9"): 240,
        ("rpm", "opensuse/15.5"): 272,
        ("rpm", "opensuse/15.6"): 282,
        ("rpm", "rpm_any/rpm_any"): 227,
        ("rpm", "sles/15.6"): 296,
    }


@pytest.mark.parametrize(
    "document",
    [
        [],
        {},
        None,
        {"py": LIVE["py"]},
        {"rpm": [], "deb": []},
        {"rpm": {"opensuse": {}}},
        {"rpm": ["opensuse"]},
        {"rpm": [distro("el")], "deb": "x"},
        {"rpm": [{"index_name": "el"}]},
        {"rpm": [{"index_name": "el", "versions": {"9": 240}}]},
        {"rpm": [distro("el", version(None, "9"))]},
        {"rpm": [distro("el", version("240", "9"))]},
        {"rpm": [distro("el", version(True, "9"))]},
        {"rpm": [distro("el", version(0, "9"))]},
        {"rpm": [distro("el", version(240, "9"), version(241, "9"))]},
    ],
)
def test_an_answer_that_no_upload_should_trust(document: object) -> None:
    with pytest.raises(ReadError, match=r"distributions\.json") as caught:
        parse(document)
    assert caught.value.tip == (
        "Check that packagecloud.url in the config is a Packagecloud server: reading it again will not help."
    )


def test_known_targets_pass() -> None:
    distributions.check(["opensuse/15.6", "ubuntu/jammy", "any/any", "debian/forky"], KNOWN)


@pytest.mark.parametrize(
    ("target", "tip"),
    [
        ("ubuntu/22.04", "Write ubuntu/jammy."),
        ("xubuntu/22.04", "Write ubuntu/jammy."),
        ("Ubuntu/Jammy", "Write ubuntu/jammy."),
        ("debian/12", "Write debian/bookworm."),
        ("debian/12.0", "Write debian/bookworm."),
        ("Debian/9", "Write debian/stretch."),
        ("centos/7", "Write el/7."),
        ("rocky/9", "Write el/9."),
        ("leap/15.6", "Write opensuse/15.6."),
        ("sle/15.6", "Write sles/15.6."),
        ("opensuse/tumbleweed", "It does not exist there: map the OBS repository to null."),
        ("openSUSE/Factory", "It does not exist there: map the OBS repository to null."),
        ("arch/latest", "It does not exist there: map the OBS repository to null."),
        ("zzz/9999", "See the list of supported distributions in Packagecloud's documentation."),
    ],
)
def test_a_wrong_target_is_told_what_to_write(target: str, tip: str) -> None:
    with pytest.raises(ConfigError) as caught:
        distributions.check(["el/9", target], KNOWN)
    assert caught.value.message == f"Packagecloud has no distribution {target!r}."
    assert caught.value.tip == tip


@pytest.mark.parametrize("target", ["opensuse/15.7", "opensuse/15", "opensuse", "openSUSE/15.6-1"])
def test_the_nearest_names_are_given(target: str) -> None:
    with pytest.raises(ConfigError) as caught:
        distributions.check([target], KNOWN)
    assert "opensuse/15.6" in caught.value.tip


def test_part_of_a_name_is_not_the_name() -> None:
    for target in ("opensuse/15.", "buntu/jammy", "el/", "/9", ""):
        with pytest.raises(ConfigError):
            distributions.check([target], KNOWN)
