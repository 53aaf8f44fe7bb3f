"""Signatures of SSH keys, made and verified by ssh-keygen: a private key stays in its file or in the agent."""

import base64
import hashlib
import os
import re
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from pkgsync.errors import AuthenticationError
from pkgsync.model.secret import SshKey

_SECONDS = 30  # for a key that wants to be touched; all others take an instant
_WHICH_KEY = "Name one: --key FILE, or --key SHA256:..., as `ssh-add -l` lists it."
_ARMOR = ("-----BEGIN SSH SIGNATURE-----", "-----END SSH SIGNATURE-----")


def sign(key: SshKey, namespace: str, text: str) -> str:
    """The armored signature over ``text`` (SSHSIG, PROTOCOL.sshsig of openssh).

    Nobody is asked for a passphrase. Raises AuthenticationError, saying what the key lacks.
    """
    with tempfile.TemporaryDirectory() as folder:
        file = _public_half(key, Path(folder)) if key.key.startswith("SHA256:") else Path(key.key)
        if not file.is_file():
            raise AuthenticationError(f"there is no SSH key {file}", tip="correct OSC_SSHKEY, or sshkey in oscrc")
        done = _run(["ssh-keygen", "-q", "-Y", "sign", "-n", namespace, "-f", str(file)], text, key)
    begin, *_, end = done.stdout.splitlines() or ["", ""]
    if done.returncode or (begin, end) != _ARMOR:
        raise _failure(key, done.stderr.lower())
    return done.stdout


def only_key(agent: str) -> str:
    """The fingerprint of the one key in the agent with this socket. Raises AuthenticationError."""
    listed = _run(["ssh-add", "-L"], "", SshKey(username="", key="", agent=agent)).stdout if agent else ""
    found = [fingerprint for line in listed.splitlines() if (fingerprint := _fingerprint(line))]
    if len(found) != 1:
        what = f"the ssh-agent holds {len(found)} keys" if found else "there is no ssh-agent with a key in it"
        raise AuthenticationError(f"{what}: it is not clear which one signs", tip=_WHICH_KEY)
    return found[0]


def key_of(signature: str, namespace: str, text: str) -> str | None:
    """The fingerprint of the key, whosoever it is, that made the armored signature; None: not over this ``text``."""
    with _in_file(signature) as file:
        done = _run(["ssh-keygen", "-Y", "check-novalidate", "-n", namespace, "-s", file], text)
    found = re.search(r" key (SHA256:\S+)$", done.stdout.strip())
    return found[1] if found and done.returncode == 0 else None


def signers_of(signature: str, namespace: str, text: str, allowed: Path, now: datetime) -> tuple[str, ...]:
    """The names that the allowed-signers file gives the key of the armored signature; empty where that doesn't count.

    It counts over just this ``text``, for this namespace, and while the file says that the key is valid. Of several
    lines for a key ssh-keygen tells the first alone: :func:`may_be_of` knows them all.
    """
    with _in_file(signature) as file:
        given = ["-f", str(allowed), "-s", file, _when(now)]
        listed = _run(["ssh-keygen", "-Y", "find-principals", *given], "")
    names = listed.stdout.splitlines() if listed.returncode == 0 else ()
    return tuple(name for name in names if may_be_of(name, signature, namespace, text, allowed, now))


def may_be_of(name: str, signature: str, namespace: str, text: str, allowed: Path, now: datetime) -> bool:
    """Whether the allowed-signers file takes the armored signature for one of this name."""
    with _in_file(signature) as file:
        given = ["-f", str(allowed), "-s", file, _when(now)]
        return _run(["ssh-keygen", "-q", "-Y", "verify", "-n", namespace, *given, "-I", name], text).returncode == 0


def _when(now: datetime) -> str:
    # read as local time, which is UTC in that environment: older ones know no zone
    return f"-Overify-time={now.astimezone(UTC):%Y%m%d%H%M%S}"


@contextmanager
def _in_file(text: str) -> Iterator[str]:
    with tempfile.NamedTemporaryFile("w", encoding="ascii", errors="replace") as file:
        file.write(text)
        file.flush()
        yield file.name


def _public_half(key: SshKey, folder: Path) -> Path:
    """A file by which ssh-keygen finds the key in the agent."""
    listed = _run(["ssh-add", "-L"], "", key)
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


def _run(command: Sequence[str], text: str, key: SshKey | None = None) -> "subprocess.CompletedProcess[str]":
    try:
        return subprocess.run(  # noqa: S603
            command,
            input=text,
            capture_output=True,
            text=True,
            errors="replace",
            env=_environment(key.agent if key else ""),
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
        what = f" with the SSH key {key.key}" if key and key.key else ""
        raise AuthenticationError(
            f"{command[0]} did not end within {_SECONDS} seconds{what}",
            tip="is it a key that must be touched, or does the ssh-agent hang?",
        ) from None


def _environment(socket: str) -> Mapping[str, str]:
    """Where programs and the agent are, and nothing else of ours; whoever asks for a passphrase gets none."""
    agent = {"SSH_AUTH_SOCK": socket} if socket else {}
    never = {"SSH_ASKPASS": "false", "SSH_ASKPASS_REQUIRE": "force"}
    return {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "TZ": "UTC", **agent, **never}


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
