"""One apply at a time per Packagecloud repository; a crash leaves no stale lock."""

import os
import signal
import socket
import subprocess
import sys
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from pkgsync.apply import lock
from pkgsync.errors import ExitCode, LockedError, StorageError

HOLDER = """
import sys, pathlib
from pkgsync.apply import lock
with lock.hold(pathlib.Path(sys.argv[1]), api="https://packagecloud.io", repository="me/stable", plan_digest="sha256:aa", since="now"):
    print("held", flush=True)
    sys.stdin.read()
"""


def hold(
    folder: Path, api: str = "https://packagecloud.io", repository: str = "me/stable"
) -> AbstractContextManager[None]:
    return lock.hold(folder, api=api, repository=repository, plan_digest="sha256:bb", since="2026-11-22T12:00:00Z")


def test_the_second_run_is_told_who_holds_it(tmp_path: Path) -> None:
    with hold(tmp_path), pytest.raises(LockedError) as caught, hold(tmp_path):
        pytest.fail("two runs at once")
    said = f"process {os.getpid()} on {socket.gethostname()}, plan sha256:bb, since 2026-11-22T12:00:00Z"
    assert caught.value.message == f"Another run works on me/stable: {said}."
    assert caught.value.exit_code is ExitCode.LOCKED


@pytest.mark.parametrize("api", ["https://packagecloud.io/", "https://PACKAGECLOUD.io", "https://packagecloud.io:443"])
def test_one_server_has_one_lock_however_it_is_written(tmp_path: Path, api: str) -> None:
    with hold(tmp_path), pytest.raises(LockedError), hold(tmp_path, api=api):
        pytest.fail("two runs at once")


@pytest.mark.parametrize(
    ("api", "repository"), [("https://packages.test", "me/stable"), ("https://packagecloud.io", "me-stable/x")]
)
def test_other_repositories_have_other_locks(tmp_path: Path, api: str, repository: str) -> None:
    with hold(tmp_path), hold(tmp_path, api=api, repository=repository):
        pass


def test_it_is_free_again_afterwards(tmp_path: Path) -> None:
    for _ in range(2):
        with pytest.raises(ZeroDivisionError), hold(tmp_path):
            _ = 1 / 0
    assert [path.suffix for path in (tmp_path / "locks").iterdir()] in ([".lock"], [])


def test_a_killed_run_leaves_no_stale_lock(tmp_path: Path) -> None:
    command = [sys.executable, "-c", HOLDER, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "held\n"
        with pytest.raises(LockedError, match=f"process {child.pid} on "), hold(tmp_path):
            pytest.fail("two runs at once")
        child.send_signal(signal.SIGKILL)
        child.wait()
    with hold(tmp_path):
        pass


def test_a_state_folder_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "locks").write_text("a file")
    with pytest.raises(StorageError, match="cannot be taken"), hold(tmp_path):
        pytest.fail("no lock, but held")
