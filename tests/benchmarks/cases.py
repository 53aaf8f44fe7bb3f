"""What is compared: reading and planning, transferring, memory."""

import json
import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from attrs import asdict, frozen

from tests.benchmarks import curl
from tests.benchmarks.running import Measure, Services, middle, run, serving
from tests.benchmarks.worlds import MIB, SIZES, Load

PKGSYNC = [sys.executable, "-m", "pkgsync"]


@frozen
class Comparison:
    """pkgsync and the other client in the same world, with ``latency`` seconds before each answer."""

    case: str
    size: str
    latency: float
    pkgsync: Measure
    other: Measure | None

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def planning(size: str, latencies: Sequence[float], repeats: int) -> list[Comparison]:
    """A plan of an up-to-date repository, against the predecessor's loop. Both come to "nothing to do"."""
    with tempfile.TemporaryDirectory() as name, serving(Path(name), size=size) as services:
        title = f"{size}: {SIZES[size].files} files"
        _pkgsync(services, Path(name), "plan")  # leaves its byte code, as an installation does
        found = []
        for latency in latencies:
            ours, theirs = [], []
            for _ in range(repeats):
                ours.append(services.measure(lambda: _pkgsync(services, Path(name), "plan"), latency))
                theirs.append(services.measure(lambda: _loop(services), latency))
            found.append(Comparison("plan", title, latency, middle(ours), middle(theirs)))
        return found


def _loop(services: Services) -> Measure:
    return run([sys.executable, "-m", "tests.benchmarks.loop"], {}, json.dumps(dict(services.told)))


def transferring(load: Load, latency: float, repeats: int) -> Comparison:
    """An apply of uploads only, its checks of both services included, against curl, which verifies nothing."""
    with tempfile.TemporaryDirectory() as name, serving(Path(name), load=asdict(load)) as services:
        folder = Path(name)
        _pkgsync(services, folder, "plan", "-o", str(folder / "plan.json"))
        ours, theirs = [], []
        for _ in range(repeats):
            ours.append(services.measure(lambda: _apply(services, folder), latency))
            _empty(services, load)
            if shutil.which("curl"):
                theirs.append(services.measure(lambda: curl.transfer(services.told, load, folder), latency))
                _empty(services, load)
        title = f"{load.name}: {load.files} x {_bytes(load.bytes)}"
        return Comparison("transfer", title, latency, middle(ours), middle(theirs) if theirs else None)


def memory(load: Load) -> Comparison:
    """An apply of one file."""
    with tempfile.TemporaryDirectory() as name, serving(Path(name), load=asdict(load)) as services:
        folder = Path(name)
        _pkgsync(services, folder, "plan", "-o", str(folder / "plan.json"))
        measured = services.measure(lambda: _apply(services, folder), 0)
        return Comparison("memory", f"{load.files} x {_bytes(load.bytes)}", 0, measured, None)


def _apply(services: Services, folder: Path) -> Measure:
    """Nothing is left of an earlier run: neither the cache nor the journal."""
    for leftover in ("cache", "state"):
        shutil.rmtree(folder / leftover, ignore_errors=True)
    return _pkgsync(services, folder, "apply", str(folder / "plan.json"))


def _empty(services: Services, load: Load) -> None:
    rows = services.ask(do="result")["rows"]
    if rows != load.files:
        raise RuntimeError(f"{rows} of {load.files} files were transferred")
    services.ask(do="empty")


def _pkgsync(services: Services, folder: Path, *arguments: str) -> Measure:
    places = ["--cache-dir", str(folder / "cache"), "--state-dir", str(folder / "state")]
    common = ["-q", "-c", services.told["config"], *places]
    return run([*PKGSYNC, *common, *arguments], services.told["environment"])


def _bytes(count: int) -> str:
    return f"{count // MIB} MiB" if count >= MIB else f"{count // 1024} KiB"
