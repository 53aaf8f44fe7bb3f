"""What is read row by row: one question about many rows, so many at a time, and no more after a few failed for good."""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Lock
from typing import Generic, TypeVar

from msgspec import Struct, field

from pkgsync.errors import NotFoundError, PkgsyncError, ReadError
from pkgsync.model import Row
from pkgsync.packagecloud.client import PackagecloudClient
from pkgsync.progress import Progress

# the route is broken then, and thousands of rows would each wait for its time-outs
MAX_FAILED = 3

Answer = TypeVar("Answer")
Failures = tuple[type[PkgsyncError], ...]


class Answers(Struct, Generic[Answer], frozen=True):
    """What was answered, by package key: None where there was no usable answer. ``warnings`` say why."""

    values: Mapping[str, Answer | None]
    warnings: tuple[str, ...] = ()


class _Questioner(Struct, Generic[Answer], kw_only=True):
    question: Callable[[Row], Answer | None]
    failures: Failures
    failed: list[str] = field(default_factory=list)
    lock: Lock = field(default_factory=Lock)

    def ask(self, row: Row) -> Answer | None:
        if len(self.failed) >= MAX_FAILED:
            return None
        try:
            return self.question(row)
        # deleted since the listing: no sign of a broken route
        except NotFoundError:
            return None
        except self.failures as error:
            with self.lock:
                self.failed.append(error.message)
            return None


def ask(
    client: PackagecloudClient,
    rows: Sequence[Row],
    question: Callable[[Row], Answer | None],
    what: str,
    progress: Progress,
    *,
    failures: Failures = (ReadError,),
) -> Answers[Answer]:
    """Put the question for each row, over the connections of ``client``; ``what`` names the work for those who watch.

    A row that is not there (404) has no answer. After MAX_FAILED ``failures`` nothing more is asked; every other error
    is raised.
    """
    if not rows:
        return Answers({})
    questioner = _Questioner(question=question, failures=failures)
    pool = ThreadPoolExecutor(max_workers=client.connections, thread_name_prefix="packagecloud")
    values: dict[str, Answer | None] = {}
    try:
        with progress.task(what, len(rows), "requests") as task:
            for row, answer in zip(rows, pool.map(questioner.ask, rows), strict=True):
                values[row.key] = answer
                task.advance(1)
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
    return Answers(values, tuple(sorted(set(questioner.failed))))
