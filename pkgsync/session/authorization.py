"""What a session sends to say who it is."""

import base64
import threading
import time
from itertools import takewhile
from urllib.request import parse_http_list

from pkgsync.errors import AuthenticationError
from pkgsync.model.secret import Basic, Login, SshKey

_MOST_REALM = 200  # characters


class Authorization:
    """The Authorization header of one login, safe to share between threads.

    A signature is made when the server asks for one (obs/README.md, "SSH signatures"), and sent until it asks again.
    """

    def __init__(self, login: Login | None) -> None:
        self._login = login
        self._lock = threading.Lock()
        self._headers = [f"Basic {_encoded(login)}"] if isinstance(login, Basic) else []

    @property
    def header(self) -> str | None:
        return self._headers[-1] if self._headers else None

    @property
    def source(self) -> str:
        """Where the login was found; empty without one."""
        return self._login.source if self._login else ""

    @property
    def secrets(self) -> tuple[str, ...]:
        """What no server's words may repeat."""
        if isinstance(self._login, Basic):
            # a user name is no secret, and often a part of project names; alone it is a token
            return (_encoded(self._login), self._login.password or self._login.username)
        return tuple(header.partition('signature="')[2].rstrip('"') for header in self._headers)

    def renew(self, challenge: str, refused: str | None, what: str) -> bool:
        """Whether there is another header now to answer ``challenge`` with, the WWW-Authenticate of a 401.

        ``refused`` is the header that was sent. Raises AuthenticationError if the key cannot sign what is asked for.
        """
        if not isinstance(self._login, SshKey):
            return False
        asked = signature_challenge(challenge)
        if asked is None:
            raise AuthenticationError(
                f"{what}: 401, and the server takes no SSH signature", tip="Set OSC_USERNAME and OSC_PASSWORD."
            )
        realm = asked.get("realm", "")
        # of all else that such a scheme can sign, nothing is known of any OBS
        if (
            asked.get("headers", "(created)") != "(created)"
            or not realm.isprintable()
            or not 0 < len(realm) <= _MOST_REALM
        ):
            raise AuthenticationError(
                f"{what}: 401, and the server asks for a signature of an unknown form",
                tip="Set OSC_PASSWORD, if it takes one.",
            )
        with self._lock:
            # another thread may have been asked, too
            if self.header == refused:
                self._headers.append(_signed(self._login, realm))
        return True


def signature_challenge(challenge: str) -> dict[str, str] | None:
    """The parameters of the scheme Signature in a WWW-Authenticate header, None if it is not offered."""
    items = iter(parse_http_list(challenge))
    for item in items:
        scheme, _, first = item.partition(" ")
        if scheme.lower() == "signature":
            # the next word without a "=" begins another scheme
            rest = takewhile(lambda item: "=" in item.partition(" ")[0], items)
            return dict(_parameter(item) for item in (first, *rest))
    return None


def _parameter(item: str) -> tuple[str, str]:
    name, _, value = item.strip().partition("=")
    return name.lower(), value.strip('"')


def _signed(login: SshKey, realm: str) -> str:
    from pkgsync import ssh  # here, as few logins have a key, and running programs takes much to load

    created = int(time.time())
    made = "".join(ssh.sign(login, realm, f"(created): {created}").splitlines()[1:-1])
    fields = f'keyId="{login.username}",algorithm="ssh",headers="(created)",created={created},signature="{made}"'
    return f"Signature {fields}"


def _encoded(auth: Basic) -> str:
    return base64.b64encode(f"{auth.username}:{auth.password}".encode()).decode("ascii")
