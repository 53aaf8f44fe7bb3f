"""An undo is proven otherwise than all else: a plan is one or the other, whoever wrote it."""

import json
from typing import Any

import pytest
from msgspec.structs import replace

from pkgsync import planfile
from pkgsync.errors import PlanFileError
from pkgsync.model import Action, Archiving, Counts, Deletion, Evidence, OldContent, Plan, Replacement, Source, Upload
from pkgsync.reasons import Reason
from tests.support.values.samples import DELETION, LEAP, LEAP_SOURCE, NOTHING, SUMS, UPLOADS

DIGEST, OTHER = f"sha256:{SUMS['d']}", f"sha256:{SUMS['e']}"
PROOF = Evidence(kind="undo", total=9, receipt=DIGEST)
BACKUP, ARCHIVE = Source(kind="backup"), Source(kind="archive", repository="kata/archive")
UNDONE = Deletion(
    distribution=LEAP,
    filename="a-1-1.x86_64.rpm",
    sha256=SUMS["1"],
    created_at="2026-01-01T00:00:00.000Z",
    uploader="robot",
    reason=Reason.UNDO,
    evidence=PROOF,
)
MOVED = UNDONE.to("kata/archive")
BACK = Upload(distribution=LEAP, filename=UNDONE.filename, size=5, sha256=SUMS["1"], reason=Reason.UNDO, source=BACKUP)
RECALLED = replace(BACK, source=ARCHIVE)
SWAPPED = Replacement(
    distribution=LEAP,
    filename=UNDONE.filename,
    size=5,
    sha256=SUMS["1"],
    reason=Reason.UNDO,
    source=BACKUP,
    old=OldContent(SUMS["2"], UNDONE.created_at),
)
LISTS: dict[type, tuple[str, str]] = {
    Upload: ("uploads", "uploads"),
    Replacement: ("replacements", "replacements"),
    Deletion: ("deletions", "deletions"),
    Archiving: ("archivings", "archivings"),
}


def made(*actions: Action, undoes: str | None = DIGEST) -> Plan:
    found: dict[str, Any] = {}
    for action in actions:
        name = LISTS[type(action)][0]
        found[name] = (*found.get(name, ()), action)
    size = sum(action.size for action in actions if isinstance(action, Upload | Replacement))
    counts = Counts(upload_bytes=size, **{name: len(listed) for name, listed in found.items()})
    summary = replace(NOTHING.summary, total=counts, distributions={LEAP: counts})
    return replace(NOTHING, undoes=undoes, summary=summary, **found)


@pytest.mark.parametrize("action", [UNDONE, MOVED, BACK, RECALLED, SWAPPED])
def test_an_undo_is_written_and_read_again(action: Action) -> None:
    plan = made(action)
    data = planfile.dumps(plan)
    assert planfile.loads(data, "undo.json") == planfile.with_digest(plan)
    assert json.loads(data)["undoes"] == DIGEST


def test_other_plans_do_not_speak_of_undo() -> None:
    assert "undoes" not in json.loads(planfile.dumps(NOTHING))


@pytest.mark.parametrize(
    ("plan", "fault"),
    [
        (made(UNDONE, undoes=None), "a plan with the reason undo cannot be this one"),
        (made(BACK, undoes=None), "a plan with the reason undo cannot be this one"),
        (made(DELETION), "a plan with the reason superseded cannot be this one"),
        (made(UPLOADS[0]), "a plan with the reason missing cannot be this one"),
        (made(replace(UNDONE, evidence=replace(PROOF, receipt=OTHER))), "its evidence is another receipt"),
        (made(replace(BACK, source=LEAP_SOURCE)), "the reason undo does not go with bytes from obs"),
        (
            made(replace(UPLOADS[0], source=BACKUP), undoes=None),
            "the reason missing does not go with bytes from backup",
        ),
        (made(replace(UPLOADS[0], source=ARCHIVE), undoes=None), "the reason missing does not go with bytes from arch"),
        (made(replace(SWAPPED, source=ARCHIVE)), "a replacement cannot come from the archive"),
        (made(replace(RECALLED, source=Source(kind="archive"))), "the archive '' is not USER/REPOSITORY"),
        (
            made(replace(RECALLED, source=Source(kind="archive", repository="kata/testing"))),
            "the archive is the target, kata/testing, itself",
        ),
    ],
)
def test_neither_can_hide_among_the_other(plan: Plan, fault: str) -> None:
    with pytest.raises(PlanFileError) as caught:
        planfile.dumps(plan)
    assert fault in caught.value.message
