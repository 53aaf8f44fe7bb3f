"""Receipts: where they go, what they may replace, and the copies of all that are kept in the state directory.

A receipt is what an undo needs, and nothing can make it again.
"""

from collections.abc import Iterator
from itertools import count
from pathlib import Path

from msgspec import Struct

from pkgsync import planfile
from pkgsync.errors import PkgsyncError, StorageError, UsageError
from pkgsync.files import write_atomically
from pkgsync.model import Receipt


class Kept(Struct, frozen=True):
    """One kept receipt; ``receipt`` is the error where the file cannot be read."""

    path: Path
    receipt: Receipt | PkgsyncError


def beside(plan: Path, digest: str) -> Path:
    """Where the receipt of this plan file goes by default: to another name where the usual one is taken."""
    stem = plan.name.removesuffix(".json")
    usual = plan.with_name(f"{stem}.receipt.json")
    return usual if _is_free(usual, digest) else plan.with_name(f"{stem}.receipt-{digest[7:19]}.json")


def refuse_other(path: Path, digest: str) -> None:
    """Raises UsageError where the place holds anything but a receipt of the plan with this digest."""
    if not _is_free(path, digest):
        raise UsageError(
            f"{path} is not a receipt of this plan: it is not overwritten.",
            tip="Move it away, or choose another place with `--receipt`.",
        )


def _is_free(path: Path, digest: str) -> bool:
    try:
        return not path.exists() or path.stat().st_size == 0 or planfile.read_receipt(path).plan_digest == digest
    except (PkgsyncError, OSError):
        return False


def write(receipt: Receipt, path: Path, state_dir: Path) -> None:
    """Write the receipt, and the copy that is kept. Raises StorageError if the first fails; it names the copy."""
    data = planfile.dump_receipt(receipt)
    copy = _keep(receipt, data, state_dir)
    try:
        write_atomically(path, data)
    except OSError as error:
        tip = f"It is kept in {copy}." if copy else "What was done stands in the journal: run the same command again."
        words = f"The receipt {path} cannot be written: {error.strerror or error}."
        raise StorageError(words, tip=f"{tip} Another place: `--receipt`.") from error


def _keep(receipt: Receipt, data: bytes, state_dir: Path) -> Path | None:
    folder = state_dir / "receipts" / receipt.plan_digest.removeprefix("sha256:")
    try:
        # without its journal a plan counts its runs from one again
        places = (folder / f"{number:04}.json" for number in count(receipt.runs))
        copy = next(place for place in places if not place.exists())
        write_atomically(copy, data)
    except OSError:  # the one that the user named is written all the same
        return None
    return copy


def kept(state_dir: Path) -> Iterator[Kept]:
    """All kept receipts, the newest first, unreadable ones before."""
    found = [_read(path) for path in (state_dir / "receipts").glob("*/*.json")]
    yield from sorted(found, key=_age, reverse=True)


def _read(path: Path) -> Kept:
    try:
        return Kept(path, planfile.read_receipt(path))
    except PkgsyncError as error:
        return Kept(path, error)


def _age(one: Kept) -> tuple[bool, str, str]:
    if isinstance(one.receipt, PkgsyncError):
        return True, "", one.path.name
    return False, one.receipt.finished_at, one.path.name
