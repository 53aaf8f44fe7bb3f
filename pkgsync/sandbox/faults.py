"""The switchboard: what goes wrong, at which request, and how. Usable from tests while the services run."""

import json
import re
from collections.abc import Callable, Iterable
from enum import StrEnum
from threading import Event, Lock

from attrs import define, evolve, field, frozen

QUOTA_TEXT = b"Bandwidth or Storage Limit Exceeded"


class Kind(StrEnum):
    """What happens to a request."""

    NOTHING = "nothing"  # nothing: only the fault's hook and delay
    QUERY = "query"  # answered as if another query had been asked (Fault.query)
    STATUS = "status"  # status, headers, body and content type of the fault; the service does not see the request
    REDIRECT = "redirect"  # to Fault.location
    RESET = "reset"  # connection reset before the request body is read
    RESET_AFTER_BODY = "reset-after-body"  # the body is read, nothing is done, connection reset
    REPLY_LOST = "reply-lost"  # the action takes effect, then the connection is reset
    RESET_MIDWAY = "reset-midway"  # `keep` bytes of the true reply, then a reset
    STALL = "stall"  # as HANG, but not even the request body is read
    HANG = "hang"  # no answer until released or the client is gone; nothing is done
    HANG_AFTER = "hang-after"  # the action takes effect, then as HANG
    EMPTY = "empty"  # the true status, no body
    CUT = "cut"  # the true Content-Length, but only `keep` bytes
    TRUNCATE = "truncate"  # `keep` bytes with a Content-Length that agrees
    CORRUPT = "corrupt"  # as many bytes, but others
    DRIP = "drip"  # the true reply byte by byte, `delay` seconds between
    ENDLESS = "endless"  # the true head without Content-Length, then `body` again and again
    TYPE = "type"  # the true reply with another content type
    REWRITE = "rewrite"  # the true reply through Fault.change


@frozen(kw_only=True)
class Reply:
    """A whole answer, for Fault.change."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes

    def with_header(self, name: str, value: str) -> "Reply":
        """The same reply with one header set."""
        kept = tuple(pair for pair in self.headers if pair[0].lower() != name.lower())
        return evolve(self, headers=(*kept, (name, value)))


@define(eq=False, kw_only=True)
class Fault:
    """One entry of the switchboard.

    It hits requests whose method is `method` (None: any) and whose raw path with query holds the regular expression
    `path`: from the `nth` such request on (counted from 1), `times` of them (None: all). Every hit first calls `hook`,
    then waits `delay` seconds. `hit` is set by the first hit; `released` ends a hang. A cut leaves off at least a byte.
    """

    kind: Kind = field(converter=Kind)
    path: str = ""
    method: str | None = None
    nth: int = 1
    times: int | None = 1
    status: int = 500
    headers: dict[str, str] = field(factory=dict)
    body: bytes = b""
    content_type: str = "text/html"
    keep: int = 64
    location: str = ""
    delay: float = 0
    query: tuple[str, str] = ("", "")
    change: Callable[[Reply], Reply] | None = None
    hook: Callable[[], object] | None = None
    seen: int = field(default=0, init=False)
    hits: int = field(default=0, init=False)
    hit: Event = field(factory=Event, init=False, repr=False)
    released: Event = field(factory=Event, init=False, repr=False)

    def take(self, method: str, target: str) -> bool:
        """Whether this request is hit; counts it."""
        if (self.method and method != self.method) or not re.search(self.path, target):
            return False
        self.seen += 1
        if self.seen < self.nth or (self.times is not None and self.seen >= self.nth + self.times):
            return False
        self.hits += 1
        self.hit.set()
        return True


@define(eq=False)
class Switchboard:
    """The faults of one service, in the order they were added. Several may hit one request; one of them answers it."""

    faults: list[Fault] = field(factory=list)
    _lock: Lock = field(factory=Lock, repr=False)

    def add(self, fault: Fault) -> Fault:
        """Switch a fault on; gives it back, so that a test can watch its counters."""
        with self._lock:
            self.faults.append(fault)
        return fault

    def clear(self) -> None:
        """Switch all faults off and release what hangs."""
        with self._lock:
            for fault in self.faults:
                fault.released.set()
            self.faults.clear()

    def take(self, method: str, target: str) -> list[Fault]:
        """The faults that hit this request (`target`: raw path with query)."""
        with self._lock:
            return [fault for fault in self.faults if fault.take(method, target)]


def change_body(change: Callable[[bytes], bytes]) -> Callable[[Reply], Reply]:
    """For Fault.change: another body, whatever the headers were."""
    return lambda reply: evolve(reply, body=change(reply.body))


def replace_body(body: bytes) -> Callable[[Reply], Reply]:
    """For Fault.change: these bytes as the body (an entity bomb, a decompression bomb, cut JSON...)."""
    return lambda reply: evolve(reply, body=body)


def set_headers(**values: str) -> Callable[[Reply], Reply]:
    """For Fault.change: other headers, such as Total or Link (`per_page` is written `Per-Page`)."""

    def change(reply: Reply) -> Reply:
        for name, value in values.items():
            reply = reply.with_header(name.replace("_", "-").title(), value)
        return reply

    return change


def json_error(status: int, body: object, path: str = "", method: str | None = None, times: int | None = 1) -> Fault:
    """An error with a JSON body; `{"error": "text"}`, `{"error": ["text"]}` or `{"FIELD": ["text"]}`."""
    data = json.dumps(body).encode()
    return Fault(
        kind=Kind.STATUS,
        path=path,
        method=method,
        times=times,
        status=status,
        body=data,
        content_type="application/json; charset=utf-8",
    )


def quota(times: int | None = None, path: str = "", status: int = 429) -> Fault:
    """The account's bandwidth or storage quota is used up."""
    return Fault(kind=Kind.STATUS, path=path, times=times, status=status, body=QUOTA_TEXT, content_type="text/html")


def html_page(status: int = 200, path: str = "", times: int | None = 1) -> Fault:
    """A front proxy's HTML page, also with status 200."""
    body = b"<!DOCTYPE html><html><head><title>Maintenance</title></head><body><h1>Back soon</h1></body></html>"
    return Fault(kind=Kind.STATUS, path=path, times=times, status=status, body=body)


def corrupt(body: Iterable[bytes]) -> Iterable[bytes]:
    """As many bytes, all of them other ones."""
    return (bytes(byte ^ 0xFF for byte in piece) for piece in body)
