"""Decisions -> the plan file's value."""

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime

from msgspec import Struct
from msgspec.structs import replace

from pkgsync.model import (
    EVERYTHING,
    ActualState,
    Counts,
    DesiredState,
    Observed,
    OrphanAction,
    Overrides,
    Plan,
    PlannedArchitecture,
    PlannedRepository,
    PlanSource,
    PlanTarget,
    Policy,
    Removal,
    Repository,
    Row,
    Selection,
    Summary,
    iso,
)
from pkgsync.reconcile.decisions import DistributionDecisions, Reconciliation
from pkgsync.reconcile.filters import Globs, Selector

_PIECE = 10_000


class Setting(Struct, frozen=True, kw_only=True):
    """What a plan states beside the decisions: where they hold and how they were asked for."""

    obs_api: str
    projects: tuple[str, ...]
    packagecloud_url: str
    config_digest: str
    pkgsync_version: str
    overrides: Overrides
    selection: Selection = EVERYTHING
    allow_http: bool = False

    def source(self, repositories: tuple[PlannedRepository, ...]) -> PlanSource:
        return PlanSource(
            api=self.obs_api, projects=self.projects, repositories=repositories, allow_http=self._is_http(self.obs_api)
        )

    def target(self, actual: ActualState, rows: Iterable[Row], distributions: tuple[str, ...]) -> PlanTarget:
        """``rows`` are all rows of these distributions."""
        return PlanTarget(
            api=self.packagecloud_url,
            repository=actual.repository,
            total=actual.total,
            snapshot=snapshot(rows),
            distributions=distributions,
            allow_http=self._is_http(self.packagecloud_url),
        )

    def _is_http(self, url: str) -> bool:
        """Whether the plan must say that this server is reached without TLS, as the config allows."""
        return self.allow_http and url.startswith("http://")


def build_plan(
    decided: Reconciliation,
    desired: DesiredState,
    actual: ActualState,
    policy: Policy,
    now: datetime,
    setting: Setting,
) -> Plan:
    """Put the decisions into a plan: sorted, with counts, limits and what both worlds looked like."""
    takes = Selector(setting.selection).takes
    results = tuple(_selected(d, takes) for d in decided.distributions) if setting.selection else decided.distributions
    uploads = tuple(a for d in results for a in d.uploads)
    deletions = tuple(a for d in results for a in d.deletions)
    archivings = tuple(a for d in results for a in d.archivings)
    over = decided.exceeded(policy, setting.overrides)
    return Plan(
        pkgsync_version=setting.pkgsync_version,
        created_at=iso(now),
        observed=Observed(
            obs_at=iso(desired.read_at),
            packagecloud_at=iso(actual.read_at),
            obs_requests=desired.requests,
            packagecloud_requests=actual.requests,
        ),
        config_digest=setting.config_digest,
        # written all the same: people should see what was refused
        applyable=not over,
        complete=complete(desired, actual, policy),
        targeted=bool(setting.selection),
        source=setting.source(planned_repositories(desired)),
        target=setting.target(actual, decided.managed_rows, tuple(d.name for d in results)),
        summary=_summary(results, decided.unmanaged),
        overrides=setting.overrides,
        selection=setting.selection,
        uploads=uploads,
        replacements=tuple(a for d in results for a in d.replacements),
        deletions=deletions,
        archivings=archivings,
        held=tuple(h for d in results for h in d.held),
        shadowed=tuple(s for d in results for s in d.shadowed),
        left_out=tuple(item for d in results for item in d.left_out),
        exceeded=over,
        warnings=(
            *_unmatched(setting.selection, decided),
            *desired.warnings,
            *actual.warnings,
            *(words for d in results for words in _lost(d)),
        ),
    )


def complete(desired: DesiredState, actual: ActualState, policy: Policy) -> bool:
    """Whether every repository that the config names could be read, the archive too where it is needed."""
    blind = policy.orphans.action is OrphanAction.ARCHIVE and actual.archive is None
    return not blind and not any(r.unread for r in desired.repositories)


def _unmatched(selection: Selection, decided: Reconciliation) -> Iterator[str]:
    """A warning for each glob that no key of OBS or Packagecloud matches: mostly a glob on the file name alone."""
    if not selection:
        return
    keys = sorted({key for d in decided.distributions for key in d.known_keys})
    example = keys[0] if keys else "opensuse/15.6/hello-1.0-1.x86_64.rpm"
    given = [("--target", glob) for glob in selection.targets] + [("--exclude", glob) for glob in selection.excludes]
    for option, glob in given:
        if not any(map(Globs([glob]).match, keys)):
            yield f"{option} {glob} matches no package; globs are matched against DISTRIBUTION/FILE, such as {example}"


def _lost(decided: DistributionDecisions) -> Iterator[str]:
    """What would no longer install, for each file that takes something away."""
    replaced = {replacement.key for replacement in decided.replacements}
    for key, words in decided.losses.words.items():
        yield f"{key} {'is replaced' if key in replaced else 'goes'}, but {words}"
    if decided.losses.unknown:
        yield f"{decided.name}: whether all that stays would still install is not known: {decided.losses.unknown}"


def snapshot(rows: Iterable[Row | Removal]) -> str:
    """One sha256 over what the managed rows are, whatever the order of the listing."""
    listed = sorted((r.distribution, r.filename, r.sha256 or "", r.created_at) for r in rows)
    digest, mark = hashlib.sha256(), b"["
    # piece by piece, as the whole JSON of a million rows would take half a gigabyte
    for start in range(0, len(listed), _PIECE):
        digest.update(mark + json.dumps(listed[start : start + _PIECE], separators=(",", ":"))[1:-1].encode())
        mark = b","
    digest.update(b"]" if listed else b"[]")
    return digest.hexdigest()


def planned_repositories(desired: DesiredState) -> tuple[PlannedRepository, ...]:
    """The repositories as plan and audit state them, sorted."""
    planned = (_planned(r) for r in desired.repositories if not r.filtered)
    return tuple(sorted(planned, key=lambda r: (r.project, r.repository, r.distributions)))


def _planned(repository: Repository) -> PlannedRepository:
    problems = tuple(sorted(repository.all_problems, key=lambda p: (p.reason, p.message)))
    index = repository.index
    return PlannedRepository(
        project=repository.project,
        repository=repository.name,
        distributions=repository.distributions,
        architectures=tuple(
            PlannedArchitecture(name=a.name, code=a.code, dirty=a.dirty, settled=not a.problems)
            for a in sorted(repository.architectures, key=lambda a: a.name)
        ),
        settled=not problems,
        problems=problems,
        last_published=repository.last_published,
        index_sha256=index.top_sha256 if index else None,
        revision=index.revision if index else None,
        content=repository.content,
        signature=index.signature if index else None,
    )


def _selected(decided: DistributionDecisions, takes: Callable[[str], bool]) -> DistributionDecisions:
    """The decisions without what is told of packages that the run leaves out; due actions are chosen already."""
    return replace(
        decided,
        held=tuple(h for h in decided.held if takes(h.key)),
        shadowed=tuple(s for s in decided.shadowed if takes(s.key)),
        orphans=tuple(o for o in decided.orphans if takes(o.row.key)),
    )


def _summary(results: Iterable[DistributionDecisions], unmanaged: int) -> Summary:
    counts = {d.name: d.counts for d in results}
    total = Counts(**{name: sum(getattr(c, name) for c in counts.values()) for name in Counts.__struct_fields__})
    return Summary(total=total, unmanaged=unmanaged, distributions=counts)
