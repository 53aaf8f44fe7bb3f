"""What an undo takes away must be ours, whatever the plan says: anybody can write a plan with a right digest."""

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from pkgsync.model import (
    Action,
    Archiving,
    Deletion,
    Evidence,
    Limits,
    OldContent,
    OrphanAction,
    OrphanPolicy,
    Outcome,
    Plan,
    Policy,
    Removal,
    Replacement,
    Repository,
    Row,
    Source,
    Upload,
)
from pkgsync.reasons import Reason
from pkgsync.reconcile import Sent, recheck
from tests.support.values.builders import (
    JAMMY,
    LEAP,
    LONG_AGO,
    NOW,
    actual,
    desired,
    plan,
    problem,
    repository,
    rpm,
    sha,
)
from tests.support.values.builders import row as row_of
from tests.support.worlds.undoing import ARCHIVE, DIGEST

FILE, OFFERED = rpm("hello", "1.0"), rpm("hello", "2.0")
HERE = row_of(FILE)
KEY, CONTENT = HERE.key, FILE.sha256
PROOF = Evidence(kind="undo", total=1, receipt=DIGEST)
DELETION = Deletion(
    distribution=LEAP,
    filename=FILE.filename,
    sha256=CONTENT,
    created_at=LONG_AGO,
    uploader="robot",
    reason=Reason.UNDO,
    evidence=PROOF,
)
ARCHIVING = Archiving(
    distribution=LEAP,
    filename=FILE.filename,
    sha256=CONTENT,
    created_at=LONG_AGO,
    uploader="robot",
    reason=Reason.UNDO,
    evidence=PROOF,
    archive_to=ARCHIVE,
)
BACK = Replacement(
    distribution=LEAP,
    filename=FILE.filename,
    size=5,
    sha256=sha("old"),
    reason=Reason.UNDO,
    source=Source(kind="backup"),
    old=OldContent(CONTENT, LONG_AGO),
)
UPLOAD = Upload(
    distribution=LEAP, filename=FILE.filename, size=5, sha256=CONTENT, reason=Reason.UNDO, source=Source(kind="backup")
)
RECALL = replace(UPLOAD, source=Source(kind="archive", repository=ARCHIVE))
REPLACED, SENT = {KEY: Sent("replacement", CONTENT)}, {KEY: Sent("upload", CONTENT)}
TAKING = [DELETION, ARCHIVING, BACK]
OURS = [repository(OFFERED)]
FOREIGN = [repository(rpm("other"))]
DUE = (Outcome.DUE, None)
STALE_POLICY = (Outcome.STALE, Reason.POLICY_CHANGED)
Outcomes = tuple[Outcome, Reason | None]


def undo_of(action: Action) -> Plan:
    lists: dict[type, str] = {
        Upload: "uploads",
        Replacement: "replacements",
        Deletion: "deletions",
        Archiving: "archivings",
    }
    listed: dict[str, Any] = {lists[type(action)]: (action,)}
    return replace(plan([]), undoes=DIGEST, **listed)


def checked(
    action: Action,
    repositories: Iterable[Repository] = OURS,
    rows: Iterable[Row] = (HERE,),
    sent: Mapping[str, Sent] | None = None,
    orphans: OrphanPolicy | None = None,
    managed: tuple[str, ...] = (LEAP,),
    archive: Iterable[Row] | None = (),
    **wanted: object,
) -> Outcomes:
    policy = Policy(orphans=orphans or OrphanPolicy(archive_to=ARCHIVE), **wanted)  # type: ignore[arg-type]
    here = actual(*rows, archive=archive)
    (check,) = recheck(undo_of(action), desired(*repositories), here, policy, managed, NOW, sent)
    return check.outcome, check.reason


# a machine with the journal of the apply that is taken back


@pytest.mark.parametrize("action", TAKING)
def test_what_our_journal_says_that_we_uploaded_may_go(action: Action) -> None:
    sent = REPLACED if action is BACK else SENT
    assert checked(action, FOREIGN, sent=sent) == DUE
    assert checked(action, [], sent=sent, exclude=("*",)) == DUE


@pytest.mark.parametrize(("action", "sent"), [(DELETION, REPLACED), (ARCHIVING, REPLACED), (BACK, SENT)])
def test_a_name_goes_only_with_the_file_that_it_came_with(action: Action, sent: dict[str, Sent]) -> None:
    """An edited undo must not empty a name that our apply only gave another file."""
    assert checked(action, sent=sent) == (Outcome.STALE, Reason.NOT_OWNED)


@pytest.mark.parametrize("action", TAKING)
@pytest.mark.parametrize("sent", [{}, {KEY: Sent("upload", sha("other"))}, {f"{JAMMY}/{FILE.filename}": SENT[KEY]}])
def test_what_our_journal_does_not_know_stays(action: Action, sent: dict[str, Sent]) -> None:
    claims = OrphanPolicy(archive_to=ARCHIVE, names=("*",))
    assert checked(action, sent=sent, orphans=claims) == (Outcome.STALE, Reason.NOT_OWNED)


