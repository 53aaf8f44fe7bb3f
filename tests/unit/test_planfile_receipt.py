"""Receipt files."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from msgspec.structs import replace

from pkgsync import planfile
from pkgsync.errors import PlanFileError
from pkgsync.model import Receipt
from tests.support.values.samples import PLAN, RECEIPT, SUMS
from tests.support.values.strategies import receipts


@given(receipts)
def test_what_is_written_is_read_again(receipt: Receipt) -> None:
    data = planfile.dump_receipt(receipt)
    assert planfile.load_receipt(data, "r.json") == receipt
    assert planfile.dump_receipt(planfile.load_receipt(data, "r.json")) == data


def test_a_line_says_only_what_there_is_to_say() -> None:
    lines = json.loads(planfile.dump_receipt(RECEIPT))["lines"]
    assert lines[3] == {
        "action": "deletion",
        "distribution": "opensuse/15.6",
        "filename": "hello-tool-1.2-1.x86_64.rpm",
        "outcome": "done",
        "sha256": SUMS["5"],
        "undo": "backup",
    }


def test_reading_a_file(tmp_path: Path) -> None:
    (tmp_path / "plan.receipt.json").write_bytes(planfile.dump_receipt(RECEIPT))
    assert planfile.read_receipt(tmp_path / "plan.receipt.json") == RECEIPT


def test_a_plan_is_no_receipt() -> None:
    with pytest.raises(PlanFileError, match=r"r\.json: a plan, not a receipt"):
        planfile.load_receipt(planfile.dumps(PLAN), "r.json")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('"done"', '"due"', r"\$\.lines\[0\]\.outcome"),
        ('"done"', '"vanished"', r"\$\.lines\[0\]\.outcome"),
        ('"hello-tool-1.3-1.x86_64.rpm"', '"../x"', r"\$\.lines\[0\]\.filename"),
        ('"exit_code": 0', '"exit_code": -1', r"\$\.exit_code"),
        ('"format_version": "1.1"', '"format_version": "2.1"', r"format 2\.1"),
    ],
)
def test_a_wrong_receipt_is_refused_at_its_place(old: str, new: str, message: str) -> None:
    text = planfile.dump_receipt(RECEIPT).decode()
    assert old in text
    with pytest.raises(PlanFileError, match=message):
        planfile.load_receipt(text.replace(old, new, 1).encode(), "r.json")


def test_a_faulty_receipt_is_not_written() -> None:
    with pytest.raises(PlanFileError, match="exit_code"):
        planfile.dump_receipt(replace(RECEIPT, exit_code=999))
