"""How many deletions a plan may hold before it is refused."""

from collections.abc import Collection, Iterable, Sequence

from msgspec import Struct

from pkgsync.model import LimitExceeded, Limits, Orphan, Overrides, Policy, Removal, Row, Upload

# of fewer rows one deletion is a large share already
_PERCENT_FROM_ROWS = 10


class _Loss(Struct, frozen=True, kw_only=True):
    """What one distribution would lose. ``counted`` leaves out the ``freed`` removals."""

    name: str
    rows: int
    counted: int
    freed: int
    vanishes: bool

    @property
    def uncounted(self) -> str:
        """A reader of the plan sees these deletions too, and must not wonder about the number."""
        return f"not counting {self.freed} whose newer version comes with this plan" if self.freed else ""


def exceeded(
    removals: Sequence[Removal],
    uploads: Sequence[Upload],
    rows: Iterable[Row],
    policy: Policy,
    overrides: Overrides,
    freed: frozenset[str],
) -> tuple[LimitExceeded, ...]:
    """Every limit that the removals of the plan exceed, by distribution.

    ``rows`` are all rows of the managed distributions as they are now.
    ``freed`` are the keys of removals that do not count: those whose newer version this plan brings or has brought.
    """
    going: dict[str, dict[str, bool]] = {}
    for removal in removals:
        going.setdefault(removal.distribution, {})[removal.filename] = removal.key not in freed
    standing: dict[str, set[str]] = {name: set() for name in going}
    for row in rows if going else ():
        if row.distribution in standing:
            standing[row.distribution].add(row.filename)
    receiving = {u.distribution for u in uploads}
    losses = []
    for name, leaving in sorted(going.items()):
        here = standing[name]
        vanishes = name not in receiving and leaving.keys() >= here
        counted = sum(leaving.values())
        losses.append(
            _Loss(name=name, rows=len(here), counted=counted, freed=len(leaving) - counted, vanishes=vanishes)
        )
    # one option holds for all distributions: less than the most of them would refuse another one
    flag = f"--max-deletions {max((loss.counted for loss in losses), default=0)}"
    return tuple(over for loss in losses for over in _check(loss, policy.limits, overrides, flag))


def freed(orphans: Iterable[Orphan], arriving: Collection[str]) -> frozenset[str]:
    """The keys of the orphans whose newer version is ``arriving``, by its package key."""
    return frozenset(
        orphan.row.key
        for orphan in orphans
        if orphan.evidence
        and orphan.evidence.superseded_by
        and f"{orphan.row.distribution}/{orphan.evidence.superseded_by.filename}" in arriving
    )


def _check(loss: _Loss, limits: Limits, overrides: Overrides, flag: str) -> Iterable[LimitExceeded]:
    # who names a number has looked at the plan: it takes the place of all limits
    if overrides.max_deletions is not None:
        allowed = overrides.max_deletions
        yield from _too_many(loss, allowed, f"--max-deletions {allowed} allows", flag)
        return
    own = limits.of(loss.name)
    of = "its limit of" if loss.name in limits.distributions else "the limit of"
    yield from _too_many(loss, own.deletions, f"{of} {own.deletions}", flag)
    most = own.deletions_percent
    if loss.rows >= _PERCENT_FROM_ROWS and loss.counted * 100 > most * loss.rows:
        # rounded up, so that it never reads as what is allowed
        percent = -(-loss.counted * 100 // loss.rows)
        more = loss.counted - most * loss.rows // 100
        share = "; ".join(filter(None, (f"{percent} %", loss.uncounted)))
        words = (
            f"{loss.name}: {loss.counted} of {loss.rows} packages would be deleted ({share}), "
            f"{more} more than {of} {most} % allows"
        )
        yield LimitExceeded(
            distribution=loss.name, limit="deletions_percent", allowed=most, found=percent, message=words, override=flag
        )
    if loss.vanishes:
        packages = "the only package" if loss.rows == 1 else f"all {loss.rows} packages"
        words = f"{loss.name}: {packages} would be deleted, none would be left"
        yield LimitExceeded(
            distribution=loss.name, limit="vanish", allowed=0, found=loss.rows, message=words, override=flag
        )


def _too_many(loss: _Loss, allowed: int, limit: str, flag: str) -> Iterable[LimitExceeded]:
    if loss.counted > allowed:
        deletions = "1 deletion" if loss.counted == 1 else f"{loss.counted} deletions"
        uncounted = f" ({loss.uncounted})" if loss.uncounted else ""
        words = f"{loss.name}: {deletions}{uncounted}, {loss.counted - allowed} more than {limit}"
        yield LimitExceeded(
            distribution=loss.name, limit="deletions", allowed=allowed, found=loss.counted, message=words, override=flag
        )
