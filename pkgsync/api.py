"""The public library: plan, audit, apply and undo as typed functions.

A config comes from :func:`pkgsync.config.load`; plans and receipts are read and written by :mod:`pkgsync.planfile`.
"""

from collections.abc import Callable, Sequence
from datetime import datetime

from attrs import evolve

from pkgsync import mapping, packagecloud, reconcile
from pkgsync.apply import engine, preflight
from pkgsync.apply.options import ApplyOptions
from pkgsync.config import Config, managed_distributions
from pkgsync.errors import UsageError
from pkgsync.model import (
    EVERYTHING,
    ActualState,
    Audit,
    AuditQuery,
    DesiredState,
    OrphanAction,
    Overrides,
    Plan,
    Policy,
    Receipt,
    Selection,
)
from pkgsync.packagecloud import PackagecloudClient
from pkgsync.services import Services, look_back, packagecloud_session
from pkgsync.surroundings import Surroundings, utc_now
from pkgsync.version import __version__

__all__ = ["ApplyOptions", "Surroundings", "apply", "audit", "plan", "undo"]

NOTHING_OVERRIDDEN = Overrides()


def plan(
    config: Config,
    surroundings: Surroundings,
    *,
    overrides: Overrides = NOTHING_OVERRIDDEN,
    selection: Selection = EVERYTHING,
    now: Callable[[], datetime] = utc_now,
) -> Plan:
    """Read both worlds and decide what to change; nothing is changed.

    ``overrides`` and ``selection`` are what the command line sets for this run; ``now`` is the time that age rules
    count from. Raises ConfigError, AuthenticationError, ReadError where no plan can be made.
    """
    policy = _policy(config, overrides)
    services = Services.of(config, surroundings, _archive_of(policy))
    desired, actual = services.observe(config)
    mapping.check_types(config, desired, actual)
    moment = now()
    takes = reconcile.Selector(selection).takes
    managed = managed_distributions(config)
    decided, actual = _decide((desired, actual), policy, managed, moment, services, takes)
    setting = evolve(_setting(config), overrides=overrides, selection=selection)
    return reconcile.build_plan(decided, desired, actual, policy, moment, setting)


def audit(
    config: Config,
    surroundings: Surroundings,
    *,
    overrides: Overrides = NOTHING_OVERRIDDEN,
    query: AuditQuery = reconcile.EVERY_ORPHAN,
    now: Callable[[], datetime] = utc_now,
) -> Audit:
    """Read both worlds and judge the orphans that ``query`` asks for.

    Raises as :func:`plan` does, and UsageError where the query means more requests than packagecloud.usage allows.
    """
    policy = _policy(config, overrides)
    services = Services.of(config, surroundings, _archive_of(policy))
    desired, actual = services.observe(config)
    moment = now()
    decided, actual = _decide((desired, actual), policy, managed_distributions(config), moment, services)
    found = reconcile.audit(decided, desired, actual, policy, moment, query)
    return reconcile.arranged(packagecloud.with_usage(services.packagecloud, found, moment, surroundings.progress))


def apply(
    config: Config,
    reviewed: Plan,
    surroundings: Surroundings,
    options: ApplyOptions,
    *,
    now: Callable[[], datetime] = utc_now,
    report: Callable[[str], None] = lambda line: None,
) -> Receipt:
    """Execute the reviewed plan. The config gives URLs, credentials, what is mapped, and the policy to pass again.

    Raises UnsafePlanError, LockedError, AuthenticationError and other errors that stop a run before its first change;
    later failures are in the receipt, with its ``exit_code``.
    """
    services = Services.of(config, surroundings, next(iter(reviewed.archives), None))
    return engine.run(reviewed, config, services, options, now=now, report=report)


def undo(
    config: Config, receipt: Receipt, surroundings: Surroundings, *, now: Callable[[], datetime] = utc_now
) -> Plan:
    """Read Packagecloud, and plan back what the receipt's apply did; nothing is changed, and OBS is not asked.

    Raises UsageError for a receipt of another server or repository, and as ``look_back`` does.
    """
    preflight.refuse_elsewhere(receipt.target, config, "receipt")
    client = PackagecloudClient(packagecloud_session(config, surroundings), config.packagecloud.repository)
    actual, kept = look_back(receipt, config, client, surroundings)
    managed = managed_distributions(config)
    return reconcile.undo_plan(receipt, actual, kept, config.policy, managed, now(), _setting(config))


def _setting(config: Config) -> reconcile.Setting:
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


def _decide(
    observed: tuple[DesiredState, ActualState],
    policy: Policy,
    managed: Sequence[str],
    now: datetime,
    services: Services,
    takes: Callable[[str], bool] = lambda key: True,
) -> tuple[reconcile.Reconciliation, ActualState]:
    """The decisions, and the actual state behind them: with the downloads of what nothing but these could hold."""
    desired, actual = observed
    decided = reconcile.reconcile(desired, actual, policy, managed, now, takes)
    rows = list(reconcile.unasked(decided))
    if not rows:
        return decided, actual
    actual = services.with_downloads(actual, rows, policy, now)
    return reconcile.reconcile(desired, actual, policy, managed, now, takes), actual
