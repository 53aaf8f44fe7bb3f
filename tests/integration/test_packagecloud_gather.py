"""The actual state over real sockets: pages, their proof, unknown checksums, and how many requests all that takes."""

import json
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any, cast

import pytest
from attrs import evolve

from pkgsync.errors import AuthenticationError, ConfigError, NotFoundError, QuotaError, ReadError
from pkgsync.model import ActualState
from pkgsync.model.secret import Basic
from pkgsync.packagecloud.client import PackagecloudClient
from pkgsync.packagecloud.gather import gather, with_archive
from pkgsync.sandbox import ARCHIVE, REPOSITORY, Fault, Kind, Reply, Sandbox, make_deb, make_rpm
from pkgsync.session import Session

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
LEAP, JAMMY, UNMANAGED = "opensuse/15.6", "ubuntu/jammy", "el/9"


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as sandbox:
        yield sandbox


@pytest.fixture
def client(sandbox: Sandbox) -> PackagecloudClient:
    return client_of(sandbox)


def client_of(
    sandbox: Sandbox, token: str | None = None, repository: str = REPOSITORY, **options: Any
) -> PackagecloudClient:
    auth = Basic(token or sandbox.token, "")
    session = Session(sandbox.packagecloud_url, auth=auth, quota=True, pause=lambda seconds: None)
    return PackagecloudClient(session, repository, **options)


def read(client: PackagecloudClient, managed: tuple[str, ...] = (LEAP, JAMMY)) -> ActualState:
    return gather(client, managed, now=lambda: NOW)


def fill(sandbox: Sandbox, count: int, distribution: str = LEAP, prefix: str = "tool") -> None:
    make = make_deb if distribution == JAMMY else make_rpm
    for number in range(count):
        blob = make(f"{prefix}{number:03}").blob
        sandbox.packagecloud.add(REPOSITORY, distribution, blob)


def rewrite(change: Callable[[list[dict[str, object]]], object]) -> Callable[[Reply], Reply]:
    return lambda reply: evolve(reply, body=json.dumps(change(json.loads(reply.body))).encode())


def pages(sandbox: Sandbox) -> list[str]:
    return [entry.target.partition("?")[2] for entry in sandbox.log.find("packagecloud", target=r"/packages\.json")]


def names(state: ActualState) -> list[str]:
    return [row.filename for row in state.rows]


def test_one_page_and_the_distributions_are_two_requests(sandbox: Sandbox, client: PackagecloudClient) -> None:
    fill(sandbox, 2)
    fill(sandbox, 1, JAMMY)

    state = read(client)

    assert state.repository == "demo/testing"
    assert [row.key for row in state.rows] == [
        "opensuse/15.6/tool000-1.0-1.x86_64.rpm",
        "opensuse/15.6/tool001-1.0-1.x86_64.rpm",
        "ubuntu/jammy/tool000_1.0_amd64.deb",
    ]
    assert (state.total, state.requests, state.read_at, state.warnings) == (3, 2, NOW, ())
    assert sandbox.log.count("packagecloud") == 2
    assert pages(sandbox) == ["per_page=250&page=1"]


def test_a_row_says_what_the_file_is(sandbox: Sandbox, client: PackagecloudClient) -> None:
    blob = make_rpm("libdemo++1", "0.9~rc1^git1", "lp156.1.1", "aarch64", epoch=2).blob
    sandbox.packagecloud.add(REPOSITORY, LEAP, blob, created_at="2026-01-02T03:04:05.678Z", uploader="ann")

    (row,) = read(client).rows

    assert row.filename == "libdemo++1-0.9~rc1^git1-lp156.1.1.aarch64.rpm"
    assert (row.type, row.name, row.architecture) == ("rpm", "libdemo++1", "aarch64")
    assert (row.epoch, row.version, row.release) == (2, "0.9~rc1^git1", "lp156.1.1")
    assert (row.created_at, row.uploader, row.sha256) == ("2026-01-02T03:04:05.678Z", "ann", blob.digest("sha256"))


def test_an_empty_repository_is_read_and_empty(client: PackagecloudClient) -> None:
    state = read(client)
    assert (state.rows, state.total, state.requests) == ((), 0, 2)


