"""Small worlds for tests of the pure core: files of an index, rows of a listing, repositories around them.

A content is a word: ``sha("a")`` is its sha256. Files and rows of one name, version and architecture have equal content
unless told otherwise.
"""

import hashlib
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

from msgspec.structs import replace

from pkgsync.model import (
    ActualState,
    Architecture,
    BuiltFile,
    BuiltPackage,
    DesiredState,
    Index,
    IndexedFile,
    OrphanAction,
    OrphanPolicy,
    Overrides,
    PackageType,
    Plan,
    Policy,
    Problem,
    Repository,
    Row,
    Version,
)
from pkgsync.model.filename import class_of
from pkgsync.reasons import Reason
from pkgsync.reconcile import Setting, build_plan, reconcile
from pkgsync.reconcile.decisions import DistributionDecisions

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
LONG_AGO = "2025-01-01T00:00:00.000Z"
LEAP = "opensuse/15.6"
JAMMY = "ubuntu/jammy"
DELETE = OrphanPolicy(action=OrphanAction.DELETE, keep_versions=1)
SETTING = Setting(
    obs_api="https://api.opensuse.org",
    projects=("home:me",),
    packagecloud_url="https://packagecloud.io",
    config_digest="sha256:" + "0" * 64,
    pkgsync_version="1.0.0",
    overrides=Overrides(),
)


def sha(content: str) -> str:
    return hashlib.sha256(content.encode()).hexdigest()


def problem(reason: Reason = Reason.DIRTY) -> Problem:
    return Problem(reason, f"made up: {reason}")


def rpm(
    name: str = "hello",
    version: str = "1.0",
    release: str = "1",
    *,
    arch: str = "x86_64",
    epoch: int = 0,
    content: str = "",
    folder: str = "",
) -> IndexedFile:
    filename = f"{name}-{version}-{release}.{arch}.rpm"
    path = f"{folder or arch}/{filename}"
    of = sha(content or filename)
    kind = class_of(PackageType.RPM, name, arch)
    return IndexedFile(filename, path, 1000, of, PackageType.RPM, name, Version(epoch, version, release), arch, kind)


def deb(name: str = "hello", version: str = "1.0-1", *, arch: str = "amd64", content: str = "") -> IndexedFile:
    filename = f"{name}_{version}_{arch}.deb"
    upstream, _, revision = version.rpartition("-")
    parts = Version(0, upstream, revision) if upstream else Version(0, version)
    of, kind = sha(content or filename), class_of(PackageType.DEB, name, arch)
    return IndexedFile(filename, filename, 1000, of, PackageType.DEB, name, parts, arch, kind)


def row(file: IndexedFile, distribution: str = LEAP, **other: Any) -> Row:
    """The row that an upload of ``file`` would give."""
    made = Row(
        distribution=distribution,
        filename=file.filename,
        type=file.type.value,
        name=file.name,
        version=file.version.version,
        release=file.version.release or None,
        epoch=file.version.epoch,
        architecture=file.architecture,
        sha256=file.sha256,
        created_at=LONG_AGO,
        uploader="robot",
    )
    return replace(made, **other)


def package(name: str, *files: IndexedFile | str, code: str = "succeeded") -> BuiltPackage:
    names = sorted(f if isinstance(f, str) else f.filename for f in files)
    return BuiltPackage(name, code, tuple(BuiltFile(n, 1000, 1767225600) for n in names))


def architecture(name: str, *packages: BuiltPackage, code: str = "published", **other: Any) -> Architecture:
    return Architecture(name=name, code=code, last_published=1767225600, packages=packages, **other)


def index(*files: IndexedFile) -> Index:
    return Index(top_sha256=sha("top of " + " ".join(f.path for f in files)), revision=1767225600, files=files)


def repository(
    *files: IndexedFile,
    name: str = "leap",
    project: str = "home:me",
    distributions: Sequence[str] = (LEAP,),
    architectures: Iterable[Architecture] | None = None,
    **other: Any,
) -> Repository:
    """A settled repository that publishes ``files``, all built by one package ``src`` on x86_64 unless told."""
    built = tuple(architectures) if architectures is not None else (architecture("x86_64", package("src", *files)),)
    other.setdefault("index", index(*files))
    return Repository(project=project, name=name, distributions=tuple(distributions), architectures=built, **other)


def desired(*repositories: Repository) -> DesiredState:
    return DesiredState(repositories=repositories, read_at=NOW, requests=7)


def actual(*rows: Row, archive: Iterable[Row] | None = None) -> ActualState:
    there = None if archive is None else {row.key: row for row in archive}
    ids = {("rpm", LEAP): 1, ("deb", JAMMY): 2}
    return ActualState(
        repository="me/stable", rows=rows, total=len(rows), distribution_ids=ids, read_at=NOW, requests=2, archive=there
    )


def policy(orphans: OrphanPolicy = DELETE, **other: Any) -> Policy:
    return Policy(orphans=orphans, **other)


def decide(
    repositories: Iterable[Repository],
    rows: Iterable[Row] = (),
    wanted: Policy | None = None,
    distribution: str = LEAP,
    archive: Iterable[Row] | None = None,
) -> DistributionDecisions:
    """The decisions for one distribution."""
    here = actual(*rows, archive=archive)
    decided = reconcile(desired(*repositories), here, wanted or policy(), (distribution,), NOW)
    return next(d for d in decided.distributions if d.name == distribution)


def plan(
    repositories: Iterable[Repository],
    rows: Iterable[Row] = (),
    wanted: Policy | None = None,
    *,
    managed: Sequence[str] = (LEAP,),
    now: datetime = NOW,
    setting: Setting = SETTING,
    archive: Iterable[Row] | None = None,
) -> Plan:
    wanted = wanted or policy()
    here, there = desired(*repositories), actual(*rows, archive=archive)
    return build_plan(reconcile(here, there, wanted, managed, now), here, there, wanted, now, setting)


def verdict(result: DistributionDecisions, file: IndexedFile) -> tuple[str, Reason]:
    """What is said about the orphan ``file``: (fate, reason)."""
    return next((o.fate, o.reason) for o in result.orphans if o.row.filename == file.filename)
