"""The sandbox's packages are real: rpm, dpkg and createrepo_c agree with what it says of them."""

import gzip
import hashlib
import lzma
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import pytest
import zstandard

from pkgsync.sandbox import catalog
from pkgsync.sandbox.blobs import Artifact, Blob
from pkgsync.sandbox.headers import CorruptPackageError, PackageHeader, read_header
from pkgsync.sandbox.indexes import IndexOptions, Published, debian, rpm_md
from pkgsync.sandbox.synthetic import make_deb, make_rpm

LEAP, JAMMY = "openSUSE_Leap_15.6", "xUbuntu_22.04"


def header_of(artifact: Artifact) -> PackageHeader:
    with artifact.blob.open() as stream:
        return read_header(stream)


def tool(name: str) -> str:
    path = shutil.which(name)
    if path is None:
        pytest.skip(f"{name} is not installed")
    return path


def output(*command: str) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


RPMS = {
    "demo++-1.0^git1~rc-3.1.aarch64.rpm": make_rpm("demo++", "1.0^git1~rc", "3.1", "aarch64", epoch=4, size=100),
    "demo-1-1.src.rpm": make_rpm("demo", "1", arch="src"),
    "demo-1.0-1.noarch.rpm": make_rpm("demo", arch="noarch", salt="other"),
}
DEBS = {
    "libx++_1.0~rc1-2_amd64.deb": make_deb("libx++", "1.0~rc1", "2", epoch=1, size=5000),
    "liby_3+git_all.deb": make_deb("liby", "3+git", arch="all"),
}


@pytest.mark.parametrize("name", RPMS)
def test_rpm_accepts_a_synthetic_rpm(name: str, tmp_path: Path) -> None:
    rpm = tool("rpm")
    path = tmp_path / name
    path.write_bytes(RPMS[name].blob.read())
    query = output(rpm, "-qp", "--nosignature", "--qf", "%{NAME} %{EPOCHNUM} %{VERSION} %{RELEASE}", str(path))
    header = header_of(RPMS[name])
    assert query == f"{header.name} {header.epoch} {header.version} {header.release}"
    checks = output(rpm, "-K", "--nosignature", "-v", str(path)).splitlines()[1:]
    assert len(checks) == 4
    assert all(line.endswith("digest: OK") for line in checks)


@pytest.mark.parametrize("name", DEBS)
def test_dpkg_accepts_a_synthetic_deb(name: str, tmp_path: Path) -> None:
    dpkg = tool("dpkg-deb")
    path = tmp_path / name
    path.write_bytes(DEBS[name].blob.read())
    output(dpkg, "--contents", str(path))
    package, version, arch = output(dpkg, "-f", str(path), "Package", "Version", "Architecture").splitlines()
    stanza = DEBS[name].entry.splitlines()
    assert [package, version, arch] == stanza[:3]


@pytest.mark.parametrize("name", DEBS)
def test_a_synthetic_stanza_is_that_of_dpkg_scanpackages(name: str, tmp_path: Path) -> None:
    scan = tool("dpkg-scanpackages")
    (tmp_path / name).write_bytes(DEBS[name].blob.read())
    real = subprocess.run([scan, "-m", "."], cwd=tmp_path, check=True, capture_output=True, text=True).stdout
    assert DEBS[name].entry == real


@pytest.mark.parametrize("name", RPMS)
def test_a_synthetic_element_agrees_with_createrepo(name: str, tmp_path: Path) -> None:
    createrepo = tool("createrepo_c")
    (tmp_path / name).write_bytes(RPMS[name].blob.read())
    output(createrepo, "-q", "--general-compress-type", "gz", str(tmp_path))
    [primary] = (tmp_path / "repodata").glob("*-primary.xml.gz")
    real = gzip.decompress(primary.read_bytes()).decode()
    for pattern in (r"<name>.*?</name>", r"<arch>.*?</arch>", r"<version.*?/>", r"<checksum.*?</checksum>",
                    r"<location.*?/>", r'package="\d+"', r"<rpm:sourcerpm.*?>"):  # fmt: skip
        assert re.findall(pattern, RPMS[name].entry)[:1] == re.findall(pattern, real.split("<package ")[1])[:1]


def test_equal_arguments_give_equal_bytes_and_another_salt_other_bytes() -> None:
    one, two, other = make_rpm("demo"), make_rpm("demo"), make_rpm("demo", salt="rebuilt")
    assert one.blob.read() == two.blob.read()
    assert one.filename == other.filename
    assert one.blob.digest("sha256") != other.blob.digest("sha256")


@pytest.mark.parametrize("make", [make_rpm, make_deb])
def test_a_large_package_is_a_sparse_file(make: Callable[..., Artifact], tmp_path: Path) -> None:
    path = tmp_path / "large"
    large = make("large", size=64 * 1024 * 1024, path=path)
    assert large.blob.size > 64 * 1024 * 1024
    assert path.stat().st_blocks * 512 < 1024 * 1024
    assert header_of(large).name == "large"


def test_the_catalog_is_what_createrepo_and_scanpackages_say() -> None:
    for world in ("past", "day1", "day2"):
        for repository in (LEAP, JAMMY):
            for arch in ("x86_64", "aarch64"):
                for files in catalog.packages(world, repository, arch).values():
                    for file in files:
                        assert hashlib.sha256(file.blob.read()).hexdigest() in file.entry
                        assert header_of(file).filename == file.filename


