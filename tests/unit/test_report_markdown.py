"""Plans, audits and receipts as comments: rendered by an independent Markdown library, never over the limit."""

from html.parser import HTMLParser
from itertools import count, takewhile

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from msgspec.structs import replace

from pkgsync.model import (
    Audit,
    Counts,
    Deletion,
    Held,
    LimitExceeded,
    Orphan,
    Outcome,
    Plan,
    Problem,
    Receipt,
    Row,
    Selection,
    Summary,
)
from pkgsync.reasons import Reason
from pkgsync.report import GITHUB_LIMIT, audit_markdown, plan_markdown, receipt_markdown
from pkgsync.report.escape import visible
from tests.support.values.samples import (
    AUDIT,
    DELETION,
    JAMMY,
    LEAP,
    NOTHING,
    PLAN,
    RECEIPT,
    REPOSITORY,
    SUPERSEDED,
    UPLOADS,
)
from tests.support.values.strategies import filenames, messages, plans, receipts

GITHUB = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
OURS = {
    *("h2", "h3", "p", "strong", "em", "code", "pre", "blockquote", "ul", "li", "details", "summary", "b"),
    *("table", "thead", "tbody", "tr", "th", "td"),
}  # fmt: skip


class Rendered(HTMLParser):
    """The tags, attributes and code spans of a rendered comment; its tags must be balanced."""

    def __init__(self, markdown: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.codes: list[str] = []
        self.open: list[str] = []
        self.feed(GITHUB.render(markdown))
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}
        self.open.append(tag)
        if tag == "code":
            self.codes.append("")

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] == "code":
            self.codes[-1] += data


def many(number: int) -> Plan:
    """A plan with so many deletions and uploads."""
    deletions = tuple(
        Deletion(
            distribution=LEAP,
            filename=f"hello-tool-1.{i}-1.x86_64.rpm",
            sha256=f"{i:064x}",
            created_at="2025-01-01T00:00:00Z",
            uploader="ci",
            reason=Reason.SUPERSEDED,
            evidence=SUPERSEDED,
        )
        for i in range(number)
    )
    uploads = tuple(replace(UPLOADS[0], filename=f"new-1.{i}.rpm") for i in range(number))
    counts = Counts(uploads=number, deletions=number)
    summary = Summary(total=counts, unmanaged=0, distributions={LEAP: counts, JAMMY: Counts()})
    return replace(PLAN, deletions=deletions, archivings=(), uploads=uploads, replacements=(), held=(), summary=summary)


def test_a_plan() -> None:
    assert plan_markdown(PLAN) == PLAN_MARKDOWN


def test_a_partial_plan_says_so_before_its_counts() -> None:
    plan = replace(NOTHING, targeted=True, selection=Selection(("ubuntu/*",), tuple(f"*{n}*" for n in range(9))))
    lines = plan_markdown(plan).splitlines()
    assert lines[:6] == [
        "## pkgsync: `kata/testing`",
        "",
        "> [!WARNING]",
        "> Partial: this plan was made with --target 'ubuntu/\\*' --exclude '\\*0\\*' --exclude '\\*1\\*' "
        "--exclude '\\*2\\*' --exclude '\\*3\\*' and 5 more; whatever that leaves out is not in it.",
        "",
        "**No changes. The selected part of kata/testing matches OBS.**",
    ]


def test_a_partial_plan_says_so_where_little_else_has_room() -> None:
    text = plan_markdown(replace(many(5000), targeted=True, selection=Selection(("𐠀" * 300,))), limit=600)
    assert "Partial: this plan was limited to some packages" in text
    assert len(text.encode("utf-16-le")) <= 2 * 600


