"""The state of the embedded Packagecloud: repositories and packages. Tests change it while the real client runs."""

import random
import secrets
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from threading import RLock
from typing import Any, Literal

from attrs import define, field

from .blobs import Blob
from .clock import Clock
from .consumers import Content, Served, serve
from .faults import Switchboard
from .headers import PackageHeader, read_header
from .signing import Signer

FILENAME_TAKEN = {"filename": ["has already been taken"]}
FULL_NAME_EXISTS = {"repository": ["Validation failed: Full name already exists."]}
PLAN_FULL = {"plan": ["Upgrade to add more packages!"]}
Key = tuple[str, str]  # distribution, file name


class RefusedError(Exception):
    """An action that Packagecloud refuses: HTTP status and JSON body."""

    def __init__(self, status: int, body: dict[str, object]) -> None:
        super().__init__(str(body))
        self.status, self.body = status, body


@define(eq=False, kw_only=True)
class Row:
    """One package in one distribution of one repository.

    shown: how often the API showed it so far. told: all that its JSON was last made of, and that JSON.
    """

    repository: str
    distribution: str
    filename: str
    header: PackageHeader
    blob: Blob
    created_at: str
    uploader: str
    indexed: bool = False
    shown: int = 0
    downloads: int = 0
    told: tuple[tuple[Any, ...], str] | None = field(default=None, repr=False)


