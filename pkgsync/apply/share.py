"""A run that takes a part of its plan only: one phase, or beside other machines a share of the uploads.

No machine needs a word from another one: whose an upload is follows from its key, and what the others have done is
looked up on Packagecloud.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum

from msgspec import Struct

from pkgsync import reconcile
from pkgsync.model import Action, Outcome, Removal, Replacement, Transfer, Upload
from pkgsync.reasons import Reason


class Phase(StrEnum):
    """What a run may be limited to. Archivings are among the deletions."""

    UPLOADS = "uploads"
    REPLACEMENTS = "replacements"
    DELETIONS = "deletions"


_OF = {Phase.UPLOADS: Upload, Phase.REPLACEMENTS: Replacement, Phase.DELETIONS: Removal}
_BEFORE: Mapping[Phase | None, tuple[type[Action], ...]] = {
    Phase.REPLACEMENTS: (Upload,),
    Phase.DELETIONS: (Transfer,),
}


class Shard(Struct, frozen=True):
    """Share ``number``, counted from 1, of ``count`` shares of the uploads."""

    number: int
    count: int

    def takes(self, key: str) -> bool:
        """Whether the upload with this package key is of this share: on every machine the same, unlike ``hash``."""
        return int.from_bytes(hashlib.sha256(key.encode()).digest()) % self.count == self.number - 1


class Part(Struct, frozen=True):
    """What one run takes of its plan; of itself all."""

    phase: Phase | None = None
    shard: Shard | None = None

    def __str__(self) -> str:
        return f"share {self.shard.number}/{self.shard.count} of the uploads" if self.shard else str(self.phase)

    @property
    def options(self) -> str:
        """As they are typed, with a space behind; of the whole plan none."""
        if self.shard is not None:
            return f"--shard {self.shard.number}/{self.shard.count} "
        return f"--only {self.phase} " if self.phase is not None else ""

    def takes(self, action: Action) -> bool:
        if self.shard is not None:
            return isinstance(action, Upload) and self.shard.takes(action.key)
        return self.phase is None or isinstance(action, _OF[self.phase])

    def of(self, standings: Iterable["reconcile.Standing"]) -> "tuple[reconcile.Standing, ...]":
        """The standings as this run sees them: left is what is not its part, and what would come too early."""
        seen = tuple(self._seen(standing) for standing in standings)
        before = _BEFORE.get(self.phase, ())
        missing = [s.action.key for s in seen if isinstance(s.action, before) and not s.outcome.is_goal]
        return tuple(_too_early(standing, missing) for standing in seen) if missing else seen

    def _seen(self, standing: "reconcile.Standing") -> "reconcile.Standing":
        if self.takes(standing.action) or standing.outcome.is_goal:
            return standing
        # All of the plan must be fit, or nothing of it is done. A share is judged alone: what other machines are about
        # to do may look odd at any moment, and nothing is taken away by this one.
        if standing.outcome is not Outcome.DUE and self.shard is None:
            return standing
        return reconcile.left(standing.action, Reason.NOT_SELECTED, f"this run was limited to {self}")


WHOLE = Part()


def _too_early(standing: "reconcile.Standing", missing: Sequence[str]) -> "reconcile.Standing":
    """A phase alone proves by the listing that what comes before it is there: all of it, whoever brought it."""
    if standing.outcome is not Outcome.DUE:
        return standing
    words = f"{missing[0]} is not verified present"
    if len(missing) > 1:
        words = f"{missing[0]} and {len(missing) - 1} more of the plan are not verified present"
    return reconcile.left(standing.action, Reason.UPLOAD_MISSING, words)
