"""The distributions that the embedded Packagecloud knows: some of the names and ids of the real one."""

from typing import Any

from attrs import frozen


@frozen(kw_only=True)
class Version:
    """One version of a distribution. What is None of `index_name` and `number` is absent or null on the wire."""

    id: int
    display_name: str
    index_name: str | None
    number: str | None


def _rpm(title: str, **ids: int) -> list[Version]:
    numbers = {name.strip("v").replace("_", "."): value for name, value in ids.items()}
    return [
        Version(id=value, display_name=f"{title} {number}", index_name=number, number=number)
        for number, value in numbers.items()
    ]


DEB: dict[str, list[Version]] = {
    "ubuntu": [
        Version(id=210, display_name="20.04 LTS Focal Fossa", index_name="focal", number="20.04"),
        Version(id=237, display_name="22.04 LTS Jammy Jellyfish", index_name="jammy", number="22.04"),
        Version(id=284, display_name="24.04 LTS Noble Numbat", index_name="noble", number="24.04"),
        Version(id=300, display_name="24.10 Oracular Oriole", index_name="oracular", number="24.10"),
    ],
    "debian": [
        Version(id=149, display_name="9 Stretch", index_name="stretch", number="9.0"),
        Version(id=150, display_name="10 Buster", index_name="buster", number="10.0"),
        Version(id=207, display_name="11 Bullseye", index_name="bullseye", number="11.0"),
        Version(id=215, display_name="12 Bookworm", index_name="bookworm", number="12.0"),
        Version(id=221, display_name="13 Trixie", index_name="trixie", number="13.0"),
        Version(id=280, display_name="14 Forky", index_name="forky", number=None),
    ],
    "any": [Version(id=35, display_name="Any", index_name="any", number=None)],
}
RPM: dict[str, list[Version]] = {
    "el": _rpm("Enterprise Linux", v7=140, v8=205, v9=240),
    "fedora": _rpm("Fedora", v39=279, v40=283, v41=302),
    "opensuse": _rpm("openSUSE", v15_3=224, v15_4=242, v15_5=272, v15_6=282),
    "sles": _rpm("SUSE Linux Enterprise Server", v12_5=213, v15_3=225, v15_4=243, v15_5=288, v15_6=296),
    "amazon": _rpm("Amazon Linux", v2023=276),
    "ol": _rpm("Oracle Linux", v9=244),
    "rpm_any": [Version(id=227, display_name="Any", index_name="rpm_any", number=None)],
}
OTHER: dict[str, list[Version]] = {"python": [Version(id=166, display_name="Python", index_name=None, number=None)]}
KINDS = {"deb": DEB, "rpm": RPM, "dsc": DEB, "py": OTHER}


def as_json() -> dict[str, list[dict[str, Any]]]:
    """The body of distributions.json: package kind -> distributions -> versions."""
    return {
        kind: [
            {"display_name": name.title(), "index_name": name, "versions": [_version(item) for item in versions]}
            for name, versions in distributions.items()
        ]
        for kind, distributions in KINDS.items()
    }


def find(version_id: int) -> tuple[str, str] | None:
    """The kind (rpm or deb) and the name, such as `opensuse/15.6`, of a distribution id."""
    for kind in ("rpm", "deb"):
        for name, versions in KINDS[kind].items():
            for version in versions:
                if version.id == version_id:
                    return kind, f"{name}/{version.index_name}"
    return None


def id_of(kind: str, distribution: str) -> int | None:
    """The id of a distribution, such as `opensuse/15.6`, for packages of `kind` rpm or deb."""
    name, _, version = distribution.partition("/")
    return next((item.id for item in KINDS[kind].get(name, []) if item.index_name == version), None)


def _version(item: Version) -> dict[str, Any]:
    shown = {"id": item.id, "display_name": item.display_name}
    if item.index_name is None and item.number is None:
        return shown
    return {**shown, "index_name": item.index_name, "version_number": item.number}
