"""How long work tells how far it is; what a terminal makes of it is the caller's business."""

from contextlib import AbstractContextManager, nullcontext
from typing import Literal, Protocol

Unit = Literal["bytes", "requests", "files", "actions"]


class ProgressTask(Protocol):
    """One piece of work that somebody watches."""

    def advance(self, count: int, /) -> None:
        """``count`` more units are done; negative where work starts over. Called from any thread."""

    def item(self) -> AbstractContextManager[None]:
        """Around the work on one of the task's files: it is waited for until then, and counts from then on."""


class Progress(Protocol):
    """Where tasks are shown."""

    def task(
        self, description: str, total: int | None, unit: Unit, files: int | None = None
    ) -> AbstractContextManager[ProgressTask]:
        """A task of ``total`` units, None where the end is not known. ``files``: how many items it has, if it has."""


class _SilentTask:
    def advance(self, count: int, /) -> None:
        pass

    def item(self) -> AbstractContextManager[None]:
        return nullcontext()


class _Silent:
    def task(
        self, description: str, total: int | None, unit: Unit, files: int | None = None
    ) -> AbstractContextManager[ProgressTask]:
        return nullcontext(SILENT_TASK)


SILENT_TASK: ProgressTask = _SilentTask()
SILENT: Progress = _Silent()
