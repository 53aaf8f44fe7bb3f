"""Why an orphan must stay: the checks that it passes in this order, the first stop being its reason.

Every check returns a stop (a reason with words) or lets the row pass. Whatever is not certain stops.
"""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from functools import cache, partial

from attrs import field, frozen

from pkgsync.model import OrphanAction, PackageType, Policy, Problem, Row, Version
from pkgsync.reasons import Reason
from pkgsync.reconcile.filters import Globs
from pkgsync.reconcile.identity import Identity, architecture_of, contradiction, identity_of, name_key, place_of
from pkgsync.reconcile.offers import Offer, Offered
from pkgsync.reconcile.retention import VersionGroup
from pkgsync.reconcile.versions import UnknownVersion, compare, of_row, orderable


@frozen(kw_only=True)
class Facts:
    """What the checks look at, for one distribution. ``rows`` are by file name, ``total`` counts the whole listing.

    ``coming`` are the names on Packagecloud that get OBS's content by the plan.
    ``downloads`` are the known counts of the last ``limits.in_use_days``, by package key. ``archive`` are the rows of
    ``orphans.archive_to`` by package key; None where they were not read.
    """

    offered: Offered
    rows: Mapping[str, Row]
    groups: Mapping[Identity, VersionGroup]
    renamed: frozenset[str]
    coming: frozenset[str]
    policy: Policy
    now: datetime
    total: int
    downloads: Mapping[str, int | None] = field(factory=dict)
    archive: Mapping[str, Row] | None = None
    protect: Globs = field(init=False)
    names: Globs = field(init=False)
    uploaders: Globs = field(init=False)
    without_files: Globs = field(init=False)
    possible_owners: Callable[[str], list[str]] = field(init=False)

    @protect.default
    def _protect(self) -> Globs:
        return Globs(self.policy.orphans.protect)

    @names.default
    def _names(self) -> Globs:
        return Globs(self.policy.orphans.names)

    @uploaders.default
    def _uploaders(self) -> Globs:
        return Globs(self.policy.orphans.uploaders)

    @without_files.default
    def _without_files(self) -> Globs:
        return Globs(self.policy.orphans.without_files)

    @possible_owners.default
    def _possible_owners(self) -> Callable[[str], list[str]]:
        return cache(partial(_possible_owners, self.offered, self.without_files))


def superseding(row: Row, facts: Facts) -> Offer | None:
    """The file of the row's name and architecture in the highest version of any index, if that is higher.

    Files that the filters leave out count: OBS offers them, so no filter can turn a row into one that is gone.
    """
    version = of_row(row)
    if isinstance(version, UnknownVersion):
        return None
    best: Offer | None = None
    best_version: Version = version
    for offer in _same_name(row, facts):
        file = offer.file
        if identity_of(file) != identity_of(row) or not orderable(file.version, file.type):
            continue
        if compare(file.version, best_version, file.type) > 0:
            best, best_version = offer, file.version
    return best


def _same_name(row: Row, facts: Facts) -> list[Offer]:
    return facts.offered.by_name.get(name_key(row), [])


Check = Callable[[Row, Facts, Offer | None], Problem | None]


def _built_not_published(row: Row, facts: Facts, _: Offer | None) -> Problem | None:
    # obs/README.md, "_result": it may list what was deleted long ago; it holds the row all the same
    builder = facts.offered.builder_of(row)
    if builder is None:
        return None
    return Problem(Reason.BUILT_NOT_PUBLISHED, f"{builder} has built it, but the published index does not list it")


def _protected(row: Row, facts: Facts, _: Offer | None) -> Problem | None:
    if facts.protect.match(row.filename) or facts.protect.match(row.key):
        return Problem(Reason.PROTECTED, "a protect glob matches")
    return None


def _settled(row: Row, facts: Facts, _: Offer | None) -> Problem | None:
    return facts.offered.problem(architecture_of(row))


def _ours(row: Row, facts: Facts, _: Offer | None) -> Problem | None:
    return not_owned(row, facts.offered, facts.names, facts.uploaders)


def not_owned(row: Row, offered: Offered, names: Globs, uploaders: Globs) -> Problem | None:
    """Why the row may be somebody else's; None: OBS offers its name there, or the config claims it."""
    claimed = names.match(row.name) or (row.uploader is not None and uploaders.match(row.uploader))
    if claimed or name_key(row) in offered.by_name:
        return None
    if (unread := offered.unread()) is not None:
        return unread
    return Problem(Reason.NOT_OWNED, f"OBS offers no {row.name} there, and orphans.names does not claim it")


