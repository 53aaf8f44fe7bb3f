"""The end of an apply: what is not done, grouped by its reason, and the next step."""

from typing import Any

import pytest
from hypothesis import given
from msgspec.structs import replace

from pkgsync.model import Approval, OrphanAction, Outcome, Overrides, Receipt, ReceiptLine, Selection
from pkgsync.reasons import Reason
from pkgsync.report import Style, next_step, receipt_html, receipt_markdown, receipt_text
from pkgsync.report.receipt import _groups
from tests.support.values.samples import LEAP, PLAN, RECEIPT, SUMS
from tests.support.values.strategies import receipts

PLAIN = Style()


@pytest.mark.parametrize(
    ("outcomes", "line"),
    [
        ([Outcome.DUE], "Dry run: 1 due."),
        ([Outcome.STALE], "Dry run: 1 stale."),
        (
            [Outcome.DONE, Outcome.ALREADY_DONE, Outcome.DUE],
            "Dry run: 1 due; done before: 1 uploaded, 1 found done.",
        ),
        (
            [Outcome.DONE, Outcome.ALREADY_DONE],
            "Dry run: nothing is due, every action of the plan was done before (2).",
        ),
    ],
)
def test_the_last_line_of_a_dry_run(outcomes: list[Outcome], line: str) -> None:
    lines = tuple(replace(RECEIPT.lines[0], outcome=outcome) for outcome in outcomes)
    assert receipt_text(replace(RECEIPT, lines=lines), PLAIN, dry_run=True).splitlines()[-1] == line


def not_done(number: int, outcome: Outcome, message: str, **more: Any) -> ReceiptLine:
    name = f"lib{number}-1-1.x86_64.rpm"
    line = ReceiptLine(action="upload", distribution=LEAP, filename=name, outcome=outcome, message=message)
    return replace(line, **more)


def test_what_is_not_done_is_told_by_its_reason_and_failures_come_first() -> None:
    lines = (
        *(not_done(number, Outcome.LEFT, "not begun: the run was interrupted") for number in range(12)),
        *(not_done(number, Outcome.STALE, f"other {number}", reason="source-changed") for number in range(20, 27)),
        *(not_done(number, Outcome.FAILED, "500") for number in range(30, 33)),
        not_done(33, Outcome.FAILED, "413"),
    )
    receipt = replace(RECEIPT, lines=lines, complete=False)
    assert receipt_text(receipt, PLAIN).splitlines() == [
        "  ! 3 uploads failed: 500",
        "      opensuse/15.6/lib30-1-1.x86_64.rpm",
        "      opensuse/15.6/lib31-1-1.x86_64.rpm",
        "      opensuse/15.6/lib32-1-1.x86_64.rpm",
        "  ! opensuse/15.6/lib33-1-1.x86_64.rpm  upload failed: 413",
        "  ! 7 uploads stale: source-changed",
        "      opensuse/15.6/lib20-1-1.x86_64.rpm: other 20",
        "      opensuse/15.6/lib21-1-1.x86_64.rpm: other 21",
        "      opensuse/15.6/lib22-1-1.x86_64.rpm: other 22",
        "      and 4 more (-v names them)",
        "  ! 12 uploads left for the next run: not begun: the run was interrupted",
        "      opensuse/15.6/lib0-1-1.x86_64.rpm",
        "      opensuse/15.6/lib1-1-1.x86_64.rpm",
        "      opensuse/15.6/lib2-1-1.x86_64.rpm",
        "      and 9 more (-v names them)",
        "",
        "Apply incomplete: nothing changed in 41 s; 4 failed, 7 stale, 12 left for the next run.",
    ]
    assert all(line.filename in receipt_text(receipt, PLAIN, verbose=True) for line in lines)


@given(receipts)
def test_every_action_is_told_once(receipt: Receipt) -> None:
    undone = [line for line in receipt.lines if not (line.missing or line.outcome.is_goal)]
    grouped = [line for group in _groups(receipt.lines) for line in group.lines]
    assert sorted(map(repr, grouped)) == sorted(map(repr, undone))