@pytest.mark.parametrize("order", ["newest", "oldest", "shuffled"])
def test_pages_are_read_in_parallel_once_their_number_is_known(sandbox: Sandbox, order: str) -> None:
    fill(sandbox, 23)
    sandbox.packagecloud.max_per_page = 5
    sandbox.packagecloud.order = order  # type: ignore[assignment]

    state = read(client_of(sandbox))

    assert names(state) == [f"tool{number:03}-1.0-1.x86_64.rpm" for number in range(23)]
    assert state.requests == 6
    assert pages(sandbox)[0] == "per_page=250&page=1"
    assert sorted(pages(sandbox)[1:]) == [f"per_page=5&page={number}" for number in (2, 3, 4, 5)]
    assert sandbox.log.peak("packagecloud") <= 8


def test_a_full_last_page_needs_no_look_behind_it(sandbox: Sandbox, client: PackagecloudClient) -> None:
    fill(sandbox, 10)
    sandbox.packagecloud.max_per_page = 5
    assert read(client).requests == 3


def drop(*headers: str) -> Callable[[Reply], Reply]:
    def change(reply: Reply) -> Reply:
        return evolve(reply, headers=tuple(pair for pair in reply.headers if pair[0] not in headers))

    return change


def header(name: str, value: str) -> Callable[[Reply], Reply]:
    return lambda reply: reply.with_header(name, value)


ODD_LISTINGS = {
    "a row is missing": Fault(kind=Kind.REWRITE, path=r"page=2$", change=rewrite(lambda rows: rows[:-1])),
    "a row is missing on the first page": Fault(
        kind=Kind.REWRITE, path=r"page=1$", change=rewrite(lambda rows: rows[:-1])
    ),
    "a row too many": Fault(kind=Kind.REWRITE, path=r"page=3$", change=rewrite(lambda rows: [*rows, rows[0]])),
    "a row comes twice": Fault(kind=Kind.REWRITE, path=r"page=2$", change=rewrite(lambda rows: [rows[0], *rows[:-1]])),
    "a page comes twice": Fault(kind=Kind.QUERY, path=r"page=2$", query=("page=2$", "page=1")),
    "a page is skipped": Fault(kind=Kind.QUERY, path=r"page=2$", query=("page=2$", "page=3")),
    "a page is empty": Fault(kind=Kind.REWRITE, path=r"page=2$", change=rewrite(lambda rows: [])),
    "the first page is empty": Fault(kind=Kind.REWRITE, path=r"page=1$", change=rewrite(lambda rows: [])),
    "Total is too low": Fault(kind=Kind.REWRITE, path=r"page=\d$", change=header("Total", "5")),
    "Total is too high": Fault(kind=Kind.REWRITE, path=r"page=\d$", change=header("Total", "13")),
    "Total is absurd": Fault(kind=Kind.REWRITE, path=r"page=1$", change=header("Total", "999999999")),
    "Total is gigantic": Fault(kind=Kind.REWRITE, path=r"page=1$", change=header("Total", "9" * 5000)),
    "Total is zero": Fault(kind=Kind.REWRITE, path=r"page=1$", change=header("Total", "0")),
    "Total is a word": Fault(kind=Kind.REWRITE, path=r"page=1$", change=header("Total", "many")),
    "Total is negative": Fault(kind=Kind.REWRITE, path=r"page=1$", change=header("Total", "-1")),
    "Total changes": Fault(kind=Kind.REWRITE, path=r"page=3$", change=header("Total", "13")),
    "Total is lacking": Fault(kind=Kind.REWRITE, path=r"page=1$", change=drop("Total")),
    "Total is lacking at the end": Fault(kind=Kind.REWRITE, path=r"page=3$", change=drop("Total")),
    "no pagination headers": Fault(
        kind=Kind.REWRITE, change=drop("Total", "Link", "Per-Page", "Max-Per-Page"), path="page="
    ),
    "next is on another server": Fault(
        kind=Kind.REWRITE, path=r"page=1$", change=header("Link", '<http://127.0.0.2:9/x?page=2>; rel="next"')
    ),
    "next is no URL": Fault(
        kind=Kind.REWRITE, path=r"page=1$", change=header("Link", '<http://[x?page=2>; rel="next"')
    ),
    "next is the page itself": Fault(
        kind=Kind.REWRITE, path=r"page=1$", change=header("Link", '<?page=1>; rel="next"')
    ),
    "next on the last page": Fault(kind=Kind.REWRITE, path=r"page=3$", change=header("Link", '<?page=4>; rel="next"')),
    "two rows, one key": Fault(
        kind=Kind.REWRITE,
        path=r"page=2$",
        change=rewrite(lambda rows: [{**rows[0], "filename": "tool011-1.0-1.x86_64.rpm"}, *rows[1:]]),
    ),
}


