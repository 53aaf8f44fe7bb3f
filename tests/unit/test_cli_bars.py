"""Progress bars: what is left of them on the terminal."""

from collections.abc import Iterator
from io import StringIO

import pytest

from pkgsync.cli.bars import Bars, write_above


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[float]]:
    now = [1000.0]
    monkeypatch.setattr("tqdm.std.time", lambda: now[0])
    yield now


def screen(text: str) -> list[str]:
    """The lines as a terminal shows them that only knows what a carriage return does."""
    lines = []
    for written in text.split("\n"):
        shown: list[str] = []
        for part in written.split("\r"):
            shown[: len(part)] = part
        lines.append("".join(shown).rstrip())
    return lines


def test_a_task_that_ends_at_once_shows_no_bar(clock: list[float]) -> None:
    stream = StringIO()
    with Bars(stream).task("Uploading", 2, "files") as task:
        task.advance(1)
        write_above("one is done", stream)
        task.advance(1)
    assert "Uploading" not in stream.getvalue()
    assert screen(stream.getvalue()) == ["one is done", ""]


def test_a_bar_that_a_line_moved_is_cleared_at_the_end(clock: list[float]) -> None:
    stream = StringIO()
    with Bars(stream).task("Uploading", 2, "files") as task:
        task.advance(2)
        clock[0] += 1
        write_above("one is done", stream)
        assert screen(stream.getvalue())[-1].startswith("Uploading 100% |")
    assert screen(stream.getvalue()) == ["one is done", ""]
