"""What a step may say at most: annotations, the job summary, one line for each output."""

from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from tests.support.values.samples import PLAN
from tests.support.worlds.pull_requests import SCRIPTS, with_deletions

Script = Callable[[str], Any]


@pytest.fixture
def script(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Script:
    """A module of the scripts; what it writes goes to files of the names ``outputs`` and ``summary``."""
    monkeypatch.syspath_prepend(SCRIPTS)
    monkeypatch.setenv("GITHUB_OUTPUT", str(tmp_path / "outputs"))
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "summary"))
    return import_module


def test_a_summary_stays_below_900_kib_and_says_what_is_left_out(script: Script, tmp_path: Path) -> None:
    script("plan")._summary(with_deletions(PLAN, 20_000))
    text = (tmp_path / "summary").read_bytes()
    assert 700_000 < len(text) < 900 * 1024
    assert text.endswith(b"and the rest do not fit here: read plan.json, an artifact of this run.**\n")


def test_eight_annotations_at_most_and_the_last_says_how_many_are_left(
    script: Script, capsys: pytest.CaptureFixture[str]
) -> None:
    script("runner").annotate_all([("error", f"number {number}") for number in range(20)])
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 8
    assert lines[0] == "::error title=pkgsync::number 0"
    assert lines[-1] == "::warning title=pkgsync::and 13 more: the job summary has all of them"


def test_eight_of_eight_are_shown(script: Script, capsys: pytest.CaptureFixture[str]) -> None:
    script("runner").annotate_all([("error", f"number {number}") for number in range(8)])
    assert capsys.readouterr().out.splitlines()[-1] == "::error title=pkgsync::number 7"


def test_a_text_ends_no_annotation_and_begins_no_command(script: Script, capsys: pytest.CaptureFixture[str]) -> None:
    script("runner").annotate("warning", "100% sure\n::add-mask::x\r")
    assert capsys.readouterr().out == "::warning title=pkgsync::100%25 sure%0A::add-mask::x%0D\n"


@pytest.mark.parametrize("value", ["a\nplan=other", "a\rb", "a\x85b", "a\u2028b"])
def test_an_output_is_one_line(script: Script, tmp_path: Path, value: str) -> None:
    runner = script("runner")
    with pytest.raises(script("web").StepError, match="the output digest is not one line"):
        runner.output("digest", value)
    assert not (tmp_path / "outputs").exists()
