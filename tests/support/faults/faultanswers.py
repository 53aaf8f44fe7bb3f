"""Cells of the fault matrix: _result, _meta and pages that are well-formed and say something wrong."""

import json
from collections.abc import Callable, Iterator
from copy import deepcopy
from xml.etree import ElementTree as ET

from pkgsync.sandbox import PROJECT, REPOSITORY, Fault, Kind, Reply, change_body, replace_body, set_headers
from tests.support.faults.faultcells import (
    HEALED,
    HELD,
    PAGE_1,
    PAGE_LAST,
    PAGE_N,
    REFUSED,
    Cell,
    Route,
    keys_of,
)
from tests.support.faults.faultmatrix import HEALTHY_KEYS, JAMMY_DIST, LEAP, LEAP_DIST, OTHER, Stage

LEAP_KEYS, JAMMY_KEYS = keys_of(LEAP_DIST), keys_of(JAMMY_DIST)
X86_KEYS = frozenset(k for k in LEAP_KEYS if k.endswith(("x86_64.rpm", "noarch.rpm")))
ARM_KEYS = frozenset(k for k in LEAP_KEYS if k.endswith(("aarch64.rpm", "noarch.rpm")))
HELLO_X86 = frozenset({f"{LEAP_DIST}/hello-1.0-1.x86_64.rpm", f"{LEAP_DIST}/hello-1.1-1.x86_64.rpm"})
ANY = frozenset({HEALED, HELD, REFUSED})

Change = Callable[[ET.Element], object]


def _of_leap(change: Change, arch: str = "x86_64") -> Change:
    def each(root: ET.Element) -> None:
        for element in root.findall("result"):
            if element.get("repository") == LEAP and arch in ("", element.get("arch")):
                change(element)

    return each


def _coded(code: str, arch: str = "x86_64") -> Change:
    def change(element: ET.Element) -> None:
        element.set("code", code)
        element.set("state", code)

    return _of_leap(change, arch)


def _without(root: ET.Element, wanted: Callable[[ET.Element], bool]) -> None:
    for element in list(root):
        if wanted(element):
            root.remove(element)


def _emptied(element: ET.Element) -> None:
    for child in list(element):
        element.remove(child)


def _lists_emptied(element: ET.Element) -> None:
    for child in element.findall("binarylist"):
        _emptied(child)


def _doubled(root: ET.Element) -> None:
    """Twice, and not the same: equal ones are what an old backend gives for an architecture that is written twice."""
    other = deepcopy(root.findall("result")[0])
    other.set("code", "building")
    root.append(other)


def _never_ran(element: ET.Element) -> None:
    element.set("code", "unknown")
    _emptied(element)


def _failed(element: ET.Element) -> None:
    for status in element.findall("status"):
        status.set("code", "failed")


def _without_architectures(root: ET.Element) -> None:
    for repository in root.findall("repository"):
        _emptied(repository)


def _details(element: ET.Element) -> None:
    ET.SubElement(element, "details").text = "a child that newer servers write"


def _later(element: ET.Element) -> None:
    for stats in element.findall("stats"):
        stats.set("lastpublished", str(int(stats.get("lastpublished", "0")) + 3600))


