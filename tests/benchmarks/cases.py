"""What is measured beside what: start, plans, parsers, plan files, the core, transfers, large applies, memory."""

import json
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from attrs import asdict, frozen

from tests.benchmarks import curl, documents
from tests.benchmarks.running import ROOT, Measure, Services, behind, interleaved, run, run_inner, run_telling, serving
from tests.benchmarks.worlds import MIB, SIZES, Load

PKGSYNC = [sys.executable, "-m", "pkgsync"]
JOBS = 4  # as many transfers at a time as an apply has of itself
LATENCY = 0.02


@frozen
class Row:
    """pkgsync, and what it is measured beside, in the same world at the same time."""

    case: str
    pkgsync: Measure
    others: Mapping[str, Measure]

    @classmethod
    def of(cls, case: str, found: Mapping[str, Measure]) -> "Row":
        return cls(case, found["pkgsync"], {name: one for name, one in found.items() if name != "pkgsync"})

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def starting(repeats: int) -> Iterator[Row]:
    """Commands that send nothing, beside the import of click. Their byte code is at hand, as in an installation."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        shutil.copy(ROOT / "examples/minimal.yaml", folder / "pkgsync.yaml")
        run_inner("plan:write", 10, folder)
        for command in ("--help", "plan --help", "validate", "show plan.json", "cache info"):
            clients = {
                "pkgsync": partial(run, [*PKGSYNC, *command.split()], folder=folder),
                "click": partial(run, [sys.executable, "-c", "import click"], folder=folder),
            }
            interleaved(clients, 1)
            yield Row.of(command, interleaved(clients, repeats))


def planning(size: str, latency: float, repeats: int) -> Iterator[Row]:
    """A plan of an up-to-date repository. All come to "nothing to do"."""
    with tempfile.TemporaryDirectory() as name, serving(Path(name), size=size) as services:
        folder, told = Path(name), json.dumps(dict(services.told))

        def cold() -> Measure:
            shutil.rmtree(folder / "cache", ignore_errors=True)
            return _pkgsync(services, folder, "plan")

        clients: dict[str, Callable[[], Measure]] = {
            "pkgsync": cold,
            "warm": partial(_pkgsync, services, folder, "plan"),
            "sketch": partial(run, [sys.executable, "-m", "tests.benchmarks.sketch"], text=told),
            "loop": partial(run, [sys.executable, "-m", "tests.benchmarks.loop"], text=told),
        }
        measured = {key: partial(services.measure, client, latency) for key, client in clients.items()}
        title = f"plan {size}, {SIZES[size].files:,} files, {latency * 1000:.0f} ms"
        found = interleaved(measured, repeats)
        warm = found.pop("warm")
        yield Row.of(title, found)
        yield Row.of(f"{title}, again", {**found, "pkgsync": warm})


def parsing(scale: float, repeats: int) -> Iterator[Row]:
    """Indexes and results, beside what takes the same fields unchecked, and the bare libraries."""
    known = {
        "result": (888_000, ["sketch", "expat"]),
        "primary": (200_000, ["sketch", "expat", *(["createrepo_c"] if find_spec("createrepo_c") else [])]),
        "packages": (190_000, ["sketch", *(["apt"] if shutil.which("apt-cache") else [])]),
    }
    for kind, (full, floors) in known.items():
        count = int(full * scale)
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            size = documents.write(kind, count, folder).stat().st_size
            inner = {floor: f"parse:{kind}-{floor}" for floor in floors if floor != "apt"}
            clients = {key: partial(run_inner, what, count, folder) for key, what in inner.items()}
            clients["pkgsync"] = partial(run_inner, f"parse:{kind}", count, folder)
            if "apt" in floors:
                clients["apt"] = partial(_apt, folder, count)
            yield Row.of(f"{kind}, {count:,} entries, {size // MIB} MiB", interleaved(clients, repeats))


def _apt(folder: Path, count: int) -> Measure:
    """apt's own cache of the Packages file of a flat repository, in folders of its own."""
    lists = folder / "lists"
    (lists / "partial").mkdir(parents=True, exist_ok=True)
    (folder / "sources.list").write_text(f"deb [trusted=yes] file:{folder} ./\n")
    place = lists / f"{str(folder).replace('_', '%5f').replace('/', '_')}_._Packages"
    if not place.exists():
        place.symlink_to(folder / "Packages")
    options = {
        "Dir::Etc::SourceList": folder / "sources.list",
        "Dir::Etc::SourceParts": "/dev/null",
        "Dir::State::Lists": lists,
        "Dir::State::status": "/dev/null",
        "Dir::Cache": folder / "cache",
        "APT::Architecture": "amd64",
    }
    given = [part for name, value in options.items() for part in ("-o", f"{name}={value}")]
    measured, told = run_telling(["apt-cache", *given, "stats"])
    if f"Normal packages: {count}\n" not in told:
        raise RuntimeError(f"apt has not read all packages: {told}")
    return measured


