"""The values that hold a credential, or say where one is."""

from attrs import field, frozen


@frozen
class Basic:
    """A login for HTTP basic authentication. A Packagecloud token is the user name, with an empty password.

    Neither part appears in ``repr``. ``source`` says in words where it was found.
    """

    username: str = field(repr=False)
    password: str = field(repr=False)
    source: str = field(default="", eq=False, kw_only=True)


@frozen(kw_only=True)
class SshKey:
    """A login by signatures of an SSH key, which itself is never read.

    ``key`` is the path of a private or public key file, or the ``SHA256:`` fingerprint of a key in the agent;
    ``agent`` is the agent's socket, empty where there is none. ``source`` says in words where this was found.
    """

    username: str
    key: str
    agent: str = ""
    source: str = field(default="", eq=False)


Login = Basic | SshKey
