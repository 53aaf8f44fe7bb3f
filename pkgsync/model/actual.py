"""What Packagecloud holds: the actual state.

Sums are lower-case hex sha256, times the server's own ISO 8601 text.
"""

from collections.abc import Mapping
from datetime import datetime

from attrs import field, frozen

from pkgsync.model.key import Keyed
from pkgsync.model.relations import Needs


@frozen
class Row(Keyed):
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
    download_url: str | None = field(default=None, repr=False, eq=False)


@frozen(kw_only=True)
class Distribution:
    """One ``distro/version`` of one package type. ``aliases`` are the same by version number (``ubuntu/22.04``)."""

    type: str
    name: str
    id: int
    aliases: tuple[str, ...] = ()


@frozen(kw_only=True)
class ActualState:
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
    downloads: Mapping[str, int | None] = field(factory=dict)
    archive: Mapping[str, Row] | None = None
    needs: Mapping[str, Needs] = field(factory=dict)
