"""What a session sends to whom, what it repeats, and what the answers mean."""

import base64
import logging
from pathlib import Path
from typing import Any

import pytest
import requests
import requests_mock

from pkgsync.errors import (
    AmbiguousError,
    AuthenticationError,
    BusyError,
    ConfigError,
    NotFoundError,
    PkgsyncError,
    QuotaError,
    ReadError,
    RedirectError,
    RefusedError,
)
from pkgsync.model.secret import Basic
from pkgsync.session import HttpLimits, Session, clean_url, make_route

API = "https://api.example.org"
AUTH = Basic("alice", "s3cret-pass")
HEADER = "Basic " + base64.b64encode(b"alice:s3cret-pass").decode()
XML = {"Content-Type": "text/xml"}


@pytest.fixture
def pauses() -> list[float]:
    return []


@pytest.fixture
def session(pauses: list[float]) -> Session:
    return Session(API, auth=AUTH, pause=pauses.append)


@pytest.fixture
def quota_session(pauses: list[float]) -> Session:
    return Session(API, auth=AUTH, pause=pauses.append, quota=True)


def get(session: Session, route: str = "/x", **options: Any) -> bytes:
    return session.get(route, max_bytes=1000, **options).body


def test_a_reply_holds_what_was_answered(session: Session, requests_mock: requests_mock.Mocker) -> None:
    requests_mock.get(f"{API}/x", content=b"<a/>", headers=XML)
    reply = session.get("/x", params=[("view", "a b"), ("view", "+")], max_bytes=4)
    assert (reply.status, reply.body, reply.url) == (200, b"<a/>", f"{API}/x")
    assert reply.headers["content-type"] == "text/xml"
    sent = requests_mock.last_request
    assert sent is not None
    assert sent.url == f"{API}/x?view=a%20b&view=%2B"
    assert sent.headers["Authorization"] == HEADER
    assert sent.headers["User-Agent"].startswith("pkgsync/")
    assert session.requests == 1


