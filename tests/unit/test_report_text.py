"""Plans, audits and receipts on a terminal."""

import csv
import io
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from pkgsync.model import (
    Counts,
    Held,
    LimitExceeded,
    Outcome,
    Overrides,
    Plan,
    Problem,
    Receipt,
    ReceiptLine,
    Selection,
    Shadowed,
    Source,
    Summary,
)
from pkgsync.reasons import Reason
from pkgsync.report import (
    Style,
    audit_csv,
    audit_json,
    audit_text,
    plan_text,
    receipt_text,
    receipts_text,
)
from pkgsync.report.escape import visible
from pkgsync.report.style import Line, aligned, wrapped
from tests.support.values.samples import (
    AUDIT,
    DELETION,
    GONE,
    HELD,
    JAMMY,
    JAMMY_SOURCE,
    KEPT_ROW,
    LEAP,
    LEAP_SOURCE,
    NOTHING,
    PLAN,
    RECEIPT,
    REPOSITORY,
    SUMS,
)
from tests.support.values.strategies import plans, receipts

PLAIN = Style()
NOT_ASKED = replace(RECEIPT.lines[2], outcome=Outcome.LEFT, reason="not-selected")

PLAN_TEXT = """\
kata/testing on https://packagecloud.io
from home:kata on https://api.opensuse.org
read 2026-01-02T03:04:02Z with 15 requests

               upload  replace  delete  archive  held  kept     size
opensuse/15.6       1        0       1        1     0   214  1.2 MiB
ubuntu/jammy        1        1       0        0     1     0   35 KiB
in all              2        1       1        1     1   214  1.2 MiB

By package:
  > old-tool 0.5 gone · opensuse/15.6 · 1 archived
  ~ hello-tool 1.2 → 1.3 · opensuse/15.6, ubuntu/jammy · 2 up, 1 replaced, 1 away

1 to delete, 1 to archive:
  old-tool 0.5 gone: archived to kata/archive; no longer offered by home:kata/openSUSE_Leap_15.6, where the files of all 12 packages are known; uploaded 2024-01-02
    > opensuse/15.6/old-tool-0.5-1.noarch.rpm
  hello-tool 1.2 → 1.3: OBS offers 1.3-1 (hello-tool: succeeded); uploaded 2025-11-05 by kata-ci
    - opensuse/15.6/hello-tool-1.2-1.x86_64.rpm

1 to replace by other content under the same name:
  ~ ubuntu/jammy/hello-doc_1.3_all.deb  812 B

2 to upload from home:kata/openSUSE_Leap_15.6, home:kata/xUbuntu_22.04:
  + opensuse/15.6/hello-tool-1.3-1.x86_64.rpm  1.2 MiB
  + ubuntu/jammy/hello-tool_1.3_amd64.deb       34 KiB

1 held:
  ! ubuntu/jammy/libdemo1_0.9_amd64.deb: replacement held, content-unknown: Packagecloud does not tell its checksum

Warning: the config holds a plain secret

Plan: 2 to upload, 1 to replace, 1 to delete, 1 to archive (1.2 MiB). 1 held, 214 orphans kept."""


def last(text: str) -> str:
    return text.splitlines()[-1]


def with_held(*held: Held) -> Plan:
    counts = Counts(held=len(held))
    return replace(NOTHING, held=held, summary=Summary(total=counts, unmanaged=0, distributions={JAMMY: counts}))


def test_a_plan() -> None:
    assert plan_text(PLAN, PLAIN) == PLAN_TEXT


def test_colour_only_adds_colour() -> None:
    coloured = plan_text(PLAN, Style(colour=True))
    assert "\x1b[32m+ opensuse/15.6/hello-tool-1.3-1.x86_64.rpm\x1b[0m" in coloured
    assert "\x1b[31m- opensuse/15.6/hello-tool-1.2-1.x86_64.rpm\x1b[0m" in coloured
    for code in ("0", "1", "2", "31", "32", "33", "34", "36"):
        coloured = coloured.replace(f"\x1b[{code}m", "")
    assert coloured == PLAN_TEXT


