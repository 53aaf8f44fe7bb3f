"""`pkgsync verify` and `apply --verify-index`, with the whole program against the sandbox's indexes."""

import json
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from pkgsync.sandbox import REPOSITORY, Kind, make_deb, make_rpm
from tests.support.worlds.cli_world import DELETE, JAMMY, LEAP, Cli, open_cli


@pytest.fixture
def cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cli]:
    with open_cli(tmp_path, monkeypatch) as cli:
        yield cli


def apply(cli: Cli, *arguments: object) -> None:
    assert cli.run("plan", "-o", "plan.json").code == 0
    assert cli.run("apply", "plan.json", "--receipt", "r.json", *arguments).code == 0


def indexed(cli: Cli) -> None:
    """Packagecloud has indexed all that it holds, and is slow from now on."""
    for distribution in (LEAP, JAMMY):
        cli.sandbox.packagecloud.served(REPOSITORY, distribution, top=True)


def test_what_obs_publishes_is_looked_for_in_the_indexes(cli: Cli) -> None:
    done = cli.run("verify")
    assert (done.code, done.out.splitlines()[-1]) == (1, "Not verified: package managers get 0 of 2 files.")
    assert done.out.count("not on Packagecloud") == 2
    assert done.err.splitlines() == ["What Packagecloud lacks: pkgsync plan"]

    apply(cli)
    cli.sandbox.log.clear()
    done = cli.run("verify")
    assert (done.code, done.err) == (0, "")
    assert done.out.splitlines()[-1] == "Verified: package managers get all 2 files of OBS."
    # beside what a plan reads: a top file and a list for each of two distributions
    assert cli.sandbox.log.count("packagecloud", target="^/api/") == 2
    assert cli.sandbox.log.count("packagecloud") == 2 + 4


def test_a_receipt_is_verified_without_obs_and_without_a_listing(cli: Cli) -> None:
    cli.configure(**DELETE)
    cli.put(make_rpm("hello", "0.9"))
    indexed(cli)
    cli.sandbox.packagecloud.index_lag = None
    apply(cli)
    cli.sandbox.log.clear()

    done = cli.run("verify", "r.json", "--json")

    told = json.loads(done.out)
    assert (done.code, done.err) == (1, "Packagecloud indexes in a queue: verify again in some minutes.\n")
    assert [(file["filename"], file["state"], file["message"]) for file in told["files"]] == [
        ("hello-0.9-1.x86_64.rpm", "still-served", "not indexed yet"),
        ("hello-1.0-1.x86_64.rpm", "absent", "not indexed yet"),
        ("hello_1.0-1_amd64.deb", "absent", "no index is there yet"),
    ]
    assert cli.sandbox.log.count("obs") == 0
    assert cli.sandbox.log.count("packagecloud", target="^/api/") == 0

    cli.sandbox.packagecloud.index_lag = 0
    done = cli.run("verify", "r.json")
    assert (done.code, done.out.splitlines()[-1]) == (0, "Verified: package managers get all 3 changes of the apply.")


def test_a_replaced_file_is_old_until_it_is_indexed(cli: Cli) -> None:
    cli.put(make_rpm("hello", "1.0", salt="old"), make_deb("hello", "1.0", "1"))
    indexed(cli)
    assert "not on Packagecloud: it holds other content" in cli.run("verify").out
    cli.sandbox.packagecloud.index_lag = None
    apply(cli)
    for arguments in (("verify",), ("verify", "r.json")):
        done = cli.run(*arguments)
        assert (done.code, "old content is served: not indexed yet" in done.out) == (1, True)


def test_what_is_deleted_by_hand_stays_in_the_index_for_a_while(cli: Cli) -> None:
    cli.in_step()
    cli.put(make_rpm("other"))
    indexed(cli)
    cli.sandbox.packagecloud.index_lag = None
    cli.sandbox.packagecloud.delete(REPOSITORY, LEAP, "other-1.0-1.x86_64.rpm")
    done = cli.run("verify")
    assert (done.code, "still served: Packagecloud does not list it any more" in done.out) == (1, True)


def test_other_bytes_in_a_newer_index_are_no_matter_of_time(cli: Cli) -> None:
    cli.put(make_rpm("hello", "1.0", salt="other"), make_deb("hello", "1.0", "1"))
    cli.sandbox.clock.advance(3600)
    indexed(cli)
    cli.sandbox.packagecloud.index_lag = None
    cli.sandbox.packagecloud.delete(REPOSITORY, LEAP, "hello-1.0-1.x86_64.rpm")
    cli.put(make_rpm("hello", "1.0"))
    done = cli.run("verify")
    assert done.code == 6
    assert "OTHER BYTES: sha256 " in done.out
    assert done.errors == ["error: what package managers get is not what it should be"]


def test_an_index_that_cannot_be_read_is_said_so(cli: Cli) -> None:
    cli.in_step()
    cli.packagecloud_fault(Kind.STATUS, path="repomd.xml", times=None, status=503)
    done = cli.run("verify")
    assert done.code == 1
    assert "repomd.xml: 503" in done.out
    assert done.out.splitlines()[-1] == "Not verified: package managers get 1 of 2 files."


