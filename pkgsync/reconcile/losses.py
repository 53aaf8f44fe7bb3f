"""What the removals of a distribution would take from the packages that stay."""

from collections.abc import Collection, Mapping, Sequence

from msgspec import Struct, field

from pkgsync.model import Needs, Replacement, Row, Transfer
from pkgsync.reconcile.needs import Use, held, needed


class Losses(Struct, frozen=True):
    """What is lost with a file, by package key, in words. ``unknown`` says why not everything is known.

    ``held`` is what must stay, and why: what stays needs it, or what is held itself.
    """

    words: Mapping[str, str] = field(default_factory=dict)
    held: Mapping[str, str] = field(default_factory=dict)
    unknown: str = ""


NO_LOSSES = Losses()


def losses(
    rows: Sequence[Row], leaving: Collection[str], transfers: Collection[Transfer], needs: Needs | None
) -> Losses:
    """Of a distribution's ``rows`` the keys ``leaving`` go, and what is replaced; the ``transfers`` come."""
    away = {*leaving, *(transfer.key for transfer in transfers if isinstance(transfer, Replacement))}
    if not away:
        return NO_LOSSES
    if needs is None:
        return Losses(unknown="the indexes were not read")
    stays = {row.sha256: row.filename for row in rows if row.key not in away and row.sha256 is not None}
    stays |= {transfer.sha256: transfer.filename for transfer in transfers}
    goes = {row.key: row.sha256 for row in rows if row.key in away and row.sha256 is not None}
    leaves = {key: goes[key] for key in leaving if key in goes}
    uses, files = held(needs, stays, leaves.values())
    found = needed(files, list(stays), list(dict.fromkeys(goes.values())))
    words = {key: _told(found[of], stays) for key, of in goes.items() if of in found}
    names = {row.sha256 or row.key: row.filename for row in rows} | stays
    must = {key: words.get(key) or _told([uses[of]], names) for key, of in leaves.items() if of in uses}
    # read for another plan, as a snapshot may be
    unread = (f"no index that was read lists {t.filename}" for t in transfers if t.sha256 not in needs.files)
    return Losses(words, must, needs.unread or next(unread, ""))


def kept(
    rows: Sequence[Row], leaving: Collection[str], transfers: Collection[Transfer], needs: Needs | None
) -> dict[str, str]:
    """Which of the keys ``leaving`` must stay, and why. In doubt all."""
    lost = losses(rows, leaving, transfers, needs)
    return {key: words for key in leaving if (words := lost.held.get(key) or _doubt(lost))}


def _doubt(lost: Losses) -> str:
    return f"whether a package that stays needs it is not known: {lost.unknown}" if lost.unknown else ""


def _told(uses: Sequence[Use], names: Mapping[str, str]) -> str:
    first = uses[0]
    more = len({use.of for use in uses} - {first.of})
    also = f" ({more} more package{'s' if more > 1 else ''} would be lost)" if more else ""
    return (
        f"{names[first.of]} stays and needs {first.what}; "
        f"nothing else that stays provides it, though the base system may{also}"
    )
