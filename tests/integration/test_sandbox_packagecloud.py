"""The embedded Packagecloud answers as https://packagecloud.io/docs/api and its clients say."""

import hashlib
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import pytest
import requests

from pkgsync.sandbox import ARCHIVE, REPOSITORY, Artifact, Sandbox, make_deb, make_rpm

LEAP, JAMMY, PYTHON = "282", "237", "166"
API = f"/api/v1/repos/{REPOSITORY}"


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as running:
        yield running


def call(sandbox: Sandbox, method: str, path: str, **more: Any) -> requests.Response:
    return requests.request(method, sandbox.packagecloud_url + path, auth=(sandbox.token, ""), timeout=10, **more)


def upload(sandbox: Sandbox, artifact: Artifact | bytes, distribution: str = LEAP) -> requests.Response:
    body = artifact.blob.read() if isinstance(artifact, Artifact) else artifact
    return call(
        sandbox, "POST", f"{API}/packages.json",
        data={"package[distro_version_id]": distribution},
        files={"package[package_file]": ("some-local-name", io.BytesIO(body))},
    )  # fmt: skip


def listing(sandbox: Sandbox, query: str = "") -> list[dict[str, Any]]:
    answer = call(sandbox, "GET", f"{API}/packages.json{query}")
    assert answer.status_code == 200
    rows: list[dict[str, Any]] = answer.json()
    return rows


def test_a_token_is_needed_everywhere(sandbox: Sandbox) -> None:
    for login in (None, ("wrong", ""), (sandbox.packagecloud.read_token, "")):
        refused = requests.get(f"{sandbox.packagecloud_url}{API}/packages.json", auth=login, timeout=10)
        assert (refused.status_code, refused.json()) == (401, {"error": "Unauthenticated"})
    unknown = call(sandbox, "GET", "/api/v1/repos/demo/nosuch.json")
    assert (unknown.status_code, unknown.json()) == (404, {"error": "not_found"})


def test_a_repository_names_the_paths_that_the_official_client_goes_by(sandbox: Sandbox) -> None:
    shown = call(sandbox, "GET", f"{API}.json").json()
    assert (shown["fqname"], shown["private"]) == ("demo/testing", False)
    assert shown["paths"] == {
        "self": "/api/v1/repos/demo/testing",
        "create_package": "/api/v1/repos/demo/testing/packages.json",
        "package_contents": "/api/v1/repos/demo/testing/packages/contents.json",
        "gpg_keys": "/api/v1/repos/demo/testing/gpg_keys.json",
        "master_tokens": "/api/v1/repos/demo/testing/master_tokens",
        "create_master_token": "/api/v1/repos/demo/testing/master_tokens",
    }
    assert shown["urls"] == {
        "install_script": f"{sandbox.packagecloud_url}/install/repositories/demo/testing/script.:package_type.sh"
    }
    assert call(sandbox, "GET", shown["paths"]["gpg_keys"]).json() == {"gpg_keys": []}
    assert call(sandbox, "GET", shown["paths"]["master_tokens"]).json() == []
    assert [one["fqname"] for one in call(sandbox, "GET", "/api/v1/repos.json").json()] == [ARCHIVE, REPOSITORY]


def test_distributions(sandbox: Sandbox) -> None:
    body = call(sandbox, "GET", "/api/v1/distributions.json").json()
    ids = {
        f"{distro['index_name']}/{version['index_name']}": version["id"]
        for kind in ("deb", "rpm")
        for distro in body[kind]
        for version in distro["versions"]
    }
    wanted = {"opensuse/15.6": 282, "ubuntu/jammy": 237, "el/9": 240, "debian/bookworm": 215, "any/any": 35}
    assert wanted.items() <= ids.items()
    assert body["py"][0]["versions"] == [{"id": 166, "display_name": "Python"}]
    [debian] = [distro for distro in body["deb"] if distro["index_name"] == "debian"]
    numbers = {version["index_name"]: version["version_number"] for version in debian["versions"]}
    assert (numbers["stretch"], numbers["bookworm"], numbers["forky"]) == ("9.0", "12.0", None)
    assert body["dsc"] == body["deb"]


