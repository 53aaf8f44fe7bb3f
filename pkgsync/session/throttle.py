"""How many requests of one session may be in flight: fewer as soon as the server says that it is too much."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

_TOO_MUCH = (429, 503)


class Throttle:
    """Gives each request its turn. Thread-safe.

    Without a limit at first: whoever sends bounds its own threads. A server that has had too much halves what is in
    flight; as many good answers as there may be requests let in one more.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._flying = 0
        self._most: float | None = None
        self._halvings = 0

    @property
    def most(self) -> int | None:
        """How many may be in flight now; None: any number."""
        return None if self._most is None else int(self._most)

    @contextmanager
    def turn(self) -> Iterator[Callable[[int], None]]:
        """Wait for a turn, and hold it; what it gives takes in the status of the answer."""
        with self._changed:
            self._changed.wait_for(lambda: self.most is None or self._flying < self.most)
            self._flying += 1
            halvings = self._halvings
        try:
            yield partial(self._answered, halvings)
        finally:
            with self._changed:
                self._flying -= 1
                self._changed.notify_all()

    def _answered(self, halvings: int, status: int) -> None:
        with self._changed:
            # those that were in flight together are refused together, and that counts once
            if status in _TOO_MUCH and halvings == self._halvings:
                self._halvings += 1
                self._most = max(1, self._flying // 2)
            elif status not in _TOO_MUCH and self._most is not None:
                self._most += 1 / self._most
                self._changed.notify_all()
