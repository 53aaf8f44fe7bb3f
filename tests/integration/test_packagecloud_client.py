"""Looking, uploading, deleting, promoting and downloading over real sockets, and what each refusal is taken for."""

import io
import json
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import pytest
from attrs import evolve
from msgspec.structs import replace

from pkgsync.errors import (
    AmbiguousError,
    AuthenticationError,
    DuplicateError,
    IntegrityError,
    NotFoundError,
    PkgsyncError,
    QuotaError,
    ReadError,
    RefusedError,
)
from pkgsync.model import Row
from pkgsync.model.actual import Untold
from pkgsync.model.secret import Basic
from pkgsync.packagecloud.client import PackagecloudClient, Uploaded
from pkgsync.sandbox import ARCHIVE, REPOSITORY, Artifact, Fault, Kind, Reply, Sandbox, make_deb, make_rpm
from pkgsync.session import Session

LEAP, JAMMY = "opensuse/15.6", "ubuntu/jammy"
LEAP_ID, JAMMY_ID = 282, 237


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as sandbox:
        yield sandbox


@pytest.fixture
def client(sandbox: Sandbox) -> PackagecloudClient:
    return client_of(sandbox)


def client_of(sandbox: Sandbox, repository: str = REPOSITORY) -> PackagecloudClient:
    auth = Basic(sandbox.token, "")
    session = Session(sandbox.packagecloud_url, auth=auth, quota=True, pause=lambda seconds: None)
    return PackagecloudClient(session, repository)


def add(sandbox: Sandbox, artifact: Artifact, distribution: str = LEAP) -> None:
    sandbox.packagecloud.add(REPOSITORY, distribution, artifact.blob)


def only(client: PackagecloudClient) -> Row:
    (row,) = client.page(1, 250).rows
    return row


def send(client: PackagecloudClient, artifact: Artifact, identity: int = LEAP_ID) -> Uploaded:
    with artifact.blob.open() as stream:
        data = stream.read()
    return client.upload(identity, artifact.filename, io.BytesIO(data), len(data))


def data_of(artifact: Artifact) -> bytes:
    with artifact.blob.open() as stream:
        return stream.read()


# looking


def test_a_look_finds_exactly_this_file_of_this_distribution(sandbox: Sandbox, client: PackagecloudClient) -> None:
    for name in ("tool", "a-tool"):
        add(sandbox, make_rpm(name))
        add(sandbox, make_rpm(name), "opensuse/15.5")

    (row,) = client.look(LEAP, "tool-1.0-1.x86_64.rpm")

    assert row.key == "opensuse/15.6/tool-1.0-1.x86_64.rpm"
    assert client.look("opensuse/15", "tool-1.0-1.x86_64.rpm") == ()
    assert client.look(LEAP, "ool-1.0-1.x86_64.rpm") == ()


def test_a_look_reads_all_pages(sandbox: Sandbox, client: PackagecloudClient) -> None:
    for number in range(7):
        add(sandbox, make_rpm(f"{'x' * number}tool"))
    sandbox.packagecloud.max_per_page = 3
    assert len(client.look(LEAP, "tool-1.0-1.x86_64.rpm")) == 1
    assert sandbox.log.count("packagecloud", target="/search") == 3


@pytest.mark.parametrize("encode", [True, False])
def test_a_name_with_odd_characters_is_found_and_deleted(sandbox: Sandbox, encode: bool) -> None:
    sandbox.packagecloud.encode_urls = encode
    artifact = make_rpm("libdemo++1", "0.9~rc1^git1")
    add(sandbox, artifact)
    client = client_of(sandbox)
    row = client.look_twice(LEAP, "libdemo++1-0.9~rc1^git1-1.x86_64.rpm")
    assert row is not None
    assert client.details(row).sha256 == artifact.blob.digest("sha256")
    assert client.delete(row)
    assert sandbox.packagecloud.content(REPOSITORY) == set()