def _superseded_or_gone(row: Row, facts: Facts, newer: Offer | None) -> Problem | None:
    if newer is not None:
        return _newer_is_good(newer, facts.offered)
    offers = _same_name(row, facts)
    if not offers:
        return _gone(row, facts)
    if isinstance(version := of_row(row), UnknownVersion):
        return Problem(Reason.VERSION_UNKNOWN, f"its version {version.text} cannot be ordered")
    same = [o for o in offers if identity_of(o.file) == identity_of(row)]
    if not same:
        found = ", ".join(sorted({o.file.architecture for o in offers}))
        return Problem(Reason.OTHER_ARCHITECTURE, f"OBS offers {row.name} for {found} only")
    return Problem(Reason.NOT_NEWER, f"OBS offers {same[0].file.version}, which is not newer")


def _newer_is_good(newer: Offer, offered: Offered) -> Problem | None:
    """Whatever repository lists the newer file must show it for a package, and all those must have succeeded."""
    filename = newer.file.filename
    if filename in offered.not_built:
        return Problem(Reason.NOT_SUCCEEDED, f"no package in OBS shows {filename} among its files")
    for architecture, package in offered.builders[filename]:
        # obs/README.md, "Package states": any other state may still show the files of an older build
        if package.code != "succeeded":
            words = f"{package.name} ({architecture}), which offers {filename}, is {package.code}"
            return Problem(Reason.NOT_SUCCEEDED, words)
    return None


def _gone(row: Row, facts: Facts) -> Problem | None:
    if (unnamed := next((r for r in facts.offered.all_repositories if r.catch_all), None)) is not None:
        words = f"{unnamed.project} feeds {row.distribution} by `*`, where no missing repository would be noticed"
        return Problem(Reason.CATCH_ALL, words)
    if (builder := facts.offered.may_be_built(row)) is not None:
        return Problem(Reason.BUILT_NOT_PUBLISHED, f"{builder}, but no published index lists {row.name}")
    owners = facts.possible_owners(architecture_of(row))
    if not owners:
        return None
    more = f" and {len(owners) - 5} more" if len(owners) > 5 else ""
    return Problem(Reason.OWNER_UNKNOWN, f"packages without files could own it: {', '.join(owners[:5])}{more}")


def _possible_owners(offered: Offered, cleared: Globs, of: str) -> list[str]:
    """The packages without files that a file of architecture ``of`` could come from, for all we know."""
    owners: list[str] = []
    for repository in offered.all_repositories:
        for architecture in offered.relevant(repository, of):
            if not architecture.packages:
                owners.append(f"{repository.id}/{architecture.name} (OBS lists no package)")
            # obs/README.md, "Package states": an empty list means something only where the package is excluded
            owners += (
                f"{repository.project}/{p.name} ({architecture.name}, {p.code})"
                for p in sorted(architecture.packages, key=lambda p: p.name)
                if not offered.has_binaries(repository, p) and p.code != "excluded" and not cleared.match(p.name)
            )
    return owners


def _retention(row: Row, facts: Facts, newer: Offer | None) -> Problem | None:
    group = facts.groups[identity_of(row)]
    version = of_row(row)
    if group.unknown or isinstance(version, UnknownVersion):
        return Problem(Reason.VERSION_UNKNOWN, f"the version of {group.unknown or row.filename} cannot be ordered")
    if group.not_here:
        return Problem(
            Reason.NEWEST_NOT_HERE, f"OBS offers {group.not_here}, which Packagecloud does not hold yet as OBS has it"
        )
    if newer and not _stays(newer, facts):
        words = f"{newer.filename}, which is newer, is not on Packagecloud with OBS's content, nor does it come"
        return Problem(Reason.NEWEST_NOT_HERE, words)
    rank = group.rank(version, PackageType(row.type))
    keep = facts.policy.orphans.keep_versions
    # no config can say so, but --orphans over one that keeps them
    if keep is None and facts.policy.orphans.action is not OrphanAction.KEEP:
        return Problem(Reason.KEEP_VERSIONS, "orphans.keep_versions is not set")
    if keep is not None and rank < keep:
        return Problem(Reason.KEEP_VERSIONS, f"version {rank + 1} of the newest {keep} to keep")
    if rank == 0 and not facts.names.match(row.name):
        return Problem(Reason.LAST_VERSION, f"no newer version of {row.name} would remain")
    return None


