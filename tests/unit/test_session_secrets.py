"""What of a URL, and of a server's words, may be shown."""

import base64
import html
import json
from urllib.parse import quote

import pytest

from pkgsync.session.urls import clean_text, clean_url, secrets_of
from pkgsync.session.words import told


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://h/priv/T0KEN/u/r/f.rpm/download?token=x", "https://h/priv/***/u/r/f.rpm/download"),
        ("https://T0KEN:@h:8/u/r/f", "https://h:8/u/r/f"),
        ("https://h/private/T0KEN", "https://h/private/T0KEN"),
        ("me:T0KEN@h:8", "(not a URL)"),
    ],
)
def test_a_shown_url_gives_nobody_rights(url: str, shown: str) -> None:
    assert clean_url(url) == shown


def test_a_url_in_a_servers_words_likewise() -> None:
    assert clean_text("see https://h/priv/T0KEN/u/r?a=b now") == "see https://h/priv/***/u/r now"


@pytest.mark.parametrize(
    ("url", "secrets"),
    [
        ("https://h/f?token=abcd%2Be&n=1", ("abcd+e",)),
        ("https://h/priv/abcde/u/r", ("abcde",)),
        ("https://user-token:pass-word@h/f", ("user-token", "pass-word")),
        ("/route?Signature=a1b2c3", ("a1b2c3",)),
        ("", ()),
    ],
)
def test_the_secrets_of_an_address(url: str, secrets: tuple[str, ...]) -> None:
    assert secrets_of(url) == secrets


SECRET = 'hun/ter+2"ä'
WITHHELD = "(words that repeat a credential)"


def in_json(text: str) -> str:
    return "".join(f"\\u{ord(character):04x}" for character in text)


def in_base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


@pytest.mark.parametrize(
    "spelled",
    [
        SECRET,
        SECRET.upper(),
        'hun/t\n  er+2"ä',
        in_json(SECRET),
        json.dumps(SECRET),
        quote(SECRET, safe=""),
        "".join(f"%{byte:02X}" for byte in SECRET.encode()),
        html.escape(SECRET),
        "".join(f"&#x{ord(character):x};" for character in SECRET),
        in_base64(SECRET),
        in_base64(f"a{SECRET}"),
        in_base64(f"ab{SECRET} and more"),
        base64.urlsafe_b64encode(f"user:{SECRET}".encode()).decode(),
        base64.encodebytes(f"{'x' * 70}:{SECRET}".encode()).decode(),
        SECRET.encode().hex(),
        f"a{SECRET.encode().hex().upper()}",
        quote(in_base64(SECRET), safe=""),
        in_json(in_base64(SECRET)),
        in_base64(in_json(SECRET)),
        in_base64(in_base64(SECRET)),
        in_base64(quote(in_json(SECRET), safe="")),
    ],
)
def test_words_with_a_secret_in_any_spelling_are_not_shown(spelled: str) -> None:
    body = f'{{"error": "no entry for {spelled}: go away"}}'.encode()
    assert told(body, ["another", SECRET]) == WITHHELD
    assert told(b"<status><summary>" + spelled.encode() + b"</summary></status>", [SECRET]) == WITHHELD


@pytest.mark.parametrize(
    ("body", "shown"),
    [
        (b"<status code='x'><summary>no such project</summary><details>x</details></status>", "no such project"),
        (b'{"error":["one","two"]}', '{"error":["one","two"]}'),
        (b"a\x1b[31mb\r\nc \xff", "a [31mb c \ufffd"),
        (b"<summary>" * 7000, "<summary>" * 22 + "<…"),
        (b"", ""),
    ],
)
def test_other_words_are_shown_on_one_line(body: bytes, shown: str) -> None:
    assert told(body, [SECRET, ""]) == shown


def test_no_part_of_a_secret_is_shown_at_the_end() -> None:
    assert told(b"x" * 195 + SECRET.encode(), [SECRET]) == WITHHELD
