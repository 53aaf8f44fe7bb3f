"""What a server answered, and what its status means."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from pkgsync.errors import (
    AuthenticationError,
    BusyError,
    NotFoundError,
    PkgsyncError,
    QuotaError,
    ReadError,
)
from pkgsync.model.secret import Discreet
from pkgsync.session.authorization import signature_challenge

WORDS_TIP = "With -v the server's own words stand on stderr."
_PAGE = re.compile(rb"<(?:!doctype\s+html|html|head|body)\b", re.IGNORECASE)
_BEFORE = re.compile(rb"\s+|\xef\xbb\xbf|<!--.*?-->", re.DOTALL)
# the client errors that mean "later"; for 408 see obs/README.md, "Two servers"
_TRANSIENT = (408, 425, 429)


class Reply(Discreet, frozen=True, kw_only=True):
    """One answer. ``url`` is without query; the names of ``headers`` match in any case."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    url: str

    @property
    def content_type(self) -> str:
        return media_type(self.headers)


class TransientError(Exception):
    """An attempt failed in a way that may pass; ``error`` is raised if it does not.

    ``wait``: the seconds that the server asks for. ``sent``: the request may have reached it. ``hopeless``: it will
    not pass after all.
    """

    def __init__(
        self,
        error: PkgsyncError,
        *,
        wait: float | None = None,
        timed_out: bool = False,
        sent: bool = True,
        hopeless: bool = False,
    ) -> None:
        super().__init__(error.message)
        self.error = error
        self.wait = wait
        self.timed_out = timed_out
        self.sent = sent
        self.hopeless = hopeless


def media_type(headers: Mapping[str, str]) -> str:
    """The Content-Type without its parameters, in lower case; empty where there is none."""
    return headers.get("Content-Type", "").partition(";")[0].strip().lower()


def is_html(reply: Reply) -> bool:
    """Whether this is a page for people: what proxies and login forms answer, with any status and type."""
    return reply.content_type in ("text/html", "application/xhtml+xml") or _starts_as_page(reply.body[:4096])


def _starts_as_page(start: bytes) -> bool:
    """Whether the first tag after white space and comments is one of a page; each byte is looked at once."""
    at = 0
    while skipped := _BEFORE.match(start, at):
        at = skipped.end()
    return _PAGE.match(start, at) is not None


def check_status(reply: Reply, what: str, *, quota: bool, login: str) -> None:
    """Nothing for a 2xx; else the error that the status means.

    ``quota``: 402 and a bare 429 are final. ``login`` is where the login was found, empty without one.
    """
    status = reply.status
    if 200 <= status < 300:
        return
    message = f"{what}: {status}"
    if status in (401, 403):
        raise AuthenticationError(message, tip=_authentication_tip(status, reply.headers, login))
    if status == 404:
        raise NotFoundError(message)
    # packagecloud/README.md, "Quota": it stays so for weeks, and asking again costs time only
    if quota and (status == 402 or (status == 429 and "Retry-After" not in reply.headers)):
        raise QuotaError(message, tip="Look at the plan and limits of the Packagecloud account.")
    if status in _TRANSIENT or status >= 500:
        raise TransientError(ReadError(message, tip="Try again later."), wait=retry_after(reply.headers))
    raise ReadError(message, tip=WORDS_TIP)


def _authentication_tip(status: int, headers: Mapping[str, str], login: str) -> str:
    if status == 403:
        return "The login is known, but it may not do this."
    if signature_challenge(headers.get("WWW-Authenticate", "")) is not None:
        return "The server takes SSH signatures: check OSC_SSHKEY (without OSC_PASSWORD) and the clock."
    return f"Check {login}." if login else "The server wants a login, and none was found; `pkgsync doctor` tells more."


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds that the server asks to wait, from a number or a date; None where it says nothing sensible."""
    text = headers.get("Retry-After", "").strip()
    if text.isascii() and text.isdigit():
        # 9 digits are 30 years, and more only cost time
        return float(text[:9])
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, TypeError, OverflowError):
        return None
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return max(0.0, (aware - datetime.now(UTC)).total_seconds())


def busy(error: TransientError) -> PkgsyncError:
    """A change that the server surely did not make because it wants a pause."""
    return BusyError(error.error.message, wait=error.wait or 0.0, tip="Nothing was changed by it; try again later.")


def checked_content(reply: Reply, content_types: tuple[str, ...]) -> Reply:
    """``reply`` if it is a whole 200, of one of ``content_types``, and no page for people.

    Raises TransientError: what proxies put in the way may be gone next time. It never means "nothing there".
    """
    what = f"GET {reply.url}"
    if reply.status != 200:
        raise TransientError(ReadError(f"{what}: {reply.status} where 200 was expected"))
    if not reply.body:
        raise TransientError(ReadError(f"{what}: the answer is empty"))
    if is_html(reply):
        raise TransientError(ReadError(f"{what}: answered by a page for people, not by the service"))
    if content_types and reply.content_type and reply.content_type not in content_types:
        raise TransientError(ReadError(f"{what}: the answer is not {' or '.join(content_types)}"))
    return reply
