"""When a signature is made, for whom, and over what; ssh-keygen's part is in tests/integration/test_cli_ssh.py."""

import pytest
import requests_mock

from pkgsync.errors import AuthenticationError
from pkgsync.model.secret import SshKey
from pkgsync.session import HttpLimits, Session
from pkgsync.session.authorization import signature_challenge

API, MIRROR = "https://api.example.org", "https://mirror.example.org"
CHALLENGE = {"WWW-Authenticate": 'Signature realm="R",headers="(created)"'}
KEY = SshKey(username="alice", key="/k", agent="")


@pytest.fixture
def signed(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    """Namespace and text of each signature that was asked for; its clock goes a second each time."""
    made: list[tuple[str, str]] = []

    def sign(key: SshKey, namespace: str, text: str) -> str:
        assert key == KEY
        made.append((namespace, text))
        return f"-----BEGIN SSH SIGNATURE-----\nc2\nln{len(made)}\n-----END SSH SIGNATURE-----\n"

    monkeypatch.setattr("pkgsync.ssh.sign", sign)
    monkeypatch.setattr("pkgsync.session.authorization.time.time", lambda: 1_700_000_000.9 + len(made))
    return made


@pytest.fixture
def session() -> Session:
    return Session(API, auth=KEY, limits=HttpLimits(redirects=2), pause=lambda seconds: None)


def header(number: int) -> str:
    created = 1_700_000_000 + number - 1
    return f'Signature keyId="alice",algorithm="ssh",headers="(created)",created={created},signature="c2ln{number}"'


def sent(mocker: requests_mock.Mocker) -> list[tuple[str, str | None]]:
    return [(str(request.url), request.headers.get("Authorization")) for request in mocker.request_history]


def test_it_is_made_when_asked_for_and_kept_until_asked_again(
    session: Session, requests_mock: requests_mock.Mocker, signed: list[tuple[str, str]]
) -> None:
    fine, refused = {"text": "x"}, {"status_code": 401, "headers": CHALLENGE}
    requests_mock.get(f"{API}/x", [refused, fine, fine, refused, fine])
    for _ in range(3):
        assert session.get("/x", max_bytes=9).body == b"x"
    assert [authorization for _, authorization in sent(requests_mock)] == [None, *[header(1)] * 3, header(2)]
    assert signed == [("R", "(created): 1700000000"), ("R", "(created): 1700000001")]
    assert session.requests == 5


def test_one_that_was_just_made_and_is_refused_is_the_end(
    session: Session, requests_mock: requests_mock.Mocker, signed: list[tuple[str, str]]
) -> None:
    requests_mock.get(f"{API}/x", status_code=401, headers=CHALLENGE)
    with pytest.raises(AuthenticationError):
        session.get("/x", max_bytes=9)
    assert [authorization for _, authorization in sent(requests_mock)] == [None, header(1)]


def test_another_server_gets_none_whatever_it_asks_for(
    session: Session, requests_mock: requests_mock.Mocker, signed: list[tuple[str, str]]
) -> None:
    requests_mock.get(f"{API}/x", status_code=302, headers={"Location": f"{MIRROR}/x"})
    requests_mock.get(f"{MIRROR}/x", status_code=401, headers=CHALLENGE)
    with pytest.raises(AuthenticationError):
        session.get("/x", max_bytes=9, elsewhere=True)
    assert sent(requests_mock) == [(f"{API}/x", None), (f"{MIRROR}/x", None)]
    assert signed == []


def test_a_redirect_to_another_server_leaves_the_signature_behind(
    session: Session, requests_mock: requests_mock.Mocker, signed: list[tuple[str, str]]
) -> None:
    there = {"status_code": 302, "headers": {"Location": f"{MIRROR}/x"}}
    requests_mock.get(f"{API}/x", [{"status_code": 401, "headers": CHALLENGE}, there])
    requests_mock.get(f"{MIRROR}/x", text="x")
    assert session.get("/x", max_bytes=9, elsewhere=True).body == b"x"
    assert sent(requests_mock) == [(f"{API}/x", None), (f"{API}/x", header(1)), (f"{MIRROR}/x", None)]


def test_servers_that_ask_in_turns_are_not_followed_for_ever(
    session: Session, requests_mock: requests_mock.Mocker, signed: list[tuple[str, str]]
) -> None:
    requests_mock.get(f"{API}/x", [{"status_code": 302, "headers": {"Location": "/y"}}])
    requests_mock.get(
        f"{API}/y", [{"status_code": 401, "headers": CHALLENGE}, {"status_code": 302, "headers": {"Location": "/x"}}]
    )
    with pytest.raises(Exception, match="more than 2 redirects"):
        session.get("/x", max_bytes=9)
    assert session.requests == 3
    assert len(signed) == 1


def test_what_shows_a_session_shows_no_signature(
    session: Session, requests_mock: requests_mock.Mocker, signed: list[tuple[str, str]]
) -> None:
    requests_mock.get(f"{API}/x", [{"status_code": 401, "headers": CHALLENGE}, {"text": "x"}])
    session.get("/x", max_bytes=9)
    assert "c2ln" not in f"{session!r} {vars(session)}"


@pytest.mark.parametrize(
    ("challenge", "parameters"),
    [
        ('Signature realm="R",headers="(created)"', {"realm": "R", "headers": "(created)"}),
        ('signature  Realm="a, b" , Headers="(created)"', {"realm": "a, b", "headers": "(created)"}),
        ('Basic realm="B", Signature realm="R", Bearer realm="N"', {"realm": "R"}),
        ('Signature realm="R", Basic realm="B"', {"realm": "R"}),
        ("Signature realm=R", {"realm": "R"}),
        ('Basic realm="Signature realm=R"', None),
        ('Basic realm="x, Signature realm=R"', None),
        ('Basic realm="B"', None),
        ("", None),
    ],
)
def test_the_demand_in_a_header(challenge: str, parameters: dict[str, str] | None) -> None:
    assert signature_challenge(challenge) == parameters


@pytest.mark.parametrize(
    "challenge", ["Signature", "Signature ", "Signature =,=", "Signature realm=", 'Signature "', ",,,", '"']
)
def test_a_senseless_header_is_no_error(challenge: str) -> None:
    assert not (signature_challenge(challenge) or {}).get("realm")
