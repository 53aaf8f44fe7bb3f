"""The values that flow through pkgsync: what OBS offers, what Packagecloud holds, and the plan between them.

All of them are frozen; none but Basic holds a credential.
"""

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from pkgsync.lazy import lazily

if TYPE_CHECKING:
    from pkgsync.model.actions import (
        Action,
        ActionKind,
        ArchitectureEvidence,
        Archiving,
        Deletion,
        Evidence,
        Held,
        LeftOut,
        OldContent,
        Removal,
        Replacement,
        RepositoryEvidence,
        Shadowed,
        Source,
        SupersededBy,
        Transfer,
        Upload,
    )
    from pkgsync.model.actual import ActualState, Distribution, Row
    from pkgsync.model.desired import (
        Architecture,
        BuiltFile,
        BuiltPackage,
        DesiredState,
        Index,
        IndexedFile,
        Problem,
        Repository,
        Signed,
        Version,
    )
    from pkgsync.model.explained import Answer, ConfigChange, Explanation, Flip, Step, WorldChange
    from pkgsync.model.filename import SYNCED_TYPES, PackageType
    from pkgsync.model.key import Keyed
    from pkgsync.model.origin import Origin
    from pkgsync.model.plan import (
        Cause,
        Comparison,
        Counts,
        LimitExceeded,
        NoLonger,
        Observed,
        Overrides,
        Plan,
        PlannedArchitecture,
        PlannedRepository,
        PlanSource,
        PlanTarget,
        Summary,
    )
    from pkgsync.model.policy import (
        EVERYTHING,
        ApprovalRule,
        ContentFrom,
        DistributionLimits,
        GoneRule,
        Limits,
        OrphanAction,
        OrphanPolicy,
        Policy,
        Selection,
    )
    from pkgsync.model.relations import Need, Needs, Relation, Relations
    from pkgsync.model.reports import (
        Approval,
        Audit,
        AuditQuery,
        AuditSort,
        Fate,
        IndexWait,
        Missing,
        Orphan,
        Outcome,
        Receipt,
        ReceiptLine,
    )
    from pkgsync.model.secret import Basic, Login, SshKey
else:
    __getattr__ = lazily(
        __name__, "policy origin key filename desired relations actual actions plan explained reports secret"
    )

__all__ = [
    "EVERYTHING",
    "SYNCED_TYPES",
    "Action",
    "ActionKind",
    "ActualState",
    "Answer",
    "Approval",
    "ApprovalRule",
    "Architecture",
    "ArchitectureEvidence",
    "Archiving",
    "Audit",
    "AuditQuery",
    "AuditSort",
    "Basic",
    "BuiltFile",
    "BuiltPackage",
    "Cause",
    "Comparison",
    "ConfigChange",
    "ContentFrom",
    "Counts",
    "Deletion",
    "DesiredState",
    "Distribution",
    "DistributionLimits",
    "Evidence",
    "Explanation",
    "Fate",
    "Flip",
    "GoneRule",
    "Held",
    "Index",
    "IndexWait",
    "IndexedFile",
    "Keyed",
    "LeftOut",
    "LimitExceeded",
    "Limits",
    "Login",
    "Missing",
    "Need",
    "Needs",
    "NoLonger",
    "Observed",
    "OldContent",
    "Origin",
    "Orphan",
    "OrphanAction",
    "OrphanPolicy",
    "Outcome",
    "Overrides",
    "PackageType",
    "Plan",
    "PlanSource",
    "PlanTarget",
    "PlannedArchitecture",
    "PlannedRepository",
    "Policy",
    "Problem",
    "Receipt",
    "ReceiptLine",
    "Relation",
    "Relations",
    "Removal",
    "Replacement",
    "Repository",
    "RepositoryEvidence",
    "Row",
    "Selection",
    "Shadowed",
    "Signed",
    "Source",
    "SshKey",
    "Step",
    "Summary",
    "SupersededBy",
    "Transfer",
    "Upload",
    "Version",
    "WorldChange",
    "iso",
]


def iso(moment: datetime) -> str:
    """The moment as ISO 8601 in UTC with seconds and a ``Z``."""
    # strftime writes the year 26 as it is
    return f"{moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec='seconds')}Z"