HEADERS = "Check that packagecloud.url in the config is a Packagecloud server, and that no proxy"
LASTING = {
    "Total is absurd": HEADERS,
    "Total is gigantic": HEADERS,
    "Total is a word": HEADERS,
    "Total is negative": HEADERS,
    "Total is lacking": HEADERS,
    "Total is lacking at the end": HEADERS,
    "no pagination headers": HEADERS,
    "next is on another server": "Write in packagecloud.url of the config the address under which the server knows itself",
    "next is no URL": HEADERS,
}


@pytest.mark.parametrize("name", ODD_LISTINGS)
def test_an_odd_listing_is_read_again(sandbox: Sandbox, client: PackagecloudClient, name: str) -> None:
    fill(sandbox, 12)
    sandbox.packagecloud.max_per_page = 5
    fault = evolve_fault(ODD_LISTINGS[name], times=1)
    sandbox.packagecloud.faults.add(fault)
    assert len(read(client).rows) == 12
    assert fault.hits == 1
    assert len([page for page in pages(sandbox) if page.endswith("&page=1")]) == 2


@pytest.mark.parametrize("name", ODD_LISTINGS)
def test_a_listing_that_stays_odd_is_a_failed_read(sandbox: Sandbox, client: PackagecloudClient, name: str) -> None:
    fill(sandbox, 12)
    sandbox.packagecloud.max_per_page = 5
    sandbox.packagecloud.faults.add(evolve_fault(ODD_LISTINGS[name], times=None))
    with pytest.raises(ReadError, match="The listing of demo/testing could not be read completely") as caught:
        read(client)
    assert caught.value.tip.startswith(LASTING.get(name, "Run the command again while nobody changes the repository;"))
    assert len([page for page in pages(sandbox) if page.endswith("&page=1")]) == 3


def test_a_lasting_fault_of_the_archive_is_told_as_one(sandbox: Sandbox) -> None:
    elsewhere = ODD_LISTINGS["next is on another server"]
    sandbox.packagecloud.faults.add(Fault(kind=elsewhere.kind, path=ARCHIVE, change=elsewhere.change, times=None))
    state = with_archive(client_of(sandbox, repository=ARCHIVE), read(client_of(sandbox)))
    assert state.archive is None
    assert state.warnings == (
        "the archive demo/archive could not be read, so nothing is archived: The listing of demo/archive could not be read "
        "completely: it links to another server, which was not asked. Write in packagecloud.url of the config the address "
        "under which the server knows itself (another scheme, host or port than now): running the command again will not "
        "help.",
    )


def evolve_fault(fault: Fault, times: int | None) -> Fault:
    return Fault(kind=fault.kind, path=fault.path, query=fault.query, change=fault.change, times=times)


@pytest.mark.parametrize(("at", "change"), [(2, "add"), (3, "add"), (2, "delete"), (3, "delete")])
def test_a_repository_that_changes_under_the_reading_is_read_again(sandbox: Sandbox, at: int, change: str) -> None:
    fill(sandbox, 12)
    world = sandbox.packagecloud
    world.max_per_page = 5

    def hook() -> None:
        if change == "add":
            fill(sandbox, 1, LEAP, "new")
        else:
            world.delete(REPOSITORY, LEAP, "tool011-1.0-1.x86_64.rpm")

    world.faults.add(Fault(kind=Kind.NOTHING, path=rf"per_page=5&page={at}$", hook=hook))
    state = gather(client_of(sandbox, connections=1), (LEAP,), now=lambda: NOW)
    assert len(state.rows) == {"add": 13, "delete": 11}[change]


def test_an_order_that_changes_with_every_request_never_gives_a_wrong_listing(sandbox: Sandbox) -> None:
    fill(sandbox, 12)
    sandbox.packagecloud.max_per_page = 5
    sandbox.packagecloud.order = "unstable"
    with pytest.raises(ReadError, match="listed twice"):
        read(client_of(sandbox))


NOT_A_LISTING = {
    "an object": b'{"packages": []}',
    "null": b"null",
    "a text": b'"[]"',
    "a list of texts": b'["a"]',
    "cut off": b'[{"name": "a"',
    "deep": b"[" * 200_000 + b"]" * 200_000,
    "a giant number": b"[" + b"9" * 100_000 + b"]",
    "not a number": b'[{"name": NaN}]',
    "not UTF-8": b'["\xff\xfe"]',
    "a path as name": b'[{"type": "rpm", "name": "a", "distro_version": "opensuse/15.6", "filename": "../a.rpm"}]',
    "a control character": b'[{"type": "rpm", "name": "a", "distro_version": "opensuse/15.6", "filename": "a\\u001b.rpm"}]',
    "no file name": b'[{"type": "deb", "name": "a", "distro_version": "ubuntu/jammy"}]',
    "no distribution": b'[{"type": "deb", "name": "a", "filename": "a_1_all.deb"}]',
    "an odd distribution": b'[{"type": "deb", "name": "a", "filename": "a_1_all.deb", "distro_version": "ubuntu/../x"}]',
}


