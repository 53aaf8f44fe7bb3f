"""Row by row: what a receipt's line and the world of now make of an undo."""

import pytest
from msgspec.structs import replace

from pkgsync.model import (
    Archiving,
    Counts,
    Deletion,
    Evidence,
    Held,
    OldContent,
    OrphanPolicy,
    Outcome,
    Plan,
    Policy,
    ReceiptLine,
    Replacement,
    Row,
    Source,
    Upload,
)
from pkgsync.reasons import Reason
from pkgsync.reconcile import Kept, undo_plan
from tests.support.values.builders import JAMMY, LEAP, LONG_AGO, NOW, SETTING, actual, sha
from tests.support.worlds.undoing import ARCHIVE, DIGEST, MANAGED, POLICY, line, receipt, row

NAME = "hello-1.0-1.x86_64.rpm"
KEY = f"{LEAP}/{NAME}"
NEW, OLD, FOREIGN = sha("new"), sha("old"), sha("foreign")
UPLOADED = line("upload", KEY, sha256=NEW, size=5, attempts=1)
REPLACED = line("replacement", KEY, sha256=NEW, old_sha256=OLD, size=5, attempts=2, undo="backup")
DELETED = line("deletion", KEY, sha256=OLD, attempts=1, undo="backup")
MOVED = line("archiving", KEY, sha256=OLD, size=7, attempts=1, archive_to=ARCHIVE, undo="archive")
RECALLED = replace(UPLOADED, archive_to=ARCHIVE, undo="archive")
KEPT = Kept({OLD: 7}, {KEY: 7})


def undone(
    said: ReceiptLine,
    here: str | Row | None,
    kept: Kept = KEPT,
    there: str | None = None,
    policy: Policy = POLICY,
    managed: tuple[str, ...] = MANAGED,
) -> Plan:
    rows = () if here is None else ((here,) if isinstance(here, Row) else (row(KEY, here),))
    archive = [row(KEY, there)] if there is not None else []
    return undo_plan(receipt(said), actual(*rows, archive=archive), kept, policy, managed, NOW, SETTING)


def only(plan: Plan) -> object:
    items: list[object] = [*plan.actions, *plan.held]
    assert len(items) == 1
    return items[0]


def held(plan: Plan) -> tuple[str, Reason]:
    assert plan.actions == ()
    (item,) = plan.held
    return item.action, item.reason


PROOF = Evidence(kind="undo", total=1, receipt=DIGEST)


def test_what_was_uploaded_is_deleted() -> None:
    assert only(undone(UPLOADED, NEW)) == Deletion(
        distribution=LEAP,
        filename=NAME,
        sha256=NEW,
        created_at=LONG_AGO,
        uploader=None,
        reason=Reason.UNDO,
        evidence=PROOF,
    )


def test_what_was_replaced_is_replaced_back() -> None:
    expected = Replacement(
        distribution=LEAP,
        filename=NAME,
        size=7,
        sha256=OLD,
        reason=Reason.UNDO,
        source=Source(kind="backup"),
        old=OldContent(NEW, LONG_AGO),
    )
    assert only(undone(REPLACED, NEW)) == expected


def test_what_was_deleted_is_uploaded_from_the_backups() -> None:
    assert only(undone(DELETED, None)) == Upload(
        distribution=LEAP, filename=NAME, size=7, sha256=OLD, reason=Reason.UNDO, source=Source(kind="backup")
    )


LOST = replace(REPLACED, outcome=Outcome.FAILED, missing="yes")
BACK = Upload(distribution=LEAP, filename=NAME, size=7, sha256=OLD, reason=Reason.UNDO, source=Source(kind="backup"))


@pytest.mark.parametrize(
    "said",
    [
        LOST,
        replace(LOST, outcome=Outcome.LEFT, missing="perhaps"),
        replace(MOVED, outcome=Outcome.FAILED, missing="yes", undo="backup"),
    ],
)
def test_what_is_missing_is_uploaded_from_the_backups(said: ReceiptLine) -> None:
    assert only(undone(said, None)) == BACK


