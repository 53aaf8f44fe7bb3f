"""Keeps a Packagecloud repository equal to what the Open Build Service publishes.

``import pkgsync`` re-exports the functions of :mod:`pkgsync.api` on first use, so that importing costs nothing.
"""

from typing import Any

__version__ = "0.1.0"
__all__ = ["__version__", "apply", "audit", "plan"]


def __getattr__(name: str) -> Any:
    if name in __all__:
        from pkgsync import api

        return getattr(api, name)
    raise AttributeError(f"module 'pkgsync' has no attribute {name!r}")
