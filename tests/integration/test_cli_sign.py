"""``pkgsync sign``, and an apply that needs signatures: real keys, verified by ssh-keygen.

Skipped where OpenSSH's client is not installed; .ci/run installs it, and fails if anything was skipped.
"""

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pkgsync.sandbox import make_rpm
from tests.support.worlds.cli_world import DELETE, LEAP, RPM, Cli, Done, open_cli
from tests.support.worlds.forges import open_github
from tests.support.worlds.pull_requests import PLAN_NAME, Actions

pytestmark = pytest.mark.skipif(
    any(shutil.which(program) is None for program in ("ssh-keygen", "ssh-agent", "ssh-add")), reason="needs OpenSSH"
)
OLD = make_rpm("hello", "0.9")


def keygen(name: str, kind: str = "ed25519") -> str:
    """The fingerprint of a new key, in the file of that name."""
    subprocess.run(["ssh-keygen", "-q", "-t", kind, "-N", "", "-C", "of a test", "-f", name], check=True)
    listed = subprocess.run(["ssh-keygen", "-l", "-f", name], check=True, capture_output=True, text=True).stdout
    return listed.split()[1]


def allow(*lines: str) -> None:
    """Each line is ``NAME KEYFILE``, or ``NAME OPTIONS KEYFILE``."""
    made = []
    for line in lines:
        *before, key = line.split()
        public = " ".join(Path(f"{key}.pub").read_text().split()[:2])
        made.append(f"{' '.join(before)} {public}\n")
    Path("allowed_signers").write_text("".join(made))


def approvals(**counts: int) -> dict[str, Any]:
    return {"limits": {"approvals": {"signers": "allowed_signers", **counts}}}


def said(done: Done) -> str:
    return " ".join(done.err.split())


@pytest.fixture
def cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cli]:
    """A plan with two uploads, of which one of alice and bob must approve."""
    with open_cli(tmp_path, monkeypatch) as cli:
        keygen("alice")
        keygen("bob")
        allow("alice@example.com alice", "bob@example.com bob")
        cli.configure(**approvals())
        replan(cli)
        yield cli


def replan(cli: Cli) -> None:
    done = cli.run("plan", "-o", "plan.json")
    assert done.code == 0, done.err
    cli.sandbox.log.clear()


def sign(cli: Cli, *keys: str) -> None:
    for key in keys:
        done = cli.run("sign", "plan.json", "--key", key)
        assert done.code == 0, done.err


def refused(cli: Cli, *options: str) -> str:
    """What an apply says that ends before anything is read."""
    done = cli.run("apply", "plan.json", *options)
    assert (done.code, done.out) == (6, "")
    assert cli.sandbox.log.entries == []
    assert not Path("plan.receipt.json").exists()
    return said(done)


def test_a_plan_is_signed_and_applied(cli: Cli) -> None:
    done = cli.run("sign", "plan.json", "--key", "alice")
    digest, fingerprint = cli.saved()["digest"], keyed("alice")
    assert "Plan: 2 to upload" in done.out
    assert f"plan {digest}" in done.out
    assert (done.code, said(done)) == (0, f"Signed with {fingerprint}. plan.json.sig holds 1 signature.")
    applied = cli.run("apply", "plan.json")
    assert applied.code == 0, applied.err
    (approval,) = json.loads(Path("plan.receipt.json").read_text())["approvals"]
    assert (approval["signers"], approval["key"]) == (["alice@example.com"], fingerprint)
    shown = " ".join(cli.run("show", "plan.receipt.json").out.split())
    assert f"signed by alice@example.com with {fingerprint}" in shown


def keyed(name: str) -> str:
    return subprocess.run(["ssh-keygen", "-l", "-f", name], check=True, capture_output=True, text=True).stdout.split()[
        1
    ]


def test_anybody_can_check_it_by_hand(cli: Cli) -> None:
    sign(cli, "alice")
    command = ["ssh-keygen", "-Y", "verify", "-f", "allowed_signers", "-I", "alice@example.com"]
    command += ["-n", "pkgsync-plan", "-s", "plan.json.sig"]
    text = f"{cli.saved()['digest']}\n"
    assert subprocess.run(command, input=text, text=True, capture_output=True).returncode == 0
    assert subprocess.run(command, input=text.strip(), text=True, capture_output=True).returncode != 0


