"""Tells what Packagecloud's refusal of a change means.

Clients have met four shapes of error bodies: ``{"error": "text"}``, ``{"error": ["text"]}``, ``{"FIELD": ["text"]}``
and no JSON at all (README.md, "Errors").
"""

import json
from collections.abc import Mapping
from typing import Any

from pkgsync.errors import AuthenticationError, DuplicateError, NotFoundError, PkgsyncError, QuotaError, RefusedError
from pkgsync.session.urls import clean_text

_MAX_WORDS = 200
# README.md, "Upload": the two wordings of a duplicate
_TAKEN = {"filename": "already been taken", "repository": "already exists"}
# README.md, "Requests": a 404 may mean either
REPOSITORY_TIP = "Does the repository exist, and can this token see it?"
ARCHIVE_TIP = "Create it or change `orphans.archive_to`; the token needs owner or collaborator rights on it."


def error(status: int, body: bytes, what: str) -> PkgsyncError:
    """The error for a refused change; ``what`` says what was refused, such as ``upload of KEY``.

    Only the two known duplicate wordings, and nothing beside them, count as duplicate: a full plan says so in the
    same answer, and every other 422 is a real refusal.
    """
    fields = _fields(body)
    said = _words(fields, body)
    message = f"Packagecloud refused the {what}: {said or f'status {status}'}"
    # first, as the words of a duplicate may stand beside it
    if "plan" in fields or status == 402:
        return QuotaError(message, tip="Look at the plan and the storage of the Packagecloud account.")
    if status == 404:
        return NotFoundError(message, tip=REPOSITORY_TIP)
    if status == 422 and _is_duplicate(fields):
        return DuplicateError(message)
    if status == 413:
        return RefusedError(message, tip="The file is too large for this server.")
    return RefusedError(message)


def of_archive(error: PkgsyncError, archive: str) -> PkgsyncError:
    """The same kind of error, saying what the archive needs."""
    match error:
        case AuthenticationError():
            words = f"Archiving needs owner or collaborator rights on both repositories, also on {archive}."
        case QuotaError():
            words = f"If {archive} is private, the account needs a plan that includes private repositories."
        case _:
            words = f"Does the archive {archive} exist, and may this token write to it?"
    return type(error)(f"{error.message} {words}", tip=error.tip)


def _fields(body: bytes) -> Mapping[str, tuple[str, ...]]:
    """Field to messages; empty for anything that is not one of the three JSON shapes."""
    try:
        document = json.loads(body)
        return {key: _messages(value) for key, value in document.items()} if isinstance(document, Mapping) else {}
    except (ValueError, RecursionError):
        return {}


def _messages(value: Any) -> tuple[str, ...]:
    values = value if isinstance(value, list) else [value]
    return tuple(item if isinstance(item, str) else json.dumps(item)[:_MAX_WORDS] for item in values)


def _is_duplicate(fields: Mapping[str, tuple[str, ...]]) -> bool:
    if len(fields) != 1:
        return False
    ((field, messages),) = fields.items()
    wording = _TAKEN.get(field)
    return wording is not None and bool(messages) and all(wording in message.casefold() for message in messages)


def _words(fields: Mapping[str, tuple[str, ...]], body: bytes) -> str:
    """The server's own words, fit to be shown; nothing of a page for people."""
    if not fields:
        return "" if body.lstrip()[:1] == b"<" else clean_text(body[: _MAX_WORDS * 4].decode(errors="replace"))
    return clean_text(
        "; ".join(
            " ".join(messages) if field == "error" else f"{field} {' '.join(messages)}"
            for field, messages in fields.items()
        )
    )