@pytest.mark.parametrize(
    ("artifact", "distribution", "fields"),
    [
        (
            make_rpm("lib++", "1.0~rc1^git2", "3.1", "noarch", epoch=2), LEAP,
            {"name": "lib++", "version": "1.0~rc1^git2", "release": "3.1", "epoch": 2, "architecture": "noarch",
             "distro_version": "opensuse/15.6", "filename": "lib++-1.0~rc1^git2-3.1.noarch.rpm"},
        ),
        (
            make_deb("lib++", "1.0+git1", "2", epoch=1), JAMMY,
            {"name": "lib++", "version": "1.0+git1", "release": "2", "epoch": 1, "architecture": "amd64",
             "distro_version": "ubuntu/jammy", "filename": "lib++_1.0+git1-2_amd64.deb"},
        ),
    ],
)  # fmt: skip
def test_upload_reads_the_header_of_the_package(
    sandbox: Sandbox, artifact: Artifact, distribution: str, fields: dict[str, str]
) -> None:
    created = upload(sandbox, artifact, distribution)
    body = created.json()
    digest = hashlib.sha256(artifact.blob.read()).hexdigest()
    assert created.status_code == 201
    assert fields.items() <= body.items()
    assert (body["sha256sum"], body["size"], body["indexed"]) == (digest, str(artifact.blob.size), False)
    assert body["created_at"] == "2026-11-22T12:20:00.000Z"
    assert "type" not in body
    [row] = listing(sandbox)
    assert fields.items() <= row.items()
    assert "size" not in row
    detail = call(sandbox, "GET", row["package_url"]).json()
    assert (detail["sha256sum"], detail["md5sum"]) == (digest, hashlib.md5(artifact.blob.read()).hexdigest())
    assert [one["filename"] for one in call(sandbox, "GET", detail["versions_url"]).json()] == [fields["filename"]]
    assert call(sandbox, "GET", row["downloads_count_url"]).json() == {"value": 0}
    assert call(sandbox, "DELETE", row["destroy_url"]).json() == {}
    assert listing(sandbox) == []
    again = call(sandbox, "DELETE", row["destroy_url"])
    assert (again.status_code, again.json()) == (404, {"filename": ["not found"]})


@pytest.mark.parametrize(
    ("artifact", "distribution", "body"),
    [
        (make_deb("demo"), LEAP,
         {"repository": ["The specified distro does not support the package you've tried to upload"]}),
        (b"no package", LEAP, {"package_file": ["is not a valid package"]}),
        (make_rpm("demo"), "99999", {"distro_version_id": ["is invalid"]}),
        (make_rpm("demo"), PYTHON, {"distro_version_id": ["is invalid"]}),
    ],
)  # fmt: skip
def test_uploads_that_are_refused(
    sandbox: Sandbox, artifact: Artifact, distribution: str, body: dict[str, Any]
) -> None:
    answer = upload(sandbox, artifact, distribution)
    assert (answer.status_code, answer.json()) == (422, body)
    assert list(sandbox.folder.iterdir()) == []


def test_wordings_of_duplicate_and_quota(sandbox: Sandbox) -> None:
    demo = make_rpm("demo")
    upload(sandbox, demo)
    taken = {"filename": ["has already been taken"]}
    assert upload(sandbox, make_rpm("demo", salt="other")).json() == taken
    sandbox.packagecloud.duplicate = "repository"
    assert upload(sandbox, demo).json() == {"repository": ["Validation failed: Full name already exists."]}
    sandbox.packagecloud.plan_full = True
    plan = {"plan": ["Upgrade to add more packages!"]}
    assert upload(sandbox, demo).json() == {**taken, **plan}
    assert upload(sandbox, make_rpm("new")).json() == plan


def test_a_deleted_name_may_stay_reserved_for_some_tries(sandbox: Sandbox) -> None:
    demo = make_rpm("demo")
    row = upload(sandbox, demo).json()
    sandbox.packagecloud.reserve_after_delete = 2
    call(sandbox, "DELETE", row["destroy_url"])
    assert [upload(sandbox, demo).status_code for _ in range(3)] == [422, 422, 201]


