"""What apt and dnf themselves say of a set of packages: which of them can be installed from it, and nothing else."""

import hashlib
import json
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from xml.sax.saxutils import quoteattr

from attrs import frozen

# the distribution's own Python has dnf
_DNF = """
import json, sys
import dnf, hawkey
found = []
for folder in sys.argv[2:]:
    base = dnf.Base()
    conf = base.conf
    conf.cachedir = sys.argv[1] + "/cache" + str(len(found))
    conf.substitutions["releasever"] = "1"
    conf.substitutions["arch"] = "x86_64"
    conf.substitutions["basearch"] = "x86_64"
    conf.installroot = sys.argv[1] + "/root"
    conf.plugins = False
    base.repos.add_new_repo("world", conf, baseurl=["file://" + folder])
    base.fill_sack(load_system_repo=False)
    names = []
    for package in base.sack.query():
        goal = hawkey.Goal(base.sack)
        goal.install(package)
        if goal.run():
            names.append(f"{package.name} {package.evr}")
    found.append(sorted(names))
print(json.dumps(found))
"""


@frozen(kw_only=True)
class Made:
    """A package as a test states it; relations as a spec or control file has them, ``files`` of an rpm."""

    name: str
    version: str = "1"
    architecture: str = ""
    provides: Sequence[str] = ()
    requires: Sequence[str] = ()
    files: Sequence[str] = ()

    @property
    def key(self) -> str:
        return f"{self.name} {self.version}"

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.key.encode()).hexdigest()


def stanza(made: Made) -> str:
    architecture = made.architecture or "amd64"
    related = {"Provides": made.provides, "Depends": made.requires}
    lines = [f"{field}: {', '.join(texts)}\n" for field, texts in related.items() if texts]
    return (
        f"Package: {made.name}\nVersion: {made.version}\nArchitecture: {architecture}\n"
        f"Maintainer: Nobody <nobody@example.invalid>\n{''.join(lines)}"
        f"Filename: ./{made.name}_{made.version.replace(':', '%3a')}_{architecture}.deb\n"
        f"Size: 812\nSHA256: {made.sha256}\nDescription: none\n\n"
    )


def packages_of(world: Sequence[Made]) -> bytes:
    return "".join(map(stanza, world)).encode()


def apt_installs(worlds: Sequence[Sequence[Made]], folder: Path) -> list[set[str]]:
    return [_apt_installs(world, folder / str(number)) for number, world in enumerate(worlds)]


def _apt_installs(world: Sequence[Made], folder: Path) -> set[str]:
    for name in ("repo", "lists/partial", "cache/archives/partial", "etc/apt.conf.d", "etc/preferences.d"):
        (folder / name).mkdir(parents=True)
    (folder / "repo/Packages").write_bytes(packages_of(world))
    (folder / "status").touch()
    (folder / "sources.list").write_text(f"deb [trusted=yes] file:{folder}/repo ./\n", encoding="utf-8")
    options = {
        "APT::Architecture": "amd64",
        "APT::Architectures::": "amd64",
        "APT::Sandbox::User": "",
        "Dir::Etc": folder / "etc",
        "Dir::Etc::SourceList": folder / "sources.list",
        "Dir::Etc::SourceParts": "/dev/null",
        "Dir::State::Lists": folder / "lists",
        "Dir::State::Status": folder / "status",
        "Dir::State": folder,
        "Dir::Cache": folder / "cache",
        "Debug::NoLocking": "1",
    }
    apt = ["apt-get", "-q", *(f"-o{key}={value}" for key, value in options.items())]
    subprocess.run([*apt, "update"], check=True, capture_output=True)
    found = set()
    for made in world:
        tried = subprocess.run([*apt, "install", "--simulate", f"{made.name}={made.version}"], capture_output=True)
        if tried.returncode == 0:
            found.add(made.key)
    return found


def dnf_installs(worlds: Sequence[Sequence[Made]], folder: Path) -> list[set[str]]:
    repositories = []
    for number, world in enumerate(worlds):
        repository = folder / str(number)
        (repository / "repodata").mkdir(parents=True)
        data = primary_of(world)
        (repository / "repodata/primary.xml").write_bytes(data)
        (repository / "repodata/repomd.xml").write_text(_repomd(data, number), encoding="utf-8")
        repositories.append(str(repository))
    return [set(names) for names in dnf_says(repositories, folder)]


def dnf_says(repositories: Sequence[str], folder: Path) -> list[list[str]]:
    done = subprocess.run(
        ["/usr/bin/python3", "-c", _DNF, str(folder), *repositories], check=True, capture_output=True, text=True
    )
    found: list[list[str]] = json.loads(done.stdout)
    return found


def _repomd(data: bytes, number: int) -> str:
    digest = hashlib.sha256(data).hexdigest()
    return (
        '<repomd xmlns="http://linux.duke.edu/metadata/repo">'
        f'<revision>{number}</revision><data type="primary"><checksum type="sha256">{digest}</checksum>'
        f'<location href="repodata/primary.xml"/><size>{len(data)}</size></data></repomd>'
    )


_FLAGS: Mapping[str, str] = {"<": "LT", "<=": "LE", "=": "EQ", ">=": "GE", ">": "GT"}


def primary_of(world: Sequence[Made]) -> bytes:
    packages = "".join(map(_element, world))
    return (
        '<metadata xmlns="http://linux.duke.edu/metadata/common" xmlns:rpm="http://linux.duke.edu/metadata/rpm" '
        f'packages="{len(world)}">{packages}</metadata>'
    ).encode()


def _element(made: Made) -> str:
    architecture = made.architecture or "x86_64"
    evr = _evr(made.version)
    own = f"{made.name} = {made.version}"
    return (
        f'<package type="rpm"><name>{made.name}</name><arch>{architecture}</arch><version {evr}/>'
        f'<checksum type="sha256" pkgid="YES">{made.sha256}</checksum><summary>none</summary>'
        '<description>none</description><packager/><url/><time file="1" build="1"/>'
        '<size package="812" installed="1" archive="1"/>'
        f'<location href="{made.name}-{made.version.replace(":", "-")}.{architecture}.rpm"/><format>'
        "<rpm:license>MIT</rpm:license>"
        f"<rpm:provides>{''.join(map(_entry, [own, *made.provides]))}</rpm:provides>"
        f"<rpm:requires>{''.join(map(_entry, made.requires))}</rpm:requires>"
        f"{''.join(f'<file>{file}</file>' for file in made.files)}</format></package>"
    )


def _entry(text: str) -> str:
    words = text.split()
    if text.startswith("(") or len(words) == 1:
        return f"<rpm:entry name={quoteattr(text)}/>"
    name, sign, version = words
    return f'<rpm:entry name={quoteattr(name)} flags="{_FLAGS[sign]}" {_evr(version)}/>'


def _evr(text: str) -> str:
    epoch, _, rest = text.rpartition(":")
    version, _, release = rest.rpartition("-") if "-" in rest else (rest, "", "")
    parts = f'epoch="{epoch or 0}" ver="{version}"'
    return f'{parts} rel="{release}"' if release else parts
