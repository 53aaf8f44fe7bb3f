"""The HTTP side of the embedded OBS: /build, /source, /published, /public.

As OBS documents them (docs/api/api/api.txt in openSUSE/open-build-service), and as the backend of Debian's obs-server
2.9.4 answers; tests/real_obs runs against that one.
"""

import posixpath
from collections.abc import Callable, Iterable, Mapping
from xml.etree import ElementTree as ET

from werkzeug.wrappers import Request, Response

from .build_views import POOL, package_versions, pool, versions
from .obs_result import RESULT_PARAMETERS, ResultError, result_list
from .obs_world import ArchState, BuiltFile, ObsWorld, Project, Repository
from .serving import content_type, send_blob
from .signing import Signer
from .ssh_login import REALM, is_signed
from .wsgi import Body, Environ, StartResponse

LIST_PARAMETERS = frozenset({"deleted", "expand", "noorigins"})
BOOLEAN = frozenset({"nosource", "withmd5", "nometa", "nostream", "last", *LIST_PARAMETERS})
LOG_PARAMETERS = frozenset({"nostream", "last", "start", "end", "view"})
PUBLISHED_DEPTH = 5  # PROJECT/REPOSITORY and three names: the backend has no route to what lies deeper
PACKAGE_PARAMETERS = frozenset({"view", "binary", "module", "nosource", "withmd5", "nometa"})


class ObsError(Exception):
    """An answer that is no success: HTTP status, Rails' word for it, and the text."""

    def __init__(self, status: int, word: str, text: str) -> None:
        super().__init__(text)
        self.status, self.word, self.text = status, word, text


