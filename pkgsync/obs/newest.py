"""When the newest index of each repository was made that was ever seen: what is older than that tells nothing new.

A signature stays good for ever, so that a stale mirror, or whoever sits in between, could bring back what once was.
"""

import hashlib
import json
from collections.abc import Callable, Collection, Mapping
from pathlib import Path

from msgspec.structs import replace

from pkgsync.files import write_atomically
from pkgsync.obs.indexes import IndexRead
from pkgsync.obs.world import ObsWorld, RepositoryReads

_FORMAT = 1
_MAX_BYTES = 2**24
_LOCK_SECONDS = 10  # others hold it for an instant
_LOST = "what was noted of the newest indexes cannot be read: one that is older than those is not noticed this time"
_NOT_KEPT = "the newest indexes could not be noted in the state folder: an older one is not noticed the next time"


class Newest:
    """What is known of one OBS, in a file of its own in ``folder``: seconds since 1970 by PROJECT/REPOSITORY.

    One that is missing knows nothing; one that is damaged neither, and ``warnings`` say so.
    """

    def __init__(self, folder: Path, api: str) -> None:
        self._api = api
        self._path = folder / f"{hashlib.sha256(api.encode()).hexdigest()[:32]}.json"
        self.warnings: tuple[str, ...] = ()
        self.known = self._read()

    def remember(self, world: ObsWorld, accepted: Collection[str]) -> None:
        """Note what was read now. An older index counts from now on only where it is ``accepted``."""
        if _noted(self.known, world, accepted) == self.known:
            return
        from filelock import FileLock  # here, as most runs find nothing newer

        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            # other runs note theirs meanwhile, and none may forget for the others
            with FileLock(self._path.with_suffix(".lock"), timeout=_LOCK_SECONDS):
                known = _noted(self._read(), world, accepted)
                document = {"format": _FORMAT, "api": self._api, "repositories": dict(sorted(known.items()))}
                write_atomically(self._path, json.dumps(document).encode(), mode=0o600)
        except (OSError, NotImplementedError):
            # a plan needs no folder to write to, nor one that can be locked
            self.warnings = (*self.warnings, _NOT_KEPT)

    def _read(self) -> dict[str, int]:
        try:
            if self._path.stat().st_size > _MAX_BYTES:
                raise ValueError
            document = json.loads(self._path.read_bytes())
            found = document["repositories"]
            if (document["format"], document["api"]) != (_FORMAT, self._api):
                raise ValueError
            if not all(isinstance(name, str) and type(moment) is int for name, moment in found.items()):
                raise ValueError
        except FileNotFoundError:
            return {}
        except (OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError):
            self.warnings = (_LOST,)
            return {}
        return dict(found)


def _noted(known: Mapping[str, int], world: ObsWorld, accepted: Collection[str]) -> dict[str, int]:
    """What is known after ``world``, too."""
    noted = dict(known)
    for name, read in _indexes(world).items():
        made_at = read.index.made_at if read.index else None
        if made_at is not None:
            noted[name] = made_at if name in accepted else max(made_at, noted.get(name, made_at))
    return noted


def beside(world: ObsWorld, newest: Mapping[str, int]) -> ObsWorld:
    """The world with what was the newest index of each repository before, where the one of now is older."""

    def one(name: str, read: IndexRead) -> IndexRead:
        made_at, known = read.index.made_at if read.index else None, newest.get(name)
        if made_at is None or known is None or made_at >= max(known, read.newest or known):
            return read
        return replace(read, newest=max(known, read.newest or known))

    return _with_reads(world, one)


def accepting(world: ObsWorld, accepted: Collection[str]) -> ObsWorld:
    """The world where these repositories may have an older index."""
    return _with_reads(world, lambda name, read: replace(read, newest=None) if name in accepted else read)


def _with_reads(world: ObsWorld, change: Callable[[str, IndexRead], IndexRead]) -> ObsWorld:
    def reads(name: str, found: RepositoryReads) -> RepositoryReads:
        return found if found.index is None else replace(found, index=change(name, found.index))

    projects = {
        project: replace(found, repositories={n: reads(f"{project}/{n}", r) for n, r in found.repositories.items()})
        for project, found in world.projects.items()
    }
    return replace(world, projects=projects)


def _indexes(world: ObsWorld) -> dict[str, IndexRead]:
    return {
        f"{project}/{name}": reads.index
        for project, found in world.projects.items()
        for name, reads in found.repositories.items()
        if reads.index is not None
    }
