"""Where an action of a reviewed plan stands in the world of now, and the fresh decisions that tell."""

from collections.abc import Collection, Mapping
from typing import assert_never

from msgspec import Struct

from pkgsync.model import Action, ActionKind, Held, Orphan, Outcome, Plan, Policy, Problem, Row
from pkgsync.reasons import Group, Reason
from pkgsync.reconcile.decisions import DistributionDecisions
from pkgsync.reconcile.filters import FileFilter


class Standing(Struct, frozen=True, kw_only=True):
    """Due, already done, stale or left; the last two with a reason and a message.

    ``stored_as`` is the name under which a done upload stands there, where that is another one.
    """

    action: Action
    outcome: Outcome
    reason: Reason | None = None
    message: str = ""
    stored_as: str | None = None


class Sent(Struct, frozen=True):
    """What our own journal says that an apply has put under a key."""

    action: ActionKind
    sha256: str


class Fresh(Struct, frozen=True, kw_only=True):
    """What a plan of now decides for the actions of ``plan``, and what it looked at: all rows, and the archive's.

    ``results`` are by distribution, the others by package key. ``sent`` is what the apply that an undo takes back has
    put there, None where no journal of ours tells. ``brought`` are the keys that this plan's own runs sent files to.
    """

    plan: Plan
    policy: Policy
    filters: FileFilter
    results: Mapping[str, DistributionDecisions]
    held: Mapping[str, Held]
    orphans: Mapping[str, Orphan]
    rows: Mapping[str, Row]
    archive: Mapping[str, Row] | None
    sent: Mapping[str, Sent] | None
    brought: Collection[str]

    @property
    def vouched(self) -> bool:
        """Whether it is an undo of an apply whose journal is here."""
        return self.plan.undoes is not None and self.sent is not None


def due(action: Action) -> Standing:
    return Standing(action=action, outcome=Outcome.DUE)


def done(action: Action, message: str) -> Standing:
    return Standing(action=action, outcome=Outcome.ALREADY_DONE, message=message)


def stale(action: Action, reason: Reason, message: str) -> Standing:
    return Standing(action=action, outcome=Outcome.STALE, reason=reason, message=message)


def left(action: Action, reason: Reason, message: str) -> Standing:
    return Standing(action=action, outcome=Outcome.LEFT, reason=reason, message=message)


def unmanaged(action: Action) -> Standing:
    return stale(action, Reason.POLICY_CHANGED, f"the config no longer manages {action.distribution}")


def stopped(action: Action, stop: Orphan | Held | Problem) -> Standing:
    """What becomes of a planned action that a plan of now would not hold."""
    words = f"{stop.reason}: {stop.message}"
    match stop.reason.group:
        case Group.KEPT | Group.RETAINED | Group.CONTRARY:
            return stale(action, Reason.POLICY_CHANGED, words)
        case Group.CHANGED:
            return stale(action, stop.reason, stop.message)
        case Group.LATER:
            return left(action, stop.reason, stop.message)
        case Group.DOUBT | Group.UNSETTLED | Group.ABSENT | Group.APPLY | Group.DUE:  # no check stops by the last two
            return left(action, Reason.UNSETTLED, words)
        case never:
            assert_never(never)