def test_a_login_in_netrc_is_not_used(
    requests_mock: requests_mock.Mocker, sealed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (sealed / ".netrc").write_text("default login other password other\n")
    monkeypatch.setenv("NETRC", str(sealed / ".netrc"))
    requests_mock.get(f"{API}/x", content=b"ok")
    Session(API).get("/x", max_bytes=10)
    assert requests_mock.last_request is not None
    assert "Authorization" not in requests_mock.last_request.headers


def test_cookies_are_not_kept(session: Session, requests_mock: requests_mock.Mocker) -> None:
    requests_mock.get(f"{API}/x", content=b"ok", headers={"Set-Cookie": "session=1; Path=/"})
    get(session)
    get(session)
    assert requests_mock.last_request is not None
    assert "Cookie" not in requests_mock.last_request.headers


def test_proxies_and_the_ca_bundle_of_the_environment_are_used(
    session: Session, requests_mock: requests_mock.Mocker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("https_proxy", "http://proxy.example.org:3128")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/ca.pem")
    requests_mock.get(f"{API}/x", content=b"ok")
    get(session)
    sent = requests_mock.last_request
    assert sent is not None
    assert (sent.proxies["https"], sent.verify) == ("http://proxy.example.org:3128", "/ca.pem")


def test_loopback_never_goes_through_a_proxy(
    requests_mock: requests_mock.Mocker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", "http://proxy.example.org:3128")
    requests_mock.get("http://127.0.0.1:9/x", content=b"ok")
    get(Session("http://127.0.0.1:9"))
    assert requests_mock.last_request is not None
    assert not requests_mock.last_request.proxies


@pytest.mark.parametrize("url", ["http://api.example.org", "http://10.0.0.1", "http://127.0.0.1.example.org"])
def test_plain_http_is_refused(url: str) -> None:
    with pytest.raises(ConfigError, match="plain http"):
        Session(url)
    assert Session(url, allow_http=True).base_url == url


@pytest.mark.parametrize(
    "url", ["ftp://x.org", "api.example.org", "https://", "https://u:tops3cret@x.org", "https://x:y"]
)
def test_what_is_no_address_is_refused(url: str) -> None:
    with pytest.raises(ConfigError) as caught:
        Session(url)
    assert "tops3cret" not in caught.value.message


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
def test_what_may_pass_is_repeated(
    session: Session, requests_mock: requests_mock.Mocker, status: int, pauses: list[float]
) -> None:
    answers = [{"status_code": status}, {"status_code": status}, {"content": b"ok"}]
    requests_mock.get(f"{API}/x", answers)  # type: ignore[arg-type]
    assert get(session) == b"ok"
    assert session.requests == 3
    assert 0.25 <= pauses[0] <= 0.5
    assert 0.5 <= pauses[1] <= 1


def test_repetition_ends(session: Session, requests_mock: requests_mock.Mocker) -> None:
    requests_mock.get(f"{API}/x", status_code=503, text="down")
    with pytest.raises(ReadError, match=r"/x: 503$"):
        get(session)
    assert session.requests == 5


@pytest.mark.parametrize(("given", "waited"), [("7", 7), ("86400", 120), ("Wed, 21 Oct 2015 07:28:00 GMT", 0)])
def test_the_server_says_how_long_to_wait(
    session: Session, requests_mock: requests_mock.Mocker, pauses: list[float], given: str, waited: float
) -> None:
    answers = [{"status_code": 429, "headers": {"Retry-After": given}}, {"content": b"ok"}]
    requests_mock.get(f"{API}/x", answers)  # type: ignore[arg-type]
    assert get(session) == b"ok"
    assert pauses == [waited]


def test_nonsense_in_retry_after_is_ignored(
    session: Session, requests_mock: requests_mock.Mocker, pauses: list[float]
) -> None:
    answers = [{"status_code": 429, "headers": {"Retry-After": "-1; soon"}}, {"content": b"ok"}]
    requests_mock.get(f"{API}/x", answers)  # type: ignore[arg-type]
    get(session)
    assert 0.25 <= pauses[0] <= 0.5


@pytest.mark.parametrize(
    ("status", "error"),
    [(400, ReadError), (401, AuthenticationError), (403, AuthenticationError), (404, NotFoundError), (402, ReadError)],
)
def test_a_clear_refusal_is_not_repeated(
    session: Session, requests_mock: requests_mock.Mocker, status: int, error: type[PkgsyncError]
) -> None:
    body = "<status code='x'><summary>no &amp; never</summary><details>more</details></status>"
    requests_mock.get(f"{API}/x", status_code=status, text=body, headers=XML)
    with pytest.raises(error, match=f"/x: {status}$") as caught:
        get(session)
    assert type(caught.value) is error
    assert session.requests == 1


@pytest.mark.parametrize("status", [402, 429])
def test_a_used_up_quota_is_not_repeated(
    quota_session: Session, requests_mock: requests_mock.Mocker, status: int
) -> None:
    requests_mock.get(f"{API}/x", status_code=status, text="Bandwidth or Storage Limit Exceeded")
    with pytest.raises(QuotaError, match=f"/x: {status}$"):
        get(quota_session)
    assert quota_session.requests == 1


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"", "text/xml"),
        (b"<!DOCTYPE html><html></html>", "text/xml"),
        (b" \n<HTML lang='en'>", "application/octet-stream"),
        (b"<a/>", "text/html; charset=utf-8"),
        (b"<a/>", "application/json"),
    ],
)
def test_what_is_no_answer_of_the_service_is_repeated_and_then_an_error(
    session: Session, requests_mock: requests_mock.Mocker, body: bytes, content_type: str
) -> None:
    requests_mock.get(f"{API}/x", content=body, headers={"Content-Type": content_type})
    with pytest.raises(ReadError):
        get(session, content_types=("text/xml", "application/xml"))
    assert session.requests == 5


def test_a_body_over_the_cap_is_refused(session: Session, requests_mock: requests_mock.Mocker) -> None:
    requests_mock.get(f"{API}/x", content=b"a" * 1001)
    with pytest.raises(ReadError, match="longer than 1000 bytes"):
        get(session)


def test_a_long_refusal_stays_a_refusal(session: Session, requests_mock: requests_mock.Mocker) -> None:
    requests_mock.get(f"{API}/x", status_code=404, content=b"a" * 2**20)
    with pytest.raises(NotFoundError) as caught:
        get(session)
    assert len(caught.value.message) < 300


