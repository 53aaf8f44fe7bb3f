"""An undo before it is executed: what it takes away must be ours, and what it brings back must be where it says.

Anybody can write an undo with a right digest. What vouches for it is our own journal of the apply that it takes back;
without that journal its removals are no others than those of any plan (see recheck), and nothing is replaced.
"""

from collections.abc import Mapping

from pkgsync.model import Action, ActionKind, Archiving, Removal, Replacement, Row, Transfer
from pkgsync.reasons import Reason
from pkgsync.reconcile.filters import Globs
from pkgsync.reconcile.standing import Fresh, Sent, Standing, due, left, stale


def taken_away(action: Removal, row: Row, sent: Mapping[str, Sent], fresh: Fresh) -> Standing:
    """A removal that the journal vouches for may go whatever OBS offers, if the config does not protect it."""
    if (foreign := _not_sent(action, row, sent, fresh)) is not None:
        return foreign
    protect = Globs(fresh.policy.orphans.protect)
    if protect.match(action.filename) or protect.match(action.key):
        return stale(action, Reason.POLICY_CHANGED, "a protect glob matches now")
    unknown = _unknown_archive(action, action.archive_to, fresh) if isinstance(action, Archiving) else None
    return unknown or due(action)


def _not_sent(action: Action, row: Row, sent: Mapping[str, Sent], fresh: Fresh) -> Standing | None:
    # Only a name that came with a file may go with it: a file that replaced another one gives way to that one.
    came: ActionKind = "replacement" if isinstance(action, Replacement) else "upload"
    if row.sha256 is not None and sent.get(action.key) == Sent(came, row.sha256):
        return None
    words = f"the journal of the apply {fresh.plan.undoes} does not say that it was put there"
    return stale(action, Reason.NOT_OWNED, words)


def put_in_place(action: Replacement, row: Row, fresh: Fresh) -> Standing:
    """Only the journal vouches for it: the backups hold old content of every name, and anybody can write an undo."""
    if fresh.sent is not None:
        return _not_sent(action, row, fresh.sent, fresh) or brought_back(action, fresh)
    words = (
        f"the journal of the apply {fresh.plan.undoes} is not here: apply the undo with the `--state-dir` of that apply"
    )
    return stale(action, Reason.NOT_OWNED, words)


def brought_back(action: Transfer, fresh: Fresh) -> Standing:
    """Bytes of a backup are verified when they are used; a row of the archive must be the planned one."""
    archive = action.source.repository
    if action.source.kind != "archive":
        return due(action)
    if (unknown := _unknown_archive(action, archive, fresh)) is not None:
        return unknown
    if fresh.archive is None:
        return left(action, Reason.UNREAD, f"the archive {archive} could not be read")
    there = fresh.archive.get(action.key)
    if there is not None and there.sha256 in (None, action.sha256):
        return due(action)
    return stale(action, Reason.NO_BACKUP, f"{archive} no longer holds the same file")


def _unknown_archive(action: Action, archive: str, fresh: Fresh) -> Standing | None:
    """A plan must not move files from or to a repository that only the plan names."""
    if archive == fresh.policy.orphans.archive_to:
        return None
    return stale(action, Reason.POLICY_CHANGED, f"the config does not name {archive} as the archive")
