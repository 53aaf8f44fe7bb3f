"""One server, one credential: requests that are bounded, repeated with care, and never misdirected."""

import contextlib
import logging
import os
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from typing import Any, BinaryIO, TypeVar
from urllib.parse import quote, urlencode

from requests import RequestException, Response
from requests.utils import get_environ_proxies

from pkgsync.backoff import say_retry, seconds_before
from pkgsync.errors import (
    AmbiguousError,
    ConfigError,
    PkgsyncError,
    ReadError,
    RedirectError,
    RefusedError,
)
from pkgsync.model.origin import Origin, zone_of
from pkgsync.model.secret import Login
from pkgsync.session.authorization import Authorization
from pkgsync.session.bare import bare_session, prepared
from pkgsync.session.body import read_body, read_start
from pkgsync.session.download import DownloadState
from pkgsync.session.failures import failure
from pkgsync.session.limits import DEFAULT_LIMITS, HttpLimits
from pkgsync.session.reply import Reply, TransientError, busy, check_status, checked_content, is_html
from pkgsync.session.throttle import Throttle
from pkgsync.session.urls import check_route, clean_url, redirect_target, secrets_of
from pkgsync.session.watch import Watch, Watcher
from pkgsync.session.words import told
from pkgsync.session.zones import Zones
from pkgsync.version import __version__

T = TypeVar("T")
_log = logging.getLogger(__name__)
# urllib3's own messages hold whole URLs, signed ones too; what is worth knowing is logged here, cleaned
logging.getLogger("urllib3").setLevel(logging.CRITICAL)
_REDIRECTS = (301, 302, 303, 307, 308)
# requests reads the first two by itself only together with ~/.netrc (see trust_env below)
CA_VARIABLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE")
# what these mean depends on what was sent before: the caller knows
_ANSWERS_OF_A_CHANGE = (404, 409, 422)