PLAN_MARKDOWN = """\
## pkgsync: `kata/testing`

**Plan: 2 to upload, 1 to replace, 1 to delete, 1 to archive (1.2 MiB). 1 held, 214 orphans kept.**

|Distribution|Upload|Replace|Delete|Archive|Held|Kept|Size|
|---|--:|--:|--:|--:|--:|--:|--:|
|`opensuse/15.6`|1|0|1|1|0|214|1.2 MiB|
|`ubuntu/jammy`|1|1|0|0|1|0|35 KiB|
|in all|2|1|1|1|1|214|1.2 MiB|

### 1 deletion, 1 archiving

**old-tool 0.5 gone:** archived to kata/archive; no longer offered by home:kata/openSUSE\\_Leap\\_15.6, where the files of all 12 packages are known; uploaded 2024-01-02

```diff
- opensuse/15.6/old-tool-0.5-1.noarch.rpm
```

**hello-tool 1.2 → 1.3:** OBS offers 1.3-1 (hello-tool: succeeded); uploaded 2025-11-05 by kata-ci

```diff
- opensuse/15.6/hello-tool-1.2-1.x86_64.rpm
```

### 2 packages

- `old-tool` 0.5 gone · opensuse/15.6 · 1 archived
- `hello-tool` 1.2 → 1.3 · opensuse/15.6, ubuntu/jammy · 2 up, 1 replaced, 1 away · 1.2 MiB

### 1 replacement

```diff
@@ home:kata/xUbuntu_22.04 @@
! ubuntu/jammy/hello-doc_1.3_all.deb
```

<details><summary><b>2 uploads (1.2 MiB)</b></summary>

```diff
@@ home:kata/openSUSE_Leap_15.6 @@
+ opensuse/15.6/hello-tool-1.3-1.x86_64.rpm
@@ home:kata/xUbuntu_22.04 @@
+ ubuntu/jammy/hello-tool_1.3_amd64.deb
```

</details>

<details><summary><b>1 held</b></summary>

- `ubuntu/jammy/libdemo1_0.9_amd64.deb`: replacement held, content-unknown: Packagecloud does not tell its checksum

</details>

### 1 warning

- the config holds a plain secret

Read 2026-01-02T03:04:02Z from `https://api.opensuse.org` and `https://packagecloud.io`.
"""


def test_no_change_is_one_line() -> None:
    assert plan_markdown(NOTHING) == "**No changes. kata/testing matches OBS.**\n"
    assert plan_markdown(NOTHING, part=2) == ""
    warned = plan_markdown(replace(NOTHING, warnings=("look",))).splitlines()
    assert warned[:3] == ["## pkgsync: `kata/testing`", "", "**No changes. kata/testing matches OBS.**"]
    assert "- look" in warned


def test_the_digest_and_the_command_that_insists_on_it_stand_at_the_foot() -> None:
    digest = f"sha256:{'a' * 64}"
    text = plan_markdown(replace(PLAN, digest=digest))
    assert text.endswith(
        f" Plan `{digest}`. To apply it:\n\n```sh\npkgsync apply --expect-digest {digest} plan.json\n```\n"
    )
    assert "pkgsync apply" not in plan_markdown(replace(PLAN, digest=digest, applyable=False))
    assert "pkgsync apply" not in plan_markdown(replace(NOTHING, digest=digest, warnings=("look",)))


def test_a_number_before_a_stop_begins_no_list() -> None:
    over = LimitExceeded(
        distribution="el/9", limit="deletions", allowed=0, found=1, message="7", override="--max-deletions 1"
    )
    assert "> - 7\\. To allow it: `--max-deletions 1`" in plan_markdown(
        replace(PLAN, applyable=False, exceeded=(over,))
    )


@given(plans())
def test_foreign_names_become_no_markup(plan: Plan) -> None:
    rendered = Rendered(plan_markdown(plan))
    assert rendered.tags <= OURS
    assert rendered.attributes <= {"class", "style"}  # the renderer's own: of a fence, and of a column of numbers
    lines = {line for code in rendered.codes for line in code.splitlines()}
    signs = {"upload": "+", "replacement": "!", "deletion": "-", "archiving": "-"}
    assert {f"{signs[action.kind]} {visible(action.key)}" for action in plan.actions} <= lines


@given(plans(), st.integers(0, 3000))
def test_a_comment_never_exceeds_its_limit(plan: Plan, limit: int) -> None:
    assert len(plan_markdown(plan, limit)) <= limit
    assert len(plan_markdown(plan, limit).encode("utf-16-le")) <= 2 * limit


def deleted(*parts: str) -> list[str]:
    return [line[2:] for part in parts for line in part.splitlines() if line.startswith(f"- {LEAP}/")]


def all_parts(plan: Plan, limit: int) -> list[str]:
    return list(takewhile(bool, (plan_markdown(plan, limit, part) for part in count(1))))


