"""The generic cells of the fault matrix: every read of plan, each with every fault that any server can have."""

import gzip
import json
from collections.abc import Callable, Collection, Iterator
from functools import cache
from typing import Any

from attrs import field, frozen

from pkgsync.sandbox import PROJECT, REPOSITORY, Fault, Kind, Reply, change_body, replace_body
from tests.support.faults.faultmatrix import (
    HEALTHY,
    HEALTHY_KEYS,
    IMPATIENT,
    JAMMY,
    JAMMY_DIST,
    LEAP,
    LEAP_DIST,
    OTHER,
    RHEL,
    RHEL_DIST,
    Stage,
)

HEALED, HELD, REFUSED = "healed", "held", "refused"
MUST_BE_ASKED = {f"{LEAP_DIST}/hello-1.0-1.x86_64.rpm", f"{LEAP_DIST}/tool-2.0-1.x86_64.rpm"}


def keys_of(*distributions: str) -> frozenset[str]:
    return frozenset(f"{d}/{name}" for d in distributions for name in HEALTHY[d])


@frozen
class Cell:
    """One fault at one read. ``held`` are the keys that must not be touched while it lasts.

    ``expect`` are the outcomes allowed, ``codes`` the exit codes of a refusal. With ``alone`` nothing else may suffer.
    """

    id: str
    play: Callable[[Stage], object] = field(repr=False)
    expect: Collection[str]
    held: frozenset[str] = frozenset()
    codes: Collection[int] = frozenset({1})
    alone: bool = True
    slow: bool = False


@frozen
class Route:
    """One read: requests to ``service`` that hold the expression ``path``, from the ``nth`` on.

    ``failed`` is what must come of it when it never succeeds, ``held`` what may then not be touched.
    """

    id: str
    service: str
    path: str
    nth: int
    failed: str
    held: frozenset[str]
    root: str = ""

    def add(self, stage: Stage, fault: Fault) -> Fault:
        board = stage.sandbox.obs.faults if self.service == "obs" else stage.sandbox.packagecloud.faults
        if self.id == "details":
            stage.sandbox.packagecloud.faults.add(unknown_sums())
        return board.add(fault)


def unknown_sums() -> Fault:
    """The listing does not know the checksums of two files."""
    names = [key.rpartition("/")[2] for key in MUST_BE_ASKED]

    def change(body: bytes) -> bytes:
        rows = json.loads(body)
        return json.dumps([{**r, "sha256sum": None} if r["filename"] in names else r for r in rows]).encode()

    return Fault(kind=Kind.REWRITE, path=r"packages\.json", times=None, change=change_body(change))


def _obs(id: str, path: str, nth: int, failed: str, root: str, *distributions: str) -> Route:
    return Route(id, "obs", path, nth, failed, keys_of(*distributions), root)


def _pages(id: str, path: str) -> Route:
    return Route(id, "packagecloud", path, 1, REFUSED, HEALTHY_KEYS)


_PROJECT = (LEAP_DIST, JAMMY_DIST)
META = _obs("meta", f"/source/{PROJECT}/_meta", 1, REFUSED, "project", *_PROJECT)
RESULT_1 = _obs("result-1", f"/build/{PROJECT}/_result", 1, REFUSED, "resultlist", *_PROJECT)
RESULT_2 = _obs("result-2", f"/build/{PROJECT}/_result", 2, REFUSED, "resultlist", *_PROJECT)
REPOMD_1 = _obs("repomd-1", f"{LEAP}/repodata/repomd.xml", 1, HELD, "repomd", LEAP_DIST)
REPOMD_2 = _obs("repomd-2", f"{LEAP}/repodata/repomd.xml", 2, HELD, "repomd", LEAP_DIST)
PRIMARY = _obs("primary", f"{LEAP}/repodata/.*-primary", 1, HELD, "metadata", LEAP_DIST)
RELEASE_1 = _obs("release-1", f"{JAMMY}/Release", 1, HELD, "", JAMMY_DIST)
RELEASE_2 = _obs("release-2", f"{JAMMY}/Release", 2, HELD, "", JAMMY_DIST)
PACKAGES = _obs("packages-gz", f"{JAMMY}/Packages", 1, HELD, "", JAMMY_DIST)
OTHER_INDEX = _obs("other-repomd", f"/published/{OTHER}/{RHEL}/repodata/repomd.xml", 1, HELD, "repomd", RHEL_DIST)
DISTRIBUTIONS = _pages("distributions", r"/distributions\.json")
PAGE_1 = _pages("page-1", rf"{REPOSITORY}/packages\.json.*[&?]page=1$")
PAGE_N = _pages("page-n", rf"{REPOSITORY}/packages\.json.*[&?]page=3$")
PAGE_LAST = _pages("page-last", rf"{REPOSITORY}/packages\.json.*[&?]page=4$")
DETAILS = Route(
    "details", "packagecloud", r"/package/rpm/.*hello.*/1\.0/1", 1, HELD, frozenset(sorted(MUST_BE_ASKED)[:1])
)

