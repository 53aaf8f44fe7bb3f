"""The request log: what clients asked, with which headers, and how many at a time."""

import re
from base64 import b64decode
from collections.abc import Iterator
from threading import Lock
from urllib.parse import unquote

from attrs import define, field


@define(eq=False, kw_only=True)
class Entry:
    """One request. `active` counts the requests of its service under way when it began, itself included.

    `target` is the raw path with query; header names are lower case; `status` is 0 if there was no answer.
    `port` is the client's: requests with the same one came over one connection.
    """

    service: str
    method: str
    target: str
    headers: dict[str, str]
    active: int
    port: int
    request_bytes: int = 0
    response_bytes: int = 0
    status: int = 0
    ended: bool = False


@define(eq=False, kw_only=True)
class RequestLog:
    """All requests to all services of a sandbox, in order of arrival."""

    entries: list[Entry] = field(factory=list)
    _lock: Lock = field(factory=Lock, repr=False)
    _active: dict[str, int] = field(factory=dict, repr=False)

    def begin(self, service: str, method: str, target: str, headers: dict[str, str], port: int) -> Entry:
        """A request came in."""
        with self._lock:
            self._active[service] = self._active.get(service, 0) + 1
            active = self._active[service]
            entry = Entry(service=service, method=method, target=target, headers=headers, active=active, port=port)
            entry.request_bytes = int(headers.get("content-length") or 0)
            self.entries.append(entry)
            return entry

    def end(self, entry: Entry) -> None:
        """Its answer is about to be complete (or is given up). Calling it twice does no harm."""
        with self._lock:
            if not entry.ended:
                entry.ended = True
                self._active[entry.service] -= 1

    def find(self, service: str = "", method: str = "", target: str = "") -> list[Entry]:
        """The requests to a service, of a method, whose raw path with query holds the regular expression `target`."""
        with self._lock:
            return [
                entry
                for entry in self.entries
                if service in ("", entry.service) and method in ("", entry.method) and re.search(target, entry.target)
            ]

    def count(self, service: str = "", method: str = "", target: str = "") -> int:
        """How many requests `find` finds."""
        return len(self.find(service, method, target))

    def peak(self, service: str, method: str = "", target: str = "") -> int:
        """The most requests to a service that were under way at one time, seen from the requests found."""
        return max((entry.active for entry in self.find(service, method, target)), default=0)

    def clear(self) -> None:
        """Forget the requests so far; those under way still count as active."""
        with self._lock:
            self.entries.clear()

    def mentions(self, secret: str, service: str = "") -> list[Entry]:
        """The requests that hold `secret` in their target or in a header, Basic credentials unpacked."""
        return [entry for entry in self.find(service) if any(secret in text for text in _texts(entry))]


def _texts(entry: Entry) -> Iterator[str]:
    yield entry.target
    yield unquote(entry.target)
    yield from entry.headers.values()
    scheme, _, packed = entry.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "basic":
        yield b64decode(packed).decode()
