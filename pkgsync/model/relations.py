"""What packages need of one another, as the indexes that package managers read state it."""

from collections.abc import Mapping
from typing import Literal

from msgspec import Struct, field

from pkgsync.model.desired import Version
from pkgsync.model.filename import PackageType

Operator = Literal["", "<", "<=", "=", ">=", ">"]


# what was compared once is looked up again and again
class Relation(Struct, frozen=True, cache_hash=True):
    """A name that is provided or required, in any version or in some.

    ``version`` is None beside an operator where it cannot be read.
    """

    name: str
    operator: Operator = ""
    version: Version | None = None

    def __str__(self) -> str:
        return f"{self.name} {self.operator} {self.version or '?'}" if self.operator else self.name


class Relations(Struct, frozen=True):
    """Of one package: its architecture, what it provides (itself too), and what it requires.

    Each of ``requires`` is met by any one of its alternatives.
    """

    type: PackageType
    architecture: str
    provides: tuple[Relation, ...]
    requires: tuple[tuple[Relation, ...], ...]


# many packages share one
class Need(Struct, frozen=True, cache_hash=True):
    """Something that a file requires, in words, and the files that provide it, by their sha256.

    ``architecture`` is of the machines that the need is on; empty: all on which the file is installed.
    """

    what: str
    of: tuple[str, ...]
    architecture: str = ""


class Needs(Struct, frozen=True):
    """The needs of each file of a distribution, by sha256, as far as a file of its own repository can meet them.

    ``own`` are the files of each architecture that needs are on. ``unread`` says why some are not known.
    """

    files: Mapping[str, tuple[Need, ...]] = field(default_factory=dict)
    own: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    unread: str = ""
