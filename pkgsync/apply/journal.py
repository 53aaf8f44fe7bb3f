"""The write-ahead journal: which changes were sent, and how each action ended.

JSON Lines. A change is sent only once its announcement is on disk, with all that was written before it; one fsync
serves all threads that wait for one. How an action ended is written at once and waits for nobody: a power cut that
forgets it leaves what a kill just before it leaves, and a look then tells.
A kill may cut the last line; the line then never counted.
The journal never decides what is due: it only tells which requests were our own, so that a 404 after our own DELETE
counts as done, and holds the measurements for the receipt.
"""

import json
import os
import re
import threading
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from enum import StrEnum
from io import FileIO
from pathlib import Path
from typing import Any

from attrs import define, field
from msgspec.structs import asdict

from pkgsync.errors import PlanFileError, StorageError
from pkgsync.files import sync_folder
from pkgsync.model import Outcome, ReceiptLine
from pkgsync.reconcile import Sent


class Event(StrEnum):
    """The kinds of records."""

    RUN = "run"
    SENDING = "sending"
    END = "end"
    USED_UP = "used-up"


class Request(StrEnum):
    """The changes that are announced before they are sent."""

    PROBE = "probe"
    UPLOAD = "upload"
    DELETE = "delete"
    RESTORE = "restore"
    PROMOTE = "promote"


@define(kw_only=True)
class Past:
    """What the journal knows of one action, over all runs of the plan.

    ``absent_since`` is when we last asked to take the row away, unless it was noted since that something is there.
    ``moving``: a promote was sent, and it was not noted that the row ended in one of both places.
    """

    probes: int = 0
    uploads: int = 0
    deletions: int = 0
    restores: int = 0
    promotions: int = 0
    moving: bool = False
    started_at: str | None = None
    absent_since: str | None = None
    line: ReceiptLine | None = None

    @property
    def attempts(self) -> int:
        return self.probes + self.uploads + self.deletions + self.restores + self.promotions


@define(kw_only=True)
class Ledger:
    """The journal's records, folded. ``used_up``: under its signatures every action of the plan was done."""

    runs: int = 0
    used_up: bool = False
    started_at: str | None = None
    unreadable: int = 0
    actions: dict[str, Past] = field(factory=dict)

    def past(self, key: str) -> Past:
        return self.actions.setdefault(key, Past())

    def fold(self, record: dict[str, Any]) -> None:
        """Take in one record. Raises KeyError, TypeError or ValueError for one that this version did not write."""
        event = Event(record["event"])
        if event is Event.RUN:
            self.runs += 1
            self.started_at = self.started_at or str(record["at"])
        elif event is Event.USED_UP:
            self.used_up = True
        elif event is Event.SENDING:
            _fold_sending(self.past(record["key"]), record)
        else:
            _fold_end(self.past(record["key"]), record)


def _fold_sending(past: Past, record: dict[str, Any]) -> None:
    request = Request(record["request"])
    past.started_at = past.started_at or str(record["at"])
    if request is Request.PROBE:
        past.probes += 1
    elif request is Request.UPLOAD:
        past.uploads += 1
    elif request is Request.RESTORE:
        past.restores += 1
    elif request is Request.PROMOTE:
        past.promotions += 1
        past.moving = True
    else:
        past.deletions += 1
        past.absent_since = str(record["at"])


def _fold_end(past: Past, record: dict[str, Any]) -> None:
    values = dict(record["line"])
    # A journal may be of another version, or damaged: what does not fit raises, and the record is looked up instead.
    past.line = ReceiptLine(**(values | {"outcome": Outcome(values["outcome"])}))
    if past.line.missing is None:
        past.absent_since = None
        past.moving = False


def place(state_dir: Path, digest: str) -> Path:
    """Where the journal of the plan with this digest stands. Raises PlanFileError."""
    found = re.fullmatch(r"sha256:([0-9a-f]{64})", digest)
    if found is None:
        raise PlanFileError("The plan has no digest.", tip="Make a new plan with `pkgsync plan -o`.")
    return state_dir / "journal" / f"{found[1]}.jsonl"


def peek(path: Path) -> Ledger:
    """What a journal says, without touching it; empty where there is none. Raises StorageError."""
    try:
        return _folded(path.read_bytes())[0]
    except FileNotFoundError:
        return Ledger()
    except OSError as error:
        raise _unusable(path, error) from error


