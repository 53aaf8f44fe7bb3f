"""The journal: what it remembers, and what a kill may do to its file."""

import json
import os
import stat
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from pkgsync.apply.journal import Event, Journal, Ledger, Request, peek, place, put_there
from pkgsync.errors import PlanFileError, StorageError
from pkgsync.model import ActionKind, Missing, Outcome, ReceiptLine
from pkgsync.reconcile import Sent
from tests.support.scope import sample

KEY = "opensuse/15.6/hello-1.0-1.x86_64.rpm"
DIGEST = "sha256:" + "ab" * 32


def now() -> datetime:
    return datetime(2026, 11, 22, 12, 0, 0, 5000, tzinfo=UTC)


def line(outcome: Outcome = Outcome.DONE, **more: Any) -> ReceiptLine:
    return ReceiptLine(
        action="upload", distribution="opensuse/15.6", filename="hello-1.0-1.x86_64.rpm", outcome=outcome, **more
    )


_OPEN: list[Journal] = []


@pytest.fixture(autouse=True)
def closed() -> Iterator[None]:
    yield
    while _OPEN:
        _OPEN.pop().close()


def opened(path: Path) -> Journal:
    """A journal that is closed after the test."""
    _OPEN.append(Journal(path, now))
    return _OPEN[-1]


def written(path: Path) -> Journal:
    journal = opened(path)
    journal.record(Event.RUN, pid=1)
    journal.sending(Request.DELETE, KEY)
    journal.sending(Request.UPLOAD, KEY)
    journal.end(line(bytes_up=7, verified="reply"))
    return journal


def test_a_record_is_one_line_of_json(tmp_path: Path) -> None:
    journal = opened(tmp_path / "j")
    journal.sending(Request.DELETE, KEY)
    journal.close()
    assert (tmp_path / "j").read_text() == (
        '{"at": "2026-11-22T12:00:00.005Z", "event": "sending", '
        '"key": "opensuse/15.6/hello-1.0-1.x86_64.rpm", "request": "delete"}\n'
    )
    assert stat.S_IMODE((tmp_path / "j").stat().st_mode) == 0o600


def test_what_was_written_is_read_again(tmp_path: Path) -> None:
    first = written(tmp_path / "j")
    first.close()
    second = opened(tmp_path / "j")
    assert second.ledger == first.ledger
    past = second.ledger.past(KEY)
    assert (past.uploads, past.deletions, past.restores, past.attempts) == (1, 1, 0, 2)
    assert past.started_at == "2026-11-22T12:00:00.005Z"
    assert past.line == line(bytes_up=7, verified="reply")
    assert past.line is not None and past.line.outcome is Outcome.DONE
    assert (second.ledger.runs, second.ledger.unreadable) == (1, 0)


def test_each_kind_of_request_is_counted_and_a_promote_is_under_way_until_its_end(tmp_path: Path) -> None:
    journal = opened(tmp_path / "j")
    past = journal.ledger.past(KEY)
    for number, request in enumerate(Request, 1):
        for _ in range(number):
            journal.sending(request, KEY)
    assert list(Request) == ["probe", "upload", "delete", "restore", "promote"]
    assert (past.probes, past.uploads, past.deletions, past.restores, past.promotions) == (1, 2, 3, 4, 5)
    assert (past.attempts, past.moving) == (15, True)
    journal.end(replace(line(Outcome.FAILED), missing="perhaps"))
    assert past.moving
    journal.end(line())
    assert not past.moving


def test_signatures_that_are_used_up_are_remembered(tmp_path: Path) -> None:
    journal = opened(tmp_path / "j")
    journal.record(Event.RUN)
    assert not journal.ledger.used_up
    journal.record(Event.USED_UP)
    assert peek(journal.path).used_up and journal.ledger.used_up


@pytest.mark.parametrize("missing", ["yes", "perhaps"])
def test_a_name_is_absent_from_our_delete_until_something_is_there(tmp_path: Path, missing: Missing) -> None:
    journal = opened(tmp_path / "j")
    journal.sending(Request.DELETE, KEY)
    assert journal.ledger.past(KEY).absent_since == "2026-11-22T12:00:00.005Z"
    journal.end(replace(line(Outcome.FAILED), missing=missing))
    assert journal.ledger.past(KEY).absent_since is not None
    journal.end(line())
    assert journal.ledger.past(KEY).absent_since is None