def test_without_signatures_nothing_is_read(cli: Cli) -> None:
    assert refused(cli) == (
        "error: The plan needs 1 signature: nobody who may has signed, 1 missing. "
        "tip: Let it be signed: pkgsync sign plan.json"
    )


def test_the_digest_alone_is_no_signature(cli: Cli) -> None:
    assert "needs 1 signature" in refused(cli, "--expect-digest", cli.saved()["digest"])


def made(name: str, namespace: str, text: str) -> str:
    command = ["ssh-keygen", "-q", "-Y", "sign", "-n", namespace, "-f", name]
    return subprocess.run(command, input=text, check=True, capture_output=True, text=True).stdout


def test_what_does_not_count_is_told(cli: Cli) -> None:
    keygen("mallory")
    text = f"{cli.saved()['digest']}\n"
    for block, why in [
        (made("alice", "git", text), "one is not of this plan"),
        (made("alice", "pkgsync-plan", text.strip()), "one is not of this plan"),
        (made("alice", "pkgsync-plan", f"sha256:{'0' * 64}\n"), "one is not of this plan"),
        (made("mallory", "pkgsync-plan", text), f"allowed_signers does not let {keyed('mallory')} sign plans now"),
    ]:
        Path("plan.json.sig").write_text(block)
        assert refused(cli).startswith(
            f"error: The plan needs 1 signature: nobody who may has signed, 1 missing. Not counted: {why}. tip:"
        )


@pytest.mark.parametrize(
    ("options", "counts"),
    [
        ('namespaces="pkgsync-plan"', True),
        ('namespaces="git"', False),
        ('valid-before="20200101"', False),
        ('valid-after="20200101"', True),
        ('valid-after="29990101"', False),
    ],
)
def test_the_file_of_signers_says_for_what_and_when(cli: Cli, options: str, counts: bool) -> None:
    allow(f"alice@example.com {options} alice")
    sign(cli, "alice")
    if counts:
        assert cli.run("apply", "plan.json").code == 0
    else:
        assert f"Not counted: allowed_signers does not let {keyed('alice')} sign plans now." in refused(cli)


def deleting(cli: Cli, **counts: int) -> None:
    """The same plan with a deletion."""
    cli.put(OLD)
    cli.configure(**DELETE, **approvals(**counts))
    replan(cli)
    assert cli.saved()["summary"]["total"]["deletions"] == 1


def test_a_plan_that_deletes_can_need_a_second_signer(cli: Cli) -> None:
    deleting(cli, for_deletions=2)
    sign(cli, "bob")
    assert refused(cli).startswith(
        "error: The plan needs 2 signatures, as it deletes: bob@example.com signed, 1 missing. tip:"
    )
    sign(cli, "alice")
    assert cli.run("apply", "plan.json").code == 0
    signers = [one["signers"] for one in json.loads(Path("plan.receipt.json").read_text())["approvals"]]
    assert signers == [["bob@example.com"], ["alice@example.com"]]


@pytest.mark.parametrize(
    ("allowed", "told"),
    [
        (("alice@example.com alice", "alice@example.com other"), "alice@example.com counts once"),
        (("alice@example.com,deputy alice", "deputy other"), "deputy counts once"),
        (("*@example.com alice", "*@example.com other"), "*@example.com counts once"),
        (("*@example.com alice", "alice@example.com other"), "alice@example.com counts once"),
        (("alice@example.com alice", "*@example.com other"), "*@example.com counts once"),
        # of the lines of a key ssh-keygen names the first alone
        (("alice@example.com alice", "deputy alice", "deputy other"), "deputy counts once"),
        (("deputy alice", "alice@example.com other", "deputy other"), "alice@example.com counts once"),
    ],
)
def test_nobody_counts_twice(cli: Cli, allowed: tuple[str, ...], told: str) -> None:
    keygen("other", "ecdsa")
    allow(*allowed)
    deleting(cli, for_deletions=2)
    sign(cli, "alice", "other")
    assert f"1 missing. Not counted: {told}." in refused(cli)


