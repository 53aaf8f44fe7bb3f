"""The one value that holds a credential."""

from attrs import field, frozen


@frozen
class Basic:
    """A login for HTTP basic authentication. A Packagecloud token is the user name, with an empty password.

    Neither part appears in ``repr``.
    """

    username: str = field(repr=False)
    password: str = field(repr=False)
