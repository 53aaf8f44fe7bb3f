"""The bodies of refusals, as seen in the wild."""

import pytest

from pkgsync.errors import DuplicateError, NotFoundError, PkgsyncError, QuotaError, RefusedError
from pkgsync.packagecloud import refusals

TAKEN = b'{"filename":["has already been taken"]}'
EXISTS = b'{"repository":["Validation failed: Full name already exists."]}'
WRONG_TYPE = b'{"repository":["The specified distro does not support the package you\'ve tried to upload"]}'


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (422, TAKEN, DuplicateError),
        (422, EXISTS, DuplicateError),
        (422, b'{"filename":["Has Already Been Taken"]}', DuplicateError),
        (422, b'{"filename":"has already been taken"}', DuplicateError),
        (422, b'{"filename":["has already been taken"],"plan":["Upgrade to add more packages!"]}', QuotaError),
        (422, b'{"plan":["Upgrade to add more packages!"]}', QuotaError),
        (402, b'{"error":["payment required"]}', QuotaError),
        (422, WRONG_TYPE, RefusedError),
        (422, b'{"filename":["has already been taken","is too long"]}', RefusedError),
        (422, b'{"filename":["has already been taken"],"version":["is invalid"]}', RefusedError),
        (422, b'{"filename":[]}', RefusedError),
        (422, b'{"filename":null}', RefusedError),
        (422, b'{"name":["has already been taken"]}', RefusedError),
        (422, b'{"error":"has already been taken"}', RefusedError),
        (422, b'["has already been taken"]', RefusedError),
        (422, b"has already been taken", RefusedError),
        (422, b"", RefusedError),
        (422, b"[" * 100_000, RefusedError),
        (409, TAKEN, RefusedError),
        (413, b"<html>Too large</html>", RefusedError),
        (404, b'{"error":"not_found"}', NotFoundError),
    ],
)
def test_kinds(status: int, body: bytes, expected: type[PkgsyncError]) -> None:
    assert type(refusals.error(status, body, "upload of a.rpm")) is expected


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b'{"error":"text"}', "text"),
        (b'{"error":["one","two"]}', "one two"),
        (b'{"version":["is invalid"],"name":"is odd"}', "version is invalid; name is odd"),
        (b'{"a":[1,{"b":null}]}', 'a 1 {"b": null}'),
        (b"plain words", "plain words"),
        (b"<html><body>secret page</body></html>", "status 422"),
        (b"", "status 422"),
        (b'{"error":"a\\u001b[31mb\\r\\nc"}', "a [31mb c"),
        (b'{"error":"see https://x.test/a?token=abc"}', "see https://x.test/a"),
        (b"\xff", "\ufffd"),
    ],
)
def test_the_servers_words_are_told_on_one_line(body: bytes, words: str) -> None:
    assert refusals.error(422, body, "upload of a.rpm").message == f"Packagecloud refused the upload of a.rpm: {words}"


def test_no_depth_breaks_the_parser() -> None:
    for depth in range(50, 1200, 7):
        body = b'{"a":' + b"[" * depth + b"]" * depth + b"}"
        assert type(refusals.error(422, body, "upload")) is RefusedError


def test_long_words_are_cut() -> None:
    for body in (b"x" * 100_000, b'{"error":"' + b"x" * 100_000 + b'"}', b'{"a":[[' + b"1," * 9999 + b"1]]}"):
        assert len(refusals.error(422, body, "upload").message) < 260
