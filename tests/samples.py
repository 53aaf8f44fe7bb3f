"""A plan, an audit and a receipt as a maintainer would meet them; tests change what they are about."""

from pkgsync.model import (
    ArchitectureEvidence,
    Archiving,
    Audit,
    Deletion,
    Evidence,
    Held,
    Observed,
    OldContent,
    Orphan,
    OrphanAction,
    Outcome,
    Plan,
    PlannedArchitecture,
    PlannedRepository,
    PlanSource,
    PlanTarget,
    Receipt,
    ReceiptLine,
    Replacement,
    RepositoryEvidence,
    Row,
    Source,
    Summary,
    SupersededBy,
    Upload,
)
from pkgsync.model.plan import Counts
from pkgsync.reasons import Reason

LEAP, JAMMY = "opensuse/15.6", "ubuntu/jammy"
SUMS = {letter: letter * 64 for letter in "0123456789abcdef"}
LEAP_SOURCE = Source(
    "obs", "home:kata", "openSUSE_Leap_15.6", "x86_64", ("hello-tool",), "x86_64/hello-tool-1.3-1.x86_64.rpm"
)
JAMMY_SOURCE = Source("obs", "home:kata", "xUbuntu_22.04", "x86_64", ("hello-tool",), "amd64/hello-tool_1.3_amd64.deb")
READ = RepositoryEvidence(
    "home:kata", "openSUSE_Leap_15.6", (ArchitectureEvidence("x86_64", "published"),), 1767323000, SUMS["e"], 1767322999
)
SUPERSEDED = Evidence(
    "superseded",
    (READ,),
    9,
    superseded_by=SupersededBy("hello-tool-1.3-1.x86_64.rpm", "1.3-1", "hello-tool", "succeeded"),
)
GONE = Evidence("gone", (READ,), 9, packages_read=12)
TARGET = PlanTarget("https://packagecloud.io", "kata/testing", 9, SUMS["f"], (LEAP, JAMMY))
UPLOADS = (
    Upload(LEAP, "hello-tool-1.3-1.x86_64.rpm", 1258291, SUMS["1"], Reason.MISSING, LEAP_SOURCE),
    Upload(JAMMY, "hello-tool_1.3_amd64.deb", 34816, SUMS["2"], Reason.MISSING, JAMMY_SOURCE),
)
REPLACEMENT = Replacement(
    JAMMY,
    "hello-doc_1.3_all.deb",
    812,
    SUMS["3"],
    Reason.REBUILT,
    JAMMY_SOURCE,
    OldContent(SUMS["4"], "2025-12-01T10:00:00.000Z"),
)
DELETION = Deletion(
    LEAP, "hello-tool-1.2-1.x86_64.rpm", SUMS["5"], "2025-11-05T08:00:00.000Z", "kata-ci", Reason.SUPERSEDED, SUPERSEDED
)
ARCHIVING = Archiving(
    LEAP, "old-tool-0.5-1.noarch.rpm", SUMS["6"], "2024-01-02T03:04:05.000Z", None, Reason.GONE, GONE, "kata/archive"
)
HELD = Held(
    JAMMY, "libdemo1_0.9_amd64.deb", "replacement", Reason.CONTENT_UNKNOWN, "Packagecloud does not tell its checksum"
)
REPOSITORY = PlannedRepository(
    "home:kata",
    "openSUSE_Leap_15.6",
    (LEAP,),
    (PlannedArchitecture("x86_64", "published", dirty=False, settled=True),),
    settled=True,
    problems=(),
    last_published=1767323000,
    index_sha256=SUMS["e"],
    revision=1767322999,
)
NOTHING = Plan(
    pkgsync_version="1.2.3",
    created_at="2026-01-02T03:04:05Z",
    observed=Observed("2026-01-02T03:04:00Z", "2026-01-02T03:04:02Z", 11, 4),
    config_digest=f"sha256:{SUMS['c']}",
    applyable=True,
    complete=True,
    targeted=False,
    source=PlanSource("https://api.opensuse.org", ("home:kata",), (REPOSITORY,)),
    target=TARGET,
    summary=Summary(
        Counts(unchanged=9, rows=9), 0, {LEAP: Counts(unchanged=5, rows=5), JAMMY: Counts(unchanged=4, rows=4)}
    ),
)
PLAN = Plan(
    pkgsync_version="1.2.3",
    created_at="2026-01-02T03:04:05Z",
    observed=Observed("2026-01-02T03:04:00Z", "2026-01-02T03:04:02Z", 11, 4),
    config_digest=f"sha256:{SUMS['c']}",
    applyable=True,
    complete=True,
    targeted=False,
    source=PlanSource("https://api.opensuse.org", ("home:kata",), (REPOSITORY,)),
    target=TARGET,
    summary=Summary(
        Counts(
            uploads=2,
            replacements=1,
            deletions=1,
            archivings=1,
            held=1,
            unchanged=3,
            orphans_kept=214,
            upload_bytes=1293919,
            rows=9,
        ),
        1,
        {
            LEAP: Counts(
                uploads=1, deletions=1, archivings=1, unchanged=2, orphans_kept=214, upload_bytes=1258291, rows=5
            ),
            JAMMY: Counts(uploads=1, replacements=1, held=1, unchanged=1, upload_bytes=35628, rows=4),
        },
    ),
    uploads=UPLOADS,
    replacements=(REPLACEMENT,),
    deletions=(DELETION,),
    archivings=(ARCHIVING,),
    held=(HELD,),
    warnings=("the config holds a plain secret",),
)
ROW = Row(
    LEAP, "hello-tool-1.2-1.x86_64.rpm", "rpm", "hello-tool", "1.2", "1", 0, "x86_64", SUMS["5"], "2025-11-05T08:00:00.000Z", "kata-ci",
    destroy_url="/api/v1/destroy", download_url="https://packagecloud.io/secret-token/download",
)  # fmt: skip
KEPT_ROW = Row(JAMMY, "foreign_7_amd64.deb", "deb", "foreign", None, None, None, None, None, "2023-01-02T03:04:05.000Z")
AUDIT = Audit(
    "kata/testing",
    "2026-01-02T03:04:05Z",
    complete=True,
    action=OrphanAction.DELETE,
    orphans=(
        Orphan(
            ROW,
            "delete",
            Reason.SUPERSEDED,
            "superseded by hello-tool-1.3-1.x86_64.rpm: hello-tool is succeeded",
            SUPERSEDED,
        ),
        Orphan(KEPT_ROW, "keep", Reason.NOT_OWNED, "OBS offers no foreign there, and orphans.names does not claim it"),
    ),
    repositories=(REPOSITORY,),
)
RECEIPT = Receipt(
    "1.2.3",
    f"sha256:{SUMS['d']}",
    TARGET,
    "2026-01-02T03:05:00Z",
    "2026-01-02T03:05:41Z",
    exit_code=0,
    complete=True,
    interrupted=False,
    lines=(
        ReceiptLine(
            "upload", LEAP, "hello-tool-1.3-1.x86_64.rpm", Outcome.DONE, SUMS["1"], size=1258291, bytes_up=1258291
        ),
        ReceiptLine("upload", JAMMY, "hello-tool_1.3_amd64.deb", Outcome.DONE, SUMS["2"], size=34816),
        ReceiptLine(
            "replacement", JAMMY, "hello-doc_1.3_all.deb", Outcome.DONE, SUMS["3"], SUMS["4"], 812, absent_seconds=0.5
        ),
        ReceiptLine("deletion", LEAP, "hello-tool-1.2-1.x86_64.rpm", Outcome.DONE, SUMS["5"], undo="backup"),
        ReceiptLine(
            "archiving",
            LEAP,
            "old-tool-0.5-1.noarch.rpm",
            Outcome.DONE,
            SUMS["6"],
            archive_to="kata/archive",
            undo="archive",
        ),
    ),
)
