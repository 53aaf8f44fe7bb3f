"""A credential goes only to the server it belongs to."""

import base64
import bz2
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest
from attrs import frozen
from msgspec.structs import replace

from pkgsync.config import Config, load
from pkgsync.credentials import for_obs, for_packagecloud
from pkgsync.errors import AuthenticationError, ConfigError
from pkgsync.model import Basic, Origin, SshKey
from tests.support.watchdog import watchdog

OSC = {"OSC_USERNAME": "me", "OSC_PASSWORD": "hunter2"}
TOKEN = {"PACKAGECLOUD_TOKEN": "48151623"}
Make = Callable[..., Config]
Finder = Callable[[Config, dict[str, str], Path], Basic | SshKey | None]
Refused = Callable[[Finder, Config, dict[str, str]], tuple[str, str]]
SECRETS = ("hunter2", "48151623", "filesecret", "ringsecret", "plainsecret")


def bare(login: Basic | SshKey | None) -> Basic | SshKey | None:
    """Without the words on where it was found."""
    return login and replace(login, source="")


@pytest.fixture(autouse=True)
def no_keyring(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "keyring", None)


@pytest.fixture
def config(tmp_path: Path) -> Make:
    def make(*, obs: str = "", packagecloud: str = "") -> Config:
        path = tmp_path / "pkgsync.yaml"
        path.write_text(
            "version: 1\n"
            f"obs: {{projects: [{{name: home:a}}], {obs}}}\n"
            f"packagecloud: {{repository: a/b, {packagecloud}}}\n"
            "distributions: {Leap: opensuse/15.6}\nallow_http: true\n"
        )
        return load(path, {})

    return make


@pytest.fixture
def refused(tmp_path: Path) -> Refused:
    def call(function: Finder, made: Config, env: dict[str, str]) -> tuple[str, str]:
        with pytest.raises(AuthenticationError) as caught:
            function(made, env, tmp_path)
        assert caught.value.exit_code == 7
        assert not any(secret in caught.value.message + caught.value.tip for secret in SECRETS)
        return caught.value.message, caught.value.tip

    return call


# the environment


@pytest.mark.parametrize(
    ("api", "more"),
    [
        ("https://api.opensuse.org", {}),
        ("https://API.openSUSE.org:443/", {}),
        ("https://obs.example", {"OSC_APIURL": "https://obs.example/"}),
        ("https://obs.example:8443", {"OSC_APIURL": "https://obs.example:8443"}),
        ("http://127.0.0.1:5352", {"OSC_APIURL": "http://127.0.0.1:5352"}),
        ("http://[::1]:5352", {"OSC_APIURL": "http://[::1]:5352/"}),
    ],
)
def test_the_environments_login_goes_to_its_own_server(
    config: Make, tmp_path: Path, api: str, more: dict[str, str]
) -> None:
    made = config(obs=f"api: '{api}'")
    assert bare(for_obs(made, {**OSC, **more}, tmp_path)) == Basic("me", "hunter2")


@pytest.mark.parametrize(
    "api",
    [
        "https://evil.example",
        "http://api.opensuse.org",
        "https://api.opensuse.org:8443",
        "https://api.opensuse.org.evil.example",
        "https://127.0.0.1.evil.example",
        "https://localhost.evil.example",
        "https://evil.example/api.opensuse.org",
        "http://127.0.0.1:5352",
        "http://localhost:5352",
        "http://[::1]:5352",
        "https://127.8.9.1",
    ],
)
def test_the_environments_login_goes_nowhere_else(config: Make, refused: Refused, api: str) -> None:
    message, tip = refused(for_obs, config(obs=f"api: '{api}'"), OSC)
    origin = api.replace("evil.example/api.opensuse.org", "evil.example")
    assert message == (
        f"the login in OSC_USERNAME and OSC_PASSWORD belongs to https://api.opensuse.org, but obs.api in the config is {origin}"
    )
    assert tip == f"if it belongs to that server, set OSC_APIURL={origin}"


def test_once_osc_apiurl_is_set_the_login_is_not_the_default_servers(config: Make, refused: Refused) -> None:
    message, _ = refused(for_obs, config(), {**OSC, "OSC_APIURL": "https://obs.example"})
    assert "belongs to https://obs.example" in message


