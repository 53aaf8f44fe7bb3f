"""Promise: whatever fails after our own DELETE or promote, the words match the server.

What is absent because of us is told first, as MISSING, in text, JSON and Markdown; what stands is not called so. Every
fault of the switchboard hits one replacement and one archiving, from some request on, once or for ever.
"""

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from pkgsync import planfile
from pkgsync.apply import journal
from pkgsync.apply.share import Part, Phase
from pkgsync.model import Receipt, ReceiptLine
from pkgsync.report import Style, receipt_markdown, receipt_text
from pkgsync.sandbox import ARCHIVE, Fault, Kind, Switchboard
from tests.support.scope import EVERYTHING
from tests.support.worlds.apply_world import ARCHIVING, JAMMY, LEAP, World, deb, open_world, rpm, sha

BEFORE, AFTER = deb(salt="before"), deb(salt="after")
NEW, OLD = rpm(version="2.0"), rpm(version="1.0")
REPLACED, MOVED = f"{JAMMY}/{BEFORE.filename}", f"{LEAP}/{OLD.filename}"
PLAN_FULL = b'{"plan": ["is full"]}'
STATUSES = [(401, b"{}"), (402, b"{}"), (403, b"{}"), (422, PLAN_FULL), (422, b'{"x": ["y"]}'), (429, b""), (500, b"")]
KINDS = [
    Kind.RESET, Kind.RESET_AFTER_BODY, Kind.REPLY_LOST, Kind.RESET_MIDWAY, Kind.EMPTY, Kind.CUT, Kind.TRUNCATE,
    Kind.CORRUPT, Kind.TYPE,
]  # fmt: skip
Faults = Callable[[], Fault]
CELLS: dict[str, dict[str, Any]] = {
    **{f"{status}-{body.decode()}": {"kind": Kind.STATUS, "status": status, "body": body} for status, body in STATUSES},
    **{str(kind): {"kind": kind, "keep": 3} for kind in KINDS},
}
OPEN_ENDS = [1, None]
ROUTES = {"post": ("POST", r"packages\.json"), "look": ("GET", r"search\.json"), "list": ("GET", r"packages\.json")}


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with open_world(tmp_path) as world:
        world.publish(AFTER)
        world.put(BEFORE, JAMMY)
        yield world


@pytest.fixture
def moving(tmp_path: Path) -> Iterator[World]:
    with open_world(tmp_path) as world:
        world.policy = ARCHIVING
        world.publish(NEW)
        world.put(NEW)
        world.put(OLD)
        yield world


def after(world: World, method: str, path: str, *faults: Fault) -> None:
    """The faults are switched on by the first such request, and do not hit it itself."""
    board: Switchboard = world.sandbox.packagecloud.faults
    board.add(Fault(kind=Kind.NOTHING, method=method, path=path, hook=lambda: [board.add(fault) for fault in faults]))


def fault(cell: str, route: str, times: int | None) -> Fault:
    method, path = ROUTES[route]
    return Fault(method=method, path=path, times=times, content_type="application/json", **CELLS[cell])


def assert_told(world: World, receipt: Receipt, key: str) -> ReceiptLine:
    """Every word about the one action against what the server holds."""
    (line,) = [line for line in receipt.lines if line.key == key]
    here, there = world.content, world.content_of(ARCHIVE)
    (said,) = [said for said in json.loads(planfile.dump_receipt(receipt))["lines"] if said["filename"] in key]
    texts = [receipt_text(receipt, Style()), receipt_markdown(receipt)]
    if key in here or key in there:
        assert line.missing != "yes"
    else:
        assert line.missing is not None
        assert not line.outcome.is_goal
        assert "was put back" not in line.message
        assert receipt.exit_code != 0
    assert said.get("missing") == line.missing
    for text in texts:
        assert ("MISSING" in text) == (line.missing is not None)
        assert "nothing changed" not in text
    if line.missing is not None:
        words = "1 MISSING" if line.missing == "yes" else "1 perhaps MISSING"
        assert texts[0].startswith(f"{words}: ")
        assert re.match(rf"## [^\n]*\n\n\*\*{words}\. ", texts[1])
        assert line.kept_at is not None
        assert Path(line.kept_at).exists()
    if "was put back" in line.message:
        assert here.get(key) == (line.old_sha256 or line.sha256)
    if line.outcome.is_goal:
        assert (there if line.action == "archiving" else here).get(key) == line.sha256
    return line


def sampled(cells: list[tuple[str, str, int | None]]) -> list[tuple[str, str, int | None]]:
    return cells if EVERYTHING else [cell for cell in cells if cell[1] == "post"] + cells[::4]


