"""The plan between the two worlds, as it is reviewed and applied.

Sizes are bytes, sums lower-case hex sha256.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from enum import StrEnum

from msgspec import Struct, field
from msgspec.structs import replace

from pkgsync.model.actions import (
    Action,
    ActionKind,
    Archiving,
    Deletion,
    Held,
    LeftOut,
    Removal,
    Replacement,
    Shadowed,
    Transfer,
    Upload,
)
from pkgsync.model.desired import Problem, Signed, made_at
from pkgsync.model.key import Keyed
from pkgsync.model.policy import EVERYTHING, ContentFrom, OrphanAction, Policy, Selection


class Counts(Struct, frozen=True, kw_only=True):
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

    @classmethod
    def of(cls, items: Iterable[Action | Held], **others: int) -> "Counts":
        """How many of each kind, and the bytes that come; ``others`` are what no item tells."""
        each = tuple(items)
        kinds = Counter("held" if isinstance(item, Held) else item.kind for item in each)
        return cls(
            uploads=kinds["upload"],
            replacements=kinds["replacement"],
            deletions=kinds["deletion"],
            archivings=kinds["archiving"],
            held=kinds["held"],
            upload_bytes=sum(item.size for item in each if isinstance(item, Transfer)),
            **others,
        )

    @property
    def changes(self) -> int:
        return self.uploads + self.replacements + self.deletions + self.archivings


class Summary(Struct, frozen=True, kw_only=True):
    """``unmanaged`` counts rows of distributions that the config does not map, and of types other than rpm and deb."""

    total: Counts
    unmanaged: int
    distributions: Mapping[str, Counts]


class PlannedArchitecture(Struct, frozen=True, kw_only=True):
    name: str
    code: str
    dirty: bool
    settled: bool


class PlannedRepository(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One OBS repository as plan read it."""

    project: str
    repository: str
    distributions: tuple[str, ...]
    architectures: tuple[PlannedArchitecture, ...]
    settled: bool
    problems: tuple[Problem, ...]
    last_published: int | None = field(name="lastpublished")  # the word of OBS's own answers
    index_sha256: str | None
    revision: int | None
    content: ContentFrom = "published"
    signature: Signed | None = None

    @property
    def id(self) -> str:
        return f"{self.project}/{self.repository}"


class PlanSource(Struct, frozen=True, kw_only=True, omit_defaults=True):
    api: str
    projects: tuple[str, ...]
    repositories: tuple[PlannedRepository, ...]
    allow_http: bool = False

    @property
    def made_at(self) -> dict[str, int]:
        """When the indexes were made, as far as is known, by PROJECT/REPOSITORY."""
        times = {r.id: made_at(r.revision, r.signature) for r in self.repositories}
        return {name: time for name, time in times.items() if time is not None}


class PlanTarget(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """``snapshot`` is the sha256 over the sorted [distribution, filename, sha256, created_at] of the managed rows."""

    api: str
    repository: str
    total: int
    snapshot: str
    distributions: tuple[str, ...]
    allow_http: bool = False


class Overrides(Struct, frozen=True, omit_defaults=True):
    """What the command line set over the config; part of the reviewed plan.

    ``accept_older_index`` names repositories, as PROJECT/REPOSITORY, whose index may be older than one seen before.
    """

    orphans: OrphanAction | None = None
    max_deletions: int | None = None
    accept_older_index: tuple[str, ...] = ()

    def over(self, policy: Policy) -> Policy:
        """The config's ``policy`` with the action of the command line; limits name ``max_deletions`` as such."""
        if self.orphans is None:
            return policy
        return replace(policy, orphans=replace(policy.orphans, action=self.orphans))


class LimitExceeded(Struct, frozen=True, kw_only=True):
    """A limit that makes the plan unsafe. ``override`` is the exact option or config key that would allow it."""

    distribution: str
    limit: str
    allowed: int
    found: int
    message: str
    override: str


class Observed(Struct, frozen=True, kw_only=True):
    """When both worlds were read (ISO 8601, UTC), and with how many requests."""

    obs_at: str
    packagecloud_at: str
    obs_requests: int
    packagecloud_requests: int


class Cause(StrEnum):
    """Whose change an action carries out; reconcile/causes.py has the rules."""

    CONFIG = "config"
    OBS = "obs"
    PACKAGECLOUD = "packagecloud"
    UNKNOWN = "unknown"


class NoLonger(Keyed, frozen=True, kw_only=True, omit_defaults=True):
    """What the plan of the old config would do, and this plan does not; ``held`` where this plan holds it."""

    action: ActionKind
    held: bool = False


class Comparison(Struct, frozen=True, kw_only=True):
    """The plan beside that of an old config on the same worlds. ``causes`` are of all actions, by package key."""

    config_digest: str
    causes: Mapping[str, Cause]
    no_longer: tuple[NoLonger, ...] = ()


class Plan(Struct, frozen=True, kw_only=True):
    """A plan as it is reviewed and applied; ``digest`` is set by planfile.

    ``undoes`` is set for an undo: the digest of the plan whose apply is taken back. ``selection`` is what made a plan
    ``targeted``; those of format 1.0 do not tell. ``base`` is set where an old config was named to compare with.
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
    selection: Selection = EVERYTHING
    uploads: tuple[Upload, ...] = ()
    replacements: tuple[Replacement, ...] = ()
    deletions: tuple[Deletion, ...] = ()
    archivings: tuple[Archiving, ...] = ()
    held: tuple[Held, ...] = ()
    shadowed: tuple[Shadowed, ...] = ()
    left_out: tuple[LeftOut, ...] = ()
    exceeded: tuple[LimitExceeded, ...] = ()
    warnings: tuple[str, ...] = ()
    undoes: str | None = None
    base: Comparison | None = None
    format_version: str = "1.3"
    digest: str = ""

    @property
    def transfers(self) -> tuple[Transfer, ...]:
        return (*self.uploads, *self.replacements)

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
        return (*self.transfers, *self.removals)