@pytest.mark.parametrize(
    ("url", "more"),
    [
        ("https://packagecloud.io", {}),
        ("https://packages.example", {"PACKAGECLOUD_URL": "https://packages.example"}),
        ("http://127.0.0.1:8080", {"PACKAGECLOUD_URL": "http://127.0.0.1:8080"}),
    ],
)
def test_the_environments_token_goes_to_its_own_server(
    config: Make, tmp_path: Path, url: str, more: dict[str, str]
) -> None:
    made = config(packagecloud=f"url: '{url}'")
    assert bare(for_packagecloud(made, {**TOKEN, **more}, tmp_path)) == Basic("48151623", "")


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example",
        "http://packagecloud.io",
        "https://packagecloud.io.evil.example",
        "http://127.0.0.1:8080",
        "http://localhost:8080",
        "http://[::1]:8080",
    ],
)
def test_the_environments_token_goes_nowhere_else(config: Make, refused: Refused, url: str) -> None:
    message, tip = refused(for_packagecloud, config(packagecloud=f"url: '{url}'"), TOKEN)
    assert (
        message == f"PACKAGECLOUD_TOKEN belongs to https://packagecloud.io, but packagecloud.url in the config is {url}"
    )
    assert tip == f"if it belongs to that server, set PACKAGECLOUD_URL={url}"


def test_the_line_break_at_the_end_of_a_secret_is_dropped(config: Make, tmp_path: Path) -> None:
    assert bare(for_packagecloud(config(), {"PACKAGECLOUD_TOKEN": "48151623\r\n"}, tmp_path)) == Basic("48151623", "")


def test_a_control_character_in_a_secret_is_refused(config: Make, refused: Refused) -> None:
    message, _ = refused(for_packagecloud, config(), {"PACKAGECLOUD_TOKEN": "48151623\nX-Header: 1"})
    assert message == "PACKAGECLOUD_TOKEN holds a line break or control character"


def test_an_owner_variable_that_is_no_url_is_refused(config: Make, refused: Refused) -> None:
    message, _ = refused(for_obs, config(), {**OSC, "OSC_APIURL": "obs"})
    assert message == "OSC_APIURL is not an http or https URL"


def test_without_any_login_the_variables_are_named(config: Make, refused: Refused) -> None:
    assert refused(for_obs, config(), {}) == (
        "no login for https://api.opensuse.org",
        "set OSC_USERNAME and OSC_PASSWORD (or OSC_SSHKEY), or log in once with osc; "
        "or read without a login: `anonymous: true` with `published_url`, or `init --anonymous`",
    )
    assert refused(for_obs, config(obs="api: https://obs.example"), {"OSC_USERNAME": "me"})[1].startswith(
        "set OSC_PASSWORD (or OSC_SSHKEY), and OSC_APIURL=https://obs.example, or"
    )
    assert refused(for_packagecloud, config(), {"PACKAGECLOUD_TOKEN": ""}) == (
        "no token for https://packagecloud.io",
        "set PACKAGECLOUD_TOKEN",
    )
    assert refused(for_packagecloud, config(packagecloud="url: https://x.example"), {})[1] == (
        "set PACKAGECLOUD_TOKEN and PACKAGECLOUD_URL=https://x.example"
    )


@pytest.mark.parametrize("port", ["8081", "5353"])
def test_another_port_of_this_machine_is_another_server(config: Make, refused: Refused, port: str) -> None:
    """With the variables set that bind the credentials to one port, the others get nothing."""
    more = {"OSC_APIURL": "http://127.0.0.1:5352", "PACKAGECLOUD_URL": "http://127.0.0.1:8080"}
    there = f"http://127.0.0.1:{port}"
    assert refused(for_obs, config(obs=f"api: '{there}'"), {**OSC, **more}) == (
        f"the login in OSC_USERNAME and OSC_PASSWORD belongs to http://127.0.0.1:5352, but obs.api in the config is {there}",
        f"if it belongs to that server, set OSC_APIURL={there}",
    )
    assert refused(for_packagecloud, config(packagecloud=f"url: '{there}'"), {**TOKEN, **more}) == (
        f"PACKAGECLOUD_TOKEN belongs to http://127.0.0.1:8080, but packagecloud.url in the config is {there}",
        f"if it belongs to that server, set PACKAGECLOUD_URL={there}",
    )