class ObsApp:
    """WSGI application over an ObsWorld."""

    def __init__(self, world: ObsWorld) -> None:
        self.world = world

    def __call__(self, environ: Environ, start_response: StartResponse) -> Body:
        """Answer one request."""
        request = Request(environ)
        with self.world.lock:
            response = self._answer(request)
        response.headers["Cache-Control"] = "no-cache"
        return response(environ, start_response)

    def _answer(self, request: Request) -> Response:
        try:
            return self._route(request, request.path.strip("/").split("/"))
        except ObsError as error:
            return self._error(error)
        except ResultError as error:
            return self._error(ObsError(error.status, "not_found" if error.status == 404 else "invalid", str(error)))

    def _route(self, request: Request, parts: list[str]) -> Response:
        if request.method not in {"GET", "HEAD"}:
            raise _unknown_request(request)
        rails = self.world.frontend == "rails"
        routes: dict[str, Callable[[Request, list[str]], Response]] = {
            "build": self._build,
            "source": self._source,
            "published": self._published,
        }
        if rails and parts[0] == "public" and parts[1:2] in (["build"], ["source"]):
            return routes[parts[1]](request, parts[2:])
        if parts[0] not in routes:
            raise _unknown_request(request)
        if rails:
            self._authenticate(request)
        return routes[parts[0]](request, parts[1:])

    def _authenticate(self, request: Request) -> None:
        if self.world.ssh_key:
            if is_signed(request.headers.get("Authorization", ""), self.world.user, self.world.ssh_key):
                return
            raise ObsError(401, "authentication_required", "Authentication required")
        given = request.authorization
        if given is None or given.username != self.world.user or given.password != self.world.password:
            raise ObsError(401, "authentication_required", "Authentication required")

    def _error(self, error: ObsError) -> Response:
        rails = self.world.frontend == "rails"
        root = ET.Element("status", code=error.word if rails else str(error.status))
        ET.SubElement(root, "summary").text = error.text
        if not rails and error.status == 404:
            ET.SubElement(root, "details").text = f"{error.status} {error.text}"
        response = self._xml(root)
        response.status = f"{error.status} {error.text.replace(':', ' ')}"
        if error.status == 401:
            signature = f'Signature realm="{REALM}",headers="(created)"'
            response.headers["WWW-Authenticate"] = signature if self.world.ssh_key else f'Basic realm="{REALM}"'
        return response

    def _xml(self, root: ET.Element) -> Response:
        if len(root):
            ET.indent(root)
        return self._written(ET.tostring(root, "unicode"))

    def _written(self, xml: str) -> Response:
        kind = "application/xml; charset=utf-8" if self.world.frontend == "rails" else "text/xml"
        return Response(xml.encode("ascii", "xmlcharrefreplace") + b"\n", content_type=kind)

    def _directory(self, names: Iterable[str]) -> Response:
        root = ET.Element("directory")
        root.text = "\n"
        for name in names:
            ET.SubElement(root, "entry", name=name)
        return self._xml(root)

    def _check(self, request: Request, allowed: Iterable[str]) -> None:
        for name, value in request.args.items(multi=True):
            if name not in allowed:
                raise ObsError(400, "invalid_parameter", f"unknown parameter '{name}'")
            if name in BOOLEAN and value not in {"0", "1"}:
                raise ObsError(400, "invalid_parameter", "not boolean")

    def _project(self, name: str) -> Project:
        if name not in self.world.projects:
            rails = self.world.frontend == "rails"
            text = f"Project not found: {name}" if rails else f"project '{name}' does not exist"
            raise ObsError(404, "unknown_project", text)
        return self.world.projects[name]

    def _repository(self, project: Project, name: str) -> Repository:
        if name not in project.repositories:
            raise ObsError(404, "not_found", f"project '{project.name}' has no repository '{name}'")
        return project.repositories[name]

    def _arch(self, repository: Repository, name: str) -> ArchState:
        if "." in name or ":" in name:
            raise ObsError(400, "invalid_parameter", f"arch '{name}' is illegal")
        if name not in repository.archs:
            where = f"{repository.project}/{repository.name}"
            raise ObsError(404, "not_found", f"repository '{where}' has no architecture '{name}'")
        return repository.archs[name]

    def _build(self, request: Request, parts: list[str]) -> Response:
        if not parts:
            self._check(request, ())
            return self._directory(sorted(self.world.projects))
        project = self._project(parts[0])
        if "" in parts:
            raise ObsError(400, "invalid_parameter", "repoid is empty")
        if parts[1:] == ["_result"]:
            self._check(request, RESULT_PARAMETERS)
            return self._written(result_list(self.world, project, request.args))
        if len(parts) == 1:
            self._check(request, ())
            return self._directory(project.repositories)
        repository = self._repository(project, parts[1])
        if len(parts) == 2:
            self._check(request, ())
            return self._directory(repository.archs)
        arch = self._arch(repository, parts[2])
        if len(parts) == 3:
            return self._architecture(request, project, arch)
        return self._package(request, project, arch, parts[3:])

    def _architecture(self, request: Request, project: Project, arch: ArchState) -> Response:
        """The names of all packages, or the versions of what is built of them."""
        self._check(request, {"view", "package"})
        view = request.args.get("view")
        if view is None:
            return self._directory(project.packages)
        if view != "binaryversions":
            raise ObsError(400, "invalid_parameter", f"unknown view '{view}'")
        wanted = request.args.getlist("package")
        return self._xml(package_versions({name: arch.packages[name].files for name in arch.packages}, wanted))

    def _package(self, request: Request, project: Project, arch: ArchState, parts: list[str]) -> Response:
        """The listing of a package, or one of its files; no build has a log here."""
        if parts[1:] == ["_log"]:
            self._check(request, LOG_PARAMETERS)
            raise ObsError(404, "not_found", f"remote error: package '{parts[0]}' has no logfile")
        self._check(request, PACKAGE_PARAMETERS)
        if parts[0] not in {POOL, *project.packages} and self.world.frontend == "rails":
            raise ObsError(404, "unknown_package", f"Package not found: {parts[0]}")
        files = pool(arch) if parts[0] == POOL else arch.package(parts[0]).files
        if len(parts) == 1 and request.args.get("view") == "binaryversions":
            return self._xml(versions(files))
        if len(parts) == 1:
            return self._listing(request, files)
        if len(parts) > 2:
            raise _unknown_request(request)
        if parts[1] not in files:
            words = f"no such binary '{parts[1]}'" if parts[0] == POOL else f"{parts[1]}: No such file or directory"
            raise ObsError(404, "not_found", words)
        return send_blob(request, files[parts[1]].artifact.blob, content_type(parts[1]), ranges=self.world.ranges)

    def _listing(self, request: Request, files: Mapping[str, BuiltFile]) -> Response:
        root = ET.Element("binarylist")
        wanted = request.args.getlist("binary")
        for name, file in sorted(files.items()):
            if wanted and name not in wanted:
                continue
            if request.args.get("nosource") == "1" and name.endswith(("src.rpm", ".dsc", ".tar.gz")):
                continue
            attributes = {"filename": name}
            if request.args.get("withmd5") == "1":
                attributes["md5"] = file.artifact.blob.digest("md5")
            attributes |= {"size": str(file.artifact.blob.size), "mtime": str(file.mtime)}
            ET.SubElement(root, "binary", attributes)
        return self._xml(root)

    def _source(self, request: Request, parts: list[str]) -> Response:
        """Meta, config and keys of a project, and the meta of a package: no sources."""
        self._check(request, () if len(parts) > 1 else LIST_PARAMETERS)
        project = self._project(parts[0])
        names = sorted({name.partition(":")[0] for name in project.packages})
        match parts[1:]:
            case []:
                with_flavors = self.world.frontend == "backend"
                listed = project.packages if with_flavors else names
                return self._directory([] if request.args.get("deleted") == "1" else listed)
            case ["_meta"]:
                return self._xml(_project_meta(project))
            case ["_config"]:
                return Response("", content_type="text/plain")
            case ["_keyinfo"]:
                return self._xml(_keyinfo(self.world.signer))
            case ["_pubkey"] if self.world.signer is not None:
                return Response(self.world.signer.key.armor, content_type="text/plain")
            case ["_pubkey"]:
                raise ObsError(404, "not_found", f"{project.name}: no pubkey available")
            case [package, *rest] if package in names:
                if rest != ["_meta"]:
                    raise ObsError(404, "not_found", "no such file")
                return self._xml(_package_meta(project, package))
        raise ObsError(404, "not_found", f"package '{parts[1]}' does not exist in project '{project.name}'")

    def _published(self, request: Request, parts: list[str]) -> Response:
        """The published tree.

        Unknown projects and repositories are empty directories on the backend, and so is everywhere what is missing
        directly in a repository.
        """
        self._check(request, ())
        if self.world.frontend == "rails" and parts:
            self._project(parts[0])
        if len(parts) < 2:
            projects = self.world.projects
            if not parts:
                return self._directory(sorted(projects))
            return self._directory(sorted(projects[parts[0]].repositories) if parts[0] in projects else ())
        project = self.world.projects.get(parts[0])
        repository = project.repositories.get(parts[1]) if project else None
        tree = repository.tree if repository else {}
        if len(parts) > PUBLISHED_DEPTH:
            raise _unknown_request(request)
        for part in parts[2:]:
            _check_filename(part)
        path = "/".join(parts[2:])
        if path in tree:
            return send_blob(request, tree[path], content_type(path), ranges=self.world.ranges)
        prefix = f"{path}/" if path else ""
        names = {name.removeprefix(prefix).split("/")[0] for name in tree if name.startswith(prefix)}
        if path and not names and len(parts) > 3:
            raise ObsError(404, "not_found", "no such file")
        return self._directory(sorted(names))


