"""``python -m tests.benchmarks``: prints pkgsync beside its floors, and writes the numbers as JSON with ``--json FILE``."""

import argparse
import json
import os
import platform
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from tests.benchmarks import cases
from tests.benchmarks.cases import LATENCY, Row
from tests.benchmarks.running import Measure
from tests.benchmarks.worlds import MIB, SIZES, Load

SMALL_FILES = Load("N", 600, 4096)
BIG_FILES = Load("T", 20, 8 * MIB)
BIG_FILES_IN_FULL = Load("T", 40, 25 * MIB)
# a fifth of 40 files of 25 MiB at 20 MiB/s: they take as long, and leave the stand-ins time to keep up
SLOW_FILES, SLOW_RATE, SLOW_JOBS = Load("T", 40, 5 * MIB), 4 * MIB, 8
SINGLE_FILES = (Load("H", 1, 40 * MIB), Load("H", 1, 400 * MIB))
HUGE_FILE = Load("H", 1, 4095 * MIB)  # an rpm of 4 GiB needs a size tag that the sandbox does not write
GROWING = (Load("A", 80, 1024, 20), Load("A", 1600, 1024, 400))
LARGEST = Load("A", 20_000, 1024, 5000)
NOTES = """
Medians over the repeats, all in turns. A ratio is pkgsync's number by the other's: of seconds / of CPU seconds;
1/60 means that pkgsync takes a sixtieth. Memory is pkgsync's, requests are pkgsync's and the others'.
click: `python -c "import click"`. sketch: the same reads or fields without any check (tests/benchmarks/sketch.py and
floors.py). loop: a request per package, as the predecessor (tests/benchmarks/loop.py). compare: two dictionaries.
expat, json, createrepo_c, apt: the bare libraries and tools. curl: file after file; curl -Z: so many at a time; neither
verifies anything. wire: what latency and bandwidth make of one download and then all uploads, so many at a time.
All of it is loopback: a real network has longer ways and less bandwidth."""


def main() -> None:
    options = _options()
    found: list[Row] = []
    print(f"{'case':<45}{'pkgsync':>17}{'MiB':>6}{'requests':>19}  times the others, wall / CPU")
    for row in _all(options):
        found.append(row)
        print(_line(row), flush=True)
    print(NOTES)
    if options.json:
        machine = {"cpus": os.cpu_count(), "python": platform.python_version(), "load": os.getloadavg()}
        document = {"machine": machine, "repeats": options.repeats, "runs": [one.as_json() for one in found]}
        options.json.write_text(json.dumps(document, indent=2) + "\n")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("--sizes", default="S,M", help=f"of the plans, of {','.join(SIZES)} [%(default)s]")
    parser.add_argument(
        "--latency", type=float, default=LATENCY * 1000, help="of the plans, milliseconds [%(default)s]"
    )
    parser.add_argument("--repeats", type=int, default=3, help="of each comparison [%(default)s]")
    parser.add_argument("--full", action="store_true", help="ten times the documents, all sizes, the large rows too")
    parser.add_argument("--only", choices=[*GROUPS], action="append", help="this kind of rows; may be repeated")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the numbers there")
    return parser.parse_args()


def _start(options: argparse.Namespace) -> Iterator[Row]:
    yield from cases.starting(options.repeats)


def _plan(options: argparse.Namespace) -> Iterator[Row]:
    for size in SIZES if options.full else filter(None, options.sizes.split(",")):
        yield from cases.planning(size, options.latency / 1000, options.repeats)


def _parse(options: argparse.Namespace) -> Iterator[Row]:
    yield from cases.parsing(_scale(options), options.repeats)


def _core(options: argparse.Namespace) -> Iterator[Row]:
    yield from cases.deciding(_scale(options), options.repeats)


def _files(options: argparse.Namespace) -> Iterator[Row]:
    yield from cases.plan_files(_scale(options), options.repeats)


def _transfer(options: argparse.Namespace) -> Iterator[Row]:
    yield from cases.transferring(SMALL_FILES, LATENCY, options.repeats)
    big = BIG_FILES_IN_FULL if options.full else BIG_FILES
    yield from cases.transferring(big, 0, options.repeats)
    yield from cases.transferring(big, 0, options.repeats, rate=20 * MIB)
    yield from cases.transferring(SLOW_FILES, 0, options.repeats, rate=SLOW_RATE, jobs=SLOW_JOBS, one_by_one=False)


def _apply(_: argparse.Namespace) -> Iterator[Row]:
    yield from cases.growing(GROWING)


def _memory(_: argparse.Namespace) -> Iterator[Row]:
    for load in SINGLE_FILES:
        yield from cases.memory(load)


def _large(_: argparse.Namespace) -> Iterator[Row]:
    """What takes many minutes, and gigabytes of the disk."""
    yield from cases.memory(HUGE_FILE)
    yield from cases.growing((GROWING[0], LARGEST))


GROUPS: Mapping[str, Callable[[argparse.Namespace], Iterator[Row]]] = {
    "start": _start,
    "plan": _plan,
    "parse": _parse,
    "core": _core,
    "files": _files,
    "transfer": _transfer,
    "apply": _apply,
    "memory": _memory,
    "large": _large,
}


def _all(options: argparse.Namespace) -> Iterator[Row]:
    wanted = options.only or [name for name in GROUPS if options.full or name != "large"]
    for name, rows in GROUPS.items():
        if name in wanted:
            yield from rows(options)


def _scale(options: argparse.Namespace) -> float:
    return 1.0 if options.full else 0.1


def _line(row: Row) -> str:
    ours = row.pkgsync
    requests = " : ".join(str(one.requests) for one in (ours, *row.others.values())) if ours.requests else ""
    others = ", ".join(f"{name} {_ratios(ours, other)}" for name, other in row.others.items())
    took = f"{_seconds(ours.seconds)} / {_seconds(ours.cpu_seconds)}"
    return f"{row.case:<45}{took:>17}{ours.memory / MIB:>6.0f}{requests:>19}  {others}".rstrip()


def _ratios(ours: Measure, other: Measure) -> str:
    return f"{_ratio(ours.seconds, other.seconds)} / {_ratio(ours.cpu_seconds, other.cpu_seconds)}"


def _ratio(ours: float, other: float) -> str:
    """``2.3``, or ``1/60`` where pkgsync takes less than a half."""
    if not ours or not other:
        return "-"
    return f"{ours / other:.1f}" if ours * 2 > other else f"1/{other / ours:.1f}"


def _seconds(value: float) -> str:
    return f"{value:.2f} s" if value >= 0.1 else f"{value * 1000:.1f} ms"


if __name__ == "__main__":
    main()
