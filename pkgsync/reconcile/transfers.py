"""Uploads and replacements: every file that OBS offers against what stands on Packagecloud."""

from collections.abc import Mapping

from attrs import define, field

from pkgsync.model import ActionKind, Held, OldContent, Policy, Replacement, Row, Upload
from pkgsync.reasons import Reason
from pkgsync.reconcile.offers import Offer, Offered


@define(kw_only=True)
class Transfers:
    """The result for one distribution.

    ``renamed`` are the rows whose content an index lists under another name.
    """

    uploads: list[Upload] = field(factory=list)
    replacements: list[Replacement] = field(factory=list)
    held: list[Held] = field(factory=list)
    renamed: set[str] = field(factory=set)
    unchanged: int = 0


def transfers(offered: Offered, rows: Mapping[str, Row], policy: Policy) -> Transfers:
    """Decide each offer of the distribution; ``rows`` are its rows by file name."""
    result = Transfers()
    others = [row for row in rows.values() if row.sha256 and row.filename not in offered.offers]
    # packagecloud/README.md, "Rows": the server names files its own way
    result.renamed = {row.filename for row in others if row.sha256 in offered.contents}
    other_contents = {row.sha256 for row in others}
    for filename, offer in sorted(offered.offers.items()):
        row = rows.get(filename)
        # where the content is there already, it does not matter who offers it first
        if offer.held and (row is None or row.sha256 != offer.file.sha256):
            kind: ActionKind = "replacement" if row else "upload"
            result.held.append(
                Held(
                    distribution=offered.distribution,
                    filename=filename,
                    action=kind,
                    reason=offer.held.reason,
                    message=offer.held.told,
                )
            )
        elif row is not None:
            _present(result, offered, offer, row, policy)
        elif offer.file.sha256 in other_contents:
            result.unchanged += 1  # as a package of other fields: it needs no upload, but succeeds nothing
        else:
            result.uploads.append(_upload(offered.distribution, offer))
    return result


def _present(result: Transfers, offered: Offered, offer: Offer, row: Row, policy: Policy) -> None:
    if row.sha256 == offer.file.sha256:
        result.unchanged += 1
        return
    stop = _stop_replacement(offered, offer, row, policy)
    if stop is None:
        result.replacements.append(_replacement(offered.distribution, offer, row))
    else:
        reason, message = stop
        result.held.append(
            Held(
                distribution=offered.distribution,
                filename=row.filename,
                action="replacement",
                reason=reason,
                message=message,
            )
        )


def _stop_replacement(offered: Offered, offer: Offer, row: Row, policy: Policy) -> tuple[Reason, str] | None:
    if row.sha256 is None:
        return Reason.CONTENT_UNKNOWN, "Packagecloud does not tell the checksum of its file"
    # Odd names: what stands under this one is another file of OBS, and it would go.
    other = next((o.file for o in offered.left_out.values() if o.file.sha256 == row.sha256), None)
    if other is not None:
        words = f"OBS publishes what stands there as {other.filename}, which the config's filters leave out"
        return Reason.SAME_IDENTITY, words
    if policy.rebuilds == "hold":
        return Reason.CONTENT_CHANGED, f"OBS publishes {offer.file.sha256[:12]}, Packagecloud holds {row.sha256[:12]}"
    problem = offered.problem(offer.file.architecture)
    return (problem.reason, problem.told) if problem else None


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
