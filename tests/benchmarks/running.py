"""Starts the services and the clients, and measures the clients."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from types import MappingProxyType
from typing import Any

from attrs import evolve, frozen

ROOT = Path(__file__).parents[2]
# installed packages have their byte code at hand, so clients may keep theirs from run to run
SURROUNDINGS = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


@frozen
class Measure:
    """One run: seconds of the clock and of the processor, peak resident memory (bytes), requests."""

    seconds: float
    cpu_seconds: float
    memory: int
    requests: int = 0

    def __add__(self, then: "Measure") -> "Measure":
        """One run after the other."""
        return Measure(self.seconds + then.seconds, self.cpu_seconds + then.cpu_seconds, max(self.memory, then.memory))

    def each(self, count: int) -> "Measure":
        """What one of ``count`` equal pieces took."""
        return evolve(self, seconds=self.seconds / count, cpu_seconds=self.cpu_seconds / count)


class Services:
    """The handle of a server process. ``told`` is what it says of itself: addresses, credentials, config."""

    def __init__(self, process: subprocess.Popen[str], told: Mapping[str, Any]) -> None:
        self._process = process
        self.told = told

    def ask(self, **order: Any) -> dict[str, Any]:
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        answer: dict[str, Any] = json.loads(self._process.stdout.readline())
        return answer

    def measure(self, client: Callable[[], Measure], latency: float) -> Measure:
        """Run a client with this latency (seconds), and count its requests."""
        self.ask(do="begin", latency=latency)
        measured = client()
        return evolve(measured, requests=self.ask(do="result")["requests"])


@contextmanager
def behind(services: Services, rate: int | None) -> Iterator[Services]:
    """The same services at the end of a wire that carries ``rate`` bytes a second and connection, each way."""
    if rate is None:
        yield services
        return
    urls = [services.told["obs"], services.told["packagecloud"]]
    command = [sys.executable, "-m", "tests.benchmarks.wire", str(rate), *urls]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as wire:
        assert wire.stdin is not None and wire.stdout is not None
        near: dict[str, str] = json.loads(wire.stdout.readline())
        direct, config = services.told, Path(services.told["config"])
        services.told = json.loads(_replaced(json.dumps(direct), near))
        config.write_text(_replaced(config.read_text(), near))
        try:
            yield services
        finally:
            services.told = direct
            wire.stdin.close()


def _replaced(text: str, others: Mapping[str, str]) -> str:
    for old, new in others.items():
        text = text.replace(old, new)
    return text


@contextmanager
def serving(folder: Path, **world: Any) -> Iterator[Services]:
    """The services with one world, until the end of the block."""
    command = [sys.executable, "-m", "tests.benchmarks.server"]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        services = Services(process, {})
        services.told = services.ask(folder=str(folder), **world)
        try:
            yield services
        finally:
            assert process.stdin is not None
            process.stdin.close()


def run(
    command: Sequence[str], environment: Mapping[str, str] = MappingProxyType({}), text: str = "", folder: Path = ROOT
) -> Measure:
    """Run a client in ``folder`` to its end, ``text`` on its standard input. Raises RuntimeError if it fails."""
    return run_telling(command, environment, text, folder)[0]


def run_inner(name: str, count: int, folder: Path) -> Measure:
    """Run a piece of work of ``inner``, which takes its own time; memory is that of the whole process."""
    measured, told = run_telling([sys.executable, "-m", "tests.benchmarks.inner", name, str(count), str(folder)])
    return evolve(measured, **json.loads(told))


def run_telling(
    command: Sequence[str], environment: Mapping[str, str] = MappingProxyType({}), text: str = "", folder: Path = ROOT
) -> tuple[Measure, str]:
    """As ``run``; also gives what the client wrote to its standard output.

    Memory is what wait4 tells, which never falls below that of this process: it imports little.
    """
    begun = time.monotonic()
    process = subprocess.Popen(
        command,
        cwd=folder,
        env={**SURROUNDINGS, **environment},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdin is not None and process.stdout is not None
    process.stdin.write(text)
    process.stdin.close()
    told = process.stdout.read()
    process.stdout.close()
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.monotonic() - begun
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"{command[0]} ended with {process.returncode}")
    return Measure(seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024), told


def interleaved(clients: Mapping[str, Callable[[], Measure]], repeats: int) -> dict[str, Measure]:
    """The medians of several clients, run in turns: what else the machine does meets them all alike."""
    taken: dict[str, list[Measure]] = {name: [] for name in clients}
    for _ in range(repeats):
        for name, client in clients.items():
            taken[name].append(client())
    return {name: middle(measures) for name, measures in taken.items()}


def middle(measures: Sequence[Measure]) -> Measure:
    """The median of each number; requests must be the same in every run."""
    counts = {measured.requests for measured in measures}
    if len(counts) != 1:
        raise RuntimeError(f"the runs sent different numbers of requests: {sorted(counts)}")
    return Measure(
        median(measured.seconds for measured in measures),
        median(measured.cpu_seconds for measured in measures),
        max(measured.memory for measured in measures),
        counts.pop(),
    )