@given(plans(), st.sampled_from([None, 20, 60, 100]), st.booleans())
def test_nothing_foreign_reaches_the_terminal(plan: Plan, width: int | None, verbose: bool) -> None:
    text = plan_text(plan, Style(width=width), verbose)
    assert all(line.isprintable() for line in text.splitlines())
    assert text.count("\n") == len(text.splitlines()) - 1


@given(plans())
def test_every_action_is_named(plan: Plan) -> None:
    lines = plan_text(plan, PLAIN).splitlines()
    gone = [line for line in lines if line.startswith(("    - ", "    > "))]
    kinds = {"-": plan.deletions, ">": plan.archivings}
    assert sorted(gone) == sorted(f"    {sign} {visible(a.key)}" for sign, of in kinds.items() for a in of)
    for sign, actions in {"+": plan.uploads, "~": plan.replacements}.items():
        for action in actions:
            assert any(line.startswith(f"  {sign} {visible(action.key)}") for line in lines)


def many() -> Plan:
    """Over two distributions: 500 new files of 50 packages, and 40 deletions of 8 packages."""
    places = (LEAP, JAMMY)
    uploads = tuple(
        replace(
            PLAN.uploads[0],
            distribution=places[i % 2],
            filename=f"new{i // 10}-1.0-{i}.x86_64.rpm",
            source=replace(LEAP_SOURCE, packages=(f"new{i // 10}",)),
        )
        for i in range(500)
    )
    deletions = tuple(
        replace(
            DELETION,
            distribution=places[i % 2],
            filename=f"old{i // 5}-1.{i}-1.noarch.rpm",
            evidence=GONE,
            reason=Reason.GONE,
        )
        for i in range(40)
    )
    each = Counts(uploads=250, deletions=20, upload_bytes=250 * 1258291)
    total = Counts(uploads=500, deletions=40, upload_bytes=500 * 1258291)
    summary = Summary(total=total, unmanaged=0, distributions=dict.fromkeys(places, each))
    over = LimitExceeded(
        distribution=LEAP,
        limit="deletions",
        allowed=10,
        found=20,
        message=f"{LEAP}: 20 deletions, 10 more than the limit of 10",
        override="--max-deletions 20",
    )
    others = (replace(over, distribution=f"el/{n}", message=f"el/{n}: {n} deletions") for n in range(5))
    there = replace(over, distribution=JAMMY, message=f"{JAMMY}: 20 deletions, 10 more than the limit of 10")
    return replace(
        NOTHING,
        uploads=uploads,
        deletions=deletions,
        summary=summary,
        applyable=False,
        complete=False,
        exceeded=(over, *others, there),
        digest=f"sha256:{SUMS['a']}",
    )


def test_what_matters_of_a_large_plan_stands_on_the_first_screen() -> None:
    screen = plan_text(many(), Style(width=80)).splitlines()[:40]
    assert screen[0] == "Unsafe: this plan cannot be applied."
    assert "  opensuse/15.6, ubuntu/jammy, each: 20 deletions, 10 more than the limit of 10" in screen
    assert "  and 1 more limit (-v names them)" in screen
    assert "Incomplete: a read failed, and what depends on it is not planned." in screen
    assert "in all            500      40  600 MiB" in screen
    assert [line for line in screen if line.startswith("  - ")] == [
        f"  - old{n} 1.{5 * n} to 1.{5 * n + 4} (5 versions) gone · opensuse/15.6, ubuntu/jammy · 5 away"
        for n in range(8)
    ]
    assert "  + 50 packages with nothing but new files · 500 up (-v names them)" in screen
    assert "40 to delete:" in screen


def test_uploads_are_only_counted_until_they_are_asked_for() -> None:
    text = plan_text(many(), PLAIN)
    assert "\n500 to upload from home:kata/openSUSE_Leap_15.6 (-v names them).\n" in text
    assert "new7-1.0-70.x86_64.rpm" not in text
    verbose = plan_text(many(), PLAIN, verbose=True)
    assert "\n  + ubuntu/jammy/new0-1.0-1.x86_64.rpm " in verbose
    assert "\n  + new49 1.0 new · opensuse/15.6, ubuntu/jammy · 10 up\n" in verbose