def test_a_cut_last_line_never_counted_and_does_not_spoil_the_next(tmp_path: Path) -> None:
    path = tmp_path / "j"
    written(path).close()
    whole = path.read_bytes()
    for cut in sample(range(1, len(whole)), 7):
        path.write_bytes(whole[:cut])
        journal = opened(path)
        journal.record(Event.RUN, pid=2)
        journal.close()
        for text in path.read_bytes().splitlines():
            json.loads(text)
        assert opened(path).ledger.unreadable == 0


@given(st.binary(max_size=200))
def test_garbage_is_counted_and_stops_nothing(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    path = tmp_path_factory.mktemp("journal") / "j"
    path.write_bytes(data + b"\n")
    journal = opened(path)
    journal.record(Event.RUN, pid=1)
    assert journal.ledger.runs == 1
    assert journal.ledger.unreadable == data.count(b"\n") + 1


def test_records_of_a_later_version_are_skipped(tmp_path: Path) -> None:
    path = tmp_path / "j"
    path.write_text('{"event": "promised", "at": "x", "key": "k"}\n{"event": "run", "at": "x"}\n')
    assert peek(path) == Ledger(runs=1, started_at="x", unreadable=1)


def test_peeking_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "j"
    assert peek(path) == Ledger()
    assert not path.exists()
    path.write_bytes(b'{"event": "run", "at": "x"}\n{"event": "ru')
    assert peek(path).runs == 1
    assert path.read_bytes() == b'{"event": "run", "at": "x"}\n{"event": "ru'


def test_each_plan_has_a_journal_of_its_own(tmp_path: Path) -> None:
    assert place(tmp_path, DIGEST) == tmp_path / "journal" / f"{'ab' * 32}.jsonl"


@pytest.mark.parametrize("digest", ["", "sha256:", "sha256:../../x", "ab" * 32, DIGEST + "\n"])
def test_a_plan_without_a_digest_has_none(tmp_path: Path, digest: str) -> None:
    with pytest.raises(PlanFileError):
        place(tmp_path, digest)


def test_every_record_is_on_disk_before_it_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    journal = opened(tmp_path / "j")

    def full(_handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StorageError, match="No space left on device"):
        journal.sending(Request.UPLOAD, KEY)
    assert journal.ledger.past(KEY).uploads == 0


def test_one_fsync_serves_all_that_wait_and_none_goes_on_before_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = opened(tmp_path / "j")
    sync, waits = journal._sync, threading.Semaphore(0)
    begun, go_on, synced, sent = threading.Semaphore(0), threading.Semaphore(0), [], []

    def to_sync(number: int) -> None:
        waits.release()
        sync(number)

    def slow(_handle: int) -> None:
        begun.release()
        assert go_on.acquire(timeout=30)
        synced.append(len(journal.path.read_bytes().splitlines()))

    def send(key: str) -> None:
        journal.sending(Request.UPLOAD, key)
        sent.append((key, len(synced)))

    monkeypatch.setattr(journal, "_sync", to_sync)
    monkeypatch.setattr(os, "fsync", slow)
    threads = [threading.Thread(target=send, args=(key,)) for key in "abc"]
    threads[0].start()
    assert begun.acquire(timeout=30)
    for thread in threads[1:]:
        thread.start()
    for _ in threads:
        assert waits.acquire(timeout=30)
    assert sent == []
    go_on.release(2)
    for thread in threads:
        thread.join(30)
    assert synced == [3, 3]
    assert sorted(sent)[1:] == [("b", 2), ("c", 2)]
    monkeypatch.undo()


def test_an_end_is_written_at_once_and_on_disk_before_anything_else_is_sent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal, synced = opened(tmp_path / "j"), []
    monkeypatch.setattr(os, "fsync", lambda _handle: synced.append(len(journal.path.read_bytes().splitlines())))
    journal.end(line())
    assert (synced, peek(journal.path).past(KEY).line) == ([], line())
    journal.sending(Request.UPLOAD, KEY)
    assert synced == [2]
    journal.end(line())
    journal.close()
    assert synced == [2, 3]


def test_after_a_failed_fsync_nothing_more_is_announced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The system tells it once: a second fsync succeeds though the first record never came to the disk."""
    journal = opened(tmp_path / "j")
    failures = iter([OSError(5, "Input/output error")])

    def fails_once(_handle: int) -> None:
        for failure in failures:
            raise failure

    monkeypatch.setattr(os, "fsync", fails_once)
    for _ in range(2):
        with pytest.raises(StorageError, match="Input/output error"):
            journal.sending(Request.UPLOAD, KEY)
    assert journal.ledger.past(KEY).uploads == 0


def test_a_new_journal_and_its_name_are_on_disk_before_anything_is_sent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[bool] = []
    monkeypatch.setattr(os, "fsync", lambda handle: synced.append(stat.S_ISDIR(os.fstat(handle).st_mode)))
    opened(tmp_path / "state" / "journal" / "x.jsonl")
    assert synced == [False, True]
    opened(tmp_path / "state" / "journal" / "x.jsonl")


def test_a_disk_that_fails_at_once_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(_handle: int) -> None:
        raise OSError("odd")

    monkeypatch.setattr(os, "fsync", fails)
    with pytest.raises(StorageError, match="j cannot be used: odd"):
        Journal(tmp_path / "j", now)
    with pytest.raises(StorageError, match="Is a directory"):
        peek(tmp_path)


def test_the_first_run_and_the_first_request_are_when_it_began(tmp_path: Path) -> None:
    times = (datetime(2026, 11, 22, hour, tzinfo=UTC) for hour in range(24))
    journal = Journal(tmp_path / "j", lambda: next(times))
    _OPEN.append(journal)
    for _ in range(2):
        journal.record(Event.RUN)
        journal.sending(Request.DELETE, KEY)
    past = journal.ledger.past(KEY)
    assert (journal.ledger.started_at, past.started_at, past.absent_since) == (
        "2026-11-22T00:00:00.000Z",
        "2026-11-22T01:00:00.000Z",
        "2026-11-22T03:00:00.000Z",
    )


def test_a_journal_that_is_a_link_is_refused(tmp_path: Path) -> None:
    (tmp_path / "j").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(StorageError):
        Journal(tmp_path / "j", now)
    assert not (tmp_path / "elsewhere").exists()


def test_a_state_folder_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("a file")
    with pytest.raises(StorageError, match="cannot be used"):
        Journal(tmp_path / "state" / "journal" / "x.jsonl", now)


def test_what_was_put_there_is_known_by_the_name_that_it_got(tmp_path: Path) -> None:
    journal = opened(tmp_path / "j")
    journal.sending(Request.UPLOAD, "opensuse/15.6/sent.rpm")
    ends: tuple[tuple[ActionKind, str, Outcome], ...] = (
        ("upload", "new.rpm", Outcome.DONE),
        ("replacement", "swapped.rpm", Outcome.DONE),
        ("upload", "theirs.rpm", Outcome.ALREADY_DONE),
        ("upload", "failed.rpm", Outcome.FAILED),
        ("deletion", "gone.rpm", Outcome.DONE),
        ("archiving", "moved.rpm", Outcome.DONE),
    )
    for action, name, outcome in ends:
        journal.end(
            ReceiptLine(action=action, distribution="opensuse/15.6", filename=name, outcome=outcome, sha256=name)
        )
    journal.end(
        ReceiptLine(
            action="upload",
            distribution="ubuntu/jammy",
            filename="a.deb",
            outcome=Outcome.DONE,
            sha256="a.deb",
            stored_as="b.deb",
        )
    )
    assert put_there(journal.ledger) == {
        "opensuse/15.6/new.rpm": Sent("upload", "new.rpm"),
        "opensuse/15.6/swapped.rpm": Sent("replacement", "swapped.rpm"),
        "ubuntu/jammy/b.deb": Sent("upload", "a.deb"),
    }
