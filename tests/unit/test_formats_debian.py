"""Release and Packages as dpkg-scanpackages and the OBS publisher write them, and what must not pass for them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pkgsync.errors import IntegrityError
from pkgsync.formats.debian import parse_packages, parse_release, parse_top, signed_text
from pkgsync.formats.index_entries import IndexEntry, Pointer
from pkgsync.formats.sums import Checksum, Stated
from pkgsync.model import PackageType, Version
from pkgsync.model.filename import FileClass

PLAIN = "b7f1d7503ec95273fa2259dd09d912c78ef9839591f293487b78f5f59d90eb34"
PACKED = "de4bc170c30a9dc8b67d8345adae172c4f0b9ee9594702b24a84715ae1d8b1e6"
RELEASE = f"""Archive: xUbuntu_22.04
Codename: xUbuntu_22.04
Origin: obs://real-obs.test/demo:release/xUbuntu_22.04
Architectures: amd64 arm64
Date: Sun Nov 22 12:53:08 2026
Description: Demo release project (xUbuntu_22.04)
MD5Sum:
 b5b52b4306d9a1b97f1e302994a8648e 3578 Packages
 dfbd810d487d339f72f243a67895f18d 1230 Packages.gz
SHA1:
 02d2cffaa3e284d77d76c2d7451d74bb752591db 3578 Packages
 a8fe7c81fbf162263a0f95ae7c3387292d9c05b4 1230 Packages.gz
SHA256:
 {PLAIN} 3578 Packages
 {PACKED} 1230 Packages.gz
 114cdf51e0af4743373528df8aa6cd42238b60d3239e74126c5747acfff59a3d 2053 Sources
"""
STANZA = """Package: hello-tool
Version: 1:1.2~rc1-3ubuntu1
Architecture: amd64
Maintainer: Demo Packager <demo@example.invalid>
Filename: ./amd64/hello-tool_1.2~rc1-3ubuntu1_amd64.deb
Size: 812
MD5sum: bf9a23cf7d4f7fe4d84fae86ff609066
SHA256: a23ef169d87a6d436ff4ee6a9f01cfcef6521a5c6d978f339bf2ab3f9c684f7b
Description: demo tool
 Package: a line that looks like a field
 .
 More.
