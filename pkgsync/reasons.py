"""Why something happens or is withheld: the reason codes of plans, receipts and audits.

Each code carries what it means and what a user can do; docs/messages.md tells them all.
"""

from enum import Enum, StrEnum, auto
from typing import Self


class Group(Enum):
    """What a reason says, and so what becomes of an action that is stopped by it: in a plan, and at apply.

    What becomes of an action names them all and ends in ``assert_never``: a new one cannot fall into a default.
    """

    DUE = auto()
    """Nothing stops the action; this is why it is due."""
    KEPT = auto()
    """The config alone keeps it, whatever OBS offers and whether or not that is settled."""
    RETAINED = auto()
    """The config keeps it, given what OBS offers now: certain only while that is settled."""
    CONTRARY = auto()
    """Held. What a plan had due becomes so only where OBS, the config or somebody went back, or the plan was edited."""
    DOUBT = auto()
    """Held, as OBS does not tell enough."""
    LATER = auto()
    """Held for a cause of its own beside OBS, that time or another run may cure."""
    UNSETTLED = auto()
    """The OBS repository may still change."""
    ABSENT = auto()
    """Unsettled too, but known to offer nothing."""
    CHANGED = auto()
    """The world or the config is not the plan's: only a new plan helps."""
    APPLY = auto()
    """Said by apply and undo of their own doing; no fresh plan stops anything by it."""


