"""What the packages of a distribution need of one another, read from the indexes of both services.

Packagecloud's tell it of what stands there, OBS's of what comes, and of what came too lately to be indexed.
"""

from collections.abc import Callable, Collection, Iterator

from msgspec import Struct
from msgspec.structs import replace

from pkgsync.errors import AuthenticationError, ConfigError, IntegrityError, QuotaError, ReadError
from pkgsync.model import SYNCED_TYPES, ActualState, DesiredState, Needs, PackageType, Relations, Row, Transfer
from pkgsync.model.filename import FileClass
from pkgsync.obs import ObsClient, read_relations
from pkgsync.packagecloud import PackagecloudClient
from pkgsync.packagecloud.served import trees
from pkgsync.reconcile.identity import architecture_of, class_in
from pkgsync.reconcile.needs import needs_of
from pkgsync.signatures import PublicKeys


class NeedsReader(Struct, frozen=True, kw_only=True):
    """Reads indexes; ``keys`` are what those of Packagecloud must be signed with."""

    obs: ObsClient
    packagecloud: PackagecloudClient
    keys: Callable[[], PublicKeys | None]

    def read(
        self, distribution: str, desired: DesiredState, actual: ActualState, transfers: Collection[Transfer]
    ) -> Needs:
        """The needs of what stands in the distribution and of the ``transfers``; why not, where a read failed.

        Requests: those of ``trees``; where they do not tell of everything, 2 for each OBS repository behind it.
        """
        rows = [row for row in actual.rows if row.distribution == distribution and _installs(row)]
        coming = {t.sha256: t.filename for t in transfers if t.distribution == distribution}
        wanted = {row.sha256 or row.key: row.filename for row in rows} | coming
        found: dict[str, Relations] = {}
        try:
            found |= self._served(distribution, rows)
            if wanted.keys() - found.keys():
                for repository in desired.repositories:
                    if distribution in repository.distributions:
                        found |= read_relations(self.obs, repository)
            missing = sorted(filename for of, filename in wanted.items() if of not in found)
            return replace(needs_of({of: found[of] for of in wanted if of in found}), unread=_unlisted(missing))
        # the plan itself does not need them
        except (ReadError, IntegrityError, AuthenticationError, QuotaError, ConfigError) as error:
            return Needs(unread=error.message)

    def _served(self, distribution: str, rows: Collection[Row]) -> Iterator[tuple[str, Relations]]:
        for kind in sorted({PackageType(row.type) for row in rows}):
            architectures = {architecture_of(row) for row in rows if row.type == kind} - {""}
            for tree in trees(self.packagecloud, distribution, kind, architectures, self.keys()):
                for entry, relations in tree.relations():
                    if entry.checksum.algorithm == "sha256":
                        yield entry.checksum.value, relations


def _installs(row: Row) -> bool:
    return row.type in SYNCED_TYPES and class_in(row) is not FileClass.SOURCE


def _unlisted(missing: list[str]) -> str:
    more = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
    return f"no index lists {missing[0]}{more}" if missing else ""
