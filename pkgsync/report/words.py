"""The sentences that all renderers of a plan share. What they return is not escaped yet."""

import shlex
import textwrap
from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct
from msgspec.structs import replace

from pkgsync.model import (
    Counts,
    Deletion,
    Evidence,
    Held,
    LimitExceeded,
    Overrides,
    Plan,
    PlannedRepository,
    Problem,
    Removal,
    Repository,
    RepositoryEvidence,
    Shadowed,
    Source,
)
from pkgsync.reasons import Reason
from pkgsync.report import units

_MANY = 5
_EXAMPLES = 3
PARTIAL = "Partial: this plan was limited to some packages; the others are not in it."


def headline(plan: Plan) -> str:
    """The one line that says what the plan does."""
    counts = plan.summary.total
    if counts.changes:
        rest = also(counts)
        return f"Plan: {changes(counts)}." + (f" {rest}." if rest else "")
    if counts.held:
        return f"No changes planned, {counts.held} held:"
    kept = f" {units.plural(counts.orphans_kept, 'orphan')} kept." if counts.orphans_kept else ""
    return f"{_no_changes(plan)}{kept}"


COLUMNS = {
    "upload": "uploads",
    "replace": "replacements",
    "delete": "deletions",
    "archive": "archivings",
    "held": "held",
    "kept": "orphans_kept",
}
"""What the columns of a table of counts are called, and the fields of Counts behind them."""


def columns(counted: Iterable[Counts]) -> dict[str, str]:
    """The columns in which any of the counts stands."""
    each = tuple(counted)
    return {head: what for head, what in COLUMNS.items() if any(getattr(counts, what) for counts in each)}


def numbers(counts: Counts, heads: Mapping[str, str]) -> list[str]:
    """One row of a table of counts, the bytes that come last."""
    size = units.size(counts.upload_bytes) if counts.uploads or counts.replacements else ""
    return [*(str(getattr(counts, what)) for what in heads.values()), size]


def http(allowed: bool) -> str:
    return " (plain http allowed)" if allowed else ""


def requests(plan: Plan) -> str:
    return units.plural(plan.observed.obs_requests + plan.observed.packagecloud_requests, "request")


def partial(plan: Plan) -> str:
    """What a plan that is only a part was limited to, or nothing."""
    if not plan.targeted:
        return ""
    given = [f"--target {shlex.quote(glob)}" for glob in plan.selection.targets]
    given += [f"--exclude {shlex.quote(glob)}" for glob in plan.selection.excludes]
    more = f" and {len(given) - _MANY} more" if len(given) > _MANY else ""
    if not given:
        return PARTIAL
    return f"Partial: this plan was made with {' '.join(given[:_MANY])}{more}; whatever that leaves out is not in it."


def _no_changes(plan: Plan) -> str:
    if plan.undoes is not None:
        return "Nothing to undo."
    if not plan.complete:
        return "No changes planned, but a read failed: the plan is incomplete."
    if unseen := [f"{r.project}/{r.repository}" for r in plan.source.repositories if r.index_sha256 is None]:
        more = f" and {len(unseen) - _MANY} more" if len(unseen) > _MANY else ""
        return f"No changes planned, but what OBS publishes in {', '.join(unseen[:_MANY])}{more} is not known."
    if plan.targeted:
        return f"No changes. The selected part of {plan.target.repository} matches OBS."
    if any(not repository.settled for repository in plan.source.repositories):
        return f"No changes. {plan.target.repository} holds all that OBS publishes, but OBS is not settled."
    return f"No changes. {plan.target.repository} matches OBS."


def changes(counts: Counts) -> str:
    """``3 to upload, 1 to replace, 2 to delete (48 MiB)``."""
    parts = [f"{counts.uploads} to upload", f"{counts.replacements} to replace", f"{counts.deletions} to delete"]
    if counts.archivings:
        parts.append(f"{counts.archivings} to archive")
    return ", ".join(parts) + (f" ({units.size(counts.upload_bytes)})" if counts.uploads or counts.replacements else "")


def also(counts: Counts) -> str:
    """``4 held, 214 orphans kept``, or nothing."""
    parts = [f"{counts.held} held"] if counts.held else []
    if counts.orphans_kept:
        parts.append(f"{units.plural(counts.orphans_kept, 'orphan')} kept")
    return ", ".join(parts)


def because(action: Removal) -> str:
    """Why a row goes, from its evidence, and where its content stays."""
    kept = f"; {action.archived_in} holds the same file" if isinstance(action, Deletion) and action.archived_in else ""
    return f"{evidence(action.evidence)}{uploaded(action.created_at, action.uploader)}{kept}"


def evidence(proof: Evidence) -> str:
    if proof.superseded_by is not None:
        newer = proof.superseded_by
        return f"superseded by {newer.filename} of {newer.package}: {newer.code}"
    if proof.kind == Reason.GONE.value:
        where = ", ".join(f"{r.project}/{r.repository}" for r in proof.repositories)
        return f"gone: no longer offered by {where}, where the files of {all_packages([proof])} are known"
    algorithm, _, digest = (proof.receipt or "").rpartition(":")
    return f"undo of {algorithm}:{units.short(digest)}"


def all_packages(proofs: Iterable[Evidence]) -> str:
    """The packages whose files were all known: ``all 12 packages``, of proofs that differ ``all 9 to 12 packages``."""
    read = sorted({proof.packages_read or 0 for proof in proofs})
    if read == [1]:
        return "the only package"
    return f"all {read[0]} packages" if len(read) == 1 else f"all {read[0]} to {read[-1]} packages"


