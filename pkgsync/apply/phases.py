"""The three phases of a run: uploads, then replacements, then deletions."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TypeVar

from attrs import define, field

from pkgsync.apply.archive import Archive
from pkgsync.apply.delete import Deleter
from pkgsync.apply.guard import Guard
from pkgsync.apply.job import Job
from pkgsync.apply.journal import Journal, stamp
from pkgsync.apply.looks import Looks
from pkgsync.apply.promote import Archiver
from pkgsync.apply.recall import Recaller
from pkgsync.apply.record import Record
from pkgsync.apply.remove import Remover
from pkgsync.apply.replace import Replacer
from pkgsync.apply.restore import Restorer
from pkgsync.apply.result import Result
from pkgsync.apply.signals import Halt
from pkgsync.apply.task import Task
from pkgsync.apply.transfer import Content, Transporter
from pkgsync.apply.upload import Uploader
from pkgsync.apply.workers import Fetched, each, pipeline
from pkgsync.errors import NotFoundError, PkgsyncError, StorageError
from pkgsync.model import Action, Archiving, Deletion, Removal, Replacement, Transfer, Upload
from pkgsync.reasons import Reason

Got = TypeVar("Got")
Acted = TypeVar("Acted", Upload, Removal)


@define
class Phases:
    """Works on actions that are due, and records how each ends."""

    job: Job
    journal: Journal
    halt: Halt
    record: Record
    guard: Guard
    distribution_ids: Mapping[tuple[str, str], int]
    transporter: Transporter = field(init=False)
    uploader: Uploader = field(init=False)
    replacer: Replacer = field(init=False)
    deleter: Deleter = field(init=False)
    archiver: Archiver | None = field(init=False, default=None)
    recaller: Recaller | None = field(init=False)

    def __attrs_post_init__(self) -> None:
        job, journal = self.job, self.journal
        self.transporter = Transporter(job)
        looks = Looks(job, self.transporter)
        remover = Remover(job, journal, looks)
        self.uploader = Uploader(job, journal, looks, self.distribution_ids)
        restorer = Restorer(self.transporter, self.uploader)
        archive = Archive.of(job)
        self.replacer = Replacer(job, journal, self.transporter, looks, remover, self.uploader, restorer, self.halt)
        self.deleter = Deleter(job, journal, self.transporter, looks, remover, archive)
        self.recaller = Recaller.of(job, journal, self.uploader, self.halt)
        if archive is not None:
            self.archiver = Archiver(job, journal, self.transporter, looks, remover, restorer, self.halt, archive)

    def upload(self, actions: Sequence[Upload]) -> None:
        archived = [action for action in actions if action.source.kind == "archive"]
        others = [action for action in actions if action.source.kind != "archive"]
        self._transfer(others, "Uploading", self._upload_one, senders=self.job.jobs)
        self._act(archived, "Moving back", self._recall_one)

    def replace(self, actions: Sequence[Replacement]) -> None:
        """One after the other, so that never more than one name is absent; first those that an earlier run left so."""
        absent = [action for action in actions if action.key not in self.guard.before]
        present = [action for action in actions if action not in absent]
        for group in (absent, present):
            self._transfer(group, "Replacing", self._replace_one, senders=1)

    def remove(self, actions: Sequence[Removal]) -> None:
        words = "Archiving" if any(isinstance(action, Archiving) for action in actions) else "Deleting"
        self._act(actions, words, self._remove_one)

    def _act(self, actions: Sequence[Acted], words: str, do: Callable[[Task, Acted], Result]) -> None:
        if not actions:
            return
        with self.job.progress.task(words, len(actions), "actions") as shown:

            def work(action: Acted) -> None:
                task = self._begin(action)
                self._end(task, self._attempt(lambda: do(task, action)))
                shown.advance(1)

            each(actions, work, jobs=self.job.jobs, halt=self.halt)

    def _recall_one(self, task: Task, action: Upload) -> Result:
        assert self.recaller is not None
        return self.recaller.recall(task, action)

    def _remove_one(self, task: Task, action: Removal) -> Result:
        if isinstance(action, Deletion):
            return self.deleter.delete(task, action)
        assert self.archiver is not None and isinstance(action, Archiving)
        return self.archiver.archive(task, action)

    def put_back(self, action: Replacement | Archiving, result: Result) -> None:
        """Finish an action that must not go on, but whose old file an earlier run had taken away."""
        task = self._begin(action)
        self._end(task, self._attempt(lambda: self._put_back_one(task, action, result)))

    def _put_back_one(self, task: Task, action: Replacement | Archiving, result: Result) -> Result:
        if isinstance(action, Replacement):
            return self.replacer.restored(task, action, result)
        assert self.archiver is not None
        return self.archiver.settled(task, action)

    def _transfer(
        self, actions: Sequence[Transfer], words: str, send: Callable[[Task, Path], Result], *, senders: int
    ) -> None:
        if not actions:
            return
        total = sum(action.size for action in actions)
        with ExitStack() as stack:
            down = stack.enter_context(self.job.progress.task("Downloading", total, "bytes"))
            up = stack.enter_context(self.job.progress.task(words, total, "bytes"))
            tasks = [Task(action, watch_down=down.advance, watch_up=up.advance) for action in actions]
            pipeline(tasks, self._fetch, self._sender(send), jobs=self.job.jobs, senders=senders, halt=self.halt)

    def _fetch(self, task: Task) -> Fetched[Path] | None:
        action = task.action
        assert isinstance(action, Transfer)
        task.started_at = stamp(self.job.now())
        got = self._attempt(lambda: self._new(task, action))
        if isinstance(got, Result):
            self._end(task, got)
            return None
        task.watch_down(action.size - task.bytes_down)
        return Fetched(got)

    def _new(self, task: Task, action: Transfer) -> Path | Result:
        try:
            return self.transporter.new(task, action)
        except NotFoundError:
            words = f"{action.source.project}/{action.source.repository} no longer publishes {action.source.path}"
            return Result.stale(Reason.SOURCE_CHANGED, words)

    def _sender(self, send: Callable[[Task, Path], Result]) -> Callable[[Task, Path], None]:
        def work(task: Task, path: Path) -> None:
            self._end(task, self._attempt(lambda: send(task, path)))

        return work

    def _upload_one(self, task: Task, path: Path) -> Result:
        assert isinstance(task.action, Upload)
        return self.uploader.put(task, content_of(task.action, path))

    def _replace_one(self, task: Task, path: Path) -> Result:
        assert isinstance(task.action, Replacement)
        return self.replacer.replace(task, task.action, content_of(task.action, path))

    def _begin(self, action: Action) -> Task:
        return Task(action, started_at=stamp(self.job.now()))

    def _attempt(self, work: Callable[[], Got]) -> Got | Result:
        try:
            return work()
        except PkgsyncError as error:
            self.halt.consider(error)
            return Result.failed(error)
        except OSError as error:
            failed = StorageError(f"A local file cannot be used: {error.strerror or error}.")
            self.halt.fail(failed)
            return Result.failed(failed)

    def _end(self, task: Task, result: Result) -> None:
        line = self.record.worked(self.journal, task, result)
        self.guard.note(task.action, line)


def content_of(action: Transfer, path: Path) -> Content:
    return Content(
        distribution=action.distribution, filename=action.filename, sha256=action.sha256, size=action.size, path=path
    )


def missing_uploads(incoming: Iterable[Transfer], record: Record) -> dict[str, Transfer]:
    """By distribution the first upload or replacement that is not verified present."""
    missing: dict[str, Transfer] = {}
    for action in incoming:
        if not record.reached(action.key):
            missing.setdefault(action.distribution, action)
    return missing