def test_a_redirect_on_the_same_server_is_followed_with_the_login(
    session: Session, requests_mock: requests_mock.Mocker
) -> None:
    requests_mock.get(f"{API}/x", status_code=302, headers={"Location": "/y?a=%2B"})
    requests_mock.get(f"{API}/y?a=%2B", content=b"ok")
    assert get(session) == b"ok"
    assert requests_mock.last_request is not None
    assert requests_mock.last_request.headers["Authorization"] == HEADER


@pytest.mark.parametrize(
    "target", ["https://login.example.org/", "https://api.example.org:8443/x", "//evil.example.org/x"]
)
def test_a_redirect_to_another_server_is_no_answer(
    session: Session, requests_mock: requests_mock.Mocker, target: str
) -> None:
    requests_mock.get(f"{API}/x", status_code=302, headers={"Location": target})
    with pytest.raises(RedirectError):
        get(session)
    assert session.requests == 1


def test_a_mirror_gets_no_login(session: Session, requests_mock: requests_mock.Mocker) -> None:
    requests_mock.get(f"{API}/x", status_code=302, headers={"Location": "https://mirror.example.org/x?sig=1"})
    requests_mock.get("https://mirror.example.org/x?sig=1", content=b"ok")
    assert get(session, elsewhere=True) == b"ok"
    assert requests_mock.last_request is not None
    assert "Authorization" not in requests_mock.last_request.headers


@pytest.mark.parametrize("target", ["http://mirror.example.org/x", "http://127.0.0.1:1/x", "https://localhost/x"])
def test_a_redirect_to_plain_http_or_to_this_machine_is_refused(
    session: Session, requests_mock: requests_mock.Mocker, target: str
) -> None:
    requests_mock.get(f"{API}/x", status_code=302, headers={"Location": target})
    with pytest.raises(ReadError):
        get(session, elsewhere=True)
    assert session.requests == 1


@pytest.mark.parametrize("target", ["", "file:///etc/passwd", "https://a:b@mirror.example.org/", "https://x y/"])
def test_a_redirect_to_nowhere_is_refused(session: Session, requests_mock: requests_mock.Mocker, target: str) -> None:
    requests_mock.get(f"{API}/x", status_code=302, headers={"Location": target})
    with pytest.raises(ReadError):
        get(session, elsewhere=True)


def test_redirects_end(session: Session, requests_mock: requests_mock.Mocker) -> None:
    requests_mock.get(f"{API}/x", status_code=302, headers={"Location": "/x"})
    with pytest.raises(ReadError, match="redirects"):
        get(session)
    assert session.requests == 6


def test_no_secret_stands_in_an_error(session: Session, requests_mock: requests_mock.Mocker) -> None:
    body = f"bad\x1b[31m s3cret-pass {HEADER[6:]} https://u:pw@cdn.example.org/f?Signature=abc\n" + "x" * 500
    requests_mock.get(f"{API}/x?token=abc", status_code=400, text=body)
    with pytest.raises(ReadError) as caught:
        session.get("/x", params=[("token", "abc")], max_bytes=1000)
    assert caught.value.message == f"GET {API}/x: 400"


def test_a_servers_words_are_logged_on_one_line_and_cut(
    session: Session, requests_mock: requests_mock.Mocker, caplog: pytest.LogCaptureFixture
) -> None:
    body = "bad\x1b[31m https://u:pw@cdn.example.org/f?Signature=abc\n" + "x" * 500
    requests_mock.get(f"{API}/x", status_code=400, text=body)
    with caplog.at_level(logging.INFO), pytest.raises(ReadError):
        get(session)
    (words,) = (r.getMessage() for r in caplog.records if r.name.startswith("pkgsync"))
    assert words.startswith(f"GET {API}/x: 400, the server says: bad [31m https://cdn.example.org/f xxx")
    assert len(words) < 260


