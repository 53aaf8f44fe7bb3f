"""The public library: plan, snapshot, audit, explain, apply, undo and verify as typed functions.

A config comes from :func:`pkgsync.config.load`; plans and receipts are read and written by :mod:`pkgsync.planfile`.
"""

from collections.abc import Callable, Collection, Sequence
from datetime import datetime

from msgspec.structs import replace

from pkgsync import mapping, packagecloud, reconcile
from pkgsync.apply.options import ApplyOptions
from pkgsync.config import Config, ObsProject, managed_distributions
from pkgsync.errors import ConfigError, ReadError, UsageError
from pkgsync.model import (
    EVERYTHING,
    ActualState,
    Answer,
    Audit,
    AuditQuery,
    Cause,
    DesiredState,
    OrphanAction,
    Overrides,
    Plan,
    Policy,
    Receipt,
    ReceiptLine,
    Selection,
)
from pkgsync.model.reports import EVERY_ORPHAN
from pkgsync.model.served import Verification
from pkgsync.obs import accepting
from pkgsync.packagecloud import PackagecloudClient
from pkgsync.packagecloud.usage import counted_since
from pkgsync.services import Services, judged, look_back, packagecloud_session, read_indexes, served_after
from pkgsync.snapshot import Snapshot, published_sha256, refuse_elsewhere
from pkgsync.surroundings import Surroundings, utc_now
from pkgsync.version import __version__

__all__ = ["ApplyOptions", "Surroundings", "apply", "audit", "explain", "plan", "snapshot", "undo", "verify"]

NOTHING_OVERRIDDEN = Overrides()
_NO_OLD_PLAN = "the old config gives no plan to compare this one with: plan with it alone to see why"


def plan(
    config: Config,
    surroundings: Surroundings,
    *,
    overrides: Overrides = NOTHING_OVERRIDDEN,
    selection: Selection = EVERYTHING,
    now: Callable[[], datetime] | None = None,
    snapshot: Snapshot | None = None,
    base: Config | None = None,
) -> Plan:
    """Read both worlds, or take them from ``snapshot``, and decide what to change; nothing is changed.

    ``overrides`` and ``selection`` are what the command line sets for this run; ``now`` is the time that age rules
    count from, None: the real one, or that of the snapshot, with which nothing is sent. ``base`` is an old config to
    tell whose change each action is; its servers and credentials are not used.
    Raises UsageError where snapshot or base are about another repository; ConfigError, AuthenticationError, ReadError
    where no plan can be made.
    """
    policy = _policy(config, overrides)
    if base is not None:
        _refuse_other(config, base)
    taken, services = _worlds(config, surroundings, policy, now, snapshot, base, overrides.accept_older_index)
    taken = replace(taken, obs=accepting(taken.obs, overrides.accept_older_index))
    made, desired, actual = _planned(config, policy, overrides, selection, taken, services)
    _refuse_unknown(overrides.accept_older_index, [read.id for read in made.source.repositories])
    if base is None:
        return made
    try:
        taken = _with_needs_of(taken, desired, actual)
        old, _, _ = _planned(base, _policy(base, overrides), overrides, selection, taken)
    # this config may be the cure of just that
    except (ConfigError, UsageError):
        compared = reconcile.compare_all(made, Cause.CONFIG, base.digest)
    except ReadError:
        compared = reconcile.compare_all(made, Cause.UNKNOWN, base.digest)
    else:
        return replace(made, base=reconcile.compare(made, old, base.digest, desired, actual))
    return replace(made, base=compared, warnings=(*made.warnings, _NO_OLD_PLAN))


def snapshot(config: Config, surroundings: Surroundings, *, now: Callable[[], datetime] = utc_now) -> Snapshot:
    """Read both worlds as :func:`plan` does, and what another config of the same projects may ask for too.

    Raises as :func:`plan` does.
    """
    services = Services.of(config, surroundings, _archive_of(config.policy))
    taken = _take(services, config, config.policy, now, everything=True)
    _, desired, actual = _decided(config, config.policy, EVERYTHING, taken, services)
    return _with_needs_of(taken, desired, actual)


def audit(
    config: Config,
    surroundings: Surroundings,
    *,
    overrides: Overrides = NOTHING_OVERRIDDEN,
    query: AuditQuery = EVERY_ORPHAN,
    now: Callable[[], datetime] = utc_now,
) -> Audit:
    """Read both worlds and judge the orphans that ``query`` asks for.

    Raises as :func:`plan` does, and UsageError where the query means more requests than packagecloud.usage allows.
    """
    policy = _policy(config, overrides)
    services = Services.of(config, surroundings, _archive_of(policy))
    taken = _take(services, config, policy, now)
    moment, asked = taken.created_at, services if policy.limits.installable else None
    decided, desired, actual = _decided(config, policy, EVERYTHING, taken, asked)
    found = reconcile.audit(decided, desired, actual, policy, moment, query)
    return reconcile.arranged(packagecloud.with_usage(services.packagecloud, found, moment, surroundings.progress))


