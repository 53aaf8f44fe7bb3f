"""A plan as the comment of a pull request: counts first, deletions always, the rest as far as it fits."""

from collections.abc import Iterator, Sequence

from pkgsync.model import Archiving, Counts, Plan, Removal, Replacement, Transfer
from pkgsync.report import units, words
from pkgsync.report.escape import code, prose, visible
from pkgsync.report.sections import Section, laid_out, length

# characters of a comment
GITHUB_LIMIT = 65_536
_LIMITS_NAMED = 20


def plan_markdown(plan: Plan, limit: int = GITHUB_LIMIT) -> str:
    """The plan in at most ``limit`` characters of GitHub Markdown; what had to be cut is said where it is missing.

    Deletions get room first, and a shorter form before any of them is cut. Where even that is too long, the text says
    so before everything else.
    """
    before, after = _before(plan), _after(plan)
    others = [section for section in _sections(plan) if section.rows]
    room = limit - length(before) - length(after) - sum(section.least_length + 2 for section in others) - 6
    removals = _removals(plan)
    if removals and removals[0].whole_length > room:
        removals = [_compact_removals(plan)]
        if removals[0].whole_length > room:
            before = f"{_too_many(plan)}\n\n{before}"
    text = laid_out(before, [*removals, *others], after, limit)
    return text if length(text) <= limit else _bare(plan, limit)


def _before(plan: Plan) -> str:
    target = plan.target
    headline = words.headline(plan).removesuffix(":")
    parts = [f"## pkgsync: {code(target.repository)}", f"**{prose(headline)}**"]
    if partial := words.partial(plan):
        parts.insert(1, _alert("WARNING", prose(partial), []))
    if not plan.applyable:
        parts.append(_alert("CAUTION", "**Unsafe: this plan cannot be applied.**", _exceeded(plan)))
    if not plan.complete:
        said = "**Incomplete:** a read failed. What depends on it is not planned."
        parts.append(_alert("WARNING", said, []))
    if plan.undoes is not None:
        parts.append(f"Takes back the apply of the plan {code(plan.undoes)}.")
    if given := words.overrides(plan.overrides):
        parts.append(f"Made with {code(given)}.")
    return "\n\n".join(parts)


def _alert(kind: str, said: str, more: Sequence[str]) -> str:
    return "\n".join([f"> [!{kind}]", f"> {said}", *(f"> - {line}" for line in more)])


def _exceeded(plan: Plan) -> list[str]:
    lines = [f"{prose(limit.message)}. To allow it: {code(limit.override)}" for limit in plan.exceeded]
    left_out = len(lines) - _LIMITS_NAMED
    return [*lines[:_LIMITS_NAMED], f"and {left_out} more limits"] if left_out > 0 else lines


def _after(plan: Plan) -> str:
    servers = (plan.target.api,) if plan.undoes is not None else (plan.source.api, plan.target.api)
    read = f"Read {prose(plan.observed.packagecloud_at)} from {' and '.join(map(code, servers))}"
    http = ", plain http allowed" if plan.source.allow_http or plan.target.allow_http else ""
    digest = f" Plan {code(plan.digest)}." if plan.digest else ""
    return f"{read}{http}.{digest}"


def _too_many(plan: Plan) -> str:
    counts = plan.summary.total
    said = (
        f"**The {counts.deletions + counts.archivings} deletions do not fit into this text: some are not shown. "
        f"Read all of them in the plan file before you approve it.** Plan {code(plan.digest or 'without a digest')}."
    )
    return _alert("CAUTION", said, [])


def _bare(plan: Plan, limit: int) -> str:
    """What is left where the room is too small for anything else."""
    said = [_too_many(plan), words.PARTIAL if plan.targeted else "", f"**{prose(words.headline(plan))}**"]
    return ("\n\n".join(filter(None, said)) + "\n")[:limit]


def _removal_title(plan: Plan) -> str:
    counts = plan.summary.total
    parts = [units.plural(counts.deletions, "deletion")] if counts.deletions else []
    if counts.archivings:
        parts.append(units.plural(counts.archivings, "archiving"))
    return ", ".join(parts)


def _leaving(plan: Plan) -> tuple[Removal, ...]:
    return (*plan.deletions, *plan.archivings)


def _removals(plan: Plan) -> list[Section]:
    rows = [_row(code(a.distribution), code(a.filename), _why(a)) for a in _leaving(plan)]
    if not rows:
        return []
    return [Section(title=_removal_title(plan), rows=rows, head="|Distribution|File|Why|")]


