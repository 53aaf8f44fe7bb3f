"""Everything together: both services, the download server, its mirror and the CDN, each on a port of its own."""

import tempfile
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event
from types import TracebackType
from typing import TYPE_CHECKING, Literal, Self

import yaml

from .clock import Clock
from .faults import Switchboard
from .instrument import Instrumented
from .obs_world import ObsWorld
from .packagecloud_world import PackagecloudWorld
from .recorder import RequestLog
from .signing import Signer, has_gpg
from .wsgi import Application

if TYPE_CHECKING:
    from .server import Origin

INSTALL = "pip install 'obs-pkgsync[demo]'"
PROJECT = "demo:release"
REPOSITORY = "demo/testing"
ARCHIVE = "demo/archive"
DISTRIBUTIONS = {
    "openSUSE_Leap_15.6": "opensuse/15.6",
    "xUbuntu_22.04": "ubuntu/jammy",
    "openSUSE_Tumbleweed": None,
}


class Sandbox:
    """A context manager; its addresses hold while it is entered.

    The worlds start empty, but for the Packagecloud repositories demo/testing and demo/archive.
    """

    def __init__(self, clock: Clock | None = None) -> None:
        self.clock = clock or Clock()
        self.log = RequestLog()
        self._temporary = tempfile.TemporaryDirectory(prefix="pkgsync-sandbox-")
        self.folder = Path(self._temporary.name)
        self.obs = ObsWorld(clock=self.clock, signer=self._signer("obs", "demo OBS Project"))
        self.packagecloud = PackagecloudWorld(
            folder=self.folder, clock=self.clock, signer=self._signer("packagecloud", REPOSITORY)
        )
        self.packagecloud.add_repository(REPOSITORY)
        self.packagecloud.add_repository(ARCHIVE)
        self._stopping = Event()
        self._origins: dict[str, Origin] = {}

    def __enter__(self) -> Self:
        """Start all servers on free ports."""
        # here, so that who lacks the extra `demo` learns it from a message, not from an import
        from .obs_app import DownloadApp, ObsApp
        from .packagecloud_app import CdnApp, PackagecloudApp

        obs, packagecloud = self.obs, self.packagecloud
        self._serve("obs", ObsApp(obs), obs.faults)
        self._serve("download", DownloadApp(obs, lambda: self.mirror_url), obs.download_faults)
        obs.download_url = self.download_url
        self._serve("mirror", DownloadApp(obs, None), obs.mirror_faults)
        self._serve("packagecloud", PackagecloudApp(packagecloud, lambda: self.cdn_url), packagecloud.faults)
        self._serve("cdn", CdnApp(packagecloud), packagecloud.cdn_faults)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Release what hangs, stop all servers, remove the uploaded files."""
        self._stopping.set()
        with ThreadPoolExecutor(len(self._origins)) as pool:
            list(pool.map(lambda origin: origin.stop(), self._origins.values()))
        for signer in (self.obs.signer, self.packagecloud.signer):
            if signer is not None:
                signer.close()
        self._temporary.cleanup()

    def _signer(self, service: str, owner: str) -> Signer | None:
        """None where there is no gpg."""
        home = self.folder / f"{service}-gnupg"
        return Signer(home, f"{owner} <demo@{service}.sandbox.test>") if has_gpg() else None

    def _serve(self, service: str, app: Application, faults: Switchboard) -> None:
        from .server import Origin

        origin = Origin(Instrumented(service=service, app=app, faults=faults, log=self.log, stopping=self._stopping))
        origin.start()
        self._origins[service] = origin

    @property
    def obs_url(self) -> str:
        """The OBS API."""
        return self._origins["obs"].url

    @property
    def download_url(self) -> str:
        """The root of the download server, as in `{download_url}/{project_path}/{repository}/`."""
        return f"{self._origins['download'].url}/download"

    @property
    def mirror_url(self) -> str:
        """The origin of the mirror."""
        return self._origins["mirror"].url

    @property
    def packagecloud_url(self) -> str:
        """The Packagecloud API."""
        return self._origins["packagecloud"].url

    @property
    def cdn_url(self) -> str:
        """The origin that serves downloads from Packagecloud."""
        return self._origins["cdn"].url

    @property
    def token(self) -> str:
        """The Packagecloud API token."""
        return self.packagecloud.token

    @property
    def environment(self) -> dict[str, str]:
        """The variables that the config of `write_config` takes its credentials from, and whose they are."""
        return {
            "PACKAGECLOUD_URL": self.packagecloud_url,
            "PACKAGECLOUD_TOKEN": self.token,
            "OSC_APIURL": self.obs_url,
            "OSC_USERNAME": self.obs.user,
            "OSC_PASSWORD": self.obs.password,
        }

    def config(self, source: Literal["api", "download", "anonymous"] = "api") -> dict[str, object]:
        """The config for the demo project, as plain values.

        source: where files come from: the API with a login, the download server beside it, or all without a login.
        """
        obs: dict[str, object] = {"api": self.obs_url, "projects": [{"name": PROJECT}]}
        if source == "anonymous":
            obs["anonymous"] = True
        else:
            obs |= {"username": "${OSC_USERNAME}", "password": "${OSC_PASSWORD}"}
        if source != "api":
            obs["published_url"] = f"{self.download_url}/{{project_path}}/{{repository}}/"
        packagecloud = {"url": self.packagecloud_url, "repository": REPOSITORY, "token": "${PACKAGECLOUD_TOKEN}"}
        return {"version": 1, "obs": obs, "packagecloud": packagecloud, "distributions": dict(DISTRIBUTIONS)}

    def write_config(
        self,
        folder: Path,
        changes: Mapping[str, object] | None = None,
        source: Literal["api", "download", "anonymous"] = "api",
    ) -> Path:
        """Write pkgsync.yaml into the folder, with other top-level keys as given; gives its path."""
        path = folder / "pkgsync.yaml"
        path.write_text(yaml.safe_dump({**self.config(source), **(changes or {})}, sort_keys=False))
        return path