def _stays(newer: Offer, facts: Facts) -> bool:
    """Whether the very content that OBS offers is there after the plan."""
    offer = facts.offered.offers.get(newer.filename)
    comes = newer.filename in facts.coming and offer is not None and offer.file.sha256 == newer.file.sha256
    return comes or _row_of(newer, facts) is not None


def _row_of(offer: Offer, facts: Facts) -> Row | None:
    """The row that holds what OBS offers."""
    row = facts.rows.get(offer.filename)
    return row if row is not None and row.sha256 == offer.file.sha256 else None


def _min_age(row: Row, facts: Facts, _: Offer | None) -> Problem | None:
    return _too_young(Reason.MIN_AGE, row.created_at, facts.policy.orphans.min_age, facts.now)


def _grace(row: Row, facts: Facts, newer: Offer | None) -> Problem | None:
    grace = facts.policy.orphans.grace
    if not grace:
        return None
    if newer is None:
        return Problem(Reason.GRACE, "it is not known since when OBS no longer offers it")
    successor = _row_of(newer, facts)
    if successor is None:
        return Problem(Reason.GRACE, f"{newer.filename} only comes with this plan")
    return _too_young(Reason.GRACE, successor.created_at, grace, facts.now)


def _too_young(reason: Reason, created_at: str, least: timedelta, now: datetime) -> Problem | None:
    if not least:
        return None
    try:
        age = now - datetime.fromisoformat(created_at)
    # TypeError: a time without a zone
    except (ValueError, TypeError):
        return Problem(reason, "its created_at is not a time")
    return Problem(reason, f"since {created_at}, less than {least} ago") if age < least else None


def _content_known(row: Row, facts: Facts, _: Offer | None) -> Problem | None:
    if row.sha256 is None:
        return Problem(Reason.CONTENT_UNKNOWN, "Packagecloud does not tell its checksum")
    return None


def _archivable(row: Row, facts: Facts, _: Offer | None) -> Problem | None:
    """Equal content in the archive is no stop: the row here is then deleted, and that one is its backup."""
    orphans = facts.policy.orphans
    if orphans.action is not OrphanAction.ARCHIVE:
        return None
    if facts.archive is None:
        return Problem(Reason.UNREAD, f"the archive {orphans.archive_to} could not be read")
    there = facts.archive.get(row.key)
    if there is None or there.sha256 == row.sha256:
        return None
    if there.sha256 is None:
        words = f"{orphans.archive_to} holds a file of this name whose checksum Packagecloud does not tell"
        return Problem(Reason.CONTENT_UNKNOWN, words)
    return Problem(Reason.ARCHIVE_CLASH, f"{orphans.archive_to} holds {there.sha256[:12]} under this name")


def _in_use(row: Row, facts: Facts, _: Offer | None) -> Problem | None:
    """The last check, so that only what passes all others needs to be asked for."""
    days = facts.policy.limits.in_use_days
    if days is None:
        return None
    if row.key not in facts.downloads:
        return Problem(Reason.IN_USE, f"its downloads of {_last(days)} were not asked for")
    count = facts.downloads[row.key]
    if count is None:
        return Problem(Reason.IN_USE, f"Packagecloud does not tell its downloads of {_last(days)}")
    times = "once" if count == 1 else f"{count} times"
    return Problem(Reason.IN_USE, f"downloaded {times} in {_last(days)}") if count else None


def _last(days: int) -> str:
    return "the last day" if days == 1 else f"the last {days} days"


def _consistent(row: Row, facts: Facts, _: Offer | None) -> Problem | None:
    """Fields that are not those of the file prove nothing about it."""
    odd = contradiction(row)
    return Problem(Reason.NAME_MISMATCH, odd) if odd else None


def _not_offered(row: Row, facts: Facts, _: Offer | None) -> Problem | None:
    """Another row or file of the same package in the same version: OBS offers what the row is."""
    offer = facts.offered.places.get(place_of(row))
    return Problem(Reason.SAME_IDENTITY, f"OBS publishes it as {offer.file.filename}") if offer else None


# In this order reasons that last are told before those of the moment; in_use costs a request per row.
CHECKS: tuple[Check, ...] = (
    _protected,
    _not_offered,
    _built_not_published,
    _ours,
    _consistent,
    _superseded_or_gone,
    _retention,
    _min_age,
    _grace,
    _content_known,
    _settled,
    _archivable,
    _in_use,
)