def test_a_variable_that_the_config_names_is_bound_on_this_machine_too(config: Make, refused: Refused) -> None:
    made = config(obs="api: 'http://127.0.0.1:5352', username: '${U}', password: '${P}'")
    message, _ = refused(for_obs, made, {"U": "me", "P": "hunter2"})
    assert message == "U belongs to https://api.opensuse.org, but obs.api in the config is http://127.0.0.1:5352"


def test_a_loopback_obs_needs_no_login(config: Make, tmp_path: Path) -> None:
    assert for_obs(config(obs="api: http://127.0.0.1:5352"), {}, tmp_path) is None


def test_anonymous_reads_use_no_login_though_there_is_one(config: Make, tmp_path: Path) -> None:
    made = config(obs="anonymous: true, published_url: 'https://d.example/{project}/{repository}'")
    assert for_obs(made, OSC, tmp_path) is None


# the config


def test_a_plain_secret_of_the_config_goes_to_the_configs_server(config: Make, tmp_path: Path) -> None:
    made = config(
        obs="api: https://obs.example, username: u, password: plainsecret",
        packagecloud="url: https://pc.example, token: plainsecret",
    )
    assert bare(for_obs(made, OSC, tmp_path)) == Basic("u", "plainsecret")
    assert bare(for_packagecloud(made, TOKEN, tmp_path)) == Basic("plainsecret", "")


def test_the_environment_comes_before_the_config(config: Make, tmp_path: Path) -> None:
    made = config(obs="username: u, password: plainsecret", packagecloud="token: plainsecret")
    assert bare(for_obs(made, OSC, tmp_path)) == Basic("me", "hunter2")
    assert bare(for_packagecloud(made, TOKEN, tmp_path)) == Basic("48151623", "")


def test_a_variable_that_the_config_names(config: Make, tmp_path: Path) -> None:
    made = config(obs="username: '${U}', password: '${P}'", packagecloud="token: '${T}'")
    env = {"U": "me", "P": "hunter2\n", "T": "48151623"}
    assert bare(for_obs(made, env, tmp_path)) == Basic("me", "hunter2")
    assert bare(for_packagecloud(made, env, tmp_path)) == Basic("48151623", "")


@pytest.mark.parametrize("env", [{}, {"T": ""}, {"T": " \n"}])
def test_a_variable_that_is_not_set_is_named(config: Make, refused: Refused, env: dict[str, str]) -> None:
    assert refused(for_packagecloud, config(packagecloud="token: '${T}'"), env) == (
        "packagecloud.token names the environment variable T, which is not set",
        "set T",
    )


@pytest.mark.parametrize("name", ["PACKAGECLOUD_TOKEN", "T"])
def test_a_pull_request_cannot_send_a_named_variable_elsewhere(
    config: Make, refused: Refused, tmp_path: Path, name: str
) -> None:
    made = config(packagecloud=f"url: https://evil.example, token: '${{{name}}}'")
    message, tip = refused(for_packagecloud, made, {name: "48151623"})
    assert (
        message
        == f"{name} belongs to https://packagecloud.io, but packagecloud.url in the config is https://evil.example"
    )
    assert tip == "if it belongs to that server, set PACKAGECLOUD_URL=https://evil.example"
    allowed = {name: "48151623", "PACKAGECLOUD_URL": "https://evil.example"}
    assert bare(for_packagecloud(made, allowed, tmp_path)) == Basic("48151623", "")


def test_a_pull_request_cannot_send_one_services_secret_to_the_other(config: Make, refused: Refused) -> None:
    made = config(obs="username: u, password: '${PACKAGECLOUD_TOKEN}'", packagecloud="token: '${OSC_PASSWORD}'")
    assert "other service" in refused(for_obs, made, TOKEN)[0]
    assert "other service" in refused(for_packagecloud, made, {"OSC_PASSWORD": "hunter2"})[0]


def test_a_user_name_with_a_colon_is_refused(config: Make, refused: Refused) -> None:
    assert "colon" in refused(for_obs, config(), {"OSC_USERNAME": "a:b", "OSC_PASSWORD": "hunter2"})[0]


# ~/.packagecloud


@pytest.mark.parametrize(
    ("url", "content", "token"),
    [
        ("https://packagecloud.io", {"url": "https://packagecloud.io", "token": "filesecret"}, "filesecret"),
        ("https://packagecloud.io", {"token": "filesecret"}, "filesecret"),
        ("https://pc.example", {"url": "https://pc.example/", "token": "filesecret"}, "filesecret"),
    ],
)
def test_the_token_file(config: Make, tmp_path: Path, url: str, content: bytes, token: str) -> None:
    (tmp_path / ".packagecloud").write_text(json.dumps(content))
    assert bare(for_packagecloud(config(packagecloud=f"url: '{url}'"), {}, tmp_path)) == Basic(token, "")


