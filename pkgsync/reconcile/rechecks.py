"""Before a plan is executed: does each of its actions still hold in the world of now?

Nothing is decided here: a fresh plan is, under today's config, and each reviewed action is compared with it.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime

from msgspec.structs import replace

from pkgsync.model import (
    Action,
    ActualState,
    Archiving,
    Deletion,
    DesiredState,
    Needs,
    Orphan,
    OrphanAction,
    Outcome,
    Plan,
    Policy,
    Removal,
    Replacement,
    Repository,
    Row,
    Source,
    Transfer,
    Upload,
)
from pkgsync.reasons import Group, Reason
from pkgsync.reconcile import recheck_undo
from pkgsync.reconcile.decisions import DistributionDecisions, reconcile
from pkgsync.reconcile.filters import FileFilter
from pkgsync.reconcile.identity import architecture_of
from pkgsync.reconcile.limits import exceeded, freed
from pkgsync.reconcile.losses import kept
from pkgsync.reconcile.offers import Offer, Offered
from pkgsync.reconcile.orphans import filtered_out
from pkgsync.reconcile.standing import Fresh, Sent, Standing, done, due, left, stale, stopped, unmanaged


def recheck(
    plan: Plan,
    desired: DesiredState,
    actual: ActualState,
    policy: Policy,
    managed: Collection[str],
    now: datetime,
    sent: Mapping[str, Sent] | None = None,
    brought: Collection[str] = (),
) -> tuple[Standing, ...]:
    """The standing of each action of the plan, in the plan's order.

    ``sent`` is for an undo: what the apply that it takes back has put on Packagecloud, by package key, as our own
    journal of it says; None where that journal is not at hand. ``brought`` are the keys that earlier runs of this plan
    have sent files to, as its journal says.
    """
    wanted = plan.overrides.over(policy)
    # A plan may be old or edited. Only what it brings takes the place of what it removes: not the removal of a file to
    # come, nor what stands there already, whatever OBS offers under that name by now.
    here = {row.key: row.sha256 for row in actual.rows}
    brings = (t for t in plan.transfers if t.reason is not Reason.UNDO)
    coming = {key for t in brings for key in _keys(t) if here.get(key) != t.sha256}
    decided = reconcile(desired, actual, wanted, managed, now, coming.__contains__).distributions
    fresh = Fresh(
        plan=plan,
        policy=wanted,
        filters=FileFilter(wanted),
        results={result.name: result for result in decided},
        held={held.key: held for d in decided for held in d.held},
        orphans={orphan.row.key: orphan for d in decided for orphan in d.orphans},
        rows={row.key: row for row in actual.rows},
        archive=actual.archive,
        sent=sent,
        brought=brought,
    )
    standings = [*_within_limits([_standing(action, fresh) for action in plan.actions], fresh)]
    return tuple(_without_losses(standings, fresh, actual.needs))


def _keys(transfer: Transfer) -> tuple[str, str]:
    """In the gap of a replacement nothing tells the name that the server gave the file: it is OBS's own until then."""
    return transfer.key, f"{transfer.distribution}/{transfer.source.path.rpartition('/')[2]}"


def _standing(action: Action, fresh: Fresh) -> Standing:
    row = fresh.rows.get(action.key)
    match action:
        case Transfer():
            return _transfer(action, row, fresh)
        case Removal():
            return _removal(action, row, fresh)
        case _:
            raise TypeError(action)


# uploads and replacements


def _transfer(action: Transfer, row: Row | None, fresh: Fresh) -> Standing:
    old = action.old if isinstance(action, Replacement) else None
    if row is not None and row.sha256 == action.sha256:
        return done(action, f"Packagecloud holds {'the new content' if old else 'it'} already")
    if row is not None and (old is None or (row.sha256, row.created_at) != (old.sha256, old.created_at)):
        return stale(action, Reason.TARGET_CHANGED, _other_content(row))
    result = fresh.results.get(action.distribution)
    if result is None:
        return unmanaged(action)
    if action.reason is not Reason.UNDO:
        return _from_source(action, row, result.offered, fresh)
    if row is not None and isinstance(action, Replacement):
        return recheck_undo.put_in_place(action, row, fresh)
    return recheck_undo.brought_back(action, fresh)


def _from_source(action: Transfer, row: Row | None, offered: Offered, fresh: Fresh) -> Standing:
    """``row`` is the old file that would be replaced."""
    repository = _feeding(action, offered)
    if isinstance(repository, Standing):
        return repository
    stays = None if row is None else _old_stays(action, row, offered, fresh)
    return stays or _not_won(action, row, repository, offered, fresh) or due(action)


def _feeding(action: Transfer, offered: Offered) -> Repository | Standing:
    """The planned repository, if today's config takes its files for this distribution.

    What only the plan names is never published: anybody can write a plan.
    """
    project, name = action.source.project, action.source.repository
    for repository in offered.repositories:
        if (repository.project, repository.name) == (project, name):
            return repository
    if any((r.project, r.name) == (project, name) for r in offered.filtered):
        return stale(action, Reason.POLICY_CHANGED, f"the config's filters leave {project}/{name} out now")
    words = f"the config no longer maps {project}/{name} to {action.distribution}"
    return stale(action, Reason.POLICY_CHANGED, words)


