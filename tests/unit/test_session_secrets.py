"""What of a URL, and of a server's words, may be shown."""

import pytest

from pkgsync.session.urls import clean_text, clean_url, masked, secrets_of


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://h/priv/T0KEN/u/r/f.rpm/download?token=x", "https://h/priv/***/u/r/f.rpm/download"),
        ("https://T0KEN:@h:8/u/r/f", "https://h:8/u/r/f"),
        ("https://h/private/T0KEN", "https://h/private/T0KEN"),
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


def test_a_masked_body_has_no_form_of_the_secret() -> None:
    body = b'plain a/b+"c url a%2Fb%2B%22c path a/b%2B%22c json a/b+\\"c'
    assert masked(body, ['a/b+"c']) == b"plain *** url *** path *** json ***"