def test_what_goes_for_one_reason_is_told_once() -> None:
    text = plan_text(many(), PLAIN)
    assert text.count("no longer offered by home:kata/openSUSE_Leap_15.6") == 1
    assert "\n  8 packages gone: no longer offered" in text


def test_a_terminal_that_shows_only_ascii_gets_no_other_signs() -> None:
    text = plan_text(PLAN, Style(ascii=True))
    assert text.isascii()
    assert "  ~ hello-tool 1.2 -> 1.3 | opensuse/15.6, ubuntu/jammy | 2 up, 1 replaced, 1 away" in text


def test_deletions_that_end_otherwise_are_told_apart() -> None:
    kept = replace(
        DELETION, filename="hello-tool-1.1-1.x86_64.rpm", created_at="2025-10-01T00:00:00Z", archived_in="kata/archive"
    )
    older = replace(DELETION, filename="hello-tool-1.0-1.x86_64.rpm", created_at="2025-09-01T00:00:00Z", uploader="ann")
    text = plan_text(replace(PLAN, deletions=(DELETION, older, kept), archivings=()), PLAIN)
    assert (
        "  hello-tool 1.0, 1.1, 1.2 → 1.3: OBS offers 1.3-1 (hello-tool: succeeded); "
        "uploaded 2025-09-01 to 2025-11-05 by ann, kata-ci\n"
        "    - opensuse/15.6/hello-tool-1.2-1.x86_64.rpm\n"
        "    - opensuse/15.6/hello-tool-1.0-1.x86_64.rpm\n"
        "  hello-tool 1.0, 1.1, 1.2 → 1.3: kata/archive holds the same file; OBS offers 1.3-1 "
        "(hello-tool: succeeded); uploaded 2025-10-01 by kata-ci\n"
        "    - opensuse/15.6/hello-tool-1.1-1.x86_64.rpm\n"
    ) in text


def test_a_source_is_told_with_each_file_where_there_are_several() -> None:
    upload = PLAN.uploads[1]
    other = replace(upload, filename="z.deb", source=replace(upload.source, project="home:other"))
    plan = replace(PLAN, uploads=(upload, other), replacements=())
    lines = plan_text(plan, PLAIN).splitlines()
    assert "2 to upload from home:kata/xUbuntu_22.04, home:other/xUbuntu_22.04:" in lines
    assert [line.split()[-1] for line in lines if line.startswith("  + ubuntu/")] == [
        "home:kata/xUbuntu_22.04",
        "home:other/xUbuntu_22.04",
    ]


def test_a_narrow_terminal_wraps_words_under_the_name() -> None:
    lines = plan_text(PLAN, Style(width=60), verbose=True).splitlines()
    assert "  ~ ubuntu/jammy/hello-doc_1.3_all.deb  812 B" in lines
    assert "      444444444444 -> 333333333333" in lines
    assert "    succeeded); uploaded 2025-11-05 by kata-ci" in lines
    assert lines[-2:] == [
        "Plan: 2 to upload, 1 to replace, 1 to delete, 1 to archive",
        "(1.2 MiB). 1 held, 214 orphans kept.",
    ]


def test_one_long_name_pushes_no_number_beyond_the_edge() -> None:
    names = {"short": "812 B", "x" * 35: "1.5 KiB", "y" * 80: "6.2 KiB"}
    lines = [Line(symbol="+", colour="green", name=name, number=number) for name, number in names.items()]
    assert aligned(lines, Style(width=50)) == [
        f"  + short{' ' * 34}812 B",
        f"  + {'x' * 35}  1.5 KiB",
        f"  + {'y' * 80}  6.2 KiB",
    ]


def test_no_change_is_one_line() -> None:
    assert last(plan_text(NOTHING, PLAIN)) == "No changes. kata/testing matches OBS."
    kept = replace(NOTHING, summary=replace(NOTHING.summary, total=Counts(orphans_kept=1)))
    assert last(plan_text(kept, PLAIN)) == "No changes. kata/testing matches OBS. 1 orphan kept."


