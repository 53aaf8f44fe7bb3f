"""Ctrl-C, SIGTERM and SIGHUP while a service hangs: an end at once, with the code of the signal and nothing half done."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pkgsync.sandbox import Fault, Kind
from tests.support.worlds.cli_world import LEAP, RPM, Cli, open_cli

SIGNALS = [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)]


@pytest.fixture
def cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cli]:
    with open_cli(tmp_path, monkeypatch) as cli:
        yield cli


@contextmanager
def hanging(cli: Cli, service: str, *arguments: str) -> Iterator["subprocess.Popen[str]"]:
    """The program, once a service has let its request hang."""
    if service == "obs":
        fault = cli.obs_fault(Kind.HANG, "_result", times=None)
    else:
        fault = cli.packagecloud_fault(Kind.HANG, "packages.json", times=None)
    with cli.started(*arguments) as process:
        assert fault.hit.wait(30)
        yield process


@pytest.mark.parametrize("service", ["obs", "packagecloud"])
@pytest.mark.parametrize(("number", "code"), SIGNALS)
def test_a_plan_ends_at_once(cli: Cli, service: str, number: signal.Signals, code: int) -> None:
    assert cli.run("plan", "-o", "plan.json").code == 0
    before = (cli.folder / "plan.json").read_text()
    with hanging(cli, service, "plan", "-o", "plan.json") as process:
        process.send_signal(number)
        out, err = process.communicate(timeout=20)
    assert (process.returncode, out) == (code, "")
    assert err == f"error: ended by {number.name}\ntip: Nothing is half written; run the same command again.\n"
    assert sorted(file.name for file in cli.folder.iterdir()) == ["pkgsync.yaml", "plan.json"]
    assert (cli.folder / "plan.json").read_text() == before


def test_an_audit_ends_at_once(cli: Cli) -> None:
    with hanging(cli, "packagecloud", "audit") as process:
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=20)
    assert process.returncode == 130
    assert err == "error: ended by SIGINT\ntip: Nothing is half written; run the same command again.\n"


@pytest.mark.parametrize("service", ["obs", "packagecloud"])
@pytest.mark.parametrize(("number", "code"), SIGNALS)
def test_an_apply_that_has_begun_nothing_ends_at_once(
    cli: Cli, service: str, number: signal.Signals, code: int
) -> None:
    assert cli.run("plan", "-o", "plan.json").code == 0
    with hanging(cli, service, "apply", "plan.json") as process:
        process.send_signal(number)
        _, err = process.communicate(timeout=20)
    assert process.returncode == code
    assert err == "error: Interrupted before anything was changed.\ntip: Run the same command again.\n"
    assert cli.names == set()


@contextmanager
def uploading(cli: Cli) -> Iterator[tuple["subprocess.Popen[str]", Fault]]:
    """An apply of one upload that Packagecloud has taken but does not answer."""
    assert cli.run("plan", "-o", "plan.json", "--target", f"{LEAP}/*").code == 0
    fault = cli.packagecloud_fault(Kind.HANG_AFTER, "packages.json", method="POST", times=None)
    with cli.started("apply", "plan.json") as process:
        assert fault.hit.wait(30)
        yield process, fault


@pytest.mark.parametrize(
    ("number", "code", "again"), [(signal.SIGINT, 130, "Ctrl-C again"), (signal.SIGTERM, 143, "a second signal")]
)
def test_the_first_signal_is_answered_before_what_it_waits_for_has_ended(
    cli: Cli, number: signal.Signals, code: int, again: str
) -> None:
    with uploading(cli) as (process, fault):
        process.send_signal(number)
        assert process.stderr is not None
        assert process.stderr.readline() == f"Finishing 1 transfer; {again} stops now.\n"
        fault.released.set()
        out, err = process.communicate(timeout=60)
    assert (process.returncode, err.splitlines()) == (code, [f"upload {LEAP}/{RPM.filename}: done"])
    assert out.splitlines()[-1].startswith("Apply interrupted: 1 uploaded in ")


def test_the_second_signal_stops_now_and_the_next_step_is_told(cli: Cli) -> None:
    with uploading(cli) as (process, _):
        process.send_signal(signal.SIGINT)
        assert process.stderr is not None
        process.stderr.readline()
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (130, "Next: pkgsync apply plan.json\n")
    assert "cut off: the outcome is unknown until the next run looks" in out


def test_a_signal_that_the_caller_ignores_stays_ignored(cli: Cli) -> None:
    fault = cli.obs_fault(Kind.HANG, "_result", times=1)
    with cli.started("plan", before=("sh", "-c", 'trap "" HUP; exec "$@"', "sh")) as process:
        assert fault.hit.wait(30)
        process.send_signal(signal.SIGHUP)
        fault.released.set()
        process.communicate(timeout=60)
    assert process.returncode == 0


def test_ctrl_c_ends_the_demo_with_its_own_code(cli: Cli) -> None:
    with cli.started("demo") as process:
        assert process.stdout is not None
        process.stdout.readline()
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "Traceback" not in err


ENDING = """
import os, sys
from importlib import import_module
module = import_module("pkgsync.cli.main")
whole = getattr(module, sys.argv[1])
def signalled(*arguments):
    for number in sys.argv[2].split(","):
        os.kill(os.getpid(), int(number))
    return whole(*arguments)
setattr(module, sys.argv[1], signalled)
module.main(["validate", "-c", "nosuch.yaml"])
"""


@pytest.mark.parametrize("where", ["_ending", "_tell", "_finish"])
@pytest.mark.parametrize(("numbers", "codes"), [("2", {130}), ("2,2", {130}), ("15,2", {130, 143}), ("1,1,1", {129})])
def test_signals_while_the_program_ends_give_no_traceback(
    tmp_path: Path, where: str, numbers: str, codes: set[int]
) -> None:
    done = subprocess.run([sys.executable, "-c", ENDING, where, numbers], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode in codes, done.stderr
    assert "Traceback" not in done.stderr
