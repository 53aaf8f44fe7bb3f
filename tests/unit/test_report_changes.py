"""A plan by package: every action in one change, what is lost first, and words that a reviewer thinks in."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from msgspec.structs import replace

from pkgsync.model import (
    Action,
    Archiving,
    Counts,
    Deletion,
    Evidence,
    OldContent,
    Plan,
    Removal,
    Replacement,
    Source,
    SupersededBy,
    Upload,
)
from pkgsync.reasons import Reason
from pkgsync.report.changes import ChangeKind, changes, few, versions
from pkgsync.report.removals import leaving
from tests.support.values.samples import DELETION, GONE, JAMMY, LEAP, LEAP_SOURCE, NOTHING, PLAN, SUMS
from tests.support.values.strategies import plans


def up(filename: str, distribution: str = LEAP, package: str = "hello") -> Upload:
    source = replace(LEAP_SOURCE, packages=(package,) if package else ())
    return Upload(
        distribution=distribution, filename=filename, size=10, sha256=SUMS["1"], reason=Reason.MISSING, source=source
    )


def over(filename: str, distribution: str = LEAP) -> Replacement:
    return up(filename, distribution).over(OldContent(SUMS["2"], "2026-01-01T00:00:00Z"), Reason.REBUILT)


def away(filename: str, by: str = "", distribution: str = LEAP, package: str = "hello (x86_64)") -> Deletion:
    newer = SupersededBy(filename=by, version="1", package=package, code="succeeded")
    evidence = Evidence(kind="superseded", superseded_by=newer) if by else GONE
    return replace(
        DELETION,
        distribution=distribution,
        filename=filename,
        evidence=evidence,
        reason=Reason.SUPERSEDED if by else Reason.GONE,
    )


def undone(action: Upload | Deletion) -> Upload | Deletion:
    if isinstance(action, Upload):
        return replace(action, reason=Reason.UNDO, source=Source(kind="backup"))
    return replace(action, reason=Reason.UNDO, evidence=Evidence(kind="undo", receipt="sha256:ab"))


def planned(*actions: Action) -> Plan:
    return replace(
        NOTHING,
        uploads=tuple(a for a in actions if isinstance(a, Upload)),
        replacements=tuple(a for a in actions if isinstance(a, Replacement)),
        deletions=tuple(a for a in actions if isinstance(a, Deletion)),
        archivings=tuple(a for a in actions if isinstance(a, Archiving)),
    )


def told(*actions: Action) -> list[str]:
    return [f"{c.title()} · {c.where} · {c.tally}" for c in changes(planned(*actions))]


@pytest.mark.parametrize(
    ("actions", "lines"),
    [
        (
            [
                up("hello-1.3-lp156.2.1.x86_64.rpm"),
                up("hello-doc-1.3-lp156.2.1.noarch.rpm"),
                up("hello_1.3-1_amd64.deb", JAMMY),
                away("hello-1.2-lp156.1.1.x86_64.rpm", "hello-1.3-lp156.2.1.x86_64.rpm"),
                away("hello-doc-1.2-lp156.1.1.noarch.rpm", "hello-doc-1.3-lp156.2.1.noarch.rpm"),
                away("hello_1.2-1_amd64.deb", "hello_1.3-1_amd64.deb", JAMMY, "hello (i586)"),
            ],
            ["hello 1.2 → 1.3 · opensuse/15.6, ubuntu/jammy · 3 up, 3 away"],
        ),
        # the release alone changed
        (
            [up("hello-1.3-2.x86_64.rpm"), away("hello-1.3-1.x86_64.rpm", "hello-1.3-2.x86_64.rpm")],
            ["hello 1.3 rebuilt · opensuse/15.6 · 1 up, 1 away"],
        ),
        ([over("hello_1.3_amd64.deb", JAMMY)], ["hello 1.3 rebuilt · ubuntu/jammy · 1 replaced"]),
        ([up("hello-1.3-1.x86_64.rpm")], ["hello 1.3 new · opensuse/15.6 · 1 up"]),
        (
            [away(f"hello-1.{n}-1.x86_64.rpm", "hello-1.11-1.x86_64.rpm") for n in (9, 10)],
            ["hello 1.9, 1.10 superseded by 1.11 · opensuse/15.6 · 2 away"],
        ),
        (
            [away("old-0.5-1.noarch.rpm"), away("old-0.4-1.noarch.rpm").to("me/archive")],
            ["old 0.4, 0.5 gone · opensuse/15.6 · 1 away, 1 archived"],
        ),
        # one package in another version elsewhere, and in two versions at one place
        (
            [up("hello-1.3-1.x86_64.rpm"), up("hello-2.0-1.x86_64.rpm"), up("hello_1.2_amd64.deb", JAMMY)],
            [
                "hello 1.2 new · ubuntu/jammy · 1 up",
                "hello 1.3 new · opensuse/15.6 · 1 up",
                "hello 2.0 new · opensuse/15.6 · 1 up",
            ],
        ),
        # its own file of that name is gone, while the OBS package goes on
        (
            [up("hello2-1.3-1.x86_64.rpm"), away("hello-1.2-1.x86_64.rpm")],
            ["hello 1.2 gone · opensuse/15.6 · 1 away", "hello 1.3 new · opensuse/15.6 · 1 up"],
        ),
        # flavors are one package
        (
            [up("a-1-1.x86_64.rpm", package="hello:small"), up("b-1-1.x86_64.rpm", package="hello")],
            ["hello 1 new · opensuse/15.6 · 2 up"],
        ),
        # no version, no package: what is left is the file's name
        (
            [up("odd.rpm", package=""), away("odder.rpm"), away("oddest.rpm", "new.rpm")],
            [
                "odder.rpm gone · opensuse/15.6 · 1 away",
                "hello superseded by a newer version · opensuse/15.6 · 1 away",
                "odd.rpm new · opensuse/15.6 · 1 up",
            ],
        ),
        (
            [undone(up("hello-1.2-1.x86_64.rpm")), undone(away("hello-1.3-1.x86_64.rpm"))],
            ["hello 1.3 → 1.2 · opensuse/15.6 · 1 up, 1 away"],
        ),
        ([undone(up("hello-1.2-1.x86_64.rpm"))], ["hello 1.2 put back · opensuse/15.6 · 1 up"]),
        ([undone(away("hello-1.3-1.x86_64.rpm"))], ["hello 1.3 taken away · opensuse/15.6 · 1 away"]),
    ],
)
def test_what_happens_to_a_package(actions: Sequence[Action], lines: list[str]) -> None:
    assert told(*actions) == lines


def test_an_undo_tells_once_why_all_of_it_goes() -> None:
    found = leaving(planned(undone(away("hello-1.3-1.x86_64.rpm")), undone(away("other-1.0-1.x86_64.rpm"))))
    assert [(group.title(), group.why.partition(";")[0]) for group in found] == [
        ("2 packages taken away", "undo of sha256:ab")
    ]


def test_what_is_lost_without_a_successor_stands_first() -> None:
    actions = [
        up("a-1-1.x86_64.rpm", package="a"),
        over("b_1_amd64.deb"),
        up("c-2-1.x86_64.rpm", package="c"),
        away("c-1-1.x86_64.rpm", "c-2-1.x86_64.rpm", package="c (x86_64)"),
        away("d-1-1.x86_64.rpm", "d-2-1.x86_64.rpm", package="d (x86_64)"),
        away("e-1-1.x86_64.rpm"),
    ]
    assert [change.package for change in changes(planned(*actions))] == ["e", "d", "c", "hello", "a"]


def test_numbers_in_names_and_versions_count_as_numbers() -> None:
    actions = [up(f"x-{v}-1.noarch.rpm", package=p) for p, v in (("gcc10", "10"), ("gcc9", "10"), ("gcc9", "9"))]
    assert [(change.package, change.new) for change in changes(planned(*actions))] == [
        ("gcc9", ("9",)),
        ("gcc9", ("10",)),
        ("gcc10", ("10",)),
    ]


def test_a_change_knows_its_parts() -> None:
    first, second = changes(PLAN)[:2]
    assert (first.package, first.kind, first.old, first.architectures) == (
        "old-tool",
        ChangeKind.GONE,
        ("0.5",),
        ("noarch",),
    )
    assert (second.package, second.kind, second.old, second.new) == (
        "hello-tool",
        ChangeKind.UPDATED,
        ("1.2",),
        ("1.3",),
    )
    assert second.architectures == ("all", "amd64", "x86_64")
    assert second.counts == Counts.of(second.actions)
    assert second.counts.upload_bytes == 1258291 + 34816 + 812
    assert second.title("->") == "hello-tool 1.2 -> 1.3"


def test_long_lists_are_cut() -> None:
    assert few(("a", "b", "c", "d")) == "a, b, c, d"
    assert few(("a", "b", "c", "d", "e")) == "a, b, c and 2 more"
    assert versions(("1", "2", "3")) == "1, 2, 3"
    assert versions(("1", "2", "3", "4")) == "1 to 4 (4 versions)"


@given(plans())
def test_every_action_is_in_one_change_and_the_counts_add_up(plan: Plan) -> None:
    found = changes(plan)
    assert sorted(id(action) for change in found for action in change.actions) == sorted(map(id, plan.actions))
    total = plan.summary.total
    for what in ("uploads", "replacements", "deletions", "archivings", "upload_bytes"):
        assert sum(getattr(change.counts, what) for change in found) == getattr(total, what)
    assert [change.rank for change in found] == sorted(change.rank for change in found)


@given(plans())
def test_nothing_that_is_gone_hides_behind_what_comes(plan: Plan) -> None:
    for change in changes(plan):
        reasons = {action.reason for action in change.actions if isinstance(action, Removal)}
        assert Reason.GONE not in reasons or (change.kind is ChangeKind.GONE and change.rank == 0)


def test_a_number_of_any_length_has_its_place() -> None:
    """Python turns no text of more than 4,300 digits into a number."""
    packages = ["9" * 5000, "a10", "a9", "1" + "0" * 4999, "a09b", "010"]
    plan = replace(NOTHING, uploads=tuple(up(f"p{n}-1-1.noarch.rpm", package=p) for n, p in enumerate(packages)))
    assert [change.package for change in changes(plan)] == ["010", "1" + "0" * 4999, "9" * 5000, "a9", "a09b", "a10"]
