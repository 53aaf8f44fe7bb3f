"""The actions of a plan, the evidence behind them, and what is withheld.

Sizes are bytes, sums lower-case hex sha256, times ISO 8601.
"""

from typing import ClassVar, Literal

from msgspec import Struct, field

from pkgsync.model.filename import FileClass
from pkgsync.model.key import Keyed
from pkgsync.model.policy import ContentFrom
from pkgsync.reasons import Reason

ActionKind = Literal["upload", "replacement", "deletion", "archiving"]


class Source(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Where an upload's bytes come from.

    ``path`` is relative to the published repository, or with ``content`` build to the repository under /build.
    """

    kind: Literal["obs", "backup", "archive"]
    project: str = ""
    repository: str = ""
    architecture: str = ""
    packages: tuple[str, ...] = ()
    path: str = ""
    content: ContentFrom = "published"


class ArchitectureEvidence(Struct, frozen=True):
    name: str
    code: str


class RepositoryEvidence(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One settled repository behind a deletion, as it was read. ``index_sha256`` as ``Index.top_sha256``."""

    project: str
    repository: str
    architectures: tuple[ArchitectureEvidence, ...]
    last_published: int | None = field(name="lastpublished")  # the word of OBS's own answers
    index_sha256: str
    revision: int | None
    content: ContentFrom = "published"


class SupersededBy(Struct, frozen=True, kw_only=True):
    """The newer version that OBS offers, and the state of the package that builds it."""

    filename: str
    version: str
    package: str
    code: str


class Evidence(Struct, frozen=True, kw_only=True, omit_defaults=True):
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


class Action(Keyed, frozen=True, kw_only=True):
    """One change of one file on Packagecloud, and why it is due."""

    kind: ClassVar[ActionKind]

    sha256: str
    reason: Reason


class Transfer(Action, frozen=True, kw_only=True):
    """Brings ``size`` bytes there. ``also`` are the other places that offer the same file."""

    size: int
    source: Source
    also: tuple[Source, ...] = ()


class OldContent(Struct, frozen=True):
    """The row that a replacement takes away."""

    sha256: str
    created_at: str


class Upload(Transfer, frozen=True, kw_only=True, omit_defaults=True):
    kind: ClassVar[ActionKind] = "upload"

    def over(self, old: OldContent, reason: Reason) -> "Replacement":
        """The same file in the place of an old one."""
        return Replacement(
            distribution=self.distribution,
            filename=self.filename,
            sha256=self.sha256,
            reason=reason,
            size=self.size,
            source=self.source,
            also=self.also,
            old=old,
        )


class Replacement(Transfer, frozen=True, kw_only=True, omit_defaults=True):
    kind: ClassVar[ActionKind] = "replacement"

    old: OldContent


class Removal(Action, frozen=True, kw_only=True):
    """Takes the row with this content and ``created_at`` away."""

    created_at: str
    uploader: str | None
    evidence: Evidence

    @property
    def archive(self) -> str | None:
        """The repository that holds the content afterwards, if one does."""
        return None


class Deletion(Removal, frozen=True, kw_only=True, omit_defaults=True):
    """``archived_in`` names the archive whose row of this name holds the same content: the backup of this one."""

    kind: ClassVar[ActionKind] = "deletion"

    archived_in: str | None = None

    @property
    def archive(self) -> str | None:
        return self.archived_in

    def to(self, archive: str) -> "Archiving":
        """The same row moved to ``archive`` instead."""
        return Archiving(
            distribution=self.distribution,
            filename=self.filename,
            sha256=self.sha256,
            created_at=self.created_at,
            uploader=self.uploader,
            reason=self.reason,
            evidence=self.evidence,
            archive_to=archive,
        )


class Archiving(Removal, frozen=True, kw_only=True):
    """A deletion that moves the row to another repository of the same server instead."""

    kind: ClassVar[ActionKind] = "archiving"

    archive_to: str

    @property
    def archive(self) -> str | None:
        return self.archive_to


class Held(Keyed, frozen=True, kw_only=True):
    """An action that would be due but is withheld. ``action`` is what it would have been."""

    action: ActionKind
    reason: Reason
    message: str


class LeftOut(Struct, frozen=True, kw_only=True):
    """Files that OBS publishes for a distribution, of a class that the config does not include."""

    distribution: str
    file_class: FileClass
    filenames: tuple[str, ...]


class Shadowed(Keyed, frozen=True, kw_only=True):
    """A file that an earlier source offers with other content; the earlier one wins."""

    sha256: str
    source: Source
    by: Source