def explain(
    config: Config,
    surroundings: Surroundings,
    name: str,
    *,
    overrides: Overrides = NOTHING_OVERRIDDEN,
    now: Callable[[], datetime] | None = None,
    snapshot: Snapshot | None = None,
) -> Answer:
    """Tell what becomes of ``name``, check by check: a package key, file name or package name.

    ``now`` and ``snapshot`` as for :func:`plan`, which says what is raised too. A name that neither world knows has no
    explanation, but near names.
    """
    policy = _policy(config, overrides)
    taken, services = _worlds(config, surroundings, policy, now, snapshot)
    asked = services if policy.limits.installable else None
    decided, desired, actual = _decided(config, policy, EVERYTHING, taken, asked)
    return reconcile.explain(decided, desired, actual, policy, overrides, name)


def apply(
    config: Config,
    reviewed: Plan,
    surroundings: Surroundings,
    options: ApplyOptions,
    *,
    now: Callable[[], datetime] = utc_now,
    report: Callable[[str, ReceiptLine | None], None] = lambda words, line: None,
) -> Receipt:
    """Execute the reviewed plan. The config gives URLs, credentials, what is mapped, and the policy to pass again.

    ``report`` gets words for people while it runs, and with each finished action its line of the receipt.
    Raises UnsafePlanError, LockedError, AuthenticationError and other errors that stop a run before its first change;
    later failures are in the receipt, with its ``exit_code``.
    """
    from pkgsync.apply import engine, indexing  # here, as no plan needs them

    services = Services.of(config, surroundings, next(iter(reviewed.archives), None))
    receipt = engine.run(reviewed, config, services, options, now=now, report=report)
    if not options.verify_index or options.dry_run or receipt.interrupted:
        return receipt
    return indexing.awaited(receipt, options.receipt, config, surroundings, now, lambda words: report(words, None))


def undo(
    config: Config, receipt: Receipt, surroundings: Surroundings, *, now: Callable[[], datetime] = utc_now
) -> Plan:
    """Read Packagecloud, and plan back what the receipt's apply did; nothing is changed, and OBS is not asked.

    Raises UsageError for a receipt of another server or repository, and as ``look_back`` does.
    """
    from pkgsync.apply import preflight

    preflight.refuse_elsewhere(receipt.target, config, "receipt")
    session, repository = packagecloud_session(config, surroundings), config.packagecloud.repository
    client = PackagecloudClient(session, repository, config.connections.listing)
    actual, kept = look_back(receipt, config, client, surroundings)
    managed = managed_distributions(config)
    return reconcile.undo_plan(receipt, actual, kept, config.policy, managed, now(), _setting(config))


def verify(
    config: Config, surroundings: Surroundings, receipt: Receipt | None = None, *, now: Callable[[], datetime] = utc_now
) -> Verification:
    """What package managers get, beside what the receipt's apply did, or without one beside all that OBS publishes.

    Nothing is changed. Raises UsageError for a receipt of another server or repository, and as :func:`plan` does.
    """
    if receipt is not None:
        from pkgsync.apply import preflight

        preflight.refuse_elsewhere(receipt.target, config, "receipt")
        client = PackagecloudClient(packagecloud_session(config, surroundings), config.packagecloud.repository)
        return served_after(receipt, config, client, surroundings, now())
    services = Services.of(config, surroundings, None)
    world, actual = services.read(config, now=now)
    desired, managed, moment = judged(config, world), managed_distributions(config), now()
    mapping.check_types(config, desired, actual)
    decided = reconcile.reconcile(desired, actual, config.policy, managed, moment)
    expected, rows = reconcile.expected_of(decided), tuple(decided.managed_rows)
    return reconcile.verify(
        expected,
        read_indexes(reconcile.wanted(expected, rows), config, services.packagecloud, surroundings),
        actual.repository,
        moment,
        rows=rows,
        complete=not any(repository.unread for repository in desired.repositories),
    )


def _setting(config: Config) -> "reconcile.Setting":
    return reconcile.Setting(
        obs_api=config.obs.api,
        projects=tuple(sorted(p.name for p in config.obs.projects)),
        packagecloud_url=config.packagecloud.url,
        config_digest=config.digest,
        pkgsync_version=__version__,
        overrides=NOTHING_OVERRIDDEN,
        allow_http=config.allow_http,
    )


def _policy(config: Config, overrides: Overrides) -> Policy:
    """The policy of this run. Raises UsageError where the config lacks what an override needs."""
    wanted, orphans = overrides.orphans, config.policy.orphans
    if wanted not in (None, OrphanAction.KEEP) and orphans.keep_versions is None:
        raise UsageError(
            f"--orphans {wanted} needs orphans.keep_versions in {config.path}",
            tip="Say there how many versions of each package must stay, such as `orphans: {keep_versions: 3}`.",
        )
    if wanted is OrphanAction.ARCHIVE and orphans.archive_to is None:
        raise UsageError(
            f"--orphans archive needs orphans.archive_to in {config.path}",
            tip="Name there the repository to move them to, such as `orphans: {archive_to: me/archive}`.",
        )
    return overrides.over(config.policy)


def _archive_of(policy: Policy) -> str | None:
    return policy.orphans.archive_to if policy.orphans.action is OrphanAction.ARCHIVE else None


