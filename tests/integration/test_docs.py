"""The commands of the README and of pkgsync/docs do what is said there: every page is gone through in the demo's world."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from pkgsync.sandbox import DEMO_ORPHANS, Sandbox, demo_world_day1, demo_world_day2
from tests.docs_blocks import PAGES, Block, blocks, dialogue

# A page may show the real services' names. What differs from run to run counts for nothing.
VARYING = {
    r"https?://(127\.0\.0\.1:\d+|api\.opensuse\.org|packagecloud\.io)": "URL",
    r"\d{4}-\d\d-\d\d(T[\d:.]+(Z|\+00:00))?": "TIME",
    r"sha256:[0-9a-f]+(\.\.\.)?": "DIGEST",
    r"\bin (under )?\d+ s\b": "in TIME",
    r"\d+(\.\d+)? GiB free": "SIZE free",
    r"Python 3[\d.]+|\b(requests|urllib3) [\d.]+": "VERSION",
}


def _is_run(block: Block) -> bool:
    return block.language in ("sh", "console", "python") and not block.elsewhere


_SHELL, _PYTHON = ("bash", "-e"), (sys.executable,)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sealed: Path) -> Iterator[Path]:
    """The user's home; the current folder is another, with a config. Packagecloud holds what OBS published on the first day; it is the second."""
    (tmp_path / "bin").mkdir()
    program = tmp_path / "bin/pkgsync"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m pkgsync "$@"\n')
    program.chmod(0o755)
    folder = tmp_path / "work"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
    monkeypatch.delenv("CI", raising=False)
    with Sandbox() as sandbox:
        for name, value in sandbox.environment.items():
            monkeypatch.setenv(name, value)
        demo_world_day1(sandbox)
        sandbox.write_config(folder, {"orphans": DEMO_ORPHANS, "exclude": ["demo-*", "libdemo*"]})
        said = _run("pkgsync plan -q -o ../day1.json && pkgsync apply -q ../day1.json && rm ../day1*.json")
        assert said.returncode == 0, said.stdout
        demo_world_day2(sandbox)
        yield sealed


@pytest.mark.parametrize("page", [page for page in PAGES if any(_is_run(block) for block in blocks(page))])
def test_a_page(page: str, home: Path) -> None:
    for block in filter(_is_run, blocks(page)):
        if block.language == "console":
            _converse(block, home)
            continue
        done = _run(block.text, *(_PYTHON if block.language == "python" else _SHELL))
        assert done.returncode == 0, f"{block.text}\n{done.stdout}"


def _converse(block: Block, home: Path) -> None:
    """Each command in the same shell, its output cut off by a character that nobody prints."""
    spoken = dialogue(block)
    script = "".join(f"{command}\nstatus=$?; printf '\\036'; (exit $status)\n" for command, _ in spoken)
    printed = _run(script, "bash").stdout.replace(str(home), "/home/me").split("\x1e")
    for (command, said), found in zip(spoken, printed, strict=False):
        pattern = ".*".join(re.escape(part.strip()) for part in _comparable(said).split("..."))
        assert re.fullmatch(pattern, _comparable(found), re.DOTALL), f"$ {command}\n{found}\nis not\n{said}"


def _comparable(text: str) -> str:
    """Without what differs from run to run, and from one width of the terminal to another."""
    for pattern, word in VARYING.items():
        text = re.sub(pattern, word, text)
    return " ".join(text.split())


def _run(script: str, *interpreter: str) -> "subprocess.CompletedProcess[str]":
    command = [*(interpreter or _SHELL), "-c", script]
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
