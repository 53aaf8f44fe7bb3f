"""What holds back deletions and replacements, by distribution. Nothing here is escaped yet."""

from collections.abc import Iterable
from datetime import UTC, datetime

from msgspec import Struct

from pkgsync.model import PlannedRepository, Problem


class Hold(Struct, frozen=True, kw_only=True):
    """An OBS repository that is not settled, and a distribution that it feeds.

    ``last_published`` (seconds since 1970) is the last time that it is known to have been in order.
    """

    distribution: str
    repository: str
    problems: tuple[Problem, ...]
    last_published: int | None

    @property
    def told(self) -> str:
        """``opensuse/15.6 is held: demo:release/openSUSE_Leap_15.6/x86_64: is building; published last 2026-…``"""
        said = dict.fromkeys(self._named(problem.told) for problem in self.problems)
        causes = "; ".join(said) or f"{self.repository}: it is not settled"
        return f"{self.distribution} is held: {causes}; {published(self.last_published)}"

    def _named(self, message: str) -> str:
        return message if message.startswith(self.repository) else f"{self.repository}: {message}"


def holds(repositories: Iterable[PlannedRepository]) -> list[Hold]:
    """Every distribution that is held, and by what, sorted."""
    found = (
        Hold(
            distribution=distribution,
            repository=f"{read.project}/{read.repository}",
            problems=read.problems,
            last_published=read.last_published,
        )
        for read in repositories
        if not read.settled
        for distribution in read.distributions
    )
    return sorted(found, key=lambda hold: (hold.distribution, hold.repository))


def published(seconds: int | None) -> str:
    """Since when the index that users see has stood there."""
    try:
        moment = None if seconds is None else datetime.fromtimestamp(seconds, UTC)
    # the server's number may be no time at all
    except (OverflowError, OSError, ValueError):
        moment = None
    if moment is None:
        return "when it was published last is not known"
    return f"published last {moment:%Y-%m-%d %H:%M} UTC"