class Session:
    """HTTP to one origin with one credential, safe to share between threads.

    ``base_url`` may have a path, which all routes follow. ``auth`` is sent to its origin and to no other. ``quota``
    makes 402, and 429 without Retry-After, a QuotaError. ``accept`` is what a request asks for that does not say.
    Nothing is sent to this machine, a link-local or a private network unless the server itself is there, or with
    ``allow_private``; with a ``neighbour`` that session's server and permission count instead.
    ``pause`` waits between attempts (seconds).
    Raises ConfigError for plain http beyond this machine without ``allow_http``, and for what is no URL.
    """

    def __init__(
        self,
        base_url: str,
        *,
        auth: Login | None = None,
        limits: HttpLimits = DEFAULT_LIMITS,
        allow_http: bool = False,
        allow_private: bool = False,
        neighbour: "Session | None" = None,
        quota: bool = False,
        accept: str = "*/*",
        pause: Callable[[float], object] | None = None,
    ) -> None:
        self.base_url = base_url.rstrip("/")
        self.limits = limits
        self._origin = _checked_origin(base_url, allow_http)
        self._allow_http = allow_http
        self._zones: Zones = neighbour._zones if neighbour else Zones(self._origin, allow_private)
        self._auth = Authorization(auth)
        self._quota = quota
        self._accept = accept
        self._closed = threading.Event()
        # one that ends with the session: a signal must not wait for a thread that waits
        self.pause = pause or self._closed.wait
        self._lock = threading.Lock()
        self._requests = 0
        self._watcher = Watcher(limits)
        self._throttle = Throttle()
        self._http = bare_session()
        # asked once per server: it costs more than what is left of preparing a request
        self._proxies = cache(get_environ_proxies)

    @property
    def origin(self) -> str:
        """Scheme, host and port of ``base_url``."""
        return str(self._origin)

    @property
    def requests(self) -> int:
        """How many HTTP requests were sent so far, redirects and repetitions included."""
        return self._requests

    def close(self) -> None:
        """Cut everything that is in flight, from any thread, and send nothing more."""
        self._closed.set()
        self._watcher.close("the run is ending")
        self._http.close()

    def show_words(self, what: str, words: bytes, secrets: Sequence[str] = ()) -> None:
        """Log the server's own words about ``what``, where ``-v`` shows them; they stand nowhere else."""
        _log.info("%s, the server says: %s", what, told(words, (*self._auth.secrets, *secrets)))

    def get(
        self,
        route: str,
        *,
        params: Sequence[tuple[str, str]] = (),
        max_bytes: int,
        accept: str | None = None,
        content_types: tuple[str, ...] = (),
        total_seconds: float | None = None,
        read_seconds: float | None = None,
        decode: bool = True,
        elsewhere: bool = False,
    ) -> Reply:
        """The 200 answer to a GET of ``route`` (encoded, see make_route), whole and not empty.

        ``content_types``: what it may be (an answer without a type passes). ``decode`` False leaves the bytes of a
        compressed file alone. ``elsewhere`` follows redirects to other servers, without credentials.
        What may pass is repeated: 408, 429, 5xx, lost or cut connections, HTML, wrong types, empty bodies.
        Raises NotFoundError, AuthenticationError, QuotaError, RedirectError, and ReadError for the rest.
        """
        query = urlencode(params, quote_via=quote)
        url = self.base_url + check_route(route) + (f"?{query}" if query else "")
        headers = {"Accept": accept or self._accept, "Accept-Encoding": "gzip, identity" if decode else "identity"}
        total = self.limits.total_seconds if total_seconds is None else total_seconds

        def once() -> Reply:
            with self._following(url, headers, total, read_seconds, elsewhere=elsewhere) as (response, watch):
                reply = self._reply(response, watch, max_bytes, url, decode=decode)
            self._check(reply, f"GET {reply.url}")
            return checked_content(reply, content_types)

        return self.persist(once)

    def change(
        self,
        method: str,
        route: str,
        *,
        data: Any = None,
        headers: Mapping[str, str] | None = None,
    ) -> Reply:
        """Send a change exactly once; the answer if it is 2xx, 404, 409 or 422.

        ``data`` is bytes or a readable with ``len``. Raises AuthenticationError, QuotaError, RefusedError (another
        4xx), BusyError (429 with Retry-After: nothing was done), ReadError if it was surely not sent, and
        AmbiguousError for all else: then only a look can tell.
        """
        url = self.base_url + check_route(route)
        what = f"{method} {clean_url(url)}"
        all_headers = {"Accept": "application/json", "Accept-Encoding": "identity", **(headers or {})}
        # no total: a large file may take its time, as long as its bytes move
        with (
            self._throttle.turn() as answered,
            self._watcher.watching(self.limits.upload_read_seconds, None) as watch,
        ):
            # one that idled longer the server may be closing just now: nobody would know whether the change arrived
            watch.most_idle = self.limits.idle_seconds
            try:
                with self._send(method, url, url, all_headers, watch, data=data) as response:
                    answered(response.status_code)
                    reply = self._reply(response, watch, self.limits.max_json_bytes, url)
            except TransientError as error:
                raise _ambiguous(error.error.message) if error.sent else error.error from None
            except ReadError as error:
                # only the answer is unusable: the change was sent
                raise _ambiguous(error.message) from None
        return self._outcome(reply, what)

    def download(
        self,
        location: str,
        sink: BinaryIO,
        *,
        size: int | None,
        offset: int = 0,
        on_bytes: Callable[[int], None] = lambda count: None,
    ) -> int:
        """Stream a GET into ``sink`` and return the file's size in bytes.

        ``location`` is a route or an absolute URL. ``offset`` bytes stand in ``sink`` already: the rest is asked for,
        and if the server sends all of it again the sink starts over (``on_bytes`` then gets a negative count).
        Credentials are sent to no other origin. Nothing is written before the status is known, and nothing beyond
        ``size``. The bytes are not verified here. Errors as in get().
        """
        url = (
            self.base_url + check_route(location)
            if location.startswith("/")
            else redirect_target(location, location, location)
        )
        self._check_reachable(url, url)
        job = DownloadState(sink, size, offset, on_bytes, self.limits)

        def once() -> int:
            headers = {"Accept": self._accept, **job.headers()}
            with self._following(url, headers, None, None, elsewhere=True) as (response, watch):
                if response.status_code not in (200, 206, 416):
                    reply = self._reply(response, watch, self.limits.max_error_bytes, url)
                    self._check(reply, f"GET {reply.url}")
                    raise ReadError(f"GET {reply.url}: unexpected status {reply.status}")
                return job.receive(response, watch, f"GET {_place(url, str(response.url))}")

        return self.persist(once, progressed=job.progressed)

    def persist(self, once: Callable[[], T], *, progressed: Callable[[], bool] = lambda: False) -> T:
        """Call ``once`` until it gives no TransientError, a bounded number of times with growing pauses.

        ``progressed`` says that the last attempt brought something, which then does not count.
        """
        attempt = timeouts = 0
        while True:
            try:
                return once()
            except TransientError as error:
                if progressed():
                    attempt = timeouts = 0
                attempt, timeouts = attempt + 1, timeouts + error.timed_out
                exhausted = attempt >= self.limits.attempts or timeouts >= self.limits.timeouts
                if exhausted or error.hopeless or self._closed.is_set():
                    raise error.error from None
                seconds = self._seconds_before(attempt, error.wait)
                most = self.limits.timeouts if error.timed_out else self.limits.attempts
                say_retry(error.error.message, attempt, most, seconds)
            self.pause(seconds)

    def _seconds_before(self, attempt: int, wait: float | None) -> float:
        """How long the next attempt has to wait; ``wait`` is what the server asks for."""
        if wait is not None:
            return min(wait, self.limits.retry_after_cap_seconds)
        return seconds_before(attempt, self.limits.backoff_seconds, self.limits.backoff_cap_seconds)

    @contextlib.contextmanager
    def _following(
        self,
        url: str,
        headers: Mapping[str, str],
        total_seconds: float | None,
        read_seconds: float | None,
        *,
        elsewhere: bool,
    ) -> Iterator[tuple[Response, Watch]]:
        """GET ``url``, redirects followed and a signature given by hand, the last answer open for reading."""
        wait = self.limits.read_seconds if read_seconds is None else read_seconds
        with contextlib.ExitStack() as stack:
            asked, signed = url, False
            # by hand: requests would follow to any server and scheme, and decide by itself where the login may go
            for _ in range(self.limits.redirects + 1):
                answered = stack.enter_context(self._throttle.turn())
                watch = stack.enter_context(self._watcher.watching(wait, total_seconds))
                response = stack.enter_context(self._send("GET", url, asked, headers, watch))
                answered(response.status_code)
                if response.status_code in _REDIRECTS:
                    url = self._redirected(url, asked, response.headers.get("Location"), elsewhere)
                # once: a signature that was just made and is refused will be refused again
                elif not signed and self._can_sign(response, asked):
                    signed = True
                else:
                    yield response, watch
                    return
                stack.close()
        raise ReadError(f"GET {clean_url(asked)}: more than {self.limits.redirects} redirects")

    def _can_sign(self, response: Response, asked: str) -> bool:
        """Whether this is the server's own demand for a signature, and there is one now. Raises AuthenticationError."""
        if response.status_code != 401 or Origin.of(str(response.url)) != self._origin:
            return False
        challenge, sent = response.headers.get("WWW-Authenticate", ""), response.request.headers.get("Authorization")
        return self._auth.renew(challenge, sent, f"GET {clean_url(asked)}")

    def _redirected(self, url: str, asked: str, location: str | None, elsewhere: bool) -> str:
        """Where the answer to ``url`` leads to. That is the server's word: errors name what was ``asked`` for."""
        target = redirect_target(url, asked, location)
        if Origin.of(target) != self._origin and not elsewhere:
            _log.info("GET %s: redirected to %s", clean_url(asked), Origin.of(target))
            raise RedirectError(
                f"GET {clean_url(asked)}: redirected to another server",
                tip="Check the URL in the config, and whether a login page or a proxy is in the way; "
                "-v names the other server.",
            )
        self._check_reachable(target, asked)
        return target

    def _check_reachable(self, url: str, asked: str) -> None:
        """Refuse plain http beyond the server itself."""
        origin = Origin.of(url)
        if origin != self._origin and not origin.is_protected and not self._allow_http:
            raise ReadError(f"{clean_url(asked)}: it leads to plain http", tip="Set `allow_http: true` to allow it.")

    def _send(
        self,
        method: str,
        url: str,
        asked: str,
        headers: Mapping[str, str],
        watch: Watch,
        *,
        data: Any = None,
    ) -> Response:
        """One request, answered up to the header. Raises TransientError, or ReadError for a wrong certificate."""
        origin = Origin.of(url)
        self._zones.check(origin, asked, origin.zone)
        watch.on_peer = lambda address: self._zones.check(origin, asked, zone_of(address))
        request = prepared(method, url, self._headers(url, headers), data)
        with self._lock:
            self._requests += 1
        try:
            response = self._http.send(
                request,
                stream=True,
                allow_redirects=False,
                timeout=(self.limits.connect_seconds, watch.read_seconds),
                # a proxy elsewhere would reach its own loopback, not ours
                proxies={} if origin.is_loopback else self._proxies("/".join(url.split("/", 3)[:3])),
                verify=next((os.environ[name] for name in CA_VARIABLES if os.environ.get(name)), True),
            )
        except (RequestException, OSError, ValueError) as error:
            raise failure(error, f"{method} {_place(asked, url)}", watch) from None
        _log.debug("%s %s: %d", method, clean_url(url), response.status_code)
        return response

    def _headers(self, url: str, headers: Mapping[str, str]) -> dict[str, str]:
        own = {"User-Agent": f"pkgsync/{__version__}", **headers}
        if (authorization := self._auth.header) and Origin.of(url) == self._origin:
            own["Authorization"] = authorization
        return own

    def _reply(self, response: Response, watch: Watch, max_bytes: int, asked: str, *, decode: bool = True) -> Reply:
        """The whole answer to a request for the URL ``asked``.

        What the server says about a refusal is logged, and only there; the words of another server are not even read:
        it may repeat a signature.
        """
        place = _place(asked, str(response.url))
        what = f"{response.request.method} {place}"
        ours = Origin.of(str(response.url)) == self._origin
        if 200 <= response.status_code < 300:
            body = read_body(response, watch, what, max_bytes, decode=decode)
        else:
            body = read_start(response, watch, what, self.limits.max_error_bytes) if ours else b""
        reply = Reply(status=response.status_code, headers=response.headers, body=body, url=place)
        if not 200 <= reply.status < 300 and body and not is_html(reply):
            self.show_words(f"{what}: {reply.status}", body, secrets_of(asked))
        return reply

    def _check(self, reply: Reply, what: str) -> None:
        check_status(reply, what, quota=self._quota, login=self._auth.source)

    def _outcome(self, reply: Reply, what: str) -> Reply:
        if reply.status in _ANSWERS_OF_A_CHANGE:
            return reply
        # a login page or a proxy, before or after the service saw the request
        if is_html(reply) and reply.status < 400:
            raise _ambiguous(f"{what}: answered by a page, not by the service")
        if 300 <= reply.status < 400:
            raise _ambiguous(f"{what}: redirected ({reply.status}), which is not followed")
        try:
            self._check(reply, what)
        except TransientError as error:
            # 429 with Retry-After: it was turned away, so nothing was done
            raise busy(error) if reply.status == 429 else _ambiguous(error.error.message, error.wait) from None
        except PkgsyncError as error:
            # exactly that: another 4xx. Its subclasses mean something of their own
            if type(error) is ReadError:
                raise RefusedError(error.message, tip=error.tip) from None
            raise
        return reply


def _checked_origin(url: str, allow_http: bool) -> Origin:
    try:
        origin = Origin.of(url)
    except ValueError as error:
        raise ConfigError(f"{clean_url(url)}: {error}") from None
    if not origin.is_protected and not allow_http:
        raise ConfigError(f"{clean_url(url)}: plain http is refused", tip="Use https, or set `allow_http: true`.")
    return origin


def _place(asked: str, url: str) -> str:
    """The URL that was asked for, and the server that it was redirected to; never a path that a server made up."""
    final = Origin.of(url)
    return clean_url(asked) if final == Origin.of(asked) else f"{clean_url(asked)}, redirected to {final}"


def _ambiguous(message: str, wait: float | None = None) -> AmbiguousError:
    return AmbiguousError(message, wait=wait, tip="Its outcome is unknown until the next look.")
