"""To whom a URL leads: what a credential belongs to."""

from ipaddress import ip_address
from urllib.parse import urlsplit

from msgspec import Struct

_PORTS = {"https": 443, "http": 80}


def zone_of(address: str) -> str:
    """Where an IP address is that not everybody can reach, in words; empty for all others, and for a name."""
    try:
        ip = ip_address(address)
    except ValueError:
        return ""
    ip = getattr(ip, "ipv4_mapped", None) or ip
    if ip.is_loopback or ip.is_unspecified:
        return "this machine"
    if ip.is_link_local:
        return "a link-local network"
    return "" if ip.is_global else "a private network"


class Origin(Struct, frozen=True, kw_only=True):
    """Scheme, host and port of a URL, normalised; two URLs with equal origins lead to the same server."""

    scheme: str
    host: str
    port: int

    @classmethod
    def of(cls, url: str) -> "Origin":
        """The origin of ``url``.

        Raises ValueError for anything but an absolute http or https URL without user name and password; the text
        of the error does not repeat the URL, which may hold a secret.
        """
        try:
            parts = urlsplit(url)
            host, port = parts.hostname, parts.port
        except ValueError:
            raise ValueError("not a URL") from None
        if parts.scheme not in _PORTS or not host or url.strip() != url or "\\" in url:
            raise ValueError("not an http or https URL")
        if "@" in parts.netloc:
            raise ValueError("a URL with a user name or password")
        return cls(scheme=parts.scheme, host=host.rstrip("."), port=port or _PORTS[parts.scheme])

    @property
    def is_loopback(self) -> bool:
        """Whether the server is on this machine: localhost, 127.0.0.0/8 or ::1."""
        if self.host == "localhost":
            return True
        try:
            return ip_address(self.host).is_loopback
        except ValueError:
            return False

    @property
    def zone(self) -> str:
        """The zone that the host tells by itself; where a name leads to is only seen once it is resolved."""
        return "this machine" if self.is_loopback else zone_of(self.host)

    @property
    def is_protected(self) -> bool:
        """Whether nobody on the way can read along."""
        return self.scheme == "https" or self.is_loopback

    @property
    def netloc(self) -> str:
        """Host and port as they stand in a URL."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _PORTS[self.scheme] else f"{host}:{self.port}"

    def __str__(self) -> str:
        return f"{self.scheme}://{self.netloc}"