@pytest.mark.parametrize("url", ["https://pc.example", "http://packagecloud.io", "http://127.0.0.1:80"])
def test_the_token_file_serves_only_the_url_in_it(config: Make, refused: Refused, tmp_path: Path, url: str) -> None:
    (tmp_path / ".packagecloud").write_text('{"url": "https://packagecloud.io", "token": "filesecret"}')
    assert refused(for_packagecloud, config(packagecloud=f"url: '{url}'"), {})[0].startswith("no token for ")


@pytest.mark.parametrize("text", ["", "filesecret", "[1]", '{"url": 5, "token": "filesecret"}', '{"url": "x"}'])
def test_a_broken_token_file_is_named_and_not_shown(config: Make, refused: Refused, tmp_path: Path, text: str) -> None:
    (tmp_path / ".packagecloud").write_text(text)
    message, _ = refused(for_packagecloud, config(), {})
    assert message == f"{tmp_path / '.packagecloud'} is not JSON with url and token"


# oscrc


def oscrc(tmp_path: Path, section: str, place: str = ".oscrc", url: str = "https://api.opensuse.org") -> Path:
    path = tmp_path / place
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"[general]\napiurl = {url}\n\n[{url}]\n{section}\n")
    return path


OBFUSCATED = base64.b64encode(bz2.compress(b"filesecret")).decode()
MANAGER = "credentials_mgr_class=osc.credentials."


@pytest.mark.parametrize(
    "section",
    [
        "user=me\npass=filesecret",
        f"user=me\npass=filesecret\n{MANAGER}PlaintextConfigFileCredentialsManager",
        f"user=me\npass={OBFUSCATED}\n{MANAGER}ObfuscatedConfigFileCredentialsManager",
        f"user=me\npassx={OBFUSCATED}",
        f"user = me\npassx = {OBFUSCATED}\naliases = obs, b",
    ],
)
def test_oscrc(config: Make, tmp_path: Path, section: str) -> None:
    oscrc(tmp_path, section)
    assert bare(for_obs(config(), {}, tmp_path)) == Basic("me", "filesecret")


def test_a_percent_sign_in_a_password_of_oscrc_is_itself(config: Make, tmp_path: Path) -> None:
    oscrc(tmp_path, "user=me\npass=100%(x)s%")
    assert bare(for_obs(config(), {}, tmp_path)) == Basic("me", "100%(x)s%")


def test_where_oscrc_stands(config: Make, tmp_path: Path) -> None:
    oscrc(tmp_path, "user=old\npass=filesecret")
    assert bare(for_obs(config(), {}, tmp_path)) == Basic("old", "filesecret")
    oscrc(tmp_path, "user=new\npass=filesecret", ".config/osc/oscrc")
    assert bare(for_obs(config(), {}, tmp_path)) == Basic("new", "filesecret")
    oscrc(tmp_path, "user=xdg\npass=filesecret", "xdg/osc/oscrc")
    env = {"XDG_CONFIG_HOME": str(tmp_path / "xdg")}
    assert bare(for_obs(config(), env, tmp_path)) == Basic("xdg", "filesecret")
    env["OSC_CONFIG"] = str(oscrc(tmp_path, "user=own\npass=filesecret", "own"))
    assert bare(for_obs(config(), env, tmp_path)) == Basic("own", "filesecret")


@pytest.mark.parametrize("api", ["https://evil.example", "http://api.opensuse.org", "https://api.opensuse.org:444"])
def test_oscrc_serves_only_its_own_urls(config: Make, refused: Refused, tmp_path: Path, api: str) -> None:
    oscrc(tmp_path, "user=me\npass=filesecret")
    assert refused(for_obs, config(obs=f"api: '{api}'"), {})[0] == f"no login for {api}"


def test_oscrc_does_not_serve_another_server_on_loopback(config: Make, tmp_path: Path) -> None:
    oscrc(tmp_path, "user=me\npass=filesecret", url="http://127.0.0.1:3000")
    assert for_obs(config(obs="api: http://127.0.0.1:3001"), {}, tmp_path) is None
    assert bare(for_obs(config(obs="api: http://127.0.0.1:3000"), {}, tmp_path)) == Basic("me", "filesecret")


