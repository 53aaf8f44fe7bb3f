"""What an undo takes away must be ours, whatever the plan says: anybody can write a plan with a right digest."""

from collections.abc import Iterable, Mapping

import pytest
from attrs import evolve

from pkgsync.model import (
    Archiving,
    Deletion,
    Evidence,
    OldContent,
    OrphanPolicy,
    Outcome,
    Plan,
    Policy,
    Replacement,
    Repository,
    Row,
    Source,
    Upload,
)
from pkgsync.model.plan import Action
from pkgsync.reasons import Reason
from pkgsync.reconcile import recheck
from tests.builders import JAMMY, LEAP, LONG_AGO, NOW, actual, desired, plan, repository, rpm, sha
from tests.builders import row as row_of
from tests.undoing import ARCHIVE, DIGEST

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
RECALL = evolve(UPLOAD, source=Source(kind="archive", repository=ARCHIVE))
SENT = {KEY: CONTENT}
TAKING = [DELETION, ARCHIVING, BACK]
OURS = [repository(OFFERED)]
FOREIGN = [repository(rpm("other"))]
DUE = (Outcome.DUE, None)
Outcomes = tuple[Outcome, Reason | None]


def undo_of(action: Action) -> Plan:
    lists = {
        Upload: "uploads",
        Replacement: "replacements",
        Deletion: "deletions",
        Archiving: "archivings",
    }
    return evolve(plan([]), undoes=DIGEST, **{lists[type(action)]: (action,)})


def checked(
    action: Action,
    repositories: Iterable[Repository] = OURS,
    rows: Iterable[Row] = (HERE,),
    sent: Mapping[str, str] | None = None,
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
    assert checked(action, FOREIGN, sent=SENT) == DUE
    assert checked(action, [], sent=SENT, exclude=("*",)) == DUE


@pytest.mark.parametrize("action", TAKING)
@pytest.mark.parametrize("sent", [{}, {KEY: sha("other")}, {f"{JAMMY}/{FILE.filename}": CONTENT}])
def test_what_our_journal_does_not_know_stays(action: Action, sent: dict[str, str]) -> None:
    claims = OrphanPolicy(archive_to=ARCHIVE, names=("*",))
    assert checked(action, sent=sent, orphans=claims) == (Outcome.STALE, Reason.NOT_OWNED)


# a machine without it: the plan alone proves nothing


@pytest.mark.parametrize("action", TAKING)
def test_a_name_that_obs_offers_there_is_ours(action: Action) -> None:
    assert checked(action) == DUE


@pytest.mark.parametrize("action", TAKING)
@pytest.mark.parametrize("claim", [{"names": ("hel*",)}, {"uploaders": ("robot",)}])
def test_a_name_that_the_config_claims_is_ours(action: Action, claim: dict[str, tuple[str, ...]]) -> None:
    assert checked(action, FOREIGN, orphans=OrphanPolicy(archive_to=ARCHIVE, **claim)) == DUE  # type: ignore[arg-type]


@pytest.mark.parametrize("action", TAKING)
def test_foreign_packages_stay(action: Action) -> None:
    assert checked(action, FOREIGN) == (Outcome.STALE, Reason.NOT_OWNED)


@pytest.mark.parametrize("action", TAKING)
def test_what_obs_offers_somewhere_else_is_not_ours_here(action: Action) -> None:
    elsewhere = [repository(OFFERED, name="other", distributions=(JAMMY,)), *FOREIGN]
    assert checked(action, elsewhere, managed=(LEAP, JAMMY)) == (Outcome.STALE, Reason.NOT_OWNED)


@pytest.mark.parametrize("action", TAKING)
def test_where_an_index_is_unread_it_is_left_for_another_run(action: Action) -> None:
    verdict, _ = checked(action, [repository(index=None)])
    assert verdict is Outcome.LEFT


@pytest.mark.parametrize("action", TAKING)
@pytest.mark.parametrize("filters", [{"exclude": ("hello*",)}, {"include": ("other*",)}])
def test_what_the_filters_leave_alone_stays(action: Action, filters: dict[str, object]) -> None:
    assert checked(action, **filters) == (Outcome.STALE, Reason.POLICY_CHANGED)  # type: ignore[arg-type]


# always


@pytest.mark.parametrize("action", [*TAKING, UPLOAD, RECALL])
@pytest.mark.parametrize("sent", [None, SENT])
def test_nothing_happens_in_a_distribution_that_the_config_does_not_manage(
    action: Action, sent: dict[str, str] | None
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
    [evolve(HERE, sha256=sha("other")), evolve(HERE, created_at="2026-01-01T00:00:00.000Z"), evolve(HERE, sha256=None)],
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
        ([evolve(HERE, sha256=None)], DUE),
        ([evolve(HERE, sha256=sha("other"))], (Outcome.STALE, Reason.NO_BACKUP)),
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


def test_limits_do_not_count_for_what_a_receipt_names() -> None:
    files = [rpm("hello", f"1.{number}") for number in range(40)]
    deletions = tuple(evolve(DELETION, filename=file.filename, sha256=file.sha256) for file in files)
    made = evolve(plan([]), undoes=DIGEST, deletions=deletions)
    here = actual(*(row_of(file) for file in files))
    checks = recheck(made, desired(*OURS), here, Policy(), (LEAP,), NOW)
    assert {check.outcome for check in checks} == {Outcome.DUE}
