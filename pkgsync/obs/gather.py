"""The desired state: every mapped repository with its index and its build results, each looked at twice.

Per project one ``_meta`` and two ``_result``, per repository three or four requests, whatever the number of packages;
of what is only built, each file that is new.
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime
from typing import Any, TypeVar

from attrs import frozen

from pkgsync.config import CATCH_ALL, ObsProject
from pkgsync.errors import NotFoundError
from pkgsync.model import ContentFrom, DesiredState, Problem, Repository
from pkgsync.obs import settled
from pkgsync.obs.built import BuiltFiles, Reading
from pkgsync.obs.client import ObsClient
from pkgsync.obs.index_entries import Hasher
from pkgsync.obs.indexes import PAUSES, IndexRead, read_index
from pkgsync.obs.mapping import Wanted, all_wanted, ended
from pkgsync.obs.results import ProjectMeta, ProjectResult
from pkgsync.progress import SILENT, Progress, ProgressTask
from pkgsync.reasons import Reason

In = TypeVar("In")
Out = TypeVar("Out")


def gather(
    client: ObsClient,
    projects: Sequence[ObsProject],
    *,
    now: Callable[[], datetime],
    # README.md, "Two servers": no rule on request rates is known, so only a few at a time
    jobs: int = 4,
    progress: Progress = SILENT,
    pause: Callable[[float], object] = time.sleep,
    hasher: Hasher | None = None,
    built: BuiltFiles | None = None,
) -> DesiredState:
    """Read ``projects`` over at most ``jobs`` connections. ``now`` is asked once, before the first read.

    ``pause`` (seconds) waits before something that changes is read again. ``hasher`` gives the sha256 of files whose
    index has none, from several threads; ``built`` reads the projects with ``content: build``, which need it.
    After an error or Ctrl-C the client is closed.
    Raises MappingError for a repository that nothing maps, before anything but ``_meta`` is read; ReadError when a
    whole project cannot be read; AuthenticationError. What fails in one repository is a problem of that repository.
    """
    if built is None and any(project.content == "build" for project in projects):
        raise ValueError("content: build needs somebody who reads built files")
    read_at, before = now(), client.requests
    with _pool(client, jobs) as pool:
        metas = _metas(client, projects, pool, progress)
        everything = all_wanted(projects, metas)
        absent = {project.name for project, meta in zip(projects, metas, strict=True) if meta is None}
        present = [w for w in everything if w.expected is not None]
        total = 2 * len(_projects(present)) + len(_offering(present, "published"))
        with progress.task("Reading OBS repositories", total, "requests") as task:
            reader = _RepositoryReader(
                client=client, pool=_Pool(pool, task), hasher=hasher, pause=pause, built=built, progress=progress
            )
            read = reader.repositories(present)
    # what is absent stays among them: it may be the reason why a package is not offered
    repositories = tuple(read[w] if w in read else _missing(w, w.project.name in absent) for w in everything)
    return DesiredState(
        repositories=repositories,
        read_at=read_at,
        requests=client.requests - before,
        warnings=tuple(problem.what for problem in ended(projects, metas)),
    )


def read_metas(
    client: ObsClient, projects: Sequence[ObsProject], *, jobs: int = 4, progress: Progress = SILENT
) -> list[ProjectMeta | None]:
    """The ``_meta`` of each project; None for an optional one that is absent. Raises ReadError, AuthenticationError."""
    with _pool(client, jobs) as pool:
        return _metas(client, projects, pool, progress)


def _metas(
    client: ObsClient, projects: Sequence[ObsProject], pool: ThreadPoolExecutor, progress: Progress
) -> list[ProjectMeta | None]:
    with progress.task("Reading OBS projects", len(projects), "requests") as task:
        return _Pool(pool, task).map(lambda project: _meta(client, project), projects)


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


def _missing(w: Wanted, project_absent: bool) -> Repository:
    """A mapped repository that cannot be read because it is not there: known to be unsettled."""
    if project_absent:
        problem = Problem(Reason.PROJECT_ABSENT, f"{w.project.name}: OBS has no such project", lasting=True)
    elif w.name == CATCH_ALL:
        words = f"{w.project.name}: its _meta has no repository that `*` stands for"
        problem = Problem(Reason.REPOSITORY_ABSENT, words, lasting=True)
    else:
        words = f"{w.id}: the project's _meta does not have the repository"
        problem = Problem(Reason.REPOSITORY_ABSENT, words, lasting=True)
    return _repository(w, problems=(problem,))


@frozen(eq=False, kw_only=True)
class _RepositoryReader:
    """Two equal results with an index between them; what changed in between is read again, a few times."""

    _client: ObsClient
    _pool: _Pool
    _hasher: Hasher | None
    _pause: Callable[[float], object]
    _built: BuiltFiles | None
    _progress: Progress

    def repositories(self, present: Sequence[Wanted]) -> dict[Wanted, Repository]:
        """Every repository as the last look shows it."""
        first = self._results(present)
        read, first = self._once(present, first)
        for seconds in PAUSES:
            again = [w for w in present if not w.skipped and settled.changed_only(read[w].architectures)]
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
    ) -> tuple[dict[Wanted, Repository], dict[str, ProjectResult]]:
        outcomes = self._indexes(_offering(repositories, "published"), first)
        readings = self._hashed(_offering(repositories, "build"), first)
        # after the last index and file: what both looks show alike stood still while those were read
        second = self._results(repositories)
        if self._built is not None:
            outcomes.update(self._built.confirmed(readings, second))
        return {
            w: _judged(w, first[w.project.name], second[w.project.name], outcomes.get(w)) for w in repositories
        }, second

    def _results(self, repositories: Sequence[Wanted]) -> dict[str, ProjectResult]:
        names = _projects(repositories)
        return dict(zip(names, self._pool.map(self._client.result, names), strict=True))

    def _indexes(self, repositories: Sequence[Wanted], first: Mapping[str, ProjectResult]) -> dict[Wanted, IndexRead]:
        def one(w: Wanted) -> IndexRead:
            results = first[w.project.name].architectures(w.name)
            return read_index(self._client, w, results, hasher=self._hasher, pause=self._pause)

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


def _judged(w: Wanted, first: ProjectResult, second: ProjectResult, outcome: IndexRead | None) -> Repository:
    ignored = w.project.ignore_architectures
    before, after = first.architectures(w.name), second.architectures(w.name)
    architectures = settled.judge_architectures(w.id, w.expected or (), before, after, ignored, w.project.content)
    shared = settled.shared_problems(architectures, ignored)
    problems = (*settled.publishing_problems(w.id, after, ignored), *shared)
    if not architectures:
        words, cure = f"{w.id}: the repository has no architecture", "Give it one in OBS, or map it to null."
        problems = (Problem(Reason.ARCHITECTURE_ABSENT, words, lasting=True, cure=cure),)
    if outcome is None:
        return _repository(w, architectures=architectures, problems=problems)
    doubts = dict(outcome.doubts)
    if outcome.index is not None and w.project.content == "published":
        doubts = settled.doubts(w.id, outcome.index, after, w.project.compare_times)
    return _repository(
        w,
        architectures=architectures,
        index=outcome.index,
        problems=(*problems, *outcome.problems, *settled.contradictions(doubts, after, ignored)),
        doubts=doubts,
        unread=outcome.unread,
    )


def _repository(w: Wanted, **found: Any) -> Repository:
    return Repository(
        project=w.project.name,
        name=w.name,
        distributions=w.distributions,
        filtered=w.filtered,
        skipped=w.skipped,
        catch_all=w.catch_all,
        filter_architectures=w.project.architectures,
        ignore_architectures=w.project.ignore_architectures,
        content=w.project.content,
        **found,
    )