@pytest.mark.parametrize(
    ("section", "words"),
    [
        (f"user=me\n{MANAGER}TransientCredentialsManager", "osc asks each time"),
        (f"user=me\n{MANAGER}KeyringCredentialsManager:keyring.backends.X", "needs the package keyring"),
        ("user=me\npass=filesecret\ncredentials_mgr_class=my.own.Manager", "is not supported"),
        ("user=me\npassx=filesecret!", "cannot be read"),
        (f"user=me\npassx={OBFUSCATED[:12]}", "cannot be read"),
        (f"user=me\npassx={base64.b64encode(bz2.compress(b'x' * 10**6)).decode()}", "cannot be read"),
    ],
)
def test_what_oscrc_cannot_give_is_said(
    config: Make, refused: Refused, tmp_path: Path, section: str, words: str
) -> None:
    oscrc(tmp_path, section)
    message, tip = refused(for_obs, config(), {})
    assert words in message
    assert "set OSC_USERNAME and OSC_PASSWORD" in tip


def test_a_broken_oscrc_is_named_and_not_shown(config: Make, refused: Refused, tmp_path: Path) -> None:
    (tmp_path / ".oscrc").write_text("filesecret\n")
    assert refused(for_obs, config(), {})[0] == f"{tmp_path / '.oscrc'} is not an oscrc"


def test_an_oscrc_without_a_password_gives_no_login(config: Make, refused: Refused, tmp_path: Path) -> None:
    oscrc(tmp_path, "user=me")
    assert refused(for_obs, config(), {})[0] == "no login for https://api.opensuse.org"


def test_an_unreadable_file_is_named(config: Make, refused: Refused, tmp_path: Path) -> None:
    (tmp_path / ".oscrc").write_bytes(b"\xff\xfe")
    assert refused(for_obs, config(), {})[0] == f"cannot read {tmp_path / '.oscrc'}"


@pytest.mark.parametrize("text", ["[" * 100_000, '{"url":' * 100_000, '{"token": ' + "[" * 5000 + "]" * 5000 + "}"])
def test_deep_json_is_no_login(config: Make, refused: Refused, tmp_path: Path, text: str) -> None:
    (tmp_path / ".packagecloud").write_text(text)
    assert refused(for_packagecloud, config(), {})[0] == f"{tmp_path}/.packagecloud is not JSON with url and token"


@pytest.mark.parametrize("name", [".packagecloud", ".oscrc"])
def test_a_pipe_is_not_waited_for(config: Make, refused: Refused, tmp_path: Path, name: str) -> None:
    os.mkfifo(tmp_path / name)
    ask = for_packagecloud if name == ".packagecloud" else for_obs
    with watchdog():
        assert refused(ask, config(), {}) == (f"{tmp_path}/{name} is not a file", "repair or remove it")


def test_a_file_without_end_is_no_login(config: Make, refused: Refused, tmp_path: Path) -> None:
    (tmp_path / ".packagecloud").write_text(" " * 2**20 + "{}")
    assert refused(for_packagecloud, config(), {})[0] == f"{tmp_path}/.packagecloud is too large to hold a login"


# the keyring


class KeyringError(Exception):
    pass


@frozen
class Ring:
    entries: dict[tuple[str, str], str]
    asked: list[str]


@pytest.fixture
def ring(monkeypatch: pytest.MonkeyPatch) -> Ring:
    """A keyring with the entries of the dictionary, and a list of what was asked of it."""
    entries: dict[tuple[str, str], str] = {}
    asked: list[str] = []

    def get_password(host: str, user: str | None) -> str | None:
        asked.append(host)
        if host == "broken.example":
            raise KeyringError
        return entries.get((host, user or ""))

    def get_credential(host: str, user: str | None) -> SimpleNamespace | None:
        found = next((u for h, u in entries if h == host and user in (None, u)), None)
        password = get_password(host, found)
        return SimpleNamespace(username=found, password=password) if password else None

    module, errors = ModuleType("keyring"), ModuleType("keyring.errors")
    vars(module).update(get_password=get_password, get_credential=get_credential, errors=errors)
    vars(errors).update(KeyringError=KeyringError)
    monkeypatch.setitem(sys.modules, "keyring", module)
    monkeypatch.setitem(sys.modules, "keyring.errors", errors)
    return Ring(entries, asked)