@pytest.mark.parametrize(
    ("outcomes", "changes", "step"),
    [
        ([Outcome.DONE, Outcome.ALREADY_DONE], {}, ""),
        ([Outcome.DONE, Outcome.LEFT], {}, "Next: pkgsync apply 'my plan.json'"),
        ([Outcome.FAILED], {"exit_code": 5}, "Next: pkgsync apply 'my plan.json'"),
        ([Outcome.FAILED], {"exit_code": 7}, "Next, with other credentials: pkgsync apply 'my plan.json'"),
        ([Outcome.FAILED], {"exit_code": 9}, "Next, once there is room again: pkgsync apply 'my plan.json'"),
        ([Outcome.STALE], {}, "Next: pkgsync plan -o 'my plan.json'"),
        ([Outcome.DONE, Outcome.SKIPPED], {}, "Next: pkgsync plan -o 'my plan.json'"),
        ([Outcome.SKIPPED, Outcome.LEFT], {}, "Next: pkgsync apply 'my plan.json'"),
        (
            [Outcome.STALE, Outcome.LEFT],
            {},
            "To go on without what is stale: pkgsync apply --skip-stale 'my plan.json'\n"
            "Next: pkgsync plan -o 'my plan.json'",
        ),
    ],
)
def test_the_next_step_is_a_command(outcomes: list[Outcome], changes: dict[str, Any], step: str) -> None:
    lines = tuple(replace(RECEIPT.lines[0], outcome=outcome) for outcome in outcomes)
    assert next_step(replace(RECEIPT, lines=lines, **changes), PLAN, "my plan.json") == step


@pytest.mark.parametrize(
    ("reasons", "part", "step"),
    [
        ((None,), "--shard 2/4 ", "Next: pkgsync apply --expect-digest sha256:1 --shard 2/4 p.json"),
        ((None, Reason.NOT_SELECTED), "--shard 2/4 ", "Next: pkgsync apply --expect-digest sha256:1 --shard 2/4 p.json"),
        ((Reason.NOT_SELECTED,), "--shard 2/4 ", ""),
        ((None, Reason.NOT_SELECTED), "--only uploads ", "Next: pkgsync apply --expect-digest sha256:1 --only uploads p.json"),
        ((Reason.NOT_SELECTED,), "--only uploads ", "Next: pkgsync apply --expect-digest sha256:1 p.json"),
    ],
)  # fmt: skip
def test_the_next_step_of_a_part_is_no_more_than_that_part(
    reasons: tuple[Reason | None, ...], part: str, step: str
) -> None:
    """A machine that takes a share must not be told to apply the whole plan."""
    lines = tuple(replace(RECEIPT.lines[0], outcome=Outcome.LEFT, reason=reason and reason.value) for reason in reasons)
    receipt = replace(RECEIPT, lines=lines)
    assert next_step(receipt, PLAN, "p.json", given="--expect-digest sha256:1 ", part=part) == step


def test_the_next_plan_is_limited_as_the_last_one_but_allows_no_more_than_usual() -> None:
    lines = (replace(RECEIPT.lines[0], outcome=Outcome.STALE),)
    limited = replace(
        PLAN,
        overrides=Overrides(OrphanAction.DELETE, 50),
        selection=Selection(("*/hello*",), ("*.deb",)),
        targeted=True,
    )
    stale = replace(RECEIPT, lines=lines)
    assert next_step(stale, limited, "p.json", "-c a.yaml ") == (
        "Next: pkgsync -c a.yaml plan -o p.json --target '*/hello*' --exclude '*.deb' --orphans delete"
    )
    undoing = replace(PLAN, undoes=f"sha256:{SUMS['d']}")
    assert next_step(stale, undoing, "p.json") == "Next: pkgsync undo RECEIPT -o p.json"


def test_whose_signatures_the_run_relied_on_is_told_everywhere() -> None:
    approvals = (Approval(("alice@example.com", "deputy"), "SHA256:abc", "2026-11-22T12:00:00Z"),)
    receipt = replace(RECEIPT, approvals=approvals)
    assert "\nsigned by alice@example.com, deputy with SHA256:abc\n" in receipt_text(receipt, PLAIN, verbose=True)
    assert receipt_markdown(receipt).rstrip().endswith("Signed by `alice@example.com`, deputy with SHA256:abc.")
    assert "by alice@example.com, deputy with SHA256:abc" in receipt_html(receipt)