@define(eq=False, kw_only=True)
class PackagecloudWorld:
    """All repositories, and the switches.

    order: of listings; `unstable` is shuffled anew for each request. sha_delay: how often a row is shown with a null
    sha256sum (None: always). listing_lag: how many listings leave a new row out; hidden: how many to come leave a row
    out. reserve_after_delete: how many uploads of a deleted name are refused as duplicates. duplicate: the wording of
    that refusal. plan_full: every upload is refused. encode_urls: percent-encode `+` and the like in links. private:
    the repositories whose download_url carries the read token, and token_in where. rename: the server's own idea of a
    file name. cdn_ranges: whether the CDN honours Range. signer: of the indexes; None: nothing is signed. index_lag:
    how many requests for a top file of a distribution still get the old index after a change (None: all).
    """

    folder: Path
    clock: Clock = field(factory=Clock)
    token: str = field(factory=lambda: secrets.token_hex(24))
    read_token: str = field(factory=lambda: secrets.token_hex(24))
    uploader: str = "demo-bot"
    max_per_page: int = 250
    order: Literal["newest", "oldest", "shuffled", "unstable"] = "newest"
    sha_delay: int | None = 0
    listing_lag: int = 0
    reserve_after_delete: int = 0
    duplicate: Literal["filename", "repository"] = "filename"
    plan_full: bool = False
    encode_urls: bool = True
    token_in: Literal["query", "userinfo", "path"] = "query"  # noqa: S105 - a place, not a token
    private: set[str] = field(factory=set)
    rename: Callable[[str], str] = str
    cdn_ranges: bool = True
    signer: Signer | None = None
    index_lag: int | None = 0
    faults: Switchboard = field(factory=Switchboard)
    cdn_faults: Switchboard = field(factory=Switchboard)
    repositories: dict[str, dict[Key, Row]] = field(factory=dict)
    hidden: Counter[Row] = field(factory=Counter, repr=False)
    signed: dict[str, Row] = field(factory=dict, repr=False)
    lock: RLock = field(factory=RLock, repr=False)
    _served: dict[tuple[str, str], Served] = field(factory=dict, repr=False)
    _lagged: dict[tuple[str, str], int] = field(factory=dict, repr=False)
    _reserved: dict[tuple[str, str, str], int] = field(factory=dict, repr=False)
    _random: random.Random = field(factory=lambda: random.Random(0), repr=False)  # noqa: S311 - order only

    def add_repository(self, name: str) -> None:
        """Make an empty repository `user/name`."""
        with self.lock:
            self.repositories.setdefault(name, {})

    def add(
        self,
        repository: str,
        distribution: str,
        blob: Blob,
        *,
        created_at: str | None = None,
        uploader: str | None = None,
        filename: str | None = None,
    ) -> Row:
        """Store a package; raises RefusedError for a taken name, CorruptPackageError for what is no package."""
        with blob.open() as stream:
            header = read_header(stream)
        with self.lock:
            name = self.rename(filename or header.filename)
            self._check_name(repository, distribution, name)
            row = Row(
                repository=repository,
                distribution=distribution,
                filename=name,
                header=header,
                blob=blob,
                created_at=created_at or self.clock.iso(),
                uploader=uploader or self.uploader,
            )
            self.repositories[repository][distribution, name] = row
            self.hidden.update([row] * self.listing_lag)
            return row

    def upload(self, repository: str, distribution: str, kind: str, blob: Blob) -> Row:
        """Store an uploaded package for a distribution of `kind` rpm or deb; raises as `add`."""
        with self.lock:
            with blob.open() as stream:
                header = read_header(stream)
            if header.kind != kind:
                text = "The specified distro does not support the package you've tried to upload"
                raise RefusedError(422, {"repository": [text]})
            if self.plan_full:
                taken = (distribution, self.rename(header.filename)) in self.repositories[repository]
                raise RefusedError(422, {**(FILENAME_TAKEN if taken else {}), **PLAN_FULL})
            return self.add(repository, distribution, blob)

    def delete(self, repository: str, distribution: str, filename: str) -> None:
        """Remove a package for good; raises RefusedError if it is not there."""
        with self.lock:
            if self.repositories[repository].pop((distribution, filename), None) is None:
                raise RefusedError(404, {"filename": ["not found"]})
            self._reserved[repository, distribution, filename] = self.reserve_after_delete

    def promote(self, repository: str, distribution: str, filename: str, destination: str) -> Row:
        """Move a package to another repository; the download statistics start anew. Raises RefusedError."""
        with self.lock:
            row = self.repositories[repository].get((distribution, filename))
            if row is None:
                raise RefusedError(404, {"filename": ["not found"]})
            if destination not in self.repositories:
                raise RefusedError(404, {"error": "not_found"})
            self._check_name(destination, distribution, filename)
            del self.repositories[repository][distribution, filename]
            row.repository, row.downloads, row.indexed = destination, 0, False
            self.repositories[destination][distribution, filename] = row
            return row

    def find(self, repository: str, distribution: str, filename: str) -> Row | None:
        """The row of a name, if there is one; for tests, it counts as no reading."""
        with self.lock:
            return self.repositories[repository].get((distribution, filename))

    def content(self, repository: str) -> set[tuple[str, str, str]]:
        """(distribution, file name, sha256) of every package, for tests."""
        with self.lock:
            rows = list(self.repositories[repository].values())
        return {(row.distribution, row.filename, row.blob.digest("sha256")) for row in rows}

    def listing(self, repository: str) -> list[Row]:
        """The rows that one listing request sees, in the order of the switch."""
        with self.lock:
            rows = list(self.repositories[repository].values())
            if hidden := {row for row in self.hidden if row.repository == repository}:
                rows = [row for row in rows if row not in hidden]
                self.hidden -= Counter(hidden)
            match self.order:
                case "newest":
                    rows.reverse()
                case "shuffled":
                    random.Random(0).shuffle(rows)  # noqa: S311 - order only
                case "unstable":
                    self._random.shuffle(rows)
            return rows

    def shown_sum(self, row: Row) -> str | None:
        """The sha256sum of a row as this reading shows it; counts the reading."""
        with self.lock:
            row.shown += 1
            known = self.sha_delay is not None and row.shown > self.sha_delay
        return row.blob.digest("sha256") if known else None

    def served(self, repository: str, distribution: str, *, top: bool) -> Served:
        """What package managers get of a distribution; `top`: this is a request for a top file."""
        place = repository, distribution
        with self.lock:
            rows = [row for row in self.repositories[repository].values() if row.distribution == distribution]
            content = frozenset(Content(row.filename, row.header, row.blob) for row in rows)
            served = self._served.get(place, Served())
            if served.content != content and top and self._is_indexed(place):
                served = serve(repository, distribution, content, self.clock.now(), self.signer)
                self._served[place] = served
                for row in rows:
                    row.indexed = True
            return served

    def _is_indexed(self, place: tuple[str, str]) -> bool:
        if self.index_lag is None:
            return False
        left = self._lagged.setdefault(place, self.index_lag)
        self._lagged[place] = left - 1
        if left <= 0:
            del self._lagged[place]
        return left <= 0

    def sign(self, row: Row) -> str:
        """A signature that lets its holder download the row from the CDN."""
        with self.lock:
            signature = secrets.token_urlsafe(32)
            self.signed[signature] = row
            row.downloads += 1
            return signature

    def _check_name(self, repository: str, distribution: str, filename: str) -> None:
        """Refuse a name that is taken, or that a delete still keeps for some tries."""
        left = self._reserved.get((repository, distribution, filename), 0)
        if left:
            self._reserved[repository, distribution, filename] = left - 1
        if left or (distribution, filename) in self.repositories[repository]:
            body = FILENAME_TAKEN if self.duplicate == "filename" else FULL_NAME_EXISTS
            raise RefusedError(422, dict(body))