def test_a_path_that_a_redirect_makes_up_stands_in_no_error(
    session: Session, requests_mock: requests_mock.Mocker
) -> None:
    requests_mock.get(f"{API}/x", status_code=302, headers={"Location": "https://mirror.example.org/canary"})
    requests_mock.get("https://mirror.example.org/canary", status_code=400, text="canary")
    with pytest.raises(ReadError) as caught:
        get(session, elsewhere=True)
    assert caught.value.message == f"GET {API}/x, redirected to https://mirror.example.org: 400"
    with pytest.raises(RedirectError) as refused:
        get(session)
    assert refused.value.message == f"GET {API}/x: redirected to another server"


@pytest.mark.parametrize(
    "start", [b"<!---->" * 30 + b"x", b"<!-- -->\n" * 30 + b"<packages/>", b"<!--" * 1000, b" " * 4096]
)
def test_whether_an_answer_is_a_page_is_told_in_one_pass(
    session: Session, requests_mock: requests_mock.Mocker, start: bytes
) -> None:
    """211 bytes of empty comments took the pattern that stood here years."""
    requests_mock.get(f"{API}/x", content=start)
    assert session.get("/x", max_bytes=5000).body == start


@pytest.mark.parametrize("start", [b"<!---->" * 30, b"\xef\xbb\xbf \n<!-- a > b -->", b"\n\t"])
def test_a_page_behind_comments_is_a_page(session: Session, requests_mock: requests_mock.Mocker, start: bytes) -> None:
    requests_mock.get(f"{API}/x", content=start + b"<!DOCTYPE  html>")
    with pytest.raises(ReadError, match="page for people"):
        session.get("/x", max_bytes=5000)


def test_no_query_stands_in_the_log(
    session: Session, requests_mock: requests_mock.Mocker, caplog: pytest.LogCaptureFixture
) -> None:
    requests_mock.get(f"{API}/x", content=b"ok")
    with caplog.at_level(logging.DEBUG):
        session.get("/x", params=[("token", "abc")], max_bytes=1000)
    ours = "\n".join(r.getMessage() for r in caplog.records if not r.name.startswith("requests_mock"))
    assert ours == f"GET {API}/x: 200"


@pytest.mark.parametrize("route", ["x", "//evil.example.org/", "/a/../b", "/a/%2e%2E/b", "/a b", "/a\r\nX: y", "/a\\b"])
def test_a_route_that_leads_elsewhere_is_not_sent(session: Session, route: str) -> None:
    with pytest.raises(ReadError):
        get(session, route)
    assert session.requests == 0


def test_routes_are_encoded_part_by_part(session: Session, requests_mock: requests_mock.Mocker) -> None:
    route = make_route("published", "home:me", "a+b~c^d e%/ä")
    assert route == "/published/home:me/a%2Bb~c%5Ed%20e%25%2F%C3%A4"
    requests_mock.get(f"{API}{route}", content=b"ok")
    get(session, route)
    assert requests_mock.last_request is not None
    assert requests_mock.last_request.url == f"{API}{route}"


@pytest.mark.parametrize("part", ["", ".", ".."])
def test_a_part_that_changes_the_path_is_refused(part: str) -> None:
    with pytest.raises(ReadError):
        make_route("build", part)


@pytest.mark.parametrize(
    ("url", "clean"),
    [
        ("https://u:p@h.org:8443/a?b=c#d", "https://h.org:8443/a"),
        ("https://[::1]/a", "https://[::1]/a"),
        ("https://h:x/", "(not a URL)"),
    ],
)
def test_a_url_is_shown_without_secrets(url: str, clean: str) -> None:
    assert clean_url(url) == clean


