"""WSGI middleware that writes the request log and does what the switchboard says."""

import re
import select
import socket
from collections.abc import Callable, Iterable, Iterator
from http import HTTPStatus
from itertools import repeat
from threading import Event
from typing import NoReturn

from attrs import define, field, frozen

from .faults import Fault, Kind, Reply, Switchboard, corrupt
from .recorder import Entry, RequestLog
from .wsgi import Application, Body, Environ, StartResponse

POLL = 0.02  # seconds between two looks at a hanging client
SILENT = frozenset({Kind.NOTHING, Kind.QUERY})


@define(kw_only=True)
class Answer:
    """What the service said: status line, headers, body in pieces."""

    status: str
    headers: list[tuple[str, str]]
    body: Iterable[bytes]


@frozen(kw_only=True)
class Instrumented:
    """One service, its faults and the log. `stopping` is set when the sandbox ends: nothing hangs longer than that."""

    service: str
    app: Application
    faults: Switchboard
    log: RequestLog
    stopping: Event = field(factory=Event)

    def __call__(self, environ: Environ, start_response: StartResponse) -> Body:
        """Answer one request, or fail as ordered."""
        method, target = environ["REQUEST_METHOD"], environ["RAW_URI"]
        entry = self.log.begin(self.service, method, target, _headers(environ), environ["REMOTE_PORT"])
        try:
            answer = self._answer(environ, self.faults.take(method, target))
        except BaseException:
            self.log.end(entry)
            raise
        entry.status = int(answer.status.split()[0])
        start_response(answer.status, answer.headers)
        return self._stream(entry, answer.body)

    def _stream(self, entry: Entry, body: Iterable[bytes]) -> Iterator[bytes]:
        """Pass the body on. The request ends before its last piece leaves: whoever has that may ask again at once."""
        last = b""
        try:
            for piece in body:
                if last:
                    yield last
                entry.response_bytes += len(piece)
                last = piece
            self.log.end(entry)
            if last:
                yield last
        finally:
            self.log.end(entry)

    def _answer(self, environ: Environ, hits: list[Fault]) -> Answer:
        for fault in hits:
            if fault.hook:
                fault.hook()
            if fault.delay and fault.kind is not Kind.DRIP:
                self.stopping.wait(fault.delay)
            if fault.kind is Kind.QUERY:
                environ["QUERY_STRING"] = re.sub(*fault.query, environ["QUERY_STRING"])
        answering = [fault for fault in hits if fault.kind not in SILENT]
        if not answering:
            return self._ask(environ)
        return self._fail(environ, answering[0])

    def _ask(self, environ: Environ) -> Answer:
        """What the service itself answers."""
        answer = Answer(status="", headers=[], body=())

        def start_response(
            status: str, headers: list[tuple[str, str]], _error: object = None
        ) -> Callable[[bytes], None]:
            answer.status, answer.headers = status, headers
            return lambda _: None

        answer.body = self.app(environ, start_response)
        return answer

    def _fail(self, environ: Environ, fault: Fault) -> Answer:
        match fault.kind:
            case Kind.STATUS | Kind.REDIRECT:
                _drain(environ)
                return _own_answer(fault)
            case Kind.RESET:
                _abort(environ)
            case Kind.RESET_AFTER_BODY:
                _drain(environ)
                _abort(environ)
            case Kind.STALL:
                self._hang(environ, fault)
            case Kind.HANG:
                _drain(environ)
                self._hang(environ, fault)
        answer = self._ask(environ)
        match fault.kind:
            case Kind.REPLY_LOST:
                _abort(environ)
            case Kind.HANG_AFTER:
                self._hang(environ, fault)
        return self._spoil(environ, answer, fault)

    def _spoil(self, environ: Environ, answer: Answer, fault: Fault) -> Answer:
        """The service's answer, damaged."""
        match fault.kind:
            case Kind.CUT:
                answer.body = [_start(answer, fault)]
            case Kind.RESET_MIDWAY:
                answer.body = _then_abort(_start(answer, fault), environ)
            case Kind.EMPTY:
                _set_body(answer, b"")
            case Kind.TRUNCATE:
                _set_body(answer, _start(answer, fault))
            case Kind.CORRUPT:
                answer.body = corrupt(answer.body)
            case Kind.DRIP:
                answer.body = self._drip(answer.body, fault.delay)
            case Kind.ENDLESS:
                answer.headers = _without(answer.headers, "Content-Length")
                answer.body = self._endless(fault.body or bytes(65536))
            case Kind.TYPE:
                _set_header(answer, "Content-Type", fault.content_type)
            case Kind.REWRITE:
                _rewrite(answer, fault)
        return answer

    def _drip(self, body: Iterable[bytes], delay: float) -> Iterator[bytes]:
        for piece in body:
            for byte in piece:
                self.stopping.wait(delay)
                yield bytes([byte])

    def _endless(self, piece: bytes) -> Iterator[bytes]:
        for again in repeat(piece):
            if self.stopping.is_set():
                return
            yield again

    def _hang(self, environ: Environ, fault: Fault) -> NoReturn:
        """Say nothing until the fault is released, the client is gone, or the sandbox ends."""
        connection: socket.socket = environ["werkzeug.socket"]
        while not self.stopping.is_set() and not fault.released.wait(POLL) and not _gone(connection):
            pass
        _abort(environ)


