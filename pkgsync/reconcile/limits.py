"""How many deletions a plan may hold before it is refused (DESIGN section 7, Limits)."""

from collections.abc import Iterable, Sequence

from pkgsync.model import LimitExceeded, Limits, Overrides, Policy, Removal, Row, Upload

_PERCENT_FROM_ROWS = 10


def exceeded(
    removals: Sequence[Removal],
    uploads: Sequence[Upload],
    rows: Iterable[Row],
    policy: Policy,
    overrides: Overrides,
    freed: frozenset[str],
) -> tuple[LimitExceeded, ...]:
    """Every limit that the removals of the plan exceed, by distribution.

    ``rows`` are all rows of the managed distributions before the plan.
    ``freed`` are the keys of removals that do not count: those whose newer version this plan uploads.
    """
    by_distribution: dict[str, list[Row]] = {}
    for row in rows:
        by_distribution.setdefault(row.distribution, []).append(row)
    result: list[LimitExceeded] = []
    for name in sorted({r.distribution for r in removals}):
        mine = [r for r in removals if r.distribution == name]
        arriving = [u for u in uploads if u.distribution == name]
        result += _check(name, mine, arriving, by_distribution.get(name, []), policy.limits, overrides, freed)
    return tuple(result)


def _check(
    name: str,
    removals: list[Removal],
    arriving: list[Upload],
    rows: list[Row],
    limits: Limits,
    overrides: Overrides,
    freed: frozenset[str],
) -> Iterable[LimitExceeded]:
    counted = sum(1 for r in removals if r.key not in freed)
    flag = f"--max-deletions {counted}"
    allowed = limits.deletions if overrides.max_deletions is None else overrides.max_deletions
    if counted > allowed:
        words = f"{name}: {counted} deletions, {counted - allowed} more than the limit of {allowed}"
        yield LimitExceeded(name, "deletions", allowed, counted, words, flag)
    if overrides.max_deletions is not None:
        return
    percent = counted * 100 // len(rows) if len(rows) >= _PERCENT_FROM_ROWS else 0
    if len(rows) >= _PERCENT_FROM_ROWS and counted * 100 > limits.deletions_percent * len(rows):
        most = limits.deletions_percent
        words = f"{name}: {counted} of {len(rows)} packages would be deleted ({percent} %), the limit is {most} %"
        yield LimitExceeded(name, "deletions_percent", most, percent, words, flag)
    if rows and not arriving and {r.filename for r in removals} >= {r.filename for r in rows}:
        words = f"{name}: all {len(rows)} packages would be deleted, none would be left"
        flag = f"--max-deletions {max(counted, 1)}"
        yield LimitExceeded(name, "vanish", 0, len(rows), words, flag)
