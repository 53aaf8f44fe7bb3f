"""A Packagecloud, its archive and a backup store as plain dicts, that plans are applied to: for tests of undo."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from attrs import define, field
from msgspec.structs import replace

from pkgsync import planfile
from pkgsync.apply.outcome import Undo
from pkgsync.model import (
    Action,
    ActualState,
    Archiving,
    Deletion,
    Evidence,
    OldContent,
    OrphanAction,
    OrphanPolicy,
    Outcome,
    Plan,
    PlanTarget,
    Policy,
    Receipt,
    ReceiptLine,
    Replacement,
    Row,
    Source,
    Upload,
)
from pkgsync.reasons import Reason
from pkgsync.reconcile import Kept, Sent, Standing, recheck, undo_plan
from tests.support.values.builders import JAMMY, LEAP, LONG_AGO, NOW, SETTING, actual, desired, sha

ARCHIVE = "me/archive"
MANAGED = (LEAP, JAMMY)
POLICY = Policy(orphans=OrphanPolicy(action=OrphanAction.ARCHIVE, keep_versions=1, archive_to=ARCHIVE, names=("*",)))
DIGEST = "sha256:" + "1" * 64
TARGET = PlanTarget(
    api="https://packagecloud.io", repository="me/stable", total=0, snapshot="0" * 64, distributions=MANAGED
)
SIZES = {sha(content): number for number, content in enumerate("abcd", 1)}
Contents = dict[str, str]


def row(key: str, sha256: str | None, created_at: str = LONG_AGO) -> Row:
    distribution, _, filename = key.rpartition("/")
    return Row(distribution, filename, filename.rpartition(".")[2], filename, sha256=sha256, created_at=created_at)


def line(action: str, key: str, outcome: Outcome = Outcome.DONE, **more: Any) -> ReceiptLine:
    distribution, _, filename = key.rpartition("/")
    return ReceiptLine(action=action, distribution=distribution, filename=filename, outcome=outcome, **more)  # type: ignore[arg-type]


def receipt(*lines: ReceiptLine, digest: str = DIGEST) -> Receipt:
    return Receipt(
        pkgsync_version="1.0.0",
        plan_digest=digest,
        target=TARGET,
        started_at="2026-01-01T00:00:00Z",
        finished_at="2026-01-01T00:00:01Z",
        exit_code=0,
        complete=True,
        interrupted=False,
        lines=lines,
    )


def actions(before: Mapping[str, str], after: Mapping[str, str], moved: Callable[[str], bool]) -> list[Action]:
    """What leads from one world to the other; ``moved`` tells whether what goes is archived."""
    return [
        _action(key, before.get(key), after.get(key), moved)
        for key in sorted(before.keys() | after.keys())
        if before.get(key) != after.get(key)
    ]


def _action(key: str, old: str | None, new: str | None, moved: Callable[[str], bool]) -> Action:
    distribution, _, filename = key.rpartition("/")
    source = Source(kind="obs", project="home:me", repository="leap", architecture="x86_64", packages=(), path=filename)
    if old is None:
        assert new is not None
        return Upload(
            distribution=distribution,
            filename=filename,
            size=SIZES[new],
            sha256=new,
            reason=Reason.MISSING,
            source=source,
        )
    if new is not None:
        return Replacement(
            distribution=distribution,
            filename=filename,
            size=SIZES[new],
            sha256=new,
            reason=Reason.REBUILT,
            source=source,
            old=OldContent(old, LONG_AGO),
        )
    gone = Deletion(
        distribution=distribution,
        filename=filename,
        sha256=old,
        created_at=LONG_AGO,
        uploader="robot",
        reason=Reason.GONE,
        evidence=Evidence(kind="gone"),
    )
    return gone.to(ARCHIVE) if moved(key) else gone


@define
class Model:
    """``keeps``: whether what is deleted or replaced goes to the backup store. Every change must be possible."""

    here: Contents
    there: Contents = field(factory=dict)
    backups: dict[str, int] = field(factory=dict)
    keeps: bool = True

    def apply(self, planned: Iterable[Action], digest: str, done: Callable[[str], bool] = lambda key: True) -> Receipt:
        return receipt(*(self._line(action, done(action.key)) for action in planned), digest=digest)

    def _line(self, action: Action, done: bool) -> ReceiptLine:
        old = action.old.sha256 if isinstance(action, Replacement) else None
        size = action.size if isinstance(action, Upload | Replacement) else None
        said = line(_kind(action), action.key, sha256=action.sha256, old_sha256=old, size=size, attempts=1)
        if not done:
            return replace(said, outcome=Outcome.LEFT, attempts=0)
        match action:
            case Upload():
                return self._put(action, said)
            case Replacement():
                undo = self._take(action.key, action.old.sha256)
                self.here[action.key] = self._bytes(action)
                return replace(said, undo=undo)
            case Deletion():
                return replace(said, undo=self._take(action.key, action.sha256))
            case Archiving():
                self._move(self.here, self.there, action)
                return replace(said, undo="archive", archive_to=action.archive_to, size=SIZES[action.sha256])
            case _:
                raise TypeError(action)

    def _put(self, action: Upload, said: ReceiptLine) -> ReceiptLine:
        assert action.key not in self.here
        if action.source.kind == "archive":
            self._move(self.there, self.here, action)
            return replace(said, undo="archive", archive_to=action.source.repository)
        self.here[action.key] = self._bytes(action)
        return said

    def _bytes(self, action: Upload | Replacement) -> str:
        assert action.size == SIZES[action.sha256]
        assert action.source.kind == "obs" or self.backups[action.sha256] == action.size
        return action.sha256

    def _take(self, key: str, sha256: str) -> Undo:
        assert self.here.pop(key) == sha256
        if self.keeps:
            self.backups[sha256] = SIZES[sha256]
        return "backup" if self.keeps else "none"

    def _move(self, source: Contents, target: Contents, action: Action) -> None:
        assert source.pop(action.key) == action.sha256 and action.key not in target
        target[action.key] = action.sha256

    @property
    def actual(self) -> ActualState:
        return actual(
            *(row(key, sha256) for key, sha256 in self.here.items()),
            archive=[row(key, sha256) for key, sha256 in self.there.items()],
        )

    def undo(self, made: Receipt, policy: Policy = POLICY) -> Plan:
        """The undo of the receipt as apply would read it from its file."""
        sizes = {key: SIZES[sha256] for key, sha256 in self.there.items()}
        kept = Kept(self.backups, sizes)
        plan = undo_plan(made, self.actual, kept, policy, MANAGED, NOW, SETTING)
        return planfile.loads(planfile.dumps(plan), "undo.json")

    def checks(self, plan: Plan, sent: Mapping[str, Sent] | None, policy: Policy = POLICY) -> tuple[Standing, ...]:
        return recheck(plan, desired(), self.actual, policy, MANAGED, NOW, sent)


def _kind(action: Action) -> str:
    return type(action).__name__.lower()