def test_pages(sandbox: Sandbox) -> None:
    for number in range(61):
        sandbox.packagecloud.add(REPOSITORY, "opensuse/15.6", make_rpm("demo", str(number)).blob)
    first = call(sandbox, "GET", f"{API}/packages.json")
    assert (len(first.json()), first.headers["Total"], first.headers["Per-Page"]) == (30, "61", "30")
    assert set(first.links) == {"next", "last"}
    last = requests.get(first.links["last"]["url"], auth=(sandbox.token, ""), timeout=10)
    assert (len(last.json()), set(last.links)) == (1, {"prev"})
    assert listing(sandbox, "?page=4") == []
    sandbox.packagecloud.max_per_page = 50
    clamped = call(sandbox, "GET", f"{API}/packages.json?per_page=1000")
    assert (len(clamped.json()), clamped.headers["Max-Per-Page"]) == (50, "50")
    assert [row["version"] for row in listing(sandbox, "?per_page=2")] == ["60", "59"]
    sandbox.packagecloud.order = "oldest"
    assert [row["version"] for row in listing(sandbox, "?per_page=2")] == ["0", "1"]
    sandbox.packagecloud.order = "shuffled"
    pages = [row["version"] for page in (1, 2) for row in listing(sandbox, f"?per_page=50&page={page}")]
    assert sorted(pages, key=int) == [str(number) for number in range(61)]
    assert pages != sorted(pages, key=int)


def test_search(sandbox: Sandbox) -> None:
    add = sandbox.packagecloud.add
    add(REPOSITORY, "opensuse/15.6", make_rpm("demo++", "1").blob)
    add(REPOSITORY, "opensuse/15.5", make_rpm("demo++", "1").blob)
    add(REPOSITORY, "ubuntu/jammy", make_deb("demo++", "1").blob)

    def found(**query: str) -> list[str]:
        rows = call(sandbox, "GET", f"{API}/search.json", params=query).json()
        return sorted(row["distro_version"] for row in rows)

    assert found(q="demo++-1-1.x86_64.rpm", dist="opensuse/15.6") == ["opensuse/15.6"]
    assert found(q="demo++-1", dist="opensuse") == ["opensuse/15.5", "opensuse/15.6"]
    assert found(filter="debs") == ["ubuntu/jammy"]
    assert found(arch="amd64") == ["ubuntu/jammy"]
    assert found(q="nosuch") == []


def test_switches_of_what_a_reading_shows(sandbox: Sandbox) -> None:
    sandbox.packagecloud.sha_delay = 2
    sandbox.packagecloud.listing_lag = 1
    assert upload(sandbox, make_rpm("demo")).json()["sha256sum"] is None
    assert listing(sandbox) == []
    shown = [listing(sandbox)[0]["sha256sum"] for _ in range(3)]
    assert [value is None for value in shown] == [True, False, False]
    sandbox.packagecloud.sha_delay = None
    assert listing(sandbox)[0]["sha256sum"] is None


@pytest.mark.parametrize("place", ["query", "userinfo", "path"])
def test_downloads_are_redirected_to_a_signed_address(
    sandbox: Sandbox, place: Literal["query", "userinfo", "path"]
) -> None:
    sandbox.packagecloud.private.add(REPOSITORY)
    sandbox.packagecloud.token_in = place
    demo = make_rpm("demo++", "1~rc")
    row = upload(sandbox, demo).json()
    assert sandbox.packagecloud.read_token in row["download_url"]
    answer = requests.get(row["download_url"], timeout=10)
    assert answer.content == demo.blob.read()
    assert answer.history[0].status_code == 302
    assert answer.url.startswith(sandbox.cdn_url)
    [sent] = sandbox.log.find("cdn")
    assert "authorization" not in sent.headers
    assert requests.get(answer.url, auth=(sandbox.token, ""), timeout=10).status_code == 400
    assert requests.get(answer.url.replace("Signature=", "Signature=x"), timeout=10).status_code == 403
    assert requests.head(answer.url, timeout=10).headers["Content-Length"] == str(demo.blob.size)
    part = requests.get(answer.url, headers={"Range": "bytes=5-"}, timeout=10)
    assert (part.status_code, part.content) == (206, demo.blob.read()[5:])
    assert call(sandbox, "GET", row["downloads_count_url"]).json() == {"value": 1}