def test_absence_takes_two_looks_and_presence_one(sandbox: Sandbox, client: PackagecloudClient) -> None:
    assert client.look_twice(LEAP, "tool-1.0-1.x86_64.rpm") is None
    assert sandbox.log.count("packagecloud", target="/search") == 2

    add(sandbox, make_rpm("tool"))
    assert client.look_twice(LEAP, "tool-1.0-1.x86_64.rpm") is not None
    assert sandbox.log.count("packagecloud", target="/search") == 3


def test_one_false_empty_look_is_no_absence(sandbox: Sandbox, client: PackagecloudClient) -> None:
    add(sandbox, make_rpm("tool"))
    sandbox.packagecloud.faults.add(Fault(kind=Kind.QUERY, path="/search", query=("q=tool", "q=none")))
    assert client.look_twice(LEAP, "tool-1.0-1.x86_64.rpm") is not None


def test_a_search_without_headers_counts_while_it_is_short(sandbox: Sandbox, client: PackagecloudClient) -> None:
    add(sandbox, make_rpm("tool"))

    def bare(reply: Reply) -> Reply:
        return evolve(reply, headers=(("Content-Type", "application/json"),))

    sandbox.packagecloud.faults.add(Fault(kind=Kind.REWRITE, path="/search", times=None, change=bare))
    assert len(client.look(LEAP, "tool-1.0-1.x86_64.rpm")) == 1

    for number in range(30):
        add(sandbox, make_rpm(f"{'x' * number}ytool"))
    with pytest.raises(ReadError, match="no Total header"):
        client.look(LEAP, "tool-1.0-1.x86_64.rpm")


def test_a_look_that_fails_is_no_absence(sandbox: Sandbox, client: PackagecloudClient) -> None:
    sandbox.packagecloud.faults.add(Fault(kind=Kind.STATUS, path="/search", times=None, status=500))
    with pytest.raises(ReadError):
        client.look_twice(LEAP, "tool-1.0-1.x86_64.rpm")


def test_details_tell_the_size_in_bytes(sandbox: Sandbox, client: PackagecloudClient) -> None:
    artifact = make_deb("tool", "1.0", "7")
    add(sandbox, artifact, JAMMY)
    assert client.details(only(client)).size == artifact.blob.size


# uploading


@pytest.mark.parametrize(
    ("artifact", "identity", "key"),
    [
        (make_rpm("libdemo++1", "0.9~rc1^git1"), LEAP_ID, (LEAP, "libdemo++1-0.9~rc1^git1-1.x86_64.rpm")),
        (make_deb("tool", "1.0~a+b", "7"), JAMMY_ID, (JAMMY, "tool_1.0~a+b-7_amd64.deb")),
    ],
)
def test_an_upload_arrives_byte_for_byte(
    sandbox: Sandbox, client: PackagecloudClient, artifact: Artifact, identity: int, key: tuple[str, str]
) -> None:
    told: list[int] = []
    data = data_of(artifact)
    done = client.upload(identity, artifact.filename, io.BytesIO(data), len(data), told.append)

    sha256 = artifact.blob.digest("sha256")
    assert done == Uploaded(filename=key[1], sha256=sha256, size=len(data))
    assert sandbox.packagecloud.content(REPOSITORY) == {(*key, sha256)}
    assert sum(told) == len(data)
    (entry,) = sandbox.log.find("packagecloud", "POST")
    assert entry.target == "/api/v1/repos/demo/testing/packages.json"


def test_an_upload_begins_at_the_start_of_the_stream(sandbox: Sandbox, client: PackagecloudClient) -> None:
    data = data_of(make_rpm("tool"))
    stream = io.BytesIO(data)
    stream.read(10)
    assert client.upload(LEAP_ID, "tool-1.0-1.x86_64.rpm", stream, len(data)).size == len(data)


def test_a_stream_of_another_size_is_not_sent(sandbox: Sandbox, client: PackagecloudClient) -> None:
    with pytest.raises(IntegrityError):
        client.upload(LEAP_ID, "tool-1.0-1.x86_64.rpm", io.BytesIO(b"abc"), 4)
    assert sandbox.log.count("packagecloud") == 0


