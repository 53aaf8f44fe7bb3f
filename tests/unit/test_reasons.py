"""Each reason code stands in a group, and the group decides what a stop means: here and nowhere else."""

import re
from collections.abc import Callable
from pathlib import Path

from pkgsync.reasons import Group, Reason

PACKAGE = Path(__file__).parents[2] / "pkgsync"
GROUPS = {
    Group.DUE: {"missing", "rebuilt", "superseded", "gone", "undo"},
    Group.KEPT: {"keep", "protected", "content-changed"},
    Group.RETAINED: {"not-owned", "keep-versions", "last-version"},
    Group.CONTRARY: {"min-age", "grace", "not-newer", "other-architecture", "version-unknown", "catch-all"},
    Group.DOUBT: {
        "earlier-source-unread",
        "owner-unknown",
        "built-not-published",
        "not-succeeded",
        "newest-not-here",
    },
    Group.LATER: {"content-unknown", "in-use", "needed-by", "signature", "unread"},
    Group.UNSETTLED: {
        "architecture-absent",
        "dirty",
        "details",
        "publishing",
        "not-published",
        "index-empty",
        "index-old",
        "index-changed",
    },
    Group.ABSENT: {"repository-absent", "project-absent"},
    Group.CHANGED: {
        "source-changed",
        "target-changed",
        "wanted-again",
        "policy-changed",
        "archive-clash",
        "same-identity",
        "name-mismatch",
        "already-archived",
        "neither-place",
    },
    Group.APPLY: {
        "not-selected",
        "unsettled",
        "no-backup",
        "outcome-unknown",
        "upload-missing",
        "not-there",
        "applied-before",
    },
}


def test_every_code_is_in_the_group_that_it_was_put_into() -> None:
    grouped = {group: {reason.value for reason in Reason if reason.group is group} for group in Group}
    assert grouped == GROUPS, "write the new code into GROUPS above, once you know what its group does to a deletion"


def test_every_code_is_said_somewhere() -> None:
    """By its name, or as what a repository's state is called."""
    sources = [path.read_text() for path in PACKAGE.rglob("*.py") if path.name != "reasons.py"]
    said = {name for text in sources for name in re.findall(r"\bReason\.([A-Z_]+)", text)}
    assert set(Reason.__members__) - said == set(), "nothing in pkgsync/ says it"


def test_the_table_of_the_checks_names_every_code_that_they_stop_with() -> None:
    said = re.findall(r"\bReason\.([A-Z_]+)", (PACKAGE / "reconcile/checks.py").read_text())
    readme = (PACKAGE / "reconcile/README.md").read_text()
    assert {Reason[name].value for name in said} - set(re.findall(r"`([a-z-]+)`", readme)) == set()


def test_a_code_is_still_its_text() -> None:
    by_code: Callable[[str], Reason] = Reason  # type: ignore[assignment]
    assert (str(Reason.KEEP), by_code("keep"), hash(Reason.KEEP)) == ("keep", Reason.KEEP, hash("keep"))