def _unknown_request(request: Request) -> ObsError:
    return ObsError(400, "unknown_request", f"unknown request: {request.method}:{request.path}")


def _check_filename(name: str) -> None:
    """As BSVerify's verify_filename."""
    if not name:
        raise ObsError(400, "invalid_parameter", "filename is empty")
    if name.startswith("."):
        raise ObsError(400, "invalid_parameter", f"filename '{name}' is illegal")


def _keyinfo(signer: Signer | None) -> ET.Element:
    root = ET.Element("keyinfo")
    if signer is not None:
        key = signer.key
        identity = key.fingerprint.replace(" ", "")[-8:]
        attributes = {"algo": "rsa", "keysize": key.keysize, "keyid": identity, "fingerprint": key.fingerprint}
        ET.SubElement(root, "pubkey", attributes).text = key.armor.decode()
    return root


def _package_meta(project: Project, name: str) -> ET.Element:
    root = ET.Element("package", name=name, project=project.name)
    ET.SubElement(root, "title").text = name
    ET.SubElement(root, "description").text = "Small package for trying out a sync tool"
    return root


def _project_meta(project: Project) -> ET.Element:
    root = ET.Element("project", name=project.name)
    ET.SubElement(root, "title").text = project.title
    ET.SubElement(root, "description").text = "Small packages for trying out a sync tool"
    for repository in project.repositories.values():
        element = ET.SubElement(root, "repository", name=repository.name)
        for base, name in repository.paths:
            ET.SubElement(element, "path", project=base, repository=name)
        for arch in repository.archs:
            ET.SubElement(element, "arch").text = arch
    return root


class DownloadApp:
    """The plain download server (or its mirror): /download/PRJ:/SUB/REPOSITORY/PATH, no login."""

    def __init__(self, world: ObsWorld, mirror_url: Callable[[], str] | None) -> None:
        """With `mirror_url` this is the redirector; without, it is the mirror."""
        self.world = world
        self.mirror_url = mirror_url

    def __call__(self, environ: Environ, start_response: StartResponse) -> Body:
        """Answer one request."""
        request = Request(environ)
        with self.world.lock:
            response = self._answer(request)
        return response(environ, start_response)

    def _answer(self, request: Request) -> Response:
        path = posixpath.normpath(request.path)  # as web servers do: apt asks for REPOSITORY/./Packages
        for project in self.world.projects.values():
            for repository in project.repositories.values():
                prefix = f"/download/{project.name.replace(':', ':/')}/{repository.name}/"
                if path.startswith(prefix):
                    return self._file(request, repository, path.removeprefix(prefix))
        return _html_error(404, "Not Found")

    def _file(self, request: Request, repository: Repository, path: str) -> Response:
        tree = repository.tree
        if self.mirror_url is None and self.world.mirror is not None:
            tree = self.world.mirror.get((repository.project, repository.name), {})
        if path not in tree:
            return _html_error(404, "Not Found")
        if self.mirror_url and self.world.redirect_to_mirror and path.endswith((".rpm", ".deb")):
            return Response("", 302, {"Location": self.mirror_url() + request.environ["RAW_URI"]})
        etag = tree[path].digest("sha256")
        return send_blob(request, tree[path], content_type(path), ranges=self.world.download_ranges, etag=etag)


def _html_error(status: int, text: str) -> Response:
    body = f"<html><head><title>{status} {text}</title></head><body><h1>{text}</h1></body></html>"
    return Response(body, status, content_type="text/html; charset=UTF-8")
