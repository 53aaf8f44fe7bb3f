"""Changes over connections that the server keeps: used while that is safe, and never a reason to send one twice."""

import io
import socket
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress

import pytest
from attrs import define, field
from msgspec.structs import replace

from pkgsync.errors import AmbiguousError
from pkgsync.session import DEFAULT_LIMITS, HttpLimits, Session
from tests.support.faults.rawserver import request_of

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
KEPT = replace(DEFAULT_LIMITS, idle_seconds=60)


@define(eq=False)
class Keeper:
    """``connections`` has for each the bodies that came over it; each is answered by ``answers``, then closed."""

    answers: Sequence[bytes]
    url: str = ""
    connections: list[list[bytes]] = field(factory=list)
    closed: threading.Semaphore = field(factory=lambda: threading.Semaphore(0))

    def serve(self, listener: socket.socket) -> None:
        with suppress(OSError):
            while True:
                connection, _ = listener.accept()
                self.connections.append([])
                threading.Thread(target=self.answer, args=(connection, self.connections[-1]), daemon=True).start()

    def answer(self, connection: socket.socket, bodies: list[bytes]) -> None:
        with connection, suppress(OSError):
            for answer in self.answers:
                request = request_of(connection)
                if request.strip():
                    bodies.append(request.partition(b"\r\n\r\n")[2])
                    connection.sendall(answer)
        self.closed.release()


@contextmanager
def keeping(*answers: bytes) -> Iterator[Keeper]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        keeper = Keeper(answers, f"http://127.0.0.1:{listener.getsockname()[1]}")
        thread = threading.Thread(target=keeper.serve, args=(listener,), daemon=True)
        thread.start()
        yield keeper
        listener.shutdown(socket.SHUT_RDWR)
        thread.join()


def session_to(keeper: Keeper, limits: HttpLimits = KEPT) -> Session:
    return Session(keeper.url, limits=limits, pause=lambda seconds: None)


def test_changes_and_looks_share_a_connection() -> None:
    with keeping(OK, OK, OK, OK) as server:
        session = session_to(server)
        session.get("/x", max_bytes=10)
        for body in (b"one", b"two"):
            assert session.change("POST", "/x", data=body).body == b"ok"
        session.change("DELETE", "/x")
        assert server.connections == [[b"", b"one", b"two", b""]]


def test_a_change_takes_no_connection_that_has_idled() -> None:
    with keeping(OK, OK, OK) as server:
        session = session_to(server, replace(KEPT, idle_seconds=0))
        session.get("/x", max_bytes=10)
        session.get("/x", max_bytes=10)
        session.change("POST", "/x", data=b"one")
        assert server.connections == [[b"", b""], [b"one"]]


def test_a_connection_that_the_server_has_closed_is_not_used() -> None:
    with keeping(OK) as server:
        session = session_to(server)
        for body in (b"one", b"two"):
            session.change("POST", "/x", data=body)
            assert server.closed.acquire(timeout=30)
        assert server.connections == [[b"one"], [b"two"]]


@pytest.mark.parametrize("method", ["POST", "DELETE"])
def test_a_change_that_a_kept_connection_loses_is_ambiguous_and_sent_once(method: str) -> None:
    """The server closes in the moment that the request comes: only a look can tell whether it was read."""
    with keeping(OK, b"") as server:
        session = session_to(server)
        session.get("/x", max_bytes=10)
        with pytest.raises(AmbiguousError):
            session.change(method, "/x", data=b"one")
        assert server.closed.acquire(timeout=30)
        assert server.connections == [[b"", b"one"]]
        assert session.requests == 2


def test_a_body_that_broke_off_leaves_no_connection_to_use() -> None:
    """The server answers a whole request before its body has ended, and takes what comes next for the rest of it."""

    class Broken(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            raise BrokenPipeError

    with socket.create_server(("127.0.0.1", 0)) as listener:
        heads: list[bytes] = []

        def serve() -> None:
            with suppress(OSError):
                while True:
                    connection, _ = listener.accept()
                    heads.append(connection.recv(65536).partition(b" ")[0])
                    connection.sendall(OK)
                    kept.append(connection)

        kept: list[socket.socket] = []
        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        session = Session(f"http://127.0.0.1:{listener.getsockname()[1]}", limits=KEPT)
        session.change("POST", "/x", data=Broken(b"body"))
        session.change("DELETE", "/x")
        listener.shutdown(socket.SHUT_RDWR)
        thread.join()
        for connection in kept:
            connection.close()
        assert heads == [b"POST", b"DELETE"]
