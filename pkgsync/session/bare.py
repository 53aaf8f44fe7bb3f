"""What of requests is used: a connection for a request, and nothing that it would add of its own."""

from http.cookiejar import DefaultCookiePolicy
from typing import Any

from requests import PreparedRequest
from requests import Session as HttpSession

from pkgsync.session.watch import WatchedAdapter


def bare_session() -> HttpSession:
    """A session without netrc, cookies, or connections that cannot be cut."""
    http = HttpSession()
    # else ~/.netrc would be read, and its logins sent to any server of that name
    http.trust_env = False
    # a cookie is a credential that no origin was checked for
    http.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    adapter = WatchedAdapter(pool_connections=8, pool_maxsize=64)
    http.mount("https://", adapter)
    http.mount("http://", adapter)
    return http


def prepared(method: str, url: str, headers: dict[str, str], data: Any) -> PreparedRequest:
    """What requests makes of a request, but with the URL as it is: requests would decode and encode it anew, slowly."""
    request = PreparedRequest()
    request.method, request.url = method, url
    request.prepare_headers(headers)
    request.prepare_cookies({})
    request.prepare_body(data, None)
    request.prepare_hooks({})
    return request
