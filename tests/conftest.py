"""What every test gets: no network but loopback, and nothing of the user's own home or environment."""

import os
import signal
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from pytest_socket import socket_allow_hosts

from tests.support.scope import EVERYTHING, examples

# No test is timed: a busy machine is no bug. CI takes the same examples each time, everybody else new ones.
settings.register_profile(
    "untimed",
    max_examples=examples(100),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    derandomize="CI" in os.environ,
)
settings.load_profile("untimed")


def pytest_xdist_auto_num_workers() -> int:
    """Most tests wait half of their time for a server or a process: more workers than processors."""
    return 2 * (os.cpu_count() or 1)


_OURS = ("PKGSYNC_", "OSC_", "PACKAGECLOUD_", "XDG_")


# a shell ignores these in what it starts in the background, and children inherit that
for _number, _handler in ((signal.SIGINT, signal.default_int_handler), (signal.SIGHUP, signal.SIG_DFL)):
    if signal.getsignal(_number) is signal.SIG_IGN:
        signal.signal(_number, _handler)


@pytest.fixture(autouse=True)
def sealed(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home of its own for each test, a clean environment, and sockets to loopback only. Gives the home."""
    socket_allow_hosts(["127.0.0.1", "::1", "localhost"], allow_unix_socket=True)
    home = tmp_path_factory.mktemp("home")
    for name in list(os.environ):
        if name.startswith(_OURS) and name != "PKGSYNC_REQUIRE_REAL_OBS":
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    proxies = ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "all_proxy", "ALL_PROXY")
    for name in (*proxies, "FORCE_COLOR", "NO_COLOR"):
        monkeypatch.delenv(name, raising=False)
    # no test cuts the power: the disk may take its time
    if not EVERYTHING:
        monkeypatch.setattr(os, "fsync", lambda descriptor: None)
    return home
