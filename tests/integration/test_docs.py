"""The commands of the README and of pkgsync/docs do what is said there: every page is gone through in the demo's world."""

import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.values.docs_blocks import PAGES, Block, blocks, dialogue
from tests.support.worlds.demo_world import BASH, Shell, second_day

INTERPRETERS = {"sh": BASH, "python": (sys.executable, "-c")}
# A page may show the real services' names. What differs from run to run counts for nothing.
VARYING = {
    r"https?://(127\.0\.0\.1:\d+|api\.opensuse\.org|packagecloud\.io)": "URL",
    r"\d{4}-\d\d-\d\d(T[\d:.]+(Z|\+00:00))?": "TIME",
    r"sha256:[0-9a-f]+(\.\.\.)?": "DIGEST",
    r"\bindex [0-9a-f]{12}": "index SUM",
    r"\bin (under )?\d+ s\b": "in TIME",
    r"\d+(\.\d+)? GiB free": "SIZE free",
    r"Python 3[\d.]+|\b(requests|urllib3) [\d.]+": "VERSION",
}


def _is_run(block: Block) -> bool:
    return block.language in ("console", *INTERPRETERS) and not block.elsewhere


@pytest.fixture
def shell(tmp_path: Path) -> Iterator[Shell]:
    with second_day(tmp_path) as shell:
        yield shell


@pytest.mark.parametrize("page", [page for page in PAGES if any(map(_is_run, blocks(page)))])
def test_a_page(page: str, shell: Shell) -> None:
    for block in filter(_is_run, blocks(page)):
        if block.language == "console":
            _converse(block, shell)
        else:
            done = shell.run(block.text, INTERPRETERS[block.language])
            assert done.returncode == 0, f"{block.text}\n{done.stdout}"


def _converse(block: Block, shell: Shell) -> None:
    """Each command in the same shell, its output cut off by a character that nobody prints."""
    spoken = dialogue(block)
    script = "".join(f"{command}\nstatus=$?; printf '\\036'; (exit $status)\n" for command, _ in spoken)
    printed = shell.run(script, ("bash", "-c")).stdout.replace(shell.env["HOME"], "/home/me").split("\x1e")
    for (command, said), found in zip(spoken, printed, strict=False):
        pattern = ".*".join(re.escape(part.strip()) for part in _comparable(said).split("..."))
        assert re.fullmatch(pattern, _comparable(found), re.DOTALL), f"$ {command}\n{found}\nis not\n{said}"


def _comparable(text: str) -> str:
    """Without what differs from run to run, and from one width of the terminal to another."""
    for pattern, word in VARYING.items():
        text = re.sub(pattern, word, text)
    return " ".join(text.split())
