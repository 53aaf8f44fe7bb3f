"""Every fault of the switchboard does what its name says, on real sockets."""

import io
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import pytest
import requests
import yaml
from attrs import evolve

from pkgsync.sandbox import (
    PROJECT,
    REPOSITORY,
    Fault,
    Kind,
    Sandbox,
    change_body,
    demo_world_day1,
    html_page,
    json_error,
    make_rpm,
    quota,
    replace_body,
    set_headers,
)

API = f"/api/v1/repos/{REPOSITORY}"
DEMO = make_rpm("demo")


@pytest.fixture(params=[False, True], ids=["closing", "keeping"])
def sandbox(request: pytest.FixtureRequest) -> Iterator[Sandbox]:
    with Sandbox(keep_alive=request.param) as running:
        yield running


def get(sandbox: Sandbox, path: str = f"{API}/packages.json", **more: Any) -> requests.Response:
    more.setdefault("timeout", 10)
    return requests.get(sandbox.packagecloud_url + path, auth=(sandbox.token, ""), **more)


def upload(sandbox: Sandbox) -> requests.Response:
    return requests.post(
        f"{sandbox.packagecloud_url}{API}/packages.json", auth=(sandbox.token, ""), timeout=10,
        data={"package[distro_version_id]": "282"}, files={"package[package_file]": ("x", io.BytesIO(DEMO.blob.read()))},
    )  # fmt: skip


def stored(sandbox: Sandbox) -> bool:
    return sandbox.packagecloud.find(REPOSITORY, "opensuse/15.6", DEMO.filename) is not None


@pytest.mark.parametrize(
    ("kind", "effect"),
    [(Kind.RESET, False), (Kind.RESET_AFTER_BODY, False), (Kind.REPLY_LOST, True), (Kind.RESET_MIDWAY, True),
     (Kind.CUT, True)],
)  # fmt: skip
def test_broken_connections_with_and_without_effect(sandbox: Sandbox, kind: Kind, effect: bool) -> None:
    fault = sandbox.packagecloud.faults.add(Fault(kind=kind, method="POST"))
    with pytest.raises((requests.ConnectionError, requests.exceptions.ChunkedEncodingError)):
        upload(sandbox)
    assert (stored(sandbox), fault.hits) == (effect, 1)
    assert upload(sandbox).status_code == (422 if effect else 201)


@pytest.mark.parametrize(
    ("kind", "kept"),
    [(Kind.NOTHING, True), (Kind.STATUS, True), (Kind.EMPTY, True), (Kind.TRUNCATE, True), (Kind.CORRUPT, True),
     (Kind.TYPE, True), (Kind.CUT, False), (Kind.RESET, False), (Kind.RESET_MIDWAY, False), (Kind.HANG, False)],
)  # fmt: skip
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_connection_is_kept_unless_its_answer_has_no_right_end(method: str, kind: Kind, kept: bool) -> None:
    """Whether the service has read the request's body or not."""
    with Sandbox(keep_alive=True) as sandbox, requests.Session() as session:
        fault = sandbox.packagecloud.faults.add(Fault(kind=kind, body=b"no", keep=3))
        fault.released.set()
        url, auth = f"{sandbox.packagecloud_url}{API}/packages.json", (sandbox.token, "")
        try:
            session.request(method, url, auth=auth, data=b"x" * 100_000 if method == "POST" else None, timeout=10)
        except requests.RequestException:
            assert not kept
        assert session.get(url, auth=auth, timeout=10).status_code == 200
        first, second = (entry.port for entry in sandbox.log.find("packagecloud"))
        assert (first == second) is kept


@pytest.mark.parametrize(("kind", "effect"), [(Kind.STALL, False), (Kind.HANG, False), (Kind.HANG_AFTER, True)])
def test_a_hang_ends_when_it_is_released(sandbox: Sandbox, kind: Kind, effect: bool) -> None:
    fault = sandbox.packagecloud.faults.add(Fault(kind=kind, method="POST"))
    errors: list[BaseException] = []

    def work() -> None:
        try:
            upload(sandbox)
        except requests.ConnectionError as error:
            errors.append(error)

    client = threading.Thread(target=work)
    client.start()
    assert fault.hit.wait(10)
    assert client.is_alive()
    fault.released.set()
    client.join(10)
    assert (len(errors), stored(sandbox)) == (1, effect)


