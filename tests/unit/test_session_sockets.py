"""A session against a server that misbehaves below HTTP: cut, slow, silent, endless."""

import gzip
import io
import random
import socket
import threading
import tracemalloc
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, ClassVar

import pytest
from msgspec.structs import replace

from pkgsync.errors import AmbiguousError, NotFoundError, ReadError
from pkgsync.model.secret import Basic
from pkgsync.session import HttpLimits, Session
from pkgsync.session.watch import Watcher, _WatchedHttp
from tests.support.faults.rawserver import Answer, RawServer, drip, hang, http, raw_server, reset

QUICK = HttpLimits(
    connect_seconds=5, read_seconds=0.3, total_seconds=5, window_seconds=0.2, attempts=3, progress_bytes=1000
)
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


QUICK_CHANGE = replace(QUICK, upload_read_seconds=0.3)


def session_to(server: RawServer, limits: HttpLimits = QUICK, auth: Basic | None = None) -> Session:
    return Session(server.url, limits=limits, auth=auth, pause=lambda seconds: None)


def test_a_server_that_sends_the_same_start_again_and_again_is_given_up() -> None:
    """It knows no ranges, and its connection breaks each time after more bytes than count as progress."""
    with raw_server(http(b"a" * 2500, length=10_000)) as server:
        with pytest.raises(ReadError, match="not complete"):
            session_to(server).download("/x", io.BytesIO(), size=10_000)
        assert len(server.requests) == 3


def test_only_what_lies_beyond_the_best_is_progress() -> None:
    """Breaks come ever later, but for one: the attempts begin anew only with each that brings more than any before."""
    lengths = [2500, 1000, 4000, 3000, 5500, 1000, 2000]
    with raw_server(*(http(b"a" * length, length=10_000) for length in lengths), http(b"a" * 10_000)) as server:
        with pytest.raises(ReadError, match="not complete"):
            session_to(server).download("/x", io.BytesIO(), size=10_000)
        assert len(server.requests) == 7


