"""The pure core: (desired state, actual state, policy, now) -> what to do and why. No input or output, no clock."""

from pkgsync.reconcile.audits import EVERY_ORPHAN, arranged, audit, losing, unasked
from pkgsync.reconcile.causes import compare, compare_all
from pkgsync.reconcile.decisions import Reconciliation, reconcile
from pkgsync.reconcile.explain import explain
from pkgsync.reconcile.filters import FileFilter, Selector
from pkgsync.reconcile.planning import Setting, build_plan
from pkgsync.reconcile.recheck import recheck
from pkgsync.reconcile.serving import expected_after, expected_of, verify, wanted
from pkgsync.reconcile.standing import Sent, Standing
from pkgsync.reconcile.undo import Kept, undo_plan
