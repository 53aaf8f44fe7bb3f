"""Whose change an action is: by the old config's plan on the same worlds, and by the times that both services tell."""

from datetime import timedelta

import pytest
from attrs import evolve
from hypothesis import given
from msgspec.structs import replace

from pkgsync.model import (
    BuiltFile,
    BuiltPackage,
    Cause,
    Comparison,
    IndexedFile,
    NoLonger,
    OrphanAction,
    OrphanPolicy,
    Policy,
    Repository,
    Row,
)
from pkgsync.reconcile import compare
from tests.support.values import builders
from tests.support.values.builders import DELETE, LEAP, index, row, rpm
from tests.support.worlds.worlds import SETTINGS, Dice, World, a_policy, worlds

PUBLISHED = 1767225600  # 2026-01-01T00:00:00Z
BEFORE, AFTER = "2025-12-31T23:00:00.000Z", "2026-01-01T01:00:00.000Z"
NEW, OLD, OTHER = rpm(), rpm(version="0.9"), rpm("other")
KEEP, GONE = OrphanPolicy(), OrphanPolicy(action=OrphanAction.DELETE, keep_versions=0, names=("*",))


def published(*files: IndexedFile, built: int = PUBLISHED - 7200) -> Repository:
    package = BuiltPackage("src", "succeeded", tuple(BuiltFile(f.filename, f.size, built) for f in files))
    return builders.repository(*files, architectures=[builders.architecture("x86_64", package)], index=index(*files))


def compared(
    repository: Repository, *rows: Row, wanted: OrphanPolicy = DELETE, old: OrphanPolicy | None = None
) -> Comparison:
    plans = [builders.plan([repository], rows, Policy(orphans=orphans)) for orphans in (wanted, old or wanted)]
    there, here = builders.desired(repository), builders.actual(*rows)
    return compare(plans[0], plans[1], builders.SETTING.config_digest, there, here)


def cause(repository: Repository, *rows: Row, wanted: OrphanPolicy = DELETE) -> Cause:
    (found,) = compared(repository, *rows, wanted=wanted).causes.values()
    return found


def test_what_the_old_config_would_not_do_is_by_the_config() -> None:
    found = compared(published(NEW), row(NEW), row(OLD), old=KEEP)
    assert found.causes == {f"{LEAP}/{OLD.filename}": Cause.CONFIG}
    archived = compared(
        published(NEW), row(NEW), row(OLD), wanted=replace(DELETE, action=OrphanAction.ARCHIVE, archive_to="me/a")
    )
    assert archived.causes == {}


def test_what_only_the_old_config_would_do_is_listed() -> None:
    found = compared(published(NEW), row(NEW), row(OLD), wanted=KEEP, old=DELETE)
    assert found == Comparison(
        config_digest=builders.SETTING.config_digest,
        causes={},
        no_longer=(NoLonger(distribution=LEAP, filename=OLD.filename, action="deletion"),),
    )
    held = compared(published(NEW), row(NEW), row(OLD), wanted=replace(DELETE, min_age=timedelta(9999)), old=DELETE)
    assert held.no_longer == (NoLonger(distribution=LEAP, filename=OLD.filename, action="deletion", held=True),)


@pytest.mark.parametrize(
    ("synced", "built", "expected"),
    [
        (None, PUBLISHED - 7200, Cause.OBS),
        (AFTER, PUBLISHED - 7200, Cause.PACKAGECLOUD),
        (BEFORE, PUBLISHED - 60, Cause.OBS),
        (BEFORE, PUBLISHED - 7200, Cause.UNKNOWN),
        ("yesterday", PUBLISHED - 7200, Cause.UNKNOWN),
    ],
)
def test_a_missing_file_beside_the_last_sync(synced: str | None, built: int, expected: Cause) -> None:
    """``synced`` is when another file of the same repository came."""
    rows = [row(OTHER, created_at=synced)] if synced else []
    assert cause(published(NEW, OTHER, built=built) if synced else published(NEW, built=built), *rows) is expected


@pytest.mark.parametrize(
    ("created", "built", "expected"),
    [
        (AFTER, PUBLISHED - 7200, Cause.PACKAGECLOUD),
        (BEFORE, PUBLISHED - 60, Cause.OBS),
        (BEFORE, PUBLISHED - 7200, Cause.UNKNOWN),
        ("2026-01-01T01:00:00", PUBLISHED - 7200, Cause.UNKNOWN),
    ],
)
def test_a_replacement_and_a_superseded_row(created: str, built: int, expected: Cause) -> None:
    rebuilt = row(NEW, sha256=builders.sha("other"), created_at=created)
    assert cause(published(NEW, built=built), rebuilt) is expected
    assert cause(published(NEW, built=built), row(NEW), row(OLD, created_at=created)) is expected


@pytest.mark.parametrize(
    ("created", "expected"), [(AFTER, Cause.PACKAGECLOUD), (BEFORE, Cause.OBS), ("?", Cause.UNKNOWN)]
)
def test_what_is_gone(created: str, expected: Cause) -> None:
    assert cause(published(NEW), row(NEW), row(OTHER, created_at=created), wanted=GONE) is expected


def test_a_repository_that_does_not_tell_when_it_was_published_proves_nothing() -> None:
    silent = published(NEW)
    silent = replace(silent, architectures=tuple(replace(a, last_published=None) for a in silent.architectures))
    assert cause(silent, row(NEW), row(OLD, created_at=AFTER)) is Cause.UNKNOWN


@SETTINGS
@given(worlds())
def test_every_action_has_a_cause_and_equal_configs_change_nothing(world: World) -> None:
    plan, other = world.plan(), evolve(world, policy=a_policy(Dice(len(world.rows)))).plan()
    there, here = builders.desired(*world.repositories), builders.actual(*world.rows)
    same = compare(plan, plan, "x", there, here)
    assert same.causes.keys() == {action.key for action in plan.actions}
    assert Cause.CONFIG not in same.causes.values() and not same.no_longer
    changed = compare(plan, other, "x", there, here)
    new = {(a.kind, a.key, a.sha256) for a in plan.actions} - {(a.kind, a.key, a.sha256) for a in other.actions}
    assert {key for key, found in changed.causes.items() if found is Cause.CONFIG} == {key for _, key, _ in new}
    assert {item.key for item in changed.no_longer} == {a.key for a in other.actions} - {a.key for a in plan.actions}