@pytest.mark.parametrize(
    ("plan", "line"),
    [
        (
            replace(NOTHING, complete=False),
            "No changes planned, but a read failed: the plan is incomplete.",
        ),
        (replace(NOTHING, targeted=True), "No changes. The selected part of kata/testing matches OBS."),
        (
            replace(NOTHING, source=replace(NOTHING.source, repositories=(replace(REPOSITORY, settled=False),))),
            "No changes. kata/testing holds all that OBS publishes, but OBS is not settled.",
        ),
    ],
)
def test_no_change_claims_no_more_than_is_known(plan: Plan, line: str) -> None:
    assert last(plan_text(plan, PLAIN)) == line


PARTIAL = replace(PLAN, targeted=True, selection=Selection(("ubuntu/*", "el/9/a b"), ("*.rpm",)))


def test_a_partial_plan_says_so_before_all_else() -> None:
    said = (
        "Partial: this plan was made with --target 'ubuntu/*' --target 'el/9/a b' --exclude '*.rpm'; "
        "whatever that leaves out is not in it."
    )
    assert plan_text(PARTIAL, PLAIN).splitlines()[:3] == [said, "", "kata/testing on https://packagecloud.io"]
    of_old_format = "Partial: this plan was limited to some packages; the others are not in it."
    assert plan_text(replace(NOTHING, targeted=True), PLAIN).splitlines()[0] == of_old_format


def test_only_held() -> None:
    assert plan_text(with_held(HELD), PLAIN).splitlines()[4:] == [
        "No changes planned, 1 held:",
        "",
        "  ! ubuntu/jammy/libdemo1_0.9_amd64.deb: replacement held, "
        "content-unknown: Packagecloud does not tell its checksum",
    ]


def test_many_held_for_one_reason_are_told_together() -> None:
    held = tuple(
        Held(
            distribution=JAMMY,
            filename=f"a{i}.deb",
            action="deletion",
            reason=Reason.OWNER_UNKNOWN,
            message="home:kata/broken could own it",
        )
        for i in range(300)
    )
    text = plan_text(with_held(*held), PLAIN)
    assert text.splitlines()[6:] == [
        "  ! ubuntu/jammy: 300 deletions held, owner-unknown: home:kata/broken could own it",
        "      a0.deb",
        "      a1.deb",
        "      a2.deb",
        "      and 297 more (-v names them)",
    ]
    verbose = plan_text(with_held(*held), PLAIN, verbose=True)
    assert all(f"      a{i}.deb\n" in verbose for i in range(300))


def test_a_few_held_for_one_reason_keep_their_own_words() -> None:
    held = [
        Held(
            distribution=JAMMY,
            filename=f"a{i}.deb",
            action="deletion",
            reason=Reason.MIN_AGE,
            message=f"since 2026-01-0{i}",
        )
        for i in (1, 2)
    ]
    assert plan_text(with_held(*held), PLAIN).splitlines()[6:] == [
        "  ! ubuntu/jammy: 2 deletions held, min-age: It is younger than `orphans.min_age`.",
        "      a1.deb: since 2026-01-01",
        "      a2.deb: since 2026-01-02",
    ]


