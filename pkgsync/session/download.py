"""One file on its way into a sink: what is there already, what may still come."""

import re
from collections.abc import Callable
from typing import BinaryIO

import requests

from pkgsync.errors import ReadError
from pkgsync.session.body import pieces
from pkgsync.session.limits import HttpLimits
from pkgsync.session.reply import TransientError, media_type
from pkgsync.session.watch import Watch

# a file may be large: fewer and larger pieces cost less, and there is no gunzip behind them, which wants small ones
_PIECE = 256 * 1024
_RANGE = re.compile(r"bytes (\d{1,18})-(\d{1,18})/(\d{1,18}|\*)")


class DownloadState:
    """The state of one download over its attempts. ``size`` is what the file must have, None if unknown."""

    def __init__(
        self, sink: BinaryIO, size: int | None, offset: int, on_bytes: Callable[[int], None], limits: HttpLimits
    ) -> None:
        self._sink = sink
        self._size = size
        self._cap = limits.max_download_bytes if size is None else size
        self._have = offset
        self._best = offset
        self._step = limits.progress_bytes
        self._on_bytes = on_bytes

    def headers(self) -> dict[str, str]:
        """The request headers of the next attempt."""
        # the checksum and the offset are those of the file itself
        headers = {"Accept-Encoding": "identity"}
        if self._have:
            headers["Range"] = f"bytes={self._have}-"
        return headers

    def progressed(self) -> bool:
        """Whether much has come that was never reached before.

        A server that cannot continue sends the same start again and again: that is no progress.
        """
        # a server that gives one byte per attempt must not be asked for ever
        if self._have - self._best < self._step:
            return False
        self._best = self._have
        return True

    def receive(self, response: requests.Response, watch: Watch, what: str) -> int:
        """Write a 200, 206 or 416 answer's body behind what is there; the size of the file.

        The OBS backend knows no Range and sends all of it again (obs/README.md, "Two servers").
        Raises TransientError, and ReadError for a file that is larger than it must be.
        """
        if response.status_code == 416 or (response.status_code == 206 and not self._continues(response)):
            # what is there may be of another file: never join two
            self._start_over()
            raise TransientError(ReadError(f"{what}: the server cannot continue the file"))
        # packagecloud/README.md, "Download": a CDN puts its refusals in place of the file
        if media_type(response.headers) in ("text/html", "application/xhtml+xml"):
            raise TransientError(ReadError(f"{what}: answered by a page for people, not by the file"))
        if response.status_code == 200 and self._have:
            self._start_over()
        self._sink.seek(self._have)
        for piece in pieces(response, watch, what, _PIECE):
            # before it is written: what is refused must not fill the disk
            if self._have + len(piece) > self._cap:
                raise ReadError(f"{what}: the file is longer than {self._cap} bytes")
            self._sink.write(piece)
            self._have += len(piece)
            self._on_bytes(len(piece))
        if self._have < (1 if self._size is None else self._size):
            raise TransientError(ReadError(f"{what}: the file ends after {self._have} bytes of {self._size}"))
        return self._have

    def _continues(self, response: requests.Response) -> bool:
        found = _RANGE.fullmatch(response.headers.get("Content-Range", "").strip())
        if not found or int(found[1]) != self._have:
            return False
        return found[3] == "*" or self._size is None or int(found[3]) == self._size

    def _start_over(self) -> None:
        self._on_bytes(-self._have)
        self._sink.seek(0)
        self._sink.truncate()
        self._have = 0
