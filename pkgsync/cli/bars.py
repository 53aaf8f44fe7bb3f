"""Long work as it is shown: bars on a terminal, now and then a line everywhere else."""

import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from threading import Event, RLock, Thread
from typing import TextIO

from msgspec import Struct, field

from pkgsync.cli.terminal import columns
from pkgsync.progress import ProgressTask, Unit
from pkgsync.report.units import duration, plural, size

# all in seconds
DELAY = 0.3
"""What is done sooner needs no bar."""
LINE_EVERY = 30.0
STALLED = 5.0
_WINDOW = 10.0
_DRAW_EVERY = 0.2
_POLL_EVERY = 1.0

_WIDEST_BAR, _NARROWEST_BAR = 24, 8  # columns


class Tally(Struct, kw_only=True, eq=False):
    """How far one task is, and how fast. Thread-safe."""

    description: str
    total: int | None
    unit: Unit
    files: int | None
    clock: Callable[[], float]
    begun: float = 0.0
    _moved_at: float = 0.0
    _done: int = 0
    _working: int = 0
    _through: int = 0
    _seen: deque[tuple[float, int]] = field(default_factory=deque)
    _lock: RLock = field(default_factory=RLock)

    def __post_init__(self) -> None:
        self.begun = self._moved_at = self.clock()
        self._seen = deque([(self.begun, 0)])

    def advance(self, count: int, /) -> None:
        with self._lock:
            self._done += count
            self._moved_at = self.clock()

    @contextmanager
    def item(self) -> Iterator[None]:
        with self._lock:
            # what nobody works on waits for something else: that is no stall
            if not self._working:
                self._moved_at = self.clock()
            self._working += 1
        try:
            yield
        finally:
            with self._lock:
                self._working -= 1
                self._through += 1

    def look(self) -> None:
        """Take a sample for the speed."""
        with self._lock:
            now = self.clock()
            self._seen.append((now, self._done))
            while len(self._seen) > 2 and now - self._seen[1][0] >= _WINDOW:
                self._seen.popleft()

    @property
    def is_over(self) -> bool:
        """Whether nothing of it is left, though another stage goes on."""
        return self._through == self.files

    @property
    def share(self) -> float | None:
        """How much is done, from 0 to 1; None where the end is not known."""
        return min(1.0, max(0.0, self._done / self.total)) if self.total else None

    @property
    def told(self) -> str:
        """``12 of 40 files, 310 MiB of 1.2 GiB, 12 MiB/s, 1 min 10 s left``"""
        with self._lock:
            return ", ".join(part for part in (self._amount(), *self._pace()) if part)

    def _amount(self) -> str:
        if self.unit == "bytes":
            amount = f"{size(max(0, self._done))} of {size(self.total or 0)}"
            return amount if self.files is None else f"{self._through} of {plural(self.files, 'file')}, {amount}"
        noun = self.unit.removesuffix("s")
        return plural(self._done, noun) if self.total is None else f"{self._done} of {plural(self.total, noun)}"

    def _pace(self) -> Iterator[str]:
        if self.files is not None and not self._working:
            return
        quiet = self.clock() - self._moved_at
        unfinished = self.total is None or self._done < self.total
        if quiet >= STALLED:
            # once all bytes are sent the server may think about them
            yield f"{'stalled' if self.unit == 'bytes' and unfinished else 'waiting'} {duration(quiet)}"
        elif speed := self._speed():
            if self.unit == "bytes":
                yield f"{size(int(speed))}/s"
            # half a second would be told as 0 s, which is never true of what is not done
            if self.total is not None and (seconds := (self.total - self._done) / speed) >= 1:
                yield f"{duration(seconds)} left"

    def _speed(self) -> float:
        (since, before), now = self._seen[0], self.clock()
        return max(0.0, (self._done - before) / (now - since)) if now - since >= 1 else 0.0


class Board:
    """The tasks that run now, looked at every ``seconds`` from a thread of its own (None: only by ``tick``)."""

    def __init__(self, clock: Callable[[], float], seconds: float | None) -> None:
        self.clock = clock
        self.lock = RLock()
        self.tasks: list[Tally] = []
        self._seconds = seconds
        self._over = Event()

    @contextmanager
    def task(self, description: str, total: int | None, unit: Unit, files: int | None = None) -> Iterator[ProgressTask]:
        """A task that is shown until it ends."""
        tally = Tally(description=description, total=total, unit=unit, files=files, clock=self.clock)
        self._begin(tally)
        try:
            yield tally
        finally:
            self._end(tally)

    def _begin(self, tally: Tally) -> None:
        with self.lock:
            self.tasks.append(tally)
            if len(self.tasks) == 1 and self._seconds is not None:
                self._over = Event()
                Thread(target=self._watch, args=(self._over, self._seconds), daemon=True).start()

    def _end(self, tally: Tally) -> None:
        with self.lock:
            self.tasks.remove(tally)
            if not self.tasks:
                self._over.set()
            self.show()

    def _watch(self, over: Event, seconds: float) -> None:
        while not over.wait(seconds):
            self.tick()

    def tick(self) -> None:
        with self.lock:
            for tally in self.tasks:
                tally.look()
            self.show()

    def show(self) -> None:
        """Tell how far the tasks are; called with the lock held."""
        raise NotImplementedError


class Bars(Board):
    """A line per task at the end of a terminal. The cursor stands in column 1 of the first, whatever may end us."""

    def __init__(
        self, stream: TextIO, *, clock: Callable[[], float] = time.monotonic, seconds: float | None = _DRAW_EVERY
    ) -> None:
        super().__init__(clock, seconds)
        self._stream = stream
        self._shown = False

    def show(self) -> None:
        now, width = self.clock(), columns(self._stream)
        lines = [_line(tally, width) for tally in self.tasks if now - tally.begun >= DELAY and not tally.is_over]
        if not lines and not self._shown:
            return
        up = f"\x1b[{len(lines) - 1}A" if len(lines) > 1 else ""
        self._shown = bool(lines)
        self._write("\r\x1b[J" + "\n".join(lines) + up + "\r")

    def write_above(self, line: str) -> None:
        """Write a line for good; it also takes the place of the ``^C`` that a terminal shows."""
        with self.lock:
            self._shown = False
            self._write(f"\r\x1b[J{line}\n")
            self.show()

    def _write(self, text: str) -> None:
        # a terminal that went away must not end the work, nor the thread that draws
        with suppress(OSError, ValueError):
            self._stream.write(text)
            self._stream.flush()


class Lines(Board):
    """All tasks in one line, every so many seconds, for logs."""

    def __init__(
        self,
        say: Callable[[str], None],
        *,
        clock: Callable[[], float] = time.monotonic,
        seconds: float | None = _POLL_EVERY,
    ) -> None:
        super().__init__(clock, seconds)
        self._say = say
        self._next = clock() + LINE_EVERY

    def show(self) -> None:
        told = [f"{tally.description}: {tally.told}" for tally in self.tasks if not tally.is_over]
        if told and self.clock() >= self._next:
            self._next = self.clock() + LINE_EVERY
            with suppress(OSError, ValueError):
                self._say("; ".join(told))


def _line(tally: Tally, width: int) -> str:
    """``Uploading [#####-----] 12 of 40 files, ...``, in less than the width: a full line would wrap."""
    told, share = tally.told, tally.share
    room = min(_WIDEST_BAR, width - len(tally.description) - len(told) - 5)
    if share is None or room < _NARROWEST_BAR:
        return f"{tally.description} {told}"[: width - 1]
    full = int(share * room)
    return f"{tally.description} [{'#' * full}{'-' * (room - full)}] {told}"
