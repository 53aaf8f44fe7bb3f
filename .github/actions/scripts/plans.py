"""Runs pkgsync, and reads its plans: checked, in Markdown, under the names by which runs hand them on."""

import hashlib
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from web import StepError

from pkgsync import planfile, report
from pkgsync.errors import PkgsyncError
from pkgsync.model import Counts, Plan

DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


def run(*arguments: str) -> tuple[int, str]:
    """Run pkgsync, all that it says in the log. Gives its exit code, and the last error that it told."""
    # -P: a folder of the pull request that is called pkgsync is not what runs
    command, told = [sys.executable, "-P", "-m", "pkgsync", *arguments], ""
    with subprocess.Popen(command, stderr=subprocess.PIPE, encoding="utf-8", errors="replace") as process:  # noqa: S603
        # a job that is cancelled gets these; pkgsync then ends what is in flight, and writes its receipt
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda received, _: process.send_signal(received))
        for line in process.stderr or ():
            sys.stderr.write(line)
            sys.stderr.flush()
            told = line.removeprefix("error: ").strip() if line.startswith("error: ") else told
    return process.returncode, told


def read(path: Path) -> Plan:
    """The plan, its schema and digest checked. Raises StepError."""
    try:
        return planfile.read(path)
    except PkgsyncError as error:
        raise StepError(f"{path.name} is no sound plan: {error}. Make a new one.") from None


def parts(plan: Plan, length: int) -> Iterator[str]:
    """The plan in Markdown, in parts of at most ``length`` UTF-16 units; the deletions that do not fit come later."""
    return filter(None, (text.strip() for text in report.plan_parts(plan, length)))


def numbers(counts: Counts) -> dict[str, int]:
    """How many there are of each kind of action."""
    return {kind: getattr(counts, kind) for kind in ("uploads", "replacements", "deletions", "archivings")}


def key(config: str) -> str:
    """What tells the comments and artifacts of one config from another's."""
    return hashlib.sha256(config.encode("utf-8")).hexdigest()[:16]


def artifact(kind: str, config: str) -> str:
    """``plan`` may be applied; ``preview`` (of a fork) and ``snapshot`` never are."""
    plain = re.sub(r"[^A-Za-z0-9._-]", "-", Path(config).stem)[:40]
    return f"pkgsync-{kind}-{plain}-{key(config)}"
