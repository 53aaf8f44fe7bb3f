"""Promise 8: equal worlds give equal plans, whatever the order of elements, pages or the hash seed."""

import os
import subprocess
import sys
from pathlib import Path
from random import Random
from typing import TypeVar

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from pkgsync.model import Architecture, BuiltPackage, Repository
from tests.support.worlds import worlds
from tests.support.worlds.worlds import SETTINGS, World

T = TypeVar("T")
ROOT = Path(__file__).parent.parent.parent


@SETTINGS
@given(worlds.worlds(), st.integers(0, 2**32))
def test_the_order_of_elements_does_not_matter(world: World, seed: int) -> None:
    assert shuffled(world, Random(seed)).plan() == world.plan()


def shuffled(world: World, random: Random) -> World:
    """The same world as other threads and pages might deliver it; the repositories stay in the config's order."""
    return World(tuple(_repository(r, random) for r in world.repositories), _mixed(world.rows, random), world.policy)


def _repository(repository: Repository, random: Random) -> Repository:
    index = repository.index and replace(repository.index, files=_mixed(repository.index.files, random))
    architectures = _mixed(tuple(_architecture(a, random) for a in repository.architectures), random)
    return replace(repository, index=index, architectures=architectures)


def _architecture(architecture: Architecture, random: Random) -> Architecture:
    return replace(architecture, packages=_mixed(tuple(_package(p, random) for p in architecture.packages), random))


def _package(package: BuiltPackage, random: Random) -> BuiltPackage:
    return replace(package, files=_mixed(package.files, random))


def _mixed(values: tuple[T, ...], random: Random) -> tuple[T, ...]:
    return tuple(random.sample(values, len(values)))


PLANS = """
import hashlib
from tests.support.worlds.worlds import a_world
print(hashlib.sha256(repr([a_world(seed).plan() for seed in range(60)]).encode()).hexdigest())
"""


def plans_with(hash_seed: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", PLANS],
        env={**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": str(ROOT)},
        check=True,
        capture_output=True,
        text=True,
    )
    return done.stdout


@pytest.fixture(scope="module")
def reference() -> str:
    return plans_with("0")


@pytest.mark.parametrize("hash_seed", ["1", "42", "4294967295"])
def test_the_hash_seed_does_not_matter(reference: str, hash_seed: str) -> None:
    assert plans_with(hash_seed) == reference
