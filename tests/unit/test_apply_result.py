"""Results, signals and exit codes: which one wins, and what the receipt says."""

import os
import signal
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, nullcontext

import pytest

from pkgsync.apply.options import Patience
from pkgsync.apply.outcome import Result, Task, exit_code_of
from pkgsync.apply.signals import Halt, handling
from pkgsync.errors import (
    AmbiguousError,
    AuthenticationError,
    BusyError,
    ExitCode,
    IntegrityError,
    InterruptedRunError,
    PkgsyncError,
    QuotaError,
    ReadError,
    StorageError,
)
from pkgsync.model import Outcome
from pkgsync.reasons import Reason
from tests.support.values.samples import PLAN


class Shown:
    """What a bar was told."""

    def __init__(self) -> None:
        self.bytes = 0

    def advance(self, count: int, /) -> None:
        self.bytes += count

    def item(self) -> AbstractContextManager[None]:
        return nullcontext()


def test_what_was_sent_in_vain_is_shown_as_still_to_send() -> None:
    shown = Shown()
    task = Task(action=PLAN.uploads[0], up=shown)
    with pytest.raises(AmbiguousError), task.sending():
        task.count_up(700)
        raise AmbiguousError("reset")
    with task.sending():
        task.count_up(1000)
    assert (shown.bytes, task.bytes_up) == (1000, 1700)


@pytest.mark.parametrize(
    ("result", "codes"),
    [
        (Result(outcome=Outcome.DONE), set()),
        (Result(outcome=Outcome.ALREADY_DONE), set()),
        (Result(outcome=Outcome.DUE), set()),
        (Result.stale(Reason.TARGET_CHANGED, "x"), {4}),
        (Result(outcome=Outcome.SKIPPED), {5}),
        (Result.left("x", Reason.UNSETTLED), {5}),
        (Result.left("x", Reason.NOT_SELECTED), set()),
        (Result.failed(ReadError("x")), {5}),
        (Result.failed(IntegrityError("x")), {5, 6}),
        (Result.failed(AuthenticationError("x")), {5, 7}),
        (Result.failed(QuotaError("x")), {5, 9}),
    ],
)
def test_what_a_result_asks_for(result: Result, codes: set[int]) -> None:
    assert result.codes == codes


@pytest.mark.parametrize(
    ("codes", "winner"),
    [
        (set(), 0),
        ({5, 1}, 5),
        ({5, 4}, 4),
        ({4, 6}, 6),
        ({6, 9}, 9),
        ({9, 7}, 7),
        ({7, 8}, 8),
        ({9, 130}, 130),
        ({143, 5}, 143),
    ],
)
def test_the_precedence_of_exit_codes(codes: set[int], winner: int) -> None:
    assert exit_code_of({ExitCode(code) for code in codes}) == winner


@pytest.mark.parametrize("error", [QuotaError("x"), AuthenticationError("x"), StorageError("x")])
def test_errors_that_would_hit_every_other_action_halt(error: PkgsyncError) -> None:
    halt = Halt()
    halt.consider(error)
    assert halt.requested
    assert halt.error is error


def test_other_errors_do_not() -> None:
    halt = Halt()
    halt.consider(ReadError("x"))
    assert not halt.requested


@pytest.fixture
def handlers() -> Iterator[None]:
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_the_first_signal_halts_and_the_second_raises(handlers: None, number: signal.Signals, code: int) -> None:
    halt, before = Halt(), signal.getsignal(number)
    halt.begun = True
    with handling(halt, lambda words: None):
        os.kill(os.getpid(), number)
        assert (halt.requested, halt.signalled) == (True, code)
        with pytest.raises(InterruptedRunError) as caught:
            os.kill(os.getpid(), number)
        assert caught.value.exit_code == code
    assert signal.getsignal(number) is before


@pytest.mark.parametrize(
    ("busy", "code", "answer"),
    [
        (["upload"] * 4, 130, "Finishing 4 transfers; Ctrl-C again stops now."),
        (["upload", "replacement", "upload"], 130, "Finishing 1 replacement and 2 transfers; Ctrl-C again stops now."),
        (["deletion"], 143, "Finishing 1 deletion; a second signal stops now."),
        ([], 130, "Ending; Ctrl-C again stops now."),
    ],
)
def test_a_first_signal_is_answered_with_what_is_in_flight(busy: list[str], code: int, answer: str) -> None:
    halt = Halt()
    with ExitStack() as stack:
        for kind in busy:
            stack.enter_context(halt.busy(kind))
        with halt.busy("upload"):
            pass
        halt.interrupt(ExitCode(code))
        assert halt.answer == answer


def test_the_first_signal_raises_where_nothing_was_begun(handlers: None) -> None:
    halt = Halt()
    with handling(halt, lambda words: None), pytest.raises(InterruptedRunError) as caught:
        os.kill(os.getpid(), signal.SIGTERM)
    assert (caught.value.exit_code, halt.signalled) == (143, 143)


def test_a_signal_that_the_caller_ignores_stays_ignored(handlers: None) -> None:
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    halt = Halt()
    with handling(halt, lambda words: None):
        os.kill(os.getpid(), signal.SIGHUP)
    assert not halt.requested


@pytest.mark.parametrize(("attempt", "longest"), [(1, 1), (2, 2), (3, 4), (6, 30), (50, 30)])
def test_waiting_grows_with_jitter_up_to_a_cap(attempt: int, longest: float) -> None:
    waits = [Patience().seconds(attempt) for _ in range(50)]
    assert all(longest / 2 <= wait <= longest for wait in waits)
    assert len(set(waits)) > 1


@pytest.mark.parametrize(("asked", "waited"), [(7, 7), (86400, 120)])
def test_a_server_that_asks_to_wait_is_obeyed_up_to_a_cap(asked: float, waited: float) -> None:
    assert Patience().seconds(1, BusyError("x", wait=asked)) == waited
