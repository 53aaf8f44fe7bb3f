"""Uploads and replacements: every file that OBS offers against what stands on Packagecloud."""

from collections.abc import Callable, Iterator, Mapping

from msgspec import Struct, field

from pkgsync.model import ActionKind, Flip, Held, OldContent, Policy, Replacement, Row, Upload
from pkgsync.reasons import Reason
from pkgsync.reconcile.offers import Offer, Offered
from pkgsync.reconcile.stops import Stop, first_stop, setting, walk, world


class Transfers(Struct, kw_only=True):
    """The result for one distribution.

    ``renamed`` are the rows whose content an index lists under another name.
    """

    uploads: list[Upload] = field(default_factory=list)
    replacements: list[Replacement] = field(default_factory=list)
    held: list[Held] = field(default_factory=list)
    renamed: set[str] = field(default_factory=set)
    unchanged: int = 0


def transfers(offered: Offered, rows: Mapping[str, Row], policy: Policy) -> Transfers:
    """Decide each offer of the distribution; ``rows`` are its rows by file name."""
    result = Transfers()
    others = [row for name, row in rows.items() if name not in offered.offers and row.sha256]
    # packagecloud/README.md, "Rows": the server names files its own way
    result.renamed = {row.filename for row in others if row.sha256 in offered.contents}
    other_contents = {row.sha256 for row in others}
    # where the content is there already, it does not matter who offers it first
    differing = sorted((name, offer) for name, offer in offered.offers.items() if not offer.stands_in(rows))
    result.unchanged = len(offered.offers) - len(differing)
    for filename, offer in differing:
        row = rows.get(filename)
        if (stop := first_stop(_checks(row), offered, offer, row, policy)) is not None:
            result.held.append(_held(offered.distribution, filename, row, stop))
        elif row is not None:
            result.replacements.append(_replacement(offered.distribution, offer, row))
        elif offer.file.sha256 in other_contents:
            result.unchanged += 1  # as a package of other fields: it needs no upload, but succeeds nothing
        else:
            result.uploads.append(_upload(offered.distribution, offer))
    return result


def _held(distribution: str, filename: str, row: Row | None, stop: Stop) -> Held:
    kind: ActionKind = "replacement" if row else "upload"
    return Held(distribution=distribution, filename=filename, action=kind, reason=stop.reason, message=stop.told)


def way(offered: Offered, offer: Offer, row: Row | None, policy: Policy) -> Iterator[tuple[str, Stop | str]]:
    """What each check finds of an offer and the row of its name, as far as it gets."""
    if row is not None and row.sha256 == offer.file.sha256:
        return iter([("content", "Packagecloud holds the same content")])
    return walk(_checks(row), offered, offer, row, policy)


def _checks(row: Row | None) -> Mapping[str, Callable[..., Stop | str]]:
    return _UPLOADING if row is None else _REPLACING


def _source(offered: Offered, offer: Offer, *_: object) -> Stop | str:
    if offer.held is not None:
        return Stop.by(offer.held, offered.distribution)
    return f"{offer.repository.id} has the place, and nothing is in doubt about the file"


def _checksum(offered: Offered, offer: Offer, row: Row, policy: Policy) -> Stop | str:
    if row.sha256 is not None:
        return f"OBS publishes {offer.file.sha256[:12]}, Packagecloud holds {row.sha256[:12]}"
    flip = world("It is compared when Packagecloud tells it", "known", row.key)
    return Stop(Reason.CONTENT_UNKNOWN, "Packagecloud does not tell the checksum of its file", flip)


def _nothing_else(offered: Offered, offer: Offer, row: Row, policy: Policy) -> Stop | str:
    """Odd names: what stands under this one may be another file of OBS, and it would go."""
    other = next((o.file for o in offered.left_out.values() if o.file.sha256 == row.sha256), None)
    if other is None:
        return "what stands there is no other file of OBS"
    words = f"OBS publishes what stands there as {other.filename}, which the config's filters leave out"
    return Stop(Reason.SAME_IDENTITY, words, Flip(Reason.SAME_IDENTITY.advice.removesuffix(".")))


def _rebuilds(offered: Offered, offer: Offer, row: Row, policy: Policy) -> Stop | str:
    if policy.rebuilds != "hold":
        return "`rebuilds: replace`"
    assert row.sha256 is not None
    words = f"OBS publishes {offer.file.sha256[:12]}, Packagecloud holds {row.sha256[:12]}"
    return Stop(Reason.CONTENT_CHANGED, words, setting("To replace it", "rebuilds", value="replace"))


def _settled(offered: Offered, offer: Offer, row: Row, policy: Policy) -> Stop | str:
    problem = offered.problem(offer.file.architecture)
    return Stop.by(problem, offered.distribution) if problem else "every OBS repository behind it is settled"


_UPLOADING: Mapping[str, Callable[..., Stop | str]] = {"source": _source}
_REPLACING: Mapping[str, Callable[..., Stop | str]] = {
    **_UPLOADING,
    "checksum": _checksum,
    "place": _nothing_else,
    "rebuilds": _rebuilds,
    "settled": _settled,
}


def _upload(distribution: str, offer: Offer) -> Upload:
    file = offer.file
    return Upload(
        distribution=distribution,
        filename=offer.filename,
        size=file.size,
        sha256=file.sha256,
        reason=Reason.MISSING,
        source=offer.source,
        also=offer.also,
    )


def _replacement(distribution: str, offer: Offer, row: Row) -> Replacement:
    assert row.sha256 is not None
    return _upload(distribution, offer).over(OldContent(row.sha256, row.created_at), Reason.REBUILT)