def test_what_obs_publishes_must_be_known(cli: Cli) -> None:
    cli.in_step()
    cli.obs_fault(Kind.STATUS, path="openSUSE_Leap_15.6/repodata", times=None, status=503)
    done = cli.run("verify")
    assert done.code == 1
    assert done.errors == ["error: OBS could not be read completely, so it is not known what should be there"]


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("absent.asc", "cannot be read: absent.asc: No such file or directory"),
        ("key.asc", "cannot be used: key.asc: it is cut off, or no OpenPGP"),
        ("/dev/zero", "cannot be used: /dev/zero: it is cut off, or no OpenPGP"),
    ],
)
def test_a_pinned_key_must_be_one(cli: Cli, path: str, said: str) -> None:
    cli.in_step()
    (cli.folder / "key.asc").write_bytes(b"no key")
    cli.configure(packagecloud={"url": cli.sandbox.packagecloud_url, "repository": REPOSITORY, "signing_key": path})
    done = cli.run("verify")
    assert (done.code, done.errors) == (1, [f"error: pkgsync.yaml: packagecloud.signing_key {said}"])


def test_the_pinned_key_changes_no_plan(cli: Cli) -> None:
    before = cli.plan()["config_digest"]
    packagecloud = {"url": cli.sandbox.packagecloud_url, "repository": REPOSITORY, "signing_key": "key.asc"}
    cli.configure(packagecloud=packagecloud)
    assert cli.plan()["config_digest"] == before


def test_an_apply_can_wait_until_package_managers_get_it(cli: Cli) -> None:
    cli.sandbox.packagecloud.index_lag = 3
    cli.run("plan", "-o", "plan.json")

    done = cli.run("apply", "plan.json", "--verify-index")

    assert done.code == 0
    assert "; package managers get all of it " in done.out.splitlines()[-1]
    assert "Package managers get 0 of 2; looking again." in done.err.splitlines()
    index = cli.saved("plan.receipt.json")["index"]
    assert (index["served"], index["not_served"]) == (2, [])
    assert "; package managers get all of it " in cli.run("show", "plan.receipt.json").out


def test_the_wait_is_bounded_and_the_apply_done_all_the_same(cli: Cli) -> None:
    cli.sandbox.packagecloud.index_lag = None
    cli.run("plan", "-o", "plan.json")

    done = cli.run("apply", "plan.json", "--verify-index")

    assert done.code == 1
    keys = "opensuse/15.6/hello-1.0-1.x86_64.rpm, ubuntu/jammy/hello_1.0-1_amd64.deb"
    assert f"Not served yet: {keys}. To look again: pkgsync verify plan.receipt.json\n" in done.out
    assert "Apply complete: 2 uploaded" in done.out
    saved = cli.saved("plan.receipt.json")
    assert (saved["complete"], saved["exit_code"], len(saved["index"]["not_served"])) == (True, 1, 2)
    assert cli.sandbox.log.count("packagecloud", target="repomd.xml") == 30
    assert cli.names == {"opensuse/15.6/hello-1.0-1.x86_64.rpm", "ubuntu/jammy/hello_1.0-1_amd64.deb"}


def test_an_index_in_the_making_may_contradict_itself_for_a_while(cli: Cli) -> None:
    cli.run("plan", "-o", "plan.json")
    # one look asks three times
    cli.packagecloud_fault(Kind.CORRUPT, path="Packages.gz", times=4)
    done = cli.run("apply", "plan.json", "--verify-index")
    assert done.code == 0
    assert "Package managers get 1 of 2; looking again." in done.err.splitlines()


def test_what_cannot_be_looked_at_is_a_warning_of_an_apply_that_is_done(cli: Cli) -> None:
    cli.run("plan", "-o", "plan.json")
    cli.packagecloud_fault(Kind.STATUS, path="repomd.xml|InRelease", times=None, status=403)

    done = cli.run("apply", "plan.json", "--verify-index")

    assert done.code == 7
    assert "Warning: what package managers get is not known: GET " in done.out
    assert cli.saved("plan.receipt.json")["complete"] is True


def test_ctrl_c_ends_only_the_waiting(cli: Cli) -> None:
    cli.run("plan", "-o", "plan.json")
    hung = cli.packagecloud_fault(Kind.HANG, path="repomd.xml|InRelease", times=None)
    with cli.started("apply", "plan.json", "--verify-index") as process:
        assert hung.hit.wait(60)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Traceback" not in err
    saved = cli.saved("plan.receipt.json")
    assert (saved["complete"], saved["exit_code"], "index" in saved) == (True, 0, False)


def test_a_dry_run_waits_for_nothing(cli: Cli) -> None:
    cli.run("plan", "-o", "plan.json")
    assert cli.run("apply", "plan.json", "--dry-run", "--verify-index").code == 0
    assert cli.sandbox.log.count("packagecloud", target="InRelease") == 0


def test_a_receipt_of_another_repository_is_refused(cli: Cli) -> None:
    apply(cli)
    saved = cli.saved("r.json")
    saved["target"]["repository"] = "demo/other"
    (cli.folder / "r.json").write_text(json.dumps(saved))
    done = cli.run("verify", "r.json")
    assert (done.code, "demo/other" in done.errors[0]) == (64, True)
