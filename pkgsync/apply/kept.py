"""The world that an undo starts from: what Packagecloud holds now, and what is kept of what it held."""

from collections.abc import Callable, Collection
from datetime import datetime

from pkgsync import packagecloud
from pkgsync.cache import Cache
from pkgsync.model import ActualState, Policy, Receipt, ReceiptLine, Row
from pkgsync.packagecloud import PackagecloudClient
from pkgsync.packagecloud.asking import ask
from pkgsync.progress import Progress
from pkgsync.reconcile import Kept


def look_back(
    receipt: Receipt,
    client: PackagecloudClient,
    policy: Policy,
    store: Cache,
    managed: Collection[str],
    *,
    now: Callable[[], datetime],
    progress: Progress,
) -> tuple[ActualState, Kept]:
    """Both, of the backup store and the archive only sizes; the archive is read if the receipt moved anything there.

    Raises ReadError, ConfigError for an archive that does not exist, AuthenticationError, QuotaError, StorageError.
    """
    actual = packagecloud.gather(client, {*managed, *receipt.target.distributions}, now=now, progress=progress)
    archive_to = policy.orphans.archive_to
    moved = [line for line in receipt.lines if line.undo == "archive" and line.archive_to == archive_to]
    sizes = {line.key: line.size for line in moved}
    if archive_to is not None and moved:
        archive = PackagecloudClient(client.session, archive_to)
        actual = packagecloud.with_archive(archive, actual, wanted=sizes.keys(), progress=progress)
        unsized = [row for line in moved if (row := _unsized(line, actual)) is not None]
        sizes |= ask(unsized, lambda row: archive.details(row).size, "Asking for sizes", progress).values
    return actual, Kept(_backups(receipt, store), {key: size for key, size in sizes.items() if size is not None})


def _backups(receipt: Receipt, store: Cache) -> dict[str, int]:
    sums = {sha256 for line in receipt.lines for sha256 in (line.sha256, line.old_sha256) if sha256}
    return {sha256: size for sha256 in sums if (size := store.size(sha256)) is not None}


def _unsized(line: ReceiptLine, actual: ActualState) -> Row | None:
    return actual.archive.get(line.key) if actual.archive is not None and line.size is None else None
