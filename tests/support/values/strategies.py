"""Hypothesis strategies that several test files share: names that try to break out, and plans that hold together."""

from collections import Counter
from typing import Any

from hypothesis import strategies as st
from msgspec.structs import replace

from pkgsync.model import (
    Approval,
    ArchitectureEvidence,
    Archiving,
    Cause,
    Comparison,
    Counts,
    Deletion,
    Evidence,
    Held,
    LimitExceeded,
    NoLonger,
    Observed,
    OldContent,
    OrphanAction,
    Outcome,
    Overrides,
    Plan,
    PlannedArchitecture,
    PlannedRepository,
    PlanSource,
    PlanTarget,
    Problem,
    Receipt,
    ReceiptLine,
    Replacement,
    RepositoryEvidence,
    Selection,
    Shadowed,
    Source,
    Summary,
    SupersededBy,
    Upload,
)
from pkgsync.reasons import Reason

__all__ = ["filenames", "messages", "plans", "receipts"]

_NASTY = (
    "\x1b[2J", "\x1b]0;title\x07", "\u202e", "\u2066", "\u200b", "\x00", "\r\n", "\u2028", "\u3164", "`", "```", "|", "\\|", "<img src=x>",
    "<!--", "</details>", "&amp;", "@octocat", "#123", "GH-1", "a/b#1", "https://evil.example/", "www.evil.example", "[x](http://e.example)", "![x](y)",
    "**", "__", "~~", "$x$", "=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\U0001f600", "\ud7ff", "é", "$(id)", "'", '"', ";", "--", "%s", "{0}",
)  # fmt: skip
_TIMES = st.sampled_from(["2026-01-02T03:04:05Z", "2025-12-31T23:59:59Z", "2026-01-02T03:04:05.678Z"])
_SUMS = st.integers(0, 2**256 - 1).map("{:064x}".format)
_DIGESTS = _SUMS.map("sha256:{}".format)
_COUNTS = st.integers(0, 2**53 - 1)
_SIZES = st.integers(0, 2**40)
_SECONDS = st.none() | st.integers(0, 2**40)
_DISTRIBUTIONS = ("opensuse/15.6", "ubuntu/jammy", "el/9")
_PROJECTS = st.sampled_from(["home:kata", "home:kata:branches:devel", "isv:x_y"])
_REPOSITORIES = st.sampled_from(["openSUSE_Leap_15.6", "xUbuntu_22.04"])
_ARCHITECTURES = st.sampled_from(["x86_64", "aarch64"])

messages = st.lists(
    st.sampled_from(_NASTY) | st.text(st.characters(exclude_categories=["Cs"]), max_size=8), max_size=5
).map("".join)
"""Untrusted text: whatever a server might say."""

filenames = (
    st.builds("{}{}.rpm".format, messages.map(lambda text: "".join(c for c in text if c.isprintable() and c != "/")), st.integers(0, 10**6))
)  # fmt: skip
"""File names that a plan may hold: no slash and no control character, but otherwise as nasty as can be."""

_problems = st.builds(Problem, st.sampled_from([Reason.PUBLISHING, Reason.DIRTY, Reason.UNREAD]), messages)


_no_longer = st.builds(
    NoLonger,
    distribution=st.sampled_from(_DISTRIBUTIONS),
    filename=filenames,
    action=st.sampled_from(["upload", "replacement", "deletion", "archiving"]),
    held=st.booleans(),
)


@st.composite
def _sources(draw: st.DrawFn) -> Source:
    packages = tuple(draw(st.lists(st.sampled_from(["kata", "kata:small"]), max_size=2)))
    path = f"x86_64/{draw(filenames)}"
    return Source(
        kind="obs",
        project=draw(_PROJECTS),
        repository=draw(_REPOSITORIES),
        architecture=draw(_ARCHITECTURES),
        packages=packages,
        path=path,
    )


_repository_evidence = st.builds(
    RepositoryEvidence,
    project=_PROJECTS,
    repository=_REPOSITORIES,
    architectures=st.lists(st.builds(ArchitectureEvidence, _ARCHITECTURES, st.just("published")), max_size=2).map(
        tuple
    ),
    last_published=_SECONDS,
    index_sha256=_SUMS,
    revision=_SECONDS,
)


_UNDONE = f"sha256:{'a' * 64}"