OBS_ROUTES = (META, RESULT_1, RESULT_2, REPOMD_1, REPOMD_2, PRIMARY, RELEASE_1, RELEASE_2, PACKAGES, OTHER_INDEX)
PACKAGECLOUD_ROUTES = (DISTRIBUTIONS, PAGE_1, PAGE_N, PAGE_LAST, DETAILS)
ROUTES = (*OBS_ROUTES, *PACKAGECLOUD_ROUTES)


@frozen
class Trouble:
    """One generic fault. ``passes``: a read that meets it once is repeated. ``code``: it ends the run with this one."""

    id: str
    make: Callable[[Route], Fault] = field(repr=False)
    passes: bool = True
    code: Callable[[Route], int | None] = field(default=lambda route: None, repr=False)
    slow: bool = False


def status(number: int, **headers: str) -> Callable[[Route], Fault]:
    return lambda route: Fault(
        kind=Kind.STATUS, status=number, headers=headers, body=b"{}", content_type="application/json"
    )


def kind(kind: Kind, **options: Any) -> Callable[[Route], Fault]:
    return lambda route: Fault(kind=kind, **options)


def body(make: Callable[[Route], bytes]) -> Callable[[Route], Fault]:
    """Another body, status, type and length in order."""
    return lambda route: Fault(kind=Kind.REWRITE, change=replace_body(make(route)))


def shortened(cut: Callable[[bytes], bytes]) -> Callable[[Route], Fault]:
    return lambda route: Fault(kind=Kind.REWRITE, change=change_body(cut))


def entity_bomb(route: Route) -> bytes:
    lines = [f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 10)]
    root = route.root or "resultlist"
    return f'<?xml version="1.0"?><!DOCTYPE {root} [<!ENTITY e0 "x">{"".join(lines)}]><{root}>&e9;</{root}>'.encode()


def nested(route: Route) -> bytes:
    """Brackets or elements within each other, more than a stack holds."""
    if route.service == "packagecloud":
        return b"[" * 200_000 + b"]" * 200_000
    return f"<{route.root or 'Package'}>".encode() + b"<a>" * 20_000


@cache
def packed_zeros() -> bytes:
    return gzip.compress(bytes(48 * 2**20), 9)


def swollen(reply: Reply) -> Reply:
    """A few kilobytes on the wire, 48 MiB behind them: a hundred times what the limits allow."""
    return Reply(status=reply.status, headers=(*reply.headers, ("Content-Encoding", "gzip")), body=packed_zeros())


HTML = b"<!DOCTYPE html><html><head><title>Maintenance</title></head><body><h1>Back soon</h1></body></html>"
LOGIN = b"\n  <html><body><form action='/login'>Please log in</form></body></html>"


def _always(code: int) -> Callable[[Route], int | None]:
    return lambda route: code


def _quota(route: Route) -> int | None:
    return 9 if route.service == "packagecloud" else None


