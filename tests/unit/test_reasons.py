"""Each reason code stands in a group, and the group decides what a stop means: here and nowhere else."""

from collections.abc import Callable

from pkgsync.reasons import Group, Reason

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
    assert {group: {reason.value for reason in Reason if reason.group is group} for group in Group} == GROUPS


def test_a_code_is_still_its_text() -> None:
    by_code: Callable[[str], Reason] = Reason  # type: ignore[assignment]
    assert (str(Reason.KEEP), by_code("keep"), hash(Reason.KEEP)) == ("keep", Reason.KEEP, hash("keep"))
