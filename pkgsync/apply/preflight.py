"""Before the first change: is the plan fit to be applied here, and what of it is due?"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from urllib.parse import urlsplit

from msgspec import Struct
from msgspec.structs import replace

from pkgsync.apply import journal as journals
from pkgsync.apply.fetch import Claimed, claimed
from pkgsync.apply.journal import Ledger
from pkgsync.apply.outcome import Result, undo_of
from pkgsync.cache import Cache
from pkgsync.config import Config, managed_distributions
from pkgsync.errors import OtherConfigError, UnsafePlanError, UsageError
from pkgsync.model import (
    SYNCED_TYPES,
    ActualState,
    Archiving,
    Deletion,
    DesiredState,
    IndexedFile,
    Outcome,
    Plan,
    PlanTarget,
    Removal,
    Replacement,
    Row,
    Upload,
)
from pkgsync.model.origin import Origin
from pkgsync.reasons import Reason
from pkgsync.reconcile import Sent, Standing, recheck
from pkgsync.reconcile.planning import snapshot
from pkgsync.services import Services


class Preflight(Struct, frozen=True, kw_only=True):
    """Both worlds of now against the plan: how each action stands, in plan order.

    ``claims`` is what the indexes say of the files that the plan brings, ``unsigned`` tells of the indexes that no
    pinned key vouches for.
    """

    standings: tuple[Standing, ...]
    actual: ActualState
    claims: Mapping[Claimed, IndexedFile]
    warnings: tuple[str, ...]
    unsigned: tuple[str, ...] = ()


def refuse_unfit(plan: Plan, config: Config) -> None:
    """Raises UnsafePlanError for a plan that must not be applied, UsageError for one made for elsewhere."""
    if not plan.applyable:
        said = "; ".join(limit.message for limit in plan.exceeded) or "it is marked as not applyable"
        overrides = ", ".join(sorted({limit.override for limit in plan.exceeded}))
        tip = f"Plan again with {overrides}, if that is wanted." if overrides else "Make a new plan."
        raise UnsafePlanError(f"The plan is not applied: {said}.", tip=tip)
    if len(plan.archives) > 1:  # a plan file with two is refused when it is read; a value may come from anywhere
        raise UsageError(f"The plan names more than one archive: {', '.join(sorted(plan.archives))}.")
    _same("OBS", _server(plan.source.api), _server(config.obs.api))
    refuse_elsewhere(plan.target, config)


def refuse_other_config(plan: Plan, config: Config) -> None:
    """Raises OtherConfigError where the config decides otherwise than that of the plan: nobody is there to see it."""
    if plan.config_digest != config.digest:
        raise OtherConfigError(
            f"The plan was made with another config than {config.path} is now.", tip="Make a new plan with it."
        )


def refuse_elsewhere(target: PlanTarget, config: Config, what: str = "plan") -> None:
    """Raises UsageError where a plan or receipt is about another server or repository than the config names."""
    _same("Packagecloud", _server(target.api), _server(config.packagecloud.url), what)
    _same("the Packagecloud repository", target.repository, config.packagecloud.repository, what)


def _server(url: str) -> str:
    try:
        return f"{Origin.of(url)}{urlsplit(url).path.rstrip('/')}"
    except ValueError as error:
        raise UsageError(f"The plan or the config names a server by something that is {error}.") from None


def _same(what: str, planned: str, configured: str, file: str = "plan") -> None:
    if planned != configured:
        raise UsageError(
            f"The {file} was made for {what} {planned}, the config names {configured}.",
            tip="Use the config that it was made with.",
        )


_NOT_APPROVED = (
    "Other machines have uploaded for this plan. Limits take that for new versions that came with it only where "
    "`--expect-digest` names the plan."
)


def look(
    plan: Plan,
    config: Config,
    services: Services,
    ledger: Ledger,
    now: Callable[[], datetime],
    *,
    approved: bool,
    once: bool,
) -> Preflight:
    """Read both worlds and judge every action anew; ``once``: nothing is due of a plan that was wholly done before.

    Raises PkgsyncError where a world cannot be read.
    """
    desired, actual = services.observe_for(plan, config, now)
    # Sent, not done: a kill may have kept the run from noting that a file arrived.
    sent = {key for key, past in ledger.actions.items() if past.uploads}
    elsewhere = _came(plan, actual) - sent
    standings = recheck(
        _with_own_restores(plan, ledger, actual),
        desired,
        actual,
        config.policy,
        managed_distributions(config),
        now(),
        _put_there(plan, services.surroundings.state_dir),
        sent | elsewhere if approved else sent,
    )
    warnings = list(_warnings(plan, config, ledger, actual))
    if elsewhere and not approved and any(_is_stale_removal(standing) for standing in standings):
        warnings.append(_NOT_APPROVED)
    names = {(row.distribution, row.sha256): row.filename for row in actual.rows if row.sha256 is not None}
    judged = (_with_own_move(_with_renamed(standing, names), ledger) for standing in standings)
    return Preflight(
        standings=tuple(map(_used_up, judged) if once and ledger.used_up else judged),
        actual=actual,
        claims=_claims(plan, desired),
        warnings=tuple(warnings),
        unsigned=tuple(p.message for r in desired.repositories for p in r.problems if p.reason is Reason.SIGNATURE),
    )


def _used_up(standing: Standing) -> Standing:
    """Signatures approve that the plan is done, not that it is done again whenever somebody takes it back."""
    if standing.outcome is not Outcome.DUE:
        return standing
    words = "the plan was applied in full before, and this was changed since"
    return replace(standing, outcome=Outcome.STALE, reason=Reason.APPLIED_BEFORE, message=words)


def _claims(plan: Plan, desired: DesiredState) -> Mapping[Claimed, IndexedFile]:
    brought = {claimed(action) for action in plan.transfers}
    return {
        place: file
        for repository in desired.repositories
        if repository.index is not None
        for file in repository.index.files
        if (place := (repository.project, repository.name, file.path)) in brought
    }


def _is_stale_removal(standing: Standing) -> bool:
    return standing.outcome is Outcome.STALE and isinstance(standing.action, Removal)


def _came(plan: Plan, actual: ActualState) -> set[str]:
    """The uploads that came since the plan was made: by runs of it on other machines, whose journals are not here.

    A plan that was edited says so of what was always there: the caller asks only for one whose digest is approved.
    """
    since = plan.observed.packagecloud_at
    later = {(row.distribution, row.sha256) for row in actual.rows if _is_later(row.created_at, since)}
    return {upload.key for upload in plan.uploads if (upload.distribution, upload.sha256) in later}


def _is_later(created_at: str, since: str) -> bool:
    try:
        return datetime.fromisoformat(created_at) > datetime.fromisoformat(since)
    except (ValueError, TypeError):  # TypeError: a time without a zone
        return False


def _put_there(plan: Plan, state_dir: Path) -> Mapping[str, Sent] | None:
    """What the journal of the apply that the plan takes back says that it uploaded; None: no such journal here."""
    if plan.undoes is None:
        return None
    ledger = journals.peek(journals.place(state_dir, plan.undoes))
    return journals.put_there(ledger) if ledger.runs else None


def _with_renamed(standing: Standing, names: Mapping[tuple[str, str], str]) -> Standing:
    """An upload is done too where Packagecloud holds its content under a name of its own choice.

    An undo brings a name back that stood there before.
    """
    action = standing.action
    stored_as = names.get((action.distribution, action.sha256))
    if not isinstance(action, Upload) or standing.outcome is not Outcome.DUE or stored_as is None:
        return standing
    if action.reason is Reason.UNDO:
        return standing
    words = f"Packagecloud holds it as {stored_as}"
    return replace(standing, outcome=Outcome.ALREADY_DONE, message=words, stored_as=stored_as)


def _with_own_move(standing: Standing, ledger: Ledger) -> Standing:
    """After a promote of our own the listings may lag: the looks of the archiving, or of the recall, tell."""
    own = standing.reason in (Reason.ALREADY_ARCHIVED, Reason.NO_BACKUP)
    # packagecloud/README.md, "Consistency": no listing that lags was reported, but none is promised not to.
    if own and ledger.past(standing.action.key).moving:
        return Standing(action=standing.action, outcome=Outcome.DUE)
    return standing


def _with_own_restores(plan: Plan, ledger: Ledger, actual: ActualState) -> Plan:
    """The plan, with the ``created_at`` of now for those old files that we put back after a failed change."""
    rows = {row.key: row for row in actual.rows}
    return replace(
        plan,
        replacements=tuple(_with_own_restore(a, ledger, rows.get(a.key)) for a in plan.replacements),
        archivings=tuple(_with_own_return(a, ledger, rows.get(a.key)) for a in plan.archivings),
    )


def _with_own_restore(action: Replacement, ledger: Ledger, row: Row | None) -> Replacement:
    # What we put back is a new row with a new created_at: without this our own restore would make the plan stale.
    # A full disk may have kept the journal from noting it; that we had asked to take the old row away is noted then.
    past = ledger.past(action.key)
    if row is None or row.sha256 != action.old.sha256 or not (past.restores or past.absent_since):
        return action
    return replace(action, old=replace(action.old, created_at=row.created_at))


def _with_own_return(action: Archiving, ledger: Ledger, row: Row | None) -> Archiving:
    past = ledger.past(action.key)
    if row is None or row.sha256 != action.sha256 or not (past.restores or past.moving):
        return action
    return replace(action, created_at=row.created_at)


def _warnings(plan: Plan, config: Config, ledger: Ledger, actual: ActualState) -> list[str]:
    found = []
    if plan.config_digest != config.digest:
        found.append("The config is not the one of the plan; every action was checked against the config of now.")
    rows = [row for row in actual.rows if row.distribution in plan.target.distributions and row.type in SYNCED_TYPES]
    if ledger.runs <= 1 and plan.target.snapshot not in (snapshot(rows), snapshot(_before(plan, rows))):
        found.append(
            "Packagecloud changed since the plan was made; every action was checked against what is there now."
        )
    if ledger.unreadable:
        found.append(f"The journal holds {ledger.unreadable} unreadable records; what they said is looked up again.")
    return found


def _before(plan: Plan, rows: Sequence[Row]) -> Iterator[Row | Removal]:
    """The rows as they were if nobody but runs of this plan has changed anything: other machines' runs count."""
    brought = {(transfer.key, transfer.sha256): transfer for transfer in plan.transfers}
    for row in rows:
        transfer = brought.get((row.key, row.sha256 or ""))
        if isinstance(transfer, Replacement):
            yield replace(row, sha256=transfer.old.sha256, created_at=transfer.old.created_at)
        elif transfer is None:
            yield row
    here = {row.key for row in rows}
    yield from (removal for removal in plan.removals if removal.key not in here)


def result_of(standing: Standing, ledger: Ledger, backups: Cache) -> Result:
    """How an action that is not due ends."""
    if standing.outcome is Outcome.ALREADY_DONE:
        return _found_done(standing, ledger, backups)
    return Result(outcome=standing.outcome, reason=standing.reason, message=standing.message)


def _found_done(standing: Standing, ledger: Ledger, backups: Cache) -> Result:
    """Done by ourselves if we had sent the change, in a run that could not note its end; else by somebody else."""
    action, past = standing.action, ledger.past(standing.action.key)
    if not (past.uploads if isinstance(action, Replacement) else past.attempts):
        return Result.reached(ours=False, verified="listing", message=standing.message)
    done = Result.reached(ours=True, verified="listing", message="an interrupted run had done it")
    done = replace(done, stored_as=standing.stored_as)  # an undo looks for it there
    match action:
        case Upload():
            return replace(done, undo="archive") if action.source.kind == "archive" else done
        case Replacement():
            return replace(done, undo=undo_of(backups, action.old.sha256))
        case Deletion():
            return replace(done, undo=undo_of(backups, action.sha256, action.archived_in))
        case Archiving():
            return replace(done, undo="archive")
        case _:
            raise TypeError(action)