def _old_stays(action: Transfer, row: Row, offered: Offered, fresh: Fresh) -> Standing | None:
    """Why the old file is not replaced, whoever wins its name."""
    if action.filename not in offered.offers and filtered_out(row, offered, fresh.filters):
        return stale(action, Reason.POLICY_CHANGED, "the config's filters leave it alone now")
    held = fresh.held.get(action.key)
    if held is not None and held.reason is Reason.CONTENT_CHANGED:
        return stale(action, Reason.POLICY_CHANGED, "the config holds rebuilds now")
    problem = offered.problem(architecture_of(row))
    return left(action, Reason.UNSETTLED, problem.message) if problem else None


def _not_won(
    action: Transfer, row: Row | None, repository: Repository, offered: Offered, fresh: Fresh
) -> Standing | None:
    """Why the planned bytes of the planned place are not what its name goes to.

    The filters limited what was planned, and a reviewed upload need not pass them again: where they leave the name out
    now, the first source that publishes it counts.
    """
    if repository.index is None:
        message = next((p.message for p in repository.problems), f"{repository.id} could not be read")
        return left(action, Reason.UNSETTLED, message)
    # Only where the name is free, after our own DELETE perhaps: a plan may be edited to name any row that stands.
    gap = _renamed_source(action, offered) if row is None else None
    winner = offered.find(action.filename) or gap
    if winner is None:
        return stale(action, Reason.SOURCE_CHANGED, _lost(action.filename, repository, offered))
    # no fresh plan holds what the filters leave out now; a source that comes first may still be in the way
    if (stop := fresh.held.get(action.key) or winner.held) is not None:
        return stopped(action, stop)
    if (words := _other_bytes(action, winner)) is not None:
        return stale(action, Reason.SOURCE_CHANGED, words)
    there = fresh.rows.get(f"{action.distribution}/{winner.filename}")
    if winner.filename == action.filename or there is None or there.sha256 == action.sha256:
        return None
    return stale(action, Reason.TARGET_CHANGED, f"{_other_content(there)} as {there.filename}, the same package")


def _renamed_source(action: Transfer, offered: Offered) -> Offer | None:
    """A row that the server had named itself, gone after a DELETE of ours: its name is known by the plan alone."""
    if not isinstance(action, Replacement):
        return None
    here = _place(action.source)
    return next((o for o in offered.offers.values() if here in map(_place, (o.source, *o.also))), None)


def _lost(filename: str, repository: Repository, offered: Offered) -> str:
    """Why no offer has the name: the file is gone, or its package has another file now."""
    if any(o.repository is repository and o.file.filename == filename for o in offered.listed):
        return f"{repository.id} still publishes {filename}, but another file has its package's place now"
    return f"{repository.id} no longer publishes {filename}"


def _other_bytes(action: Transfer, winner: Offer) -> str | None:
    equal = (winner.file.sha256, winner.file.size) == (action.sha256, action.size)
    places = [_place(source) for source in (winner.source, *winner.also)]
    if equal and _place(action.source) in places:
        return None
    if places[0] == _place(action.source):
        return f"{winner.repository.id} publishes other content under {action.source.path}"
    return f"the name goes to {winner.repository.id}/{winner.file.path} now{'' if equal else ', with other content'}"


def _place(source: Source) -> tuple[str, str, str, str]:
    return source.project, source.repository, source.content, source.path


# deletions and archivings


def _removal(action: Removal, row: Row | None, fresh: Fresh) -> Standing:
    if row is None:
        return _absent(action, fresh.archive)
    if (row.sha256, row.created_at) != (action.sha256, action.created_at):
        return stale(action, Reason.TARGET_CHANGED, _other_content(row))
    result = fresh.results.get(action.distribution)
    if result is None:
        return unmanaged(action)
    if action.reason is Reason.UNDO and fresh.sent is not None:
        return recheck_undo.taken_away(action, row, fresh.sent, fresh)
    standing = _judged_again(action, row, result, fresh)
    if action.reason is not Reason.UNDO or standing.outcome is Outcome.DUE:
        return standing
    words = "the journal of the apply that it takes back is not here, so it is judged like any other deletion"
    return replace(standing, message=f"{standing.message}; {words}")


def _absent(action: Removal, archive: Mapping[str, Row] | None) -> Standing:
    """What was to be moved is done only if it stands in the archive."""
    if isinstance(action, Deletion):
        return done(action, "it is not on Packagecloud")
    if archive is None:
        return left(action, Reason.UNREAD, f"the archive {action.archive} could not be read")
    there = archive.get(action.key)
    if there is not None and there.sha256 == action.sha256:
        return done(action, f"{action.archive} holds it")
    if there is not None and there.sha256 is None:
        words = f"Packagecloud does not tell the checksum of the file in {action.archive}"
        return left(action, Reason.CONTENT_UNKNOWN, words)
    return stale(action, Reason.NEITHER_PLACE, f"it is neither here nor in {action.archive}")


