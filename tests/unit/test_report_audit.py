"""Audits as they are told: what was asked for, what holds a distribution, and a page that is safe to open."""

import csv
import io
import json

import pytest
from attrs import evolve

from pkgsync.model import AuditQuery, AuditSort, Orphan, OrphanAction, Problem
from pkgsync.reasons import Reason
from pkgsync.reconcile import arranged
from pkgsync.report import Style, audit_csv, audit_html, audit_json, audit_markdown, audit_text
from tests.samples import AUDIT, JAMMY, LEAP, REPOSITORY, ROW

PLAIN = Style()
BUILDING = "home:kata/openSUSE_Leap_15.6/x86_64: is building, not published"
HELD = evolve(REPOSITORY, settled=False, problems=(Problem(Reason.NOT_PUBLISHED, BUILDING),))
ASKED = evolve(
    AUDIT,
    query=AuditQuery(downloads_days=30, sizes=True),
    orphans=(evolve(AUDIT.orphans[0], size=1258291, downloads=12), AUDIT.orphans[1]),
)


# what was asked for


def test_sizes_and_downloads_as_text() -> None:
    assert [line.rstrip() for line in audit_text(ASKED, PLAIN).splitlines()] == [
        "opensuse/15.6: 1 orphan",
        "Name        Version  Arch    Uploaded    By          Size  Downloads  Fate    Why",
        "hello-tool  1.2-1    x86_64  2025-11-05  kata-ci  1.2 MiB         12  delete  "
        "superseded by hello-tool-1.3-1.x86_64.rpm: hello-tool is succeeded",
        "",
        "ubuntu/jammy: 1 orphan",
        "Name     Version  Arch  Uploaded    By  Size  Downloads  Fate  Why",
        "foreign  ?        ?     2023-01-02  ?      ?          ?  keep  "
        "not-owned: OBS offers no foreign there, and orphans.names does not claim it",
        "",
        "2 orphans in kata/testing: 1 to delete, 1 kept (orphans: delete).",
        "They hold 1.2 MiB, of which 1.2 MiB would be freed (1 size not known).",
        "In the last 30 days 1 was downloaded (1 count not known).",
    ]


def test_sizes_and_downloads_as_json() -> None:
    document = json.loads(audit_json(ASKED))
    assert [(o["size"], o["downloads"]) for o in document["orphans"]] == [(1258291, 12), (None, None)]
    assert document["bytes"] == {"orphans": 1258291, "freed": 1258291, "unknown_sizes": 1}
    assert document["downloads_days"] == 30


def test_sizes_and_downloads_as_csv() -> None:
    rows = list(csv.DictReader(io.StringIO(audit_csv(ASKED))))
    assert [(row["size"], row["downloads"]) for row in rows] == [("1258291", "12"), ("", "")]
    assert "size" not in audit_csv(evolve(ASKED, query=AuditQuery(downloads_days=30)))


def test_sizes_and_downloads_as_markdown() -> None:
    lines = audit_markdown(ASKED).splitlines()
    assert "|Distribution|Name|Version|Arch|Uploaded|By|Size|Downloads|Why|" in lines
    assert any(line.startswith("|`opensuse/15.6`|`hello-tool`|") and "|1.2 MiB|12|" in line for line in lines)
    assert "They hold 1.2 MiB, of which 1.2 MiB would be freed (1 size not known)." in lines[2]


def test_where_orphans_are_kept_nothing_is_freed() -> None:
    kept = tuple(evolve(o, fate="keep", size=100, downloads=0) for o in AUDIT.orphans)
    text = audit_text(evolve(ASKED, action=OrphanAction.KEEP, orphans=kept), PLAIN)
    assert text.endswith("2 kept (orphans: keep).\nThey hold 200 B.\nIn the last 30 days 0 were downloaded.")


def test_what_is_filtered_out_is_counted() -> None:
    assert audit_text(evolve(AUDIT, orphans=(), left_out=2), PLAIN) == (
        "No orphans in kata/testing. 2 other orphans filtered out."
    )


# what holds a distribution


def test_what_holds_a_distribution_and_since_when() -> None:
    unread = evolve(
        HELD,
        repository="xUbuntu_22.04",
        distributions=(JAMMY, "debian/trixie"),
        problems=(Problem(Reason.UNREAD, "no answer"),),
        last_published=None,
    )
    text = audit_text(evolve(AUDIT, orphans=(), repositories=(unread, HELD)), PLAIN)
    assert text.splitlines()[:4] == [
        "Not settled in OBS:",
        "  debian/trixie is held: home:kata/xUbuntu_22.04: no answer; when it was published last is not known",
        "  opensuse/15.6 is held: home:kata/openSUSE_Leap_15.6/x86_64: is building, not published; "
        "published last 2026-01-02 03:03 UTC",
        "  ubuntu/jammy is held: home:kata/xUbuntu_22.04: no answer; when it was published last is not known",
    ]
    for form in (audit_markdown, audit_html):
        assert "published last 2026-01-02 03:03 UTC" in form(evolve(AUDIT, repositories=(HELD,)))
    assert json.loads(audit_json(evolve(AUDIT, repositories=(HELD, REPOSITORY))))["holds"] == [
        {
            "distribution": LEAP,
            "repository": "home:kata/openSUSE_Leap_15.6",
            "problems": [{"reason": "not-published", "message": BUILDING}],
            "lastpublished": 1767323000,
        }
    ]


@pytest.mark.parametrize("seconds", [10**18, -(10**18), 2**63])
def test_a_time_that_cannot_be_is_not_known(seconds: int) -> None:
    text = audit_text(evolve(AUDIT, repositories=(evolve(HELD, last_published=seconds),)), PLAIN)
    assert "when it was published last is not known" in text


# the order


def orphan(name: str, **fields: object) -> Orphan:
    row = evolve(ROW, filename=name, created_at=str(fields.pop("created_at", "2026")))
    return evolve(AUDIT.orphans[0], row=row, **fields)


@pytest.mark.parametrize(
    ("sort", "expected"),
    [
        (AuditSort.NAME, "abcd"),
        (AuditSort.UPLOADED, "bcda"),
        (AuditSort.SIZE, "dbac"),
        (AuditSort.DOWNLOADS, "cbda"),
        (AuditSort.FATE, "cdba"),
    ],
)
def test_the_order(sort: AuditSort, expected: str) -> None:
    found = (
        orphan("d", created_at="2026", size=3, downloads=0, fate="archive"),
        orphan("c", created_at="2025", size=None, downloads=9, fate="delete"),
        orphan("b", created_at="2024", size=2, downloads=8, fate="held"),
        orphan("a", created_at="", size=1, downloads=None, fate="keep"),
    )
    audit = arranged(evolve(AUDIT, orphans=found, query=AuditQuery(sort=sort)))
    assert "".join(o.row.filename for o in audit.orphans) == expected