def test_the_same_block_twice_is_one(cli: Cli) -> None:
    deleting(cli, for_deletions=2)
    sign(cli, "alice")
    Path("plan.json.sig").write_text(Path("plan.json.sig").read_text() * 2)
    assert "1 missing. Not counted: alice@example.com counts once." in refused(cli)


def test_a_key_signs_once(cli: Cli) -> None:
    sign(cli, "alice")
    before = Path("plan.json.sig").read_bytes()
    done = cli.run("sign", "plan.json", "--key", "alice")
    assert done.code == 64
    assert said(done).startswith(f"error: plan.json.sig holds a signature of {keyed('alice')} already.")
    assert Path("plan.json.sig").read_bytes() == before


def test_signatures_of_another_plan_are_not_added_to(cli: Cli) -> None:
    sign(cli, "alice")
    cli.put(RPM)
    replan(cli)
    done = cli.run("sign", "plan.json", "--key", "bob")
    assert (done.code, done.errors) == (6, ["error: plan.json.sig holds a signature of another plan."])
    assert "one is not of this plan" in refused(cli)


@pytest.mark.parametrize("text", ["x", "-----BEGIN PGP SIGNATURE-----\n", "\0" * 300_000])
def test_another_file_is_neither_read_as_signatures_nor_overwritten(cli: Cli, text: str) -> None:
    Path("plan.json.sig").write_text(text)
    for done in (cli.run("apply", "plan.json"), cli.run("sign", "plan.json", "--key", "alice")):
        assert done.code == 6
        assert done.errors == ["error: plan.json.sig holds something else than SSH signatures, or too many."]
    assert Path("plan.json.sig").read_text() == text


def test_signatures_can_be_made_apart_and_put_together(cli: Cli) -> None:
    deleting(cli, required=2)
    for name in ("alice", "bob"):
        assert cli.run("sign", "plan.json", "--key", name, "-o", f"{name}.sig").code == 0
    together = Path("alice.sig").read_text() + "\n" + Path("bob.sig").read_text().replace("\n", "\r\n")
    Path("plan.json.sig").write_bytes(together.encode())
    assert cli.run("apply", "plan.json").code == 0


def test_require_signature_asks_for_one_that_the_config_does_not(cli: Cli) -> None:
    cli.configure(**approvals(required=0))
    replan(cli)
    assert "needs 1 signature" in refused(cli, "--require-signature")
    cli.configure()
    replan(cli)
    done = cli.run("apply", "plan.json", "--require-signature")
    assert (done.code, done.errors) == (64, ["error: --require-signature: pkgsync.yaml does not say who may sign."])


def test_without_the_rule_no_signature_is_looked_at(cli: Cli) -> None:
    cli.configure()
    replan(cli)
    Path("plan.json.sig").write_text("of another tool")
    assert cli.run("apply", "plan.json").code == 0
    assert "approvals" not in json.loads(Path("plan.receipt.json").read_text())


def test_a_plan_that_changes_nothing_needs_nobody(cli: Cli) -> None:
    cli.in_step()
    replan(cli)
    assert cli.run("apply", "plan.json", "--require-signature").code == 0


def test_without_its_file_of_signers_nothing_is_applied(cli: Cli) -> None:
    sign(cli, "alice")
    Path("allowed_signers").unlink()
    done = cli.run("apply", "plan.json")
    assert done.code == 1
    assert "limits.approvals.signers: there is no file allowed_signers that can be read" in done.errors[0]
    assert cli.sandbox.log.entries == []


def test_whoever_shall_sign_can_try_the_plan_before(cli: Cli) -> None:
    done = cli.run("apply", "plan.json", "--dry-run")
    assert done.code == 0
    assert "Dry run: 2 due." in done.out
    words = "nobody who may has signed, 1 missing. Let it be signed: pkgsync sign plan.json Dry run"
    assert f"Warning: The plan needs 1 signature: {words}" in " ".join(done.out.split())


def test_a_plan_says_that_it_must_be_signed_before_it_is_applied(cli: Cli) -> None:
    done = cli.run("plan", "-o", "plan.json")
    assert done.err == (
        f"Saved plan.json ({cli.saved()['digest']}). It needs 1 signature: pkgsync sign plan.json\n"
        "Apply: pkgsync apply plan.json\n"
    )