def test_what_was_missing_and_is_there_again_is_left_alone() -> None:
    assert undone(LOST, OLD).actions == ()


def test_what_is_missing_and_was_not_kept_is_held() -> None:
    assert held(undone(LOST, None, kept=Kept())) == ("replacement", Reason.NO_BACKUP)


def test_what_was_archived_is_moved_back_even_if_a_backup_is_at_hand() -> None:
    source = Source(kind="archive", repository=ARCHIVE)
    assert only(undone(MOVED, None, there=OLD)) == Upload(
        distribution=LEAP, filename=NAME, size=7, sha256=OLD, reason=Reason.UNDO, source=source
    )


def test_what_was_moved_back_is_archived_again() -> None:
    expected = Archiving(
        distribution=LEAP,
        filename=NAME,
        sha256=NEW,
        created_at=LONG_AGO,
        uploader=None,
        reason=Reason.UNDO,
        evidence=PROOF,
        archive_to=ARCHIVE,
    )
    assert only(undone(RECALLED, NEW)) == expected


def test_what_was_replaced_and_is_absent_now_is_uploaded() -> None:
    assert only(undone(REPLACED, None)) == Upload(
        distribution=LEAP, filename=NAME, size=7, sha256=OLD, reason=Reason.UNDO, source=Source(kind="backup")
    )


@pytest.mark.parametrize("there", [None, FOREIGN])
def test_what_the_archive_no_longer_holds_comes_from_the_backups(there: str | None) -> None:
    assert only(undone(MOVED, None, there=there)) == Upload(
        distribution=LEAP, filename=NAME, size=7, sha256=OLD, reason=Reason.UNDO, source=Source(kind="backup")
    )


def test_what_the_server_gave_another_name_leaves_no_room_for_the_old_file() -> None:
    said = replace(REPLACED, stored_as="hello-1.0-1.x86_64-1.rpm")
    beside = row(f"{LEAP}/hello-1.0-1.x86_64-1.rpm", NEW)
    assert held(undone(said, beside)) == ("replacement", Reason.SAME_IDENTITY)


def test_what_others_put_under_the_name_that_the_server_gave_is_not_in_the_way() -> None:
    said = replace(REPLACED, stored_as="hello-1.0-1.x86_64-1.rpm")
    assert only(undone(said, row(f"{LEAP}/hello-1.0-1.x86_64-1.rpm", FOREIGN))) == BACK


def test_what_was_missing_and_somebody_else_has_put_there_is_left_alone() -> None:
    plan = undone(LOST, FOREIGN)
    assert (plan.actions, plan.held) == ((), ())


def test_what_the_archive_holds_in_no_known_size_does_not_come_from_there() -> None:
    assert held(undone(MOVED, None, kept=Kept(), there=OLD)) == ("upload", Reason.NO_BACKUP)


def test_what_the_server_had_renamed_is_deleted_under_its_new_name() -> None:
    other = row(f"{LEAP}/hello.rpm", NEW)
    renamed = replace(UPLOADED, stored_as="hello.rpm")
    expected = Deletion(
        distribution=LEAP,
        filename="hello.rpm",
        sha256=NEW,
        created_at=LONG_AGO,
        uploader=None,
        reason=Reason.UNDO,
        evidence=PROOF,
    )
    assert only(undone(renamed, other)) == expected
    assert undone(renamed, row(KEY, NEW)).actions == ()


@pytest.mark.parametrize(
    ("said", "here"),
    [(UPLOADED, None), (REPLACED, OLD), (DELETED, OLD), (MOVED, OLD)],
    ids=["uploaded", "replaced", "deleted", "archived"],
)
def test_what_is_back_already_needs_nothing(said: ReceiptLine, here: str | None) -> None:
    plan = undone(said, here)
    assert (plan.actions, plan.held, plan.summary.total.changes) == ((), (), 0)


