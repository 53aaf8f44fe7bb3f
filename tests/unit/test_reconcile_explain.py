"""An explanation is the decision: its outcome is the plan's, and the change that it states takes its stop away.

Random worlds: whatever is known of either world is explained, and each stated change is made.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from msgspec.structs import replace

from pkgsync.config import load
from pkgsync.model import (
    Answer,
    Explanation,
    Limits,
    OrphanAction,
    OrphanPolicy,
    Overrides,
    Plan,
    Policy,
    Repository,
    Row,
    Step,
)
from pkgsync.reconcile import explain, reconcile
from pkgsync.report import flips
from tests.support.scope import examples
from tests.support.values import builders
from tests.support.values.builders import DELETE, LEAP, NOW, architecture, package, policy, repository, row, rpm, sha
from tests.support.worlds import worlds
from tests.support.worlds.flips import Case
from tests.support.worlds.worlds import World

SETTINGS = settings(worlds.SETTINGS, max_examples=examples(60))


def keys(world: World) -> set[str]:
    found = {row.key for row in world.rows}
    for one in world.repositories:
        files = one.index.files if one.index else ()
        names = {f.filename for f in files} | {
            f.filename for a in one.architectures for p in a.packages for f in p.files
        }
        found |= {f"{d}/{name}" for d in one.distributions for name in names}
    return found


def planned(plan: Plan) -> dict[str, str]:
    kinds = (("upload", plan.uploads), ("replace", plan.replacements), ("delete", plan.deletions))
    return {action.key: kind for kind, actions in kinds for action in actions}


@SETTINGS
@given(worlds.worlds())
def test_every_key_is_explained_as_it_is_planned(world: World) -> None:
    plan, case = world.plan(), Case(world)
    due, held = planned(plan), {h.key: h.reason for h in plan.held}
    told = Counter[str]()
    for found in {found.key: found for found in map(case.of, keys(world))}.values():
        assert due.get(found.key) == (found.fortune if found.fortune in ("upload", "replace", "delete") else None)
        assert held.get(found.key) == (found.reason if found.fortune == "held" else None)
        passed = [step.passed for step in found.steps]
        stopped = found.fortune in ("held", "keep", "filtered", "shadowed", "unmanaged", "absent")
        assert passed == [True] * (len(passed) - stopped) + [False] * stopped or found.reason == "keep"
        told[found.fortune] += found.key in {
            row.key for row in world.rows if row.distribution in worlds.MANAGED and row.type == "rpm"
        }
    counts = plan.summary.total
    assert (told["keep"], told["filtered"]) == (counts.orphans_kept, counts.filtered)


def stop(found: Explanation) -> tuple[object, ...]:
    return found.fortune, found.reason, found.message, found.steps


@SETTINGS
@given(worlds.worlds())
def test_what_is_said_to_take_a_stop_away_takes_it_away(world: World) -> None:
    case = Case(world)
    for key in sorted(keys(world)):
        found = case.of(key)
        assert found.flip is None or found.flip.words
        if found.flip is None or not (found.flip.config or found.flip.world):
            continue
        after = case.after(found.flip, found.key).ask(found.key).explanations
        assert [stop(one) for one in after] != [stop(found)], found


@SETTINGS
@given(worlds.worlds())
def test_change_upon_change_an_orphan_may_go_in_the_end(world: World) -> None:
    """Each stop that the config alone is the cause of is taken away once: there is no going round in a circle."""
    case = Case(world)
    for key in sorted(r.key for r in world.rows):
        now, seen = case, set[object]()
        found = now.of(key)
        while found.flip and found.fortune in ("keep", "held") and found.flip.config:
            assert stop(found)[:3] not in seen, found
            seen.add(stop(found)[:3])
            now = now.after(found.flip, key)
            found = now.of(key)


# each outcome, in small worlds


OLD, NEW, OTHER = rpm(version="1.0"), rpm(version="2.0"), rpm("other")
DEBUG = rpm("hello-debuginfo")


def told(
    repositories: Iterable[Repository],
    rows: Iterable[Row] = (),
    wanted: Policy | None = None,
    key: str = f"{LEAP}/{OLD.filename}",
    *,
    archive: Iterable[Row] | None = None,
    downloads: Mapping[str, int | None] | None = None,
    overrides: Overrides | None = None,
) -> Explanation:
    wanted, desired = wanted or policy(), builders.desired(*repositories)
    actual = replace(builders.actual(*rows, archive=archive), downloads=downloads or {})
    decided = reconcile(desired, actual, wanted, (LEAP,), NOW)
    (found,) = explain(decided, desired, actual, wanted, overrides or Overrides(), key).explanations
    return found


def change(found: Explanation) -> str:
    return flips.told(found.flip) if found.flip else ""


MINIMAL: dict[str, Any] = {
    "version": 1,
    "obs": {"projects": [{"name": "home:me"}]},
    "packagecloud": {"repository": "me/stable"},
    "distributions": {"leap": LEAP},
}
GONE = replace(DELETE, names=("hello",))
CASES = [
    ("upload", "", told([repository(OLD)]), "To leave it out: `exclude: [hello-1.0-1.x86_64.rpm]`"),
    ("unchanged", "", told([repository(OLD)], [row(OLD)]), ""),
    ("replace", "rebuilt", told([repository(OLD)], [row(OLD, sha256=sha("x"))]), "To keep the old file: `rebuilds: hold`"),
    ("held", "content-changed", told([repository(OLD)], [row(OLD, sha256=sha("x"))], policy(rebuilds="hold")), "To replace it: `rebuilds: replace`"),
    ("held", "content-unknown", told([repository(OLD)], [row(OLD, sha256=None)]), "It is compared when Packagecloud tells it."),
    ("delete", "superseded", told([repository(NEW)], [row(OLD), row(NEW)]), "To keep it: `orphans: {protect: [hello-1.0-1.x86_64.rpm]}`"),
    ("archive", "superseded", told([repository(NEW)], [row(OLD), row(NEW)], policy(replace(DELETE, action=OrphanAction.ARCHIVE, archive_to="me/old")), archive=[]), "To keep it: `orphans: {protect: [hello-1.0-1.x86_64.rpm]}`"),
    ("held", "unread", told([repository(NEW)], [row(OLD), row(NEW)], policy(replace(DELETE, action=OrphanAction.ARCHIVE, archive_to="me/old"))), "Plan again when it answers."),
    ("keep", "keep", told([repository(NEW)], [row(OLD), row(NEW)], policy(OrphanPolicy())), "To let orphans go that pass the checks: `orphans: {action: delete, keep_versions: 1}`"),
    ("keep", "keep-versions", told([repository(OTHER)], [row(OLD)], policy(GONE)), "To let all versions of the named packages go that are gone: `orphans: {gone: delete}`"),
    ("keep", "keep-versions", told([repository(NEW)], [row(OLD), row(NEW)], policy(replace(DELETE, keep_versions=2))), "To keep fewer versions: `orphans: {keep_versions: 1}`"),
    ("keep", "last-version", told([repository(OTHER)], [row(OLD)], policy(replace(DELETE, keep_versions=0, uploaders=("robot",)))), "To let it vanish: `orphans: {names: [hello]}`"),
    ("keep", "protected", told([repository(NEW)], [row(OLD)], policy(replace(DELETE, protect=("x", "hello-*")))), 'To let it go, take this out of `orphans.protect`: `["hello-*"]`'),
    ("held", "catch-all", told([repository(OTHER, catch_all=True)], [row(OLD)], policy(GONE)), 'To let it go, name the repositories that feed it: `distributions: {leap: opensuse/15.6, "*": null}`'),
    ("held", "owner-unknown", told([repository(OTHER, architectures=[architecture("x86_64", package("src", OTHER), package("bad", code="failed"))])], [row(OLD)], policy(GONE)), "Repair them in OBS, or, only if they never had binary packages: `orphans: {without_files: [bad]}`"),
    ("held", "min-age", told([repository(NEW)], [row(OLD, created_at="2026-02-28T12:00:00Z"), row(NEW)], policy(replace(DELETE, min_age=timedelta(days=2)))), "Wait until 2026-03-02T12:00:00Z."),
    ("held", "in-use", told([repository(NEW)], [row(OLD), row(NEW)], policy(limits=Limits(in_use_days=7)), downloads={f"{LEAP}/{OLD.filename}": 3}), "To let it go all the same, take out `limits.in_use_days`."),
    ("held", "needed-by", told([repository(NEW)], [row(OLD), row(NEW)], policy(limits=Limits(installable=True))), "To let it go all the same, take out `limits.installable`."),
    ("held", "dirty", told([repository(NEW, problems=(builders.problem(),))], [row(OLD), row(NEW)]), "Plan again when OBS has caught up."),
    ("filtered", "", told([repository(OLD)], wanted=policy(exclude=("hello*", "x"))), 'To sync it, take this out of `exclude`: `["hello*"]`'),
    ("filtered", "", told([repository(OLD)], [row(OLD, sha256=sha("x"))], policy(include=("x",))), "To sync it: `include: [hello-1.0-1.x86_64.rpm]`"),
    ("unchanged", "", told([repository(OLD)], [row(OLD)], policy(include=("x",))), ""),
    ("filtered", "", told([repository(OLD, DEBUG)], key=f"{LEAP}/{DEBUG.filename}"), "To sync it: `include_classes: [debug]`"),
    ("filtered", "", told([repository(rpm(arch="armv7hl"), filter_architectures=("x86_64",), architectures=[architecture("armv7l", package("src", rpm(arch="armv7hl")))])], key=f"{LEAP}/hello-1.0-1.armv7hl.rpm"), "To sync it, in the project home:me: `architectures: [armv7l]`"),
    ("filtered", "", told([repository(NEW), repository(OLD, name="more", filtered=True, index=None)]), "To sync it, in the project home:me: `repositories: [more]`"),
    ("absent", "", told([repository(NEW), repository(OLD, name="none", filtered=True, skipped=True, index=None)]), "To sync it: `distributions: {none: opensuse/15.6}`"),
    ("absent", "", told([repository(NEW, architectures=[architecture("x86_64", package("src", NEW, OLD))])]), "It comes when OBS has published it."),
    ("unmanaged", "", told([repository(NEW)], [row(OLD, "fedora/40")], key=f"fedora/40/{OLD.filename}"), "To let pkgsync manage it: `distributions: {OBS_REPOSITORY: fedora/40}`"),
    ("unmanaged", "", told([repository(NEW)], [row(OLD, type="dsc")]), ""),
]  # fmt: skip


@pytest.mark.parametrize(("fortune", "reason", "found", "line"), CASES)
def test_each_outcome_says_what_changes_it_in_lines_that_a_config_takes(
    tmp_path: Path, fortune: str, reason: str, found: Explanation, line: str
) -> None:
    assert (found.fortune, change(found)) == (fortune, line)
    assert not reason or found.reason == reason
    set_or_added = [c for c in found.flip.config if not c.project and c.how != "remove"] if found.flip else []
    path = tmp_path / "pkgsync.yaml"
    path.write_text(yaml.safe_dump({**MINIMAL, **yaml.safe_load(flips.line(set_or_added) or "{}")}))
    assert load(path, {}).warnings == ()


def test_a_file_that_an_earlier_source_has_the_place_of() -> None:
    """One package in one version has one row, whatever its files are called."""
    first, second = (
        replace(OLD, filename="first.rpm", path="first.rpm"),
        replace(OLD, filename="second.rpm", path="second.rpm", sha256=sha("x")),
    )
    found = told([repository(first, name="a"), repository(second, name="b")], key=f"{LEAP}/second.rpm")
    assert (found.fortune, found.message) == (
        "shadowed",
        "home:me/b publishes second.rpm with other content; home:me/a has the place",
    )
    assert change(found) == "To take this one, let home:me/b come first in the config."


def test_what_obs_calls_otherwise_is_explained_as_its_row() -> None:
    odd = replace(OLD, filename="odd.rpm", path="odd.rpm")
    found = told([repository(odd)], [row(OLD)], key=f"{LEAP}/odd.rpm")
    assert (found.filename, found.fortune, found.steps[1].name) == (OLD.filename, "unchanged", "name")
    both = Case(World((repository(odd),), (row(OLD),), policy())).ask("hello").explanations
    assert [one.filename for one in both] == [OLD.filename]


def test_a_deletion_that_exceeds_a_limit_says_so() -> None:
    wanted = policy(limits=Limits(deletions=0))
    found = told([repository(NEW)], [row(OLD), row(NEW)], wanted)
    assert (found.fortune, found.steps[-1]) == (
        "delete",
        Step("limits", False, f"{LEAP}: 1 deletion, 1 more than the limit of 0"),
    )
    assert change(found) == "If that is right, plan with `--max-deletions 1`."
    allowed = told([repository(NEW)], [row(OLD), row(NEW)], wanted, overrides=Overrides(max_deletions=1))
    assert allowed.steps[-1].passed


def test_near_names() -> None:
    case = Case(World((repository(NEW),), (row(OLD), row(OTHER)), policy()))
    assert case.ask("helo") == Answer(query="helo", explanations=(), near=("hello",))
    assert case.ask(f"{LEAP}/hello-1.1-1.x86_64.rpm").near == (f"{LEAP}/{OLD.filename}", f"{LEAP}/{NEW.filename}")
    assert case.ask("entirely-else").near == ()
