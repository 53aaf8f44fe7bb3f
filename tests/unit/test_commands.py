"""The commands as they are found: each module has its line of help, and stands in a page that people read."""

from pathlib import Path

import pytest

from pkgsync.cli import commands
from pkgsync.cli.commands import SUMMARIES
from tests.support.values.docs_blocks import PAGES, invocations


def test_every_module_of_a_command_is_found() -> None:
    modules = {path.stem for path in Path(commands.__file__).parent.glob("*.py")} - {"__init__"}
    assert modules == set(SUMMARIES), "each module of cli/commands has its line in SUMMARIES"


@pytest.mark.parametrize("name", SUMMARIES)
def test_a_page_shows_the_command(name: str) -> None:
    shown = any(words[:1] == [name] for page in PAGES for words in invocations(page))
    assert shown, f"no page of pkgsync/docs shows `pkgsync {name}`"
