"""Why an orphan must stay: the checks that it passes in this order, the first stop being its reason.

Every check returns a stop, with what would take it away, or lets the row pass and says what it has seen. Whatever is
not certain stops.
"""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from pkgsync.model import ConfigChange, Flip, GoneRule, OrphanAction, Row, iso
from pkgsync.reasons import Reason
from pkgsync.reconcile.facts import Case, Facts, Owner
from pkgsync.reconcile.filters import literal
from pkgsync.reconcile.identity import contradiction
from pkgsync.reconcile.offers import Offer, Offered
from pkgsync.reconcile.stops import Stop, adding, removing, setting, world
from pkgsync.reconcile.versions import UnknownVersion


def _by_hand(row: Row) -> Flip:
    return world("If it is not wanted, delete it by hand", "removed", row.key)


def _protected(case: Case, facts: Facts) -> Stop | str:
    row = case.row
    if not facts.protect.match(row.filename) and not facts.protect.match(row.key):
        return "no glob of `orphans.protect` matches"
    globs = (*facts.protect.matching(row.filename), *facts.protect.matching(row.key))
    flip = removing("To let it go, take this out of", "orphans", "protect", values=dict.fromkeys(globs))
    return Stop(Reason.PROTECTED, "a glob of `orphans.protect` matches", flip)


def _not_offered(case: Case, facts: Facts) -> Stop | str:
    """Another row or file of the same package in the same version: OBS offers what the row is."""
    offer = facts.offered.places.get(case.place)
    if offer is None:
        return "OBS publishes no other file of this package in this version"
    name = offer.file.filename
    words = f"It is judged again when OBS publishes {name} no more; or delete it by hand"
    return Stop(Reason.SAME_IDENTITY, f"OBS publishes it as {name}", world(words, "unpublished", name))


def _built_not_published(case: Case, facts: Facts) -> Stop | str:
    row = case.row
    # obs/README.md, "_result": it may list what was deleted long ago; it holds the row all the same
    builder = facts.offered.built.builder_of(row, case.place)
    if builder is None:
        return "no `_result` lists it"
    return _unpublished(f"{builder} has built it, but the published index does not list it", row)


def _unpublished(message: str, row: Row) -> Stop:
    words = "It is judged again when OBS has published it, or has it no more among its build results"
    return Stop(Reason.BUILT_NOT_PUBLISHED, message, world(words, "unbuilt", row.key))


def _ours(case: Case, facts: Facts) -> Stop | str:
    """OBS offers its name there, or the config claims it; else it may be somebody else's."""
    row = case.row
    if facts.names.match(row.name):
        return f"`orphans.names` claims {row.name}"
    if row.uploader is not None and facts.uploaders.match(row.uploader):
        return f"`orphans.uploaders` claims what {row.uploader} uploaded"
    if case.same_name:
        return f"OBS offers {row.name} there"
    if (unread := facts.offered.unread()) is not None:
        return Stop.by(unread, row.distribution)
    flip = adding("To let pkgsync manage it", "orphans", "names", values=[literal(row.name)])
    words = f"nothing shows that it is ours: OBS offers no {row.name} there"
    return Stop(Reason.NOT_OWNED, words, flip)


def _consistent(case: Case, facts: Facts) -> Stop | str:
    """Fields that are not those of the file prove nothing about it."""
    odd = contradiction(case.row)
    return Stop(Reason.NAME_MISMATCH, odd, _by_hand(case.row)) if odd else "its name says what Packagecloud says of it"


def _superseded_or_gone(case: Case, facts: Facts) -> Stop | str:
    row = case.row
    if case.newer is not None:
        return _newer_is_good(case.newer, facts.offered)
    if not case.same_name:
        return _gone(case, facts)
    if isinstance(case.version, UnknownVersion):
        return Stop(Reason.VERSION_UNKNOWN, f"its version {case.version.text} cannot be ordered", _by_hand(row))
    same = [o for o in case.same_name if o.file.architecture == case.architecture]
    if not same:
        found = ", ".join(sorted({o.file.architecture for o in case.same_name}))
        words = f"OBS offers {row.name}, but for {found} only"
        return Stop(Reason.OTHER_ARCHITECTURE, words, _by_hand(row))
    words = f"OBS offers {same[0].file.version}, which is not newer"
    later = world(
        "It goes when OBS publishes a higher version; after a downgrade delete it by hand",
        "newer",
        same[0].file.filename,
    )
    return Stop(Reason.NOT_NEWER, words, later)


def _newer_is_good(newer: Offer, offered: Offered) -> Stop | str:
    """Whatever repository lists the newer file must show it for a package, and all those must have succeeded."""
    filename = newer.file.filename
    if filename in offered.not_built:
        flip = world(f"It goes when a package of OBS shows {filename}", "succeeded", filename)
        return Stop(Reason.NOT_SUCCEEDED, f"no package in OBS shows {filename} among its files", flip)
    for architecture, package in offered.builders(filename):
        # obs/README.md, "Package states": any other state may still show the files of an older build
        if package.code != "succeeded":
            words = f"{package.name} ({architecture}), which offers {filename}, is {package.code}"
            return Stop(
                Reason.NOT_SUCCEEDED, words, world(f"It goes when {package.name} succeeds", "succeeded", filename)
            )
    return f"superseded: OBS offers {newer.file.version} as {filename}, built by packages that succeeded"