def test_the_catalog_has_what_the_demo_needs() -> None:
    x86, arm = catalog.packages("day1", LEAP, "x86_64"), catalog.packages("day1", LEAP, "aarch64")
    names = {file.filename for files in x86.values() for file in files}
    assert {
        "libdemo++1-0.9.1-lp156.1.1.x86_64.rpm",
        "demo-data-2024.1~rc2-lp156.1.1.noarch.rpm",
        "demo-snapshot-1.0^git20260101.abc123-lp156.1.1.x86_64.rpm",
        "hello-tool-debuginfo-1.2-lp156.1.1.x86_64.rpm",
        "hello-tool-1.2-lp156.1.1.src.rpm",
        "demo-multi-small-2.0+git.20260101.abc123-lp156.1.1.noarch.rpm",
    } <= names
    assert "demo-multi:small" in x86
    sums = [packages["demo-data"][0].blob.digest("sha256") for packages in (x86, arm)]
    assert sums[0] != sums[1]
    [netdemo] = [file for file in x86["netdemo"] if file.filename.endswith("x86_64.rpm")]
    assert header_of(netdemo).epoch == 2
    before, after = (
        catalog.artifact(day, JAMMY, "x86_64", "netdemo", "netdemo_4.0-1_amd64.deb") for day in ("day1", "day2")
    )
    assert before.blob.digest("sha256") != after.blob.digest("sha256")


@pytest.mark.parametrize("data", [b"", b"!<arch>\n", b"\xed\xab\xee\xdb" + bytes(200), b"plain text", bytes(4096)])
def test_what_is_no_package_is_refused(data: bytes) -> None:
    with pytest.raises(CorruptPackageError), Blob(data).open() as stream:
        read_header(stream)


@pytest.mark.parametrize(
    ("compression", "suffix", "unpack"),
    [
        ("gz", ".xml.gz", gzip.decompress),
        ("xz", ".xml.xz", lzma.decompress),
        ("zst", ".xml.zst", lambda data: zstandard.ZstdDecompressor().decompress(data)),
        ("plain", ".xml", bytes),
    ],
)
def test_rpm_md_states_true_sums_and_sizes(
    compression: Literal["gz", "xz", "zst", "plain"], suffix: str, unpack: Callable[[bytes], bytes]
) -> None:
    file = Published(path="noarch/demo-1.0-1.noarch.rpm", artifact=RPMS["demo-1.0-1.noarch.rpm"], mtime=1700000000)
    tree = rpm_md([file], "obs.test/demo:x/Leap", 1700000100, IndexOptions(compression=compression))
    repomd = tree["repodata/repomd.xml"].decode()
    [path] = [path for path in tree if path.endswith(f"-primary{suffix}")]
    document = unpack(tree[path])
    digest = hashlib.sha256(tree[path]).hexdigest()
    assert path == f"repodata/{digest}-primary{suffix}"
    assert f'<checksum type="sha256">{digest}</checksum>' in repomd
    assert f'<open-checksum type="sha256">{hashlib.sha256(document).hexdigest()}</open-checksum>' in repomd
    assert f"<size>{len(tree[path])}</size>" in repomd
    assert "<revision>1700000100</revision>" in repomd
    assert b'<location href="noarch/demo-1.0-1.noarch.rpm"/>' in document
    assert b'<time file="1700000000"' in document


@pytest.mark.parametrize(("kind", "algorithm"), [("sha", "sha1"), ("sha512", "sha512")])
def test_rpm_md_with_other_checksums(kind: Literal["sha", "sha512"], algorithm: str) -> None:
    artifact = RPMS["demo-1.0-1.noarch.rpm"]
    tree = rpm_md(
        [Published(path="noarch/x.rpm", artifact=artifact, mtime=1)],
        "o/p/r",
        1,
        IndexOptions(compression="plain", checksum=kind),
    )
    [primary] = [data for path, data in tree.items() if "primary" in path]
    digest = hashlib.new(algorithm, artifact.blob.read()).hexdigest()
    assert f'<checksum type="{kind}" pkgid="YES">{digest}</checksum>'.encode() in primary


def test_the_flat_debian_index() -> None:
    artifact = DEBS["liby_3+git_all.deb"]
    file = Published(path="all/liby_3+git_all.deb", artifact=artifact, mtime=1)
    tree = debian([file], "obs.test/demo:x/xUbuntu_22.04", 1795351988, IndexOptions(deb_sums=("MD5sum", "SHA1")))
    assert b"\nFilename: ./all/liby_3+git_all.deb\n" in tree["Packages"]
    assert b"SHA256" not in tree["Packages"]
    assert gzip.decompress(tree["Packages.gz"]) == tree["Packages"]
    release = tree["Release"].decode()
    assert "Date: Sun Nov 22 12:53:08 2026\n" in release
    assert f" {hashlib.sha256(tree['Packages']).hexdigest()} {len(tree['Packages'])} Packages\n" in release
    assert "Origin: obs://obs.test/demo:x/xUbuntu_22.04\n" in release