@st.composite
def _proofs(draw: st.DrawFn, undo: bool) -> tuple[Reason, Evidence]:
    if undo:
        return Reason.UNDO, Evidence(kind="undo", receipt=_UNDONE)
    reason = draw(st.sampled_from([Reason.SUPERSEDED, Reason.GONE]))
    read = tuple(draw(st.lists(_repository_evidence, min_size=1, max_size=2)))
    total = draw(_COUNTS)
    if reason is Reason.GONE:
        return reason, Evidence(kind="gone", repositories=read, total=total, packages_read=draw(_COUNTS))
    newer = SupersededBy(filename=draw(filenames), version=draw(messages), package=draw(messages), code="succeeded")
    return reason, Evidence(kind="superseded", repositories=read, total=total, superseded_by=newer)


@st.composite
def _actions(
    draw: st.DrawFn, distribution: str, filename: str, undo: bool
) -> Upload | Replacement | Deletion | Archiving:
    kind = draw(st.sampled_from([Upload, Replacement, Deletion, Archiving]))
    content = draw(_SUMS)
    if kind in (Upload, Replacement):
        also = () if undo else tuple(draw(st.lists(_sources(), max_size=1)))
        due: dict[str, Any] = {
            "distribution": distribution,
            "filename": filename,
            "size": draw(_SIZES),
            "sha256": content,
            "also": also,
        }
        source = Source(kind="backup") if undo else draw(_sources())
        if kind is Upload:
            archive = Source(kind="archive", repository="kata/archive")
            kept = draw(st.sampled_from([source, archive])) if undo else source
            return Upload(**due, reason=Reason.UNDO if undo else Reason.MISSING, source=kept)
        old = OldContent(draw(_SUMS.filter(lambda other: other != content)), draw(_TIMES))
        return Replacement(**due, reason=Reason.UNDO if undo else Reason.REBUILT, source=source, old=old)
    reason, evidence = draw(_proofs(undo))
    deletion = Deletion(
        distribution=distribution,
        filename=filename,
        sha256=content,
        created_at=draw(_TIMES),
        uploader=draw(st.none() | messages),
        reason=reason,
        evidence=evidence,
        archived_in=draw(st.sampled_from([None, "kata/archive"])),
    )
    return deletion if kind is Deletion else deletion.to("kata/archive")


_held = st.builds(
    Held,
    distribution=st.sampled_from(_DISTRIBUTIONS),
    filename=filenames,
    action=st.sampled_from(["upload", "replacement", "deletion", "archiving"]),
    reason=st.sampled_from([Reason.CONTENT_UNKNOWN, Reason.OWNER_UNKNOWN, Reason.KEEP_VERSIONS]),
    message=messages,
)
_shadowed = st.builds(
    Shadowed,
    distribution=st.sampled_from(_DISTRIBUTIONS),
    filename=filenames,
    sha256=_SUMS,
    source=_sources(),
    by=_sources(),
)
_exceeded = st.builds(
    LimitExceeded,
    distribution=st.sampled_from(_DISTRIBUTIONS),
    limit=st.just("deletions"),
    allowed=_COUNTS,
    found=_COUNTS,
    message=messages,
    override=st.just("--max-deletions 40"),
)
_planned_repositories = st.builds(
    PlannedRepository,
    project=_PROJECTS,
    repository=_REPOSITORIES,
    distributions=st.lists(st.sampled_from(_DISTRIBUTIONS), unique=True, max_size=2).map(tuple),
    architectures=st.lists(
        st.builds(
            PlannedArchitecture,
            name=_ARCHITECTURES,
            code=st.just("published"),
            dirty=st.booleans(),
            settled=st.booleans(),
        ),
        max_size=2,
    ).map(tuple),
    settled=st.booleans(),
    problems=st.lists(_problems, max_size=2).map(tuple),
    last_published=_SECONDS,
    index_sha256=st.none() | _SUMS,
    revision=_SECONDS,
)
_targets = st.builds(
    PlanTarget,
    api=st.just("https://packagecloud.io"),
    repository=st.just("kata/testing"),
    total=_COUNTS,
    snapshot=_SUMS,
    distributions=st.just(_DISTRIBUTIONS),
    allow_http=st.booleans(),
)


def counted(plan: Plan) -> Plan:
    """The plan with a summary that fits its lists."""
    by_distribution = {name: _counts(plan, name) for name in _DISTRIBUTIONS}
    total: Counter[str] = sum((Counter(counts) for counts in by_distribution.values()), Counter())
    return replace(
        plan,
        summary=Summary(
            total=Counts(**total),
            unmanaged=3,
            distributions={name: Counts(**counts) for name, counts in by_distribution.items()},
        ),
    )


def _counts(plan: Plan, distribution: str) -> dict[str, int]:
    lists = ("uploads", "replacements", "deletions", "archivings", "held")
    counts = {what: sum(item.distribution == distribution for item in getattr(plan, what)) for what in lists}
    coming: tuple[Upload | Replacement, ...] = (*plan.uploads, *plan.replacements)
    return counts | {"upload_bytes": sum(action.size for action in coming if action.distribution == distribution)}