def _gone(case: Case, facts: Facts) -> Stop | str:
    row = case.row
    if unnamed := [r for r in facts.offered.all_repositories if r.catch_all]:
        named = {r.name: row.distribution for r in unnamed}
        words = (
            f"{unnamed[0].project} feeds {row.distribution} by `*`, where no missing repository would be noticed: "
            "OBS offers the name no more"
        )
        return Stop(Reason.CATCH_ALL, words, _named_repositories(named))
    if (builder := facts.offered.built.may_be(row)) is not None:
        return _unpublished(f"{builder}, but no published index lists {row.name}", row)
    owners = facts.possible_owners(case.architecture)
    if owners:
        more = f" and {len(owners) - 5} more" if len(owners) > 5 else ""
        words = f"packages without files could own it: {', '.join(o.told for o in owners[:5])}{more}"
        return Stop(Reason.OWNER_UNKNOWN, words, _known_owners(owners, row))
    return f"gone: no index lists {row.name}, and no package without files could own it"


def _named_repositories(targets: Mapping[str, str]) -> Flip:
    words = "To let it go, name the repositories that feed it"
    named = tuple(ConfigChange(("distributions", name), "set", target) for name, target in sorted(targets.items()))
    return Flip(words, (*named, ConfigChange(("distributions", "*"), "set", None)))


def _known_owners(owners: list[Owner], row: Row) -> Flip:
    if not all(owner.package for owner in owners):
        return world("It is judged again when OBS lists packages there", "settled", row.distribution)
    names = dict.fromkeys(literal(owner.package) for owner in owners)
    words = "Repair them in OBS, or, only if they never had binary packages"
    return adding(words, "orphans", "without_files", values=names)


def _retention(case: Case, facts: Facts) -> Stop | str:
    row, newer, group = case.row, case.newer, facts.groups[case.identity]
    if group.unknown or isinstance(case.version, UnknownVersion):
        words = f"the version of {group.unknown or row.filename} cannot be ordered"
        return Stop(Reason.VERSION_UNKNOWN, words, _by_hand(row))
    if group.not_here:
        words = f"OBS offers {group.not_here}, which Packagecloud does not hold yet as OBS has it"
        return _not_here(words, group.not_here)
    if newer and not _stays(newer, facts):
        words = f"{newer.filename}, which is newer, is not on Packagecloud with OBS's content, nor does it come"
        return _not_here(words, newer.filename)
    return _kept_version(row, facts, group.rank(case.version), gone=newer is None)


def _not_here(message: str, filename: str) -> Stop:
    words = f"It goes when {filename} is there; `explain` it to see what holds it"
    return Stop(Reason.NEWEST_NOT_HERE, message, world(words, "arrived", filename))


def _kept_version(row: Row, facts: Facts, rank: int, *, gone: bool) -> Stop | str:
    """``rank`` counts the newer versions. Only who names a package may lose all of it."""
    orphans, named = facts.policy.orphans, facts.names.match(row.name)
    keep = 0 if gone and named and orphans.gone is GoneRule.DELETE else orphans.keep_versions
    # no config can say so, but --orphans over one that keeps them
    if orphans.keep_versions is None and orphans.action is not OrphanAction.KEEP:
        flip = setting("Say how many versions stay", "orphans", "keep_versions", value=rank)
        return Stop(Reason.KEEP_VERSIONS, "`orphans.keep_versions` is not set", flip)
    if keep is not None and rank < keep:
        words = f"version {rank + 1} of the newest {keep} to keep"
        return Stop(Reason.KEEP_VERSIONS, words, _fewer_versions(rank, gone=gone and named))
    if rank == 0 and not named:
        flip = adding("To let it vanish", "orphans", "names", values=[literal(row.name)])
        return Stop(Reason.LAST_VERSION, f"no newer version of {row.name} would remain", flip)
    if keep != orphans.keep_versions:
        return "it is gone and named, so `keep_versions` does not count"
    return f"{rank} newer versions stay" if rank != 1 else "1 newer version stays"


def _fewer_versions(rank: int, *, gone: bool) -> Flip:
    if gone:
        return setting("To let all versions of the named packages go that are gone", "orphans", "gone", value="delete")
    return setting("To keep fewer versions", "orphans", "keep_versions", value=rank)


def _stays(newer: Offer, facts: Facts) -> bool:
    """Whether the very content that OBS offers is there after the plan."""
    offer = facts.offered.offers.get(newer.filename)
    comes = newer.filename in facts.coming and offer is not None and offer.file.sha256 == newer.file.sha256
    return comes or _row_of(newer, facts) is not None


def _row_of(offer: Offer, facts: Facts) -> Row | None:
    """The row that holds what OBS offers."""
    row = facts.rows.get(offer.filename)
    return row if row is not None and row.sha256 == offer.file.sha256 else None


