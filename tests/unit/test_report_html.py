"""The pages of plans, audits and receipts, as a browser reads them."""

import base64
import hashlib
import json
import re
import shutil
import subprocess
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from pkgsync import page
from pkgsync.model import (
    Audit,
    AuditQuery,
    LimitExceeded,
    Orphan,
    Outcome,
    Plan,
    Problem,
    Receipt,
    Selection,
)
from pkgsync.reasons import Reason
from pkgsync.report import audit_html, plan_html, receipt_html, visible
from tests.support.values.samples import (
    AUDIT,
    DELETION,
    HELD,
    JAMMY,
    KEPT_ROW,
    LEAP,
    NOTHING,
    PLAN,
    RECEIPT,
    REPOSITORY,
    SUMS,
    UPLOADS,
)
from tests.support.values.strategies import plans

UNSETTLED = replace(REPOSITORY, settled=False, problems=(Problem(Reason.NOT_PUBLISHED, "is building, not published"),))
DOUBTFUL = replace(
    PLAN,
    digest=f"sha256:{SUMS['d']}",
    applyable=False,
    complete=False,
    targeted=True,
    selection=Selection(("*/hello*",), ()),
    source=replace(PLAN.source, repositories=(UNSETTLED,)),
    exceeded=(
        LimitExceeded(
            distribution=LEAP,
            limit="deletions",
            allowed=0,
            found=1,
            message="opensuse/15.6: 1 deletion, 1 more than the limit of 0",
            override="--max-deletions 1",
        ),
    ),
)
ASKED = replace(
    AUDIT,
    query=AuditQuery(downloads_days=30, sizes=True),
    orphans=(replace(AUDIT.orphans[0], size=1258291, downloads=12), AUDIT.orphans[1]),
)
LOST = replace(RECEIPT.lines[2], outcome=Outcome.FAILED, missing="yes", undo="backup", reason="failed")
LEFT = replace(RECEIPT.lines[3], outcome=Outcome.LEFT, reason="uploads-not-done")
BROKEN = replace(RECEIPT, complete=False, lines=(*RECEIPT.lines[:2], LEFT, LOST))
PAGES = {"plan": plan_html(DOUBTFUL), "audit": audit_html(ASKED), "receipt": receipt_html(BROKEN)}


