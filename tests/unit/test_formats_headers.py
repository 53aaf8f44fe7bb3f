"""What rpm and deb files say of themselves, read without trust: real packages, and everything that can be wrong."""

import gzip
import io
import lzma
import os
import shutil
import struct
import subprocess
import tarfile
from pathlib import Path

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from pkgsync.errors import IntegrityError
from pkgsync.formats.headers import PackageHeader, read_package
from pkgsync.model import PackageType, Version
from pkgsync.sandbox import make_deb, make_rpm
from tests.support.watchdog import watchdog

RPM, DEB = make_rpm("hello", "1.0", epoch=2), make_deb("hello", "1.0~rc1", "2", epoch=3)
RPM_BYTES, DEB_BYTES = RPM.blob.read(), DEB.blob.read()
REAL = sorted(
    path for path in (Path(__file__).parents[2] / "pkgsync/sandbox/data").rglob("*") if path.suffix in (".rpm", ".deb")
)
CONTROL = b"Package: hello\nVersion: 1:2-3\nArchitecture: all\nDescription: x\n more\n"


def header(data: bytes, name: str, verify: bool = True) -> PackageHeader:
    return read_package(io.BytesIO(data), name, verify=verify)


def refused(data: bytes, name: str) -> str:
    with pytest.raises(IntegrityError) as caught:
        header(data, name)
    return caught.value.message


def test_the_parts_of_both() -> None:
    assert header(RPM_BYTES, RPM.filename) == PackageHeader(
        type=PackageType.RPM, name="hello", version=Version(2, "1.0", "1"), architecture="x86_64", signed=False
    )
    assert header(DEB_BYTES, DEB.filename) == PackageHeader(
        type=PackageType.DEB, name="hello", version=Version(3, "1.0~rc1", "2"), architecture="amd64"
    )


def test_a_source_package_is_called_so() -> None:
    source = make_rpm("hello", arch="src")
    assert header(source.blob.read(), source.filename).architecture == "src"


@pytest.mark.parametrize("path", REAL, ids=lambda path: f"{path.parts[-4]}-{path.name}")
def test_real_packages_say_what_their_names_say(path: Path) -> None:
    found = header(path.read_bytes(), path.name)
    version = f"{found.version.version}-{found.version.release}".rstrip("-")
    joined = "-{}.{}.rpm" if path.suffix == ".rpm" else "_{}_{}.deb"
    assert path.name == found.name + joined.format(version, found.architecture)


def test_as_many_real_packages_as_the_demo_has() -> None:
    assert len(REAL) == 89


@pytest.mark.parametrize("path", [p for p in REAL if p.name.startswith("netdemo")], ids=lambda path: path.name)
def test_the_epoch_is_that_of_the_index(path: Path) -> None:
    """The demo's entries were made by createrepo_c and dpkg-scanpackages."""
    entry = path.with_name(f"{path.name}.xml" if path.suffix == ".rpm" else f"{path.name}.stanza").read_text()
    epoch = header(path.read_bytes(), path.name).version.epoch
    assert (f'epoch="{epoch}"' in entry) if path.suffix == ".rpm" else (f"Version: {epoch}:" in entry)


@pytest.mark.skipif(shutil.which("rpm") is None, reason="needs rpm")
def test_real_rpms_say_what_rpm_says_of_them() -> None:
    paths = [path for path in REAL if path.suffix == ".rpm"]
    tags = "%{NAME} %{EPOCHNUM} %{VERSION} %{RELEASE} %{ARCH} %|SOURCERPM?{binary}:{source}|\n"
    told = subprocess.run(["rpm", "-qp", "--nosignature", "--qf", tags, *paths], check=True, capture_output=True)
    for path, line in zip(paths, told.stdout.decode().splitlines(), strict=True):
        name, epoch, version, release, architecture, kind = line.split()
        found = header(path.read_bytes(), path.name)
        assert (found.name, found.version) == (name, Version(int(epoch), version, release))
        assert found.architecture == (architecture if kind == "binary" else "src")


@pytest.mark.skipif(shutil.which("dpkg-deb") is None, reason="needs dpkg")
@pytest.mark.parametrize("path", [path for path in REAL if path.suffix == ".deb"], ids=lambda path: path.name)
def test_real_debs_say_what_dpkg_says_of_them(path: Path) -> None:
    show = "--showformat=${Package} ${Version} ${Architecture}"
    told = subprocess.run(["dpkg-deb", "--show", show, path], check=True, capture_output=True).stdout.decode()
    found = header(path.read_bytes(), path.name)
    assert f"{found.name} {found.version} {found.architecture}" == told


