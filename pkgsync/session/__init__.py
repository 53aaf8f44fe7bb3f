"""One hardened HTTP session for both services: bounded in time, in bytes, and in whom it tells a credential.

The limits are here at once; what needs an HTTP library comes on first use.
"""

from typing import TYPE_CHECKING

from pkgsync.lazy import lazily
from pkgsync.session.limits import DEFAULT_LIMITS, HttpLimits

if TYPE_CHECKING:
    from pkgsync.session.reply import Reply, TransientError
    from pkgsync.session.session import CA_VARIABLES, Session
    from pkgsync.session.urls import clean_url, make_route
else:
    __getattr__ = lazily(__name__, "urls reply session")

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