"""


def packages(text: str) -> list[IndexEntry]:
    return list(parse_packages([text.encode()], "Packages"))


def test_the_release_lists_packages() -> None:
    assert parse_top(RELEASE.encode(), "Release") == Pointer(
        path="Packages.gz",
        packed=Stated(1230, Checksum("sha256", PACKED)),
        unpacked=Stated(3578, Checksum("sha256", PLAIN)),
        revision=None,
        origin="obs://real-obs.test/demo:release/xUbuntu_22.04",
    )


@pytest.mark.parametrize(
    ("date", "seconds"),
    [
        ("Sun, 22 Nov 2026 12:53:08 UTC", 1795351988),
        ("Sun, 22 Nov 2026 13:53:08 +0100", 1795351988),
        ("Sun Nov 22 12:53:08 2026", None),
        ("yesterday", None),
        ("", None),
    ],
)
def test_the_date_in_other_forms(date: str, seconds: int | None) -> None:
    text = RELEASE.replace("Sun Nov 22 12:53:08 2026", date)
    assert parse_top(text.encode(), "Release").revision == seconds


def test_a_plain_list_and_weaker_sums_do_where_there_is_nothing_better() -> None:
    text = "SHA1:\n a8fe7c81fbf162263a0f95ae7c3387292d9c05b4 1230 ./Packages\n"
    stated = Stated(1230, Checksum("sha1", "a8fe7c81fbf162263a0f95ae7c3387292d9c05b4"))
    assert parse_top(text.encode(), "Release") == Pointer(
        path="Packages", packed=stated, unpacked=stated, revision=None
    )


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n",
        "Date: Sun Nov 22 12:53:08 2026\n",
        RELEASE.replace("Packages", "Parcels"),
        RELEASE[:-1],
        RELEASE[: RELEASE.index(PACKED) + 10] + "\n",
        RELEASE[: RELEASE.index(PLAIN)],
        RELEASE.replace(PACKED, PACKED[:-1] + "x"),
        RELEASE.replace(f"{PACKED} 1230", f"{PACKED} -1"),
        RELEASE + "SHA256:\n",
        RELEASE + f" {PLAIN} 99 Packages.gz\n",
        RELEASE + "\nMore: stanzas\n",
        " continuation\n" + RELEASE,
        "<status><summary>no</summary></status>\n",
    ],
)
def test_an_odd_release_is_refused(text: str) -> None:
    with pytest.raises(IntegrityError):
        parse_top(text.encode(), "Release")


def test_a_package_of_a_list() -> None:
    entry = IndexEntry(
        path="amd64/hello-tool_1.2~rc1-3ubuntu1_amd64.deb",
        size=812,
        checksum=Checksum("sha256", "a23ef169d87a6d436ff4ee6a9f01cfcef6521a5c6d978f339bf2ab3f9c684f7b"),
        type=PackageType.DEB,
        name="hello-tool",
        version=Version(1, "1.2~rc1", "3ubuntu1"),
        architecture="amd64",
        file_class=FileClass.PACKAGE,
    )
    assert packages(STANZA) == [entry]
    assert packages("\n" + STANZA.replace("\n", "\r\n") + "\n\n" + STANZA) == [entry, entry]


@pytest.mark.parametrize(
    ("written", "version"),
    [
        ("1.2", Version(0, "1.2")),
        ("1.2-1", Version(0, "1.2", "1")),
        ("2:1-2-3", Version(2, "1-2", "3")),
        ("0:1.0+git:5-1", Version(0, "1.0+git:5", "1")),
    ],
)
def test_versions_are_split_as_debian_does(written: str, version: Version) -> None:
    (entry,) = packages(STANZA.replace("1:1.2~rc1-3ubuntu1\nArch", f"{written}\nArch"))
    assert entry.version == version


def test_without_sha256_the_best_other_sum_counts() -> None:
    text = STANZA.replace("SHA256: a23ef169d87a6d436ff4ee6a9f01cfcef6521a5c6d978f339bf2ab3f9c684f7b\n", "")
    (entry,) = packages(text)
    assert entry.checksum == Checksum("md5", "bf9a23cf7d4f7fe4d84fae86ff609066")


@pytest.mark.parametrize("field", ["Package", "Version", "Architecture", "Filename", "Size"])
def test_a_package_that_lacks_a_field_is_refused(field: str) -> None:
    with pytest.raises(IntegrityError):
        packages(
            STANZA.replace(f"\n{field}:", "\nOther:") if field != "Package" else STANZA.replace("Package: h", "P: h")
        )


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("Filename: ./", "Filename: ../"),
        ("Filename: ./", "Filename: /"),
        ("Filename: ./amd64", "Filename: ./amd64/../.."),
        ("Filename: ./", "Filename: https://evil.example.org/"),
        ("Filename: ./amd64/", "Filename: ./amd64/\x1b"),
        ("Filename: ./amd64/", "Filename: ./amd64/\u202e"),
        ("Size: 812", "Size: many"),
        ("Size: 812", "Size: 812\nSize: 813"),
        ("SHA256: a23", "SHA256: z23"),
        ("Version: 1:", "Version: one:"),
        ("Size: 812", "Size 812"),
    ],
)
def test_an_odd_package_is_refused(old: str, new: str) -> None:
    with pytest.raises(IntegrityError):
        packages(STANZA.replace(old, new))


@given(st.integers(1, 200), st.integers(0, 3))
def test_pieces_of_any_size_give_the_same_packages(size: int, more: int) -> None:
    data = (STANZA + "\n" * (more + 1) + STANZA).encode()
    pieces = [data[n : n + size] for n in range(0, len(data), size)]
    assert [e.version for e in parse_packages(pieces, "Packages")] == [Version(1, "1.2~rc1", "3ubuntu1")] * 2


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ("", FileClass.PACKAGE),
        ("Section: utils\n", FileClass.PACKAGE),
        ("Section: universe/debug\n", FileClass.DEBUG),
        ("Package-Type: ddeb\n", FileClass.DEBUG),
        ("Package-Type: udeb\n", FileClass.INSTALLER),
        ("Section: debian-installer\n", FileClass.INSTALLER),
    ],
)
def test_the_class_is_that_of_the_control_file(fields: str, expected: FileClass) -> None:
    (entry,) = packages(fields + STANZA)
    assert entry.file_class is expected


SUITE = f"""Origin: packagecloud.io/me/stable
Codename: jammy
Date: Sun, 22 Nov 2026 12:53:08 UTC
Architectures: amd64 arm64
Components: main
SHA256:
 {PLAIN} 3578 main/binary-amd64/Packages
 {PACKED} 1230 main/binary-amd64/Packages.gz
 {PACKED} 1230 main/binary-arm64/Packages.gz
 {PLAIN} 3578 main/i18n/Translation-en
"""


def test_the_release_of_a_suite_has_a_list_for_each_architecture() -> None:
    release = parse_release(SUITE.encode(), "Release")
    assert release.revision == 1795351988
    assert release.packages("main/binary-amd64/") == Pointer(
        path="main/binary-amd64/Packages.gz",
        packed=Stated(1230, Checksum("sha256", PACKED)),
        unpacked=Stated(3578, Checksum("sha256", PLAIN)),
        revision=1795351988,
        origin="packagecloud.io/me/stable",
    )
    arm = release.packages("main/binary-arm64/")
    assert arm and arm.unpacked == Stated()
    assert release.packages("main/binary-i386/") is None
    assert release.packages() is None


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_the_text_of_a_signed_release_stands_between_the_lines_of_its_signature(end: str) -> None:
    lines = ["-----BEGIN PGP SIGNED MESSAGE-----", "Hash: SHA512", "", "Origin: me", "- -----BEGIN: dashes", "- - more"]
    whole = end.join([*lines, "-----BEGIN PGP SIGNATURE-----", "", "abcd", "-----END PGP SIGNATURE-----", ""])
    text = end.join(["Origin: me", "-----BEGIN: dashes", "- more", ""])
    assert signed_text(whole.encode(), "InRelease") == text.encode()


@pytest.mark.parametrize(
    "text",
    [
        b"",
        SUITE.encode(),
        b"-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\nOrigin: me\n",
        b"Origin: you\n-----BEGIN PGP SIGNED MESSAGE-----\n\nOrigin: me\n-----BEGIN PGP SIGNATURE-----\n",
    ],
)
def test_no_other_text_passes_for_a_signed_one(text: bytes) -> None:
    with pytest.raises(IntegrityError, match="InRelease: it is no signed Release file"):
        signed_text(text, "InRelease")
