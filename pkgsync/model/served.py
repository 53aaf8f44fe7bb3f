"""What package managers get of the repository, beside what they should get.

Sizes are bytes, sums lower-case hex sha256, times ISO 8601 in UTC.
"""

from collections.abc import Collection
from enum import StrEnum

from msgspec import Struct

from pkgsync.model.filename import PackageType
from pkgsync.model.key import Keyed


class ServedFile(Struct, frozen=True):
    """One package of an index; ``sha256`` None: the index states another sum only."""

    filename: str
    size: int
    sha256: str | None


class ServedIndex(Struct, frozen=True, kw_only=True):
    """What package managers get of one distribution: the packages of all ``architectures`` that are served.

    ``revision`` is when the oldest of them was made, in seconds since 1970. ``signed_by`` is the fingerprint of the
    pinned key that vouches for it, None where none is pinned. ``problem`` says why it could not be read; ``broken``:
    because it is not what its signature or checksums say.
    """

    distribution: str
    architectures: tuple[str, ...] = ()
    files: tuple[ServedFile, ...] = ()
    revision: int | None = None
    signed_by: str | None = None
    warnings: tuple[str, ...] = ()
    problem: str = ""
    broken: bool = False


class Wanted(Struct, frozen=True, kw_only=True):
    """Of which distribution the index is read, and for which architectures."""

    distribution: str
    type: PackageType
    architectures: Collection[str]


class Expected(Keyed, frozen=True, kw_only=True):
    """One file that package managers should get, or should get no more (``gone``).

    ``architecture`` is empty where it is not known. ``old_sha256`` is what stood there before, ``changed_at`` when that
    changed, where it is known.
    ``listed``: Packagecloud itself holds it.
    """

    type: PackageType
    architecture: str
    sha256: str
    size: int | None = None
    gone: bool = False
    old_sha256: str | None = None
    changed_at: str | None = None
    listed: bool = True


class ServedState(StrEnum):
    """What package managers get of one file. All but the first two are no success.

    ``NOT_UPLOADED``: Packagecloud itself does not hold it, or holds other content.
    """

    SERVED = "served"
    GONE = "gone"
    NOT_UPLOADED = "not-uploaded"
    ABSENT = "absent"
    OLD = "old"
    STILL_SERVED = "still-served"
    UNPROVEN = "unproven"
    UNREAD = "unread"
    DIFFERS = "differs"

    @property
    def is_goal(self) -> bool:
        return self in (ServedState.SERVED, ServedState.GONE)


class Checked(Keyed, frozen=True, kw_only=True):
    """One file and what became of it; ``message`` says more where it is no success."""

    state: ServedState
    message: str = ""


class CheckedIndex(Struct, frozen=True, kw_only=True):
    """One distribution's index as it was found; ``made_at`` is its own time.

    ``after_seconds``: how long after the last change there the index that shows all of it was made.
    """

    distribution: str
    architectures: tuple[str, ...]
    made_at: str | None = None
    signed_by: str | None = None
    after_seconds: int | None = None
    served: int = 0
    problem: str = ""
    broken: bool = False


class Verification(Struct, frozen=True, kw_only=True):
    """What package managers get, distribution by distribution; ``files`` are only those that are no success.

    ``complete``: OBS was read completely, so that it is known what they should get. ``receipt`` is the digest of the
    plan whose receipt was verified; None: all that OBS publishes was.
    """

    repository: str
    created_at: str
    complete: bool
    indexes: tuple[CheckedIndex, ...]
    files: tuple[Checked, ...]
    receipt: str | None = None
    warnings: tuple[str, ...] = ()

    @property
    def served(self) -> int:
        return sum(index.served for index in self.indexes)

    @property
    def is_wrong(self) -> bool:
        """Whether bytes, sums or signatures contradict: only where an index was in the making does time cure that."""
        return any(i.broken for i in self.indexes) or any(f.state is ServedState.DIFFERS for f in self.files)

    @property
    def is_done(self) -> bool:
        """Whether package managers get just what they should."""
        return self.complete and not self.files and not any(index.problem for index in self.indexes)