def _headers(environ: Environ) -> dict[str, str]:
    """The request headers, lower case, as the client sent them."""
    names = [name for name in environ if name.startswith("HTTP_") or name in {"CONTENT_TYPE", "CONTENT_LENGTH"}]
    return {name.removeprefix("HTTP_").replace("_", "-").lower(): environ[name] for name in names}


def _own_answer(fault: Fault) -> Answer:
    status = fault.status if fault.kind is Kind.STATUS or 300 <= fault.status < 400 else 302
    headers = {"Content-Type": fault.content_type, "Content-Length": str(len(fault.body)), **fault.headers}
    if fault.kind is Kind.REDIRECT:
        headers["Location"] = fault.location
    return Answer(status=f"{status} {HTTPStatus(status).phrase}", headers=list(headers.items()), body=[fault.body])


def _drain(environ: Environ) -> None:
    """Read the request body away, so that the client comes to wait for the answer."""
    left = int(environ.get("CONTENT_LENGTH") or 0)
    while left > 0 and (piece := environ["wsgi.input"].read(min(left, 65536))):
        left -= len(piece)


def _abort(environ: Environ) -> NoReturn:
    """Have the handler reset the connection instead of answering."""
    handler = environ["pkgsync.handler"]
    handler.abort = handler.close_connection = True
    raise ConnectionAbortedError("ordered by the switchboard")


def _start(answer: Answer, fault: Fault) -> bytes:
    """The first `keep` bytes of the body, but never all of it: a cut that cuts nothing would prove nothing."""
    body = b"".join(answer.body)
    return body[: min(fault.keep, max(len(body) - 1, 0))]


def _then_abort(piece: bytes, environ: Environ) -> Iterator[bytes]:
    yield piece
    yield b""
    _abort(environ)


def _gone(connection: socket.socket) -> bool:
    readable, _, _ = select.select([connection], [], [], 0)
    try:
        return bool(readable) and connection.recv(1, socket.MSG_PEEK) == b""
    except OSError:
        return True


def _without(headers: list[tuple[str, str]], name: str) -> list[tuple[str, str]]:
    return [pair for pair in headers if pair[0].lower() != name.lower()]


def _set_header(answer: Answer, name: str, value: str) -> None:
    answer.headers = [*_without(answer.headers, name), (name, value)]


def _set_body(answer: Answer, body: bytes) -> None:
    answer.body = [body]
    _set_header(answer, "Content-Length", str(len(body)))


def _rewrite(answer: Answer, fault: Fault) -> None:
    """Let the fault's function change the whole answer; the Content-Length follows the body."""
    if fault.change is None:
        raise ValueError("a rewrite needs Fault.change")
    reply = fault.change(
        Reply(status=int(answer.status.split()[0]), headers=tuple(answer.headers), body=b"".join(answer.body))
    )
    answer.status = f"{reply.status} {HTTPStatus(reply.status).phrase}"
    answer.headers = list(reply.headers)
    _set_body(answer, reply.body)
