"""The values that flow through pkgsync: what OBS offers, what Packagecloud holds, and the plan between them.

All of them are frozen; none but Basic holds a credential.
"""

from datetime import UTC, datetime

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
from pkgsync.model.actual import (
    ActualState,
    Row,
)
from pkgsync.model.desired import (
    Architecture,
    BuiltFile,
    BuiltPackage,
    ContentFrom,
    DesiredState,
    Index,
    IndexedFile,
    Problem,
    Repository,
    Version,
)
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
    DistributionLimits,
    Limits,
    OrphanAction,
    OrphanPolicy,
    Policy,
    Selection,
)
from pkgsync.model.reports import (
    Audit,
    AuditQuery,
    AuditSort,
    Fate,
    Missing,
    Orphan,
    Outcome,
    Receipt,
    ReceiptLine,
)
from pkgsync.model.secret import Basic

__all__ = [
    "EVERYTHING",
    "SYNCED_TYPES",
    "Action",
    "ActionKind",
    "ActualState",
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
    "ContentFrom",
    "Counts",
    "Deletion",
    "DesiredState",
    "DistributionLimits",
    "Evidence",
    "Fate",
    "Held",
    "Index",
    "IndexedFile",
    "Keyed",
    "LeftOut",
    "LimitExceeded",
    "Limits",
    "Missing",
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
    "Removal",
    "Replacement",
    "Repository",
    "RepositoryEvidence",
    "Row",
    "Selection",
    "Shadowed",
    "Source",
    "Summary",
    "SupersededBy",
    "Transfer",
    "Upload",
    "Version",
    "iso",
]


def iso(moment: datetime) -> str:
    """The moment as ISO 8601 in UTC with seconds and a ``Z``."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