def test_the_keyring_comes_last(config: Make, tmp_path: Path, ring: Ring) -> None:
    ring.entries["api.opensuse.org", "me"] = ring.entries["packagecloud.io", "token"] = "ringsecret"
    assert bare(for_obs(config(), {}, tmp_path)) == Basic("me", "ringsecret")
    assert bare(for_packagecloud(config(), {}, tmp_path)) == Basic("ringsecret", "")
    oscrc(tmp_path, "user=me\npass=filesecret")
    assert bare(for_obs(config(), {}, tmp_path)) == Basic("me", "filesecret")


def test_oscrc_may_point_to_the_keyring(config: Make, refused: Refused, tmp_path: Path, ring: Ring) -> None:
    oscrc(tmp_path, f"user=me\n{MANAGER}KeyringCredentialsManager:keyring.backends.SecretService.Keyring")
    assert "gives no password" in refused(for_obs, config(), {})[0]
    ring.entries["api.opensuse.org", "me"] = "ringsecret"
    assert bare(for_obs(config(), {}, tmp_path)) == Basic("me", "ringsecret")


@pytest.mark.parametrize("url", ["https://evil.example", "https://broken.example", "http://packagecloud.io"])
def test_the_keyring_serves_only_the_host_over_https(config: Make, refused: Refused, ring: Ring, url: str) -> None:
    ring.entries["packagecloud.io", "token"] = "ringsecret"
    assert refused(for_packagecloud, config(packagecloud=f"url: '{url}'"), {})[0] == f"no token for {url}"


@pytest.mark.parametrize(
    ("url", "zone"),
    [
        ("http://127.0.0.1", "this machine"),
        ("http://localhost", "this machine"),
        ("http://[::1]", "this machine"),
        ("http://0.0.0.0", "this machine"),
        ("http://[::ffff:127.0.0.1]", "this machine"),
        ("http://169.254.169.254", "a link-local network"),
        ("http://[fe80::1]", "a link-local network"),
        ("http://10.0.0.1", "a private network"),
        ("http://172.16.0.1", "a private network"),
        ("http://100.64.0.1", "a private network"),
        ("http://[fd00::1]", "a private network"),
        ("http://8.8.8.8", ""),
        ("http://[2a07::1]", ""),
        ("http://download.example.org", ""),
    ],
)
def test_the_zone_that_an_address_tells(url: str, zone: str) -> None:
    assert Origin.of(url).zone == zone


def test_the_keyring_is_not_asked_for_loopback(config: Make, tmp_path: Path, ring: Ring) -> None:
    assert for_obs(config(obs="api: http://127.0.0.1:1"), {}, tmp_path) is None
    assert ring.asked == []


# the values


def test_a_login_does_not_show_itself() -> None:
    login = Basic("48151623", "hunter2")
    assert not any(secret in f"{login!r} {login} {[login]} {list(login.__rich_repr__())}" for secret in SECRETS)


@pytest.mark.parametrize(
    ("url", "text", "loopback"),
    [
        ("https://API.opensuse.org/", "https://api.opensuse.org", False),
        ("https://api.opensuse.org:443/x?y", "https://api.opensuse.org", False),
        ("https://api.opensuse.org.", "https://api.opensuse.org", False),
        ("http://x:8080", "http://x:8080", False),
        ("http://[::1]:80/", "http://[::1]", True),
        ("http://127.9.9.9", "http://127.9.9.9", True),
        ("http://LOCALHOST:5", "http://localhost:5", True),
        ("http://127.0.0.1.example", "http://127.0.0.1.example", False),
        ("http://0.0.0.0", "http://0.0.0.0", False),
    ],
)
def test_origins(url: str, text: str, loopback: bool) -> None:
    origin = Origin.of(url)
    assert (str(origin), origin.is_loopback) == (text, loopback)


@pytest.mark.parametrize(
    "url",
    [
        "", "x", "ftp://x", "https://", "https://u:p@x", "https://u@x", "https://@x", "https://x:port", "https://x:99999",
        "https://[::1", " https://x", "https://x\\@y", "file:///etc/passwd", "//x",
    ],
)  # fmt: skip
def test_no_origins(url: str) -> None:
    with pytest.raises(ValueError, match="URL"):
        Origin.of(url)


# an SSH key

SSH = {"OSC_USERNAME": "me", "OSC_SSHKEY": "id_ed25519", "SSH_AUTH_SOCK": "/run/agent"}


