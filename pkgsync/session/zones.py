"""Which servers a session may reach of those that not everybody can: this machine, link-local and private networks."""

from pkgsync.errors import ReadError
from pkgsync.model.origin import Origin
from pkgsync.session.urls import clean_url


class Zones:
    """The zones of ``home``, the server that the user named, or with ``everywhere`` all.

    A config, a redirect or a name server may come from somebody who is not there, and must not open them.
    """

    def __init__(self, home: Origin, everywhere: bool) -> None:
        self._home = home
        self._everywhere = everywhere
        self._known = {home.zone}

    def check(self, origin: Origin, asked: str, zone: str) -> None:
        """Raises ReadError, naming the URL that was ``asked`` for, if ``origin`` may not be reached in ``zone``."""
        if origin == self._home:
            self._known.add(zone)  # a name tells its zone only when it is resolved
        elif zone and zone not in self._known and not self._everywhere:
            raise ReadError(
                f"{clean_url(asked)}: it leads to {zone}, where {self._home} is not",
                tip="If that is meant, set `allow_private: true`.",
            )
