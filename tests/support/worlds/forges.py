"""Stand-ins for GitHub and GitLab on loopback: the routes that the scripts of the actions use, as their docs have them.

Beside GitHub stands the host of its artifacts, which refuses whoever brings a token.
"""

import hashlib
import io
import json
import re
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit

from attrs import define, field, frozen

BOT = "github-actions[bot]"
TOKEN = "ghs_0123456789abcdefghij"
GITLAB_TOKEN = "glpat-0123456789abcdefghij"


@frozen(kw_only=True)
class Request:
    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: Any


@frozen
class Reply:
    status: int
    body: Any = None
    headers: dict[str, str] = field(factory=dict)


@define
class Fault:
    """What the next request of this method and path (a regular expression) gets.

    ``reply`` None closes the connection; ``done`` carries the request out before.
    """

    method: str
    path: str
    reply: Reply | None
    done: bool = False


@define
class Server:
    """A server in threads of its own. ``answer`` is called for each request."""

    answer: Callable[[Request], Reply]
    url: str = ""
    requests: list[Request] = field(factory=list)
    faults: list[Fault] = field(factory=list)

    @contextmanager
    def running(self) -> Iterator[None]:
        server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        server.daemon_threads = True
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        self.url = f"http://127.0.0.1:{server.server_address[1]}"
        try:
            yield
        finally:
            server.shutdown()
            server.server_close()
            thread.join()

    def handle(self, request: Request) -> Reply | None:
        self.requests.append(request)
        for fault in self.faults:
            if fault.method == request.method and re.fullmatch(fault.path, request.path):
                self.faults.remove(fault)
                if fault.done:
                    self.answer(request)
                return fault.reply
        return self.answer(request)

    def asked(self, method: str) -> list[str]:
        return [request.path for request in self.requests if request.method == method]


def _handler(server: Server) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            sent = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            request = Request(
                method=self.command,
                path=parts.path,
                query={name: values[0] for name, values in parse_qs(parts.query).items()},
                headers={name.lower(): value for name, value in self.headers.items()},
                body=json.loads(sent) if sent else None,
            )
            reply = server.handle(request)
            if reply is None:
                self.close_connection = True
                return
            data = reply.body if isinstance(reply.body, bytes) else json.dumps(reply.body).encode()
            self.send_response(reply.status)
            for name, value in {"Content-Type": "application/json", **reply.headers}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        do_POST = do_PATCH = do_PUT = do_GET  # noqa: N815

        def log_message(self, *_: Any) -> None:
            pass

    return Handler


