"""Signatures of the published repositories, made by gpg with a throwaway key of each service.

OBS signs repomd.xml and Release with the key of the project (src/backend/bs_publish), and shows the public key.
Packagecloud signs the same files with a key of the repository.
"""

import re
import shutil
import subprocess
import threading
from collections.abc import Callable, Mapping
from pathlib import Path

from attrs import frozen

from .blobs import Blob


def has_gpg() -> bool:
    """Whether repositories can be signed here; without gpg they have no signatures and no keys."""
    return shutil.which("gpg") is not None


@frozen(kw_only=True)
class PublicKey:
    """What `_keyinfo` tells of a key: its size in bits, the fingerprint in groups of 4 digits."""

    armor: bytes
    keysize: str
    fingerprint: str


class Signer:
    """One keyring in the folder `home`; its key is made by the first question, as that takes most of a second."""

    def __init__(self, home: Path, owner: str) -> None:
        self.home, self.owner = home, owner
        self._lock, self._closed = threading.RLock(), False
        self._key: PublicKey | None = None

    @property
    def key(self) -> PublicKey:
        """The public key."""
        with self._lock:
            self._key = self._key or self._made()
            return self._key

    def _made(self) -> PublicKey:
        self._gpg("--quick-generate-key", self.owner, "rsa2048", "sign", "never")
        listed = self._gpg("--with-colons", "--list-keys").decode().splitlines()
        fields = {line.split(":")[0]: line.split(":") for line in reversed(listed)}
        return PublicKey(
            armor=self._gpg("--armor", "--export"),
            keysize=fields["pub"][2],
            fingerprint=" ".join(re.findall("....", fields["fpr"][9].lower())),
        )

    def detached(self, data: bytes) -> bytes:
        """An armored signature over the bytes, to stand beside them."""
        return self._sign("--detach-sign", data)

    def inline(self, data: bytes) -> bytes:
        """The text with its signature around it."""
        return self._sign("--clearsign", data)

    def close(self) -> None:
        """Wait for gpg, end the agent that it leaves running, and sign nothing more: the folder may go."""
        with self._lock:
            self._closed = True
            if self.home.exists():
                subprocess.run(["gpgconf", "--homedir", self.home, "--kill", "all"], check=True, capture_output=True)  # noqa: S603, S607

    def _sign(self, how: str, data: bytes) -> bytes:
        assert self.key
        return self._gpg("--armor", "--digest-algo", "SHA256", how, data=data)

    def _gpg(self, *arguments: str, data: bytes = b"") -> bytes:
        unattended = ["--batch", "--no-tty", "--pinentry-mode", "loopback", "--passphrase", ""]
        command = ["gpg", "--homedir", str(self.home), *unattended, *arguments]
        with self._lock:
            # a client that gave up has gone, and the thread that answers it has not
            if self._closed:
                raise ConnectionAbortedError("the sandbox has ended")
            self.home.mkdir(mode=0o700, exist_ok=True)
            return subprocess.run(command, input=data, check=True, capture_output=True).stdout  # noqa: S603


def signatures(signer: Signer, indexes: Mapping[str, bytes]) -> dict[str, Blob]:
    """What stands beside the indexes in a signed repository, by path; each is made when it is first read."""

    def made(make: Callable[[bytes], bytes], data: bytes) -> Blob:
        return Blob(lambda: make(data))

    def key() -> bytes:
        return signer.key.armor

    if (repomd := indexes.get("repodata/repomd.xml")) is not None:
        return {"repodata/repomd.xml.asc": made(signer.detached, repomd), "repodata/repomd.xml.key": Blob(key)}
    release = indexes["Release"]
    return {
        "InRelease": made(signer.inline, release),
        "Release.gpg": made(signer.detached, release),
        "Release.key": Blob(key),
    }
