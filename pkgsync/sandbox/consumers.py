"""What the embedded Packagecloud serves to apt, dnf and zypper: the signed indexes of one distribution.

The entries are made of the packages' own headers, as Packagecloud does; that the real programs read them is tested.
"""

import re
import time
from collections.abc import Iterable, Mapping, Sequence
from xml.sax.saxutils import escape, quoteattr

from attrs import field, frozen

from .blobs import Artifact, Blob
from .headers import PackageHeader, Tags, control_text, rpm_tags
from .indexes import IndexOptions, Published, compress, release_sums, rpm_md
from .signing import Signer, signatures

# what yum and dnf call the architecture of the machine
BASES = {"i386": "i386", "i586": "i386", "i686": "i386", "src": "SRPMS"}
RELATIONS = {"provides": (1047, 1112, 1113), "requires": (1049, 1048, 1050), "conflicts": (1054, 1053, 1055)}
COMPARED = {2: "LT", 4: "GT", 8: "EQ", 10: "LE", 12: "GE"}
OF_RPM_ITSELF = "rpmlib("
# of the other files only filelists tells
IN_PRIMARY = re.compile(r"/etc/|.*bin/|/usr/lib/sendmail$")


@frozen
class Content:
    """One package of a distribution; two are the same only if their bytes are the same object."""

    filename: str
    header: PackageHeader
    blob: Blob


@frozen
class Served:
    """The files that package managers ask for, by path below the distribution, and of which packages they tell."""

    content: frozenset[Content] = frozenset()
    files: Mapping[str, Blob] = field(factory=dict)


def serve(repository: str, distribution: str, content: frozenset[Content], now: int, signer: Signer | None) -> Served:
    """The index of these packages, made at `now` (unix seconds)."""
    packages = sorted(content, key=lambda package: package.filename)
    if any(package.header.kind == "deb" for package in packages):
        files = _suite(repository, distribution, packages, now, signer)
    else:
        files = _trees(packages, now, signer)
    return Served(content, files)


def pool(distribution: str, package: PackageHeader, filename: str) -> str:
    """Where a deb is, below the folder of its distributor."""
    return f"pool/{distribution.partition('/')[2]}/main/{package.name[0]}/{package.name}/{filename}"


def _trees(packages: Sequence[Content], now: int, signer: Signer | None) -> dict[str, Blob]:
    """One tree for each architecture, each with the packages for all."""
    arches = {BASES.get(package.header.architecture, package.header.architecture) for package in packages}
    files: dict[str, Blob] = {}
    for arch in sorted(arches - {"noarch"}) or ["x86_64"]:
        rpms = [
            Published(path=package.filename, artifact=_rpm(package), mtime=now)
            for package in packages
            if BASES.get(package.header.architecture, package.header.architecture) in (arch, "noarch")
        ]
        indexes = rpm_md(rpms, None, now, IndexOptions())
        files |= {f"{arch}/{path}": blob for path, blob in _signed(indexes, signer).items()}
    return files


def _suite(
    repository: str, distribution: str, packages: Sequence[Content], now: int, signer: Signer | None
) -> dict[str, Blob]:
    codename = distribution.partition("/")[2]
    arches = sorted({package.header.architecture for package in packages} - {"all"}) or ["amd64"]
    tree: dict[str, bytes] = {}
    for arch in arches:
        debs = [package for package in packages if package.header.architecture in (arch, "all")]
        packed = "".join(_deb(package, distribution) for package in debs).encode()
        tree[f"main/binary-{arch}/Packages"] = packed
        tree[f"main/binary-{arch}/Packages.gz"] = compress(packed, "gz")
    lines = [
        f"Origin: packagecloud.sandbox.test/{repository}",
        f"Label: packagecloud.sandbox.test/{repository}",
        f"Suite: {codename}",
        f"Codename: {codename}",
        f"Date: {time.strftime('%a, %d %b %Y %H:%M:%S UTC', time.gmtime(now))}",
        f"Architectures: {' '.join(arches)}",
        "Components: main",
    ]
    tree["Release"] = ("\n".join([*lines, *release_sums(tree)]) + "\n").encode()
    return _signed(tree, signer)


def _signed(tree: Mapping[str, bytes], signer: Signer | None) -> dict[str, Blob]:
    files = {path: Blob(data) for path, data in tree.items()}
    return files | signatures(signer, tree) if signer else files


def _deb(package: Content, distribution: str) -> str:
    with package.blob.open() as stream:
        control = control_text(stream).rstrip()
    place = pool(distribution, package.header, package.filename)
    sums = {"MD5sum": "md5", "SHA1": "sha1", "SHA256": "sha256", "SHA512": "sha512"}
    lines = [f"{title}: {package.blob.digest(name)}" for title, name in sums.items()]
    return "\n".join([control, f"Filename: {place}", f"Size: {package.blob.size}", *lines]) + "\n\n"


def _rpm(package: Content) -> Artifact:
    with package.blob.open() as stream:
        tags = rpm_tags(stream)
    return Artifact(filename=package.filename, blob=package.blob, entry=_element(package, tags))


def _element(package: Content, tags: Tags) -> str:
    header, blob = package.header, package.blob

    def text(tag: int) -> str:
        return escape(str(tags.get(tag, [""])[0]))

    relations = "".join(_relations(kind, tags, *numbers) for kind, numbers in RELATIONS.items())
    files = "".join(f"    <file>{escape(path)}</file>\n" for path in _files(tags) if IN_PRIMARY.match(path))
    return f"""<package type="rpm">
  <name>{escape(header.name)}</name>
  <arch>{header.architecture}</arch>
  <version epoch="{header.epoch}" ver={quoteattr(header.version)} rel={quoteattr(str(header.release))}/>
  <checksum type="sha256" pkgid="YES">{blob.digest("sha256")}</checksum>
  <summary>{text(1004)}</summary>
  <description>{text(1005)}</description>
  <packager></packager>
  <url></url>
  <time file="0" build="{text(1006) or 0}"/>
  <size package="{blob.size}" installed="{text(1009) or 0}" archive="0"/>
  <location href={quoteattr(package.filename)}/>
  <format>
    <rpm:license>{text(1014)}</rpm:license>
    <rpm:sourcerpm>{text(1044)}</rpm:sourcerpm>
{relations}{files}  </format>
</package>
"""


def _relations(kind: str, tags: Tags, names: int, flags: int, versions: int) -> str:
    """The entries of one kind; what only rpm itself can provide is left out, as createrepo_c does."""
    rows = zip(tags.get(names, ()), tags.get(flags, ()), tags.get(versions, ()), strict=True)
    entries = [_relation(str(name), int(flag), str(version)) for name, flag, version in rows]
    kept = [entry for entry in dict.fromkeys(entries) if OF_RPM_ITSELF not in entry]
    return f"    <rpm:{kind}>\n{''.join(kept)}    </rpm:{kind}>\n" if kept else ""


def _relation(name: str, flags: int, version: str) -> str:
    if not version:
        return f"      <rpm:entry name={quoteattr(name)}/>\n"
    epoch, _, rest = version.rpartition(":")
    number, _, release = rest.partition("-")
    rel = f" rel={quoteattr(release)}" if release else ""
    compared = f'flags="{COMPARED[flags & 14]}" epoch="{epoch or 0}" ver={quoteattr(number)}{rel}'
    return f"      <rpm:entry name={quoteattr(name)} {compared}/>\n"


def _files(tags: Tags) -> Iterable[str]:
    folders = tags.get(1118, ())
    for name, folder in zip(tags.get(1117, ()), tags.get(1116, ()), strict=True):
        yield f"{folders[int(folder)]}{name}"
