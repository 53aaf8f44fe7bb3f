"""Finds the logins, and gives each only to the server it belongs to.

The order is environment, config, files, keyring. A config may come from somebody else's pull request: it must not be
able to send a credential of this machine or CI to another server than its own.
"""

from collections.abc import Mapping
from pathlib import Path

from msgspec import Struct

from pkgsync.config.values import ENVIRONMENT, Config
from pkgsync.credentials import binding, files, ring
from pkgsync.errors import AuthenticationError
from pkgsync.model import Basic, Login, Origin, SshKey

OSC_USERNAME, OSC_PASSWORD, OSC_SSHKEY = "OSC_USERNAME", "OSC_PASSWORD", "OSC_SSHKEY"
PACKAGECLOUD_TOKEN = "PACKAGECLOUD_TOKEN"  # noqa: S105 - the name of a variable
# a config must not hand one service the credential of the other by naming its variable
_OTHER_SERVICE = {"obs": (PACKAGECLOUD_TOKEN,), "packagecloud": (OSC_USERNAME, OSC_PASSWORD, OSC_SSHKEY)}


class _Service(Struct, frozen=True, kw_only=True):
    """A server that the config names; ``owner`` is where the environment's credentials belong instead."""

    key: str
    origin: Origin
    owner_variable: str
    owner: Origin

    @property
    def owns_environment(self) -> bool:
        """This machine is no exception: whatever listens on one of its ports could be anybody's."""
        return self.origin == self.owner

    def refusal(self, variable: str) -> AuthenticationError:
        return AuthenticationError(
            f"{variable} belongs to {self.owner}, but {self.key} in the config is {self.origin}",
            tip=f"if it belongs to that server, set {self.owner_variable}={self.origin}",
        )


def for_obs(config: Config, env: Mapping[str, str], home: Path) -> Login | None:
    """The login for ``obs.api``; None to read without one (``anonymous``, or a server on this machine).

    Raises AuthenticationError, naming the variable to set.
    """
    if config.obs.anonymous:
        return None
    binding.check("OSC_PROJECTS", env, "the OBS login", (project.name for project in config.obs.projects))
    service = _service("obs.api", config.obs.api, env, "OSC_APIURL", "https://api.opensuse.org")
    given = _obs_environment(env, home)
    if given and service.owns_environment:
        return given
    if config.secrets.obs_username and config.secrets.obs_password:
        username = _config_value(service, "obs.username", config.secrets.obs_username, env)
        password = _config_value(service, "obs.password", config.secrets.obs_password, env)
        return _login(username, password, "obs.username and obs.password of the config")
    username = _variable(env, OSC_USERNAME)
    if found := files.oscrc(service.origin, env, home) or ring.obs(service.origin, username):
        return found
    # told only now: the variables may be there for something else, and another place could have had the login
    if given:
        raise service.refusal(
            f"the login in {OSC_USERNAME} and {OSC_SSHKEY if isinstance(given, SshKey) else OSC_PASSWORD}"
        )
    if service.origin.is_loopback:
        return None
    raise AuthenticationError(f"no login for {service.origin}", tip=_obs_tip(service, env))


def _obs_environment(env: Mapping[str, str], home: Path) -> Login | None:
    """The login of the environment. As for osc, a password comes before a key."""
    username, password, key = (_variable(env, name) for name in (OSC_USERNAME, OSC_PASSWORD, OSC_SSHKEY))
    if username and password:
        return _login(username, password, f"{OSC_USERNAME} and {OSC_PASSWORD}")
    if not (username and key):
        return None
    return files.ssh_key(username, key, env, home, f"{OSC_USERNAME} and {OSC_SSHKEY}")


def for_packagecloud(config: Config, env: Mapping[str, str], home: Path, archive: str | None = None) -> Basic:
    """The token for ``packagecloud.url``, to be used for the config's repositories and ``archive``.

    Raises AuthenticationError, naming the variable to set.
    """
    repositories = (config.packagecloud.repository, config.policy.orphans.archive_to, archive)
    binding.check("PACKAGECLOUD_REPOSITORIES", env, "the Packagecloud token", filter(None, repositories))
    service = _service("packagecloud.url", config.packagecloud.url, env, "PACKAGECLOUD_URL", "https://packagecloud.io")
    token = _variable(env, PACKAGECLOUD_TOKEN)
    if token and service.owns_environment:
        return _login(token, "", PACKAGECLOUD_TOKEN)
    if written := config.secrets.packagecloud_token:
        token = _config_value(service, "packagecloud.token", written, env)
        return _login(token, "", "packagecloud.token of the config")
    if found := files.packagecloud(service.origin, home) or ring.packagecloud(service.origin):
        return found
    if token:
        raise service.refusal(PACKAGECLOUD_TOKEN)
    also = "" if service.owns_environment else f" and PACKAGECLOUD_URL={service.origin}"
    raise AuthenticationError(f"no token for {service.origin}", tip=f"set {PACKAGECLOUD_TOKEN}{also}")


def _service(key: str, url: str, env: Mapping[str, str], owner_variable: str, default_owner: str) -> _Service:
    """Once the owner variable is set, the environment's credentials are that server's, and not the default's."""
    try:
        owner = Origin.of(_variable(env, owner_variable) or default_owner)
    except ValueError as error:
        raise AuthenticationError(f"{owner_variable} is {error}", tip="set it to the URL of the server") from None
    return _Service(key=key, origin=Origin.of(url), owner_variable=owner_variable, owner=owner)


def _config_value(service: _Service, key: str, written: str, env: Mapping[str, str]) -> str:
    """A credential key of the config. A variable that it names is bound like the well-known ones."""
    if not (match := ENVIRONMENT.fullmatch(written)):
        return written
    name = match[1]
    if name in _OTHER_SERVICE[key.partition(".")[0]]:
        raise AuthenticationError(f"{key} names {name}, which belongs to the other service", tip=f"correct {key}")
    value = _variable(env, name)
    if not value:
        raise AuthenticationError(f"{key} names the environment variable {name}, which is not set", tip=f"set {name}")
    if not service.owns_environment:
        raise service.refusal(name)
    return value


def _variable(env: Mapping[str, str], name: str) -> str:
    """The value without the line break that secrets often end with; empty where it is not set."""
    value = env.get(name, "").strip()
    # a line break would end the header, and begin another of its own
    if not value.isprintable():
        raise AuthenticationError(f"{name} holds a line break or control character", tip=f"set {name} again")
    return value


def _login(username: str, password: str, source: str) -> Basic:
    # basic authentication ends the user name at the first colon, and the rest would go as password
    if ":" in username:
        raise AuthenticationError("the user name or token holds a colon, which no login can have")
    return Basic(username, password, source=source)


def _obs_tip(service: _Service, env: Mapping[str, str]) -> str:
    missing = [] if _variable(env, OSC_USERNAME) else [OSC_USERNAME]
    if not _variable(env, OSC_PASSWORD) and not _variable(env, OSC_SSHKEY):
        missing.append(f"{OSC_PASSWORD} (or {OSC_SSHKEY})")
    also = "" if service.owns_environment else f", and OSC_APIURL={service.origin}"
    return (
        f"set {' and '.join(missing)}{also}, or log in once with osc; "
        "or read without a login: `anonymous: true` with `published_url`, or `init --anonymous`"
    )