@pytest.mark.parametrize(
    ("said", "action"),
    [
        (UPLOADED, "deletion"),
        (REPLACED, "replacement"),
        (DELETED, "upload"),
        (MOVED, "upload"),
        (RECALLED, "archiving"),
    ],
)
@pytest.mark.parametrize(
    ("here", "reason"), [(FOREIGN, Reason.TARGET_CHANGED), (row(KEY, None), Reason.CONTENT_UNKNOWN)]
)
def test_what_somebody_changed_since_is_held(said: ReceiptLine, action: str, here: str | Row, reason: Reason) -> None:
    assert held(undone(said, here)) == (action, reason)


@pytest.mark.parametrize(
    ("said", "here", "action"), [(REPLACED, NEW, "replacement"), (DELETED, None, "upload"), (MOVED, None, "upload")]
)
def test_what_was_not_kept_is_listed(said: ReceiptLine, here: str | None, action: str) -> None:
    plan = undone(said, here, kept=Kept())
    assert held(plan) == (action, Reason.NO_BACKUP)
    assert (plan.applyable, plan.complete) == (True, True)


def test_an_archive_that_could_not_be_read_makes_the_plan_incomplete() -> None:
    unread = undo_plan(receipt(MOVED), actual(), Kept(), POLICY, MANAGED, NOW, SETTING)
    assert held(unread) == ("upload", Reason.UNREAD)
    assert not unread.complete
    other = line("upload", f"{JAMMY}/hello_1_all.deb", sha256=NEW, attempts=1)
    here = actual(row(other.key, NEW))
    assert not undo_plan(receipt(MOVED, other), here, Kept(), POLICY, MANAGED, NOW, SETTING).complete
    helped = undo_plan(receipt(MOVED), actual(), KEPT, POLICY, MANAGED, NOW, SETTING)
    assert (only(helped), helped.complete) == (
        Upload(distribution=LEAP, filename=NAME, size=7, sha256=OLD, reason=Reason.UNDO, source=Source(kind="backup")),
        True,
    )


@pytest.mark.parametrize(("said", "here", "action"), [(MOVED, None, "upload"), (RECALLED, NEW, "archiving")])
def test_an_archive_that_only_the_receipt_names_is_not_used(said: ReceiptLine, here: str | None, action: str) -> None:
    other = Policy(orphans=OrphanPolicy(archive_to="me/other"))
    assert held(undone(said, here, kept=Kept({}, {KEY: 7}), there=OLD, policy=other)) == (action, Reason.POLICY_CHANGED)


@pytest.mark.parametrize("glob", ["hello*", f"{LEAP}/*"])
def test_what_the_config_protects_stays(glob: str) -> None:
    protecting = Policy(orphans=OrphanPolicy(protect=(glob,)))
    assert held(undone(UPLOADED, NEW, policy=protecting)) == ("deletion", Reason.PROTECTED)
    assert only(undone(DELETED, None, policy=protecting)) is not None


@pytest.mark.parametrize(("said", "here"), [(UPLOADED, NEW), (REPLACED, NEW), (DELETED, None), (MOVED, None)])
def test_distributions_that_the_config_does_not_manage_are_left_alone(said: ReceiptLine, here: str | None) -> None:
    assert held(undone(said, here, there=OLD, managed=(JAMMY,)))[1] is Reason.POLICY_CHANGED


# what the receipt does not call done


@pytest.mark.parametrize(
    "outcome", [Outcome.ALREADY_DONE, Outcome.STALE, Outcome.SKIPPED, Outcome.LEFT, Outcome.FAILED]
)
@pytest.mark.parametrize(("said", "here"), [(UPLOADED, NEW), (REPLACED, NEW), (DELETED, None), (MOVED, None)])
def test_what_was_never_sent_is_not_ours_to_undo(outcome: Outcome, said: ReceiptLine, here: str | None) -> None:
    plan = undone(replace(said, outcome=outcome, attempts=0), here, there=OLD)
    assert (plan.actions, plan.held) == ((), ())


def test_what_somebody_else_had_done_is_not_ours_to_undo() -> None:
    plan = undone(replace(UPLOADED, outcome=Outcome.ALREADY_DONE, attempts=1), NEW)
    assert (plan.actions, plan.held) == ((), ())


