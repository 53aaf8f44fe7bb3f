"""URLs as they may be sent and as they may be shown."""

import re
from urllib.parse import parse_qsl, quote, urljoin, urlsplit

from pkgsync.errors import ReadError
from pkgsync.model.origin import Origin

_NOT_IN_A_URL = re.compile(r"[\x00-\x20\x7f-\uffff\U00010000-\U0010ffff\\]")
_URL_IN_TEXT = re.compile(r"(https?://)(?:[^\s/?#@]*@)?([^\s?#\"'<>]*)(?:[?#][^\s\"'<>]*)?", re.IGNORECASE)
_READ_TOKEN = re.compile(r"(/priv/)[^/\s?#\"'<>]+")  # in the addresses of private Packagecloud repositories
# line breaks, and what turns text round on a screen
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]+")


def make_route(*parts: str) -> str:
    """``/part/part``, each part percent-encoded; only ``:`` and ``~`` stay, as osc writes them.

    Raises ReadError for a part that would change the path: empty, ``.`` or ``..``.
    """
    for part in parts:
        if part in ("", ".", ".."):
            raise ReadError(f"{part!r} cannot be a part of a URL")
    return "".join(f"/{quote(part, safe=':~')}" for part in parts)


def clean_url(url: str) -> str:
    """The URL as it may be shown: no user name, password, read token, query or fragment."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        return "(not a URL)"
    if not host:
        return "(not a URL)"
    host = f"[{host}]" if ":" in host else host
    path = _READ_TOKEN.sub(r"\1***", parts.path)
    return _CONTROL.sub(" ", f"{parts.scheme}://{host}{port}{path}")


def secrets_of(url: str) -> tuple[str, ...]:
    """What gives the holder of a download address its rights: no server's words may repeat it."""
    parts = urlsplit(url)
    values = [value for _, value in parse_qsl(parts.query)]
    segment = _READ_TOKEN.search(parts.path)
    found = [*values, parts.username or "", parts.password or "", segment[0].removeprefix("/priv/") if segment else ""]
    return tuple(value for value in found if len(value) > 3)


def clean_text(text: str) -> str:
    """A server's words on one line, without the query of a URL and the read token in its path."""
    text = _READ_TOKEN.sub(r"\1***", _URL_IN_TEXT.sub(r"\1\2", text))
    return _CONTROL.sub(" ", text).strip()


def check_route(route: str) -> str:
    """``route`` if it can be sent as it is. Raises ReadError."""
    path = route.partition("?")[0]
    if not route.startswith("/") or route.startswith("//") or _NOT_IN_A_URL.search(route):
        raise ReadError("the service named an impossible route")
    # servers and proxies resolve them encoded, too, and would then see another path than the one checked
    if any(part in (".", "..") for part in path.lower().replace("%2e", ".").split("/")):
        raise ReadError("the service named a route with dots")
    return route


def redirect_target(url: str, asked: str, location: str | None) -> str:
    """The absolute URL that a redirect of ``url`` leads to. Raises ReadError, naming ``asked``, if none can be sent."""
    try:
        target = urljoin(url, location or "").partition("#")[0]
        Origin.of(target)
    except ValueError:
        raise ReadError(f"{clean_url(asked)} redirects to something that is no web address") from None
    if not location or _NOT_IN_A_URL.search(target):
        raise ReadError(f"{clean_url(asked)} redirects to something that is no web address")
    return target
