"""An explanation for a terminal, step by step, and as JSON."""

import json
from collections.abc import Iterator
from typing import Any

from pkgsync.model import Answer, Explanation, Flip, Step
from pkgsync.model.explained import Fortune
from pkgsync.planfile.convert import plain
from pkgsync.report import flips
from pkgsync.report.escape import visible
from pkgsync.report.style import Colour, Style, wrapped

_SAID: dict[Fortune, tuple[str, Colour]] = {
    "upload": ("to upload", "green"),
    "replace": ("to replace", "yellow"),
    "unchanged": ("unchanged", "bold"),
    "delete": ("to delete", "red"),
    "archive": ("to archive", "blue"),
    "held": ("held", "cyan"),
    "keep": ("kept", "bold"),
    "filtered": ("filtered", "bold"),
    "shadowed": ("shadowed", "bold"),
    "unmanaged": ("unmanaged", "bold"),
    "absent": ("not there", "bold"),
}


def explain_text(answer: Answer, style: Style) -> str:
    """Each explanation as a block, without a newline at the end."""
    if not answer.explanations:
        return "\n".join(_unknown(answer, style))
    return "\n\n".join("\n".join(_block(found, style)) for found in answer.explanations)


def _unknown(answer: Answer, style: Style) -> Iterator[str]:
    yield from wrapped(visible(f"Neither OBS nor Packagecloud knows {answer.query}."), style)
    if answer.near:
        yield "Near names:"
        yield from (f"  {visible(name)}" for name in answer.near)


def _block(found: Explanation, style: Style) -> Iterator[str]:
    said, colour = _SAID[found.fortune]
    yield style.paint("bold", visible(found.key))
    reason = f" ({found.reason})" if found.reason else ""
    first, *rest = wrapped(visible(f"{said}{reason}: {found.message}"), style, indent=2, hanging=2)
    yield f"  {style.paint(colour, said)}{first[2 + len(said) :]}"
    yield from rest
    yield ""
    width = max((len(step.name) for step in found.steps), default=0)
    for step in found.steps:
        yield from _step(step, width, style)
    if found.flip:
        yield ""
        yield from wrapped(visible(flips.told(found.flip)), style, indent=2, hanging=2)


def _step(step: Step, width: int, style: Style) -> Iterator[str]:
    mark, colour = _MARKS[step.passed]
    left = f"{mark:<4}  {step.name:<{width}}  "
    first, *rest = wrapped(f"{left}{visible(step.said)}", style, indent=2, hanging=len(left))
    yield f"  {style.paint(colour, mark)}{first[2 + len(mark) :]}"
    yield from rest


_MARKS: dict[bool, tuple[str, Colour]] = {True: ("ok", "green"), False: ("stop", "red")}


def explain_json(answer: Answer) -> str:
    """The explanations as JSON, with a newline at the end. All but ASCII is escaped."""
    document = {
        "query": answer.query,
        "explanations": [_record(found) for found in answer.explanations],
        "near": list(answer.near),
    }
    return json.dumps(document, indent=2) + "\n"


def _record(found: Explanation) -> dict[str, Any]:
    return {**plain(found), "flip": flip_record(found.flip)}


def flip_record(flip: Flip | None) -> dict[str, Any] | None:
    """The change as data, and in the words that the text has."""
    return None if flip is None else {"told": flips.told(flip), **plain(flip)}
