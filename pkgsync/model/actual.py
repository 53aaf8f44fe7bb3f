"""What Packagecloud holds: the actual state.

Sums are lower-case hex sha256, times the server's own ISO 8601 text.
"""

from collections.abc import Mapping
from datetime import datetime

from msgspec import Struct, field

from pkgsync.model.key import Keyed
from pkgsync.model.relations import Needs


class Untold:
    """A text that may hold a secret: it is not printed, and makes no difference between two values."""

    __slots__ = ("text",)

    def __init__(self, text: str = "") -> None:
        self.text = text

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Untold)

    def __hash__(self) -> int:
        return 0

    def __repr__(self) -> str:
        return "Untold()"


class Row(Keyed, frozen=True):
    """One package of a Packagecloud listing. ``sha256`` None means unknown, never equal.

    The ``*_url`` fields are the server's host-relative routes. ``download_url`` can hold a read token: it is a secret,
    and is neither printed nor compared (packagecloud/README.md, "Rows").
    """

    type: str
    name: str
    version: str | None = None
    release: str | None = None
    epoch: int | None = None
    architecture: str | None = None
    sha256: str | None = None
    created_at: str = ""
    uploader: str | None = None
    indexed: bool = True
    destroy_url: str = ""
    promote_url: str = ""
    package_url: str = ""
    downloads_count_url: str = ""
    download_url: Untold = Untold()


class Distribution(Struct, frozen=True, kw_only=True):
    """One ``distro/version`` of one package type. ``aliases`` are the same by version number (``ubuntu/22.04``)."""

    type: str
    name: str
    id: int
    aliases: tuple[str, ...] = ()


class ActualState(Struct, frozen=True, kw_only=True):
    """What the Packagecloud repository holds: all rows of all distributions, proven complete.

    ``distribution_ids`` maps every (package type, distribution) of the server to its numeric id.
    ``downloads`` are the counts of the last ``limits.in_use_days`` by package key: None where Packagecloud gave no
    usable answer; a key that is missing was not asked for.
    ``archive`` are the rpm and deb rows of the repository that orphans are moved to, by package key; None where it was
    not asked for, or could not be read completely. ``needs`` are of the distributions where something goes.
    """

    repository: str
    rows: tuple[Row, ...]
    total: int
    distribution_ids: Mapping[tuple[str, str], int]
    read_at: datetime
    requests: int = 0
    warnings: tuple[str, ...] = ()
    downloads: Mapping[str, int | None] = field(default_factory=dict)
    archive: Mapping[str, Row] | None = None
    needs: Mapping[str, Needs] = field(default_factory=dict)
