"""What Packagecloud allows only once per repository."""

from msgspec import Struct


class Keyed(Struct, frozen=True):
    """A file name in a distribution. ``key`` is the package key, ``DISTRIBUTION/FILENAME``."""

    distribution: str
    filename: str

    @property
    def key(self) -> str:
        return f"{self.distribution}/{self.filename}"