@pytest.mark.parametrize("name", NOT_A_LISTING)
def test_what_is_no_listing_is_a_failed_read(sandbox: Sandbox, client: PackagecloudClient, name: str) -> None:
    fill(sandbox, 1)
    sandbox.packagecloud.faults.add(
        Fault(
            kind=Kind.REWRITE,
            path=r"/packages\.json",
            times=None,
            change=lambda reply: evolve(reply, body=NOT_A_LISTING[name]),
        )
    )
    with pytest.raises(ReadError):
        read(client)


@pytest.mark.parametrize("kind", [Kind.EMPTY, Kind.CUT, Kind.RESET, Kind.STATUS, Kind.RESET_MIDWAY])
def test_a_passing_failure_of_a_page_is_repeated(sandbox: Sandbox, client: PackagecloudClient, kind: Kind) -> None:
    fill(sandbox, 3)
    sandbox.packagecloud.faults.add(Fault(kind=kind, path=r"/packages\.json", status=503))
    assert len(read(client).rows) == 3


def test_an_unknown_checksum_of_a_managed_row_is_asked_for(sandbox: Sandbox, client: PackagecloudClient) -> None:
    fill(sandbox, 2)
    fill(sandbox, 1, JAMMY)
    fill(sandbox, 2, UNMANAGED)
    sandbox.packagecloud.sha_delay = 1

    state = read(client)

    assert [row.sha256 is None for row in state.rows] == [True, True, False, False, False]
    assert [row.distribution for row in state.rows[:2]] == [UNMANAGED, UNMANAGED]
    expected = {key: row.blob.digest("sha256") for key, row in sandbox.packagecloud.repositories[REPOSITORY].items()}
    assert all(row.sha256 == expected[row.distribution, row.filename] for row in state.rows[2:])
    assert state.requests == 2 + 3
    assert sandbox.log.count("packagecloud", target="/package/") == 3


def test_a_checksum_that_stays_unknown_stays_none(sandbox: Sandbox, client: PackagecloudClient) -> None:
    fill(sandbox, 2)
    sandbox.packagecloud.sha_delay = None
    state = read(client)
    assert [row.sha256 for row in state.rows] == [None, None]
    assert (state.requests, state.warnings) == (4, ())


def test_a_detail_that_cannot_be_read_leaves_the_checksum_unknown_and_warns(
    sandbox: Sandbox, client: PackagecloudClient
) -> None:
    fill(sandbox, 2)
    sandbox.packagecloud.sha_delay = 1
    sandbox.packagecloud.faults.add(Fault(kind=Kind.STATUS, path="/package/rpm/opensuse/15.6/tool001/", times=None))
    state = read(client)
    assert [row.sha256 is None for row in state.rows] == [False, True]
    assert len(state.warnings) == 1


def test_details_that_all_fail_are_not_asked_for_without_end(sandbox: Sandbox) -> None:
    fill(sandbox, 20)
    sandbox.packagecloud.sha_delay = None
    sandbox.packagecloud.faults.add(Fault(kind=Kind.STATUS, path="/package/", times=None))
    state = gather(client_of(sandbox, connections=1), (LEAP,), now=lambda: NOW)
    assert state.requests == 2 + 3 * 5
    assert all(row.sha256 is None for row in state.rows)


def test_details_of_another_file_are_not_believed(sandbox: Sandbox, client: PackagecloudClient) -> None:
    fill(sandbox, 1)
    sandbox.packagecloud.sha_delay = 1
    sandbox.packagecloud.faults.add(
        Fault(
            kind=Kind.REWRITE,
            path="/package/",
            times=None,
            change=rewrite(lambda row: {**cast(dict[str, object], row), "filename": "x.rpm"}),
        )
    )
    state = read(client)
    assert state.rows[0].sha256 is None
    assert "describe another file" in state.warnings[0]


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.2:9/api/v1/repos/demo/testing/package/rpm/opensuse/15.6/x",
        "/api/v1/repos/a/b/package/rpm/x",
        None,
    ],
)
def test_a_detail_route_that_leads_elsewhere_is_not_asked(
    sandbox: Sandbox, client: PackagecloudClient, url: str | None
) -> None:
    fill(sandbox, 1)
    sandbox.packagecloud.sha_delay = 1
    sandbox.packagecloud.faults.add(
        Fault(
            kind=Kind.REWRITE,
            path=r"/packages\.json",
            times=None,
            change=rewrite(lambda rows: [{**row, "package_url": url} for row in rows]),
        )
    )
    state = read(client)
    assert (state.rows[0].sha256, state.requests) == (None, 2)


