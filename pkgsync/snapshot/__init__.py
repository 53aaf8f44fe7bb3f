"""Both worlds as one run read them, in a file: for plans without network and credentials, of this config or another.

It holds what a plan may hold, and no more: no route, no token, no word of a server. What is read may come from anybody;
the worst that it can bring about is a wrong plan, and apply reads both services again.
"""

import re
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec
from msgspec.structs import replace

from pkgsync.config import Config
from pkgsync.errors import PlanFileError, UsageError
from pkgsync.files import write_atomically
from pkgsync.model import ActualState, OrphanAction, Policy, iso
from pkgsync.obs import ObsWorld
from pkgsync.packagecloud.usage import counted_since
from pkgsync.planfile import strictjson, validation
from pkgsync.snapshot.convert import actual_in, actual_out, placed, world_in, world_out

_MAJOR = 1
_NO_SNAPSHOT = "Take one with `pkgsync snapshot -o FILE`."


class Snapshot(msgspec.Struct, frozen=True, kw_only=True):
    """``created_at`` is the present time of the run that read both worlds. Routes are held in memory, never in a file.

    ``published_sha256`` is of ``obs.published_url``, as the URL may be nobody's business. ``archive`` is the repository
    that ``packagecloud.archive`` is of, ``downloads_since`` the day (UTC) since when downloads were counted.
    """

    pkgsync_version: str
    created_at: datetime
    obs_api: str
    published_sha256: str | None
    packagecloud_url: str
    obs: ObsWorld
    packagecloud: ActualState
    archive: str | None = None
    downloads_since: str | None = None
    format_version: str = "1.0"
    digest: str = ""

    def at(self, moment: datetime) -> "Snapshot":
        """The same worlds as if they were read at ``moment``."""
        moment = moment.replace(microsecond=0)
        obs, actual = replace(self.obs, read_at=moment), replace(self.packagecloud, read_at=moment)
        return replace(self, created_at=moment, obs=obs, packagecloud=actual)

    def actual_for(self, policy: Policy, now: datetime) -> ActualState:
        """What Packagecloud held, as far as it is what this policy asks for; other downloads prove nothing."""
        actual, archive_to = self.packagecloud, policy.orphans.archive_to
        if self.archive is None or self.archive != archive_to:
            actual = replace(actual, archive=None)
            if policy.orphans.action is OrphanAction.ARCHIVE:
                words = f"the snapshot did not read the archive {archive_to}, so nothing is archived"
                actual = replace(actual, warnings=(*actual.warnings, words))
        days = policy.limits.in_use_days
        if days is None or self.downloads_since is None or counted_since(days, now).isoformat() < self.downloads_since:
            actual = replace(actual, downloads={})
        return actual


def published_sha256(config: Config) -> str | None:
    url = config.obs.published_url
    return sha256(url.encode()).hexdigest() if url else None


def refuse_elsewhere(snapshot: Snapshot, config: Config) -> None:
    """Raises UsageError where the config names other servers, or another repository, than were read."""
    for what, read, wanted in (
        ("OBS at", snapshot.obs_api, config.obs.api),
        ("Packagecloud at", snapshot.packagecloud_url, config.packagecloud.url),
        ("the Packagecloud repository", snapshot.packagecloud.repository, config.packagecloud.repository),
    ):
        if read != wanted:
            raise UsageError(
                f"The snapshot is of {what} {read}, the config {config.path} names {wanted}.",
                tip="Take a snapshot with that config.",
            )
    if snapshot.published_sha256 != published_sha256(config):
        raise UsageError(
            f"The snapshot was read from another published_url than the config {config.path} names.",
            tip="Take a snapshot with that config.",
        )


def write(snapshot: Snapshot, path: Path) -> Snapshot:
    """Write the file; returns the snapshot with its digest. Raises PlanFileError, OSError."""
    document = _document(snapshot)
    write_atomically(path, strictjson.write_compact(document))
    return replace(snapshot, digest=document["digest"])


def dumps(snapshot: Snapshot) -> bytes:
    """The file's bytes. Equal snapshots give equal bytes. Raises PlanFileError."""
    return strictjson.write_compact(_document(snapshot))


def read(path: Path) -> Snapshot:
    """The snapshot of a file. Raises UsageError where it cannot be read, PlanFileError where it is not sound."""
    return _snapshot(strictjson.read_object(path), str(path))


def is_snapshot(path: Path) -> bool:
    """Whether the file calls itself one, however old or damaged."""
    try:
        _expect(strictjson.read_object(path), str(path))
    except (PlanFileError, UsageError):
        return False
    return True


def loads(data: bytes, name: str) -> Snapshot:
    """The snapshot that ``data`` is; ``name`` is used in messages. Raises PlanFileError."""
    return _snapshot(strictjson.parse_object(data, name), name)


def _snapshot(document: dict[str, Any], name: str) -> Snapshot:
    _expect(document, name)
    validation.check(document, "snapshot", name)
    if document["digest"] != _digest(document):
        raise PlanFileError(f"{name}: the digest does not match: it was edited or cut", tip=_NO_SNAPSHOT)
    try:
        made = {
            "created_at": datetime.fromisoformat(document["created_at"]),
            "obs": placed("obs", world_in, document["obs"]),
            "packagecloud": placed("packagecloud", actual_in, document["packagecloud"]),
        }
    except ValueError as error:
        raise PlanFileError(f"{name}: {validation.cut(str(error))}", tip=_NO_SNAPSHOT) from None
    snapshot = Snapshot(**{key: document[key] for key in Snapshot.__struct_fields__} | made)
    # a cut list would make uploads, and hide what stands there
    if snapshot.packagecloud.total != len(snapshot.packagecloud.rows):
        raise PlanFileError(f"{name}: it does not hold as many rows as it says", tip=_NO_SNAPSHOT)
    return snapshot


def _expect(document: dict[str, Any], name: str) -> None:
    version = document.get("format_version")
    if not isinstance(version, str) or not isinstance(document.get("obs"), dict):
        raise PlanFileError(f"{name}: not a snapshot of pkgsync", tip=_NO_SNAPSHOT)
    if (major := re.match(r"([0-9]{1,6})\.", version)) and int(major[1]) != _MAJOR:
        raise PlanFileError(
            f"{name}: has format {version}; this pkgsync reads format {_MAJOR} only",
            tip="Use the pkgsync that wrote it, or take a new snapshot.",
        )


def _document(snapshot: Snapshot) -> dict[str, Any]:
    """What the file holds, its digest too. Raises PlanFileError for what could not be read again."""
    found = {
        **msgspec.structs.asdict(snapshot),
        "created_at": iso(snapshot.created_at),
        "obs": world_out(snapshot.obs),
        "packagecloud": actual_out(snapshot.packagecloud),
    }
    first = ("format_version", "pkgsync_version", "created_at", "digest")
    document = {key: found[key] for key in first} | found
    document["digest"] = _digest(document)
    validation.check(document, "snapshot", "the new snapshot")
    return document


def _digest(document: dict[str, Any]) -> str:
    """Over the file's own order and spelling, as that of a plan would take longer than all the rest."""
    rest = {key: value for key, value in document.items() if key != "digest"}
    return f"sha256:{sha256(strictjson.write_compact(rest)).hexdigest()}"
