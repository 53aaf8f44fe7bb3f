"""One apply at a time per Packagecloud repository, whatever the plan.

The kernel holds the lock, so that a crash leaves none behind.
"""

import hashlib
import json
import os
import re
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

from pkgsync.errors import LockedError, StorageError
from pkgsync.files import write_atomically
from pkgsync.model.origin import Origin


@contextmanager
def hold(state_dir: Path, *, api: str, repository: str, plan_digest: str, since: str) -> Iterator[None]:
    """Hold the lock of the repository while the context lasts.

    Raises LockedError, which says who holds it, and StorageError where the state directory cannot be written.
    """
    path = _path(state_dir, api, repository)
    holder = path.with_suffix(".json")
    with _acquired(path, holder, repository):
        try:
            write_atomically(holder, _holder(plan_digest, since), mode=0o600)
        except OSError as error:
            raise _unusable(path, error) from error
        try:
            yield
        finally:
            with suppress(OSError):  # it only tells; what a kill leaves is overwritten by the next holder
                holder.unlink()


def probe(state_dir: Path, *, api: str, repository: str) -> None:
    """Take the lock for a moment, as :func:`hold` would. Raises as that does."""
    path = _path(state_dir, api, repository)
    with _acquired(path, path.with_suffix(".json"), repository):
        pass


def _path(state_dir: Path, api: str, repository: str) -> Path:
    return state_dir / "locks" / f"{_slug(api, repository)}.lock"


@contextmanager
def _acquired(path: Path, holder: Path, repository: str) -> Iterator[None]:
    lock = FileLock(path, timeout=0)  # nobody waits: the plan of a run that waited would be stale
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock.acquire()
    except Timeout:
        raise LockedError(
            f"Another run works on {repository}: {_describe(holder)}.",
            tip="Wait until it has ended, then run the same command again.",
        ) from None
    except OSError as error:
        raise _unusable(path, error) from error
    try:
        yield
    finally:
        lock.release()


def _unusable(path: Path, error: OSError) -> StorageError:
    return StorageError(
        f"The lock {path} cannot be taken: {error.strerror or error}.", tip="Choose another `--state-dir`."
    )


def _slug(api: str, repository: str) -> str:
    identity = f"{Origin.of(api)} {repository}"
    readable = re.sub(r"[^A-Za-z0-9]+", "-", repository)[:40]
    return f"{readable}-{hashlib.sha256(identity.encode()).hexdigest()[:16]}"


def _holder(plan_digest: str, since: str) -> bytes:
    value = {"pid": os.getpid(), "host": socket.gethostname(), "plan": plan_digest, "since": since}
    return json.dumps(value, sort_keys=True).encode()


def _describe(holder: Path) -> str:
    try:
        value = json.loads(holder.read_bytes())
        return f"process {value['pid']} on {value['host']}, plan {value['plan']}, since {value['since']}"
    except (OSError, ValueError, KeyError, TypeError):
        return "it has only just begun"
