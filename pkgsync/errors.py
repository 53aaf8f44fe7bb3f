"""Every error that ends a run: what happened, what to do next, and the exit code.

Errors are grouped by whose business they are.
Messages never hold a credential; text from a server or a file is escaped where it is printed.
"""

import errno
import signal
from collections.abc import Sequence
from enum import IntEnum
from pathlib import Path
from typing import NamedTuple, Self

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


class ExitCode(IntEnum):
    """The process exit codes; docs/exit-codes.md tells their meanings."""

    OK = 0
    ERROR = 1
    CHANGES = 2
    UNSAFE = 3
    STALE = 4
    PARTLY = 5
    INTEGRITY = 6
    AUTHENTICATION = 7
    LOCKED = 8
    QUOTA = 9
    USAGE = 64
    HANGUP = 129
    INTERRUPTED = 130
    TERMINATED = 143


SIGNALS = {
    signal.SIGHUP: ExitCode.HANGUP,
    signal.SIGINT: ExitCode.INTERRUPTED,
    signal.SIGTERM: ExitCode.TERMINATED,
}
"""Those that end a run."""

PLAN_PRECEDENCE = (
    *SIGNALS.values(),
    ExitCode.USAGE,
    ExitCode.AUTHENTICATION,
    ExitCode.INTEGRITY,
    ExitCode.ERROR,
    ExitCode.UNSAFE,
    ExitCode.CHANGES,
    ExitCode.OK,
)
APPLY_PRECEDENCE = (
    *SIGNALS.values(),
    ExitCode.USAGE,
    ExitCode.LOCKED,
    ExitCode.AUTHENTICATION,
    ExitCode.QUOTA,
    ExitCode.INTEGRITY,
    ExitCode.STALE,
    ExitCode.PARTLY,
    ExitCode.ERROR,
    ExitCode.OK,
)


class PkgsyncError(Exception):
    """The root of all errors that a run ends with.

    ``message`` says what happened and to what, ``tip`` what to do next (may be empty).
    """

    exit_code: ExitCode = ExitCode.ERROR

    def __init__(self, message: str, *, tip: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.tip = tip


class UsageError(PkgsyncError):
    """The command line asks for something that does not exist or does not fit together."""

    exit_code = ExitCode.USAGE


class OtherConfigError(PkgsyncError):
    """On CI, a plan that was made with another config: a merge has changed it since, or it is not the reviewed one."""

    exit_code = ExitCode.STALE


class ConfigError(PkgsyncError):
    """The config file is wrong; the message starts with ``file:line:column``."""


class MappingProblem(NamedTuple):
    """One thing that is wrong with the map of OBS repositories to distributions, and the likely fix.

    ``place`` is where the config says it, as ``file:line:column``. ``subject`` is the name that it is about: an OBS
    repository, as PROJECT/REPOSITORY where only that project has it, or a distribution.
    """

    place: str
    what: str
    fix: str = ""
    subject: str = ""

    @property
    def line(self) -> str:
        return f"{self.place}: {self.what}" if self.place else self.what


class MappingError(ConfigError):
    """All that is wrong with the map, seen beside what both services have."""

    def __init__(self, problems: Sequence[MappingProblem]) -> None:
        self.problems = tuple(dict.fromkeys(problems))
        if len(self.problems) == 1:
            super().__init__(self.problems[0].line, tip=self.problems[0].fix)
        else:
            super().__init__("\n".join(f"{p.line}\n    {p.fix}" if p.fix else p.line for p in self.problems))


class AuthenticationError(PkgsyncError):
    """A service refused the credentials, or a credential is missing or belongs to another origin."""

    exit_code = ExitCode.AUTHENTICATION


class ReadError(PkgsyncError):
    """A read failed for good: refused, timed out, cut off, or not what the service should answer."""


class NotFoundError(ReadError):
    """The service answered 404. For a row or file that is knowledge, elsewhere it is a failed read."""


class RedirectError(ReadError):
    """The answer was a redirect to another server, where only the server itself counts."""


class BusyError(ReadError):
    """The server refused a request for now and made no change; it asks to wait ``wait`` seconds."""

    def __init__(self, message: str, *, wait: float, tip: str = "") -> None:
        super().__init__(message, tip=tip)
        self.wait = wait


class IntegrityError(PkgsyncError):
    """Bytes, a digest or a document are not what was promised."""

    exit_code = ExitCode.INTEGRITY


class SignatureError(IntegrityError):
    """No pinned key vouches for the bytes.

    ``other_bytes``: the signature is of other ones, or there is none yet, as while a repository is published.
    ``other_key``: somebody else has signed.
    """

    def __init__(self, message: str, *, tip: str = "", other_bytes: bool = False, other_key: bool = False) -> None:
        super().__init__(message, tip=tip)
        self.other_bytes = other_bytes
        self.other_key = other_key


class StorageError(PkgsyncError):
    """A local folder (cache, backups, state) cannot be read or written."""

    @classmethod
    def of(cls, folder: Path, error: OSError) -> Self:
        """What the system says of a folder of ours, and what may help."""
        advice = "Free some space" if error.errno in _FULL else "Check its permissions"
        what = f"The folder {folder} cannot be used: {error.strerror or error}."
        return cls(what, tip=f"{advice}, or name another folder.")


class PlanFileError(IntegrityError):
    """A plan or receipt file does not match its schema, its digest, or the format this version knows."""


class UnsafePlanError(PkgsyncError):
    """The plan exceeds a limit, or was written as not applyable."""

    exit_code = ExitCode.UNSAFE


class LockedError(PkgsyncError):
    """Another run works on the same Packagecloud repository."""

    exit_code = ExitCode.LOCKED


class QuotaError(PkgsyncError):
    """Packagecloud refuses because the account's plan, storage or bandwidth is used up; retrying is useless."""

    exit_code = ExitCode.QUOTA


class RefusedError(PkgsyncError):
    """Packagecloud refused one package for good (a 422 that is no duplicate); others may still succeed."""


class DuplicateError(RefusedError):
    """Packagecloud says that the file name is taken (a 422); only a look tells more."""


class AmbiguousError(PkgsyncError):
    """A change was sent and its outcome is unknown (time-out, reset, 5xx); only a look can tell.

    ``wait`` is how many seconds the server asks for before it is sent again, if it does.
    """

    def __init__(self, message: str, *, wait: float | None = None, tip: str = "") -> None:
        super().__init__(message, tip=tip)
        self.wait = wait


class InterruptedRunError(PkgsyncError):
    """A signal ended the run in good order."""

    def __init__(self, message: str, exit_code: ExitCode, *, tip: str = "") -> None:
        super().__init__(message, tip=tip)
        self.exit_code = exit_code
