"""Bounded threads: everything is done once, nothing is begun after the halt, no exception is lost."""

import threading
from collections import Counter

import pytest

from pkgsync.apply.signals import Halt
from pkgsync.apply.workers import each, pipeline


class Peak:
    """Counts how many threads are inside at a time."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._inside = self.most = 0

    def __enter__(self) -> None:
        with self._lock:
            self._inside += 1
            self.most = max(self.most, self._inside)

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._inside -= 1


@pytest.mark.parametrize("jobs", [1, 2, 4, 50])
@pytest.mark.parametrize("count", [0, 1, 7, 40])
def test_each_item_once_and_no_more_threads_than_jobs(jobs: int, count: int) -> None:
    seen: Counter[int] = Counter()
    peak = Peak()

    def work(item: int) -> None:
        with peak:
            seen[item] += 1

    each(range(count), work, jobs=jobs, halt=Halt())
    assert seen == Counter(range(count))
    assert peak.most <= jobs


@pytest.mark.parametrize("senders", [1, 3])
@pytest.mark.parametrize("jobs", [1, 2, 5])
@pytest.mark.parametrize("count", [0, 1, 2, 30])
def test_the_pipeline_does_all_in_both_stages(jobs: int, senders: int, count: int) -> None:
    sent: list[int] = []
    peaks = Peak(), Peak()

    def fetch(item: int) -> bool:
        with peaks[0]:
            return item % 3 != 0

    def send(item: int) -> None:
        with peaks[1]:
            sent.append(item)

    pipeline(range(count), fetch, send, fetchers=jobs, senders=senders, halt=Halt())
    assert sorted(sent) == [item for item in range(count) if item % 3]
    assert peaks[0].most <= jobs
    assert peaks[1].most <= senders


def test_the_stages_overlap() -> None:
    """The first item is sent while the last one is not fetched yet; otherwise this would wait for ever."""
    sent = threading.Event()

    def fetch(item: int) -> bool:
        if item == 5:
            assert sent.wait(60)
        return True

    pipeline(range(6), fetch, lambda item: sent.set(), fetchers=1, senders=1, halt=Halt())
    assert sent.is_set()


def test_nothing_is_begun_after_the_halt() -> None:
    halt, seen = Halt(), []

    def work(item: int) -> None:
        seen.append(item)
        if item == 2:
            halt.stop()

    each(range(10), work, jobs=1, halt=halt)
    assert seen == [0, 1, 2]


@pytest.mark.parametrize("jobs", [1, 3])
@pytest.mark.parametrize("stage", ["fetch", "send"])
def test_an_exception_stops_the_others_and_comes_out(jobs: int, stage: str) -> None:
    halt = Halt()

    def fail_in(this: str, item: int) -> None:
        if this == stage and item == 4:
            raise RuntimeError("broken")

    def fetch(item: int) -> bool:
        fail_in("fetch", item)
        return True

    with pytest.raises(RuntimeError, match="broken"):
        pipeline(range(200), fetch, lambda item: fail_in("send", item), fetchers=jobs, senders=jobs, halt=halt)
    assert halt.requested
