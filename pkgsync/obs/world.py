"""What was read of OBS, before anything is decided of it: enough for every config that maps what was read."""

from collections.abc import Mapping
from datetime import datetime

from msgspec import Struct

from pkgsync.obs.built import Reading
from pkgsync.obs.indexes import IndexRead
from pkgsync.obs.results import ArchitectureResults, ProjectMeta


class RepositoryReads(Struct, frozen=True, kw_only=True):
    """One repository: the ``_result`` from before and after its ``index`` or built ``copies`` were read.

    Both are None where neither was wanted.
    """

    before: ArchitectureResults
    after: ArchitectureResults
    index: IndexRead | None = None
    copies: Reading | None = None


class ProjectReads(Struct, frozen=True, kw_only=True):
    """One project; ``meta`` is None where OBS has none of that name."""

    meta: ProjectMeta | None
    repositories: Mapping[str, RepositoryReads]


class ObsWorld(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """All projects by name. ``requests`` are those that the config's own plan needs, whatever else was read.

    ``warnings`` are about what this machine knew before.
    """

    projects: Mapping[str, ProjectReads]
    read_at: datetime
    requests: int
    warnings: tuple[str, ...] = ()
