"""Keeps a Packagecloud repository equal to what the Open Build Service publishes.

``import pkgsync`` re-exports the functions of :mod:`pkgsync.api` on first use, so that importing costs nothing.
"""

from typing import Any

from pkgsync.version import __version__

__all__ = ["__version__", "apply", "audit", "explain", "plan", "undo", "verify"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'pkgsync' has no attribute {name!r}")
    from pkgsync import api

    # all at once: importing the api binds `apply` to the subpackage of that name
    globals().update({name: getattr(api, name) for name in __all__ if name != "__version__"})
    return globals()[name]
