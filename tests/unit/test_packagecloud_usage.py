"""Download counts: the route that may be asked, and which answers are a count."""

import pytest

from pkgsync.errors import ReadError
from pkgsync.model import Row
from pkgsync.packagecloud import routes, rows

ORIGIN = "https://packagecloud.io"
DETAILS = "/api/v1/repos/u/r/package/rpm/opensuse/15.6/lib%2B%2B1/x86_64/0.9/1"
COUNT = f"{DETAILS}/stats/downloads/count.json"
ROW = Row("opensuse/15.6", "lib++1-0.9-1.x86_64.rpm", "rpm", "lib++1", package_url=f"{DETAILS}.json")


def route(listed: str, row: Row = ROW) -> str | None:
    return routes.of_downloads(listed, origin=ORIGIN, repository="u/r", row=row)


@pytest.mark.parametrize("listed", [COUNT, COUNT.removesuffix(".json"), COUNT.replace("%2B", "+")])
def test_the_listed_route_is_used_verbatim(listed: str) -> None:
    assert route(listed) == listed
    assert route(ORIGIN + listed) == listed


@pytest.mark.parametrize(
    "listed",
    [
        "",
        "x",
        DETAILS,
        COUNT.replace("count", "detail"),
        COUNT.replace("/0.9/", "/0.8/"),
        COUNT.replace("x86_64", "aarch64"),
        COUNT.replace("15.6", "15.5"),
        COUNT.replace("/u/r/", "/u/other/"),
        f"{COUNT}?start_date=20200101Z",
        f"https://evil.test{COUNT}",
    ],
)
def test_a_route_that_leads_elsewhere_is_not_asked(listed: str) -> None:
    assert route(listed) is None


def test_without_a_detail_route_nothing_can_be_compared() -> None:
    assert route(COUNT, Row("opensuse/15.6", "lib++1-0.9-1.x86_64.rpm", "rpm", "lib++1")) is None
    assert route("/stats/downloads/count", Row("opensuse/15.6", "a.rpm", "rpm", "a")) is None


@pytest.mark.parametrize(
    ("body", "count"), [(b'{"value": 0}', 0), (b'{"value": 12345}', 12345), (b'{"value": "7"}', 7)]
)
def test_a_count(body: bytes, count: int) -> None:
    assert rows.parse_count(body, "x") == count


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"0",
        b"[]",
        b"{}",
        b"null",
        b'{"value": null}',
        b'{"value": "N/A"}',
        b'{"value": -1}',
        b'{"value": 0.0}',
        b'{"value": false}',
        b'{"value": {"20260101": 0}}',
        b'{"value": 99999999999}',
        b'{"error": "x"}',
        b"<html></html>",
    ],
)
def test_anything_else_is_no_count_and_never_0(body: bytes) -> None:
    with pytest.raises(ReadError):
        rows.parse_count(body, "x")
