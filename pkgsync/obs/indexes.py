"""Published indexes, read so that what they say holds together: top file, list of packages, top file again."""

import hashlib
from collections.abc import Callable, Iterable, Iterator

from attrs import frozen

from pkgsync.errors import IntegrityError, NotFoundError, ReadError, RedirectError
from pkgsync.model import BuiltPackage, Index, Problem
from pkgsync.obs import debian, rpmmd, settled
from pkgsync.obs.client import ObsClient
from pkgsync.obs.entries import Entry, Hasher, Pointer, unique, with_sha256
from pkgsync.obs.mapping import Wanted
from pkgsync.obs.sums import opened
from pkgsync.reasons import Reason

PAUSES = (2.0, 5.0)
"""Seconds before the second and the third look at something that changes while it is read."""
NOTHING_SHA256 = hashlib.sha256(b"").hexdigest()
"""The ``top_sha256`` of a repository that may be empty and publishes no index at all."""


@frozen
class Kind:
    """One kind of index: the path of its top file, and how its two files are read."""

    top: str
    parse_top: Callable[[bytes, str], Pointer]
    parse_packages: Callable[[Iterable[bytes], str], Iterator[Entry]]


RPM = Kind(rpmmd.TOP, rpmmd.parse_top, rpmmd.parse_packages)
DEBIAN = Kind(debian.TOP, debian.parse_top, debian.parse_packages)


@frozen
class Outcome:
    """What came of reading an index. ``unread``: it failed for good."""

    index: Index | None
    problems: tuple[Problem, ...] = ()
    unread: bool = False


class _ChangedError(IntegrityError):
    """The top file is another one after its packages were read."""


def look(
    client: ObsClient,
    wanted: Wanted,
    results: settled.Results,
    *,
    hasher: Hasher | None,
    pause: Callable[[float], object],
) -> Outcome:
    """The index of a repository, or why there is none. ``results`` tells which kind of packages it holds.

    Raises AuthenticationError; every other failure is an outcome.
    """
    packages = [package for result in results.values() for package in result.packages]
    try:
        index = _patiently(client, wanted, _kinds(packages), hasher, pause)
        if index is None and wanted.name in wanted.project.may_be_empty and not _has_packages(packages):
            index = _confirmed_absence(client, wanted)
    except (ReadError, IntegrityError) as error:
        return _failed(wanted, error, settled.is_at_rest(results))
    ignored, may_be_empty = wanted.project.ignore_architectures, wanted.name in wanted.project.may_be_empty
    return Outcome(index, settled.index_problems(wanted.id, index, results, ignored, may_be_empty))


def _failed(wanted: Wanted, error: ReadError | IntegrityError, at_rest: bool) -> Outcome:
    in_motion = isinstance(error, IntegrityError | NotFoundError) and not at_rest
    if isinstance(error, _ChangedError) or in_motion:
        message = f"{wanted.id}: the published index changes while it is read"
        return Outcome(None, (Problem(Reason.INDEX_CHANGED, message),))
    return Outcome(None, (Problem(Reason.UNREAD, f"{wanted.id}: {error.message}"),), unread=True)


def _patiently(
    client: ObsClient,
    wanted: Wanted,
    kinds: tuple[Kind, ...],
    hasher: Hasher | None,
    pause: Callable[[float], object],
) -> Index | None:
    """An index replaced under the reader gives a 404 or a wrong checksum, and is whole a moment later (OBS #8258)."""
    for seconds in PAUSES:
        try:
            return _read(client, wanted, kinds, hasher)
        except RedirectError:
            raise
        except (NotFoundError, IntegrityError):
            pause(seconds)
    return _read(client, wanted, kinds, hasher)


def _read(client: ObsClient, wanted: Wanted, kinds: tuple[Kind, ...], hasher: Hasher | None) -> Index | None:
    project, repository = wanted.project.name, wanted.name
    kind, top = _top(client, wanted, kinds)
    if kind is None:
        return None
    pointer = kind.parse_top(top, f"{wanted.id}/{kind.top}")
    what = f"{wanted.id}/{pointer.path}"
    cap = client.limits.max_index_bytes
    packed = client.published(project, repository, pointer.path, min(cap, pointer.packed.size or cap))
    pointer.packed.verify(packed, what)
    pieces = opened(packed, what, pointer.unpacked, client.limits.max_index_open_bytes)
    entries = tuple(unique(kind.parse_packages(pieces, what), what))
    files = tuple(with_sha256(entry, project, repository, hasher) for entry in entries)
    if client.top(project, repository, kind.top) != top:
        raise _ChangedError(f"{wanted.id}/{kind.top}: changed while it was read")
    return Index(hashlib.sha256(top).hexdigest(), pointer.revision, files)


def _top(client: ObsClient, wanted: Wanted, kinds: tuple[Kind, ...]) -> tuple[Kind | None, bytes]:
    for kind in kinds:
        try:
            return kind, client.top(wanted.project.name, wanted.name, kind.top)
        except NotFoundError:
            continue
    return None, b""


def _confirmed_absence(client: ObsClient, wanted: Wanted) -> Index | None:
    """OBS takes the index away when the last package goes; absence counts only if a second look agrees."""
    kind, _ = _top(client, wanted, (RPM, DEBIAN))
    return Index(NOTHING_SHA256, None, ()) if kind is None else None


def _kinds(packages: Iterable[BuiltPackage]) -> tuple[Kind, ...]:
    """The likelier kind first: a wrong guess costs a request."""
    names = [file.filename for package in packages for file in package.files]
    if any(name.endswith(".deb") for name in names) and not any(name.endswith(".rpm") for name in names):
        return DEBIAN, RPM
    return RPM, DEBIAN


def _has_packages(packages: Iterable[BuiltPackage]) -> bool:
    return any(file.filename.endswith((".rpm", ".deb")) for package in packages for file in package.files)