_GLOBS = st.just(()) | st.tuples(messages)


@st.composite
def plans(draw: st.DrawFn) -> Plan:
    """Plans that hold together, with nasty names everywhere."""
    keys = draw(st.lists(st.tuples(st.sampled_from(_DISTRIBUTIONS), filenames), unique=True, max_size=6))
    undo = draw(st.booleans())
    actions = [draw(_actions(distribution, filename, undo)) for distribution, filename in keys]
    exceeded = tuple(draw(st.lists(_exceeded, max_size=1)))
    selection = Selection(draw(_GLOBS), draw(_GLOBS))
    plan = Plan(
        pkgsync_version="1.2.3",
        created_at=draw(_TIMES),
        observed=Observed(
            obs_at=draw(_TIMES),
            packagecloud_at=draw(_TIMES),
            obs_requests=draw(_COUNTS),
            packagecloud_requests=draw(_COUNTS),
        ),
        config_digest=draw(_DIGESTS),
        applyable=not exceeded,
        complete=draw(st.booleans()),
        targeted=bool(selection) or draw(st.booleans()),
        selection=selection,
        source=PlanSource(
            api="https://api.opensuse.org",
            projects=("home:kata",),
            repositories=tuple(draw(st.lists(_planned_repositories, max_size=2))),
            allow_http=draw(st.booleans()),
        ),
        target=draw(_targets),
        summary=Summary(total=Counts(), unmanaged=0, distributions={}),
        overrides=Overrides(draw(st.none() | st.sampled_from(OrphanAction)), draw(st.none() | _COUNTS)),
        uploads=tuple(a for a in actions if isinstance(a, Upload)),
        replacements=tuple(a for a in actions if isinstance(a, Replacement)),
        deletions=tuple(a for a in actions if isinstance(a, Deletion)),
        archivings=tuple(a for a in actions if isinstance(a, Archiving)),
        held=tuple(draw(st.lists(_held, max_size=3))),
        shadowed=tuple(draw(st.lists(_shadowed, max_size=2))),
        exceeded=exceeded,
        warnings=tuple(draw(st.lists(messages, max_size=2))),
        undoes=_UNDONE if undo else None,
        base=draw(st.none() | _comparisons([action.key for action in actions])),
    )
    return counted(plan)


def _comparisons(keys: list[str]) -> st.SearchStrategy[Comparison]:
    return st.builds(
        Comparison,
        config_digest=_DIGESTS,
        causes=st.fixed_dictionaries({key: st.sampled_from(Cause) for key in keys}),
        no_longer=st.lists(_no_longer, max_size=2).map(tuple),
    )


_lines = st.builds(
    ReceiptLine,
    action=st.sampled_from(["upload", "replacement", "deletion", "archiving"]),
    distribution=st.sampled_from(_DISTRIBUTIONS),
    filename=filenames,
    outcome=st.sampled_from([outcome for outcome in Outcome if outcome is not Outcome.DUE]),
    sha256=st.just("") | _SUMS,
    old_sha256=st.none() | _SUMS,
    size=st.none() | _SIZES,
    reason=st.none() | st.just("source-changed"),
    message=messages,
    started_at=st.none() | _TIMES,
    finished_at=st.none() | _TIMES,
    bytes_down=_SIZES,
    bytes_up=_SIZES,
    attempts=st.integers(0, 9),
    absent_seconds=st.none() | st.floats(0, 1e6),
    archive_to=st.none() | st.just("kata/archive"),
    undo=st.sampled_from([None, "backup", "archive", "none"]),
    missing=st.sampled_from([None, "yes", "perhaps"]),
    kept_at=st.none() | messages,
    signed=st.none() | st.booleans(),
)
_approvals = st.builds(
    Approval,
    signers=st.lists(messages, min_size=1, max_size=2).map(tuple),
    key=st.just("SHA256:9G+/vF5OYAe3X9E087xdugFKz2ivycmStKycHBCZBPI"),
    verified_at=_TIMES,
)
receipts = st.builds(
    Receipt,
    pkgsync_version=st.just("1.2.3"),
    plan_digest=_DIGESTS,
    target=_targets,
    started_at=_TIMES,
    finished_at=_TIMES,
    exit_code=st.sampled_from([0, 4, 5, 130]),
    complete=st.booleans(),
    interrupted=st.booleans(),
    lines=st.lists(_lines, max_size=4).map(tuple),
    runs=st.integers(1, 3),
    warnings=st.lists(messages, max_size=2).map(tuple),
    approvals=st.lists(_approvals, max_size=2).map(tuple),
)
"""Receipts with nasty names and messages."""
