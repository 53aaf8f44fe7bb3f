"""``python -m tests.benchmarks``: prints a table of ratios, and writes the numbers as JSON with ``--json FILE``."""

import argparse
import json
import os
import platform
from collections.abc import Iterator, Sequence
from pathlib import Path

from tests.benchmarks.cases import Comparison, memory, planning, transferring
from tests.benchmarks.worlds import MIB, SIZES, Load

SMALL_FILES = Load("N", 600, 4096)
BIG_FILES = Load("T", 20, 8 * MIB)
BIG_FILES_IN_FULL = Load("T", 40, 25 * MIB)
SINGLE_FILES = (Load("H", 1, 40 * MIB), Load("H", 1, 400 * MIB))
HEAD = ("case", "latency", "pkgsync", "other", "ratio", "requests", "ratio", "cpu s", "peak MiB")
NOTES = """
Medians over the repeats; a ratio is the other client's number by pkgsync's; memory is pkgsync's.
The other client of a plan is tests/benchmarks/loop.py, of a transfer one curl (none where curl is not installed).
All of it is loopback: a real network has longer ways and less bandwidth."""


def main() -> None:
    options = _options()
    found: list[Comparison] = []
    print(_line(HEAD))
    for comparison in _all(options):
        found.append(comparison)
        print(_line(_cells(comparison)), flush=True)
    print(NOTES)
    if options.json:
        machine = {"cpus": os.cpu_count(), "python": platform.python_version(), "load": os.getloadavg()}
        document = {"machine": machine, "repeats": options.repeats, "runs": [one.as_json() for one in found]}
        options.json.write_text(json.dumps(document, indent=2) + "\n")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("--sizes", default="S,M", help=f"of {','.join(SIZES)}, or nothing [%(default)s]")
    parser.add_argument("--latencies", default="0,20", help="milliseconds, for the plans [%(default)s]")
    parser.add_argument("--repeats", type=int, default=3, help="of each comparison [%(default)s]")
    parser.add_argument("--full", action="store_true", help="transfer 40 files of 25 MiB instead of 20 of 8 MiB")
    parser.add_argument("--only", choices=["plan", "transfer", "memory"], help="one kind of comparison")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the numbers there")
    return parser.parse_args()


def _all(options: argparse.Namespace) -> Iterator[Comparison]:
    if options.only in (None, "plan"):
        latencies = [float(text) / 1000 for text in options.latencies.split(",")]
        for size in filter(None, options.sizes.split(",")):
            yield from planning(size, latencies, options.repeats)
    if options.only in (None, "transfer"):
        for load in (BIG_FILES_IN_FULL if options.full else BIG_FILES, SMALL_FILES):
            yield transferring(load, 0.02, options.repeats)
    if options.only in (None, "memory"):
        for load in SINGLE_FILES:
            yield memory(load)


def _cells(one: Comparison) -> Sequence[str]:
    ours, other = one.pkgsync, one.other
    return (
        f"{one.case} {one.size}",
        f"{one.latency * 1000:.0f} ms",
        f"{ours.seconds:.2f} s",
        f"{other.seconds:.2f} s" if other else "-",
        f"{other.seconds / ours.seconds:.1f}" if other else "-",
        f"{ours.requests} / {other.requests}" if other else f"{ours.requests}",
        f"{other.requests / ours.requests:.1f}" if other else "-",
        f"{ours.cpu_seconds:.2f} / {other.cpu_seconds:.2f}" if other else f"{ours.cpu_seconds:.2f}",
        f"{ours.memory / MIB:.0f}",
    )


def _line(cells: Sequence[str]) -> str:
    first, *rest = cells
    return f"{first:<30}" + "".join(f"{cell:>15}" for cell in rest)


main()
