"""What an audit found and what an apply did."""

from enum import StrEnum
from typing import Literal

from msgspec import Struct, field

from pkgsync.model.actions import ActionKind, Evidence
from pkgsync.model.actual import Row
from pkgsync.model.explained import Flip
from pkgsync.model.plan import PlannedRepository, PlanTarget
from pkgsync.model.policy import OrphanAction
from pkgsync.reasons import Reason

Fate = Literal["delete", "archive", "keep", "held"]
Missing = Literal["yes", "perhaps"]


class AuditSort(StrEnum):
    """What orphans are sorted by; equal ones, and ``NAME`` itself, by package key."""

    NAME = "name"
    UPLOADED = "uploaded"
    SIZE = "size"
    DOWNLOADS = "downloads"
    FATE = "fate"


class AuditQuery(Struct, frozen=True, kw_only=True):
    """What an audit shall tell: which orphans (globs and codes; empty: all), in which order, and what else about them.

    ``downloads_days`` asks for the downloads of so many days, ``sizes`` for the bytes: each is one request per orphan.
    """

    distributions: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    fates: tuple[Fate, ...] = ()
    reasons: tuple[Reason, ...] = ()
    sort: AuditSort = AuditSort.NAME
    downloads_days: int | None = None
    sizes: bool = False


EVERY_ORPHAN = AuditQuery()


class Orphan(Struct, frozen=True, kw_only=True):
    """One orphan and its verdict: what would happen to it (``fate``), and why.

    ``size`` (bytes) and ``downloads`` are None where they were not asked for, or not told.
    ``archived_in`` names the archive that holds the same file already. ``flip`` is what would take its stop away.
    ``otherwise`` is the reason that it would have if the config did not keep orphans.
    """

    row: Row
    fate: Fate
    reason: Reason
    message: str
    evidence: Evidence | None = None
    size: int | None = None
    downloads: int | None = None
    archived_in: str | None = None
    flip: Flip | None = None
    otherwise: Reason | None = None

    @property
    def goes(self) -> bool:
        return self.fate in ("delete", "archive")


class Audit(Struct, frozen=True, kw_only=True):
    """The orphans of the managed distributions that ``query`` asks for, in its order.

    ``left_out`` counts those that it does not ask for.
    """

    repository: str
    created_at: str
    complete: bool
    action: OrphanAction
    orphans: tuple[Orphan, ...]
    repositories: tuple[PlannedRepository, ...]
    warnings: tuple[str, ...] = ()
    query: AuditQuery = field(default_factory=AuditQuery)
    left_out: int = 0


class Outcome(StrEnum):
    """How one action ended. ``DUE`` is only said by a dry run, and stands in no receipt file."""

    DUE = "due"
    DONE = "done"
    ALREADY_DONE = "already-done"
    STALE = "stale"
    SKIPPED = "skipped"
    FAILED = "failed"
    LEFT = "left"

    @property
    def is_goal(self) -> bool:
        """Whether the world is now what the action wanted, whoever made it so."""
        return self in (Outcome.DONE, Outcome.ALREADY_DONE)


class ReceiptLine(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One line of truth about one action.

    ``undo`` says from where the bytes can be had that an undo needs: the backup store, the archive ``archive_to``, or
    nowhere. None: no bytes are needed, because an upload is undone by a deletion, or nothing was changed.
    ``missing``: a request of ours took the file away, and nothing stands in its place ("perhaps": no look could tell).
    ``kept_at`` is where its bytes are then, on the machine of that run.
    ``signed``: whether the rpm that it brings carries a signature; None where that was not looked at, and for a deb.
    """

    action: ActionKind
    distribution: str
    filename: str
    outcome: Outcome
    sha256: str = ""
    old_sha256: str | None = None
    size: int | None = None
    reason: str | None = None
    message: str = ""
    started_at: str | None = None
    finished_at: str | None = None
    bytes_down: int = 0
    bytes_up: int = 0
    attempts: int = 0
    verified: str | None = None
    absent_seconds: float | None = None
    stored_as: str | None = None
    archive_to: str | None = None
    undo: Literal["backup", "archive", "none"] | None = None
    missing: Missing | None = None
    kept_at: str | None = None
    signed: bool | None = None

    @property
    def key(self) -> str:
        return f"{self.distribution}/{self.filename}"


class Approval(Struct, frozen=True):
    """A signature over a plan that counted: whom it is of (``signers``), by which key, and when that was verified."""

    signers: tuple[str, ...]
    key: str
    verified_at: str


class IndexWait(Struct, frozen=True, kw_only=True):
    """What package managers got of the changes when the apply ended its waiting for them.

    ``seconds`` is from the end of the apply to ``checked_at``, ``not_served`` are the package keys that lack.
    """

    checked_at: str
    seconds: int
    served: int
    not_served: tuple[str, ...] = ()


class Receipt(Struct, frozen=True, kw_only=True):
    """What an apply did, action by action; derived from the journal. ``index`` is set where it waited for that."""

    pkgsync_version: str
    plan_digest: str
    target: PlanTarget
    started_at: str
    finished_at: str
    exit_code: int
    complete: bool
    interrupted: bool
    lines: tuple[ReceiptLine, ...]
    runs: int = 1
    warnings: tuple[str, ...] = ()
    index: IndexWait | None = None
    approvals: tuple[Approval, ...] = ()
    format_version: str = "1.1"