@pytest.mark.parametrize(
    ("written", "key"),
    [
        ("id_ed25519", "HOME/.ssh/id_ed25519"),
        ("id_ed25519.pub", "HOME/.ssh/id_ed25519.pub"),
        ("~/keys/obs", "HOME/keys/obs"),
        ("keys/obs", "HOME/keys/obs"),
        ("/etc/keys/obs", "/etc/keys/obs"),
        ("-Y", "HOME/.ssh/-Y"),
        ("SHA256:abc/d+e", "SHA256:abc/d+e"),
    ],
)
def test_how_a_key_is_named(config: Make, tmp_path: Path, written: str, key: str) -> None:
    wanted = SshKey(username="me", key=key.replace("HOME", str(tmp_path)), agent="/run/agent")
    assert bare(for_obs(config(), {**SSH, "OSC_SSHKEY": f"{written}\n"}, tmp_path)) == wanted
    oscrc(tmp_path, f"user=me\nsshkey={written}")
    assert bare(for_obs(config(), {"SSH_AUTH_SOCK": "/run/agent"}, tmp_path)) == wanted


def test_a_password_comes_before_a_key(config: Make, tmp_path: Path) -> None:
    assert bare(for_obs(config(), {**SSH, **OSC}, tmp_path)) == Basic("me", "hunter2")
    oscrc(tmp_path, "user=me\npass=filesecret\nsshkey=id")
    assert bare(for_obs(config(), {}, tmp_path)) == Basic("me", "filesecret")


@pytest.mark.parametrize("manager", ["TransientCredentialsManager", "KeyringCredentialsManager:keyring.backends.X"])
def test_the_key_of_oscrc_where_the_password_cannot_be_had(config: Make, tmp_path: Path, manager: str) -> None:
    oscrc(tmp_path, f"user=me\nsshkey=id\n{MANAGER}{manager}")
    assert bare(for_obs(config(), {}, tmp_path)) == SshKey(username="me", key=f"{tmp_path}/.ssh/id", agent="")


def test_the_password_in_the_keyring_comes_before_the_key(config: Make, tmp_path: Path, ring: Ring) -> None:
    oscrc(tmp_path, f"user=me\nsshkey=id\n{MANAGER}KeyringCredentialsManager:keyring.backends.X")
    ring.entries["api.opensuse.org", "me"] = "ringsecret"
    assert bare(for_obs(config(), {}, tmp_path)) == Basic("me", "ringsecret")


def test_a_key_serves_only_its_own_server(config: Make, refused: Refused, tmp_path: Path) -> None:
    made = config(obs="api: https://evil.example")
    assert refused(for_obs, made, SSH) == (
        "the login in OSC_USERNAME and OSC_SSHKEY belongs to https://api.opensuse.org, "
        "but obs.api in the config is https://evil.example",
        "if it belongs to that server, set OSC_APIURL=https://evil.example",
    )
    oscrc(tmp_path, "user=me\nsshkey=id")
    assert refused(for_obs, made, {})[0] == "no login for https://evil.example"


def test_a_key_without_a_user_is_no_login(config: Make, refused: Refused) -> None:
    assert refused(for_obs, config(), {"OSC_SSHKEY": "id"})[1].startswith("set OSC_USERNAME, or log in once with osc;")


@pytest.mark.parametrize("user", ['me",created=1,x="', "me\\", "mé"])
def test_a_user_name_that_would_leave_its_place_in_the_header_is_refused(
    config: Make, refused: Refused, tmp_path: Path, user: str
) -> None:
    assert "more than plain characters" in refused(for_obs, config(), {**SSH, "OSC_USERNAME": user})[0]
    oscrc(tmp_path, f"user={user}\nsshkey=id")
    assert "more than plain characters" in refused(for_obs, config(), {})[0]


@pytest.mark.parametrize("key", ["sshkey", "ssh_key"])
def test_no_config_can_name_a_key(config: Make, key: str) -> None:
    with pytest.raises(ConfigError, match=key):
        config(obs=f"{key}: id_ed25519")


# what a credential may be used for


@pytest.fixture
def archiving(tmp_path: Path) -> Config:
    """A config that moves orphans to another repository."""
    path = tmp_path / "archiving.yaml"
    path.write_text(
        "version: 1\nobs: {projects: [{name: home:a}, {name: home:b:stable}]}\n"
        "packagecloud: {repository: acme/testing}\ndistributions: {Leap: opensuse/15.6}\n"
        "orphans: {action: keep, archive_to: acme/archive}\n"
    )
    return load(path, {})


