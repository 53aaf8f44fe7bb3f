"""Before a plan is executed: does each of its actions still hold in the world of now?

A deletion must pass all of today's checks again, under today's config, as if it were planned anew.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import assert_never

from attrs import frozen

from pkgsync.model import (
    Action,
    ActualState,
    Archiving,
    Deletion,
    DesiredState,
    Held,
    IndexedFile,
    Orphan,
    OrphanAction,
    Outcome,
    Plan,
    Policy,
    Problem,
    Removal,
    Replacement,
    Repository,
    Row,
    Transfer,
    Upload,
)
from pkgsync.reasons import Group, Reason
from pkgsync.reconcile.checks import not_owned
from pkgsync.reconcile.core import DistributionResult, reconcile
from pkgsync.reconcile.filters import FileFilter, Globs
from pkgsync.reconcile.limits import exceeded, freed
from pkgsync.reconcile.offers import Distribution
from pkgsync.reconcile.orphans import filtered_out
from pkgsync.reconcile.retention import architecture_of


@frozen(kw_only=True)
class Standing:
    """Where one action of the plan stands: due, already done, stale or left; the last two with reason and message."""

    action: Action
    outcome: Outcome
    reason: Reason | None = None
    message: str = ""


@frozen(kw_only=True)
class _Now:
    """The world at apply. ``results``, ``held`` and ``orphans`` are what a fresh plan decides."""

    plan: Plan
    policy: Policy
    rows: Mapping[str, Row]
    filters: FileFilter
    published: Mapping[tuple[str, str, str, str], IndexedFile]
    results: Mapping[str, DistributionResult]
    held: Mapping[str, Held]
    orphans: Mapping[str, Orphan]
    archive: Mapping[str, Row] | None
    sent: Mapping[str, str] | None

    @property
    def managed_rows(self) -> list[Row]:
        return [row for result in self.results.values() for row in result.rows]


def recheck(
    plan: Plan,
    desired: DesiredState,
    actual: ActualState,
    policy: Policy,
    managed: Collection[str],
    now: datetime,
    sent: Mapping[str, str] | None = None,
) -> tuple[Standing, ...]:
    """The standing of each action of the plan, in the plan's order.

    ``sent`` is for an undo: what the apply that it takes back has put on Packagecloud, package key to sha256, as our
    own journal of it says; None where that journal is not at hand.
    """
    effective = plan.overrides.over(policy)
    # a plan may be edited: only what it brings takes the place of what it removes, not a removal of a file to come
    coming = {transfer.key for transfer in plan.transfers if transfer.reason is not Reason.UNDO}
    decided = reconcile(desired, actual, effective, managed, now, coming.__contains__)
    results = {d.name: d for d in decided.distributions}
    world = _Now(
        plan=plan,
        policy=effective,
        rows={row.key: row for row in actual.rows},
        filters=FileFilter(effective),
        published={
            (r.project, r.name, r.content, file.path): file
            for r in desired.repositories
            for file in (r.index.files if r.index else ())
        },
        results=results,
        held={h.key: h for d in decided.distributions for h in d.held if h.action in ("upload", "replacement")},
        orphans={orphan.row.key: orphan for d in decided.distributions for orphan in d.orphans},
        archive=actual.archive,
        sent=sent,
    )
    return tuple(_within_limits([_standing(action, world) for action in plan.actions], world))


def _within_limits(standings: Sequence[Standing], world: _Now) -> Iterator[Standing]:
    """The limits once more, over what this run would take away: all of a distribution that exceeds one is stale."""
    removals = [s.action for s in standings if _counts(s) and isinstance(s.action, Removal)]
    uploads = [upload for result in world.results.values() for upload in result.uploads]
    may_go = _freed(uploads, world)
    found = exceeded(removals, uploads, world.managed_rows, world.policy, world.plan.overrides, may_go)
    over = {limit.distribution: f"limits: {limit.message}" for limit in found}
    for standing in standings:
        message = over.get(standing.action.distribution) if _counts(standing) else None
        yield _stale(standing.action, Reason.POLICY_CHANGED, message) if message else standing


def _counts(standing: Standing) -> bool:
    due = standing.outcome is Outcome.DUE and isinstance(standing.action, Removal)
    return due and standing.action.reason is not Reason.UNDO


def _freed(uploads: Iterable[Upload], world: _Now) -> frozenset[str]:
    """The removals whose newer version, by what OBS offers now, is among the uploads of the plan.

    What has arrived since frees as before: the limits are counted again when the uploads are done, and by a second run.
    """
    here = {(row.distribution, row.sha256) for row in world.managed_rows}
    arrived = {upload.key for upload in world.plan.uploads if (upload.distribution, upload.sha256) in here}
    return freed(world.orphans.values(), arrived | {upload.key for upload in uploads})


def _standing(action: Action, world: _Now) -> Standing:
    row = world.rows.get(action.key)
    match action:
        case Upload():
            return _upload(action, row, world)
        case Replacement():
            return _replacement(action, row, world)
        case Removal():
            return _removal(action, row, world)
        case _:
            raise TypeError(action)


def _upload(action: Upload, row: Row | None, world: _Now) -> Standing:
    if row is None:
        return _from_source(action, row, world)
    if row.sha256 == action.sha256:
        return _done(action, "Packagecloud holds it already")
    return _stale(action, Reason.TARGET_CHANGED, _other_content(row))


def _replacement(action: Replacement, row: Row | None, world: _Now) -> Standing:
    if row is not None and row.sha256 == action.sha256:
        return _done(action, "Packagecloud holds the new content already")
    if row is not None and (row.sha256, row.created_at) != (action.old.sha256, action.old.created_at):
        return _stale(action, Reason.TARGET_CHANGED, _other_content(row))
    if row is not None and action.reason is Reason.UNDO:
        return _ours(action, row, world) or _brought_back(action, world)
    return _from_source(action, row, world)


def _unmanaged(action: Action) -> Standing:
    return _stale(action, Reason.POLICY_CHANGED, f"the config no longer manages {action.distribution}")


def _from_source(action: Transfer, row: Row | None, world: _Now) -> Standing:
    """Due if the name still goes to exactly the planned bytes, and the planned place still offers them.

    ``row`` is the old file that would be replaced. The filters limited what was planned; a reviewed upload need not
    pass them again, but what they leave alone now is not replaced.
    """
    if action.reason is Reason.UNDO:
        return _brought_back(action, world)
    result = world.results.get(action.distribution)
    if result is None:
        return _unmanaged(action)
    repository = _feeding(action, result.offered)
    if isinstance(repository, Standing):
        return repository
    kept = None if row is None else _not_replaced(action, row, result.offered, world)
    return kept or _not_offered(action, repository, world) or _not_won(action, result.offered, world) or _due(action)


def _feeding(action: Transfer, offered: Distribution) -> Repository | Standing:
    """The planned repository, if today's config still takes its files for this distribution.

    What only the plan names is never published: anybody can write a plan.
    """
    place = (action.source.project, action.source.repository)
    for repository in offered.repositories:
        if (repository.project, repository.name) == place:
            return repository
    name = "/".join(place)
    if any((r.project, r.name) == place and not r.skipped for r in offered.filtered):
        return _stale(action, Reason.POLICY_CHANGED, f"the config's filters leave {name} out now")
    return _stale(action, Reason.POLICY_CHANGED, f"the config no longer maps {name} to {action.distribution}")


def _not_replaced(action: Transfer, row: Row, offered: Distribution, world: _Now) -> Standing | None:
    """Why the old file stays, whoever wins its name."""
    if action.filename not in offered.offers and filtered_out(row, offered, world.filters):
        return _stale(action, Reason.POLICY_CHANGED, "the config's filters leave it alone now")
    held = world.held.get(action.key)
    if held is not None and held.reason is Reason.CONTENT_CHANGED:
        return _stale(action, Reason.POLICY_CHANGED, "the config holds rebuilds now")
    if problem := offered.problem(architecture_of(row)):
        return _left(action, Reason.UNSETTLED, problem.message)
    return None


def _not_offered(action: Transfer, repository: Repository, world: _Now) -> Standing | None:
    """Why the planned bytes cannot be had from the planned place."""
    source = action.source
    if repository.index is None:
        message = next((p.message for p in repository.problems), f"{repository.id} could not be read")
        return _left(action, Reason.UNSETTLED, message)
    file = world.published.get((source.project, source.repository, source.content, source.path))
    if file is None:
        words = f"{repository.id} no longer publishes {source.path}"
    elif file.filename != action.filename:
        words = f"{repository.id} publishes {source.path} under the name {file.filename}"
    elif (file.sha256, file.size) != (action.sha256, action.size):
        words = f"{repository.id} publishes other content under {source.path}"
    else:
        return None
    return _stale(action, Reason.SOURCE_CHANGED, words)


def _not_won(action: Transfer, offered: Distribution, world: _Now) -> Standing | None:
    """Why a fresh plan would not bring the planned bytes, though their place offers them.

    Where the filters leave the name out now, nobody brings it: then the first to publish it counts.
    """
    winner = offered.offers.get(action.filename) or offered.left_out[action.filename]
    stop = world.held.get(action.key) or winner.held
    if stop is not None:
        return _stopped(action, stop)
    if (winner.file.sha256, winner.file.size) == (action.sha256, action.size):
        return None
    words = f"the name goes to {winner.repository.id} now, with other content"
    return _stale(action, Reason.SOURCE_CHANGED, words)


def _removal(action: Removal, row: Row | None, world: _Now) -> Standing:
    if row is None:
        return _absent(action, world)
    if (row.sha256, row.created_at) != (action.sha256, action.created_at):
        return _stale(action, Reason.TARGET_CHANGED, _other_content(row))
    if action.reason is Reason.UNDO:
        return _undone(action, row, world)
    result = world.results.get(action.distribution)
    if result is None:
        return _unmanaged(action)
    if again := _wanted_again(action, result.offered):
        return _stale(action, Reason.WANTED_AGAIN, again)
    return _judged_again(action, result, world)


def _absent(action: Removal, world: _Now) -> Standing:
    """What was to be moved is done only if it stands in the archive."""
    if isinstance(action, Deletion):
        return _done(action, "it is not on Packagecloud")
    if world.archive is None:
        return _left(action, Reason.UNREAD, f"the archive {action.archive} could not be read")
    there = world.archive.get(action.key)
    if there is not None and there.sha256 == action.sha256:
        return _done(action, f"{action.archive} holds it")
    if there is not None and there.sha256 is None:
        words = f"Packagecloud does not tell the checksum of the file in {action.archive}"
        return _left(action, Reason.CONTENT_UNKNOWN, words)
    words = f"it is neither here nor in {action.archive}"
    return _stale(action, Reason.NEITHER_PLACE, words)


def _wanted_again(action: Removal, offered: Distribution) -> str | None:
    if action.filename in offered.offers or action.filename in offered.left_out:
        return "OBS publishes it again"
    return "OBS publishes its content under another name" if action.sha256 in offered.contents else None


def _undone(action: Removal, row: Row, world: _Now) -> Standing:
    """What an earlier apply uploaded may go whatever OBS offers, if the config manages and does not protect it."""
    if (foreign := _ours(action, row, world)) is not None:
        return foreign
    protect = Globs(world.policy.orphans.protect)
    if protect.match(action.filename) or protect.match(action.key):
        return _stale(action, Reason.POLICY_CHANGED, "a protect glob matches now")
    if isinstance(action, Archiving) and (other := _unknown_archive(action.archive_to, world)) is not None:
        return _stale(action, Reason.POLICY_CHANGED, other)
    return _due(action)


def _ours(action: Replacement | Removal, row: Row, world: _Now) -> Standing | None:
    """None if the content that an undo takes away is ours, else the verdict.

    The journal of the apply that is taken back tells. Where it is not at hand (the plan alone proves nothing), it must
    be a file that an orphan of this name would be ours for, and that the filters let pass.
    """
    result = world.results.get(action.distribution)
    if result is None:
        return _unmanaged(action)
    if world.sent is not None:
        if world.sent.get(action.key) == row.sha256:
            return None
        words = f"the journal of the apply {world.plan.undoes} does not say that it was put there"
        return _stale(action, Reason.NOT_OWNED, words)
    if filtered_out(row, result.offered, world.filters):
        return _stale(action, Reason.POLICY_CHANGED, "the config's filters leave it alone now")
    orphans = world.policy.orphans
    stop = not_owned(row, result.offered, Globs(orphans.names), Globs(orphans.uploaders))
    if stop is None:
        return None
    judge = _stale if stop.reason is Reason.NOT_OWNED else _left
    return judge(action, stop.reason, stop.message)


def _brought_back(action: Transfer, world: _Now) -> Standing:
    """Bytes of a backup are verified when they are used; a row of the archive must be the planned one."""
    if action.distribution not in world.results:
        return _unmanaged(action)
    if action.source.kind != "archive":
        return _due(action)
    if (other := _unknown_archive(action.source.repository, world)) is not None:
        return _stale(action, Reason.POLICY_CHANGED, other)
    if world.archive is None:
        words = f"the archive {action.source.repository} could not be read"
        return _left(action, Reason.UNREAD, words)
    there = world.archive.get(action.key)
    if there is not None and there.sha256 in (None, action.sha256):
        return _due(action)
    words = f"{action.source.repository} no longer holds the same file"
    return _stale(action, Reason.NO_BACKUP, words)


def _unknown_archive(archive: str, world: _Now) -> str | None:
    """A plan must not move files from or to a repository that only the plan names."""
    wanted = world.policy.orphans.archive_to
    return None if archive == wanted else f"the config does not name {archive} as the archive"


def _judged_again(action: Removal, result: DistributionResult, world: _Now) -> Standing:
    orphan = world.orphans.get(action.key)
    if orphan is None:
        return _stale(action, Reason.POLICY_CHANGED, "the config's filters leave it alone now")
    if (other := _other_archive(action, world.policy)) is not None:
        return _stale(action, Reason.POLICY_CHANGED, other)
    if orphan.fate in ("delete", "archive"):
        return _on_the_planned_way(action, orphan)
    if action.filename in result.offered.built:
        return _stale(action, Reason.WANTED_AGAIN, f"{orphan.reason}: {orphan.message}")
    if orphan.reason.group is not Group.KEPT and (problem := result.offered.problem(architecture_of(orphan.row))):
        return _left(action, Reason.UNSETTLED, f"{problem.reason}: {problem.message}")
    return _stopped(action, orphan)


def _other_archive(action: Removal, policy: Policy) -> str | None:
    planned = action.archive
    wanted = policy.orphans.archive_to if policy.orphans.action is OrphanAction.ARCHIVE else None
    if planned == wanted:
        return None
    return f"the config archives to {wanted} now" if wanted else f"the config no longer archives to {planned}"


def _on_the_planned_way(action: Removal, orphan: Orphan) -> Standing:
    """It may go; the archive must still say whether that means to move or to delete it."""
    if isinstance(action, Archiving) == (orphan.fate == "archive"):
        return _due(action)
    if isinstance(action, Archiving):
        return _stale(action, Reason.ALREADY_ARCHIVED, f"{action.archive} holds the same file by now")
    return _stale(action, Reason.TARGET_CHANGED, f"{action.archive} no longer holds the same file")


def _stopped(action: Action, stop: Orphan | Held | Problem) -> Standing:
    """What becomes of a planned action that a fresh plan would not take."""
    words = f"{stop.reason}: {stop.message}"
    match stop.reason.group:
        case Group.KEPT | Group.RETAINED | Group.CONTRARY:
            return _stale(action, Reason.POLICY_CHANGED, words)
        case Group.CHANGED:
            return _stale(action, stop.reason, stop.message)
        case Group.LATER:
            return _left(action, stop.reason, stop.message)
        case Group.DOUBT | Group.UNSETTLED | Group.ABSENT | Group.APPLY | Group.DUE:  # no check stops by the last two
            return _left(action, Reason.UNSETTLED, words)
        case never:
            assert_never(never)


def _other_content(row: Row) -> str:
    return (
        f"Packagecloud holds {row.sha256[:12] if row.sha256 else 'content of unknown checksum'} since {row.created_at}"
    )


def _due(action: Action) -> Standing:
    return Standing(action=action, outcome=Outcome.DUE)


def _done(action: Action, message: str) -> Standing:
    return Standing(action=action, outcome=Outcome.ALREADY_DONE, message=message)


def _stale(action: Action, reason: Reason, message: str) -> Standing:
    return Standing(action=action, outcome=Outcome.STALE, reason=reason, message=message)


def _left(action: Action, reason: Reason, message: str) -> Standing:
    return Standing(action=action, outcome=Outcome.LEFT, reason=reason, message=message)
