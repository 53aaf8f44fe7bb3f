"""What a mirror lacks or keeps old is the mirror's: the index and the API say what is published."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pkgsync.sandbox import PROJECT, Artifact, Fault, Kind, make_rpm
from tests.support.worlds.cli_world import LEAP, LEAP_REPOSITORY, Cli, open_cli

OLD, NEW = make_rpm("tool", salt="first"), make_rpm("tool", salt="again")


@pytest.fixture
def cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cli]:
    """Files come from the download server, which sends to a mirror that has the build of before, in the same size."""
    assert OLD.blob.size == NEW.blob.size
    with open_cli(tmp_path, monkeypatch) as cli:
        cli.in_step()
        cli.publish(OLD, package="tool")
        cli.sandbox.obs.freeze_mirror()
        cli.sandbox.clock.advance(60)
        cli.publish(NEW, package="tool")
        cli.sandbox.obs.redirect_to_mirror = True
        cli.sandbox.write_config(tmp_path, source="download")
        yield cli


def applied(cli: Cli) -> tuple[int, dict[str, Any]]:
    assert cli.run("plan", "-o", "plan.json").code == 0
    code = cli.run("apply", "plan.json").code
    (line,) = json.loads((cli.folder / "plan.receipt.json").read_text())["lines"]
    return code, line


def forget(cli: Cli, artifact: Artifact) -> None:
    """The mirror answers 404."""
    assert cli.sandbox.obs.mirror is not None
    del cli.sandbox.obs.mirror[PROJECT, LEAP_REPOSITORY][f"x86_64/{artifact.filename}"]


def test_old_bytes_of_a_mirror_are_passed_over_for_those_of_the_api(cli: Cli) -> None:
    assert applied(cli)[0] == 0
    assert f"{LEAP}/{NEW.filename}" in cli.names
    assert cli.sandbox.log.count("obs", target=r"/published/.*\.rpm$") == 1


def test_a_404_of_a_mirror_is_not_obs_s(cli: Cli) -> None:
    forget(cli, NEW)
    assert applied(cli)[0] == 0
    assert f"{LEAP}/{NEW.filename}" in cli.names


@pytest.mark.parametrize("status", [403, 404, 500])
def test_nor_is_another_refusal(cli: Cli, status: int) -> None:
    cli.sandbox.obs.mirror_faults.add(Fault(kind=Kind.STATUS, path="rpm", times=None, status=status))
    assert applied(cli)[0] == 0
    assert f"{LEAP}/{NEW.filename}" in cli.names


def test_what_no_place_delivers_is_left_and_the_places_named(cli: Cli) -> None:
    cli.obs_fault(Kind.STATUS, r"/published/.*\.rpm$", times=None, status=404)
    code, line = applied(cli)
    path = f"x86_64/{NEW.filename}"
    assert (code, line["outcome"], line["reason"]) == (5, "left", "not-there")
    assert line["message"] == (
        f"OBS lists the file, but it is not there: {cli.sandbox.download_url}/demo:/release/{LEAP_REPOSITORY}/{path} or "
        f"{cli.sandbox.obs_url}/published/demo:release/{LEAP_REPOSITORY}/{path}"
    )


def test_without_a_login_the_mirror_s_old_bytes_are_no_damage(cli: Cli) -> None:
    cli.sandbox.write_config(cli.folder, source="anonymous")
    code, line = applied(cli)
    assert (code, line["outcome"], line["reason"]) == (5, "left", "not-there")
    assert f"{LEAP}/{NEW.filename}" not in cli.names
