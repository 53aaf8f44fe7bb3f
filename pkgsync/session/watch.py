"""A guard beside each request that cuts the connection when it breaks a limit.

Socket time-outs only see silence: a server that sends one byte now and then, in the header, in the body or in a
chunk's length, would hold a request for ever.
"""

import contextlib
import socket
import threading
import time
from types import TracebackType
from typing import Any

import requests.adapters
import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from pkgsync.session.limits import HttpLimits

# urllib3 makes its connections deep inside: their thread is all that tells whose they are
_current = threading.local()


class Watch:
    """Watches one request of the thread that enters it. ``broken`` says which limit was broken."""

    def __init__(self, limits: HttpLimits, *, read_seconds: float, total_seconds: float | None) -> None:
        self.broken: str | None = None
        self.connected = False
        self.read_seconds = read_seconds
        self._limits = limits
        self._lock = threading.Lock()
        self._done = threading.Event()
        self._socket: socket.socket | None = None
        self._total = total_seconds
        self._end = None if total_seconds is None else time.monotonic() + total_seconds
        self._answer_by: float | None = None
        self._moved = 0
        self._mark = (time.monotonic(), 0)

    def __enter__(self) -> "Watch":
        _current.watch = self
        threading.Thread(target=self._guard, daemon=True, name="pkgsync-watch").start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._done.set()
        _current.watch = None
        with self._lock:
            self._socket = None

    def use(self, connection: socket.socket | None) -> None:
        """The socket to cut; from now on bytes must move."""
        with self._lock:
            self._socket = connection
        if connection is not None:
            self.connected = True
            self._restart()
            # broken before there was a socket to cut
            if self.broken:
                self.cut(self.broken)

    def moved(self, count: int) -> None:
        """``count`` more bytes were sent or received."""
        self._moved += count

    def await_answer(self) -> None:
        """All is sent: the server may now think, for ``read_seconds``."""
        self._answer_by = time.monotonic() + self.read_seconds

    def await_body(self) -> None:
        """The header is there: from now on bytes must move again."""
        self._answer_by = None
        self._restart()

    def cut(self, why: str) -> None:
        """End the connection now, from any thread; the reader sees its end."""
        with self._lock:
            self.broken = self.broken or why
            if self._socket is not None:
                with contextlib.suppress(OSError):
                    # close() would free the descriptor under the thread that reads, which may then read another one;
                    # SSLSocket.shutdown() takes its TLS state away first
                    socket.socket.shutdown(self._socket, socket.SHUT_RDWR)

    def _restart(self) -> None:
        self._mark = (time.monotonic(), self._moved)

    def _guard(self) -> None:
        tick = min(1.0, self._limits.window_seconds / 4)
        while not self._done.wait(tick):
            why = self._broken_limit(time.monotonic())
            if why:
                self.cut(why)
                return

    def _broken_limit(self, now: float) -> str | None:
        if self._end is not None and now > self._end:
            return f"took longer than {self._total:g} s"
        if self._answer_by is not None:
            return f"no answer within {self.read_seconds:g} s" if now > self._answer_by else None
        since, moved = self._mark
        if not self.connected or now - since < self._limits.window_seconds:
            return None
        if self._moved - moved < self._limits.minimum_bytes_per_second * (now - since):
            return f"slower than {self._limits.minimum_bytes_per_second} bytes per second"
        self._restart()
        return None


def _watch() -> Watch | None:
    return getattr(_current, "watch", None)


class _Watched:
    """Tells the watch of the thread which socket a connection uses, and what is sent over it."""

    sock: Any

    def connect(self) -> None:
        super().connect()  # type: ignore[misc]
        watch = _watch()
        if watch is not None:
            # urllib3 sends under the connect time-out, too short for a server that pauses during an upload
            self.sock.settimeout(watch.read_seconds)
            watch.use(self.sock)

    def request(self, *arguments: Any, **options: Any) -> None:
        watch = _watch()
        if watch is None:
            super().request(*arguments, **options)  # type: ignore[misc]
            return
        watch.use(self.sock)
        try:
            super().request(*arguments, **options)  # type: ignore[misc]
        finally:
            watch.await_answer()

    def send(self, data: Any) -> None:
        super().send(data)  # type: ignore[misc]
        watch = _watch()
        if watch is not None and isinstance(data, bytes):
            watch.moved(len(data))


class _WatchedHttp(_Watched, HTTPConnection):
    pass


class _WatchedHttps(_Watched, HTTPSConnection):
    pass


class _HttpPool(HTTPConnectionPool):
    ConnectionCls = _WatchedHttp


class _HttpsPool(HTTPSConnectionPool):
    ConnectionCls = _WatchedHttps


class WatchedAdapter(requests.adapters.HTTPAdapter):
    """The adapter of requests, over connections that a Watch can cut."""

    def init_poolmanager(self, *arguments: Any, **options: Any) -> None:
        super().init_poolmanager(*arguments, **options)
        self._watched(self.poolmanager)

    def proxy_manager_for(self, *arguments: Any, **options: Any) -> urllib3.ProxyManager:
        manager: urllib3.ProxyManager = super().proxy_manager_for(*arguments, **options)
        self._watched(manager)
        return manager

    @staticmethod
    def _watched(manager: urllib3.PoolManager) -> None:
        manager.pool_classes_by_scheme = {"http": _HttpPool, "https": _HttpsPool}
