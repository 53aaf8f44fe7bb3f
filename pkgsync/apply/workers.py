"""Bounded threads over a list of actions: one stage, or two that overlap.

The threads are daemons: a second Ctrl-C must not wait for a hanging request.
Nothing new is begun once the halt is requested.
"""

import threading
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from queue import Empty, Queue, SimpleQueue
from typing import TypeVar

from pkgsync.apply.signals import Halt

Item = TypeVar("Item")

_WAKE_SECONDS = 0.5


class _Crew:
    """Threads that are waited for; the first exception of one of them halts the run and is raised in ``join``."""

    def __init__(self, halt: Halt) -> None:
        self._halt = halt
        self._threads = 0
        self._ended: SimpleQueue[BaseException | None] = SimpleQueue()

    def start(self, target: Callable[[], None], count: int) -> None:
        def run() -> None:
            failure: BaseException | None = None
            try:
                target()
            except BaseException as error:
                failure = error
                self._halt.stop()
            self._ended.put(failure)

        for _ in range(count):
            threading.Thread(target=run, daemon=True).start()
        self._threads += count

    def join(self) -> None:
        failures = [self._next_end() for _ in range(self._threads)]
        for failure in failures:
            if failure is not None:
                raise failure

    def _next_end(self) -> BaseException | None:
        """A signal that comes just before the main thread blocks is only handled when it wakes up."""
        while True:
            try:
                return self._ended.get(timeout=_WAKE_SECONDS)
            except Empty:
                continue


def _take(todo: deque[Item], halt: Halt) -> Iterable[Item]:
    """The items that this thread works on: whatever is left, until the halt."""
    while not halt.requested:
        try:
            yield todo.popleft()
        except IndexError:
            return


def each(items: Sequence[Item], work: Callable[[Item], None], *, jobs: int, halt: Halt) -> None:
    """Call ``work`` on every item in up to ``jobs`` threads.

    Raises the first exception of ``work``, after the other threads have finished what they had begun.
    """
    todo = deque(items)

    def run() -> None:
        for item in _take(todo, halt):
            work(item)

    crew = _Crew(halt)
    crew.start(run, min(jobs, len(items)))
    crew.join()


def pipeline(
    items: Sequence[Item],
    fetch: Callable[[Item], bool],
    send: Callable[[Item], None],
    *,
    fetchers: int,
    senders: int,
    halt: Halt,
) -> None:
    """Call ``fetch`` on every item in up to ``fetchers`` threads, and then ``send`` in up to ``senders`` others.

    At most as many fetched items wait as are sent. Where ``fetch`` says False the item is finished. Raises as ``each``.
    """
    todo, fetchers, senders = deque(items), min(fetchers, len(items)), min(senders, len(items))
    still_fetching = deque(range(fetchers))
    waiting: Queue[Item | None] = Queue(maxsize=senders)

    def fetch_all() -> None:
        try:
            for item in _take(todo, halt):
                if fetch(item):
                    waiting.put(item)
        finally:
            if still_fetching.pop() == 0:  # the last fetcher: each sender gets one end mark
                for _ in range(senders):
                    waiting.put(None)

    def send_all() -> None:
        try:
            while (item := waiting.get()) is not None:
                if not halt.requested:
                    send(item)
        except BaseException:
            halt.stop()
            while waiting.get() is not None:  # a fetcher that waits for room in the full queue would hang
                pass
            raise

    crew = _Crew(halt)
    crew.start(fetch_all, fetchers)
    crew.start(send_all, senders)
    crew.join()
