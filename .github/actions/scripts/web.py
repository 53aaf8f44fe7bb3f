"""The JSON API of a forge: the token goes to it alone, and what time may cure is tried again."""

import json
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import requests

ATTEMPTS = 5
TIMEOUT = (10, 60)
"""Seconds to connect, and between two bytes."""
MAX_PAGES = 100
LONGEST_PAUSE = 120.0
"""Seconds; a limit that lasts longer ends the run."""
SECONDARY_LIMIT_PAUSE = 60.0
_FAULTS = (500, 502, 503, 504)


class StepError(Exception):
    """What happened, to what, and what to do next, in one or two lines."""


class UnsureError(StepError):
    """The request may have been carried out or not."""


@dataclass(frozen=True)
class Api:
    """A server's API. ``base`` has no slash at its end, ``headers`` hold the token, ``tip`` is what may be wrong."""

    base: str
    headers: Mapping[str, str]
    tip: str

    def get(self, path: str, **parameters: str | int) -> Any:
        """The JSON under ``path``. Raises StepError."""
        return _json(self.send("GET", path, parameters=parameters))

    def pages(self, path: str, **parameters: str | int) -> Iterator[Any]:
        """The JSON of every page, a hundred items each. Raises StepError, also where there are too many pages."""
        reply = self.send("GET", path, parameters={**parameters, "per_page": 100})
        for _ in range(MAX_PAGES):
            yield _json(reply)
            following = reply.links.get("next", {}).get("url")
            if following is None:
                return
            # the token must not follow a link to anywhere else
            if not following.startswith(f"{self.base}/"):
                raise StepError(f"{path}: its next page is not on {self.base}")
            reply = self.send("GET", following.removeprefix(self.base))
        raise StepError(f"{path}: more than {MAX_PAGES} pages")

    def send(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        parameters: Mapping[str, str | int] | None = None,
        repeatable: bool = True,
    ) -> requests.Response:
        """The reply, where the request was carried out.

        Raises StepError; UnsureError where a request that is not ``repeatable`` may have been carried out.
        """
        for attempt in range(ATTEMPTS):
            try:
                reply = self._once(method, path, body, parameters or {})
            except requests.RequestException as error:
                # not its words: they may hold a proxy's password
                failure = _Failure(said=type(error).__name__, pause=2.0**attempt)
            else:
                # a redirect is an answer only to who asks for the address of an artifact: a POST would be lost with it
                if reply.ok and (reply.status_code < 300 or method == "GET"):
                    return reply
                failure = _failure(reply, attempt)
            if not (failure.refused or repeatable):
                raise UnsureError(f"{method} {path}: {failure.said}")
            if failure.final or attempt + 1 == ATTEMPTS or failure.pause > LONGEST_PAUSE:
                break
            time.sleep(failure.pause)
        lasts = f", for {failure.pause:.0f} s" if failure.pause > LONGEST_PAUSE else ""
        tip = self.tip if failure.final else "Run the job again later."
        raise StepError(f"{method} {path}: {failure.said}{lasts}. {tip}")

    def _once(self, method: str, path: str, body: object, parameters: Mapping[str, str | int]) -> requests.Response:
        return requests.request(
            method,
            self.base + path,
            json=body,
            params=parameters,
            headers=dict(self.headers),
            auth=_nothing_else,
            timeout=TIMEOUT,
            allow_redirects=False,
        )


@dataclass(frozen=True, kw_only=True)
class _Failure:
    """One attempt. ``refused``: surely not carried out. ``final``: time does not cure it. ``pause`` in seconds."""

    said: str
    pause: float
    refused: bool = False
    final: bool = False


def _failure(reply: requests.Response, attempt: int) -> _Failure:
    limited, fault = _limited(reply), reply.status_code in _FAULTS
    return _Failure(
        said=f"{reply.status_code} {_message(reply)}".strip(),
        pause=_pause(reply, attempt),
        refused=not fault,
        final=not (limited or fault),
    )


def download(url: str, limit: int) -> bytes:
    """The bytes of a signed link, without any token. Raises StepError, also where they are more than ``limit``."""
    for attempt in range(ATTEMPTS):
        if attempt:
            time.sleep(2.0**attempt)
        try:
            with requests.get(url, auth=_nothing_else, timeout=TIMEOUT, stream=True, allow_redirects=False) as reply:
                wrong = f"answers {reply.status_code}"
                if reply.status_code == 200:
                    return _bounded(reply, limit)
                if reply.status_code not in _FAULTS:
                    break
        except requests.RequestException as error:
            # not its words: the link is signed, a secret for as long as it lasts
            wrong = f"failed: {type(error).__name__}"
    raise StepError(f"the download {wrong}. Run the job again later.")


def _bounded(reply: requests.Response, limit: int) -> bytes:
    data = bytearray()
    for piece in reply.iter_content(64 * 1024):
        data += piece
        if len(data) > limit:
            raise StepError(f"the download is larger than {limit // 2**20} MiB")
    return bytes(data)


def _nothing_else(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """Keeps a .netrc of the runner out of the request."""
    return request


def _limited(reply: requests.Response) -> bool:
    """Refused for its pace and not carried out."""
    headers = reply.headers
    if reply.status_code == 429:
        return True
    asked_to_wait = "Retry-After" in headers or headers.get("X-RateLimit-Remaining") == "0"
    return reply.status_code == 403 and (asked_to_wait or "secondary rate limit" in _message(reply))


def _pause(reply: requests.Response, attempt: int) -> float:
    """Seconds that the server asks for, else more each time."""
    headers = reply.headers
    if (stated := headers.get("Retry-After", "")).isdecimal():
        return float(stated)
    if headers.get("X-RateLimit-Remaining") == "0" and (reset := headers.get("X-RateLimit-Reset", "")).isdecimal():
        return max(0.0, float(reset) - time.time())
    return SECONDARY_LIMIT_PAUSE if _limited(reply) else 2.0**attempt


def _json(reply: requests.Response) -> Any:
    try:
        return reply.json()
    except ValueError:
        raise StepError(f"{reply.request.method} {reply.request.path_url}: the answer is not JSON") from None


def _message(reply: requests.Response) -> str:
    """The server's own words, made safe for a log."""
    try:
        said = reply.json().get("message", "")
    except (ValueError, AttributeError):
        return ""
    return json.dumps(said)[:300] if said else ""
