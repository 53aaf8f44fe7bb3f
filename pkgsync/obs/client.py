"""The routes of OBS that are read, and nothing of what their answers mean.

They are documented in docs/api/api/api.txt of openSUSE/open-build-service; README.md has what that leaves out.
"""

import hashlib
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import TypeVar
from urllib.parse import quote, urlsplit

from msgspec import Struct

from pkgsync.config import Config, Connections
from pkgsync.errors import AuthenticationError, IntegrityError, NotFoundError, ReadError, RedirectError
from pkgsync.model.secret import Login
from pkgsync.obs.keys import OfferedKey, parse_keyinfo
from pkgsync.obs.results import ProjectMeta, ProjectResult, parse_meta, parse_result
from pkgsync.session import DEFAULT_LIMITS, HttpLimits, Session, TransientError, make_route

T = TypeVar("T")
_PERHAPS_LATER = "Try again later; if it stays so, look whether `obs.api` is the API of an OBS."
_XML = ("text/xml", "application/xml")
# README.md, "_result": everything of a project at once, however many packages it has
_VIEWS = (("view", "binarylist"), ("view", "status"), ("view", "stats"))


def connect(
    config: Config,
    auth: Login | None,
    limits: HttpLimits = DEFAULT_LIMITS,
    pause: Callable[[float], object] | None = None,
) -> "ObsClient":
    """The client for ``config``; ``pause`` as in Session. Raises ConfigError for URLs that must not be used."""
    obs = config.obs
    # the API answers with pages for people unless it is asked for XML, even where it then gives a package
    session = Session(
        obs.api,
        auth=auth,
        limits=limits,
        allow_http=config.allow_http,
        allow_private=config.allow_private,
        accept="application/xml",
        pause=pause,
    )
    published = None
    if obs.published_url is not None:
        parts = urlsplit(obs.published_url)
        origin = f"{parts.scheme}://{parts.netloc}"
        # without the login: this leads to a download server, and on to whatever mirrors it names
        published = Session(
            origin,
            limits=limits,
            allow_http=config.allow_http,
            neighbour=session,
            pause=pause,
        )
    return ObsClient(
        session,
        published=published,
        published_url=obs.published_url,
        anonymous=obs.anonymous,
        connections=config.connections.obs,
    )


class Place(Struct, frozen=True):
    """One place where a file of OBS can be had. ``decides``: it is the API, whose word counts, not a mirror's."""

    session: Session
    route: str
    decides: bool

    @property
    def url(self) -> str:
        return f"{self.session.base_url}{self.route}"


def from_places(places: Sequence[Place], get: Callable[[Place], T]) -> T:
    """What ``get`` brings from the first of ``places`` that has it.

    Raises what the last of them raises, and NotFoundError, which names them all, where none has the right bytes.
    """
    for place in places[:-1]:
        # a mirror gets no login of ours, so its refusal is no word about that
        with suppress(ReadError, IntegrityError, AuthenticationError):
            return get(place)
    last = places[-1]
    try:
        return get(last)
    except (NotFoundError, IntegrityError) as error:
        if isinstance(error, IntegrityError) and last.decides:
            raise
        where = " or ".join(place.url for place in places)
        raise NotFoundError(f"OBS lists the file, but it is not there: {where}") from None


