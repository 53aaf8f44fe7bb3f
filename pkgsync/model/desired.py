"""What OBS offers: the desired state.

Sizes are bytes, sums lower-case hex sha256, times seconds since 1970.
"""

from collections.abc import Mapping
from datetime import datetime

from msgspec import Struct, field

from pkgsync.model.filename import FileClass, PackageType
from pkgsync.model.policy import ContentFrom
from pkgsync.reasons import Reason


class Version(Struct, frozen=True, order=True):
    """The parts of a version as the package's own metadata has them; ``release`` is empty where there is none."""

    epoch: int
    version: str
    release: str = ""

    def __str__(self) -> str:
        return f"{self.epoch}:{self.without_epoch}" if self.epoch else self.without_epoch

    @property
    def without_epoch(self) -> str:
        """As it stands in file names."""
        return f"{self.version}-{self.release}" if self.release else self.version


class IndexedFile(Struct, frozen=True):
    """One file of an index. ``path`` is relative to the published repository; ARCHITECTURE/PACKAGE/FILE of a build.

    ``mtime`` is what an rpm index states, None in others.
    """

    filename: str
    path: str
    size: int
    sha256: str
    type: PackageType
    name: str
    version: Version
    architecture: str
    file_class: FileClass
    mtime: int | None = None


class Signed(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Who vouches: the primary key's fingerprint in upper-case hex, and when, in seconds since 1970.

    ``warnings`` are clauses on what is not wrong yet, such as a key that has expired since.
    """

    fingerprint: str
    signed_at: int
    hash_algorithm: str
    warnings: tuple[str, ...] = ()


class Index(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A complete, verified published index.

    ``top_sha256`` is of repomd.xml or Release, ``revision`` its ``<revision>`` or Date in seconds since 1970.
    Of what is only built, an index holds the files that pass the filters, as no others are downloaded; ``top_sha256``
    is then of the list of all files, and there is no revision. ``signature`` is over the top file, where the config
    pins a key for it.
    """

    top_sha256: str
    revision: int | None
    files: tuple[IndexedFile, ...]
    signature: Signed | None = None

    @property
    def made_at(self) -> int | None:
        return made_at(self.revision, self.signature)


def made_at(revision: int | None, signature: Signed | None) -> int | None:
    """What orders the indexes of a repository in time; None: nothing tells it. A Debian one may have no time itself."""
    return signature.signed_at if revision is None and signature is not None else revision


class BuiltFile(Struct, frozen=True, array_like=True):
    """One file of a ``_result``: no checksum is known."""

    filename: str
    size: int
    mtime: int


class BuiltPackage(Struct, frozen=True, omit_defaults=True):
    """One package of one architecture in ``_result``; ``name`` may hold a multibuild flavor."""

    name: str
    code: str
    files: tuple[BuiltFile, ...] = ()


class Problem(Struct, frozen=True, omit_defaults=True):
    """A reason with the words that name the thing: why a repository, architecture or action is withheld.

    ``lasting``: time alone cures it not. ``cure`` is a sentence that says what does; empty: the reason's own advice.
    """

    reason: Reason
    message: str
    lasting: bool = False
    cure: str = ""

    @property
    def told(self) -> str:
        """What is wrong and, where the reason's advice is not the right one, what helps."""
        return f"{self.message}. {self.cure}" if self.cure else self.message


class Architecture(Struct, frozen=True, kw_only=True):
    """One scheduler architecture of a repository as ``_result`` shows it; settled when ``problems`` is empty."""

    name: str
    code: str
    dirty: bool = False
    last_published: int | None = None
    packages: tuple[BuiltPackage, ...] = ()
    problems: tuple[Problem, ...] = ()


class Repository(Struct, frozen=True, kw_only=True):
    """One mapped OBS repository. ``index`` is None where no complete, stable index could be read.

    ``content`` build: nothing is published, and the index is of what is built.

    ``problems`` unsettle all of it, those of an architecture only that one (and noarch/all). ``doubts`` are about
    single files of the index, by name: nothing is uploaded or replaced by what it says of them.
    ``unread`` marks a read that failed for good: the plan is then incomplete.
    ``skipped`` marks one that is mapped to null: ``filtered`` too, and nothing but the names that it built counts.
    ``filtered`` marks a repository that the project's ``repositories`` leaves out: it offers nothing, but the files
    that its ``_result`` lists are not gone.
    ``catch_all`` marks one that the config does not name: nobody would notice that another of its kind is missing.
    """

    project: str
    name: str
    distributions: tuple[str, ...]
    architectures: tuple[Architecture, ...] = ()
    index: Index | None = None
    problems: tuple[Problem, ...] = ()
    doubts: Mapping[str, Problem] = field(default_factory=dict)
    unread: bool = False
    filtered: bool = False
    skipped: bool = False
    catch_all: bool = False
    filter_architectures: tuple[str, ...] | None = None
    ignore_architectures: tuple[str, ...] = ()
    content: ContentFrom = "published"

    @property
    def id(self) -> str:
        return f"{self.project}/{self.name}"

    @property
    def last_published(self) -> int | None:
        return max((a.last_published for a in self.architectures if a.last_published is not None), default=None)

    @property
    def all_problems(self) -> tuple[Problem, ...]:
        each = (*self.problems, *(p for a in self.architectures for p in a.problems))
        return tuple(dict.fromkeys(each))


DISCONTINUED = "DISCONTINUED:"
"""How OBS renames a base project at its end of life (download_controller.rb of openSUSE/software-o-o)."""


class DesiredState(Struct, frozen=True, kw_only=True):
    """What OBS offers: mapped repositories in the order of the config (projects, then ``distributions``)."""

    repositories: tuple[Repository, ...]
    read_at: datetime
    requests: int = 0
    warnings: tuple[str, ...] = ()
