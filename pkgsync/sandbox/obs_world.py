"""The state of the embedded OBS: what is built, what is published. Tests change it while the real client runs.

States, what they do to files, and publishing: as src/backend/BSSched/Checker.pm and bs_publish of OBS do it.
"""

import hashlib
import random
import re
from collections.abc import Iterable, Iterator
from threading import RLock
from typing import TypeVar

from attrs import define, field

from .blobs import Artifact, Blob
from .clock import Clock
from .faults import Switchboard
from .indexes import IndexOptions, Published, debian, repo_file, rpm_md
from .signing import Signer, signatures

T = TypeVar("T")
IN_WORK = frozenset({"blocked", "scheduled", "dispatching", "building", "signing", "finished"})
PUBLISHABLE = re.compile(r"\.(rpm|deb|dsc|tar\.gz)$")
UNPUBLISHED = re.compile(r"^::import::|^_")


@define
class BuiltFile:
    """A file under /build; `mtime` in unix seconds."""

    artifact: Artifact
    mtime: int


@define(kw_only=True)
class PackageState:
    """A package on one repository and architecture."""

    code: str = "unknown"
    details: str = ""
    files: dict[str, BuiltFile] = field(factory=dict)


NEVER_BUILT = PackageState(code="excluded")


@define(kw_only=True)
class ArchState:
    """A scheduler architecture of a repository; the times are unix seconds, 0 for never.

    While packages are `busy`, `final` holds the files of each package as they were before: what a publish takes.
    """

    code: str = "published"
    dirty: bool = False
    details: str = ""
    packages: dict[str, PackageState] = field(factory=dict)
    busy: set[str] = field(factory=set)
    final: dict[str, dict[str, BuiltFile]] | None = None
    lastfinished: int = 0
    lastpublished: int = 0

    def package(self, name: str) -> PackageState:
        """A package of the project that is not for this architecture is excluded, and has no files."""
        return self.packages.get(name, NEVER_BUILT)


@define(kw_only=True)
class Repository:
    """A repository of a project: its architectures and its published tree (files by path).

    `paths` are the (project, repository) that it is built against.
    """

    project: str
    name: str
    kind: str
    options: IndexOptions
    archs: dict[str, ArchState]
    paths: tuple[tuple[str, str], ...] = ()
    files: dict[str, Published] = field(factory=dict)
    tree: dict[str, Blob] = field(factory=dict)


@define(kw_only=True)
class Project:
    """A project and its repositories, in the order of its meta."""

    name: str
    title: str
    repositories: dict[str, Repository] = field(factory=dict)

    @property
    def packages(self) -> list[str]:
        """The name of every package with its flavors: each architecture of each repository lists them all."""
        archs = (arch for repository in self.repositories.values() for arch in repository.archs.values())
        return sorted({name for arch in archs for name in arch.packages})