def test_uploads_are_cut_before_deletions_and_it_is_said() -> None:
    plan = many(900)
    text = plan_markdown(plan)
    assert len(text) <= GITHUB_LIMIT
    assert deleted(text) == [deletion.key for deletion in plan.deletions]
    assert text.count("OBS offers 1.3-1 (hello-tool: succeeded)") == 1
    shown = text.count("\n+ opensuse/15.6/new-1.")
    assert 0 < shown < 900
    assert f"**{900 - shown} rows of 900 cut here for want of room: see the plan file.**" in text
    assert text.startswith("## pkgsync: `kata/testing`\n\n**Plan: 900 to upload, 0 to replace, 900 to delete")
    assert plan_markdown(plan, part=2) == ""


def test_deletions_that_do_not_fit_go_on_in_further_parts() -> None:
    plan = replace(many(4000), digest="sha256:" + "a" * 64)
    parts = all_parts(plan, GITHUB_LIMIT)
    assert len(parts) == 3
    assert all(len(part) <= GITHUB_LIMIT for part in parts)
    assert deleted(*parts) == [deletion.key for deletion in plan.deletions]
    first, second = len(deleted(parts[0])), len(deleted(parts[1]))
    assert first > 1000
    assert parts[0].startswith(
        f"## pkgsync: `kata/testing`\n\n> [!CAUTION]\n> **{4000 - first} more deletions in parts 2 to 3 of 3: "
        "read them all before you approve this plan.**\n\n**Plan: "
    )
    assert f"```\n\n**{4000 - first} more in part 2 of 3.**" in parts[0]
    assert parts[1].startswith(
        f"## pkgsync: `kata/testing`, part 2 of 3\n\nPlan `{plan.digest}`.\n\n### 4000 deletions\n\n**hello-tool 1.0 to "
    )
    assert f"**{4000 - first - second} more in part 3 of 3.**" in parts[1]
    assert "more" not in parts[2]
    assert all(Rendered(part).tags <= OURS for part in parts)


@given(plans(), st.integers(0, 12_000))
def test_every_deletion_is_in_one_part_or_all_are_said_to_be_elsewhere(plan: Plan, limit: int) -> None:
    parts = all_parts(plan, limit)
    assert all(len(part.encode("utf-16-le")) <= 2 * limit for part in parts)
    found = [line[2:] for part in parts for line in part.splitlines() if line.startswith("- ") and "/" in line]
    removed = [visible(action.key) for action in plan.removals]
    everything = sorted(name for name in found if name in removed) == sorted(removed)
    assert everything or (len(parts) <= 1 and limit < 8192)


def test_many_held_for_one_reason_are_told_together() -> None:
    held = tuple(
        Held(
            distribution=LEAP, filename=f"a{i}.rpm", action="deletion", reason=Reason.MIN_AGE, message=f"of day {i % 2}"
        )
        for i in range(9)
    )
    assert (
        "\n- `opensuse/15.6`: 9 deletions held, min-age: It is younger than &#96;orphans.min\\_age&#96;.\n"
        "  - `a0.rpm`: of day 0\n  - `a1.rpm`: of day 1\n  - `a2.rpm`: of day 0\n  - and 6 more\n"
    ) in plan_markdown(replace(PLAN, held=held))


def test_where_no_deletion_fits_the_text_says_so() -> None:
    text = plan_markdown(many(5000), limit=600)
    assert text.startswith(
        "> [!CAUTION]\n> **No room here for 5000 deletions: read the plan file before you approve it.** "
        "Plan `without a digest`."
    )
    assert plan_markdown(many(5000), limit=600, part=2) == ""


def test_a_repository_that_is_not_settled_is_told_on_top() -> None:
    unsettled = replace(REPOSITORY, settled=False, problems=(Problem(Reason.PUBLISHING, "aarch64 is publishing"),))
    text = plan_markdown(replace(PLAN, source=replace(PLAN.source, repositories=(unsettled,) * 7)))
    told = "> - home:kata/openSUSE\\_Leap\\_15.6 (opensuse/15.6): publishing: aarch64 is publishing\n"
    assert (
        f"> [!WARNING]\n> **Not settled in OBS:** what needs proof of absence there is held.\n{told * 5}> - and 2 more\n"
        in text
    )
    assert text.index("Not settled") < text.index("**Plan: ")


def test_unsafe_and_incomplete_stand_above_all_lists() -> None:
    limits = tuple(
        LimitExceeded(
            distribution=LEAP,
            limit="deletions",
            allowed=0,
            found=i,
            message=f"{LEAP}: {i} deletions, @all of them",
            override=f"--max-deletions {i}",
        )
        for i in range(25)
    )
    text = plan_markdown(replace(PLAN, applyable=False, complete=False, exceeded=limits))
    assert (
        "> [!CAUTION]\n> **Unsafe: this plan cannot be applied.**\n"
        "> - opensuse/15.6: 0 deletions, `@all` of them. To allow it: `--max-deletions 0`\n"
    ) in text
    assert "> - and 5 more\n\n> [!WARNING]\n> **Incomplete:**" in text
    assert text.index("Incomplete") < text.index("### 1 deletion")


