"""The sha256 of files whose index states another sum only: they are downloaded once, into the cache."""

import hashlib
import tempfile
from collections.abc import Callable
from typing import BinaryIO, cast

from pkgsync.cache import Cache
from pkgsync.errors import IntegrityError, ReadError
from pkgsync.formats.index_entries import IndexEntry
from pkgsync.model import IndexedFile
from pkgsync.obs.client import ObsClient, Place, from_places

_CHUNK = 1 << 20  # bytes
Hasher = Callable[[str, str, str, int, str, str], str]
"""(project, repository, path, size, algorithm, hex checksum) -> sha256 of the verified file."""


def hasher(client: ObsClient, cache: Cache) -> Hasher:
    """A function that downloads a published file, checks it against the stated sum, and returns its sha256.

    The bytes go into ``cache``, where apply finds them. The function raises ReadError where no
    place has the file, and IntegrityError if its bytes do not fit the index.
    """

    def sha256_of(project: str, repository: str, path: str, size: int, algorithm: str, stated: str) -> str:
        def one(place: Place) -> str:
            with tempfile.TemporaryFile() as stream:
                sink = cast(BinaryIO, stream)
                place.session.download(place.route, sink, size=size)
                if digest_of(sink, algorithm) != stated:
                    raise IntegrityError(
                        f"{project}/{repository}: {path} is not what its index says ({algorithm})",
                        tip="OBS must publish the repository anew.",
                    )
                sha256 = digest_of(sink, "sha256")
                cache.add(sha256, size, lambda target, _: copy(sink, target))
            return sha256

        return from_places(client.published_places(project, repository, path), one)

    return sha256_of


def with_sha256(entry: IndexEntry, project: str, repository: str, hasher: Hasher | None) -> IndexedFile:
    """The entry as a file with a sha256; an index without it costs a download. Raises ReadError, IntegrityError."""
    sha256 = entry.checksum.value
    if entry.checksum.algorithm != "sha256":
        if hasher is None:
            raise ReadError(f"{project}/{repository}: its index has no sha256 of {entry.filename}")
        sum_ = entry.checksum
        sha256 = hasher(project, repository, entry.path, entry.size, sum_.algorithm, sum_.value)
    # by position: there may be a million of them
    return IndexedFile(
        entry.filename,
        entry.path,
        entry.size,
        sha256,
        entry.type,
        entry.name,
        entry.version,
        entry.architecture,
        entry.file_class,
        entry.mtime,
    )


def digest_of(stream: BinaryIO, algorithm: str) -> str:
    """The hex digest of all that ``stream`` holds."""
    stream.seek(0)
    return hashlib.file_digest(stream, algorithm).hexdigest()  # type: ignore[arg-type]


def copy(source: BinaryIO, target: BinaryIO) -> int:
    """All of ``source`` into ``target``; the number of bytes."""
    source.seek(0)
    copied = 0
    while chunk := source.read(_CHUNK):
        copied += target.write(chunk)
    return copied
