"""Runs a WSGI application on a free loopback port."""

import contextlib
import os
import socket
import struct
from collections.abc import Callable
from threading import Thread
from typing import IO, cast

from werkzeug.exceptions import ClientDisconnected
from werkzeug.serving import WSGIRequestHandler, make_server
from werkzeug.wsgi import LimitedStream

from .wsgi import Application, Environ

Write = Callable[[bytes], object]


class Handler(WSGIRequestHandler):
    """Quiet, and able to end a connection by a reset instead of a clean close."""

    abort = False

    def make_environ(self) -> Environ:
        """The WSGI environment, with the handler in it for the switchboard."""
        return {**super().make_environ(), "pkgsync.handler": self}

    def log(self, type: str, message: str, *args: object) -> None:
        """Say nothing: the request log holds it all."""

    def finish(self) -> None:
        """Close the streams; on abort send a reset before the server can close cleanly."""
        super().finish()
        if self.abort:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            os.close(self.connection.detach())


class KeepingHandler(Handler):
    """Keeps a connection for the next request, as long as both sides can tell where the last one ended."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # or an answer would wait for the client's delayed word on its header
    open_connections: set[socket.socket]

    def setup(self) -> None:
        """As ever; the server comes to know the connection."""
        super().setup()
        self.open_connections.add(self.connection)

    def finish(self) -> None:
        """As ever; the server forgets the connection."""
        self.open_connections.discard(self.connection)
        super().finish()

    def run_wsgi(self) -> None:
        """Answer one request; werkzeug's own method would close the connection then."""
        body = LimitedStream(cast("IO[bytes]", self.rfile), int(self.headers.get("Content-Length") or 0))
        left = 0

        def start_response(status: str, headers: list[tuple[str, str]], _error: object = None) -> Write:
            nonlocal left
            length = next((value for name, value in headers if name.lower() == "content-length"), None)
            left = int(length or 0)
            code, _, words = status.partition(" ")
            self.send_response(int(code), words)
            for name, value in headers:
                self.send_header(name, value)
            if length is None or self.close_connection:
                self.send_header("Connection", "close")  # which closes it, too
            self.end_headers()
            return self.wfile.write

        for piece in self.server.app({**self.make_environ(), "wsgi.input": body}, start_response):
            if self.command != "HEAD":
                self.wfile.write(piece)
                left -= len(piece)
        if left > 0 and self.command != "HEAD":
            self.close_connection = True  # the client waits for more than there is
        try:
            while body.read(65536):  # what the application has not read would be taken for the next request
                pass
        except ClientDisconnected:
            self.close_connection = True


class Origin:
    """One application on one port. `start` before use, `stop` after; the port is known at once."""

    def __init__(self, app: Application, port: int = 0, *, keep_alive: bool = False) -> None:
        """Bind 127.0.0.1; port 0 takes a free one. `keep_alive`: connections are kept until the client ends them."""
        self._kept: set[socket.socket] = set()
        keeping = type("KeepingHere", (KeepingHandler,), {"open_connections": self._kept})
        handler = keeping if keep_alive else Handler
        self._server = make_server("127.0.0.1", port, app, threaded=True, request_handler=handler)
        self._thread = Thread(target=self._serve, daemon=True)
        self._stopped = False

    @property
    def url(self) -> str:
        """Without a slash at the end."""
        return f"http://127.0.0.1:{self._server.server_port}"

    def start(self) -> None:
        """Serve in a thread of its own."""
        self._thread.start()

    def _serve(self) -> None:
        """Not serve_forever, which would look every few milliseconds whether it shall end."""
        while not self._stopped:
            self._server.handle_request()
        self._server.server_close()

    def stop(self) -> None:
        """End serving and free the port."""
        self._stopped = True
        with contextlib.suppress(OSError):  # a client's request has woken it before
            socket.create_connection(("127.0.0.1", self._server.server_port)).close()
        self._thread.join()
        for connection in tuple(self._kept):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
