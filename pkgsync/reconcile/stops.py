"""Checks in a row: what each has seen, and the first that stops. A plan takes the stop, an explanation all of it."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import ParamSpec

from msgspec import Struct

from pkgsync.model import ConfigChange, Flip, Problem, WorldChange
from pkgsync.model.explained import Value, WorldKind
from pkgsync.reasons import Group, Reason

P = ParamSpec("P")


class Stop(Struct, frozen=True):
    """Why a file goes no further, in words, and what would take that away. ``cure`` as in a problem."""

    reason: Reason
    message: str
    flip: Flip
    cure: str = ""

    @property
    def told(self) -> str:
        return Problem(self.reason, self.message, cure=self.cure).told

    @classmethod
    def by(cls, problem: Problem, distribution: str) -> "Stop":
        """A stop by what is not certain in OBS, or is odd."""
        words = (problem.cure or problem.reason.advice).removesuffix(".")
        # one file too many is for people to sort out
        odd = problem.reason.group is Group.CHANGED
        flip = Flip(words) if odd else world(words, "settled", distribution)
        return cls(problem.reason, problem.message, flip, problem.cure)


def walk(
    checks: Mapping[str, Callable[P, Stop | str]], *seen: P.args, **more: P.kwargs
) -> Iterator[tuple[str, Stop | str]]:
    """Each check by its name, and what it found: words, or the stop that ends the row."""
    for name, check in checks.items():
        found = check(*seen, **more)
        yield name, found
        if isinstance(found, Stop):
            return


def first_stop(checks: Mapping[str, Callable[P, Stop | str]], *seen: P.args, **more: P.kwargs) -> Stop | None:
    for check in checks.values():
        found = check(*seen, **more)
        if isinstance(found, Stop):
            return found
    return None


def setting(words: str, *path: str, value: Value) -> Flip:
    """A key of the config set to another value."""
    return Flip(words, (ConfigChange(path, "set", value),))


def adding(words: str, *path: str, values: Iterable[str], project: str = "") -> Flip:
    return Flip(words, (ConfigChange(path, "add", tuple(values), project),))


def removing(words: str, *path: str, values: Iterable[str] | None = None) -> Flip:
    """These of a list, or the whole key."""
    return Flip(words, (ConfigChange(path, "remove", None if values is None else tuple(values)),))


def world(words: str, kind: WorldKind, subject: str) -> Flip:
    return Flip(words, world=WorldChange(kind, subject))
