"""A plan as the comment of a pull request: what is doubtful, the counts, every deletion, and the rest as it fits.

Deletions that one text has no room for go on in further parts.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby

from msgspec import Struct

from pkgsync.model import Plan, Transfer
from pkgsync.report import causes, units, words
from pkgsync.report.changes import Change, changes, place
from pkgsync.report.escape import code, prose, visible
from pkgsync.report.removals import Leaving, leaving
from pkgsync.report.sections import Section, laid_out, length

# characters of a comment
GITHUB_LIMIT = 65_536
_LIMITS_NAMED = 20
_REPOSITORIES_NAMED = 5
_DISTRIBUTIONS_COUNTED = 50
_CHANGES_OPEN = 15
# what stands around the deletions of a part, beside the names
_NOTES = 500
_FENCES = len("\n\n```diff\n\n```\n\n")


def plan_markdown(plan: Plan, limit: int = GITHUB_LIMIT, part: int = 1) -> str:
    """The plan in at most ``limit`` characters of GitHub Markdown; what had to be cut is said where it is missing.

    Deletions get room first. Those that have none in part 1 are counted there and listed in part 2 and on. A part
    beyond the last is empty. Where not even one deletion fits, the only part says that the plan file must be read.
    """
    parts = plan_parts(plan, limit)
    return parts[part - 1] if part <= len(parts) else ""


def plan_parts(plan: Plan, limit: int = GITHUB_LIMIT) -> list[str]:
    """All parts of :func:`plan_markdown`."""
    if _is_quiet(plan):
        line = f"**{prose(words.headline(plan))}**\n"
        return [line if length(line) <= limit else ""]
    before, after = _before(plan), _after(plan)
    sections = [section for section in _sections(plan) if section.rows]
    around = length(before) + length(after) + sum(section.least_length + 2 for section in sections)
    pages = _pages(plan, limit - around - _NOTES, limit - _NOTES - length(plan.digest))
    if pages is None:
        return [_bare(plan, limit)]
    number = len(pages)
    if number > 1:
        before = _before(plan, _continued(pages))
    first = laid_out("\n\n".join(filter(None, (before, _removals(plan, pages, 0)))), sections, after, limit)
    texts = [
        first,
        *(f"{_page_head(plan, page, number)}\n\n{_removals(plan, pages, page)}\n" for page in range(1, number)),
    ]
    return texts if all(length(text) <= limit for text in texts) else [_bare(plan, limit)]


def _is_quiet(plan: Plan) -> bool:
    """Whether the headline alone says all that there is to say."""
    settled = all(repository.settled for repository in plan.source.repositories)
    no_longer = plan.base.no_longer if plan.base else ()
    something = plan.actions or plan.held or plan.shadowed or plan.warnings or plan.exceeded or plan.undoes or no_longer
    return plan.complete and not plan.targeted and settled and not something


def _before(plan: Plan, continued: str = "") -> str:
    headline = words.headline(plan).removesuffix(":")
    parts = [f"## pkgsync: {code(plan.target.repository)}", continued, *_alerts(plan), f"**{prose(headline)}**"]
    if plan.undoes is not None:
        parts.append(f"Takes back the apply of the plan {code(plan.undoes)}.")
    if given := words.overrides(plan.overrides):
        parts.append(f"Made with {code(given)}.")
    parts += [_counts(plan), causes.markdown(plan)]
    return "\n\n".join(filter(None, parts))


def _alerts(plan: Plan) -> Iterator[str]:
    if not plan.applyable:
        yield _alert("CAUTION", "**Unsafe: this plan cannot be applied.**", _exceeded(plan))
    if not plan.complete:
        yield _alert("WARNING", "**Incomplete:** a read failed. What depends on it is not planned.", [])
    if partial := words.partial(plan):
        yield _alert("WARNING", prose(partial), [])
    if unsettled := [repository for repository in plan.source.repositories if not repository.settled]:
        told = _some([prose(words.repository(repository)) for repository in unsettled], _REPOSITORIES_NAMED)
        yield _alert("WARNING", "**Not settled in OBS:** what needs proof of absence there is held.", told)


def _alert(kind: str, said: str, more: Sequence[str]) -> str:
    return "\n".join([f"> [!{kind}]", f"> {said}", *(f"> - {line}" for line in more)])


def _exceeded(plan: Plan) -> list[str]:
    lines = [f"{prose(limit.message + '.')} To allow it: {code(limit.override)}" for limit in words.exceeded(plan)]
    return _some(lines, _LIMITS_NAMED)


def _some(lines: Sequence[str], most: int) -> list[str]:
    return [*lines[:most], f"and {len(lines) - most} more"] if len(lines) > most else list(lines)


def _counts(plan: Plan) -> str:
    counted = {name: c for name, c in sorted(plan.summary.distributions.items()) if c.changes or c.held}
    if not counted:
        return ""
    heads = words.columns(counted.values())
    rows = [_row(code(name), *words.numbers(counts, heads)) for name, counts in counted.items()]
    if len(rows) > 1:
        rows = _some_rows(rows)
        rows.append(_row("in all", *words.numbers(plan.summary.total, heads)))
    titles = [*(head.capitalize() for head in heads), "Size"]
    return "\n".join([_row("Distribution", *titles), _row("---", *("--:" for _ in titles)), *rows])


def _some_rows(rows: list[str]) -> list[str]:
    cut = len(rows) - _DISTRIBUTIONS_COUNTED
    return [*rows[:_DISTRIBUTIONS_COUNTED], _row(f"{cut} more")] if cut > 0 else rows


def _after(plan: Plan) -> str:
    servers = (plan.target.api,) if plan.undoes is not None else (plan.source.api, plan.target.api)
    http = ", plain http allowed" if plan.source.allow_http or plan.target.allow_http else ""
    said = f"Read {prose(plan.observed.packagecloud_at)} from {' and '.join(map(code, servers))}{http}."
    if signed := words.signed(plan):
        said += f" Signed: {prose(signed)}."
    if not plan.digest:
        return said
    said += f" Plan {code(plan.digest)}."
    if not (plan.applyable and plan.actions):
        return said
    # a fence, so that nothing but the command is copied
    return f"{said} To apply it:\n\n```sh\npkgsync apply --expect-digest {visible(plan.digest)} plan.json\n```"


def _bare(plan: Plan, limit: int) -> str:
    """What is left where the room is too small for anything else."""
    counts = plan.summary.total
    removals = counts.deletions + counts.archivings
    read = f"**No room here for {units.plural(removals, 'deletion')}: read the plan file before you approve it.**"
    said = [
        _alert("CAUTION", f"{read} Plan {code(plan.digest or 'without a digest')}.", []) if removals else "",
        words.PARTIAL if plan.targeted else "",
        f"**{prose(words.headline(plan))}**",
    ]
    return ("\n\n".join(filter(None, said)) + "\n")[:limit]


class _Removal(Struct, frozen=True):
    """A row of a part, and what stands over it and its neighbours."""

    lead: str
    row: str


def _pages(plan: Plan, first: int, other: int) -> list[list[_Removal]] | None:
    """The deletions by part: the first has ``first`` characters of room, others ``other``. None: one fits nowhere."""
    pages: list[list[_Removal]] = [[]]
    room, above = first, ""
    for removal in (removal for group in leaving(plan) for removal in _rows_of(group)):
        row, lead = length(removal.row) + 1, length(removal.lead) + _FENCES
        needed = row if removal.lead == above else row + lead
        if needed > room:
            pages.append([])
            room, needed = other, row + lead
        if needed > room:
            return None
        pages[-1].append(removal)
        room, above = room - needed, removal.lead
    return pages


def _rows_of(group: Leaving) -> Iterator[_Removal]:
    lead = f"**{prose(group.title())}:** {prose(group.why)}"
    for removal in group.removals:
        yield _Removal(lead, f"- {visible(removal.key)}")


def _removals(plan: Plan, pages: Sequence[Sequence[_Removal]], page: int) -> str:
    """The deletions of one part, counting from 0."""
    counts = plan.summary.total
    numbers = {"deletion": counts.deletions, "archiving": counts.archivings}
    title = ", ".join(units.plural(number, what) for what, number in numbers.items() if number)
    blocks = [f"### {title}"] if title else []
    for lead, rows in groupby(pages[page], key=lambda removal: removal.lead):
        # a block of its own: names are neither wrapped nor read as markup there
        blocks += [lead, "\n".join(["```diff", *(removal.row for removal in rows), "```"])]
    if left := sum(map(len, pages[page + 1 :])):
        blocks.append(f"**{left} more in part {page + 2} of {len(pages)}.**")
    return "\n\n".join(blocks)


def _continued(pages: Sequence[Sequence[_Removal]]) -> str:
    left, number = sum(map(len, pages[1:])), len(pages)
    where = "part 2 of 2" if number == 2 else f"parts 2 to {number} of {number}"
    more = units.plural(left, "more deletion")
    return _alert("CAUTION", f"**{more} in {where}: read them all before you approve this plan.**", [])


def _page_head(plan: Plan, page: int, number: int) -> str:
    return (
        f"## pkgsync: {code(plan.target.repository)}, part {page + 1} of {number}\n\nPlan {code(plan.digest or '?')}."
    )


def _sections(plan: Plan) -> list[Section]:
    counts, found = plan.summary.total, changes(plan)
    distributions = len({action.distribution for action in plan.actions})
    return [
        Section(
            title=units.plural(len(found), "package"),
            rows=[_change(plan, change, distributions) for change in found],
            folded=len(found) > _CHANGES_OPEN,
            rank=2,
        ),
        Section(
            title=units.plural(counts.replacements, "replacement"),
            rows=_transfers("!", plan.replacements),
            diff=True,
            rank=3,
        ),
        Section(
            title=f"{units.plural(counts.uploads, 'upload')} ({units.size(sum(u.size for u in plan.uploads))})",
            rows=_transfers("+", plan.uploads),
            diff=True,
            folded=True,
            rank=6,
        ),
        Section(title=f"{counts.held} held", rows=_held(plan), folded=True, rank=4),
        Section(
            title=f"{units.plural(len(plan.shadowed), 'file')} shadowed by another one with other content",
            rows=[prose(words.shadowed(file)) for file in plan.shadowed],
            folded=True,
            rank=5,
        ),
        Section(title=units.plural(len(plan.warnings), "warning"), rows=[prose(w) for w in plan.warnings], rank=1),
        *causes.sections(plan),
    ]


def _row(*cells: str) -> str:
    return f"|{'|'.join(cells)}|"


def _change(plan: Plan, change: Change, distributions: int) -> str:
    # a list: in the columns of a table a phone breaks names
    happening = f"{code(change.package)} {prose(change.happening())}"
    size = units.size(change.counts.upload_bytes) if change.counts.upload_bytes else ""
    told = (happening, prose(place(change, distributions)), change.tally, *causes.mark(plan, change.actions), size)
    return " · ".join(filter(None, told))


def _transfers(sign: str, actions: Iterable[Transfer]) -> list[str]:
    """Every file on a line of its own, under the place that it comes from."""
    rows: list[str] = []
    by_source = sorted(actions, key=lambda action: (words.source(action.source), action.key))
    for source, group in groupby(by_source, key=lambda action: words.source(action.source)):
        head, *others = (f"{sign} {visible(action.key)}" for action in group)
        rows += [f"{visible(f'@@ {source} @@')}\n{head}", *others]
    return rows


def _held(plan: Plan) -> list[str]:
    return [
        _held_group(distribution, group)
        for distribution in sorted({item.distribution for item in plan.held})
        for group in words.held_groups(item for item in plan.held if item.distribution == distribution)
    ]


def _held_group(distribution: str, group: words.HeldGroup) -> str:
    if group.total == 1:
        return f"{code(group.shown[0].key)}: {group.action} {prose(group.told)}"
    rows = [f"{code(item.filename)}{'' if group.message else f': {prose(item.message)}'}" for item in group.shown]
    rows += [f"and {group.left_out} more"] if group.left_out else []
    return "\n  - ".join([f"{code(distribution)}: {prose(group.title)}", *rows])