def test_memory_does_not_grow_with_the_file(sandbox: Sandbox, client: PackagecloudClient, tmp_path: Path) -> None:
    size = 96 * 2**20
    path = tmp_path / "large.rpm"
    with path.open("wb") as stream:
        stream.truncate(size)
    fault = Fault(
        kind=Kind.STATUS, path="/packages.json", method="POST", status=422, body=b"{}", content_type="application/json"
    )
    sandbox.packagecloud.faults.add(fault)
    tracemalloc.start()
    try:
        with path.open("rb") as stream, pytest.raises(RefusedError):
            client.upload(LEAP_ID, "large.rpm", stream, size)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert sandbox.log.find(method="POST")[0].request_bytes > size
    assert peak < size / 4


def test_the_servers_own_file_name_is_told(sandbox: Sandbox, client: PackagecloudClient) -> None:
    sandbox.packagecloud.rename = lambda name: name.replace("tool-1.0-1", "tool-1.0-1-1")
    assert send(client, make_rpm("tool")).filename == "tool-1.0-1-1.x86_64.rpm"


def test_sums_that_are_not_told_are_none(sandbox: Sandbox, client: PackagecloudClient) -> None:
    sandbox.packagecloud.sha_delay = 1
    assert send(client, make_rpm("tool")).sha256 is None


@pytest.mark.parametrize("wording", ["filename", "repository"])
def test_a_taken_name_is_a_duplicate(
    sandbox: Sandbox, client: PackagecloudClient, wording: Literal["filename", "repository"]
) -> None:
    sandbox.packagecloud.duplicate = wording
    add(sandbox, make_rpm("tool"))
    with pytest.raises(DuplicateError):
        send(client, make_rpm("tool", salt="other"))


def test_a_full_plan_beside_a_duplicate_is_the_quota(sandbox: Sandbox, client: PackagecloudClient) -> None:
    add(sandbox, make_rpm("tool"))
    sandbox.packagecloud.plan_full = True
    with pytest.raises(QuotaError, match="the account's plan is used up"):
        send(client, make_rpm("tool"))


def test_the_servers_words_about_a_refused_package_are_logged_and_stand_in_no_error(
    sandbox: Sandbox, client: PackagecloudClient, caplog: pytest.LogCaptureFixture
) -> None:
    with (
        caplog.at_level("INFO", "pkgsync"),
        pytest.raises(RefusedError, match=r"tool_1.0_amd64.deb: status 422$") as caught,
    ):
        send(client, make_deb("tool"), LEAP_ID)
    assert not isinstance(caught.value, DuplicateError)
    assert "does not support the package you've tried to upload" in caplog.text


def test_an_unknown_repository_is_not_found(sandbox: Sandbox) -> None:
    with pytest.raises(NotFoundError) as caught:
        send(client_of(sandbox, "demo/none"), make_rpm("tool"))
    assert caught.value.tip == "Does the repository exist, and can this token see it?"


STATUSES = [
    (401, AuthenticationError),
    (402, QuotaError),
    (403, AuthenticationError),
    (409, RefusedError),
    (413, RefusedError),
    (422, RefusedError),
    (429, QuotaError),
    (500, AmbiguousError),
    (502, AmbiguousError),
    (504, AmbiguousError),
]


@pytest.mark.parametrize(("status", "expected"), STATUSES)
@pytest.mark.parametrize("action", ["upload", "delete", "promote"])
def test_every_refusal_has_its_error_and_is_sent_once(
    sandbox: Sandbox, client: PackagecloudClient, action: str, status: int, expected: type[PkgsyncError]
) -> None:
    add(sandbox, make_rpm("old"))
    row = only(client)
    fault = Fault(
        kind=Kind.STATUS,
        path="",
        method="DELETE" if action == "delete" else "POST",
        status=status,
        times=None,
        body=b"no",
    )
    sandbox.packagecloud.faults.add(fault)
    with pytest.raises(expected) as caught:
        if action == "upload":
            send(client, make_rpm("tool"))
        elif action == "delete":
            client.delete(row)
        else:
            client.promote(row, ARCHIVE)
    assert not isinstance(caught.value, DuplicateError)
    assert fault.hits == 1


