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
    "body",
    [
        b'{"error":"text"}',
        b'{"version":["is invalid"],"name":"is odd"}',
        b'{"canary":[1,{"b":null}]}',
        b"plain words",
        b"<html><body>secret page</body></html>",
        b"",
        b'{"error":"see https://x.test/a?token=abc"}',
        b"\xff",
    ],
)
def test_the_servers_words_stand_in_no_error(body: bytes) -> None:
    """An error's message comes into the receipt, and a receipt may be published."""
    error = refusals.error(422, body, "upload of a.rpm")
    assert error.message == "Packagecloud refused the upload of a.rpm: status 422"
    assert error.tip == "With -v the server's own words stand on stderr."


def test_no_depth_breaks_the_parser() -> None:
    for depth in range(50, 1200, 7):
        body = b'{"a":' + b"[" * depth + b"]" * depth + b"}"
        assert type(refusals.error(422, body, "upload")) is RefusedError