class Reason(StrEnum):
    """A stable code with its group. ``meaning`` and ``advice`` are one sentence each."""

    group: Group
    meaning: str
    advice: str

    def __new__(cls, code: str, group: Group, meaning: str, advice: str = "") -> Self:
        self = str.__new__(cls, code)
        self._value_ = code
        self.group = group
        self.meaning = meaning
        self.advice = advice
        return self

    # why an action is due
    MISSING = "missing", Group.DUE, "OBS publishes the file, Packagecloud does not hold it."
    REBUILT = "rebuilt", Group.DUE, "OBS publishes other content under the same file name."
    SUPERSEDED = "superseded", Group.DUE, "OBS publishes a higher version of the same name and architecture."
    GONE = "gone", Group.DUE, "OBS no longer publishes the name at all."
    UNDO = "undo", Group.DUE, "The action takes back what an earlier apply did."

    # what the config wants
    KEEP = (
        "keep",
        Group.KEPT,
        "The config keeps orphans.",
        "To let those go that pass every check: `orphans: {action: delete, keep_versions: 3}`.",
    )
    PROTECTED = (
        "protected",
        Group.KEPT,
        "A glob of `orphans.protect` matches.",
        "If that is no longer wanted, take the glob out of `orphans: {protect: [GLOB]}`.",
    )
    CONTENT_CHANGED = (
        "content-changed",
        Group.KEPT,
        "OBS publishes other content under this name and `rebuilds: hold` is set.",
        "Set `rebuilds: replace`, or give the package a new version.",
    )
    NOT_SELECTED = (
        "not-selected",
        Group.APPLY,
        "The run was limited to other packages.",
        "Plan without `--target` or `--exclude`.",
    )

    # what is not known
    CONTENT_UNKNOWN = (
        "content-unknown",
        Group.LATER,
        "Packagecloud does not tell the checksum of its file.",
        "Plan again later; new uploads get their checksum after a while.",
    )
    EARLIER_SOURCE_UNREAD = (
        "earlier-source-unread",
        Group.DOUBT,
        "A source that comes first in the config could not be read and might offer the same file.",
        "Plan again when that source answers.",
    )
    VERSION_UNKNOWN = (
        "version-unknown",
        Group.CONTRARY,
        "A version of this name cannot be read, so their order is unknown.",
        "Delete by hand, or protect the name.",
    )
    OWNER_UNKNOWN = (
        "owner-unknown",
        Group.DOUBT,
        "Packages without files could be the owner of this file.",
        "Repair them in OBS; only for those that never had files: `orphans: {without_files: [PACKAGE]}`.",
    )
    BUILT_NOT_PUBLISHED = (
        "built-not-published",
        Group.DOUBT,
        "OBS has built the file but its published index does not list it.",
        "Wait for the next publish, or look at the project's publish settings.",
    )

    # whose it is, and what must stay
    NOT_OWNED = (
        "not-owned",
        Group.RETAINED,
        "Nothing shows that the file came from these OBS projects.",
        "To let pkgsync manage it: `orphans: {names: [NAME]}` or `orphans: {uploaders: [USER]}`.",
    )
    NOT_SUCCEEDED = (
        "not-succeeded",
        Group.DOUBT,
        "The package that offers the newer version is not in state succeeded.",
        "Repair its build in OBS.",
    )
    NOT_NEWER = (
        "not-newer",
        Group.CONTRARY,
        "OBS offers this name and architecture, but in no higher version.",
        "Expected after a downgrade; delete by hand if it is wanted.",
    )
    OTHER_ARCHITECTURE = (
        "other-architecture",
        Group.CONTRARY,
        "OBS offers the name, but for other architectures only.",
        "Delete by hand if the architecture is given up.",
    )
    CATCH_ALL = (
        "catch-all",
        Group.CONTRARY,
        "OBS no longer offers the name, but `*` feeds the distribution: a missing repository would not be noticed.",
        "Name the distribution's repositories in `distributions`, and map `*` to null.",
    )
    KEEP_VERSIONS = (
        "keep-versions",
        Group.RETAINED,
        "It is among the newest versions to keep.",
        "To keep fewer: `orphans: {keep_versions: N}`; none of what is gone and in `names`: `orphans: {gone: delete}`.",
    )
    NEWEST_NOT_HERE = (
        "newest-not-here",
        Group.DOUBT,
        "A version that OBS offers is not on Packagecloud with OBS's content, nor does it come with this plan.",
        "Upload it first; look why it is held if it is.",
    )
    MIN_AGE = "min-age", Group.CONTRARY, "It is younger than `orphans.min_age`.", "Wait, or lower `orphans.min_age`."
    GRACE = "grace", Group.CONTRARY, "It is an orphan for less than `orphans.grace`.", "Wait, or lower `orphans.grace`."
    IN_USE = (
        "in-use",
        Group.LATER,
        "It was downloaded lately, or Packagecloud does not tell.",
        "Wait, or lower `limits.in_use_days`.",
    )
    NEEDED_BY = (
        "needed-by",
        Group.LATER,
        "A package that stays needs it and nothing else that stays provides that, or it is not known whether one does.",
        "Let OBS publish what works without it, or take out `limits.installable`.",
    )
    LAST_VERSION = (
        "last-version",
        Group.RETAINED,
        "It is the last version of its name and architecture.",
        "To let it vanish: `orphans: {names: [NAME]}`.",
    )
    SAME_IDENTITY = (
        "same-identity",
        Group.CHANGED,
        "Several files or rows are one package in one version: there is room for one of them.",
        "Let OBS publish only one of them, or delete the others by hand.",
    )
    NAME_MISMATCH = (
        "name-mismatch",
        Group.CHANGED,
        "What Packagecloud says of the file is not what its name says.",
        "Look at the file; delete it by hand if it is not wanted.",
    )
    ARCHIVE_CLASH = (
        "archive-clash",
        Group.CHANGED,
        "The archive holds other content under this name.",
        "Rename or delete that file in the archive.",
    )
    ALREADY_ARCHIVED = (
        "already-archived",
        Group.CHANGED,
        "The archive holds the same file by now: here it would be deleted, not moved.",
        "Make a new plan.",
    )
    NEITHER_PLACE = (
        "neither-place",
        Group.CHANGED,
        "The file is neither in the repository nor in the archive.",
        "If it is missed, upload it again by hand; then make a new plan.",
    )

    # why an OBS repository is not settled
    REPOSITORY_ABSENT = (
        "repository-absent",
        Group.ABSENT,
        "The project's _meta does not have the repository.",
        "If the project is not meant to have it, remove the entry, or map it to null in the project's `distributions`.",
    )
    PROJECT_ABSENT = (
        "project-absent",
        Group.ABSENT,
        "The project does not exist.",
        "Remove it from the config if it is gone for good.",
    )
    ARCHITECTURE_ABSENT = (
        "architecture-absent",
        Group.UNSETTLED,
        "OBS gives no result for an architecture of the repository.",
        "Wait for its scheduler, or list it in `ignore_architectures`.",
    )
    DIRTY = "dirty", Group.UNSETTLED, "A change waits for the OBS scheduler.", "Plan again when OBS has caught up."
    DETAILS = (
        "details",
        Group.UNSETTLED,
        "OBS names a problem of the repository.",
        "Look at it in OBS, or run with -v.",
    )
    PUBLISHING = "publishing", Group.UNSETTLED, "OBS is publishing the repository now.", "Plan again in a few minutes."
    NOT_PUBLISHED = (
        "not-published",
        Group.UNSETTLED,
        "The repository's state is not published.",
        "Plan again when OBS has published it, or do what the message says.",
    )
    INDEX_EMPTY = (
        "index-empty",
        Group.UNSETTLED,
        "The published index lists no package.",
        "If that is right, list the repository in `may_be_empty`.",
    )
    INDEX_OLD = (
        "index-old",
        Group.UNSETTLED,
        "The published index is older than the last publish, or than one that was seen before.",
        "Plan again in a few minutes; if it stays, do what the message says.",
    )
    INDEX_CHANGED = (
        "index-changed",
        Group.UNSETTLED,
        "OBS changed while it was read, or its published index is not of what it built.",
        "Plan again in a few minutes; if it stays, do what the message says.",
    )
    SIGNATURE = (
        "signature",
        Group.LATER,
        "No key that the config pins vouches for the published index.",
        "Find out why first: somebody may have changed the index. `pkgsync help signatures` tells the causes.",
    )
    UNREAD = (
        "unread",
        Group.LATER,
        "A read of the repository failed.",
        "Plan again when the service answers, or do what the message says.",
    )

    # why an action of a plan is not executed
    SOURCE_CHANGED = "source-changed", Group.CHANGED, "OBS no longer publishes the planned content.", "Make a new plan."
    TARGET_CHANGED = (
        "target-changed",
        Group.CHANGED,
        "Packagecloud holds other content than planned.",
        "Make a new plan.",
    )
    APPLIED_BEFORE = (
        "applied-before",
        Group.APPLY,
        "The plan was applied in full before: its signatures approve that it is done once.",
        "Make a new plan, and let that be signed.",
    )
    WANTED_AGAIN = "wanted-again", Group.CHANGED, "OBS offers the file again.", "Make a new plan."
    POLICY_CHANGED = "policy-changed", Group.CHANGED, "The config no longer allows it.", "Make a new plan."
    UNSETTLED = "unsettled", Group.APPLY, "The OBS repository is not settled now.", "Run the same command again later."
    NO_BACKUP = (
        "no-backup",
        Group.APPLY,
        "The old bytes were not kept, so this cannot be undone.",
        "Look for `--backup-dir` of the run that deleted it.",
    )
    OUTCOME_UNKNOWN = (
        "outcome-unknown",
        Group.APPLY,
        "The receipt does not tell whether that apply changed the file.",
        "Run that apply again, then undo its new receipt.",
    )
    NOT_THERE = (
        "not-there",
        Group.APPLY,
        "OBS lists the file, but no place delivers it.",
        "Run the same command again later; if it stays so, tell who runs the server.",
    )
    UPLOAD_MISSING = (
        "upload-missing",
        Group.APPLY,
        "An upload or replacement of the distribution is not done.",
        "Run the same command again.",
    )
