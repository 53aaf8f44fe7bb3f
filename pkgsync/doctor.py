"""Looks at all that a run needs: config, credentials, both services, folders. Nothing is changed."""

import os
import platform
import shutil
from collections.abc import Generator, Iterable, Iterator, Mapping
from contextlib import suppress
from enum import StrEnum
from importlib.metadata import version
from pathlib import Path

from msgspec import Struct

from pkgsync import credentials, obs, signatures
from pkgsync.apply import lock
from pkgsync.config import Config, managed_distributions
from pkgsync.errors import APPLY_PRECEDENCE, ExitCode, NotFoundError, PkgsyncError, RedirectError
from pkgsync.mapping import MapReader
from pkgsync.model import Basic, Login, Origin, SshKey
from pkgsync.obs import ObsClient
from pkgsync.packagecloud import PackagecloudClient
from pkgsync.report import plural
from pkgsync.services import packagecloud_session
from pkgsync.session import CA_VARIABLES, clean_url
from pkgsync.surroundings import Surroundings
from pkgsync.version import __version__

LITTLE_ROOM = 2**30
"""Bytes: large packages and the backups of what is replaced need more."""
_PROXIES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")
_FOLDERS = {"state": "--state-dir", "cache": "--cache-dir", "backups": "--backup-dir"}


class Mark(StrEnum):
    OK = "ok"
    DOUBT = "!"
    FAILED = "failed"


class Finding(Struct, frozen=True, kw_only=True):
    """What was looked at, what was seen, and what to do about it. ``code`` is that of a run that ends by it."""

    what: str
    said: str
    mark: Mark = Mark.OK
    next_step: str = ""
    code: ExitCode = ExitCode.OK


def worst(findings: Iterable[Finding]) -> ExitCode:
    """The exit code of the whole."""
    codes = {finding.code for finding in findings} | {ExitCode.OK}
    return next(code for code in APPLY_PRECEDENCE if code in codes)


def failed(what: str, error: PkgsyncError) -> Finding:
    """The finding that an error is."""
    return Finding(what=what, said=error.message, mark=Mark.FAILED, next_step=error.tip, code=error.exit_code)


def examine(config: Config | None, surroundings: Surroundings, *, whole: bool = True) -> Iterator[Finding]:
    """Everything that can be looked at, as it is seen. Raises nothing that a look can fail by.

    ``config`` None: there is none to be read. ``whole`` False: only its services could be read.
    """
    yield _versions()
    yield from _network(surroundings.env)
    if config is not None:
        yield from _services(config, surroundings, whole=whole)
    yield from _folders(config, surroundings)


def _versions() -> Finding:
    libraries = ", ".join(f"{name} {version(name)}" for name in ("requests", "urllib3"))
    said = f"pkgsync {__version__}, Python {platform.python_version()}, {libraries}"
    return Finding(what="versions", said=said)


def _network(env: Mapping[str, str]) -> Iterator[Finding]:
    proxies = {name: value for name in _PROXIES for name in (name, name.upper()) if (value := env.get(name))}
    for name, value in proxies.items():
        shown = value if name.lower() == "no_proxy" else _without_login(value)
        yield Finding(what="proxy", said=f"{name}={shown}")
    authority = next((name for name in CA_VARIABLES if env.get(name)), None)
    if authority is None:
        return
    path = Path(env[authority])
    if os.access(path, os.R_OK):
        yield Finding(what="certificates", said=f"those of {authority}={path}")
    else:
        words, fix = f"{authority}={path} cannot be read", f"Correct or unset {authority}."
        yield Finding(what="certificates", said=words, mark=Mark.FAILED, next_step=fix, code=ExitCode.ERROR)


def _without_login(proxy: str) -> str:
    """A proxy's URL may hold a password, and need not say its scheme."""
    scheme, mark, rest = proxy.partition("://")
    place = (rest if mark else proxy).rpartition("@")[2]
    return clean_url(f"{scheme if mark else 'http'}://{place}")


def _services(config: Config, surroundings: Surroundings, *, whole: bool) -> Iterator[Finding]:
    client = yield from _obs(config, surroundings)
    packagecloud = yield from _packagecloud(config, surroundings)
    if whole and client is not None and packagecloud is not None:
        yield from _signatures(config)
        yield from _map(MapReader(config=config, obs=client, packagecloud=packagecloud), config)