def resolving(monkeypatch: pytest.MonkeyPatch, names: dict[str, str]) -> None:
    """Names that lead to addresses, as a name server anywhere may say."""
    real = socket.getaddrinfo

    def answer(host: str, *more: object, **named: object) -> object:
        return real(names.get(host, host), *more, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(socket, "getaddrinfo", answer)


def port_of(server: RawServer) -> str:
    return server.url.rpartition(":")[2]


def test_a_name_that_leads_to_this_machine_gets_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """The connection is made before that is known; nothing is sent over it."""
    resolving(monkeypatch, {"download.example.org": "127.0.0.1"})
    api = Session("https://api.example.org")
    with raw_server(http(b"internal")) as server:
        url = f"http://download.example.org:{port_of(server)}"
        closed = Session(url, limits=QUICK, allow_http=True, neighbour=api, pause=lambda seconds: None)
        with pytest.raises(ReadError) as caught:
            closed.get("/x", max_bytes=100)
        assert caught.value.message == f"{url}/x: it leads to this machine, where https://api.example.org is not"
        assert caught.value.tip == "If that is meant, set `allow_private: true`."
        assert b"GET" not in b"".join(server.requests)
        anywhere = Session("https://api.example.org", allow_private=True)
        allowed = Session(url, limits=QUICK, allow_http=True, neighbour=anywhere)
        assert allowed.get("/x", max_bytes=100).body == b"internal"


def test_a_name_may_lead_to_where_the_api_was_reached(monkeypatch: pytest.MonkeyPatch) -> None:
    resolving(monkeypatch, {"api.example.org": "127.0.0.1", "download.example.org": "127.0.0.1"})
    with raw_server(http(b"whole")) as server:
        api = Session(f"http://api.example.org:{port_of(server)}", limits=QUICK, allow_http=True)
        url = f"http://download.example.org:{port_of(server)}"
        published = Session(url, limits=QUICK, allow_http=True, neighbour=api)
        with pytest.raises(ReadError, match="leads to this machine"):
            published.get("/x", max_bytes=100)
        api.get("/x", max_bytes=100)
        assert published.get("/x", max_bytes=100).body == b"whole"


def test_a_redirect_by_name_to_this_machine_gets_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    resolving(monkeypatch, {"api.example.org": "127.0.0.1", "inner.example.org": "127.0.0.1"})
    with raw_server(http(b"internal")) as inner:
        target = f"Location: http://inner.example.org:{port_of(inner)}/"
        with raw_server(http(b"", "302 Found", target)) as outer:
            url = f"http://api.example.org:{port_of(outer)}"
            session = Session(url, limits=QUICK, allow_http=True)
            zones = iter(["", "a private network"])
            monkeypatch.setattr("pkgsync.session.session.zone_of", lambda address: next(zones))
            with pytest.raises(ReadError, match=f"{url}/x: it leads to a private network, where {url} is not"):
                session.get("/x", max_bytes=100, elsewhere=True)
        assert b"GET" not in b"".join(inner.requests)


@pytest.mark.parametrize(
    "host", ["169.254.169.254", "10.1.2.3", "[::1]", "[fd00::1]", "0.0.0.0", "[::ffff:127.0.0.1]", "100.64.0.1"]
)
def test_an_address_of_this_machine_or_its_networks_is_not_even_connected_to(host: str) -> None:
    session = Session(f"https://{host}", limits=QUICK, neighbour=Session("https://api.example.org"))
    with pytest.raises(ReadError, match=r"where https://api.example.org is not"):
        session.get("/x", max_bytes=100)
    assert session.requests == 0


@pytest.mark.parametrize(
    "answer",
    [
        http(b"short", length=100),
        http(b"", length=100),
        CHUNKED + b"5\r\nshort\r\n",
        CHUNKED + b"5\r\nsho",
        CHUNKED,
        b"HTTP/1.1 200 OK\r\nContent-",
        b"garbage\r\n\r\n",
        b"",
        reset,
    ],
)
def test_a_cut_answer_is_asked_for_again(answer: Answer) -> None:
    with raw_server(answer, answer, http(b"whole")) as server:
        session = session_to(server)
        assert session.get("/x", max_bytes=100).body == b"whole"
        assert session.requests == len(server.requests) == 3


def test_a_cut_answer_is_never_given(  # each attempt is cut
) -> None:
    with raw_server(http(b"short", length=100)) as server:
        session = session_to(server)
        with pytest.raises(ReadError, match="not complete"):
            session.get("/x", max_bytes=100)
        assert session.requests == 3


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (hang, "no answer"),
        (drip(b"HTTP/1.1 200 OK\r\nX: "), "no answer within"),
        (drip(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n"), "slower than"),
        (drip(b"HTTP/1.1 200 OK\r\n\r\n"), "slower than"),
        (drip(CHUNKED + b"3\r\nabc\r\n4;"), "slower than"),
    ],
)
def test_a_server_cannot_hold_a_request(answer: Answer, words: str) -> None:
    with raw_server(answer) as server:
        session = session_to(server)
        with pytest.raises(ReadError, match=words):
            session.get("/x", max_bytes=1_000_000)
        assert session.requests == 2


def test_a_request_has_an_end_even_if_bytes_keep_coming() -> None:
    limits = HttpLimits(read_seconds=5, total_seconds=0.3, window_seconds=0.2, minimum_bytes_per_second=1)
    with raw_server(drip(b"HTTP/1.1 200 OK\r\n\r\n", b"a" * 1000)) as server, pytest.raises(ReadError, match=r"0\.3 s"):
        session_to(server, limits).get("/x", max_bytes=10**9)


def test_an_endless_body_ends_at_the_cap() -> None:
    def endless(connection: object, stopping: threading.Event) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")  # type: ignore[attr-defined]
        while not stopping.is_set():
            connection.sendall(b"a" * 65536)  # type: ignore[attr-defined]

    with raw_server(endless) as server, pytest.raises(ReadError, match="longer than 100000 bytes"):
        session_to(server).get("/x", max_bytes=100_000)


def test_compressed_answers_are_read() -> None:
    with raw_server(http(gzip.compress(b"<a/>"), "200 OK", "Content-Encoding: gzip")) as server:
        assert session_to(server).get("/x", max_bytes=100).body == b"<a/>"
        assert b"Accept-Encoding: gzip" in server.requests[0]


def test_a_compressed_file_is_not_unpacked() -> None:
    packed = gzip.compress(b"<a/>")
    with raw_server(http(packed, "200 OK", "Content-Encoding: x-gzip")) as server:
        assert session_to(server).get("/x", max_bytes=100, decode=False).body == packed
        assert b"Accept-Encoding: identity" in server.requests[0]


@pytest.mark.parametrize(
    "body",
    [gzip.compress(b"<a/>" * 1000)[:-9], b"<a/>", gzip.compress(b"<a/>") + b"more"],
    ids=["cut", "not gzip", "more behind"],
)
def test_a_damaged_compressed_answer_is_refused(body: bytes) -> None:
    with (
        raw_server(http(body, "200 OK", "Content-Encoding: gzip")) as server,
        pytest.raises(ReadError, match="gzip"),
    ):
        session_to(server).get("/x", max_bytes=10000)


def test_a_bomb_does_not_go_off() -> None:
    bomb = gzip.compress(b"\0" * 200_000_000)
    with raw_server(http(bomb, "200 OK", "Content-Encoding: gzip")) as server:
        session = session_to(server)
        tracemalloc.start()
        try:
            with pytest.raises(ReadError, match="longer than"):
                session.get("/x", max_bytes=1_000_000)
            assert tracemalloc.get_traced_memory()[1] < 20_000_000
        finally:
            tracemalloc.stop()


def test_an_encoding_that_was_not_asked_for_is_refused() -> None:
    with raw_server(http(b"xyz", "200 OK", "Content-Encoding: br")) as server, pytest.raises(ReadError, match="asked"):
        session_to(server).get("/x", max_bytes=100)


@pytest.mark.parametrize("answer", [http(b"{", length=100), http(b"{}", "500 Oops"), reset, hang, b""])
def test_a_change_with_a_lost_answer_is_ambiguous_and_sent_once(answer: Answer) -> None:
    with raw_server(answer) as server:
        with pytest.raises(AmbiguousError):
            session_to(server, QUICK_CHANGE).change("POST", "/x", data=b"body")
        assert [request.partition(b"\r\n\r\n")[2] for request in server.requests] == [b"body"]


def test_a_change_that_cannot_connect_was_not_sent() -> None:
    with raw_server(b"") as server:
        session = session_to(server)
    with pytest.raises(ReadError, match="no connection"):
        session.change("POST", "/x", data=b"body")


def test_one_thread_watches_all_requests_of_a_session(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each of them is silent for ever in the middle of its body, and each is cut."""
    guard, threads = Watcher._guard, []

    def counted(watcher: Watcher) -> None:
        threads.append(threading.current_thread())
        guard(watcher)

    monkeypatch.setattr(Watcher, "_guard", counted)
    arrived = threading.Barrier(8)

    def together(connection: socket.socket, stopping: threading.Event) -> None:
        arrived.wait(30)
        drip(CHUNKED)(connection, stopping)  # type: ignore[operator]

    with raw_server(together) as server:
        session = session_to(server, replace(QUICK, attempts=1, minimum_bytes_per_second=10_000))
        with ThreadPoolExecutor(8) as pool:
            failures = [pool.submit(session.get, "/x", max_bytes=10_000).exception for _ in range(8)]
            assert {str(failure(30)).partition("complete: ")[2] for failure in failures} == {
                "slower than 10000 bytes per second"
            }
    assert len(threads) == 1
    threads[0].join(30)
    assert not threads[0].is_alive(), "with nothing to watch it ends"


def test_closing_ends_what_is_in_flight() -> None:
    entered = threading.Event()

    def silent(connection: object, stopping: threading.Event) -> None:
        entered.set()
        stopping.wait(30)

    with raw_server(silent) as server:
        session = Session(server.url)
        errors: list[Exception] = []

        def read() -> None:
            try:
                session.get("/x", max_bytes=10)
            except ReadError as error:
                errors.append(error)

        thread = threading.Thread(target=read)
        thread.start()
        assert entered.wait(30)
        session.close()
        thread.join(30)
        assert not thread.is_alive()
        assert "ending" in str(errors[0])


def download(server: RawServer, sink: io.BytesIO, size: int | None, **options: Any) -> tuple[int, list[int]]:
    counts: list[int] = []
    total = session_to(server).download("/f", sink, size=size, on_bytes=counts.append, **options)
    return total, counts


def test_a_file_is_streamed_into_the_sink() -> None:
    with raw_server(http(b"content")) as server:
        sink = io.BytesIO()
        assert download(server, sink, 7) == (7, [7])
        assert sink.getvalue() == b"content"


def test_a_cut_download_goes_on_where_it_ended() -> None:
    rest = http(b"tent", "206 Partial Content", "Content-Range: bytes 3-6/7")
    with raw_server(http(b"con", length=7), rest) as server:
        sink = io.BytesIO()
        total, counts = download(server, sink, 7)
        assert (total, sum(counts), sink.getvalue()) == (7, 7, b"content")
        assert b"Range: bytes=3-\r\n" in server.requests[1]


def test_a_server_that_cannot_go_on_starts_over() -> None:
    with raw_server(http(b"con", length=7), http(b"CONTENT")) as server:
        sink = io.BytesIO()
        total, counts = download(server, sink, 7)
        assert (total, sum(counts), sink.getvalue()) == (7, 7, b"CONTENT")


@pytest.mark.parametrize("given", ["bytes 2-6/7", "bytes 3-6/9", "nonsense"])
def test_a_wrong_range_is_not_appended(given: str) -> None:
    wrong = http(b"tent", "206 Partial Content", f"Content-Range: {given}")
    with raw_server(wrong, http(b"content")) as server:
        sink = io.BytesIO(b"con")
        assert download(server, sink, 7, offset=3)[0] == 7
        assert sink.getvalue() == b"content"


def test_a_partial_file_that_is_too_long_is_dropped() -> None:
    with raw_server(http(b"", "416 Range Not Satisfiable"), http(b"content")) as server:
        sink = io.BytesIO(b"0123456789")
        assert download(server, sink, 7, offset=10)[0] == 7
        assert sink.getvalue() == b"content"


def test_a_download_stops_at_the_expected_size() -> None:
    with raw_server(http(b"content and more")) as server:
        sink = io.BytesIO()
        with pytest.raises(ReadError, match="longer than 7"):
            download(server, sink, 7)
        assert len(sink.getvalue()) <= 7


def test_nothing_is_written_before_the_status_is_known() -> None:
    with raw_server(http(b"<status/>", "404 Not Found")) as server:
        sink = io.BytesIO(b"old")
        with pytest.raises(NotFoundError):
            download(server, sink, 7)
        assert sink.getvalue() == b"old"


def test_a_page_for_people_is_no_file() -> None:
    with raw_server(http(b"<html>", "200 OK", "Content-Type: text/html"), http(b"content")) as server:
        sink = io.BytesIO()
        assert download(server, sink, None)[0] == 7
        assert sink.getvalue() == b"content"


def test_a_download_that_gets_on_may_be_cut_often() -> None:
    parts = [
        http(
            b"a" * 1000,
            "206 Partial Content",
            f"Content-Range: bytes {n}000-7999/8000",
            length=1000 if n == 7 else 9000,
        )
        for n in range(8)
    ]
    with raw_server(*parts) as server:
        assert download(server, io.BytesIO(), 8000)[0] == 8000


def test_a_download_that_does_not_get_on_ends() -> None:
    with raw_server(http(b"a", length=9)) as server:
        with pytest.raises(ReadError):
            download(server, io.BytesIO(), 9)
        assert len(server.requests) == 3


def test_the_login_does_not_follow_a_download() -> None:
    with raw_server(http(b"content")) as cdn:
        with raw_server(http(b"", "302 Found", f"Location: {cdn.url}/f?Signature=abc")) as server:
            session = session_to(server, auth=Basic("token", "secret"))
            assert session.download("/f", io.BytesIO(), size=7) == 7
            assert b"\r\nAuthorization: Basic " in server.requests[0]
        assert cdn.requests[0].startswith(b"GET /f?Signature=abc HTTP/1.1\r\n")
        assert b"Authorization" not in cdn.requests[0]


def unread(connection: socket.socket, stopping: threading.Event) -> None:
    stopping.wait(30)


def slowly_read(connection: socket.socket, stopping: threading.Event) -> None:
    while connection.recv(2048) and not stopping.wait(0.02):
        pass


@pytest.mark.parametrize("read", [unread, slowly_read])
def test_a_server_cannot_hold_an_upload_by_not_reading_it(
    read: Callable[[socket.socket, threading.Event], None],
) -> None:
    """Both ways less than the minimum rate leaves this machine once the buffers of the socket are full."""
    limits = replace(QUICK, read_seconds=20, upload_read_seconds=20, minimum_bytes_per_second=50_000_000)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        stopping = threading.Event()

        def serve() -> None:
            connection, _ = listener.accept()
            with connection:
                read(connection, stopping)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        session = Session(f"http://127.0.0.1:{listener.getsockname()[1]}", limits=limits)
        with pytest.raises(AmbiguousError, match="slower than 50000000 bytes per second"):
            session.change("POST", "/x", data=io.BytesIO(bytes(64_000_000)))
        assert session.requests == 1
        stopping.set()
        thread.join()


def test_what_the_network_has_taken_of_a_large_piece_counts_as_moved() -> None:
    """Else a slow upload in large pieces would be cut, though its bytes move."""

    class Taking:
        """A socket that takes a hundred thousand bytes at a time."""

        taken: ClassVar[list[bytes]] = []

        def send(self, data: memoryview) -> int:
            self.taken.append(bytes(data[:100_000]))
            return len(self.taken[-1])

    piece = random.Random(1).randbytes(256 * 1024)
    with Watcher(QUICK).watching(5, None) as watch:
        seen: list[int] = []
        connection = _WatchedHttp("127.0.0.1")
        connection.sock = Taking()
        watch.moved = seen.append  # type: ignore[method-assign, assignment]
        connection.send(piece)
        connection.sock = None
    assert b"".join(Taking.taken) == piece
    assert seen == [100_000, 100_000, 62_144]


@pytest.mark.parametrize("method", ["POST", "DELETE"])
@pytest.mark.parametrize("answer", [drip(b"HTTP/1.1 200 OK\r\nX: "), drip(b"HTTP/1.1 200 OK\r\n\r\n")])
def test_a_server_cannot_hold_a_change_by_a_slow_answer(method: str, answer: Answer) -> None:
    with raw_server(answer) as server:
        with pytest.raises(AmbiguousError):
            session_to(server, QUICK_CHANGE).change(method, "/x", data=b"body")
        assert len(server.requests) == 1