def zipped(files: dict[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return stream.getvalue()


def paged(server: Server, request: Request, items: list[Any], inside: str = "") -> Reply:
    """A page, with the link to the next one."""
    size, page = min(int(request.query.get("per_page", 30)), 100), int(request.query.get("page", 1))
    shown = items[(page - 1) * size : page * size]
    body: Any = {"total_count": len(items), inside: shown} if inside else shown
    if page * size >= len(items):
        return Reply(200, body)
    more = "&".join(f"{name}={value}" for name, value in {**request.query, "page": str(page + 1)}.items())
    link = f'<{server.url}{request.path}?{more}>; rel="next", <{server.url}{request.path}?page=9>; rel="last"'
    return Reply(200, body, {"Link": link})


@define
class GitHub:
    """One repository, ``acme/packages``."""

    api: Server
    blobs: Server
    comments: list[dict[str, Any]] = field(factory=list)
    statuses: list[dict[str, Any]] = field(factory=list)
    artifacts: list[dict[str, Any]] = field(factory=list)
    contents: dict[int, bytes] = field(factory=dict)
    runs: dict[int, dict[str, Any]] = field(factory=dict)
    pulls: list[dict[str, Any]] = field(factory=list)
    name: str = "acme/packages"

    def repository(self, name: str | None = None) -> dict[str, Any]:
        return {"full_name": name or self.name, "id": 42 if name in (None, self.name) else 77, "default_branch": "main"}

    def comment(self, body: str, login: str = BOT) -> dict[str, Any]:
        made = {"id": 1000 + len(self.comments), "body": body, "user": {"login": login}}
        self.comments.append(made)
        return made

    def bodies(self, login: str = BOT) -> list[str]:
        return [comment["body"] for comment in self.comments if comment["user"]["login"] == login]

    def pull(self, number: int, head: str, fork: str | None = None, **more: Any) -> dict[str, Any]:
        made = {
            "number": number,
            "head": {"sha": head, "ref": "topic", "repo": self.repository(fork)},
            "base": {"ref": "main", "sha": "b" * 40, "repo": self.repository()},
            "merged_at": None,
            "merge_commit_sha": None,
            **more,
        }
        self.pulls.append(made)
        return made

    def run(self, number: int, head: str, **more: Any) -> dict[str, Any]:
        self.runs[number] = {
            "id": number,
            "path": ".github/workflows/pkgsync.yml",
            "event": "pull_request",
            "head_sha": head,
            "head_branch": "topic",
            "repository": self.repository(),
            "head_repository": self.repository(),
            **more,
        }
        return self.runs[number]

    def artifact(self, name: str, run: int, data: bytes, **more: Any) -> dict[str, Any]:
        number, about = 500 + len(self.artifacts), self.runs[run]
        self.contents[number] = data
        self.artifacts.append(
            {
                "id": number,
                "name": name,
                "size_in_bytes": len(data),
                "expired": False,
                "digest": f"sha256:{hashlib.sha256(data).hexdigest()}",
                "workflow_run": {
                    "id": run,
                    "repository_id": about["repository"]["id"],
                    "head_repository_id": about["head_repository"]["id"],
                    "head_branch": about["head_branch"],
                    "head_sha": about["head_sha"],
                },
                **more,
            }
        )
        return self.artifacts[-1]

    def answer(self, request: Request) -> Reply:
        assert request.headers["accept"] == "application/vnd.github+json"
        assert request.headers["x-github-api-version"] == "2022-11-28"
        if request.headers.get("authorization") != f"Bearer {TOKEN}":
            return Reply(401, {"message": "Bad credentials"})
        path = request.path.removeprefix(f"/repos/{self.name}")
        for method, pattern, route in self._routes():
            if method == request.method and (match := re.fullmatch(pattern, path)):
                return route(request, *match.groups())
        return Reply(404, {"message": "Not Found"})

    def _routes(self) -> list[tuple[str, str, Callable[..., Reply]]]:
        number, sha = "([0-9]+)", "([0-9a-f]{40})"
        return [
            ("GET", f"/issues/{number}/comments", lambda request, _: paged(self.api, request, self.comments)),
            ("POST", f"/issues/{number}/comments", self._post_comment),
            ("PATCH", f"/issues/comments/{number}", self._patch_comment),
            ("GET", f"/pulls/{number}", lambda _, n: Reply(200, self._pull(int(n)))),
            ("GET", f"/commits/{sha}/pulls", lambda request, _: paged(self.api, request, self.pulls)),
            ("GET", f"/commits/{sha}/statuses", self._statuses),
            ("POST", f"/statuses/{sha}", self._post_status),
            ("GET", f"/actions/runs/{number}", lambda _, n: Reply(200, self.runs[int(n)])),
            ("GET", f"/actions/runs/{number}/artifacts", self._artifacts),
            ("GET", "/actions/artifacts", self._artifacts),
            ("GET", f"/actions/artifacts/{number}/zip", self._zip),
        ]

    def _pull(self, number: int) -> dict[str, Any]:
        return next(pull for pull in self.pulls if pull["number"] == number)

    def _post_comment(self, request: Request, _: str) -> Reply:
        if len(request.body["body"].encode("utf-16-le")) // 2 > 65_536:
            return Reply(422, {"message": "Validation Failed"})
        return Reply(201, self.comment(request.body["body"]))

    def _patch_comment(self, request: Request, number: str) -> Reply:
        found = next(comment for comment in self.comments if comment["id"] == int(number))
        if found["user"]["login"] != BOT:
            return Reply(403, {"message": "Resource not accessible by integration"})
        found["body"] = request.body["body"]
        return Reply(200, found)

    def status(self, commit: str, **more: Any) -> dict[str, Any]:
        self.statuses.append({"id": len(self.statuses) + 1, "sha": commit, "creator": {"login": BOT}, **more})
        return self.statuses[-1]

    def _post_status(self, request: Request, commit: str) -> Reply:
        if len(request.body["description"]) > 140:
            return Reply(422, {"message": "Validation Failed"})
        return Reply(201, self.status(commit, **request.body))

    def _statuses(self, request: Request, commit: str) -> Reply:
        found = [status for status in reversed(self.statuses) if status["sha"] == commit]
        return paged(self.api, request, found)

    def _artifacts(self, request: Request, run: str | None = None) -> Reply:
        found = [
            artifact
            for artifact in reversed(self.artifacts)
            if request.query.get("name") in (None, artifact["name"])
            and (run is None or artifact["workflow_run"]["id"] == int(run))
        ]
        return paged(self.api, request, found, "artifacts")

    def _zip(self, request: Request, number: str) -> Reply:
        return Reply(302, None, {"Location": f"{self.blobs.url}/zip/{number}?sig=signed"})

    def blob(self, request: Request) -> Reply:
        if "authorization" in request.headers or request.query != {"sig": "signed"}:
            return Reply(400, {"message": "AuthenticationFailed"})
        data = self.contents[int(request.path.rpartition("/")[2])]
        return Reply(200, data, {"Content-Type": "application/zip"})


@contextmanager
def open_github() -> Iterator[GitHub]:
    api, blobs = Server(lambda request: hub.answer(request)), Server(lambda request: hub.blob(request))
    hub = GitHub(api, blobs)
    with api.running(), blobs.running():
        yield hub


@define
class GitLab:
    """The merge request 7 of project 11. Our token is user 5."""

    api: Server
    head: str
    notes: list[dict[str, Any]] = field(factory=list)

    def note(self, body: str, author: int = 5, system: bool = False) -> dict[str, Any]:
        made = {"id": 300 + len(self.notes), "body": body, "author": {"id": author}, "system": system}
        self.notes.append(made)
        return made

    def answer(self, request: Request) -> Reply:
        if request.headers.get("private-token") != GITLAB_TOKEN:
            return Reply(401, {"message": "401 Unauthorized"})
        place = "/api/v4/projects/11/merge_requests/7"
        match request.method, request.path.removeprefix(place):
            case "GET", "/api/v4/user":
                return Reply(200, {"id": 5, "username": "project_11_bot"})
            case "GET", "":
                return Reply(200, {"iid": 7, "sha": self.head})
            case "GET", "/notes":
                assert request.query["sort"] == "asc"
                return paged(self.api, request, self.notes)
            case "POST", "/notes":
                return Reply(201, self.note(request.body["body"]))
            case "PUT", path if match := re.fullmatch("/notes/([0-9]+)", path):
                found = next(note for note in self.notes if note["id"] == int(match[1]))
                found["body"] = request.body["body"]
                return Reply(200, found)
            case _:
                return Reply(404, {"message": "404 Not Found"})


@contextmanager
def open_gitlab(head: str) -> Iterator[GitLab]:
    api = Server(lambda request: lab.answer(request))
    lab = GitLab(api, head)
    with api.running():
        yield lab
