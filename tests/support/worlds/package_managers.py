"""Real clients of repositories in roots of their own: nothing outside of the test's folder is touched."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

TIMEOUT = 120  # seconds
APT = """\
Dir "{root}";
Dir::Etc::sourceparts "none";
Dir::Etc::trustedparts "none";
Dir::State::status "{root}/dpkg/status";
APT::Architecture "amd64";
APT::Architectures "amd64";
APT::Sandbox::User "root";
Acquire::Languages "none";
DPkg::Options {{ "--root={root}/installed"; "--admindir={root}/dpkg"; "--force-script-chrootless"; }};
"""
DNF = """\
[main]
reposdir={root}/repos
cachedir={root}/cache
persistdir={root}/persist
logdir={root}/log
varsdir={root}/vars
pluginpath={root}/plugins
"""


def needs(*programs: str, root: bool = False) -> pytest.MarkDecorator:
    absent = [program for program in programs if shutil.which(program) is None]
    absent += ["root's rights"] if root and os.geteuid() != 0 else []
    return pytest.mark.skipif(bool(absent), reason=f"needs {', '.join(absent)}")


class Client:
    """A program with an environment of its own, started in a folder; gives what it printed."""

    def __init__(self, folder: Path, *command: str | Path, **environment: str | Path) -> None:
        self.folder, self.command = folder, command
        self.environment = {name: str(value) for name, value in environment.items()}

    def run(self, *arguments: str | Path) -> "subprocess.CompletedProcess[str]":
        environment = {**os.environ, "LC_ALL": "C.UTF-8", **self.environment}
        return subprocess.run(
            [*self.command, *arguments],
            cwd=self.folder, env=environment, capture_output=True, text=True, timeout=TIMEOUT, check=False,
        )  # fmt: skip

    def __call__(self, *arguments: str | Path) -> list[str]:
        done = self.run(*arguments)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout.splitlines()


def apt_get(root: Path, source: str, key: bytes) -> Client:
    """apt-get with one source, as sources.list has it after its options, and the key that must have signed it."""
    folders = ("etc/apt/apt.conf.d", "etc/apt/preferences.d", "dpkg/info", "dpkg/updates", "installed", "var/log/apt")
    for folder in (*folders, "var/lib/apt/lists/partial", "var/cache/apt/archives/partial"):
        (root / folder).mkdir(parents=True)
    (root / "dpkg/status").touch()
    (root / "key.asc").write_bytes(key)
    (root / "etc/apt/sources.list").write_text(f"deb [signed-by={root}/key.asc] {source}\n")
    (root / "apt.conf").write_text(APT.format(root=root))
    return Client(root, "apt-get", "-q", APT_CONFIG=root / "apt.conf")


@contextmanager
def dnf_with(root: Path, repo: str) -> Iterator[Client]:
    """dnf with this ``.repo`` file alone."""
    for folder in ("repos", "vars", "plugins", "installed"):
        (root / folder).mkdir(parents=True)
    (root / "repos/demo.repo").write_text(repo)
    (root / "dnf.conf").write_text(DNF.format(root=root))
    options = (f"--installroot={root}/installed", "--releasever=15.6", "--forcearch=x86_64")
    try:
        yield Client(root, "dnf", "-y", "-c", root / "dnf.conf", *options)
    finally:
        for keyring in root.rglob("pubring"):  # where dnf leaves an agent of gpg running
            subprocess.run(["gpgconf", "--homedir", keyring, "--kill", "all"], check=True)
