"""The plan between the two worlds, as it is reviewed and applied.

Sizes are bytes, sums lower-case hex sha256.
"""

from collections.abc import Mapping
from typing import Literal

from attrs import frozen

from pkgsync.model.desired import Content, Problem
from pkgsync.model.policy import OrphanAction
from pkgsync.reasons import Reason


@frozen
class Source:
    """Where an upload's bytes come from.

    ``path`` is relative to the published repository, or with ``content`` build to the repository under /build.
    """

    kind: Literal["obs", "backup", "archive"]
    project: str = ""
    repository: str = ""
    architecture: str = ""
    packages: tuple[str, ...] = ()
    path: str = ""
    content: Content = "published"


@frozen
class OldContent:
    """The row that a replacement takes away."""

    sha256: str
    created_at: str


@frozen
class Upload:
    distribution: str
    filename: str
    size: int
    sha256: str
    reason: Reason
    source: Source
    also: tuple[Source, ...] = ()

    @property
    def key(self) -> str:
        return f"{self.distribution}/{self.filename}"


@frozen
class Replacement:
    distribution: str
    filename: str
    size: int
    sha256: str
    reason: Reason
    source: Source
    old: OldContent
    also: tuple[Source, ...] = ()

    @property
    def key(self) -> str:
        return f"{self.distribution}/{self.filename}"


@frozen
class ArchitectureEvidence:
    name: str
    code: str


@frozen
class RepositoryEvidence:
    """One settled repository behind a deletion, as it was read. ``index_sha256`` as ``Index.top_sha256``."""

    project: str
    repository: str
    architectures: tuple[ArchitectureEvidence, ...]
    last_published: int | None
    index_sha256: str
    revision: int | None
    content: Content = "published"


@frozen
class SupersededBy:
    """The newer version that OBS offers, and the state of the package that builds it."""

    filename: str
    version: str
    package: str
    code: str


@frozen
class Evidence:
    """The reads that prove a deletion right. ``total`` is the row count of the complete listing.

    ``superseded_by`` is set for a superseded orphan. For a gone one, ``packages_read`` counts the packages whose
    files were all known. ``receipt`` names the receipt that an undo takes back, by the digest of its plan.
    """

    kind: Literal["superseded", "gone", "undo"]
    repositories: tuple[RepositoryEvidence, ...] = ()
    total: int | None = None
    superseded_by: SupersededBy | None = None
    packages_read: int | None = None
    receipt: str | None = None


@frozen
class Deletion:
    """``archived_in`` names the archive whose row of this name holds the same content: the backup of this one."""

    distribution: str
    filename: str
    sha256: str
    created_at: str
    uploader: str | None
    reason: Reason
    evidence: Evidence
    archived_in: str | None = None

    @property
    def key(self) -> str:
        return f"{self.distribution}/{self.filename}"


@frozen
class Archiving:
    """A deletion that moves the row to another repository of the same server instead."""

    distribution: str
    filename: str
    sha256: str
    created_at: str
    uploader: str | None
    reason: Reason
    evidence: Evidence
    archive_to: str

    @property
    def key(self) -> str:
        return f"{self.distribution}/{self.filename}"


ActionKind = Literal["upload", "replacement", "deletion", "archiving"]
Transfer = Upload | Replacement
Removal = Deletion | Archiving
Action = Upload | Replacement | Deletion | Archiving


@frozen
class Held:
    """An action that would be due but is withheld. ``action`` is what it would have been."""

    distribution: str
    filename: str
    action: ActionKind
    reason: Reason
    message: str

    @property
    def key(self) -> str:
        return f"{self.distribution}/{self.filename}"


@frozen
class Shadowed:
    """A file that an earlier source offers with other content; the earlier one wins."""

    distribution: str
    filename: str
    sha256: str
    source: Source
    by: Source


@frozen
class Counts:
    """Counts and bytes of one distribution or of the whole plan. ``upload_bytes`` covers uploads and replacements."""

    uploads: int = 0
    replacements: int = 0
    deletions: int = 0
    archivings: int = 0
    held: int = 0
    unchanged: int = 0
    orphans_kept: int = 0
    filtered: int = 0
    upload_bytes: int = 0
    rows: int = 0

    @property
    def changes(self) -> int:
        return self.uploads + self.replacements + self.deletions + self.archivings


@frozen
class Summary:
    """``unmanaged`` counts rows of distributions that the config does not map, and of types other than rpm and deb."""

    total: Counts
    unmanaged: int
    distributions: Mapping[str, Counts]


@frozen
class PlannedArchitecture:
    name: str
    code: str
    dirty: bool
    settled: bool


@frozen
class PlannedRepository:
    """One OBS repository as plan read it."""

    project: str
    repository: str
    distributions: tuple[str, ...]
    architectures: tuple[PlannedArchitecture, ...]
    settled: bool
    problems: tuple[Problem, ...]
    last_published: int | None
    index_sha256: str | None
    revision: int | None
    content: Content = "published"


@frozen
class PlanSource:
    api: str
    projects: tuple[str, ...]
    repositories: tuple[PlannedRepository, ...]
    allow_http: bool = False


@frozen
class PlanTarget:
    """``snapshot`` is the sha256 over the sorted [distribution, filename, sha256, created_at] of the managed rows."""

    api: str
    repository: str
    total: int
    snapshot: str
    distributions: tuple[str, ...]
    allow_http: bool = False


@frozen
class Overrides:
    """What the command line set over the config; part of the reviewed plan."""

    orphans: OrphanAction | None = None
    max_deletions: int | None = None


@frozen
class LimitExceeded:
    """A limit that makes the plan unsafe. ``override`` is the exact option or config key that would allow it."""

    distribution: str
    limit: str
    allowed: int
    found: int
    message: str
    override: str


@frozen
class Observed:
    """When both worlds were read (ISO 8601, UTC), and with how many requests."""

    obs_at: str
    packagecloud_at: str
    obs_requests: int
    packagecloud_requests: int


@frozen
class Plan:
    """A plan as it is reviewed and applied; ``digest`` is set by planfile.

    ``undoes`` is set for an undo: the digest of the plan whose apply is taken back.
    """

    pkgsync_version: str
    created_at: str
    observed: Observed
    config_digest: str
    applyable: bool
    complete: bool
    targeted: bool
    source: PlanSource
    target: PlanTarget
    summary: Summary
    overrides: Overrides = Overrides()
    uploads: tuple[Upload, ...] = ()
    replacements: tuple[Replacement, ...] = ()
    deletions: tuple[Deletion, ...] = ()
    archivings: tuple[Archiving, ...] = ()
    held: tuple[Held, ...] = ()
    shadowed: tuple[Shadowed, ...] = ()
    exceeded: tuple[LimitExceeded, ...] = ()
    warnings: tuple[str, ...] = ()
    undoes: str | None = None
    format_version: str = "1.0"
    digest: str = ""

    @property
    def removals(self) -> tuple[Removal, ...]:
        return (*self.deletions, *self.archivings)

    @property
    def archives(self) -> frozenset[str]:
        """The repositories that actions move to, rely on or bring back from; a sound plan has at most one."""
        kept = {deletion.archived_in for deletion in self.deletions if deletion.archived_in is not None}
        recalled = {upload.source.repository for upload in self.uploads if upload.source.kind == "archive"}
        return frozenset({archiving.archive_to for archiving in self.archivings} | kept | recalled)

    @property
    def actions(self) -> tuple[Action, ...]:
        return (*self.uploads, *self.replacements, *self.removals)
