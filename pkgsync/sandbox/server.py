"""Runs a WSGI application on a free loopback port."""

import os
import socket
import struct
from threading import Thread

from werkzeug.serving import WSGIRequestHandler, make_server

from .wsgi import Application, Environ

POLL = 0.02  # seconds: how soon a server notices that it shall end


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


class Origin:
    """One application on one port. `start` before use, `stop` after; the port is known at once."""

    def __init__(self, app: Application, port: int = 0) -> None:
        """Bind 127.0.0.1; port 0 takes a free one."""
        self._server = make_server("127.0.0.1", port, app, threaded=True, request_handler=Handler)
        self._thread = Thread(target=self._server.serve_forever, args=(POLL,), daemon=True)

    @property
    def url(self) -> str:
        """Without a slash at the end."""
        return f"http://127.0.0.1:{self._server.server_port}"

    def start(self) -> None:
        """Serve in a thread of its own."""
        self._thread.start()

    def stop(self) -> None:
        """End serving and free the port."""
        self._server.shutdown()
        self._thread.join()
