"""The pure core: (desired state, actual state, policy, now) -> what to do and why. No input or output, no clock."""

from typing import TYPE_CHECKING

from pkgsync.lazy import lazily

if TYPE_CHECKING:
    from pkgsync.reconcile.audits import arranged, audit, losing, unasked
    from pkgsync.reconcile.causes import compare, compare_all
    from pkgsync.reconcile.decisions import Reconciliation, reconcile
    from pkgsync.reconcile.explanations import explain
    from pkgsync.reconcile.filters import FileFilter, Selector
    from pkgsync.reconcile.planning import Setting, build_plan
    from pkgsync.reconcile.rechecks import recheck
    from pkgsync.reconcile.serving import expected_after, expected_of, verify, wanted
    from pkgsync.reconcile.standing import Sent, Standing, left
    from pkgsync.reconcile.undo import Kept, undo_plan
else:
    __getattr__ = lazily(
        __name__, "filters decisions planning audits explanations causes standing rechecks serving undo"
    )

__all__ = [
    "FileFilter",
    "Kept",
    "Reconciliation",
    "Selector",
    "Sent",
    "Setting",
    "Standing",
    "arranged",
    "audit",
    "build_plan",
    "compare",
    "compare_all",
    "expected_after",
    "expected_of",
    "explain",
    "left",
    "losing",
    "recheck",
    "reconcile",
    "unasked",
    "undo_plan",
    "verify",
    "wanted",
]
