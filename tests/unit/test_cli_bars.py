"""Long work as it is shown: what bars and lines say, and what is left of them on the terminal."""

from io import StringIO

from hypothesis import given
from hypothesis import strategies as st

from pkgsync.cli.bars import Bars, Lines, Tally
from pkgsync.progress import Unit

MIB = 2**20


class Clock:
    """A clock that is put forward by hand."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


class Screen(StringIO):
    """A terminal that knows line feeds, carriage returns, the way up, and how to clear what is below."""

    def __init__(self) -> None:
        super().__init__()
        self.lines, self.row, self.column = [""], 0, 0

    def write(self, text: str) -> int:
        while text:
            if text.startswith("\x1b[J"):
                self.lines[self.row] = self.lines[self.row][: self.column]
                del self.lines[self.row + 1 :]
                text = text[3:]
            elif text.startswith("\x1b["):
                count, _, text = text[2:].partition("A")
                self.row -= int(count)
            else:
                self._put(text[0])
                text = text[1:]
        return 0

    def _put(self, character: str) -> None:
        if character == "\r":
            self.column = 0
        elif character == "\n":
            self.row, self.column = self.row + 1, 0
            self.lines += [""] * (self.row + 1 - len(self.lines))
        else:
            line = self.lines[self.row].ljust(self.column)
            self.lines[self.row] = line[: self.column] + character + line[self.column + 1 :]
            self.column += 1


def tally(clock: Clock, total: int | None, unit: Unit, files: int | None = None) -> Tally:
    return Tally(description="Uploading", total=total, unit=unit, files=files, clock=clock)


def after(clock: Clock, seconds: float, shown: Tally) -> str:
    """What is said when so many seconds have passed."""
    for _ in range(round(seconds)):
        clock.now += 1
        shown.look()
    return shown.told


def test_files_bytes_speed_and_the_time_that_is_left() -> None:
    clock = Clock()
    shown = tally(clock, 100 * MIB, "bytes", 4)
    assert shown.told == "0 of 4 files, 0 B of 100 MiB"
    with shown.item():
        shown.advance(20 * MIB)
    with shown.item():
        shown.advance(5 * MIB)
        assert after(clock, 2, shown) == "1 of 4 files, 25 MiB of 100 MiB, 12 MiB/s, 6 s left"


def test_counts() -> None:
    clock = Clock()
    shown = tally(clock, 40, "requests")
    shown.advance(10)
    assert after(clock, 2, shown) == "10 of 40 requests, 6 s left"
    endless = tally(clock, None, "requests")
    endless.advance(1)
    assert after(clock, 2, endless) == "1 request"


def test_a_stall_is_admitted_and_what_it_would_be_told_of_the_end_is_not() -> None:
    clock = Clock()
    shown = tally(clock, 100 * MIB, "bytes", 4)
    with shown.item():
        shown.advance(25 * MIB)
        assert after(clock, 4, shown) == "0 of 4 files, 25 MiB of 100 MiB, 6.2 MiB/s, 12 s left"
        assert after(clock, 8, shown) == "0 of 4 files, 25 MiB of 100 MiB, stalled 12 s"
        shown.advance(MIB)
        assert "stalled" not in shown.told


def test_a_server_that_thinks_about_what_was_sent_is_waited_for() -> None:
    clock = Clock()
    shown = tally(clock, MIB, "bytes", 1)
    with shown.item():
        shown.advance(MIB)
        assert after(clock, 70, shown) == "0 of 1 file, 1.0 MiB of 1.0 MiB, waiting 1 min 10 s"
    requests = tally(clock, 3, "requests")
    assert after(clock, 7, requests) == "0 of 3 requests, waiting 7 s"


def test_what_nobody_works_on_is_not_stalled() -> None:
    clock = Clock()
    shown = tally(clock, MIB, "bytes", 2)
    with shown.item():
        shown.advance(1024)
    assert after(clock, 60, shown) == "1 of 2 files, 1.0 KiB of 1.0 MiB"
    with shown.item():
        assert "stalled" not in shown.told


@given(
    st.sampled_from(["bytes", "requests", "actions"]),
    st.integers(1, 10**12),
    st.lists(st.tuples(st.integers(0, 40), st.integers(0, 10**11)), max_size=12),
)
def test_no_time_left_is_never_claimed(unit: Unit, total: int, steps: list[tuple[int, int]]) -> None:
    clock = Clock()
    shown = tally(clock, total, unit)
    for seconds, count in steps:
        shown.advance(count)
        told = after(clock, seconds, shown)
        assert " 0 s left" not in told
        assert "-" not in told


def test_a_task_that_ends_at_once_shows_no_bar() -> None:
    screen, clock = Screen(), Clock()
    bars = Bars(screen, clock=clock, seconds=None)
    with bars.task("Uploading", 2, "files") as task:
        task.advance(1)
        bars.write_above("one is done")
        bars.tick()
        task.advance(1)
    assert (screen.lines, screen.column) == (["one is done", ""], 0)


def test_bars_stand_below_what_is_written_and_leave_nothing() -> None:
    screen, clock = Screen(), Clock()
    bars = Bars(screen, clock=clock, seconds=None)
    with bars.task("Downloading", 2, "files"), bars.task("Uploading", 2, "files") as task:
        task.advance(1)
        clock.now += 2
        bars.tick()
        assert screen.lines == [
            "Downloading [------------------------] 0 of 2 files",
            "Uploading [############------------] 1 of 2 files, 2 s left",
        ]
        assert (screen.row, screen.column) == (0, 0), "whatever ends us leaves the prompt in column 1"
        screen.write("^C")
        bars.write_above("one is done")
        assert [line[:11] for line in screen.lines] == ["one is done", "Downloading", "Uploading ["]
        assert (screen.row, screen.column) == (1, 0)
    assert (screen.lines, screen.row, screen.column) == (["one is done", ""], 1, 0)


def test_a_stage_that_has_ended_is_shown_no_more() -> None:
    screen, clock = Screen(), Clock()
    bars = Bars(screen, clock=clock, seconds=None)
    with bars.task("Downloading", MIB, "bytes", 1) as down, bars.task("Uploading", MIB, "bytes", 1):
        with down.item():
            clock.now += 1
        bars.tick()
        assert [line[:9] for line in screen.lines] == ["Uploading"]


def test_a_bar_never_fills_the_line() -> None:
    screen, clock = Screen(), Clock()
    bars = Bars(screen, clock=clock, seconds=None)
    with bars.task(f"Listing {'x' * 100}", None, "requests"):
        clock.now += 1
        bars.tick()
        assert [len(line) for line in screen.lines] == [79]


def test_off_a_terminal_there_is_a_line_every_thirty_seconds_over_all_tasks() -> None:
    said: list[str] = []
    clock = Clock()
    lines = Lines(said.append, clock=clock, seconds=None)
    for _ in range(4):  # each of them too short for a line of its own
        with lines.task("Reading OBS", 3, "requests") as task:
            task.advance(1)
            for _ in range(10):
                clock.now += 1
                lines.tick()
    assert said == ["Reading OBS: 1 of 3 requests, waiting 10 s"]
    with lines.task("Downloading", 4 * MIB, "bytes", 2), lines.task("Uploading", 4 * MIB, "bytes", 2):
        clock.now += 19
        lines.tick()
        assert len(said) == 1
        clock.now += 1
        lines.tick()
    assert said[1:] == ["Downloading: 0 of 2 files, 0 B of 4.0 MiB; Uploading: 0 of 2 files, 0 B of 4.0 MiB"]


def test_a_terminal_that_went_away_ends_nothing() -> None:
    screen, clock = StringIO(), Clock()
    bars = Bars(screen, clock=clock, seconds=None)
    with bars.task("Uploading", 2, "files"):
        clock.now += 1
        screen.close()
        bars.tick()
