"""Drives a real OBS backend, and reads from its disk what is true about it.

Nothing of pkgsync is used here: what the backend published and built is read from the publisher's and
the scheduler's own folders, so that the tests have a second opinion on everything pkgsync believes.
"""

import contextlib
import hashlib
import os
import signal
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request
import xml.etree.ElementTree as ET
from collections.abc import Callable, Collection, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

SERVE = Path(__file__).parent / "backend" / "serve.sh"
ARCHS = ("x86_64", "aarch64")
RPM, DEB = "openSUSE_Leap_15.6", "xUbuntu_22.04"
PRJCONF = """\
%if "%_repository" == "xUbuntu_22.04"
Type: dsc
Repotype: debian
%else
Type: spec
Repotype: rpm-md
Release: lp156.<CI_CNT>.<B_CNT>
%endif
"""
FINAL = {"succeeded", "failed", "excluded", "disabled", "broken", "unresolvable"}
WAIT_SECONDS = 120
POLL_SECONDS = 0.1  # the backend has no way to tell that it is done, so it is asked


class Published(NamedTuple):
    """One file of a published repository; path is relative to the repository."""

    path: str
    size: int
    sha256: str


class Result(NamedTuple):
    """One repository and architecture of `_result`."""

    repository: str
    arch: str
    code: str
    dirty: bool
    packages: dict[str, str]

    @property
    def final(self) -> bool:
        published = self.code in {"published", "unpublished"} and not self.dirty
        return published and set(self.packages.values()) <= FINAL


class BackendError(Exception):
    pass


class Backend:
    """A running instance. `url` stands for the API, `state` is its folder."""

    def __init__(self, url: str, state: Path) -> None:
        self.url, self.state = url, state

    def request(self, method: str, path: str, body: str | bytes | None = None) -> bytes:
        data = body.encode() if isinstance(body, str) else body
        headers = {"Content-Type": "application/octet-stream"}
        request = urllib.request.Request(self.url + path, data, headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=60) as reply:
                answer: bytes = reply.read()
                return answer
        except urllib.error.HTTPError as error:
            with error:
                text = error.read().decode(errors="replace")
            raise BackendError(f"{method} {path}: {error.code} {text}") from error

    @contextlib.contextmanager
    def held(self, what: str) -> Iterator[None]:
        """Builds ("build") or the making of indexes ("publish") wait until the block ends."""
        marker = self.state / f"{what}-hold"
        marker.touch()
        try:
            yield
        finally:
            marker.unlink()

    def publisher_waits(self) -> bool:
        """The publisher is in a held("publish"): binaries in place, index not yet made."""
        return (self.state / "work" / "publish-waits").exists()

    def pending_events(self) -> list[str]:
        """Changes that no scheduler and no publisher has looked at yet."""
        folders = [self.state / "bs" / "events" / name for name in (*ARCHS, "publish", "signer")]
        names = [path.name for folder in folders if folder.is_dir() for path in folder.iterdir()]
        return [name for name in names if not name.startswith(".")]


