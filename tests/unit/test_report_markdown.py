"""Plans, audits and receipts as comments: rendered by an independent Markdown library, never over the limit."""

from html.parser import HTMLParser

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from pkgsync.model import (
    Audit,
    Counts,
    Deletion,
    LimitExceeded,
    Orphan,
    Outcome,
    Plan,
    Receipt,
    Row,
    Selection,
    Summary,
)
from pkgsync.reasons import Reason
from pkgsync.report import GITHUB_LIMIT, audit_markdown, plan_markdown, receipt_markdown
from pkgsync.report.escape import visible
from tests.samples import AUDIT, DELETION, JAMMY, LEAP, NOTHING, PLAN, RECEIPT, SUPERSEDED, UPLOADS
from tests.strategies import filenames, messages, plans, receipts

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
    uploads = tuple(evolve(UPLOADS[0], filename=f"new-1.{i}.rpm") for i in range(number))
    counts = Counts(uploads=number, deletions=number)
    summary = Summary(total=counts, unmanaged=0, distributions={LEAP: counts, JAMMY: Counts()})
    return evolve(PLAN, deletions=deletions, archivings=(), uploads=uploads, replacements=(), held=(), summary=summary)


def test_a_plan() -> None:
    assert plan_markdown(PLAN) == PLAN_MARKDOWN


def test_a_partial_plan_says_so_before_its_counts() -> None:
    plan = evolve(NOTHING, targeted=True, selection=Selection(("ubuntu/*",), tuple(f"*{n}*" for n in range(9))))
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
    text = plan_markdown(evolve(many(5000), targeted=True, selection=Selection(("𐠀" * 300,))), limit=600)
    assert "Partial: this plan was limited to some packages" in text
    assert len(text.encode("utf-16-le")) <= 2 * 600


PLAN_MARKDOWN = """\
## pkgsync: `kata/testing`

**Plan: 2 to upload, 1 to replace, 1 to delete, 1 to archive (1.2 MiB). 1 held, 214 orphans kept.**

### 1 deletion, 1 archiving

|Distribution|File|Why|
|---|---|---|
|`opensuse/15.6`|`hello-tool-1.2-1.x86_64.rpm`|superseded by hello-tool-1.3-1.x86\\_64.rpm (hello-tool: succeeded); uploaded 2025-11-05 by kata-ci|
|`opensuse/15.6`|`old-tool-0.5-1.noarch.rpm`|archived to `kata/archive`: gone: no longer offered by home:kata/openSUSE\\_Leap\\_15.6, where the files of all 12 packages are known; uploaded 2024-01-02|

<details><summary><b>Counts</b></summary>

|Distribution|Upload|Replace|Delete|Archive|Held|Equal|Orphans kept|Size|
|---|---|---|---|---|---|---|---|---|
|`opensuse/15.6`|1|0|1|1|0|2|214|1.2 MiB|
|`ubuntu/jammy`|1|1|0|0|1|1|0|35 KiB|

</details>

### 1 replacement

|Distribution|File|Size|What|
|---|---|---|---|
|`ubuntu/jammy`|`hello-doc_1.3_all.deb`|812 B|`444444444444` → `333333333333`, `home:kata/xUbuntu_22.04`|

<details><summary><b>2 uploads (1.2 MiB)</b></summary>

|Distribution|File|Size|What|
|---|---|---|---|
|`opensuse/15.6`|`hello-tool-1.3-1.x86_64.rpm`|1.2 MiB|`home:kata/openSUSE_Leap_15.6`|
|`ubuntu/jammy`|`hello-tool_1.3_amd64.deb`|34 KiB|`home:kata/xUbuntu_22.04`|

</details>

<details><summary><b>1 held</b></summary>

|Distribution|Held|Why|File|
|---|---|---|---|
|`ubuntu/jammy`|1 replacement|content-unknown: Packagecloud does not tell its checksum|`libdemo1_0.9_amd64.deb`|

</details>

### 1 warning

- the config holds a plain secret

Read 2026-01-02T03:04:02Z from `https://api.opensuse.org` and `https://packagecloud.io`.
"""


def test_no_change() -> None:
    assert plan_markdown(NOTHING).splitlines()[2] == "**No changes. kata/testing matches OBS.**"


@given(plans())
def test_foreign_names_become_no_markup(plan: Plan) -> None:
    rendered = Rendered(plan_markdown(plan))
    assert rendered.tags <= OURS
    assert rendered.attributes == set()
    for action in plan.actions:
        assert visible(action.filename) in rendered.codes


@given(plans(), st.integers(0, 3000))
def test_a_comment_never_exceeds_its_limit(plan: Plan, limit: int) -> None:
    assert len(plan_markdown(plan, limit)) <= limit
    assert len(plan_markdown(plan, limit).encode("utf-16-le")) <= 2 * limit


def test_uploads_are_cut_before_deletions_and_it_is_said() -> None:
    text = plan_markdown(many(300))
    assert len(text) <= GITHUB_LIMIT
    assert all(f"`hello-tool-1.{i}-1.x86_64.rpm`|superseded by" in text for i in range(300))
    shown = text.count("|`new-1.")
    assert 0 < shown < 300
    assert f"**{300 - shown} rows of 300 cut here for want of room: see the plan file.**" in text
    assert text.startswith("## pkgsync: `kata/testing`\n\n**Plan: 300 to upload, 0 to replace, 300 to delete")