@pytest.mark.parametrize(
    ("tag", "signed"), [(278, True), (267, True), (268, True), (1002, True), (1005, True), (1003, False)]
)
def test_an_rpm_is_signed_if_any_tag_of_its_signature_says_so(tag: int, signed: bool) -> None:
    """The tags of rpm's docs/manual/signatures_digests; of the main header 1002 and 1005 are something else."""
    size_of_payload = struct.pack(">II", 1007, 4)
    assert RPM_BYTES.index(size_of_payload) < RPM_BYTES.index(b"hello", 96)
    data = RPM_BYTES.replace(size_of_payload, struct.pack(">II", tag, 4), 1)
    assert header(data, RPM.filename).signed is signed
    assert header(DEB_BYTES, DEB.filename).signed is None


@pytest.mark.skipif(any(shutil.which(program) is None for program in ("rpmsign", "gpg")), reason="needs rpmsign")
def test_a_signed_rpm_is_told_from_an_unsigned_one(tmp_path: Path) -> None:
    source = next(path for path in REAL if path.name.startswith("netdemo") and path.suffix == ".rpm")
    path = Path(shutil.copy(source, tmp_path))
    assert header(path.read_bytes(), path.name).signed is False
    home = tmp_path / "gpg"
    home.mkdir(mode=0o700)
    environment = {**os.environ, "GNUPGHOME": str(home)}
    make = ["gpg", "--batch", "--quiet", "--passphrase", "", "--quick-generate-key", "a@example.com", "rsa2048"]
    subprocess.run(make, check=True, env=environment, capture_output=True)
    gpg = f"__gpg {shutil.which('gpg')}"
    sign = ["rpmsign", "--addsign", "--define", "_gpg_name a@example.com", "--define", gpg, str(path)]
    subprocess.run(sign, check=True, env=environment, capture_output=True)
    subprocess.run(["gpgconf", "--kill", "all"], check=True, env=environment)
    assert header(path.read_bytes(), path.name).signed is True


# Damage


@given(st.integers(min_value=0, max_value=len(RPM_BYTES) - 1))
def test_no_part_of_an_rpm_is_a_whole_one(length: int) -> None:
    refused(RPM_BYTES[:length], RPM.filename)


@given(st.integers(min_value=0, max_value=len(DEB_BYTES) - 1))
def test_no_part_of_a_deb_is_a_whole_one(length: int) -> None:
    refused(DEB_BYTES[:length], DEB.filename)


@given(st.integers(min_value=0, max_value=len(RPM_BYTES) - 1), st.integers(min_value=1, max_value=255))
def test_another_byte_in_an_rpm_is_noticed_or_changes_nothing(position: int, bits: int) -> None:
    """Lead and signature header are not under the MD5; what is read from the main header is."""
    data = bytearray(RPM_BYTES)
    data[position] ^= bits
    try:
        found = header(bytes(data), RPM.filename)
    except IntegrityError:
        return
    assert found == header(RPM_BYTES, RPM.filename)


@given(st.binary(max_size=300), st.sampled_from([RPM.filename, DEB.filename]))
def test_noise_is_refused(data: bytes, name: str) -> None:
    refused(data, name)
    refused(RPM_BYTES[:96] + data, name)
    refused(b"!<arch>\n" + data, name)


def test_the_name_tells_the_kind() -> None:
    assert refused(DEB_BYTES, RPM.filename) == f"{RPM.filename}: its content is cut, damaged, or no package of its kind"
    refused(RPM_BYTES, DEB.filename)


def test_without_verify_only_the_header_of_an_rpm_is_read() -> None:
    damaged = RPM_BYTES[:-1] + b"x"
    assert header(damaged, RPM.filename, verify=False).name == "hello"
    refused(damaged, RPM.filename)