def _judged_again(action: Removal, row: Row, result: DistributionDecisions, fresh: Fresh) -> Standing:
    offered, orphan = result.offered, fresh.orphans.get(action.key)
    if again := _wanted_again(action, offered):
        return stale(action, Reason.WANTED_AGAIN, again)
    if orphan is None:
        return stale(action, Reason.POLICY_CHANGED, "the config's filters leave it alone now")
    if (other := _other_archive(action, fresh.policy)) is not None:
        return stale(action, Reason.POLICY_CHANGED, other)
    if orphan.fate in ("delete", "archive"):
        return _on_the_planned_way(action, orphan)
    if action.filename in offered.built.names:
        return stale(action, Reason.WANTED_AGAIN, f"{orphan.reason}: {orphan.message}")
    if orphan.reason.group is not Group.KEPT and (problem := offered.problem(architecture_of(row))):
        return left(action, Reason.UNSETTLED, f"{problem.reason}: {problem.message}")
    return stopped(action, orphan)


def _wanted_again(action: Removal, offered: Offered) -> str | None:
    if action.filename in offered.offers or action.filename in offered.left_out:
        return "OBS publishes it again"
    return "OBS publishes its content under another name" if action.sha256 in offered.contents else None


def _other_archive(action: Removal, policy: Policy) -> str | None:
    planned = action.archive
    wanted = policy.orphans.archive_to if policy.orphans.action is OrphanAction.ARCHIVE else None
    if planned == wanted:
        return None
    return f"the config archives to {wanted} now" if wanted else f"the config no longer archives to {planned}"


def _on_the_planned_way(action: Removal, orphan: Orphan) -> Standing:
    """It may go; the archive must still say whether that means to move or to delete it."""
    if isinstance(action, Archiving) == (orphan.fate == "archive"):
        return due(action)
    if isinstance(action, Archiving):
        return stale(action, Reason.ALREADY_ARCHIVED, f"{action.archive} holds the same file by now")
    return stale(action, Reason.TARGET_CHANGED, f"{action.archive} no longer holds the same file")


def _other_content(row: Row) -> str:
    content = row.sha256[:12] if row.sha256 else "content of unknown checksum"
    return f"Packagecloud holds {content} since {row.created_at}"


# limits


def _within_limits(standings: Sequence[Standing], fresh: Fresh) -> Iterator[Standing]:
    """The limits once more, over what this run would take away: all of a distribution that exceeds one is stale.

    They don't count for an undo that our journal vouches for: it takes nothing away that we have not put there.
    """
    going = [s.action for s in standings if s.outcome is Outcome.DUE and not fresh.vouched]
    removals = {action.key: action for action in going if isinstance(action, Removal)}
    rows = [row for result in fresh.results.values() for row in result.rows]
    uploads = [upload for result in fresh.results.values() for upload in result.uploads]
    free = _freed(rows, uploads, fresh)
    found = exceeded([*removals.values()], uploads, rows, fresh.policy, fresh.plan.overrides, free)
    over = {limit.distribution: f"limits: {limit.message}" for limit in found}
    for standing in standings:
        action = standing.action
        message = over.get(action.distribution) if action.key in removals else None
        yield stale(action, Reason.POLICY_CHANGED, message) if message else standing


def _without_losses(standings: Sequence[Standing], fresh: Fresh, needs: Mapping[str, Needs]) -> Iterator[Standing]:
    """What a package that stays needs, as the indexes say now, is left where the config wants that; as for limits."""
    wanted = fresh.policy.limits.installable and not fresh.vouched
    due = [s.action for s in standings if wanted and s.outcome is Outcome.DUE]
    needed: dict[str, str] = {}
    for name in sorted({action.distribution for action in due}):
        here = [action for action in due if action.distribution == name]
        going = [action.key for action in here if isinstance(action, Removal)]
        coming = [action for action in here if isinstance(action, Transfer)]
        needed |= kept(fresh.results[name].rows, going, coming, needs.get(name))
    for standing in standings:
        words = needed.get(standing.action.key)
        yield left(standing.action, Reason.NEEDED_BY, words) if words else standing


def _freed(rows: Iterable[Row], uploads: Iterable[Upload], fresh: Fresh) -> frozenset[str]:
    """The removals whose newer version, by what OBS offers now, is among the uploads of the plan.

    What our runs have brought frees as before: limits are counted again when the uploads are done, and by a second run.
    The plan's own word counts for nothing, as it may be edited: neither what it says supersedes, nor an upload that it
    lists of what was always there.
    """
    ours = {(u.distribution, u.sha256) for u in fresh.plan.uploads if u.key in fresh.brought}
    arrived = {row.key for row in rows if (row.distribution, row.sha256) in ours}
    return freed(fresh.orphans.values(), arrived | {upload.key for upload in uploads})
