"""What the fuzzer starts from and has found is read as each target demands; `.ci/fuzz` looks for more."""

import tempfile
from pathlib import Path

import pytest

from tests.fuzz.targets import TARGETS
from tests.support.watchdog import watchdog

CORPUS = Path(__file__).parents[1] / "fuzz/corpus"


@pytest.mark.parametrize("name", TARGETS)
def test_the_corpus(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    files = sorted((CORPUS / name).iterdir())
    assert files
    for file in files:
        with watchdog():
            TARGETS[name](file.read_bytes())


def test_the_corpus_is_of_known_targets_and_small() -> None:
    assert {folder.name for folder in CORPUS.iterdir()} == TARGETS.keys()
    assert sum(file.stat().st_size for file in CORPUS.rglob("*")) < 300 * 1024
