"""Signatures of an SSH key, made by ssh-keygen: the key stays in its file or in the agent."""

import base64
import hashlib
import os
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from pkgsync.errors import AuthenticationError
from pkgsync.model.secret import SshKey

_SECONDS = 30  # for a key that wants to be touched; all others take an instant
_ARMOR = ("-----BEGIN SSH SIGNATURE-----", "-----END SSH SIGNATURE-----")


def signature(key: SshKey, namespace: str, text: str) -> str:
    """The signature over ``text`` as one line of base64 (SSHSIG, PROTOCOL.sshsig of openssh).

    Nobody is asked for a passphrase. Raises AuthenticationError, saying what the key lacks.
    """
    with tempfile.TemporaryDirectory() as folder:
        file = _public_half(key, Path(folder)) if key.key.startswith("SHA256:") else Path(key.key)
        if not file.is_file():
            raise AuthenticationError(f"there is no SSH key {file}", tip="correct OSC_SSHKEY, or sshkey in oscrc")
        done = _run(key, ["ssh-keygen", "-q", "-Y", "sign", "-n", namespace, "-f", str(file)], text)
    begin, *lines, end = done.stdout.splitlines() or ["", ""]
    if done.returncode or (begin, end) != _ARMOR:
        raise _failure(key, done.stderr.lower())
    return "".join(lines)


def _public_half(key: SshKey, folder: Path) -> Path:
    """A file by which ssh-keygen finds the key in the agent."""
    listed = _run(key, ["ssh-add", "-L"], "")
    for line in listed.stdout.splitlines():
        if _fingerprint(line) == key.key:
            file = folder / "key.pub"
            file.write_text(" ".join(line.split()[:2]))  # the comment may be anything
            return file
    raise _not_in_agent(key, reached=listed.returncode != 2)


def _fingerprint(line: str) -> str:
    try:
        blob = base64.b64decode(line.split()[1])
    except (IndexError, ValueError):
        return ""
    return f"SHA256:{base64.b64encode(hashlib.sha256(blob).digest()).decode().rstrip('=')}"


def _run(key: SshKey, command: Sequence[str], text: str) -> "subprocess.CompletedProcess[str]":
    try:
        return subprocess.run(  # noqa: S603
            command,
            input=text,
            capture_output=True,
            text=True,
            errors="replace",
            env=_environment(key),
            timeout=_SECONDS,
            # without a terminal it cannot ask there, and Ctrl-C is ours to handle
            start_new_session=True,
            check=False,
        )
    except FileNotFoundError:
        raise AuthenticationError(
            f"{command[0]} is not installed, which signs with SSH keys", tip="install the client of OpenSSH"
        ) from None
    except (OSError, subprocess.TimeoutExpired):
        raise AuthenticationError(
            f"{command[0]} did not end within {_SECONDS} seconds with the SSH key {key.key}",
            tip="is it a key that must be touched, or does the ssh-agent hang?",
        ) from None


def _environment(key: SshKey) -> Mapping[str, str]:
    """Where programs and the agent are, and nothing else of ours; whoever asks for a passphrase gets none."""
    agent = {"SSH_AUTH_SOCK": key.agent} if key.agent else {}
    never = {"SSH_ASKPASS": "false", "SSH_ASKPASS_REQUIRE": "force"}
    return {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", **agent, **never}


def _failure(key: SshKey, said: str) -> AuthenticationError:
    """What the words of ssh-keygen mean."""
    if "unprotected private key file" in said:
        return AuthenticationError(f"others can read the SSH key {key.key}", tip=f"chmod 600 {key.key}")
    if "passphrase" in said:
        return AuthenticationError(
            f"the SSH key {key.key} needs a passphrase, and nobody is asked", tip="load it into an agent with ssh-add"
        )
    if "no private key" in said:
        return _not_in_agent(key, reached=bool(key.agent))
    if "agent refused" in said:
        return AuthenticationError(f"the ssh-agent refuses to sign with {key.key}", tip="is it locked?")
    if "permission denied" in said:
        return AuthenticationError(f"cannot read the SSH key {key.key}", tip="check its permissions")
    return AuthenticationError(
        f"ssh-keygen cannot sign with {key.key}", tip=f"try: echo x | ssh-keygen -Y sign -n test -f {key.key}"
    )


def _not_in_agent(key: SshKey, *, reached: bool) -> AuthenticationError:
    if not reached:
        return AuthenticationError(
            f"no ssh-agent is reached that could have the SSH key {key.key}",
            tip="start one, load the key with ssh-add, and look that SSH_AUTH_SOCK is set",
        )
    return AuthenticationError(f"the SSH key {key.key} is not in the ssh-agent", tip="load it with ssh-add")