RESULTS: tuple[tuple[str, Change, str, frozenset[str]], ...] = (
    ("no-state", lambda r: r.attrib.pop("state"), REFUSED, HEALTHY_KEYS),
    ("zero-state", lambda r: r.set("state", "0" * 32), REFUSED, HEALTHY_KEYS),
    ("odd-state", lambda r: r.set("state", "building"), REFUSED, HEALTHY_KEYS),
    ("no-results", lambda r: _without(r, lambda e: True), HELD, LEAP_KEYS | JAMMY_KEYS),
    ("missing-repository", lambda r: _without(r, lambda e: e.get("repository") == LEAP), HELD, LEAP_KEYS),
    ("missing-architecture", lambda r: _without(r, lambda e: e.get("arch") == "aarch64"), HELD, ARM_KEYS),
    ("other-project", lambda r: r[0].set("project", OTHER), REFUSED, HEALTHY_KEYS),
    ("doubled-result", _doubled, REFUSED, HEALTHY_KEYS),
    ("dirty", _of_leap(lambda e: e.set("dirty", "true")), HELD, X86_KEYS),
    ("dirty-1", _of_leap(lambda e: e.set("dirty", "1")), HELD, X86_KEYS),
    ("details", _of_leap(lambda e: e.set("details", "delayed")), HELD, X86_KEYS),
    ("details-child", _of_leap(_details), HELD, X86_KEYS),
    ("publishing", _coded("publishing"), HELD, LEAP_KEYS),
    *((code, _coded(code), HELD, X86_KEYS) for code in (
        "building", "finished", "scheduling", "blocked", "broken", "unknown", "disabled", "excluded", "locked", "new-one",
    )),
    ("all-unpublished", _coded("unpublished", ""), HELD, LEAP_KEYS),
    ("never-ran", _of_leap(_never_ran), HELD, X86_KEYS),
    ("no-packages", _of_leap(_emptied), HELD, X86_KEYS - HELLO_X86),
    ("no-files", _of_leap(_lists_emptied), HELD, HELLO_X86),
    ("no-lists", _of_leap(lambda e: _without(e, lambda c: c.tag == "binarylist")), REFUSED, HEALTHY_KEYS),
    ("no-codes", _of_leap(lambda e: _without(e, lambda c: c.tag == "status")), REFUSED, HEALTHY_KEYS),
    ("published-later", _of_leap(_later), HELD, LEAP_KEYS),
    ("failed", _of_leap(_failed), HELD, HELLO_X86),
    ("no-code", _of_leap(lambda e: (e.attrib.pop("code"), e.attrib.pop("state"))), REFUSED, HEALTHY_KEYS),
    ("no-sizes", lambda r: [b.attrib.pop("size") for b in r.iter("binary")], REFUSED, HEALTHY_KEYS),
)  # fmt: skip


def _xml(change: Change) -> Callable[[Reply], Reply]:
    def rewritten(body: bytes) -> bytes:
        root = ET.fromstring(body)
        change(root)
        return ET.tostring(root)

    return change_body(rewritten)


def result_cells() -> Iterator[Cell]:
    for name, change, failed, held in RESULTS:
        for when, nth, times in (("always", 1, None), ("first", 1, 1), ("from-second", 2, None), ("second", 2, 1)):

            def play(stage: Stage, change: Change = change, nth: int = nth, times: int | None = times) -> None:
                fault = Fault(
                    kind=Kind.REWRITE, path=rf"/build/{PROJECT}/_result", nth=nth, times=times, change=_xml(change)
                )
                stage.sandbox.obs.faults.add(fault)

            lasting = times is None
            expect = {failed} if lasting else ({HEALED} if failed == REFUSED else {HEALED, HELD})
            yield Cell(f"result-says-{name}-{when}", play, expect, held if lasting else frozenset(), alone=False)


def _another_repository(root: ET.Element) -> None:
    ET.SubElement(ET.SubElement(root, "repository", name="New_1"), "arch").text = "x86_64"


def _more_architectures(root: ET.Element) -> None:
    for repository in root.findall("repository"):
        ET.SubElement(repository, "arch").text = "riscv64"


METAS: tuple[tuple[str, Change, str | frozenset[str], frozenset[str]], ...] = (
    ("no-repository", lambda r: _without(r, lambda e: e.tag == "repository"), HELD, LEAP_KEYS | JAMMY_KEYS),
    ("missing-repository", lambda r: _without(r, lambda e: e.get("name") == LEAP), HELD, LEAP_KEYS),
    ("unmapped-repository", _another_repository, REFUSED, HEALTHY_KEYS),
    ("other-project", lambda r: r.set("name", OTHER), REFUSED, HEALTHY_KEYS),
    ("no-name", lambda r: r.attrib.pop("name"), REFUSED, HEALTHY_KEYS),
    ("more-architectures", _more_architectures, HELD, frozenset(k for k in LEAP_KEYS if "noarch" in k)),
    ("no-architectures", _without_architectures, ANY, frozenset()),
)  # fmt: skip


def meta_cells() -> Iterator[Cell]:
    for name, change, failed, held in METAS:

        def play(stage: Stage, change: Change = change) -> None:
            fault = Fault(kind=Kind.REWRITE, path=f"/source/{PROJECT}/_meta", times=None, change=_xml(change))
            stage.sandbox.obs.faults.add(fault)

        expect = {failed} if isinstance(failed, str) else failed
        yield Cell(f"meta-says-{name}", play, expect, held, alone=False)


def _rows(change: Callable[[list[dict[str, object]]], object]) -> Callable[[Reply], Reply]:
    def rewritten(body: bytes) -> bytes:
        rows = json.loads(body)
        return json.dumps(change(rows)).encode()

    return change_body(rewritten)


