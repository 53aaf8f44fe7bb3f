"""A server that answers with given bytes, the way a test wants it: whole, cut, slow, or not at all."""

import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from attrs import define, field

Answer = bytes | Callable[[socket.socket, threading.Event], None]


@define(eq=False)
class RawServer:
    """``answers`` are given one per connection, the last one again and again. ``requests`` are what came in."""

    answers: list[Answer]
    requests: list[bytes] = field(factory=list)
    url: str = ""
    stopping: threading.Event = field(factory=threading.Event)

    def answer(self, connection: socket.socket) -> None:
        with connection, suppress(OSError):
            self.requests.append(request_of(connection))
            answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
            if isinstance(answer, bytes):
                connection.sendall(answer)
            else:
                answer(connection, self.stopping)


def request_of(connection: socket.socket) -> bytes:
    """The whole request, with a body of its Content-Length."""
    data = b""
    while b"\r\n\r\n" not in data:
        data += connection.recv(65536) or b"\r\n\r\n"
    head, _, body = data.partition(b"\r\n\r\n")
    length = next((int(line[15:]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")), 0)
    while len(body) < length:
        body += connection.recv(65536) or b" " * length
    return head + b"\r\n\r\n" + body


@contextmanager
def raw_server(*answers: Answer) -> Iterator[RawServer]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = RawServer(list(answers), url=f"http://127.0.0.1:{listener.getsockname()[1]}")
        thread = threading.Thread(target=_serve, args=(listener, server), daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.stopping.set()
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()


def _serve(listener: socket.socket, server: RawServer) -> None:
    with suppress(OSError):
        while True:
            connection, _ = listener.accept()
            threading.Thread(target=server.answer, args=(connection,), daemon=True).start()


def http(body: bytes, status: str = "200 OK", *headers: str, length: int | None = None) -> bytes:
    """A whole answer that ends its connection; ``length`` is a Content-Length that may lie, -1 none."""
    size = len(body) if length is None else length
    lines = [f"HTTP/1.1 {status}", "Connection: close", *headers]
    if size >= 0:
        lines.append(f"Content-Length: {size}")
    return "\r\n".join([*lines, "", ""]).encode() + body


def hang(connection: socket.socket, stopping: threading.Event) -> None:
    """Say nothing until the test ends."""
    stopping.wait(30)


def reset(connection: socket.socket, stopping: threading.Event) -> None:
    """End the connection with a reset."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def drip(start: bytes, byte: bytes = b"a") -> Answer:
    """``start`` at once, then ``byte`` every now and then, for ever."""

    def answer(connection: socket.socket, stopping: threading.Event) -> None:
        connection.sendall(start)
        while not stopping.wait(0.02):
            connection.sendall(byte)

    return answer
