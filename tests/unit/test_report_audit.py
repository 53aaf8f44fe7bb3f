"""Audits as they are told: what was asked for, what holds a distribution, and a page that is safe to open."""

import csv
import io
import json
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from pkgsync.model import AuditQuery, AuditSort, ConfigChange, Flip, Orphan, OrphanAction, Problem
from pkgsync.reasons import Reason
from pkgsync.reconcile import arranged
from pkgsync.report import Style, audit_csv, audit_html, audit_json, audit_markdown, audit_text, flips
from tests.support.values.samples import AUDIT, JAMMY, LEAP, REPOSITORY, ROW

PLAIN = Style()
BUILDING = "home:kata/openSUSE_Leap_15.6/x86_64: is building, not published"
HELD = replace(REPOSITORY, settled=False, problems=(Problem(Reason.NOT_PUBLISHED, BUILDING),))
ASKED = replace(
    AUDIT,
    query=AuditQuery(downloads_days=30, sizes=True),
    orphans=(replace(AUDIT.orphans[0], size=1258291, downloads=12), AUDIT.orphans[1]),
)


# what was asked for


def test_sizes_and_downloads_as_text() -> None:
    assert [line.rstrip() for line in audit_text(ASKED, PLAIN).splitlines()] == [
        "Audit of kata/testing, 2026-01-02T03:04:05Z: everything was read (orphans: delete)",
        "By reason: 1 not-owned, 1 superseded",
        "By uploader: 1 kata-ci, 1 unknown",
        "",
        "1 orphan to delete:",
        "Distribution   Name        Version  Arch    Uploaded    By          Size  Downloads  Why",
        "opensuse/15.6  hello-tool  1.2-1    x86_64  2025-11-05  kata-ci  1.2 MiB         12  "
        "superseded by hello-tool-1.3-1.x86_64.rpm of hello-tool: succeeded",
        "",
        "1 orphan kept:",
        "Distribution  Name     Version  Arch  Uploaded    By  Size  Downloads  Why",
        "ubuntu/jammy  foreign  ?        ?     2023-01-02  ?      ?          ?  "
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
    assert "size" not in audit_csv(replace(ASKED, query=AuditQuery(downloads_days=30)))


def test_sizes_and_downloads_as_markdown() -> None:
    lines = audit_markdown(ASKED).splitlines()
    assert "|Distribution|Name|Version|Arch|Uploaded|By|Size|Downloads|Why|" in lines
    assert any(line.startswith("|`opensuse/15.6`|`hello-tool`|") and "|1.2 MiB|12|" in line for line in lines)
    assert "They hold 1.2 MiB, of which 1.2 MiB would be freed (1 size not known)." in lines[2]


def test_where_orphans_are_kept_nothing_is_freed() -> None:
    kept = tuple(replace(o, fate="keep", size=100, downloads=0) for o in AUDIT.orphans)
    text = audit_text(replace(ASKED, action=OrphanAction.KEEP, orphans=kept), PLAIN)
    assert text.endswith("2 kept (orphans: keep).\nThey hold 200 B.\nIn the last 30 days 0 were downloaded.")


def test_what_is_filtered_out_is_counted() -> None:
    assert audit_text(replace(AUDIT, orphans=(), left_out=2), PLAIN) == (
        "No orphans in kata/testing. 2 other orphans filtered out."
    )


# what would change a fate

CLAIM = Flip("To let pkgsync manage it", (ConfigChange(("orphans", "names"), "add", ("foreign",)),))
ACT = Flip(
    "To let orphans go that pass the checks",
    (
        ConfigChange(("orphans", "action"), "set", "delete"),
        ConfigChange(("orphans", "keep_versions"), "set", 1),
        ConfigChange(("orphans", "names"), "add", ("g++ 1.10",)),
    ),
)


def test_a_kept_orphan_says_which_line_changes_that() -> None:
    audit = replace(AUDIT, orphans=(replace(AUDIT.orphans[1], flip=CLAIM),))
    assert (
        audit_text(audit, PLAIN)
        .splitlines()[6]
        .endswith("orphans.names does not claim it. To let pkgsync manage it: `orphans: {names: [foreign]}`")
    )


def test_the_audit_ends_with_lines_for_the_config() -> None:
    keeps = replace(AUDIT.orphans[0], fate="keep", reason=Reason.KEEP, otherwise=Reason.LAST_VERSION, flip=ACT)
    audit = replace(AUDIT, orphans=(keeps, replace(AUDIT.orphans[1], flip=CLAIM)))
    lines = [
        "orphans:",
        "  # To let those go that pass every check:",
        "  action: delete",
        "  keep_versions: 1",
        "  # These too, if they are yours; even the last version may then go:",
        '  names: [foreign, "g++ 1.10"]',
    ]
    assert audit_text(audit, PLAIN).splitlines()[-7:] == [
        "For the config, into its `orphans`, what you want of it:",
        *lines,
    ]
    assert "\n".join(["```yaml", *lines, "```"]) in audit_markdown(audit)
    document = json.loads(audit_json(audit))
    assert document["totals"] == {
        "reason": {"keep (else last-version)": 1, "not-owned": 1},
        "uploader": {"kata-ci": 1, "unknown": 1},
    }
    assert [(s["line"], s["orphans"]) for s in document["suggestions"]] == [
        ("orphans: {action: delete, keep_versions: 1}", 1),
        ('orphans: {names: [foreign, "g++ 1.10"]}', 2),
    ]
    assert document["orphans"][1]["flip"]["told"] == "To let pkgsync manage it: `orphans: {names: [foreign]}`"


@given(st.lists(st.text(), min_size=1, unique=True))
def test_the_lines_are_yaml_whatever_the_names_are(names: list[str]) -> None:
    flip = replace(CLAIM, config=(ConfigChange(("orphans", "names"), "add", tuple(names)),))
    audit = replace(AUDIT, orphans=(replace(AUDIT.orphans[1], flip=flip),))
    text = audit_text(audit, PLAIN)
    assert yaml.safe_load(text[text.index("orphans:\n") :]) == {"orphans": {"names": sorted(names)}}


@pytest.mark.parametrize(
    ("flip", "told"),
    [
        (Flip("Plan again later"), "Plan again later."),
        (Flip("To replace it", (ConfigChange(("rebuilds",), "set", "replace"),)), "To replace it: `rebuilds: replace`"),
        (
            Flip("To let it go, take this out of", (ConfigChange(("orphans", "protect"), "remove", ("a*",)),)),
            'To let it go, take this out of `orphans.protect`: `["a*"]`',
        ),
        (
            Flip("To sync it", (ConfigChange(("architectures",), "add", ("x86_64",), "home:me"),)),
            "To sync it, in the project home:me: `architectures: [x86_64]`",
        ),
        (
            Flip(
                "Name them",
                (
                    ConfigChange(("distributions", "15.6"), "set", "opensuse/15.6"),
                    ConfigChange(("distributions", "*"), "set", None),
                ),
            ),
            'Name them: `distributions: {"15.6": opensuse/15.6, "*": null}`',
        ),
    ],
)
def test_a_change_as_a_sentence(flip: Flip, told: str) -> None:
    assert flips.told(flip) == told


# what holds a distribution


def test_what_holds_a_distribution_and_since_when() -> None:
    unread = replace(
        HELD,
        repository="xUbuntu_22.04",
        distributions=(JAMMY, "debian/trixie"),
        problems=(Problem(Reason.UNREAD, "no answer"),),
        last_published=None,
    )
    text = audit_text(replace(AUDIT, orphans=(), repositories=(unread, HELD)), PLAIN)
    assert text.splitlines()[:4] == [
        "Not settled in OBS:",
        "  debian/trixie is held: home:kata/xUbuntu_22.04: no answer; when it was published last is not known",
        "  opensuse/15.6 is held: home:kata/openSUSE_Leap_15.6/x86_64: is building, not published; "
        "published last 2026-01-02 03:03 UTC",
        "  ubuntu/jammy is held: home:kata/xUbuntu_22.04: no answer; when it was published last is not known",
    ]
    for form in (audit_markdown, audit_html):
        assert "published last 2026-01-02 03:03 UTC" in form(replace(AUDIT, repositories=(HELD,)))
    assert json.loads(audit_json(replace(AUDIT, repositories=(HELD, REPOSITORY))))["holds"] == [
        {
            "distribution": LEAP,
            "repository": "home:kata/openSUSE_Leap_15.6",
            "problems": [{"reason": "not-published", "message": BUILDING}],
            "lastpublished": 1767323000,
        }
    ]


@pytest.mark.parametrize("seconds", [10**18, -(10**18), 2**63])
def test_a_time_that_cannot_be_is_not_known(seconds: int) -> None:
    text = audit_text(replace(AUDIT, repositories=(replace(HELD, last_published=seconds),)), PLAIN)
    assert "when it was published last is not known" in text


# the order


def orphan(name: str, **fields: Any) -> Orphan:
    row = replace(ROW, filename=name, created_at=str(fields.pop("created_at", "2026")))
    return replace(AUDIT.orphans[0], row=row, **fields)


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
    audit = arranged(replace(AUDIT, orphans=found, query=AuditQuery(sort=sort)))
    assert "".join(o.row.filename for o in audit.orphans) == expected