def test_the_first_page_is_read_beside_the_distributions(sandbox: Sandbox, client: PackagecloudClient) -> None:
    """Each is answered only when both have come."""
    together = threading.Barrier(2)
    for path in (r"/distributions\.json", r"/packages\.json"):
        sandbox.packagecloud.faults.add(Fault(kind=Kind.NOTHING, path=path, hook=lambda: together.wait(30)))
    assert read(client).requests == 2


def test_an_unknown_distribution_ends_the_run_before_the_other_pages(
    sandbox: Sandbox, client: PackagecloudClient
) -> None:
    fill(sandbox, 10)
    sandbox.packagecloud.max_per_page = 5
    with pytest.raises(ConfigError, match="opensuse/15\\.7") as caught:
        read(client, (LEAP, "opensuse/15.7"))
    assert "opensuse/15.6" in caught.value.tip
    assert pages(sandbox) == ["per_page=250&page=1"]


def test_ids_come_from_the_server(client: PackagecloudClient) -> None:
    ids = read(client).distribution_ids
    assert ids["rpm", LEAP] == 282
    assert ids["deb", JAMMY] == 237
    assert ("rpm", JAMMY) not in ids


def test_a_wrong_token_is_an_authentication_error(sandbox: Sandbox) -> None:
    with pytest.raises(AuthenticationError):
        read(client_of(sandbox, token="f" * 48))


def test_a_repository_that_is_not_there_is_named(sandbox: Sandbox) -> None:
    with pytest.raises(NotFoundError, match="demo/other") as caught:
        read(client_of(sandbox, repository="demo/other"))
    assert caught.value.tip == "Does the repository exist, and can this token see it?"


@pytest.mark.parametrize("status", [402, 429])
def test_an_exhausted_quota_ends_the_run_at_once(sandbox: Sandbox, client: PackagecloudClient, status: int) -> None:
    fault = Fault(
        kind=Kind.STATUS,
        path=r"/packages\.json",
        status=status,
        times=None,
        body=b"Bandwidth or Storage Limit Exceeded",
    )
    sandbox.packagecloud.faults.add(fault)
    with pytest.raises(QuotaError):
        read(client)
    assert fault.hits == 1


def test_no_read_token_shows_in_the_state(sandbox: Sandbox, client: PackagecloudClient) -> None:
    fill(sandbox, 1)
    sandbox.packagecloud.private.add(REPOSITORY)
    state = read(client)
    assert sandbox.packagecloud.read_token in state.rows[0].download_url.text
    assert sandbox.packagecloud.read_token not in repr(state)


def test_an_archive_whose_rows_are_another_repository_s_is_no_archive(
    sandbox: Sandbox, client: PackagecloudClient
) -> None:
    """A server that takes a name in any letters: the repository itself, spelled otherwise."""
    fill(sandbox, 2)
    itself = client_of(sandbox, repository=REPOSITORY.upper())
    sandbox.packagecloud.repositories[REPOSITORY.upper()] = sandbox.packagecloud.repositories[REPOSITORY]
    found = with_archive(itself, read(client))
    assert found.archive is None
    assert found.warnings == (
        f"the archive {REPOSITORY.upper()} lists {LEAP}/tool001-1.0-1.x86_64.rpm as another repository's, so nothing is "
        "archived: write `orphans.archive_to` as Packagecloud does",
    )


def test_an_archive_whose_rows_name_no_repository_is_none_either(sandbox: Sandbox, client: PackagecloudClient) -> None:
    sandbox.packagecloud.add(ARCHIVE, LEAP, make_rpm("tool").blob)
    bare = rewrite(lambda rows: [row | {"package_url": "", "promote_url": "", "destroy_url": ""} for row in rows])
    archive = client_of(sandbox, repository=ARCHIVE)
    assert set(with_archive(archive, read(client)).archive or {}) == {f"{LEAP}/tool-1.0-1.x86_64.rpm"}
    sandbox.packagecloud.faults.add(Fault(kind=Kind.REWRITE, path=f"{ARCHIVE}/packages", times=None, change=bare))
    assert with_archive(archive, read(client)).archive is None