@pytest.mark.parametrize("status", [200, 201, 204, 404, 409, 422])
def test_the_answer_of_a_change(session: Session, requests_mock: requests_mock.Mocker, status: int) -> None:
    requests_mock.post(f"{API}/x", status_code=status, content=b"{}")
    reply = session.change("POST", "/x", data=b"body", headers={"Content-Type": "text/plain"})
    assert (reply.status, reply.body) == (status, b"{}")
    sent = requests_mock.last_request
    assert sent is not None
    assert (sent.body, sent.headers["Content-Type"], sent.headers["Authorization"]) == (b"body", "text/plain", HEADER)


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (302, AmbiguousError),
        (400, RefusedError),
        (401, AuthenticationError),
        (403, AuthenticationError),
        (402, QuotaError),
        (408, AmbiguousError),
        (413, RefusedError),
        (429, QuotaError),
        (500, AmbiguousError),
        (502, AmbiguousError),
        (504, AmbiguousError),
    ],
)
def test_a_change_is_sent_once(
    quota_session: Session, requests_mock: requests_mock.Mocker, status: int, error: type[PkgsyncError]
) -> None:
    requests_mock.delete(f"{API}/x", status_code=status, headers={"Location": "/y"})
    with pytest.raises(error) as caught:
        quota_session.change("DELETE", "/x")
    assert type(caught.value) is error
    assert quota_session.requests == 1


def test_a_change_that_must_wait_was_not_made(quota_session: Session, requests_mock: requests_mock.Mocker) -> None:
    requests_mock.delete(f"{API}/x", status_code=429, headers={"Retry-After": "30"})
    with pytest.raises(BusyError) as caught:
        quota_session.change("DELETE", "/x")
    assert caught.value.wait == 30


def test_a_page_for_people_does_not_say_that_a_change_was_made(
    session: Session, requests_mock: requests_mock.Mocker
) -> None:
    requests_mock.delete(f"{API}/x", text="<html>", headers={"Content-Type": "text/html"})
    with pytest.raises(AmbiguousError):
        session.change("DELETE", "/x")


@pytest.mark.parametrize("error", [requests.ConnectionError("reset"), requests.ReadTimeout("slow")])
def test_a_lost_answer_to_a_change_is_ambiguous(
    session: Session, requests_mock: requests_mock.Mocker, error: Exception
) -> None:
    requests_mock.delete(f"{API}/x", exc=error)
    with pytest.raises(AmbiguousError):
        session.change("DELETE", "/x")


def test_a_change_that_never_left_is_a_failed_read(session: Session, requests_mock: requests_mock.Mocker) -> None:
    requests_mock.delete(f"{API}/x", exc=requests.ConnectTimeout("no"))
    with pytest.raises(ReadError, match="no connection in time"):
        session.change("DELETE", "/x")


def test_a_wrong_certificate_is_said_and_not_tried_again(session: Session, requests_mock: requests_mock.Mocker) -> None:
    requests_mock.get(f"{API}/x", exc=requests.exceptions.SSLError("[SSL: CERTIFICATE_VERIFY_FAILED] self-signed"))
    with pytest.raises(ReadError, match="certificate is not trusted") as caught:
        get(session)
    assert "REQUESTS_CA_BUNDLE" in caught.value.tip
    assert session.requests == 1


def test_a_closed_session_sends_nothing(session: Session) -> None:
    session.close()
    with pytest.raises(ReadError, match="ending"):
        get(session)
    assert session.requests == 0


def test_limits_are_the_callers(requests_mock: requests_mock.Mocker, pauses: list[float]) -> None:
    session = Session(API, limits=HttpLimits(attempts=2), pause=pauses.append)
    requests_mock.get(f"{API}/x", status_code=500)
    with pytest.raises(ReadError):
        get(session)
    assert (session.requests, len(pauses)) == (2, 1)


@pytest.mark.parametrize(
    ("auth", "words", "told"),
    [
        (Basic("kata", "s3cret-pass"), "no home:kata:releases", "no home:kata:releases"),
        (Basic("kata", "s3cret-pass"), "no s3cret-pass", "(words that repeat a credential)"),
        (
            Basic("kata", "s3cret-pass"),
            base64.b64encode(b"kata:s3cret-pass").decode(),
            "(words that repeat a credential)",
        ),
        (Basic("t0ken", ""), "no t0ken", "(words that repeat a credential)"),
    ],
)
def test_a_login_name_in_words_is_no_secret_but_a_token_is(
    auth: Basic, words: str, told: str, requests_mock: requests_mock.Mocker, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    requests_mock.get(f"{API}/x", status_code=400, text=words)
    with pytest.raises(ReadError):
        get(Session(API, auth=auth))
    assert caplog.messages == [f"GET {API}/x: 400, the server says: {told}"]
