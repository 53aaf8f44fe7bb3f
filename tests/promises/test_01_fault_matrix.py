"""Promise 1 over real sockets: every read of plan with every fault, and random worlds with random faults.

Whatever a server answers, a plan holds no deletion and no replacement that is not true for the world behind it; while a
read fails, none in the distribution that it feeds; and nothing hangs.
"""

import multiprocessing
from collections import Counter
from collections.abc import Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.faults import faultjudge, faultrandom
from tests.support.faults.faultjudge import Verdict
from tests.support.faults.faultmatrix import HEALTHY_KEYS, HEALTHY_UPLOADS, Stage
from tests.support.scope import examples, sample

CELLS = faultjudge.cells()
PROCESSES = 2
BATCH = 60


@pytest.fixture(scope="module")
def verdicts(request: pytest.FixtureRequest) -> Mapping[str, Verdict]:
    """The verdicts on the cells of this test run, from processes of their own."""
    items = (item for item in request.session.items if isinstance(item, pytest.Function))
    chosen: list[Any] = [item.callspec.params["cell"] for item in items if item.function is test_a_cell]
    slow = [id_ for id_ in chosen if CELLS[id_].slow]
    fast = [id_ for id_ in chosen if not CELLS[id_].slow]
    batches = [slow, *(fast[start : start + BATCH] for start in range(0, len(fast), BATCH))]
    with ProcessPoolExecutor(PROCESSES, mp_context=multiprocessing.get_context("spawn")) as pool:
        return {v.id: v for batch in pool.map(faultjudge.judge, filter(None, batches)) for v in batch}


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with Stage(tmp_path_factory.mktemp("stage")) as running:
        yield running


def test_without_a_fault_the_plan_is_the_whole_one(stage: Stage) -> None:
    stage.reset()
    outcome = stage.run(stage.matrix_config())
    assert outcome.plan is not None
    assert outcome.taken == HEALTHY_KEYS
    assert {upload.key for upload in outcome.plan.uploads} == HEALTHY_UPLOADS
    assert outcome.plan.complete
    assert outcome.plan.held == ()
    assert stage.wrongs(outcome) == []


@pytest.mark.parametrize("cell", sample(list(CELLS), 9))
def test_a_cell(cell: str, verdicts: Mapping[str, Verdict]) -> None:
    assert verdicts[cell].wrongs == ()


def test_the_counts(verdicts: Mapping[str, Verdict], capsys: pytest.CaptureFixture[str]) -> None:
    came = Counter(verdict.came for verdict in verdicts.values())
    false = sum(1 for verdict in verdicts.values() if verdict.wrongs)
    counts = ", ".join(f"{came[kind]} {kind}" for kind in ("healed", "held", "refused"))
    with capsys.disabled():
        print(f"\nfault matrix: {len(verdicts)} cells: {counts}; {false} broke a rule")
    assert sum(came.values()) == len(verdicts)


@settings(max_examples=examples(25), deadline=None, suppress_health_check=list(HealthCheck))
@given(random=st.randoms(use_true_random=False))
def test_random_worlds_with_random_faults(stage: Stage, random: Random) -> None:
    config = faultrandom.build(stage, random)
    true = stage.run(config)
    assert stage.wrongs(true) == []
    faultrandom.break_something(stage, random)
    assert stage.wrongs(stage.run(config)) == []


def test_the_random_worlds_do_hold_deletions_and_replacements(stage: Stage) -> None:
    plans = [stage.run(faultrandom.build(stage, Random(seed))).plan for seed in range(20)]
    assert sum(1 for plan in plans if plan and plan.deletions) >= 5
    assert sum(1 for plan in plans if plan and plan.replacements) >= 5