@pytest.mark.parametrize(("count", "size"), [(2**32 - 1, 0), (0, 2**32 - 1), (2**22 + 1, 0), (0, 2**26 + 1)])
def test_a_header_has_a_limit(count: int, size: int) -> None:
    """64 MiB; the stream would tell if more were asked of it."""

    class Endless(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            assert size is not None and 0 <= size <= 64 * 2**20
            return super().read(size)

    start = RPM_BYTES[:96] + b"\x8e\xad\xe8\x01" + bytes(4) + struct.pack(">II", count, size)
    with pytest.raises(IntegrityError):
        read_package(Endless(start), RPM.filename, verify=True)


# Debs


def tar(content: bytes, name: str = "./control", kind: bytes = tarfile.REGTYPE) -> bytes:
    info = tarfile.TarInfo(name)
    info.size, info.type = (len(content) if kind == tarfile.REGTYPE else 0), kind
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        archive.addfile(info, io.BytesIO(content))
    return stream.getvalue()


def member(name: str, data: bytes) -> bytes:
    return f"{name:<16}{0:<12}{0:<6}{0:<6}{'100644':<8}{len(data):<10}`\n".encode() + data + b"\n" * (len(data) % 2)


def deb(name: str, control: bytes, *more: bytes) -> bytes:
    first = member("debian-binary", b"2.0\n")
    return b"!<arch>\n" + first + member(name, control) + b"".join(more) + member("data.tar.xz", b"odd")


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("control.tar", tar(CONTROL)),
        ("control.tar.gz", gzip.compress(tar(CONTROL))),
        ("control.tar.xz", lzma.compress(tar(CONTROL))),
        ("control.tar.zst", zstandard.compress(tar(CONTROL))),
        ("control.tar.gz/", gzip.compress(tar(CONTROL, "control"))),
    ],
)
def test_every_compression(name: str, data: bytes) -> None:
    found = header(deb(name, data), "hello_2-3_all.deb")
    assert found == PackageHeader(type=PackageType.DEB, name="hello", version=Version(1, "2", "3"), architecture="all")


@pytest.mark.parametrize(
    "data",
    [
        deb("control.tar.gz", b"no gzip"),
        deb("control.tar.gz", lzma.compress(tar(CONTROL))),
        deb("control.tar.gz", gzip.compress(tar(CONTROL))[:-9]),
        deb("control.tar.bz2", tar(CONTROL)[1:]),
        deb("control.tar.gz", gzip.compress(tar(CONTROL, "./other"))),
        deb("control.tar.gz", gzip.compress(tar(CONTROL, kind=tarfile.SYMTYPE))),
        deb("control.tar.gz", gzip.compress(tar(CONTROL + b"\n" + CONTROL))),
        deb("control.tar.gz", gzip.compress(tar(b""))),
        deb("control.tar.gz", gzip.compress(tar(b"Package: a b\nVersion: 1\nArchitecture: all\n"))),
        deb("control.tar.gz", gzip.compress(tar(b"Package: a\nVersion: x:1\nArchitecture: all\n"))),
        deb("control.tar.gz", gzip.compress(tar(b"Package: a\nArchitecture: all\n"))),
        deb("control.tar.gz", gzip.compress(tar(b"x" * (2**20 + 1)))),
        deb("control.tar.gz", gzip.compress(bytes(65 * 2**20))),
        deb("control.tar", tar(CONTROL), member("control.tar", tar(CONTROL))),
        b"!<arch>\n" + member("control.tar", tar(CONTROL)) + member("data.tar", b""),
        b"!<arch>\n" + member("debian-binary", b"2.0\n") + member("control.tar", tar(CONTROL)),
        b"!<arch>\n",
    ],
)
def test_what_is_no_deb(data: bytes) -> None:
    refused(data, "hello_1_all.deb")


def tar_header(name: str, size: bytes, kind: bytes = b"0") -> bytes:
    head = name.encode().ljust(100, b"\0") + b"0000644\0" + b"0000000\0" * 2 + size + b"00000000000\0"
    head += b"        " + kind
    head = head.ljust(257, b"\0") + b"ustar\x0000"
    head = head.ljust(512, b"\0")
    return head[:148] + b"%06o\0 " % sum(head) + head[156:]


@pytest.mark.parametrize(
    "archive",
    [
        tar_header("./x", b"\xff" * 11 + b"\x00") + bytes(512),
        tar_header("./x", (-512).to_bytes(12, "big", signed=True)) + tar(CONTROL),
        tar_header("./x", (-512).to_bytes(12, "big", signed=True), b"x") + tar(CONTROL),
        tar_header("./x", (-1024).to_bytes(12, "big", signed=True), b"L") + tar(CONTROL),
        tar_header("./x", b"-0000001000\0") + tar(CONTROL),
        tar_header("./x", b"\x80" + bytes(10) + b"\x01") + tar(CONTROL)[:100],
        tar_header("./x", b"\x80" + b"\xff" * 11) + tar(CONTROL),
        tar_header("./x", b"77777777777\0") + tar(CONTROL),
    ],
)
def test_sizes_that_lead_backwards_or_beyond_the_archive(archive: bytes) -> None:
    """A deb of 4 KiB hung the reader (CVE-2025-8194 of Python's tarfile)."""
    folder = tar_header("./", b"00000000000\0", b"5")
    with watchdog():
        assert "cut, damaged" in refused(deb("control.tar.gz", gzip.compress(folder + archive)), "a_1_all.deb")