def test_many_deletions_get_a_shorter_form_before_any_is_cut() -> None:
    plan = many(1500)
    text = plan_markdown(plan)
    assert len(text) <= GITHUB_LIMIT
    assert "```diff\n@@ opensuse/15.6: superseded @@\n- hello-tool-1.0-1.x86_64.rpm\n- hello-tool-1.1-1" in text
    assert all(f"\n- {deletion.filename}\n" in text for deletion in plan.deletions)
    assert "CAUTION" not in text
    assert Rendered(text).tags <= OURS


def test_deletions_that_cannot_fit_are_announced_first() -> None:
    plan = evolve(many(4000), digest="sha256:" + "a" * 64)
    text = plan_markdown(plan)
    assert len(text) <= GITHUB_LIMIT
    assert text.startswith(
        "> [!CAUTION]\n> **The 4000 deletions do not fit into this text: some are not shown. "
        f"Read all of them in the plan file before you approve it.** Plan `{plan.digest}`.\n\n## pkgsync"
    )
    shown = text.count("\n- hello-tool-1.")
    assert shown > 1000
    assert f"**{4000 - shown} rows of 4000 cut here for want of room: see the plan file.**" in text


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
    text = plan_markdown(evolve(PLAN, applyable=False, complete=False, exceeded=limits))
    assert (
        "> [!CAUTION]\n> **Unsafe: this plan cannot be applied.**\n"
        "> - opensuse/15.6: 0 deletions, @\u200ball of them. To allow it: `--max-deletions 0`\n"
    ) in text
    assert "> - and 5 more limits\n\n> [!WARNING]\n> **Incomplete:**" in text
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
    text = audit_markdown(evolve(AUDIT, orphans=orphans))
    rendered = Rendered(text)
    assert rendered.tags <= OURS
    assert {visible(orphan.row.name) for orphan in orphans} <= set(rendered.codes)


@pytest.mark.parametrize("limit", [0, 50, 300, 600, GITHUB_LIMIT])
def test_audits_and_receipts_keep_the_limit(limit: int) -> None:
    audit: Audit = evolve(AUDIT, orphans=AUDIT.orphans * 500)
    receipt = evolve(RECEIPT, lines=RECEIPT.lines * 500)
    assert len(audit_markdown(audit, limit)) <= limit
    assert len(receipt_markdown(receipt, limit)) <= limit


def test_an_audit_cuts_what_is_kept_before_what_would_go() -> None:
    audit = evolve(AUDIT, orphans=(AUDIT.orphans[0],) * 300 + (AUDIT.orphans[1],) * 300)
    text = audit_markdown(audit)
    assert text.count("`hello-tool`") == 300
    assert 0 < text.count("`foreign`") < 300


@given(receipts)
def test_foreign_names_of_a_receipt_become_no_markup(receipt: Receipt) -> None:
    rendered = Rendered(receipt_markdown(receipt))
    assert rendered.tags <= OURS
    assert {visible(line.filename) for line in receipt.lines} <= set(rendered.codes)


def test_a_receipt() -> None:
    failed = evolve(RECEIPT.lines[2], outcome=Outcome.FAILED, message="Packagecloud answered 500")
    text = receipt_markdown(evolve(RECEIPT, lines=(RECEIPT.lines[0], failed), complete=False))
    assert text.startswith(
        "## pkgsync: `kata/testing`\n\n**Apply incomplete: 1 uploaded in 41 s; 1 failed.**\n\n"
        "### 1 replacement failed: Packagecloud answered 500\n\n"
        "|Distribution|File|\n|---|---|\n|`ubuntu/jammy`|`hello-doc_1.3_all.deb`|\n"
    )


def test_what_is_missing_comes_first_in_a_receipt() -> None:
    lost = evolve(RECEIPT.lines[2], outcome=Outcome.FAILED, message="402", missing="yes", kept_at="/b/ab", attempts=4)
    text = receipt_markdown(evolve(RECEIPT, lines=(RECEIPT.lines[0], lost), complete=False))
    assert text.startswith(
        "## pkgsync: `kata/testing`\n\n**1 MISSING. Apply incomplete: 1 uploaded in 41 s; 1 failed.**\n\n"
        "Our own requests took them away, and nothing could be put in their place. "
        "To put them back: pkgsync undo RECEIPT -o undo.json, then pkgsync apply undo.json. "
    )
    assert text.index("### 1 MISSING") < text.index("1 done")
    assert "`hello-doc_1.3_all.deb`|MISSING, its bytes are in /b/ab; replacement failed: 402|" in text


def test_a_deletion_says_who_uploaded_it() -> None:
    text = plan_markdown(evolve(PLAN, deletions=(evolve(DELETION, uploader="@team/devs"),)))
    assert "uploaded 2025-11-05 by @\u200bteam/devs" in text


def test_an_undo_names_the_plan_that_it_takes_back_and_no_obs() -> None:
    digest = f"sha256:{'d' * 64}"
    text = plan_markdown(evolve(NOTHING, undoes=digest))
    assert f"**Nothing to undo.**\n\nTakes back the apply of the plan `{digest}`." in text
    assert "https://api.opensuse.org" not in text
