"""SECURITY.md: each thing that somebody cannot do names tests, and each named test is there."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / ".github/SECURITY.md").read_text()
CLAIMS = re.findall(r"^- (.*?)(?=^- |^## |\Z)", TEXT, re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("claim", CLAIMS)
def test_a_claim_is_held_by_tests_that_are_there(claim: str) -> None:
    named = re.findall(r"^  `(tests/\S+)::(\w+)`$", claim, re.MULTILINE)
    assert named
    assert [f"{file}::{name}" for file, name in named if name not in _functions(file)] == []
    # nothing else in backquotes looks like a test and is passed over
    assert claim.count("::") == len(named)


def _functions(file: str) -> set[str]:
    return {node.name for node in ast.parse((ROOT / file).read_text()).body if isinstance(node, ast.FunctionDef)}


def test_everybody_is_there_and_the_links_lead_somewhere() -> None:
    titles = re.findall(r"^## (.*)$", TEXT, re.MULTILINE)
    assert len(titles) == 9
    for heading in titles[2:]:
        part = TEXT.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
        assert " can " in f" {part} "
        assert "cannot\n\n- " in part or "Nobody can\n\n- " in part
    for target in re.findall(r"\]\(([^)]+)\)", TEXT):
        assert (ROOT / ".github" / target).exists(), target
