"""Logins by SSH signature: real keys, a real agent, and an OBS that verifies with ssh-keygen.

Skipped where OpenSSH's client is not installed; .ci/run installs it, and fails if anything was skipped.
"""

import os
import re
import shutil
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from pkgsync.sandbox import Fault, Kind, Reply
from tests.support.worlds.cli_world import Cli, Done, open_cli

pytestmark = pytest.mark.skipif(
    any(shutil.which(program) is None for program in ("ssh-keygen", "ssh-agent", "ssh-add")), reason="needs OpenSSH"
)
CHALLENGE = {"WWW-Authenticate": 'Signature realm="Use your developer account",headers="(created)"'}
REQUESTS = 9  # of a plan with two repositories


def keygen(folder: Path, name: str = "id_ed25519", passphrase: str = "", kind: str = "ed25519") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    command = ["ssh-keygen", "-q", "-t", kind, "-N", passphrase, "-C", "of a test", "-f", str(folder / name)]
    subprocess.run(command, check=True)
    return folder / name


@pytest.fixture
def cli(tmp_path: Path, sealed: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cli]:
    """The user's key is the default one, and OBS takes nothing else."""
    with open_cli(tmp_path, monkeypatch) as cli:
        key = keygen(sealed / ".ssh")
        cli.sandbox.obs.ssh_key = key.with_suffix(".pub").read_text()
        obs = cli.sandbox.config()["obs"]
        assert isinstance(obs, dict)
        cli.configure(obs={name: value for name, value in obs.items() if name not in ("username", "password")})
        monkeypatch.delenv("OSC_PASSWORD")
        monkeypatch.setenv("OSC_SSHKEY", "id_ed25519")
        yield cli