@pytest.mark.parametrize("action", [DELETION, ARCHIVING])
def test_our_journal_vouches_for_no_deletion_of_another_reason(action: Removal) -> None:
    edited = replace(action, reason=Reason.SUPERSEDED)
    assert checked(edited, FOREIGN, sent=SENT) == STALE_POLICY


# a machine without it: the plan alone proves nothing, and what it removes is judged like any other deletion

REMOVING = [DELETION, ARCHIVING]
GOING = {
    DELETION: OrphanPolicy(action=OrphanAction.DELETE, keep_versions=1),
    ARCHIVING: OrphanPolicy(action=OrphanAction.ARCHIVE, keep_versions=1, archive_to=ARCHIVE),
}
NEWEST = row_of(OFFERED)


def test_a_forged_undo_deletes_nothing_while_the_config_keeps_orphans() -> None:
    """All 30 packages that OBS publishes, under the limits that nobody has changed."""
    files = [rpm(f"package{number}") for number in range(30)]
    deletions = tuple(replace(DELETION, filename=file.filename, sha256=file.sha256) for file in files)
    made = replace(plan([]), undoes="sha256:" + "f" * 64, deletions=deletions)
    here = actual(*(row_of(file) for file in files))
    checks = recheck(made, desired(repository(*files)), here, Policy(), (LEAP,), NOW)
    assert {(check.outcome, check.reason) for check in checks} == {(Outcome.STALE, Reason.WANTED_AGAIN)}
    others = desired(repository(*(rpm(f"package{number}", "2.0") for number in range(30))))
    checks = recheck(made, others, here, Policy(), (LEAP,), NOW)
    assert {(check.outcome, check.reason) for check in checks} == {STALE_POLICY}


@pytest.mark.parametrize("action", REMOVING)
@pytest.mark.parametrize("claim", [{}, {"names": ("hel*",)}, {"uploaders": ("robot",)}])
def test_what_is_ours_stays_as_long_as_the_config_keeps_orphans(action: Action, claim: dict[str, Any]) -> None:
    assert checked(action, orphans=OrphanPolicy(archive_to=ARCHIVE, **claim)) == STALE_POLICY


@pytest.mark.parametrize("action", REMOVING)
def test_what_a_plan_of_now_would_remove_may_go(action: Removal) -> None:
    assert checked(action, rows=[HERE, NEWEST], orphans=GOING[action]) == DUE


@pytest.mark.parametrize("action", REMOVING)
@pytest.mark.parametrize(
    "changes",
    [
        {"keep_versions": 2},
        {"keep_versions": None},
        {"min_age": timedelta(days=10_000)},
        {"grace": timedelta(days=10_000)},
        {"protect": ("hello*",)},
    ],
)
def test_it_passes_every_check_of_a_deletion(action: Removal, changes: dict[str, Any]) -> None:
    assert checked(action, rows=[HERE, NEWEST], orphans=replace(GOING[action], **changes)) == STALE_POLICY


@pytest.mark.parametrize("action", REMOVING)
def test_it_waits_for_a_settled_obs_like_a_deletion(action: Removal) -> None:
    unsettled = [repository(OFFERED, problems=(problem(),))]
    assert checked(action, unsettled, [HERE, NEWEST], orphans=GOING[action]) == (Outcome.LEFT, Reason.UNSETTLED)
    assert checked(action, OURS, [HERE], orphans=GOING[action]) == (Outcome.LEFT, Reason.UNSETTLED)


@pytest.mark.parametrize("action", REMOVING)
def test_foreign_packages_are_not_removed(action: Removal) -> None:
    assert checked(action, FOREIGN, orphans=GOING[action]) == STALE_POLICY


@pytest.mark.parametrize(("action", "other"), [(DELETION, ARCHIVING), (ARCHIVING, DELETION)])
def test_it_must_be_what_the_config_does_with_orphans(action: Removal, other: Removal) -> None:
    assert checked(action, rows=[HERE, NEWEST], orphans=GOING[other]) == STALE_POLICY


@pytest.mark.parametrize("action", REMOVING)
def test_what_it_brings_back_takes_no_newer_version_s_place(action: Removal) -> None:
    """Its backup under the name of the version that OBS offers, which is not here: the old one must stay."""
    bogus = replace(UPLOAD, filename=OFFERED.filename, sha256=sha("bogus"))
    made = replace(undo_of(action), uploads=(bogus,))
    policy = Policy(orphans=GOING[action])
    (brought, removed) = recheck(made, desired(*OURS), actual(HERE, archive=[]), policy, (LEAP,), NOW)
    assert (brought.outcome, removed.outcome, removed.reason) == (Outcome.DUE, Outcome.LEFT, Reason.UNSETTLED)


def test_it_says_that_the_journal_is_missing() -> None:
    (check,) = recheck(undo_of(DELETION), desired(*OURS), actual(HERE), Policy(), (LEAP,), NOW)
    assert check.message == (
        "keep: the config keeps orphans; else newest-not-here: OBS offers hello-2.0-1.x86_64.rpm, "
        "which Packagecloud does not hold yet as OBS has it; the journal of the apply that it takes back is not here, "
        "so it is judged like any other deletion"
    )