def _obs(config: Config, surroundings: Surroundings) -> Generator[Finding, None, ObsClient | None]:
    try:
        login = credentials.for_obs(config, surroundings.env, surroundings.home)
        yield Finding(what="OBS", said=f"{config.obs.api}: {_login_words(login, config)}")
        client = obs.connect(config, login, surroundings.limits, surroundings.pause)
        projects = config.obs.projects
        meta = client.project_meta(next((p for p in projects if not p.optional), projects[0]).name)
        count = len(meta.repositories)
        yield Finding(what="OBS", said=f"{meta.name} can be read: {plural(count, 'repository', 'repositories')}")
        if config.obs.published_url is not None and count:
            # whether the file is there or not, an answer is an answer
            place = client.published_places(meta.name, next(iter(meta.repositories)), "repodata/repomd.xml")[0]
            with suppress(NotFoundError, RedirectError):
                place.session.get(place.route, max_bytes=client.limits.max_top_bytes)
            yield Finding(what="OBS", said=f"{Origin.of(config.obs.published_url)} answers for published files")
        return client
    except PkgsyncError as error:
        yield failed("OBS", error)
        return None


def _packagecloud(config: Config, surroundings: Surroundings) -> Generator[Finding, None, PackagecloudClient | None]:
    repository, archive = config.packagecloud.repository, config.policy.orphans.archive_to
    try:
        token = credentials.for_packagecloud(config, surroundings.env, surroundings.home)
        yield Finding(what="Packagecloud", said=f"{config.packagecloud.url}: the token of {token.source}")
        session = packagecloud_session(config, surroundings)
        for name in (repository, archive) if archive else (repository,):
            total = PackagecloudClient(session, name).page(1, 1).total
            # no route tells the rights of a token
            unknown = "only an apply shows whether the token may write there"
            count = "it does not say how many packages" if total is None else plural(total, "package")
            yield Finding(what="Packagecloud", said=f"{name} can be read: {count}; {unknown}")
        return PackagecloudClient(session, repository)
    except PkgsyncError as error:
        yield failed("Packagecloud", error)
        return None


def _login_words(login: Login | None, config: Config) -> str:
    match login:
        case None:
            return "read without a login" + ("" if config.obs.anonymous else ", as it is on this machine")
        case Basic():
            return f"login {login.username}, of {login.source}"
        case SshKey():
            return f"login {login.username} by the SSH key {login.key}, of {login.source}"
        case _:
            raise TypeError(login)


def _map(reader: MapReader, config: Config) -> Iterator[Finding]:
    try:
        warnings = reader.check()
    except PkgsyncError as error:
        yield failed("map", error)
        return
    yield from (Finding(what="map", said=text, mark=Mark.DOUBT) for text in warnings)
    if not warnings:
        named = ", ".join(managed_distributions(config))
        yield Finding(what="map", said=f"both services have all that it names: {named}")


def _signatures(config: Config) -> Iterator[Finding]:
    projects = [project for project in config.obs.projects if project.content == "published"]
    try:
        keys = obs.pinned(config.path, projects)
        for fingerprints in dict.fromkeys(key.fingerprints for key in keys.values()):
            names = ", ".join(name for name, key in keys.items() if key.fingerprints == fingerprints)
            by = " or ".join(map(signatures.shown, fingerprints))
            yield Finding(what="signatures", said=f"{names}: by {by}, verified by {signatures.verifier()}")
    except PkgsyncError as error:
        yield failed("signatures", error)
        return
    if others := [project.name for project in projects if project.name not in keys]:
        words = f"not checked, as no signing_key is set: {', '.join(others)}"
        yield Finding(what="signatures", said=words)


def _folders(config: Config | None, surroundings: Surroundings) -> Iterator[Finding]:
    try:
        surroundings.refuse_shared_stores()
        if config is not None:
            url, repository = config.packagecloud.url, config.packagecloud.repository
            lock.probe(surroundings.state_dir, api=url, repository=repository)
            yield Finding(what="lock", said=f"nobody else works on {repository} from here")
    except PkgsyncError as error:
        yield failed("lock", error)
    folders = (surroundings.state_dir, surroundings.cache_dir, surroundings.backups)
    for (what, option), folder in zip(_FOLDERS.items(), folders, strict=True):
        yield _room(what, folder, option)
    if surroundings.on_ci and surroundings.backup_dir is None:
        words = f"{surroundings.backups} may go with this CI job, and undo needs what is in it"
        fix = "Give --backup-dir or PKGSYNC_BACKUP_DIR a folder that stays."
        yield Finding(what="backups", said=words, mark=Mark.DOUBT, next_step=fix)


def _room(what: str, folder: Path, option: str) -> Finding:
    there = next(path for path in (folder.absolute(), *folder.absolute().parents) if path.exists())
    if not there.is_dir() or not os.access(there, os.W_OK | os.X_OK):
        words, fix = f"{folder} cannot be written", f"Check its permissions, or name another folder with {option}."
        return Finding(what=what, said=words, mark=Mark.FAILED, next_step=fix, code=ExitCode.ERROR)
    free = shutil.disk_usage(there).free
    said = f"{folder}: {free / 2**30:.1f} GiB free"
    if free < LITTLE_ROOM:
        fix = f"Free some space, or name another folder with {option}."
        return Finding(what=what, said=f"{folder}: only {free // 2**20} MiB free", mark=Mark.DOUBT, next_step=fix)
    return Finding(what=what, said=said)