def test_what_makes_a_plan_doubtful_stands_first() -> None:
    unsettled = replace(REPOSITORY, settled=False, problems=(Problem(Reason.PUBLISHING, "aarch64 is publishing"),) * 2)
    plan = replace(
        PLAN,
        applyable=False,
        complete=False,
        overrides=Overrides(max_deletions=0),
        source=replace(PLAN.source, repositories=(unsettled,), allow_http=True),
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
        shadowed=(
            Shadowed(distribution=LEAP, filename="a.rpm", sha256=SUMS["1"], source=JAMMY_SOURCE, by=LEAP_SOURCE),
        ),
    )
    text = plan_text(plan, PLAIN)
    assert text.startswith(
        """\
Unsafe: this plan cannot be applied.
  opensuse/15.6: 1 deletion, 1 more than the limit of 0 (to allow it: --max-deletions 1)

Incomplete: a read failed, and what depends on it is not planned.

kata/testing on """
    )
    assert "\nfrom home:kata on https://api.opensuse.org (plain http allowed)\n" in text
    assert "\nopensuse/15.6       1        0       1        1     0   214  1.2 MiB  not settled\n" in text
    assert "\nwith --max-deletions 0\n" in text
    assert text.endswith(
        """\
Not settled in OBS (what needs proof of absence is held):
  home:kata/openSUSE_Leap_15.6 (opensuse/15.6): publishing: aarch64 is publishing

1 file shadowed: another one with other content has the place (-v names them).

Warning: the config holds a plain secret

Plan: 2 to upload, 1 to replace, 1 to delete, 1 to archive (1.2 MiB). 1 held, 214 orphans kept. \
Unsafe, incomplete: see the top."""
    )
    shadowed = "opensuse/15.6/a.rpm: home:kata/openSUSE_Leap_15.6 comes before home:kata/xUbuntu_22.04"
    assert shadowed in plan_text(plan, PLAIN, verbose=True)


def test_verbose_tells_the_reads_once() -> None:
    text = plan_text(PLAN, PLAIN, verbose=True)
    assert text.count("read home:kata/openSUSE_Leap_15.6: x86_64 published; index eeeeeeeeeeee\n") == 1
    assert text.count("read Packagecloud: a complete listing of 9 rows\n") == 1
    assert "Of 9 rows: 3 equal, 0 filtered, 1 unmanaged." in text


def test_an_audit() -> None:
    text = audit_text(AUDIT, Style(width=100))
    assert [line.rstrip() for line in text.splitlines()] == [
        "Audit of kata/testing, 2026-01-02T03:04:05Z: everything was read (orphans: delete)",
        "By reason: 1 not-owned, 1 superseded",
        "By uploader: 1 kata-ci, 1 unknown",
        "",
        "1 orphan to delete:",
        "Distribution   Name        Version  Arch    Uploaded    By",
        "opensuse/15.6  hello-tool  1.2-1    x86_64  2025-11-05  kata-ci",
        "    superseded by hello-tool-1.3-1.x86_64.rpm of hello-tool: succeeded",
        "",
        "1 orphan kept:",
        "Distribution  Name     Version  Arch  Uploaded    By  Why",
        "ubuntu/jammy  foreign  ?        ?     2023-01-02  ?   not-owned: OBS offers no foreign there, and",
        "                                                      orphans.names does not claim it",
        "",
        "2 orphans in kata/testing: 1 to delete, 1 kept (orphans: delete).",
    ]


def test_an_audit_on_a_narrow_terminal() -> None:
    text = audit_text(AUDIT, Style(width=80))
    assert [line.rstrip() for line in text.splitlines()][:9] == [
        "Audit of kata/testing, 2026-01-02T03:04:05Z: everything was read (orphans:",
        "  delete)",
        "By reason: 1 not-owned, 1 superseded",
        "By uploader: 1 kata-ci, 1 unknown",
        "",
        "1 orphan to delete:",
        "Distribution   Name        Version  Arch    Uploaded    By",
        "opensuse/15.6  hello-tool  1.2-1    x86_64  2025-11-05  kata-ci",
        "    superseded by hello-tool-1.3-1.x86_64.rpm of hello-tool: succeeded",
    ]


def test_on_a_narrow_terminal_equal_words_are_told_once() -> None:
    orphan = AUDIT.orphans[0]
    other = replace(orphan, row=replace(orphan.row, version="1.1"))
    lines = [
        line.rstrip() for line in audit_text(replace(AUDIT, orphans=(orphan, other)), Style(width=80)).splitlines()
    ]
    assert lines[6:10] == [
        "Distribution   Name        Version  Arch    Uploaded    By",
        "opensuse/15.6  hello-tool  1.2-1    x86_64  2025-11-05  kata-ci",
        "opensuse/15.6  hello-tool  1.1-1    x86_64  2025-11-05  kata-ci",
        "    both: superseded by hello-tool-1.3-1.x86_64.rpm of hello-tool: succeeded",
    ]


