"""What package managers get, for a terminal and as JSON."""

import json
from collections.abc import Iterator, Mapping

from pkgsync.model.served import Checked, CheckedIndex, ServedState, Verification
from pkgsync.planfile.convert import plain
from pkgsync.report import units
from pkgsync.report.escape import visible
from pkgsync.report.style import Colour, Line, Style, aligned, labelled

_MANY = 20
_SAID: Mapping[ServedState, tuple[str, Colour]] = {
    ServedState.NOT_UPLOADED: ("not on Packagecloud", "yellow"),
    ServedState.ABSENT: ("not served", "yellow"),
    ServedState.OLD: ("old content is served", "yellow"),
    ServedState.STILL_SERVED: ("still served", "yellow"),
    ServedState.UNPROVEN: ("not proven", "yellow"),
    ServedState.DIFFERS: ("OTHER BYTES", "red"),
}


def verification_json(found: Verification) -> str:
    """All of it; ``served`` counts what is as it should be."""
    return json.dumps({**plain(found), "served": found.served}, indent=2, ensure_ascii=True)


def verification_text(found: Verification, style: Style, *, verbose: bool = False) -> str:
    """The indexes, what is not as it should be, and the count; without a newline at the end."""
    noun = "file" if found.receipt is None else "change"
    blocks = [[row for index in found.indexes for row in _index(index, noun, style)]]
    # of an index that could not be read one line is enough
    files = [one for one in found.files if one.state is not ServedState.UNREAD]
    shown = files if verbose else files[:_MANY]
    more = len(files) - len(shown)
    blocks.append(aligned([_line(one) for one in shown], style) + ([f"  and {more} more (-v names them)"] * (more > 0)))
    blocks += [labelled("Warning:", "yellow", visible(text), style, hanging=2) for text in found.warnings]
    blocks.append([style.paint("bold", headline(found))])
    return "\n\n".join("\n".join(block) for block in blocks if block)


def verification_next(found: Verification, options: str = "") -> str:
    """What to do where not all is as it should be; or nothing. ``options`` as in next_step."""
    if any(one.state is ServedState.NOT_UPLOADED for one in found.files):
        return f"What Packagecloud lacks: pkgsync {options}plan"
    return "" if found.is_done else "Packagecloud indexes in a queue: verify again in some minutes."


def headline(found: Verification) -> str:
    """``Verified: package managers get all 12 files that OBS publishes.``"""
    total = found.served + len(found.files)
    what = "file" if found.receipt is None else "change"
    if not (total or found.complete):
        return "Not verified: OBS could not be read completely."
    if not total:
        return "Nothing to verify: " + ("OBS publishes no file." if found.receipt is None else "nothing was changed.")
    if not found.is_done:
        wrong = sum(one.state is ServedState.DIFFERS for one in found.files)
        other = f", {wrong} with other bytes" if wrong else ""
        return f"Not verified: package managers get {found.served} of {units.plural(total, what)}{other}."
    every = f"all {total} {what}s" if total > 1 else f"the one {what}"
    return f"Verified: package managers get {every} " + ("of OBS." if found.receipt is None else "of the apply.")


def _line(one: Checked) -> Line:
    said, colour = _SAID[one.state]
    return Line(symbol="!", colour=colour, name=one.key, words=f"{said}: {one.message}" if one.message else said)


def _index(index: CheckedIndex, noun: str, style: Style) -> Iterator[str]:
    if index.problem:
        yield from labelled(f"{index.distribution}:", "red", visible(index.problem), style, hanging=2)
        return
    yield from labelled(f"{visible(index.distribution)}:", "bold", visible(_told(index, noun)), style, hanging=2)


def _told(index: CheckedIndex, noun: str) -> str:
    if not index.architectures:
        return "no index is there yet"
    parts = [f"{units.plural(index.served, noun)} right", f"index for {', '.join(index.architectures)}"]
    if index.made_at:
        seconds = index.after_seconds
        after = f", {units.duration(seconds)} after the last change" if seconds is not None else ""
        parts.append(f"made {index.made_at}{after}")
    if index.signed_by:
        parts.append(f"signed by {index.signed_by}")
    return "; ".join(parts)
