"""Plans as pkgsync's own commands check and show them, and the names under which runs hand them on."""

import hashlib
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

from web import StepError

ACTIONS = ("uploads", "replacements", "deletions", "archivings")
DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


# -P: a folder of the pull request that is called pkgsync is not what runs
_PKGSYNC = (sys.executable, "-P", "-m", "pkgsync")


def run(*arguments: str) -> int:
    """Run pkgsync, all that it says in the log. Gives its exit code."""
    return subprocess.run([*_PKGSYNC, *arguments], check=False).returncode  # noqa: S603


def shown(path: Path, *arguments: str) -> str:
    """A plan or a receipt in another form, after its schema and digest were checked. Raises StepError."""
    done = subprocess.run([*_PKGSYNC, "show", *arguments, str(path)], stdout=subprocess.PIPE, check=False)  # noqa: S603
    if done.returncode:
        raise StepError(f"{path.name} is not a sound file of pkgsync (exit code {done.returncode}). Make a new plan.")
    return done.stdout.decode("utf-8")


def read(path: Path) -> dict[str, Any]:
    """The plan, checked. Raises StepError."""
    plan: dict[str, Any] = json.loads(shown(path, "--json"))
    if "plan_digest" in plan:
        raise StepError(f"{path.name} is a receipt, not a plan")
    return plan


def parts(path: Path, length: int) -> Iterator[str]:
    """The plan in Markdown, in parts of at most ``length`` UTF-16 units; the deletions that do not fit come later."""
    for part in count(1):
        text = shown(path, "--format", "markdown", "--max-length", str(length), "--part", str(part)).strip()
        if not text:
            return
        yield text


def changes(plan: dict[str, Any]) -> int:
    return sum(plan["summary"]["total"][kind] for kind in ACTIONS)


def key(config: str) -> str:
    """What tells the comments and artifacts of one config from another's."""
    return hashlib.sha256(config.encode("utf-8")).hexdigest()[:16]


def artifact(kind: str, config: str) -> str:
    """``plan`` may be applied; ``preview`` (of a fork) and ``snapshot`` never are."""
    plain = re.sub(r"[^A-Za-z0-9._-]", "-", Path(config).stem)[:40]
    return f"pkgsync-{kind}-{plain}-{key(config)}"