def test_an_audit_without_orphans() -> None:
    assert audit_text(replace(AUDIT, orphans=()), PLAIN) == "No orphans in kata/testing."
    part = audit_text(replace(AUDIT, orphans=(), complete=False), PLAIN)
    assert part == "No orphans in kata/testing. A part of OBS could not be read."


def test_an_audit_as_csv() -> None:
    nasty = replace(AUDIT.orphans[1], row=replace(KEPT_ROW, name="=cmd|' /C calc'!A0", uploader='a,"b"\n'))
    rows = list(csv.DictReader(io.StringIO(audit_csv(replace(AUDIT, orphans=(AUDIT.orphans[0], nasty))))))
    assert rows[0] == {
        "distribution": "opensuse/15.6",
        "filename": "hello-tool-1.2-1.x86_64.rpm",
        "name": "hello-tool",
        "epoch": "0",
        "version": "1.2",
        "release": "1",
        "architecture": "x86_64",
        "sha256": SUMS["5"],
        "created_at": "2025-11-05T08:00:00.000Z",
        "uploader": "kata-ci",
        "fate": "delete",
        "reason": "superseded",
        "message": "superseded by hello-tool-1.3-1.x86_64.rpm of hello-tool: succeeded",
    }
    assert rows[1]["name"] == "'=cmd|' /C calc'!A0"
    assert rows[1]["uploader"] == 'a,"b"\\n'
    assert rows[1]["version"] == ""


def test_an_audit_as_json() -> None:
    document = json.loads(audit_json(AUDIT))
    assert document["counts"] == {"orphans": 2, "delete": 1, "archive": 0, "held": 0, "keep": 1}
    assert document["action"] == "delete"
    first, second = document["orphans"]
    assert first["evidence"]["superseded_by"]["filename"] == "hello-tool-1.3-1.x86_64.rpm"
    assert first["created_at"] == "2025-11-05T08:00:00.000Z"
    assert second["version"] is None and second["evidence"] is None
    assert document["repositories"][0]["lastpublished"] == 1767323000


@pytest.mark.parametrize("text", [audit_json(AUDIT), audit_csv(AUDIT), audit_text(AUDIT, PLAIN)])
def test_an_audit_holds_no_route_of_the_server(text: str) -> None:
    assert "secret-token" not in text
    assert "/api/v1" not in text


def test_a_receipt_is_one_line_when_all_is_done() -> None:
    assert receipt_text(RECEIPT, PLAIN, "plan.receipt.json") == (
        "Apply complete: 2 uploaded, 1 replaced, 1 deleted, 1 archived in 41 s. Receipt: plan.receipt.json"
    )


def test_a_verbose_receipt_names_every_action() -> None:
    assert receipt_text(RECEIPT, PLAIN, verbose=True).splitlines()[4:] == [
        "opensuse/15.6:",
        "  + hello-tool-1.3-1.x86_64.rpm  1.2 MiB  uploaded",
        "  - hello-tool-1.2-1.x86_64.rpm           deleted, backup kept",
        "  > old-tool-0.5-1.noarch.rpm             archived to kata/archive",
        "",
        "ubuntu/jammy:",
        "  + hello-tool_1.3_amd64.deb  34 KiB  uploaded",
        "  ~ hello-doc_1.3_all.deb      812 B  replaced",
        "",
        "Apply complete: 2 uploaded, 1 replaced, 1 deleted, 1 archived in 41 s.",
    ]