@pytest.mark.parametrize("kind", [Kind.REPLY_LOST, Kind.EMPTY, Kind.CUT, Kind.TRUNCATE, Kind.RESET_MIDWAY])
def test_a_lost_or_broken_reply_to_an_upload_is_ambiguous(
    sandbox: Sandbox, client: PackagecloudClient, kind: Kind
) -> None:
    sandbox.packagecloud.faults.add(Fault(kind=kind, path="/packages.json", method="POST", keep=10))
    with pytest.raises(AmbiguousError):
        send(client, make_rpm("tool"))
    assert len(sandbox.packagecloud.content(REPOSITORY)) == 1


@pytest.mark.parametrize(
    "body", [b"<html></html>", b"ok", b"{}", b"[]", b'{"filename": null}', b'{"filename": "../x"}']
)
def test_a_success_that_does_not_describe_the_package_is_ambiguous(
    sandbox: Sandbox, client: PackagecloudClient, body: bytes
) -> None:
    fault = Fault(
        kind=Kind.STATUS, path="/packages.json", method="POST", status=201, body=body, content_type="application/json"
    )
    sandbox.packagecloud.faults.add(fault)
    with pytest.raises(AmbiguousError):
        send(client, make_rpm("tool"))


# deleting and promoting


def test_a_delete_happens_once_and_a_404_is_told(sandbox: Sandbox, client: PackagecloudClient) -> None:
    add(sandbox, make_rpm("tool"))
    row = only(client)
    assert client.delete(row) is True
    assert client.delete(row) is False
    assert [entry.target for entry in sandbox.log.find(method="DELETE")] == [
        "/api/v1/repos/demo/testing/opensuse/15.6/tool-1.0-1.x86_64.rpm"
    ] * 2


def test_a_lost_reply_to_a_delete_is_ambiguous(sandbox: Sandbox, client: PackagecloudClient) -> None:
    add(sandbox, make_rpm("tool"))
    row = only(client)
    sandbox.packagecloud.faults.add(Fault(kind=Kind.REPLY_LOST, path="", method="DELETE"))
    with pytest.raises(AmbiguousError):
        client.delete(row)
    assert sandbox.packagecloud.content(REPOSITORY) == set()


ELSEWHERE = [
    "/api/v1/repos/demo/testing/opensuse/15.6/other-1.0-1.x86_64.rpm",
    "/api/v1/repos/demo/archive/opensuse/15.6/tool-1.0-1.x86_64.rpm",
    "/api/v1/repos/demo/testing/opensuse/15.5/tool-1.0-1.x86_64.rpm",
    "/api/v1/repos/demo/testing/../archive/opensuse/15.6/tool-1.0-1.x86_64.rpm",
    "/api/v1/repos/demo/testing/%2e%2e/archive/opensuse/15.6/tool-1.0-1.x86_64.rpm",
    "/api/v1/repos/demo/testing?x=/opensuse/15.6/tool-1.0-1.x86_64.rpm",
    "/api/v1/repos/demo/testing/opensuse/15.6/other%2Ftool-1.0-1.x86_64.rpm",
    "http://127.0.0.2:9/api/v1/repos/demo/testing/opensuse/15.6/tool-1.0-1.x86_64.rpm",
    "//127.0.0.2:9/api/v1/repos/demo/testing/opensuse/15.6/tool-1.0-1.x86_64.rpm",
]


