"""Reads OBS: every mapped repository with its index and its build results, each looked at twice.

Per project one ``_meta`` and two ``_result``, per repository three or four requests, whatever the number of packages;
of what is only built, each file that is new.
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from datetime import datetime
from typing import Any, TypeVar

from attrs import evolve, frozen

from pkgsync.config import ObsProject
from pkgsync.errors import AuthenticationError, NotFoundError, ReadError
from pkgsync.model import ContentFrom, DesiredState
from pkgsync.obs import settled
from pkgsync.obs.built import BuiltFiles, Reading
from pkgsync.obs.client import ObsClient
from pkgsync.obs.hashing import Hasher
from pkgsync.obs.indexes import PAUSES, IndexRead, read_index
from pkgsync.obs.judge import architectures_of, judge
from pkgsync.obs.mapping import Wanted, all_wanted
from pkgsync.obs.parsed import ParsedIndexes
from pkgsync.obs.results import ProjectMeta, ProjectResult
from pkgsync.obs.world import ObsWorld, ProjectReads, RepositoryReads
from pkgsync.progress import SILENT, Progress, ProgressTask
from pkgsync.signatures import PublicKeys

_NO_KEYS: Mapping[str, PublicKeys] = {}
In = TypeVar("In")
Out = TypeVar("Out")


def gather(
    client: ObsClient,
    projects: Sequence[ObsProject],
    *,
    now: Callable[[], datetime],
    built: BuiltFiles | None = None,
    **how: Any,
) -> DesiredState:
    """Read ``projects`` as :func:`observe` does, and judge them."""
    return judge(projects, observe(client, projects, now=now, built=built, **how), built.wants if built else _no_files)


def _no_files(_filename: str, _architectures: Sequence[str] | None) -> bool:
    return False


def observe(
    client: ObsClient,
    projects: Sequence[ObsProject],
    *,
    now: Callable[[], datetime],
    # README.md, "Two servers": no rule on request rates is known, so only a few at a time
    jobs: int = 4,
    progress: Progress = SILENT,
    pause: Callable[[float], object] = time.sleep,
    hasher: Hasher | None = None,
    parsed: ParsedIndexes | None = None,
    built: BuiltFiles | None = None,
    keys: Mapping[str, PublicKeys] = _NO_KEYS,
    everything: bool = False,
) -> ObsWorld:
    """Read ``projects`` over at most ``jobs`` connections. ``now`` is asked once, before the first read.

    ``pause`` (seconds) waits before something that changes is read again. ``hasher`` gives the sha256 of files whose
    index has none, from several threads; ``parsed`` knows the indexes of earlier runs; ``built`` reads the projects
    with ``content: build``, which need it. ``keys`` are those that are pinned, by project. ``everything``: the indexes
    that no project maps are read too, for another config; what would have to be downloaded for that is not. After an
    error or Ctrl-C the client is closed.
    Raises MappingError for a repository that nothing maps, before any index is read; ReadError when a
    whole project cannot be read; AuthenticationError. What fails in one repository is a problem of that repository.
    """
    if built is None and any(project.content == "build" for project in projects):
        raise ValueError("content: build needs somebody who reads built files")
    read_at, before = now(), client.requests
    with _pool(client, jobs) as pool:
        asked = _ask_metas(client, projects, pool)
        looks = {project.name: pool.submit(client.result, project.name) for project in projects}
        metas = _metas(asked, progress)
        present = [w for w in all_wanted(projects, metas) if w.expected is not None]
        total = 2 * len(_projects(present)) + len(_offering(present, "published"))
        with progress.task("Reading OBS repositories", total, "requests") as task:
            reader = _RepositoryReader(
                client=client,
                pool=_Pool(pool, task),
                looks=looks,
                hasher=hasher,
                parsed=parsed,
                pause=pause,
                built=built,
                keys=keys,
                progress=progress,
            )
            read = reader.repositories(present)
        requests = client.requests - before
        if everything and (others := _others(projects, metas, read)):
            total = 2 * len(_projects(others)) + len(_offering(others, "published"))
            # what is missing of these is unread for whoever maps them; this plan does not need it
            extra = progress.task("Reading other OBS repositories", total, "requests")
            with suppress(AuthenticationError, ReadError), extra as task:
                read |= evolve(reader, pool=_Pool(pool, task), hasher=None).repositories(others)
    return ObsWorld(projects=_by_project(projects, metas, read), read_at=read_at, requests=requests)


def _others(
    projects: Sequence[ObsProject], metas: Sequence[ProjectMeta | None], read: Mapping[Wanted, RepositoryReads]
) -> list[Wanted]:
    """What else the projects have: all that offered nothing so far."""
    offering = {w.id for w in read if not w.filtered}
    found = (
        Wanted(project=project, name=name, distributions=(), expected=expected, filtered=project.content == "build")
        for project, meta in zip(projects, metas, strict=True)
        for name, expected in (meta.repositories.items() if meta else ())
    )
    return [w for w in found if w.id not in offering]


def _by_project(
    projects: Sequence[ObsProject], metas: Sequence[ProjectMeta | None], read: Mapping[Wanted, RepositoryReads]
) -> dict[str, ProjectReads]:
    found: dict[str, dict[str, RepositoryReads]] = {project.name: {} for project in projects}
    for w, reads in read.items():
        found[w.project.name][w.name] = reads
    return {
        # whatever else a repository is built against is nobody's business who may see a snapshot
        project.name: ProjectReads(meta=meta and meta.with_ended_paths(), repositories=found[project.name])
        for project, meta in zip(projects, metas, strict=True)
    }


def read_metas(
    client: ObsClient, projects: Sequence[ObsProject], *, jobs: int = 4, progress: Progress = SILENT
) -> list[ProjectMeta | None]:
    """The ``_meta`` of each project; None for an optional one that is absent. Raises ReadError, AuthenticationError."""
    with _pool(client, jobs) as pool:
        return _metas(_ask_metas(client, projects, pool), progress)


def _ask_metas(
    client: ObsClient, projects: Sequence[ObsProject], pool: ThreadPoolExecutor
) -> list[Future[ProjectMeta | None]]:
    return [pool.submit(_meta, client, project) for project in projects]


def _metas(asked: Sequence[Future[ProjectMeta | None]], progress: Progress) -> list[ProjectMeta | None]:
    metas = []
    with progress.task("Reading OBS projects", len(asked), "requests") as task:
        for meta in asked:
            metas.append(meta.result())
            task.advance(1)
    return metas


class _Pool:
    """Maps over threads, in order, and tells the task."""

    def __init__(self, executor: ThreadPoolExecutor, task: ProgressTask) -> None:
        self.executor = executor
        self._task = task

    def map(self, function: Callable[[In], Out], items: Sequence[In]) -> list[Out]:
        def step(item: In) -> Out:
            result = function(item)
            self._task.advance(1)
            return result

        return list(self.executor.map(step, items))


@contextmanager
def _pool(client: ObsClient, jobs: int) -> Iterator[ThreadPoolExecutor]:
    """Threads that end at once when anything ends the run: no request outlives it."""
    executor = ThreadPoolExecutor(max_workers=jobs, thread_name_prefix="pkgsync-obs")
    try:
        yield executor
    except BaseException:
        # first: the shutdown below waits for the threads, and they for their answers
        client.close()
        raise
    finally:
        executor.shutdown(cancel_futures=True)


def _meta(client: ObsClient, project: ObsProject) -> ProjectMeta | None:
    try:
        return client.project_meta(project.name)
    except NotFoundError as error:
        # README.md, "Two servers": one that must not be seen answers the same
        if project.optional:
            return None
        tip = "Check its name, your rights and `obs.api`; list it in `optional_projects` if it comes and goes."
        raise NotFoundError(f"{project.name}: OBS has no such project ({error.message})", tip=tip) from None


@frozen(eq=False, kw_only=True)
class _RepositoryReader:
    """Two equal results with an index between them; what changed in between is read again, a few times."""

    _client: ObsClient
    _pool: _Pool
    _looks: dict[str, Future[ProjectResult]]
    _hasher: Hasher | None
    _parsed: ParsedIndexes | None
    _pause: Callable[[float], object]
    _built: BuiltFiles | None
    _keys: Mapping[str, PublicKeys]
    _progress: Progress

    def repositories(self, present: Sequence[Wanted]) -> dict[Wanted, RepositoryReads]:
        """Every repository as the last look shows it."""
        first = self._results(present)
        read, first = self._once(present, first)
        for seconds in PAUSES:
            again = [w for w in present if not w.skipped and settled.changed_only(architectures_of(w, read[w]))]
            if not again:
                break
            self._pause(seconds)
            newer, results = self._once(again, first)
            read.update(newer)
            # the second look of one round is the first of the next
            first = {**first, **results}
        return read

    def _once(
        self, repositories: Sequence[Wanted], first: Mapping[str, ProjectResult]
    ) -> tuple[dict[Wanted, RepositoryReads], dict[str, ProjectResult]]:
        indexes = self._indexes(_offering(repositories, "published"), first)
        copies = self._hashed(_offering(repositories, "build"), first)
        # after the last index and file: what both looks show alike stood still while those were read
        second = self._results(repositories)
        if self._built is not None:
            self._built.remember(copies, second)
        return {
            w: RepositoryReads(
                before=first[w.project.name].architectures(w.name),
                after=second[w.project.name].architectures(w.name),
                index=indexes.get(w),
                copies=copies.get(w),
            )
            for w in repositories
        }, second

    def _results(self, repositories: Sequence[Wanted]) -> dict[str, ProjectResult]:
        names = _projects(repositories)
        return dict(zip(names, self._pool.map(self._result, names), strict=True))

    def _result(self, project: str) -> ProjectResult:
        """What OBS says of a project: the first time the look that was begun beside its ``_meta``."""
        begun = self._looks.pop(project, None)
        return self._client.result(project) if begun is None else begun.result()

    def _indexes(self, repositories: Sequence[Wanted], first: Mapping[str, ProjectResult]) -> dict[Wanted, IndexRead]:
        def one(w: Wanted) -> IndexRead:
            results = first[w.project.name].architectures(w.name)
            keys = self._keys.get(w.project.name)
            return read_index(
                self._client, w, results, hasher=self._hasher, parsed=self._parsed, keys=keys, pause=self._pause
            )

        return dict(zip(repositories, self._pool.map(one, repositories), strict=True))

    def _hashed(self, repositories: Sequence[Wanted], first: Mapping[str, ProjectResult]) -> dict[Wanted, Reading]:
        if self._built is None or not repositories:
            return {}
        return self._built.read(repositories, first, self._pool.executor, self._progress)


def _offering(repositories: Sequence[Wanted], content: ContentFrom) -> list[Wanted]:
    """Those that offer files, of this kind."""
    return [w for w in repositories if not w.filtered and w.project.content == content]


def _projects(repositories: Sequence[Wanted]) -> list[str]:
    return list(dict.fromkeys(w.project.name for w in repositories))