@define(eq=False, kw_only=True)
class ObsWorld:
    """All projects, and the switches that make the server behave in one of its known ways.

    signer: of the indexes; None: nothing is signed. download_url: the root that `.repo` files point to. frontend:
    `rails` (login, word codes) or `backend` (numbers, false empty answers). ranges: whether the API honours Range.
    repserver_down: `_result` is empty without `state`. redirect_to_mirror: the download server answers package files
    with a redirect to the mirror; freeze_mirror makes that mirror lag. order_seed: another order of the elements of
    `_result`, and of the indexes from the next publish on. ssh_key: the public key of the user: signatures are
    taken, and no password.
    """

    clock: Clock = field(factory=Clock)
    signer: Signer | None = None
    download_url: str = "http://download.obs.sandbox.test"
    frontend: str = "rails"
    user: str = "demo"
    password: str = "demo-password"  # noqa: S105 - of a server on loopback
    ssh_key: str = ""
    instance: str = "obs.sandbox.test"
    ranges: bool = False
    download_ranges: bool = True
    redirect_to_mirror: bool = False
    repserver_down: bool = False
    order_seed: int | None = None
    faults: Switchboard = field(factory=Switchboard)
    download_faults: Switchboard = field(factory=Switchboard)
    mirror_faults: Switchboard = field(factory=Switchboard)
    projects: dict[str, Project] = field(factory=dict)
    mirror: dict[tuple[str, str], dict[str, Blob]] | None = None
    lock: RLock = field(factory=RLock, repr=False)

    def add_project(self, name: str, title: str = "Demo release project") -> Project:
        """Make an empty project."""
        with self.lock:
            return self.projects.setdefault(name, Project(name=name, title=title))

    def add_repository(
        self,
        project: str,
        name: str,
        kind: str,
        archs: Iterable[str] = ("x86_64", "aarch64"),
        options: IndexOptions | None = None,
        paths: Iterable[tuple[str, str]] = (),
    ) -> Repository:
        """Add a repository of `kind` rpm or deb; its project is made if it is missing.

        A base project is one whose repositories others are built against by `paths`.
        """
        with self.lock:
            states = {arch: ArchState(code="unpublished") for arch in archs}
            repository = Repository(
                project=project,
                name=name,
                kind=kind,
                options=options or IndexOptions(),
                archs=states,
                paths=tuple(paths),
            )
            self.add_project(project).repositories[name] = repository
            return repository

    def repository(self, project: str, name: str) -> Repository:
        """Raises KeyError if there is none."""
        return self.projects[project].repositories[name]

    def finish(self, project: str, repository: str, arch: str, package: str, artifacts: Iterable[Artifact]) -> None:
        """A build succeeded: its files replace all old files of the package. Publishing is a step of its own."""
        with self.lock:
            state = self._arch(project, repository, arch)
            files = {item.filename: BuiltFile(item, self.clock.now()) for item in artifacts}
            state.packages[package] = PackageState(code="succeeded", files=files)
            self._settle(state, package)

    def set_code(self, project: str, repository: str, arch: str, package: str, code: str, details: str = "") -> None:
        """Give a package another code; its files stay, but for `excluded`, which wipes them.

        The architecture is then `building` or `finished`: only a publish makes it `published` again.
        """
        with self.lock:
            state = self._arch(project, repository, arch)
            found = state.packages.setdefault(package, PackageState())
            found.code, found.details = code, details
            if code == "excluded":
                found.files.clear()
            self._settle(state, package)

    def start_rebuild(self, project: str, repository: str, arch: str, package: str) -> None:
        """The scheduler starts a build of the package; the old files stay listed and published."""
        self.set_code(project, repository, arch, package, "building")

    def fail(self, project: str, repository: str, arch: str, package: str) -> None:
        """The build failed; the last good files stay."""
        self.set_code(project, repository, arch, package, "failed")

    def wipe(self, project: str, repository: str, arch: str, package: str) -> None:
        """Drop the built files of a package, as `cmd=wipe` does."""
        with self.lock:
            state = self._arch(project, repository, arch)
            state.packages[package] = PackageState(code="unknown")
            self._settle(state, package)

    def remove_package(self, project: str, package: str) -> None:
        """Delete the package from the project, with its built files; the published ones go with the next publish."""
        with self.lock:
            for state in self._archs(project):
                state.packages.pop(package, None)
                self._settle(state, package)

    def set_arch(
        self, project: str, repository: str, arch: str, code: str, *, dirty: bool = False, details: str = ""
    ) -> None:
        """Give an architecture of a repository another state."""
        with self.lock:
            state = self._arch(project, repository, arch)
            state.code, state.dirty, state.details = code, dirty, details

    def publish(self, project: str, repository: str) -> None:
        """Publish what was built when the last jobs were done: files, then indexes, then the state."""
        with self.lock:
            self.publish_files(project, repository)
            self.publish_indexes(project, repository)
            for state in self.repository(project, repository).archs.values():
                if state.code in {"finished", "publishing", "published", "unpublished"}:
                    state.code = "published"
                state.lastpublished = self.clock.now()

    def publish_all(self, project: str) -> None:
        """Publish every repository of a project."""
        for name in self.projects[project].repositories:
            self.publish(project, name)

    def publish_files(self, project: str, repository: str) -> None:
        """The first half of a publish: the package files change in place, the indexes stay old."""
        with self.lock:
            found = self.repository(project, repository)
            chosen = {path: self._winner(found, path, offers) for path, offers in self._offers(found).items()}
            for path in set(found.files) - set(chosen):
                found.tree.pop(path, None)
            found.files = chosen
            found.tree.update({path: file.artifact.blob for path, file in chosen.items()})

    def publish_indexes(self, project: str, repository: str) -> None:
        """The second half of a publish: write the indexes of the files now in the tree."""
        with self.lock:
            found = self.repository(project, repository)
            compose = rpm_md if found.kind == "rpm" else debian
            files = self.arrange([found.files[path] for path in sorted(found.files)])
            origin = f"{self.instance}/{project}/{repository}"
            indexes = compose(files, origin, self.clock.now(), found.options)
            found.tree = {path: file.artifact.blob for path, file in found.files.items()}
            found.tree.update({path: Blob(data) for path, data in indexes.items()})
            if self.signer is not None:
                found.tree.update(signatures(self.signer, indexes))
            if found.kind == "rpm":
                found.tree[f"{project}.repo"] = Blob(lambda: self._repo_file(found))

    def replace_published(self, project: str, repository: str, path: str, data: bytes | None) -> None:
        """Put other bytes at a path of the published tree, or with None remove it."""
        with self.lock:
            tree = self.repository(project, repository).tree
            if data is None:
                del tree[path]
            else:
                tree[path] = Blob(data)

    def freeze_mirror(self) -> None:
        """From now on the mirror serves the trees as they are now."""
        with self.lock:
            self.mirror = {
                (project.name, repository.name): dict(repository.tree)
                for project in self.projects.values()
                for repository in project.repositories.values()
            }

    def arrange(self, items: list[T]) -> list[T]:
        """The items in their order, or with `order_seed` in another one that is the same every time."""
        if self.order_seed is not None:
            random.Random(self.order_seed).shuffle(items)  # noqa: S311 - order only
        return items

    def state_digest(self, selected: Iterable[tuple[Repository, str, ArchState, list[str]]]) -> str:
        """The root `state` of a `_result`: over states and codes, not over files; zeros when nothing is selected."""
        lines = [
            f"{repository.project}/{repository.name}/{arch} {state.code} "
            + " ".join(f"{name}={state.package(name).code}" for name in names)
            for repository, arch, state, names in selected
        ]
        return hashlib.md5("\n".join(lines).encode(), usedforsecurity=False).hexdigest() if lines else "0" * 32

    def _repo_file(self, repository: Repository) -> bytes:
        url = f"{self.download_url}/{repository.project.replace(':', ':/')}/{repository.name}/"
        title = self.projects[repository.project].title
        return repo_file(repository.project, f"{title} ({repository.name})", url, signed=self.signer is not None)

    def _arch(self, project: str, repository: str, arch: str) -> ArchState:
        return self.repository(project, repository).archs[arch]

    def _archs(self, project: str) -> Iterator[ArchState]:
        for repository in self.projects[project].repositories.values():
            yield from repository.archs.values()

    def _settle(self, state: ArchState, package: str) -> None:
        """An architecture with open jobs is `building`, else `finished` until the next publish."""
        if package in state.packages and state.packages[package].code in IN_WORK:
            state.busy.add(package)
        else:
            state.busy.discard(package)
        if not state.busy:
            state.final = None
        elif state.final is None:
            state.final = {name: dict(found.files) for name, found in state.packages.items()}
        state.code = "building" if state.busy else "finished"
        state.lastfinished = self.clock.now()

    def _offers(self, repository: Repository) -> dict[str, list[Published]]:
        """Every copy that the architectures offer for a path of the tree, in arch order (x86_64 first)."""
        offers: dict[str, list[Published]] = {}
        for arch in sorted(repository.archs, reverse=True):
            state = repository.archs[arch]
            built = {name: package.files for name, package in state.packages.items()}
            for files in (built if state.final is None else state.final).values():
                for name, file in files.items():
                    if PUBLISHABLE.search(name) and not UNPUBLISHED.search(name):
                        path = published_path(name)
                        offers.setdefault(path, []).append(
                            Published(path=path, artifact=file.artifact, mtime=file.mtime)
                        )
        return offers

    def _winner(self, repository: Repository, path: str, offers: list[Published]) -> Published:
        """The copy already published if it is still offered, else the first."""
        old = repository.files.get(path)
        same = [offer for offer in offers if old and offer.artifact.blob is old.artifact.blob]
        return (same or offers)[0]


def published_path(filename: str) -> str:
    """Where the publisher puts a file: rpms and debs under their architecture, other files at the top."""
    if filename.endswith(".rpm"):
        return f"{filename.split('.')[-2]}/{filename}"
    if filename.endswith(".deb"):
        return f"{filename.removesuffix('.deb').rpartition('_')[2]}/{filename}"
    return filename
