"""What the package logs, on the terminal."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from pkgsync.backoff import NOTICE
from pkgsync.cli.terminal import Terminal


class _Handler(logging.Handler):
    """What the package logs: retries, servers' words for ``-v``, every request for ``--debug``.

    The options are known when it comes.
    """

    def __init__(self, terminal: Callable[[], Terminal]) -> None:
        super().__init__()
        self._terminal = terminal

    def emit(self, record: logging.LogRecord) -> None:
        terminal = self._terminal()
        if record.levelno >= NOTICE:
            terminal.info(record.getMessage())
        elif record.levelno >= logging.INFO:
            terminal.detail(record.getMessage())
        else:
            terminal.debug(record.getMessage())


@contextmanager
def logging_to(terminal: Callable[[], Terminal]) -> Iterator[None]:
    """Show the package's log records on the terminal that ``terminal`` gives."""
    logger, handler = logging.getLogger("pkgsync"), _Handler(terminal)
    before = logger.level
    logger.setLevel(logging.DEBUG)
    logger.addHandler(handler)
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.setLevel(before)