@given(
    st.lists(
        st.tuples(filenames, messages, messages, st.sampled_from(["delete", "archive", "keep", "held"])), max_size=4
    )
)
def test_foreign_names_of_an_audit_become_no_markup(found: list[tuple[str, str, str, str]]) -> None:
    orphans = tuple(
        Orphan(row=Row(LEAP, name, "rpm", name, uploader=who), fate=fate, reason=Reason.KEEP, message=said)  # type: ignore[arg-type]
        for name, who, said, fate in found
    )
    text = audit_markdown(replace(AUDIT, orphans=orphans))
    rendered = Rendered(text)
    assert rendered.tags <= OURS
    assert {visible(orphan.row.name) for orphan in orphans} <= set(rendered.codes)


@pytest.mark.parametrize("limit", [0, 50, 300, 600, GITHUB_LIMIT])
def test_audits_and_receipts_keep_the_limit(limit: int) -> None:
    audit: Audit = replace(AUDIT, orphans=AUDIT.orphans * 500)
    receipt = replace(RECEIPT, lines=RECEIPT.lines * 500)
    assert len(audit_markdown(audit, limit)) <= limit
    assert len(receipt_markdown(receipt, limit)) <= limit


def test_an_audit_cuts_what_is_kept_before_what_would_go() -> None:
    audit = replace(AUDIT, orphans=(AUDIT.orphans[0],) * 300 + (AUDIT.orphans[1],) * 300)
    text = audit_markdown(audit)
    assert text.count("`hello-tool`") == 300
    assert 0 < text.count("`foreign`") < 300


@given(receipts)
def test_foreign_names_of_a_receipt_become_no_markup(receipt: Receipt) -> None:
    rendered = Rendered(receipt_markdown(receipt))
    assert rendered.tags <= OURS
    assert {visible(line.filename) for line in receipt.lines} <= set(rendered.codes)


def test_a_receipt() -> None:
    failed = replace(RECEIPT.lines[2], outcome=Outcome.FAILED, message="Packagecloud answered 500")
    text = receipt_markdown(replace(RECEIPT, lines=(RECEIPT.lines[0], failed), complete=False))
    assert text.startswith(
        "## pkgsync: `kata/testing`\n\n**Apply incomplete: 1 uploaded in 41 s; 1 failed.**\n\n"
        "### 1 replacement failed: Packagecloud answered 500\n\n"
        "|Distribution|File|\n|---|---|\n|`ubuntu/jammy`|`hello-doc_1.3_all.deb`|\n"
    )


def test_what_is_missing_comes_first_in_a_receipt() -> None:
    lost = replace(RECEIPT.lines[2], outcome=Outcome.FAILED, message="402", missing="yes", kept_at="/b/ab", attempts=4)
    text = receipt_markdown(replace(RECEIPT, lines=(RECEIPT.lines[0], lost), complete=False))
    assert text.startswith(
        "## pkgsync: `kata/testing`\n\n**1 MISSING. Apply incomplete: 1 uploaded in 41 s; 1 failed.**\n\n"
        "Our own requests took them away, and nothing could be put in their place. "
        "To put them back: pkgsync undo RECEIPT -o undo.json, then pkgsync apply undo.json. "
    )
    assert text.index("### 1 MISSING") < text.index("1 done")
    assert "`hello-doc_1.3_all.deb`|MISSING, its bytes are in /b/ab; replacement failed: 402|" in text


def test_a_deletion_says_who_uploaded_it() -> None:
    text = plan_markdown(replace(PLAN, deletions=(replace(DELETION, uploader="@team/devs"),)))
    assert "uploaded 2025-11-05 by `@team/devs`" in text


def test_an_undo_names_the_plan_that_it_takes_back_and_no_obs() -> None:
    digest = f"sha256:{'d' * 64}"
    text = plan_markdown(replace(NOTHING, undoes=digest))
    assert f"**Nothing to undo.**\n\nTakes back the apply of the plan `{digest}`." in text
    assert "https://api.opensuse.org" not in text