def test_a_receipt_names_what_is_not_done() -> None:
    lines = (
        RECEIPT.lines[0],
        replace(RECEIPT.lines[1], outcome=Outcome.ALREADY_DONE),
        replace(RECEIPT.lines[2], outcome=Outcome.FAILED, message="500\x1b[31m"),
        replace(RECEIPT.lines[3], outcome=Outcome.LEFT, reason="upload-missing", message="a replacement is not done"),
    )
    receipt = replace(RECEIPT, lines=lines, complete=False, warnings=("the server renamed it",))
    assert receipt_text(receipt, PLAIN) == (
        """\
  ! ubuntu/jammy/hello-doc_1.3_all.deb  812 B  replacement failed: 500\\x1b[31m
  ! opensuse/15.6/hello-tool-1.2-1.x86_64.rpm  deletion left for the next run: upload-missing: a replacement is not done

Warning: the server renamed it

Apply incomplete: 1 uploaded, 1 done before in 41 s; 1 failed, 1 left for the next run."""
    )


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"interrupted": True, "complete": False}, "Apply interrupted: 1 uploaded in 41 s."),
        ({"finished_at": "unknown"}, "Apply complete: 1 uploaded."),
        ({"lines": ()}, "Nothing to do: the plan has no actions."),
        (
            {"lines": (replace(RECEIPT.lines[0], outcome=Outcome.ALREADY_DONE),)},
            "Nothing to do: every action of the plan was done before (1).",
        ),
        ({"finished_at": RECEIPT.started_at}, "Apply complete: 1 uploaded in under 1 s."),
        ({"runs": 3}, "Apply complete: 1 uploaded in 3 runs."),
        (
            {"lines": (RECEIPT.lines[0], NOT_ASKED), "complete": False},
            "Apply complete as asked: 1 uploaded in 41 s; all else is left for another run of the plan.",
        ),
        (
            {"lines": (RECEIPT.lines[0], NOT_ASKED), "complete": False, "interrupted": True},
            "Apply interrupted: 1 uploaded in 41 s; 1 left for the next run.",
        ),
        (
            {"lines": (replace(RECEIPT.lines[0], outcome=Outcome.FAILED), NOT_ASKED), "complete": False},
            "Apply incomplete: nothing changed in 41 s; 1 failed, 1 left for the next run.",
        ),
    ],
)
def test_the_last_line_of_a_receipt(changes: dict[str, Any], line: str) -> None:
    receipt = replace(replace(RECEIPT, lines=RECEIPT.lines[:1]), **changes)
    assert last(receipt_text(receipt, PLAIN)) == line


@pytest.mark.parametrize(
    ("line", "told"),
    [
        (
            ReceiptLine(action="deletion", distribution=LEAP, filename="a.rpm", outcome=Outcome.DONE, undo="none"),
            "deleted, no backup: cannot be undone",
        ),
        (
            ReceiptLine(
                action="deletion",
                distribution=LEAP,
                filename="a.rpm",
                outcome=Outcome.DONE,
                undo="archive",
                archive_to="kata/archive",
            ),
            "deleted, also in kata/archive",
        ),
        (
            ReceiptLine(
                action="upload",
                distribution=LEAP,
                filename="a.rpm",
                outcome=Outcome.DONE,
                undo="archive",
                archive_to="kata/archive",
            ),
            "uploaded from kata/archive",
        ),
        (
            ReceiptLine(action="deletion", distribution=LEAP, filename="a.rpm", outcome=Outcome.DONE, undo="archive"),
            "deleted",
        ),
        (
            ReceiptLine(
                action="deletion", distribution=LEAP, filename="a.rpm", outcome=Outcome.ALREADY_DONE, undo="none"
            ),
            "deleted before",
        ),
    ],
)
def test_a_receipt_says_what_an_undo_could_have(line: ReceiptLine, told: str) -> None:
    text = receipt_text(replace(RECEIPT, lines=(line,)), PLAIN, verbose=True).splitlines()
    assert [row.strip().split("  ", 1)[1] for row in text if "a.rpm" in row] == [told]


def test_an_undo_says_what_it_takes_back() -> None:
    undone = replace(NOTHING, undoes=f"sha256:{SUMS['d']}")
    text = plan_text(undone, PLAIN)
    assert f"undo of sha256:{SUMS['d']}" in text.splitlines()
    assert "home:kata" not in text
    assert last(text) == "Nothing to undo."