def _min_age(case: Case, facts: Facts) -> Stop | str:
    return _old_enough(Reason.MIN_AGE, case.row.created_at, facts.policy.orphans.min_age, facts.now)


def _grace(case: Case, facts: Facts) -> Stop | str:
    grace, newer = facts.policy.orphans.grace, case.newer
    if not grace:
        return "`orphans.grace` is not set"
    if newer is None:
        words = "it is not known since when OBS no longer offers it"
        return Stop(Reason.GRACE, words, setting("To let it go at once", "orphans", "grace", value=0))
    successor = _row_of(newer, facts)
    if successor is None:
        later = world("Apply the plan, and wait", "applied", str(int(grace.total_seconds())))
        return Stop(Reason.GRACE, f"{newer.filename} only comes with this plan", later)
    return _old_enough(Reason.GRACE, successor.created_at, grace, facts.now)


def _old_enough(reason: Reason, created_at: str, least: timedelta, now: datetime) -> Stop | str:
    if not least:
        return f"`orphans.{_key(reason)}` is not set"
    try:
        due = datetime.fromisoformat(created_at) + least
        young = due > now
    # TypeError: a time without a zone
    except (ValueError, TypeError, OverflowError):
        flip = setting("To let it go", "orphans", _key(reason), value=0)
        return Stop(reason, "its created_at is not a time", flip)
    if young:
        words = f"since {created_at}, less than {_lasting(least)} ago"
        return Stop(reason, words, world(f"Wait until {iso(due)}", "until", due.isoformat()))
    return f"since {created_at}, at least {_lasting(least)} ago"


def _lasting(duration: timedelta) -> str:
    """As the config writes it."""
    seconds = int(duration.total_seconds())
    unit, of = next((u, of) for u, of in (("d", 86400), ("h", 3600), ("m", 60), ("s", 1)) if seconds % of == 0)
    return f"{seconds // of}{unit}"


def _key(reason: Reason) -> str:
    return reason.value.replace("-", "_")


def _content_known(case: Case, facts: Facts) -> Stop | str:
    row = case.row
    if row.sha256 is not None:
        return f"Packagecloud tells its checksum: {row.sha256[:12]}"
    words = "It is judged again when Packagecloud tells it"
    return Stop(Reason.CONTENT_UNKNOWN, "Packagecloud does not tell its checksum", world(words, "known", row.key))


def _settled(case: Case, facts: Facts) -> Stop | str:
    problem = facts.offered.problem(case.architecture)
    return Stop.by(problem, case.row.distribution) if problem else "every OBS repository behind it is settled"


def _archivable(case: Case, facts: Facts) -> Stop | str:
    """Equal content in the archive is no stop: the row here is then deleted, and that one is its backup."""
    row = case.row
    orphans = facts.policy.orphans
    if orphans.action is not OrphanAction.ARCHIVE:
        return "nothing is archived"
    if facts.archive is None:
        words = f"the archive {orphans.archive_to} could not be read"
        return Stop(Reason.UNREAD, words, world("Plan again when it answers", "archive", row.key))
    there = facts.archive.get(row.key)
    if there is None:
        return f"{orphans.archive_to} has no file of this name"
    if there.sha256 == row.sha256:
        return f"{orphans.archive_to} holds the same file"
    if there.sha256 is None:
        words = f"{orphans.archive_to} holds a file of this name whose checksum Packagecloud does not tell"
        return Stop(Reason.CONTENT_UNKNOWN, words, world("Plan again later", "archive", row.key))
    flip = world("Rename or delete that file in the archive", "archive", row.key)
    return Stop(Reason.ARCHIVE_CLASH, f"{orphans.archive_to} holds {there.sha256[:12]} under this name", flip)


def _in_use(case: Case, facts: Facts) -> Stop | str:
    """The last check, so that only what passes all others needs to be asked for."""
    row = case.row
    days = facts.policy.limits.in_use_days
    if days is None:
        return "`limits.in_use_days` is not set"
    count = facts.downloads.get(row.key)
    if count == 0:
        return f"not downloaded in {_last(days)}"
    flip = removing("To let it go all the same, take out", "limits", "in_use_days")
    if row.key not in facts.downloads:
        return Stop(Reason.IN_USE, f"its downloads of {_last(days)} were not asked for", flip)
    if count is None:
        return Stop(Reason.IN_USE, f"Packagecloud does not tell its downloads of {_last(days)}", flip)
    times = "once" if count == 1 else f"{count} times"
    return Stop(Reason.IN_USE, f"downloaded {times} in {_last(days)}", flip)


def _last(days: int) -> str:
    return "the last day" if days == 1 else f"the last {days} days"


# In this order reasons that last are told before those of the moment; in_use costs a request per row.
CHECKS: Mapping[str, Callable[[Case, Facts], Stop | str]] = {
    "protected": _protected,
    "elsewhere": _not_offered,
    "built": _built_not_published,
    "ours": _ours,
    "consistent": _consistent,
    "succession": _superseded_or_gone,
    "versions": _retention,
    "age": _min_age,
    "grace": _grace,
    "content": _content_known,
    "settled": _settled,
    "archive": _archivable,
    "downloads": _in_use,
}
