"""Which rows are orphans, and the verdict on each with its evidence."""

from collections.abc import Collection, Iterable, Iterator
from typing import assert_never

from msgspec.structs import replace

from pkgsync.model import (
    ConfigChange,
    Evidence,
    Fate,
    Flip,
    Orphan,
    OrphanAction,
    OrphanPolicy,
    Row,
    SupersededBy,
)
from pkgsync.reasons import Group, Reason
from pkgsync.reconcile.checks import CHECKS
from pkgsync.reconcile.facts import Case, Facts, case_of
from pkgsync.reconcile.filters import FileFilter
from pkgsync.reconcile.identity import class_in
from pkgsync.reconcile.offers import Offered
from pkgsync.reconcile.stops import Stop, first_stop, removing, setting, walk


def orphan_rows(rows: Iterable[Row], offered: Offered, renamed: Collection[str], filters: FileFilter) -> list[Row]:
    """The rows to judge: neither offered, nor renamed, nor left alone by a filter."""
    return [
        row
        for row in rows
        if row.filename not in offered.offers
        and row.filename not in renamed
        and not filtered_out(row, offered, filters)
    ]


def filtered_out(row: Row, offered: Offered, filters: FileFilter) -> bool:
    """Whether the config's filters leave the row alone, whatever OBS offers."""
    return bool(filters.left_out_by(row.filename, class_in(row)) or offered.leaves_out(row))


def judge(row: Row, facts: Facts) -> Orphan:
    """The verdict on one row that OBS does not offer under its filters."""
    case, action = case_of(row, facts), facts.policy.orphans.action
    stop = first_stop(CHECKS, case, facts)
    if stop is not None:
        # judged all the same: audit tells what another policy would do
        if action is OrphanAction.KEEP:
            return _kept(row, facts.policy.orphans, stop.reason, f"{stop.reason}: {stop.message}", stop.flip)
        fate = _fate_of(stop.reason.group)
        return Orphan(row=row, fate=fate, reason=stop.reason, message=stop.message, flip=stop.flip)
    evidence = _evidence(case, facts)
    message = _explain(evidence)
    reason = Reason.SUPERSEDED if case.newer else Reason.GONE
    if action is OrphanAction.KEEP:
        return replace(_kept(row, facts.policy.orphans, reason, f"deleted: {message}"), evidence=evidence)
    if action is OrphanAction.DELETE:
        return Orphan(row=row, fate="delete", reason=reason, message=message, evidence=evidence)
    if facts.archive is None or row.key not in facts.archive:
        return Orphan(row=row, fate="archive", reason=reason, message=message, evidence=evidence)
    archive = facts.policy.orphans.archive_to
    return Orphan(
        row=row,
        fate="delete",
        reason=reason,
        message=f"{message}; {archive} holds the same file",
        evidence=evidence,
        archived_in=archive,
    )


def needed_by(orphan: Orphan, words: str) -> Orphan:
    """One that may go but for what stays, which is only known when all others are judged."""
    flip = removing("To let it go all the same, take out", "limits", "installable")
    return Orphan(row=orphan.row, fate="held", reason=Reason.NEEDED_BY, message=words, flip=flip)


def way(row: Row, facts: Facts) -> Iterator[tuple[str, Stop | str]]:
    """What each check finds of a row that is judged, as far as it gets; the action of the config is asked last."""
    yield from walk(CHECKS, case_of(row, facts), facts)
    if facts.policy.orphans.action is OrphanAction.KEEP:
        yield "action", Stop(Reason.KEEP, "the config keeps orphans", _acting(facts.policy.orphans))


def _kept(row: Row, orphans: OrphanPolicy, otherwise: Reason, words: str, behind: Flip | None = None) -> Orphan:
    """``behind`` is the change for the stop that would come next: a name that is claimed is told at once."""
    flip = _acting(orphans)
    named = [change for change in behind.config if change.path == ("orphans", "names")] if behind else []
    return Orphan(
        row=row,
        fate="keep",
        reason=Reason.KEEP,
        message=f"the config keeps orphans; else {words}",
        flip=replace(flip, config=(*flip.config, *named)),
        otherwise=otherwise,
    )


def _acting(orphans: OrphanPolicy) -> Flip:
    """No config may delete without saying how many versions stay."""
    flip = setting("To let orphans go that pass the checks", "orphans", "action", value="delete")
    if orphans.keep_versions is not None:
        return flip
    return replace(flip, config=(*flip.config, ConfigChange(("orphans", "keep_versions"), "set", 1)))


def _fate_of(stopped_by: Group) -> Fate:
    """Kept where the config asks for it; all else withholds a deletion that would be due."""
    match stopped_by:
        case Group.KEPT | Group.RETAINED:
            return "keep"
        case Group.CONTRARY | Group.DOUBT | Group.LATER | Group.UNSETTLED | Group.ABSENT | Group.CHANGED:
            return "held"
        case Group.APPLY | Group.DUE:  # no check stops by these
            return "held"
        case never:
            assert_never(never)


def _evidence(case: Case, facts: Facts) -> Evidence:
    newer = case.newer
    if newer is None:
        read = facts.packages_read(case.architecture)
        return Evidence(kind="gone", repositories=facts.evidence, total=facts.total, packages_read=read)
    architecture, package = newer.packages[0]
    by = SupersededBy(
        filename=newer.filename,
        version=str(newer.file.version),
        package=f"{package.name} ({architecture})",
        code=package.code,
    )
    return Evidence(kind="superseded", repositories=facts.evidence, total=facts.total, superseded_by=by)


def _explain(evidence: Evidence) -> str:
    if by := evidence.superseded_by:
        return f"superseded by {by.filename} of {by.package}: {by.code}"
    names = ", ".join(f"{r.project}/{r.repository}" for r in evidence.repositories)
    number = evidence.packages_read
    packages = "the only package" if number == 1 else f"all {number} packages"
    return f"gone: no longer offered by {names}, where the files of {packages} are known"