@pytest.mark.parametrize("offering", [OURS, FOREIGN, [repository(index=None)]])
@pytest.mark.parametrize("claim", [{}, {"names": ("hel*",)}, {"uploaders": ("robot",)}])
def test_nothing_is_rolled_back_on_the_word_of_a_plan_alone(offering: Any, claim: dict[str, Any]) -> None:
    orphans = OrphanPolicy(archive_to=ARCHIVE, **claim)
    assert checked(BACK, offering, orphans=orphans) == (Outcome.STALE, Reason.NOT_OWNED)


def test_it_says_where_a_rollback_is_vouched_for() -> None:
    (check,) = recheck(undo_of(BACK), desired(*OURS), actual(HERE), Policy(), (LEAP,), NOW)
    assert check.message == (
        f"the journal of the apply {DIGEST} is not here: apply the undo with the `--state-dir` of that apply"
    )


@pytest.mark.parametrize("action", REMOVING)
@pytest.mark.parametrize("filters", [{"exclude": ("hello*",)}, {"include": ("other*",)}])
def test_what_the_filters_leave_alone_stays(action: Action, filters: dict[str, Any]) -> None:
    assert checked(action, **filters) == STALE_POLICY


# always


@pytest.mark.parametrize("action", [*TAKING, UPLOAD, RECALL])
@pytest.mark.parametrize("sent", [None, SENT])
def test_nothing_happens_in_a_distribution_that_the_config_does_not_manage(
    action: Action, sent: dict[str, Sent] | None
) -> None:
    rows = [HERE] if action in TAKING else []
    assert checked(action, rows=rows, sent=sent, managed=(JAMMY,)) == (Outcome.STALE, Reason.POLICY_CHANGED)


@pytest.mark.parametrize("action", [DELETION, ARCHIVING])
@pytest.mark.parametrize("glob", ["hello*", f"{LEAP}/*"])
def test_what_is_protected_stays_even_if_we_uploaded_it(action: Action, glob: str) -> None:
    protecting = OrphanPolicy(archive_to=ARCHIVE, protect=(glob,))
    assert checked(action, sent=SENT, orphans=protecting) == (Outcome.STALE, Reason.POLICY_CHANGED)


@pytest.mark.parametrize("action", TAKING)
@pytest.mark.parametrize(
    "other",
    [
        replace(HERE, sha256=sha("other")),
        replace(HERE, created_at="2026-01-01T00:00:00.000Z"),
        replace(HERE, sha256=None),
    ],
)
def test_what_changed_since_stays(action: Action, other: Row) -> None:
    assert checked(action, rows=[other], sent=SENT) == (Outcome.STALE, Reason.TARGET_CHANGED)


@pytest.mark.parametrize(("action", "rows"), [(ARCHIVING, [HERE]), (RECALL, [])])
def test_nothing_moves_to_or_from_a_repository_that_only_the_plan_names(action: Action, rows: list[Row]) -> None:
    for orphans in (OrphanPolicy(), OrphanPolicy(archive_to="me/other")):
        assert checked(action, rows=rows, sent=SENT, orphans=orphans, archive=[HERE]) == (
            Outcome.STALE,
            Reason.POLICY_CHANGED,
        )


@pytest.mark.parametrize(
    ("archive", "verdict"),
    [
        ([HERE], DUE),
        ([replace(HERE, sha256=None)], DUE),
        ([replace(HERE, sha256=sha("other"))], (Outcome.STALE, Reason.NO_BACKUP)),
        ([], (Outcome.STALE, Reason.NO_BACKUP)),
        (None, (Outcome.LEFT, Reason.UNREAD)),
    ],
)
def test_a_recall_needs_the_same_file_in_the_archive(archive: list[Row] | None, verdict: Outcomes) -> None:
    assert checked(RECALL, rows=[], archive=archive) == verdict


def test_what_comes_back_needs_nothing_of_obs() -> None:
    assert checked(UPLOAD, [], rows=[]) == DUE
    assert checked(BACK, [repository(index=None)], rows=[]) == DUE
    assert checked(UPLOAD, []) == (Outcome.ALREADY_DONE, None)


def test_limits_count_only_where_the_journal_does_not_know_what_the_plan_names() -> None:
    files = [rpm("hello", f"1.{number}") for number in range(25)]
    deletions = tuple(replace(DELETION, filename=file.filename, sha256=file.sha256) for file in files)
    made = replace(plan([]), undoes=DIGEST, deletions=deletions)
    here = actual(NEWEST, *(row_of(file) for file in files))
    wanted = Policy(orphans=GOING[DELETION], limits=Limits(deletions=20, deletions_percent=100))

    def said(sent: Mapping[str, Sent] | None) -> set[tuple[Outcome, str]]:
        return {(s.outcome, s.message) for s in recheck(made, desired(*OURS), here, wanted, (LEAP,), NOW, sent)}

    assert said({deletion.key: Sent("upload", deletion.sha256) for deletion in deletions}) == {(Outcome.DUE, "")}
    assert said(None) == {(Outcome.STALE, f"limits: {LEAP}: 25 deletions, 5 more than the limit of 20")}
