"""How one action ended, and what that means for the run."""

from typing import Literal, Self

from attrs import frozen

from pkgsync.errors import AuthenticationError, ExitCode, IntegrityError, PkgsyncError, QuotaError
from pkgsync.model import Outcome
from pkgsync.reasons import Reason

_TELLING = (AuthenticationError, QuotaError, IntegrityError)


@frozen(kw_only=True)
class Result:
    """What a worker found out about its action.

    ``verified`` says how: "reply" (checksum in the upload's answer), "listing", "download" (downloaded back and
    hashed) or "absent" (two looks found no row). ``code`` is set by failures that the exit code shall tell, ``size``
    (bytes) where the plan does not tell it.
    """

    outcome: Outcome
    message: str = ""
    reason: Reason | None = None
    verified: str | None = None
    stored_as: str | None = None
    size: int | None = None
    absent_seconds: float | None = None
    undo: Literal["backup", "archive", "none"] | None = None
    code: ExitCode | None = None

    @property
    def present(self) -> bool:
        """Whether the action's goal is reached."""
        return self.outcome.is_goal

    @property
    def codes(self) -> frozenset[ExitCode]:
        """The exit codes that this result asks for."""
        if self.present or self.outcome is Outcome.DUE or self.reason is Reason.NOT_SELECTED:
            return frozenset()
        if self.outcome is Outcome.STALE:
            return frozenset({ExitCode.STALE})
        return frozenset({ExitCode.PARTLY} | ({self.code} if self.code is not None else set()))

    @classmethod
    def failed(cls, error: PkgsyncError, message: str = "") -> Self:
        code = error.exit_code if isinstance(error, _TELLING) else None
        return cls(outcome=Outcome.FAILED, message=message or error.message, code=code)

    @classmethod
    def stale(cls, reason: Reason, message: str) -> Self:
        return cls(outcome=Outcome.STALE, reason=reason, message=message)

    @classmethod
    def left(cls, message: str, reason: Reason | None = None) -> Self:
        return cls(outcome=Outcome.LEFT, reason=reason, message=message)


def exit_code_of(codes: frozenset[ExitCode], precedence: tuple[ExitCode, ...]) -> ExitCode:
    """The first of ``precedence`` that is among ``codes``; OK when none is."""
    return next((code for code in precedence if code in codes), ExitCode.OK)
