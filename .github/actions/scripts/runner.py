"""What a step tells the runner that GitHub Actions starts it on: outputs, summary, annotations."""

import os
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Literal

from web import StepError

MAX_ANNOTATIONS = 8
"""GitHub shows ten of a kind and step."""


def variable(name: str) -> str:
    """An environment variable that must be set. Raises StepError."""
    value = os.environ.get(name, "")
    if not value:
        raise StepError(f"the environment variable {name} is not set")
    return value


def output(name: str, value: object) -> None:
    text = {True: "true", False: "false"}.get(value, str(value)) if isinstance(value, bool) else str(value)
    # a line break would begin an output of another name
    if not text.isprintable():
        raise StepError(f"the output {name} is not one line")
    _append("GITHUB_OUTPUT", f"{name}={text}\n")


def summary(text: str) -> None:
    _append("GITHUB_STEP_SUMMARY", text)


def annotate(kind: Literal["error", "warning", "notice"], text: str) -> None:
    """One line in the log and beside the run. The text may be anybody's."""
    sys.stdout.write(f"::{kind} title=pkgsync::{_escaped(text)}\n")
    sys.stdout.flush()


def annotate_all(lines: Iterable[tuple[Literal["error", "warning", "notice"], str]]) -> None:
    """The first lines; the last place says how many are left out."""
    listed = list(lines)
    shown = listed if len(listed) <= MAX_ANNOTATIONS else listed[: MAX_ANNOTATIONS - 1]
    for kind, text in shown:
        annotate(kind, text)
    if left_out := len(listed) - len(shown):
        annotate("warning", f"and {left_out} more: the job summary has all of them")


def main(step: Callable[[], int]) -> None:
    """Run a step and exit: what failed is an annotation, never a traceback."""
    try:
        sys.exit(step())
    except StepError as error:
        annotate("error", str(error))
    except (KeyError, TypeError, ValueError, OSError) as error:
        # an answer, or a machine, that is not as documented
        annotate("error", f"unexpected {type(error).__name__}: {error}")
    sys.exit(1)


def _append(name: str, text: str) -> None:
    with Path(variable(name)).open("a", encoding="utf-8") as stream:
        stream.write(text)


def _escaped(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