def test_an_undo_says_where_its_bytes_come_from() -> None:
    kept = tuple(replace(upload, source=Source(kind="backup")) for upload in PLAN.uploads)
    assert "\n2 to upload from the backup:\n" in plan_text(replace(PLAN, uploads=kept), PLAIN)


def test_a_name_that_the_server_chose_is_told() -> None:
    stored = ReceiptLine(
        action="upload",
        distribution=LEAP,
        filename="a.rpm",
        outcome=Outcome.DONE,
        stored_as="a-1.rpm",
        message="renamed",
    )
    assert "  + a.rpm  uploaded as a-1.rpm: renamed" in receipt_text(
        replace(RECEIPT, lines=(stored,)), PLAIN, verbose=True
    )


LOST = ReceiptLine(
    action="replacement",
    distribution=LEAP,
    filename="a.rpm",
    outcome=Outcome.FAILED,
    message="402",
    attempts=4,
    missing="yes",
    kept_at="/var/backups/ab",
    undo="backup",
)


def test_what_is_missing_comes_first_with_its_bytes_and_the_way_back() -> None:
    receipt = replace(RECEIPT, lines=(LOST,), complete=False)
    assert receipt_text(receipt, PLAIN, "my plan.receipt.json") == (
        """\
1 MISSING: Our own requests took them away, and nothing could be put in their place. To put them back: pkgsync undo \
'my plan.receipt.json' -o undo.json, then pkgsync apply undo.json. Run the same apply again: it looks, and goes on from \
there, too.
  ! opensuse/15.6/a.rpm  MISSING, its bytes are in /var/backups/ab; replacement failed: 402

1 MISSING. Apply incomplete: nothing done in 41 s; 1 failed. Receipt: my plan.receipt.json"""
    )


def test_what_may_be_missing_is_told_as_such_and_without_bytes_no_undo_is_offered() -> None:
    line = replace(LOST, missing="perhaps", kept_at=None, undo="none")
    text = receipt_text(replace(RECEIPT, lines=(RECEIPT.lines[0], line), complete=False), PLAIN)
    assert text.startswith("1 perhaps MISSING: Our own requests were to take them away, and no look could tell what")
    assert "pkgsync undo" not in text
    assert "its bytes were not kept" in text
    assert last(text) == "1 perhaps MISSING. Apply incomplete: 1 uploaded in 41 s; 1 failed."


@given(receipts, st.sampled_from([None, 60]))
def test_nothing_foreign_of_a_receipt_reaches_the_terminal(receipt: Receipt, width: int | None) -> None:
    text = receipt_text(receipt, Style(width=width), "r.json", verbose=True)
    assert all(line.isprintable() for line in text.splitlines())


def test_how_an_apply_ended_is_wrapped_at_words() -> None:
    narrow = Style(width=60)
    assert receipt_text(RECEIPT, narrow, "plan.receipt.json").splitlines() == [
        "Apply complete: 2 uploaded, 1 replaced, 1 deleted, 1",
        "  archived in 41 s. Receipt: plan.receipt.json",
    ]
    assert receipts_text([("/state/receipts/0001.json", RECEIPT)], narrow).splitlines() == [
        "2026-01-02T03:05:41Z  kata/testing  Apply complete: 2",
        "  uploaded, 1 replaced, 1 deleted, 1 archived in 41 s.",
        "  /state/receipts/0001.json",
    ]


def test_commands_and_whatever_has_no_space_stay_on_one_line() -> None:
    words = (
        "Look at https://packages.example.org/a-long-path/of-a-file first: pkgsync undo plan.receipt.json -o undo.json, "
        "then pkgsync apply undo.json. Or let `pkgsync init PROJECT USER/REPO` propose one; in-depth pkgsync tells more."
    )
    assert wrapped(words, Style(width=40), hanging=2) == [
        "Look at",
        "  https://packages.example.org/a-long-path/of-a-file",
        "  first:",
        "  pkgsync undo plan.receipt.json -o undo.json,",
        "  then pkgsync apply undo.json. Or let",
        "  `pkgsync init PROJECT USER/REPO`",
        "  propose one; in-depth pkgsync tells",
        "  more.",
    ]