def _folded(data: bytes) -> tuple[Ledger, int]:
    """All complete lines, folded, and their length in bytes: what a kill left of the last line does not count."""
    ledger = Ledger()
    whole, newline, _ = data.rpartition(b"\n")
    for line in whole.split(b"\n") if newline else ():
        try:
            ledger.fold(json.loads(line))
        except (KeyError, TypeError, ValueError, RecursionError):
            ledger.unreadable += 1
    return ledger, len(whole) + len(newline)


def put_there(ledger: Ledger) -> dict[str, Sent]:
    """What a plan's runs have put on Packagecloud, by package key."""
    lines = [past.line for past in ledger.actions.values() if past.line is not None]
    coming = (line for line in lines if line.action in ("upload", "replacement") and line.outcome is Outcome.DONE)
    return {f"{line.distribution}/{line.stored_as or line.filename}": Sent(line.action, line.sha256) for line in coming}


class Journal:
    """The journal of one plan. Thread-safe."""

    def __init__(self, path: Path, now: Callable[[], datetime]) -> None:
        """Read what stands in ``path``, cut off an incomplete last line, open it for appending. Raises StorageError."""
        self.path = path
        self.now = now
        self._lock = threading.Lock()
        self._syncing = threading.Lock()
        self._written = self._synced = 0
        self._lost: OSError | None = None
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._stream = FileIO(path, "a+", opener=_private)
        except OSError as error:
            raise _unusable(path, error) from error
        try:
            self.ledger = self._take_up()
        except OSError as error:
            self.close()
            raise _unusable(path, error) from error

    def _take_up(self) -> Ledger:
        self._stream.seek(0)
        ledger, length = _folded(self._stream.readall())
        self._stream.truncate(length)  # else the next record would be glued to half a line, and both be lost
        os.fsync(self._stream.fileno())
        sync_folder(self.path.parent)  # a power cut may forget a new file's name though its bytes are on disk
        return ledger

    def close(self) -> None:
        """Put on disk what nobody waited for, if that can be, and end."""
        if not self._stream.closed:
            with suppress(OSError):
                os.fsync(self._stream.fileno())
            self._stream.close()

    def record(self, event: Event, *, durable: bool = True, **fields: Any) -> None:
        """Append one record; ``durable``: wait until it is on disk. Raises StorageError; then the run must end."""
        record = {"event": str(event), "at": stamp(self.now()), **fields}
        data = json.dumps(record, sort_keys=True).encode() + b"\n"
        try:
            with self._lock:
                _write_all(self._stream, data)
                self._written += 1
                number = self._written
            if durable:
                self._sync(number)
        except OSError as error:
            raise _unusable(self.path, error) from error
        with self._lock:
            self.ledger.fold(record)

    def _sync(self, number: int) -> None:
        """Wait until so many records of this run are on disk; who comes while an fsync runs shares the next one."""
        with self._syncing:
            if self._lost is not None:
                raise self._lost
            if self._synced < number:
                covered = self._written
                try:
                    os.fsync(self._stream.fileno())
                except OSError as error:
                    # the system tells it once, and calls the lost pages clean: the next fsync would lie
                    self._lost = error
                    raise
                self._synced = covered

    def sending(self, request: Request, key: str, **fields: Any) -> None:
        """Announce a change before it is sent."""
        self.record(Event.SENDING, request=str(request), key=key, **fields)

    def end(self, line: ReceiptLine) -> None:
        """Record how an action ended."""
        self.record(Event.END, durable=False, key=line.key, line=asdict(line))


def stamp(moment: datetime) -> str:
    """The moment as journal and receipt have it: ISO 8601 in UTC with milliseconds."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _private(path: str, flags: int) -> int:
    # No link is followed: whoever may write to the state directory must not choose what is truncated.
    return os.open(path, flags | os.O_NOFOLLOW, 0o600)


def _write_all(stream: FileIO, data: bytes) -> None:
    while data:  # an unbuffered write may take in a part only, as when the disk fills up
        data = data[stream.write(data) :]


def _unusable(path: Path, error: OSError) -> StorageError:
    return StorageError(
        f"The journal {path} cannot be used: {error.strerror or error}.",
        tip="Nothing is changed without a journal: free some space or choose another `--state-dir`.",
    )
