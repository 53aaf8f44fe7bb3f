"""What stands in the archive under the key of an action: looks at the repository that orphans are moved to."""

from enum import Enum, auto

from attrs import define, evolve

from pkgsync.apply.job import Job
from pkgsync.apply.looks import Looks
from pkgsync.apply.result import Result
from pkgsync.apply.transfer import Transporter
from pkgsync.errors import ReadError
from pkgsync.model import Removal, Row
from pkgsync.packagecloud.client import PackagecloudClient
from pkgsync.reasons import Reason


class There(Enum):
    """The archive's row under a key against the planned content."""

    NOTHING = auto()
    EQUAL = auto()
    OTHER = auto()
    UNKNOWN = auto()


@define
class Archive:
    client: PackagecloudClient
    looks: Looks

    @classmethod
    def of(cls, job: Job) -> "Archive | None":
        if job.archive is None:
            return None
        elsewhere = evolve(job, packagecloud=job.archive)
        return cls(job.archive, Looks(elsewhere, Transporter(elsewhere)))

    def there(self, action: Removal) -> There:
        """What stands there, as far as Packagecloud tells at once. Raises ReadError."""
        row = self.looks.find(action.distribution, action.filename)
        if row is None:
            return There.NOTHING
        sha256 = self.looks.sha256(row)
        return There.UNKNOWN if sha256 is None else _compared(action, sha256)

    def proven(self, action: Removal) -> tuple[There, int | None]:
        """What stands there, if need be by downloading it, and its size in bytes. Raises ReadError."""
        row = self.looks.find(action.distribution, action.filename)
        if row is None:
            return There.NOTHING, None
        size = self._size(row)
        if row.sha256 is None and size is None:
            raise ReadError(f"Packagecloud tells neither checksum nor size of {row.key} in {self.client.repository}.")
        return _compared(action, self.looks.proven_sha256(row, size or 0)[0]), size

    def _size(self, row: Row) -> int | None:
        try:
            return self.client.details(row).size
        except ReadError:
            return None

    def clash(self) -> Result:
        return Result.stale(Reason.ARCHIVE_CLASH, f"{self.client.repository} holds another file under this name.")

    def unknown(self) -> Result:
        words = f"Packagecloud does not tell the checksum of the file in {self.client.repository}."
        return Result.left(words, Reason.CONTENT_UNKNOWN)

    def unkept(self, action: Removal) -> Result | None:
        """None if the archive holds the same file, so that the one here may be deleted. Raises ReadError."""
        match self.there(action):
            case There.EQUAL:
                return None
            case There.OTHER:
                return self.clash()
            case There.UNKNOWN:
                return self.unknown()
            case There.NOTHING:
                words = f"{self.client.repository} no longer holds the same file."
                return Result.stale(Reason.TARGET_CHANGED, words)


def _compared(action: Removal, sha256: str) -> There:
    return There.EQUAL if sha256 == action.sha256 else There.OTHER
