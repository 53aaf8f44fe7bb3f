"""Notices what others change on Packagecloud while we work: there is no remote lock."""

from collections.abc import Collection, Mapping

from attrs import define, field

from pkgsync.model import SYNCED_TYPES, Action, ActualState, ReceiptLine, Replacement, Row, Transfer


@define(kw_only=True)
class Guard:
    """The managed rows at the preflight, and what our own actions may have made of them since.

    ``own`` has for each key of ours every sha256 that may stand there now; None: no row.
    """

    managed: Collection[str]
    before: Mapping[str, Row]
    own: dict[str, set[str | None]] = field(factory=dict)

    @classmethod
    def of(cls, actual: ActualState, managed: Collection[str]) -> "Guard":
        return cls(managed=managed, before=_rows(actual, managed))

    def note(self, action: Action, line: ReceiptLine) -> None:
        """Take in how an action ended: what stands under its key now, or may stand there if it failed."""
        goal: str | None = action.sha256 if isinstance(action, Transfer) else None
        if line.outcome.is_goal:
            self.own[action.key] = {goal}
        else:
            self.own[action.key] = {goal, None, self._content_before(action)}
        # the server names debs by their header (packagecloud/README.md, "Rows")
        if line.stored_as is not None:
            self.own[action.key] = {None}
            self.own[f"{action.distribution}/{line.stored_as}"] = {goal}

    def _content_before(self, action: Action) -> str | None:
        if isinstance(action, Replacement):
            return action.old.sha256
        row = self.before.get(action.key)
        return row.sha256 if row is not None else None

    def foreign(self, actual: ActualState) -> tuple[str, ...]:
        """The keys that somebody else changed since the preflight, sorted."""
        now = _rows(actual, self.managed)
        keys = sorted(self.before.keys() | now.keys() | self.own.keys())
        return tuple(key for key in keys if not self._explained(key, now.get(key)))

    def _explained(self, key: str, row: Row | None) -> bool:
        if key in self.own:
            # A checksum that is not filled in yet proves nothing; the look before each change asks again.
            known = row is None or row.sha256 is not None
            return (row.sha256 if row is not None else None) in self.own[key] or not known
        before = self.before.get(key)
        if row is None or before is None:
            return False
        known = row.sha256 is not None and before.sha256 is not None
        return row.created_at == before.created_at and (row.sha256 == before.sha256 or not known)


def _rows(actual: ActualState, managed: Collection[str]) -> dict[str, Row]:
    return {row.key: row for row in actual.rows if row.distribution in managed and row.type in SYNCED_TYPES}


def distribution_of(key: str) -> str:
    """The distribution of a package key (``distro/version/filename``)."""
    return key.rpartition("/")[0]
