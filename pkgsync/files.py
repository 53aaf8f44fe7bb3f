"""Writes files so that a reader, or a crash, never sees half of one."""

import os
from pathlib import Path


def write_atomically(path: Path, data: bytes, *, mode: int = 0o644) -> None:
    """Write ``data`` to ``path``: a temporary file in the same folder, flushed, fsynced, then renamed.

    The folder is made if it is missing. Raises OSError; then nothing of ``path`` has changed.
    """
    import tempfile  # here, as it costs more than all else of a command that writes nothing

    path.parent.mkdir(parents=True, exist_ok=True)
    # in the same folder, as no rename leads to another file system
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".tmp")
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(data)
            stream.flush()
            os.fchmod(stream.fileno(), mode)
            # before the rename: after a crash the name must not stand over bytes that never came to the disk
            os.fsync(stream.fileno())
        Path(temporary).replace(path)
    # Ctrl-C, too, leaves nothing behind
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make a rename in ``folder`` durable. Raises OSError."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