class ObsClient:
    """Reads OBS. ``published`` is a session without credentials to the origin of the template ``published_url``.

    With ``anonymous`` the /public routes are read, which know no /published: then ``published_url`` is needed
    (README.md, "Without a login"). ``connections`` is how many reads at once whoever reads much may have.
    """

    def __init__(
        self,
        session: Session,
        *,
        published: Session | None = None,
        published_url: str | None = None,
        anonymous: bool = False,
        connections: int = Connections().obs,
    ) -> None:
        self.connections = connections
        self._session = session
        self._published = published
        self._template = published_url
        self._anonymous = anonymous
        self._prefix = ("public",) if anonymous else ()
        self._last_results: dict[str, tuple[str, ProjectResult]] = {}

    @property
    def origin(self) -> str:
        return self._session.origin

    @property
    def api(self) -> str:
        """The URL that all routes follow."""
        return self._session.base_url

    @property
    def limits(self) -> HttpLimits:
        return self._session.limits

    @property
    def requests(self) -> int:
        """How many HTTP requests were sent so far."""
        return self._session.requests + (self._published.requests if self._published else 0)

    def pause(self, seconds: float) -> None:
        """Wait, at most until the client is closed."""
        self._session.pause(seconds)

    def close(self) -> None:
        """Cut what is in flight; nothing can be read afterwards."""
        self._session.close()
        if self._published is not None:
            self._published.close()

    def project_meta(self, project: str) -> ProjectMeta:
        """Raises NotFoundError for a project that does not exist (or is hidden), ReadError, AuthenticationError."""
        route = make_route(*self._prefix, "source", project, "_meta")
        return self._parsed(route, lambda data: parse_meta(data, project))

    def keys(self, project: str) -> tuple[OfferedKey, ...]:
        """The public keys of the project or of what it inherits from. Raises as :meth:`project_meta` does."""
        route = make_route(*self._prefix, "source", project, "_keyinfo")
        return self._parsed(route, lambda data: parse_keyinfo(data, f"_keyinfo of {project}"))

    def result(self, project: str) -> ProjectResult:
        """All files, states and publish times of the project in one request (README.md, "_result").

        Raises ReadError, AuthenticationError.
        """
        limits = self._session.limits
        found = self._parsed(
            make_route(*self._prefix, "build", project, "_result"),
            lambda data: self._result(data, project),
            params=_VIEWS,
            # README.md, "Two servers": for a large project OBS thinks for minutes before the first byte
            read_seconds=limits.result_read_seconds,
            total_seconds=limits.result_total_seconds,
        )
        for repository, architectures in found.repositories.items():
            for name, result in architectures.items():
                if result.details:
                    self._session.show_words(f"{project}/{repository}/{name}", result.details.encode())
        return found

    def _result(self, data: bytes, project: str) -> ProjectResult:
        """Every look is taken twice, and mostly brings the same bytes as the one before."""
        sha256 = hashlib.sha256(data).hexdigest()
        known, result = self._last_results.get(project, ("", None))
        if result is None or known != sha256:
            result = parse_result(data, project)
            self._last_results[project] = (sha256, result)
        return result

    def _parsed(
        self,
        route: str,
        parse: Callable[[bytes], T],
        *,
        params: tuple[tuple[str, str], ...] = (),
        read_seconds: float | None = None,
        total_seconds: float | None = None,
    ) -> T:
        def once() -> T:
            reply = self._session.get(
                route,
                params=params,
                max_bytes=self._session.limits.max_xml_bytes,
                accept="application/xml",
                content_types=_XML,
                read_seconds=read_seconds,
                total_seconds=total_seconds,
            )
            try:
                return parse(reply.body)
            except IntegrityError as error:
                # the answer may have been cut or mixed up on its way: only what stays so is a failed read
                raise TransientError(ReadError(error.message, tip=error.tip or _PERHAPS_LATER)) from None

        return self._session.persist(once)

    def top(self, project: str, repository: str, path: str) -> bytes:
        """The top file of an index, or its signature: from the API, which only ``anonymous`` has not.

        Then from the redirector itself, never from a mirror.
        Raises NotFoundError, RedirectError, ReadError, AuthenticationError.
        """
        # README.md, "Published tree": a mirror lags, so what stands there proves nothing about what OBS publishes
        session, route = self._session, _api_route(project, repository, path)
        if self._anonymous:
            session, route = self._published_location(project, repository, path)
        try:
            return session.get(route, max_bytes=session.limits.max_top_bytes).body
        except RedirectError as error:
            tip = "Index files count only from `published_url` itself; log in, or use another `published_url`."
            raise RedirectError(error.message, tip=tip if self._anonymous else error.tip) from None

    def built_place(self, project: str, repository: str, path: str) -> Place:
        """Where a built file is, whose path is ARCHITECTURE/PACKAGE/FILE."""
        return Place(self._session, make_route(*self._prefix, "build", project, repository, *path.split("/")), True)

    def published_places(self, project: str, repository: str, path: str) -> tuple[Place, ...]:
        """Where a published file may be had, in the order to ask: what a mirror lacks or keeps old, the API has.

        Nobody's bytes are believed: the caller verifies them, and turns to the next place if they are others.
        """
        first = Place(*self._published_location(project, repository, path), self._published is None)
        if first.decides or self._anonymous:
            return (first,)
        return first, Place(self._session, _api_route(project, repository, path), True)

    def _published_location(self, project: str, repository: str, path: str) -> tuple[Session, str]:
        if self._published is None or self._template is None:
            return self._session, _api_route(project, repository, path)
        # quoted: the name of a repository comes from the network, and must not lead out of the template
        base = (
            self._template.replace("{project}", quote(project, safe=":~"))
            .replace("{project_path}", quote(project.replace(":", ":/"), safe=":/~"))
            .replace("{repository}", quote(repository, safe=":~"))
        )
        return self._published, urlsplit(base).path.rstrip("/") + make_route(*path.split("/"))


def _api_route(project: str, repository: str, path: str) -> str:
    return make_route("published", project, repository, *path.split("/"))
