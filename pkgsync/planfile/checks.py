"""What a plan must be beyond its schema: the checks of a plan from one list to another, and of every name.

They run on every plan that is written and on every plan that is read, so that apply can rely on them.
"""

import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterator

from pkgsync.errors import PlanFileError
from pkgsync.model import (
    Action,
    Counts,
    Evidence,
    Origin,
    Plan,
    Receipt,
    Removal,
    Replacement,
    Source,
    Transfer,
)
from pkgsync.model.filename import is_plain
from pkgsync.reasons import Reason

_SHA256 = re.compile(r"[0-9a-f]{64}")
_PAIR = re.compile(r"[^/\s]+/[^/\s]+")
_LISTED = ("uploads", "replacements", "deletions", "archivings", "held")
_COUNTED = (*_LISTED, "upload_bytes")


def check_plan(plan: Plan, name: str) -> None:
    """Raises PlanFileError with the first thing that is wrong."""
    _refuse(name, _plan_faults(plan))


def check_receipt(receipt: Receipt, name: str) -> None:
    """Raises PlanFileError with the first thing that is wrong."""
    _refuse(name, _receipt_faults(receipt))


def _refuse(name: str, faults: Iterator[str]) -> None:
    fault = next(faults, None)
    if fault is not None:
        raise PlanFileError(f"{name}: {fault}")


def _plan_faults(plan: Plan) -> Iterator[str]:
    yield from _url_faults("source.api", plan.source.api)
    yield from _url_faults("target.api", plan.target.api)
    if not _PAIR.fullmatch(plan.target.repository):
        yield f"the target {plan.target.repository!r} is not USER/REPOSITORY"
    # else an edited plan could allow itself what the limits refuse
    if plan.exceeded and plan.applyable:
        yield "a limit is exceeded, but the plan calls itself applyable"
    if plan.selection and not plan.targeted:
        yield "it names what it was limited to, but calls itself the whole plan"
    for action in plan.actions:
        yield from _action_faults(action, plan)
    yield from _undo_faults(plan)
    yield from _archive_faults(plan)
    yield from _unique_faults(plan)
    yield from _summary_faults(plan)
    yield from _base_faults(plan)


def _receipt_faults(receipt: Receipt) -> Iterator[str]:
    yield from _url_faults("target.api", receipt.target.api)
    for line in receipt.lines:
        yield from _name_faults(line.distribution, line.filename)


def _action_faults(action: Action, plan: Plan) -> Iterator[str]:
    yield from _name_faults(action.distribution, action.filename)
    if action.distribution not in plan.target.distributions:
        yield f"{action.key}: the plan does not manage its distribution"
    if not _SHA256.fullmatch(action.sha256):
        yield f"{action.key}: the sha256 is not 64 hex digits"
    if isinstance(action, Transfer):
        for source in (action.source, *action.also):
            yield from _source_faults(action.key, source)
    if isinstance(action, Replacement) and action.old.sha256 == action.sha256:
        yield f"{action.key}: the replacement's old and new content are the same"
    if isinstance(action, Removal):
        yield from _evidence_faults(action)


def _name_faults(distribution: str, filename: str) -> Iterator[str]:
    if not _PAIR.fullmatch(distribution):
        yield f"the distribution {distribution!r} is not of the form distro/version"
    if not is_plain(filename):
        yield f"{distribution}: {filename!r} is not a plain file name"


def _source_faults(key: str, source: Source) -> Iterator[str]:
    parts = source.path.split("/")
    # it becomes a part of a URL, and ".." would lead out of the repository
    if source.path and not all(map(is_plain, parts)):
        yield f"{key}: the source path {source.path!r} is not a plain relative path"
    if source.kind == "obs" and not (source.project and source.repository and source.path):
        yield f"{key}: an OBS source needs a project, a repository and a path"
    if source.content == "build" and len(parts) != 3:
        yield f"{key}: the path {source.path!r} of a built file is not ARCHITECTURE/PACKAGE/FILE"


def _evidence_faults(action: Removal) -> Iterator[str]:
    evidence = action.evidence
    if evidence.kind != action.reason.value:
        yield f"{action.key}: deleted as {action.reason.value}, but the evidence is for {evidence.kind}"
    if not _proves(evidence):
        yield f"{action.key}: the evidence for its deletion is incomplete"


