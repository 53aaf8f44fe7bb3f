"""What package managers should get, and whether they do: the indexes beside OBS, or beside what an apply did."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta

from msgspec import Struct

from pkgsync.model import PackageType, Receipt, ReceiptLine, Row, iso
from pkgsync.model.filename import parse, type_of
from pkgsync.model.served import (
    Checked,
    CheckedIndex,
    Expected,
    ServedFile,
    ServedIndex,
    ServedState,
    Verification,
    Wanted,
)
from pkgsync.reconcile.decisions import DistributionDecisions, Reconciliation
from pkgsync.reconcile.identity import architecture_of

# an index tells when its making began or ended, by another clock than that of the rows
_LATEST = timedelta(minutes=10)
_WHERE = "its file name does not tell which index it belongs in"


def expected_of(decided: Reconciliation) -> tuple[Expected, ...]:
    """All that OBS offers after the filters; what is in doubt there is expected of nobody."""
    return tuple(expected for d in decided.distributions for expected in _offered(d))


def _offered(decided: DistributionDecisions) -> Iterator[Expected]:
    rows = decided.facts.rows
    contents = {row.sha256: row for row in decided.rows}
    for name, offer in sorted(decided.offered.offers.items()):
        if offer.held is not None:
            continue
        row = contents.get(offer.file.sha256) or rows.get(name)
        listed = row is not None and row.sha256 == offer.file.sha256
        yield Expected(
            decided.name,
            name,
            type=offer.file.type,
            architecture=offer.file.architecture,
            sha256=offer.file.sha256,
            size=offer.file.size,
            old_sha256=row.sha256 if row is not None and not listed else None,
            changed_at=row.created_at if row is not None else None,
            listed=listed,
        )


def expected_after(receipt: Receipt) -> tuple[Expected, ...]:
    """All that the apply has done: what it brought is there, what it took away is gone."""
    return tuple(_changed(line) for line in receipt.lines if line.outcome.is_goal and line.sha256)


def _changed(line: ReceiptLine) -> Expected:
    name = line.stored_as or line.filename
    # a locator only: it tells which index to look into
    parsed = parse(name)
    return Expected(
        line.distribution,
        name,
        type=type_of(name) or PackageType.RPM,
        architecture=parsed.architecture if parsed else "",
        sha256=line.sha256,
        size=line.size,
        gone=line.action in ("deletion", "archiving"),
        old_sha256=line.old_sha256,
        changed_at=line.finished_at,
    )


def wanted(expected: Iterable[Expected], rows: Iterable[Row] = ()) -> tuple[Wanted, ...]:
    """The indexes to read for all of it, and for ``rows``, which may stand in other ones."""
    found: dict[tuple[str, PackageType], set[str]] = {}
    for one in expected:
        found.setdefault((one.distribution, one.type), set()).add(one.architecture)
    for row in rows:
        found.setdefault((row.distribution, PackageType(row.type)), set()).add(architecture_of(row))
    return tuple(
        Wanted(distribution=distribution, type=kind, architectures=frozenset(names - {""}))
        for (distribution, kind), names in sorted(found.items())
    )


def verify(
    expected: Sequence[Expected],
    indexes: Iterable[ServedIndex],
    repository: str,
    now: datetime,
    *,
    rows: Iterable[Row] | None = None,
    receipt: str | None = None,
    complete: bool = True,
) -> Verification:
    """Compare; ``rows`` are all that Packagecloud lists there: what else an index holds should be gone.

    ``receipt`` is the digest of the plan that was applied, ``complete`` whether all of OBS was read.
    """
    looks = {index.distribution: _Look.of(index) for index in indexes}
    checked = [looks[one.distribution].check(one) for one in expected]
    if rows is not None:
        checked += _strays(looks.values(), rows)
    failed = [one for one in checked if not one.state.is_goal]
    served = Counter(one.distribution for one in checked if one.state.is_goal)
    waiting = {one.distribution for one in failed}
    return Verification(
        repository=repository,
        created_at=iso(now),
        complete=complete,
        receipt=receipt,
        indexes=tuple(
            look.summary(served[name], None if name in waiting else _last_change(expected, name))
            for name, look in sorted(looks.items())
        ),
        files=tuple(sorted(failed, key=lambda one: one.key)),
        warnings=tuple(warning for look in looks.values() for warning in look.index.warnings),
    )


def _last_change(expected: Iterable[Expected], distribution: str) -> datetime | None:
    times = [_moment(one.changed_at) for one in expected if one.distribution == distribution]
    return max((moment for moment in times if moment is not None), default=None)


def _moment(text: str | None) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text or "")
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


class _Look(Struct, frozen=True):
    """One index, its files by name and by content."""

    index: ServedIndex
    by_name: Mapping[str, list[ServedFile]]
    by_content: Mapping[str | None, ServedFile]

    @classmethod
    def of(cls, index: ServedIndex) -> "_Look":
        by_name: dict[str, list[ServedFile]] = {}
        for file in index.files:
            by_name.setdefault(file.filename, []).append(file)
        return cls(index, by_name, {file.sha256: file for file in index.files})

    @property
    def made_at(self) -> datetime | None:
        # what no calendar holds was read from the network
        made = self.index.revision
        return datetime.fromtimestamp(made, UTC) if made is not None and 0 <= made < 2**37 else None

    def summary(self, served: int, changed: datetime | None) -> CheckedIndex:
        index, made = self.index, self.made_at
        seconds = round((made - changed).total_seconds()) if made and changed else None
        return CheckedIndex(
            distribution=index.distribution,
            architectures=index.architectures,
            made_at=iso(made) if made else None,
            signed_by=index.signed_by,
            after_seconds=seconds if seconds is not None and seconds >= 0 else None,
            served=served,
            problem=index.problem,
            broken=index.broken,
        )

    def check(self, one: Expected) -> Checked:
        state, message = self._found(one)
        return Checked(one.distribution, one.filename, state=state, message=message)

    def _found(self, one: Expected) -> tuple[ServedState, str]:
        if self.index.problem:
            return ServedState.UNREAD, "the index could not be read"
        named = self.by_name.get(one.filename, [])
        if one.gone:
            there = any(file.sha256 in (one.sha256, None) for file in named)
            if there:
                return ServedState.STILL_SERVED, self._age(one)
            return (ServedState.GONE, "") if one.architecture else (ServedState.UNPROVEN, _WHERE)
        # packagecloud/README.md, "Rows": the server may have given it another name
        there_as = self.by_content.get(one.sha256)
        others = [file for file in named if file.sha256 != one.sha256]
        if others or there_as is None:
            return self._otherwise(one, others)
        if one.size not in (None, there_as.size):
            return ServedState.DIFFERS, f"the index says {there_as.size} bytes instead of {one.size}"
        return ServedState.SERVED, ""

    def _otherwise(self, one: Expected, others: Sequence[ServedFile]) -> tuple[ServedState, str]:
        if not one.listed:
            return ServedState.NOT_UPLOADED, "it holds other content" if one.old_sha256 else ""
        if not others:
            return (ServedState.ABSENT, self._age(one)) if one.architecture else (ServedState.UNPROVEN, _WHERE)
        if others[0].sha256 is None:
            return ServedState.UNPROVEN, "the index states no sha256 of it"
        if others[0].sha256 == one.old_sha256 or self._lags(one):
            return ServedState.OLD, self._age(one)
        if self.made_at is None:
            return ServedState.OLD, "or changed: the index does not tell its age"
        return ServedState.DIFFERS, f"sha256 {others[0].sha256[:12]} instead of {one.sha256[:12]}"

    def _lags(self, one: Expected) -> bool:
        """Whether the index may have been made before the change."""
        made, changed = self.made_at, _moment(one.changed_at)
        return made is not None and changed is not None and made - _LATEST < changed

    def _age(self, one: Expected) -> str:
        made = self.made_at
        if not self.index.architectures:
            return "no index is there yet"
        if made is None or one.changed_at is None or self._lags(one):
            return "not indexed yet"
        return f"though the index is newer, of {iso(made)}"


def _strays(looks: Iterable[_Look], rows: Iterable[Row]) -> Iterator[Checked]:
    """What an index still holds though Packagecloud lists it no more."""
    listed = {(row.distribution, known) for row in rows for known in (row.filename, row.sha256)}
    for look in looks:
        distribution = look.index.distribution
        for file in look.index.files:
            if not {(distribution, file.filename), (distribution, file.sha256)} & listed:
                words = "Packagecloud does not list it any more"
                yield Checked(distribution, file.filename, state=ServedState.STILL_SERVED, message=words)
