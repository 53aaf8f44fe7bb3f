"""How many requests of a session are in flight when the server has had too much."""

import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest

from pkgsync.errors import BusyError
from pkgsync.session import HttpLimits, Session
from pkgsync.session.throttle import Throttle
from tests.support.faults.rawserver import Answer, http, raw_server


def wave(throttle: Throttle, *statuses: int) -> None:
    """Requests that are in flight together, and answered so."""
    with ExitStack() as stack:
        turns = [stack.enter_context(throttle.turn()) for _ in statuses]
        for answered, status in zip(turns, statuses, strict=True):
            answered(status)


def test_nothing_bounds_what_is_in_flight_until_the_server_does() -> None:
    throttle = Throttle()
    wave(throttle, *[200] * 100)
    assert throttle.most is None


@pytest.mark.parametrize("status", [429, 503])
def test_a_wave_that_is_turned_away_halves_once(status: int) -> None:
    throttle = Throttle()
    wave(throttle, *[status] * 8)
    assert throttle.most == 4
    wave(throttle, *[status] * 4)
    assert throttle.most == 2
    for _ in range(3):
        wave(throttle, status)
    assert throttle.most == 1


def test_good_answers_let_it_grow_one_by_one() -> None:
    throttle = Throttle()
    wave(throttle, *[503] * 4)
    assert throttle.most == 2
    wave(throttle, 200, 404)
    assert throttle.most == 2
    wave(throttle, 200)
    assert throttle.most == 3
    for _ in range(4):
        wave(throttle, 200)
    assert throttle.most == 4


def test_after_a_refusal_requests_wait_for_their_turn() -> None:
    """Two are refused together; of their repetitions the second comes when the first has been answered."""
    flying, seen, lock, together = [0], [], threading.Lock(), threading.Barrier(2)

    def answer(status: bytes) -> Answer:
        def run(connection: socket.socket, stopping: threading.Event) -> None:
            with lock:
                flying[0] += 1
            if status == b"503":
                together.wait(30)
            with lock:
                seen.append(flying[0])
                flying[0] -= 1
            connection.sendall(b"HTTP/1.1 %b X\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok" % status)

        return run

    with raw_server(answer(b"503"), answer(b"503"), answer(b"200")) as server:
        session = Session(server.url, pause=lambda seconds: None)
        with ThreadPoolExecutor(2) as pool:
            replies = [pool.submit(session.get, "/x", max_bytes=10).result for _ in range(2)]
            assert [reply(30).body for reply in replies] == [b"ok", b"ok"]
        assert (session.requests, session._throttle.most) == (4, 2)
    assert seen[2:] == [1, 1]


def test_a_change_that_is_turned_away_counts_too() -> None:
    with raw_server(http(b"", "429 Too Many Requests", "Retry-After: 7")) as server:
        session = Session(server.url, limits=HttpLimits(), quota=True)
        with pytest.raises(BusyError) as busy:
            session.change("POST", "/x", data=b"body")
        assert (busy.value.wait, session._throttle.most) == (7.0, 1)