# One approval serves one plan once.


def test_an_unfinished_plan_goes_on_under_its_approval(cli: Cli) -> None:
    sign(cli, "alice")
    assert cli.run("apply", "plan.json", "--only", "uploads", "--shard", "1/2").code in (0, 5)
    assert cli.run("apply", "plan.json").code == 0
    assert f"{LEAP}/{RPM.filename}" in cli.names


def test_a_finished_plan_is_not_applied_again_when_the_world_changed(cli: Cli) -> None:
    sign(cli, "alice")
    assert cli.run("apply", "plan.json").code == 0
    again = cli.run("apply", "plan.json")
    assert (again.code, again.err) == (0, "Nothing to do. The plan was applied before.\n")
    cli.sandbox.packagecloud.delete(cli.saved()["target"]["repository"], LEAP, RPM.filename)
    there = cli.names
    for options in ([], ["--dry-run"], ["--require-signature", "--only", "uploads"]):
        done = cli.run("apply", "plan.json", *options)
        assert done.code == 4
        assert "applied-before: the plan was applied in full before, and this was changed since" in " ".join(
            done.out.split()
        )
        assert "Next: pkgsync plan -o plan.json" in done.err
    assert cli.names == there
    assert cli.run("apply", "plan.json", "--skip-stale").code == 5
    assert cli.names == there


# Keys


@pytest.fixture
def agent(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """An agent that holds nothing."""
    path = tmp_path_factory.mktemp("a") / "s"
    with subprocess.Popen(["ssh-agent", "-D", "-a", path], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        process.stdout.readline()  # once it listens
        monkeypatch.setenv("SSH_AUTH_SOCK", str(path))
        yield
        process.kill()


def test_the_agent_signs_with_its_only_key_or_the_one_that_is_named(cli: Cli, agent: None) -> None:
    done = cli.run("sign", "plan.json")
    assert (done.code, done.errors) == (
        7,
        ["error: there is no ssh-agent with a key in it: it is not clear which one signs"],
    )
    subprocess.run(["ssh-add", "-q", "alice"], check=True)
    assert cli.run("sign", "plan.json").code == 0
    subprocess.run(["ssh-add", "-q", "bob"], check=True)
    done = cli.run("sign", "plan.json")
    assert (done.code, done.errors) == (7, ["error: the ssh-agent holds 2 keys: it is not clear which one signs"])
    Path("bob").unlink()
    assert cli.run("sign", "plan.json", "--key", keyed("bob.pub")).code == 0
    assert said(cli.run("sign", "plan.json", "--key", "bob.pub")).startswith("error: plan.json.sig holds a signature")


def test_a_key_that_is_not_there(cli: Cli) -> None:
    done = cli.run("sign", "plan.json", "--key", "nothing")
    assert (done.code, done.errors) == (64, ["error: there is no SSH key nothing"])
    assert not Path("plan.json.sig").exists()


def test_only_a_plan_is_signed(cli: Cli) -> None:
    Path("plan.json").write_text(Path("plan.json").read_text().replace("2", "3", 1))
    done = cli.run("sign", "plan.json", "--key", "alice")
    assert (done.code, len(done.errors)) == (6, 1)
    assert not Path("plan.json.sig").exists()


def test_a_merge_applies_the_plan_that_was_signed_for_its_pull_request(cli: Cli, tmp_path: Path) -> None:
    sign(cli, "alice")
    with open_github() as hub:
        actions = Actions(hub, cli.folder, tmp_path / "runner")
        actions.temporary.mkdir()
        actions.opened()
        actions.upload(PLAN_NAME, "plan.json")
        assert actions.step("comment").code == 0
        actions.merged()
        refused = actions.step("apply", apart=True)
        assert (refused.code, "needs 1 signature: nobody who may has signed" in refused.err) == (6, True)
        # GitHub's variables lose the line break at their end
        done = actions.step("apply", apart=True, signatures=Path("plan.json.sig").read_text().strip())
    assert done.code == 0, done.err
    assert "alice@example.com" in Path(done.outputs["receipt"]).read_text()
