"""Brings an old file back that we took away, whatever fails, and tells whether its name is missing.

Packagecloud cannot overwrite (packagecloud/README.md, "Upload"): between our own DELETE and what comes in its place
nothing may get in the way.
"""

from msgspec import Struct

from pkgsync.apply.journal import Request
from pkgsync.apply.outcome import Looked, Task, Undo, failure_of
from pkgsync.apply.site import Site
from pkgsync.apply.stored import StoredFile
from pkgsync.errors import PkgsyncError, ReadError, StorageError
from pkgsync.model import Action
from pkgsync.packagecloud import listing


class PutBack(Struct, frozen=True, kw_only=True):
    """How it went to bring an old file back, in words. ``failure`` is set where the file may still be missing."""

    told: str
    missing: Looked
    failure: PkgsyncError | None = None
    kept_at: str | None = None

    @property
    def undo(self) -> Undo | None:
        if self.failure is None:
            return None
        return "none" if self.kept_at is None else "backup"


def put_back(site: Site, task: Task, file: StoredFile | None) -> PutBack:
    """Upload kept bytes under their old name. Never raises: nothing on this machine may get in the way."""
    failure: PkgsyncError = StorageError("Its bytes are not in the backup store.")
    try:
        if file is not None:
            result = site.put(task, file, request=Request.RESTORE)
            if result.present:
                renamed = f" as {result.stored_as}" if result.stored_as is not None else ""
                return PutBack(told=f"the old file was put back{renamed}", missing="no")
            failure = ReadError(result.message)
    except Exception as error:
        failure = failure_of(error)
    return _not_back(site, task.action, file, failure)


def _not_back(site: Site, action: Action, file: StoredFile | None, failure: PkgsyncError) -> PutBack:
    told = f"the old file could not be put back: {failure.message}"
    absent = _is_absent(site, action)
    if absent is False:
        return PutBack(told=f"{told} A file stands under its name", missing="no")
    kept_at = str(file.path.absolute()) if file is not None and file.path.exists() else None
    return PutBack(told=told, missing="yes" if absent else "perhaps", failure=failure, kept_at=kept_at)


def _is_absent(site: Site, action: Action) -> bool | None:
    """Whether search and a new listing agree that there is no such row; None where they don't, or cannot tell."""
    try:
        if site.client.look_twice(action.distribution, action.filename) is not None:
            return False
        rows = listing.read(site.client.page, jobs=1, what=f"The listing of {site.name}")
    except Exception:  # whatever it is, it tells nothing
        return None
    return None if action.key in {row.key for row in rows} else True