def test_a_hang_ends_when_the_client_is_gone(sandbox: Sandbox) -> None:
    sandbox.packagecloud.faults.add(Fault(kind=Kind.HANG, times=None))
    with pytest.raises(requests.ReadTimeout):
        get(sandbox, timeout=0.05)
    sandbox.packagecloud.faults.clear()
    assert get(sandbox).status_code == 200


def test_nothing_outlives_the_sandbox() -> None:
    refused: list[requests.ConnectionError] = []

    def work() -> None:
        try:
            get(running)
        except requests.ConnectionError as error:
            refused.append(error)

    with Sandbox() as running:
        url = running.obs_url
        fault = running.packagecloud.faults.add(Fault(kind=Kind.HANG))
        client = threading.Thread(target=work)
        client.start()
        assert fault.hit.wait(10)
    client.join(10)
    assert len(refused) == 1
    assert not running.folder.exists()
    with pytest.raises(requests.ConnectionError):
        requests.get(url, timeout=10)


@pytest.mark.parametrize(
    ("fault", "status", "body", "kind"),
    [
        (Fault(kind=Kind.STATUS, status=503, body=b"busy", headers={"Retry-After": "7"}), 503, b"busy", "text/html"),
        (quota(), 429, b"Bandwidth or Storage Limit Exceeded", "text/html"),
        (json_error(402, {"error": ["payment required"]}), 402, b'{"error": ["payment required"]}', "application/json"),
        (html_page(), 200, b"<!DOCTYPE html>", "text/html"),
        (Fault(kind=Kind.EMPTY), 200, b"", "application/json"),
        (Fault(kind=Kind.TRUNCATE, keep=0), 200, b"", "application/json"),
        (Fault(kind=Kind.TRUNCATE), 200, b"[", "application/json"),
        (Fault(kind=Kind.TYPE, content_type="text/plain"), 200, b"[]", "text/plain"),
        (Fault(kind=Kind.CORRUPT), 200, b"\xa4\xa2", "application/json"),
        (Fault(kind=Kind.DRIP), 200, b"[]", "application/json"),
        (Fault(kind=Kind.REWRITE, change=replace_body(b"bomb")), 200, b"bomb", "application/json"),
        (Fault(kind=Kind.REWRITE, change=change_body(bytes.upper)), 200, b"[]", "application/json"),
    ],
    ids=lambda value: str(value.kind) if isinstance(value, Fault) else str(value),
)
def test_other_answers(sandbox: Sandbox, fault: Fault, status: int, body: bytes, kind: str) -> None:
    sandbox.packagecloud.faults.add(evolve(fault, times=1))
    answer = get(sandbox)
    assert answer.status_code == status
    assert answer.content.startswith(body)
    assert answer.headers["Content-Length"] == str(len(answer.content))
    assert answer.headers["Content-Type"].startswith(kind)
    assert get(sandbox).json() == []


def test_an_endless_body_has_no_end_and_no_length(sandbox: Sandbox) -> None:
    sandbox.packagecloud.faults.add(Fault(kind=Kind.ENDLESS))
    with get(sandbox, stream=True) as answer:
        assert "Content-Length" not in answer.headers
        assert len(answer.raw.read(5_000_000)) == 5_000_000


def test_redirects_and_headers_of_pages(sandbox: Sandbox) -> None:
    faults = sandbox.packagecloud.faults
    faults.add(Fault(kind=Kind.REDIRECT, path="repos/demo/testing.json", location=f"{sandbox.cdn_url}/elsewhere"))
    answer = get(sandbox, f"{API}.json", allow_redirects=False)
    assert (answer.status_code, answer.headers["Location"]) == (302, f"{sandbox.cdn_url}/elsewhere")
    faults.add(Fault(kind=Kind.REWRITE, change=set_headers(total="7", per_page="3", link='<http://evil/>; rel="next"')))
    answer = get(sandbox)
    assert (answer.headers["Total"], answer.headers["Per-Page"]) == ("7", "3")
    assert answer.links["next"]["url"] == "http://evil/"


def test_pages_may_be_repeated_or_shift(sandbox: Sandbox) -> None:
    for number in range(4):
        sandbox.packagecloud.add(REPOSITORY, "opensuse/15.6", make_rpm("demo", str(number)).blob)
    sandbox.packagecloud.order = "oldest"

    def versions(page: int) -> list[str]:
        return [row["version"] for row in get(sandbox, f"{API}/packages.json?per_page=2&page={page}").json()]

    sandbox.packagecloud.faults.add(Fault(kind=Kind.QUERY, path=r"[?&]page=2", query=(r"\bpage=2", "page=1")))
    assert [versions(1), versions(2), versions(2)] == [["0", "1"], ["0", "1"], ["2", "3"]]
    gone = ("opensuse/15.6", "demo-0-1.x86_64.rpm")
    hook = lambda: sandbox.packagecloud.delete(REPOSITORY, *gone)  # noqa: E731
    sandbox.packagecloud.faults.add(Fault(kind=Kind.NOTHING, path=r"[?&]page=2", hook=hook))
    assert [versions(1), versions(2)] == [["0", "1"], ["3"]]