class Browser(HTMLParser):
    """Elements with their attributes, and all text within elements of one kind."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.texts: list[tuple[str, list[str]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in ("wbr", "meta", "input"):
            self.open.append(tag)
            self.texts.append((tag, []))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.texts:
            self.texts[-1][1].append(data)

    def told(self, tag: str) -> list[str]:
        found = ["".join(parts) for name, parts in self.texts if name == tag]
        return [told if tag == "td" else told.strip() for told in found if told.strip()]

    def of(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


def rows(text: str, anchor: str) -> list[list[str]]:
    """The head and the rows of one table, what is empty left out."""
    _, _, table = text.partition(f'<table id="{anchor}">')
    lines = table.partition("</table>")[0].split("<tr>")[1:]
    return [Browser(f"<tr>{line.partition('</tr>')[0]}</tr>").told("th" if "<th" in line else "td") for line in lines]


# what is told, and in which order


def test_a_plan_tells_first_what_takes_files_away() -> None:
    told = Browser(plan_html(PLAN))
    assert told.told("h1") == ["pkgsync plan: kata/testing"]
    assert told.told("p")[0] == (
        "Plan: 2 to upload, 1 to replace, 1 to delete, 1 to archive (1.2 MiB). 1 held, 214 orphans kept."
    )
    assert told.told("a") == [
        "2 distributions", "2 packages that lose files", "1 deletion", "1 archiving", "1 replacement",
        "2 uploads", "1 held", "2 reads behind the deletions",
    ]  # fmt: skip
    assert told.told("h2") == ["1 warning:", *told.told("a")]


def test_the_links_lead_to_the_tables() -> None:
    told = Browser(plan_html(PLAN))
    assert [link["href"] for link in told.of("a")] == [f"#{table['id']}" for table in told.of("table")]


def test_a_plan_is_told_by_distribution_package_and_file() -> None:
    text = plan_html(PLAN)
    assert rows(text, "counts") == [
        ["Distribution", "Delete", "Archive", "Replace", "Upload", "Size", "Held", "Equal", "Orphans kept"],
        ["opensuse/15.6", "1", "1", "1", "1.2 MiB", "2", "214"],
        ["ubuntu/jammy", "1", "1", "35 KiB", "1", "1"],
    ]
    assert rows(text, "taking") == [
        ["Package", "What", "Files", "Where", "Architectures", "Size"],
        ["old-tool", "0.5 gone", "1 archived", "opensuse/15.6", "noarch"],
        [
            "hello-tool",
            "1.2 → 1.3",
            "2 up, 1 replaced, 1 away",
            "opensuse/15.6, ubuntu/jammy",
            "all, amd64, x86_64",
            "1.2 MiB",
        ],
    ]
    assert rows(text, "deletions") == [
        ["File", "Distribution", "Why", "Uploaded", "By"],
        [
            "hello-tool-1.2-1.x86_64.rpm",
            "opensuse/15.6",
            "superseded by hello-tool-1.3-1.x86_64.rpm of hello-tool: succeeded",
            "2025-11-05",
            "kata-ci",
        ],
    ]
    assert rows(text, "archivings")[1][-1] == "kata/archive"
    assert rows(text, "replacements")[1] == [
        "hello-doc_1.3_all.deb", "ubuntu/jammy", "812 B", "444444444444", "333333333333", "2025-12-01",
        "home:kata/xUbuntu_22.04",
    ]  # fmt: skip
    assert rows(text, "uploads")[1] == [
        "hello-tool-1.3-1.x86_64.rpm", "opensuse/15.6", "1.2 MiB", "home:kata/openSUSE_Leap_15.6",
    ]  # fmt: skip
    assert rows(text, "held")[1] == [
        "libdemo1_0.9_amd64.deb",
        "ubuntu/jammy",
        "replacement",
        "content-unknown: Packagecloud does not tell its checksum",
    ]


def test_what_makes_a_plan_doubtful_comes_before_all_else() -> None:
    text = plan_html(DOUBTFUL)
    assert Browser(text).told("h2")[:5] == [
        "Unsafe: this plan cannot be applied.",
        "Incomplete: a read failed, and what depends on it is not planned.",
        "Partial: this plan was made with --target '*/hello*'; whatever that leaves out is not in it.",
        "Not settled in OBS (what needs proof of absence is held):",
        "1 warning:",
    ]
    assert "<p>opensuse/15.6: 1 deletion, 1 more than the limit of 0 (to allow it: --max-deletions 1)</p>" in text
    assert text.index("Unsafe") < text.index("<dl>") < text.index("<nav>")


def test_a_plan_says_what_it_is_and_how_to_apply_it() -> None:
    digest = f"sha256:{SUMS['d']}"
    told = Browser(plan_html(replace(PLAN, digest=digest)))
    assert list(zip(told.told("dt"), told.told("dd"), strict=True)) == [
        ("Digest", digest),
        ("From", "home:kata on https://api.opensuse.org"),
        ("To", "kata/testing on https://packagecloud.io"),
        ("Read", "2026-01-02T03:04:02Z, with 15 requests"),
        ("Left alone", "3 equal, 214 orphans kept, 1 unmanaged"),
    ]
    assert told.told("code") == [f"pkgsync apply --expect-digest {digest} plan.json"]


@pytest.mark.parametrize("plan", [DOUBTFUL, replace(NOTHING, digest=f"sha256:{SUMS['d']}")])
def test_what_cannot_or_need_not_be_applied_shows_no_command(plan: Plan) -> None:
    assert "pkgsync apply" not in plan_html(plan)


def test_a_plan_that_changes_nothing_is_a_line_and_its_counts() -> None:
    told = Browser(plan_html(NOTHING))
    assert told.told("p")[0] == "No changes. kata/testing matches OBS."
    assert told.told("a") == ["2 distributions"]


def test_deletions_are_never_folded_and_many_uploads_are() -> None:
    many = replace(PLAN, deletions=(DELETION,) * 30, uploads=(UPLOADS[0],) * 30, held=(HELD,) * 30)
    text = plan_html(many)
    folded = re.findall(r'<details class="table">.*?<table id="([a-z-]+)">', text, re.DOTALL)
    assert folded == ["uploads", "held", "reads"]
    assert len(rows(text, "deletions")) == len(rows(text, "uploads")) == 31


def test_a_receipt_tells_first_what_is_missing() -> None:
    text = receipt_html(BROKEN)
    told = Browser(text)
    assert told.told("h1") == ["pkgsync receipt: kata/testing"]
    assert told.told("h2") == ["1 MISSING", "1 MISSING", "1 not done", "2 done"]
    assert told.told("p")[:2] == [
        "1 MISSING. Apply incomplete: 2 uploaded in 41 s; 1 failed, 1 left for the next run.",
        "Our own requests took them away, and nothing could be put in their place. To put them back: "
        "pkgsync undo RECEIPT -o undo.json, then pkgsync apply undo.json. "
        "Run the same apply again: it looks, and goes on from there, too.",
    ]
    assert rows(text, "missing")[1] == [
        "hello-doc_1.3_all.deb",
        "ubuntu/jammy",
        "MISSING, its bytes should be in the backup folder of that run; replacement failed: failed",
        "812 B",
    ]
    assert rows(text, "undone")[1][2] == "deletion left for the next run: uploads-not-done"
    assert rows(text, "done")[2] == ["hello-tool_1.3_amd64.deb", "ubuntu/jammy", "uploaded", "34 KiB"]


def test_an_audit_tells_first_what_would_leave() -> None:
    text = audit_html(ASKED)
    told = Browser(text)
    assert told.told("h1") == ["pkgsync audit: kata/testing"]
    assert told.told("h2") == ["1 orphan to delete", "1 orphan kept"]
    head = ["Name", "Distribution", "Version", "Arch", "Uploaded", "By", "Size", "Downloads", "Why"]
    assert rows(text, "delete") == [
        head,
        [
            "hello-tool", LEAP, "1.2-1", "x86_64", "2025-11-05", "kata-ci", "1.2 MiB", "12",
            "superseded by hello-tool-1.3-1.x86_64.rpm of hello-tool: succeeded",
        ],
    ]  # fmt: skip
    assert rows(text, "keep") == [
        head,
        [
            "foreign", JAMMY, "?", "?", "2023-01-02", "?", "?", "?",
            "not-owned: OBS offers no foreign there, and orphans.names does not claim it",
        ],
    ]  # fmt: skip


def test_an_audit_says_what_it_does_not_know() -> None:
    told = Browser(audit_html(replace(AUDIT, orphans=(), complete=False, repositories=(UNSETTLED,))))
    assert told.told("p")[0] == "No orphans in kata/testing. A part of OBS could not be read."
    assert told.told("h2") == ["Incomplete: a part of OBS could not be read.", "Not settled in OBS:"]
    assert told.of("table") == told.of("nav") == []


def test_numbers_and_times_are_sorted_by_their_value() -> None:
    cells = Browser(audit_html(ASKED)).of("td")
    keys = [{cell["data-head"]: cell.get("data-key") for cell in row} for row in (cells[:9], cells[9:])]
    assert (keys[0]["Size"], keys[0]["Uploaded"]) == ("1258291", "2025-11-05T08:00:00.000Z")
    assert (keys[0]["Name"], keys[1]["Size"]) == (None, "")


# the page itself


@pytest.mark.parametrize("text", PAGES.values(), ids=PAGES)
def test_the_page_needs_nothing_and_allows_nothing_else(text: str) -> None:
    told = Browser(text)
    assert not re.search(r"url\(|@import|\son\w+=|\sstyle=|javascript:", text)
    assert {"link", "img", "iframe", "form", "base", "object"}.isdisjoint(name for name, _ in told.elements)
    assert all("src" not in attributes for _, attributes in told.elements)
    assert all((attributes.get("href") or "#").startswith("#") for _, attributes in told.elements)
    policy = next(m["content"] for m in told.of("meta") if m.get("http-equiv") == "Content-Security-Policy")
    sums = {}
    for tag in ("style", "script"):
        (content,) = re.findall(rf"<{tag}>(.*?)</{tag}>", text, re.DOTALL)
        sums[tag] = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
    assert policy == (
        f"default-src 'none'; style-src 'sha256-{sums['style']}'; script-src 'sha256-{sums['script']}'; "
        "base-uri 'none'; form-action 'none'"
    )


@pytest.mark.parametrize("text", PAGES.values(), ids=PAGES)
def test_every_cell_has_a_width_that_the_style_knows(text: str) -> None:
    known = set(re.findall(r"\.(w\d+) \{ flex-basis: [\d.]+rem; \}", page.text("page.css")))
    assert known == {f"w{width}" for width in range(4, 61, 4)}
    told = Browser(text)
    assert {(cell["class"] or "").split()[1] for tag in ("th", "td") for cell in told.of(tag)} <= known


NASTY = "</td></table></script><script>alert(1)</script><img src=x onerror=alert(1)>\" onclick='x' \u202e\x1b[31m&amp;"


def nasty_audit(text: str) -> Audit:
    row = replace(
        KEPT_ROW, name=text, version=text, architecture=text, created_at=text, uploader=text, distribution=text
    )
    held = replace(UNSETTLED, distributions=(text,), problems=(Problem(Reason.DETAILS, text),))
    orphans = (Orphan(row=row, fate="keep", reason=Reason.NOT_OWNED, message=text),)
    return replace(ASKED, repository=text, created_at=text, orphans=orphans, repositories=(held,), warnings=(text,))


def nasty_plan(text: str) -> Plan:
    here: dict[str, Any] = {"distribution": text, "filename": text}
    taken = replace(DELETION, **here, created_at=text, uploader=text, archived_in=text)
    return replace(
        DOUBTFUL,
        uploads=(replace(UPLOADS[0], **here),),
        replacements=(),
        deletions=(taken,),
        archivings=(),
        held=(replace(HELD, **here, message=text),),
        warnings=(text,),
        undoes=text,
        digest=text,
        created_at=text,
    )


def nasty_receipt(text: str) -> Receipt:
    line = replace(LOST, distribution=text, filename=text, message=text, kept_at=text, finished_at=text)
    return replace(BROKEN, lines=(line,), warnings=(text,), plan_digest=text)


FORMS: dict[str, Callable[[str], str]] = {
    "audit": lambda text: audit_html(nasty_audit(text)),
    "plan": lambda text: plan_html(nasty_plan(text)),
    "receipt": lambda text: receipt_html(nasty_receipt(text)),
}


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
@given(text=st.just(NASTY) | st.text(min_size=1))
def test_no_foreign_text_becomes_markup(form: Callable[[str], str], text: str) -> None:
    written = form(text)
    found, expected = (
        [(name, sorted(attributes)) for name, attributes in Browser(made).elements if name != "wbr"]
        for made in (written, form("plain"))
    )
    assert found == expected
    assert "\x1b" not in written and "\u202e" not in written


@given(plans())
def test_a_name_is_copied_as_it_is_and_every_deletion_is_there(plan: Plan) -> None:
    named = [row[0] for row in rows(plan_html(plan), "deletions")[1:]]
    assert named == [visible(deletion.filename) for deletion in plan.deletions]


def test_the_page_holds_no_route_of_the_server() -> None:
    assert "secret-token" not in PAGES["audit"]
    assert "/api/v1" not in PAGES["audit"]


# the script, in a browser

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-headless-shell")
in_browser = pytest.mark.skipif(CHROMIUM is None, reason="needs chromium")
DRIVER = """
const names = id => [...document.querySelectorAll(`#${id} tbody tr:not([hidden]) .main`)].map(e => e.textContent);
const head = (id, name) => [...document.querySelectorAll(`#${id} th`)].find(e => e.textContent === name);
const box = document.querySelector("#filter");
const type = text => { box.value = text; box.dispatchEvent(new Event("input")); };
const seen = {};
head("keep", "Version").querySelector("button").click();
seen.up = [names("keep"), head("keep", "Version").getAttribute("aria-sort")];
head("keep", "Version").querySelector("button").click();
seen.down = [names("keep"), head("keep", "Version").getAttribute("aria-sort")];
head("keep", "Size").querySelector("button").click();
seen.size = [names("keep"), head("keep", "Version").getAttribute("aria-sort")];
type("JAMMY 1.9");
seen.some = [names("keep"), document.querySelector("output").textContent, document.querySelector(".count").textContent];
type("nothing like it");
seen.none = [document.querySelector(".table").hidden, document.querySelector("output").textContent];
type("");
seen.all = [names("keep").length, document.querySelector("output").textContent];
document.title = JSON.stringify(seen);
"""


def browse(text: str, folder: Path) -> str:
    """What Chromium makes of the page."""
    file = folder / "page.html"
    file.write_text(text, encoding="utf-8")
    options = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--dump-dom"]
    command = [str(CHROMIUM), *options, f"--user-data-dir={folder / 'profile'}", file.as_uri()]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=300).stdout


@in_browser
def test_a_browser_runs_the_script_of_the_page_and_no_other(tmp_path: Path) -> None:
    foreign = "<script>document.title = 'foreign'</script>"
    dom = Browser(browse(plan_html(PLAN).replace("</body>", f"{foreign}</body>"), tmp_path))
    assert dom.told("title") == ["pkgsync plan: kata/testing"]
    assert len(dom.told("button")) == len(dom.of("th")) > 0
    assert "hidden" not in next(element for element in dom.of("div") if element.get("class") == "filter")


@in_browser
def test_rows_can_be_sorted_and_filtered(tmp_path: Path) -> None:
    told = {"a": ("1.10", LEAP, 9_000), "b": ("1.9", JAMMY, None), "c": ("1.2", JAMMY, 10_000)}
    found = tuple(
        Orphan(
            row=replace(KEPT_ROW, name=name, version=version, distribution=distribution),
            fate="keep",
            reason=Reason.NOT_OWNED,
            message="not ours",
            size=size,
        )
        for name, (version, distribution, size) in told.items()
    )
    driver = base64.b64encode(hashlib.sha256(DRIVER.encode()).digest()).decode()
    text = audit_html(replace(ASKED, orphans=found)).replace("script-src ", f"script-src 'sha256-{driver}' ")
    (title,) = Browser(browse(text.replace("</body>", f"<script>{DRIVER}</script></body>"), tmp_path)).told("title")
    assert json.loads(title) == {
        "up": [["c", "b", "a"], "ascending"],
        "down": [["a", "b", "c"], "descending"],
        "size": [["a", "c", "b"], None],
        "some": [["b"], "1 row", "1 of 3 shown"],
        "none": [True, "0 rows"],
        "all": [3, ""],
    }