def _worlds(
    config: Config,
    surroundings: Surroundings,
    policy: Policy,
    now: Callable[[], datetime] | None,
    snapshot: Snapshot | None,
    base: Config | None = None,
    accepted: Collection[str] = (),
) -> tuple[Snapshot, Services | None]:
    """Both worlds as they are, and who may be asked more; or as ``snapshot`` has them.

    Raises UsageError where that is about other services.
    """
    if snapshot is None:
        services = Services.of(config, surroundings, _archive_of(policy))
        taken = _take(services, config, policy, now or utc_now, base, everything=base is not None, accepted=accepted)
        return taken, services
    refuse_elsewhere(snapshot, config)
    return snapshot if now is None else snapshot.at(now()), None


def _take(
    services: Services,
    config: Config,
    policy: Policy,
    now: Callable[[], datetime],
    base: Config | None = None,
    *,
    everything: bool = False,
    accepted: Collection[str] = (),
) -> Snapshot:
    """Both worlds as they are now: with the downloads of what nothing but these could hold."""
    world, actual = services.read(config, now=now, everything=everything, also=_also(config, base), accepted=accepted)
    # as a file holds it: the plan from one must not be another one
    moment = now().replace(microsecond=0)
    days = policy.limits.in_use_days
    if days is not None:
        desired = judged(config, world)
        mapping.check_types(config, desired, actual)
        decided = reconcile.reconcile(desired, actual, policy, managed_distributions(config), moment)
        actual = services.with_downloads(actual, list(reconcile.unasked(decided)), policy, moment)
    return Snapshot(
        pkgsync_version=__version__,
        created_at=moment,
        obs_api=config.obs.api,
        published_sha256=published_sha256(config),
        packagecloud_url=config.packagecloud.url,
        obs=world,
        packagecloud=actual,
        archive=_archive_of(policy),
        downloads_since=None if days is None else counted_since(days, moment).isoformat(),
    )


def _also(config: Config, base: Config | None) -> tuple[ObsProject, ...]:
    """The projects that only the old config names."""
    known = {project.name for project in config.obs.projects}
    return tuple(p for p in base.obs.projects if p.name not in known) if base is not None else ()


def _planned(
    config: Config,
    policy: Policy,
    overrides: Overrides,
    selection: Selection,
    taken: Snapshot,
    services: Services | None = None,
) -> tuple[Plan, DesiredState, ActualState]:
    """The plan of these worlds, and what it was decided on."""
    decided, desired, actual = _decided(config, policy, selection, taken, services)
    setting = replace(_setting(config), overrides=overrides, selection=selection)
    return reconcile.build_plan(decided, desired, actual, policy, taken.created_at, setting), desired, actual


def _decided(
    config: Config, policy: Policy, selection: Selection, taken: Snapshot, services: Services | None = None
) -> tuple["reconcile.Reconciliation", DesiredState, ActualState]:
    """The decisions on these worlds, and the worlds as this config sees them.

    The ``services`` are asked what packages need of those that go, if any do.
    """
    moment, managed = taken.created_at, managed_distributions(config)
    actual = taken.actual_for(policy, moment)
    desired = mapping.checked(
        config,
        lambda: judged(config, taken.obs),
        lambda: packagecloud.check_distributions(managed, actual.distribution_ids),
    )
    mapping.check_types(config, desired, actual)
    takes = reconcile.Selector(selection).takes
    if services is None:
        return reconcile.reconcile(desired, actual, policy, managed, moment, takes), desired, actual
    # for all of the config's plan: a snapshot serves every selection
    decided = reconcile.reconcile(desired, actual, policy, managed, moment)
    names, transfers = reconcile.losing(decided)
    if names:
        desired, actual = services.with_needs(config, desired, actual, names, transfers)
    if names or selection:
        decided = reconcile.reconcile(desired, actual, policy, managed, moment, takes)
    return decided, desired, actual


def _refuse_unknown(accepted: Collection[str], known: Sequence[str]) -> None:
    for name in accepted:
        if name not in known:
            from difflib import get_close_matches  # here, as only a mistake needs it

            near = get_close_matches(name, known, 1)
            tip = f"Did you mean {near[0]}?" if near else "Write PROJECT/REPOSITORY, as the plan names it."
            raise UsageError(f"--accept-older-index {name}: no such OBS repository was read", tip=tip)


def _with_needs_of(taken: Snapshot, desired: DesiredState, actual: ActualState) -> Snapshot:
    """The snapshot with what was asked after it was taken."""
    return replace(
        taken,
        obs=replace(taken.obs, requests=desired.requests),
        packagecloud=replace(taken.packagecloud, needs=actual.needs, requests=actual.requests),
    )


def _refuse_other(config: Config, base: Config) -> None:
    """Raises UsageError where the old config is about other servers or another repository."""
    if (config.obs.api, config.packagecloud) != (base.obs.api, base.packagecloud):
        raise UsageError(
            f"{base.path} names another OBS, Packagecloud or repository than {config.path}",
            tip="Two configs can only be compared over the same two worlds.",
        )
