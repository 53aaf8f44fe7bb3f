"""Looks at single rows of Packagecloud: absence counts only twice, and an unknown checksum is never equal."""

from contextlib import suppress

from attrs import define

from pkgsync.apply.job import Job
from pkgsync.apply.transfer import Transporter
from pkgsync.errors import ReadError
from pkgsync.model import Row


@define
class Looks:
    job: Job
    transporter: Transporter

    def find(self, distribution: str, filename: str) -> Row | None:
        """The row of this key; None if two looks found none. Raises ReadError."""
        return self.job.packagecloud.look_twice(distribution, filename)

    def sha256(self, row: Row) -> str | None:
        """The checksum that Packagecloud knows of the row, if any. Raises ReadError."""
        return row.sha256 or self.job.packagecloud.details(row).sha256

    def proven_sha256(self, row: Row, size: int) -> tuple[str, str]:
        """The checksum of the row, and how it was found out: from the listing, or else by downloading it back.

        Packagecloud fills in checksums after a while, so it is asked more than
        once. ``size`` is what the file should have, in bytes. Raises ReadError.
        """
        for attempt in range(1, self.job.limits.looks + 1):
            with suppress(ReadError):  # without a usable detail route the file itself still tells
                sha256 = self.sha256(row)
                if sha256 is not None:
                    return sha256, "listing"
            if attempt < self.job.limits.looks:
                self.job.pause(self.job.limits.wait_seconds(attempt))
        return self.transporter.hash_of(row, size), "download"

    def is_gone(self, row: Row) -> bool:
        """Whether the row has vanished; a listing that lags is asked more than once. Raises ReadError."""
        for attempt in range(1, self.job.limits.looks + 1):
            now = self.find(row.distribution, row.filename)
            if now is None or not same(now, row):
                return True
            if attempt < self.job.limits.looks:
                self.job.pause(self.job.limits.wait_seconds(attempt))
        return False


def same(one: Row, other: Row) -> bool:
    """Whether both are one row, not a row that has replaced it under its name."""
    known = one.sha256 is not None and other.sha256 is not None
    return one.created_at == other.created_at and (one.sha256 == other.sha256 or not known)
