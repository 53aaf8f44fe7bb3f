"""Which row of Packagecloud is whose: one package in one version has one row, whatever its files are called.

Packagecloud names debs by their header (packagecloud/README.md, "Rows"), and OBS can list one package under several
names; two of them can never both be uploaded.
"""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from functools import cache, partial

from msgspec.structs import replace

from pkgsync.model import PackageType, Problem, Row
from pkgsync.reasons import Reason
from pkgsync.reconcile.filters import FileFilter
from pkgsync.reconcile.identity import class_in, contradiction, identity_of, place_of
from pkgsync.reconcile.offers import Offer, Offered, name_both, shadow


def settle_names(offered: Offered, rows: Mapping[str, Row], filters: FileFilter) -> None:
    """Leave one offer per package and version, by the name of its row, if it has one. ``rows`` are by file name."""
    places: dict[str, list[Offer]] = {}
    for offer in offered.offers.values():
        places.setdefault(place_of(offer.file), []).append(offer)
    # what stands there as OBS has it needs no second look; mostly that is everything
    standing = cache(partial(_by_place, rows))
    contents = cache(lambda: {row.sha256 for row in rows.values()})
    chosen = [group[0] if len(group) == 1 else _one_of(group, rows, contents(), offered) for group in places.values()]
    found = [offer if offer.stands_in(rows) else _named(offer, rows, standing(), filters) for offer in chosen]
    claims = Counter(offer.filename for offer in found)
    found = [offer if claims[offer.filename] == 1 else _disputed(offer) for offer in found]
    offered.offers = {offer.filename: offer for offer in found}
    offered.places = dict(zip(places, found, strict=True))


def _by_place(rows: Mapping[str, Row]) -> dict[str, list[Row]]:
    """The rows that leave no room for another file there, by their fields or by their very name."""
    places: dict[str, list[Row]] = {}
    for filename in sorted(rows):
        for place in {filename, place_of(rows[filename])}:
            places.setdefault(place, []).append(rows[filename])
    return places


def _one_of(
    group: Sequence[Offer], rows: Mapping[str, Row], contents: Collection[str | None], offered: Offered
) -> Offer:
    """Whose file it is: the first repository's, as the config has it; of its own files one that stands there."""
    mine = [offer for offer in group if offer.repository is group[0].repository]
    there = [offer for offer in mine if offer.file.sha256 in contents]
    chosen = min(there or mine, key=lambda o: (o.file.filename not in rows, o.file.filename != place_of(o.file)))
    if not there and len({offer.file.sha256 for offer in mine}) > 1:
        names = ", ".join(sorted(offer.file.filename for offer in mine))
        return _held(chosen, f"{chosen.repository.id} publishes {names} as one package in one version")
    result = chosen
    for other in group:
        if other is not chosen and other.file.sha256 == chosen.file.sha256:
            result = name_both(result, other)
        elif other is not chosen:
            shadow(offered, other, chosen)
    return result


def _named(offer: Offer, rows: Mapping[str, Row], standing: Mapping[str, Sequence[Row]], filters: FileFilter) -> Offer:
    """The offer under the name of the row that is the same package, if there is just one."""
    file = offer.file
    own = [rows[file.filename]] if file.filename in rows else []
    found = {row.filename: row for row in (*own, *standing.get(place_of(file), ()))}
    equal = [row for row in found.values() if row.sha256 == file.sha256]
    if equal:
        return replace(offer, filename=equal[0].filename)
    if len(found) > 1:
        return _held(offer, f"Packagecloud holds it as {' and as '.join(sorted(found))}")
    for row in found.values():
        odd = contradiction(row)
        if odd and place_of(row) != place_of(file):
            return replace(offer, held=offer.held or Problem(Reason.NAME_MISMATCH, odd))
        if identity_of(row) != identity_of(file):
            return _held(offer, f"{row.filename} on Packagecloud is {row.name} for {identity_of(row)[2] or '?'}")
        if not filters.admits(row.filename, class_in(row)):
            return _held(offer, f"Packagecloud holds it as {row.filename}, which the config's filters leave alone")
        if file.type is PackageType.DEB and row.filename != place_of(file):
            # named by its header (packagecloud/README.md, "Rows"), the new file would land beside that row
            return _held(offer, f"Packagecloud holds it as {row.filename}, a name that it gives to no new file")
        return replace(offer, filename=row.filename)
    return offer


def _disputed(offer: Offer) -> Offer:
    """Two packages, each of which has a right to one row."""
    own = offer.file.filename
    return _held(replace(offer, filename=own), f"another package stands as {offer.filename} too")


def _held(offer: Offer, message: str) -> Offer:
    return replace(offer, held=offer.held or Problem(Reason.SAME_IDENTITY, message))
