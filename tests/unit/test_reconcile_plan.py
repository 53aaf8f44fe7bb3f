"""The plan as a value: limits, counts, selection, snapshot, completeness."""

from msgspec.structs import replace

from pkgsync.model import (
    Counts,
    LimitExceeded,
    Limits,
    OrphanAction,
    OrphanPolicy,
    Overrides,
    PlannedArchitecture,
    Selection,
)
from pkgsync.reasons import Reason
from pkgsync.reconcile import Selector, audit, reconcile
from pkgsync.reconcile.planning import snapshot
from tests.support.values.builders import (
    LEAP,
    NOW,
    SETTING,
    actual,
    architecture,
    decide,
    desired,
    package,
    plan,
    policy,
    problem,
    repository,
    row,
    rpm,
)

NEW = rpm(version="9.0")
OLD = [row(rpm(version=f"1.{n}")) for n in range(12)]
STAYING = [row(rpm("other", f"1.{n}")) for n in range(8)]
VANISH = OrphanPolicy(action=OrphanAction.DELETE, keep_versions=0, names=("*",))


def test_the_count_of_deletions_is_limited_and_the_message_names_the_override() -> None:
    made = plan([repository(NEW)], [row(NEW), *OLD], policy(limits=Limits(deletions=11, deletions_percent=100)))
    assert made.exceeded == (
        LimitExceeded(
            distribution=LEAP,
            limit="deletions",
            allowed=11,
            found=12,
            message="opensuse/15.6: 12 deletions, 1 more than the limit of 11",
            override="--max-deletions 12",
        ),
    )
    assert not made.applyable
    assert len(made.deletions) == 12
    assert plan(
        [repository(NEW)], [row(NEW), *OLD], policy(limits=Limits(deletions=12, deletions_percent=100))
    ).applyable


def test_the_percentage_of_the_rows_is_limited() -> None:
    rows = [row(NEW), *OLD[:6], *STAYING, *(row(rpm("more", f"1.{n}")) for n in range(5))]
    assert len(rows) == 20
    assert plan([repository(NEW)], rows, policy(limits=Limits(deletions=20, deletions_percent=30))).applyable
    made = plan([repository(NEW)], rows, policy(limits=Limits(deletions=20, deletions_percent=29)))
    assert [(e.limit, e.allowed, e.found, e.override) for e in made.exceeded] == [
        ("deletions_percent", 29, 30, "--max-deletions 6")
    ]


def test_the_percentage_counts_from_ten_rows_up() -> None:
    assert plan(
        [repository(NEW)], [row(NEW), *OLD[:8]], policy(limits=Limits(deletions=20, deletions_percent=30))
    ).applyable
    assert not plan(
        [repository(NEW)], [row(NEW), *OLD[:9]], policy(limits=Limits(deletions=20, deletions_percent=30))
    ).applyable


def test_an_override_allows_what_it_says_and_is_recorded() -> None:
    setting = replace(SETTING, overrides=Overrides(max_deletions=12))
    made = plan(
        [repository(NEW)], [row(NEW), *OLD], policy(limits=Limits(deletions=1, deletions_percent=1)), setting=setting
    )
    assert (made.applyable, made.overrides.max_deletions) == (True, 12)
    less = replace(SETTING, overrides=Overrides(max_deletions=11))
    assert not plan(
        [repository(NEW)], [row(NEW), *OLD], policy(limits=Limits(deletions=100, deletions_percent=100)), setting=less
    ).applyable


def test_deletions_whose_newer_version_arrives_with_the_plan_do_not_count() -> None:
    made = plan([repository(NEW)], OLD, policy(limits=Limits(deletions=0, deletions_percent=0)))
    assert (made.applyable, len(made.deletions), len(made.uploads)) == (True, 12, 1)


def test_a_distribution_that_would_vanish() -> None:
    empty = repository(architectures=[architecture("x86_64", package("src", "unrelated-1-1.x86_64.rpm"))])
    made = plan([empty], OLD[:2], policy(VANISH))
    assert [(e.limit, e.found, e.override) for e in made.exceeded] == [("vanish", 2, "--max-deletions 2")]


