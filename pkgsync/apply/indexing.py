"""Waits, after an apply, until package managers get what it changed."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from pkgsync import planfile
from pkgsync.apply.journal import stamp
from pkgsync.apply.outcome import exit_code_of
from pkgsync.backoff import seconds_before
from pkgsync.config import Config
from pkgsync.errors import ExitCode, PkgsyncError
from pkgsync.files import write_atomically
from pkgsync.model import IndexWait, Receipt
from pkgsync.model.served import ServedState, Verification
from pkgsync.packagecloud import PackagecloudClient
from pkgsync.services import packagecloud_session, served_after
from pkgsync.surroundings import Surroundings


class IndexPatience(Struct, frozen=True, kw_only=True):
    """Looks, and seconds between them: about ten minutes in all (packagecloud/README.md, "Consistency")."""

    looks: int = 30
    backoff_seconds: float = 2.0
    backoff_cap_seconds: float = 30.0


def awaited(
    receipt: Receipt,
    path: Path,
    config: Config,
    surroundings: Surroundings,
    now: Callable[[], datetime],
    say: Callable[[str], object],
) -> Receipt:
    """The receipt with what package managers get in the end and the exit code that this asks for, as ``path`` has it.

    ``say`` gets words for people. What cannot be read is a warning: the apply itself is done. Raises OSError.
    """
    say("Waiting until package managers get it; the receipt is written, Ctrl-C ends only the waiting.")
    ended = _awaited(receipt, config, surroundings, now, say)
    write_atomically(path, planfile.dump_receipt(ended))
    return ended


def _awaited(
    receipt: Receipt,
    config: Config,
    surroundings: Surroundings,
    now: Callable[[], datetime],
    say: Callable[[str], object],
) -> Receipt:
    client = PackagecloudClient(packagecloud_session(config, surroundings), config.packagecloud.repository)
    try:
        found = _look_until_done(
            lambda: served_after(receipt, config, client, surroundings, now()), surroundings.sleep, say, IndexPatience()
        )
    except PkgsyncError as error:
        words = f"what package managers get is not known: {error.message}"
        return _ended(replace(receipt, warnings=(*receipt.warnings, words)), error.exit_code)
    seconds = (now() - datetime.fromisoformat(receipt.finished_at)).total_seconds()
    wait = IndexWait(
        checked_at=stamp(now()),
        seconds=max(0, round(seconds)),
        served=found.served,
        not_served=tuple(file.key for file in found.files),
    )
    problems = tuple(index.problem for index in found.indexes if index.problem)
    code = ExitCode.INTEGRITY if found.is_wrong else ExitCode.OK if found.is_done else ExitCode.ERROR
    return _ended(replace(receipt, index=wait, warnings=(*receipt.warnings, *problems)), code)


def _look_until_done(
    look: Callable[[], Verification],
    pause: Callable[[float], object],
    say: Callable[[str], object],
    patience: IndexPatience,
) -> Verification:
    told = ""
    for attempt in range(1, patience.looks):
        found = look()
        # an index that contradicts itself may be in the making; other bytes in a newer one stay
        if found.is_done or any(file.state is ServedState.DIFFERS for file in found.files):
            return found
        words = f"Package managers get {found.served} of {found.served + len(found.files)}; looking again."
        if words != told:
            say(words)
        told = words
        pause(seconds_before(attempt, patience.backoff_seconds, patience.backoff_cap_seconds))
    return look()


def _ended(receipt: Receipt, code: ExitCode) -> Receipt:
    return replace(receipt, exit_code=exit_code_of({ExitCode(receipt.exit_code), code}))
