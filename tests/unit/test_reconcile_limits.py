"""Limits: what exceeds which, by how much, and the one option that allows it."""

import pytest
from msgspec.structs import replace

from pkgsync.model import DistributionLimits, Limits, Overrides, Plan, Row
from pkgsync.reconcile.limits import exceeded
from tests.support.values.builders import LEAP, SETTING, plan, policy, repository, row, rpm
from tests.support.values.samples import DELETION

EL = "el/9"
NEW = rpm(version="9.0")


def rows(count: int, distribution: str = LEAP) -> list[Row]:
    """The newest version, and ``count`` old ones."""
    return [row(NEW, distribution), *(row(rpm(version=f"1.{n}"), distribution) for n in range(count))]


def made(found: list[Row], limits: Limits, most: int | None = None) -> Plan:
    world = [repository(NEW, distributions=(LEAP, EL))]
    setting = replace(SETTING, overrides=Overrides(max_deletions=most))
    return plan(world, found, policy(limits=limits), managed=(LEAP, EL), setting=setting)


def told(found: list[Row], limits: Limits, most: int | None = None) -> list[tuple[str, str]]:
    return [(over.message, over.override) for over in made(found, limits, most).exceeded]


def test_one_deletion_too_many() -> None:
    assert told(rows(1), Limits(deletions=0, deletions_percent=100)) == [
        ("opensuse/15.6: 1 deletion, 1 more than the limit of 0", "--max-deletions 1")
    ]


def test_a_distribution_can_have_less_than_the_others() -> None:
    strict = Limits(deletions=20, deletions_percent=100, distributions={LEAP: DistributionLimits(deletions=5)})
    assert told([*rows(7), *rows(7, EL)], strict) == [
        ("opensuse/15.6: 7 deletions, 2 more than its limit of 5", "--max-deletions 7")
    ]


def test_a_distribution_can_have_more_than_the_others() -> None:
    generous = Limits(deletions=5, deletions_percent=100, distributions={LEAP: DistributionLimits(deletions=7)})
    assert [e.distribution for e in made([*rows(7), *rows(7, EL)], generous).exceeded] == [EL]


def test_what_a_distribution_does_not_say_is_as_everywhere() -> None:
    limits = Limits(deletions=20, deletions_percent=50, distributions={LEAP: DistributionLimits(deletions=100)})
    assert told(rows(19), limits) == [
        (
            "opensuse/15.6: 19 of 20 packages would be deleted (95 %), 9 more than its limit of 50 % allows",
            "--max-deletions 19",
        )
    ]
    own = Limits(deletions=20, deletions_percent=10, distributions={LEAP: DistributionLimits(deletions_percent=95)})
    assert told(rows(19), own) == []


def test_a_percentage_just_above_the_limit_is_not_told_as_the_limit_itself() -> None:
    filler = [row(rpm("filler", f"1.{n}")) for n in range(289)]
    found = [*rows(10), *filler]
    assert len(found) == 300
    over = made(found, Limits(deletions=20, deletions_percent=3)).exceeded
    assert [(e.allowed, e.found) for e in over] == [(3, 4)]
    assert over[0].message == (
        "opensuse/15.6: 10 of 300 packages would be deleted (4 %), 1 more than the limit of 3 % allows"
    )


def test_the_option_that_is_named_allows_the_whole_plan() -> None:
    """It holds for all distributions: the count of the one that exceeds its limit would refuse the other one."""
    limits = Limits(deletions=20, deletions_percent=100, distributions={LEAP: DistributionLimits(deletions=1)})
    found = [*rows(2), *rows(8, EL)]
    assert told(found, limits) == [("opensuse/15.6: 2 deletions, 1 more than its limit of 1", "--max-deletions 8")]
    assert not made(found, limits, 2).applyable
    assert made(found, limits, 8).applyable


def test_an_option_that_is_too_small_names_itself() -> None:
    assert told(rows(3), Limits(), 2) == [
        ("opensuse/15.6: 3 deletions, 1 more than --max-deletions 2 allows", "--max-deletions 3")
    ]


@pytest.mark.parametrize(
    ("number", "said"),
    [
        (1, "opensuse/15.6: the only package would be deleted, none would be left"),
        (2, "opensuse/15.6: all 2 packages would be deleted, none would be left"),
    ],
)
def test_a_distribution_that_would_be_empty(number: int, said: str) -> None:
    leaving = [replace(DELETION, distribution=LEAP, filename=f"hello-1.{n}-1.x86_64.rpm") for n in range(number)]
    here = [row(rpm(version=f"1.{n}")) for n in range(number)]
    over = exceeded(leaving, [], here, policy(limits=Limits()), Overrides(), frozenset())
    assert [(limit.message, limit.allowed, limit.found) for limit in over] == [(said, 0, number)]


def test_what_does_not_count_is_told_beside_what_does() -> None:
    """The plan lists five deletions: two of a name whose newer version comes, three of one that is up to date."""
    coming = rpm("coming", "2.0")
    world = [repository(NEW, coming)]
    found = [
        *rows(3),
        row(rpm("coming", "1.0")),
        row(rpm("coming", "1.1")),
        *(row(rpm(f"filler{n}")) for n in range(4)),
    ]
    limits = Limits(deletions=2, deletions_percent=20)
    over = plan(world, found, policy(limits=limits)).exceeded
    assert [limit.message for limit in over] == [
        "opensuse/15.6: 3 deletions (not counting 2 whose newer version comes with this plan), "
        "1 more than the limit of 2",
        "opensuse/15.6: 3 of 10 packages would be deleted "
        "(30 %; not counting 2 whose newer version comes with this plan), 1 more than the limit of 20 % allows",
    ]