def _why(action: Removal) -> str:
    to = f"archived to {code(action.archive_to)}: " if isinstance(action, Archiving) else ""
    return to + prose(words.because(action))


def _kept(action: Removal) -> str:
    if isinstance(action, Archiving):
        return f", archived to {action.archive_to}"
    return f", also in {action.archive}" if action.archive else ""


def _compact_removals(plan: Plan) -> Section:
    """Every name on a line of its own, under its distribution and reason."""
    rows: list[str] = []
    above = ""
    for action in _leaving(plan):
        group = visible(f"@@ {action.distribution}: {action.reason.value}{_kept(action)} @@")
        rows.append((f"{group}\n" if group != above else "") + visible(f"- {action.filename}"))
        above = group
    return Section(title=_removal_title(plan), rows=rows, diff=True)


def _sections(plan: Plan) -> list[Section]:
    counts = plan.summary.total
    unsettled = [repository for repository in plan.source.repositories if not repository.settled]
    return [
        _by_distribution(plan),
        Section(
            title=units.plural(counts.replacements, "replacement"),
            rows=_rows(plan.replacements),
            head=_CHANGE_HEAD,
            rank=3,
        ),
        Section(
            title=f"{units.plural(counts.uploads, 'upload')} ({units.size(sum(u.size for u in plan.uploads))})",
            rows=_rows(plan.uploads),
            head=_CHANGE_HEAD,
            folded=True,
            rank=6,
        ),
        Section(
            title=f"{counts.held} held", rows=_held_rows(plan), head="|Distribution|Held|Why|File|", folded=True, rank=4
        ),
        Section(
            title=f"{units.plural(len(unsettled), 'repository', 'repositories')} not settled in OBS",
            rows=[prose(words.repository(repository)) for repository in unsettled],
            rank=2,
        ),
        Section(
            title=f"{units.plural(len(plan.shadowed), 'file')} shadowed by another one with other content",
            rows=[prose(words.shadowed(file)) for file in plan.shadowed],
            folded=True,
            rank=5,
        ),
        Section(title=units.plural(len(plan.warnings), "warning"), rows=[prose(w) for w in plan.warnings], rank=1),
    ]


_CHANGE_HEAD = "|Distribution|File|Size|What|"


def _row(*cells: str) -> str:
    return f"|{'|'.join(cells)}|"


def _rows(actions: Sequence[Transfer]) -> list[str]:
    return [_row(code(a.distribution), code(a.filename), units.size(a.size), _what(a)) for a in actions]


def _what(action: Transfer) -> str:
    origin = code(words.source(action.source))
    if isinstance(action, Replacement):
        return f"{code(units.short(action.old.sha256))} → {code(units.short(action.sha256))}, {origin}"
    return origin


def _held_rows(plan: Plan) -> list[str]:
    return [
        row
        for distribution in sorted({item.distribution for item in plan.held})
        for group in words.held_groups(item for item in plan.held if item.distribution == distribution)
        for row in _held_group(distribution, group)
    ]


def _held_group(distribution: str, group: words.HeldGroup) -> Iterator[str]:
    """One row where the message is the same for all, else one for each that is named."""
    if group.message is not None:
        named = ", ".join(code(item.filename) for item in group.shown)
        more = f" and {group.left_out} more" if group.left_out else ""
        held = units.plural(group.total, group.action)
        yield _row(code(distribution), held, _held_why(group, group.message), named + more)
        return
    for item in group.shown:
        yield _row(code(distribution), f"1 {group.action}", _held_why(group, item.message), code(item.filename))
    if group.left_out:
        held = units.plural(group.left_out, f"more {group.action}")
        yield _row(code(distribution), held, _held_why(group, group.reason.meaning), "")


def _held_why(group: words.HeldGroup, message: str) -> str:
    return prose(words.why(group.reason, message))


def _by_distribution(plan: Plan) -> Section:
    """The counts of each distribution; of one alone they stand in the first line."""
    counted = plan.summary.distributions
    rows = [_row(code(name), *_numbers(counted[name])) for name in sorted(counted)]
    head = "|Distribution|Upload|Replace|Delete|Archive|Held|Equal|Orphans kept|Size|"
    return Section(title="Counts", rows=rows if len(rows) > 1 else [], head=head, folded=True, rank=1)


def _numbers(counts: Counts) -> list[str]:
    numbers = [counts.uploads, counts.replacements, counts.deletions, counts.archivings]
    numbers += [counts.held, counts.unchanged, counts.orphans_kept]
    return [*(str(number) for number in numbers), units.size(counts.upload_bytes)]
