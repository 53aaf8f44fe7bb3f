"""Progress bars on a terminal."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock
from typing import Any, TextIO

from tqdm import tqdm

from pkgsync.progress import Task, Unit


class _Bar:
    """tqdm's counter is not made for several threads."""

    def __init__(self, bar: "tqdm[Any]") -> None:
        self._bar = bar
        self._lock = Lock()

    def advance(self, count: int, /) -> None:
        with self._lock:
            self._bar.update(count)


class Bars:
    """One line per task: what, how much of it, how fast, how long still."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    @contextmanager
    def task(self, description: str, total: int | None, unit: Unit) -> Iterator[Task]:
        """A bar that vanishes when its task ends."""
        with tqdm(
            desc=description,
            total=total,
            unit="B" if unit == "bytes" else f" {unit}",
            unit_scale=unit == "bytes",
            unit_divisor=1024,
            file=self._stream,
            leave=False,
            dynamic_ncols=True,
            delay=0.3,
        ) as bar:
            yield _Bar(bar)


def write_above(line: str, stream: TextIO) -> None:
    """Write a line without tearing the bars that are shown."""
    tqdm.write(line, file=stream)