def reads(proof: Evidence) -> list[str]:
    """The reads behind the evidence, one line each."""
    lines = [_read(repository) for repository in proof.repositories]
    return (
        lines
        if proof.total is None
        else [*lines, f"Packagecloud: a complete listing of {units.plural(proof.total, 'row')}"]
    )


def _read(repository: RepositoryEvidence) -> str:
    states = ", ".join(f"{a.name} {a.code}" for a in repository.architectures)
    read = "index" if repository.content == "published" else "list of built files"
    return f"{repository.project}/{repository.repository}: {states}; {read} {units.short(repository.index_sha256)}"


def uploaded(created_at: str, uploader: str | None) -> str:
    when = f"; uploaded {units.day(created_at)}" if created_at else ""
    return f"{when} by {uploader}" if when and uploader else when


def source(origin: Source) -> str:
    """Where the bytes come from, for people."""
    if origin.kind != "obs":
        return f"the {origin.kind}"
    return f"{origin.project}/{origin.repository}"


def why(reason: Reason, message: str) -> str:
    """The code and the words, the code left out where the words begin with it."""
    return message if message.startswith(reason.value) else f"{reason.value}: {message}"


def repository(read: PlannedRepository) -> str:
    """One OBS repository and why it is not settled."""
    problems = dict.fromkeys(why(p.reason, p.told) for p in read.problems)
    return f"{read.project}/{read.repository} ({', '.join(read.distributions)}): {'; '.join(problems) or 'not settled'}"


def after_failed_reads(repositories: Iterable[PlannedRepository], again: str) -> str:
    """What to do where a read failed: ``again`` unless no failure will pass by itself."""
    failures = [p for repository in repositories for p in repository.problems if p.reason is Reason.UNREAD]
    if not failures or not all(failure.lasting for failure in failures):
        return again
    return failures[0].cure or failures[0].reason.advice


def unsigned(repositories: Iterable[Repository | PlannedRepository]) -> tuple[Problem, ...]:
    """The indexes that no pinned key vouches for, each once."""
    problems = (problem for repository in repositories for problem in repository.problems)
    return tuple(dict.fromkeys(problem for problem in problems if problem.reason is Reason.SIGNATURE))


def signed(plan: Plan) -> str:
    """``demo:release by 55F0 B52F ...``: which pinned key vouches for whose indexes."""
    found = ((r.project, r.signature.fingerprint) for r in plan.source.repositories if r.signature is not None)
    return ", ".join(f"{project} by {' '.join(textwrap.wrap(key, 4))}" for project, key in dict.fromkeys(found))


def overrides(given: Overrides) -> str:
    """The options that the plan was made with, as they are typed."""
    parts = [f"--orphans {given.orphans.value}"] if given.orphans is not None else []
    if given.max_deletions is not None:
        parts.append(f"--max-deletions {given.max_deletions}")
    parts += [f"--accept-older-index {name}" for name in given.accept_older_index]
    return " ".join(parts)


def shadowed(file: Shadowed) -> str:
    """Within one repository nothing comes first: there the one that stands already has the place."""
    if source(file.by) == source(file.source):
        return f"{file.key}: {file.by.path} of {source(file.by)} is the same package and has the place"
    return f"{file.key}: {source(file.by)} comes before {source(file.source)}"


def exceeded(plan: Plan) -> list[LimitExceeded]:
    """Every limit that the plan exceeds; what is the same in several distributions is said once, for all of them."""
    alike: dict[tuple[str, str], list[LimitExceeded]] = {}
    for limit in plan.exceeded:
        alike.setdefault((_beyond(limit), limit.override), []).append(limit)
    return [_each(limits) for limits in alike.values()]


def _beyond(limit: LimitExceeded) -> str:
    return limit.message.removeprefix(f"{limit.distribution}: ")


def _each(limits: Sequence[LimitExceeded]) -> LimitExceeded:
    if len(limits) == 1:
        return limits[0]
    names = ", ".join(limit.distribution for limit in limits)
    return replace(limits[0], distribution=names, message=f"{names}, each: {_beyond(limits[0])}")


def allowing(limit: LimitExceeded) -> str:
    """A limit, and what would allow it."""
    way = f" (to allow it: {limit.override})" if limit.override else ""
    return f"{limit.message}{way}"


class HeldGroup(Struct, frozen=True, kw_only=True):
    """Held actions told together; ``shown`` are those that are named, ``message`` is set where it is the same."""

    reason: Reason
    action: str
    total: int
    shown: tuple[Held, ...]
    message: str | None

    @property
    def left_out(self) -> int:
        return self.total - len(self.shown)

    @property
    def told(self) -> str:
        """The reason in words."""
        return f"held, {why(self.reason, self.message or self.reason.meaning)}"

    @property
    def title(self) -> str:
        return f"{units.plural(self.total, self.action)} {self.told}"


def held_groups(held: Iterable[Held], *, verbose: bool = False) -> list[HeldGroup]:
    """Held actions of one reason and kind together; of many, only some are named unless ``verbose``."""
    groups: dict[tuple[Reason, str], list[Held]] = {}
    for item in held:
        groups.setdefault((item.reason, item.action), []).append(item)
    return [_held_group(items, verbose) for items in groups.values()]


def _held_group(items: Sequence[Held], verbose: bool) -> HeldGroup:
    shown = items if verbose or len(items) <= _MANY else items[:_EXAMPLES]
    same = len({item.message for item in items}) == 1
    return HeldGroup(
        reason=items[0].reason,
        action=items[0].action,
        total=len(items),
        shown=tuple(shown),
        message=items[0].message if same else None,
    )
