"""Both worlds side by side: every decision of one run, before it becomes a plan or an audit."""

from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import datetime

from msgspec import Struct

from pkgsync.model import (
    SYNCED_TYPES,
    ActionKind,
    ActualState,
    Archiving,
    Counts,
    Deletion,
    DesiredState,
    Held,
    LeftOut,
    LimitExceeded,
    Orphan,
    Overrides,
    Policy,
    Replacement,
    Row,
    Shadowed,
    Upload,
)
from pkgsync.model.filename import FileClass
from pkgsync.reconcile.facts import Facts, by_name
from pkgsync.reconcile.filters import FileFilter
from pkgsync.reconcile.limits import exceeded, freed
from pkgsync.reconcile.losses import NO_LOSSES, Losses, kept, losses
from pkgsync.reconcile.names import settle_names
from pkgsync.reconcile.offers import Offered, gather_offers
from pkgsync.reconcile.orphans import judge, needed_by, orphan_rows
from pkgsync.reconcile.retention import groups
from pkgsync.reconcile.transfers import Transfers, transfers
from pkgsync.reconcile.versions import key_of


class DistributionDecisions(Struct, frozen=True, kw_only=True):
    """All decisions for one distribution, and the ``facts`` they were taken on.

    ``freed`` are removals whose newer version this plan uploads; ``renamed`` the rows whose content an index lists
    under another name. ``losses`` are what the removals and replacements take from what stays.
    """

    name: str
    facts: Facts
    uploads: tuple[Upload, ...] = ()
    replacements: tuple[Replacement, ...] = ()
    deletions: tuple[Deletion, ...] = ()
    archivings: tuple[Archiving, ...] = ()
    held: tuple[Held, ...] = ()
    shadowed: tuple[Shadowed, ...] = ()
    left_out: tuple[LeftOut, ...] = ()
    orphans: tuple[Orphan, ...] = ()
    freed: frozenset[str] = frozenset()
    rows: tuple[Row, ...] = ()
    renamed: frozenset[str] = frozenset()
    unchanged: int = 0
    filtered: int = 0
    losses: Losses = NO_LOSSES

    @property
    def offered(self) -> Offered:
        return self.facts.offered

    @property
    def known_keys(self) -> Iterable[str]:
        """The package keys that OBS offers or Packagecloud lists."""
        names = {*self.offered.offers, *(row.filename for row in self.rows)}
        return (f"{self.name}/{name}" for name in names)

    @property
    def counts(self) -> Counts:
        return Counts.of(
            (*self.uploads, *self.replacements, *self.deletions, *self.archivings, *self.held),
            unchanged=self.unchanged,
            orphans_kept=sum(1 for o in self.orphans if o.fate == "keep"),
            filtered=self.filtered,
            rows=len(self.rows),
        )


class Reconciliation(Struct, frozen=True):
    """The decisions for every managed distribution, in name order."""

    distributions: tuple[DistributionDecisions, ...]
    unmanaged: int = 0

    @property
    def managed_rows(self) -> Iterable[Row]:
        return (row for d in self.distributions for row in d.rows)

    def exceeded(self, policy: Policy, overrides: Overrides) -> tuple[LimitExceeded, ...]:
        """Every limit that the removals exceed."""
        removals = [a for d in self.distributions for a in (*d.deletions, *d.archivings)]
        uploads = [upload for d in self.distributions for upload in d.uploads]
        freed = frozenset(key for d in self.distributions for key in d.freed)
        return exceeded(removals, uploads, self.managed_rows, policy, overrides, freed)


def reconcile(
    desired: DesiredState,
    actual: ActualState,
    policy: Policy,
    managed: Collection[str],
    now: datetime,
    takes: Callable[[str], bool] = lambda key: True,
) -> Reconciliation:
    """Decide everything. ``managed`` are the distributions that the config maps; no other row is looked at.

    ``takes`` tells by its package key whether an action belongs to this run.
    """
    world = gather_offers(desired, policy, managed)
    rows: dict[str, list[Row]] = {name: [] for name in world}
    unmanaged = 0
    for row in actual.rows:
        if row.distribution in rows and row.type in SYNCED_TYPES:
            rows[row.distribution].append(row)
        else:
            unmanaged += 1
    results = (_decide(world[name], rows[name], policy, now, actual, takes) for name in sorted(world))
    return Reconciliation(tuple(results), unmanaged)


