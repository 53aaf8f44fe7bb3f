"""Plays cells of the fault matrix in a process of its own, and judges each by the rules of promise 1."""

import faulthandler
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from attrs import frozen

from tests.support.faults import faultanswers, faultcells, faultindexes, faultworlds
from tests.support.faults.faultcells import HEALED, HELD, REFUSED, Cell
from tests.support.faults.faultmatrix import HEALTHY_KEYS, HEALTHY_UPLOADS, Outcome, Stage

GUARD_SECONDS = 60  # for one cell; a cell takes a tenth of a second, a slow one three
SLOW_AT_A_TIME = 8


@frozen
class Verdict:
    """What came of a cell, and every rule that it broke."""

    id: str
    came: str
    wrongs: tuple[str, ...]


def cells() -> dict[str, Cell]:
    sources = (faultcells.generic, faultanswers.cells, faultindexes.cells, faultworlds.cells)
    found = [cell for source in sources for cell in source()]
    by_id = {cell.id: cell for cell in found}
    assert len(by_id) == len(found)
    return by_id


def judge(ids: Sequence[str]) -> list[Verdict]:
    """Play these cells one after the other; the slow ones, which mostly wait, side by side. A hang ends the process."""
    chosen = [cell for id_, cell in cells().items() if id_ in set(ids)]
    slow = [cell for cell in chosen if cell.slow]
    try:
        return [*_in_turn([cell for cell in chosen if not cell.slow]), *_side_by_side(slow)]
    finally:
        faulthandler.cancel_dump_traceback_later()


def _in_turn(chosen: Sequence[Cell]) -> Iterator[Verdict]:
    with tempfile.TemporaryDirectory() as folder, Stage(Path(folder)) as stage:
        for cell in chosen:
            faulthandler.dump_traceback_later(GUARD_SECONDS, exit=True)
            yield play(stage, cell)


def _side_by_side(chosen: Sequence[Cell]) -> Iterator[Verdict]:
    def alone(cell: Cell) -> Verdict:
        with tempfile.TemporaryDirectory() as folder, Stage(Path(folder)) as stage:
            return play(stage, cell)

    faulthandler.dump_traceback_later(GUARD_SECONDS * 2, exit=True)
    with ThreadPoolExecutor(SLOW_AT_A_TIME) as pool:
        yield from pool.map(alone, chosen)


def play(stage: Stage, cell: Cell) -> Verdict:
    stage.reset()
    cell.play(stage)
    outcome = stage.run(stage.matrix_config())
    came = came_of(outcome)
    return Verdict(cell.id, came, (*stage.wrongs(outcome), *_broken(cell, outcome, came)))


def came_of(outcome: Outcome) -> str:
    if outcome.plan is None:
        return REFUSED
    uploads = {upload.key for upload in outcome.plan.uploads}
    whole = outcome.plan.complete and outcome.taken == HEALTHY_KEYS and uploads == HEALTHY_UPLOADS
    return HEALED if whole else HELD


def _broken(cell: Cell, outcome: Outcome, came: str) -> Iterator[str]:
    if came not in cell.expect:
        yield f"came out {came} ({outcome.error or sorted(HEALTHY_KEYS ^ outcome.taken)})"
    if outcome.plan is None:
        code = getattr(outcome.error, "exit_code", None)
        if code not in cell.codes:
            yield f"exit code {code}: {outcome.error}"
        return
    yield from (f"{key}: touched though a read behind it failed" for key in sorted(outcome.taken & cell.held))
    if cell.alone and cell.held:
        yield from (f"{key}: not planned any more" for key in sorted(HEALTHY_KEYS - cell.held - outcome.taken))