@pytest.mark.parametrize("url", ELSEWHERE)
def test_a_route_that_leads_elsewhere_is_not_used(sandbox: Sandbox, client: PackagecloudClient, url: str) -> None:
    add(sandbox, make_rpm("tool"))
    row = replace(only(client), destroy_url=url, promote_url=f"{url}/promote.json")
    sandbox.log.clear()
    with pytest.raises(RefusedError, match="leads elsewhere"):
        client.delete(row)
    with pytest.raises(RefusedError, match="leads elsewhere"):
        client.promote(row, ARCHIVE)
    assert sandbox.log.entries == []


def test_an_absolute_route_on_the_same_server_is_fine(sandbox: Sandbox, client: PackagecloudClient) -> None:
    add(sandbox, make_rpm("tool"))
    row = only(client)
    assert client.delete(replace(row, destroy_url=sandbox.packagecloud_url + row.destroy_url))


def test_without_a_listed_route_the_documented_one_is_used(sandbox: Sandbox, client: PackagecloudClient) -> None:
    for name in ("a++b", "c"):
        add(sandbox, make_rpm(name))
    moved, deleted = (replace(row, destroy_url="", promote_url="") for row in client.page(1, 250).rows)
    client.promote(moved, ARCHIVE)
    assert client.delete(deleted)
    assert sandbox.log.find(method="DELETE")[0].target.endswith("/opensuse/15.6/a%2B%2Bb-1.0-1.x86_64.rpm")
    assert sandbox.log.find(method="POST")[0].target.endswith("/opensuse/15.6/c-1.0-1.x86_64.rpm/promote.json")


def test_a_promote_moves_the_row(sandbox: Sandbox, client: PackagecloudClient) -> None:
    artifact = make_rpm("tool")
    add(sandbox, artifact)
    client.promote(only(client), ARCHIVE)
    assert sandbox.packagecloud.content(REPOSITORY) == set()
    expected = {(LEAP, artifact.filename, artifact.blob.digest("sha256"))}
    assert sandbox.packagecloud.content(ARCHIVE) == expected


def test_a_promote_that_clashes_is_a_duplicate(sandbox: Sandbox, client: PackagecloudClient) -> None:
    add(sandbox, make_rpm("tool"))
    sandbox.packagecloud.add(ARCHIVE, LEAP, make_rpm("tool", salt="other").blob)
    with pytest.raises(DuplicateError):
        client.promote(only(client), ARCHIVE)


def test_a_promote_of_a_missing_row_is_not_found(sandbox: Sandbox, client: PackagecloudClient) -> None:
    add(sandbox, make_rpm("tool"))
    row = only(client)
    client.delete(row)
    with pytest.raises(NotFoundError):
        client.promote(row, ARCHIVE)


# downloading


@pytest.mark.parametrize("token_in", ["query", "userinfo", "path"])
def test_a_download_follows_to_the_cdn_without_credentials(
    sandbox: Sandbox, client: PackagecloudClient, token_in: Literal["query", "userinfo", "path"]
) -> None:
    sandbox.packagecloud.private.add(REPOSITORY)
    sandbox.packagecloud.token_in = token_in
    artifact = make_rpm("libdemo++1", "0.9~rc1^git1")
    add(sandbox, artifact)
    sink = io.BytesIO()

    assert client.download(only(client), sink, artifact.blob.size) == artifact.blob.size

    assert sink.getvalue() == data_of(artifact)
    (entry,) = sandbox.log.find("cdn")
    assert "authorization" not in entry.headers
    assert sandbox.log.mentions(sandbox.token, "cdn") == []
    assert sandbox.log.mentions(sandbox.packagecloud.read_token, "cdn") == []


def test_a_public_download_needs_no_token_in_its_address(sandbox: Sandbox, client: PackagecloudClient) -> None:
    artifact = make_rpm("libdemo++1")
    add(sandbox, artifact)
    row = only(client)
    assert row.download_url.text == (
        f"{sandbox.packagecloud_url}/{REPOSITORY}/packages/opensuse/15.6/libdemo%2B%2B1-1.0-1.x86_64.rpm"
        "/download.rpm?distro_version_id=282"
    )
    sink = io.BytesIO()
    client.download(row, sink, artifact.blob.size)
    assert sink.getvalue() == data_of(artifact)


