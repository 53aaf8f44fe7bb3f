"""The three phases of a run, uploads, replacements and removals: what runs beside what, and what each action does."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from typing import TypeVar

from attrs import define

from pkgsync.apply.delete import Delete
from pkgsync.apply.fetch import Claimed, Fetcher
from pkgsync.apply.guard import Guard
from pkgsync.apply.journal import Journal, stamp
from pkgsync.apply.move import Move
from pkgsync.apply.options import Patience
from pkgsync.apply.outcome import Result, Task, failure_of
from pkgsync.apply.record import Record
from pkgsync.apply.replace import Replace
from pkgsync.apply.signals import Halt
from pkgsync.apply.site import Site
from pkgsync.apply.stored import StoredFile
from pkgsync.apply.workers import each, pipeline
from pkgsync.cache import Backups, Cache
from pkgsync.config import Connections
from pkgsync.errors import NotFoundError, PkgsyncError
from pkgsync.model import Action, ActualState, Archiving, Deletion, IndexedFile, Removal, Replacement, Transfer, Upload
from pkgsync.packagecloud import PackagecloudClient
from pkgsync.progress import Progress
from pkgsync.reasons import Reason
from pkgsync.services import Services

Got = TypeVar("Got")


@define(kw_only=True)
class Phases:
    """Works on actions that are due, and records how each ends. ``archive`` is the plan's, if it has one."""

    site: Site
    archive: Site | None
    fetcher: Fetcher
    journal: Journal
    halt: Halt
    record: Record
    guard: Guard
    progress: Progress
    connections: Connections

    @classmethod
    def of(
        cls,
        services: Services,
        actual: ActualState,
        claims: Mapping[Claimed, IndexedFile],
        *,
        connections: Connections,
        journal: Journal,
        record: Record,
        halt: Halt,
        guard: Guard,
    ) -> "Phases":
        """``actual`` and ``claims`` are what the preflight saw: what the server takes, and what the files shall be."""
        surroundings = services.surroundings
        backups, patience = Backups(surroundings.backups), Patience(pause=surroundings.sleep)

        def site(client: PackagecloudClient, keys: Iterable[str]) -> Site:
            return Site(
                client=client,
                journal=journal,
                backups=backups,
                patience=patience,
                distribution_ids=actual.distribution_ids,
                listed=set(keys),
            )

        return cls(
            site=site(services.packagecloud, (row.key for row in actual.rows)),
            archive=site(services.archive, actual.archive or ()) if services.archive is not None else None,
            fetcher=Fetcher(
                claims=claims,
                places=services.places,
                cache=Cache(surroundings.cache_dir),
                backups=backups,
                patience=patience,
            ),
            journal=journal,
            halt=halt,
            record=record,
            guard=guard,
            progress=surroundings.progress,
            connections=connections,
        )

    def upload(self, actions: Sequence[Upload]) -> None:
        self._transfer(
            [action for action in actions if not _is_recall(action)], "Uploading", senders=self.connections.uploads
        )
        self._act([action for action in actions if _is_recall(action)], "Moving back")

    def replace(self, actions: Sequence[Replacement]) -> None:
        """One after the other, so that never more than one name is absent; first those that an earlier run left so."""
        # Packagecloud cannot overwrite (packagecloud/README.md, "Upload"): between DELETE and POST the name is absent.
        if self.site.works:  # the uploads may have used up the quota
            self.site.works = None
        absent = [action for action in actions if action.key not in self.guard.before]
        present = [action for action in actions if action.key in self.guard.before]
        for group in (absent, present):
            self._transfer(group, "Replacing", senders=1)

    def remove(self, actions: Sequence[Removal]) -> None:
        archiving = any(isinstance(action, Archiving) for action in actions)
        self._act(actions, "Archiving" if archiving else "Deleting")

    def put_back(self, action: Replacement | Archiving, result: Result) -> None:
        """Finish an action that must not go on, but whose old file an earlier run had taken away."""
        task = Task(action=action, started_at=self._stamp())
        with self.halt.busy(action.kind):
            if isinstance(action, Replacement):
                replace = Replace(task=task, action=action, site=self.site, halt=self.halt)
                self._finish(task, lambda: replace.put_back(result))
            else:
                self._finish(task, self._archiving(task, action).settle)

    def _transfer(self, actions: Sequence[Transfer], words: str, *, senders: int) -> None:
        """Downloads and uploads overlap: the next file is fetched while one is sent."""
        if not actions:
            return
        total = sum(action.size for action in actions)
        with ExitStack() as stack:
            down = stack.enter_context(self.progress.task("Downloading", total, "bytes", len(actions)))
            up = stack.enter_context(self.progress.task(words, total, "bytes", len(actions)))
            tasks = [Task(action=action, down=down, up=up) for action in actions]
            pipeline(
                tasks,
                self._fetch,
                self._do,
                fetchers=self.connections.downloads,
                senders=senders,
                halt=self.halt,
            )

    def _act(self, actions: Sequence[Action], words: str) -> None:
        if not actions:
            return
        with self.progress.task(words, len(actions), "actions") as shown:

            def work(action: Action) -> None:
                self._do(Task(action=action, started_at=self._stamp()))
                shown.advance(1)

            each(actions, work, jobs=self.connections.uploads, halt=self.halt)

    def _fetch(self, task: Task) -> bool:
        """Whether the file is in hand; if not, the action has ended."""
        action = task.action
        assert isinstance(action, Transfer)
        task.started_at = self._stamp()
        with self.halt.busy(action.kind), task.down.item():
            got = self._attempt(lambda: self._new(task, action))
        if isinstance(got, Result):
            self._end(task, got)
            return False
        task.file = got
        task.down.advance(action.size - task.bytes_down)  # what was in the cache already
        return True

    def _new(self, task: Task, action: Transfer) -> StoredFile | Result:
        try:
            return self.fetcher.fetch(task, action)
        except NotFoundError as error:
            return Result.left(error.message, Reason.NOT_THERE)

    def _do(self, task: Task) -> None:
        with self.halt.busy(task.action.kind), task.up.item():
            self._finish(task, lambda: self._work(task))

    def _work(self, task: Task) -> Result:
        match task.action:
            case Upload() as action if _is_recall(action):
                return self._recall(task).run()
            case Upload():
                assert task.file is not None
                return self.site.put(task, task.file)
            case Replacement() as action:
                assert task.file is not None
                return Replace(task=task, action=action, site=self.site, halt=self.halt).run(task.file)
            case Deletion() as action:
                return Delete(task=task, action=action, site=self.site, archive=self.archive).run()
            case Archiving() as action:
                return self._archiving(task, action).run()
            case action:
                raise TypeError(action)

    def _archiving(self, task: Task, action: Archiving) -> Move:
        assert self.archive is not None
        return Move(task=task, here=self.site, there=self.archive, halt=self.halt, created_at=action.created_at)

    def _recall(self, task: Task) -> Move:
        assert self.archive is not None
        return Move(task=task, here=self.archive, there=self.site, halt=self.halt)

    def _finish(self, task: Task, work: Callable[[], Result]) -> None:
        self._end(task, self._attempt(work))

    def _attempt(self, work: Callable[[], Got]) -> Got | Result:
        try:
            return work()
        except PkgsyncError as error:
            self.halt.consider(error)
            return Result.failed(error)
        except OSError as error:  # a full or broken disk hits every other action too
            failed = failure_of(error)
            self.halt.fail(failed)
            return Result.failed(failed)

    def _end(self, task: Task, result: Result) -> None:
        line = self.record.worked(self.journal, task, result)
        # A kill may fall here: the journal has the end, and the next run takes the world as it finds it.
        self.guard.note(task.action, line)

    def _stamp(self) -> str:
        return stamp(self.journal.now())


def _is_recall(action: Upload) -> bool:
    return action.source.kind == "archive"