def deciding(scale: float, repeats: int) -> Iterator[Row]:
    """The core over rows that are all equal, and over as many orphans; beside two dictionaries compared."""
    count = int(100_000 * scale)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for what, title in (("nothing", "reconcile, {:,} rows, nothing to do"), ("orphans", "audit, {:,} orphans")):
            clients = {
                "pkgsync": partial(run_inner, f"core:{what}", count, folder),
                "compare": partial(run_inner, "core:compare", count, folder),
            }
            yield Row.of(title.format(count), interleaved(clients, repeats))


def plan_files(scale: float, repeats: int) -> Iterator[Row]:
    """A plan of many deletions, beside json alone."""
    count = int(100_000 * scale)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        run_inner("plan:write", count, folder)
        for work, floor in (("write", "json-write"), ("read", "json-read"), ("recheck", None), ("audit", "json-write")):
            clients = {"pkgsync": partial(run_inner, f"plan:{work}", count, folder)}
            if floor:
                clients["json"] = partial(run_inner, f"plan:{floor}", count, folder)
            title = {"audit": f"audit as JSON, {count:,} orphans"}.get(work, f"{work} a plan of {count:,} deletions")
            yield Row.of(title, interleaved(clients, repeats))


def transferring(
    load: Load, latency: float, repeats: int, rate: int | None = None, jobs: int = JOBS, one_by_one: bool = True
) -> Iterator[Row]:
    """An apply of uploads only, its checks of both services included, against curl, which verifies nothing.

    ``rate`` is how many bytes a second a connection carries, each way; None: as many as it can. The wire itself is then
    what latency and rate make of it at least: the first download, then the uploads, ``jobs`` at a time, with all other
    downloads beside them. ``one_by_one`` measures curl also file after file.
    """
    with _planned(load, rate, jobs) as (services, folder):

        def emptied(client: Callable[[], Measure]) -> Measure:
            measured = services.measure(client, latency)
            _empty(services, load)
            return measured

        clients = {"pkgsync": partial(_apply, services, folder, jobs)}
        if shutil.which("curl"):
            if one_by_one:
                clients["curl"] = partial(curl.transfer, services.told, load, folder)
            clients[f"curl -Z {jobs}"] = partial(curl.parallel, services.told, load, folder, jobs)
        found = interleaved({name: partial(emptied, one) for name, one in clients.items()}, repeats)
        title = f"apply, {load.files} x {_bytes(load.bytes)}, {latency * 1000:.0f} ms"
        if rate is not None:
            title += f", {_bytes(rate)}/s"
        if rate is not None or latency:
            each = latency + (load.bytes / rate if rate is not None else 0)
            found["wire"] = Measure(each * (1 + load.files / jobs), 0, 0)
        yield Row.of(title, found)


def growing(loads: tuple[Load, ...]) -> Iterator[Row]:
    """What one action costs in small and in large plans."""
    first: Measure | None = None
    for load in loads:
        with _planned(load) as (services, folder):
            measured = services.measure(lambda: _apply(services, folder), 0)
            _require_all(services, load)
        actions = load.files + load.older
        each = measured.each(actions)
        others = {f"of {loads[0].files + loads[0].older}": first} if first else {}
        yield Row(f"each of {actions:,} actions of an apply", each, others)
        first = first or each


def memory(load: Load) -> Iterator[Row]:
    """An apply of one file."""
    with _planned(load) as (services, folder):
        measured = services.measure(lambda: _apply(services, folder), 0)
    yield Row(f"apply, {load.files} x {_bytes(load.bytes)}", measured, {})


@contextmanager
def _planned(load: Load, rate: int | None = None, jobs: int = JOBS) -> Iterator[tuple[Services, Path]]:
    """The services with this world, behind a wire of this rate, and a folder with its plan for so many ``jobs``."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        services = stack.enter_context(serving(folder, load=asdict(load), jobs=jobs))
        stack.enter_context(behind(services, rate))
        _pkgsync(services, folder, "plan", "-o", str(folder / "plan.json"))
        yield services, folder


def _apply(services: Services, folder: Path, jobs: int = JOBS) -> Measure:
    """Nothing is left of an earlier run: neither the cache nor the journal."""
    for leftover in ("cache", "state"):
        shutil.rmtree(folder / leftover, ignore_errors=True)
    return _pkgsync(services, folder, "apply", "-j", str(jobs), str(folder / "plan.json"))


def _require_all(services: Services, load: Load) -> None:
    rows = services.ask(do="result")["rows"]
    if rows != load.files:
        raise RuntimeError(f"there are {rows} rows, not {load.files}")


def _empty(services: Services, load: Load) -> None:
    _require_all(services, load)
    services.ask(do="empty")


def _pkgsync(services: Services, folder: Path, *arguments: str) -> Measure:
    places = ["--cache-dir", str(folder / "cache"), "--state-dir", str(folder / "state")]
    common = ["-q", "-c", services.told["config"], *places]
    return run([*PKGSYNC, *common, *arguments], services.told["environment"])


def _bytes(count: int) -> str:
    return f"{count // MIB} MiB" if count >= MIB else f"{count // 1024} KiB"
