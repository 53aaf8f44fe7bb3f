"""The comments of one config in a pull or merge request: made once, and then kept up to date in place."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice, zip_longest
from typing import Protocol

import plans
from web import StepError, UnsureError

from pkgsync.model import Plan

GITHUB_LENGTH = 65_536
"""UTF-16 units of a comment; GitLab takes more."""
ROOM = 1_000
"""Units for what is added to the plan: marker, commit, and later that it is outdated."""
MAX_PARTS = 20
_OUTDATED = "outdated"
_ATTEMPTS = 4


@dataclass(frozen=True)
class Note:
    id: int
    body: str


class Thread(Protocol):
    """The comments of one pull request."""

    def own(self) -> Sequence[Note]:
        """Those that our own login wrote, on all pages, the oldest first."""

    def add(self, body: str) -> None:
        """Raises UnsureError where it may have been added, or not."""

    def edit(self, note: Note, body: str) -> None: ...


def put(thread: Thread, config: str, commit: str, texts: Sequence[str]) -> None:
    """Let the comments of the config hold these texts and no other. Raises StepError."""
    bodies = [f"{_marker(config)} {commit} -->\n{text}" for text in texts]
    for attempt in range(_ATTEMPTS):
        if attempt:
            time.sleep(2.0**attempt)
        try:
            return _put(thread, config, bodies)
        except UnsureError as error:
            # a comment whose reply was lost is found by the next look
            unsure = error
    raise StepError(str(unsure))


def _put(thread: Thread, config: str, bodies: Sequence[str]) -> None:
    empty = f"{_marker(config)} empty -->\nThe plan fits into the comments above."
    for note, body in zip_longest(_of(thread, config), bodies):
        if note is None:
            thread.add(body)
        elif note.body.strip() != (body or empty).strip():
            thread.edit(note, body or empty)


def mark_outdated(thread: Thread, config: str, commit: str) -> int:
    """Say on top of every comment of another commit that it is no longer the plan. Gives how many were changed."""
    changed = 0
    for note in _of(thread, config):
        head, _, rest = note.body.partition("\n")
        about = head.strip().removeprefix(_marker(config)).removesuffix("-->").strip()
        if about in (commit, _OUTDATED, "empty"):
            continue
        said = f"> [!IMPORTANT]\n> **Outdated**: this is the plan of {about[:7]}; {commit[:7]} was pushed since."
        thread.edit(note, f"{_marker(config)} {_OUTDATED} -->\n{said}\n\n{rest}")
        changed += 1
    return changed


def of_plan(plan: Plan, config: str, commit: str, run: str) -> list[str]:
    """The texts for a plan: one line where nothing changes, else as many as its deletions need.

    ``run`` is the address of the run that made it.
    """
    texts = list(islice(plans.parts(plan, GITHUB_LENGTH - ROOM), MAX_PARTS + 1))
    if len(texts) > MAX_PARTS:
        raise StepError(f"the plan does not fit into {MAX_PARTS} comments. Plan fewer packages at once.")
    if "\n" in texts[0]:
        texts[0] += f"\n\n<sub>Plan of {commit[:7]} for `{config}`, by [this run]({run}).</sub>"
    return texts


def without_plan(config: str, commit: str, run: str) -> list[str]:
    return [
        f"> [!CAUTION]\n> **No plan**: pkgsync could not make one of {commit[:7]} for `{config}`. "
        f"[The run]({run}) says why."
    ]


def _of(thread: Thread, config: str) -> list[Note]:
    return [note for note in thread.own() if note.body.startswith(_marker(config))]


def _marker(config: str) -> str:
    return f"<!-- pkgsync {plans.key(config)}"