def test_a_fault_hits_the_nth_request_and_as_many_as_ordered(sandbox: Sandbox) -> None:
    fault = sandbox.packagecloud.faults.add(Fault(kind=Kind.STATUS, path="packages", nth=2, times=2))
    get(sandbox, f"{API}.json")
    assert [get(sandbox).status_code for _ in range(4)] == [200, 500, 500, 200]
    assert (fault.seen, fault.hits) == (4, 2)


def test_the_log_counts_and_finds_secrets(sandbox: Sandbox) -> None:
    upload(sandbox)
    get(sandbox)
    assert sandbox.log.count("packagecloud", "POST") == 1
    [entry] = sandbox.log.find("packagecloud", "GET", r"packages\.json$")
    assert (entry.status, entry.active, entry.ended) == (200, 1, True)
    assert entry.response_bytes > 500
    assert len(sandbox.log.mentions(sandbox.token)) == 2
    assert sandbox.log.mentions(sandbox.token, "cdn") == []
    requests.get(f"{sandbox.cdn_url}/x?token={sandbox.token}", timeout=10)
    assert len(sandbox.log.mentions(sandbox.token, "cdn")) == 1


def test_the_log_knows_how_many_requests_overlapped(sandbox: Sandbox) -> None:
    for _ in range(20):
        get(sandbox)
    assert sandbox.log.peak("packagecloud") == 1
    gate = threading.Barrier(3)
    sandbox.packagecloud.faults.add(Fault(kind=Kind.NOTHING, times=None, hook=lambda: gate.wait(10)))
    clients = [threading.Thread(target=get, args=(sandbox,)) for _ in range(3)]
    for client in clients:
        client.start()
    for client in clients:
        client.join(10)
    assert sandbox.log.peak("packagecloud") == 3


@pytest.mark.parametrize(
    ("source", "keys"),
    [
        ("api", {"api", "projects", "username", "password"}),
        ("download", {"api", "projects", "username", "password", "published_url"}),
        ("anonymous", {"api", "projects", "anonymous", "published_url"}),
    ],
)
def test_the_config_holds_no_secret(
    sandbox: Sandbox, tmp_path: Path, source: Literal["api", "download", "anonymous"], keys: set[str]
) -> None:
    path = sandbox.write_config(tmp_path, {"orphans": "keep"}, source)
    text = path.read_text()
    assert set(yaml.safe_load(text)["obs"]) == keys
    assert yaml.safe_load(text)["orphans"] == "keep"
    assert not any(value in text for value in (sandbox.token, sandbox.obs.password))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_serving_by_hand_ends_cleanly(tmp_path: Path, number: signal.Signals) -> None:
    command = [sys.executable, "-m", "pkgsync.sandbox", str(tmp_path), "--day", "2"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        lines: list[str] = []
        while "Ctrl-C ends" not in (lines[-1] if lines else ""):
            lines.append(process.stdout.readline())
        (url,) = re.findall(r"OBS +(\S+)", "".join(lines))
        answer = requests.get(f"{url}/build/{PROJECT}/_result", auth=("demo", "demo-password"), timeout=10)
        process.send_signal(number)
        _, errors = process.communicate(timeout=30)
    assert answer.status_code == 200
    assert yaml.safe_load((tmp_path / "pkgsync.yaml").read_text())["obs"]["api"] == url
    assert (process.returncode, errors) == (0, "")


def test_the_demo_starts_with_a_few_old_rows(sandbox: Sandbox) -> None:
    demo_world_day1(sandbox)
    rows = sandbox.packagecloud.content(REPOSITORY)
    assert {(distribution, name) for distribution, name, _ in rows} == {
        ("opensuse/15.6", "hello-tool-1.1-lp156.1.1.x86_64.rpm"),
        ("opensuse/15.6", "foreign-tool-7.0-1.x86_64.rpm"),
        ("debian/bookworm", "hello-tool_1.1_amd64.deb"),
    }