@pytest.mark.parametrize(
    "allowed",
    [
        "acme/testing acme/archive",
        "acme/archive\n  acme/test*\n",
        "acme/*",
        "*/*",
        "acme/[ta]*",
        "x/y acme/archive acme/testing",
    ],
)
def test_a_token_may_be_bound_to_repositories(archiving: Config, tmp_path: Path, allowed: str) -> None:
    env = {**TOKEN, "PACKAGECLOUD_REPOSITORIES": allowed}
    assert bare(for_packagecloud(archiving, env, tmp_path)) == Basic("48151623", "")


@pytest.mark.parametrize(
    ("allowed", "not_allowed"),
    [
        ("acme/testing", "acme/archive"),
        ("acme/archive", "acme/testing"),
        ("Acme/Testing acme/archive", "acme/testing"),
        ("acme/testing/ acme/archive", "acme/testing"),
        ("acme%2Ftesting acme/archive", "acme/testing"),
        ("acme", "acme/testing"),
        ("*", "acme/testing"),
        ("acme/test acme/archive", "acme/testing"),
        ("acme/testing,acme/archive", "acme/testing"),
    ],
)
def test_a_bound_token_is_for_no_other_repository(
    archiving: Config, refused: Refused, allowed: str, not_allowed: str
) -> None:
    env = {**TOKEN, "PACKAGECLOUD_REPOSITORIES": allowed}
    assert refused(for_packagecloud, archiving, env) == (
        f"the Packagecloud token may not be used for {not_allowed}, which is not in PACKAGECLOUD_REPOSITORIES",
        f"correct the config; or if it may be used there, add {not_allowed} to PACKAGECLOUD_REPOSITORIES",
    )


def test_a_bound_token_is_for_no_archive_of_a_plan_either(config: Make, tmp_path: Path) -> None:
    env = {**TOKEN, "PACKAGECLOUD_REPOSITORIES": "a/b"}
    assert bare(for_packagecloud(config(), env, tmp_path)) == Basic("48151623", "")
    with pytest.raises(AuthenticationError, match="may not be used for a/private,"):
        for_packagecloud(config(), env, tmp_path, "a/private")


@pytest.mark.parametrize("source", ["environment", "config", "file"])
def test_the_binding_holds_wherever_the_token_is_from(
    config: Make, refused: Refused, tmp_path: Path, source: str
) -> None:
    (tmp_path / ".packagecloud").write_text('{"token": "filesecret"}' if source == "file" else "{}")
    made = config(packagecloud="token: plainsecret" if source == "config" else "")
    env = {"PACKAGECLOUD_REPOSITORIES": "a/c", **(TOKEN if source == "environment" else {})}
    assert "may not be used for a/b" in refused(for_packagecloud, made, env)[0]


@pytest.mark.parametrize("nothing", ["", " \n"])
def test_an_empty_binding_allows_nothing(config: Make, refused: Refused, nothing: str) -> None:
    assert refused(for_packagecloud, config(), {**TOKEN, "PACKAGECLOUD_REPOSITORIES": nothing}) == (
        "PACKAGECLOUD_REPOSITORIES is empty, so the Packagecloud token may be used for nothing",
        "name there what it may be used for, or unset the variable",
    )


@pytest.mark.parametrize("allowed", ["home:a home:b:*", "home:*", "*"])
def test_the_login_of_obs_may_be_bound_to_projects(archiving: Config, tmp_path: Path, allowed: str) -> None:
    assert bare(for_obs(archiving, {**OSC, "OSC_PROJECTS": allowed}, tmp_path)) == Basic("me", "hunter2")


@pytest.mark.parametrize("allowed", ["home:a", "home:a home:b", "Home:*", ""])
def test_a_bound_login_is_for_no_other_project(archiving: Config, refused: Refused, allowed: str) -> None:
    assert "OSC_PROJECTS" in refused(for_obs, archiving, {**OSC, "OSC_PROJECTS": allowed})[0]


def test_without_a_login_any_project_may_be_read(config: Make, tmp_path: Path) -> None:
    made = config(obs="anonymous: true, published_url: 'https://d.example/{project}/{repository}'")
    assert for_obs(made, {"OSC_PROJECTS": "home:other"}, tmp_path) is None
