"""The values that hold a credential, or say where one is."""

from typing import Any

from msgspec import Struct


class Discreet(Struct, frozen=True):
    """Shows nothing of itself where it is printed, as in a traceback."""

    def __repr__(self) -> str:
        return f"{type(self).__name__}(...)"

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        """For tracebacks that rich prints: a struct has one by itself, which tells every field."""
        return []


class Basic(Discreet, frozen=True):
    """A login for HTTP basic authentication. A Packagecloud token is the user name, with an empty password.

    Neither part appears in ``repr``. ``source`` says in words where it was found.
    """

    username: str
    password: str
    source: str = ""


class SshKey(Struct, frozen=True, kw_only=True):
    """A login by signatures of an SSH key, which itself is never read.

    ``key`` is the path of a private or public key file, or the ``SHA256:`` fingerprint of a key in the agent;
    ``agent`` is the agent's socket, empty where there is none. ``source`` says in words where this was found.
    """

    username: str
    key: str
    agent: str = ""
    source: str = ""


Login = Basic | SshKey
