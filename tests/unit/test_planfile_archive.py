"""Plans that move files to an archive, or rely on one: what is written, read back and refused."""

from typing import Any

import pytest
from msgspec.structs import replace

from pkgsync import planfile
from pkgsync.errors import PlanFileError
from pkgsync.model import Plan
from tests.support.values.samples import ARCHIVING, DELETION, PLAN

KEPT = replace(DELETION, archived_in="kata/archive")
ARCHIVED = replace(PLAN, deletions=(KEPT,))


def test_both_ways_are_read_back_as_they_were_written() -> None:
    plan = planfile.loads(planfile.dumps(ARCHIVED), "plan.json")
    assert (plan.deletions, plan.archivings) == ((KEPT,), (ARCHIVING,))
    assert plan.archives == {"kata/archive"}


def test_a_plain_deletion_says_nothing_of_an_archive() -> None:
    assert b"archived_in" not in planfile.dumps(PLAN)
    assert b'"archived_in": "kata/archive"' in planfile.dumps(ARCHIVED)


@pytest.mark.parametrize(
    ("plan", "words"),
    [
        (replace(ARCHIVED, deletions=(replace(KEPT, archived_in="kata/other"),)), "there is more than one archive"),
        (replace(PLAN, archivings=(replace(ARCHIVING, archive_to="kata/testing"),)), "is the target, kata/testing"),
        (replace(PLAN, archivings=(replace(ARCHIVING, archive_to="Kata/TESTING"),)), "is the target, kata/testing"),
        (replace(ARCHIVED, deletions=(replace(KEPT, archived_in="archive"),)), "deletions[0].archived_in"),
        (replace(PLAN, archivings=(replace(ARCHIVING, archive_to="kata/a/b"),)), "archivings[0].archive_to"),
    ],
)
def test_an_odd_archive_is_refused(plan: Plan, words: str) -> None:
    with pytest.raises(PlanFileError) as caught:
        planfile.dumps(plan)
    assert words in caught.value.message


@pytest.mark.parametrize("value", ["kata/archive", None])
def test_an_archiving_cannot_rely_on_the_archive(value: Any) -> None:
    document = planfile.convert.to_document(planfile.with_digest(PLAN))
    document["archivings"][0]["archived_in"] = value
    document["digest"] = planfile.strictjson.digest(document, "x")
    with pytest.raises(PlanFileError, match=r"archivings\[0\]"):
        planfile.loads(planfile.strictjson.write_text(document), "plan.json")