@pytest.mark.parametrize("outcome", [Outcome.FAILED, Outcome.LEFT, Outcome.STALE, Outcome.SKIPPED])
@pytest.mark.parametrize(
    ("said", "here", "action"),
    [
        (UPLOADED, NEW, "deletion"),
        (REPLACED, NEW, "replacement"),
        (REPLACED, None, "replacement"),
        (DELETED, None, "upload"),
        (MOVED, None, "upload"),
    ],
)
def test_an_unknown_outcome_is_held_where_it_may_have_had_its_effect(
    outcome: Outcome, said: ReceiptLine, here: str | None, action: str
) -> None:
    assert held(undone(replace(said, outcome=outcome), here, there=OLD)) == (action, Reason.OUTCOME_UNKNOWN)


@pytest.mark.parametrize(
    ("said", "here"),
    [(UPLOADED, None), (UPLOADED, FOREIGN), (REPLACED, OLD), (REPLACED, FOREIGN), (DELETED, OLD), (DELETED, FOREIGN)],
)
def test_an_unknown_outcome_without_an_effect_needs_nothing(said: ReceiptLine, here: str | None) -> None:
    plan = undone(replace(said, outcome=Outcome.FAILED), here)
    assert (plan.actions, plan.held) == ((), ())


def test_an_unknown_outcome_over_an_unknown_content_is_held() -> None:
    assert held(undone(replace(UPLOADED, outcome=Outcome.FAILED), row(KEY, None))) == (
        "deletion",
        Reason.CONTENT_UNKNOWN,
    )


# the plan around them


def test_the_plan_says_what_it_takes_back_and_counts() -> None:
    other = f"{JAMMY}/hello_1_all.deb"
    lines = (UPLOADED, line("deletion", other, sha256=OLD, undo="backup"))
    foreign = replace(row("python/1/x.whl", NEW), type="py")
    plan = undo_plan(receipt(*lines), actual(row(KEY, NEW), foreign), KEPT, POLICY, MANAGED, NOW, SETTING)
    assert (plan.undoes, plan.applyable, plan.complete, plan.targeted) == (DIGEST, True, True, False)
    assert plan.summary.total == Counts(uploads=1, deletions=1, upload_bytes=7, rows=1)
    assert plan.summary.distributions == {
        LEAP: Counts(deletions=1, rows=1),
        JAMMY: Counts(uploads=1, upload_bytes=7),
    }
    assert plan.summary.unmanaged == 1
    assert (plan.target.total, plan.target.distributions) == (2, MANAGED)


def test_a_row_of_another_type_under_the_key_is_never_deleted() -> None:
    assert undone(UPLOADED, replace(row(KEY, NEW), type="py")).actions == ()


def test_the_order_of_lines_and_rows_changes_nothing() -> None:
    keys = [f"{LEAP}/{name}-1-1.x86_64.rpm" for name in "cab"]
    lines = [line("upload", key, sha256=NEW) for key in keys]
    rows = [row(key, NEW) for key in keys]
    one = undo_plan(receipt(*lines), actual(*rows), KEPT, POLICY, MANAGED, NOW, SETTING)
    other = undo_plan(receipt(*reversed(lines)), actual(*reversed(rows)), KEPT, POLICY, MANAGED, NOW, SETTING)
    assert one == other
    assert [deletion.key for deletion in one.deletions] == sorted(keys)


def test_held_actions_say_why() -> None:
    (item,) = undone(DELETED, None, kept=Kept()).held
    assert item == Held(
        distribution=LEAP,
        filename=NAME,
        action="upload",
        reason=Reason.NO_BACKUP,
        message=f"the backup store does not hold {OLD[:12]}",
    )


@pytest.mark.parametrize(("api", "said"), [("http://localhost:1", True), ("https://packagecloud.io", False)])
def test_only_a_server_without_tls_is_marked_as_such(api: str, said: bool) -> None:
    setting = replace(SETTING, allow_http=True, packagecloud_url=api)
    plan = undo_plan(receipt(UPLOADED), actual(), KEPT, POLICY, MANAGED, NOW, setting)
    assert (plan.target.allow_http, plan.source.allow_http) == (said, False)