def entry(name: str, content: bytes, kind: bytes = b"0") -> bytes:
    return tar_header(name, b"%011o\0" % len(content), kind) + content.ljust(-(-len(content) // 512) * 512, b"\0")


def below(folder: bytes, member: bytes) -> bytes:
    """The member with the first half of its name where ustar has it."""
    head = bytearray(member[:512])
    head[345 : 345 + len(folder)] = folder
    head[148:156] = b"        "
    head[148:156] = b"%06o\0 " % sum(head)
    return bytes(head) + member[512:]


OTHER = CONTROL.replace(b"hello", b"other")


@pytest.mark.parametrize(
    "members",
    [
        entry("./control", CONTROL) + entry("./control", OTHER),
        entry("./control", CONTROL) + entry(".//control", OTHER),
        entry("./control", CONTROL) + entry("control", b"", b"2"),
        entry("./control", CONTROL) + entry("././@LongLink", b"./control\0", b"L") + entry("./x", OTHER),
        entry("./control", CONTROL) + entry("./PaxHeaders/x", b"18 path=./control\n", b"x") + entry("./x", OTHER),
        entry("./control", CONTROL) + entry("./x", b"29 GNU.sparse.name=./control\n", b"x") + entry("./x", OTHER),
        below(b"x", entry("control", CONTROL)),
    ],
    ids=["twice", "twice, but for a slash", "and a link", "renamed by GNU", "by POSIX", "by both", "of a folder"],
)
def test_a_control_file_that_dpkg_would_not_take(members: bytes) -> None:
    """dpkg takes the last one: so a package passed for one that it was not."""
    assert "cut, damaged" in refused(deb("control.tar.gz", gzip.compress(members)), "hello_2-3_all.deb")


def test_what_else_a_control_archive_may_hold() -> None:
    others = below(b"x", entry("control", OTHER)) + entry("./PaxHeaders/control", b"30 mtime=1.5\n", b"x")
    data = gzip.compress(others + entry("./control", CONTROL) + entry("./postinst", b"#!/bin/sh\n"))
    assert header(deb("control.tar.gz", data), "hello_2-3_all.deb").name == "hello"


def test_control_behind_other_members() -> None:
    large = tar_header("./md5sums", b"\x80" + bytes(10) + b"\x05") + b"12345".ljust(512, b"\0")
    data = deb("control.tar.gz", gzip.compress(tar_header("./", b"00000000000\0", b"5") + large + tar(CONTROL)))
    assert header(data, "a_1_all.deb").type is PackageType.DEB


def test_a_header_that_names_a_tag_again_is_refused_at_once() -> None:
    """Each mention was copied: 65,535 times 32 MiB. And which of two names is that of the package?"""
    text = b"a" * 2**25 + b"\0"
    for count, wanted in ((1, "usable"), (2, "cut, damaged"), (65_535, "cut, damaged"), (65_536, "cut, damaged")):
        tags = struct.pack(">4s4xII", b"\x8e\xad\xe8\x01", count, len(text))
        tags += struct.pack(">IIII", 1000, 6, 0, 1) * count + text
        with watchdog():
            assert wanted in refused(RPM_BYTES[:96] + tags + bytes(-len(text) % 8) + tags, RPM.filename)


def test_an_archive_of_countless_parts_is_no_deb() -> None:
    parts = b"".join(member(f"x{number}", b"") for number in range(100))
    assert "cut, damaged" in refused(deb("control.tar", tar(CONTROL), parts), "a_1_all.deb")


def test_dpkg_agrees(tmp_path: Path) -> None:
    path = tmp_path / DEB.filename
    path.write_bytes(DEB_BYTES)
    said = subprocess.run(["dpkg-deb", "-W", str(path)], capture_output=True, text=True, check=True).stdout
    found = header(DEB_BYTES, DEB.filename)
    assert said == f"{found.name}\t{found.version}\n"
