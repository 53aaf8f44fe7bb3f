"""Packagecloud: its routes, the parsers of its answers, and the gathering of the actual state."""

from pkgsync.packagecloud.asking import MAX_ASKED, downloads, sizes
from pkgsync.packagecloud.client import PackagecloudClient
from pkgsync.packagecloud.gather import gather

__all__ = ["MAX_ASKED", "PackagecloudClient", "downloads", "gather", "sizes"]
