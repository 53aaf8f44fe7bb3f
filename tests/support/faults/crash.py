"""Kills an apply at a chosen step, in a process of its own: for the tests of resumption.

Steps are counted in the child: every journal record (before it, in the middle of its line, after it), every file that is
opened to be written, every fsync, rename, removal and truncation, and of every HTTP request each piece that is sent (before
and after it) and the answer (before it is waited for, and after it has come).
The child is forked from a server process that has everything imported, so that one attempt takes milliseconds.
"""

import http.client
import multiprocessing
import os
import signal
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from multiprocessing.process import BaseProcess
from multiprocessing.sharedctypes import Synchronized
from multiprocessing.synchronize import Event
from pathlib import Path
from typing import Any

from attrs import frozen

from pkgsync import planfile
from pkgsync.apply import engine, journal, signals
from pkgsync.apply.options import ApplyOptions
from pkgsync.errors import ExitCode
from pkgsync.model import ActualState, DesiredState, Policy, Receipt
from tests.support.scope import EVERYTHING
from tests.support.worlds.apply_world import (
    POLICY,
    Endpoints,
    World,
    both_ways,
    config_of,
    listed,
    no_pause,
    services_of,
)

_CONTEXT = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload(["tests.support.faults.crash"])


@frozen
class Attempt:
    """One run in a child: everything that it needs, to be sent to it."""

    endpoints: Endpoints
    folder: Path
    desired: Any
    plan: bytes
    jobs: int = 1
    policy: Policy = POLICY


def attempt_of(world: World, plan: bytes, folder: Path, jobs: int = 1) -> Attempt:
    return Attempt(world.endpoints, folder, world.desired(), plan, jobs, world.policy)


def start(
    attempt: Attempt, step: int | None = None, noticed: Event | None = None, total: "Synchronized[int] | None" = None
) -> BaseProcess:
    """Run in a child that kills itself at ``step``; None: never.

    It sets ``noticed`` at the first signal that it gets, and ``total`` at its end to the number of its steps.
    """
    process = _CONTEXT.Process(target=_child, args=(attempt, step, noticed, total), daemon=True)
    process.start()
    return process


def count_steps(attempt: Attempt) -> int:
    """How many steps a whole run has. The number varies a little where threads race."""
    total = _CONTEXT.Value("i", 0)
    process = start(attempt, total=total)
    process.join()
    assert process.exitcode == 0, f"the child ended with {process.exitcode}"
    return int(total.value)


def new_event() -> Event:
    return _CONTEXT.Event()


def run_until(attempt: Attempt, step: int | None) -> bool:
    """Whether the child was killed at ``step``; False: it came to its end before."""
    process = start(attempt, step)
    process.join()
    if process.exitcode == -signal.SIGKILL:
        return True
    assert process.exitcode == 0, f"the child ended with {process.exitcode}"
    return False


class _Bomb:
    """Counts steps, and goes off at one of them."""

    def __init__(self, step: int | None) -> None:
        self.step = step
        self.count = 0

    def tick(self) -> None:
        self.count += 1
        if self.count == self.step:
            os.kill(os.getpid(), signal.SIGKILL)

    def around(self, work: Callable[..., Any]) -> Callable[..., Any]:
        def wrapped(*args: Any, **keywords: Any) -> Any:
            self.tick()
            answer = work(*args, **keywords)
            self.tick()
            return answer

        return wrapped

    def halfway(self, write: Callable[[Any, bytes], None]) -> Callable[[Any, bytes], None]:
        """Write a line in two pieces, with a step between them."""

        def wrapped(stream: Any, data: bytes) -> None:
            write(stream, data[: len(data) // 2])
            self.tick()
            write(stream, data[len(data) // 2 :])

        return wrapped

    def audit(self, event: str, args: tuple[Any, ...]) -> None:
        writes = event == "open" and args[2] & (os.O_WRONLY | os.O_RDWR)
        if writes or event in ("os.rename", "os.remove", "os.truncate"):
            self.tick()


def _child(attempt: Attempt, step: int | None, noticed: Event | None, total: "Synchronized[int] | None") -> None:
    bomb = _Bomb(step)
    journal.Journal.record = bomb.around(journal.Journal.record)  # type: ignore[method-assign]
    journal._write_all = bomb.halfway(journal._write_all)  # type: ignore[assignment]
    # a kill takes nothing from the disk
    os.fsync = bomb.around(os.fsync if EVERYTHING else lambda descriptor: None)
    http.client.HTTPConnection.getresponse = bomb.around(  # type: ignore[method-assign]
        http.client.HTTPConnection.getresponse
    )
    http.client.HTTPConnection.send = bomb.around(http.client.HTTPConnection.send)  # type: ignore[method-assign]
    sys.addaudithook(bomb.audit)
    if noticed is not None:
        interrupt = signals.Halt.interrupt

        def tell(halt: signals.Halt, code: ExitCode) -> None:
            interrupt(halt, code)
            noticed.set()

        signals.Halt.interrupt = tell  # type: ignore[method-assign,assignment]
    receipt = _run(attempt)
    if total is not None:
        total.value = bomb.count
    sys.exit(receipt.exit_code)


def _run(attempt: Attempt) -> Receipt:
    endpoints, policy = attempt.endpoints, attempt.policy

    def now() -> datetime:
        return datetime.now(UTC)

    def look() -> tuple[DesiredState, ActualState]:
        return attempt.desired, listed(endpoints, policy, now, no_pause)

    return engine.run(
        planfile.loads(attempt.plan, "plan.json"),
        both_ways(config_of(endpoints, policy), attempt.jobs),
        services_of(endpoints, attempt.folder, policy, no_pause, look),
        ApplyOptions(receipt=attempt.folder / "plan.receipt.json"),
        now=now,
        report=lambda words, line: None,
    )
