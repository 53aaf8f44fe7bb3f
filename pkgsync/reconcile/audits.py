"""Decisions -> the audit's value: which orphans it tells of, and in which order."""

from collections.abc import Iterable
from datetime import datetime
from typing import assert_never

from msgspec.structs import replace

from pkgsync.model import ActualState, Audit, AuditQuery, AuditSort, DesiredState, Orphan, Policy, Row, Transfer, iso
from pkgsync.model.reports import EVERY_ORPHAN
from pkgsync.reasons import Reason
from pkgsync.reconcile.decisions import Reconciliation
from pkgsync.reconcile.filters import Globs
from pkgsync.reconcile.planning import complete, planned_repositories

_FATES = ("delete", "archive", "held", "keep")


def audit(
    decided: Reconciliation,
    desired: DesiredState,
    actual: ActualState,
    policy: Policy,
    now: datetime,
    query: AuditQuery = EVERY_ORPHAN,
) -> Audit:
    """The orphans of the managed distributions that the query asks for, with their verdicts, sorted by key."""
    orphans = tuple(o for d in decided.distributions for o in d.orphans)
    wanted = _QueryFilter(query)
    asked = tuple(o for o in orphans if wanted.takes(o))
    return Audit(
        repository=actual.repository,
        created_at=iso(now),
        complete=complete(desired, actual, policy),
        action=policy.orphans.action,
        orphans=asked,
        repositories=planned_repositories(desired),
        warnings=(*desired.warnings, *actual.warnings),
        query=query,
        left_out=len(orphans) - len(asked),
    )


class _QueryFilter:
    """The filters of a query."""

    def __init__(self, query: AuditQuery) -> None:
        self._query = query
        self._distributions = Globs(query.distributions)
        self._names = Globs(query.names)

    def takes(self, orphan: Orphan) -> bool:
        query, row = self._query, orphan.row
        return (
            (not query.distributions or self._distributions.match(row.distribution))
            and (not query.names or self._names.match(row.name))
            and (not query.fates or orphan.fate in query.fates)
            and (not query.reasons or orphan.reason in query.reasons)
        )


def arranged(found: Audit) -> Audit:
    """The audit in the order of its query; what is not known comes last."""
    return replace(found, orphans=tuple(sorted(found.orphans, key=lambda o: (*_place(o, found.query.sort), o.row.key))))


def _place(orphan: Orphan, sort: AuditSort) -> tuple[bool, int, str]:
    match sort:
        case AuditSort.NAME:
            return False, 0, ""
        case AuditSort.UPLOADED:
            return not orphan.row.created_at, 0, orphan.row.created_at
        case AuditSort.SIZE:
            return orphan.size is None, -(orphan.size or 0), ""
        case AuditSort.DOWNLOADS:
            return orphan.downloads is None, -(orphan.downloads or 0), ""
        case AuditSort.FATE:
            return False, _FATES.index(orphan.fate), ""
        case never:
            assert_never(never)


def losing(decided: Reconciliation) -> tuple[list[str], list[Transfer]]:
    """The distributions where something goes, or is held only for what stays; and all that comes."""
    names = [
        d.name
        for d in decided.distributions
        if d.replacements or any(o.goes or o.reason is Reason.NEEDED_BY for o in d.orphans)
    ]
    return names, [t for d in decided.distributions for t in (*d.uploads, *d.replacements)]


def unasked(decided: Reconciliation) -> Iterable[Row]:
    """The rows that pass every check but the one for which their downloads must be known."""
    return (o.row for d in decided.distributions for o in d.orphans if (o.fate, o.reason) == ("held", Reason.IN_USE))
