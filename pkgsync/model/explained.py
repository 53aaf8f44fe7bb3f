"""The way of one file through the checks, and the change that would take away what stops it."""

from typing import Literal

from msgspec import Struct

from pkgsync.model.key import Keyed
from pkgsync.reasons import Reason

Value = str | int | tuple[str, ...] | None
WorldKind = Literal[
    "settled",
    "until",
    "applied",
    "succeeded",
    "unpublished",
    "published",
    "unbuilt",
    "known",
    "newer",
    "arrived",
    "removed",
    "archive",
]
Fortune = Literal[
    "upload", "replace", "unchanged", "delete", "archive", "held", "keep", "filtered", "shadowed", "unmanaged", "absent"
]


class ConfigChange(Struct, frozen=True):
    """One key of the config that is ``set`` to the value, or whose list takes it in (``add``) or loses it (``remove``).

    A key without a value is removed as a whole.
    ``project`` names the OBS project whose own key it is; empty for a key of the whole config.
    """

    path: tuple[str, ...]
    how: Literal["set", "add", "remove"]
    value: Value
    project: str = ""


class WorldChange(Struct, frozen=True):
    """What would have to happen outside of the config.

    ``subject`` is a file name for succeeded, published, unpublished, newer and arrived, a package key for unbuilt,
    known, removed and archive, an ISO 8601 moment for until, seconds since an apply for applied, and a distribution
    for settled.
    """

    kind: WorldKind
    subject: str


class Flip(Struct, frozen=True):
    """The smallest change that takes one stop away: ``words`` are a sentence without its end, before the config's keys.

    What is behind that stop may stop the file again.
    """

    words: str
    config: tuple[ConfigChange, ...] = ()
    world: WorldChange | None = None


class Step(Struct, frozen=True):
    """One check: whether the file passed it, and what was seen."""

    name: str
    passed: bool
    said: str


class Explanation(Keyed, frozen=True, kw_only=True):
    """What becomes of one package key, and the steps that led there; the last step is the stop, if there is one.

    ``reason`` and ``flip`` are None where nothing is to be said.
    """

    fortune: Fortune
    message: str
    steps: tuple[Step, ...] = ()
    reason: Reason | None = None
    flip: Flip | None = None


class Answer(Struct, frozen=True, kw_only=True):
    """What was asked for: one key, or each key of a name; where nothing has that name, the ``near`` ones."""

    query: str
    explanations: tuple[Explanation, ...]
    near: tuple[str, ...] = ()