def test_without_a_listed_address_the_documented_one_is_used(sandbox: Sandbox, client: PackagecloudClient) -> None:
    artifact = make_rpm("a++b")
    add(sandbox, artifact)
    sink = io.BytesIO()
    client.download(replace(only(client), download_url=Untold()), sink, None)
    assert sink.getvalue() == data_of(artifact)


def test_an_interrupted_download_goes_on(sandbox: Sandbox, client: PackagecloudClient) -> None:
    artifact = make_rpm("tool")
    data = data_of(artifact)
    add(sandbox, artifact)
    sink = io.BytesIO(data[:100])
    assert client.download(only(client), sink, len(data), offset=100) == len(data)
    assert sink.getvalue() == data
    assert sandbox.log.find("cdn")[0].headers["range"] == "bytes=100-"


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        (
            Fault(
                kind=Kind.STATUS, path="/download", status=429, times=None, body=b"Bandwidth or Storage Limit Exceeded"
            ),
            QuotaError,
        ),
        (Fault(kind=Kind.STATUS, path="/download", status=403, times=None), AuthenticationError),
        (Fault(kind=Kind.STATUS, path="/download", status=404, times=None), NotFoundError),
        (Fault(kind=Kind.STATUS, path="/download", status=500, times=None), ReadError),
        (Fault(kind=Kind.STATUS, path="/download", status=200, body=b"<html></html>", times=None), ReadError),
    ],
)
@pytest.mark.parametrize("token_in", ["query", "userinfo", "path"])
def test_a_failed_download_writes_nothing_and_tells_no_token(
    sandbox: Sandbox,
    client: PackagecloudClient,
    token_in: Literal["query", "userinfo", "path"],
    fault: Fault,
    expected: type[PkgsyncError],
) -> None:
    sandbox.packagecloud.private.add(REPOSITORY)
    sandbox.packagecloud.token_in = token_in
    add(sandbox, make_rpm("tool"))
    row = only(client)
    sandbox.packagecloud.faults.add(
        Fault(kind=fault.kind, path=fault.path, status=fault.status, body=fault.body, times=fault.times)
    )
    sink = io.BytesIO()
    with pytest.raises(expected) as caught:
        client.download(row, sink, None)
    assert sink.getvalue() == b""
    for secret in (sandbox.packagecloud.read_token, sandbox.token):
        assert secret not in f"{caught.value!r} {caught.value.message} {caught.value.tip}"
    assert "opensuse/15.6/tool-1.0-1.x86_64.rpm" in caught.value.message


@pytest.mark.parametrize("address", ["ftp://127.0.0.1/x", "http://[", "x", "http://192.0.2.1/x"])
def test_an_impossible_address_is_a_failed_read(sandbox: Sandbox, client: PackagecloudClient, address: str) -> None:
    add(sandbox, make_rpm("tool"))
    row = replace(only(client), download_url=Untold(address))
    sandbox.log.clear()
    with pytest.raises((ReadError, RefusedError)):
        client.download(row, io.BytesIO(), None)
    assert sandbox.log.entries == []


def test_no_request_carries_the_token_in_its_address(sandbox: Sandbox, client: PackagecloudClient) -> None:
    add(sandbox, make_rpm("tool"))
    row = only(client)
    client.look(LEAP, row.filename)
    client.details(row)
    client.promote(row, ARCHIVE)
    assert all(sandbox.token not in entry.target for entry in sandbox.log.entries)


def test_the_java_form_of_a_reply_is_understood(sandbox: Sandbox, client: PackagecloudClient) -> None:
    def wrap(reply: Reply) -> Reply:
        return evolve(reply, body=json.dumps({"package": json.loads(reply.body)}).encode())

    sandbox.packagecloud.faults.add(Fault(kind=Kind.REWRITE, path="/packages.json", method="POST", change=wrap))
    assert send(client, make_rpm("tool")).filename == "tool-1.0-1.x86_64.rpm"
