"""Why something happens or is withheld: the reason codes of plans, receipts and audits.

Each code carries what it means and what a user can do; the README's table is generated from here.
"""

from enum import StrEnum
from typing import Self


class Reason(StrEnum):
    """A stable code. ``meaning`` and ``advice`` are one sentence each."""

    meaning: str
    advice: str

    def __new__(cls, code: str, meaning: str, advice: str = "") -> Self:
        self = str.__new__(cls, code)
        self._value_ = code
        self.meaning = meaning
        self.advice = advice
        return self

    # why an action is due
    MISSING = "missing", "OBS publishes the file, Packagecloud does not hold it."
    REBUILT = "rebuilt", "OBS publishes other content under the same file name."
    SUPERSEDED = "superseded", "OBS publishes a higher version of the same name and architecture."
    GONE = "gone", "OBS no longer publishes the name at all."
    UNDO = "undo", "The action takes back what an earlier apply did."

    # what the config wants
    KEEP = "keep", "The config keeps orphans.", "Set `orphans: delete` or `archive` with `keep_versions`."
    PROTECTED = (
        "protected",
        "A `protect` glob matches.",
        "Change `orphans.protect` if that is no longer wanted.",
    )
    CONTENT_CHANGED = (
        "content-changed",
        "OBS publishes other content under this name and `rebuilds: hold` is set.",
        "Set `rebuilds: replace`, or give the package a new version.",
    )
    NOT_SELECTED = (
        "not-selected",
        "The run was limited to other packages.",
        "Plan without `--target` or `--exclude`.",
    )

    # what is not known
    CONTENT_UNKNOWN = (
        "content-unknown",
        "Packagecloud does not tell the checksum of its file.",
        "Plan again later; new uploads get their checksum after a while.",
    )
    EARLIER_SOURCE_UNREAD = (
        "earlier-source-unread",
        "A source that comes first in the config could not be read and might offer the same file.",
        "Plan again when that source answers.",
    )
    VERSION_UNKNOWN = (
        "version-unknown",
        "A version of this name cannot be read, so their order is unknown.",
        "Delete by hand, or protect the name.",
    )
    OWNER_UNKNOWN = (
        "owner-unknown",
        "Packages without files could be the owner of this file.",
        "Repair them in OBS, or list packages that never had files in `orphans.without_files`.",
    )
    BUILT_NOT_PUBLISHED = (
        "built-not-published",
        "OBS has built the file but its published index does not list it.",
        "Wait for the next publish, or look at the project's publish settings.",
    )

    # whose it is, and what must stay
    NOT_OWNED = (
        "not-owned",
        "Nothing shows that the file came from these OBS projects.",
        "Claim it with `orphans.names` or `orphans.uploaders`.",
    )
    NOT_SUCCEEDED = (
        "not-succeeded",
        "The package that offers the newer version is not in state succeeded.",
        "Repair its build in OBS.",
    )
    NOT_NEWER = (
        "not-newer",
        "OBS offers this name and architecture, but in no higher version.",
        "Expected after a downgrade; delete by hand if it is wanted.",
    )
    OTHER_ARCHITECTURE = (
        "other-architecture",
        "OBS offers the name, but for other architectures only.",
        "Delete by hand if the architecture is given up.",
    )
    KEEP_VERSIONS = (
        "keep-versions",
        "It is among the newest versions to keep.",
        "Lower `orphans.keep_versions`.",
    )
    NEWEST_NOT_HERE = (
        "newest-not-here",
        "A version that OBS offers is neither on Packagecloud nor uploaded by this plan.",
        "Upload it first.",
    )
    MIN_AGE = "min-age", "It is younger than `orphans.min_age`.", "Wait, or lower `orphans.min_age`."
    GRACE = "grace", "It is an orphan for less than `orphans.grace`.", "Wait, or lower `orphans.grace`."
    IN_USE = (
        "in-use",
        "It was downloaded lately, or Packagecloud does not tell.",
        "Wait, or lower `limits.in_use_days`.",
    )
    LAST_VERSION = (
        "last-version",
        "It is the last version of its name and architecture.",
        "List the name in `orphans.names` if it may vanish.",
    )
    ARCHIVE_CLASH = (
        "archive-clash",
        "The archive holds other content under this name.",
        "Rename or delete that file in the archive.",
    )
    ALREADY_ARCHIVED = (
        "already-archived",
        "The archive holds the same file by now: here it would be deleted, not moved.",
        "Make a new plan.",
    )
    NEITHER_PLACE = (
        "neither-place",
        "The file is neither in the repository nor in the archive.",
        "If it is missed, upload it again by hand; then make a new plan.",
    )

    # why an OBS repository is not settled
    REPOSITORY_ABSENT = (
        "repository-absent",
        "The project's _meta does not have the repository.",
        "If the project is not meant to have it, map it to null under the project's own `distributions`.",
    )
    PROJECT_ABSENT = (
        "project-absent",
        "The project does not exist.",
        "Remove it from the config if it is gone for good.",
    )
    ARCHITECTURE_ABSENT = (
        "architecture-absent",
        "OBS gives no result for an architecture of the repository.",
        "Wait for its scheduler, or list it in `ignore_architectures`.",
    )
    DIRTY = "dirty", "A change waits for the OBS scheduler.", "Plan again when OBS has caught up."
    DETAILS = "details", "OBS names a problem of the repository.", "Look at the repository in OBS."
    PUBLISHING = "publishing", "OBS is publishing the repository now.", "Plan again in a few minutes."
    NOT_PUBLISHED = (
        "not-published",
        "The repository's state is not published.",
        "Plan again when OBS has published it.",
    )
    INDEX_EMPTY = (
        "index-empty",
        "The published index lists no package.",
        "If that is right, list the repository in `may_be_empty`.",
    )
    INDEX_OLD = (
        "index-old",
        "The published index is older than the last publish.",
        "Plan again in a few minutes.",
    )
    INDEX_CHANGED = "index-changed", "OBS changed while it was read.", "Plan again in a few minutes."
    UNREAD = "unread", "A read of the repository failed.", "Plan again when the service answers."

    # why an action of a plan is not executed
    SOURCE_CHANGED = "source-changed", "OBS no longer publishes the planned content.", "Make a new plan."
    TARGET_CHANGED = "target-changed", "Packagecloud holds other content than planned.", "Make a new plan."
    WANTED_AGAIN = "wanted-again", "OBS offers the file again.", "Make a new plan."
    POLICY_CHANGED = "policy-changed", "The config no longer allows it.", "Make a new plan."
    UNSETTLED = "unsettled", "The OBS repository is not settled now.", "Run the same command again later."
    NO_BACKUP = (
        "no-backup",
        "The old bytes were not kept, so this cannot be undone.",
        "Look for `--backup-dir` of the run that deleted it.",
    )
    OUTCOME_UNKNOWN = (
        "outcome-unknown",
        "The receipt does not tell whether that apply changed the file.",
        "Run that apply again, then undo its new receipt.",
    )
    UPLOAD_MISSING = (
        "upload-missing",
        "An upload or replacement of the distribution is not done.",
        "Run the same command again.",
    )