def test_counts_per_distribution_and_in_all() -> None:
    world = [repository(NEW, rpm("new"), distributions=(LEAP, "el/9"))]
    rows = [row(NEW), row(rpm()), row(NEW, "el/9", sha256=None), row(rpm("foreign")), row(rpm(), "fedora/40")]
    made = plan(world, rows, managed=(LEAP, "el/9"))
    assert made.summary.unmanaged == 1
    assert made.summary.distributions == {
        LEAP: Counts(uploads=1, deletions=1, unchanged=1, orphans_kept=1, upload_bytes=1000, rows=3),
        "el/9": Counts(uploads=1, held=1, upload_bytes=1000, rows=1),
    }
    assert made.summary.total == Counts(
        uploads=2, deletions=1, held=1, unchanged=1, orphans_kept=1, upload_bytes=2000, rows=4
    )


def test_a_selection_takes_only_its_actions_and_an_upload_left_out_holds_its_name() -> None:
    takes = Selector(Selection(excludes=("*/hello-9.0-*",))).takes
    here, there = desired(repository(NEW)), actual(*OLD[:3])
    result = reconcile(here, there, policy(), (LEAP,), NOW, takes).distributions[0]
    assert (result.uploads, result.deletions) == ((), ())
    assert {o.reason for o in result.orphans} == {Reason.NEWEST_NOT_HERE}


def test_a_deletion_that_a_selection_leaves_out_is_not_planned() -> None:
    takes = Selector(Selection(excludes=(f"*/{OLD[0].filename}",))).takes
    here, there = desired(repository(NEW)), actual(row(NEW), *OLD[:3])
    result = reconcile(here, there, policy(), (LEAP,), NOW, takes).distributions[0]
    assert [d.filename for d in result.deletions] == [r.filename for r in OLD[1:3]]


def test_the_snapshot_is_of_what_the_rows_are_and_not_of_their_order() -> None:
    """The sum is of [["opensuse/15.6","hello-1.0-1.x86_64.rpm","","2025-01-01T00:00:00.000Z"]]."""
    rows = OLD[:3]
    assert snapshot(rows) == snapshot(rows[::-1])
    assert snapshot([row(rpm(), sha256=None)]) == "3d5521aac6b002c5c0c3a3e5f5a7ce38a891a6699e4a70c2088509a826d56e01"
    assert len({snapshot([row(rpm(), **{k: "x"})]) for k in ("sha256", "created_at", "distribution", "filename")}) == 4


def test_a_plan_states_what_it_read() -> None:
    unread = repository(name="b", index=None, unread=True, problems=(problem(Reason.UNREAD),), architectures=[])
    dirty = architecture("aarch64", dirty=True, problems=(problem(),))
    made = plan([unread, repository(NEW, architectures=[dirty, architecture("x86_64")])])
    assert not made.complete
    assert [r.repository for r in made.source.repositories] == ["b", "leap"]
    read = next(r for r in made.source.repositories if r.repository == "leap")
    assert read.architectures == (
        PlannedArchitecture(name="aarch64", code="published", dirty=True, settled=False),
        PlannedArchitecture(name="x86_64", code="published", dirty=False, settled=True),
    )
    assert (read.settled, read.revision, read.last_published) == (False, 1767225600, 1767225600)
    assert (made.target.distributions, made.created_at) == ((LEAP,), "2026-03-01T12:00:00Z")


def test_an_audit_lists_every_orphan_sorted() -> None:
    here, there = desired(repository(NEW)), actual(*OLD[:2][::-1], row(NEW), row(rpm("foreign")))
    wanted = policy(OrphanPolicy())
    listed = audit(reconcile(here, there, wanted, (LEAP,), NOW), here, there, wanted, NOW)
    assert [(o.row.filename, o.fate) for o in listed.orphans] == [
        ("foreign-1.0-1.x86_64.rpm", "keep"),
        ("hello-1.0-1.x86_64.rpm", "keep"),
        ("hello-1.1-1.x86_64.rpm", "keep"),
    ]
    assert (listed.complete, listed.action, listed.repository) == (True, OrphanAction.KEEP, "me/stable")


def test_rows_that_are_neither_rpm_nor_deb_are_never_touched() -> None:
    result = decide([repository(NEW)], [row(rpm(), type="dsc"), row(NEW)])
    assert (result.orphans, len(result.rows)) == ((), 1)
