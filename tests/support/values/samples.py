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
from pkgsync.model.actual import Untold
from pkgsync.model.plan import Counts
from pkgsync.reasons import Reason

LEAP, JAMMY = "opensuse/15.6", "ubuntu/jammy"
SUMS = {letter: letter * 64 for letter in "0123456789abcdef"}
LEAP_SOURCE = Source(
    kind="obs",
    project="home:kata",
    repository="openSUSE_Leap_15.6",
    architecture="x86_64",
    packages=("hello-tool",),
    path="x86_64/hello-tool-1.3-1.x86_64.rpm",
)
JAMMY_SOURCE = Source(
    kind="obs",
    project="home:kata",
    repository="xUbuntu_22.04",
    architecture="x86_64",
    packages=("hello-tool",),
    path="amd64/hello-tool_1.3_amd64.deb",
)
READ = RepositoryEvidence(
    project="home:kata",
    repository="openSUSE_Leap_15.6",
    architectures=(ArchitectureEvidence("x86_64", "published"),),
    last_published=1767323000,
    index_sha256=SUMS["e"],
    revision=1767322999,
)
SUPERSEDED = Evidence(
    kind="superseded",
    repositories=(READ,),
    total=9,
    superseded_by=SupersededBy(
        filename="hello-tool-1.3-1.x86_64.rpm", version="1.3-1", package="hello-tool", code="succeeded"
    ),
)
GONE = Evidence(kind="gone", repositories=(READ,), total=9, packages_read=12)
TARGET = PlanTarget(
    api="https://packagecloud.io", repository="kata/testing", total=9, snapshot=SUMS["f"], distributions=(LEAP, JAMMY)
)
UPLOADS = (
    Upload(
        distribution=LEAP,
        filename="hello-tool-1.3-1.x86_64.rpm",
        size=1258291,
        sha256=SUMS["1"],
        reason=Reason.MISSING,
        source=LEAP_SOURCE,
    ),
    Upload(
        distribution=JAMMY,
        filename="hello-tool_1.3_amd64.deb",
        size=34816,
        sha256=SUMS["2"],
        reason=Reason.MISSING,
        source=JAMMY_SOURCE,
    ),
)
REPLACEMENT = Replacement(
    distribution=JAMMY,
    filename="hello-doc_1.3_all.deb",
    size=812,
    sha256=SUMS["3"],
    reason=Reason.REBUILT,
    source=JAMMY_SOURCE,
    old=OldContent(SUMS["4"], "2025-12-01T10:00:00.000Z"),
)
DELETION = Deletion(
    distribution=LEAP,
    filename="hello-tool-1.2-1.x86_64.rpm",
    sha256=SUMS["5"],
    created_at="2025-11-05T08:00:00.000Z",
    uploader="kata-ci",
    reason=Reason.SUPERSEDED,
    evidence=SUPERSEDED,
)
ARCHIVING = Archiving(
    distribution=LEAP,
    filename="old-tool-0.5-1.noarch.rpm",
    sha256=SUMS["6"],
    created_at="2024-01-02T03:04:05.000Z",
    uploader=None,
    reason=Reason.GONE,
    evidence=GONE,
    archive_to="kata/archive",
)
HELD = Held(
    distribution=JAMMY,
    filename="libdemo1_0.9_amd64.deb",
    action="replacement",
    reason=Reason.CONTENT_UNKNOWN,
    message="Packagecloud does not tell its checksum",
)
REPOSITORY = PlannedRepository(
    project="home:kata",
    repository="openSUSE_Leap_15.6",
    distributions=(LEAP,),
    architectures=(PlannedArchitecture(name="x86_64", code="published", dirty=False, settled=True),),
    settled=True,
    problems=(),
    last_published=1767323000,
    index_sha256=SUMS["e"],
    revision=1767322999,
)
NOTHING = Plan(
    pkgsync_version="1.2.3",
    created_at="2026-01-02T03:04:05Z",
    observed=Observed(
        obs_at="2026-01-02T03:04:00Z", packagecloud_at="2026-01-02T03:04:02Z", obs_requests=11, packagecloud_requests=4
    ),
    config_digest=f"sha256:{SUMS['c']}",
    applyable=True,
    complete=True,
    targeted=False,
    source=PlanSource(api="https://api.opensuse.org", projects=("home:kata",), repositories=(REPOSITORY,)),
    target=TARGET,
    summary=Summary(
        total=Counts(unchanged=9, rows=9),
        unmanaged=0,
        distributions={LEAP: Counts(unchanged=5, rows=5), JAMMY: Counts(unchanged=4, rows=4)},
    ),
)
PLAN = Plan(
    pkgsync_version="1.2.3",
    created_at="2026-01-02T03:04:05Z",
    observed=Observed(
        obs_at="2026-01-02T03:04:00Z", packagecloud_at="2026-01-02T03:04:02Z", obs_requests=11, packagecloud_requests=4
    ),
    config_digest=f"sha256:{SUMS['c']}",
    applyable=True,
    complete=True,
    targeted=False,
    source=PlanSource(api="https://api.opensuse.org", projects=("home:kata",), repositories=(REPOSITORY,)),
    target=TARGET,
    summary=Summary(
        total=Counts(
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
        unmanaged=1,
        distributions={
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
    destroy_url="/api/v1/destroy", download_url=Untold("https://packagecloud.io/secret-token/download"),
)  # fmt: skip
KEPT_ROW = Row(JAMMY, "foreign_7_amd64.deb", "deb", "foreign", None, None, None, None, None, "2023-01-02T03:04:05.000Z")
AUDIT = Audit(
    repository="kata/testing",
    created_at="2026-01-02T03:04:05Z",
    complete=True,
    action=OrphanAction.DELETE,
    orphans=(
        Orphan(
            row=ROW,
            fate="delete",
            reason=Reason.SUPERSEDED,
            message="superseded by hello-tool-1.3-1.x86_64.rpm of hello-tool: succeeded",
            evidence=SUPERSEDED,
        ),
        Orphan(
            row=KEPT_ROW,
            fate="keep",
            reason=Reason.NOT_OWNED,
            message="OBS offers no foreign there, and orphans.names does not claim it",
        ),
    ),
    repositories=(REPOSITORY,),
)
RECEIPT = Receipt(
    pkgsync_version="1.2.3",
    plan_digest=f"sha256:{SUMS['d']}",
    target=TARGET,
    started_at="2026-01-02T03:05:00Z",
    finished_at="2026-01-02T03:05:41Z",
    exit_code=0,
    complete=True,
    interrupted=False,
    lines=(
        ReceiptLine(
            action="upload",
            distribution=LEAP,
            filename="hello-tool-1.3-1.x86_64.rpm",
            outcome=Outcome.DONE,
            sha256=SUMS["1"],
            size=1258291,
            bytes_up=1258291,
        ),
        ReceiptLine(
            action="upload",
            distribution=JAMMY,
            filename="hello-tool_1.3_amd64.deb",
            outcome=Outcome.DONE,
            sha256=SUMS["2"],
            size=34816,
        ),
        ReceiptLine(
            action="replacement",
            distribution=JAMMY,
            filename="hello-doc_1.3_all.deb",
            outcome=Outcome.DONE,
            sha256=SUMS["3"],
            old_sha256=SUMS["4"],
            size=812,
            absent_seconds=0.5,
        ),
        ReceiptLine(
            action="deletion",
            distribution=LEAP,
            filename="hello-tool-1.2-1.x86_64.rpm",
            outcome=Outcome.DONE,
            sha256=SUMS["5"],
            undo="backup",
        ),
        ReceiptLine(
            action="archiving",
            distribution=LEAP,
            filename="old-tool-0.5-1.noarch.rpm",
            outcome=Outcome.DONE,
            sha256=SUMS["6"],
            archive_to="kata/archive",
            undo="archive",
        ),
    ),
)