def _link(target: str) -> Callable[[Reply], Reply]:
    return set_headers(link=f'<{target}>; rel="next"')


def _no_header(name: str) -> Callable[[Reply], Reply]:
    return lambda r: Reply(status=r.status, headers=tuple(h for h in r.headers if h[0].lower() != name), body=r.body)


API = f"/api/v1/repos/{REPOSITORY}/packages.json"
PAGES: tuple[tuple[str, Callable[[Reply], Reply], tuple[Route, ...]], ...] = (
    ("next-elsewhere", _link(f"http://198.51.100.7{API}?page=2"), (PAGE_1, PAGE_N, PAGE_LAST)),
    ("next-itself-1", _link(f"{API}?page=1"), (PAGE_1, PAGE_N, PAGE_LAST)),
    ("next-itself-3", _link(f"{API}?page=3"), (PAGE_1, PAGE_N, PAGE_LAST)),
    ("next-nonsense", _link("http://[/?page=x"), (PAGE_1, PAGE_N, PAGE_LAST)),
    ("total-low", set_headers(total="3"), (PAGE_1, PAGE_N, PAGE_LAST)),
    ("total-one-less", set_headers(total="25"), (PAGE_1, PAGE_N, PAGE_LAST)),
    ("total-high", set_headers(total="999"), (PAGE_1, PAGE_N, PAGE_LAST)),
    ("total-huge", set_headers(total="999999999999999999"), (PAGE_1, PAGE_N, PAGE_LAST)),
    ("total-zero", set_headers(total="0"), (PAGE_1, PAGE_N, PAGE_LAST)),
    ("total-text", set_headers(total="many"), (PAGE_1, PAGE_N, PAGE_LAST)),
    ("total-absent", _no_header("total"), (PAGE_1, PAGE_LAST)),
    ("empty-page", replace_body(b"[]"), (PAGE_1, PAGE_N, PAGE_LAST)),
    ("row-missing", _rows(lambda rows: rows[1:]), (PAGE_1, PAGE_N, PAGE_LAST)),
    ("row-twice", _rows(lambda rows: [*rows[1:], rows[-1]]), (PAGE_1, PAGE_N)),
    ("row-more", _rows(lambda rows: [*rows, rows[0]]), (PAGE_1, PAGE_N, PAGE_LAST)),
    ("row-nameless", _rows(lambda rows: [{**rows[0], "filename": None}, *rows[1:]]), (PAGE_1, PAGE_N, PAGE_LAST)),
    ("row-outside", _rows(lambda rows: [{**rows[0], "filename": "../x.rpm"}, *rows[1:]]), (PAGE_1, PAGE_N, PAGE_LAST)),
    ("row-null", _rows(lambda rows: [None, *rows[1:]]), (PAGE_1, PAGE_N, PAGE_LAST)),
    ("rows-in-object", _rows(lambda rows: {"packages": rows}), (PAGE_1, PAGE_N, PAGE_LAST)),
)  # fmt: skip


def page_cells() -> Iterator[Cell]:
    for name, change, routes in PAGES:
        for route in routes:
            for times in (1, None):

                def play(
                    stage: Stage, route: Route = route, times: int | None = times, change: object = change
                ) -> None:
                    route.add(stage, Fault(kind=Kind.REWRITE, path=route.path, times=times, change=change))  # type: ignore[arg-type]

                expect = {HEALED} if times else {REFUSED}
                yield Cell(
                    f"{route.id}-{name}-{'once' if times else 'always'}",
                    play,
                    expect,
                    HEALTHY_KEYS if not times else frozenset(),
                )
    for name, query in (("repeated", (r"page=\d+", "page=2")), ("shrunk", (r"per_page=\d+", "per_page=2"))):
        for route in (PAGE_N, PAGE_LAST):
            for times in (1, None):

                def ask(
                    stage: Stage, route: Route = route, times: int | None = times, query: tuple[str, str] = query
                ) -> None:
                    route.add(stage, Fault(kind=Kind.QUERY, path=route.path, times=times, query=query))

                yield Cell(f"{route.id}-{name}-{'once' if times else 'always'}", ask, {HEALED} if times else {REFUSED})


def cells() -> Iterator[Cell]:
    yield from result_cells()
    yield from meta_cells()
    yield from page_cells()