def _proves(evidence: Evidence) -> bool:
    if evidence.kind == Reason.UNDO.value:
        return bool(evidence.receipt)
    read = bool(evidence.repositories) and evidence.total is not None
    if evidence.kind == Reason.SUPERSEDED.value:
        return read and evidence.superseded_by is not None
    return read and evidence.packages_read is not None


def _undo_faults(plan: Plan) -> Iterator[str]:
    """An undo is proven otherwise than all else, so that neither can hide among the other."""
    for action in plan.actions:
        undo = action.reason is Reason.UNDO
        if undo != (plan.undoes is not None):
            yield f"{action.key}: a plan with the reason {action.reason.value} cannot be this one"
        if isinstance(action, Removal):
            if undo and action.evidence.receipt != plan.undoes:
                yield f"{action.key}: its evidence is another receipt than the plan's"
        elif isinstance(action, Transfer) and undo != (action.source.kind != "obs"):
            yield f"{action.key}: the reason {action.reason.value} does not go with bytes from {action.source.kind}"
        elif isinstance(action, Replacement) and action.source.kind == "archive":
            yield f"{action.key}: a replacement cannot come from the archive"


def _archive_faults(plan: Plan) -> Iterator[str]:
    for archive in sorted(plan.archives):
        if not _PAIR.fullmatch(archive):
            yield f"the archive {archive!r} is not USER/REPOSITORY"
    if len(plan.archives) > 1:
        yield f"there is more than one archive: {', '.join(sorted(plan.archives))}"
    if plan.target.repository.casefold() in {archive.casefold() for archive in plan.archives}:
        yield f"the archive is the target, {plan.target.repository}, itself"


def _unique_faults(plan: Plan) -> Iterator[str]:
    # each would make the other one stale, or take it back
    for key, times in Counter(action.key for action in plan.actions).items():
        if times > 1:
            yield f"{key}: {times} actions for one file"


def _base_faults(plan: Plan) -> Iterator[str]:
    if plan.base is None:
        return
    keys = {action.key for action in plan.actions}
    for key in sorted(keys ^ plan.base.causes.keys()):
        yield f"{key}: " + ("its cause is missing" if key in keys else "a cause without an action")
    for item in plan.base.no_longer:
        yield from _name_faults(item.distribution, item.filename)


def _summary_faults(plan: Plan) -> Iterator[str]:
    # people review the counts: they must be those of the lists
    tally = _tally(plan)
    yield from _count_faults("summary.total", plan.summary.total, sum(tally.values(), Counter()))
    for distribution, counts in plan.summary.distributions.items():
        yield from _count_faults(f"summary.distributions.{distribution}", counts, tally.get(distribution, Counter()))
    for distribution in sorted(tally.keys() - plan.summary.distributions.keys()):
        yield f"the summary lacks {distribution}"


def _tally(plan: Plan) -> dict[str, Counter[str]]:
    """What the lists hold, per distribution."""
    tally: dict[str, Counter[str]] = defaultdict(Counter)
    for what in _LISTED:
        for item in getattr(plan, what):
            tally[item.distribution][what] += 1
    coming: tuple[Transfer, ...] = (*plan.uploads, *plan.replacements)
    for action in coming:
        tally[action.distribution]["upload_bytes"] += action.size
    return dict(tally)


def _count_faults(place: str, stated: Counts, found: Counter[str]) -> Iterator[str]:
    for what in _COUNTED:
        if getattr(stated, what) != found[what]:
            yield f"{place} says {getattr(stated, what)} {what}, the plan lists {found[what]}"


def _url_faults(place: str, url: str) -> Iterator[str]:
    try:
        Origin.of(url)
    except ValueError as error:
        yield f"{place}: {error}"
    # plans are published, and a query may hold a secret
    if "?" in url or "#" in url or _has_control(url):
        yield f"{place}: a URL with a query, a fragment or control characters"


def _has_control(text: str) -> bool:
    return any(unicodedata.category(character) in ("Cc", "Zl", "Zp") for character in text)
