"""A guard beside the requests that cuts the connection of one that breaks a limit.

Socket time-outs only see silence: a server that sends one byte now and then, in the header, in the body or in a
chunk's length, would hold a request for ever.
"""

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import requests.adapters
import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from pkgsync.errors import ReadError
from pkgsync.session.limits import HttpLimits

# urllib3 makes its connections deep inside: their thread is all that tells whose they are
_current = threading.local()


class Watcher:
    """Watches the requests of one session, all from one thread, which lives while there are any."""

    def __init__(self, limits: HttpLimits) -> None:
        self._limits = limits
        self._lock = threading.Lock()
        self._watches: set[Watch] = set()
        self._thread: threading.Thread | None = None
        self._closed = False

    @contextlib.contextmanager
    def watching(self, read_seconds: float, total_seconds: float | None) -> Iterator["Watch"]:
        """Watch one request of this thread. Raises ReadError once the session is closed."""
        watch = Watch(self._limits, read_seconds=read_seconds, total_seconds=total_seconds)
        self._add(watch)
        _current.watch = watch
        try:
            yield watch
        finally:
            _current.watch = None
            watch.use(None)
            with self._lock:
                self._watches.discard(watch)

    def close(self, why: str) -> None:
        """Cut what is in flight, and let nothing more begin."""
        with self._lock:
            self._closed = True
            watches = tuple(self._watches)
        for watch in watches:
            watch.cut(why)

    def _add(self, watch: "Watch") -> None:
        # in one step: close() either finds this watch, or is noticed here
        with self._lock:
            if self._closed:
                raise ReadError("the run is ending: no more requests are sent")
            self._watches.add(watch)
            # a fork leaves the thread behind
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._guard, daemon=True, name="pkgsync-watch")
                self._thread.start()

    def _guard(self) -> None:
        tick = min(1.0, self._limits.window_seconds / 4)
        while watches := self._watched():
            for watch in watches:
                watch.check(time.monotonic())
            time.sleep(tick)

    def _watched(self) -> tuple["Watch", ...]:
        """What there is to watch; nothing: the thread ends, and the next request starts another."""
        with self._lock:
            if not self._watches:
                self._thread = None
            return tuple(self._watches)


class Watch:
    """Watches one request. ``broken`` says which limit was broken."""

    on_peer: Callable[[str], None] | None = None
    """Called with the IP address of the server that was reached, before anything is sent; it may raise."""

    most_idle: float | None = None
    """How many seconds since its last answer a kept connection may have idled to be used; None: any."""

    def __init__(self, limits: HttpLimits, *, read_seconds: float, total_seconds: float | None) -> None:
        self.broken: str | None = None
        self.connected = False
        self.read_seconds = read_seconds
        self._limits = limits
        self._lock = threading.Lock()
        self._socket: socket.socket | None = None
        self._total = total_seconds
        self._end = None if total_seconds is None else time.monotonic() + total_seconds
        self._answer_by: float | None = None
        self._moved = 0
        self._mark = (time.monotonic(), 0)

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

    def check(self, now: float) -> None:
        """Cut the connection if a limit is broken at ``now`` (seconds, monotonic)."""
        why = self._broken_limit(now)
        if why:
            self.cut(why)

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
    proxy: Any
    timeout: Any
    _sent = False
    _answered_at = 0.0

    @property
    def is_connected(self) -> bool:
        """Whether a kept connection may be used again."""
        # what is left of a body that was answered before its end would be taken for the next request
        if not self._sent or not super().is_connected:  # type: ignore[misc]
            return False
        watch = _watch()
        idle = time.monotonic() - self._answered_at
        return watch is None or watch.most_idle is None or idle <= watch.most_idle

    def connect(self) -> None:
        super().connect()  # type: ignore[misc]
        watch = _watch()
        if watch is not None:
            # a name is judged by what it was resolved to for this connection; a proxy resolves names by itself
            if watch.on_peer is not None and self.proxy is None:
                watch.on_peer(self.sock.getpeername()[0])
            # urllib3 sends under the connect time-out, too short for a server that pauses during an upload; request()
            # says so for a connection that is kept
            self.sock.settimeout(watch.read_seconds)
            watch.use(self.sock)

    def request(self, *arguments: Any, **options: Any) -> None:
        watch = _watch()
        if watch is None:
            super().request(*arguments, **options)  # type: ignore[misc]
            return
        watch.use(self.sock)
        if self.sock is not None:
            self.timeout = watch.read_seconds
        self._sent = False
        try:
            super().request(*arguments, **options)  # type: ignore[misc]
            self._sent = True
        finally:
            watch.await_answer()

    def getresponse(self) -> Any:
        response = super().getresponse()  # type: ignore[misc]
        self._answered_at = time.monotonic()
        return response

    def send(self, data: Any) -> None:
        watch = _watch()
        if watch is None or self.sock is None or not isinstance(data, bytes):
            super().send(data)  # type: ignore[misc]
            return
        # sendall() tells nothing before the last byte, which may be slow to go and yet move
        left = memoryview(data)
        while left:
            sent = self.sock.send(left)
            watch.moved(sent)
            left = left[sent:]


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
