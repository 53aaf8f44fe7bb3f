"""Ends a test that would take minutes, where a linear reader takes milliseconds."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def watchdog(seconds: int = 60) -> Iterator[None]:
    def bark(number: int, frame: object) -> None:
        raise AssertionError(f"not done after {seconds} s: the reader is not linear")

    previous = signal.signal(signal.SIGALRM, bark)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, previous)
