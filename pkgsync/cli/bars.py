"""Progress bars on a terminal."""

from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager
from threading import Lock
from typing import TYPE_CHECKING, Any, TextIO

from tqdm import tqdm

from pkgsync.progress import ProgressTask, Unit
from pkgsync.report import size

if TYPE_CHECKING:
    _Tqdm = tqdm[Any]
else:
    _Tqdm = tqdm

_BYTES = "{desc} {percentage:3.0f}% |{bar}| {done} of {all}, {speed}/s, {remaining} left"
_COUNT = "{desc} {percentage:3.0f}% |{bar}| {n_fmt} of {total_fmt}, {remaining} left"
_NO_END = "{desc} {n_fmt}{unit}, {elapsed}"


class _Bar:
    """tqdm's counter is not made for several threads."""

    def __init__(self, bar: "tqdm[Any]") -> None:
        self._bar = bar
        self._lock = Lock()

    def advance(self, count: int, /) -> None:
        with self._lock:
            self._bar.update(count)


class _Meter(_Tqdm):
    """Has its bytes written the way that the reports write them, and leaves nothing behind."""

    def refresh(self, *arguments: Any, **named: Any) -> None:
        """A line written above redraws bars whose delay is not over, and at the end tqdm clears only what had a delay.

        So nothing is drawn before the delay is over, and from then on there is none.
        """
        if super().format_dict["elapsed"] >= (self.delay or 0):
            self.delay = 0
            super().refresh(*arguments, **named)

    @property
    def format_dict(self) -> MutableMapping[str, Any]:
        found = super().format_dict
        speed = found["rate"] or found["n"] / max(found["elapsed"], 1e-3)
        found.update(done=size(int(found["n"])), all=size(found["total"] or 0), speed=size(int(speed)))
        return found


class Bars:
    """One line per task: what, how much of it, how fast, how long still."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    @contextmanager
    def task(self, description: str, total: int | None, unit: Unit) -> Iterator[ProgressTask]:
        """A bar that vanishes when its task ends."""
        form = _NO_END if total is None else _BYTES if unit == "bytes" else _COUNT
        with _Meter(
            desc=description,
            total=total,
            unit=f" {unit}",
            bar_format=form,
            file=self._stream,
            leave=False,
            dynamic_ncols=True,
            # seconds: what is done sooner needs no bar
            delay=0.3,
        ) as bar:
            yield _Bar(bar)


def write_above(line: str, stream: TextIO) -> None:
    """Write a line without tearing the bars that are shown."""
    tqdm.write(line, file=stream)
