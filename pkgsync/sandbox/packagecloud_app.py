"""The HTTP side of the embedded Packagecloud (https://packagecloud.io/docs/api)."""

import json
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any
from urllib.parse import unquote, urlencode

from werkzeug.formparser import FormDataParser
from werkzeug.wrappers import Request, Response

from .blobs import Blob
from .distributions import as_json, find
from .headers import CorruptPackageError
from .packagecloud_views import details, fragment, links_of
from .packagecloud_views import repository as shown_repository
from .packagecloud_world import PackagecloudWorld, RefusedError, Row
from .serving import content_type, send_blob
from .wsgi import Body, Environ, StartResponse

JSON = "application/json; charset=utf-8"
FILTERS = {"rpms": "rpm", "debs": "deb"}
NOT_FOUND = RefusedError(404, {"error": "not_found"})


class PackagecloudApp:
    """WSGI application over a PackagecloudWorld. `cdn_url` gives the origin that downloads are redirected to."""

    def __init__(self, world: PackagecloudWorld, cdn_url: Callable[[], str]) -> None:
        self.world = world
        self.cdn_url = cdn_url

    def __call__(self, environ: Environ, start_response: StartResponse) -> Body:
        """Answer one request."""
        request = Request(environ)
        try:
            response = self._route(request)
        except RefusedError as error:
            response = _json(error.body, error.status)
        return response(environ, start_response)

    def _route(self, request: Request) -> Response:
        parts = request.path.strip("/").split("/")
        if parts[:2] != ["api", "v1"]:
            return self._public(request, parts)
        given = request.authorization
        if given is None or given.username != self.world.token:
            return _json({"error": "Unauthenticated"}, 401, {"WWW-Authenticate": 'Basic realm="Application"'})
        parts[-1] = parts[-1].removesuffix(".json")
        if parts[2:] == ["distributions"] and request.method == "GET":
            return _json(as_json())
        if parts[2:] == ["repos"] and request.method == "GET":
            names = sorted(self.world.repositories)
            return _json([shown_repository(self.world, name, _base(request)) for name in names])
        if parts[2:3] != ["repos"] or len(parts) < 5:
            raise NOT_FOUND
        repository = f"{parts[3]}/{parts[4]}"
        if repository not in self.world.repositories:
            raise NOT_FOUND
        return self._repository_route(request, repository, parts[5:])

    def _repository_route(self, request: Request, repository: str, parts: list[str]) -> Response:
        match request.method, parts:
            case "GET", []:
                return _json(shown_repository(self.world, repository, _base(request)))
            case "GET", ["gpg_keys"]:
                return _json({"gpg_keys": []})
            case "GET", ["master_tokens"]:
                return _json([])
            case "GET", ["packages"]:
                return self._page(request, self.world.listing(repository))
            case "GET", ["search"]:
                return self._page(request, self._search(request, repository))
            case "GET", ["package", *_]:
                return self._package(request, repository)
            case "POST", ["packages"]:
                return self._upload(request, repository)
            case "DELETE", [distro, version, filename]:
                self.world.delete(repository, f"{distro}/{version}", filename)
                return _json({})
            case "POST", [distro, version, filename, "promote"]:
                destination = request.values.get("destination", "")
                row = self.world.promote(repository, f"{distro}/{version}", filename, destination)
                return _json(details(self.world, row, _base(request)))
        raise NOT_FOUND

    def _search(self, request: Request, repository: str) -> list[Row]:
        """The rows whose file name holds q; `filter` is ignored if `dist` is given."""
        query, dist, arch = (request.args.get(name, "") for name in ("q", "dist", "arch"))
        kind = "" if dist else FILTERS.get(request.args.get("filter", ""), "")
        return [
            row
            for row in self.world.listing(repository)
            if query in row.filename
            and (not dist or row.distribution == dist or row.distribution.startswith(f"{dist}/"))
            and arch in ("", row.header.architecture)
            and kind in ("", row.header.kind)
        ]

    def _page(self, request: Request, rows: list[Row]) -> Response:
        """One page of rows; a per_page over the maximum is clamped."""
        size = min(max(request.args.get("per_page", 30, type=int), 1), self.world.max_per_page)
        number = max(request.args.get("page", 1, type=int), 1)
        page = rows[(number - 1) * size : number * size]
        headers = {"Total": len(rows), "Max-Per-Page": self.world.max_per_page, "Per-Page": len(page) or size}
        last = -(-len(rows) // size)
        targets = {"prev": number - 1, "next": number + 1, "last": last}
        links = [
            f'<{request.base_url}?{urlencode({**request.args, "page": target})}>; rel="{relation}"'
            for relation, target in targets.items()
            if 1 <= target <= last and target != number
        ]
        texts = {name: str(value) for name, value in headers.items()} | ({"Link": ", ".join(links)} if links else {})
        base = _base(request)
        fragments = ", ".join([fragment(self.world, row, base) for row in page])
        return Response(f"[{fragments}]", headers=texts, content_type=JSON)

    def _package(self, request: Request, repository: str) -> Response:
        """A detail, versions or statistics route: whatever the links of a row name."""
        path = request.path.removesuffix(".json")
        for row in list(self.world.repositories[repository].values()):
            if row.header.name not in path:
                continue
            links = links_of(self.world, row, _base(request))
            if path == unquote(links.detail):
                return _json(details(self.world, row, _base(request)))
            if path == unquote(f"{links.package}/versions"):
                return self._page(request, self._versions(row))
            if path.startswith(unquote(f"{links.detail}/stats/downloads/")):
                return _json(self._statistics(row, path.rpartition("downloads/")[2]))
        raise NOT_FOUND

    def _versions(self, row: Row) -> list[Row]:
        same = (row.distribution, row.header.name, row.header.architecture)
        rows = self.world.listing(row.repository)
        return [one for one in rows if (one.distribution, one.header.name, one.header.architecture) == same]

    def _statistics(self, row: Row, what: str) -> Any:
        match what:
            case "count":
                return {"value": row.downloads}
            case "series/daily":
                return {"value": {row.created_at[:10].replace("-", ""): row.downloads}}
            case "detail":
                return [{"downloaded_at": row.created_at} for _ in range(row.downloads)]
        raise NOT_FOUND

    def _upload(self, request: Request, repository: str) -> Response:
        """Take a package; the body goes to a file as it arrives."""
        parser = FormDataParser(self._new_file)
        _, form, files = parser.parse_from_environ(request.environ)
        received = files.get("package[package_file]")
        if received is None:
            raise RefusedError(422, {"package_file": ["can't be blank"]})
        path = Path(str(received.stream.name))
        received.close()
        try:
            row = self._store(repository, form.get("package[distro_version_id]", ""), path)
        except (RefusedError, CorruptPackageError) as error:
            path.unlink()
            if isinstance(error, RefusedError):
                raise
            raise RefusedError(422, {"package_file": ["is not a valid package"]}) from error
        return _json(details(self.world, row, _base(request)), 201)

    def _store(self, repository: str, distro_version_id: str, path: Path) -> Row:
        found = find(int(distro_version_id)) if distro_version_id.isdecimal() else None
        if found is None:
            raise RefusedError(422, {"distro_version_id": ["is invalid"]})
        kind, distribution = found
        return self.world.upload(repository, distribution, kind, Blob(path))

    def _new_file(self, *_sizes_and_names: object, **_more: object) -> IO[bytes]:
        """A named file in the sandbox's folder for a part of a form."""
        return tempfile.NamedTemporaryFile(dir=self.world.folder, prefix="upload-", delete=False)

    def _public(self, request: Request, parts: list[str]) -> Response:
        """What browsers and package managers get; of a private repository only for the holder of a token."""
        tokens = {request.args.get("token"), request.authorization.username if request.authorization else None}
        if parts[0] == "priv" and len(parts) > 1:
            tokens.add(parts[1])
            parts = parts[2:]
        repository = "/".join(parts[:2])
        if repository not in self.world.repositories or request.method not in {"GET", "HEAD"}:
            raise NOT_FOUND
        if repository in self.world.private and not tokens & {self.world.token, self.world.read_token}:
            return _json({"error": "Unauthenticated"}, 401)
        match parts[2:]:
            case ["packages", distro, version, filename, last] if last.partition(".")[0] == "download":
                return self._to_cdn(repository, f"{distro}/{version}", filename)
            case ["gpgkey"] if self.world.signer is not None:
                return Response(self.world.signer.key.armor, content_type="text/plain")
            case [distro, "dists", version, *path]:
                return self._index(request, repository, f"{distro}/{version}", "/".join(path))
            case [distro, version, arch, "repodata", name]:
                return self._index(request, repository, f"{distro}/{version}", f"{arch}/repodata/{name}")
            case [distro, "pool", version, *_, filename] | [distro, version, _, filename]:
                return self._to_cdn(repository, f"{distro}/{version}", filename)
        raise NOT_FOUND

    def _index(self, request: Request, repository: str, distribution: str, path: str) -> Response:
        top = path in ("InRelease", "Release") or path.endswith("/repomd.xml")
        blob = self.world.served(repository, distribution, top=top).files.get(path)
        if blob is None:
            raise NOT_FOUND
        return send_blob(request, blob, content_type(path), ranges=False)

    def _to_cdn(self, repository: str, distribution: str, filename: str) -> Response:
        """A redirect to a signed address."""
        row = self.world.find(repository, distribution, filename)
        if row is None:
            raise NOT_FOUND
        query = {
            "Expires": str(self.world.clock.now() + 300),
            "Signature": self.world.sign(row),
            "Key-Pair-Id": "SANDBOX",
        }
        target = f"{self.cdn_url()}/{links_of(self.world, row, '').segment(row.filename)}?{urlencode(query)}"
        return Response("", 302, {"Location": target}, content_type="text/html")


class CdnApp:
    """The CDN behind Packagecloud's downloads: signed addresses only, and no Authorization header beside them."""

    def __init__(self, world: PackagecloudWorld) -> None:
        self.world = world

    def __call__(self, environ: Environ, start_response: StartResponse) -> Body:
        """Answer one request."""
        return self._answer(Request(environ))(environ, start_response)

    def _answer(self, request: Request) -> Response:
        if "Authorization" in request.headers:
            return _xml_error(400, "InvalidArgument", "Only one auth mechanism allowed")
        row = self.world.signed.get(request.args.get("Signature", ""))
        if row is None:
            return _xml_error(403, "AccessDenied", "Access Denied")
        etag = row.blob.digest("sha256")
        return send_blob(request, row.blob, "application/octet-stream", ranges=self.world.cdn_ranges, etag=etag)


def _json(body: object, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    return Response(json.dumps(body), status, headers, content_type=JSON)


def _xml_error(status: int, code: str, text: str) -> Response:
    body = f"<?xml version='1.0' encoding='UTF-8'?>\n<Error><Code>{code}</Code><Message>{text}</Message></Error>"
    return Response(body, status, content_type="application/xml")


def _base(request: Request) -> str:
    return request.host_url.rstrip("/")
