"""Routes: built with every odd character encoded, and listed ones used only where they lead to their row."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pkgsync.errors import RefusedError
from pkgsync.model import Row
from pkgsync.packagecloud import routes

ORIGIN = "https://packagecloud.io"
ROW = Row("opensuse/15.6", "lib++1-0.9~rc1^g-1.noarch.rpm", "rpm", "lib++1")
PLAIN = "/api/v1/repos/u/r/opensuse/15.6/lib++1-0.9~rc1^g-1.noarch.rpm"
ENCODED = "/api/v1/repos/u/r/opensuse/15.6/lib%2B%2B1-0.9~rc1%5Eg-1.noarch.rpm"


def checked(listed: str, suffix: str = "") -> str:
    return routes.checked(listed, origin=ORIGIN, repository="u/r", row=ROW, suffix=suffix)


@pytest.mark.parametrize("listed", [PLAIN, ENCODED, ENCODED.replace("%2B", "%2b").replace("~", "%7E")])
def test_a_listed_route_is_used_verbatim_however_it_is_encoded(listed: str) -> None:
    assert checked(listed) == listed
    assert checked(ORIGIN + listed) == listed
    assert checked(f"{listed}/promote.json", "promote") == f"{listed}/promote.json"
    assert checked(f"{listed}/promote", "promote") == f"{listed}/promote"


def test_without_one_the_documented_route_is_built() -> None:
    assert checked("") == ENCODED
    assert checked("", "promote") == f"{ENCODED}/promote.json"


@pytest.mark.parametrize(
    "listed",
    [
        "x",
        "/",
        PLAIN + "x",
        PLAIN + "/",
        PLAIN + "/promote.json",
        PLAIN + "?a=b",
        PLAIN + "#x",
        PLAIN + " ",
        PLAIN + "\n",
        PLAIN.replace("/u/r/", "/u/other/"),
        PLAIN.replace("/u/r/", "/u/../u/r/"),
        PLAIN.replace("15.6", "15.5"),
        PLAIN.replace("/opensuse/", "/opensuse%2F"),
        PLAIN.replace("++", "%252B%252B"),
        PLAIN.replace("++", "  "),
        "/" + PLAIN,
        "https://packagecloud.io.evil.test" + PLAIN,
        "https://packagecloud.io:8443" + PLAIN,
        "https://packagecloud.io@evil.test" + PLAIN,
        "http://packagecloud.io" + PLAIN,
        "\\\\evil.test" + PLAIN,
        "/api/v1/repos/u/r/opensuse/15.6%2Flib",
    ],
)
def test_a_listed_route_that_leads_elsewhere_is_refused(listed: str) -> None:
    with pytest.raises(RefusedError, match="leads elsewhere"):
        checked(listed)


def test_a_promote_route_must_end_in_promote() -> None:
    for listed in (PLAIN, PLAIN + "/destroy", PLAIN + "/promote/x"):
        with pytest.raises(RefusedError):
            checked(listed, "promote")


@given(st.text())
def test_no_text_leads_to_another_row(listed: str) -> None:
    try:
        found = checked(listed)
    except RefusedError:
        return
    assert found == ENCODED


@pytest.mark.parametrize(
    ("listed", "expected"),
    [
        (None, "/u/r/packages/opensuse/15.6/lib%2B%2B1-0.9~rc1%5Eg-1.noarch.rpm/download"),
        ("https://h/a%2Bb?token=x", "https://h/a%2Bb?token=x"),
        ("https://token:@h:8/a", "https://h:8/a"),
    ],
)
def test_download_addresses(listed: str | None, expected: str) -> None:
    assert routes.of_download(listed, repository="u/r", row=ROW) == expected
