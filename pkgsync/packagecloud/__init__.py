"""Packagecloud: its routes, the parsers of its answers, and the gathering of the actual state."""

from pkgsync.packagecloud.client import PackagecloudClient
from pkgsync.packagecloud.gather import gather

__all__ = ["PackagecloudClient", "gather"]