ALL_CELLS = [(cell, route, times) for route in ROUTES for cell in CELLS for times in OPEN_ENDS]


@pytest.mark.parametrize(("cell", "route", "times"), sampled(ALL_CELLS))
def test_a_fault_after_the_delete(world: World, cell: str, route: str, times: int | None) -> None:
    plan = world.plan()
    after(world, "DELETE", "", fault(cell, route, times))
    assert_told(world, world.apply(plan), REPLACED)

    world.sandbox.packagecloud.faults.clear()
    assert world.apply(plan).exit_code == 0
    assert world.content == {REPLACED: sha(AFTER)}


@pytest.mark.parametrize(("cell", "route", "times"), sampled([c for c in ALL_CELLS if c[1] != "post"]))
def test_a_look_that_fails_after_an_upload_was_refused(world: World, cell: str, route: str, times: int | None) -> None:
    plan = world.plan()
    full = Fault(kind=Kind.STATUS, method="POST", path="packages", times=None, status=402, body=b"{}")
    after(world, "DELETE", "", full, fault(cell, route, times))
    line = assert_told(world, world.apply(plan), REPLACED)
    assert line.missing is not None


def test_a_lost_delete_reply_and_no_look(world: World) -> None:
    plan = world.plan()
    after(world, "DELETE", "", fault("500-", "look", None), fault("500-", "post", None))
    world.sandbox.packagecloud.faults.add(Fault(kind=Kind.REPLY_LOST, method="DELETE", times=None))
    assert assert_told(world, world.apply(plan), REPLACED).missing == "perhaps"


def test_a_full_plan_and_a_full_disk(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The journal cannot note anything any more, and the server takes nothing back."""
    plan, write = world.plan(), journal._write_all
    after(world, "DELETE", "", fault("402-{}", "post", None))

    def fills_up(stream: Any, data: bytes) -> None:
        if world.count("DELETE"):
            raise OSError(28, "No space left on device")
        write(stream, data)

    with monkeypatch.context() as patch:
        patch.setattr(journal, "_write_all", fills_up)
        receipt = world.apply(plan)
    assert assert_told(world, receipt, REPLACED).missing == "yes"

    again = world.apply(plan, part=Part(Phase.UPLOADS))
    assert assert_told_later(again).missing is not None, "what nobody looked for is not forgotten"
    assert (again.exit_code, again.lines[0].reason) == (5, "not-selected")
    world.sandbox.packagecloud.faults.clear()
    assert world.apply(plan).exit_code == 0
    assert world.content == {REPLACED: sha(AFTER)}


def assert_told_later(receipt: Receipt) -> ReceiptLine:
    (line,) = receipt.lines
    text = receipt_text(receipt, Style())
    assert text.startswith("1 ")
    assert "Apply incomplete" in text
    return line


@pytest.mark.parametrize(("cell", "route", "times"), sampled(ALL_CELLS))
def test_a_fault_after_a_promote_that_lost_the_file(moving: World, cell: str, route: str, times: int | None) -> None:
    plan = moving.plan()
    lose(moving)
    after(moving, "POST", r"promote\.json", fault(cell, route, times))
    assert_told(moving, moving.apply(plan), MOVED)


@pytest.mark.parametrize(("cell", "route", "times"), sampled([c for c in ALL_CELLS if c[1] == "look"]))
@pytest.mark.parametrize("lost", [False, True])
def test_a_fault_after_a_promote(moving: World, cell: str, route: str, times: int | None, lost: bool) -> None:
    plan = moving.plan()
    after(moving, "POST", r"promote\.json", fault(cell, route, times))
    if lost:
        moving.sandbox.packagecloud.faults.add(Fault(kind=Kind.REPLY_LOST, method="POST", path="promote"))
    receipt = moving.apply(plan)
    (line,) = receipt.lines
    assert line.missing != "yes", "it stands in the archive"
    if line.missing is None and not line.outcome.is_goal:
        assert MOVED in moving.content

    moving.sandbox.packagecloud.faults.clear()
    assert moving.apply(plan).exit_code == 0
    assert moving.content_of(ARCHIVE) == {MOVED: sha(OLD)}


def lose(world: World) -> None:
    """The server moves the file, does not say so, and loses it."""
    board = world.sandbox.packagecloud.faults
    moving = board.add(Fault(kind=Kind.REPLY_LOST, method="POST", path=r"promote\.json"))

    def gone() -> None:
        if moving.hits:
            world.sandbox.packagecloud.repositories[ARCHIVE].clear()

    board.add(Fault(kind=Kind.NOTHING, method="GET", path="search.json", times=None, hook=gone))
