"""Whose change each action of a plan carries out: the config's, OBS's, or somebody's on Packagecloud.

By the config is what the old config would not do in the same way on the same worlds. For all else two times of the
servers' own clocks are compared: when Packagecloud last had it as OBS did, and when OBS built and published the file.

- For an upload the first is the newest row there that equals a file of the same OBS repository: its last sync.
- For a replacement, and for what is superseded or gone, it is the ``created_at`` of the row that goes.

Built after that, or nothing like it there at all: OBS. Published for the last time before that: OBS has not changed
since, so somebody did on Packagecloud, or an apply was not finished. Between the two nobody can tell; but what is gone
and stood there before the last publish OBS has taken away.
"""

from collections.abc import Iterable
from datetime import datetime
from functools import cached_property

from msgspec import Struct

from pkgsync.model import (
    Action,
    ActualState,
    Cause,
    Comparison,
    DesiredState,
    NoLonger,
    Plan,
    Removal,
    Replacement,
    Repository,
    Row,
    Transfer,
)

Place = tuple[str, str]
"""Project and repository."""


def compare_all(plan: Plan, cause: Cause, config_digest: str) -> Comparison:
    """The plan where the config with this digest gives none."""
    return Comparison(config_digest=config_digest, causes={action.key: cause for action in plan.actions})


def compare(plan: Plan, old: Plan, config_digest: str, desired: DesiredState, actual: ActualState) -> Comparison:
    """The plan beside ``old``, the plan of the config with this digest on the same worlds."""
    history = _History(desired=desired, rows=actual.rows)
    before = {action.key: action for action in old.actions}
    causes = {
        action.key: history.cause(action) if _same(action, before.get(action.key)) else Cause.CONFIG
        for action in plan.actions
    }
    held = {item.key for item in plan.held}
    left = sorted((action for key, action in before.items() if key not in causes), key=lambda a: (a.kind, a.key))
    return Comparison(
        config_digest=config_digest,
        causes=causes,
        no_longer=tuple(
            NoLonger(distribution=a.distribution, filename=a.filename, action=a.kind, held=a.key in held) for a in left
        ),
    )


def _same(action: Action, old: Action | None) -> bool:
    if old is None or (action.kind, action.sha256) != (old.kind, old.sha256):
        return False
    return not isinstance(action, Removal) or (isinstance(old, Removal) and action.archive == old.archive)


class _History(Struct, frozen=True, kw_only=True, dict=True):
    """What both worlds tell of times, all in seconds since 1970."""

    desired: DesiredState
    rows: tuple[Row, ...]

    @cached_property
    def _repositories(self) -> dict[Place, Repository]:
        return {(r.project, r.name): r for r in self.desired.repositories}

    @cached_property
    def _built(self) -> dict[tuple[str, str, str], int]:
        """The earliest time of each file's copies: all of them were built then or later."""
        found: dict[tuple[str, str, str], int] = {}
        for r in self.desired.repositories:
            for file in (f for a in r.architectures for p in a.packages for f in p.files):
                key = (r.project, r.name, file.filename)
                found[key] = min(file.mtime, found.get(key, file.mtime))
        return found

    @cached_property
    def _synced(self) -> dict[tuple[str, str, str], float | None]:
        """By project, repository and distribution: when the newest row came that is as OBS has it."""
        by_distribution: dict[str, list[Row]] = {}
        for row in self.rows:
            by_distribution.setdefault(row.distribution, []).append(row)
        found: dict[tuple[str, str, str], float | None] = {}
        for r in self.desired.repositories:
            contents = {file.sha256 for file in r.index.files} if r.index else set()
            for distribution in r.distributions:
                equal = [row for row in by_distribution.get(distribution, ()) if row.sha256 in contents]
                times = [moment for row in equal if (moment := _seconds(row.created_at)) is not None]
                if equal:
                    found[r.project, r.name, distribution] = max(times, default=None)
        return found

    def cause(self, action: Action) -> Cause:
        match action:
            case Replacement():
                return self._of_transfer(action, _seconds(action.old.created_at))
            case Transfer(source=source):
                place = (source.project, source.repository, action.distribution)
                return self._of_transfer(action, self._synced[place]) if place in self._synced else Cause.OBS
            case Removal():
                return self._of_removal(action, _seconds(action.created_at))
            case _:
                raise TypeError(action)

    def _of_transfer(self, action: Transfer, known: float | None) -> Cause:
        source = action.source
        place, filename = (source.project, source.repository), source.path.rpartition("/")[2]
        return _judge(known, self._built.get((*place, filename)), self._published([place]))

    def _of_removal(self, action: Removal, known: float | None) -> Cause:
        places = [(r.project, r.repository) for r in action.evidence.repositories]
        published, newer = self._published(places), action.evidence.superseded_by
        if newer is None:
            cause = _judge(known, None, published)
            return Cause.OBS if cause is Cause.UNKNOWN and known is not None and published is not None else cause
        built = [time for place in places if (time := self._built.get((*place, newer.filename))) is not None]
        return _judge(known, min(built, default=None), published)

    def _published(self, places: Iterable[Place]) -> int | None:
        """When the last of the repositories was published; None where one does not tell."""
        times = [r.last_published if (r := self._repositories.get(place)) else None for place in places]
        told = [time for time in times if time is not None]
        return max(told) if told and len(told) == len(times) else None


def _judge(known: float | None, built: int | None, published: int | None) -> Cause:
    if known is None:
        return Cause.UNKNOWN
    if built is not None and built > known:
        return Cause.OBS
    if published is not None and published <= known:
        return Cause.PACKAGECLOUD
    return Cause.UNKNOWN


def _seconds(created_at: str) -> float | None:
    """The server's time as seconds since 1970; None for what is no time with a zone."""
    try:
        moment = datetime.fromisoformat(created_at)
    except ValueError:
        return None
    return moment.timestamp() if moment.tzinfo else None