def test_a_public_row_needs_no_token_to_be_downloaded_and_shows_none(sandbox: Sandbox) -> None:
    demo = make_deb("demo")
    row = upload(sandbox, demo, JAMMY).json()
    assert row["private"] is False
    assert row["download_url"] == (
        f"{sandbox.packagecloud_url}/demo/testing/packages/ubuntu/jammy/demo_1.0_amd64.deb"
        "/download.deb?distro_version_id=237"
    )
    assert requests.get(row["download_url"], timeout=10).content == demo.blob.read()


def test_a_private_download_without_a_token_is_refused(sandbox: Sandbox) -> None:
    sandbox.packagecloud.private.add(REPOSITORY)
    row = upload(sandbox, make_rpm("demo")).json()
    assert row["private"] is True
    url = row["download_url"].partition("?")[0]
    assert requests.get(url, timeout=10).status_code == 401
    assert requests.get(url, auth=(sandbox.token, ""), timeout=10).status_code == 200


def test_promote_moves(sandbox: Sandbox) -> None:
    row = upload(sandbox, make_rpm("demo")).json()
    form = {"destination": ARCHIVE}
    missing = call(sandbox, "POST", row["promote_url"], data={"destination": "demo/nosuch"})
    assert missing.status_code == 404
    moved = call(sandbox, "POST", row["promote_url"], data=form)
    assert (moved.status_code, moved.json()["repository"]) == (200, "archive")
    assert listing(sandbox) == []
    assert sandbox.packagecloud.find(ARCHIVE, "opensuse/15.6", row["filename"]) is not None
    assert call(sandbox, "POST", row["promote_url"], data=form).json() == {"filename": ["not found"]}
    upload(sandbox, make_rpm("demo"))
    clash = call(sandbox, "POST", row["promote_url"], data=form)
    assert (clash.status_code, clash.json()) == (422, {"filename": ["has already been taken"]})


def test_links_may_be_raw_and_the_server_may_rename(sandbox: Sandbox) -> None:
    sandbox.packagecloud.rename = lambda name: name.replace(".rpm", "-1.rpm")
    name = upload(sandbox, make_rpm("demo++")).json()["filename"]
    assert name == "demo++-1.0-1.x86_64-1.rpm"
    assert listing(sandbox)[0]["destroy_url"] == f"{API}/opensuse/15.6/demo%2B%2B-1.0-1.x86_64-1.rpm"
    sandbox.packagecloud.encode_urls = False
    raw = listing(sandbox)[0]["destroy_url"]
    assert raw == f"{API}/opensuse/15.6/demo++-1.0-1.x86_64-1.rpm"
    assert call(sandbox, "DELETE", raw).status_code == 200


def test_a_large_upload_goes_to_disk(sandbox: Sandbox, tmp_path: Path) -> None:
    large = make_deb("large", size=40 * 1024 * 1024, path=tmp_path / "large.deb")
    with large.blob.open() as stream:
        answer = call(
            sandbox, "POST", f"{API}/packages.json",
            data={"package[distro_version_id]": JAMMY}, files={"package[package_file]": ("x.deb", stream)},
        )  # fmt: skip
    assert answer.json()["size"] == str(large.blob.size)
    row = sandbox.packagecloud.find(REPOSITORY, "ubuntu/jammy", "large_1.0_amd64.deb")
    assert row is not None
    assert isinstance(row.blob.source, Path)
    assert sandbox.packagecloud.content(REPOSITORY) == {
        ("ubuntu/jammy", "large_1.0_amd64.deb", large.blob.digest("sha256"))
    }
