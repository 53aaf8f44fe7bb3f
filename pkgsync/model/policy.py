"""What the config wants."""

from collections.abc import Mapping
from datetime import timedelta
from enum import StrEnum
from typing import Literal

from msgspec import Struct, field
from msgspec.structs import replace

ContentFrom = Literal["published", "build"]
"""What counts as offered: the published repository, or what is built where nothing is published."""


class OrphanAction(StrEnum):
    KEEP = "keep"
    DELETE = "delete"
    ARCHIVE = "archive"


class GoneRule(StrEnum):
    """Whether ``keep_versions`` counts for a package of ``names`` that OBS offers no more."""

    KEEP = "keep"
    DELETE = "delete"


class OrphanPolicy(Struct, frozen=True, kw_only=True):
    """``orphans`` of the config; the globs match whole names, as in a shell."""

    action: OrphanAction = OrphanAction.KEEP
    archive_to: str | None = None
    keep_versions: int | None = None
    min_age: timedelta = timedelta(0)
    grace: timedelta = timedelta(0)
    gone: GoneRule = GoneRule.KEEP
    protect: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    uploaders: tuple[str, ...] = ()
    without_files: tuple[str, ...] = ()


class DistributionLimits(Struct, frozen=True):
    """What one distribution's limits are instead of the general ones; None: no other."""

    deletions: int | None = None
    deletions_percent: int | None = None


class ApprovalRule(Struct, frozen=True, kw_only=True):
    """How many must sign a plan before it is applied, and which file, in ssh-keygen's form, says who may.

    ``signers`` is relative to the config file. ``for_deletions`` counts for plans that delete or archive.
    """

    signers: str
    required: int = 1
    for_deletions: int = 0


class Limits(Struct, frozen=True, kw_only=True):
    """How many deletions a plan may hold per distribution before it is refused, and who must have signed it.

    ``in_use_days`` holds what was downloaded in so many days; None: downloads don't matter. ``installable`` holds what
    a package that stays needs.
    """

    deletions: int = 20
    deletions_percent: int = 30
    in_use_days: int | None = None
    installable: bool = False
    distributions: Mapping[str, DistributionLimits] = field(default_factory=dict)
    approvals: ApprovalRule | None = None

    def of(self, distribution: str) -> "Limits":
        """The limits that count for this distribution."""
        own = self.distributions.get(distribution, DistributionLimits())
        return replace(
            self,
            deletions=self.deletions if own.deletions is None else own.deletions,
            deletions_percent=self.deletions_percent if own.deletions_percent is None else own.deletions_percent,
        )


class Policy(Struct, frozen=True, kw_only=True):
    """All of the config that decides: what is uploaded, replaced and deleted. Holds no credential."""

    include: tuple[str, ...] = ("*",)
    exclude: tuple[str, ...] = ()
    include_classes: tuple[str, ...] = ()
    rebuilds: Literal["replace", "hold"] = "replace"
    orphans: OrphanPolicy = OrphanPolicy()
    limits: Limits = Limits()


class Selection(Struct, frozen=True, omit_defaults=True):
    """``--target`` and ``--exclude`` of one run: globs on package keys. Both empty: everything."""

    targets: tuple[str, ...] = ()
    excludes: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.targets or self.excludes)


EVERYTHING = Selection()
