"""How long work tells how far it is; what a terminal makes of it is the caller's business."""

from contextlib import AbstractContextManager, nullcontext
from typing import Literal, Protocol

Unit = Literal["bytes", "requests", "files", "actions"]


class ProgressTask(Protocol):
    """One piece of work that somebody watches."""

    def advance(self, count: int, /) -> None:
        """``count`` more units are done; negative where work starts over. Called from any thread."""


class Progress(Protocol):
    """Where tasks are shown."""

    def task(self, description: str, total: int | None, unit: Unit) -> AbstractContextManager[ProgressTask]:
        """A task of ``total`` units, None where the end is not known."""


class _SilentTask:
    def advance(self, count: int, /) -> None:
        pass


class _Silent:
    def task(self, description: str, total: int | None, unit: Unit) -> AbstractContextManager[ProgressTask]:
        return nullcontext(_SilentTask())


SILENT: Progress = _Silent()