TROUBLES = (
    Trouble("time-out", kind(Kind.HANG), slow=True),
    Trouble("slow-drip", kind(Kind.DRIP, delay=0.05), slow=True),
    Trouble("reset", kind(Kind.RESET)),
    Trouble("reset-midway", kind(Kind.RESET_MIDWAY, keep=70)),
    Trouble("cut-wrong-length", kind(Kind.CUT, keep=70)),
    Trouble("cut-right-length-start", kind(Kind.TRUNCATE, keep=70)),
    Trouble("cut-right-length-half", shortened(lambda b: b[: len(b) // 2])),
    Trouble("cut-right-length-last-byte", shortened(lambda b: b.rstrip()[:-1])),
    Trouble("cut-right-length-last-line", shortened(lambda b: b"".join(b.splitlines(keepends=True)[:-1]) or b[:-9])),
    Trouble("doubled", shortened(lambda b: b + b)),
    Trouble("corrupt", kind(Kind.CORRUPT)),
    Trouble("empty", kind(Kind.EMPTY)),
    Trouble("blank", body(lambda route: b" \n")),
    Trouble("html-200", kind(Kind.STATUS, status=200, body=HTML)),
    Trouble("html-200-typed-right", body(lambda route: LOGIN)),
    Trouble("html-500", kind(Kind.STATUS, status=500, body=HTML)),
    Trouble("401", status(401), False, _always(7)),
    Trouble("403", status(403), False, _always(7)),
    Trouble("404", status(404), False),
    Trouble("410", status(410), False),
    Trouble("204", kind(Kind.STATUS, status=204)),
    Trouble("206", lambda route: Fault(kind=Kind.REWRITE, change=lambda r: Reply(status=206, headers=r.headers, body=r.body[:99]))),
    Trouble("429", status(429), code=_quota),
    Trouble("429-retry-after", status(429, **{"Retry-After": "3600"})),
    *(Trouble(str(number), status(number)) for number in (408, 500, 501, 502, 503, 504)),
    Trouble("503-retry-after", status(503, **{"Retry-After": "7"})),
    Trouble("wrong-type", kind(Kind.TYPE, content_type="text/html; charset=utf-8")),
    Trouble("redirect-to-itself", lambda route: Fault(kind=Kind.REDIRECT, location="?again=1&page=1"), False),
    Trouble("redirect-to-nowhere", lambda route: Fault(kind=Kind.REDIRECT, location="http://[/"), False),
    Trouble("entity-bomb", body(entity_bomb)),
    Trouble("nested", body(nested)),
    Trouble("swollen", lambda route: Fault(kind=Kind.REWRITE, change=swollen), False),
    Trouble("stray-encoding", lambda route: Fault(kind=Kind.REWRITE, change=lambda r: r.with_header("Content-Encoding", "gzip"))),
    Trouble("endless", kind(Kind.ENDLESS), False),
    Trouble("empty-array", body(lambda route: b"[]")),
    Trouble("empty-object", body(lambda route: b"{}")),
    Trouble("null", body(lambda route: b"null")),
    Trouble("empty-root", body(lambda route: f"<{route.root or 'x'}/>".encode())),
    Trouble("empty-directory", body(lambda route: b"<directory/>")),
    Trouble("status-document", body(lambda route: b'<status code="ok"><summary>Ok</summary></status>')),
)  # fmt: skip


# The list of packages is verified by what its top file states of it, and is asked for without an encoding; the last
# line of a Release is the checksum of a file that is not read.
HARMLESS = {
    ("primary", "stray-encoding"), ("packages-gz", "stray-encoding"),
    ("release-1", "cut-right-length-last-line"), ("release-2", "cut-right-length-last-line"),
}  # fmt: skip


def cell(route: Route, trouble: Trouble, times: int | None) -> Cell:
    def play(stage: Stage) -> None:
        if trouble.slow:
            stage.limits = IMPATIENT
        fault = trouble.make(route)
        fault.path, fault.nth, fault.times = route.path, route.nth, times
        route.add(stage, fault)

    harmless = (route.id, trouble.id) in HARMLESS
    code = trouble.code(route)
    lasting = times is None
    if code is not None:
        expect = {REFUSED}
    elif harmless:
        expect = {HEALED}
    elif lasting:
        expect = {route.failed}
    else:
        expect = {HEALED} if trouble.passes else {HEALED, HELD, REFUSED}
    return Cell(
        f"{route.id}-{trouble.id}-{'always' if lasting else 'once'}",
        play,
        expect,
        held=route.held if lasting and not harmless else frozenset(),
        codes={code or 1},
        slow=trouble.slow,
    )


def generic() -> Iterator[Cell]:
    for route in ROUTES:
        for trouble in TROUBLES:
            yield cell(route, trouble, 1)
            yield cell(route, trouble, None)