@pytest.fixture
def agent(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch, cli: Cli) -> Iterator[None]:
    """An agent that holds nothing; the tests load keys into it with ssh-add."""
    path = tmp_path_factory.mktemp("a") / "s"
    with subprocess.Popen(["ssh-agent", "-D", "-a", path], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        process.stdout.readline()  # once it listens
        monkeypatch.setenv("SSH_AUTH_SOCK", str(path))
        yield
        process.kill()


def add(key: Path) -> None:
    subprocess.run(["ssh-add", "-q", key], check=True, stdin=subprocess.DEVNULL)


def authorizations(cli: Cli, service: str = "obs") -> list[str]:
    return [entry.headers.get("authorization", "") for entry in cli.sandbox.log.find(service)]


def unsigned(cli: Cli) -> int:
    """How often the server was asked without a signature: two reads begin at once, and each may be told to sign."""
    return authorizations(cli).count("")


def said(done: Done) -> str:
    return " ".join(done.err.split())


def test_a_key_in_a_file_signs_once_for_a_whole_run(cli: Cli) -> None:
    done = cli.run("plan", "-o", "plan.json")
    assert done.code == 0
    signed = [sent for sent in authorizations(cli) if sent]
    assert unsigned(cli) in (1, 2)
    assert len(signed) == REQUESTS
    assert len(set(signed)) == 1
    assert re.fullmatch(
        r'Signature keyId="demo",algorithm="ssh",headers="\(created\)",created=\d{10},signature="U1NIU0lH[A-Za-z0-9+/]+=*"',
        signed[0],
    )


def test_plan_and_apply_without_a_trace_of_the_signature(cli: Cli, sealed: Path) -> None:
    runs = [
        cli.run("plan", "-o", "plan.json", "--debug"),
        cli.run("apply", "plan.json", "--debug"),
        cli.run("plan", "--detailed-exitcode", "-v"),
    ]
    assert [done.code for done in runs] == [0, 0, 0]
    signatures = {header.partition('signature="')[2].rstrip('"') for header in authorizations(cli)} - {""}
    written = [
        path.read_bytes().decode("latin-1")
        for folder in (cli.folder, sealed)
        for path in folder.rglob("*")
        if path.is_file()
    ]
    for text in [*written, *(done.out + done.err for done in runs)]:
        assert not any(signature in text for signature in signatures)
        assert "U1NIU0lH" not in text
    for service in ("packagecloud", "cdn"):
        assert not any(header.startswith("Signature") for header in authorizations(cli, service))


@pytest.mark.parametrize("kind", ["rsa", "ecdsa"])
def test_other_kinds_of_keys(cli: Cli, sealed: Path, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    key = keygen(sealed / "keys", kind, kind=kind)
    cli.sandbox.obs.ssh_key = key.with_suffix(".pub").read_text()
    monkeypatch.setenv("OSC_SSHKEY", f"~/keys/{kind}")
    assert cli.run("plan").code == 0


def test_a_key_that_is_only_in_the_agent(cli: Cli, agent: None, sealed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    key = sealed / ".ssh" / "id_ed25519"
    add(key)
    key.unlink()
    monkeypatch.setenv("OSC_SSHKEY", "id_ed25519.pub")
    assert cli.run("plan").code == 0
    listed = subprocess.run(["ssh-add", "-l"], check=True, capture_output=True, text=True).stdout
    key.with_suffix(".pub").unlink()
    monkeypatch.setenv("OSC_SSHKEY", listed.split()[1])
    assert cli.run("plan").code == 0


def test_a_key_with_a_passphrase_signs_once_it_is_in_the_agent(
    cli: Cli, agent: None, sealed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = keygen(sealed / ".ssh", "locked", "a passphrase")
    cli.sandbox.obs.ssh_key = key.with_suffix(".pub").read_text()
    monkeypatch.setenv("OSC_SSHKEY", "locked")
    monkeypatch.setenv("SSH_ASKPASS", "/usr/bin/yes")
    monkeypatch.setenv("DISPLAY", ":0")
    done = cli.run("plan")
    assert (done.code, said(done)) == (
        7,
        f"error: the SSH key {key} needs a passphrase, and nobody is asked tip: load it into an agent with ssh-add",
    )
    answer = tmp_path / "answer"
    answer.write_text("#!/bin/sh\necho a passphrase\n")
    answer.chmod(0o700)
    with monkeypatch.context() as asking:
        asking.setenv("SSH_ASKPASS", str(answer))
        asking.setenv("SSH_ASKPASS_REQUIRE", "force")
        add(key)
    assert cli.run("plan").code == 0


def test_oscrc_names_the_key(cli: Cli, sealed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OSC_SSHKEY")
    monkeypatch.delenv("OSC_USERNAME")
    section = f"[{cli.sandbox.obs_url}]\nuser = demo\nsshkey = id_ed25519\n"
    (sealed / ".oscrc").write_text(f"[general]\napiurl = {cli.sandbox.obs_url}\n{section}")
    assert cli.run("plan").code == 0


def test_a_signature_that_is_too_old_is_made_anew(cli: Cli) -> None:
    cli.obs_fault(Kind.STATUS, nth=6, times=1, status=401, headers=CHALLENGE)
    assert cli.run("plan").code == 0
    assert cli.sandbox.log.count("obs") == REQUESTS + unsigned(cli) + 1


def test_a_refused_key_is_tried_once(cli: Cli, sealed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    keygen(sealed / ".ssh", "another")
    monkeypatch.setenv("OSC_SSHKEY", "another")
    done = cli.run("plan")
    assert done.code == 7
    assert cli.sandbox.log.count("obs") == 2 * unsigned(cli)
    assert len(set(authorizations(cli))) == 2
    assert said(done).endswith(
        "_meta: 401 tip: The server takes SSH signatures: check OSC_SSHKEY (without OSC_PASSWORD) and the clock."
    )


def test_a_password_where_only_signatures_are_taken(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OSC_PASSWORD", cli.sandbox.obs.password)
    done = cli.run("plan")
    assert done.code == 7
    assert "check OSC_SSHKEY (without OSC_PASSWORD)" in said(done)
    assert len(authorizations(cli)) <= 2


def test_a_server_that_takes_no_signatures(cli: Cli) -> None:
    cli.sandbox.obs.ssh_key = ""
    done = cli.run("plan")
    assert done.code == 7
    assert said(done).endswith("401, and the server takes no SSH signature tip: Set OSC_USERNAME and OSC_PASSWORD.")
    assert set(authorizations(cli)) == {""}
    assert unsigned(cli) <= 2


@pytest.mark.parametrize(
    "challenge",
    [
        'Signature realm="",headers="(created)"',
        "Signature realm=",
        "Signature",
        "Signature ,,=,",
        'Signature realm="x",headers="(created) (request-target)"',
        'Signature realm="' + "x" * 201 + '",headers="(created)"',
        'Signature realm="a\xa0b\x85",headers="(created)"',
    ],
)
def test_a_demand_of_another_form_is_not_met(cli: Cli, challenge: str) -> None:
    cli.obs_fault(Kind.STATUS, times=None, status=401, headers={"WWW-Authenticate": challenge})
    done = cli.run("plan")
    assert done.code == 7
    assert "the server asks for a signature of an unknown form" in said(done)
    assert set(authorizations(cli)) == {""}
    assert unsigned(cli) <= 2


def test_a_realm_that_looks_like_an_option_is_only_a_realm(cli: Cli) -> None:
    challenge = {"WWW-Authenticate": 'Basic realm="a, b", Signature realm="-O/../x",headers="(created)", Bearer'}
    cli.obs_fault(Kind.STATUS, times=2, status=401, headers=challenge)
    assert cli.run("plan").code == 7
    assert len(set(authorizations(cli))) == 2


def test_no_signature_goes_elsewhere(cli: Cli) -> None:
    """Neither with a redirect, nor because another server asks for one."""
    cli.configure(obs={
        "api": cli.sandbox.obs_url, "projects": [{"name": "demo:release"}],
        "published_url": f"{cli.sandbox.download_url}/{{project_path}}/{{repository}}/",
    })  # fmt: skip
    assert cli.run("plan", "-o", "plan.json").code == 0
    assert cli.sandbox.log.count("download") > 0
    refusal = Fault(kind=Kind.STATUS, path="[.](rpm|deb)$", times=None, status=401, headers=CHALLENGE)
    cli.sandbox.obs.download_faults.add(refusal)
    cli.sandbox.obs.mirror_faults.add(refusal)
    cli.obs_fault(Kind.REDIRECT, "[.](rpm|deb)$", times=None, location=f"{cli.sandbox.mirror_url}/download/x.rpm")
    cli.run("apply", "plan.json")
    assert cli.sandbox.log.count("mirror") > 0
    for service in ("download", "mirror", "packagecloud", "cdn"):
        assert not any(header.startswith("Signature") for header in authorizations(cli, service)), service


def test_a_config_cannot_have_a_signature_for_another_server(cli: Cli) -> None:
    cli.configure(obs={"api": cli.sandbox.mirror_url, "projects": [{"name": "demo:release"}]})
    done = cli.run("plan")
    assert done.code == 7
    assert "the login in OSC_USERNAME and OSC_SSHKEY belongs to" in said(done)
    assert cli.sandbox.log.entries == []


def test_words_that_repeat_a_signature_are_withheld(cli: Cli) -> None:
    def echoing(reply: Reply) -> Reply:
        header = next(filter(None, reversed(authorizations(cli))), "")
        body = f"<status><summary>no {header}</summary></status>".encode()
        return Reply(status=400 if header else reply.status, headers=reply.headers, body=body)

    cli.obs_fault(Kind.REWRITE, times=None, change=echoing)
    done = cli.run("plan", "-v")
    assert "the server says: (words that repeat a credential)" in done.err
    assert "U1NIU0lH" not in done.err


@pytest.mark.parametrize(
    ("key", "words"),
    [
        ("nothing", "there is no SSH key {home}/.ssh/nothing tip: correct OSC_SSHKEY, or sshkey in oscrc"),
        ("~/.ssh", "there is no SSH key {home}/.ssh tip: correct OSC_SSHKEY, or sshkey in oscrc"),
        ("open", "others can read the SSH key {home}/.ssh/open tip: chmod 600 {home}/.ssh/open"),
        ("junk", "ssh-keygen cannot sign with {home}/.ssh/junk tip: try: echo x | ssh-keygen -Y sign -n test -f {home}/.ssh/junk"),
        (
            "alone.pub",
            "no ssh-agent is reached that could have the SSH key {home}/.ssh/alone.pub "
            "tip: start one, load the key with ssh-add, and look that SSH_AUTH_SOCK is set",
        ),
        (
            "SHA256:x",
            "no ssh-agent is reached that could have the SSH key SHA256:x "
            "tip: start one, load the key with ssh-add, and look that SSH_AUTH_SOCK is set",
        ),
    ],
)  # fmt: skip
def test_what_a_key_lacks_is_said(
    cli: Cli, sealed: Path, monkeypatch: pytest.MonkeyPatch, key: str, words: str
) -> None:
    keygen(sealed / ".ssh", "open").chmod(0o644)
    keygen(sealed / ".ssh", "alone").unlink()
    (sealed / ".ssh" / "junk").write_text("no key")
    monkeypatch.setenv("OSC_SSHKEY", key)
    done = cli.run("plan")
    assert (done.code, said(done)) == (7, f"error: {words.format(home=sealed)}")


@pytest.mark.parametrize("key", ["alone.pub", "SHA256:x"])
def test_a_key_that_the_agent_lacks(
    cli: Cli, agent: None, sealed: Path, monkeypatch: pytest.MonkeyPatch, key: str
) -> None:
    keygen(sealed / ".ssh", "alone").unlink()
    monkeypatch.setenv("OSC_SSHKEY", key)
    name = f"{sealed}/.ssh/{key}" if key.endswith(".pub") else key
    assert said(cli.run("plan")) == f"error: the SSH key {name} is not in the ssh-agent tip: load it with ssh-add"


def test_without_openssh(cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    cli.obs_fault(Kind.STATUS, times=None, status=401, headers=CHALLENGE)
    assert said(cli.run("plan")) == (
        "error: ssh-keygen is not installed, which signs with SSH keys tip: install the client of OpenSSH"
    )


def test_an_agent_that_never_answers_is_not_waited_for(
    cli: Cli, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pkgsync.ssh._SECONDS", 0.2)
    path = str(tmp_path_factory.mktemp("a") / "s")
    monkeypatch.setenv("SSH_AUTH_SOCK", path)
    with socket.socket(socket.AF_UNIX) as silent:
        silent.bind(path)
        silent.listen()
        done = cli.run("plan")
    assert done.code == 7
    assert "ssh-keygen did not end within 0.2 seconds with the SSH key" in said(done)


def test_it_asks_nobody_in_a_terminal_either(cli: Cli, sealed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a terminal of its own the program ends as well, and shows no prompt."""
    key = keygen(sealed / ".ssh", "locked", "a passphrase")
    monkeypatch.setenv("OSC_SSHKEY", "locked")
    master, slave = os.openpty()
    with cli.started("plan", stdin=slave, before=["setsid", "-c"]) as process:
        out, err = process.communicate(timeout=60)
    os.close(slave)
    os.set_blocking(master, False)
    with pytest.raises(OSError, match="Input/output error"):  # that is: nothing was written to it
        os.read(master, 1000)
    os.close(master)
    assert process.returncode == 7, out + err
    assert f"the SSH key {key} needs a passphrase" in " ".join(err.split())
