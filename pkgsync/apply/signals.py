"""Ends a run in good order: what is in flight is finished, nothing new is begun."""

import signal
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from queue import SimpleQueue
from types import FrameType

from pkgsync.errors import (
    SIGNALS,
    AuthenticationError,
    ExitCode,
    InterruptedRunError,
    PkgsyncError,
    QuotaError,
    StorageError,
)

_ANSWER_SECONDS = 1.0
"""So long the end waits for an answer that cannot be written."""


class Halt:
    """Whether the run shall end early, and why: set by signals and by errors after which going on is useless.

    Until it has ``begun`` to change anything there is nothing to finish: a signal then ends it at once. While it is
    ``ending`` nothing is left but to write the receipt, which no signal may cut.
    """

    def __init__(self) -> None:
        self._event = threading.Event()
        self._lock = threading.Lock()
        self._busy: Counter[str] = Counter()
        self.signalled: ExitCode | None = None
        self.error: PkgsyncError | None = None
        self.begun = False
        self.ending = False

    @property
    def requested(self) -> bool:
        return self._event.is_set()

    @property
    def message(self) -> str:
        """Why what was not begun is left."""
        if self.signalled is not None:
            return "not begun: the run was interrupted"
        return f"not begun: {self.error.message}" if self.error is not None else "not begun"

    @property
    def answer(self) -> str:
        """What whoever sent the first signal shall know: that it was heard, and what is still waited for."""
        with self._lock:
            busy = [_counted(number, kind) for kind, number in sorted(self._busy.items()) if number]
        again = "Ctrl-C again" if self.signalled is ExitCode.INTERRUPTED else "a second signal"
        what = f"Finishing {' and '.join(busy)}" if busy else "Ending"
        return f"{what}; {again} stops now."

    @contextmanager
    def busy(self, kind: str) -> Iterator[None]:
        """Around the work on one action of this kind, which a first signal lets end."""
        with self._lock:
            self._busy[kind] += 1
        try:
            yield
        finally:
            with self._lock:
                self._busy[kind] -= 1

    @property
    def codes(self) -> frozenset[ExitCode]:
        """The exit codes that the end of the run asks for."""
        found = (self.signalled, self.error.exit_code if self.error is not None else None)
        return frozenset(code for code in found if code is not None)

    def stop(self) -> None:
        self._event.set()

    def interrupt(self, code: ExitCode) -> None:
        self.signalled = code
        self.stop()

    def consider(self, error: PkgsyncError) -> None:
        """End the run if every other action would fail by the same error."""
        if isinstance(error, AuthenticationError | QuotaError | StorageError):
            self.fail(error)

    def fail(self, error: PkgsyncError) -> None:
        if self.error is None:
            self.error = error
        self.stop()


def _counted(number: int, kind: str) -> str:
    """``1 transfer``, ``2 deletions``: an upload may still be on its way down."""
    return f"{number} {'transfer' if kind == 'upload' else kind}{'' if number == 1 else 's'}"


@contextmanager
def _answering(halt: Halt, tell: Callable[[str], None]) -> Iterator[Callable[[], None]]:
    """What a handler may call to have ``tell`` told what is still waited for, from another thread.

    The handler itself must not: it may have interrupted whoever is just writing there.
    """
    heard: SimpleQueue[bool] = SimpleQueue()  # its put may be called in a handler

    def answer() -> None:
        while heard.get():
            # nobody may read it any more
            with suppress(OSError, ValueError):
                tell(halt.answer)

    thread = threading.Thread(target=answer, daemon=True)
    thread.start()
    try:
        yield lambda: heard.put(True)
    finally:
        heard.put(False)
        thread.join(_ANSWER_SECONDS)


@contextmanager
def handling(halt: Halt, tell: Callable[[str], None]) -> Iterator[None]:
    """Let the first SIGINT, SIGTERM or SIGHUP set ``halt`` and the second end the run at once.

    ``tell`` is called with what the first one still waits for.
    The second one, and the first where nothing was begun, raises InterruptedRunError in the main thread.
    Outside of the main thread nothing is handled, nor is a signal that the caller ignores (nohup).
    """

    def handle(number: int, _frame: FrameType | None) -> None:
        code = SIGNALS[signal.Signals(number)]
        if halt.ending:
            return
        if not halt.begun:
            halt.interrupt(code)
            # In the preflight nothing is in flight that would have to be finished.
            raise InterruptedRunError(
                "Interrupted before anything was changed.", code, tip="Run the same command again."
            )
        if halt.signalled is not None:
            raise InterruptedRunError(
                "Stopped at once; what was in flight has an unknown outcome.",
                code,
                tip="Run the same command again: it looks at what was done and goes on.",
            )
        halt.interrupt(code)
        answer()

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.getsignal(number) for number in SIGNALS}
    with _answering(halt, tell) as answer:
        for number, handler in before.items():
            if handler is not signal.SIG_IGN:
                signal.signal(number, handle)
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
