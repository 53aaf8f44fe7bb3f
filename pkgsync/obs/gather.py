"""Reads OBS: every mapped repository with its index and its build results, each looked at twice.

Per project one ``_meta`` and two ``_result``, per repository three or four requests, whatever the number of packages;
of what is only built, each file that is new.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from datetime import datetime
from typing import Any, ParamSpec, TypeVar

from msgspec import Struct
from msgspec.structs import replace

from pkgsync import backoff
from pkgsync.config import ObsProject
from pkgsync.errors import AuthenticationError, NotFoundError, ReadError
from pkgsync.model import ContentFrom, DesiredState
from pkgsync.obs import settled
from pkgsync.obs.built import BuiltFiles, Reading
from pkgsync.obs.client import ObsClient
from pkgsync.obs.hashing import Hasher
from pkgsync.obs.indexes import IndexReader
from pkgsync.obs.judge import architectures_of, judge
from pkgsync.obs.mapping import Wanted, all_wanted
from pkgsync.obs.parsed import ParsedIndexes
from pkgsync.obs.results import ProjectMeta, ProjectResult
from pkgsync.obs.world import ObsWorld, ProjectReads, RepositoryReads
from pkgsync.progress import SILENT, Progress, ProgressTask
from pkgsync.signatures import PublicKeys

_NO_KEYS: Mapping[str, PublicKeys] = {}
Out = TypeVar("Out")
P = ParamSpec("P")
# under way at once: as many as there can be connections, so that those that wait keep none idle
_MOST_PROJECTS = 64


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
    progress: Progress = SILENT,
    hasher: Hasher | None = None,
    parsed: ParsedIndexes | None = None,
    built: BuiltFiles | None = None,
    keys: Mapping[str, PublicKeys] = _NO_KEYS,
    everything: bool = False,
) -> ObsWorld:
    """Read ``projects``. ``now`` is asked once, before the first read.

    ``hasher`` gives the sha256 of files whose index has none, from several threads; ``parsed`` knows the indexes of
    earlier runs; ``built`` reads the projects with ``content: build``, which need it. ``keys`` are those
    that are pinned, by project. ``everything``: the indexes that no project maps are read too, for another config; what
    would have to be downloaded for that is not. After an error or Ctrl-C the client is closed.
    Raises MappingError for a repository that nothing maps, before any index is read; ReadError when a
    whole project cannot be read; AuthenticationError. What fails in one repository is a problem of that repository.
    """
    if built is None and any(project.content == "build" for project in projects):
        raise ValueError("content: build needs somebody who reads built files")
    read_at, before = now(), client.requests
    with _pools(client) as (pool, chains):
        asked = _ask_metas(client, projects, pool)
        looks = {project.name: pool.submit(client.result, project.name) for project in projects}
        metas = _metas(asked, progress)
        present = [w for w in all_wanted(projects, metas) if w.expected is not None]
        with progress.task("Reading OBS repositories", _answers(present), "requests") as task:
            reader = _Reader(
                client=client,
                pool=_Pool(pool, task),
                chains=chains,
                looks=looks,
                hasher=hasher,
                parsed=parsed,
                built=built,
                keys=keys,
                progress=progress,
            )
            read = reader.repositories(present)
        requests = client.requests - before
        if everything and (others := _others(projects, metas, read)):
            # what is missing of these is unread for whoever maps them; this plan does not need it
            extra = progress.task("Reading other OBS repositories", _answers(others), "requests")
            with suppress(AuthenticationError, ReadError), extra as task:
                read |= replace(reader, pool=_Pool(pool, task), hasher=None).repositories(others)
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
    client: ObsClient, projects: Sequence[ObsProject], *, progress: Progress = SILENT
) -> list[ProjectMeta | None]:
    """The ``_meta`` of each project; None for an optional one that is absent. Raises ReadError, AuthenticationError."""
    with _pools(client) as (pool, _):
        return _metas(_ask_metas(client, projects, pool), progress)


def _ask_metas(client: ObsClient, projects: Sequence[ObsProject], pool: Executor) -> list[Future[ProjectMeta | None]]:
    return [pool.submit(_meta, client, project) for project in projects]


def _metas(asked: Sequence[Future[ProjectMeta | None]], progress: Progress) -> list[ProjectMeta | None]:
    metas = []
    with progress.task("Reading OBS projects", len(asked), "requests") as task:
        for meta in asked:
            metas.append(meta.result())
            task.advance(1)
    return metas


class _Pool(Struct, frozen=True):
    """Requests, so many at a time, that are counted for whoever watches."""

    executor: Executor
    task: ProgressTask

    def submit(self, function: Callable[..., Out], *arguments: Any) -> Future[Out]:
        def step() -> Out:
            result = function(*arguments)
            self.task.advance(1)
            return result

        return self.executor.submit(step)

    def map(self, function: Callable[..., Out], *arguments: Iterable[Any]) -> list[Out]:
        """The results in order."""
        return [begun.result() for begun in [self.submit(function, *each) for each in zip(*arguments, strict=True)]]


class _Asking(ThreadPoolExecutor):
    """Threads that send requests, and none any more after a refused login: some servers count how often one fails.

    One answer would do, but to wait for it would cost every good run that time.
    """

    refused: AuthenticationError | None = None

    def submit(self, function: Callable[P, Out], /, *arguments: P.args, **options: P.kwargs) -> Future[Out]:
        def ask() -> Out:
            if self.refused is not None:
                raise AuthenticationError(self.refused.message, tip=self.refused.tip)
            try:
                return function(*arguments, **options)
            except AuthenticationError as error:
                self.refused = error
                raise

        return super().submit(ask)


@contextmanager
def _pools(client: ObsClient) -> Iterator[tuple[Executor, Executor]]:
    """Threads for requests and for projects, which end at once when anything ends the run.

    A project's thread sends nothing by itself: it waits for its own requests, and for no other project's.
    """
    requests = _Asking(max_workers=client.connections, thread_name_prefix="pkgsync-obs")
    chains = ThreadPoolExecutor(max_workers=_MOST_PROJECTS, thread_name_prefix="pkgsync-obs-project")
    try:
        yield requests, chains
    except BaseException:
        # first: the shutdowns below wait for the threads, and they for their answers
        client.close()
        raise
    finally:
        requests.shutdown(cancel_futures=True)
        chains.shutdown(cancel_futures=True)


def _meta(client: ObsClient, project: ObsProject) -> ProjectMeta | None:
    try:
        return client.project_meta(project.name)
    except NotFoundError as error:
        # README.md, "Two servers": one that must not be seen answers the same
        if project.optional:
            return None
        tip = "Check its name, your rights and `obs.api`; list it in `optional_projects` if it comes and goes."
        raise NotFoundError(f"{project.name}: OBS has no such project ({error.message})", tip=tip) from None


class _Reader(Struct, frozen=True, eq=False, kw_only=True):
    """Two equal results of a project with its indexes between them; what changed is read again, a few times."""

    client: ObsClient
    pool: _Pool
    chains: Executor
    looks: dict[str, Future[ProjectResult]]
    hasher: Hasher | None
    parsed: ParsedIndexes | None
    built: BuiltFiles | None
    keys: Mapping[str, PublicKeys]
    progress: Progress

    def repositories(self, present: Sequence[Wanted]) -> dict[Wanted, RepositoryReads]:
        """Every repository as the last look shows it. No project waits for another one."""
        projects: dict[str, list[Wanted]] = {}
        for w in present:
            projects.setdefault(w.project.name, []).append(w)
        begun = [self.chains.submit(self._project, name, wanted) for name, wanted in projects.items()]
        return {w: reads for chain in begun for w, reads in chain.result().items()}

    def _project(self, name: str, wanted: Sequence[Wanted]) -> dict[Wanted, RepositoryReads]:
        read, moved, look = self._once(name, wanted, self._first_look(name))
        for seconds in backoff.PAUSES:
            again = [w for w in wanted if not w.skipped and (w in moved or _changed(w, read[w]))]
            if not again:
                break
            self.client.pause(seconds)
            # the second look of one round is the first of the next
            newer, moved, look = self._once(name, again, look)
            read |= newer
        return read

    def _once(
        self, name: str, wanted: Sequence[Wanted], first: ProjectResult
    ) -> tuple[dict[Wanted, RepositoryReads], set[Wanted], ProjectResult]:
        """The repositories between two looks, those whose index was replaced meanwhile, and the second look."""
        published = _offering(wanted, "published")
        readers = [self._index_reader(w, first) for w in published]
        lists = self.pool.map(IndexReader.listed, readers)
        copies = self._hashed(_offering(wanted, "build"), first)
        # after the last index and file of the project: what both looks show alike stood still while those were read
        look = self.pool.submit(self.client.result, name)
        confirmed = self.pool.map(IndexReader.confirmed, readers, lists)
        second = look.result()
        if self.built is not None:
            self.built.remember(name, copies, second)
        indexes = {w: index for w, (index, _) in zip(published, confirmed, strict=True)}
        read = {
            w: RepositoryReads(
                before=first.architectures(w.name),
                after=second.architectures(w.name),
                index=indexes.get(w),
                copies=copies.get(w),
            )
            for w in wanted
        }
        return read, {w for w, (_, moved) in zip(published, confirmed, strict=True) if moved}, second

    def _first_look(self, name: str) -> ProjectResult:
        """What OBS says of a project: the first time the look that was begun beside its ``_meta``."""
        begun = self.looks.pop(name, None)
        if begun is None:
            return self.pool.submit(self.client.result, name).result()
        look = begun.result()
        self.pool.task.advance(1)
        return look

    def _index_reader(self, w: Wanted, first: ProjectResult) -> IndexReader:
        results, keys = first.architectures(w.name), self.keys.get(w.project.name)
        return IndexReader(self.client, w, results, hasher=self.hasher, parsed=self.parsed, keys=keys)

    def _hashed(self, repositories: Sequence[Wanted], first: ProjectResult) -> dict[Wanted, Reading]:
        if self.built is None or not repositories:
            return {}
        return self.built.read(repositories, first, self.pool.executor, self.progress)


def _changed(w: Wanted, reads: RepositoryReads) -> bool:
    return settled.changed_only(architectures_of(w, reads))


def _offering(repositories: Sequence[Wanted], content: ContentFrom) -> list[Wanted]:
    """Those that offer files, of this kind."""
    return [w for w in repositories if not w.filtered and w.project.content == content]


def _answers(repositories: Sequence[Wanted]) -> int:
    """How many answers are waited for: two looks at each project, and at the index of each repository."""
    return 2 * (len({w.project.name for w in repositories}) + len(_offering(repositories, "published")))
