"""Logins by SSH signature, as the proxy in front of SUSE's OBS takes them, verified by ssh-keygen."""

import re
import subprocess
import tempfile
import time
from pathlib import Path

REALM = "Use your developer account"
LIFETIME = 300  # seconds
_HEADER = re.compile(
    r'Signature keyId="([^"]+)",algorithm="ssh",headers="\(created\)",created=([0-9]+),signature="([A-Za-z0-9+/]+=*)"'
)


def is_signed(authorization: str, user: str, public_key: str) -> bool:
    """Whether the header holds a signature by the user's key, made just now."""
    match = _HEADER.fullmatch(authorization)
    if match is None or abs(time.time() - int(match[2])) > LIFETIME:
        return False
    with tempfile.TemporaryDirectory() as folder:
        allowed, signature = Path(folder, "allowed"), Path(folder, "signature")
        allowed.write_text(f"{user} {public_key}\n")
        signature.write_text(f"-----BEGIN SSH SIGNATURE-----\n{match[3]}\n-----END SSH SIGNATURE-----\n")
        command = ["ssh-keygen", "-Y", "verify", "-f", allowed, "-I", match[1], "-n", REALM, "-s", signature]
        text = f"(created): {match[2]}".encode()
        return subprocess.run(command, input=text, capture_output=True, check=False).returncode == 0  # noqa: S603
