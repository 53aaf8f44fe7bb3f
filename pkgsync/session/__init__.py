"""One hardened HTTP session for both services: bounded in time, in bytes, and in whom it tells a credential."""

from pkgsync.session.limits import DEFAULT_LIMITS, HttpLimits
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