def _decide(
    offered: Offered,
    listed: list[Row],
    policy: Policy,
    now: datetime,
    actual: ActualState,
    takes: Callable[[str], bool],
) -> DistributionDecisions:
    rows = sorted(listed, key=lambda r: r.filename)
    rows_by_name = {row.filename: row for row in rows}
    filters = FileFilter(policy)
    settle_names(offered, rows_by_name, filters)
    moved = transfers(offered, rows_by_name, policy)
    uploads = tuple(u for u in moved.uploads if takes(u.key))
    replacements = tuple(r for r in moved.replacements if takes(r.key))
    # of this run alone: what it leaves out makes no newer version stand there
    coming = {u.filename for u in uploads} | {r.filename for r in replacements}
    candidates = orphan_rows(rows, offered, moved.renamed, filters)
    names = {row.name for row in candidates}
    versions = {row.filename: key_of(row) for row in rows if row.name in names}
    facts = Facts(
        offered=offered,
        rows=rows_by_name,
        versions=versions,
        groups=groups(offered, rows_by_name, versions, coming, names),
        by_name=by_name(offered, names),
        coming=frozenset(coming),
        policy=policy,
        now=now,
        total=actual.total,
        downloads=actual.downloads,
        archive=actual.archive,
    )
    orphans = [judge(row, facts) for row in candidates]
    needs, moving = actual.needs.get(offered.distribution), (*uploads, *replacements)
    if policy.limits.installable:
        needed = kept(rows, [o.row.key for o in orphans if o.goes and takes(o.row.key)], moving, needs)
        orphans = [needed_by(o, needed[o.row.key]) if o.row.key in needed else o for o in orphans]
    due = [o for o in orphans if takes(o.row.key)]
    archive_to = policy.orphans.archive_to
    return DistributionDecisions(
        name=offered.distribution,
        uploads=uploads,
        replacements=replacements,
        deletions=tuple(_deletion(o) for o in due if o.fate == "delete"),
        archivings=tuple(_deletion(o).to(archive_to) for o in due if o.fate == "archive" and archive_to),
        held=tuple(sorted((*moved.held, *_held_orphans(orphans, policy)), key=lambda h: h.key)),
        shadowed=tuple(sorted(offered.shadowed, key=_shadowed_order)),
        left_out=_left_out_by_class(offered, filters),
        orphans=tuple(orphans),
        freed=freed(due, {u.key for u in uploads}),
        rows=tuple(rows),
        renamed=frozenset(moved.renamed),
        unchanged=moved.unchanged,
        filtered=len(rows) - len(candidates) - _offered_rows(rows_by_name, offered, moved),
        facts=facts,
        losses=losses(rows, [o.row.key for o in due if o.goes], moving, needs) if needs else NO_LOSSES,
    )


def _shadowed_order(shadowed: Shadowed) -> tuple[str, ...]:
    source = shadowed.source
    return shadowed.filename, source.project, source.repository, source.path


def _left_out_by_class(offered: Offered, filters: FileFilter) -> tuple[LeftOut, ...]:
    names: dict[FileClass, list[str]] = {}
    for filename, offer in sorted(offered.left_out.items()):
        kind = offer.file.file_class
        if not filters.includes(kind) and not offer.repository.filtered:
            names.setdefault(kind, []).append(filename)
    return tuple(
        LeftOut(distribution=offered.distribution, file_class=kind, filenames=tuple(names[kind]))
        for kind in sorted(names)
    )


def _offered_rows(rows: Mapping[str, Row], offered: Offered, moved: Transfers) -> int:
    return sum(1 for name in rows if name in offered.offers or name in moved.renamed)


def _held_orphans(orphans: list[Orphan], policy: Policy) -> Iterable[Held]:
    kind: ActionKind = "archiving" if policy.orphans.action == "archive" else "deletion"
    for orphan in orphans:
        if orphan.fate == "held":
            yield Held(
                distribution=orphan.row.distribution,
                filename=orphan.row.filename,
                action=kind,
                reason=orphan.reason,
                message=orphan.message,
            )


def _deletion(orphan: Orphan) -> Deletion:
    row = orphan.row
    assert row.sha256 is not None and orphan.evidence is not None
    return Deletion(
        distribution=row.distribution,
        filename=row.filename,
        sha256=row.sha256,
        created_at=row.created_at,
        uploader=row.uploader,
        reason=orphan.reason,
        evidence=orphan.evidence,
        archived_in=orphan.archived_in,
    )
