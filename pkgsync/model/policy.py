"""What the config wants."""

from collections.abc import Mapping
from datetime import timedelta
from enum import StrEnum
from typing import Literal

from attrs import evolve, field, frozen

LATER = {"later": True}
"""Of a field that came after others had been in use: at its default it is no part of a config's digest."""

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


@frozen(kw_only=True)
class OrphanPolicy:
    """``orphans`` of the config; the globs match whole names, as in a shell."""

    action: OrphanAction = OrphanAction.KEEP
    archive_to: str | None = None
    keep_versions: int | None = None
    min_age: timedelta = timedelta(0)
    grace: timedelta = timedelta(0)
    gone: GoneRule = field(default=GoneRule.KEEP, metadata=LATER)
    protect: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    uploaders: tuple[str, ...] = ()
    without_files: tuple[str, ...] = ()


@frozen
class DistributionLimits:
    """What one distribution's limits are instead of the general ones; None: no other."""

    deletions: int | None = None
    deletions_percent: int | None = None


@frozen(kw_only=True)
class ApprovalRule:
    """How many must sign a plan before it is applied, and which file, in ssh-keygen's form, says who may.

    ``signers`` is relative to the config file. ``for_deletions`` counts for plans that delete or archive.
    """

    signers: str
    required: int = 1
    for_deletions: int = 0


@frozen(kw_only=True)
class Limits:
    """How many deletions a plan may hold per distribution before it is refused, and who must have signed it.

    ``in_use_days`` holds what was downloaded in so many days; None: downloads don't matter. ``installable`` holds what
    a package that stays needs.
    """

    deletions: int = 20
    deletions_percent: int = 30
    in_use_days: int | None = None
    installable: bool = field(default=False, metadata=LATER)
    distributions: Mapping[str, DistributionLimits] = field(factory=dict)
    approvals: ApprovalRule | None = field(default=None, metadata=LATER)

    def of(self, distribution: str) -> "Limits":
        """The limits that count for this distribution."""
        own = self.distributions.get(distribution, DistributionLimits())
        return evolve(
            self,
            deletions=self.deletions if own.deletions is None else own.deletions,
            deletions_percent=self.deletions_percent if own.deletions_percent is None else own.deletions_percent,
        )


@frozen(kw_only=True)
class Policy:
    """All of the config that decides: what is uploaded, replaced and deleted. Holds no credential."""

    include: tuple[str, ...] = ("*",)
    exclude: tuple[str, ...] = ()
    include_classes: tuple[str, ...] = ()
    rebuilds: Literal["replace", "hold"] = "replace"
    orphans: OrphanPolicy = OrphanPolicy()
    limits: Limits = Limits()


@frozen
class Selection:
    """``--target`` and ``--exclude`` of one run: globs on package keys. Both empty: everything."""

    targets: tuple[str, ...] = ()
    excludes: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.targets or self.excludes)


EVERYTHING = Selection()