class Project:
    """A project of the backend; `repositories` maps a repository to its architectures."""

    def __init__(
        self,
        backend: Backend,
        name: str,
        repositories: Mapping[str, tuple[str, ...]],
        *,
        prjconf: str = PRJCONF,
    ) -> None:
        self.backend, self.name = backend, name
        self.repositories = tuple(repositories)
        self.path = "/source/" + urllib.parse.quote(name)
        self.set_meta(repositories)
        backend.request("PUT", self.path + "/_config", prjconf)

    # ---- changes

    def set_meta(
        self,
        repositories: Mapping[str, tuple[str, ...]],
        *,
        publish: bool = True,
        paths: Mapping[str, tuple[str, str]] | None = None,
    ) -> None:
        """States which repositories and architectures there are, whether they are published, and what for."""
        root = ET.Element("project", name=self.name)
        ET.SubElement(root, "title")
        ET.SubElement(root, "description")
        if not publish:
            ET.SubElement(ET.SubElement(root, "publish"), "disable")
        for repository, archs in repositories.items():
            element = ET.SubElement(root, "repository", name=repository)
            if paths and repository in paths:
                base, inner = paths[repository]
                ET.SubElement(element, "path", project=base, repository=inner)
            for arch in archs:
                ET.SubElement(element, "arch").text = arch
        self.backend.request("PUT", self.path + "/_meta", ET.tostring(root))

    def commit(self, package: str, files: Mapping[str, bytes], *, disabled: str = "") -> None:
        """Makes `files` the sources of a package; it isn't built on architecture `disabled`."""
        url = f"{self.path}/{package}"
        build = f'<build><disable arch="{disabled}"/></build>' if disabled else ""
        self.backend.request(
            "PUT",
            url + "/_meta",
            f'<package name="{package}" project="{self.name}"><title/><description/>{build}</package>',
        )
        for name, body in files.items():
            self.backend.request("PUT", f"{url}/{urllib.parse.quote(name)}?rev=repository", body)
        entries = "".join(
            f'<entry name="{name}" md5="{hashlib.md5(body).hexdigest()}"/>' for name, body in sorted(files.items())
        )
        self.backend.request("POST", url + "?cmd=commitfilelist&user=test", f"<directory>{entries}</directory>")

    def delete_package(self, package: str) -> None:
        self.backend.request("DELETE", f"{self.path}/{package}")

    def wipe(self, package: str) -> None:
        """Removes the built files of a package, which is then built again."""
        self.build_command("wipe", package)

    def rebuild(self, package: str) -> None:
        self.build_command("rebuild", package)

    def build_command(self, command: str, package: str) -> None:
        self.backend.request("POST", f"/build/{self.name}?cmd={command}&package={package}", b"")

    def remove(self) -> None:
        self.backend.request("DELETE", self.path)

    # ---- what the backend says

    def results(self) -> list[Result]:
        root = ET.fromstring(self.backend.request("GET", f"/build/{self.name}/_result"))
        return [
            Result(
                element.get("repository", ""),
                element.get("arch", ""),
                element.get("code", ""),
                element.get("dirty") == "true",
                {status.get("package", ""): status.get("code", "") for status in element.iter("status")},
            )
            for element in root.iter("result")
        ]

    def wait(self, reached: Callable[[], bool]) -> None:
        until = time.monotonic() + WAIT_SECONDS
        while not reached():
            if time.monotonic() > until:
                raise BackendError(f"{self.name} doesn't get there: {self.results()}")
            time.sleep(POLL_SECONDS)

    def wait_for_code(self, repository: str, *codes: str) -> None:
        """Waits until an architecture of the repository has one of these codes."""
        self.wait(lambda: any(row.code in codes for row in self.results() if row.repository == repository))

    def wait_until_noticed(self) -> None:
        """Waits until `_result` shows that the last change is being worked on."""
        self.wait(lambda: any(row.dirty or not row.final for row in self.results()))

    def settle(self, archs: Collection[str] = ARCHS) -> None:
        """Waits until nothing is left to do on these architectures. Between two steps of the backend it may
        look so for a moment: it has to look so ten times in a row."""
        calm = 0

        def reached() -> bool:
            nonlocal calm
            rows = [row for row in self.results() if row.arch in archs]
            quiet = bool(rows) and all(row.final for row in rows) and not self.backend.pending_events()
            calm = calm + 1 if quiet else 0
            return calm == 10

        self.wait(reached)

    # ---- what is on disk

    def published_folder(self, repository: str) -> Path:
        return self.backend.state / "bs" / "repos" / self.name.replace(":", ":/") / repository

    def published(self, repository: str) -> dict[str, Published]:
        """Every rpm and deb of the published tree, by file name."""
        folder = self.published_folder(repository)
        found = {}
        for path in files_below(folder):
            if path.suffix in {".rpm", ".deb"}:
                with contextlib.suppress(FileNotFoundError):  # the publisher may be at work
                    body = path.read_bytes()
                    checksum = hashlib.sha256(body).hexdigest()
                    found[path.name] = Published(str(path.relative_to(folder)), len(body), checksum)
        return found

    def names_on_disk(self, repository: str) -> set[str]:
        """File names that stand in the published tree or in the build folder of any architecture."""
        return set(self.published(repository)) | {path.name for path in self.built_files(repository)}

    def built_copies(self, repository: str, name: str) -> dict[str, str]:
        """The sha256 of each architecture's own copy of a file, by architecture."""
        return {
            path.parent.parent.name: hashlib.sha256(path.read_bytes()).hexdigest()
            for path in self.built_files(repository)
            if path.name == name
        }

    def built_files(self, repository: str) -> list[Path]:
        """REPOSITORY/ARCH/PACKAGE/NAME, without the scheduler's own folders (":full", ":repo")."""
        folder = self.backend.state / "bs" / "build" / self.name / repository
        built = [path for path in files_below(folder) if len(path.relative_to(folder).parts) == 3]
        return [path for path in built if not path.parent.name.startswith(":")]


def files_below(folder: Path) -> list[Path]:
    """All files, also while others come and go: os.walk passes over a folder that has just vanished."""
    return sorted(Path(base) / name for base, _, names in os.walk(folder) for name in names)


def free_ports(count: int) -> list[int]:
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(count)]
        return [opened.getsockname()[1] for opened in sockets]


@contextlib.contextmanager
def running_backend() -> Iterator[Backend]:
    """An instance with its own folder and ports, gone when the block (or this process) ends."""
    names = ("SRC_PORT", "REP_PORT", "WORKER_PORT_X86_64", "WORKER_PORT_AARCH64")
    ports = {f"REAL_OBS_{name}": str(port) for name, port in zip(names, free_ports(4), strict=True)}
    # Not pytest's own temporary folder: the backend's user could not enter it.
    state = Path(tempfile.mkdtemp(prefix="pkgsync-real-obs-", dir="/var/tmp"))
    serving = subprocess.Popen(
        [SERVE],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
        env=ports | os.environ | {"REAL_OBS_STATE": str(state)},
    )
    assert serving.stdin is not None
    assert serving.stdout is not None
    try:
        url = serving.stdout.readline().strip()
        if not url:
            raise BackendError("the real OBS backend didn't start, see above")
        yield Backend(url, state)
    finally:
        serving.stdin.close()  # serve.sh ends the instance and removes its folder
        serving.stdout.close()
        try:
            serving.wait(60)
        except subprocess.TimeoutExpired:
            serving.send_signal(signal.SIGKILL)
            serving.wait()
