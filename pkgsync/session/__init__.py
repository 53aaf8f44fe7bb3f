"""One hardened HTTP session for both services: bounded in time, in bytes, and in whom it tells a credential.

The limits are here at once; what needs an HTTP library comes on first use.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from pkgsync.session.limits import DEFAULT_LIMITS, HttpLimits

if TYPE_CHECKING:
    from pkgsync.session.reply import Reply, TransientError
    from pkgsync.session.session import CA_VARIABLES, Session
    from pkgsync.session.urls import clean_url, make_route

__all__ = [
    "CA_VARIABLES",
    "DEFAULT_LIMITS",
    "HttpLimits",
    "Reply",
    "Session",
    "TransientError",
    "clean_url",
    "make_route",
]

_HOMES = {
    "CA_VARIABLES": "session",
    "Reply": "reply",
    "Session": "session",
    "TransientError": "reply",
    "clean_url": "urls",
    "make_route": "urls",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
