"""``python -m tests.benchmarks.inner NAME COUNT FOLDER``: one piece of work, its seconds on standard output as JSON.

What is prepared for it, and the start of Python, do not count.
"""

import json
import os
import sys
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

from pkgsync import planfile, report
from pkgsync.formats import debian, rpmmd
from pkgsync.model import DesiredState, IndexedFile, Limits, Policy, Row
from pkgsync.model.reports import EVERY_ORPHAN
from pkgsync.obs import results
from pkgsync.reconcile import audit, recheck, reconcile
from tests.benchmarks import floors
from tests.support.values import builders

Work = Callable[[], object]
_PIECE = 65536
_LIMITS = Limits(deletions=10**7, deletions_percent=100)


def _pieces(path: Path) -> Any:
    with path.open("rb") as stream:
        while piece := stream.read(_PIECE):
            yield piece


def parser(name: str, folder: Path) -> Work:
    """``result``, ``primary`` or ``packages``; with a floor's name behind it, that one."""
    kind, _, floor = name.partition("-")
    path = folder / ("Packages" if kind == "packages" else f"{kind}.xml")
    match floor:
        case "sketch":
            return lambda: getattr(floors, kind)(path)
        case "expat":
            return lambda: floors.bare_expat(path)
        case "createrepo_c":
            return lambda: floors.createrepo_c(path)
    if kind == "result":
        return lambda: results.parse_result(path.read_bytes(), "bench")
    parse = rpmmd.parse_packages if kind == "primary" else debian.parse_packages
    return lambda: list(parse(_pieces(path), "bench"))


def _files(count: int, version: str) -> list[IndexedFile]:
    return [builders.rpm(f"package{number:06}", version) for number in range(count)]


def _world(count: int, *, orphans: bool) -> tuple[DesiredState, list[Row], Policy]:
    """All files are there; with ``orphans`` an older version of each, too."""
    files = _files(count, "2.0")
    packages = [builders.package(file.name, file) for file in files]
    offered = builders.repository(*files, architectures=[builders.architecture("x86_64", *packages)])
    rows = [builders.row(file) for file in files]
    rows += [builders.row(file) for file in _files(count, "1.0")] if orphans else []
    return builders.desired(offered), rows, builders.policy(limits=_LIMITS)


def core(name: str, count: int) -> Work:
    """``nothing``: all is equal; ``orphans``: as many to delete as to keep; and the floor: two dictionaries."""
    desired, rows, policy = _world(count, orphans=name == "orphans")
    managed, now = (builders.LEAP,), builders.NOW
    actual = builders.actual(*rows)
    if name == "compare":
        offered = [(builders.LEAP, f) for r in desired.repositories for f in (r.index.files if r.index else ())]
        return lambda: _compare(offered, rows)
    if name == "nothing":
        return lambda: reconcile(desired, actual, policy, managed, now)
    return lambda: audit(reconcile(desired, actual, policy, managed, now), desired, actual, policy, now, EVERY_ORPHAN)


def _compare(offered: list[tuple[str, IndexedFile]], rows: list[Row]) -> int:
    there = {(row.distribution, row.filename): row.sha256 for row in rows}
    return sum(there.get((distribution, file.filename)) != file.sha256 for distribution, file in offered)


def plans(name: str, count: int, folder: Path) -> Work:
    """A plan of so many deletions: written, read and checked again; and what the json module alone would take."""
    path = folder / "plan.json"
    if name == "read":
        return lambda: planfile.read(path)
    if name == "json-read":
        return lambda: json.loads(path.read_bytes())
    if name == "json-write":
        document = json.loads(path.read_bytes())
        return lambda: json.dumps(document, indent=2, sort_keys=True)
    desired, rows, policy = _world(count, orphans=True)
    made = builders.plan(desired.repositories, rows, policy)
    if len(made.deletions) != count:
        raise RuntimeError(f"{len(made.deletions)} deletions")
    if name == "write":
        return lambda: planfile.write(made, path)
    actual, now = builders.actual(*rows), builders.NOW
    if name == "recheck":
        return lambda: recheck(made, desired, actual, policy, (builders.LEAP,), now)
    return _audit_as_json(desired, rows, policy, now)


def _audit_as_json(desired: DesiredState, rows: list[Row], policy: Policy, now: datetime) -> Work:
    actual = builders.actual(*rows)
    decided = reconcile(desired, actual, policy, (builders.LEAP,), now)
    found = audit(decided, desired, actual, policy, now, EVERY_ORPHAN)
    return lambda: report.audit_json(found)


def _work(name: str, count: int, folder: Path) -> Work:
    group, _, rest = name.partition(":")
    match group:
        case "parse":
            return parser(rest, folder)
        case "core":
            return core(rest, count)
        case "plan":
            return plans(rest, count, folder)
    raise ValueError(name)


def main() -> None:
    name, count, folder = sys.argv[1:]
    work = _work(name, int(count), Path(folder))
    begun, cpu = time.monotonic(), time.process_time()
    kept = work()
    told = {"seconds": time.monotonic() - begun, "cpu_seconds": time.process_time() - cpu}
    print(json.dumps(told), flush=True)
    os._exit(0 if kept is not None else 1)  # what it takes to give the memory back counts for nothing


if __name__ == "__main__":
    main()
